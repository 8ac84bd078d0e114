//! A safe-test within a safe-test: a process has one such filter, and the outer one stands already.
//!
//! So the inner one tells the outer one what it is about to save, and then what it has saved. It does so by a datagram to a
//! name that nobody has: the filter shows the outer one who sends it, which no program can make up, and the outer one
//! answers in the kernel's place ([`within`](crate::guard::within)).

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, sendto, socket_with};
use serde::{Deserialize, Serialize};

use crate::guard::names::{AT_THE_START, Names};
use crate::guard::process;
use crate::guard::rules::{Places, real};
use crate::reach::Target;

/// The abstract name that words are sent to.
pub(super) const NAME: &[u8] = b"safe-test/within";

/// The safe-test around us, which watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outer {
    process: i32,
}

/// How far a safe-test within has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// It and the tools that it starts are about to look at these databases. Its command is not started yet.
    Saving,
    /// All are taken care of.
    Saved,
}

/// What a safe-test within says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Word {
    pub(super) stage: Stage,
    pub(super) places: Vec<Places>,
    /// The addresses of the hosts among them.
    pub(super) names: Names,
}

impl Outer {
    /// Finds the safe-test around us that watches: an ancestor that runs our own program and holds a filter's descriptor.
    pub(crate) fn find() -> Option<Outer> {
        let mut ancestor = process::origin(rustix::process::getpid().as_raw_pid())?.parent;
        while ancestor > 1 {
            if is_one_of_us(ancestor) && holds_a_filter(ancestor) {
                return Some(Outer { process: ancestor });
            }
            ancestor = process::origin(ancestor)?.parent;
        }
        None
    }

    pub(crate) fn process(self) -> i32 {
        self.process
    }

    /// Tells it how far we have come with these targets. From `Saving` until `Saved` we and our tools reach them; from then on
    /// the command does.
    ///
    /// # Errors
    ///
    /// Where it does not take that over, as from another network or another file system: what it has not saved itself stays
    /// closed.
    pub(crate) fn tell(self, stage: Stage, targets: &[&Target]) -> io::Result<()> {
        let places: Vec<Places> = targets.iter().map(|target| Places::of(target, real)).collect();
        let names = Names::look_up(places.iter().flat_map(Places::names), AT_THE_START);
        let text = serde_json::to_vec(&Word { stage, places, names })?;
        let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
        match sendto(&socket, &text, SendFlags::NOSIGNAL, &SocketAddrUnix::new_abstract_name(NAME)?)? {
            // As it answers; the kernel counts what it has sent.
            0 => Ok(()),
            _ => Err(io::Error::other("somebody else listens there")),
        }
    }
}

/// Tells whether a process runs the very file that we run.
pub(super) fn is_one_of_us(process: i32) -> bool {
    let program = |process: &str| fs::metadata(format!("/proc/{process}/exe")).map(|found| (found.dev(), found.ino()));
    program(&process.to_string()).is_ok_and(|theirs| program("self").is_ok_and(|own| theirs == own))
}

fn holds_a_filter(process: i32) -> bool {
    let descriptors = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    // As the kernel calls it (`kernel/seccomp.c`, `init_listener`).
    descriptors
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .any(|to| to == Path::new("anon_inode:seccomp notify"))
}
