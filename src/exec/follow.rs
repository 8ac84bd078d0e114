//! Following the command until it ends: what reaches us is passed on, and where it stops, we stop.

use crate::exec::change::Change;
use crate::exec::disposition;
use crate::exec::ending::stop_by;
use crate::exec::forward::{Standing, is_for_the_command};
use crate::exec::outcome::Outcome;
use crate::exec::relay::{Event, Relay};
use crate::exec::signal::ENDING;
use crate::exec::started::Started;
#[cfg(target_os = "linux")]
use crate::guard::descends;
use rustix::process::{Pid, getpid};
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

/// What the command is doing, as far as we were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    /// Stopped by this signal, and we are yet to stop.
    Stopping(i32),
    Stopped,
    /// Continued by somebody other than us. If our whole group was continued, our own SIGCONT is on its way.
    Continued,
}

/// Waits for the end of a command, and not for what it leaves running.
///
/// Only this loop sends signals, and never after it has heard of the command's end: until then nobody else can have its
/// process id. A process that has ended, or whose parent has, descends from nobody: its signal is passed on, and arrives
/// twice at worst. Each request to end that reaches us, from the terminal or from a process, is counted in
/// `endings`.
///
/// # Errors
///
/// The system's own, on waiting. The command may still run.
pub(crate) fn follow(started: &Started, relay: &mut Relay, endings: &AtomicU32) -> io::Result<Outcome> {
    let command = started.process();
    let standing = Standing { leads_session: leads_session() };
    let mut state = State::Running;
    let mut event = None;
    loop {
        while let Some(change) = started.change()? {
            state = match change {
                Change::Ended(outcome) => return Ok(outcome),
                Change::Stopped(signal) => State::Stopping(signal),
                Change::Continued => State::Continued,
            };
        }
        // What the command did is known by now, also what it did before this event.
        if let Some(event) = event
            && is_to_be_sent(event, state, standing, command)
        {
            send(command, event.signal);
        }
        if let State::Stopping(signal) = state {
            state = State::Stopped;
            // Until the signal is caught again the terminal can stop us once more. However often we are continued
            // meanwhile, one SIGCONT is left: a second one would look like one for the command.
            let held_back = disposition::hold_back_all();
            stop_by(signal);
            relay.catch(signal)?;
            drop(held_back);
        } else if event.is_some_and(|event| event.signal == libc::SIGCONT) {
            state = State::Running;
        }
        let next = relay.next()?;
        if ENDING.contains(&next.signal) {
            endings.fetch_add(1, Ordering::AcqRel);
        }
        event = Some(next);
    }
}

/// Tells whether this process leads its session.
///
/// The id of a session whose leader is outside our process namespace is 0, as in a container that was started from a
/// terminal (`pid_namespaces(7)`). `rustix` takes ids for positive, so this asks the C library.
fn leads_session() -> bool {
    // SAFETY: this only asks about the calling process.
    let session = unsafe { libc::getsid(0) };
    session == getpid().as_raw_pid()
}

fn is_to_be_sent(event: Event, state: State, standing: Standing, command: Pid) -> bool {
    let is_ours = |id| id == getpid().as_raw_pid() || descends(id, command.as_raw_pid());
    match event.signal {
        libc::SIGCHLD => false,
        // `fg` continues our whole group, so the command has had its own. `kill -CONT` to us alone leaves it stopped.
        // A stop that we have not followed yet is newer than the SIGCONT: Ctrl-Z right after `fg`, or a read from the
        // terminal right after `bg`.
        libc::SIGCONT if matches!(state, State::Continued | State::Stopping(_)) => false,
        libc::SIGCONT if state == State::Stopped => true,
        _ => is_for_the_command(event.signal, event.sender, standing, is_ours),
    }
}

fn send(command: Pid, signal: i32) {
    // SAFETY: the process is our child and not yet collected, so the id is its own. It may have ended: no matter.
    unsafe { libc::kill(command.as_raw_pid(), signal) };
}

/// Tells whether a process is `ancestor`: further generations are not looked up here.
#[cfg(not(target_os = "linux"))]
fn descends(process: i32, ancestor: i32) -> bool {
    process == ancestor
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::forward::Sender;

    #[test]
    fn continuing_is_passed_on_only_to_a_command_that_was_not_continued_already() {
        let standing = Standing { leads_session: false };
        let command = getpid();
        // An id beyond all that the system gives; 1 is ours where these tests are a container's first process.
        let stranger = Event { signal: libc::SIGCONT, sender: Sender::Process(i32::MAX) };
        for (state, expected) in [
            (State::Running, true),
            (State::Stopping(libc::SIGTSTP), false),
            (State::Stopped, true),
            (State::Continued, false),
        ] {
            assert_eq!(is_to_be_sent(stranger, state, standing, command), expected, "{state:?}");
        }
        let news = Event { signal: libc::SIGCHLD, sender: Sender::Process(1) };
        assert!(!is_to_be_sent(news, State::Running, standing, command), "SIGCHLD is about the command, not for it");
    }
}
