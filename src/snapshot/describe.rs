//! How a target would be saved, looked at and told: nothing is written.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::reach::Target;
use crate::snapshot::{SnapshotError, Step, postgres, sqlite};

/// What was found at a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    /// All of it in words.
    pub(crate) found: String,
    /// Whether it answered or could be read; `None` where there was nothing to look at.
    pub(crate) reachable: Option<bool>,
    /// The server's version as it says it.
    pub(crate) server: Option<String>,
    /// The program that would save it and its version.
    pub(crate) tool: Option<(PathBuf, String)>,
    /// What would keep it from being put back later, where something would, and what to do about that.
    pub(crate) obstacle: Option<(String, String)>,
}

impl Description {
    fn nothing_there(found: &str) -> Self {
        Description { found: found.to_owned(), reachable: None, server: None, tool: None, obstacle: None }
    }
}

/// Looks at a target as [`crate::snapshot::take()`] would, and says what with it would be saved. Connects, writes nothing.
///
/// # Errors
///
/// What would keep it from being saved.
pub(crate) fn describe(
    target: &Target,
    step: &Step,
    environment: &[(OsString, OsString)],
) -> Result<Description, SnapshotError> {
    match step {
        Step::NothingToLose(reason) | Step::LeftToPolicy(reason) => Ok(Description::nothing_there(reason)),
        Step::Sqlite { path } => Ok(match sqlite::examine(path)? {
            sqlite::Presence::Missing => Description::nothing_there("it does not exist yet"),
            sqlite::Presence::Empty => Description::nothing_there("it is empty"),
            sqlite::Presence::Database => Description {
                found: format!("readable; saved with the built-in SQLite {}", rusqlite::version()),
                reachable: Some(true),
                server: None,
                tool: Some((PathBuf::from("safe-test"), format!("SQLite {}", rusqlite::version()))),
                obstacle: read_only(path),
            },
        }),
        Step::Postgres => {
            let session = postgres::Session::open(target, environment)?;
            let (server, tools) = (session.identity(), session.tools());
            let program = tools.program("pg_dump");
            let obstacle = (!server.may_create).then(|| {
                (
                    format!("the role `{}` may not create databases, so nothing could be put back", server.user),
                    "give the role the right: `ALTER ROLE … CREATEDB`".to_owned(),
                )
            });
            Ok(Description {
                found: format!(
                    "reachable; server {}; saved with {} (PostgreSQL {})",
                    server.version,
                    program.display(),
                    tools.major
                ),
                reachable: Some(true),
                server: Some(server.version.clone()),
                tool: Some((program, format!("PostgreSQL {}", tools.major))),
                obstacle,
            })
        }
    }
}

fn read_only(path: &Path) -> Option<(String, String)> {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_err().then(|| {
        (
            "it cannot be written, so nothing could be put back".to_owned(),
            "check the owner and the permissions of the file".to_owned(),
        )
    })
}
