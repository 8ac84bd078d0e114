//! Watching: each attempt is decided about and answered.
//!
//! One thread receives what the kernel shows, and answers at once what can be: what is no database's, what was decided
//! before. Whatever takes longer (whose a listener is, a name that is resolved, a database that is saved first) is looked
//! at on a thread of its own ([`looks`]), and so is where a Unix socket is ([`finding`]), so that one
//! program's look holds no other program's connection.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use crate::guard::decide::Decision;
use crate::guard::facts::Facts;
use crate::guard::finding;
use crate::guard::listeners::{Listeners, Listening, Table};
use crate::guard::looks;
use crate::guard::names::{AT_THE_START, Names};
use crate::guard::notification::{Aim, Attempt, Shown};
use crate::guard::owners::Owner;
use crate::guard::process;
use crate::guard::process::Protocol;
use crate::guard::programs::{self, Kind};
use crate::guard::refusal::Refusal;
use crate::guard::routes::{Routes, Whereabouts};
use crate::guard::rules::Rules;
use crate::guard::shared::Shared;
use crate::guard::sockaddr::Peer;
use crate::guard::waiting::{Met, Subject};
use crate::guard::within;
use crate::text::shown;

/// Looks up what has to be known before the command starts: whom names mean, and what listens.
pub(super) fn look_around(mut rules: Rules) -> io::Result<(Kernel, Rules, Table)> {
    let kernel = Kernel::new()?;
    let names = Names::look_up(rules.hosts(), AT_THE_START);
    rules.learn(names);
    rules.look_around(|address| kernel.serving(address));
    let table = kernel.listeners.table()?;
    Ok((kernel, rules, table))
}

/// What the kernel is asked by, and what it said of ourselves.
pub(super) struct Kernel {
    listeners: Listeners,
    routes: Routes,
    /// Our network; `None` where it may not be looked at.
    network: Option<u64>,
}

impl Kernel {
    pub(super) fn new() -> io::Result<Kernel> {
        let network = process::network("self");
        Ok(Kernel { listeners: Listeners::new()?, routes: Routes::new()?, network })
    }

    /// Finds the socket that a new connection to `address` would reach, where that is this machine's and the kernel tells.
    fn serving(&self, address: SocketAddr) -> Option<Listening> {
        let is_here = matches!(self.routes.whereabouts(address), Ok(Whereabouts::Here));
        is_here.then(|| self.listeners.tcp(address).ok().flatten()).flatten()
    }

    /// Tells whether a thread is in the same network as we are. One that may not be looked at is taken to be.
    fn shares_network(&self, thread: i32) -> bool {
        let theirs = process::network(&thread.to_string());
        theirs.zip(self.network).is_none_or(|(theirs, ours)| theirs == ours)
    }
}

/// Answers what the kernel shows.
pub(super) struct Watcher {
    pub(super) shared: Arc<Shared>,
    kernel: Kernel,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shared.sought.close();
    }
}

impl Watcher {
    pub(super) fn new(shared: &Arc<Shared>, kernel: Kernel) -> Self {
        Watcher { shared: Arc::clone(shared), kernel }
    }

    /// Answers until it is told to stop.
    pub(super) fn watch(&mut self, stop: &OwnedFd) {
        loop {
            match self.shared.listener.next(stop) {
                Ok(Shown::Attempt(attempt)) => {
                    self.answer_surely(&attempt);
                }
                Ok(Shown::Nothing) => {}
                Ok(Shown::Stop | Shown::Over) | Err(_) => return,
            }
        }
    }

    pub(super) fn answer_surely(&mut self, attempt: &Attempt) {
        // A fault of ours is to refuse, not to keep everybody waiting.
        if catch_unwind(AssertUnwindSafe(|| self.answer(attempt))).is_err() {
            self.shared.listener.fail(attempt, libc::EACCES);
        }
    }

    fn answer(&mut self, attempt: &Attempt) {
        let shared = &self.shared;
        if shared.is_filtered() && process::is_thread_of_ours(attempt.thread) {
            return shared.listener.let_through(attempt);
        }
        let aim = attempt.aim();
        if !shared.listener.is_waiting(attempt) {
            return;
        }
        if let Aim::Peer(peer) = &aim {
            shared.note_what_is_behind(attempt, peer);
            if shared.is_saved_within(attempt, peer) {
                return shared.listener.let_through(attempt);
            }
        }
        match aim {
            Aim::Peer(Peer::Abstract(name)) if within::is_to_us(attempt, &name) => self.hear(attempt),
            Aim::Peer(Peer::Internet(address)) => self.internet(attempt, address),
            Aim::Peer(Peer::Unspecified(Some(address))) if !attempt.is_connect() => self.internet(attempt, address),
            Aim::Peer(Peer::Path(path)) => finding::begin(shared, attempt, &path),
            Aim::Peer(Peer::Abstract(name)) => self.abstract_name(attempt, &name),
            Aim::Peer(Peer::Unspecified(_) | Peer::Other(_)) => shared.listener.let_through(attempt),
            // The kernel will say so itself, or has nothing to dial.
            Aim::Unreadable => shared.listener.let_through(attempt),
            Aim::Hidden(error) => self.hidden(attempt, &error),
        }
    }

