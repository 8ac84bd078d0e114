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
use std::thread::sleep;
use std::time::Duration;

/// How long it may take until we hear that the command was continued too, where our whole group was.
const WHOLE_GROUP: Duration = Duration::from_millis(50);

/// How long we wait between two looks at it.
const A_MOMENT: Duration = Duration::from_millis(1);

/// What the command is doing, as far as we were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    /// Stopped by this signal, and we are yet to stop.
    Stopping(i32),
    Stopped,
}

/// The command's stops, and what continued it.
///
/// `fg` continues our whole group, so the command has had its own SIGCONT, and a second one would look like a second `fg`.
/// `kill -CONT` to us alone leaves it stopped. The kernel continues the members of a group one after the other, and several
/// stops and continuations may have passed before we look: so those of the command are counted against those of ours.
#[derive(Debug, Clone, Copy)]
struct Course {
    state: State,
    /// How often the command was continued by others, without a SIGCONT to us that would go with it: that is on its way. Less
    /// than nothing where we have continued the command and not heard of it yet.
    ahead: i32,
}

impl Course {
    /// Takes note of all that happened to the command. Where that leaves it stopped, waits as long as there is patience to
    /// hear that it runs. Returns its end.
    fn catch_up(&mut self, started: &Started, mut patience: Duration) -> io::Result<Option<Outcome>> {
        loop {
            match started.change()? {
                Some(Change::Ended(outcome)) => return Ok(Some(outcome)),
                Some(Change::Stopped(signal)) => self.stopped(signal),
                Some(Change::Continued) => self.continued(),
                None if self.state == State::Running || patience.is_zero() => return Ok(None),
                None => {
                    sleep(A_MOMENT);
                    patience = patience.saturating_sub(A_MOMENT);
                }
            }
        }
    }

    fn stopped(&mut self, signal: i32) {
        if self.state != State::Running {
            // Who is stopped again was continued meanwhile; the system tells the last of both only.
            self.ahead += 1;
        }
        self.state = State::Stopping(signal);
    }

    fn continued(&mut self) {
        self.ahead += 1;
        self.state = State::Running;
    }

    /// Tells whether a SIGCONT that reached us goes with one that the command had.
    ///
    /// A stop that we have not followed yet is newer than the SIGCONT: Ctrl-Z right after `fg`, or a read from the terminal
    /// right after `bg`.
    fn has_had_its_own(&mut self) -> bool {
        let has_had = match self.state {
            State::Stopping(_) => true,
            State::Stopped => false,
            State::Running => self.ahead > 0,
        };
        // Where it is stopped, it is about to be continued by us.
        if self.ahead > 0 || self.state == State::Stopped {
            self.ahead -= 1;
        }
        has_had
    }
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
    let mut course = Course { state: State::Running, ahead: 0 };
    let mut event: Option<Event> = None;
    loop {
        let patience =
            if event.is_some_and(|event| event.signal == libc::SIGCONT) { WHOLE_GROUP } else { Duration::ZERO };
        if let Some(outcome) = course.catch_up(started, patience)? {
            return Ok(outcome);
        }
        // What the command did is known by now, also what it did before this event.
        if let Some(event) = event
            && is_to_be_sent(event, &mut course, standing, command)
        {
            send(command, event.signal);
        }
        if let State::Stopping(signal) = course.state {
            course.state = State::Stopped;
            // Until the signal is caught again the terminal can stop us once more, and we can be continued from that, before
            // we hear of the command's stop.
            if started.may_be_stopped() {
                let held_back = disposition::hold_back_all();
                stop_by(signal);
                relay.catch(signal)?;
                drop(held_back);
            }
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

fn is_to_be_sent(event: Event, course: &mut Course, standing: Standing, command: Pid) -> bool {
    let is_ours = |id| id == getpid().as_raw_pid() || descends(id, command.as_raw_pid());
    match event.signal {
        libc::SIGCHLD => false,
        libc::SIGCONT if course.has_had_its_own() => false,
        libc::SIGCONT if course.state == State::Stopped => true,
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

    const STOP: i32 = libc::SIGTSTP;

    /// Whether a SIGCONT of a stranger is passed on, after what happened before.
    fn is_passed_on(course: &mut Course) -> bool {
        let standing = Standing { leads_session: false };
        // An id beyond all that the system gives; 1 is ours where these tests are a container's first process.
        let stranger = Event { signal: libc::SIGCONT, sender: Sender::Process(i32::MAX) };
        is_to_be_sent(stranger, course, standing, getpid())
    }

    fn running() -> Course {
        Course { state: State::Running, ahead: 0 }
    }

    #[test]
    fn continuing_is_passed_on_only_to_a_command_that_was_not_continued_already() {
        let mut course = running();
        assert!(is_passed_on(&mut course), "running");
        course.stopped(STOP);
        assert!(!is_passed_on(&mut course), "stopped after it was sent");
        course.state = State::Stopped;
        assert!(is_passed_on(&mut course), "stopped, and continued by nobody else");
        course.continued();
        assert!(is_passed_on(&mut course), "running, since the last one was heard of");
        course.stopped(STOP);
        course.state = State::Stopped;
        course.continued();
        assert!(!is_passed_on(&mut course), "continued with us");
        assert!(is_passed_on(&mut course), "running, since that was one");
        let news = Event { signal: libc::SIGCHLD, sender: Sender::Process(1) };
        let standing = Standing { leads_session: false };
        assert!(!is_to_be_sent(news, &mut course, standing, getpid()), "SIGCHLD is about the command, not for it");
    }

    #[test]
    fn what_happened_in_the_meantime_is_counted() {
        for is_told in [true, false] {
            let mut course = running();
            course.stopped(STOP);
            course.state = State::Stopped;
            // Before our turn came the whole group was continued, stopped and continued once more.
            if is_told {
                course.continued();
            }
            course.stopped(STOP);
            course.continued();
            let both = [is_passed_on(&mut course), is_passed_on(&mut course)];
            assert_eq!(both, [false, false], "all told: {is_told}");
            assert!(is_passed_on(&mut course), "{course:?}: a third one is another");
        }
    }
}
