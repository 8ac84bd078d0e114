//! Watching: each attempt is decided about and answered.
//!
//! One thread receives what the kernel shows, and answers at once what can be: what is no database's, what was decided
//! before. Whatever takes longer (whose a listener is, a name that is resolved, a database that is saved first) is looked
//! at on a thread of its own ([`looks`](crate::guard::looks)), so that one program's look holds no other program's
//! connection.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{OwnedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use rustix::event::{EventfdFlags, eventfd};
use serde::{Deserialize, Serialize};

use crate::guard::account::{Account, Reached, Refused};
use crate::guard::blind::Blind;
use crate::guard::decide::Decision;
use crate::guard::facts::{Facts, Look, Traffic};
use crate::guard::listeners::{Listeners, Listening, Table, Whereabouts};
use crate::guard::looks;
use crate::guard::looks::{Looks, Subject};
use crate::guard::notification::{Aim, Attempt, Listener, Shown};
use crate::guard::process;
use crate::guard::process::Protocol;
use crate::guard::refusal::Refusal;
use crate::guard::rules::Rules;
use crate::guard::sockaddr::Peer;
use crate::guard::{Line, Message, Question};
use crate::text::shown;

/// A watch over a command, until it is [ended](Watch::end).
#[derive(Debug)]
pub(crate) struct Watch {
    thread: Mutex<Option<JoinHandle<()>>>,
    stop: Arc<OwnedFd>,
    shared: Arc<Shared>,
}

/// What is told at once: it is called on a thread of the watch.
pub(crate) type Tell = Box<dyn Fn(&Refused) + Send + Sync>;

/// What whoever watches next has to know besides the rules.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Handover {
    /// The targets that were saved at their first connection.
    saved: Vec<usize>,
    /// The attempts that were shown and are not answered yet.
    held: Vec<Attempt>,
}

/// Whoever watches when the command is over, until the last of its processes is.
#[derive(Debug)]
pub(crate) struct Successor {
    shared: Arc<Shared>,
    stop: Arc<OwnedFd>,
}

/// What all threads of a watch share.
pub(super) struct Shared {
    pub(super) listener: Arc<Listener>,
    rules: RwLock<Rules>,
    /// Whom others are reached through, unseen.
    blind: Blind,
    /// What listened before the command was started.
    pub(super) table: Table,
    /// What was decided about listening sockets, by their inodes.
    pub(super) decided: Mutex<HashMap<u32, Decision>>,
    pub(super) looks: Looks,
    /// When names were looked up last.
    pub(super) looked_up: Mutex<Option<Instant>>,
    /// The targets that were saved since.
    saved: Mutex<Vec<usize>>,
    account: Mutex<Account>,
    questions: Option<Mutex<Sender<Message>>>,
    tell: Tell,
    /// This process is under the filter itself.
    is_filtered: bool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Watch {
    /// Begins to answer, before anything is started on the line.
    ///
    /// # Errors
    ///
    /// The system's own: no thread, no netlink.
    pub(crate) fn begin(
        line: &Line,
        mut rules: Rules,
        blind: Blind,
        questions: Sender<Message>,
        tell: Tell,
    ) -> io::Result<Watch> {
        let listeners = Listeners::new()?;
        rules.look_around(|address| listeners.serving(address).ok().flatten());
        let shared = Arc::new(Shared {
            listener: Arc::clone(line.listener()),
            rules: RwLock::new(rules),
            blind,
            table: listeners.table()?,
            decided: Mutex::default(),
            looks: Looks::default(),
            looked_up: Mutex::default(),
            saved: Mutex::default(),
            account: Mutex::default(),
            questions: Some(Mutex::new(questions)),
            tell,
            is_filtered: false,
        });
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC)?);
        let mut watcher = Watcher::new(&shared, listeners);
        let stops = Arc::clone(&stop);
        let thread = Builder::new().name("guard".to_owned()).spawn(move || watcher.watch(&stops))?;
        Ok(Watch { thread: Mutex::new(Some(thread)), stop, shared })
    }

    /// Makes the one that will watch after us, before anything is started: it is taken along into another process.
    ///
    /// # Errors
    ///
    /// The system's own: no descriptor.
    pub(crate) fn successor(&self) -> io::Result<Successor> {
        let shared = Shared {
            listener: Arc::clone(&self.shared.listener),
            rules: RwLock::new(self.shared.rules().clone()),
            blind: Blind::default(),
            table: self.shared.table.clone(),
            decided: Mutex::default(),
            looks: Looks::default(),
            looked_up: Mutex::default(),
            saved: Mutex::default(),
            account: Mutex::default(),
            questions: None,
            tell: Box::new(|_| {}),
            is_filtered: true,
        };
        Ok(Successor { shared: Arc::new(shared), stop: Arc::clone(&self.stop) })
    }

    /// Stops answering. What is not answered yet is left to whoever watches next; without one, nothing can connect any
    /// more once this watch is dropped.
    pub(crate) fn stop(&self) -> Handover {
        // The counter cannot be full.
        let _ = rustix::io::write(&*self.stop, &1u64.to_ne_bytes());
        let thread = lock(&self.thread).take();
        // A watcher that panicked has answered what it could; the account is what it wrote.
        let _ = thread.map(JoinHandle::join);
        Handover { saved: lock(&self.shared.saved).clone(), held: self.shared.looks.give_up() }
    }

    /// Stops answering, and returns what was seen.
    pub(crate) fn end(self) -> Account {
        self.stop();
        lock(&self.shared.account).clone()
    }
}

