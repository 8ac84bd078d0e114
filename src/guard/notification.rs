//! The descriptor on which the kernel shows us the system calls that the filter stops, and on which we answer.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};

use crate::guard::filter;
use crate::guard::filter::Call;
use crate::guard::sockaddr::{MAX_ADDRESS, Peer};

/// The kernel's end of a filter. Any thread may answer; nobody answers twice.
#[derive(Debug)]
pub(crate) struct Listener {
    descriptor: OwnedFd,
}

/// A system call that is held until it is answered.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// By which it is answered.
    pub(crate) id: u64,
    /// The thread that made it.
    pub(crate) thread: i32,
    /// What it is.
    pub(crate) call: Call,
    architecture: u32,
    arguments: [u64; 6],
}

/// What the kernel shows next.
pub(crate) enum Shown {
    Attempt(Attempt),
    /// A call was withdrawn, or a signal came: ask again.
    Nothing,
    /// The last process under the filter has ended.
    Over,
}

/// Whom an attempt is to reach.
pub(crate) enum Aim {
    /// This one.
    Peer(Peer),
    /// The kernel itself will refuse the address.
    Unreadable,
    /// The caller's memory may not be read: by this error.
    Hidden(io::Error),
}

impl Listener {
    pub(crate) fn new(descriptor: OwnedFd) -> Self {
        Listener { descriptor }
    }

    /// Waits for the next attempt, for at most the given milliseconds, -1 for ever.
    ///
    /// # Errors
    ///
    /// The system's own; every attempt fails then once the descriptor is closed.
    pub(crate) fn next(&self, wait: i32) -> io::Result<Shown> {
        let mut ready = [PollFd::new(&self.descriptor, PollFlags::IN)];
        let timeout = u32::try_from(wait).ok().map(|wait| rustix::event::Timespec {
            tv_sec: i64::from(wait / 1000),
            tv_nsec: i64::from(wait % 1000) * 1_000_000,
        });
        match poll(&mut ready, timeout.as_ref()) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(Shown::Nothing),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let events = ready[0].revents();
        if !events.contains(PollFlags::IN) {
            return Ok(if events.contains(PollFlags::HUP) { Shown::Over } else { Shown::Nothing });
        }
        self.receive()
    }

    fn receive(&self) -> io::Result<Shown> {
        // The kernel takes only a buffer of zeros (`seccomp_unotify(2)`).
        // SAFETY: the structure is plain integers, for which zero is a value.
        let mut shown: libc::seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: the call fills the structure, which is ours and of the size that the request's number states.
        let result =
            unsafe { libc::ioctl(self.descriptor.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut shown) };
        if result == -1 {
            let error = io::Error::last_os_error();
            // ENOENT: the caller was killed meanwhile. EINTR: a signal came.
            return match error.raw_os_error() {
                Some(libc::ENOENT | libc::EINTR) => Ok(Shown::Nothing),
                _ => Err(error),
            };
        }
        let number = u32::try_from(shown.data.nr).unwrap_or(u32::MAX);
        let attempt = Attempt {
            id: shown.id,
            thread: shown.pid.cast_signed(),
            // What is shown and yet unknown is answered like a connection: by what stands in its arguments.
            call: filter::call(shown.data.arch, number).unwrap_or(Call::Connect),
            architecture: shown.data.arch,
            arguments: shown.data.args,
        };
        Ok(Shown::Attempt(attempt))
    }

    /// Tells whether the attempt still waits: until then its thread's id is nobody else's.
    pub(crate) fn is_waiting(&self, attempt: &Attempt) -> bool {
        let id = attempt.id;
        // SAFETY: the call reads the number, which lives on this stack.
        unsafe { libc::ioctl(self.descriptor.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &raw const id) == 0 }
    }

    /// Lets the system call happen.
    pub(crate) fn let_through(&self, attempt: &Attempt) {
        #[expect(clippy::cast_possible_truncation, reason = "the flag is 1")]
        self.answer(attempt, 0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32);
    }

    /// Lets the system call fail with this error number.
    pub(crate) fn fail(&self, attempt: &Attempt, error: i32) {
        self.answer(attempt, -error, 0);
    }

    fn answer(&self, attempt: &Attempt, error: i32, flags: u32) {
        let answer = libc::seccomp_notif_resp { id: attempt.id, val: 0, error, flags };
        // What cannot be answered any more has been killed, or was answered: no matter.
        // SAFETY: the call reads the structure, which lives on this stack and has the size that the request states.
        unsafe { libc::ioctl(self.descriptor.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const answer) };
    }

