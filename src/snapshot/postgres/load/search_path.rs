//! The search path under which tables are filled, and indexes, checks and materialised views computed.
//!
//! A dump names all that it holds in full, and sets the search path to nothing. What a function calls by a bare name is then
//! not found, though it is wherever the application works. So the path is that of the database, followed by all other
//! schemas. A table in a schema that the path does not name (one of many tenants) finds its own schema first. The
//! system's schema stands before all: what a dump names without a schema is there.
//!
//! Since version 17 the server itself sets the path to nothing while it makes indexes and fills materialised views. It does
//! not do so for what happens within a function that has a path of its own: where a name is not found, the functions are
//! given one until all is there.
//!
//! Source: PostgreSQL 10.3 release notes (CVE-2018-1058); 17 release notes, "Migration"; "pg_dump", "Notes".

use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::facts::{Facts, listed_names};
use crate::snapshot::postgres::load::client::Client;
use crate::snapshot::postgres::words::{Word, after, name, words};

/// The path, and for which schema it is set at present.
#[derive(Debug)]
pub(crate) struct SearchPath {
    own: String,
    /// All schemas, quoted; asked when the first statement needs them.
    others: Option<Vec<Vec<u8>>>,
    set_for: Option<Vec<u8>>,
    /// The functions that were given it: for each the statement that takes it away.
    given: Vec<Vec<u8>>,
}

/// For each function in a language that looks for names: what gives it the path of the session, and what takes it away. The
/// types of its arguments are named in full: the path may be another by then.
const FUNCTIONS: &str = "SELECT f.alter || ' SET search_path = ' || pg_catalog.current_setting('search_path'), f.alter || ' RESET search_path' \
    FROM (SELECT pg_catalog.format('ALTER FUNCTION %I.%I(%s)', n.nspname, p.proname, (SELECT \
        pg_catalog.string_agg(pg_catalog.format('%I.%I', m.nspname, t.typname), ', ' ORDER BY a.number) \
        FROM pg_catalog.unnest(p.proargtypes::pg_catalog.oid[]) WITH ORDINALITY AS a(oid, number) \
        JOIN pg_catalog.pg_type t ON t.oid = a.oid JOIN pg_catalog.pg_namespace m ON m.oid = t.typnamespace)) AS alter \
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang \
    WHERE p.oid >= 16384 AND l.lanname NOT IN ('internal', 'c') AND p.prokind IN ('f', 'w') \
    AND NOT EXISTS (SELECT FROM pg_catalog.unnest(p.proconfig) c WHERE c LIKE 'search_path=%') \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass \
        AND x.objid = p.oid AND x.deptype IN ('e', 'i'))) f";

const OTHERS: &str = "SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_namespace n \
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY n.nspname";

impl SearchPath {
    pub(crate) fn of(facts: &Facts) -> Self {
        let setting = facts.settings.iter().find(|setting| setting.role.is_none() && setting.name == "search_path");
        let own = setting.map_or("\"$user\", public", |setting| &setting.value);
        SearchPath { own: own.to_owned(), others: None, set_for: None, given: Vec::new() }
    }

    /// Tells whether functions have it: when it is set for another schema, it is given to them anew.
    pub(crate) fn is_given(&self) -> bool {
        !self.given.is_empty()
    }

    /// Tells whether the server is asked for its schemas before it can be set for a statement.
    pub(crate) fn asks_for(&self, statement: &[u8]) -> bool {
        self.others.is_none() && schema_of(statement).is_some()
    }

    /// Sets it for a statement that computes something in a schema.
    pub(crate) fn set_for(&mut self, client: &mut Client, statement: &[u8]) -> Result<(), PostgresError> {
        match self.setting_for(client, statement)? {
            Some(setting) => self.set(client, &setting),
            None => Ok(()),
        }
    }

    /// Returns what sets it for a statement, where it is not set so already.
    pub(crate) fn setting_for(
        &mut self,
        client: &mut Client,
        statement: &[u8],
    ) -> Result<Option<Vec<u8>>, PostgresError> {
        let Some(schema) = schema_of(statement).filter(|schema| self.set_for.as_ref() != Some(schema)) else {
            return Ok(None);
        };
        let others = match &mut self.others {
            Some(others) => others,
            unasked => unasked.insert(client.ask(OTHERS)?),
        };
        let path = path(&self.own, &schema, others);
        self.set_for = Some(schema);
        Ok(Some([b"SELECT pg_catalog.set_config('search_path', ".as_slice(), &path, b", false);\n"].concat()))
    }

    /// Carries out what [`setting_for`](Self::setting_for) returned.
    pub(crate) fn set(&mut self, client: &mut Client, setting: &[u8]) -> Result<(), PostgresError> {
        client.write(setting)?;
        if self.is_given() { self.give_to_functions(client) } else { Ok(()) }
    }
}

