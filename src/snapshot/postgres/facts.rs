//! Reads and carries over what belongs to a database and is in no restored dump: owner, encoding, locale, settings, grants, its comment.
//!
//! They are kept in the manifest, and given to the database that a restore makes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::secret::ForeignText;
use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::psql::{Psql, identifier, literal};

/// The database as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Facts {
    pub(crate) owner: String,
    pub(crate) encoding: String,
    pub(crate) collate: String,
    pub(crate) ctype: String,
    /// `c` for the C library, `i` for ICU, `b` for the built-in one.
    pub(crate) provider: Option<String>,
    /// The locale of a provider that is not the C library.
    pub(crate) locale: Option<String>,
    pub(crate) icu_rules: Option<String>,
    /// The version of the provider's collation that its indexes were made with.
    pub(crate) collation_version: Option<String>,
    pub(crate) tablespace: String,
    pub(crate) connection_limit: i64,
    pub(crate) is_template: bool,
    pub(crate) comment: Option<String>,
    /// Settings of sessions in this database.
    pub(crate) settings: Vec<Setting>,
    /// Definitions of functions that somebody made in the system's own schemas, of which a dump holds nothing.
    pub(crate) system_functions: Vec<String>,
    /// Settings of the session that saved it, as far as they change how values are written and `pg_dump` does not make them
    /// itself. Empty in snapshots of earlier versions.
    pub(crate) written_with: BTreeMap<String, String>,
    /// Versions of the extensions that a dump creates, by name. Empty in snapshots of earlier versions.
    pub(crate) extensions: BTreeMap<String, String>,
    /// Tables, views and sequences that belong to these. Empty in snapshots of earlier versions.
    pub(crate) extension_relations: Vec<String>,
    /// Rights on the database; `None` where they are those of a new one.
    pub(crate) grants: Option<Vec<Grant>>,
}

/// `ALTER DATABASE … SET`, or `ALTER ROLE … IN DATABASE … SET`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Setting {
    pub(crate) role: Option<String>,
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Setting {
    /// Writes the statement that makes it in a database.
    pub(crate) fn set(&self, database: &str) -> String {
        let value = setting_value(&self.name, &self.value);
        format!("{} SET {} TO {value}", self.alter(database), setting_name(&self.name))
    }

    /// Writes the statement that takes it away from a database.
    pub(crate) fn reset(&self, database: &str) -> String {
        format!("{} RESET {}", self.alter(database), setting_name(&self.name))
    }

    fn alter(&self, database: &str) -> String {
        let database = identifier(database);
        match &self.role {
            Some(role) => format!("ALTER ROLE {} IN DATABASE {database}", identifier(role)),
            None => format!("ALTER DATABASE {database}"),
        }
    }
}

/// A right on the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    /// `None` for everybody.
    pub(crate) role: Option<String>,
    pub(crate) right: String,
    pub(crate) grantable: bool,
}

