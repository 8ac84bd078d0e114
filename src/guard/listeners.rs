//! Who listens on this machine, as the kernel tells it.

use std::ffi::OsStr;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::net::netlink;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::guard::netlink::{Netlink, attribute, family, number, octets};
use crate::guard::routes::interface;

/// A listening socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Listening {
    /// The socket's inode, by which its owner is found; no other living socket has it.
    pub(crate) inode: u32,
    /// The account that made it.
    pub(crate) account: u32,
}

/// All that listened at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    /// Addresses with their sockets; whether an address of IPv6 takes connections of IPv4 as well.
    internet: Vec<(SocketAddr, bool, Listening)>,
    /// The inodes of Unix sockets that listened.
    unix: Vec<u32>,
    taken_at: Option<SystemTime>,
}

impl Table {
    /// Finds the sockets that listened where a connection to `address` would have arrived.
    pub(crate) fn at(&self, address: SocketAddr) -> impl Iterator<Item = Listening> {
        let takes = move |(at, both, _): &&(SocketAddr, bool, Listening)| {
            let is_everywhere = at.ip().is_unspecified() && (at.is_ipv4() == address.is_ipv4() || *both);
            at.port() == address.port() && (at.ip() == address.ip() || is_everywhere || address.ip().is_unspecified())
        };
        self.internet.iter().filter(takes).map(|(_, _, listening)| *listening)
    }

    /// When it was, by the clock that files get their times from; `None` for a table that nobody took.
    pub(crate) fn taken_at(&self) -> Option<SystemTime> {
        self.taken_at
    }

    /// Tells whether this very socket listened already.
    pub(crate) fn has(&self, inode: u32) -> bool {
        self.internet.iter().any(|(_, _, listening)| listening.inode == inode) || self.unix.contains(&inode)
    }
}

/// Asks the kernel about sockets (`sock_diag(7)`).
#[derive(Debug)]
pub(crate) struct Listeners {
    sockets: Netlink,
}

const SOCK_DIAG_BY_FAMILY: u16 = 20;

/// `TCP_LISTEN` (`net/tcp_states.h`), which Unix sockets share.
const LISTEN: u8 = 10;

impl Listeners {
    /// # Errors
    ///
    /// Where the kernel cannot be asked.
    pub(crate) fn new() -> io::Result<Listeners> {
        Ok(Listeners { sockets: Netlink::open(Some(netlink::SOCK_DIAG))? })
    }