impl SearchPath {
    /// Gives all functions without a path of their own the present one.
    pub(crate) fn give_to_functions(&mut self, client: &mut Client) -> Result<(), PostgresError> {
        self.take_from_functions(client)?;
        for row in client.ask(FUNCTIONS)?.chunks_exact(2) {
            client.write(&[&row[0], b";\n".as_slice()].concat())?;
            self.given.push(row[1].clone());
        }
        Ok(())
    }

    /// Takes it from them again.
    pub(crate) fn take_from_functions(&mut self, client: &mut Client) -> Result<(), PostgresError> {
        for statement in std::mem::take(&mut self.given) {
            client.write(&[&statement, b";\n".as_slice()].concat())?;
        }
        Ok(())
    }
}

/// Writes the path as a literal.
fn path(own: &str, schema: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    let named = listed_names(own);
    let is_named = |quoted: &[u8]| {
        words(quoted)
            .first()
            .and_then(|(_, word)| word.name())
            .is_some_and(|name| named.iter().any(|known| known.as_bytes() == name))
    };
    let mut parts: Vec<&[u8]> = vec![b"pg_catalog"];
    if !is_named(schema) {
        parts.push(schema);
    }
    if !own.trim().is_empty() {
        parts.push(own.as_bytes());
    }
    parts.extend(others.iter().map(Vec::as_slice).filter(|other| *other != schema && !is_named(other)));
    let mut written = vec![b'\''];
    for byte in parts.join(b", ".as_slice()) {
        written.extend(std::iter::repeat_n(byte, if byte == b'\'' { 2 } else { 1 }));
    }
    written.push(b'\'');
    written
}

/// Returns the schema of the table or view in which a statement computes something, quoted as it is there. A table's
/// expressions are planned when it is made.
fn schema_of(statement: &[u8]) -> Option<Vec<u8>> {
    let begins = |begin: &str| statement.strip_prefix(begin.as_bytes());
    let object = if let Some(rest) = begins("COPY ")
        .or_else(|| begins("REFRESH MATERIALIZED VIEW "))
        .or_else(|| begins("ALTER TABLE ONLY "))
        .or_else(|| begins("ALTER TABLE "))
        .or_else(|| begins("ALTER DOMAIN "))
        .or_else(|| begins("CREATE TABLE "))
        .or_else(|| begins("CREATE UNLOGGED TABLE "))
        .or_else(|| begins("CREATE FOREIGN TABLE "))
    {
        rest
    } else if begins("CREATE INDEX ").is_some() || begins("CREATE UNIQUE INDEX ").is_some() {
        let words = words(statement);
        let at = after(&words, &["ON", "ONLY"]).or_else(|| after(&words, &["ON"]))?;
        &statement[words.get(at)?.0..]
    } else {
        return None;
    };
    let qualified = name(object);
    let dot = words(qualified).into_iter().find(|(_, word)| *word == Word::Sign(b'.'))?.0;
    Some(qualified[..dot].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_that_of_the_table_that_is_filled_or_indexed() {
        let cases = [
            ("COPY public.t (a) FROM stdin;\n", Some("public")),
            ("COPY \"a.\"\"b\".t  FROM stdin;\n", Some("\"a.\"\"b\"")),
            ("CREATE UNIQUE INDEX \"i ON x.y\" ON ONLY app.t USING btree (a);\n", Some("app")),
            ("CREATE INDEX i ON app.t USING btree (f(a));\n", Some("app")),
            ("ALTER TABLE ONLY app.t\n    ADD CONSTRAINT c UNIQUE (a);\n", Some("app")),
            ("REFRESH MATERIALIZED VIEW app.m;\n", Some("app")),
            ("CREATE TABLE app.t (\n    a integer\n);\n", Some("app")),
            ("CREATE VIEW app.v AS SELECT 1;\n", None),
        ];
        for (statement, expected) in cases {
            assert_eq!(schema_of(statement.as_bytes()).as_deref(), expected.map(str::as_bytes), "{statement}");
        }
    }

    #[test]
    fn a_schema_that_the_path_names_keeps_its_place() {
        let others = [b"app".to_vec(), b"\"T 1\"".to_vec(), b"public".to_vec()];
        for (own, schema, expected) in [
            ("\"$user\", public", "app", "'pg_catalog, app, \"$user\", public, \"T 1\"'"),
            ("public, app", "app", "'pg_catalog, public, app, \"T 1\"'"),
            ("", "\"T 1\"", "'pg_catalog, \"T 1\", app, public'"),
            ("\"it's\"", "app", "'pg_catalog, app, \"it''s\", \"T 1\", public'"),
        ] {
            let found = path(own, schema.as_bytes(), &others);
            assert_eq!(String::from_utf8(found).unwrap(), expected);
        }
    }
}
