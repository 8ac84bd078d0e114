//! What a simple expression comes to: a literal, or the reading of one variable with at most one literal default.

use crate::environment::Unresolved;
use crate::environment::readers::expansion::Lookup;

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Known(String),
    /// It reads a variable that is not set, and has no default.
    Unset,
    Unknown,
}

impl Value {
    /// Gives the value with what is not known about it; `None` where it is not set.
    pub(crate) fn settled(self, expression: &str) -> Option<(String, Option<Unresolved>)> {
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
pub(crate) fn evaluate(expression: &str, lookup: Lookup<'_>) -> Value {
    let expression = expression.trim();
    if let Some(literal) = literal(expression) {
        return Value::Known(literal);
    }
    let Some(read) = VariableRead::of(expression) else { return Value::Unknown };
    match (lookup(&read.variable), &read.defaults[..]) {
        (Some(value), _) => Value::Known(value),
        (None, []) if read.has_other_default => Value::Unknown,
        (None, []) => Value::Unset,
        (None, [default]) => Value::Known(default.clone()),
        (None, _) => Value::Unknown,
    }
}

/// A call that reads a variable, with the literals that stand in for it.
struct VariableRead {
    variable: String,
    defaults: Vec<String>,
    /// There is a default; where `defaults` is empty, it is no literal.
    has_other_default: bool,
}

/// What `dj_database_url.config()` and the like read by themselves.
const DATABASE_URL: &str = "DATABASE_URL";

impl VariableRead {
    fn of(expression: &str) -> Option<Self> {
        let (at, call) = READS.iter().filter_map(|call| Some((expression.find(call)?, *call))).min()?;
        // Something before the call, other than a conversion (`int(`, `String.to_integer(`, `os.`), is beyond us.
        if expression[..at].contains(['"', '\'', '#', '+', '{']) {
            return None;
        }
        let rest = &expression[at + call.len()..];
        let literals = literals(rest);
        let (variable, defaults) = match (call, &literals[..]) {
            ("process.env" | "Bun.env", _) if rest.starts_with('.') => {
                let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
                let name = rest[1..].split(|c| !is_part(c)).next().unwrap_or_default();
                (name.to_owned(), literals)
            }
            // `config(default="…")`: the one literal is the default.
            ("config(", [_, ..]) if rest.trim_start().starts_with("default") => (DATABASE_URL.to_owned(), literals),
            (_, [name, defaults @ ..]) => (name.clone(), defaults.to_vec()),
            ("config(" | "env(" | "env.", []) => (DATABASE_URL.to_owned(), Vec::new()),
            _ => return None,
        };
        let has_other_default = ["||", "??", " or ", "default="].iter().any(|mark| rest.contains(mark));
        Some(VariableRead { variable, defaults, has_other_default })
    }
}

/// Reads a quoted text without interpolation, or a number, and nothing else.
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

/// Lists the quoted texts and, after the first, the numbers of an expression.
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

    #[test]
    fn hostile_expressions_end() {
        for piece in ["'", "env(", "process.env.", "\"a\":", "1", "é"] {
            evaluate(&piece.repeat(10_000), &lookup);
        }
    }
}
