//! What can keep a MySQL or MariaDB database from being saved, checked or put back.

use thiserror::Error;

use crate::secret::ForeignText;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::dump_reading::ReadError;
use crate::snapshot::mysql::version::{Flavor, Version};
use crate::snapshot::tool_process::ToolError;

/// A failure of the engine. No variant holds a password or a row of data.
#[derive(Debug, Error)]
pub(crate) enum MysqlError {
    /// No client with its dump program was found.
    #[error("no MySQL or MariaDB client programs (mysql and mysqldump, or mariadb and mariadb-dump) found")]
    NoTools,
    /// There are programs, none of which is known to bring back what it saves of this server.
    #[error("no client programs found ({found}) are known to bring a database of this server ({flavor} {server}) back")]
    NoneFits {
        /// Whose the server is.
        flavor: Flavor,
        /// The server's version.
        server: Version,
        /// What was found, and where.
        found: String,
    },
    /// A program could not be started, failed, or was stopped.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The value that names the database cannot be dialled by the client programs.
    #[error("{place} cannot be dialled: {reason}")]
    NotDialable {
        /// Where it was to be.
        place: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The server could not be reached, or did not let us in.
    #[error("cannot connect to {place}: {message}")]
    CannotConnect {
        /// Where it was to be.
        place: String,
        /// The number of the error; 0 where none was said.
        code: u32,
        /// What the server or the client said.
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
    /// Something that speaks the protocol, but is neither MySQL nor MariaDB.
    #[error("{place} is neither a MySQL nor a MariaDB server: {version}")]
    NotMysql {
        /// Where it is.
        place: String,
        /// What it says of itself.
        version: ForeignText,
    },
    /// The connection led to another database than the one that was judged.
    #[error("connected to database `{found}`, but `{judged}` was judged")]
    OtherDatabase {
        /// What was judged.
        judged: String,
        /// Where the connection led.
        found: String,
    },
    /// The connection to the server broke.
    #[error("the connection to the server was lost{}", detail(.message))]
    ConnectionLost {
        /// What was said last.
        message: ForeignText,
    },
    /// The server refused a statement of ours.
    #[error("the server refused a statement ({code}): {message}")]
    Query {
        /// The number that classifies it.
        code: u32,
        /// Its message, without data.
        message: ForeignText,
    },
    /// A table is in use by another session for too long.
    #[error("a table of `{database}` stays in use: {users}")]
    InUse {
        /// The database.
        database: String,
        /// Who uses it.
        users: String,
    },
    /// The file of a dump, or what it holds, is not as it should be.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// The manifest is not one of this engine, or lacks what a restore needs.
    #[error("the manifest of {id} cannot be used: {reason}")]
    Manifest {
        /// The snapshot.
        id: String,
        /// What is wrong.
        reason: String,
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
    /// The user lacks rights without which a database cannot be checked or put back.
    #[error("`{user}` may not {what}")]
    NotPermitted {
        /// The user.
        user: String,
        /// What it may not do.
        what: String,
    },
    /// The snapshot cannot be loaded into this server.
    #[error("the snapshot cannot be restored: {what}")]
    NotRestorable {
        /// What, and why.
        what: String,
    },
    /// A database was to be dropped that safe-test did not make, or that is in use.
    #[error("`{database}` is not dropped: {reason}")]
    NotDropped {
        /// The database.
        database: String,
        /// Why.
        reason: String,
    },
    /// A database that a restore was said to have kept cannot be put back.
    #[error("`{database}` cannot be put back: {reason}")]
    NotKept {
        /// The database.
        database: String,
        /// Why.
        reason: String,
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
        source: Box<MysqlError>,
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
        source: Box<MysqlError>,
    },
}

impl From<ReadError> for MysqlError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Dump(error) => error.into(),
            ReadError::Tool(error) => error.into(),
        }
    }
}

fn detail(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

/// `ER_LOCK_WAIT_TIMEOUT`, also for the locks that statements of definition wait for.
const LOCK_WAIT_TIMEOUT: u32 = 1205;

/// Rights that the user does not have: on a database, on a table, on a column, on a command, on a routine, or `SUPER`.
const DENIED: [u32; 7] = [1044, 1142, 1143, 1227, 1370, 1410, 1419];

impl MysqlError {
    pub(crate) fn file(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| DumpError::file(action, path)(source).into()
    }

    /// Tells whether a lock was waited for in vain.
    pub(crate) fn is_of_a_lock(&self) -> bool {
        matches!(self, MysqlError::Query { code: LOCK_WAIT_TIMEOUT, .. })
    }

    /// Tells whether the user lacks a right.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self, MysqlError::Query { code, .. } if DENIED.contains(code))
    }
}
