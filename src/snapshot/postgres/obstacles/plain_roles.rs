//! What is an obstacle only for a role that is no superuser: what it may not create, give away, or use.
//!
//! Source: the "Notes" of each `CREATE` in PostgreSQL's documentation; each was tried with the owner of a database that may
//! create databases.

use crate::snapshot::postgres::obstacles::kind::{BY_A_SUPERUSER, Kind, left_out, nothing_comes_back};
use crate::snapshot::postgres::obstacles::signs::{
    BASE_TYPES, EXTENSIONS, FUNCTIONS, LANGUAGES, OPERATOR_CLASSES, OTHER_OWNERS, RIGHTS, TEXT_SEARCH,
};

/// Where the database is made anew: in place, what others have made stays, or keeps all from being replaced.
pub(super) const MADE_ANEW: &[Kind] = &[
    nothing_comes_back(
        "pg_extension e JOIN offered o ON o.name = e.extname AND o.version = e.extversion WHERE e.oid >= 16384 AND o.needs_superuser",
        "e.extname",
        "only a superuser creates the extensions {names}",
        BY_A_SUPERUSER,
    )
    .where_there_are(EXTENSIONS),
    left_out(
        "owned o WHERE NOT pg_has_role(o.owner, '$ACT')",
        "pg_get_userbyid(o.owner)",
        "the owners {names}, whose objects will belong to `{user}`",
        BY_A_SUPERUSER,
    )
    .where_there_are(OTHER_OWNERS),
];

