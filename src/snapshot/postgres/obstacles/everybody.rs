//! What is an obstacle for superusers, too: what a dump does not hold, and what the server has lost.

use crate::snapshot::postgres::obstacles::kind::{Kind, left_out, nothing_comes_back};
use crate::snapshot::postgres::obstacles::signs::{EXTENSIONS, IN_SYSTEM_SCHEMAS, LANGUAGES};

/// For every role.
pub(super) const KINDS: &[Kind] = &[
    nothing_comes_back(
        "(SELECT current_database() AS name WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname IN ('postgres', 'template1') \
            AND datname <> current_database() AND datallowconn AND has_database_privilege(oid, 'CONNECT'))) x",
        "name",
        "the role `{user}` may connect neither to `postgres` nor to `template1`, one of which a restore is made from",
        "GRANT CONNECT ON DATABASE postgres to the role",
    ),
    nothing_comes_back(
        "pg_prepared_xact() p JOIN pg_database d ON d.oid = p.dbid AND d.datname = current_database()",
        "p.gid",
        "a database with prepared transactions cannot be exchanged ({names})",
        "COMMIT PREPARED or ROLLBACK PREPARED",
    )
    .where_there_are("pg_prepared_xact()"),
    nothing_comes_back(
        "pg_extension e WHERE e.oid >= 16384 AND e.extname NOT IN (SELECT name FROM offered)",
        "e.extname",
        "the server no longer has the files of the extensions {names}",
        "install them again on the server",
    )
    .where_there_are(EXTENSIONS),
    nothing_comes_back(
        "hidden h WHERE EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = h.class AND d.refobjid = h.oid AND d.deptype = 'n')",
        "h.name",
        "a dump has nothing of the system's schemas, and others depend on what was put there ({names})",
        "move them to a schema of your own",
    )
    .where_there_are(IN_SYSTEM_SCHEMAS),
    left_out(
        "hidden h WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = h.class AND d.refobjid = h.oid AND d.deptype = 'n')",
        "h.name",
        "what was put into the system's schemas ({names})",
        "move it to a schema of your own",
    )
    .where_there_are(IN_SYSTEM_SCHEMAS),
    nothing_comes_back(
        "adopted_needed a",
        "pg_describe_object(a.class, a.oid, 0)",
        "a dump has nothing of what was added to extensions by hand, and others depend on it ({names})",
        "ALTER EXTENSION … DROP it, so that it is saved",
    )
    .where_there_are(EXTENSIONS),
    left_out(
        "adopted a WHERE (a.class, a.oid) NOT IN (SELECT class, oid FROM adopted_needed)",
        "pg_describe_object(a.class, a.oid, 0)",
        "objects that were added to extensions by hand ({names})",
        "ALTER EXTENSION … DROP it, so that it is saved",
    )
    .where_there_are(EXTENSIONS),
    left_out(
        "touched t",
        "pg_describe_object(t.class, t.oid, 0)",
        "what extensions made, as it was changed by hand ({names})",
        "change it anew after a restore",
    )
    .where_there_are(EXTENSIONS),
    // Those that a trusted extension makes belong to the first superuser.
    left_out(
        "pg_depend m JOIN pg_extension e ON e.oid = m.refobjid AND e.oid >= 16384 JOIN (SELECT 'pg_class'::regclass AS class, oid, relowner AS owner FROM pg_class \
            UNION ALL SELECT 'pg_proc'::regclass, oid, proowner FROM pg_proc) o ON o.class = m.classid AND o.oid = m.objid AND o.owner NOT IN (10, e.extowner) \
            WHERE m.refclassid = 'pg_extension'::regclass AND m.deptype = 'e'",
        "pg_describe_object(m.classid, m.objid, 0)",
        "owners of what extensions made ({names})",
        "ALTER … OWNER TO after a restore",
    )
    .where_there_are(EXTENSIONS),
    // 28 has the bits of UPDATE, INSERT and DELETE.
    left_out(
        "pg_class c WHERE c.relkind = 'f' AND c.oid NOT IN (SELECT objid FROM member) AND pg_relation_is_updatable(c.oid, false) & 28 <> 0",
        "c.relname",
        "the rows of foreign tables, which lie on other servers ({names})",
        "save those servers' databases as well",
    )
    .where_there_are("pg_foreign_table"),
    nothing_comes_back(
        "pg_get_replication_slots() s JOIN pg_database d ON d.oid = s.datoid AND d.datname = current_database() WHERE NOT s.temporary",
        "s.slot_name",
        "logical replication slots would stay with the database that is replaced ({names})",
        "drop them before a restore, and make them anew afterwards",
    )
    .where_there_are("pg_get_replication_slots() WHERE NOT temporary"),
    nothing_comes_back(
        "pg_subscription s JOIN pg_database d ON d.oid = s.subdbid AND d.datname = current_database() WHERE s.subenabled",
        "s.subname",
        "subscriptions would go on in the database that is replaced ({names})",
        "disable them before a restore, and enable them afterwards",
    )
    .where_there_are("pg_subscription WHERE subenabled"),
    left_out(
        "pg_index i JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i' AND c.relpersistence <> 't' WHERE NOT i.indisvalid",
        "c.relname",
        "indexes that are invalid ({names})",
        "REINDEX or drop them",
    )
    .where_there_are("pg_index WHERE NOT indisvalid"),
    // `pg_dump` makes a child with its parents' columns first, in their order; one that was attached later, or whose parent got
    // a column later, had others. With several parents only the first column of the child's own that comes too early counts.
    left_out(
        "pg_class c WHERE c.relkind = 'r' AND NOT c.relispartition AND EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid) \
            AND EXISTS (SELECT FROM pg_attribute a JOIN pg_attribute b ON b.attrelid = a.attrelid AND b.attnum > a.attnum \
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT b.attisdropped AND b.attinhcount > 0 \
                AND (a.attinhcount = 0 OR EXISTS (SELECT FROM pg_inherits i \
                    JOIN pg_attribute pa ON pa.attrelid = i.inhparent AND pa.attname = a.attname \
                    JOIN pg_attribute pb ON pb.attrelid = i.inhparent AND pb.attname = b.attname \
                    WHERE i.inhrelid = c.oid AND i.inhseqno = 1 AND pa.attnum > pb.attnum)))",
        "c.relname",
        "the order of the columns of tables that inherit ({names})",
        "name the columns in INSERT and SELECT",
    )
    .where_there_are("pg_inherits"),
    left_out(
        "pg_extension e WHERE e.oid >= 16384 AND e.extname IN (SELECT name FROM offered) \
            AND NOT EXISTS (SELECT FROM offered o WHERE o.name = e.extname AND o.version = e.extversion)",
        "e.extname || ' ' || e.extversion",
        "versions of extensions that the server no longer has ({names})",
        "ALTER EXTENSION … UPDATE",
    )
    .where_there_are(EXTENSIONS),
];

