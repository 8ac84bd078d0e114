//! The signs of obstacles, in SQL: what a database has where it may have a kind of them, asked of single catalogs. Most
//! databases show few, and are not asked about the rest: to plan those questions costs the server more than to answer them.
//!
//! Each is what follows `FROM`. It may find too much, never too little.

/// Something was made an extension.
pub(super) const EXTENSIONS: &str = "pg_extension WHERE oid >= 16384";

pub(super) const FUNCTIONS: &str = "pg_proc WHERE oid >= 16384";

pub(super) const LANGUAGES: &str = "pg_language WHERE oid >= 16384";

/// Something lies in the system's schemas.
pub(super) const IN_SYSTEM_SCHEMAS: &str = "(SELECT relnamespace AS schema FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f') \
    AND relpersistence <> 't' UNION ALL SELECT pronamespace FROM pg_proc WHERE oid >= 16384 \
    UNION ALL SELECT typnamespace FROM pg_type WHERE oid >= 16384 AND typtype IN ('d', 'e', 'r')) x WHERE schema NOT IN (SELECT oid FROM saved)";

/// Something has another owner than the role. Of what lies in no schema, those owners count as whom the role may not act.
pub(super) const OTHER_OWNERS: &str = "pg_roles me JOIN (SELECT relowner AS owner FROM pg_class WHERE oid >= 16384 \
    UNION ALL SELECT proowner FROM pg_proc WHERE oid >= 16384 UNION ALL SELECT typowner FROM pg_type WHERE oid >= 16384 \
    UNION ALL SELECT nspowner FROM pg_namespace WHERE oid IN (SELECT oid FROM saved) AND NOT pg_has_role(nspowner, '$ACT') \
    AND NOT (nspname = 'public' AND nspowner = 10 AND current_setting('server_version_num')::int < 150000) \
    UNION ALL SELECT lomowner FROM pg_largeobject_metadata UNION ALL SELECT pubowner FROM pg_publication \
    UNION ALL SELECT oprowner FROM pg_operator WHERE oid >= 16384 UNION ALL SELECT collowner FROM pg_collation WHERE oid >= 16384 \
    UNION ALL SELECT conowner FROM pg_conversion WHERE oid >= 16384 UNION ALL SELECT dictowner FROM pg_ts_dict WHERE oid >= 16384 \
    UNION ALL SELECT cfgowner FROM pg_ts_config WHERE oid >= 16384 UNION ALL SELECT stxowner FROM pg_statistic_ext \
    UNION ALL SELECT srvowner FROM pg_foreign_server) o ON o.owner <> me.oid WHERE me.rolname = current_user";

/// Something has rights of its own.
pub(super) const RIGHTS: &str = "(SELECT relacl AS acl FROM pg_class WHERE oid >= 16384 UNION ALL SELECT nspacl FROM pg_namespace WHERE oid >= 16384 \
    UNION ALL SELECT proacl FROM pg_proc WHERE oid >= 16384) x WHERE acl IS NOT NULL";

pub(super) const BASE_TYPES: &str = "pg_type WHERE oid >= 16384 AND (typtype IN ('p', 'r') OR typtype = 'b' \
    AND typinput <> 'array_in(cstring,oid,integer)'::regprocedure)";

pub(super) const OPERATOR_CLASSES: &str =
    "(SELECT oid FROM pg_opfamily UNION ALL SELECT oid FROM pg_opclass) x WHERE oid >= 16384";

pub(super) const TEXT_SEARCH: &str =
    "(SELECT oid FROM pg_ts_parser UNION ALL SELECT oid FROM pg_ts_template) x WHERE oid >= 16384";
