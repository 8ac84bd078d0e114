//! Where safe-test keeps what it remembers for one user, outside of every project.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Finds the user's state directory for safe-test by variables of the process environment. Without a home, as in a bare container,
/// the root folder stands for it.
///
/// As the XDG Base Directory Specification 0.8 demands, a relative `XDG_STATE_HOME` counts as not set. On macOS the
/// platform's own folder is the default.
#[must_use]
pub(crate) fn state_directory<'e>(variable: impl Fn(&str) -> Option<&'e OsStr>) -> PathBuf {
    below(variable("XDG_STATE_HOME"), variable("HOME"), cfg!(target_os = "macos"))
}

fn below(xdg_state_home: Option<&OsStr>, home: Option<&OsStr>, macos: bool) -> PathBuf {
    let absolute = |value: Option<&OsStr>| value.map(Path::new).filter(|path| path.is_absolute()).map(Path::to_owned);
    if let Some(state) = absolute(xdg_state_home) {
        return state.join("safe-test");
    }
    let own = if macos { "Library/Application Support/safe-test" } else { ".local/state/safe-test" };
    absolute(home).unwrap_or_else(|| PathBuf::from("/")).join(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_directory_follows_the_platform() {
        let cases = [
            (Some("/s"), Some("/home/u"), false, "/s/safe-test"),
            (Some("/s"), Some("/home/u"), true, "/s/safe-test"),
            (None, Some("/home/u"), false, "/home/u/.local/state/safe-test"),
            (Some("relative"), Some("/home/u"), false, "/home/u/.local/state/safe-test"),
            (Some(""), Some("/home/u"), true, "/home/u/Library/Application Support/safe-test"),
            (None, None, false, "/.local/state/safe-test"),
            (None, Some(""), false, "/.local/state/safe-test"),
        ];
        for (xdg, home, macos, expected) in cases {
            let found = below(xdg.map(OsStr::new), home.map(OsStr::new), macos);
            assert_eq!(found, Path::new(expected), "{xdg:?} {home:?} {macos}");
        }
    }
}
