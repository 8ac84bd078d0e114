//! What to do about a failure of the PostgreSQL engine, and the status that it ends with.

use crate::error::Explain;
use crate::exit::Exit;
use crate::snapshot::postgres::PostgresError;

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
            // insufficient_privilege
            PostgresError::Query { sqlstate, .. } if sqlstate == "42501" => {
                "connect as a role that has this right, such as the owner of what is named"
            }
            PostgresError::Query { .. } => return None,
            PostgresError::Locked { .. } => "end that session or let it finish, then try again",
            PostgresError::RowSecurity { .. } => "connect as the owner of the tables, or as a role with BYPASSRLS",
            PostgresError::Dump(error) => return error.hint(),
            PostgresError::Manifest { .. } => "`safe-test list` shows the snapshots that can be used",
            PostgresError::OtherServer { .. } => {
                "an upgrade makes another server of it; restore it by hand: the snapshot's manifest says how (`by_hand`)"
            }
            PostgresError::SnapshotOfOtherDatabase { .. } => {
                "restore it by hand: the snapshot's manifest says how (`by_hand`)"
            }
            PostgresError::MayNotCreate { .. } => "give the role the right: `ALTER ROLE … CREATEDB`",
            PostgresError::NotItsOwn { .. } => {
                "make the role the database's owner with `ALTER ROLE … CREATEDB`, or restore it by hand as a superuser (`by_hand` in the manifest)"
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
                PostgresError::Dump(ref error) if error.is_of_a_bad_snapshot() => Exit::NoSnapshot,
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
            | PostgresError::Dump(_)
            | PostgresError::Manifest { .. }
            | PostgresError::MissingExtensions { .. } => Exit::NoSnapshot,
        }
    }
}

fn connect_hint(message: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if has(&["no password supplied"]) {
        "set PGPASSWORD, or put the password into the variable that names the database"
    } else if has(&["password"]) {
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
