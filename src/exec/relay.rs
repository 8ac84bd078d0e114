//! Catching signals while the command runs, as a queue of events that ordinary code reads.
//!
//! The handler does the one thing that a handler may: it writes what arrived, and who sent it, into a pipe.

use crate::exec::disposition;
use crate::exec::disposition::Disposition;
use crate::exec::forward::Sender;
use crate::exec::inherited::Inherited;
use crate::exec::signal;
use crate::exec::signal::{ENDING, SignalSet};
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicI32, Ordering};

/// The pipe that the handler writes to; -1 while nobody listens.
static EVENTS: AtomicI32 = AtomicI32::new(-1);

const RECORD: usize = 12;

/// One signal that reached us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) signal: i32,
    pub(crate) sender: Sender,
}

extern "C" fn note(signal: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    let pipe = EVENTS.load(Ordering::Acquire);
    if pipe < 0 {
        return;
    }
    // SAFETY: the kernel passes a valid `siginfo_t` to a handler that was set with SA_SIGINFO. Reading `si_pid` is in
    // bounds whatever the signal; `sender` decides whether it means anything. `write` is async-signal-safe, the
    // record lives on this stack, and `errno` is put back for the code that was interrupted. A full pipe drops the
    // record (the pipe does not block): there are thousands before it, and each makes the reader look at the child.
    unsafe {
        let errno = errno_location();
        let kept = *errno;
        let mut record = [0; RECORD];
        let words = [signal, (*info).si_code, (*info).si_pid()];
        for (place, word) in record.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        libc::write(pipe, record.as_ptr().cast(), RECORD);
        *errno = kept;
    }
}

/// # Safety
///
/// The pointer is this thread's `errno` and lives as long as the thread.
unsafe fn errno_location() -> *mut i32 {
    #[cfg(target_vendor = "apple")]
    // SAFETY: takes nothing and returns the address of a thread-local.
    return unsafe { libc::__error() };
    #[cfg(not(target_vendor = "apple"))]
    // SAFETY: takes nothing and returns the address of a thread-local.
    return unsafe { libc::__errno_location() };
}

/// Linux: a positive code is the kernel's (`sigaction(2)`, "The si_code field").
#[cfg(target_os = "linux")]
fn sender(code: i32, id: i32) -> Sender {
    if code > 0 { Sender::Kernel } else { Sender::Process(id) }
}

/// Elsewhere only a process has an id; what comes without one is taken for the terminal's or a timer's.
#[cfg(not(target_os = "linux"))]
fn sender(_code: i32, id: i32) -> Sender {
    if id == 0 { Sender::Kernel } else { Sender::Process(id) }
}

/// While this lives, signals do not act on us: they are events.
///
/// After it is dropped, those that ask a process to end are still caught and come to nothing, so that the outcome of
/// the command can be written down; [`Interrupt`](crate::exec::Interrupt) can listen for them again. All others act as
/// they did when we were started.
#[derive(Debug)]
pub(crate) struct Relay {
    inherited: Inherited,
    reader: PipeReader,
    /// Keeps the handler's end of the pipe open.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "the handler writes to its number"))]
    writer: PipeWriter,
}

impl Relay {
    /// Takes over the signals. They are to be held back on this thread, so that none arrives before the command is
    /// there; [`let_through`](Relay::let_through) opens the door.
    ///
    /// # Errors
    ///
    /// The system's own; the signals then are as they were when we were started.
    pub(crate) fn install(inherited: &Inherited) -> io::Result<Relay> {
        let (reader, writer) = io::pipe()?;
        rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK)?;
        EVENTS.store(writer.as_raw_fd(), Ordering::Release);
        let relay = Relay { inherited: *inherited, reader, writer };
        for signal in caught() {
            relay.catch(signal)?;
        }
        Ok(relay)
    }

    /// Catches a signal, again if it had been given its default action meanwhile.
    pub(crate) fn catch(&self, signal: i32) -> io::Result<()> {
        match disposition::set(signal, Disposition::Caught(note)) {
            // 32 and 33 are the C library's own on Linux.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
            other => other,
        }
    }

    /// Gives the number of the descriptor on which whoever holds the command [tells of it](tell_of_a_child).
    #[cfg(target_os = "linux")]
    pub(crate) fn events(&self) -> i32 {
        self.writer.as_raw_fd()
    }

    /// Lets the signals through, those too that we were started with held back: the command holds them back itself,
    /// and is to have them waiting.
    pub(crate) fn let_through(&self) {
        disposition::unblock(caught().fold(SignalSet::default(), SignalSet::with));
    }

    /// Waits for the next signal.
    ///
    /// # Errors
    ///
    /// The system's own, on reading the pipe.
    pub(crate) fn next(&mut self) -> io::Result<Event> {
        let mut record = [0; RECORD];
        self.reader.read_exact(&mut record)?;
        let [signal, code, id] = [0, 4, 8].map(|start| {
            let word = [record[start], record[start + 1], record[start + 2], record[start + 3]];
            i32::from_ne_bytes(word)
        });
        Ok(Event { signal, sender: sender(code, id) })
    }
}

/// Has a relay's owner look at the command, as if the command were its child: from another process.
#[cfg(target_os = "linux")]
pub(crate) fn tell_of_a_child(events: i32) {
    let mut record = [0; RECORD];
    record[..4].copy_from_slice(&libc::SIGCHLD.to_ne_bytes());
    // SAFETY: writes a record that lives on this stack. A pipe that is full, or that nobody reads any more, takes nothing:
    // then there is enough to read, or nobody.
    unsafe { libc::write(events, record.as_ptr().cast(), RECORD) };
}

impl Drop for Relay {
    fn drop(&mut self) {
        EVENTS.store(-1, Ordering::Release);
        for signal in caught().filter(|signal| !ENDING.contains(signal)) {
            // Cannot fail for a signal that could be set before; there is nobody to tell.
            let _ = self.inherited.put_back(signal);
        }
    }
}

/// Lists the signals that are caught: all that may have to be passed on, and word of the child's state.
fn caught() -> impl Iterator<Item = i32> {
    signal::passed_on().chain([libc::SIGCHLD])
}
