//! What calls come to that read the environment, convert a value or change a text, in any language.

use crate::environment::readers::code::computed::{Computed, Entry, Place};
use crate::environment::readers::expansion::Lookup;

/// The arguments of a call.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) positional: Vec<Computed>,
    pub(crate) keywords: Vec<(String, Computed)>,
}

impl Arguments {
    fn keyword(&self, name: &str) -> Option<&Computed> {
        self.keywords.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

/// What `dj_database_url.config()` and the like read by themselves.
const DATABASE_URL: &str = "DATABASE_URL";

/// Objects that hold the variables of the environment.
const HOLDERS: &[&str] =
    &["process.env", "Bun.env", "import.meta.env", "os.environ", "environ", "ENV", "$_ENV", "$_SERVER", "env"];

/// Functions that give their argument back in another type.
const CONVERSIONS: &[&str] = &[
    "int",
    "str",
    "string",
    "number",
    "parseint",
    "integer",
    "path",
    "purepath",
    "posixpath",
    "to_integer",
    "to_string",
    "to_charlist",
    "to_atom",
    "parse",
    "make_url",
    "url",
    "secretstr",
    "parsed",
    "find_dotenv",
    "str!",
    "urlparse",
    "freeze",
];

/// Methods of a text that leave it, as far as an address is concerned.
const KEEPING: &[&str] = &[
    "to_s",
    "to_i",
    "to_sym",
    "to_str",
    "tostring",
    "strip",
    "trim",
    "chomp",
    "presence",
    "freeze",
    "as_posix",
    "resolve",
    "absolute",
    "encode",
    "decode",
    "dup",
    "expanduser",
    "get_secret_value",
    "unicode_string",
    "render_as_string",
    "default",
    "string",
    "optional",
];

/// Tells whether an object of that name holds the variables of the environment.
pub(crate) fn holds_environment(path: &str) -> bool {
    let is_last =
        |holder: &&str| path.strip_suffix(holder).is_some_and(|before| before.is_empty() || before.ends_with('.'));
    // `Rails.env` is the mode.
    path != "Rails.env" && HOLDERS.iter().any(is_last)
}

/// Tells whether a function of that name reads a variable of the environment.
pub(crate) fn reads_environment(path: &str) -> bool {
    let (holder, own) = path.rsplit_once('.').unwrap_or(("", path));
    let last = own.to_ascii_lowercase();
    let has_env = |name: &str| {
        let name = name.trim_end_matches(['!', '?']);
        name.split('_').any(|word| matches!(word, "env" | "getenv" | "environ"))
    };
    let of_holder = holder.rsplit('.').next().is_some_and(|own| has_env(&own.to_ascii_lowercase()));
    has_env(&last)
        || of_holder && !matches!(last.as_str(), "path" | "copy" | "update") && holder != "Rails.env"
        || last == "getenvironmentvariable"
        || own == "config" && (holder.is_empty() || holder == "decouple" || holder == "dj_database_url")
}

/// Tells whether a function of that name gives its argument back in another type.
pub(crate) fn is_conversion(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path).to_ascii_lowercase();
    CONVERSIONS.contains(&last.as_str())
}

/// Reads a variable, or its default.
pub(crate) fn variable(name: &str, default: Option<&Computed>, lookup: Lookup<'_>) -> Computed {
    lookup(name).map(Computed::Text).or_else(|| default.cloned()).unwrap_or(Computed::Unset)
}

/// Gives what a call comes to.
pub(crate) fn call(path: &str, arguments: &Arguments, lookup: Lookup<'_>) -> Computed {
    let last = path.rsplit('.').next().unwrap_or(path);
    let lower = last.to_ascii_lowercase();
    let positional = &arguments.positional[..];
    let default = arguments.keyword("default").or_else(|| arguments.keyword("default_value"));
    if reads_environment(path) {
        return match positional {
            [] => {
                let named = ["name", "var", "key"].iter().find_map(|name| arguments.keyword(name));
                match named {
                    Some(Computed::Text(name)) => variable(name, default, lookup),
                    Some(_) => Computed::Unknown,
                    None => variable(DATABASE_URL, default, lookup),
                }
            }
            [Computed::Text(name)] => variable(name, default, lookup),
            // Dotenvy's `env!("X", :integer, 5432)` has the type between.
            [Computed::Text(name), _, rest @ ..] if last == "env!" => variable(name, rest.first(), lookup),
            [Computed::Text(name), second, ..] => variable(name, default.or(Some(second)), lookup),
            _ => Computed::Unknown,
        };
    }
    if matches!(lower.as_str(), "dict" | "settingsconfigdict") && positional.is_empty() {
        let entry = |(key, value): &(String, Computed)| Entry {
            key: key.clone(),
            value: value.clone(),
            expression: String::new(),
            place: Place::default(),
        };
        return Computed::Map(arguments.keywords.iter().map(entry).collect());
    }
    // `ROOT_DIR("db.sqlite3")` of django-environ, `database_path("db.sqlite")` of Laravel.
    let is_folder = ["dir", "root", "folder", "_path"].iter().any(|word| lower.ends_with(word));
    if lower == "joinpath" || is_folder && !positional.is_empty() {
        return joined(positional);
    }
    if matches!(lower.as_str(), "join" | "resolve")
        && (path.contains("path") || path.contains("Path") || path.contains("File") || path.contains("root"))
    {
        return joined(positional);
    }
    match (lower.as_str(), positional) {
        ("field", _) => {
            let named = ["env", "validation_alias", "alias"].iter().find_map(|name| arguments.keyword(name));
            // A dataclass has what the factory makes.
            let default = default.or_else(|| arguments.keyword("default_factory")).or(positional.first());
            match named {
                Some(Computed::Text(name)) => variable(name, default, lookup),
                _ => default.cloned().unwrap_or(Computed::Unknown),
            }
        }
        (name, [value, ..]) if is_conversion(name) => value.clone(),
        // They fail for what is not set.
        ("match" | "search" | "fullmatch" | "loads" | "literal_eval", given) if given.contains(&Computed::Unset) => {
            Computed::Unset
        }
        // A call that is given an address is about that address.
        (_, [Computed::Text(address)]) if address.contains("://") => Computed::Text(address.clone()),
        // A secret's name: known where the environment has it.
        (_, [Computed::Text(name), ..]) if !name.is_empty() && name.bytes().all(is_of_a_constant) => {
            lookup(name).map_or(Computed::Unknown, Computed::Text)
        }
        _ => Computed::Unknown,
    }
}

fn is_of_a_constant(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// Gives what a method of a value comes to.
pub(crate) fn method(value: Computed, name: &str, arguments: &Arguments) -> Computed {
    let lower = name.to_ascii_lowercase();
    match (value, lower.as_str(), &arguments.positional[..]) {
        (Computed::Map(entries), "get" | "fetch" | "dig", [Computed::Text(key), rest @ ..]) => {
            let own = entries.into_iter().rev().find(|entry| entry.key == *key).map(|entry| entry.value);
            // configparser's `get(section, key)`
            if let (Some(Computed::Map(section)), [Computed::Text(key), ..]) = (&own, rest) {
                let value = section.iter().find(|entry| entry.key == *key).map(|entry| entry.value.clone());
                return value.unwrap_or(Computed::Unset);
            }
            own.or_else(|| rest.first().cloned()).unwrap_or(Computed::Unset)
        }
        (Computed::Map(entries), "copy" | "dup", _) => Computed::Map(entries),
        (value, "joinpath", parts) => joined(&[&[value], parts].concat()),
        (Computed::Unset, "nil?" | "blank?" | "empty?" | "none?", _) => Computed::Flag(true),
        (Computed::Unset, "present?" | "any?", _) => Computed::Flag(false),
        (Computed::Unset, name, _) if name.ends_with('?') => Computed::Unknown,
        (Computed::Unset, _, _) => Computed::Unset,
        (Computed::Text(text), "blank?" | "empty?", _) => Computed::Flag(text.trim().is_empty()),
        (Computed::Text(_), "nil?", _) => Computed::Flag(false),
        (Computed::Text(text), name, _) if KEEPING.contains(&name) => Computed::Text(text.trim().to_owned()),
        (Computed::Text(text), "lower" | "downcase" | "tolowercase", _) => Computed::Text(text.to_lowercase()),
        (Computed::Text(text), "upper" | "upcase" | "touppercase", _) => Computed::Text(text.to_uppercase()),
        (Computed::Text(text), "sub", [Computed::Text(from), Computed::Text(to)]) => {
            Computed::Text(text.replacen(from.as_str(), to, 1))
        }
        (Computed::Text(text), "replace" | "gsub" | "replaceall", [Computed::Text(from), Computed::Text(to), ..]) => {
            Computed::Text(text.replace(from.as_str(), to))
        }
        (Computed::Text(text), "format", _) => formatted(&text, arguments),
        (Computed::Text(text), "split", [Computed::Text(mark), ..]) if !mark.is_empty() => {
            Computed::List(text.split(mark.as_str()).map(|part| Computed::Text(part.to_owned())).collect())
        }
        (Computed::Text(text), "startswith" | "start_with?" | "starts_with?", [Computed::Text(start)]) => {
            Computed::Flag(text.starts_with(start.as_str()))
        }
        (Computed::Text(text), "endswith" | "end_with?" | "ends_with?", [Computed::Text(end)]) => {
            Computed::Flag(text.ends_with(end.as_str()))
        }
        (Computed::Text(text), "include?" | "includes", [Computed::Text(part)]) => {
            Computed::Flag(text.contains(part.as_str()))
        }
        (Computed::Text(text), "present?", _) => Computed::Flag(!text.is_empty()),
        _ => Computed::Unknown,
    }
}

/// Joins the parts of a path. What stands before the last unknown part is dropped: it is somewhere below the project.
pub(crate) fn joined(parts: &[Computed]) -> Computed {
    let known = parts.iter().rev().map_while(|part| match part {
        Computed::Text(part) => Some(part.trim_end_matches('/')),
        _ => None,
    });
    let mut known: Vec<&str> = known.collect();
    known.reverse();
    // A part with a root of its own replaces what is before it.
    let from = known.iter().rposition(|part| part.starts_with('/')).unwrap_or(0);
    match known.is_empty() {
        true => Computed::Unknown,
        false => Computed::Text(known[from..].join("/")),
    }
}

/// Fills `%s` in.
pub(crate) fn filled_in(format: &str, filled: Computed) -> Computed {
    let values = match filled {
        Computed::List(values) => values,
        one => vec![one],
    };
    let mut values = values.into_iter();
    let mut text = String::new();
    let mut parts = format.split('%');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let Some(rest) = part.strip_prefix(['s', 'd']) else { return Computed::Unknown };
        match values.next() {
            Some(Computed::Text(value)) => text.push_str(&value),
            _ => return Computed::Unknown,
        }
        text.push_str(rest);
    }
    Computed::Text(text)
}

/// Fills `{}`, `{0}` and `{name}` in.
fn formatted(format: &str, arguments: &Arguments) -> Computed {
    let mut text = String::new();
    let mut next = 0;
    let mut rest = format;
    while let Some((before, behind)) = rest.split_once('{') {
        text.push_str(before);
        let Some((field, behind)) = behind.split_once('}') else { return Computed::Unknown };
        let value = match field.parse::<usize>() {
            Ok(at) => arguments.positional.get(at),
            Err(_) if field.is_empty() => {
                next += 1;
                arguments.positional.get(next - 1)
            }
            Err(_) => arguments.keyword(field),
        };
        match value {
            Some(Computed::Text(value)) => text.push_str(value),
            _ => return Computed::Unknown,
        }
        rest = behind;
    }
    text.push_str(rest);
    Computed::Text(text)
}
