//! What happens to children, as the system tells it (`waitid(2)`).

#[cfg(target_os = "linux")]
use std::io;
#[cfg(target_os = "linux")]
use std::mem::MaybeUninit;

use crate::exec::outcome::Outcome;
#[cfg(target_os = "linux")]
use crate::exec::signal::Signal;

/// Something that happened to a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It ended.
    Ended(Outcome),
    /// This signal stopped it.
    Stopped(i32),
    /// It was continued.
    Continued,
}

impl Change {
    /// Reads what the system says: `si_code`, `si_status`. `None` for what happens to no child.
    #[cfg(target_os = "linux")]
    pub(crate) fn read(code: i32, status: i32) -> Option<Change> {
        let ended = |core_dumped| Outcome::Signaled { signal: Signal::new(status), core_dumped };
        Some(match code {
            // Only the low eight bits of an exit status reach a waiting parent (POSIX, "exit").
            libc::CLD_EXITED => Change::Ended(Outcome::Exited((status & 0xff) as u8)),
            libc::CLD_KILLED => Change::Ended(ended(false)),
            libc::CLD_DUMPED => Change::Ended(ended(true)),
            libc::CLD_STOPPED => Change::Stopped(status),
            libc::CLD_CONTINUED => Change::Continued,
            _ => return None,
        })
    }

    /// Tells whether nothing can come after it.
    #[cfg(target_os = "linux")]
    pub(crate) fn is_end(code: i32) -> bool {
        matches!(code, libc::CLD_EXITED | libc::CLD_KILLED | libc::CLD_DUMPED)
    }
}

/// Returns the next thing that happened to a child of ours, `None` when there is no more for now; its end is left
/// uncollected.
#[cfg(target_os = "linux")]
pub(crate) fn of(child: i32) -> Option<(i32, i32)> {
    let stops = || wait(libc::P_PID, child, libc::WSTOPPED | libc::WCONTINUED);
    let end = || wait(libc::P_PID, child, libc::WEXITED | libc::WNOWAIT);
    let found = stops().ok().flatten().or_else(|| end().ok().flatten());
    found.map(|(_, code, status)| (code, status))
}

/// Collects all children that have ended, but not this one, nor those that are hidden behind it. Returns whether any are left.
#[cfg(target_os = "linux")]
pub(crate) fn collect_all_but(kept: Option<i32>) -> bool {
    loop {
        match wait(libc::P_ALL, 0, libc::WEXITED | libc::WNOWAIT) {
            Ok(Some((child, ..))) if Some(child) == kept => return true,
            Ok(Some((child, ..))) => drop(wait(libc::P_PID, child, libc::WEXITED)),
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Asks without waiting; gives process, `si_code` and `si_status`.
#[cfg(target_os = "linux")]
fn wait(which: libc::idtype_t, id: i32, what: i32) -> io::Result<Option<(i32, i32, i32)>> {
    loop {
        let mut found = MaybeUninit::<libc::siginfo_t>::zeroed();
        // SAFETY: the call fills the structure or leaves it as zeros, which are a value of it.
        let result = unsafe { libc::waitid(which, id.cast_unsigned(), found.as_mut_ptr(), what | libc::WNOHANG) };
        if result == -1 {
            match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => continue,
                error => return Err(error),
            }
        }
        // SAFETY: zeroed, then filled by the call; for SIGCHLD, and for zeros, the two fields may be read.
        let (found, process, status) = unsafe {
            let found = found.assume_init();
            (found, found.si_pid(), found.si_status())
        };
        return Ok((process != 0).then_some((process, found.si_code, status)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_of_a_child_is_read() {
        assert_eq!(Change::read(libc::CLD_EXITED, 0x103), Some(Change::Ended(Outcome::Exited(3))));
        let killed = Outcome::Signaled { signal: Signal::new(9), core_dumped: false };
        assert_eq!(Change::read(libc::CLD_KILLED, 9), Some(Change::Ended(killed)));
        assert_eq!(Change::read(libc::CLD_STOPPED, libc::SIGTSTP), Some(Change::Stopped(libc::SIGTSTP)));
        assert_eq!(Change::read(libc::CLD_CONTINUED, libc::SIGCONT), Some(Change::Continued));
        assert_eq!(Change::read(libc::CLD_TRAPPED, 5), None);
    }
}
