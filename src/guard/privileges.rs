//! Which programs gain privileges when they are started. Under the filter of somebody who has none, they gain nothing
//! (`PR_SET_NO_NEW_PRIVS`), and most of them end at once; in macOS's sandbox they do not start.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The bits of a file's mode (POSIX, `sys/stat.h`), whose types differ by system.
const SET_USER: u32 = 0o4000;
const SET_GROUP: u32 = 0o2000;
const GROUP_EXECUTES: u32 = 0o0010;

/// How a program gains privileges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Gain {
    #[error("set-user-id")]
    User,
    #[error("set-group-id")]
    Group,
    #[error("file capabilities")]
    Capabilities,
    #[error("a snap")]
    Snap,
}

/// Finds how a program gains privileges when it is started; `None` for one that does not, and for what is not there.
pub(crate) fn gain(program: &Path) -> Option<Gain> {
    let program = program.canonicalize().ok()?;
    // Each snap is a link to the one program, which starts a set-user-id one.
    if program.file_name().is_some_and(|name| name == "snap") {
        return Some(Gain::Snap);
    }
    let found = program.metadata().ok()?;
    let has = |bits: u32| found.mode() & bits == bits;
    if has(SET_USER) && found.uid() != rustix::process::geteuid().as_raw() {
        return Some(Gain::User);
    }
    // Without the group's right to execute it is a mark for locks.
    if has(SET_GROUP | GROUP_EXECUTES) && found.gid() != rustix::process::getegid().as_raw() {
        return Some(Gain::Group);
    }
    let capabilities = rustix::fs::getxattr(&program, "security.capability", &mut [0u8; 64][..]);
    capabilities.is_ok().then_some(Gain::Capabilities)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn what_gains_privileges_is_told_from_what_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let made = |name: &str, mode: u32| {
            let path = folder.path().join(name);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            path
        };
        assert_eq!(gain(&made("plain", 0o755)), None);
        assert_eq!(gain(&made("own", 0o4755)), None, "it gains what we have");
        let snap = made("snap", 0o755);
        symlink(&snap, folder.path().join("node")).unwrap();
        assert_eq!(gain(&folder.path().join("node")), Some(Gain::Snap));
        assert_eq!(gain(&folder.path().join("none")), None);
        // Of another account: part of every system.
        let su = ["/bin/su", "/usr/bin/su"].map(Path::new).into_iter().find(|path| path.exists()).unwrap();
        let expected = (!rustix::process::geteuid().is_root()).then_some(Gain::User);
        assert_eq!(gain(su), expected);
    }
}
