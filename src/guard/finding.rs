//! Finding out where Unix sockets are.
//!
//! A name in a file system may lead anywhere: to a mount whose server is dead, over a network. What the kernel knows of the
//! way already is found at once, on the thread that watches. Who has to ask a file system waits for as long as it takes,
//! which nobody can cut short: such a look holds a thread beside, and no other program's connection.

use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::Builder;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, StatxFlags, makedev, openat2, statx};

use crate::guard::looks;
use crate::guard::notification::Attempt;
use crate::guard::process;
use crate::guard::process::SocketFile;
use crate::guard::shared::Shared;
use crate::guard::waiting::{Met, Subject, lock};

/// Decides about an attempt at the socket with this name and answers it, once it is found.
pub(super) fn begin(shared: &Arc<Shared>, attempt: &Attempt, path: &Path) {
    let file = process::socket_file(attempt.thread, path);
    if let SocketFile::Ours(path) = &file
        && let Some((name, met)) = at_once(path)
    {
        return decide(shared, attempt, name.clone(), name, Some(met));
    }
    let start = || {
        let others = Arc::clone(shared);
        Builder::new().name("guard-finding".to_owned()).spawn(move || find_all(&others)).is_ok()
    };
    if !shared.sought.add(attempt, file, start) {
        shared.listener.fail(attempt, libc::EACCES);
    }
}

/// Finds a socket that the kernel can tell of without asking a file system: its name without links, and which one it is. `None`
/// where it cannot, or nothing is there.
///
/// Source: `openat2(2)`, `RESOLVE_CACHED`; older kernels than 5.12 refuse. `statx(2)`, `AT_STATX_DONT_SYNC`.
fn at_once(path: &Path) -> Option<(PathBuf, Met)> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let file = openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED).ok()?;
    let how = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let found = statx(&file, "", how, StatxFlags::INO | StatxFlags::CTIME).ok()?;
    let name = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    let device = makedev(found.stx_dev_major, found.stx_dev_minor);
    let changed = (found.stx_ctime.tv_sec, i64::from(found.stx_ctime.tv_nsec));
    Some((name, Met::File(device, found.stx_ino, changed)))
}

fn decide(shared: &Arc<Shared>, attempt: &Attempt, name: PathBuf, found: PathBuf, met: Option<Met>) {
    if lock(&shared.within).saves_in(attempt.thread, &name) {
        return shared.listener.let_through(attempt);
    }
    looks::met(shared, attempt, Subject::Socket(name, found, met));
}

fn find_all(shared: &Arc<Shared>) {
    while let Some((attempt, file)) = shared.sought.next() {
        // A fault of ours is to refuse, not to keep everybody waiting.
        let found = catch_unwind(|| {
            let (name, found) = file.found();
            let met = Met::file(&found);
            (name, found, met)
        });
        shared.sought.answer(&attempt, || {
            let answer = || match found {
                Ok((name, found, met)) => decide(shared, &attempt, name, found, met),
                Err(_) => shared.listener.fail(&attempt, libc::EACCES),
            };
            if catch_unwind(AssertUnwindSafe(answer)).is_err() {
                shared.listener.fail(&attempt, libc::EACCES);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    #[test]
    fn what_is_found_at_once_is_what_is_found_by_asking() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let (socket, link) = (folder.join("s"), folder.join("l"));
        let _listener = UnixListener::bind(&socket).unwrap();
        symlink("s", &link).unwrap();
        for path in [&socket, &link] {
            let asked = || {
                let (name, found) = SocketFile::Ours(path.clone()).found();
                (name, Met::file(&found).unwrap())
            };
            // By then the kernel knows of it. That a link was followed is written down before it is followed again, by asking,
            // where the clock has ticked since (`mount(8)`, `relatime` and `strictatime`).
            let known = (0..100).find_map(|_| {
                asked();
                at_once(path)
            });
            assert_eq!(known, Some(asked()), "{path:?}");
        }
        assert_eq!(at_once(&folder.join("none")), None);
    }
}
