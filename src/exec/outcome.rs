//! What is known of a command that is over.

use crate::exec::signal::Signal;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Outcome {
    /// It ended with this status.
    Exited(u8),
    /// A signal ended it.
    Signaled {
        /// The signal.
        signal: Signal,
        /// Whether the system wrote a core file.
        core_dumped: bool,
    },
}
