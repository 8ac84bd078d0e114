//! Asks the kernel by messages (`netlink(7)`).

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::net::{AddressFamily, Protocol, RecvFlags, SocketFlags, SocketType, recv, socket_with, sockopt};

/// A conversation with one part of the kernel.
#[derive(Debug)]
pub(crate) struct Netlink {
    socket: OwnedFd,
    asked: AtomicU32,
}

/// `struct nlmsghdr`: length, kind, flags, sequence, port.
const HEADER: usize = 16;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_DUMP: u16 = 0x300;

/// More than any question of ours has.
const LONGEST_QUESTION: usize = 128;

/// More than the answer to a question about one thing has.
const LONGEST_ANSWER: usize = 1024;

/// The kernel sends parts of a list in messages of at most this length (`NLMSG_GOODSIZE`, and what it grows to).
const LONGEST_PART: usize = 32 * 1024;

/// The kernel answers while the question is being sent. What is not there after this long never comes.
const PATIENCE: Duration = Duration::from_secs(2);

impl Netlink {
    /// # Errors
    ///
    /// Where the kernel cannot be asked.
    pub(crate) fn open(protocol: Option<Protocol>) -> io::Result<Netlink> {
        let socket = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, protocol)?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(PATIENCE))?;
        Ok(Netlink { socket, asked: AtomicU32::new(0) })
    }

    /// Asks for one thing, and reads the answer's body.
    ///
    /// # Errors
    ///
    /// The kernel's own: that there is no such thing is an error, too.
    pub(crate) fn one<T>(&self, kind: u16, body: &[u8], read: impl FnOnce(&[u8]) -> Option<T>) -> io::Result<T> {
        let sequence = self.ask(kind, NLM_F_REQUEST, body)?;
        let mut buffer = Vec::with_capacity(LONGEST_ANSWER);
        loop {
            self.receive(&mut buffer)?;
            let mut messages = Messages(&buffer);
            let Some(message) = messages.find(|message| message.sequence == sequence) else { continue };
            message.error()?;
            return read(message.body).ok_or_else(|| io::ErrorKind::InvalidData.into());
        }
    }

    /// Asks for a list, and shows each row's body.
    ///
    /// # Errors
    ///
    /// The kernel's own; some rows may have been shown.
    pub(crate) fn list(&self, kind: u16, body: &[u8], mut each: impl FnMut(&[u8])) -> io::Result<()> {
        let sequence = self.ask(kind, NLM_F_REQUEST | NLM_F_DUMP, body)?;
        let mut buffer = Vec::with_capacity(LONGEST_PART);
        loop {
            self.receive(&mut buffer)?;
            for message in Messages(&buffer).filter(|message| message.sequence == sequence) {
                message.error()?;
                if message.kind == NLMSG_DONE {
                    return Ok(());
                }
                each(message.body);
            }
        }
    }

    fn ask(&self, kind: u16, flags: u16, body: &[u8]) -> io::Result<u32> {
        let sequence = self.asked.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let mut question = [0; LONGEST_QUESTION];
        let length = HEADER + body.len();
        question.get_mut(HEADER..length).ok_or(io::ErrorKind::InvalidInput)?.copy_from_slice(body);
        question[..4].copy_from_slice(&u32::try_from(length).unwrap_or_default().to_ne_bytes());
        question[4..6].copy_from_slice(&kind.to_ne_bytes());
        question[6..8].copy_from_slice(&flags.to_ne_bytes());
        question[8..12].copy_from_slice(&sequence.to_ne_bytes());
        // SAFETY: the call reads the question, whose length is given.
        let sent = unsafe { libc::send(self.socket.as_raw_fd(), question.as_ptr().cast(), length, 0) };
        if sent == -1 { Err(io::Error::last_os_error()) } else { Ok(sequence) }
    }

    /// Fills the buffer, as far as it reaches, with what comes next, in place of what is in it.
    fn receive(&self, buffer: &mut Vec<u8>) -> io::Result<()> {
        loop {
            buffer.clear();
            match recv(&self.socket, spare_capacity(buffer), RecvFlags::empty()) {
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

struct Message<'a> {
    kind: u16,
    sequence: u32,
    body: &'a [u8],
}

impl Message<'_> {
    fn error(&self) -> io::Result<()> {
        if self.kind != NLMSG_ERROR {
            return Ok(());
        }
        match number(self.body, 0) {
            Some(0) => Ok(()),
            Some(error) => Err(io::Error::from_raw_os_error(error.cast_signed().wrapping_neg())),
            None => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

struct Messages<'a>(&'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let length = usize::try_from(number(self.0, 0)?).ok()?;
        let kind = u16::from_ne_bytes(self.0.get(4..6)?.try_into().ok()?);
        let sequence = number(self.0, 8)?;
        let body = self.0.get(HEADER..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message { kind, sequence, body })
    }
}

/// Reads four bytes at a place.
pub(crate) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Finds an attribute of this kind (`struct rtattr`) among those of an answer.
pub(crate) fn attribute(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16::from_ne_bytes(attributes.get(..2)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(attributes.get(2..4)?.try_into().ok()?);
        let content = attributes.get(4..length)?;
        if kind == wanted {
            return Some(content);
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
}

/// Gives the number of an address's family, as messages have it.
pub(super) fn family(address: IpAddr) -> u8 {
    u8::try_from(if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 }).unwrap_or_default()
}

/// Writes an address as messages have it: from the first byte on.
pub(super) fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => {
            let mut octets = [0; 16];
            octets[..4].copy_from_slice(&address.octets());
            octets
        }
        IpAddr::V6(address) => address.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_ends_a_list_of_messages_and_of_attributes() {
        let mut bytes = 20u32.to_ne_bytes().to_vec();
        bytes.extend(7u16.to_ne_bytes());
        bytes.extend([0; 2]);
        bytes.extend(3u32.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend([1, 2, 3, 4]);
        let whole: Vec<_> = Messages(&bytes).map(|one| (one.kind, one.sequence, one.body.to_vec())).collect();
        assert_eq!(whole, [(7, 3, vec![1, 2, 3, 4])]);
        for end in 0..bytes.len() {
            assert!(Messages(&bytes[..end]).next().is_none(), "{end}");
        }
        let attributes = [5, 0, 11, 0, 1, 0, 0, 0, 6, 0, 12, 0, 8, 9];
        assert_eq!(attribute(&attributes, 11), Some(&[1][..]));
        assert_eq!(attribute(&attributes, 12), Some(&[8, 9][..]));
        assert_eq!(attribute(&attributes, 13), None);
        assert_eq!(attribute(&attributes[..13], 12), None);
        assert_eq!(attribute(&[0; 16], 0), None, "a length of nothing");
    }
}
