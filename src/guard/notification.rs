//! The descriptor on which the kernel shows us the system calls that the filter stops, and on which we answer.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use rustix::event::{PollFd, PollFlags, poll};
use serde::{Deserialize, Serialize};

use crate::guard::filter;
use crate::guard::filter::Call;
use crate::guard::sockaddr::{MAX_ADDRESS, Peer};

/// `SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP`: caller and watcher take turns on one processor. Two of them that idle are woken
/// by an interrupt each, which takes longer than all that a connection is asked about.
///
/// Source: `include/uapi/linux/seccomp.h` of Linux 6.6 on.
const SYNC_WAKE_UP: u64 = 1;

/// The kernel's end of a filter. Any thread may answer; nobody answers twice.
#[derive(Debug)]
pub(crate) struct Listener {
    descriptor: OwnedFd,
}

/// A system call that is held until it is answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    /// It was asked to stop.
    Stop,
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
    /// Takes the kernel's end, and asks that whoever watches is woken on the processor of the call that it is shown.
    pub(crate) fn new(descriptor: OwnedFd) -> Self {
        // Kernels before 6.6 refuse, and wake as they always did.
        // SAFETY: the call takes the flags by value.
        unsafe { libc::ioctl(descriptor.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS, SYNC_WAKE_UP) };
        Listener { descriptor }
    }

    /// Gives its number.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }

    /// Waits for the next attempt, or until `stop` can be read.
    ///
    /// # Errors
    ///
    /// The system's own; every attempt fails then once the descriptor is closed.
    pub(crate) fn next(&self, stop: &OwnedFd) -> io::Result<Shown> {
        let mut ready = [PollFd::new(&self.descriptor, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
        match poll(&mut ready, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(Shown::Nothing),
            Err(error) => return Err(error.into()),
        }
        let events = ready[0].revents();
        if ready[1].revents().contains(PollFlags::IN) {
            return Ok(Shown::Stop);
        }
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

    /// Says that the system call has happened, which it has not, and had nothing to do.
    pub(crate) fn take(&self, attempt: &Attempt) {
        self.answer(attempt, 0, 0);
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
}

impl Attempt {
    /// Reads whom it is to reach. Whatever was read belongs to the attempt only where it
    /// [still waits](Listener::is_waiting) afterwards.
    pub(crate) fn aim(&self) -> Aim {
        let mut bytes = [0; MAX_ADDRESS];
        match self.address(&mut bytes) {
            Ok(Some(length)) => Peer::parse(&bytes[..length]).map_or(Aim::Unreadable, Aim::Peer),
            Ok(None) => Aim::Unreadable,
            Err(error) if error.raw_os_error() == Some(libc::EFAULT) => Aim::Unreadable,
            Err(error) => Aim::Hidden(error),
        }
    }

    /// Tells whether it is `connect` itself, for which no family means to take a connection back.
    pub(crate) fn is_connect(&self) -> bool {
        #[expect(clippy::cast_possible_truncation, reason = "the filter compared these 32 bits")]
        let socketcall = self.arguments[0] as u32;
        match self.call {
            Call::Connect => true,
            Call::Socketcall => socketcall == filter::SOCKETCALL_CONNECT,
            Call::SendTo | Call::SendMessage | Call::SendMessages => false,
        }
    }

    /// Tells whether its address may be one of the internet, by the length that programs give those. For an attempt of
    /// which nothing else may be seen.
    pub(crate) fn may_be_internet(&self) -> bool {
        let length = match self.call {
            Call::Connect => self.arguments[2],
            Call::SendTo => self.arguments[5],
            Call::SendMessage | Call::SendMessages | Call::Socketcall => return true,
        };
        // `struct sockaddr_in`; `struct sockaddr_in6`, at first without its last field; `struct sockaddr_storage`. A Unix
        // socket's is mostly 110, or as long as its path.
        matches!(length & 0xffff_ffff, 16 | 24..=28 | 128..)
    }

    /// Reads what is sent, at most `longest` bytes.
    ///
    /// # Errors
    ///
    /// Where it is another call than `sendto`, is longer, or may not be read.
    pub(crate) fn message(&self, longest: usize) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.arguments[2]).ok().filter(|length| *length <= longest);
        let Some(length) = length.filter(|_| self.call == Call::SendTo) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let mut bytes = vec![0; length];
        self.read(self.arguments[1], &mut bytes)?;
        Ok(bytes)
    }

    /// Gives the number of the socket's descriptor in the caller.
    pub(crate) fn socket(&self) -> io::Result<i32> {
        let number = match self.call {
            Call::Socketcall => self.socketcall_arguments()?[0],
            _ => self.arguments[0],
        };
        #[expect(clippy::cast_possible_truncation, reason = "a descriptor is an int; the kernel cuts it off as well")]
        Ok(number as i32)
    }

    /// Reads the address that the call names, and gives its length; `None` where it names none.
    fn address(&self, bytes: &mut [u8; MAX_ADDRESS]) -> io::Result<Option<usize>> {
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
        self.read(place, &mut bytes[..length])?;
        Ok(Some(length))
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