    /// Hears what a safe-test within the run has come to.
    fn hear(&self, attempt: &Attempt) {
        let shared = &self.shared;
        let word = within::word(attempt).filter(|_| self.kernel.shares_network(attempt.thread));
        match word.filter(|_| shared.listener.is_waiting(attempt)) {
            Some((process, word)) => {
                shared.hear(process, word, |address| self.kernel.serving(address));
                shared.listener.take(attempt);
            }
            None => shared.listener.fail(attempt, libc::EACCES),
        }
    }

    fn internet(&mut self, attempt: &Attempt, address: SocketAddr) {
        let shared = &self.shared;
        // Where the kernel does not answer it is taken for elsewhere, which permits less.
        match self.kernel.routes.whereabouts(address).unwrap_or(Whereabouts::Elsewhere) {
            Whereabouts::Here => {}
            Whereabouts::Container => return self.off_the_machine(attempt, Subject::Container(address)),
            Whereabouts::Elsewhere => return self.off_the_machine(attempt, Subject::Away(address)),
        }
        if !self.kernel.shares_network(attempt.thread) {
            return self.another_networks(attempt, address);
        }
        match self.kernel.listeners.tcp(address) {
            Ok(None) => self.unheld(attempt, address),
            Ok(Some(listening)) => looks::met(shared, attempt, Subject::Here(address, listening)),
            Err(error) => {
                let why = format!("nobody can tell who listens there: {error}");
                shared.refuse(attempt, &address.to_string(), Refusal::plain(why, "run the command again"));
            }
        }
    }

    /// Decides about an address that is none of this machine's.
    fn off_the_machine(&self, attempt: &Attempt, subject: Subject) {
        let is_nobodys_business =
            matches!(self.shared.rules().decide(subject.aim(), &Facts::default()), Decision::Pass);
        if !is_nobodys_business && self.leads_into_a_container(attempt) {
            return self.shared.listener.let_through(attempt);
        }
        looks::decide(&self.shared, attempt, subject);
    }

    /// Tells whether it is made by what publishes the port of a container (`rootlessport`), from the container's network: what
    /// it passes on there has arrived at that port, and was decided about then. What a container connects to itself comes
    /// from our network.
    fn leads_into_a_container(&self, attempt: &Attempt) -> bool {
        !self.kernel.shares_network(attempt.thread) && {
            let process = process::process_of(attempt.thread).unwrap_or(attempt.thread);
            let program = process::name(process).map(|name| shown(&name).into_owned());
            let owner = Owner { program, ..Owner::default() };
            programs::kind(&owner) == Kind::Container && self.shared.listener.is_waiting(attempt)
        }
    }

    /// Decides about an address of this machine at which nobody listens: packets to it may be sent on all the same.
    fn unheld(&self, attempt: &Attempt, address: SocketAddr) {
        let shared = &self.shared;
        let subject = Subject::Unheld(address);
        let is_decided = {
            let rules = shared.rules();
            !rules.expects_a_database(address.port())
                || !matches!(rules.decide(subject.aim(), &Facts::default()), Decision::Look(_) | Decision::Refuse(_))
        };
        match is_decided {
            true => shared.listener.let_through(attempt),
            false => looks::begin(shared, attempt, subject, Facts::default()),
        }
    }

    /// Decides about an address of this machine as another network namespace has it. Nothing that a receipt names is there.
    fn another_networks(&self, attempt: &Attempt, address: SocketAddr) {
        if !self.shared.rules().expects_a_database(address.port()) || self.leads_into_a_container(attempt) {
            return self.shared.listener.let_through(attempt);
        }
        let why = "this program runs in a network of its own, where another server has that address";
        let refusal = Refusal::plain(why, "run it in the network that safe-test runs in");
        self.shared.refuse_a_stream(attempt, &address.to_string(), refusal);
    }

    /// Decides about a Unix socket that has a name and no file. People write such names with `@`.
    fn abstract_name(&mut self, attempt: &Attempt, name: &[u8]) {
        let path = |first: &[u8]| PathBuf::from(OsString::from_vec([first, name].concat()));
        let found = path(b"\0");
        match self.kernel.listeners.unix(&found) {
            Ok(None) => self.shared.listener.let_through(attempt),
            listening => {
                let socket = listening.ok().flatten().map(|listening| Met::Abstract(listening.inode));
                looks::met(&self.shared, attempt, Subject::Socket(path(b"@"), found, socket));
            }
        }
    }

    /// Decides about a program whose memory may not be read: a file that may be executed and not read, a program that
    /// protects itself. What is surely no connection to an address passes.
    fn hidden(&self, attempt: &Attempt, error: &io::Error) {
        let protocol = attempt.socket().ok().and_then(|socket| process::protocol(attempt.thread, socket));
        let may_be_database = match protocol {
            Some(Protocol::Stream) => true,
            Some(Protocol::Local | Protocol::Datagram) => false,
            None => attempt.may_be_internet(),
        };
        if !may_be_database {
            return self.shared.listener.let_through(attempt);
        }
        let why = format!("nobody may see where this program connects to: {error}");
        let refusal = Refusal::plain(why, "a program whose file can be read can be watched");
        self.shared.refuse(attempt, "an address that cannot be seen", refusal);
    }
}