    /// Asks for nothing, which the kernel answers where it can say who listens: on small kernels it cannot, and to the
    /// question about one address that is the same answer as that nobody listens there.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    pub(crate) fn try_them(&self) -> io::Result<()> {
        for any in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
            self.sockets.list(SOCK_DIAG_BY_FAMILY, &inet_question(any, 0, 0), |_| {})?;
        }
        self.sockets.list(SOCK_DIAG_BY_FAMILY, &unix_question(0), |_| {})
    }

    /// Finds the socket that a new TCP connection to `address`, which is this machine's, would reach; `None` where
    /// nobody listens there.
    ///
    /// # Errors
    ///
    /// Where the kernel does not answer.
    pub(crate) fn tcp(&self, address: SocketAddr) -> io::Result<Option<Listening>> {
        // To nowhere in particular is to ourselves (`connect` of 0.0.0.0, Linux).
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let mut question = inet_question(ip, address.port(), u32::MAX);
        // By which interface the connection arrives: a socket may be bound to one.
        question[44..48].copy_from_slice(&arrival(address).to_ne_bytes());
        let found = self
            .sockets
            .one(SOCK_DIAG_BY_FAMILY, &question, |body| Some((*body.get(1)? == LISTEN).then_some(listening(body)?)));
        match found {
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
            other => other,
        }
    }

    /// Finds the listening Unix socket that has this place in the file system, or this abstract name, which begins with
    /// zero; `None` where nobody listens on it.
    ///
    /// # Errors
    ///
    /// Where the kernel does not answer.
    pub(crate) fn unix(&self, path: &Path) -> io::Result<Option<Listening>> {
        use std::os::unix::fs::MetadataExt;
        let mut listens = None;
        if path.as_os_str().as_bytes().starts_with(b"\0") {
            self.each_unix(|row| {
                if row.name.as_deref().is_some_and(|name| name.as_os_str() == path.as_os_str()) {
                    listens = Some(row.listening);
                }
            })?;
            return Ok(listens);
        }
        let Ok(found) = std::fs::metadata(path) else { return Ok(None) };
        let device = (libc::major(found.dev()) << 20) | libc::minor(found.dev());
        self.each_unix(|row| {
            let is_it = row.file.is_some_and(|(inode, on)| {
                u64::from(inode) == found.ino() & 0xffff_ffff && (on == device || row.name.as_deref() == Some(path))
            });
            if is_it {
                listens = Some(row.listening);
            }
        })?;
        Ok(listens)
    }

    /// Lists all that listens.
    ///
    /// # Errors
    ///
    /// Where the kernel does not answer.
    pub(crate) fn table(&self) -> io::Result<Table> {
        // That clock ticks a hundred times a second or more (`current_time`, Linux): what is made right after has this time.
        let tick = clock_gettime(ClockId::RealtimeCoarse);
        let since_1970 = Duration::try_from(tick).map_err(|_| io::ErrorKind::InvalidData)?;
        let mut table = Table { taken_at: UNIX_EPOCH.checked_add(since_1970), ..Table::default() };
        for any in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
            let question = inet_question(any, 0, 1 << LISTEN);
            self.sockets.list(SOCK_DIAG_BY_FAMILY, &question, |body| table.internet.extend(internet_row(body)))?;
        }
        self.each_unix(|row| table.unix.push(row.listening.inode))?;
        Ok(table)
    }

    fn each_unix(&self, mut each: impl FnMut(UnixRow)) -> io::Result<()> {
        self.sockets.list(SOCK_DIAG_BY_FAMILY, &unix_question(1 << LISTEN), |body| {
            if let Some(row) = unix_row(body) {
                each(row);
            }
        })
    }
}

/// Writes a `struct unix_diag_req` (`linux/unix_diag.h`): which states, and with it name, place and account.
fn unix_question(states: u32) -> [u8; 24] {
    let mut question = [0; 24];
    question[0] = u8::try_from(libc::AF_UNIX).unwrap_or_default();
    question[4..8].copy_from_slice(&states.to_ne_bytes());
    question[12..16].copy_from_slice(&(0x1u32 | 0x2 | 0x40).to_ne_bytes());
    question[16..24].fill(0xff);
    question
}

struct UnixRow {
    listening: Listening,
    name: Option<PathBuf>,
    /// The inode and the device, as the kernel counts devices.
    file: Option<(u32, u32)>,
}

/// Reads a `struct unix_diag_msg` with its attributes.
fn unix_row(body: &[u8]) -> Option<UnixRow> {
    if *body.get(2)? != LISTEN {
        return None;
    }
    let inode = number(body, 4)?;
    let attributes = body.get(16..)?;
    let whole = |name: &[u8]| PathBuf::from(OsStr::from_bytes(name));
    let name = attribute(attributes, 0).map(|name| match name.first() {
        // Every byte of an abstract name counts.
        Some(0) => whole(name),
        _ => whole(name.strip_suffix(b"\0").unwrap_or(name)),
    });
    let file = attribute(attributes, 1).and_then(|file| Some((number(file, 0)?, number(file, 4)?)));
    // Kernels before 5.3 do not tell the account: then nobody's.
    let account = attribute(attributes, 7).and_then(|account| number(account, 0)).unwrap_or(u32::MAX);
    Some(UnixRow { listening: Listening { inode, account }, name, file })
}

/// By which interface a connection from this machine to itself arrives, by its number; 0 where any may be.
fn arrival(address: SocketAddr) -> u32 {
    // Of every network (`LOOPBACK_IFINDEX`).
    const LOOPBACK: u32 = 1;
    let is_by_loopback = address.is_ipv4() || address.ip().is_loopback() || address.ip().is_unspecified();
    if is_by_loopback { LOOPBACK } else { interface(address).unwrap_or(0) }
}

