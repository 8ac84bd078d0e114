//! What to do about a failure of the engine, the status that it ends with, and what it means for the database.

use crate::error::Explain;
use crate::exit::Exit;
use crate::snapshot::engine_error::{Consequence, EngineFailure};
use crate::snapshot::mysql::MysqlError;
use crate::snapshot::mysql::version::Flavor;

impl Explain for MysqlError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            MysqlError::NoTools => {
                "install the client (Debian: `apt-get install mariadb-client`, or `mysql-client` for MySQL; macOS: `brew \
                 install mysql-client` or `mariadb`); none is taken from a folder in the project"
            }
            MysqlError::NoneFits { flavor, server, .. } => {
                let (package, brew) = match flavor {
                    Flavor::Mariadb => ("mariadb-client", "mariadb"),
                    Flavor::Mysql => ("mysql-client", "mysql-client"),
                };
                let (major, minor) = server.series();
                return Some(format!(
                    "install {flavor}'s client of version {major}.{minor} or later (`{package}` of {flavor}'s packages; \
                     macOS: `brew install {brew}`)"
                ));
            }
            MysqlError::Tool(error) => return error.hint(),
            MysqlError::NotDialable { .. } => "correct the variable that names the database",
            MysqlError::CannotConnect { code, .. } => connect_hint(*code),
            MysqlError::NoSuchDatabase { .. } => "create it, or correct the variable that names it",
            MysqlError::NoDatabaseNamed { .. } => "give the database's name in the variable that names the server",
            MysqlError::NotMysql { .. } => "say in `.safe-test.toml` how this database is kept",
            MysqlError::OtherDatabase { .. } => "give the database's name in the URL, spelled as the server has it",
            MysqlError::ConnectionLost { .. } => "see the server's log for why it closed the connection",
            error @ MysqlError::Query { .. } if error.is_denied() => {
                "connect as a user who has this right, such as the one that made the database"
            }
            MysqlError::Query { .. } => return None,
            MysqlError::InUse { .. } => "end those sessions or let them finish, then try again",
            MysqlError::Dump(error) => return error.hint(),
            MysqlError::Manifest { .. } => "`safe-test list` shows the snapshots that can be used",
            MysqlError::OtherServer { .. } | MysqlError::SnapshotOfOtherDatabase { .. } => {
                "restore it by hand: the snapshot's manifest says how (`by_hand`)"
            }
            MysqlError::NotPermitted { .. } => "give the user the right (`GRANT …`), or connect as one who has it",
            MysqlError::NotRestorable { .. } => "restore it by hand: the snapshot's manifest says how (`by_hand`)",
            MysqlError::NotDropped { .. } | MysqlError::NotWrittenDown { .. } => return None,
            MysqlError::NotKept { .. } => "`safe-test list` shows what is kept, and the snapshots",
            MysqlError::NotRestored { source, .. } => return source.hint(),
            MysqlError::HalfRestored { .. } => "restoring again is safe: it begins anew",
        };
        Some(hint.to_owned())
    }

    fn exit(&self) -> Exit {
        match self {
            MysqlError::Tool(error) => error.exit(),
            MysqlError::NotRestored { source, .. } => match **source {
                MysqlError::Dump(ref error) if error.is_of_a_bad_snapshot() => Exit::NoSnapshot,
                _ => Exit::Failed,
            },
            MysqlError::OtherServer { .. }
            | MysqlError::SnapshotOfOtherDatabase { .. }
            | MysqlError::NotPermitted { .. }
            | MysqlError::NotRestorable { .. }
            | MysqlError::NotWrittenDown { .. }
            | MysqlError::NotKept { .. }
            | MysqlError::NotDropped { .. }
            | MysqlError::HalfRestored { .. } => Exit::Failed,
            MysqlError::NoTools
            | MysqlError::NoneFits { .. }
            | MysqlError::NotDialable { .. }
            | MysqlError::CannotConnect { .. }
            | MysqlError::NoSuchDatabase { .. }
            | MysqlError::NoDatabaseNamed { .. }
            | MysqlError::NotMysql { .. }
            | MysqlError::OtherDatabase { .. }
            | MysqlError::ConnectionLost { .. }
            | MysqlError::Query { .. }
            | MysqlError::InUse { .. }
            | MysqlError::Dump(_)
            | MysqlError::Manifest { .. } => Exit::NoSnapshot,
        }
    }
}

