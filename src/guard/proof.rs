//! Proves by trying what a guard can do here: a process of ours, started under a filter, tries to reach two listeners of
//! ours, and is to be let through to one and kept from the other.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;

use rustix::event::{EventfdFlags, eventfd};

use crate::guard::account::Hold;
use crate::guard::install::{Line, Unavailable};
use crate::guard::notification::{Aim, Listener, Shown};
use crate::guard::sight::Hidden;
use crate::guard::sockaddr::Peer;

/// What was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Proof {
    keeps_privileges: bool,
}

impl Proof {
    /// Tells whether set-user-id programs gain their privileges under the filter.
    pub(crate) fn keeps_privileges(&self) -> bool {
        self.keeps_privileges
    }
}

/// Why the guard does not hold here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unproven {
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// A connection that was to fail did not fail so, or one that was to go on did not.
    #[error("a connection that was tried ended otherwise than it was answered ({0})")]
    Otherwise(&'static str),
    /// Nothing could be tried.
    #[error("it could not be tried: {0}")]
    NotTried(#[from] io::Error),
}

impl From<Unproven> for Hold {
    fn from(why: Unproven) -> Hold {
        match why {
            Unproven::Unavailable(why) => why.into(),
            _ => Hold::Unavailable(why.to_string()),
        }
    }
}

impl Unproven {
    /// Says where that is so, and what helps, a phrase.
    pub(crate) fn explained(&self) -> Option<&'static str> {
        match self {
            Unproven::Unavailable(Unavailable::Occupied) => {
                Some("a sandbox, a container's own watcher, or WSL2 with mirrored networking")
            }
            Unproven::Unavailable(Unavailable::Kernel(_)) => {
                Some("Linux 5.5 or later does; gVisor and emulators do not")
            }
            Unproven::Unavailable(Unavailable::Denied(_)) => Some("a sandbox or container around this forbids it"),
            Unproven::Unavailable(Unavailable::Hidden(Hidden::Yama(_))) => Some(
                "where it is 0 or 1, whoever starts a program may read its memory; 3 stays until the next start of the machine",
            ),
            Unproven::Unavailable(Unavailable::Hidden(Hidden::Otherwise(_))) => {
                Some("a container or a security module forbids `process_vm_readv`")
            }
            Unproven::Unavailable(
                Unavailable::System | Unavailable::Nested(_) | Unavailable::Mute(_) | Unavailable::Room(_),
            )
            | Unproven::Otherwise(_)
            | Unproven::NotTried(_) => None,
        }
    }
}

/// How long the process that tries may take, in seconds.
const PATIENCE: u32 = 5;
/// How the process that tries ends: with the sum of what it saw.
const LET_THROUGH: i32 = 1;
const KEPT: i32 = 2;

/// Tries it. Nothing of it is left afterwards.
///
/// # Errors
///
/// Why a run would not be guarded here.
pub(crate) fn prove() -> Result<Proof, Unproven> {
    let (open, closed) = (TcpListener::bind(("127.0.0.1", 0))?, TcpListener::bind(("127.0.0.1", 0))?);
    let (to_open, to_closed) = (open.local_addr()?, closed.local_addr()?);
    let line = Line::install()?;
    let keeps_privileges = line.keeps_privileges();
    let (listener, stop) =
        (Arc::clone(line.listener()), Arc::new(eventfd(0, EventfdFlags::CLOEXEC).map_err(io::Error::from)?));
    let stops = Arc::clone(&stop);
    let answering = thread::Builder::new().spawn(move || answer(&listener, to_closed, &stops))?;
    let tried = line.on_filtered_thread(move || try_in_a_process(to_open, to_closed)).recv();
    rustix::io::write(&*stop, &1u64.to_ne_bytes()).map_err(io::Error::from)?;
    drop(line);
    let _ = answering.join();
    match tried.map_err(io::Error::other)?? {
        Some(status) if status == LET_THROUGH + KEPT => Ok(Proof { keeps_privileges }),
        Some(LET_THROUGH) => Err(Unproven::Otherwise("it was to fail and went on")),
        Some(_) => Err(Unproven::Otherwise("it was to go on and failed")),
        None => Err(Unproven::Otherwise("it was never answered")),
    }
}

/// Answers all attempts until it is stopped.
fn answer(listener: &Listener, closed: SocketAddr, stop: &OwnedFd) {
    loop {
        match listener.next(stop) {
            Ok(Shown::Attempt(attempt)) => match attempt.aim() {
                Aim::Peer(Peer::Internet(address)) if address == closed => listener.fail(&attempt, libc::EACCES),
                Aim::Peer(_) | Aim::Unreadable | Aim::Hidden(_) => listener.let_through(&attempt),
            },
            Ok(Shown::Nothing) => {}
            Ok(Shown::Stop | Shown::Over) | Err(_) => return,
        }
    }
}

/// Starts a process that tries both; returns how it ended, `None` where a signal ended it.
fn try_in_a_process(open: SocketAddr, closed: SocketAddr) -> io::Result<Option<i32>> {
    // SAFETY: the new process only makes system calls, and ends without unwinding; of other threads' locks it takes none.
    let child = unsafe {
        match libc::fork() {
            -1 => return Err(io::Error::last_os_error()),
            0 => {
                // An attempt that nobody answers is to end nevertheless.
                libc::alarm(PATIENCE);
                // Without a loopback interface it is the kernel that refuses what was let through.
                let let_through = i32::from(matches!(connect(open), 0 | libc::ENETUNREACH)) * LET_THROUGH;
                let kept = i32::from(connect(closed) == libc::EACCES) * KEPT;
                libc::_exit(let_through + kept)
            }
            child => child,
        }
    };
    let mut status = 0;
    loop {
        // SAFETY: waits for the process that was started above, and writes to this stack.
        match unsafe { libc::waitpid(child, &raw mut status, 0) } {
            -1 if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            -1 => return Err(io::Error::last_os_error()),
            _ => return Ok(libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status))),
        }
    }
}

/// Connects; returns the error's number, 0 for none. Allocates nothing.
fn connect(to: SocketAddr) -> i32 {
    let SocketAddr::V4(to) = to else { return libc::EAFNOSUPPORT };
    let address = libc::sockaddr_in {
        sin_family: libc::sa_family_t::try_from(libc::AF_INET).unwrap_or_default(),
        sin_port: to.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(*to.ip()).to_be() },
        sin_zero: [0; 8],
    };
    let length = libc::socklen_t::try_from(size_of::<libc::sockaddr_in>()).unwrap_or_default();
    // SAFETY: the calls make a descriptor of this process, and read the structure, whose length is given.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        if libc::connect(socket, (&raw const address).cast(), length) == 0 { 0 } else { *libc::__errno_location() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guard_holds_where_these_tests_run() {
        prove().unwrap();
    }
}