/// Writes a `struct inet_diag_req_v2` (`linux/inet_diag.h`): the listener's side is "source", the caller's a port that
/// no connection has.
fn inet_question(address: IpAddr, port: u16, states: u32) -> [u8; 56] {
    let mut question = [0; 56];
    question[0] = family(address);
    // IPPROTO_TCP; a listener of MPTCP is found by it as well.
    question[1] = 6;
    question[4..8].copy_from_slice(&states.to_ne_bytes());
    question[8..10].copy_from_slice(&port.to_be_bytes());
    let octets = octets(address);
    question[12..28].copy_from_slice(&octets);
    question[28..44].copy_from_slice(&octets);
    // No cookie.
    question[48..56].fill(0xff);
    question
}

/// Reads whose a `struct inet_diag_msg` is: family, state, timer, retrans; the id of 48 bytes; expires, rqueue, wqueue;
/// then account and inode.
fn listening(body: &[u8]) -> Option<Listening> {
    Some(Listening { account: number(body, 64)?, inode: number(body, 68)? })
}

fn internet_row(body: &[u8]) -> Option<(SocketAddr, bool, Listening)> {
    if *body.get(1)? != LISTEN {
        return None;
    }
    let port = u16::from_be_bytes(body.get(4..6)?.try_into().ok()?);
    let octets: [u8; 16] = body.get(8..24)?.try_into().ok()?;
    let is_4 = i32::from(*body.first()?) == libc::AF_INET;
    let address: IpAddr = if is_4 {
        Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]).into()
    } else {
        Ipv6Addr::from(octets).to_canonical()
    };
    // INET_DIAG_SKV6ONLY
    let only_6 = attribute(body.get(72..)?, 11).and_then(|only| only.first().copied()).unwrap_or(0) != 0;
    Some((SocketAddr::new(address, port), !is_4 && !only_6, listening(body)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    fn here() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    #[test]
    fn the_kernel_says_who_would_take_a_connection() {
        let listeners = Listeners::new().unwrap();
        let one = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = one.local_addr().unwrap().port();
        let at = |address: &str| listeners.tcp(SocketAddr::new(address.parse().unwrap(), port)).unwrap();
        let found = at("127.0.0.1").unwrap();
        assert_eq!(found.account, here());
        assert_ne!(found.inode, 0);
        assert_eq!(at("0.0.0.0"), Some(found));
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

    #[test]
    fn what_is_asked_for_nothing_is_answered() {
        Listeners::new().unwrap().try_them().unwrap();
    }

    #[test]
    fn the_table_has_what_listens_and_not_what_listens_later() {
        let listeners = Listeners::new().unwrap();
        let one = TcpListener::bind("127.0.0.1:0").unwrap();
        let every = TcpListener::bind("[::]:0").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let socket = UnixListener::bind(&path).unwrap();
        let table = listeners.table().unwrap();
        let later = TcpListener::bind("127.0.0.1:0").unwrap();
        let (one_at, later_at) = (one.local_addr().unwrap(), later.local_addr().unwrap());
        let found = listeners.tcp(one_at).unwrap().unwrap();
        assert_eq!(table.at(one_at).collect::<Vec<_>>(), [found]);
        assert!(table.has(found.inode));
        assert_eq!(table.at(SocketAddr::new("127.0.0.9".parse().unwrap(), one_at.port())).count(), 0);
        let everywhere = SocketAddr::new("127.0.0.1".parse().unwrap(), every.local_addr().unwrap().port());
        assert_eq!(table.at(everywhere).count(), 1);
        assert_eq!(table.at(later_at).count(), 0);
        assert!(!table.has(listeners.tcp(later_at).unwrap().unwrap().inode));
        let found = listeners.unix(&path).unwrap().unwrap();
        assert!(table.has(found.inode));
        assert_eq!(found.account, here());
        drop(socket);
        assert_eq!(listeners.unix(&path).unwrap(), None);
        use std::os::linux::net::SocketAddrExt;
        let name = format!("of test {}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let abstracted = UnixListener::bind_addr(&address).unwrap();
        assert!(listeners.unix(Path::new(&format!("\0{name}"))).unwrap().is_some());
        assert_eq!(listeners.unix(Path::new(&format!("\0{name}x"))).unwrap(), None);
        drop(abstracted);
        assert_eq!(listeners.unix(&folder.path().join("none")).unwrap(), None);
    }
}
