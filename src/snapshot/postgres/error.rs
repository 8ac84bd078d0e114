//! What can keep a PostgreSQL database from being saved, checked or put back.

use thiserror::Error;

use crate::secret::ForeignText;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::tool_process::ToolError;

/// A failure of the PostgreSQL engine. No variant holds a password or a row of data.
#[derive(Debug, Error)]
pub(crate) enum PostgresError {
    /// No folder with `pg_dump`, `pg_restore` and `psql` was found.
    #[error("no PostgreSQL client tools (pg_dump, pg_restore, psql) found")]
    NoTools,
    /// There are tools, all of an older major version than needed.
    #[error("the PostgreSQL tools found ({found}) are older than the server (version {server})")]
    ToolsTooOld {
        /// The server's major version.
        server: u32,
        /// Version and folder of each set of tools.
        found: String,
    },
    /// There are newer tools, but a dump by them is not known to come back on a server of that version.
    #[error("no PostgreSQL tools found ({found}) are known to bring a database of this server (version {server}) back")]
    NotKnownToComeBack {
        /// The server's major version.
        server: u32,
        /// Version and folder of each set of tools.
        found: String,
    },
    /// A dump is of a format that the tools do not know.
    #[error("the dump was written by pg_dump {written_by}, and the PostgreSQL tools found ({found}) cannot read it")]
    DumpTooNew {
        /// The major version that wrote it.
        written_by: u32,
        /// Version and folder of each set of tools.
        found: String,
    },
    /// A tool could not be started, failed, or was stopped.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The value that names the database cannot be dialled by PostgreSQL's own library.
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
        /// What the server or the library said.
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
    /// A connection pooler answered instead of the server.
    #[error("{place} is a connection pooler, through which a database cannot be saved")]
    Pooler {
        /// Where it is.
        place: String,
    },
    /// Something that speaks the protocol, but is not PostgreSQL.
    #[error("{place} is not a PostgreSQL server: {version}")]
    NotPostgres {
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
    /// The server refused a question of ours.
    #[error("the server refused a query ({sqlstate}): {message}")]
    Query {
        /// The five characters that classify it.
        sqlstate: String,
        /// Its message, without detail and context.
        message: ForeignText,
    },
    /// A table's lock is held by another session for too long.
    #[error("a table is locked by another session: {holders}")]
    Locked {
        /// Tables with who holds them.
        holders: String,
    },
    /// Row-level security hides rows from this user.
    #[error("row-level security hides rows from this user: {message}")]
    RowSecurity {
        /// What the server said: it names the table.
        message: ForeignText,
    },
    /// The file of a dump, or what it holds, is not as it should be.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// The manifest is not one of PostgreSQL, or lacks what a restore needs.
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
    /// The user may not create a database, without which nothing can be restored beside.
    #[error("the user may not create a database on {place}")]
    MayNotCreate {
        /// The server.
        place: String,
    },
    /// The database holds what a restore in its place would have to drop, and the user may not.
    #[error("`{user}` may neither exchange the database nor drop what it holds of others: {objects}")]
    NotItsOwn {
        /// The user.
        user: String,
        /// Some of what it may not drop.
        objects: String,
    },
    /// The connection broke while a restore was committed, and the server did not come back.
    #[error("whether `{database}` was restored shows when the server is back")]
    CommitUnknown {
        /// The database.
        database: String,
        /// How it broke.
        #[source]
        source: Box<PostgresError>,
    },
    /// The snapshot needs extensions that the server does not have; the snapshot itself may be good.
    #[error("the server lacks extensions that the snapshot needs: {names}")]
    MissingExtensions {
        /// Their names.
        names: String,
    },
    /// The snapshot holds something that this server does not make from anew.
    #[error("the snapshot cannot be restored whole: {what}")]
    NotRestorable {
        /// What, and why.
        what: String,
    },
    /// Others stay connected to the database, so that it cannot be exchanged.
    #[error("`{database}` stays in use: {users}")]
    InUse {
        /// The database.
        database: String,
        /// Who uses it.
        users: String,
    },
    /// A database was to be dropped that safe-test did not make, or that is in use.
    #[error("`{database}` is not dropped: {reason}")]
    NotDropped {
        /// The database.
        database: String,
        /// Why.
        reason: String,
    },
    /// Logical replication is bound to the database that is to be replaced.
    #[error("logical replication would go away with `{database}`, which is to be replaced: {what}")]
    Replicates {
        /// The database.
        database: String,
        /// The slots and subscriptions.
        what: String,
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
    /// The connection broke while two databases exchanged their names, and the server did not come back.
    #[error("whether `{database}` was exchanged for `{beside}` shows when the server is back")]
    Unsettled {
        /// The database in use.
        database: String,
        /// The restored one; once the names are exchanged there is no database of this name.
        beside: String,
        /// How it broke.
        #[source]
        source: Box<PostgresError>,
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
        source: Box<PostgresError>,
    },
}

fn detail(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

impl PostgresError {
    pub(crate) fn file(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| DumpError::file(action, path)(source).into()
    }

    /// Tells whether a lock was waited for in vain: 55P03, lock_not_available.
    pub(crate) fn is_of_a_lock(&self) -> bool {
        match self {
            PostgresError::Query { sqlstate, .. } => sqlstate == "55P03",
            PostgresError::Tool(ToolError::Failed { message, .. }) => message.contains("lock timeout"),
            _ => false,
        }
    }
}
