//! Looks at files that belong to the accounts of a user's containers: to numbers that are handed on to the user
//! (`subuid(5)`), who may do all with them from the user namespace of such a container, and nothing from outside.

use std::io::{self, PipeReader, Read, Write};
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use serde::{Deserialize, Serialize};

use crate::guard::newness::Kept;

/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a look found, or the number of the system's error and what it says.
#[derive(Debug, Serialize, Deserialize)]
enum Found {
    Kept(Kept),
    Failed(Option<i32>, String),
}

/// Looks at files from the user namespace of a process, in a process that ends with the look.
///
/// # Errors
///
/// That namespace is our own or somebody else's, the look takes longer than ten seconds, or the system has no room for a
/// process. Nothing is left running.
pub(super) fn look_from(process: i32, look: impl FnOnce() -> io::Result<Kept>) -> io::Result<io::Result<Kept>> {
    let process = Pid::from_raw(process).ok_or(io::ErrorKind::NotFound)?;
    let there = pidfd_open(process, PidfdFlags::empty())?;
    let (ours, mut theirs) = io::pipe()?;
    // SAFETY: the new process has this thread alone. The C library keeps its allocator whole across `fork` (glibc, musl
    // since 1.2.2), and no other lock is taken there that a thread of ours could have held.
    let child = match unsafe { libc::fork() } {
        -1 => return Err(io::Error::last_os_error()),
        0 => {
            let look = || {
                // Only a process with one thread may change to another namespace of users (`setns(2)`).
                // SAFETY: the call takes numbers.
                if unsafe { libc::setns(there.as_raw_fd(), libc::CLONE_NEWUSER) } != 0 {
                    return Err(io::Error::last_os_error());
                }
                let found = match look() {
                    Ok(kept) => Found::Kept(kept),
                    Err(error) => Found::Failed(error.raw_os_error(), error.to_string()),
                };
                theirs.write_all(&serde_json::to_vec(&found)?)
            };
            let ended: io::Result<()> =
                catch_unwind(AssertUnwindSafe(look)).unwrap_or(Err(io::ErrorKind::Other.into()));
            // SAFETY: ends the process without what was registered for the end of the one that it is a copy of.
            unsafe { libc::_exit(ended.map_or(1, |()| 0)) }
        }
        child => child,
    };
    drop(theirs);
    let said = read(ours, Instant::now() + PATIENCE);
    end(child);
    match serde_json::from_slice(&said?).map_err(io::Error::other)? {
        Found::Kept(kept) => Ok(Ok(kept)),
        Found::Failed(Some(number), _) => Ok(Err(io::Error::from_raw_os_error(number))),
        Found::Failed(None, said) => Ok(Err(io::Error::other(said))),
    }
}

/// Reads to the end.
fn read(mut pipe: PipeReader, deadline: Instant) -> io::Result<Vec<u8>> {
    let (mut said, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let left = Timespec::try_from(deadline.saturating_duration_since(Instant::now())).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&pipe, PollFlags::IN)], Some(&left)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Err(rustix::io::Errno::INTR) => continue,
            ready => ready?,
        };
        match pipe.read(&mut piece)? {
            0 => return Ok(said),
            read => said.extend_from_slice(&piece[..read]),
        }
    }
}

/// Ends the process, if it has not ended, and takes note of that.
fn end(child: i32) {
    let Some(child) = Pid::from_raw(child) else { return };
    // Until it is waited for its number is nobody else's.
    let _ = kill_process(child, Signal::KILL);
    while let Err(rustix::io::Errno::INTR) =
        rustix::process::waitpid(Some(child), rustix::process::WaitOptions::empty())
    {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::read_link;
    use std::process::{Command, Stdio};

    #[test]
    fn a_look_is_from_the_namespace_of_that_process() {
        let mut there = Command::new("unshare");
        there.args(["--user", "--map-root-user", "sh", "-c", "echo; cat"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut there = there.spawn().unwrap();
        // It is there once it has said something.
        there.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let process = i32::try_from(there.id()).unwrap();
        let own = || read_link("/proc/self/ns/user").map(Kept::Older);
        let expected = read_link(format!("/proc/{process}/ns/user")).map(Kept::Older).unwrap();
        assert_eq!(look_from(process, own).unwrap().unwrap(), expected);
        assert_ne!(own().unwrap(), expected, "we have stayed where we were");
        let denied = look_from(process, || Err(io::Error::from_raw_os_error(libc::EACCES))).unwrap();
        assert_eq!(denied.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert!(look_from(process, || panic!("on the way")).is_err());
        there.kill().unwrap();
        there.wait().unwrap();
        assert!(look_from(process, own).is_err(), "it is gone");
        let me = i32::try_from(std::process::id()).unwrap();
        assert!(look_from(me, own).is_err(), "nobody may enter where he is");
    }
}
