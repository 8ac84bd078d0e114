//! The common tables that the kinds share, in SQL.

/// Their names and texts; each may use those before it.
pub(super) const TABLES: &[(&str, &str)] = &[
    // What belongs to an extension. The numbers are the server's: two catalogs have the same only after 4 billion of them.
    ("member", "SELECT objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'"),
    // What somebody made a member of an extension that does not make it: it was there in an earlier transaction than the membership,
    // by the row that says which schema it is in. One of the extension's last script is none, although that may take over what
    // was there.
    (
        "adopted",
        "SELECT m.classid AS class, m.objid AS oid FROM pg_depend m JOIN pg_extension e ON e.oid = m.refobjid AND e.oid >= 16384 \
         WHERE m.refclassid = 'pg_extension'::regclass AND m.deptype = 'e' AND m.xmin <> e.xmin AND (EXISTS (SELECT FROM pg_depend s \
         WHERE s.classid = m.classid AND s.objid = m.objid AND s.refclassid = 'pg_namespace'::regclass AND age(s.xmin) > age(m.xmin)) \
         OR m.classid = 'pg_namespace'::regclass AND EXISTS (SELECT FROM pg_namespace n WHERE n.oid = m.objid AND age(n.xmin) > age(m.xmin)))",
    ),
    // Those of them that something else needs: what a view, a default or a key depends on, a parent of a partition or child.
    (
        "adopted_needed",
        "SELECT a.class, a.oid FROM adopted a WHERE EXISTS (SELECT FROM pg_depend d WHERE d.deptype IN ('n', 'a') \
         AND (d.refclassid = a.class AND d.refobjid = a.oid OR d.refclassid = 'pg_type'::regclass AND a.class = 'pg_class'::regclass \
         AND d.refobjid = (SELECT reltype FROM pg_class WHERE oid = a.oid AND reltype <> 0)) \
         AND (d.deptype = 'n' OR EXISTS (SELECT FROM pg_inherits WHERE d.classid = 'pg_class'::regclass AND inhrelid = d.objid)) \
         AND CASE d.classid WHEN 'pg_rewrite'::regclass THEN (SELECT ev_class FROM pg_rewrite WHERE oid = d.objid) \
         WHEN 'pg_constraint'::regclass THEN (SELECT conrelid FROM pg_constraint WHERE oid = d.objid) \
         WHEN 'pg_attrdef'::regclass THEN (SELECT adrelid FROM pg_attrdef WHERE oid = d.objid) \
         WHEN 'pg_trigger'::regclass THEN (SELECT tgrelid FROM pg_trigger WHERE oid = d.objid) ELSE d.objid END NOT IN (SELECT objid FROM member))",
    ),
    // Members of extensions as somebody changed them: written by a later transaction than the one that made them members, and
    // than the extension's last script. A grant does that, too, and is in a dump: what has other rights than the extension gave
    // may have been changed besides, which does not show. Replacing a function writes anew which schema it is in; so does
    // moving it. Another owner is told by itself. In a cluster that was upgraded each member comes in a transaction of its own, and
    // may write to others.
    (
        "touched",
        "SELECT DISTINCT m.classid AS class, m.objid AS oid FROM pg_depend m JOIN pg_extension e ON e.oid = m.refobjid AND e.oid >= 16384 \
         JOIN (SELECT 'pg_proc'::regclass AS class, oid, xmin AS written, proacl AS acl, proowner AS owner FROM pg_proc \
         UNION ALL SELECT 'pg_type'::regclass, oid, xmin, typacl, 10 FROM pg_type \
         UNION ALL SELECT 'pg_type'::regclass, enumtypid, xmin, NULL, 10 FROM pg_enum \
         UNION ALL SELECT 'pg_type'::regclass, contypid, xmin, NULL, 10 FROM pg_constraint WHERE contypid <> 0 \
         UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, xmin, fdwacl, 10 FROM pg_foreign_data_wrapper \
         UNION ALL SELECT 'pg_operator'::regclass, oid, xmin, NULL, 10 FROM pg_operator \
         UNION ALL SELECT 'pg_opfamily'::regclass, amopfamily, xmin, NULL, 10 FROM pg_amop \
         UNION ALL SELECT 'pg_opfamily'::regclass, amprocfamily, xmin, NULL, 10 FROM pg_amproc \
         UNION ALL SELECT 'pg_ts_dict'::regclass, oid, xmin, NULL, 10 FROM pg_ts_dict \
         UNION ALL SELECT 'pg_ts_config'::regclass, oid, xmin, NULL, 10 FROM pg_ts_config \
         UNION ALL SELECT 'pg_ts_config'::regclass, mapcfg, xmin, NULL, 10 FROM pg_ts_config_map \
         UNION ALL SELECT 'pg_event_trigger'::regclass, oid, xmin, NULL, 10 FROM pg_event_trigger \
         UNION ALL SELECT classid::regclass, objid, xmin, NULL, 10 FROM pg_depend WHERE refclassid = 'pg_namespace'::regclass \
         AND classid = 'pg_proc'::regclass) o ON o.class = m.classid AND o.oid = m.objid \
         LEFT JOIN pg_init_privs i ON i.classoid = m.classid AND i.objoid = m.objid AND i.objsubid = 0 \
         WHERE m.refclassid = 'pg_extension'::regclass AND m.deptype = 'e' AND age(o.written) < age(m.xmin) \
         AND age(o.written) < age(e.xmin) AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.refclassid = m.refclassid AND x.refobjid = m.refobjid \
         AND x.deptype = 'e' AND x.xmin = o.written) AND o.acl IS NOT DISTINCT FROM i.initprivs AND o.owner IN (10, e.extowner)",
    ),
    // The schemas that a dump holds. Source: `selectDumpableNamespace` in `pg_dump.c`.
    ("saved", "SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"),
    // Those outside of extensions, without the ones that the server makes for a range.
    (
        "functions",
        "SELECT * FROM pg_proc WHERE oid >= 16384 AND oid NOT IN (SELECT objid FROM member) \
         AND oid NOT IN (SELECT objid FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid >= 16384 AND deptype = 'i')",
    ),
    // The extensions on the server's disk, a file each: read only where one was added.
    (
        "offered",
        "SELECT name, version, superuser AND NOT $TRUSTED AS needs_superuser FROM pg_available_extension_versions() \
         WHERE EXISTS (SELECT FROM pg_extension WHERE oid >= 16384)",
    ),
    // The settings that everybody may make.
    (
        "changeable",
        "SELECT name FROM pg_settings WHERE context = 'user' UNION ALL VALUES ('role'), ('session_authorization')",
    ),
    // Rights that differ from those that `initdb` or an extension gave.
    (
        "server_rights",
        "SELECT o.name FROM (SELECT 'pg_proc'::regclass AS class, oid, proname AS name, pronamespace AS schema, proacl AS acl FROM pg_proc \
         UNION ALL SELECT 'pg_class'::regclass, oid, relname, relnamespace, relacl FROM pg_class \
         UNION ALL SELECT 'pg_language'::regclass, oid, lanname, 'pg_catalog'::regnamespace, lanacl FROM pg_language WHERE lanispl) o \
         LEFT JOIN pg_init_privs i ON i.classoid = o.class AND i.objoid = o.oid AND i.objsubid = 0 \
         WHERE o.acl IS NOT NULL AND o.acl IS DISTINCT FROM i.initprivs \
         AND (o.oid < 16384 AND o.schema = 'pg_catalog'::regnamespace OR o.oid IN (SELECT objid FROM member))",
    ),
    // What was put into the system's schemas, but for functions that a superuser's restore makes again.
    (
        "hidden",
        "SELECT 'pg_class'::regclass AS class, oid, relname AS name FROM pg_class WHERE oid >= 16384 \
         AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND relpersistence <> 't' AND relnamespace NOT IN (SELECT oid FROM saved) \
         AND oid NOT IN (SELECT objid FROM member) \
         UNION ALL SELECT 'pg_proc'::regclass, oid, proname FROM functions WHERE pronamespace IN (\
         SELECT oid FROM pg_namespace WHERE oid NOT IN (SELECT oid FROM saved) AND nspname !~ '^pg_temp_') \
         AND NOT (prokind IN ('f', 'p') AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)) \
         UNION ALL SELECT 'pg_type'::regclass, oid, typname FROM pg_type WHERE oid >= 16384 AND typtype IN ('d', 'e', 'r') \
         AND oid NOT IN (SELECT objid FROM member) AND typnamespace IN (\
         SELECT oid FROM pg_namespace WHERE oid NOT IN (SELECT oid FROM saved) AND nspname !~ '^pg_temp_')",
    ),
    // The owners of what a dump gives an owner, and its schema. Before version 15 it gave the schema `public` none where it was the
    // first superuser.
    (
        "owned",
        "SELECT relowner AS owner, relnamespace AS schema FROM pg_class WHERE oid >= 16384 \
         AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND relnamespace IN (SELECT oid FROM saved) AND oid NOT IN (SELECT objid FROM member) \
         UNION ALL SELECT proowner, pronamespace FROM functions WHERE pronamespace IN (SELECT oid FROM saved) \
         UNION ALL SELECT typowner, typnamespace FROM pg_type WHERE oid >= 16384 AND typtype IN ('d', 'e', 'r') \
         AND typnamespace IN (SELECT oid FROM saved) AND oid NOT IN (SELECT objid FROM member) \
         UNION ALL SELECT nspowner, NULL FROM pg_namespace WHERE oid IN (SELECT oid FROM saved) AND oid NOT IN (SELECT objid FROM member) \
         AND NOT (nspname = 'public' AND nspowner = 10 AND current_setting('server_version_num')::int < 150000) \
         UNION ALL SELECT lomowner, NULL FROM pg_largeobject_metadata UNION ALL SELECT pubowner, NULL FROM pg_publication \
         UNION ALL SELECT x.owner, NULL FROM (SELECT oid, oprowner AS owner FROM pg_operator UNION ALL SELECT oid, collowner FROM pg_collation \
         UNION ALL SELECT oid, conowner FROM pg_conversion UNION ALL SELECT oid, dictowner FROM pg_ts_dict \
         UNION ALL SELECT oid, cfgowner FROM pg_ts_config UNION ALL SELECT oid, stxowner FROM pg_statistic_ext \
         UNION ALL SELECT oid, srvowner FROM pg_foreign_server) x WHERE x.oid >= 16384 AND x.oid NOT IN (SELECT objid FROM member)",
    ),
];
