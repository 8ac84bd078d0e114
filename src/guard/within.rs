//! The safe-tests within the run, and what they say ([`nested`]).
//!
//! Believed is a process below the command, as all are that the filter shows, which runs the very file that we run: it
//! judges as we do. A program that says the same words is believed nothing.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::guard::nested;
use crate::guard::nested::{NAME, Word};
use crate::guard::notification::Attempt;
use crate::guard::process;
use crate::guard::process::Origin;
use crate::guard::rules::{Hosts, Places};

/// The most bytes of a word: that of a project with thousands of databases.
const LONGEST: usize = 1 << 20;

/// The safe-tests within that are saving something.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Within(Vec<Saving>);

/// A safe-test that is saving, and what: until its command starts, all that it has started is its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Saving {
    process: i32,
    /// When it started.
    started: u64,
    places: Vec<(Hosts, Vec<PathBuf>)>,
}

/// Tells whether this is a word to us, whoever says it.
pub(super) fn is_to_us(attempt: &Attempt, name: &[u8]) -> bool {
    name == NAME && !attempt.is_connect()
}

/// Reads the word of a safe-test within; `None` where the one who says it is none, or sees other files than we do. It is true
/// where the attempt still waits afterwards.
pub(super) fn word(attempt: &Attempt) -> Option<(i32, Word)> {
    let process = process::process_of(attempt.thread)?;
    if !nested::is_one_of_us(process) || !process::shares_files(process) {
        return None;
    }
    let text = attempt.message(LONGEST).ok()?;
    Some((process, serde_json::from_slice(&text).ok()?))
}

impl Within {
    /// Lets a safe-test reach what it is about to save.
    pub(super) fn begin(&mut self, process: i32, word: &Word) {
        self.end(process);
        self.0.retain(Saving::is_there);
        let Some(Origin { started, .. }) = process::origin(process) else { return };
        let hosts = |places: &Places| {
            let mut hosts = places.hosts();
            hosts.look_up(&word.names);
            (hosts, places.sockets.clone())
        };
        self.0.push(Saving { process, started, places: word.places.iter().map(hosts).collect() });
    }

    /// Ends that, since its command is about to start.
    pub(super) fn end(&mut self, process: i32) {
        self.0.retain(|saving| saving.process != process);
    }

    /// Tells whether an attempt at an address is one of a safe-test that is saving what is there, or of a tool of its.
    pub(super) fn saves_at(&self, thread: i32, address: SocketAddr) -> bool {
        self.is_saving(thread, |(hosts, _)| hosts.have(address))
    }

    /// The same for a Unix socket, its links followed.
    pub(super) fn saves_in(&self, thread: i32, socket: &Path) -> bool {
        self.is_saving(thread, |(_, sockets)| sockets.iter().any(|own| own == socket))
    }

    fn is_saving(&self, thread: i32, at: impl Fn(&(Hosts, Vec<PathBuf>)) -> bool) -> bool {
        let below = |process: i32| process::process_of(thread).is_some_and(|one| process::descends(one, process));
        self.0.iter().any(|saving| saving.places.iter().any(&at) && saving.is_there() && below(saving.process))
    }
}

impl Saving {
    /// Tells whether it is still the one that spoke, and no other one with its number.
    fn is_there(&self) -> bool {
        process::origin(self.process).is_some_and(|origin| origin.started == self.started)
    }
}