/// For superusers only: other roles meet something else there.
pub(super) const OF_SUPERUSERS: &[Kind] = &[
    // A dump writes their handlers only where these are not in `pg_catalog`, and takes them for extensions else.
    nothing_comes_back(
        "pg_language l JOIN pg_proc h ON h.oid = l.lanplcallfoid AND h.pronamespace = 'pg_catalog'::regnamespace \
            WHERE l.oid >= 16384 AND l.oid NOT IN (SELECT objid FROM member)",
        "l.lanname",
        "a dump does not say how the languages {names} are made",
        "make them members of an extension",
    )
    .where_there_are(LANGUAGES),
    nothing_comes_back(
        "(SELECT DISTINCT probin AS library FROM pg_proc WHERE oid >= 16384 AND probin IS NOT NULL) l, \
            LATERAL (SELECT setting AS folder FROM pg_config WHERE name = 'PKGLIBDIR') p \
            WHERE (l.library LIKE '$libdir/%' OR l.library LIKE '/%') AND NOT EXISTS (SELECT FROM (VALUES (''), ('.so'), ('.dylib'), ('.dll')) e(ending) \
            WHERE (pg_stat_file(replace(l.library, '$libdir', p.folder) || e.ending, true)).size IS NOT NULL)",
        "l.library",
        "the server no longer has the libraries {names}",
        "install them again on the server",
    )
    .where_there_are("pg_proc WHERE oid >= 16384 AND probin IS NOT NULL"),
];
