//! Looks that take longer: what is asked of `/proc`, of resolvers, of container engines, of the person's databases.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;

use crate::guard::listeners::{Listeners, Listening};
use crate::guard::notification::Attempt;
use crate::guard::owners;
use crate::guard::owners::Owner;
use crate::guard::rules::Decision;
use crate::guard::supervise::{Shared, lock};
use crate::text::shown;

/// What a look is about. Attempts at the same subject wait for the same look.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// An address of this machine, with the socket that listens there where the kernel told it.
    Here(SocketAddr, Option<Listening>),
    /// An address of another machine.
    Elsewhere(SocketAddr),
    /// A Unix socket: its name, and where we find it.
    Socket(PathBuf, PathBuf),
}

/// The looks that are under way, with the attempts that wait for each.
#[derive(Debug, Default)]
pub(super) struct Looks(Mutex<HashMap<Subject, Vec<Attempt>>>);

impl Looks {
    /// Has an attempt wait for a look; returns whether the look is to begin.
    pub(super) fn begin(&self, subject: &Subject, attempt: &Attempt) -> bool {
        let mut looks = lock(&self.0);
        if let Some(waiting) = looks.get_mut(subject) {
            waiting.push(attempt.clone());
            return false;
        }
        looks.insert(subject.clone(), vec![attempt.clone()]);
        true
    }

    fn end(&self, subject: &Subject) -> Vec<Attempt> {
        lock(&self.0).remove(subject).unwrap_or_default()
    }

    /// Takes the attempts off all looks: what these find out answers nobody any more.
    pub(super) fn give_up(&self) -> Vec<Attempt> {
        lock(&self.0).drain().flat_map(|(_, waiting)| waiting).collect()
    }
}

/// Looks, and answers all that waited.
pub(super) fn run(shared: &Shared, subject: &Subject) {
    let decision = shared.settle(decide(shared, subject));
    let address = match subject {
        Subject::Here(address, listening) => {
            if let Some(listening) = listening {
                lock(&shared.decided).insert(listening.inode, decision.clone());
            }
            address.to_string()
        }
        Subject::Elsewhere(address) => address.to_string(),
        Subject::Socket(name, _) => shown(name).into_owned(),
    };
    for attempt in shared.looks.end(subject) {
        if shared.listener.is_waiting(&attempt) {
            shared.carry_out(&attempt, decision.clone(), &address);
        }
    }
}

fn decide(shared: &Shared, subject: &Subject) -> Decision {
    let rules = &shared.rules;
    match subject {
        Subject::Here(address, listening) => {
            let owner = listening.map_or_else(Owner::default, owners::find);
            rules.here(*address, &owner)
        }
        Subject::Elsewhere(address) => rules.elsewhere(*address),
        Subject::Socket(name, found) => {
            let listening = Listeners::new().and_then(|listeners| listeners.unix(found));
            match listening {
                // Nobody is there.
                Ok(None) => Decision::Pass,
                Ok(Some(listening)) => rules.socket(name, Some(&owners::find(listening))),
                Err(_) => rules.socket(name, None),
            }
        }
    }
}
