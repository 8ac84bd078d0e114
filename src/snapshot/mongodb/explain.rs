//! What to do about a failure of the engine, the status that it ends with, and what it means for the database.

use crate::error::Explain;
use crate::exit::Exit;
use crate::snapshot::engine_error::{Consequence, EngineFailure};
use crate::snapshot::mongodb::MongoError;
use crate::snapshot::mongodb::error::Refusal;

impl Explain for MongoError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            MongoError::NoTools => {
                "install MongoDB's database tools (package `mongodb-database-tools` of MongoDB; macOS: `brew install \
                 mongodb/brew/mongodb-database-tools`); none is taken from a folder in the project"
            }
            MongoError::Tool(error) => return error.hint(),
            MongoError::NotDialable { .. } => "correct the variable that names the database",
            MongoError::CannotConnect { why, .. } => match why {
                Refusal::NoServer => "start the server; one in a container has to publish its port on this machine",
                Refusal::Closed => {
                    "wait until the server has started; one that takes connections by TLS only cannot be saved: say in \
                     `.safe-test.toml` how it is kept"
                }
                Refusal::Denied => {
                    "give a user and a password, and `authSource` where the user is of another database; SCRAM-SHA-256 is \
                     understood"
                }
                Refusal::NotMongodb => "say in `.safe-test.toml` how this database is kept",
                Refusal::NotPrimary => {
                    "name the member of the replica set that is its primary, or wait until there is one"
                }
            },
            MongoError::NoSuchDatabase { .. } => "create it, or correct the variable that names it",
            MongoError::NoDatabaseNamed { .. } => {
                "give the database's name in the URL (mongodb://127.0.0.1:27017/NAME), or in a variable beside it"
            }
            MongoError::NotSavable { remedy, .. } => remedy,
            MongoError::ConnectionLost { .. } => "see the server's log for why it closed the connection",
            error @ MongoError::Command { .. } if error.is_denied() => {
                "connect as a user who has the role `readWrite` on the database"
            }
            MongoError::Command { .. } | MongoError::NotDropped { .. } | MongoError::NotWrittenDown { .. } => {
                return None;
            }
            MongoError::InUse { .. } => "let it finish, then try again",
            MongoError::Dump(error) => return error.hint(),
            MongoError::Manifest { .. } => "`safe-test list` shows the snapshots that can be used",
            MongoError::OtherServer { .. } | MongoError::SnapshotOfOtherDatabase { .. } => {
                "restore it by hand: the snapshot's manifest says how (`by_hand`)"
            }
            MongoError::NotPermitted { .. } => "connect as a user who may make databases (`readWriteAnyDatabase`)",
            MongoError::NotRestored { source, .. } => return source.hint(),
            MongoError::HalfRestored { .. } => "restoring again is safe: it begins anew",
        };
        Some(hint.to_owned())
    }

    fn exit(&self) -> Exit {
        match self {
            MongoError::Tool(error) => error.exit(),
            MongoError::NotRestored { source, .. } => match **source {
                MongoError::Dump(ref error) if error.is_of_a_bad_snapshot() => Exit::NoSnapshot,
                _ => Exit::Failed,
            },
            MongoError::OtherServer { .. }
            | MongoError::SnapshotOfOtherDatabase { .. }
            | MongoError::NotPermitted { .. }
            | MongoError::NotWrittenDown { .. }
            | MongoError::NotDropped { .. }
            | MongoError::HalfRestored { .. } => Exit::Failed,
            MongoError::NoTools
            | MongoError::NotDialable { .. }
            | MongoError::CannotConnect { .. }
            | MongoError::NoSuchDatabase { .. }
            | MongoError::NoDatabaseNamed { .. }
            | MongoError::NotSavable { .. }
            | MongoError::ConnectionLost { .. }
            | MongoError::Command { .. }
            | MongoError::InUse { .. }
            | MongoError::Dump(_)
            | MongoError::Manifest { .. } => Exit::NoSnapshot,
        }
    }
}

impl EngineFailure for MongoError {
    fn asks_for_password(&self) -> bool {
        matches!(self, MongoError::CannotConnect { why: Refusal::Denied, .. })
    }

    fn found_no_server(&self) -> bool {
        matches!(self, MongoError::CannotConnect { why: Refusal::NoServer | Refusal::Closed, .. })
    }

    fn found_it_starting(&self) -> bool {
        matches!(self, MongoError::CannotConnect { why: Refusal::Closed, .. })
    }

    fn consequence(&self) -> Consequence {
        match self {
            MongoError::HalfRestored { .. } => Consequence::MayHaveChanged,
            MongoError::NoTools
            | MongoError::Tool(_)
            | MongoError::NotDialable { .. }
            | MongoError::CannotConnect { .. }
            | MongoError::NoSuchDatabase { .. }
            | MongoError::NoDatabaseNamed { .. }
            | MongoError::NotSavable { .. }
            | MongoError::ConnectionLost { .. }
            | MongoError::Command { .. }
            | MongoError::InUse { .. }
            | MongoError::Dump(_)
            | MongoError::Manifest { .. }
            | MongoError::OtherServer { .. }
            | MongoError::SnapshotOfOtherDatabase { .. }
            | MongoError::NotPermitted { .. }
            | MongoError::NotDropped { .. }
            | MongoError::NotWrittenDown { .. }
            | MongoError::NotRestored { .. } => Consequence::Untouched,
        }
    }
}