/// Rows as one JSON value: `d` is the row of the database, whose columns differ between versions.
const FACTS: &str = "SELECT json_build_object('owner', o.rolname, 'encoding', pg_encoding_to_char(d.encoding), \
    'collate', d.datcollate, 'ctype', d.datctype, 'provider', to_json(d)->'datlocprovider', \
    'locale', coalesce(to_json(d)->>'datlocale', to_json(d)->>'daticulocale'), 'icu_rules', to_json(d)->'daticurules', \
    'collation_version', to_json(d)->'datcollversion', \
    'tablespace', t.spcname, 'connection_limit', d.datconnlimit, 'is_template', d.datistemplate, \
    'comment', shobj_description(d.oid, 'pg_database'), \
    'settings', (SELECT coalesce(json_agg(json_build_object('role', r.rolname, 'name', split_part(c, '=', 1), \
        'value', substr(c, strpos(c, '=') + 1))), '[]') FROM pg_db_role_setting s \
        LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) c WHERE s.setdatabase = d.oid), \
    'system_functions', (SELECT coalesce(json_agg(pg_get_functiondef(p.oid) ORDER BY p.oid), '[]') FROM pg_proc p \
        WHERE p.oid >= 16384 AND p.pronamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) AND p.prokind IN ('f', 'p') AND NOT EXISTS \
        (SELECT FROM pg_depend x WHERE x.classid = 'pg_proc'::regclass AND x.objid = p.oid AND x.deptype = 'e')), \
    'written_with', (SELECT json_object_agg(w, current_setting(w)) \
        FROM unnest('{TimeZone,bytea_output,lc_monetary,xmlbinary}'::text[]) w), \
    'extensions', (SELECT coalesce(json_object_agg(extname, extversion), '{}') FROM pg_extension WHERE oid >= 16384), \
    'extension_relations', (SELECT coalesce(json_agg(quote_ident(n.nspname) || '.' || quote_ident(c.relname)), '[]') \
        FROM pg_extension e JOIN pg_depend x ON x.refclassid = 'pg_extension'::regclass AND x.refobjid = e.oid AND x.deptype = 'e' \
        AND x.classid = 'pg_class'::regclass JOIN pg_class c ON c.oid = x.objid AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') \
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE e.oid >= 16384), \
    'grants', CASE WHEN d.datacl IS NOT NULL THEN (SELECT coalesce(json_agg(json_build_object('role', r.rolname, \
        'right', a.privilege_type, 'grantable', a.is_grantable)), '[]') FROM aclexplode(d.datacl) a \
        LEFT JOIN pg_roles r ON r.oid = a.grantee) END) \
    FROM pg_database d JOIN pg_roles o ON o.oid = d.datdba JOIN pg_tablespace t ON t.oid = d.dattablespace \
    WHERE d.datname = ";

impl Facts {
    /// Reads them; `None` if there is no such database.
    pub(crate) fn read(psql: &mut Psql, database: &str) -> Result<Option<Facts>, PostgresError> {
        let fields = psql.ask(format!("{FACTS}{}", literal(database)))?;
        let Some(field) = fields.first() else { return Ok(None) };
        serde_json::from_slice(field)
            .map(Some)
            .map_err(|error| PostgresError::Query { sqlstate: "XX000".to_owned(), message: ForeignText::of(error) })
    }

    /// Writes the statement that makes an empty database like it; `with_owner` and `with_tablespace` where the server has them.
    pub(crate) fn create(&self, database: &str, with_owner: bool, with_tablespace: bool) -> String {
        let mut sql = format!("CREATE DATABASE {} TEMPLATE template0", identifier(database));
        let mut option = |name: &str, value: String| sql.push_str(&format!(" {name} {value}"));
        if with_owner && !self.owner.is_empty() {
            option("OWNER", identifier(&self.owner));
        }
        if !self.encoding.is_empty() {
            option("ENCODING", literal(&self.encoding));
            option("LC_COLLATE", literal(&self.collate));
            option("LC_CTYPE", literal(&self.ctype));
        }
        match (self.provider.as_deref(), &self.locale) {
            (Some("i"), Some(locale)) => {
                option("LOCALE_PROVIDER", "icu".to_owned());
                option("ICU_LOCALE", literal(locale));
                if let Some(rules) = &self.icu_rules {
                    option("ICU_RULES", literal(rules));
                }
            }
            (Some("b"), Some(locale)) => {
                option("LOCALE_PROVIDER", "builtin".to_owned());
                option("BUILTIN_LOCALE", literal(locale));
            }
            // The server's template may have another.
            (Some("c"), _) => option("LOCALE_PROVIDER", "libc".to_owned()),
            _ => {}
        }
        if with_tablespace && !matches!(&*self.tablespace, "" | "pg_default") {
            option("TABLESPACE", identifier(&self.tablespace));
        }
        sql
    }

    /// Writes the statements that give another database the settings of this one, before it is filled: functions in checks,
    /// indexes and generated columns may depend on them. Each can fail on its own (a role that is gone, a setting that only
    /// a superuser may make).
    pub(crate) fn settings(&self, database: &str) -> Vec<String> {
        self.settings.iter().map(|setting| setting.set(database)).collect()
    }

    /// Writes the statements that give another database the grants and limit of this one; each can fail on its own without
    /// harm to the data.
    pub(crate) fn carry_over(&self, database: &str) -> Vec<String> {
        let name = identifier(database);
        let mut statements = self.grants(database);
        if self.connection_limit > -1 {
            statements.push(format!("ALTER DATABASE {name} CONNECTION LIMIT {}", self.connection_limit));
        }
        if self.is_template {
            statements.push(format!("ALTER DATABASE {name} IS_TEMPLATE true"));
        }
        statements
    }

