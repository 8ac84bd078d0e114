//! Statements that are carried out together, in one message: on a server that is asked one by one, waiting is most of it.
//!
//! All or none of a batch is carried out. Where the server refuses one of its statements, each is carried out by itself, as
//! it would be without a batch: so what is said of it, or done instead, is the same.

/// What a statement does, and so how it is carried out by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Makes something that nothing can be done about where the server refuses it.
    Definition,
    /// Adds a foreign key, whose rows may not hold.
    ForeignKey,
    /// Makes an index that computes, whose functions may find no names.
    Index,
}

/// A statement that waits, and the search path that is set before it.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) statement: Vec<u8>,
}

/// Statements of one kind that wait, in their order.
#[derive(Debug)]
pub(crate) struct Batch {
    kind: Kind,
    steps: Vec<Step>,
    bytes: usize,
}

/// What names roles, or an extension, that may not be there.
const LOOKED_INTO: [&str; 4] = ["CREATE POLICY ", "CREATE USER MAPPING ", "CREATE EXTENSION ", "COMMENT ON EXTENSION "];

/// How many statements are carried out at once, and of how many bytes about.
const STATEMENTS: usize = 100;
const BYTES: usize = 128 * 1024;

impl Kind {
    /// Tells what a statement does; `None` for one that is carried out alone: one that is looked into before, a setting, by
    /// which the text of later ones may be read, since a message is read whole first, or a piece of a large object, since
    /// the place at which it is written is not rolled back.
    pub(crate) fn of(statement: &[u8]) -> Option<Kind> {
        let is = |begin: &str| statement.starts_with(begin.as_bytes());
        let contains = |text: &str| memchr::memmem::find(statement, text.as_bytes()).is_some();
        let is_index = is("CREATE INDEX ") || is("CREATE UNIQUE INDEX ");
        if is("ALTER TABLE ") && contains(" FOREIGN KEY (") {
            return Some(Kind::ForeignKey);
        }
        // Beside its columns, an index may have an expression, a predicate or options.
        if is_index && memchr::memchr_iter(b'(', statement).count() > 1
            || is("ALTER TABLE ") && contains(" EXCLUDE USING ")
        {
            return Some(Kind::Index);
        }
        if LOOKED_INTO.iter().any(|begin| is(begin)) {
            return None;
        }
        let makes = ["CREATE ", "ALTER ", "COMMENT ON ", "SELECT pg_catalog.setval("].iter().any(|begin| is(begin));
        makes.then_some(Kind::Definition)
    }
}

impl Batch {
    pub(crate) fn new() -> Self {
        Batch { kind: Kind::Definition, steps: Vec::new(), bytes: 0 }
    }

    /// Tells whether a statement of this kind has room in it.
    pub(crate) fn takes(&self, kind: Kind) -> bool {
        self.steps.is_empty() || (self.kind == kind && self.steps.len() < STATEMENTS && self.bytes < BYTES)
    }

    /// Adds a statement that it [takes](Self::takes).
    pub(crate) fn add(&mut self, kind: Kind, step: Step) {
        self.kind = kind;
        self.bytes += step.statement.len();
        self.steps.push(step);
    }

    /// Returns what waits, and is empty then.
    pub(crate) fn take(&mut self) -> (Kind, Vec<Step>) {
        self.bytes = 0;
        (self.kind, std::mem::take(&mut self.steps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_makes_something_waits_for_others() {
        let cases = [
            ("CREATE TABLE s.t (\n    a integer\n);\n", Some(Kind::Definition)),
            ("CREATE INDEX i ON s.t USING btree (a);\n", Some(Kind::Definition)),
            ("CREATE INDEX i ON s.t USING btree (lower(a));\n", Some(Kind::Index)),
            ("CREATE UNIQUE INDEX i ON s.t USING btree (a) WHERE (a > 0);\n", Some(Kind::Index)),
            ("ALTER TABLE ONLY s.t\n    ADD CONSTRAINT x EXCLUDE USING gist (r WITH &&);\n", Some(Kind::Index)),
            ("ALTER TABLE ONLY s.t\n    ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES s.u(a);\n", Some(Kind::ForeignKey)),
            ("SELECT pg_catalog.setval('s.q', 3, true);\n", Some(Kind::Definition)),
            ("SET standard_conforming_strings = on;\n", None),
            ("CREATE POLICY p ON s.t TO ann;\n", None),
            ("COPY s.t (a) FROM stdin;\n", None),
            ("REFRESH MATERIALIZED VIEW s.m;\n", None),
            ("SELECT pg_catalog.lo_open('1', 131072);\n", None),
            ("SELECT pg_catalog.lowrite(0, '\\x27');\n", None),
        ];
        for (statement, expected) in cases {
            assert_eq!(Kind::of(statement.as_bytes()), expected, "{statement}");
        }
    }

    #[test]
    fn a_batch_is_of_one_kind_and_ends() {
        let step = |size| Step { path: None, statement: vec![b' '; size] };
        let mut batch = Batch::new();
        assert!(batch.takes(Kind::Index));
        batch.add(Kind::Index, step(9));
        assert!(batch.takes(Kind::Index) && !batch.takes(Kind::ForeignKey));
        for _ in 1..STATEMENTS {
            batch.add(Kind::Index, step(9));
        }
        assert!(!batch.takes(Kind::Index));
        assert_eq!(batch.take().1.len(), STATEMENTS);
        batch.add(Kind::Definition, step(BYTES));
        assert!(!batch.takes(Kind::Definition));
        assert_eq!(batch.take().0, Kind::Definition);
        assert!(batch.takes(Kind::ForeignKey));
    }
}
