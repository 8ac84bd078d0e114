//! Literal settings in source code: Python dicts, Elixir keyword lists, JavaScript objects, and the simple calls that
//! read a variable with a default. By text, never executed; what is not simple stays unknown.

use super::Unresolved;
use super::layers::Lookup;

/// `key: value` or `key => value` in nested brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair<'t> {
    /// The keys from the outside in.
    pub(super) path: Vec<String>,
    /// The value as written, without what follows it.
    pub(super) expression: &'t str,
    pub(super) line: u32,
}

/// How deep brackets are followed.
const DEEPEST: usize = 32;
/// More pairs than this in one text are not looked at.
const MOST_PAIRS: usize = 4096;

/// Marks of a comment that goes to the end of the line.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Comments {
    Hash,
    Slashes,
}

/// The pairs of a text, in order. `name = {` opens a bracket under that name, as `name:` does.
pub(super) fn pairs(text: &str, comments: Comments) -> Vec<Pair<'_>> {
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        comments,
        pairs: Vec::new(),
        open: Vec::new(),
        key: None,
    };
    scanner.run();
    scanner.pairs
}

/// A key whose value is being read.
struct Key {
    name: String,
    line: u32,
    /// Where its value starts, after blanks.
    from: usize,
}

struct Scanner<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    line: u32,
    comments: Comments,
    pairs: Vec<Pair<'t>>,
    /// The brackets around, each with the key that it is the value of.
    open: Vec<Option<Key>>,
    key: Option<Key>,
}

impl<'t> Scanner<'t> {
    fn run(&mut self) {
        let mut last: Option<(usize, usize)> = None;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => {
                    if self.open.is_empty() {
                        self.end_value();
                        last = None;
                    }
                    self.line += 1;
                    self.at += 1;
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'#' if self.comments == Comments::Hash => self.skip_line(),
                b'/' if self.comments == Comments::Slashes && self.bytes.get(self.at + 1) == Some(&b'/') => {
                    self.skip_line()
                }
                b'/' if self.comments == Comments::Slashes && self.bytes.get(self.at + 1) == Some(&b'*') => {
                    self.skip_block_comment()
                }
                b'"' | b'\'' | b'`' => last = Some(self.string(byte)),
                b'{' | b'[' | b'(' => {
                    let key = self.key.take();
                    // Beyond the depth nothing is told apart any more; the text is still read to its end.
                    if self.open.len() < DEEPEST {
                        self.open.push(key);
                    }
                    last = None;
                    self.at += 1;
                }
                b'}' | b']' | b')' => {
                    self.end_value();
                    self.key = self.open.pop().flatten();
                    last = None;
                    self.at += 1;
                }
                b',' | b';' => {
                    self.end_value();
                    last = None;
                    self.at += 1;
                }
                b'=' if self.bytes.get(self.at + 1) == Some(&b'>') => self.start_value(&mut last, 2),
                b':' if matches!(self.bytes.get(self.at + 1), Some(b':' | b'=')) => self.at += 2,
                b':' if last.is_some() && !self.begins_an_atom() => self.start_value(&mut last, 1),
                b'=' if self.opens_after_equals() => self.start_value(&mut last, 1),
                _ if byte == b'_' || byte.is_ascii_alphanumeric() => last = Some(self.word()),
                _ => {
                    last = None;
                    self.at += 1;
                }
            }
        }
        self.end_value();
    }

    fn skip_line(&mut self) {
        while self.bytes.get(self.at).is_some_and(|byte| *byte != b'\n') {
            self.at += 1;
        }
    }

    fn skip_block_comment(&mut self) {
        let end = self.text.get(self.at + 2..).and_then(|rest| rest.find("*/"));
        let end = end.map_or(self.bytes.len(), |end| self.at + end + 4);
        let newlines = self.bytes[self.at..end].iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(newlines).unwrap_or(u32::MAX));
        self.at = end;
    }

    fn string(&mut self, quote: u8) -> (usize, usize) {
        self.at += 1;
        let from = self.at;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\\' => self.at += 1,
                b'\n' => self.line += 1,
                _ if byte == quote => break,
                _ => {}
            }
            self.at += 1;
        }
        let to = self.at.min(self.bytes.len());
        self.at = (self.at + 1).min(self.bytes.len());
        (from, to)
    }

    fn word(&mut self) -> (usize, usize) {
        let from = self.at;
        while self.bytes.get(self.at).is_some_and(|byte| *byte == b'_' || *byte == b'.' || byte.is_ascii_alphanumeric())
        {
            self.at += 1;
        }
        (from, self.at)
    }

    /// Whether the colon here belongs to what follows it: `config :app`.
    fn begins_an_atom(&self) -> bool {
        let is_blank = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_whitespace);
        is_blank(self.at.checked_sub(1).and_then(|at| self.bytes.get(at))) && !is_blank(self.bytes.get(self.at + 1))
    }

    /// Whether the `=` here is followed by an opening bracket: `DATABASES = {`.
    fn opens_after_equals(&self) -> bool {
        let rest = &self.bytes[self.at + 1..];
        rest.iter().find(|byte| !matches!(byte, b' ' | b'\t')).is_some_and(|byte| matches!(byte, b'{' | b'['))
    }

    fn start_value(&mut self, last: &mut Option<(usize, usize)>, length: usize) {
        self.at += length;
        if self.key.is_none()
            && let Some((from, to)) = last.take()
            && let Some(name) = self.text.get(from..to)
        {
            self.key = Some(Key { name: name.to_owned(), line: self.line, from: self.at });
        }
    }

    fn end_value(&mut self) {
        let Some(key) = self.key.take() else { return };
        let Some(expression) = self.text.get(key.from..self.at).map(str::trim) else { return };
        let is_bracket = expression.starts_with(['{', '[']) || expression.starts_with("%{");
        if !is_bracket && self.pairs.len() < MOST_PAIRS && expression.len() <= 4096 {
            let outer = self.open.iter().flatten().map(|key| key.name.clone());
            self.pairs.push(Pair { path: outer.chain([key.name]).collect(), expression, line: key.line });
        }
    }
}

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Known(String),
    /// It reads a variable that is not set, and has no default.
    Unset,
    Unknown,
}

