//! Servers that tests start for themselves, with nothing in them to lose, and the addresses that they ask those for.
//!
//! Source: the manuals of Testcontainers for Node.js, mongodb-memory-server and embedded-postgres.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::environment::readers::code::javascript::{Values, branches, is_part, statement};
use crate::text::head;

/// Packages that start servers.
const STARTING: &[&str] = &["embedded-postgres", "mongodb-memory-server", "testcontainers"];

/// The calls that ask a server for its address.
const ASKING: &[&str] = &[
    ".getConnectionString(",
    ".getConnectionUri(",
    ".getConnectionUrl(",
    ".getHost(",
    ".getHttpUrl(",
    ".getMappedPort(",
    ".getPort(",
    ".getUri(",
];

/// How far names that stand for each other are followed.
const DEEPEST: usize = 8;

/// How much code is looked at behind a name, in bytes.
const LONGEST: usize = 1024;

/// More objects of one text are not looked for.
const MOST_OBJECTS: usize = 256;

/// The servers that a text of code starts.
pub(crate) struct OwnServers<'t> {
    code: &'t str,
    values: &'t Values<'t>,
    starts_some: bool,
    /// The objects that were looked for, and whether each was started.
    known: RefCell<HashMap<String, bool>>,
}

impl<'t> OwnServers<'t> {
    pub(crate) fn of(code: &'t str, values: &'t Values<'t>) -> Self {
        let starts_some = STARTING.iter().any(|package| code.contains(package));
        OwnServers { code, values, starts_some, known: RefCell::default() }
    }

    /// Tells whether an expression is made of the address of such a server, as it asks for it there or in a variable.
    pub(crate) fn gave(&self, expression: &str) -> bool {
        let names = || expression.split(|c| !is_part(c)).filter(|name| !name.is_empty());
        let is_given = |name: &str| {
            let values = self.values.of(name);
            !values.is_empty() && values.iter().all(|value| value.is_some_and(|value| self.is_asked_in(value)))
        };
        self.starts_some && (self.is_asked_in(expression) || names().any(is_given))
    }

    fn is_asked_in(&self, expression: &str) -> bool {
        let asked = ASKING.iter().flat_map(|call| expression.match_indices(call));
        let mut asked = asked.map(|(at, _)| object_before(&expression[..at])).peekable();
        asked.peek().is_some() && asked.all(|object| self.is_started(object, 0))
    }

    /// Tells whether an object is a server that was started: by what it is given, each time, or by its type.
    fn is_started(&self, object: &str, depth: usize) -> bool {
        let object = object.trim_end_matches(['!', '?']);
        if starts(object) {
            return true;
        }
        if depth == DEEPEST || object.is_empty() || !object.chars().all(|c| is_part(c) || c == '.') {
            return false;
        }
        if let Some(known) = self.known.borrow().get(object) {
            return *known;
        }
        let is_one_more = self.known.borrow().len() < MOST_OBJECTS;
        // One that is made of itself is not known.
        self.known.borrow_mut().insert(object.to_owned(), false);
        let is_started = is_one_more && self.is_given_a_started_one(object, depth);
        self.known.borrow_mut().insert(object.to_owned(), is_started);
        is_started
    }

    fn is_given_a_started_one(&self, object: &str, depth: usize) -> bool {
        let mut is_given = false;
        for (at, _) in self.code.match_indices(object) {
            let behind = head(&self.code[at + object.len()..], LONGEST);
            if self.code[..at].ends_with(|c| is_part(c) || c == '.') || behind.starts_with(is_part) {
                continue;
            }
            let behind = behind.trim_start_matches(['!', '?']).trim_start();
            if behind.strip_prefix(':').is_some_and(|kind| kind.trim_start().starts_with("Started")) {
                return true;
            }
            let Some(value) = assigned(behind) else { continue };
            let is_one = |value: &str| {
                let value = value.trim_start_matches("await ").trim();
                matches!(value, "null" | "undefined") || self.is_started(value, depth + 1)
            };
            if !branches(statement(value)).is_some_and(|values| values.into_iter().all(is_one)) {
                return false;
            }
            is_given = true;
        }
        is_given
    }
}

