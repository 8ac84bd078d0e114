//! What `/proc` tells of a process, also of one that ends meanwhile: then it tells nothing.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
use rustix::net::{AddressFamily, SocketType, sockopt};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::regular;

/// Finds the program's file; `None` where it may not be seen.
pub(crate) fn program(process: i32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{process}/exe")).ok()
}

/// Finds the name of the program: that of its file, or where that may not be seen, what everybody may see, which is cut
/// off after 15 bytes (`proc_pid_comm(5)`).
pub(crate) fn name(process: i32) -> Option<OsString> {
    if let Some(program) = program(process) {
        let name = program.file_name()?.as_bytes();
        // A program that was replaced while it runs, as by an update.
        return Some(OsStr::from_bytes(name.strip_suffix(b" (deleted)").unwrap_or(name)).to_owned());
    }
    let mut name = regular::read(Path::new(&format!("/proc/{process}/comm")), regular::SMALL).ok()?;
    name.pop_if(|last| *last == b'\n');
    Some(OsString::from_vec(name))
}

/// Reads the words that a process was started with; none where they may not be seen.
pub(crate) fn words(process: i32) -> Vec<String> {
    let read = regular::read(Path::new(&format!("/proc/{process}/cmdline")), regular::SMALL).unwrap_or_default();
    let words = read.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    words.filter(|word| !word.is_empty()).collect()
}

/// Finds the process that a thread belongs to.
pub(crate) fn process_of(thread: i32) -> Option<i32> {
    let status = regular::read(Path::new(&format!("/proc/{thread}/status")), regular::SMALL).ok()?;
    let status = String::from_utf8_lossy(&status);
    status.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()
}

/// Tells whether a thread is one of this process.
pub(crate) fn is_thread_of_ours(thread: i32) -> bool {
    std::fs::metadata(format!("/proc/self/task/{thread}")).is_ok()
}

/// Where a process comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Its parent: who started it, or who took it over since.
    pub(crate) parent: i32,
    /// When it started, in ticks of the clock since the machine did.
    pub(crate) started: u64,
}

/// Finds where a process comes from.
pub(crate) fn origin(process: i32) -> Option<Origin> {
    let fields = fields_after_name(process)?;
    let mut fields = fields.split_ascii_whitespace();
    // Fields 4 and 22; the first after the name is the third.
    Some(Origin { parent: fields.nth(1)?.parse().ok()?, started: fields.nth(17)?.parse().ok()? })
}

/// Tells whether a process is stopped just now; `None` where that cannot be learned.
pub(crate) fn is_stopped(process: i32) -> Option<bool> {
    Some(fields_after_name(process)?.split_ascii_whitespace().next()? == "T")
}

/// Reads what the system says of a process, from the third field on.
fn fields_after_name(process: i32) -> Option<String> {
    let mut stat = regular::read(Path::new(&format!("/proc/{process}/stat")), regular::SMALL).ok()?;
    // The name stands in parentheses and may hold any byte, a parenthesis too (`proc_pid_stat(5)`).
    let fields = stat.split_off(stat.iter().rposition(|byte| *byte == b')')? + 1);
    String::from_utf8(fields).ok()
}

/// Tells whether a process is `ancestor` or descends from it.
///
/// A process that has ended is nobody's descendant.
pub(crate) fn descends(process: i32, ancestor: i32) -> bool {
    let mut process = process;
    while process > 1 && process != ancestor {
        process = origin(process).map_or(0, |origin| origin.parent);
    }
    process == ancestor
}

/// Finds the folder that a process is in, as it is called there.
pub(crate) fn folder(process: i32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{process}/cwd")).ok()
}

/// Lists the processes that there are.
pub(crate) fn all() -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// Finds the account that a process runs as.
pub(crate) fn account(process: i32) -> Option<u32> {
    std::fs::metadata(format!("/proc/{process}")).ok().map(|found| found.uid())
}

