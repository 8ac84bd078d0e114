//! Watching: each attempt is decided about and answered.
//!
//! One thread receives what the kernel shows, and answers at once what can be: what is no database's, what was decided
//! before. Whatever takes longer (whose a listener is, a name that is resolved, a database that is saved first) is looked
//! at on a thread of its own ([`looks`]), and so is where a Unix socket is ([`finding`]), so that one
//! program's look holds no other program's connection.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};
use serde::{Deserialize, Serialize};

use crate::guard::account::Account;
use crate::guard::blind::Blind;
use crate::guard::containers::Engines;
use crate::guard::decide::Decision;
use crate::guard::facts::Facts;
use crate::guard::finding;
use crate::guard::grounds::Grounds;
use crate::guard::install::Line;
use crate::guard::listeners::{Listeners, Listening, Table};
use crate::guard::looks;
use crate::guard::messages::{Message, Tell};
use crate::guard::names::{AT_THE_START, Names};
use crate::guard::notification::{Aim, Attempt, Listener, Shown};
use crate::guard::process;
use crate::guard::process::Protocol;
use crate::guard::refusal::Refusal;
use crate::guard::routes::{Routes, Whereabouts};
use crate::guard::rules::{Rules, SavedWithin, real};
use crate::guard::shared::Shared;
use crate::guard::sockaddr::Peer;
use crate::guard::waiting::{Met, Subject, lock};
use crate::guard::within;
use crate::guard::within::Within;

/// A watch over a command, until it is [ended](Watch::end) or dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    watching: Watching,
    shared: Arc<Shared>,
    /// How long its end waits until all is told.
    patience: Duration,
}

/// A watch that looks around before it watches.
#[derive(Debug)]
pub(crate) struct Beginning {
    watching: Watching,
    ready: Receiver<io::Result<Arc<Shared>>>,
}

/// The thread that watches. It stops when this is dropped: a second one may be watching by other rules then.
#[derive(Debug)]
struct Watching {
    thread: Mutex<Option<JoinHandle<()>>>,
    stop: Arc<OwnedFd>,
}

/// What whoever watches next has to know besides the rules.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Handover {
    /// The targets that were saved at their first connection.
    saved: Vec<usize>,
    /// The attempts that were shown and are not answered yet.
    held: Vec<Attempt>,
    /// What engines of containers had before the command turned to them.
    #[serde(default)]
    engines: Engines,
    /// What safe-tests within the run have saved.
    #[serde(default)]
    within: SavedWithin,
    /// Those that are saving something just then.
    #[serde(default)]
    saving: Within,
}

impl Handover {
    /// Writes it down in no more than `longest` bytes. Where it is longer, what was saved within the run stays closed to
    /// whoever outlives the command: those that wait for an answer have to get one.
    pub(crate) fn to_bytes(&self, longest: usize) -> Vec<u8> {
        let whole = serde_json::to_vec(self).unwrap_or_default();
        if whole.len() <= longest {
            return whole;
        }
        let short = Handover { within: SavedWithin::default(), saving: Within::default(), ..self.clone() };
        serde_json::to_vec(&short).unwrap_or_default()
    }
}

/// Whoever watches when the command is over, until the last of its processes is.
pub(crate) struct Successor {
    listener: Arc<Listener>,
    rules: Rules,
    table: Table,
    tell: Tell,
}

/// How long the end of a run waits for a reader of standard error: the last line tells what was refused, too.
const FOR_A_READER: Duration = Duration::from_secs(1);

/// How long the end of all waits for what is written down: longer than for the log's lock.
const FOR_THE_LOG: Duration = Duration::from_secs(60);

