//! Being asked to end while there is no command yet: snapshots are being taken, and must be cleared away first.
//!
//! Not here: what happens to signals once the command runs (`relay.rs`).

use crate::exec::disposition;
use crate::exec::disposition::Disposition;
use crate::exec::inherited::Inherited;
use crate::exec::signal::{Signal, SignalSet};
use std::io;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::Duration;

/// SIGQUIT is left out on purpose: it stays the way out when something does not poll.
const HEEDED: [i32; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// How long a signal that interrupted nothing is waited with before it is sent again.
const AGAIN: Duration = Duration::from_millis(20);

static REQUESTED: AtomicI32 = AtomicI32::new(0);

extern "C" fn note(signal: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // The first one counts: it is the one that we end by.
    let _ = REQUESTED.compare_exchange(0, signal, Ordering::AcqRel, Ordering::Relaxed);
}

/// While this lives, SIGINT, SIGTERM and SIGHUP do not end us: they are noted, and long operations ask for them.
///
/// A signal that we were started with ignored (`nohup`, `trap '' INT`) stays ignored. Programs that we start (a dump
/// tool) do not inherit any of this: they are in our process group, so Ctrl-C reaches them directly, and `exec` gives
/// them the default action. A file that grows beyond the limit on file sizes (`ulimit -f`) is from now on an error of the
/// write (POSIX, `setrlimit`), so that half a snapshot is cleared away, and no longer our end by SIGXFSZ; the command gets
/// that signal as it was. After it is dropped the signals act as they did when we were started; a request stays
/// noted, and the caller ends by it with [`die_by`](crate::exec::die_by) once everything is put away.
#[derive(Debug)]
pub(crate) struct Interrupt {
    inherited: Inherited,
}

impl Interrupt {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// The system's own. Signals that were already taken over are given back.
    pub(crate) fn listen(inherited: &Inherited) -> io::Result<Interrupt> {
        let interrupt = Interrupt { inherited: *inherited };
        for signal in HEEDED.into_iter().filter(|signal| !inherited.ignores(*signal)) {
            disposition::set(signal, Disposition::Caught(note))?;
        }
        disposition::set(libc::SIGXFSZ, Disposition::Ignored)?;
        Ok(interrupt)
    }

    /// Finds the signal by which we were asked to end, the first if there were several.
    #[must_use]
    pub(crate) fn requested(&self) -> Option<Signal> {
        match REQUESTED.load(Ordering::Acquire) {
            0 => None,
            signal => Some(Signal::new(signal)),
        }
    }

    /// Runs `waiting`, which waits for a person and gives up when a signal interrupts it; `None` where a signal came.
    ///
    /// A signal that comes just before the wait begins is noted and interrupts nothing, so it is sent again until the
    /// wait is over.
    pub(crate) fn breaks_off<T>(&self, waiting: impl FnOnce() -> Option<T>) -> Option<T> {
        let (over, until) = mpsc::channel::<()>();
        let answer = thread::scope(|scope| {
            let reminder = move || {
                let _for_the_one_who_waits = disposition::hold_back_all();
                while until.recv_timeout(AGAIN) == Err(RecvTimeoutError::Timeout) {
                    if let Some(signal) = self.requested() {
                        // SAFETY: sends a signal to this process, which notes it.
                        unsafe { libc::kill(libc::getpid(), signal.number()) };
                    }
                }
            };
            // Without it nobody could break off the wait: then nobody is asked.
            thread::Builder::new().spawn_scoped(scope, reminder).ok()?;
            let answer = waiting();
            drop(over);
            answer
        });
        answer.filter(|_| self.requested().is_none())
    }

    /// Like [`requested`](Interrupt::requested), for a thread that holds signals back: sees those that wait.
    pub(crate) fn requested_or_held_back(&self) -> Option<Signal> {
        let held_back: SignalSet = disposition::pending();
        let ours = |signal: &i32| !self.inherited.ignores(*signal) && !self.inherited.blocks(*signal);
        self.requested()
            .or_else(|| HEEDED.into_iter().filter(ours).find(|signal| held_back.contains(*signal)).map(Signal::new))
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        for signal in HEEDED {
            // Cannot fail for a signal that could be set before; there is nobody to tell.
            let _ = self.inherited.put_back(signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `story` in a process of its own, since what it does to signals concerns a whole process. Gives back its
    /// wait status: 0 where the story was true.
    fn in_its_own_process(story: impl FnOnce() -> bool) -> i32 {
        // SAFETY: the child makes system calls and ends; it touches no lock or memory of another thread.
        unsafe {
            match libc::fork() {
                0 => libc::_exit(i32::from(!story())),
                child => {
                    let mut status = -1;
                    assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
                    status
                }
            }
        }
    }

    fn raise(signal: i32) {
        // SAFETY: sends a signal to this thread.
        unsafe { libc::raise(signal) };
    }

    fn started_with(signal: i32, disposition: Disposition) -> Inherited {
        disposition::set(signal, disposition).unwrap();
        disposition::block_exactly(SignalSet::default());
        Inherited::for_tests(disposition::is_ignored(signal).then_some(signal))
    }

    #[test]
    fn the_first_request_is_noted_and_does_not_end_us() {
        let status = in_its_own_process(|| {
            let interrupt = Interrupt::listen(&started_with(libc::SIGTERM, Disposition::Default)).unwrap();
            let before = interrupt.requested();
            raise(libc::SIGTERM);
            raise(libc::SIGHUP);
            (before, interrupt.requested()) == (None, Some(Signal::new(libc::SIGTERM)))
        });
        assert_eq!(status, 0);
    }

    #[test]
    fn a_request_that_is_held_back_is_seen_before_the_command_starts() {
        let status = in_its_own_process(|| {
            let interrupt = Interrupt::listen(&started_with(libc::SIGINT, Disposition::Default)).unwrap();
            let held_back = disposition::hold_back_all();
            raise(libc::SIGINT);
            let seen = (interrupt.requested(), interrupt.requested_or_held_back());
            drop(held_back);
            seen == (None, Some(Signal::new(libc::SIGINT))) && interrupt.requested() == seen.1
        });
        assert_eq!(status, 0);
    }

    #[test]
    fn a_signal_that_we_were_started_with_ignored_asks_for_nothing() {
        let status = in_its_own_process(|| {
            let interrupt = Interrupt::listen(&started_with(libc::SIGHUP, Disposition::Ignored)).unwrap();
            raise(libc::SIGHUP);
            interrupt.requested().is_none() && disposition::is_ignored(libc::SIGHUP)
        });
        assert_eq!(status, 0);
    }

    #[test]
    fn afterwards_a_signal_ends_us_as_before() {
        let status = in_its_own_process(|| {
            drop(Interrupt::listen(&started_with(libc::SIGTERM, Disposition::Default)));
            raise(libc::SIGTERM);
            true
        });
        assert!(libc::WIFSIGNALED(status));
        assert_eq!(libc::WTERMSIG(status), libc::SIGTERM);
    }
}