    /// Reads whom the attempt is to reach. Whatever was read belongs to the attempt only where it
    /// [still waits](Listener::is_waiting) afterwards.
    pub(crate) fn aim(&self, attempt: &Attempt) -> Aim {
        match attempt.address() {
            Ok(Some(bytes)) => Peer::parse(&bytes).map_or(Aim::Unreadable, Aim::Peer),
            Ok(None) => Aim::Unreadable,
            Err(error) if error.raw_os_error() == Some(libc::EFAULT) => Aim::Unreadable,
            Err(error) => Aim::Hidden(error),
        }
    }
}

impl Attempt {
    /// Gives the number of the socket's descriptor in the caller.
    pub(crate) fn socket(&self) -> io::Result<i32> {
        let number = match self.call {
            Call::Socketcall => self.socketcall_arguments()?[0],
            _ => self.arguments[0],
        };
        #[expect(clippy::cast_possible_truncation, reason = "a descriptor is an int; the kernel cuts it off as well")]
        Ok(number as i32)
    }

    /// Reads the bytes of the address that the call names; `None` where it names none.
    fn address(&self) -> io::Result<Option<Vec<u8>>> {
        let (place, length) = match self.call {
            Call::Connect => (self.arguments[1], self.arguments[2]),
            Call::SendTo => (self.arguments[4], self.arguments[5]),
            // The first message's name; the others' are read by whom they concern.
            Call::SendMessage | Call::SendMessages => self.name_of_message(self.arguments[1])?,
            Call::Socketcall => {
                let arguments = self.socketcall_arguments()?;
                #[expect(clippy::cast_possible_truncation, reason = "the filter compared these 32 bits")]
                match self.arguments[0] as u32 {
                    filter::SOCKETCALL_CONNECT => (arguments[1], arguments[2]),
                    filter::SOCKETCALL_SENDTO => (arguments[4], arguments[5]),
                    _ => self.name_of_message(arguments[1])?,
                }
            }
        };
        if place == 0 {
            return Ok(None);
        }
        let length = usize::try_from(length & 0xffff_ffff).unwrap_or(MAX_ADDRESS).min(MAX_ADDRESS);
        let mut bytes = vec![0; length];
        self.read(place, &mut bytes)?;
        Ok(Some(bytes))
    }

    /// Reads place and length of the address in a `struct msghdr`.
    fn name_of_message(&self, place: u64) -> io::Result<(u64, u64)> {
        let mut head = [0; 12];
        if filter::is_narrow(self.architecture) {
            self.read(place, &mut head[..8])?;
            let word = |at: usize| u64::from(u32::from_ne_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
            Ok((word(0), word(4)))
        } else {
            self.read(place, &mut head)?;
            let (address, length) = head.split_at(8);
            let address = u64::from_ne_bytes(address.try_into().unwrap_or_default());
            Ok((address, u64::from(u32::from_ne_bytes(length.try_into().unwrap_or_default()))))
        }
    }

    /// Reads the arguments that `socketcall` keeps in memory: words of four bytes.
    fn socketcall_arguments(&self) -> io::Result<[u64; 6]> {
        #[expect(clippy::cast_possible_truncation, reason = "the filter compared these 32 bits")]
        let count = match self.arguments[0] as u32 {
            filter::SOCKETCALL_SENDTO => 6,
            filter::SOCKETCALL_SENDMMSG => 4,
            _ => 3,
        };
        let mut bytes = [0; 24];
        self.read(self.arguments[1], &mut bytes[..4 * count])?;
        let mut arguments = [0; 6];
        for (argument, word) in arguments.iter_mut().zip(bytes.chunks_exact(4)) {
            *argument = u64::from(u32::from_ne_bytes(word.try_into().unwrap_or_default()));
        }
        Ok(arguments)
    }

    /// Reads the caller's memory.
    fn read(&self, place: u64, into: &mut [u8]) -> io::Result<()> {
        let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
        let place = usize::try_from(place).map_err(|_| io::Error::from_raw_os_error(libc::EFAULT))?;
        let remote = libc::iovec { iov_base: place as *mut libc::c_void, iov_len: into.len() };
        // SAFETY: the call writes into `into`, at most its length; the other place is only a number to it.
        let read = unsafe { libc::process_vm_readv(self.thread, &raw const local, 1, &raw const remote, 1, 0) };
        match usize::try_from(read) {
            Err(_) => Err(io::Error::last_os_error()),
            Ok(read) if read < into.len() => Err(io::Error::from_raw_os_error(libc::EFAULT)),
            Ok(_) => Ok(()),
        }
    }
}
