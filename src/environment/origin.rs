//! Where one value came from.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};

use crate::secret::{redact_name, redact_path};
use crate::text::shown;

/// The place a value was read from: shown to people with every finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// The key as it is spelled there; the last segment where keys nest.
    #[serde(serialize_with = "as_name")]
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
    variable_name(variable).serialize(serializer)
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

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variable = variable_name(&self.variable);
        let Some(file) = &self.file else {
            return match self.variable.as_str() {
                COMMAND_LINE => f.write_str(COMMAND_LINE),
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
