//! What a database holds that a restore in its place has to drop: all but the system's own, what belongs to extensions, and
//! the schema `public`, which a dump takes to be there.

use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::psql::{Psql, text};

/// How many objects of others are named.
const NAMED: usize = 3;

/// Every object, by the catalogue that has it, with its schema and whose it is. What another object makes for itself (the
/// row type of a table, the sequence of an identity column) goes with it.
///
/// Source: numbers from 16384 on are given after `initdb`, but a large object's may be chosen; `pg_depend.deptype` is `e` for
/// what an extension made, and `i` for what another object did.
const OBJECTS: &str = "SELECT o.class, o.number, o.schema, o.owner FROM ( \
    SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, oid, 0::pg_catalog.oid, nspowner FROM pg_catalog.pg_namespace \
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public') UNION ALL \
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, oid, relnamespace, relowner FROM pg_catalog.pg_class \
    WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND relpersistence <> 't' UNION ALL \
    SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, oid, pronamespace, proowner FROM pg_catalog.pg_proc UNION ALL \
    SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, oid, typnamespace, typowner FROM pg_catalog.pg_type UNION ALL \
    SELECT 'pg_catalog.pg_operator'::pg_catalog.regclass, oid, oprnamespace, oprowner FROM pg_catalog.pg_operator UNION ALL \
    SELECT 'pg_catalog.pg_opclass'::pg_catalog.regclass, oid, opcnamespace, opcowner FROM pg_catalog.pg_opclass UNION ALL \
    SELECT 'pg_catalog.pg_opfamily'::pg_catalog.regclass, oid, opfnamespace, opfowner FROM pg_catalog.pg_opfamily UNION ALL \
    SELECT 'pg_catalog.pg_collation'::pg_catalog.regclass, oid, collnamespace, collowner FROM pg_catalog.pg_collation UNION ALL \
    SELECT 'pg_catalog.pg_conversion'::pg_catalog.regclass, oid, connamespace, conowner FROM pg_catalog.pg_conversion UNION ALL \
    SELECT 'pg_catalog.pg_ts_dict'::pg_catalog.regclass, oid, dictnamespace, dictowner FROM pg_catalog.pg_ts_dict UNION ALL \
    SELECT 'pg_catalog.pg_ts_config'::pg_catalog.regclass, oid, cfgnamespace, cfgowner FROM pg_catalog.pg_ts_config UNION ALL \
    SELECT 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass, oid, stxnamespace, stxowner FROM pg_catalog.pg_statistic_ext UNION ALL \
    SELECT 'pg_catalog.pg_publication'::pg_catalog.regclass, oid, 0, pubowner FROM pg_catalog.pg_publication UNION ALL \
    SELECT 'pg_catalog.pg_event_trigger'::pg_catalog.regclass, oid, 0, evtowner FROM pg_catalog.pg_event_trigger UNION ALL \
    SELECT 'pg_catalog.pg_foreign_server'::pg_catalog.regclass, oid, 0, srvowner FROM pg_catalog.pg_foreign_server UNION ALL \
    SELECT 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, oid, 0, fdwowner \
    FROM pg_catalog.pg_foreign_data_wrapper UNION ALL \
    SELECT 'pg_catalog.pg_language'::pg_catalog.regclass, oid, 0, lanowner FROM pg_catalog.pg_language UNION ALL \
    SELECT 'pg_catalog.pg_largeobject'::pg_catalog.regclass, oid, 0, lomowner FROM pg_catalog.pg_largeobject_metadata \
    ) AS o (class, number, schema, owner) WHERE (o.number >= 16384 \
    OR o.class = 'pg_catalog.pg_largeobject'::pg_catalog.regclass) AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = o.class AND d.objid = o.number AND d.objsubid = 0 AND d.deptype IN ('e', 'i'))";

/// Names objects that this role may not drop.
fn others() -> String {
    format!(
        "SELECT pg_catalog.pg_describe_object(o.class, o.number, 0) || ' of ' || pg_catalog.pg_get_userbyid(o.owner) \
         FROM ({OBJECTS}) AS o WHERE NOT pg_catalog.pg_has_role(o.owner, 'USAGE') ORDER BY 1 LIMIT {}",
        NAMED + 1
    )
}

/// Finds objects of other roles, in words; empty if all is this role's own, which may then drop it all.
pub(crate) fn of_others(psql: &mut Psql) -> Result<String, PostgresError> {
    let found: Vec<String> = psql.ask(others())?.iter().map(|field| text(field)).collect();
    let more = if found.len() > NAMED { " and more" } else { "" };
    Ok(format!("{}{more}", found[..found.len().min(NAMED)].join(", ")))
}