/// Lists the sockets that a process has open, by their inodes, each with its descriptor.
///
/// # Errors
///
/// Where that may not be seen.
pub(crate) fn sockets(process: i32) -> io::Result<impl Iterator<Item = (u32, i32)>> {
    let descriptors = std::fs::read_dir(format!("/proc/{process}/fd"))?;
    Ok(descriptors.filter_map(|entry| {
        let entry = entry.ok()?;
        let to = std::fs::read_link(entry.path()).ok()?;
        let inode = to.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()?;
        Some((inode, entry.file_name().to_str()?.parse().ok()?))
    }))
}

/// A regular file that a process has open, as it is called there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenFile {
    pub(crate) path: PathBuf,
    pub(crate) descriptor: i32,
    /// It may be written.
    pub(crate) is_written: bool,
    /// All that is written goes to its end.
    pub(crate) is_appended: bool,
}

/// Lists the files that a process has open; those that nobody finds any more by a name are none.
///
/// # Errors
///
/// Where that may not be seen.
pub(crate) fn files(process: i32) -> io::Result<Vec<OpenFile>> {
    let descriptors = std::fs::read_dir(format!("/proc/{process}/fd"))?;
    let file = |entry: io::Result<std::fs::DirEntry>| {
        let entry = entry.ok()?;
        // One that is closed meanwhile is none.
        let found = std::fs::metadata(entry.path()).ok()?;
        if !found.is_file() || found.nlink() == 0 {
            return None;
        }
        let path = std::fs::read_link(entry.path()).ok().filter(|path| path.is_absolute())?;
        let descriptor: i32 = entry.file_name().to_str()?.parse().ok()?;
        let flags = flags(process, descriptor)?;
        let is_written = flags & libc::O_ACCMODE != libc::O_RDONLY;
        Some(OpenFile { path, descriptor, is_written, is_appended: flags & libc::O_APPEND != 0 })
    };
    Ok(descriptors.filter_map(file).collect())
}

/// Finds how a process has something open (`proc_pid_fdinfo(5)`: the flags, in octal).
fn flags(process: i32, descriptor: i32) -> Option<i32> {
    let text = regular::read(Path::new(&format!("/proc/{process}/fdinfo/{descriptor}")), regular::SMALL).ok()?;
    let flags = std::str::from_utf8(&text).ok()?.lines().find_map(|line| line.strip_prefix("flags:"))?;
    i32::from_str_radix(flags.trim(), 8).ok()
}

/// Tells whether a descriptor of a process's is the socket of this inode.
pub(crate) fn is_descriptor_of(process: i32, descriptor: i32, inode: u32) -> bool {
    let wanted = format!("socket:[{inode}]");
    std::fs::read_link(format!("/proc/{process}/fd/{descriptor}")).is_ok_and(|to| to.as_os_str() == wanted.as_str())
}

/// Tells whether a process sees the files that we see.
pub(crate) fn shares_files(process: i32) -> bool {
    let identity = |path: String| std::fs::metadata(path).map(|found| (found.dev(), found.ino()));
    ["ns/mnt", "root/"].iter().all(|what| {
        let (theirs, ours) = (identity(format!("/proc/{process}/{what}")), identity(format!("/proc/self/{what}")));
        theirs.is_ok_and(|theirs| ours.is_ok_and(|ours| theirs == ours))
    })
}

/// Finds the network that a thread is in, by the number of its namespace; `None` where it may not be looked at.
pub(crate) fn network(thread: &str) -> Option<u64> {
    // The link is read, not followed: that would have the kernel make a file each time (`namespaces(7)`).
    let link = std::fs::read_link(format!("/proc/{thread}/ns/net")).ok()?;
    link.to_str()?.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok()
}

/// What a socket speaks, as far as the guard tells it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// TCP, MPTCP and whatever else keeps a connection to an address of the internet.
    Stream,
    /// UDP.
    Datagram,
    /// A socket of this machine, or none of the internet.
    Local,
}

