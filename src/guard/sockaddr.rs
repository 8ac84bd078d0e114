//! Whom a system call wants to talk to, read from the bytes of its address.

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// The most bytes of an address that are read: `struct sockaddr_storage`.
pub(crate) const MAX_ADDRESS: usize = 128;

/// Whom a socket is to be connected to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Peer {
    /// An address of IPv4 or IPv6. IPv4 in IPv6 is IPv4. One that each link has for itself has its interface.
    Internet(SocketAddr),
    /// A Unix socket with a path, as written.
    Path(PathBuf),
    /// A Unix socket in the abstract namespace, without its leading zero.
    Abstract(Vec<u8>),
    /// No family: `connect` takes a connection back by it, `sendto` takes it for IPv4 (`net/ipv4/udp.c`).
    Unspecified(Option<SocketAddr>),
    /// Another family: netlink, virtual sockets, Bluetooth, ….
    Other(u16),
}

impl Peer {
    /// Reads an address; `None` where it is too short for its family, which the kernel refuses itself.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Peer> {
        let family = u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?);
        let rest = &bytes[2..];
        Some(match i32::from(family) {
            libc::AF_INET => Peer::Internet(internet_4(rest)?),
            libc::AF_INET6 => {
                let port = u16::from_be_bytes(rest.get(..2)?.try_into().ok()?);
                let address: [u8; 16] = rest.get(6..22)?.try_into().ok()?;
                let interface = rest.get(22..26).and_then(|scope| scope.try_into().ok()).map_or(0, u32::from_ne_bytes);
                Peer::Internet(match Ipv6Addr::from(address).to_canonical() {
                    IpAddr::V6(address) if address.is_unicast_link_local() => {
                        SocketAddrV6::new(address, port, 0, interface).into()
                    }
                    address => SocketAddr::new(address, port),
                })
            }
            libc::AF_UNIX => match rest.split_first() {
                Some((0, name)) => Peer::Abstract(name.to_owned()),
                _ => {
                    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
                    Peer::Path(PathBuf::from(OsStr::from_bytes(&rest[..end])))
                }
            },
            libc::AF_UNSPEC => Peer::Unspecified(internet_4(rest)),
            _ => Peer::Other(family),
        })
    }
}

fn internet_4(rest: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes(rest.get(..2)?.try_into().ok()?);
    let address: [u8; 4] = rest.get(2..6)?.try_into().ok()?;
    Some(SocketAddr::new(Ipv4Addr::from(address).into(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(family: i32, rest: &[u8]) -> Vec<u8> {
        let mut bytes = u16::try_from(family).unwrap().to_ne_bytes().to_vec();
        bytes.extend(rest);
        bytes
    }

    #[test]
    fn each_family_is_read_and_what_is_too_short_is_none() {
        let v6 = |address: &str| {
            let address: Ipv6Addr = address.parse().unwrap();
            let mut rest = vec![0x15, 0x38, 0, 0, 0, 0];
            rest.extend(address.octets());
            rest.extend(7u32.to_ne_bytes());
            Peer::parse(&bytes(libc::AF_INET6, &rest))
        };
        let internet = |text: &str| Some(Peer::Internet(text.parse().unwrap()));
        assert_eq!(Peer::parse(&bytes(libc::AF_INET, &[0x15, 0x38, 127, 0, 0, 1])), internet("127.0.0.1:5432"));
        assert_eq!(v6("::1"), internet("[::1]:5432"));
        assert_eq!(v6("::ffff:10.0.0.1"), internet("10.0.0.1:5432"));
        assert_eq!(v6("fe80::1"), internet("[fe80::1%7]:5432"));
        assert_eq!(v6("2001:db8::1"), internet("[2001:db8::1]:5432"), "elsewhere the kernel does not look at it");
        assert_eq!(Peer::parse(&bytes(libc::AF_UNIX, b"/run/s\0rest")), Some(Peer::Path("/run/s".into())));
        assert_eq!(Peer::parse(&bytes(libc::AF_UNIX, b"\0name")), Some(Peer::Abstract(b"name".to_vec())));
        assert_eq!(Peer::parse(&bytes(libc::AF_NETLINK, &[0; 10])), Some(Peer::Other(16)));
        assert_eq!(Peer::parse(&bytes(libc::AF_INET, &[0x15, 0x38, 127])), None);
        assert_eq!(Peer::parse(&[1]), None);
    }
}
