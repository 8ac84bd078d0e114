//! Runs the command as if we were not there, and says how it ended.
//!
//! We have to stay to record the outcome, so this is not `exec` but the next best: the command is our child in our own
//! process group, with our standard streams, our environment, and the signal mask and dispositions that we were
//! started with. The reasons, signal by signal:
//!
//! - What the terminal sends (Ctrl-C, Ctrl-\, a new window size) goes to the whole foreground group, the command
//!   included. We only wait. What a process sends to us is passed on (`forward.rs`).
//! - Ctrl-Z stops the command, or the command treats it otherwise. We follow: if it stops, we stop by the same
//!   signal, and the shell sees a stopped job. `fg` continues both (`follow.rs`).
//! - Signals are held back from before the command starts until we can pass them on, so none is lost between. The
//!   command gets its own mask as the last step before `exec` (`inherited.rs`).
//! - A command that died by a signal is reported as such, and the caller dies by the same one once the outcome is
//!   written down ([`die_by`]).
//!
//! Known differences that cannot be helped: SIGKILL and SIGSTOP sent to us do not reach the command; what is sent to
//! our whole group by a process reaches it twice; a command that is stopped and continued by its own process id
//! leaves us stopped.
//!
//! What this is not: it decides nothing about whether the command may run. All `unsafe` code for processes is here.

mod change;
mod collected;
mod disposition;
mod ending;
mod error;
mod fault;
mod follow;
mod forward;
#[cfg(target_os = "linux")]
mod holder;
mod inherited;
mod interrupt;
#[cfg(target_os = "linux")]
mod launch;
mod lookup;
mod outcome;
mod relay;
mod signal;
mod spawn;
mod started;

pub(crate) use crate::exec::collected::Ending;
pub(crate) use crate::exec::ending::die_by;
pub(crate) use crate::exec::error::{ExecError, LookupError};
pub(crate) use crate::exec::fault::{
    heed as heed_faults, last_line as last_line_of_fault, panicked, tell_in_json as tell_faults_in_json, would_say,
};
pub(crate) use crate::exec::inherited::Inherited;
pub(crate) use crate::exec::interrupt::Interrupt;
pub(crate) use crate::exec::lookup::{Program, find_program};
pub(crate) use crate::exec::outcome::Outcome;
pub(crate) use crate::exec::signal::Signal;

use crate::clearance::Clearance;
use crate::exec::relay::Relay;
use crate::exec::started::Started;
use crate::guard::{Inbox, Line, Message, Tell, Watch};
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// The guard under which a command runs.
pub(crate) struct Guarded<'a> {
    /// Where the command is started.
    pub(crate) line: &'a Line,
    /// Who watches until it ends.
    pub(crate) watch: &'a Watch,
    /// Tells of what is refused after it has ended, in another process.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "there is none"))]
    pub(crate) left: Tell,
    /// What the guard asks for while the command runs.
    pub(crate) inbox: Inbox,
    /// Gets the process that held the command, where nothing is left for it to hold.
    pub(crate) ending: &'a mut Option<Ending>,
    /// Does it, on the calling thread, and answers. What it is given besides tells whether to break off: the command has
    /// ended, or was asked to end.
    pub(crate) answer: &'a mut Answering<'a>,
}

/// Answers what the guard asks.
pub(crate) type Answering<'a> = dyn FnMut(Message, &(dyn Fn() -> bool + Sync)) + 'a;

