//! Attempts that wait for what takes longer to find out: those at one subject wait for one look.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::guard::facts::{Aim, Facts, Traffic};
use crate::guard::listeners::Listening;
use crate::guard::notification::Attempt;
use crate::text::shown;

/// What a look is about. Attempts at the same subject wait for the same look.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// An address of this machine, with the socket that listens there.
    Here(SocketAddr, Listening),
    /// An address of a container on this machine.
    Container(SocketAddr),
    /// An address of this machine at which nobody listens.
    Unheld(SocketAddr),
    /// An address of another machine.
    Away(SocketAddr),
    /// A Unix socket: its name, where we find it, and which one was there.
    Socket(PathBuf, PathBuf, Option<Met>),
}

/// A listening socket as it is met. The same one is decided about once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Met {
    /// By its inode, at this address: it may listen at several.
    At(SocketAddr, u32),
    /// In the file system: its device, its inode, and when that was changed. A server that takes the place makes another.
    File(u64, u64, (i64, i64)),
    /// Under an abstract name, by its inode.
    Abstract(u32),
}

impl Met {
    /// Tells which Unix socket is at this place in the file system.
    pub(super) fn file(path: &Path) -> Option<Met> {
        use std::os::unix::fs::MetadataExt;
        let found = std::fs::metadata(path).ok()?;
        Some(Met::File(found.dev(), found.ino(), (found.ctime(), found.ctime_nsec())))
    }
}

impl Subject {
    pub(super) fn aim(&self) -> Aim<'_> {
        match self {
            Subject::Here(address, listening) => Aim::Here { address: *address, listening: *listening },
            // Whoever answers there, if anybody does, is as much on this machine as a container.
            Subject::Container(address) | Subject::Unheld(address) => Aim::Container { address: *address },
            Subject::Away(address) => Aim::Away { address: *address },
            Subject::Socket(path, ..) => Aim::Socket { path },
        }
    }

    /// Shows where it is.
    pub(super) fn address(&self) -> String {
        match self {
            Subject::Here(address, _)
            | Subject::Container(address)
            | Subject::Unheld(address)
            | Subject::Away(address) => address.to_string(),
            Subject::Socket(path, ..) => shown(path).into_owned(),
        }
    }

    /// Tells which listening socket it is, where that can be told from others.
    pub(super) fn met(&self) -> Option<Met> {
        match self {
            Subject::Here(address, listening) => Some(Met::At(*address, listening.inode)),
            Subject::Socket(_, _, met) => *met,
            Subject::Container(_) | Subject::Unheld(_) | Subject::Away(_) => None,
        }
    }
}

/// The looks that are under way, with the attempts that wait for each.
#[derive(Debug, Default)]
pub(super) struct Looks(Mutex<HashMap<Key, Vec<Attempt>>>);

/// What two attempts at one subject must share to share the look.
type Key = (Subject, bool, Option<i32>);

/// A look for one attempt and all that come to the same meanwhile.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) subject: Subject,
    /// What is known already.
    pub(super) facts: Facts,
    pub(super) first: Attempt,
}

impl Looks {
    /// Has an attempt wait for a look; returns whether the look is to begin.
    pub(super) fn begin(&self, look: &Look, attempt: &Attempt) -> bool {
        let mut looks = lock(&self.0);
        if let Some(waiting) = looks.get_mut(&look.key()) {
            waiting.push(attempt.clone());
            return false;
        }
        looks.insert(look.key(), vec![attempt.clone()]);
        true
    }

    /// Takes the attempts off all looks: what these find out answers nobody any more.
    pub(super) fn give_up(&self) -> Vec<Attempt> {
        lock(&self.0).drain().flat_map(|(_, waiting)| waiting).collect()
    }
}

impl Look {
    fn key(&self) -> Key {
        // Who is let through to another machine hangs on the program, too.
        let of_one = matches!(self.subject, Subject::Away(_)).then_some(self.first.thread);
        (self.subject.clone(), is_datagram(&self.facts), of_one)
    }

    /// Takes the attempts that waited for it off the list.
    pub(super) fn end(&self, looks: &Looks) -> Vec<Attempt> {
        lock(&looks.0).remove(&self.key()).unwrap_or_default()
    }
}

/// Tells whether what was found out is about datagrams: then it says nothing of connections.
pub(super) fn is_datagram(facts: &Facts) -> bool {
    matches!(facts.traffic, Some(Traffic::Datagram | Traffic::DatagramsLater))
}

/// Locks, also after a panic: what is guarded is whole at every step.
pub(super) fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
