//! Named pipes.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Makes a pipe in place of what is at `path`; by the program, since macOS has no `mknodat` for it.
pub(crate) fn make_pipe(path: &Path) {
    let _ = fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success(), "{}", path.display());
}
