//! What can keep a PostgreSQL database from being saved, checked or put back.

use std::path::PathBuf;

use thiserror::Error;

use crate::error::Explain;
use crate::exit::Exit;
use crate::secret::ForeignText;
use crate::snapshot::tool_process::ToolError;
use crate::text::shown;

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
    /// A file could not be written or read.
    #[error("cannot {action} {}", shown(path))]
    File {
        /// What was attempted.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file's bytes are not those that were written.
    #[error("{} is not what was written: its SHA-256 is {found}, the manifest says {expected}", shown(path))]
    HashMismatch {
        /// The snapshot.
        path: PathBuf,
        /// What the manifest says.
        expected: String,
        /// What the file has.
        found: String,
    },
    /// The dump cannot be read to its end.
    #[error("{} cannot be read back: {reason}", shown(path))]
    Damaged {
        /// The snapshot.
        path: PathBuf,
        /// What was met.
        reason: String,
    },
    /// The dump reads well, but holds something else than the database did.
    #[error("{what} is not whole: {differences}")]
    NotWhole {
        /// The dump or the restored database.
        what: String,
        /// The first differences.
        differences: String,
    },
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
        move |source| PostgresError::File { action, path: path.to_owned(), source }
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

impl Explain for PostgresError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            PostgresError::NoTools => {
                "install the PostgreSQL client (Debian: `apt-get install postgresql-client`, macOS: `brew install libpq`); \
                 none is taken from a folder in the project"
            }
            PostgresError::ToolsTooOld { server: version, .. }
            | PostgresError::NotKnownToComeBack { server: version, .. }
            | PostgresError::DumpTooNew { written_by: version, .. } => {
                return Some(format!(
                    "install the client of version {version} (Debian: `apt-get install postgresql-client-{version}`, \
                     macOS: `brew install postgresql@{version}`)"
                ));
            }
            PostgresError::Tool(error) => return error.hint(),
            PostgresError::NotDialable { .. } => "correct the variable that names the database",
            PostgresError::CannotConnect { message, .. } => connect_hint(message),
            PostgresError::NoSuchDatabase { .. } => "create it, or correct the variable that names it",
            PostgresError::Pooler { .. } => {
                "use the direct URL of the server (often DIRECT_URL or DATABASE_URL_UNPOOLED), not that of the pooler"
            }
            PostgresError::NotPostgres { .. } => "say in `.safe-test.toml` how this database is kept",
            PostgresError::OtherDatabase { .. } => "give the database's name in the URL",
            PostgresError::ConnectionLost { .. } => "see the server's log for why it closed the connection",
            PostgresError::Query { .. } => return None,
            PostgresError::Locked { .. } => "end that session or let it finish, then try again",
            PostgresError::RowSecurity { .. } => "connect as the owner of the tables, or as a role with BYPASSRLS",
            PostgresError::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                "free some space, or move the snapshots' directory"
            }
            PostgresError::File { .. } => "check the permissions and the disk",
            PostgresError::HashMismatch { .. } | PostgresError::Damaged { .. } | PostgresError::NotWhole { .. } => {
                "do not rely on it; `safe-test list` shows the others"
            }
            PostgresError::Manifest { .. } => "`safe-test list` shows the snapshots that can be used",
            PostgresError::OtherServer { .. } => {
                "an upgrade makes another server of it; restore it by hand: the snapshot's manifest says how (`by_hand`)"
            }
            PostgresError::SnapshotOfOtherDatabase { .. } => {
                "restore it by hand: the snapshot's manifest says how (`by_hand`)"
            }
            PostgresError::MayNotCreate { .. } => "give the role the right: `ALTER ROLE … CREATEDB`",
            PostgresError::NotItsOwn { .. } => {
                "give the role the right `ALTER ROLE … CREATEDB` and the database, or have a superuser restore it"
            }
            PostgresError::CommitUnknown { .. } => "start the server and look; restoring again is safe",
            PostgresError::MissingExtensions { .. } => {
                "install them on the server; the snapshot itself was read back whole"
            }
            PostgresError::NotRestorable { .. } => "restore it by hand: the snapshot's manifest says how (`by_hand`)",
            PostgresError::InUse { .. } => "end those sessions, then restore again",
            PostgresError::Replicates { .. } => {
                "end it first (`SELECT pg_drop_replication_slot('…')`, `ALTER SUBSCRIPTION … DISABLE`), restore, and begin it anew"
            }
            PostgresError::NotKept { .. } => "`safe-test list` shows what is kept, and the snapshots",
            PostgresError::NotDropped { .. } | PostgresError::NotWrittenDown { .. } => return None,
            PostgresError::Unsettled { .. } => {
                "start the server; `safe-test list` shows what is there, and restoring again is safe"
            }
            PostgresError::NotRestored { source, .. } => return source.hint(),
        };
        Some(hint.to_owned())
    }

    fn exit(&self) -> Exit {
        match self {
            PostgresError::Tool(error) => error.exit(),
            PostgresError::NotRestored { source, .. } => match **source {
                PostgresError::HashMismatch { .. } | PostgresError::Damaged { .. } | PostgresError::NotWhole { .. } => {
                    Exit::NoSnapshot
                }
                _ => Exit::Failed,
            },
            PostgresError::OtherServer { .. }
            | PostgresError::SnapshotOfOtherDatabase { .. }
            | PostgresError::MayNotCreate { .. }
            | PostgresError::NotItsOwn { .. }
            | PostgresError::CommitUnknown { .. }
            | PostgresError::NotRestorable { .. }
            | PostgresError::InUse { .. }
            | PostgresError::NotWrittenDown { .. }
            | PostgresError::Replicates { .. }
            | PostgresError::NotKept { .. }
            | PostgresError::Unsettled { .. }
            | PostgresError::NotDropped { .. } => Exit::Failed,
            PostgresError::NoTools
            | PostgresError::ToolsTooOld { .. }
            | PostgresError::NotKnownToComeBack { .. }
            | PostgresError::DumpTooNew { .. }
            | PostgresError::NotDialable { .. }
            | PostgresError::CannotConnect { .. }
            | PostgresError::NoSuchDatabase { .. }
            | PostgresError::Pooler { .. }
            | PostgresError::NotPostgres { .. }
            | PostgresError::OtherDatabase { .. }
            | PostgresError::ConnectionLost { .. }
            | PostgresError::Query { .. }
            | PostgresError::Locked { .. }
            | PostgresError::RowSecurity { .. }
            | PostgresError::File { .. }
            | PostgresError::Manifest { .. }
            | PostgresError::HashMismatch { .. }
            | PostgresError::Damaged { .. }
            | PostgresError::NotWhole { .. }
            | PostgresError::MissingExtensions { .. } => Exit::NoSnapshot,
        }
    }
}

fn connect_hint(message: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if has(&["password"]) {
        "check the password in the variable that names the database; `restore` also takes it from PGPASSWORD, or asks for \
         it at a terminal"
    } else if has(&["too many", "remaining connection slots"]) {
        "the server's connections are used up: close some, or raise max_connections"
    } else if has(&["refused", "No such file", "timeout", "starting up"]) {
        "start the database; `safe-test doctor` shows how it was looked for"
    } else {
        "`safe-test doctor` shows how it was looked for"
    }
}
