//! Who listens on this machine.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::net::{AddressFamily, SocketType, socket};

/// A listening socket, as the kernel tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Listening {
    /// The socket's inode, by which its owner is found; no other living socket has it.
    pub(crate) inode: u32,
    /// The account that made it.
    pub(crate) account: u32,
}

/// The owner of a listening socket, as far as it shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Its process; `None` where we may not see it.
    pub(crate) process: Option<i32>,
    /// The name of its program, without its folder.
    pub(crate) program: Option<String>,
    /// The account that made the socket.
    pub(crate) account: u32,
}

/// Asks the kernel about sockets (`sock_diag(7)`).
#[derive(Debug)]
pub(crate) struct Listeners {
    netlink: OwnedFd,
}

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLMSG_ERROR: u16 = 2;
const HEADER: usize = 16;

impl Listeners {
    /// # Errors
    ///
    /// Where the kernel cannot be asked.
    pub(crate) fn new() -> io::Result<Listeners> {
        let family = rustix::net::netlink::SOCK_DIAG;
        Ok(Listeners { netlink: socket(AddressFamily::NETLINK, SocketType::DGRAM, Some(family))? })
    }

    /// Finds the socket that a new TCP connection to `address` would reach; `None` where nobody listens there.
    ///
    /// # Errors
    ///
    /// Where the kernel does not answer.
    pub(crate) fn tcp(&self, address: SocketAddr) -> io::Result<Option<Listening>> {
        let mut request = Vec::with_capacity(72);
        // `struct nlmsghdr`, then `struct inet_diag_req_v2` (`linux/inet_diag.h`).
        let total: u32 = 72;
        request.extend(total.to_ne_bytes());
        request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        request.extend(1u16.to_ne_bytes());
        request.extend([0; 8]);
        let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        request.extend([u8::try_from(family).unwrap_or_default(), 6, 0, 0]);
        request.extend(u32::MAX.to_ne_bytes());
        // The listener's side is "source"; the caller's is a port that no connection has.
        request.extend(address.port().to_be_bytes());
        request.extend(0u16.to_be_bytes());
        let octets = |ip: IpAddr| -> [u8; 16] {
            let mut octets = [0; 16];
            match ip {
                IpAddr::V4(ip) => octets[..4].copy_from_slice(&ip.octets()),
                IpAddr::V6(ip) => octets = ip.octets(),
            }
            octets
        };
        request.extend(octets(address.ip()));
        request.extend(octets(address.ip()));
        request.extend([0; 4]);
        request.extend([0xff; 8]);
        // SAFETY: the call reads the request, whose length is given.
        let sent = unsafe { libc::send(self.netlink.as_raw_fd(), request.as_ptr().cast(), request.len(), 0) };
        if sent == -1 {
            return Err(io::Error::last_os_error());
        }
        let mut answer = [0u8; 512];
        // SAFETY: the call writes at most the buffer's length.
        let got = unsafe { libc::recv(self.netlink.as_raw_fd(), answer.as_mut_ptr().cast(), answer.len(), 0) };
        let got = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
        read_answer(&answer[..got])
    }
}

/// Reads a `struct inet_diag_msg` or an error.
fn read_answer(answer: &[u8]) -> io::Result<Option<Listening>> {
    let short = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let word = |at: usize| -> io::Result<u32> {
        Ok(u32::from_ne_bytes(answer.get(at..at + 4).and_then(|word| word.try_into().ok()).ok_or_else(short)?))
    };
    let kind = u16::from_ne_bytes(answer.get(4..6).and_then(|kind| kind.try_into().ok()).ok_or_else(short)?);
    if kind == NLMSG_ERROR {
        let error = word(HEADER)?.cast_signed();
        return if error == -libc::ENOENT { Ok(None) } else { Err(io::Error::from_raw_os_error(-error)) };
    }
    // family, state, timer, retrans; the id of 48 bytes; expires, rqueue, wqueue; then uid and inode.
    let state = *answer.get(HEADER + 1).ok_or_else(short)?;
    const LISTENING: u8 = 10;
    let account = word(HEADER + 4 + 48 + 12)?;
    let inode = word(HEADER + 4 + 48 + 16)?;
    Ok((state == LISTENING).then_some(Listening { inode, account }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn the_kernel_says_who_would_take_a_connection() {
        let listeners = Listeners::new().unwrap();
        let one = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = one.local_addr().unwrap().port();
        let at = |address: &str| listeners.tcp(SocketAddr::new(address.parse().unwrap(), port)).unwrap();
        let found = at("127.0.0.1").unwrap();
        assert_eq!(found.account, rustix::process::geteuid().as_raw());
        assert_ne!(found.inode, 0);
        assert_eq!(at("::1"), None);
        assert_eq!(at("127.0.0.2"), None);
        drop(one);
        assert_eq!(at("127.0.0.1"), None);
        let all = TcpListener::bind("[::]:0").unwrap();
        let port = all.local_addr().unwrap().port();
        let at = |address: &str| listeners.tcp(SocketAddr::new(address.parse().unwrap(), port)).unwrap();
        assert_eq!(at("127.0.0.1"), at("::1"));
        assert!(at("127.0.0.1").is_some());
    }
}
