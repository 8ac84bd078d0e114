//! Ending, or stopping, by a signal, so that our caller sees what it would have seen of the command itself.

use crate::exec::disposition;
use crate::exec::disposition::Disposition;
use crate::exec::signal::{Signal, SignalSet};
use rustix::process::{Resource, Rlimit, setrlimit};

/// Ends this process by `signal`, as the command ended.
///
/// A shell then knows that it was Ctrl-C and stops its loop; `make` and CI say which signal it was. Nothing after
/// this runs, destructors neither: call it when everything is put away. No core file of ours is written, whatever
/// the signal.
///
/// Returns only where the signal did not end us (process 1 of a container is spared its own signals), with 128+n as
/// the next best.
#[must_use]
pub(crate) fn die_by(signal: Signal) -> u8 {
    leave_no_core();
    // The default action of a signal that cannot be set (SIGKILL) is already in force.
    let _ = disposition::set(signal.number(), Disposition::Default);
    disposition::unblock(SignalSet::default().with(signal.number()));
    raise(signal.number());
    u8::try_from(128 + signal.number()).unwrap_or(u8::MAX)
}

/// Stops this process by `signal`, as the command was stopped, until somebody continues it.
///
/// In an orphaned process group only SIGSTOP stops: nobody is there to continue it (POSIX, "Orphaned Process Group").
/// The default action remains set afterwards, and the signal is let through. Where it was held back before, one that
/// had come already and ours stop us once.
pub(crate) fn stop_by(signal: i32) {
    // SIGSTOP cannot be set, and need not be.
    let _ = disposition::set(signal, Disposition::Default);
    raise(signal);
    disposition::unblock(SignalSet::default().with(signal));
}

fn raise(signal: i32) {
    // SAFETY: sends a signal to this thread; the signal's action is the default one or a handler of ours.
    unsafe { libc::raise(signal) };
}

fn leave_no_core() {
    // The limit covers core files, the other core handlers that are programs, for which Linux ignores the limit.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