/// Finds what a name is given, by what stands behind it: ` = …`, `: Type = …`, `, other } = …`.
fn assigned(behind: &str) -> Option<&str> {
    let (before, value) = behind.split_once('=')?;
    let before = before.trim();
    let is_taken_out = before.ends_with('}') && !before.contains(['{', '(', ';']);
    let is_typed = before.starts_with(':') && !before.contains([',', ';', '(', '{', '\n']);
    let is_assignment = !value.starts_with(['=', '>']) && (before.is_empty() || is_taken_out || is_typed);
    is_assignment.then_some(value)
}

/// Tells whether an expression starts a server: `await new PostgreSqlContainer().start()`, `startDatabase()`.
fn starts(expression: &str) -> bool {
    expression.contains("MongoMemory")
        || expression.match_indices('(').any(|(at, _)| {
            let called = &expression[..at];
            let from = called.rfind(|c: char| !is_part(c)).map_or(0, |at| at + 1);
            let name = called.get(from..).unwrap_or_default();
            name.starts_with("start") || matches!(name, "getContainer" | "up")
        })
}

/// Finds the object whose method is called behind a text: a chain of names, or what stands in parentheses.
fn object_before(text: &str) -> &str {
    let text = text.trim_end_matches(['!', '?']).trim_end();
    let mut depth = 0_usize;
    for (at, c) in text.char_indices().rev() {
        match c {
            ')' => depth += 1,
            '(' if depth == 0 => return &text[at + 1..],
            '(' => depth -= 1,
            c if depth == 0 && !is_part(c) && !matches!(c, '.' | '!' | '?') => return &text[at + c.len_utf8()..],
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_the_code_starts_for_itself_are_known() {
        let code = "import { X } from 'testcontainers';\nconst pg = await new PostgreSqlContainer('postgres:16').start();\n\
                    const port = pg.getMappedPort(5432);\nconst other = pick();\nlet late: StartedTestContainer | null = null;\n\
                    let either = CI ? await pick() : await startOne();\nlet both;\nboth = await startOne();\nboth = pick();\n\
                    this.own = await startOne();\nconst { out, of } = await startAll();\nconst again = pg;\n\
                    let where;\nwhere = pg.getHost();\nlet nowhere = pg.getHost();\nnowhere = pick();\n";
        let values = Values::of_code(code);
        for (expression, expected) in [
            ("pg.getConnectionUri()", true),
            ("pg!.getConnectionUri()", true),
            ("`postgres://u@localhost:${port}/d`", true),
            ("port.toString()", true),
            ("`postgres://${other}/d`", false),
            ("pick()", false),
            ("other.getConnectionUri()", false),
            ("config.getHost()", false),
            ("late.getConnectionUri()", true),
            ("either.getConnectionUri()", false),
            ("both.getConnectionUri()", false),
            ("this.own.getConnectionUri()", true),
            ("of.getConnectionUri()", true),
            ("again.getConnectionUri()", true),
            ("(await startOne()).getUri()", true),
            ("(await pick()).getUri()", false),
            ("new URL(pg.getConnectionUri()).toString()", true),
            ("`${pg.getHost()}:${config.getPort()}`", false),
            ("where", true),
            ("nowhere", false),
        ] {
            assert_eq!(OwnServers::of(code, &values).gave(expression), expected, "{expression}");
        }
        let values = Values::of_code("");
        assert!(!OwnServers::of("", &values).gave("pg.getConnectionUri()"));
    }

    #[test]
    fn hostile_texts_end() {
        for piece in ["a=a.getUri()\n", "a = b;b = a;", "(", ")", "a:", "a}=", "startstart("] {
            let code = format!("testcontainers {}", piece.repeat(20_000));
            let values = Values::of_code(&code);
            OwnServers::of(&code, &values).gave("a.getUri() + b.getUri()");
            OwnServers::of(&code, &values).gave(&code);
        }
    }
}