impl Successor {
    /// Gives the number of the one descriptor that it needs.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.shared.listener.descriptor()
    }

    /// Watches as long as the calling process lives; what cannot be watched cannot connect. For another process than the
    /// one that it was made in.
    pub(crate) fn watch(self, handover: Handover) {
        let Ok(listeners) = Listeners::new() else { return };
        let Ok(never) = eventfd(0, EventfdFlags::CLOEXEC) else { return };
        self.shared.rules_to_change().saved(&handover.saved, None);
        let mut watcher = Watcher::new(&self.shared, listeners);
        handover.held.iter().for_each(|attempt| watcher.answer(attempt));
        watcher.watch(&never);
    }
}

/// How many programs' connections are remembered as told of.
const MOST_TOLD: usize = 4096;

struct Watcher {
    shared: Arc<Shared>,
    listeners: Listeners,
    /// The connections, by thread and listening socket, that stand in the account.
    told: HashSet<(i32, u32)>,
}

impl Watcher {
    fn new(shared: &Arc<Shared>, listeners: Listeners) -> Self {
        Watcher { shared: Arc::clone(shared), listeners, told: HashSet::new() }
    }

    fn watch(&mut self, stop: &OwnedFd) {
        loop {
            match self.shared.listener.next(stop) {
                Ok(Shown::Attempt(attempt)) => {
                    // A fault of ours is to refuse, not to keep everybody waiting.
                    if catch_unwind(AssertUnwindSafe(|| self.answer(&attempt))).is_err() {
                        self.shared.listener.fail(&attempt, libc::EACCES);
                    }
                }
                Ok(Shown::Nothing) => {}
                Ok(Shown::Stop | Shown::Over) | Err(_) => return,
            }
        }
    }

    fn answer(&mut self, attempt: &Attempt) {
        let shared = &self.shared;
        if shared.is_filtered && process::is_thread_of_ours(attempt.thread) {
            return shared.listener.let_through(attempt);
        }
        let aim = attempt.aim();
        if !shared.listener.is_waiting(attempt) {
            return;
        }
        if let Aim::Peer(peer) = &aim {
            shared.note_what_is_behind(attempt, peer);
        }
        match aim {
            Aim::Peer(Peer::Internet(address)) => self.internet(attempt, address),
            Aim::Peer(Peer::Unspecified(Some(address))) if !attempt.is_connect() => self.internet(attempt, address),
            Aim::Peer(Peer::Path(path)) => self.unix(attempt, &path),
            Aim::Peer(Peer::Abstract(_) | Peer::Unspecified(_) | Peer::Other(_)) => {
                shared.listener.let_through(attempt)
            }
            // The kernel will say so itself, or has nothing to dial.
            Aim::Unreadable => shared.listener.let_through(attempt),
            Aim::Hidden(error) => self.hidden(attempt, &error),
        }
    }

