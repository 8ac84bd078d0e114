//! Where safe-test keeps what it remembers for one user, outside of every project.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Finds the user's state directory for safe-test; `None` where no home is known.
///
/// `xdg_state_home` and `home` are the values of those variables. As the XDG Base Directory Specification 0.8
/// demands, a relative `XDG_STATE_HOME` counts as not set. On macOS the platform's own folder is the default.
#[must_use]
pub(crate) fn state_directory(xdg_state_home: Option<&OsStr>, home: Option<&OsStr>, macos: bool) -> Option<PathBuf> {
    let absolute = |value: Option<&OsStr>| value.map(Path::new).filter(|path| path.is_absolute()).map(Path::to_owned);
    if let Some(state) = absolute(xdg_state_home) {
        return Some(state.join("safe-test"));
    }
    let below = if macos { "Library/Application Support/safe-test" } else { ".local/state/safe-test" };
    Some(absolute(home)?.join(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_directory_follows_the_platform() {
        let cases = [
            (Some("/s"), Some("/home/u"), false, Some("/s/safe-test")),
            (Some("/s"), Some("/home/u"), true, Some("/s/safe-test")),
            (None, Some("/home/u"), false, Some("/home/u/.local/state/safe-test")),
            (Some("relative"), Some("/home/u"), false, Some("/home/u/.local/state/safe-test")),
            (Some(""), Some("/home/u"), true, Some("/home/u/Library/Application Support/safe-test")),
            (None, None, false, None),
            (None, Some(""), false, None),
        ];
        for (xdg, home, macos, expected) in cases {
            let found = state_directory(xdg.map(OsStr::new), home.map(OsStr::new), macos);
            assert_eq!(found.as_deref(), expected.map(Path::new), "{xdg:?} {home:?} {macos}");
        }
    }
}
