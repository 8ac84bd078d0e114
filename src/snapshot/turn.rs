//! Lets one safe-test of a user at a time check or restore a database on a server: the server itself has no locks that could
//! be held.

use std::fs::{File, OpenOptions};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::durable;
use crate::lock::{Lock, try_lock};
use crate::own_tools::ToolEnvironment;
use crate::regular;
use crate::state_directory::state_directory;
use crate::text::hex;

/// How long another one is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The turn, as long as it is kept.
#[derive(Debug)]
pub(crate) struct Turn(#[expect(dead_code, reason = "held, since closing the file gives the turn back")] Option<File>);

impl Turn {
    /// Takes the turn if nobody else has it. Where nothing can be written outside of the project, everybody has it: then two
    /// that meet find that what they made is not what they expect.
    pub(crate) fn try_take(environment: &ToolEnvironment, server: &str, database: &str) -> Option<Turn> {
        let Some(file) = file_of(environment, server, database) else { return Some(Turn(None)) };
        match try_lock(&file, Lock::Exclusive) {
            Ok(false) => None,
            Ok(true) => Some(Turn(Some(file))),
            Err(_) => Some(Turn(None)),
        }
    }

    /// Waits for the turn; `None` where another one takes longer than a minute.
    pub(crate) fn take(environment: &ToolEnvironment, server: &str, database: &str) -> Option<Turn> {
        let since = Instant::now();
        loop {
            if let Some(turn) = Turn::try_take(environment, server, database) {
                return Some(turn);
            }
            if since.elapsed() > PATIENCE {
                return None;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Opens the file that stands for a database. It stays, so that no two can hold locks on files of one name.
fn file_of(environment: &ToolEnvironment, server: &str, database: &str) -> Option<File> {
    let folder = state_directory(|name| environment.get(name)).join("turns");
    durable::private_folder(&folder).ok()?;
    let name = hex(&Sha256::digest(format!("{server}\0{database}"))[..16]);
    regular::open_own_to_write(&folder.join(name), OpenOptions::new().read(true).write(true).create(true)).ok()
}
