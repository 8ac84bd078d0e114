//! What our caller handed to us, so that the command can have it as it was; and what the Rust runtime would have done.
//!
//! The runtime ignores SIGPIPE and opens `/dev/null` in place of a closed standard stream before `main`. What was there
//! before could not be read any more: `/proc/self/status` shows the changed state, too. So the program begins without
//! the runtime (`main.rs`), writes down what it finds, and then does the same.

use crate::exec::disposition;
use crate::exec::disposition::Disposition;
use crate::exec::signal;
use crate::exec::signal::{NUMBERS, SignalSet};
use std::io;

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
    /// Writes down what this process was started with. Then a write into a closed pipe becomes an error instead of the
    /// end, and no file that is opened later can take the place of a standard stream.
    ///
    /// # Errors
    ///
    /// Where `/dev/null` cannot be opened in place of a closed standard stream.
    pub(crate) fn take_over() -> io::Result<Inherited> {
        let ignored = NUMBERS.filter(|signal| disposition::is_ignored(*signal));
        let ignored = ignored.fold(SignalSet::default(), SignalSet::with);
        // SAFETY: F_GETFD reads a flag of a descriptor and fails where there is no such descriptor.
        let is_closed = |stream: i32| unsafe { libc::fcntl(stream, libc::F_GETFD) } == -1;
        let closed = (0..3).filter(|stream| is_closed(*stream)).fold(0, |bits, stream| bits | 1 << stream);
        let inherited = Inherited { ignored, blocked: disposition::blocked(), closed };
        disposition::set(libc::SIGPIPE, Disposition::Ignored)?;
        for _ in 0..closed.count_ones() {
            // The lowest descriptor that is free is one of those.
            // SAFETY: the path is a string of C.
            if unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) } == -1 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(inherited)
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

    /// Tells whether we were started without a standard output: what is written there gets nowhere.
    pub(crate) fn has_output(&self) -> bool {
        self.closed & (1 << libc::STDOUT_FILENO) == 0
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
            // SAFETY: this descriptor is the `/dev/null` that was opened in its place; the child is about to `exec` and
            // nothing of ours uses it there.
            unsafe { libc::close(stream) };
        }
        disposition::block_exactly(self.blocked);
        Ok(())
    }
}
