//! Starts a program with an environment that is no map: names that stand there twice, entries that are no assignments.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::{io, ptr};

/// Has `command` execute `words` with exactly these entries as its environment.
pub(crate) fn execute_with(command: &mut Command, words: &[OsString], entries: &[&[u8]]) {
    let text = |text: &OsStr| CString::new(text.as_bytes()).unwrap();
    let (program, arguments) = (text(&words[0]), words.iter().map(|word| text(word)).collect::<Vec<_>>());
    let environment: Vec<CString> = entries.iter().map(|entry| CString::new(*entry).unwrap()).collect();
    let execute = move || {
        let pointers = |texts: &[CString]| texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect();
        let (argv, envp): (Vec<_>, Vec<_>) = (pointers(&arguments), pointers(&environment));
        // SAFETY: both lists end in a null pointer, and their strings live in this closure.
        unsafe { libc::execve(program.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
        Err(io::Error::last_os_error())
    };
    // SAFETY: allocates between `fork` and `exec`, which glibc and musl allow for.
    unsafe { command.pre_exec(execute) };
}
