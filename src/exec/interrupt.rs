//! Being asked to end while there is no command yet: snapshots are being taken, and must be cleared away first.
//!
//! Not here: what happens to signals once the command runs (`relay.rs`).

use super::disposition::{self, Disposition};
use super::inherited::Inherited;
use super::signal::{Signal, SignalSet};
use std::io;
use std::sync::atomic::{AtomicI32, Ordering};

/// SIGQUIT is left out on purpose: it stays the way out when something does not poll.
const HEEDED: [i32; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

static REQUESTED: AtomicI32 = AtomicI32::new(0);

extern "C" fn note(signal: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // The first one counts: it is the one that we end by.
    let _ = REQUESTED.compare_exchange(0, signal, Ordering::AcqRel, Ordering::Relaxed);
}

/// While this lives, SIGINT, SIGTERM and SIGHUP do not end us: they are noted, and long operations ask for them.
///
/// A signal that we were started with ignored (`nohup`, `trap '' INT`) stays ignored. Programs that we start (a dump
/// tool) do not inherit any of this: they are in our process group, so Ctrl-C reaches them directly, and `exec` gives
/// them the default action. After it is dropped the signals act as they did when we were started; a request stays
/// noted, and the caller ends by it with [`die_by`](super::die_by) once everything is put away.
#[derive(Debug)]
pub struct Interrupt {
    inherited: Inherited,
}

impl Interrupt {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// The system's own. Signals that were already taken over are given back.
    pub fn listen(inherited: &Inherited) -> io::Result<Interrupt> {
        let interrupt = Interrupt { inherited: *inherited };
        for signal in HEEDED.into_iter().filter(|signal| !inherited.ignores(*signal)) {
            disposition::set(signal, Disposition::Caught(note))?;
        }
        Ok(interrupt)
    }

    /// The signal by which we were asked to end, the first if there were several.
    #[must_use]
    pub fn requested(&self) -> Option<Signal> {
        match REQUESTED.load(Ordering::Acquire) {
            0 => None,
            signal => Some(Signal::new(signal)),
        }
    }

    /// Like [`requested`](Interrupt::requested), for a thread that holds signals back: sees those that wait.
    pub(super) fn requested_or_held_back(&self) -> Option<Signal> {
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
