//! What a simple expression comes to, as a value that a setting may have.

use std::cell::Cell;

use crate::environment::Unresolved;
use crate::environment::readers::code::computed::{Computed, Place};
use crate::environment::readers::code::scope::Scope;
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
    /// Gives the value of a setting of code whose own name is `key`, with what is not known about it; `None` where it is
    /// not set.
    pub(crate) fn settled(self, key: &str, expression: &str) -> Option<(String, Option<Unresolved>)> {
        match self {
            Value::Known(value) => Some((value, None)),
            Value::Unset => None,
            Value::Unknown => Some((expression.to_owned(), Some(unresolved(key)))),
        }
    }
}

/// Keys that say who connects, not where to.
const OF_AN_ACCOUNT: &[&str] = &["user", "username", "password", "passwd", "pass", "role"];

/// Tells what it means that the setting `key` of code is not known.
pub(crate) fn unresolved(key: &str) -> Unresolved {
    if OF_AN_ACCOUNT.contains(&key.to_ascii_lowercase().as_str()) { Unresolved::Template } else { Unresolved::Code }
}

impl From<Computed> for Value {
    fn from(computed: Computed) -> Self {
        match computed {
            Computed::Text(text) => Value::Known(text),
            Computed::Unset => Value::Unset,
            Computed::Flag(_) | Computed::Map(_) | Computed::List(_) | Computed::Either(_) | Computed::Unknown => {
                Value::Unknown
            }
        }
    }
}

/// Longer expressions are not evaluated, unless they are one quoted text.
const LONGEST: usize = 1 << 18;

/// Evaluates an expression that hangs on nothing but the environment.
pub(crate) fn evaluate(expression: &str, lookup: Lookup<'_>) -> Value {
    evaluate_with(expression, lookup, &|_| None)
}

/// Evaluates an expression; `names` gives what the code around it calls by a name.
pub(crate) fn evaluate_with(expression: &str, lookup: Lookup<'_>, names: &dyn Fn(&str) -> Option<Computed>) -> Value {
    computed_with(expression, lookup, names).into()
}

/// Evaluates an expression; `fills_unset` is set where a variable that is not set becomes a part of a text.
pub(crate) fn evaluate_telling(
    expression: &str,
    lookup: Lookup<'_>,
    names: &dyn Fn(&str) -> Option<Computed>,
    fills_unset: &Cell<bool>,
) -> Value {
    computed(expression, lookup, names, fills_unset).into()
}

/// As [`evaluate_with`], with the structure of what it comes to.
pub(crate) fn computed_with(
    expression: &str,
    lookup: Lookup<'_>,
    names: &dyn Fn(&str) -> Option<Computed>,
) -> Computed {
    computed(expression, lookup, names, &Cell::new(false))
}

fn computed(
    expression: &str,
    lookup: Lookup<'_>,
    names: &dyn Fn(&str) -> Option<Computed>,
    fills_unset: &Cell<bool>,
) -> Computed {
    if expression.len() > LONGEST {
        return Computed::Unknown;
    }
    let scope = Scope {
        lookup,
        names,
        members: &|_, _| None,
        settles_unset: true,
        takes_other: false,
        is_undecided: &Cell::new(false),
        fills_unset,
        place: Place::default(),
    };
    scope.evaluate(expression)
}

/// The arguments of a call: those by their place, and those by a keyword.
pub(crate) type Given = (Vec<Computed>, Vec<(String, Computed)>);

