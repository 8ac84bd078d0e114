//! Finds out whether a server on this machine is simply not there: nobody listens where it is to be.
//!
//! A client's message does not tell: of several addresses it may name the first alone. The kernel does, since nobody
//! but a listener takes a connection.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::reach::{Place, Target};
use crate::snapshot::engine::SnapshotEngine;

/// How long an address of this machine may take to refuse a connection. It takes microseconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells whether every place of `target` is on this machine, and nobody listens at any.
///
/// `false` wherever that is not certain: another machine, a name that is not found, a server that does not answer.
pub(crate) fn nobody_listens(target: &Target, engine: &dyn SnapshotEngine) -> bool {
    let addresses = target.parameters.iter().filter(|(name, _)| name == "hostaddr");
    // What the library dials instead of the names.
    let mut dialled = addresses.flat_map(|(_, list)| list.split(',')).map(str::trim).filter(|one| !one.is_empty());
    let port = target.places.iter().find_map(|place| match place {
        Place::Host { port, .. } => *port,
        _ => None,
    });
    let usual = target.engine.default_port();
    let port = port.or(usual);
    target.places.iter().all(|place| nobody_listens_at(place, usual, engine))
        && dialled.all(|address| port.is_some_and(|port| nobody_listens_on(address, port)))
}

fn nobody_listens_at(place: &Place, usual: Option<u16>, engine: &dyn SnapshotEngine) -> bool {
    match place {
        Place::Host { name, port } => port.or(usual).is_some_and(|port| nobody_listens_on(name, port)),
        Place::Socket { path, port } => engine.socket(path, *port).is_some_and(|socket| nobody_listens_in(&socket)),
        Place::File { .. } | Place::Memory | Place::Instance { .. } => false,
    }
}

fn nobody_listens_on(name: &str, port: u16) -> bool {
    let Ok(addresses) = (name, port).to_socket_addrs() else { return false };
    let addresses: Vec<SocketAddr> = addresses.collect();
    !addresses.is_empty() && addresses.iter().all(|address| is_here(address.ip()) && is_refused(address))
}

/// Tells whether an address is this machine's own: only such a one can be taken by a socket.
pub(crate) fn is_here(address: IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified() || UdpSocket::bind((address, 0)).is_ok()
}

fn is_refused(address: &SocketAddr) -> bool {
    use io::ErrorKind::{AddrNotAvailable, ConnectionRefused, NetworkUnreachable};
    // The latter two: the machine does without this family of addresses.
    let nobody = [ConnectionRefused, AddrNotAvailable, NetworkUnreachable];
    TcpStream::connect_timeout(address, PATIENCE).is_err_and(|error| nobody.contains(&error.kind()))
}

/// Tells whether a place of `target` is this machine's loopback, and no program here may connect to it: there is no such
/// interface, or the system forbids it. So it is in many sandboxes.
pub(crate) fn loopback_is_closed(target: &Target) -> bool {
    use io::ErrorKind::{AddrNotAvailable, NetworkUnreachable, PermissionDenied};
    target.places.iter().any(|place| {
        let Place::Host { name, port } = place else { return false };
        let Some(port) = port.or(target.engine.default_port()) else { return false };
        let addresses = (name.as_str(), port).to_socket_addrs().into_iter().flatten();
        let loopback = addresses.filter(|address| address.ip().is_loopback());
        let connected =
            loopback.map(|address| TcpStream::connect_timeout(&address, PATIENCE).map_err(|error| error.kind()));
        let connected: Vec<Result<_, _>> = connected.collect();
        // A machine may do without one family of addresses.
        let is_closed = |one: &Result<_, io::ErrorKind>| matches!(one, Err(NetworkUnreachable | PermissionDenied));
        connected.iter().any(is_closed)
            && connected.iter().all(|one| is_closed(one) || matches!(one, Err(AddrNotAvailable)))
    })
}

fn nobody_listens_in(socket: &Path) -> bool {
    use io::ErrorKind::{ConnectionRefused, NotFound};
    // A provider's, which leads elsewhere.
    let is_elsewhere = socket.starts_with("/cloudsql");
    // A socket that a killed server left behind refuses.
    !is_elsewhere
        && UnixStream::connect(socket).is_err_and(|error| [ConnectionRefused, NotFound].contains(&error.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Origin;
    use crate::reach::Engine;
    use crate::snapshot::engines;
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    fn target(places: Vec<Place>, hostaddr: Option<&str>) -> Target {
        Target {
            engine: Engine::Postgres,
            places,
            database: Some("shop_test".to_owned()),
            user: None,
            password: None,
            parameters: hostaddr.map(|list| ("hostaddr".to_owned(), list.to_owned())).into_iter().collect(),
            origins: vec![Origin::process("DATABASE_URL")],
            doubts: Vec::new(),
        }
    }

    fn nobody(target: &Target) -> bool {
        nobody_listens(target, engines::named("postgres").unwrap())
    }

    #[test]
    fn only_where_nobody_listens_at_any_place_of_this_machine_there_is_no_server() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap().port();
        let host = |name: &str, port| Place::Host { name: name.to_owned(), port: Some(port) };
        for (places, hostaddr, expected) in [
            (vec![host("127.0.0.1", taken)], None, true),
            (vec![host("localhost", taken)], None, true),
            (vec![host("localhost", open)], None, false),
            (vec![host("127.0.0.1", taken), host("127.0.0.1", open)], None, false),
            (vec![host("localhost", taken)], Some("127.0.0.1"), true),
            // Documentation's own address (RFC 5737): never asked, since it is not this machine's.
            (vec![host("192.0.2.1", taken)], None, false),
            (vec![host("localhost", taken)], Some("192.0.2.1"), false),
            (vec![host("no-such-host.invalid", taken)], None, false),
            (vec![Place::Memory], None, false),
            (vec![Place::Instance { name: "shop".to_owned() }], None, false),
        ] {
            assert_eq!(nobody(&target(places.clone(), hostaddr)), expected, "{places:?} {hostaddr:?}");
        }
    }

    #[test]
    fn a_socket_that_is_missing_or_left_behind_is_nobody_s() {
        let folder = tempfile::tempdir().unwrap();
        let socket = |path: &Path| target(vec![Place::Socket { path: path.to_owned(), port: Some(5433) }], None);
        assert!(nobody(&socket(folder.path())));
        let file = folder.path().join(".s.PGSQL.5433");
        let listener = UnixListener::bind(&file).unwrap();
        assert!(!nobody(&socket(folder.path())));
        assert!(!nobody(&socket(&file)));
        drop(listener);
        assert!(nobody(&socket(folder.path())), "its file is still there");
        assert!(!nobody(&socket(Path::new("/cloudsql/shop:europe:main"))));
    }
}