impl Value {
    /// The value with what is not known about it; `None` where it is not set.
    pub(super) fn settled(self, expression: &str) -> Option<(String, Option<Unresolved>)> {
        match self {
            Value::Known(value) => Some((value, None)),
            Value::Unset => None,
            Value::Unknown => Some((expression.to_owned(), Some(Unresolved::Template))),
        }
    }
}

/// Calls that read a variable, as they are spelled up to the variable's name.
const READS: &[&str] = &[
    "ENV[",
    "ENV.fetch(",
    "ENV.fetch ",
    "environ.get(",
    "environ[",
    "getenv(",
    "env(",
    "env.",
    "env[",
    "config(",
    "get_env(",
    "fetch_env!(",
    "process.env",
    "Deno.env.get(",
    "Bun.env",
    "Env.get(",
    "Env.schema",
    "GetEnvironmentVariable(",
];

/// Evaluates a literal, or the reading of one variable with at most one literal default.
pub(super) fn evaluate(expression: &str, lookup: Lookup<'_>) -> Value {
    let expression = expression.trim();
    if let Some(literal) = literal(expression) {
        return Value::Known(literal);
    }
    let Some((at, call)) = READS.iter().filter_map(|call| Some((expression.find(call)?, *call))).min() else {
        return Value::Unknown;
    };
    // Something before the call, other than a conversion (`int(`, `String.to_integer(`, `os.`), is beyond us.
    let before = &expression[..at];
    if before.contains(['"', '\'', '#', '+', '{']) {
        return Value::Unknown;
    }
    let rest = &expression[at + call.len()..];
    let literals = literals(rest);
    let (name, defaults) = match (call, &literals[..]) {
        ("process.env" | "Bun.env", _) if rest.starts_with('.') => {
            let end =
                rest[1..].find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).map_or(rest.len(), |end| end + 1);
            (rest[1..end].to_owned(), &literals[..])
        }
        (_, [name, defaults @ ..]) => (name.clone(), defaults),
        // `dj_database_url.config()` and the like read DATABASE_URL by themselves.
        ("config(" | "env(" | "env.", []) => ("DATABASE_URL".to_owned(), &[][..]),
        _ => return Value::Unknown,
    };
    // `config(default="…")`: the one literal is the default.
    let (name, defaults) = if call == "config(" && rest.trim_start().starts_with("default") {
        ("DATABASE_URL".to_owned(), &literals[..])
    } else {
        (name, defaults)
    };
    match (lookup(&name), defaults) {
        (Some(value), _) => Value::Known(value),
        (None, [])
            if rest.contains("||") || rest.contains("??") || rest.contains(" or ") || rest.contains("default=") =>
        {
            Value::Unknown
        }
        (None, []) => Value::Unset,
        (None, [default]) => Value::Known(default.clone()),
        (None, _) => Value::Unknown,
    }
}