/// Finds what a thread's socket speaks; `None` where that may not be seen.
///
/// A socket's protocol is an extended attribute of it (Linux, `sockfs_xattr_get`; `lsof` asks for it, too). Other than
/// taking the socket over (`pidfd_getfd`), which containers and Yama refuse, it takes no more than a look into `/proc`. That
/// is closed where the thread runs as an account of the user's containers; there taking over is permitted.
pub(crate) fn protocol(thread: i32, socket: i32) -> Option<Protocol> {
    let mut name = [0; 64];
    let path = format!("/proc/{thread}/fd/{socket}");
    let length = match rustix::fs::getxattr(path, "system.sockprotoname", &mut name[..]) {
        Ok(length) => length,
        Err(rustix::io::Errno::ACCESS) => return protocol_taken_over(thread, socket),
        Err(_) => return None,
    };
    Some(match name.get(..length)?.strip_suffix(b"\0")? {
        b"UDP" | b"UDPv6" | b"UDP-Lite" | b"UDPLITEv6" | b"PING" | b"PINGv6" | b"RAW" | b"RAWv6" => Protocol::Datagram,
        name if name.starts_with(b"UNIX") || name.starts_with(b"NETLINK") || name.starts_with(b"PACKET") => {
            Protocol::Local
        }
        _ => Protocol::Stream,
    })
}

/// Finds what a thread's socket speaks by taking it over for a moment.
fn protocol_taken_over(thread: i32, socket: i32) -> Option<Protocol> {
    // `PIDFD_THREAD` (Linux 6.9): a thread may have descriptors of its own. Before, only the first one may be asked for.
    const OF_A_THREAD: PidfdFlags = PidfdFlags::from_bits_retain(libc::O_EXCL.cast_unsigned());
    let number = Pid::from_raw(thread).filter(|_| socket >= 0)?;
    let is_first = || process_of(thread) == Some(thread);
    let holder = pidfd_open(number, OF_A_THREAD)
        .or_else(|error| if is_first() { pidfd_open(number, PidfdFlags::empty()) } else { Err(error) });
    let taken = pidfd_getfd(holder.ok()?, socket, PidfdGetfdFlags::empty()).ok()?;
    let kind = sockopt::socket_type(&taken).ok()?;
    Some(match sockopt::socket_domain(&taken).ok()? {
        AddressFamily::INET | AddressFamily::INET6 if matches!(kind, SocketType::DGRAM | SocketType::RAW) => {
            Protocol::Datagram
        }
        AddressFamily::UNIX | AddressFamily::NETLINK | AddressFamily::PACKET => Protocol::Local,
        _ => Protocol::Stream,
    })
}

/// The file that a thread means by the path of a Unix socket.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SocketFile {
    /// At this path of our own file system; it may lead through links.
    Ours(PathBuf),
    /// In a file system of the thread's own, which has no name with us: where we find it.
    Theirs(PathBuf),
}

impl SocketFile {
    /// Gives its name, without links where that can be had, as long as it is one of ours, and where we find it. The file systems
    /// on the way are asked, and may take as long as they like.
    pub(crate) fn found(self) -> (PathBuf, PathBuf) {
        match self {
            SocketFile::Ours(path) => {
                let name = path.canonicalize().unwrap_or(path);
                (name.clone(), name)
            }
            SocketFile::Theirs(path) => (path.clone(), path),
        }
    }
}