impl EngineFailure for MysqlError {
    fn asks_for_password(&self) -> bool {
        matches!(self, MysqlError::CannotConnect { code: ACCESS_DENIED | ACCESS_DENIED_WITHOUT_PASSWORD, .. })
    }

    fn found_no_server(&self) -> bool {
        matches!(self, MysqlError::CannotConnect { code: NO_SOCKET | NO_HOST | UNKNOWN_HOST | LOST, .. })
    }

    /// What stands before a server that starts, such as a container's forwarder, takes the connection and closes it.
    fn found_it_starting(&self) -> bool {
        matches!(self, MysqlError::CannotConnect { code: LOST, .. })
    }

    fn consequence(&self) -> Consequence {
        match self {
            MysqlError::HalfRestored { .. } => Consequence::MayHaveChanged,
            MysqlError::NoTools
            | MysqlError::NoneFits { .. }
            | MysqlError::Tool(_)
            | MysqlError::NotDialable { .. }
            | MysqlError::CannotConnect { .. }
            | MysqlError::NoSuchDatabase { .. }
            | MysqlError::NoDatabaseNamed { .. }
            | MysqlError::NotMysql { .. }
            | MysqlError::OtherDatabase { .. }
            | MysqlError::ConnectionLost { .. }
            | MysqlError::Query { .. }
            | MysqlError::InUse { .. }
            | MysqlError::Dump(_)
            | MysqlError::Manifest { .. }
            | MysqlError::OtherServer { .. }
            | MysqlError::SnapshotOfOtherDatabase { .. }
            | MysqlError::NotPermitted { .. }
            | MysqlError::NotRestorable { .. }
            | MysqlError::NotDropped { .. }
            | MysqlError::NotKept { .. }
            | MysqlError::NotWrittenDown { .. }
            | MysqlError::NotRestored { .. } => Consequence::Untouched,
        }
    }
}

/// `ER_ACCESS_DENIED_ERROR`.
pub(crate) const ACCESS_DENIED: u32 = 1045;
/// `ER_ACCESS_DENIED_NO_PASSWORD_ERROR`.
const ACCESS_DENIED_WITHOUT_PASSWORD: u32 = 1698;
/// `ER_CON_COUNT_ERROR`.
const TOO_MANY_CONNECTIONS: u32 = 1040;
/// `ER_TOO_MANY_USER_CONNECTIONS`.
const TOO_MANY_OF_THE_USER: u32 = 1203;
/// `ER_USER_LIMIT_REACHED`.
const TOO_MANY_OF_THE_ACCOUNT: u32 = 1226;
/// `CR_CONNECTION_ERROR`: nobody at the Unix socket.
const NO_SOCKET: u32 = 2002;
/// `CR_CONN_HOST_ERROR`: nobody at the port.
const NO_HOST: u32 = 2003;
/// `CR_UNKNOWN_HOST`.
const UNKNOWN_HOST: u32 = 2005;
/// `CR_SERVER_LOST`: the connection was taken and closed.
const LOST: u32 = 2013;

fn connect_hint(code: u32) -> &'static str {
    match code {
        ACCESS_DENIED | ACCESS_DENIED_WITHOUT_PASSWORD => {
            "check user and password in the variable that names the database; `restore` also asks for the password at a \
             terminal"
        }
        TOO_MANY_CONNECTIONS | TOO_MANY_OF_THE_USER | TOO_MANY_OF_THE_ACCOUNT => {
            "the server's connections are used up: close some, or raise max_connections"
        }
        NO_SOCKET | NO_HOST | LOST => "start the database; `safe-test doctor` shows how it was looked for",
        _ => "`safe-test doctor` shows how it was looked for",
    }
}
