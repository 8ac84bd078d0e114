//! Watching: each attempt is decided about and answered.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use crate::guard::account::{Account, Reached, Refused};
use crate::guard::listeners::Listeners;
use crate::guard::notification::{Aim, Attempt, Listener, Shown};
use crate::guard::owners::Owner;
use crate::guard::process;
use crate::guard::rules::{Decision, Refusal, Rules};
use crate::guard::sockaddr::Peer;
use crate::guard::{Line, Message, Question};
use crate::text::shown;

/// How long a look for attempts lasts before it is looked whether the watch is to end, in milliseconds.
const LOOK: i32 = 200;

/// A watch over a command, until it is [ended](Watch::end).
#[derive(Debug)]
pub(crate) struct Watch {
    thread: JoinHandle<()>,
    shared: Arc<Shared>,
}

/// What is told at once: it is called on a thread of the watch.
pub(crate) type Tell = Box<dyn Fn(&Refused) + Send + Sync>;

struct Shared {
    listener: Arc<Listener>,
    rules: Rules,
    account: Mutex<Account>,
    questions: Mutex<Sender<Message>>,
    tell: Tell,
    ended: std::sync::atomic::AtomicBool,
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
    pub(crate) fn begin(line: &Line, rules: Rules, questions: Sender<Message>, tell: Tell) -> io::Result<Watch> {
        let shared = Arc::new(Shared {
            listener: Arc::clone(line.listener()),
            rules,
            account: Mutex::default(),
            questions: Mutex::new(questions),
            tell,
            ended: false.into(),
        });
        let mut watcher = Watcher { shared: Arc::clone(&shared), listeners: Listeners::new()?, seen: HashMap::new() };
        let thread = Builder::new().name("guard".to_owned()).spawn(move || watcher.watch())?;
        Ok(Watch { thread, shared })
    }

    /// Stops answering: what the command left behind cannot connect any more. Returns what was seen.
    pub(crate) fn end(self) -> Account {
        self.shared.ended.store(true, std::sync::atomic::Ordering::Release);
        // A watcher that panicked has answered what it could; the account is what it wrote.
        let _ = self.thread.join();
        self.shared.account.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Watcher {
    shared: Arc<Shared>,
    listeners: Listeners,
    /// What was decided, by the inode of the listening socket.
    seen: HashMap<u32, Decision>,
}

impl Watcher {
    fn watch(&mut self) {
        loop {
            match self.shared.listener.next(LOOK) {
                Ok(Shown::Attempt(attempt)) => self.answer(&attempt),
                Ok(Shown::Nothing) if !self.shared.ended.load(std::sync::atomic::Ordering::Acquire) => {}
                Ok(Shown::Nothing | Shown::Over) | Err(_) => return,
            }
        }
    }

    fn answer(&mut self, attempt: &Attempt) {
        let aim = self.shared.listener.aim(attempt);
        if !self.shared.listener.is_waiting(attempt) {
            return;
        }
        let peer = match aim {
            Aim::Peer(peer) => peer,
            // The kernel will say so itself, or has nothing to dial.
            Aim::Unreadable => return self.shared.listener.let_through(attempt),
            Aim::Hidden(error) => {
                let refusal = Refusal {
                    why: format!("its memory cannot be read, so that nobody can see what it wants to reach: {error}"),
                    remedy: "run it without the guard".to_owned(),
                };
                return self.shared.refuse(attempt, "an address that cannot be seen".to_owned(), refusal);
            }
        };
        let (decision, address) = self.decide(attempt, &peer);
        self.shared.carry_out(attempt, decision, address);
    }

    fn decide(&mut self, attempt: &Attempt, peer: &Peer) -> (Decision, String) {
        match peer {
            Peer::Internet(address) => (self.internet(attempt, *address), address.to_string()),
            Peer::Unspecified(Some(address)) if attempt.call != crate::guard::filter::Call::Connect => {
                (self.internet(attempt, *address), address.to_string())
            }
            Peer::Path(path) => (self.shared.rules.socket(path), shown(path).into_owned()),
            Peer::Abstract(_) | Peer::Unspecified(_) | Peer::Other(_) => (Decision::Pass, String::new()),
        }
    }

    fn internet(&mut self, attempt: &Attempt, address: SocketAddr) -> Decision {
        let _ = attempt;
        if !is_here(address.ip()) {
            return self.shared.rules.elsewhere(address);
        }
        match self.listeners.tcp(address) {
            Ok(None) => Decision::Pass,
            Ok(Some(listening)) => {
                let rules = &self.shared.rules;
                let owner = Owner { account: listening.account, ..Owner::default() };
                self.seen.entry(listening.inode).or_insert_with(|| rules.here(address, &owner)).clone()
            }
            Err(_) => self.shared.rules.here(address, &Owner::default()),
        }
    }
}

impl Shared {
    fn carry_out(&self, attempt: &Attempt, decision: Decision, address: String) {
        let (target, note) = match decision {
            Decision::Pass => return self.listener.let_through(attempt),
            Decision::Refuse(refusal) => return self.refuse(attempt, address, refusal),
            Decision::Cleared(target) => (Some(target), None),
            Decision::PassNoted(note) => (None, Some(note)),
            Decision::SaveFirst(target) => match self.ask(target) {
                Ok(()) => (Some(target), None),
                Err(why) => {
                    let remedy = "see the lines above".to_owned();
                    return self.refuse(attempt, address, Refusal { why, remedy });
                }
            },
        };
        let (process, program) = program_of(attempt);
        self.account().add_reached(Reached { address, program, process, target, note });
        self.listener.let_through(attempt);
    }

    /// Has a target saved, on the main thread.
    fn ask(&self, target: usize) -> Result<(), String> {
        let gone = || "it could not be saved any more".to_owned();
        let (reply, answered) = channel();
        let sent = self
            .questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .send(Message::Question(Question { target, reply }));
        sent.map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }

    fn refuse(&self, attempt: &Attempt, address: String, refusal: Refusal) {
        // The caller waits: what `/proc` says of it is still true.
        let (process, program) = program_of(attempt);
        let refused = Refused { address, program, process, refusal, times: 1 };
        if self.account().add_refused(refused.clone()) {
            (self.tell)(&refused);
        }
        self.listener.fail(attempt, libc::EACCES);
    }

    fn account(&self) -> std::sync::MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds the process and the name of the program that made an attempt.
fn program_of(attempt: &Attempt) -> (i32, String) {
    let process = process::process_of(attempt.thread).unwrap_or(attempt.thread);
    // The leader of a process may have ended before its threads.
    let program = process::program(process).or_else(|| process::program(attempt.thread));
    let name = program.and_then(|program| program.file_name().map(|name| shown(name).into_owned()));
    (process, name.unwrap_or_else(|| "a program".to_owned()))
}

fn is_here(address: IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified()
}
