//! What our caller handed to us that a Rust program changes before `main`, so that the command can have it as it was.
//!
//! The Rust runtime ignores SIGPIPE and opens `/dev/null` in place of a closed standard stream. By the time `main`
//! runs, what was there before cannot be read any more: `/proc/self/status` shows the changed state, too. So a
//! function that the loader calls before the runtime starts writes it down: `.init_array` (ELF, "Initialization and
//! Termination Functions") and `__mod_init_func` (Mach-O), the places where the standard library itself takes the
//! arguments from. It makes a hundred cheap system calls and touches nothing but the words below.

use crate::exec::disposition;
use crate::exec::disposition::Disposition;
use crate::exec::signal;
use crate::exec::signal::{NUMBERS, SignalSet};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

static WRITTEN_DOWN: AtomicBool = AtomicBool::new(false);
static IGNORED: AtomicU64 = AtomicU64::new(0);
static BLOCKED: AtomicU64 = AtomicU64::new(0);
static CLOSED: AtomicU8 = AtomicU8::new(0);

// SAFETY: the loader calls each pointer in this section once, before `main`, on the only thread there is. The
// function takes no arguments (those that the loader passes are left unread, as the C calling convention allows),
// does not unwind, and uses system calls and atomics only: nothing that needs the runtime.
#[used]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static WRITE_DOWN_BEFORE_MAIN: extern "C" fn() = write_down;

extern "C" fn write_down() {
    let ignored = NUMBERS.filter(|signal| disposition::is_ignored(*signal));
    IGNORED.store(ignored.fold(SignalSet::default(), SignalSet::with).0, Ordering::Relaxed);
    BLOCKED.store(disposition::blocked().0, Ordering::Relaxed);
    // SAFETY: F_GETFD reads a flag of a descriptor and fails where there is no such descriptor.
    let is_closed = |stream: i32| unsafe { libc::fcntl(stream, libc::F_GETFD) } == -1;
    let closed = (0..3).filter(|stream| is_closed(*stream)).fold(0, |bits, stream| bits | 1 << stream);
    CLOSED.store(closed, Ordering::Relaxed);
    WRITTEN_DOWN.store(true, Ordering::Release);
}

/// The signal mask, the ignored signals and the closed standard streams that this process was started with.
///
/// Handlers are not among it: `exec` has already put them back to the default (POSIX, `exec`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inherited {
    ignored: SignalSet,
    blocked: SignalSet,
    closed: u8,
}

impl Inherited {
    /// Gives what was written down before `main`.
    ///
    /// Where a linker dropped the function that does so, the present state is given, less the ignored SIGPIPE that
    /// is the runtime's doing.
    #[must_use]
    pub(crate) fn record() -> Inherited {
        if !WRITTEN_DOWN.load(Ordering::Acquire) {
            write_down();
            IGNORED.fetch_and(!SignalSet::default().with(libc::SIGPIPE).0, Ordering::Relaxed);
        }
        Inherited {
            ignored: SignalSet(IGNORED.load(Ordering::Relaxed)),
            blocked: SignalSet(BLOCKED.load(Ordering::Relaxed)),
            closed: CLOSED.load(Ordering::Relaxed),
        }
    }

    #[cfg(test)]
    pub(crate) fn for_tests(ignored: Option<i32>) -> Inherited {
        let ignored = ignored.into_iter().fold(SignalSet::default(), SignalSet::with);
        Inherited { ignored, blocked: SignalSet::default(), closed: 0 }
    }

    /// Tells whether we were started with this signal ignored, as `nohup` does with SIGHUP.
    pub(crate) fn ignores(&self, signal: i32) -> bool {
        self.ignored.contains(signal)
    }

    /// Tells whether we were started with this signal held back.
    pub(crate) fn blocks(&self, signal: i32) -> bool {
        self.blocked.contains(signal)
    }

    /// Puts one signal back to what it was when we were started.
    pub(crate) fn put_back(&self, signal: i32) -> io::Result<()> {
        let disposition = if self.ignores(signal) { Disposition::Ignored } else { Disposition::Default };
        disposition::set(signal, disposition)
    }

    /// Puts everything back. For the child, after `fork` and before `exec`; the mask comes last, so that a signal that
    /// arrived meanwhile meets the disposition that the command is to have.
    pub(crate) fn put_all_back(&self) -> io::Result<()> {
        for signal in signal::passed_on().chain([libc::SIGCHLD, libc::SIGPIPE, libc::SIGXFSZ]) {
            match self.put_back(signal) {
                // 32 and 33 are the C library's own on Linux.
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {}
                other => other?,
            }
        }
        for stream in (0..3).filter(|stream| self.closed & (1 << stream) != 0) {
            // SAFETY: this descriptor is the `/dev/null` that the runtime opened; the child is about to `exec` and
            // nothing of ours uses it there.
            unsafe { libc::close(stream) };
        }
        disposition::block_exactly(self.blocked);
        Ok(())
    }
}
