//! A command that was started, however that was done.

use std::io;

use rustix::process::{Pid, WaitOptions, WaitStatus, waitpid};

use crate::exec::change::Change;
#[cfg(target_os = "linux")]
use crate::exec::holder::Held;
use crate::exec::outcome::Outcome;
use crate::exec::signal::Signal;
#[cfg(target_os = "linux")]
use crate::guard::is_stopped;

/// A command that was started.
#[derive(Debug)]
pub(crate) enum Started {
    /// By us: it is our child.
    Own(Pid),
    /// By a process of ours, which stays with what it leaves behind.
    #[cfg(target_os = "linux")]
    Held(Held),
}

impl Started {
    /// Gives its process. Until its end was told by [`change`](Started::change), and for one that is held until it is
    /// released, nobody else can have that id.
    pub(crate) fn process(&self) -> Pid {
        match self {
            Started::Own(process) => *process,
            #[cfg(target_os = "linux")]
            Started::Held(held) => held.command,
        }
    }

    /// Tells whether it is stopped just now, as far as can be learned: what [`change`](Started::change) tells of a command
    /// that is held comes later. A child of ours is what was told last.
    pub(crate) fn may_be_stopped(&self) -> bool {
        match self {
            Started::Own(_) => true,
            #[cfg(target_os = "linux")]
            Started::Held(held) => is_stopped(held.command.as_raw_pid()).unwrap_or(true),
        }
    }

    /// Returns the next thing that happened to it, `None` when there is no more for now.
    ///
    /// # Errors
    ///
    /// The system's own, on waiting. The command may still run.
    pub(crate) fn change(&self) -> io::Result<Option<Change>> {
        match self {
            Started::Own(process) => collect(*process),
            #[cfg(target_os = "linux")]
            Started::Held(held) => held.change(),
        }
    }
}

fn collect(command: Pid) -> io::Result<Option<Change>> {
    let options = WaitOptions::NOHANG | WaitOptions::UNTRACED | WaitOptions::CONTINUED;
    loop {
        match waitpid(Some(command), options) {
            Ok(found) => return Ok(found.and_then(|(_, status)| change(status))),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn change(status: WaitStatus) -> Option<Change> {
    if let Some(signal) = status.terminating_signal() {
        let core_dumped = libc::WCOREDUMP(status.as_raw());
        return Some(Change::Ended(Outcome::Signaled { signal: Signal::new(signal), core_dumped }));
    }
    // Only the low eight bits of an exit status reach a waiting parent (POSIX, "exit").
    let ended = status.exit_status().map(|code| Change::Ended(Outcome::Exited((code & 0xff) as u8)));
    let continued = || status.continued().then_some(Change::Continued);
    ended.or_else(|| status.stopping_signal().map(Change::Stopped)).or_else(continued)
}
