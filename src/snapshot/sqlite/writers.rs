//! Asks the kernel whether anybody has a file open for writing, by way of a read lease, which it grants only where nobody has,
//! and takes back before anybody does.
//!
//! As long as a lease stands nothing is written to the file, neither through a map: what is mapped for writing is open for
//! it. Who wants to open the file for writing waits until the lease is given back.
//!
//! Source: `check_conflicting_open` and `__break_lease` in Linux's fs/locks.c; fcntl(2) on leases.
#![cfg_attr(target_os = "linux", expect(unsafe_code, reason = "no safe wrapper knows leases"))]

use std::fs::File;

#[cfg(target_os = "linux")]
use crate::snapshot::sqlite::disk;

/// Tells whether nobody has the file open, or mapped, for writing. `false` where that cannot be known, see [`keep_out`].
pub(crate) fn has_none(file: &File) -> bool {
    let has_none = keep_out(file);
    let_in(file);
    has_none
}

/// Takes a lease, which lasts until [`let_in`] or until the file is closed. `false` where somebody has it open for writing,
/// and where that cannot be known: the file is another account's, not this kernel's alone, or this is not Linux.
#[cfg(target_os = "linux")]
pub(crate) fn keep_out(file: &File) -> bool {
    // Who opens the file for writing meanwhile is told to us by a signal that is ignored unless somebody asks for it.
    disk::of(file).is_some()
        && call(file, F_SETSIG, libc::SIGURG).is_some()
        && call(file, libc::F_SETLEASE, libc::F_RDLCK).is_some()
}

/// Tells whether the lease stands, so that nobody has had the file open for writing since it was taken, nor waits to.
#[cfg(target_os = "linux")]
pub(crate) fn are_kept_out(file: &File) -> bool {
    call(file, libc::F_GETLEASE, 0) == Some(libc::F_RDLCK)
}

/// Gives the lease back, where there is one.
#[cfg(target_os = "linux")]
pub(crate) fn let_in(file: &File) {
    // Where there is none the system says so.
    let _ = call(file, libc::F_SETLEASE, libc::F_UNLCK);
}

#[cfg(target_os = "linux")]
fn call(file: &File, command: i32, argument: i32) -> Option<i32> {
    use std::os::fd::AsRawFd;
    // SAFETY: these commands take an integer, and the descriptor is open as long as `file` is borrowed.
    let answer = unsafe { libc::fcntl(file.as_raw_fd(), command, argument) };
    (answer != -1).then_some(answer)
}

/// Not in every version of the libc crate. Source: Linux's include/uapi/asm-generic/fcntl.h.
#[cfg(target_os = "linux")]
const F_SETSIG: i32 = 10;

#[cfg(not(target_os = "linux"))]
pub(crate) fn keep_out(_: &File) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn are_kept_out(_: &File) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn let_in(_: &File) {}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn who_has_a_file_open_for_writing_is_seen_in_this_process_and_in_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "x").unwrap();
        let file = File::open(&path).unwrap();
        assert!(has_none(&file));
        let reader = File::open(&path).unwrap();
        assert!(has_none(&file));
        let writer = File::options().write(true).open(&path).unwrap();
        assert!(!has_none(&file));
        drop((reader, writer));
        assert!(has_none(&file));
        let mut other = std::process::Command::new("sh")
            .args(["-c", "exec 3>>file; echo; read line"])
            .current_dir(folder.path())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Read::read_exact(other.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        assert!(!has_none(&file));
        drop(other.stdin.take());
        other.wait().unwrap();
        assert!(has_none(&file));
    }

    #[test]
    fn who_wants_to_write_waits_until_the_lease_is_given_back() {
        use std::time::{Duration, Instant};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "x").unwrap();
        let file = File::open(&path).unwrap();
        assert!(!are_kept_out(&file));
        assert!(keep_out(&file) && are_kept_out(&file));
        assert_eq!(std::fs::read(&path).unwrap(), b"x", "who reads does not wait");
        assert!(are_kept_out(&file));
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| std::fs::write(&path, "y").unwrap());
            let started = Instant::now();
            while are_kept_out(&file) {
                assert!(started.elapsed() < Duration::from_secs(10), "the lease does not say that somebody waits");
                std::thread::sleep(Duration::from_millis(1));
            }
            assert_eq!(std::fs::read(&path).unwrap(), b"x");
            let_in(&file);
            writing.join().unwrap();
        });
        assert_eq!(std::fs::read(&path).unwrap(), b"y");
        assert!(!are_kept_out(&file));
    }
}
