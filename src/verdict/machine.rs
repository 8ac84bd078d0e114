//! What is known of this machine, as values: read once at the edge, judged here.

use crate::verdict::addresses;
use std::net::IpAddr;

/// The facts of this machine that a verdict depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Its name, as `hostname` prints it.
    pub(crate) name: String,
    /// Whether `/etc/safe-test/production` exists.
    pub(crate) marked_production: bool,
    /// Its network interfaces, one entry an address.
    pub(crate) interfaces: Vec<Interface>,
    /// The lines of its hosts file: an address and the names for it, lower case.
    pub(crate) hosts: Vec<(IpAddr, Vec<String>)>,
}

/// One address of one network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interface {
    /// The interface's name: `eth0`, `docker0`, `br-1f2e3d`.
    pub(crate) name: String,
    /// Its address.
    pub(crate) address: IpAddr,
    /// Bits of the network's prefix.
    pub(crate) prefix: u8,
}

impl Machine {
    /// Finds the interface that has exactly this address.
    #[must_use]
    pub(crate) fn own_interface(&self, address: IpAddr) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.address == address)
    }

    /// Finds the container bridge on this machine whose network holds `address`.
    #[must_use]
    pub(crate) fn container_bridge(&self, address: IpAddr) -> Option<&Interface> {
        self.interfaces.iter().filter(|interface| is_bridge_name(&interface.name)).find(|bridge| bridge.holds(address))
    }

    /// Tells whether the hosts file maps `name` to loopback addresses and to nothing else.
    #[must_use]
    pub(crate) fn maps_only_to_loopback(&self, name: &str) -> bool {
        let mut addresses = self
            .hosts
            .iter()
            .filter(|(_, names)| names.iter().any(|own| own == name))
            .map(|(address, _)| *address)
            .peekable();
        addresses.peek().is_some() && addresses.all(addresses::is_loopback)
    }
}

impl Interface {
    fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix.min(32))).unwrap_or(0);
                self.prefix > 0 && u32::from(own) & mask == u32::from(other) & mask
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix.min(128))).unwrap_or(0);
                self.prefix > 0 && u128::from(own) & mask == u128::from(other) & mask
            }
            _ => false,
        }
    }
}

/// Tells whether it is a name that Docker (`docker0`, `br-<id>`), Podman (`podman0`, `cni-podman0`), LXD or libvirt
/// gives a bridge.
pub(crate) fn is_bridge_name(name: &str) -> bool {
    ["docker", "br-", "podman", "cni-podman", "lxdbr", "lxcbr", "incusbr", "virbr"]
        .iter()
        .any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        let interface = |name: &str, address: &str, prefix| Interface {
            name: name.to_owned(),
            address: address.parse().unwrap(),
            prefix,
        };
        Machine {
            interfaces: vec![
                interface("eth0", "10.1.2.3", 24),
                interface("docker0", "172.17.0.1", 16),
                interface("br-0a1b", "fd00::1", 64),
            ],
            hosts: vec![
                ("127.0.0.1".parse().unwrap(), vec!["localhost".into(), "db".into(), "both".into()]),
                ("10.9.9.9".parse().unwrap(), vec!["both".into(), "far".into()]),
            ],
            ..Machine::default()
        }
    }

    #[test]
    fn only_container_bridges_lend_their_network() {
        let machine = machine();
        let bridge =
            |address: &str| machine.container_bridge(address.parse().unwrap()).map(|found| found.name.as_str());
        assert_eq!(bridge("172.17.0.9"), Some("docker0"));
        assert_eq!(bridge("fd00::9"), Some("br-0a1b"));
        assert_eq!(bridge("10.1.2.9"), None);
        assert_eq!(bridge("172.18.0.9"), None);
    }

    #[test]
    fn a_name_with_a_second_far_address_is_not_local() {
        let machine = machine();
        assert!(machine.maps_only_to_loopback("db"));
        assert!(!machine.maps_only_to_loopback("both"));
        assert!(!machine.maps_only_to_loopback("far"));
        assert!(!machine.maps_only_to_loopback("unknown"));
    }
}
