//! Asks the kernel whether anybody has a file open for writing, by way of a read lease, which it grants only where nobody has.
#![expect(unsafe_code, reason = "no safe wrapper knows leases")]

use std::fs::File;

/// Tells whether nobody has the file open, or mapped, for writing. `false` where that cannot be known: the file is another
/// account's, or lies on another machine's disk, or this is not Linux.
///
/// Source: `check_conflicting_open` in Linux's fs/locks.c; fcntl(2) on leases.
#[cfg(target_os = "linux")]
pub(crate) fn has_none(file: &File) -> bool {
    use std::os::fd::AsRawFd;
    let call = |command: i32, argument: i32| {
        // SAFETY: these commands take an integer, and the descriptor is open as long as `file` is borrowed.
        unsafe { libc::fcntl(file.as_raw_fd(), command, argument) != -1 }
    };
    // Who opens the file for writing in this very moment waits until the lease is given back, and the kernel tells us: by a
    // signal that is ignored unless somebody asks for it.
    call(F_SETSIG, libc::SIGURG) && call(libc::F_SETLEASE, libc::F_RDLCK) && call(libc::F_SETLEASE, libc::F_UNLCK)
}

/// Not in every version of the libc crate. Source: Linux's include/uapi/asm-generic/fcntl.h.
#[cfg(target_os = "linux")]
const F_SETSIG: i32 = 10;

#[cfg(not(target_os = "linux"))]
pub(crate) fn has_none(_: &File) -> bool {
    false
}

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
}
