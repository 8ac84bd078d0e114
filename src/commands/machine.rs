//! Reads the facts of this machine that a verdict depends on.

use std::net::IpAddr;
use std::path::Path;

use crate::environment::Files;
use crate::verdict::{Interface, MACHINE_MARK, Machine, Surroundings};

/// Reads name, mark, and what else matters: interfaces, hosts file. What cannot be read is taken as absent: that only
/// tightens.
pub(crate) fn read(matter: Surroundings, files: &dyn Files) -> Machine {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Machine {
        name,
        marked_production: files.exists(Path::new(MACHINE_MARK)),
        interfaces: if matter.interfaces { interfaces() } else { Vec::new() },
        hosts: if matter.names { hosts(&read_hosts(files)) } else { Vec::new() },
    }
}

fn read_hosts(files: &dyn Files) -> String {
    let bytes = files.read(Path::new("/etc/hosts")).ok().flatten().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn interfaces() -> Vec<Interface> {
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    found
        .into_iter()
        .map(|interface| {
            let prefix = match &interface.addr {
                if_addrs::IfAddr::V4(v4) => v4.prefixlen,
                if_addrs::IfAddr::V6(v6) => v6.prefixlen,
            };
            Interface { address: interface.ip(), name: interface.name, prefix }
        })
        .collect()
}

fn hosts(text: &str) -> Vec<(IpAddr, Vec<String>)> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            let address = words.next()?.parse().ok()?;
            Some((address, words.map(str::to_lowercase).collect()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_file_is_read_line_by_line() {
        let found = hosts("# comment\n127.0.0.1 localhost DB # the database\n\nbroken line\n::1 localhost\n");
        assert_eq!(
            found,
            [
                ("127.0.0.1".parse().unwrap(), vec!["localhost".to_owned(), "db".to_owned()]),
                ("::1".parse().unwrap(), vec!["localhost".to_owned()]),
            ]
        );
    }
}
