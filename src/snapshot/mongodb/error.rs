//! What can keep a MongoDB database from being saved, checked or put back.

use thiserror::Error;

use crate::secret::ForeignText;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::dump_reading::ReadError;
use crate::snapshot::tool_process::ToolError;

/// A failure of the engine. No variant holds a password or a document.
#[derive(Debug, Error)]
pub(crate) enum MongoError {
    /// The tools were not found.
    #[error("no MongoDB tools (mongodump and mongorestore, 100.3 or later) found")]
    NoTools,
    /// A program could not be started, failed, or was stopped.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The value that names the database cannot be dialled by safe-test.
    #[error("{place} cannot be dialled: {reason}")]
    NotDialable {
        /// Where it was to be.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server could not be reached, or did not let us in.
    #[error("cannot connect to {place}: {message}")]
    CannotConnect {
        /// Where it was to be.
        place: String,
        /// Why.
        why: Refusal,
        /// What the system or the server said.
        message: ForeignText,
    },
    /// The server is there, the database is not: there is nothing to lose.
    #[error("there is no database `{database}` on {place}")]
    NoSuchDatabase {
        /// The database.
        database: String,
        /// The server.
        place: String,
    },
    /// The value names a server and no database of it.
    #[error("the value names no database on {place}")]
    NoDatabaseNamed {
        /// The server.
        place: String,
    },
    /// There is a database that cannot be saved so that it comes back.
    #[error("`{database}` cannot be saved: {what}")]
    NotSavable {
        /// The database.
        database: String,
        /// Why, a phrase.
        what: String,
        /// What to do about it, a phrase.
        remedy: &'static str,
    },
    /// The connection to the server broke.
    #[error("the connection to the server was lost: {message}")]
    ConnectionLost {
        /// What was said last.
        message: ForeignText,
    },
    /// The server refused a command of ours.
    #[error("the server refused a command ({code}): {message}")]
    Command {
        /// The number that classifies it.
        code: i64,
        /// Its message.
        message: ForeignText,
    },
    /// Another safe-test is at work on the database for too long.
    #[error("`{database}` stays in use by another safe-test, which checks or restores it")]
    InUse {
        /// The database.
        database: String,
    },
    /// The file of a dump, or what it holds, is not as it should be.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// The manifest is not one of this engine.
    #[error("the manifest of {id} cannot be used: {reason}")]
    Manifest {
        /// The snapshot.
        id: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The snapshot is of another server.
    #[error("the snapshot is of server {snapshot}, but this is {here}")]
    OtherServer {
        /// The snapshot's server.
        snapshot: String,
        /// The server at hand.
        here: String,
    },
    /// The snapshot is of another database than the target.
    #[error("the snapshot is of database `{snapshot}`, but the target is `{target}`")]
    SnapshotOfOtherDatabase {
        /// The snapshot's database.
        snapshot: String,
        /// The target.
        target: String,
    },
    /// The user may not make a database beside, so that nothing can be tried.
    #[error("`{user}` may not make the database `{name}`")]
    NotPermitted {
        /// The user.
        user: String,
        /// The database.
        name: String,
    },
    /// A database was to be dropped that safe-test did not make.
    #[error("`{database}` is not dropped: it was not made by safe-test")]
    NotDropped {
        /// The database.
        database: String,
    },
    /// A database was not made, since its name could not be written down before.
    #[error("`{name}` was not made: its name could not be written down before")]
    NotWrittenDown {
        /// The database.
        name: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A restore stopped on its way; the database is as it was.
    #[error("restore stopped while {step}; {remains}")]
    NotRestored {
        /// What was being done.
        step: &'static str,
        /// What is as it was, and what was left behind.
        remains: String,
        /// Why.
        #[source]
        source: Box<MongoError>,
    },
    /// A restore stopped when the database was changed already.
    #[error("restore stopped while {step}; {remains}")]
    HalfRestored {
        /// What was being done.
        step: &'static str,
        /// Where the old content is.
        remains: String,
        /// Why.
        #[source]
        source: Box<MongoError>,
    },
}

impl From<ReadError> for MongoError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Dump(error) => error.into(),
            ReadError::Tool(error) => error.into(),
        }
    }
}

/// Why a server could not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nobody listens there.
    NoServer,
    /// What takes the connection closes it without a word: a server that starts behind a container's forwarder, or one that
    /// wants TLS.
    Closed,
    /// It wants a user and a password, or others.
    Denied,
    /// It does not speak as MongoDB's servers do, or too old a version of it.
    NotMongodb,
    /// It is not the one that takes writes.
    NotPrimary,
}

/// Says that another safe-test is at work on a database.
pub(crate) fn in_use(database: &str) -> MongoError {
    MongoError::InUse { database: database.to_owned() }
}

/// `Unauthorized`.
pub(crate) const UNAUTHORIZED: i64 = 13;

impl MongoError {
    pub(crate) fn file(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| DumpError::file(action, path)(source).into()
    }

    /// Tells whether the user lacks a right.
    pub(crate) fn is_denied(&self) -> bool {
        match self {
            MongoError::Command { code, .. } => *code == UNAUTHORIZED,
            MongoError::NotPermitted { .. } => true,
            // The tools say it in words, and in those of the server.
            MongoError::Tool(ToolError::Failed { message, .. }) => {
                message.contains("(Unauthorized)") || message.contains("not authorized on")
            }
            _ => false,
        }
    }
}