impl Watching {
    /// Starts the thread that answers.
    fn start(watch: impl FnOnce(&OwnedFd) + Send + 'static) -> io::Result<Watching> {
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC)?);
        let stops = Arc::clone(&stop);
        let thread = Builder::new().name("guard".to_owned()).spawn(move || watch(&stops))?;
        Ok(Watching { thread: Mutex::new(Some(thread)), stop })
    }

    fn stop(&self) {
        // The counter cannot be full.
        let _ = rustix::io::write(&*self.stop, &1u64.to_ne_bytes());
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Beginning {
    /// Waits until every attempt will be answered, by what is true from then on: what listened before the command, and whom
    /// names meant. Nothing is started on the line before.
    ///
    /// # Errors
    ///
    /// The system's own: no netlink. Then nothing is answered.
    pub(crate) fn ready(self) -> io::Result<Watch> {
        // Nothing comes where its thread has panicked.
        let shared = self.ready.recv().map_err(|_| io::Error::from(io::ErrorKind::Other))??;
        Ok(Watch { watching: self.watching, shared, patience: FOR_A_READER })
    }
}

impl Watch {
    /// Begins to watch, by the rules that follow from the grounds. What is to be known first is looked up on a thread of its
    /// own while the caller goes on with something else.
    ///
    /// # Errors
    ///
    /// The system's own: no thread.
    pub(crate) fn begin(
        line: &Line,
        grounds: &Grounds<'_>,
        questions: Sender<Message>,
        tell: Tell,
    ) -> io::Result<Beginning> {
        let blind = Blind::of(grounds.environment());
        let rules = Rules::new(grounds, &blind, real);
        let listener = Arc::clone(line.listener());
        let (say, ready) = channel();
        let watching = Watching::start(move |stop| {
            let watcher = look_around(rules).and_then(|(kernel, rules, table)| {
                Ok(Watcher::new(&Shared::new(listener, rules, blind, table, Some(questions), tell)?, kernel))
            });
            // Nobody hears where the caller has given up.
            match watcher {
                Ok(mut watcher) => {
                    let _ = say.send(Ok(Arc::clone(&watcher.shared)));
                    watcher.watch(stop);
                }
                Err(error) => drop(say.send(Err(error))),
            }
        })?;
        Ok(Beginning { watching, ready })
    }

    /// Makes the one that will watch after us, before anything is started: it is taken along into another process, where
    /// `tell` is called.
    pub(crate) fn successor(&self, tell: &Tell) -> Successor {
        let Shared { listener, table, .. } = &*self.shared;
        let rules = self.shared.rules().clone();
        Successor { listener: Arc::clone(listener), rules, table: table.clone(), tell: Arc::clone(tell) }
    }

    /// Stops answering. What is not answered yet is left to whoever watches next; without one, nothing can connect any
    /// more once this watch is dropped.
    pub(crate) fn stop(&self) -> Handover {
        self.watching.stop();
        let thread = lock(&self.watching.thread).take();
        // A watcher that panicked has answered what it could; the account is what it wrote.
        let _ = thread.map(JoinHandle::join);
        // In this order: what is found by then may be looked into.
        let held = [self.shared.sought.give_up(), self.shared.looks.give_up()].concat();
        Handover {
            saved: lock(&self.shared.saved).clone(),
            held,
            engines: self.shared.rules().engines.clone(),
            within: self.shared.rules().saved_within(),
            saving: lock(&self.shared.within).clone(),
        }
    }

    /// Stops answering, and returns what was seen and told of.
    pub(crate) fn end(self) -> Account {
        self.stop();
        lock(&self.shared.teller).end(self.patience);
        self.shared.note_names();
        lock(&self.shared.account).clone()
    }
}

impl Successor {
    /// Gives the number of the one descriptor that it needs.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.listener.descriptor()
    }

    /// Begins to watch. For another process than the one that it was made in.
    ///
    /// # Errors
    ///
    /// The system's own, as [`Watch::begin`]; what cannot be watched cannot connect once this process has ended.
    pub(crate) fn watch(self, handover: Handover) -> io::Result<Watch> {
        let Successor { listener, mut rules, table, tell } = self;
        rules.saved(&handover.saved, None);
        rules.engines = handover.engines;
        rules.add_saved_within(handover.within);
        let shared = Shared::new(listener, rules, Blind::default(), table, None, tell)?;
        *lock(&shared.within) = handover.saving;
        let mut watcher = Watcher::new(&shared, Kernel::new()?);
        let watching = Watching::start(move |stop| {
            handover.held.iter().for_each(|attempt| watcher.answer_surely(attempt));
            watcher.watch(stop);
        })?;
        Ok(Watch { watching, shared, patience: FOR_THE_LOG })
    }
}

