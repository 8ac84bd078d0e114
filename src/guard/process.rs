//! What `/proc` tells of a process.

use std::path::{Path, PathBuf};

use crate::regular;

/// Finds the program's file; `None` where it may not be seen or the process is gone.
pub(crate) fn program(process: i32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{process}/exe")).ok()
}

/// Finds the process that a thread belongs to.
pub(crate) fn process_of(thread: i32) -> Option<i32> {
    let status = regular::read(Path::new(&format!("/proc/{thread}/status")), regular::SMALL).ok()?;
    let status = String::from_utf8_lossy(&status);
    status.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()
}

/// Tells whether two processes, by their `/proc` names, share a network.
pub(crate) fn shares_network(process: i32) -> bool {
    let network = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net")).ok();
    network(&process.to_string()) == network("self")
}