/// A quoted text without interpolation, or a number, and nothing else.
fn literal(expression: &str) -> Option<String> {
    if !expression.is_empty() && expression.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(expression.to_owned());
    }
    let prefix = expression.trim_start_matches(['r', 'u', 'b']);
    let text = if prefix.starts_with(['"', '\'', '`']) { prefix } else { expression };
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\'' | '`'))?;
    let inside = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let is_simple =
        !inside.contains(quote) && !inside.contains("#{") && !inside.contains("${") && !inside.contains('\\');
    is_simple.then(|| inside.to_owned())
}

/// The quoted texts and, after the first, the numbers of an expression.
fn literals(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| matches!(c, '"' | '\'') || c.is_ascii_digit()) {
        let first = rest.as_bytes()[at];
        if first.is_ascii_digit() {
            let end = rest[at..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |end| at + end);
            let in_word =
                at > 0 && (rest.as_bytes()[at - 1] == b'_' || rest.as_bytes()[at - 1].is_ascii_alphanumeric());
            if !in_word && !found.is_empty() {
                found.push(rest[at..end].to_owned());
            }
            rest = &rest[end..];
            continue;
        }
        let inside = &rest[at + 1..];
        let Some(end) = inside.find(char::from(first)) else { break };
        found.push(inside[..end].to_owned());
        rest = &inside[end + 1..];
        if found.len() > 8 {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        (name == "SET").then(|| "value".to_owned())
    }

    #[test]
    fn simple_expressions_are_evaluated() {
        let known = |text: &str| Value::Known(text.to_owned());
        let table = [
            ("\"x\"", known("x")),
            ("'x'", known("x")),
            ("5432", known("5432")),
            ("ENV['SET']", known("value")),
            ("ENV[\"UNSET\"] || 'y'", known("y")),
            ("ENV.fetch('UNSET') { 'y' }", known("y")),
            ("ENV.fetch(\"UNSET\", 5432)", known("5432")),
            ("ENV['UNSET']", Value::Unset),
            ("os.environ.get('UNSET', \"y\")", known("y")),
            ("os.environ['SET']", known("value")),
            ("env.db('UNSET', default='sqlite:///x')", known("sqlite:///x")),
            ("dj_database_url.config(default='postgres://h/d')", known("postgres://h/d")),
            ("System.get_env(\"SET\") || \"y\"", known("value")),
            ("process.env.UNSET || 'y'", known("y")),
            ("process.env.SET", known("value")),
            ("secrets.fetch(\"host\")", Value::Unknown),
            ("\"a#{x}\"", Value::Unknown),
            ("BASE_DIR / 'x'", Value::Unknown),
        ];
        for (expression, expected) in table {
            assert_eq!(evaluate(expression, &lookup), expected, "{expression}");
        }
    }

    fn shown(text: &str, comments: Comments) -> Vec<String> {
        pairs(text, comments)
            .iter()
            .map(|pair| format!("{} {}={}", pair.line, pair.path.join("."), pair.expression))
            .collect()
    }

    #[test]
    fn pairs_of_nested_literals_are_found_with_their_path() {
        let python =
            "DATABASES = {\n  'default': {  # said\n    'HOST': env('X', default='h'),\n    \"NAME\": 'd'\n  }\n}\n";
        assert_eq!(
            shown(python, Comments::Hash),
            ["3 DATABASES.default.HOST=env('X', default='h')", "4 DATABASES.default.NAME='d'"]
        );
        let elixir = "config :a, A.Repo,\n  hostname: \"h\",\n  port: 5432\n";
        assert_eq!(shown(elixir, Comments::Hash), ["2 hostname=\"h\"", "3 port=5432"]);
        let javascript = "module.exports = {\n test: { connection: { host: 'h', // x\n port: 1 } } };";
        assert_eq!(
            shown(javascript, Comments::Slashes),
            ["2 module.exports.test.connection.host='h'", "3 module.exports.test.connection.port=1"]
        );
    }

    #[test]
    fn hostile_texts_end() {
        for piece in ["{", "a:", "'", "a: {", "=>", "((", "x=[", "\\", "\"a\":", "é:"] {
            pairs(&piece.repeat(100_000), Comments::Hash);
            evaluate(&piece.repeat(10_000), &lookup);
        }
    }
}
