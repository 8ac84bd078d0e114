//! Putting the filter in place, on a thread of its own from which the command is started.
//!
//! The thread filters itself; what it starts inherits the filter, and we ourselves stay outside. The descriptor
//! appears in the table that all our threads share, so that it need not be sent anywhere.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Builder;

use crate::guard::account::Hold;
use crate::guard::filter;
use crate::guard::listeners::Listeners;
use crate::guard::nested::Outer;
use crate::guard::notification::Listener;
use crate::guard::sight;
use crate::guard::sight::Hidden;

type Job = Box<dyn FnOnce() + Send>;

/// The proof that a filter stands: what is started by it is shown to us.
#[derive(Debug)]
pub(crate) struct Line {
    listener: Arc<Listener>,
    jobs: Sender<Job>,
    keeps_privileges: bool,
}

/// Why there can be no filter here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unavailable {
    /// Not this system, or not this processor.
    #[error("this system has no such filter")]
    System,
    /// The filter of another safe-test stands around us.
    #[error("the safe-test around this one (process {}) watches already", .0.process())]
    Nested(Outer),
    /// A filter with a listener stands around us: a container's, another guard's.
    #[error("another program already watches the system calls here")]
    Occupied,
    /// The kernel does not know how.
    #[error("this kernel does not show system calls to a watching program: {0}")]
    Kernel(io::Error),
    /// It may not be done.
    #[error("the system does not permit it: {0}")]
    Denied(io::Error),
    /// What is to be reached stands in the memory of the program, which cannot be read.
    #[error("the memory of a program that was started cannot be read: {0}")]
    Hidden(Hidden),
    /// The kernel does not say who listens on this machine.
    #[error("this kernel does not say who listens on this machine (`inet_diag`, `unix_diag`): {0}")]
    Mute(io::Error),
    /// No thread, no memory.
    #[error("there was no room for it: {0}")]
    Room(io::Error),
}

impl From<Unavailable> for Hold {
    fn from(why: Unavailable) -> Hold {
        match why {
            Unavailable::Nested(_) => Hold::Outer(why.to_string()),
            _ => Hold::Unavailable(why.to_string()),
        }
    }
}

impl Unavailable {
    /// Gives the safe-test around us where it is for that one that there is none here.
    pub(crate) fn outer(&self) -> Option<Outer> {
        match self {
            Unavailable::Nested(outer) => Some(*outer),
            _ => None,
        }
    }
}

/// A filter that is being put in place.
#[derive(Debug)]
pub(crate) struct Installing {
    installed: Receiver<Result<(OwnedFd, bool), Unavailable>>,
    jobs: Sender<Job>,
}

impl Installing {
    /// Begins to install the filter, on a thread of its own: that is filtered alone. Dropped, nothing is left of it.
    ///
    /// # Errors
    ///
    /// Why it cannot be; then nothing has changed.
    pub(crate) fn begin() -> Result<Installing, Unavailable> {
        if !filter::is_known_here() {
            return Err(Unavailable::System);
        }
        let (jobs, to_do) = channel::<Job>();
        let (answer, installed) = channel();
        let filtered = move || {
            let line = filter_this_thread();
            let failed = line.is_err();
            // Nobody hears where the caller has given up.
            let _ = answer.send(line);
            if !failed {
                to_do.into_iter().for_each(|job| job());
            }
        };
        Builder::new().name("guarded".to_owned()).stack_size(256 << 10).spawn(filtered).map_err(Unavailable::Room)?;
        Ok(Installing { installed, jobs })
    }

    /// Waits until the filter stands. Nothing runs under it yet but a thread that waits.
    ///
    /// # Errors
    ///
    /// Why it cannot; then nothing has changed.
    pub(crate) fn finish(self) -> Result<Line, Unavailable> {
        let gone = |_| Unavailable::Room(io::ErrorKind::Other.into());
        let (descriptor, keeps_privileges) = self.installed.recv().map_err(gone)??;
        Ok(Line { listener: Arc::new(Listener::new(descriptor)), jobs: self.jobs, keeps_privileges })
    }
}

impl Line {
    /// Installs the filter, and waits until it stands.
    ///
    /// # Errors
    ///
    /// As [`Installing::begin`] and [`Installing::finish`].
    pub(crate) fn install() -> Result<Line, Unavailable> {
        Installing::begin()?.finish()
    }

    /// Has something done on the filtered thread: what it starts is guarded. Returns where the result will come; nothing comes
    /// where the thread is gone.
    pub(crate) fn on_filtered_thread<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Receiver<T> {
        let (answer, done) = channel();
        let job = move || {
            let _ = answer.send(job());
        };
        // Without the thread the job is dropped, and its end of the channel with it.
        let _ = self.jobs.send(Box::new(job));
        done
    }

    pub(crate) fn listener(&self) -> &Arc<Listener> {
        &self.listener
    }

    /// Tells whether set-user-id programs still gain their privileges under the filter, as they do for root.
    pub(crate) fn keeps_privileges(&self) -> bool {
        self.keeps_privileges
    }
}

/// Filters the calling thread and all that it will start. Returns the listener, and whether privileges can still be
/// gained.
fn filter_this_thread() -> Result<(OwnedFd, bool), Unavailable> {
    sight::try_it().map_err(Unavailable::Hidden)?;
    Listeners::new().and_then(|listeners| listeners.try_them()).map_err(Unavailable::Mute)?;
    // With the privilege to do so (`CAP_SYS_ADMIN`) the filter needs no promise that no more are gained.
    match install() {
        Ok(listener) => return Ok((listener, true)),
        Err(error) if error.raw_os_error() != Some(libc::EACCES) => return Err(explain(error)),
        Err(_) => {}
    }
    // SAFETY: a flag of the calling thread, which is ours; it cannot be taken back.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
        return Err(Unavailable::Denied(io::Error::last_os_error()));
    }
    install().map(|listener| (listener, false)).map_err(explain)
}

fn explain(error: io::Error) -> Unavailable {
    match error.raw_os_error() {
        Some(libc::EBUSY) => Outer::find().map_or(Unavailable::Occupied, Unavailable::Nested),
        Some(libc::EINVAL | libc::ENOSYS) => Unavailable::Kernel(error),
        Some(libc::ENOMEM) => Unavailable::Room(error),
        _ => Unavailable::Denied(error),
    }
}

fn install() -> io::Result<OwnedFd> {
    let mut program = filter::program();
    let text =
        libc::sock_fprog { len: u16::try_from(program.len()).map_err(io::Error::other)?, filter: program.as_mut_ptr() };
    // Before 5.16 a filter made speculation safe, and slow, for all that it holds, unless told not to.
    let always = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    // Without this one (before 5.19) a signal withdraws a call that we have already seen, and it is shown again.
    let unhurried = always | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    let attempt = |flags: libc::c_ulong| {
        // SAFETY: the kernel copies the program, which outlives the call.
        let listener =
            unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const text) };
        match i32::try_from(listener) {
            // SAFETY: the call returned a new descriptor, which nobody else knows.
            Ok(listener) if listener >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(listener) }),
            _ => Err(io::Error::last_os_error()),
        }
    };
    attempt(unhurried).or_else(|error| match error.raw_os_error() {
        Some(libc::EINVAL) => attempt(always),
        _ => Err(error),
    })
}
