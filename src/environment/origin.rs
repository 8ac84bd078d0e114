//! Where one value came from.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::secret::{redact_name, redact_path};
use crate::text::shown;
use crate::tools::clients;

/// The place a value was read from: shown to people with every finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// The key as it is spelled there; the last segment where keys nest. Null in JSON where a file as a whole is meant.
    #[serde(serialize_with = "as_name", deserialize_with = "from_name")]
    pub(crate) variable: String,
    /// The file, relative to the project's root where it lies below it; `None` for the process environment.
    #[serde(serialize_with = "as_text")]
    pub(crate) file: Option<PathBuf>,
    /// The line in `file`, counted from 1.
    pub(crate) line: Option<u32>,
}

/// Shows a key. Keys of .NET have colons of their own; one with these marks is a value that stands where a key should.
fn variable_name(key: &str) -> Cow<'_, str> {
    if key.contains(['@', '=']) || key.contains("://") { redact_name(key) } else { Cow::Borrowed(key) }
}

fn as_name<S: Serializer>(variable: &str, serializer: S) -> Result<S::Ok, S::Error> {
    Some(variable_name(variable)).filter(|name| name != WHOLE_FILE).serialize(serializer)
}

fn from_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(|| WHOLE_FILE.to_owned()))
}

/// Writes a path as text: serde would refuse one that is not UTF-8.
fn as_text<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_ref().map(|path| redact_path(&shown(path)).into_owned()).serialize(serializer)
}

/// Stands for the key where a file as a whole is meant.
const WHOLE_FILE: &str = "the file";
/// Stands for the key where the command's own words are meant.
const COMMAND_LINE: &str = "command line";

impl Origin {
    /// Names a variable of the process environment.
    #[must_use]
    pub(crate) fn process(variable: impl Into<String>) -> Self {
        Origin { variable: variable.into(), file: None, line: None }
    }

    /// Names the command line itself.
    #[must_use]
    pub(crate) fn command_line() -> Self {
        Origin { variable: COMMAND_LINE.to_owned(), file: None, line: None }
    }

    /// Names a key in a file; `line` counts from 1.
    #[must_use]
    pub(crate) fn file(variable: impl Into<String>, file: impl Into<PathBuf>, line: u32) -> Self {
        Origin { variable: variable.into(), file: Some(file.into()), line: Some(line) }
    }

    /// Names a file as a whole, and the line that is to blame where there is one.
    #[must_use]
    pub(crate) fn whole_file(file: impl Into<PathBuf>, line: Option<u32>) -> Self {
        Origin { variable: WHOLE_FILE.to_owned(), file: Some(file.into()), line }
    }
}

impl Origin {
    /// Names it within a sentence: the variable, the option, or the words of the command.
    #[must_use]
    pub(crate) fn named(&self) -> Cow<'_, str> {
        match self.variable.as_str() {
            COMMAND_LINE => Cow::Borrowed("the command line"),
            name if clients::named(name).is_some() => Cow::Owned(format!("the arguments of {name}")),
            name => variable_name(name),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variable = variable_name(&self.variable);
        let Some(file) = &self.file else {
            return match self.variable.as_str() {
                COMMAND_LINE => f.write_str(COMMAND_LINE),
                // A client's own words, or a flag.
                name if name.starts_with('-') || clients::named(name).is_some() => {
                    write!(f, "{variable} ({COMMAND_LINE})")
                }
                _ => write!(f, "{variable} (process environment)"),
            };
        };
        let place = redact_path(&shown(file)).into_owned();
        let place = self.line.map_or_else(|| place.clone(), |line| format!("{place}:{line}"));
        match self.variable.as_str() {
            WHOLE_FILE => f.write_str(&place),
            _ => write!(f, "{variable} ({place})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_command_are_no_variables() {
        let table = [
            ("psql", "psql (command line)"),
            ("--url", "--url (command line)"),
            ("DATABASE_URL", "DATABASE_URL (process environment)"),
        ];
        for (name, expected) in table {
            assert_eq!(Origin::process(name).to_string(), expected);
        }
    }

    #[test]
    fn what_was_typed_is_named_by_what_it_is() {
        for (origin, expected) in [
            (Origin::command_line(), "the command line"),
            (Origin::process("psql"), "the arguments of psql"),
            (Origin::file("--url", "package.json", 3), "--url"),
            (Origin::process("DATABASE_URL"), "DATABASE_URL"),
        ] {
            assert_eq!(origin.named(), expected);
        }
    }

    #[test]
    fn a_file_as_a_whole_has_no_variable_in_json() {
        let whole = Origin::whole_file("shop.env", Some(2));
        let json = serde_json::to_string(&whole).unwrap();
        assert_eq!(json, r#"{"variable":null,"file":"shop.env","line":2}"#);
        assert_eq!(serde_json::from_str::<Origin>(&json).unwrap(), whole);
        let key = Origin::file("A", "shop.env", 1);
        assert_eq!(serde_json::from_str::<Origin>(&serde_json::to_string(&key).unwrap()).unwrap(), key);
    }
}
