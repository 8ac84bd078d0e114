//! What can keep a Redis server from being saved, checked or put back.

use std::io;
use std::path::Path;

use thiserror::Error;

use crate::secret::ForeignText;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::dump_reading::ReadError;
use crate::snapshot::tool_process::ToolError;

/// A failure of the engine. No variant holds a password, a key or a value.
#[derive(Debug, Error)]
pub(crate) enum RedisError {
    /// The tools were not found.
    #[error("neither redis-cli nor valkey-cli found")]
    NoTools,
    /// A program could not be started, failed, or was stopped.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The value that names the server cannot be dialled by safe-test.
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
    /// There is a server that cannot be saved so that it comes back.
    #[error("the server on {place} cannot be saved: {what}")]
    NotSavable {
        /// The server.
        place: String,
        /// Why, a phrase.
        what: String,
        /// What to do about it, a phrase.
        remedy: &'static str,
    },
    /// The server refused a command of ours.
    #[error("the server refused `{command}`: {message}")]
    Command {
        /// The command, without what may be a secret.
        command: &'static str,
        /// What it answered.
        message: ForeignText,
    },
    /// Another safe-test is at work on the server for too long.
    #[error("the server stays in use by another safe-test, which restores it")]
    InUse,
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
    /// There is no server program that could be loaded with the file.
    #[error("the file cannot be loaded beside: {what}")]
    NoServerProgram {
        /// Why, a phrase.
        what: String,
    },
    /// The temporary server does not do what it is for.
    #[error("the temporary server {what}{}", if said.is_empty() { String::new() } else { format!(": {said}") })]
    Temporary {
        /// What it did not do, a phrase.
        what: &'static str,
        /// What it said last.
        said: ForeignText,
    },
    /// The server did not take over what the temporary one holds.
    #[error("the server did not take over what the temporary one holds: {what}")]
    NotTakenOver {
        /// How far it was.
        what: String,
    },
    /// A restore stopped on its way; the server is as it was.
    #[error("restore stopped while {step}; {remains}")]
    NotRestored {
        /// What was being done.
        step: &'static str,
        /// What is as it was.
        remains: String,
        /// Why.
        #[source]
        source: Box<RedisError>,
    },
    /// A restore stopped when the server was changed already.
    #[error("restore stopped while {step}; {remains}")]
    HalfRestored {
        /// What was being done.
        step: &'static str,
        /// Where the old content is.
        remains: String,
        /// Why.
        #[source]
        source: Box<RedisError>,
    },
}

impl From<ReadError> for RedisError {
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
    /// What takes the connection closes it or does not answer.
    Closed,
    /// It is reading its data yet.
    Loading,
    /// It wants a user and a password, or others.
    Denied,
    /// The user lacks a right that is needed.
    NotPermitted,
    /// It does not speak as Redis servers do.
    NotRedis,
}

impl RedisError {
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| DumpError::file(action, path)(source).into()
    }
}