/// Evaluates the arguments of a call, given without its parentheses; `None` where they cannot be read.
pub(crate) fn arguments(text: &str, lookup: Lookup<'_>) -> Option<Given> {
    if text.len() > LONGEST {
        return None;
    }
    let scope = Scope {
        lookup,
        names: &|_| None,
        members: &|_, _| None,
        settles_unset: true,
        takes_other: false,
        is_undecided: &Cell::new(false),
        fills_unset: &Cell::new(false),
        place: Place::default(),
    };
    let arguments = scope.arguments(text)?;
    Some((arguments.positional, arguments.keywords))
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
            ("BASE_DIR / 'x'", known("x")),
            ("os.path.join(BASE_DIR, 'db', 'x.sqlite3')", known("db/x.sqlite3")),
            ("BASE_DIR", Value::Unknown),
            ("ROOT_DIR('x.sqlite3')", known("x.sqlite3")),
            ("env('UNSET', database_path('x.sqlite'))", known("x.sqlite")),
            ("ENV.fetch('UNSET', 'shop_dev').sub('_dev', '_test')", known("shop_test")),
            ("ENV['SET'].sub(/a/, 'b')", Value::Unknown),
            ("\"shop_test#{ENV['UNSET']}\"", known("shop_test")),
            ("\"_#{ENV['UNSET']}\" if ENV['UNSET']", Value::Unset),
            ("ENV['SET'].present? ? 'a' : 'b'", known("a")),
            ("System.get_env(\"UNSET\", \"a\") <> \"_test\"", known("a_test")),
            ("if p = System.get_env(\"SET\") do \"_p#{p}\" else \"\" end", known("_pvalue")),
            ("if System.get_env(\"SET\") == \"other\", do: \"a\", else: \"b\"", known("b")),
            ("String.to_integer(System.get_env(\"UNSET\") || \"5432\")", known("5432")),
            ("System.get_env(\"UNSET\", \"5432\") |> String.to_integer()", known("5432")),
            ("System.get_env(\"UNSET\") || raise \"no \" <> \"x\"", Value::Unset),
            ("env!(\"UNSET\", :string!)", Value::Unset),
            ("env!(\"UNSET\", :integer, 5432)", known("5432")),
            ("env('UNSET', env('SET'))", known("value")),
            ("getenv('UNSET') ?: 'y'", known("y")),
            ("'a' . 'b'", known("ab")),
            ("f\"postgres://{os.getenv('SET')}:{5432}/d\"", known("postgres://value:5432/d")),
            ("'postgres://%s/%s' % (os.getenv('SET'), 'd')", known("postgres://value/d")),
            ("'postgres://{}/{name}'.format('h', name=env('SET'))", known("postgres://h/value")),
            ("'a' if os.getenv('SET') == 'x' else 'b'", known("b")),
            ("int(os.environ.get('UNSET', 5432))", known("5432")),
            ("`postgres://${process.env.SET}/d`", known("postgres://value/d")),
            ("process.env.UNSET ?? process.env['SET']!", known("value")),
            ("Number(process.env.UNSET || 5432) as number", known("5432")),
            ("Field('x', env='UNSET')", known("x")),
            ("field(default_factory=get_env('UNSET', 'y'))", known("y")),
            ("field(default_factory=lambda: os.getenv('SET', 'y'))", known("value")),
            ("re.match(r'x', os.getenv('UNSET')).groupdict()['host']", Value::Unset),
            ("'a' if ENV['UNSET'].nil? || ENV['SET'].nil?", known("a")),
            ("'a' if ENV['SET'].blank? || ENV['UNSET'].to_s.empty?", known("a")),
            ("'a' if ENV['UNSET'].odd?", Value::Unknown),
            ("if(System.get_env(\"UNSET\") != nil, do: \"a\", else: \"b\")", known("b")),
            ("if(System.get_env(\"SET\"), do: \"a\")", known("a")),
            ("'a' if 'SET' in os.environ else 'b'", known("a")),
            ("'a' if 'SET' not in os.environ else 'b'", known("b")),
            ("{'URL', 'HOST'}", Value::Unknown),
            ("secret('SET')", known("value")),
            ("secret('UNSET', 'y')", Value::Unknown),
            ("dj_database_url.parse(env('SET'))", known("value")),
        ];
        for (expression, expected) in table {
            assert_eq!(evaluate(expression, &lookup), expected, "{expression}");
        }
    }

    #[test]
    fn hostile_expressions_end() {
        for piece in
            ["'", "env(", "process.env.", "\"a\":", "1", "é", "!", "-", "if ", "a?", "[", "{a:", "f'{", "a.", "|>", "…"]
        {
            evaluate(&piece.repeat(10_000), &lookup);
        }
        // Each of them is first read as a call.
        evaluate(&format!("{}a{}", "if(".repeat(40), ")".repeat(40)), &lookup);
        evaluate(&"if(a, do: ".repeat(40), &lookup);
    }
}