/// Writes the statement that drops it all, and nothing where something is not this role's own: a schema would take it
/// along.
///
/// Publications and event triggers come first, so that nothing follows what else is dropped; then this role's own
/// extensions, which the dump makes anew with their rows; then the schemas with what is in them.
pub(crate) fn drop_all() -> String {
    let others = others();
    format!(
        "DO LANGUAGE plpgsql $safe_test$ DECLARE others text; statements text[]; one text; BEGIN \
         others := pg_catalog.array_to_string(ARRAY({others}), ', '); \
         IF others <> '' THEN RAISE insufficient_privilege USING MESSAGE = 'not the own of ' || current_user || ': ' || others; \
         END IF; \
         statements := ARRAY(SELECT s.statement FROM ( \
         SELECT 2, pg_catalog.format('DROP EXTENSION IF EXISTS %I CASCADE', extname) FROM pg_catalog.pg_extension \
         WHERE oid >= 16384 AND pg_catalog.pg_has_role(extowner, 'USAGE') UNION ALL \
         SELECT CASE WHEN i.type IN ('publication', 'event trigger') THEN 1 WHEN i.type = 'schema' THEN 3 ELSE 4 END, \
         CASE WHEN i.type = 'large object' THEN pg_catalog.format('SELECT pg_catalog.lo_unlink(%s)', o.number) \
         ELSE pg_catalog.format('DROP %s IF EXISTS %s CASCADE', CASE i.type WHEN 'function' THEN 'ROUTINE' \
         WHEN 'procedure' THEN 'ROUTINE' WHEN 'aggregate' THEN 'ROUTINE' WHEN 'foreign-data wrapper' \
         THEN 'FOREIGN DATA WRAPPER' WHEN 'statistics object' THEN 'STATISTICS' ELSE i.type END, i.identity) END \
         FROM ({OBJECTS}) AS o, LATERAL pg_catalog.pg_identify_object(o.class, o.number, 0) AS i \
         WHERE NOT EXISTS (SELECT FROM ({OBJECTS}) AS s WHERE s.class = 'pg_catalog.pg_namespace'::pg_catalog.regclass \
         AND s.number = o.schema)) AS s (rank, statement) ORDER BY s.rank); \
         FOREACH one IN ARRAY statements LOOP EXECUTE one; END LOOP; END $safe_test$"
    )
}

/// Makes the schema `public` and rights that are given by default what they are in a new database, from which a dump's own
/// statements start; as far as they are this role's.
///
/// Source: `pg_init_privs` has the rights that `initdb` gave. Since version 15 `public` is the database owner's.
pub(crate) const AS_IN_A_NEW_DATABASE: &str = "DO LANGUAGE plpgsql $safe_test$ DECLARE one text; statements text[]; BEGIN \
    IF pg_catalog.to_regnamespace('public') IS NULL THEN CREATE SCHEMA public; END IF; \
    IF (SELECT pg_catalog.pg_has_role(n.nspowner, 'USAGE') FROM pg_catalog.pg_namespace n WHERE n.nspname = 'public') \
    THEN COMMENT ON SCHEMA public IS 'standard public schema'; END IF; \
    IF pg_catalog.current_setting('server_version_num')::int >= 150000 AND (SELECT pg_catalog.pg_has_role(n.nspowner, 'USAGE') \
    AND pg_catalog.pg_has_role('pg_database_owner', 'USAGE') FROM pg_catalog.pg_namespace n WHERE n.nspname = 'public') \
    THEN ALTER SCHEMA public OWNER TO pg_database_owner; END IF; \
    WITH public AS (SELECT n.oid, n.nspowner, n.nspacl, p.initprivs FROM pg_catalog.pg_namespace n \
    LEFT JOIN pg_catalog.pg_init_privs p ON p.objoid = n.oid AND p.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass \
    WHERE n.nspname = 'public' AND pg_catalog.pg_has_role(n.nspowner, 'USAGE')), \
    kinds (type, kind, is_everybodys) AS (VALUES ('r', 'TABLES', false), ('S', 'SEQUENCES', false), ('f', 'FUNCTIONS', true), \
    ('T', 'TYPES', true), ('n', 'SCHEMAS', false), ('L', 'LARGE OBJECTS', false)), \
    defaults AS (SELECT d.defaclacl, d.defaclrole, d.defaclnamespace, k.kind, k.is_everybodys, \
    pg_catalog.format('ALTER DEFAULT PRIVILEGES FOR ROLE %I %s ', pg_catalog.pg_get_userbyid(d.defaclrole), \
    (SELECT pg_catalog.format('IN SCHEMA %I', n.nspname) FROM pg_catalog.pg_namespace n WHERE n.oid = d.defaclnamespace)) \
    AS beginning FROM pg_catalog.pg_default_acl d JOIN kinds k ON k.type = d.defaclobjtype::text \
    WHERE pg_catalog.pg_has_role(d.defaclrole, 'USAGE')), \
    steps (rank, beginning, ending, grantee) AS ( \
    SELECT 1, 'REVOKE ALL ON SCHEMA public FROM ', ' CASCADE', a.grantee FROM public p, LATERAL pg_catalog.aclexplode(p.nspacl) a \
    WHERE a.grantee <> p.nspowner UNION \
    SELECT 2, 'GRANT ' || a.privilege_type || ' ON SCHEMA public TO ', '', a.grantee FROM public p, \
    LATERAL pg_catalog.aclexplode(p.initprivs) a WHERE a.grantee <> p.nspowner UNION \
    SELECT 2, 'GRANT ALL ON SCHEMA public TO ', '', p.nspowner FROM public p UNION \
    SELECT 2, 'GRANT USAGE ON SCHEMA public TO ', '', 0::pg_catalog.oid FROM public p WHERE p.initprivs IS NULL UNION \
    SELECT 1, d.beginning || 'REVOKE ALL ON ' || d.kind || ' FROM ', '', a.grantee FROM defaults d, \
    LATERAL pg_catalog.aclexplode(d.defaclacl) a UNION \
    SELECT 2, d.beginning || 'GRANT ALL ON ' || d.kind || ' TO ', '', g.grantee FROM defaults d, \
    LATERAL (VALUES (d.defaclrole, true), (0::pg_catalog.oid, d.is_everybodys)) AS g (grantee, has_it) \
    WHERE d.defaclnamespace = 0 AND g.has_it) \
    SELECT pg_catalog.array_agg(s.beginning || CASE WHEN s.grantee = 0 THEN 'PUBLIC' \
    ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(s.grantee)) END || s.ending ORDER BY s.rank) INTO statements FROM steps s; \
    FOREACH one IN ARRAY coalesce(statements, '{}') LOOP EXECUTE one; END LOOP; END $safe_test$";
