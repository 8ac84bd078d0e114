//! What to do about a failure of the engine, the status that it ends with, and what it means for the server.

use crate::error::Explain;
use crate::exit::Exit;
use crate::snapshot::engine_error::{Consequence, EngineFailure};
use crate::snapshot::redis::RedisError;
use crate::snapshot::redis::error::Refusal;

impl Explain for RedisError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            RedisError::NoTools => {
                "install Redis's tools (Debian: `apt-get install redis-tools`; macOS: `brew install redis`) or Valkey's; none is \
                 taken from a folder in the project"
            }
            RedisError::Tool(error) => return error.hint(),
            RedisError::NotDialable { .. } => "correct the variable that names the server",
            RedisError::CannotConnect { why, .. } => match why {
                Refusal::NoServer => "start the server; one in a container has to publish its port on this machine",
                Refusal::Closed => "is it a server that wants TLS? Then its URL begins with rediss://",
                Refusal::Loading => "wait until the server has read its data, then try again",
                Refusal::Denied => "give a password, and a user where it is not `default`",
                Refusal::NotPermitted => {
                    "connect as a user who may give the commands INFO, SYNC and PSYNC, or let this one: ACL SETUSER NAME +info +sync \
                     +psync"
                }
                Refusal::NotRedis => "say in `.safe-test.toml` how this server is kept",
            },
            RedisError::NotSavable { remedy, .. } => remedy,
            RedisError::Command { .. } => {
                "connect as a user who may give this command; one that was renamed or taken away in the server's settings cannot be \
                 given"
            }
            RedisError::InUse => "let it finish, then try again",
            RedisError::Dump(error) => return error.hint(),
            RedisError::Manifest { .. } => "`safe-test list` shows the snapshots that can be used",
            RedisError::OtherServer { .. } => "restore it by hand: the snapshot's manifest says how (`by_hand`)",
            RedisError::NoServerProgram { .. } => {
                "install the server's own version on this machine (Debian: `apt-get install redis-server`), or restore it by hand: \
                 the snapshot's manifest says how (`by_hand`)"
            }
            RedisError::Temporary { .. } | RedisError::NotTakenOver { .. } => {
                "the snapshot's manifest says how to restore it by hand (`by_hand`)"
            }
            RedisError::NotRestored { source, .. } => return source.hint(),
            RedisError::HalfRestored { .. } => "restoring again is safe: it begins anew",
        };
        Some(hint.to_owned())
    }

    fn exit(&self) -> Exit {
        match self {
            RedisError::Tool(error) => error.exit(),
            RedisError::NotRestored { source, .. } => match **source {
                RedisError::Dump(ref error) if error.is_of_a_bad_snapshot() => Exit::NoSnapshot,
                _ => Exit::Failed,
            },
            RedisError::OtherServer { .. }
            | RedisError::NoServerProgram { .. }
            | RedisError::Temporary { .. }
            | RedisError::NotTakenOver { .. }
            | RedisError::HalfRestored { .. } => Exit::Failed,
            RedisError::NoTools
            | RedisError::NotDialable { .. }
            | RedisError::CannotConnect { .. }
            | RedisError::NotSavable { .. }
            | RedisError::Command { .. }
            | RedisError::InUse
            | RedisError::Dump(_)
            | RedisError::Manifest { .. } => Exit::NoSnapshot,
        }
    }
}

impl EngineFailure for RedisError {
    fn asks_for_password(&self) -> bool {
        matches!(self, RedisError::CannotConnect { why: Refusal::Denied, .. })
    }

    fn found_no_server(&self) -> bool {
        matches!(self, RedisError::CannotConnect { why: Refusal::NoServer | Refusal::Closed, .. })
    }

    fn found_it_starting(&self) -> bool {
        matches!(self, RedisError::CannotConnect { why: Refusal::Closed | Refusal::Loading, .. })
    }

    fn consequence(&self) -> Consequence {
        match self {
            RedisError::HalfRestored { .. } => Consequence::MayHaveChanged,
            RedisError::NoTools
            | RedisError::Tool(_)
            | RedisError::NotDialable { .. }
            | RedisError::CannotConnect { .. }
            | RedisError::NotSavable { .. }
            | RedisError::Command { .. }
            | RedisError::InUse
            | RedisError::Dump(_)
            | RedisError::Manifest { .. }
            | RedisError::OtherServer { .. }
            | RedisError::NoServerProgram { .. }
            | RedisError::Temporary { .. }
            | RedisError::NotTakenOver { .. }
            | RedisError::NotRestored { .. } => Consequence::Untouched,
        }
    }
}