    fn internet(&mut self, attempt: &Attempt, address: SocketAddr) {
        let shared = &self.shared;
        // Where the kernel does not answer it is taken for elsewhere, which permits less.
        match self.listeners.whereabouts(address.ip()).unwrap_or(Whereabouts::Elsewhere) {
            Whereabouts::Here => {}
            Whereabouts::Container => return self.decide(attempt, Subject::Container(address)),
            Whereabouts::Elsewhere => return self.decide(attempt, Subject::Away(address)),
        }
        if !process::shares_network(attempt.thread) {
            return self.another_networks(attempt, address);
        }
        match self.listeners.tcp(address) {
            Ok(None) => shared.listener.let_through(attempt),
            Ok(Some(listening)) => self.here(attempt, address, listening),
            Err(error) => {
                let why = format!("nobody can tell who listens there: {error}");
                shared.refuse(attempt, &address.to_string(), Refusal::plain(why, "run the command again"));
            }
        }
    }

    fn here(&mut self, attempt: &Attempt, address: SocketAddr, listening: Listening) {
        let told = (attempt.thread, listening.inode);
        if self.told.contains(&told) {
            return self.shared.listener.let_through(attempt);
        }
        let decided = lock(&self.shared.decided).get(&listening.inode).cloned();
        let Some(decision) = decided else { return self.decide(attempt, Subject::Here(address, listening)) };
        if !matches!(decision, Decision::Refuse(_) | Decision::Deny) {
            if self.told.len() == MOST_TOLD {
                self.told.clear();
            }
            self.told.insert(told);
        }
        self.shared.carry_out(attempt, decision, &address.to_string());
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

    fn unix(&self, attempt: &Attempt, path: &std::path::Path) {
        let (name, found) = process::socket_path(attempt.thread, path);
        self.decide(attempt, Subject::Socket(name, found));
    }

    /// Decides at once where that can be; else has it looked into.
    fn decide(&self, attempt: &Attempt, subject: Subject) {
        let mut facts = Facts::default();
        let decision = loop {
            match self.shared.rules().decide(subject.aim(), &facts) {
                Decision::Look(Look::Traffic) => facts.traffic = Some(traffic(attempt)),
                decision => break decision,
            }
        };
        match decision {
            Decision::Look(_) | Decision::SaveFirst(_) => self.shared.look(attempt, subject, facts),
            decision => {
                if !looks::is_datagram(&facts) {
                    subject.remember(&self.shared, &decision);
                }
                self.shared.carry_out(attempt, decision, &subject.address());
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

impl Shared {
    /// Finds out what is to be known of a subject, and answers all that waited for that, on a thread of its own.
    fn look(self: &Arc<Self>, attempt: &Attempt, subject: Subject, facts: Facts) {
        let look = Arc::new(looks::Look { subject, facts, first: attempt.clone() });
        if !self.looks.begin(&look, attempt) {
            return;
        }
        let (shared, looked) = (Arc::clone(self), Arc::clone(&look));
        let run = move || {
            if catch_unwind(AssertUnwindSafe(|| looked.run(&shared))).is_err() {
                looked.refuse_all(&shared);
            }
        };
        if Builder::new().name("look".to_owned()).stack_size(512 << 10).spawn(run).is_err() {
            // No room for a thread: then everybody waits.
            look.run(self);
        }
    }

    pub(super) fn rules(&self) -> RwLockReadGuard<'_, Rules> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn rules_to_change(&self) -> RwLockWriteGuard<'_, Rules> {
        self.rules.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has targets saved, and the listener that they were met at taken for theirs. Turns a decision that waits for that into
    /// one that does not.
    pub(super) fn settle(&self, decision: Decision, met_at: Option<(u16, Listening)>) -> Decision {
        let Decision::SaveFirst(targets) = decision else { return decision };
        for target in &targets {
            if let Err(why) = self.ask(*target) {
                return Decision::Refuse(Refusal::plain(why, "what went wrong stands above"));
            }
        }
        self.rules_to_change().saved(&targets, met_at);
        lock(&self.saved).extend(&targets);
        targets.first().map_or(Decision::Pass, |first| Decision::Cleared(*first))
    }

    pub(super) fn carry_out(&self, attempt: &Attempt, decision: Decision, address: &str) {
        let (target, note) = match decision {
            Decision::Pass => return self.listener.let_through(attempt),
            Decision::Deny => return self.listener.fail(attempt, libc::EACCES),
            // Neither comes here: both are settled before.
            Decision::SaveFirst(_) | Decision::Look(_) => {
                let refusal = Refusal::plain("nobody found out what it is", "run the command again");
                return self.refuse(attempt, address, refusal);
            }
            Decision::Refuse(refusal) => return self.refuse(attempt, address, refusal),
            Decision::Cleared(target) => (Some(target), None),
            Decision::PassNoted(note) => (None, Some(note.to_string())),
        };
        let (process, program) = program_of(attempt);
        lock(&self.account).add_reached(Reached { address: address.to_owned(), program, process, target, note });
        self.listener.let_through(attempt);
    }

    /// Writes down whom others are reached through. Where it is refused after all, that goes before.
    fn note_what_is_behind(&self, attempt: &Attempt, peer: &Peer) {
        let Some(note) = self.blind.note(peer) else { return };
        let address = match peer {
            Peer::Internet(address) => address.to_string(),
            Peer::Path(path) => shown(path).into_owned(),
            Peer::Abstract(_) | Peer::Unspecified(_) | Peer::Other(_) => return,
        };
        let (process, program) = program_of(attempt);
        let note = Some(note.to_owned());
        lock(&self.account).add_reached(Reached { address, program, process, target: None, note });
    }

    /// Has a target saved, on the main thread.
    fn ask(&self, target: usize) -> Result<(), String> {
        let gone = || "it was not saved, and the command that it was to be saved for is over".to_owned();
        let (reply, answered) = channel();
        let questions = self.questions.as_ref().ok_or_else(gone)?;
        lock(questions).send(Message::Question(Question { target, reply })).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }

    /// Refuses what opens a connection.
    fn refuse_a_stream(&self, attempt: &Attempt, address: &str, refusal: Refusal) {
        match traffic(attempt) {
            Traffic::Stream => self.refuse(attempt, address, refusal),
            Traffic::Datagram | Traffic::DatagramsLater => self.listener.let_through(attempt),
        }
    }

    fn refuse(&self, attempt: &Attempt, address: &str, refusal: Refusal) {
        // The caller waits: what `/proc` says of it is still true.
        let (process, program) = program_of(attempt);
        let refused = Refused { address: address.to_owned(), program, process, refusal, times: 1 };
        if lock(&self.account).add_refused(refused.clone()) {
            (self.tell)(&refused);
        }
        self.listener.fail(attempt, libc::EACCES);
    }
}

/// Finds what an attempt's socket carries. One that may not be seen is taken for what a database speaks.
fn traffic(attempt: &Attempt) -> Traffic {
    let protocol = attempt.socket().ok().and_then(|socket| process::protocol(attempt.thread, socket));
    match protocol {
        Some(Protocol::Datagram) if attempt.is_connect() => Traffic::DatagramsLater,
        Some(Protocol::Datagram) => Traffic::Datagram,
        Some(Protocol::Stream | Protocol::Local) | None => Traffic::Stream,
    }
}

pub(super) fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Finds the process and the name of the program that made an attempt.
fn program_of(attempt: &Attempt) -> (i32, String) {
    let process = process::process_of(attempt.thread).unwrap_or(attempt.thread);
    // The leader of a process may have ended before its threads.
    let name = process::name(process).or_else(|| process::name(attempt.thread));
    (process, name.map_or_else(|| "a program".to_owned(), |name| shown(&name).into_owned()))
}
