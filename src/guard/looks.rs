//! Looks that take longer: what is asked of `/proc`, of resolvers, of container engines, of the person's databases.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::guard::decide::Decision;
use crate::guard::facts;
use crate::guard::facts::{Aim, Facts, Newness};
use crate::guard::listeners::{Listeners, Listening};
use crate::guard::names;
use crate::guard::names::Names;
use crate::guard::notification::Attempt;
use crate::guard::owners::Owner;
use crate::guard::rules::Point;
use crate::guard::supervise::{Shared, lock};
use crate::guard::{owners, process};
use crate::text::shown;

/// How long what names mean is taken for what they still mean: a program that tries again and again has nobody asked as often.
const FRESH: Duration = Duration::from_secs(1);

/// What a look is about. Attempts at the same subject wait for the same look.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// An address of this machine, with the socket that listens there.
    Here(SocketAddr, Listening),
    /// An address of a container on this machine.
    Container(SocketAddr),
    /// An address of another machine.
    Away(SocketAddr),
    /// A Unix socket: its name, and where we find it.
    Socket(PathBuf, PathBuf),
}

impl Subject {
    pub(super) fn aim(&self) -> Aim<'_> {
        match self {
            Subject::Here(address, listening) => Aim::Here { address: *address, listening: *listening },
            Subject::Container(address) => Aim::Container { address: *address },
            Subject::Away(address) => Aim::Away { address: *address },
            Subject::Socket(path, _) => Aim::Socket { path },
        }
    }

    /// Shows where it is.
    pub(super) fn address(&self) -> String {
        match self {
            Subject::Here(address, _) | Subject::Container(address) | Subject::Away(address) => address.to_string(),
            Subject::Socket(path, _) => shown(path).into_owned(),
        }
    }

    /// Keeps what was decided about a listening socket for those that come later.
    pub(super) fn remember(&self, shared: &Shared, decision: &Decision) {
        if let Subject::Here(_, listening) = self {
            lock(&shared.decided).insert(listening.inode, decision.clone());
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

    /// Looks, and answers all that waited.
    pub(super) fn run(&self, shared: &Shared) {
        let mut facts = self.facts.clone();
        let decision = loop {
            let decision = shared.rules().decide(self.subject.aim(), &facts);
            let Decision::Look(look) = decision else { break decision };
            self.find_out(look, shared, &mut facts);
        };
        let met_at = match &self.subject {
            Subject::Here(address, listening) => Some((address.port(), *listening)),
            Subject::Container(_) | Subject::Away(_) | Subject::Socket(..) => None,
        };
        let decision = shared.settle(decision, met_at);
        if !is_datagram(&facts) {
            self.subject.remember(shared, &decision);
        }
        for attempt in self.end(shared) {
            if shared.listener.is_waiting(&attempt) {
                shared.carry_out(&attempt, decision.clone(), &self.subject.address());
            }
        }
    }

    /// Refuses all that waited, without a word: for a look that failed by a fault of ours.
    pub(super) fn refuse_all(&self, shared: &Shared) {
        self.end(shared).iter().for_each(|attempt| shared.listener.fail(attempt, libc::EACCES));
    }

    fn end(&self, shared: &Shared) -> Vec<Attempt> {
        lock(&shared.looks.0).remove(&self.key()).unwrap_or_default()
    }

    fn find_out(&self, look: facts::Look, shared: &Shared, facts: &mut Facts) {
        match look {
            facts::Look::Traffic => facts.traffic = Some(facts::Traffic::Stream),
            facts::Look::Owner => facts.owner = Some(self.owner()),
            facts::Look::ContainerPort => facts.container_port = Some(None),
            facts::Look::Newness => facts.newness = Some(Newness::Old("nobody can tell whether it is new".to_owned())),
            facts::Look::GitHost => {
                let process = process::process_of(self.first.thread).unwrap_or(self.first.thread);
                let is_git_host = match &self.subject {
                    Subject::Away(address) => names::is_git_host(address.ip(), &process::words(process)),
                    Subject::Here(..) | Subject::Container(_) | Subject::Socket(..) => false,
                };
                facts.is_git_host = Some(is_git_host);
            }
            facts::Look::Names => {
                let is_fresh = lock(&shared.looked_up).is_some_and(|at| at.elapsed() < FRESH);
                if !is_fresh {
                    let hosts: Vec<String> = shared.rules().hosts().map(str::to_owned).collect();
                    let found = Names::look_up(hosts.iter().map(String::as_str), names::BEFORE_A_REFUSAL);
                    shared.rules_to_change().learn(found);
                    *lock(&shared.looked_up) = Some(Instant::now());
                }
                facts.names_are_fresh = true;
            }
            facts::Look::ClearedOwners => {
                let points = shared.rules().cleared_points();
                for point in points {
                    let owner = match &point {
                        Point::Tcp(listening) => Some(owners::find(*listening)),
                        Point::Socket(path) => owner_of_socket(path),
                    };
                    if let Some(owner) = owner {
                        shared.rules_to_change().learn_owner(point, owner);
                    }
                }
                facts.owners_are_known = true;
            }
        }
    }

    fn owner(&self) -> Owner {
        match &self.subject {
            Subject::Here(_, listening) => owners::find(*listening),
            Subject::Socket(_, found) => owner_of_socket(found).unwrap_or_default(),
            Subject::Container(_) | Subject::Away(_) => Owner::default(),
        }
    }
}

/// Tells whether what was found out is about datagrams: then it says nothing of connections.
pub(super) fn is_datagram(facts: &Facts) -> bool {
    matches!(facts.traffic, Some(facts::Traffic::Datagram | facts::Traffic::DatagramsLater))
}

fn owner_of_socket(path: &Path) -> Option<Owner> {
    Listeners::new().and_then(|listeners| listeners.unix(path)).ok().flatten().map(owners::find)
}
