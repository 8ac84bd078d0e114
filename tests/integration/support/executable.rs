//! Programs that tests make: written by a process of their own.
//!
//! While this process has a file open for writing, a process that another test starts just then has it open too, until it
//! becomes another program; and a file that anybody has open for writing cannot be executed (`ETXTBSY`).

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::patience::ended;

/// Writes a file that can be executed, or whatever `mode` says.
#[track_caller]
pub(crate) fn write_program(path: &Path, text: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    by_shell("cat >\"$1\" && chmod \"$2\" \"$1\"", &[path.as_ref(), format!("{mode:o}").as_ref()], text);
}

/// Copies a program.
#[track_caller]
pub(crate) fn copy_program(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    by_shell("cp -p \"$1\" \"$2\"", &[from.as_ref(), to.as_ref()], "");
}

#[track_caller]
fn by_shell(script: &str, arguments: &[&OsStr], input: &str) {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", script, "sh"]).args(arguments).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = ended(arguments, child);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