    /// Writes the statement that lets clients into a closed database, as many as into this one.
    pub(crate) fn opening(&self, database: &str) -> String {
        let (name, limit, is_template) = (identifier(database), self.connection_limit, self.is_template);
        format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true CONNECTION LIMIT {limit} IS_TEMPLATE {is_template}")
    }

    /// Writes the statements that give another database the rights on this one.
    pub(crate) fn grants(&self, database: &str) -> Vec<String> {
        let name = identifier(database);
        let mut statements = Vec::new();
        if let Some(grants) = &self.grants {
            statements.push(format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC"));
            if !self.owner.is_empty() {
                statements.push(format!("REVOKE ALL ON DATABASE {name} FROM {}", identifier(&self.owner)));
            }
            for grant in grants {
                let role = grant.role.as_deref().map_or("PUBLIC".to_owned(), identifier);
                let option = if grant.grantable { " WITH GRANT OPTION" } else { "" };
                statements.push(format!("GRANT {} ON DATABASE {name} TO {role}{option}", grant.right));
            }
        }
        statements
    }
}

/// Writes the name of a setting: `work_mem`, or `app.tenant`: each part quoted.
fn setting_name(name: &str) -> String {
    name.split('.').map(identifier).collect::<Vec<_>>().join(".")
}

/// The settings whose value is a list of names: given as one literal, the list would become one name.
///
/// Source: `GUC_LIST_QUOTE` in PostgreSQL's table of settings.
const LISTS: [&str; 6] = [
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

fn setting_value(name: &str, value: &str) -> String {
    if !LISTS.contains(&name.to_ascii_lowercase().as_str()) {
        return literal(value);
    }
    listed_names(value).iter().map(|element| literal(element)).collect::<Vec<_>>().join(", ")
}

/// Reads the names in the value of such a setting; an empty list holds the empty name.
pub(crate) fn listed_names(value: &str) -> Vec<String> {
    let mut names: Vec<String> = vec![String::new()];
    let mut quoted = false;
    let mut characters = value.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                names.last_mut().map(|name| name.push('"')).unwrap_or_default();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => names.push(String::new()),
            ' ' if !quoted => {}
            other => names.last_mut().map(|name| name.push(other)).unwrap_or_default(),
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names_stay_lists() {
        let cases = [
            ("work_mem", "5MB", "'5MB'"),
            ("search_path", "\"$user\", public", "'$user', 'public'"),
            ("search_path", "\"a \"\"b\", \"\"", "'a \"b', ''"),
            ("app.note", "it's", "'it''s'"),
        ];
        for (name, value, expected) in cases {
            assert_eq!(setting_value(name, value), expected);
        }
        assert_eq!(setting_name("app.tenant"), "\"app\".\"tenant\"");
    }

    #[test]
    fn a_database_is_made_with_its_own_locale() {
        let facts = Facts {
            owner: "o\"x".into(),
            encoding: "UTF8".into(),
            collate: "C".into(),
            ctype: "C".into(),
            provider: Some("i".into()),
            locale: Some("de-DE".into()),
            tablespace: "fast".into(),
            ..Facts::default()
        };
        let expected = "CREATE DATABASE \"n\" TEMPLATE template0 OWNER \"o\"\"x\" ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' \
                        LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' TABLESPACE \"fast\"";
        assert_eq!(facts.create("n", true, true), expected);
        assert!(!facts.create("n", false, false).contains("OWNER"));
        // Servers before 15 have one provider, and no word for it.
        for (provider, locale, expected) in [
            (None, None, ""),
            (Some("c"), None, " LOCALE_PROVIDER libc"),
            (Some("b"), Some("C.UTF-8"), " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"),
        ] {
            let (provider, locale) = (provider.map(str::to_owned), locale.map(str::to_owned));
            let created = Facts { provider, locale, ..facts.clone() }.create("n", false, false);
            assert!(created.ends_with(&format!("LC_CTYPE 'C'{expected}")), "{created}");
        }
    }
}
