//! Threads of ours: one that the system does not start is an error, and what goes wrong in one goes wrong for all.

use std::io;
use std::thread::{Builder, Scope, ScopedJoinHandle};

/// Starts `work` on a thread of its own.
///
/// # Errors
///
/// The system starts no more threads, or has no memory for one.
pub(crate) fn start<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    Builder::new().spawn_scoped(scope, work).map_err(not_started)
}

/// Says of the system's error what it refused.
pub(crate) fn not_started(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("the system starts no thread: {error}"))
}

/// Returns what a thread returned; its panic, if it had one, goes on here.
pub(crate) fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