/// Looks up what has to be known before the command starts: whom names mean, and what listens.
fn look_around(mut rules: Rules) -> io::Result<(Kernel, Rules, Table)> {
    let kernel = Kernel::new()?;
    let names = Names::look_up(rules.hosts(), AT_THE_START);
    rules.learn(names);
    rules.look_around(|address| kernel.serving(address));
    let table = kernel.listeners.table()?;
    Ok((kernel, rules, table))
}

/// What the kernel is asked by, and what it said of ourselves.
struct Kernel {
    listeners: Listeners,
    routes: Routes,
    /// Our network; `None` where it may not be looked at.
    network: Option<u64>,
}

impl Kernel {
    fn new() -> io::Result<Kernel> {
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

struct Watcher {
    shared: Arc<Shared>,
    kernel: Kernel,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shared.sought.close();
    }
}

impl Watcher {
    fn new(shared: &Arc<Shared>, kernel: Kernel) -> Self {
        Watcher { shared: Arc::clone(shared), kernel }
    }

    fn watch(&mut self, stop: &OwnedFd) {
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

    fn answer_surely(&mut self, attempt: &Attempt) {
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
            Whereabouts::Container => return looks::decide(shared, attempt, Subject::Container(address)),
            Whereabouts::Elsewhere => return looks::decide(shared, attempt, Subject::Away(address)),
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
        if !self.shared.rules().expects_a_database(address.port()) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::rules::Places;
    use crate::guard::testing::{host, target};
    use crate::policy::GuardRules;
    use crate::reach::Engine;
    use std::net::{TcpListener, TcpStream};
    use std::thread::yield_now;

    fn begin(line: &Line) -> Beginning {
        let policy = GuardRules::default();
        let (targets, receipts, environment) = (&[], &[], &[]);
        let (is_unnamed, is_person) = (false, false);
        let grounds =
            Grounds { targets, receipts, policy: &policy, is_unnamed, is_person, git_hosts: &[], environment };
        Watch::begin(line, &grounds, channel().0, Arc::new(|_| {})).unwrap()
    }

    /// Ends once no thread is left that could answer.
    fn nobody_answers(line: &Line) {
        while Arc::strong_count(line.listener()) > 1 {
            yield_now();
        }
    }

    #[test]
    fn a_handover_that_would_be_too_long_keeps_those_that_wait() {
        let names = Names::known(&[("db.northwind-shop.test", "10.0.0.1")]);
        let mut rules = Rules::default();
        rules.take_over(&[], names, |_| None);
        assert!(serde_json::to_value(rules.saved_within()).unwrap()["named"].as_array().unwrap().is_empty());
        let target = target(Engine::Postgres, vec![host("db.northwind-shop.test", 5555)]);
        let places = Places::of(&target, std::path::Path::to_owned);
        rules.take_over(&[places], Names::default(), |_| None);
        let within = rules.saved_within();
        let handover = Handover { saved: vec![1, 2, 3], within, ..Handover::default() };
        let whole = handover.to_bytes(100_000);
        let read: Handover = serde_json::from_slice(&whole).unwrap();
        let mut others = Rules::default();
        others.add_saved_within(read.within);
        assert_eq!(others.at_address("10.0.0.1:5555".parse().unwrap()).len(), 1);
        assert!(others.expects_a_database(5555));
        let read: Handover = serde_json::from_slice(&handover.to_bytes(whole.len() - 1)).unwrap();
        assert_eq!(read.saved, [1, 2, 3]);
        let mut others = Rules::default();
        others.add_saved_within(read.within);
        assert!(others.at_address("10.0.0.1:5555".parse().unwrap()).is_empty());
    }

    #[test]
    fn a_watch_that_is_dropped_leaves_all_answers_to_the_next() {
        let line = Line::install().unwrap();
        drop(begin(&line));
        nobody_answers(&line);
        drop(begin(&line).ready().unwrap());
        nobody_answers(&line);
        let watch = begin(&line).ready().unwrap();
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = server.local_addr().unwrap();
        line.on_filtered_thread(move || TcpStream::connect(at)).recv().unwrap().unwrap();
        assert_eq!(watch.end().refusals(), 0);
        nobody_answers(&line);
    }
}
