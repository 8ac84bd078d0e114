//! Why a policy cannot be used, with the line. With a broken policy nothing is run: it may have been meant to tighten.

use std::path::PathBuf;

use crate::error::Explain;
use crate::exit::Exit;
use crate::secret::redact_name;
use crate::text::shown;

/// What is wrong with a policy. No value of it is told: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PolicyError {
    /// The file is there and cannot be read.
    #[error("cannot read the policy {}", shown(file))]
    Unreadable {
        file: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    /// It is no TOML, or has a key twice.
    #[error("{}:{line}: {message}", shown(file))]
    Syntax { file: PathBuf, line: u32, message: String },
    /// A key that no policy of this version has.
    #[error("{}:{line}: unknown key `{}`{}", shown(file), redact_name(key), in_table(table))]
    UnknownKey {
        file: PathBuf,
        line: u32,
        key: String,
        /// The table that it stands in, `snapshots.external`; empty at the top of the file.
        table: String,
        /// The known key that it was perhaps meant to be.
        nearest: Option<String>,
        /// Every key that the table takes.
        known: Vec<String>,
    },
    /// A table without a key that it needs.
    #[error("{}:{line}: `{table}` has no key `{missing}`", shown(file))]
    MissingKey { file: PathBuf, line: u32, table: String, missing: String },
    /// A value of the wrong type, or out of range.
    #[error("{}:{line}: `{key}` takes {expected}", shown(file))]
    Value { file: PathBuf, line: u32, key: String, expected: String },
}

fn in_table(table: &str) -> String {
    if table.is_empty() { String::new() } else { format!(" in [{table}]") }
}

impl Explain for PolicyError {
    fn hint(&self) -> Option<String> {
        match self {
            PolicyError::Unreadable { .. } => Some("make it a readable file, or remove it".to_owned()),
            PolicyError::Syntax { .. } => Some("correct the file; the README lists what it may hold".to_owned()),
            PolicyError::UnknownKey { table, nearest, known, .. } => {
                let known: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
                let known = known.join(", ");
                let takes = match table.as_str() {
                    "" => format!("each key stands below the header of its table: {known}"),
                    table => format!("this version knows {known} in [{table}]"),
                };
                let question = nearest.as_ref().map(|nearest| format!("did you mean `{nearest}`? "));
                Some(question.unwrap_or_default() + &takes)
            }
            PolicyError::MissingKey { .. } | PolicyError::Value { .. } => {
                Some("correct the value; the README shows every key".to_owned())
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            PolicyError::Unreadable { .. }
            | PolicyError::Syntax { .. }
            | PolicyError::UnknownKey { .. }
            | PolicyError::MissingKey { .. }
            | PolicyError::Value { .. } => Exit::Failed,
        }
    }
}
