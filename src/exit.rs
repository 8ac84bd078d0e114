//! The exit statuses that are safe-test's own, listed once.
//!
//! A guarded command's own status is passed on untouched, so ours stay clear of 1, 2 and 77, which test runners
//! use. 125, 126 and 127 mean what they mean for `env` and `timeout` (POSIX, "Exit Status for Commands").

/// How safe-test itself ends when it is not passing on a command's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for was done.
    Success,
    /// A target is, or may be, production, or cannot be shown to be safe: nothing was run or restored.
    Refused,
    /// A snapshot could not be taken or did not verify: nothing was run or restored.
    NoSnapshot,
    /// The command ran and succeeded, but the restore that was asked for after it failed.
    RestoreFailed,
    /// safe-test itself failed: usage, configuration, audit log not writable, and the like.
    Failed,
    /// The command was found and cannot be executed.
    CannotExecute,
    /// The command was not found.
    NotFound,
}

impl Exit {
    /// Returns the number that the calling process sees.
    #[must_use]
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Refused => 120,
            Exit::NoSnapshot => 121,
            Exit::RestoreFailed => 122,
            Exit::Failed => 125,
            Exit::CannotExecute => 126,
            Exit::NotFound => 127,
        }
    }
}