/// Tells which file a thread means by the path of a Unix socket: from its folder, in its file system. No file system is asked.
pub(crate) fn socket_file(thread: i32, path: &Path) -> SocketFile {
    let absolute = if path.is_absolute() { path.to_owned() } else { folder(thread).unwrap_or_default().join(path) };
    // Another root, or the same one with other file systems on it.
    let identity = |of: &str| -> io::Result<_> {
        let root = statx(CWD, format!("/proc/{of}/root/"), AtFlags::STATX_DONT_SYNC, StatxFlags::INO)?;
        let mounts = std::fs::read_link(format!("/proc/{of}/ns/mnt"))?;
        Ok((root.stx_dev_major, root.stx_dev_minor, root.stx_ino, mounts))
    };
    match (identity(&thread.to_string()), identity("self")) {
        (Ok(theirs), Ok(ours)) if theirs != ours => {
            let inside = absolute.strip_prefix("/").unwrap_or(&absolute);
            SocketFile::Theirs(Path::new(&format!("/proc/{thread}/root")).join(inside))
        }
        _ => SocketFile::Ours(absolute),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::testing::running_cat;
    use std::os::fd::AsRawFd;

    fn me() -> i32 {
        i32::try_from(std::process::id()).unwrap()
    }

    #[test]
    fn a_process_descends_from_itself_and_its_parents_only() {
        let mut child = running_cat(|cat| cat);
        let child_id = i32::try_from(child.id()).unwrap();
        assert!(descends(me(), me()));
        assert!(!descends(me(), child_id));
        assert!(descends(child_id, me()));
        assert!(!descends(0, me()), "outside our process namespace");
        assert_eq!(origin(child_id).unwrap().parent, me());
        assert!(origin(child_id).unwrap().started >= origin(me()).unwrap().started);
        assert_eq!(name(child_id).unwrap(), "cat");
        assert_eq!(account(child_id), Some(rustix::process::geteuid().as_raw()));
        assert!(all().any(|process| process == child_id));
        assert_eq!(process_of(child_id), Some(child_id));
        assert!(shares_files(child_id));
        assert_eq!(network(&child_id.to_string()), network("self"));
        assert!(network("self").is_some());
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!((name(child_id), origin(child_id)), (None, None));
        assert!(sockets(child_id).is_err());
        assert!(!shares_files(child_id));
    }

    #[test]
    fn a_sockets_protocol_shows() {
        use std::net::{TcpListener, UdpSocket};
        use std::os::unix::net::UnixDatagram;
        let of = |descriptor: i32| protocol(me(), descriptor);
        assert_eq!(of(TcpListener::bind("127.0.0.1:0").unwrap().as_raw_fd()), Some(Protocol::Stream));
        assert_eq!(of(TcpListener::bind("[::1]:0").unwrap().as_raw_fd()), Some(Protocol::Stream));
        assert_eq!(of(UdpSocket::bind("127.0.0.1:0").unwrap().as_raw_fd()), Some(Protocol::Datagram));
        assert_eq!(of(UdpSocket::bind("[::1]:0").unwrap().as_raw_fd()), Some(Protocol::Datagram));
        assert_eq!(of(UnixDatagram::unbound().unwrap().as_raw_fd()), Some(Protocol::Local));
        assert_eq!(of(std::io::stdin().as_raw_fd()), None);
        assert_eq!(of(-1), None);
    }

    #[test]
    fn a_socket_that_is_taken_over_shows_the_same() {
        use std::net::{TcpListener, UdpSocket};
        use std::os::unix::net::UnixDatagram;
        let of = |descriptor: i32| protocol_taken_over(me(), descriptor);
        assert_eq!(of(TcpListener::bind("127.0.0.1:0").unwrap().as_raw_fd()), Some(Protocol::Stream));
        assert_eq!(of(UdpSocket::bind("[::1]:0").unwrap().as_raw_fd()), Some(Protocol::Datagram));
        assert_eq!(of(UnixDatagram::unbound().unwrap().as_raw_fd()), Some(Protocol::Local));
        assert_eq!((of(std::io::stdin().as_raw_fd()), of(-1)), (None, None));
    }

    #[test]
    fn the_path_of_a_socket_is_meant_from_the_callers_folder() {
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        let found = |path: &str| socket_file(me(), Path::new(path)).found();
        assert_eq!(found("a/../s").0, here.join("a/../s"), "what is not there keeps its spelling");
        assert_eq!(found("/proc/self/../uptime").1, Path::new("/proc/uptime"));
    }
}
