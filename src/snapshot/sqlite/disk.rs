//! What file systems of the running kernel can be believed of: nobody else writes to them behind its back.

use std::fs::File;

/// A file system that the running kernel alone keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disk {
    /// What is written through a map is written out within half a minute or so, and the next write moves the times.
    Lasting,
    /// Nothing is ever written out, so a map moves no times.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "none is known there"))]
    InMemory,
}

/// Finds what a file lies on. `None` for a file system of another machine (NFS, SMB, 9p) or of a process (FUSE), which others
/// write to, with a clock of their own; for overlayfs, where who has a map of a file has another file open; and for one
/// that is not in the list.
///
/// Source: the numbers are those of statfs(2); `ovl_mmap` in Linux's fs/overlayfs/file.c.
#[cfg(target_os = "linux")]
pub(crate) fn of(file: &File) -> Option<Disk> {
    const EXT: u64 = 0xEF53;
    const XFS: u64 = 0x5846_5342;
    const BTRFS: u64 = 0x9123_683E;
    const TMPFS: u64 = 0x0102_1994;
    match u64::try_from(rustix::fs::fstatfs(file).ok()?.f_type).ok()? {
        EXT | XFS | BTRFS => Some(Disk::Lasting),
        TMPFS => Some(Disk::InMemory),
        _ => None,
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn of(_: &File) -> Option<Disk> {
    None
}
