//! What a dump's text defines, statement by statement: what a restored database must define, too.
//!
//! Rows, values of sequences and large objects are data, and stand elsewhere.

use memchr::memmem;

use crate::snapshot::postgres::names::shown;
use crate::snapshot::postgres::words::head;

/// A statement that defines something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Definition {
    /// Whole, in the dump's own bytes.
    pub(crate) statement: Vec<u8>,
    /// The settings that decide what it makes: tablespace and access method of a table, or the role that grants.
    pub(crate) settings: Vec<u8>,
    /// What it is of, as the comment above it says: `public.t (TABLE)`.
    pub(crate) object: String,
}

/// Takes the statements and comments of a text as they come.
#[derive(Debug, Default)]
pub(crate) struct DefinitionReader {
    held: Vec<Definition>,
    object: String,
    tablespace: Vec<u8>,
    access_method: Vec<u8>,
    grantor: Vec<u8>,
}

impl DefinitionReader {
    /// Takes a comment.
    pub(crate) fn comment(&mut self, line: &[u8]) {
        if let Some(object) = line.strip_prefix(b"-- Name: ").and_then(object) {
            self.object = object;
        }
    }

    /// Takes a statement.
    pub(crate) fn statement(&mut self, statement: &[u8]) {
        let is = |begin: &str| statement.starts_with(begin.as_bytes());
        let kept = || statement.trim_ascii_end().to_vec();
        if is("SET default_tablespace ") {
            self.tablespace = kept();
        } else if is("SET default_table_access_method ") {
            self.access_method = kept();
        } else if is("SET SESSION AUTHORIZATION ") {
            self.grantor = kept();
        } else if is("RESET SESSION AUTHORIZATION") {
            self.grantor.clear();
        } else if !is_data(statement) {
            let (settings, object) = (self.settings(statement), self.object.clone());
            self.held.push(Definition { statement: kept(), settings, object });
        }
    }

    /// Returns those so far.
    pub(crate) fn finish(self) -> Vec<Definition> {
        self.held
    }

    /// `pg_dump` sets them before those statements only that depend on them: before others they stand as it happens.
    fn settings(&self, statement: &[u8]) -> Vec<u8> {
        let is = |begin: &str| statement.starts_with(begin.as_bytes());
        let has = |part: &str| memmem::find(statement, part.as_bytes()).is_some();
        let is_table = is("CREATE TABLE ") || is("CREATE UNLOGGED TABLE ");
        let is_view = is("CREATE MATERIALIZED VIEW ");
        let is_index = is("CREATE INDEX ") || is("CREATE UNIQUE INDEX ");
        let makes_index = || {
            is("ALTER TABLE ")
                && [" PRIMARY KEY (", " UNIQUE (", " UNIQUE NULLS NOT DISTINCT (", " EXCLUDE USING "]
                    .into_iter()
                    .any(has)
        };
        if is_view || is_table && !has("\nPARTITION BY ") {
            [self.tablespace.as_slice(), &self.access_method].concat()
        } else if is_table || is_index || makes_index() {
            self.tablespace.clone()
        } else {
            self.grantor.clone()
        }
    }
}

/// Tells whether a statement is of a session, of rows, of a sequence's value or of a large object.
fn is_data(statement: &[u8]) -> bool {
    const SESSION_AND_DATA: [&str; 6] = ["SET ", "SELECT ", "BEGIN;", "COMMIT;", "COPY ", "REFRESH "];
    SESSION_AND_DATA.iter().any(|begin| statement.starts_with(begin.as_bytes()))
        || memmem::find(head(statement), b" LARGE OBJECT ").is_some()
}

/// Reads `t t_pkey; Type: CONSTRAINT; Schema: public; Owner: ann`, what stands for it where a name has such words in it aside.
fn object(comment: &[u8]) -> Option<String> {
    let at = memmem::rfind(comment, b"; Type: ")?;
    let (name, rest) = (&comment[..at], &comment[at + b"; Type: ".len()..]);
    let kind = &rest[..memmem::find(rest, b"; Schema: ")?];
    let schema = &rest[kind.len() + b"; Schema: ".len()..];
    let schema = &schema[..memmem::rfind(schema, b"; Owner: ").unwrap_or(schema.len())];
    let schema = if schema == b"-" { String::new() } else { format!("{}.", shown(schema)) };
    Some(format!("{schema}{} ({})", shown(name), shown(kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_have_their_object_and_the_settings_that_they_depend_on() {
        let mut reader = DefinitionReader::default();
        reader.comment(b"-- Name: t; Type: TABLE; Schema: public; Owner: ann\n");
        for statement in [
            "SET default_tablespace = fast;\n",
            "SET default_table_access_method = heap;\n",
            "CREATE TABLE public.t (\n    a integer\n);\n",
            "CREATE VIEW public.v AS\n SELECT 1;\n",
            "COPY public.t (a) FROM stdin;\n",
            "SELECT pg_catalog.setval('public.s', 1, false);\n",
            "ALTER LARGE OBJECT 4711 OWNER TO ann;\n",
        ] {
            reader.statement(statement.as_bytes());
        }
        reader.comment(b"-- Name: TABLE \"x; Type: y\"; Type: ACL; Schema: -; Owner: -\n");
        for statement in
            ["SET SESSION AUTHORIZATION bob;\n", "GRANT a;\n", "RESET SESSION AUTHORIZATION;\n", "GRANT b;\n"]
        {
            reader.statement(statement.as_bytes());
        }
        let found: Vec<[String; 3]> = reader
            .finish()
            .into_iter()
            .map(|one| [shown(head(&one.statement)), shown(&one.settings), one.object])
            .collect();
        let expected = [
            [
                "CREATE TABLE public.t",
                "SET default_tablespace = fast;SET default_table_access_method = heap;",
                "public.t (TABLE)",
            ],
            ["CREATE VIEW public.v AS", "", "public.t (TABLE)"],
            ["GRANT a", "SET SESSION AUTHORIZATION bob;", "TABLE \"x; Type: y\" (ACL)"],
            ["GRANT b", "", "TABLE \"x; Type: y\" (ACL)"],
        ];
        assert_eq!(found, expected.map(|one| one.map(str::to_owned)));
    }
}
