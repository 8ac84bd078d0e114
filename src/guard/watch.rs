//! A watch over a command: begun before the command is, ended with it, or handed over to whoever watches next.

use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};

use crate::guard::account::Account;
use crate::guard::blind::Blind;
use crate::guard::grounds::Grounds;
use crate::guard::handover::Handover;
use crate::guard::install::Line;
use crate::guard::listeners::Table;
use crate::guard::messages::{Message, Tell};
use crate::guard::notification::Listener;
use crate::guard::rules::{Rules, real};
use crate::guard::shared::Shared;
use crate::guard::waiting::lock;
use crate::guard::watcher::{Kernel, Watcher, look_around};

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
            let watcher = look_around(rules).map(|(kernel, rules, table)| {
                Watcher::new(&Shared::new(listener, rules, blind, table, Some(questions), tell), kernel)
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
        let shared = Shared::new(listener, rules, Blind::default(), table, None, tell);
        *lock(&shared.within) = handover.saving;
        let mut watcher = Watcher::new(&shared, Kernel::new()?);
        let watching = Watching::start(move |stop| {
            handover.held.iter().for_each(|attempt| watcher.answer_surely(attempt));
            watcher.watch(stop);
        })?;
        Ok(Watch { watching, shared, patience: FOR_THE_LOG })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::own_tools::ToolEnvironment;
    use crate::policy::GuardRules;
    use std::net::{TcpListener, TcpStream};
    use std::path::Path;
    use std::thread::yield_now;

    fn begin(line: &Line) -> Beginning {
        let policy = GuardRules::default();
        let (targets, receipts, environment) = (&[], &[], &[]);
        let (is_unnamed, is_person) = (false, false);
        let tools = &ToolEnvironment::new(&[], Path::new("/"), Path::new("/"));
        let grounds =
            Grounds { targets, receipts, policy: &policy, is_unnamed, is_person, git_hosts: &[], environment, tools };
        Watch::begin(line, &grounds, channel().0, Arc::new(|_| {})).unwrap()
    }

    /// Ends once no thread is left that could answer.
    fn nobody_answers(line: &Line) {
        while Arc::strong_count(line.listener()) > 1 {
            yield_now();
        }
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