pub(super) const KINDS: &[Kind] = &[
    nothing_comes_back(
        "pg_event_trigger WHERE oid NOT IN (SELECT objid FROM member)",
        "evtname",
        "only a superuser creates event triggers ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are("pg_event_trigger"),
    nothing_comes_back(
        "pg_publication WHERE puballtables",
        "pubname",
        "only a superuser creates publications for all tables ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are("pg_publication"),
    nothing_comes_back(
        "pg_publication p JOIN pg_publication_namespace n ON n.pnpubid = p.oid",
        "p.pubname",
        "only a superuser publishes whole schemas ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are("pg_publication")
    .since(15),
    nothing_comes_back(
        "functions f JOIN pg_language l ON l.oid = f.prolang WHERE NOT l.lanpltrusted AND f.oid NOT IN (SELECT aggfnoid FROM pg_aggregate)",
        "f.proname",
        "only a superuser creates functions in languages that are not trusted ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are(FUNCTIONS),
    nothing_comes_back(
        "functions WHERE proleakproof",
        "proname",
        "only a superuser creates leakproof functions ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are(FUNCTIONS),
    nothing_comes_back(
        "functions WHERE prosupport <> 0",
        "proname",
        "only a superuser creates functions with planner support ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are(FUNCTIONS)
    .since(12),
    nothing_comes_back(
        "functions f, LATERAL (SELECT split_part(s, '=', 1) AS setting FROM unnest(f.proconfig) s) c \
            WHERE f.proconfig IS NOT NULL AND lower(c.setting) NOT IN (SELECT name FROM changeable) AND NOT $MAY_SET(c.setting)",
        "f.proname",
        "only a superuser creates functions with settings such as theirs ({names})",
        "GRANT SET ON PARAMETER to the role, or restore it by hand as a superuser (`by_hand` in its manifest)",
    )
    .where_there_are(FUNCTIONS),
    nothing_comes_back(
        "functions f JOIN pg_aggregate a ON a.aggfnoid = f.oid WHERE a.aggtranstype = 'internal'::regtype",
        "f.proname",
        "only a superuser creates aggregates with an internal state ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are(FUNCTIONS),
    nothing_comes_back(
        "(SELECT oid, opfname AS name FROM pg_opfamily UNION ALL SELECT oid, opcname FROM pg_opclass) o \
            WHERE o.oid >= 16384 AND o.oid NOT IN (SELECT objid FROM member)",
        "o.name",
        "only a superuser creates operator classes and families ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are(OPERATOR_CLASSES),
    nothing_comes_back(
        "pg_foreign_data_wrapper WHERE oid NOT IN (SELECT objid FROM member)",
        "fdwname",
        "only a superuser creates foreign-data wrappers ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are("pg_foreign_data_wrapper"),
    nothing_comes_back(
        "pg_am WHERE oid >= 16384 AND oid NOT IN (SELECT objid FROM member)",
        "amname",
        "only a superuser creates access methods ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are("pg_am WHERE oid >= 16384"),
    nothing_comes_back(
        "pg_type t WHERE t.oid >= 16384 AND (t.typtype = 'p' OR t.typtype = 'b' AND t.typinput <> 'array_in(cstring,oid,integer)'::regprocedure \
            OR t.oid IN (SELECT rngtypid FROM pg_range WHERE rngcanonical <> 0)) AND t.oid NOT IN (SELECT objid FROM member)",
        "t.typname",
        "only a superuser creates base types ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are(BASE_TYPES),
    nothing_comes_back(
        "pg_cast c WHERE c.oid >= 16384 AND c.oid NOT IN (SELECT objid FROM member) AND (c.castmethod = 'b' \
            OR (c.castsource < 16384 OR c.castsource IN (SELECT objid FROM member)) AND (c.casttarget < 16384 OR c.casttarget IN (SELECT objid FROM member)))",
        "format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL)",
        "only a superuser creates casts between types that are not its own ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are("pg_cast WHERE oid >= 16384"),
    nothing_comes_back(
        "pg_transform t WHERE t.oid NOT IN (SELECT objid FROM member) AND (t.trftype < 16384 OR t.trftype IN (SELECT objid FROM member))",
        "format_type(t.trftype, NULL)",
        "only a superuser creates transforms of types that are not its own ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are("pg_transform"),
    nothing_comes_back(
        "(SELECT oid, prsname AS name FROM pg_ts_parser UNION ALL SELECT oid, tmplname FROM pg_ts_template) o \
            WHERE o.oid >= 16384 AND o.oid NOT IN (SELECT objid FROM member)",
        "o.name",
        "only a superuser creates text search parsers and templates ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are(TEXT_SEARCH),
    nothing_comes_back(
        "pg_language WHERE oid >= 16384 AND oid NOT IN (SELECT objid FROM member)",
        "lanname",
        "only a superuser creates languages ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are(LANGUAGES),
    nothing_comes_back(
        "pg_extension e, LATERAL (SELECT c.relname, c.relowner, c.oid FROM pg_class c WHERE c.oid = ANY (e.extconfig) AND c.relkind = 'r') c \
            WHERE e.oid >= 16384 AND NOT pg_has_role(c.relowner, 'USAGE') AND pg_relation_size(c.oid) > 0",
        "c.relname",
        "only a superuser fills the tables of extensions ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are(EXTENSIONS),
    left_out(
        "pg_subscription s JOIN pg_database d ON d.oid = s.subdbid AND d.datname = current_database()",
        "s.subname",
        "subscriptions, which only a superuser saves ({names})",
        "save and restore it as a superuser",
    )
    .where_there_are("pg_subscription"),
    left_out(
        "owned o JOIN pg_roles me ON me.rolname = current_user AND me.oid <> o.owner \
            WHERE pg_has_role(o.owner, '$ACT') AND NOT has_schema_privilege(o.owner, o.schema, 'CREATE')",
        "pg_get_userbyid(o.owner)",
        "the owners {names}, who may not create anything where their objects are",
        BY_A_SUPERUSER,
    )
    .where_there_are(OTHER_OWNERS),
    left_out(
        "pg_tablespace t WHERE NOT has_tablespace_privilege(t.oid, 'CREATE') AND (t.oid IN (SELECT reltablespace FROM pg_class WHERE oid >= 16384) \
            OR t.oid = (SELECT dattablespace FROM pg_database WHERE datname = current_database()) AND t.spcname <> 'pg_default')",
        "t.spcname",
        "tablespaces that the role `{user}` may not use ({names})",
        "GRANT CREATE ON TABLESPACE to the role",
    )
    .where_there_are("pg_tablespace WHERE oid >= 16384"),
    left_out(
        "pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase AND d.datname = current_database(), \
            LATERAL (SELECT split_part(x, '=', 1) AS setting FROM unnest(s.setconfig) x) c \
            WHERE lower(c.setting) NOT IN (SELECT name FROM changeable) AND NOT $MAY_SET(c.setting)",
        "c.setting",
        "settings of the database that only a superuser makes ({names})",
        "GRANT SET ON PARAMETER to the role, or restore it by hand as a superuser (`by_hand` in its manifest)",
    )
    .where_there_are("pg_db_role_setting WHERE setdatabase <> 0"),
    left_out(
        "pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase AND d.datname = current_database() \
            JOIN pg_roles r ON r.oid = s.setrole, pg_roles me WHERE me.rolname = current_user AND r.oid <> me.oid AND (r.rolsuper OR NOT me.rolcreaterole)",
        "r.rolname",
        "settings of other roles in the database ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are("pg_db_role_setting WHERE setdatabase <> 0"),
    left_out(
        "pg_default_acl a WHERE NOT pg_has_role(a.defaclrole, '$ACT')",
        "pg_get_userbyid(a.defaclrole)",
        "the default privileges of other roles ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are("pg_default_acl"),
    left_out(
        "(SELECT oid, relname AS name, relowner AS owner, relacl AS acl FROM pg_class UNION ALL SELECT oid, nspname, nspowner, nspacl FROM pg_namespace \
            UNION ALL SELECT oid, proname, proowner, proacl FROM functions) o, LATERAL aclexplode(o.acl) a \
            WHERE o.oid >= 16384 AND o.acl IS NOT NULL AND a.grantor <> o.owner AND o.oid NOT IN (SELECT objid FROM member)",
        "o.name",
        "grants that other roles made ({names})",
        BY_A_SUPERUSER,
    )
    .where_there_are(RIGHTS),
    left_out(
        "server_rights r",
        "r.name",
        "rights on what belongs to the server or to extensions ({names})",
        BY_A_SUPERUSER,
    ),
];
