//! Where addresses are, as this machine's routes have it.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::guard::netlink::{Netlink, attribute, family, number, octets};
use crate::verdict::is_bridge_name;

/// Where an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// It is this machine's own.
    Here,
    /// In the network of a container bridge on this machine.
    Container,
    /// On another machine, or nowhere.
    Elsewhere,
}

/// Asks the kernel about routes (`rtnetlink(7)`).
#[derive(Debug)]
pub(crate) struct Routes {
    routes: Netlink,
    /// By which interfaces are asked for; it carries nothing.
    any: OwnedFd,
}

const RTM_GETROUTE: u16 = 26;

impl Routes {
    /// # Errors
    ///
    /// Where the kernel cannot be asked.
    pub(crate) fn new() -> io::Result<Routes> {
        let any = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
        // The protocol of number 0 is that of routes.
        Ok(Routes { routes: Netlink::open(None)?, any })
    }

    /// Tells where an address is, as this machine's routes have it.
    ///
    /// # Errors
    ///
    /// Where the kernel does not answer.
    pub(crate) fn whereabouts(&self, address: SocketAddr) -> io::Result<Whereabouts> {
        let interface = interface(address);
        let address = address.ip();
        if address.is_loopback() || address.is_unspecified() {
            return Ok(Whereabouts::Here);
        }
        // `struct rtmsg`, then the destination, then the interface.
        let mut question = [0; 12 + 4 + 16 + 8];
        let octets = octets(address);
        let width = if address.is_ipv4() { 4 } else { 16 };
        question[0] = family(address);
        question[1] = u8::try_from(width * 8).unwrap_or_default();
        question[12] = u8::try_from(4 + width).unwrap_or_default();
        // RTA_DST
        question[14] = 1;
        question[16..16 + width].copy_from_slice(&octets[..width]);
        let mut length = 16 + width;
        if let Some(interface) = interface {
            question[length] = 8;
            // RTA_OIF
            question[length + 2] = 4;
            question[length + 4..length + 8].copy_from_slice(&interface.to_ne_bytes());
            length += 8;
        }
        let found = self.routes.one(RTM_GETROUTE, &question[..length], |body| {
            // RTN_LOCAL
            if *body.get(7)? == 2 {
                return Some((true, None));
            }
            // RTA_GATEWAY: another machine leads there. RTA_OIF: by this interface.
            let attributes = body.get(12..)?;
            let direct = attribute(attributes, 5).is_none();
            Some((false, attribute(attributes, 4).filter(|_| direct).and_then(|interface| number(interface, 0))))
        });
        match found {
            Ok((true, _)) => Ok(Whereabouts::Here),
            Ok((false, Some(interface))) if self.is_bridge(interface) => Ok(Whereabouts::Container),
            Ok(_) => Ok(Whereabouts::Elsewhere),
            Err(error) if matches!(error.raw_os_error(), Some(libc::ETIMEDOUT | libc::EAGAIN) | None) => Err(error),
            // There is no way to it.
            Err(_) => Ok(Whereabouts::Elsewhere),
        }
    }

    fn is_bridge(&self, interface: u32) -> bool {
        rustix::net::netdevice::index_to_name(&self.any, interface).is_ok_and(|name| is_bridge_name(&name))
    }
}

/// Gives the interface that an address of one link belongs to.
pub(super) fn interface(address: SocketAddr) -> Option<u32> {
    match address {
        SocketAddr::V6(address) => Some(address.scope_id()).filter(|interface| *interface != 0),
        SocketAddr::V4(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_which_addresses_are_here() {
        let routes = Routes::new().unwrap();
        for (address, expected) in [
            ("127.0.0.1", true),
            ("127.8.8.8", true),
            ("::1", true),
            ("0.0.0.0", true),
            ("192.0.2.77", false),
            ("2001:db8::77", false),
        ] {
            let found = routes.whereabouts(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
            assert_eq!(found == Whereabouts::Here, expected, "{address}");
        }
        for interface in if_addrs::get_if_addrs().unwrap() {
            let address = SocketAddr::new(interface.ip(), 0);
            assert_eq!(routes.whereabouts(address).unwrap(), Whereabouts::Here, "{address}");
        }
    }
}