/// Runs `program` in `folder`, which `clearance` permits, and waits until it ends, but not for processes that it leaves behind.
///
/// `arguments` are what follows the program's own name. The environment is this process's, unchanged. `interrupt` is
/// what listened until now: a request to end that came before the command could start is honoured instead.
///
/// When this returns, SIGINT, SIGTERM, SIGHUP and SIGQUIT still do not end this process, so that the outcome can be
/// written down; a new [`Interrupt`] can listen for the first three.
///
/// # Errors
///
/// After every error but [`ExecError::Lost`] no process was left running. For [`ExecError::Interrupted`] the caller
/// ends by [`die_by`].
pub(crate) fn run(
    clearance: &Clearance,
    program: &Program,
    arguments: &[OsString],
    folder: &Path,
    inherited: &Inherited,
    interrupt: Interrupt,
    guarded: Option<Guarded<'_>>,
) -> Result<Outcome, ExecError> {
    if clearance.rests_on_the_guard() && guarded.is_none() {
        return Err(ExecError::Guard(io::Error::other("the run hangs on the guard, and there is none")));
    }
    let _held_back = disposition::hold_back_all();
    if let Some(signal) = interrupt.requested_or_held_back() {
        return Err(ExecError::Interrupted { signal });
    }
    drop(interrupt);
    let mut relay = Relay::install(inherited).map_err(ExecError::Signals)?;
    let started = match &guarded {
        None => Started::Own(spawn::start(program, arguments, folder, inherited)?),
        Some(guarded) => start_under(guarded, program, arguments, folder, inherited, &relay)?,
    };
    would_say(&"the command was started; how it ended is not known");
    relay.let_through();
    let process = started.process().as_raw_pid();
    #[cfg_attr(not(target_os = "linux"), expect(unused_variables, reason = "there is none"))]
    let (outcome, held_by) = match guarded {
        None => (follow::follow(&started, &mut relay, &AtomicU32::new(0)), None),
        Some(Guarded { inbox, answer, watch, ending, .. }) => {
            (follow_and_answer(&started, &mut relay, inbox, answer), Some((watch, ending)))
        }
    };
    let outcome = outcome.map_err(|source| ExecError::Lost { process, source })?;
    #[cfg(target_os = "linux")]
    if let (Started::Held(held), Some((watch, ending))) = (started, held_by) {
        *ending = held.release(|| watch.stop());
    }
    would_say(&"the command has run; what was to follow it is not finished");
    Ok(outcome)
}

/// Starts the command from the filtered thread, whose filter it inherits.
#[cfg(target_os = "linux")]
fn start_under(
    Guarded { line, watch, left, .. }: &Guarded<'_>,
    program: &Program,
    arguments: &[OsString],
    folder: &Path,
    inherited: &Inherited,
    relay: &Relay,
) -> Result<Started, ExecError> {
    let (program, arguments, folder, inherited) = (program.clone(), arguments.to_vec(), folder.to_owned(), *inherited);
    let path = program.path.clone();
    let (successor, events) = (watch.successor(left), relay.events());
    let start = move || {
        let _held_back = disposition::hold_back_all();
        holder::start(&program, &arguments, &folder, &inherited, successor, events).map(Started::Held)
    };
    let gone = |_| ExecError::Start { program: path, source: io::Error::other("the guard's thread is gone") };
    line.on_filtered_thread(start).recv().map_err(gone)?
}

/// There is no such thread where there is no filter.
#[cfg(not(target_os = "linux"))]
fn start_under(
    Guarded { line, .. }: &Guarded<'_>,
    _: &Program,
    _: &[OsString],
    _: &Path,
    _: &Inherited,
    _: &Relay,
) -> Result<Started, ExecError> {
    match **line {}
}

/// Follows the command on a thread of its own, while the calling one does what the guard asks for.
fn follow_and_answer(
    started: &Started,
    relay: &mut Relay,
    inbox: Inbox,
    answer: &mut Answering<'_>,
) -> io::Result<Outcome> {
    let endings = &AtomicU32::new(0);
    thread::scope(|scope| {
        let over = inbox.sender();
        let follower = thread::Builder::new().name("follower".to_owned()).spawn_scoped(scope, move || {
            let outcome = follow::follow(started, relay, endings);
            endings.fetch_add(1, Ordering::AcqRel);
            // Nobody hears where the caller has panicked.
            let _ = over.send(Message::CommandEnded);
            outcome
        })?;
        loop {
            // A request to end concerns what is done when it comes, not what a command that goes on does later.
            let before = endings.load(Ordering::Acquire);
            match inbox.next() {
                Some(Message::CommandEnded) | None => break,
                Some(message) => answer(message, &|| endings.load(Ordering::Acquire) != before),
            }
        }
        // What the command still waited for when it ended is asked for by nobody any more.
        inbox
            .left()
            .filter(|message| matches!(message, Message::Refused(_)))
            .for_each(|message| answer(message, &|| true));
        follower.join().unwrap_or_else(|_| Err(io::Error::other("the follower panicked")))
    })
}
