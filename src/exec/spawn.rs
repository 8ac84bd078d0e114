//! Starting the command, in one place.

use crate::exec::error::ExecError;
use crate::exec::inherited::Inherited;
use crate::exec::lookup::Program;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};

/// What runs a script that has no `#!` line, as `execvp` does it (POSIX, "exec", on `ENOEXEC`).
const SHELL: &str = "/bin/sh";

/// Starts `program` in `folder`, with the environment of this process, entry for entry, and its standard streams.
///
/// Signals are to be held back on the calling thread: between `fork` and `exec` the child still has our handlers.
///
/// # Errors
///
/// [`ExecError::Folder`] and [`ExecError::Start`]; no process is left then.
pub(crate) fn start(
    program: &Program,
    arguments: &[OsString],
    folder: &Path,
    inherited: &Inherited,
) -> Result<Child, ExecError> {
    let elsewhere = enter(folder)?;
    let spawn = |file: &OsStr, called: &OsStr, script: Option<&Path>| {
        let mut command = Command::new(file);
        command.arg0(called).args(script).args(arguments);
        if let Some(folder) = elsewhere {
            command.current_dir(folder);
        }
        let inherited = *inherited;
        // SAFETY: `put_all_back` only makes system calls that are allowed between `fork` and `exec`: it allocates
        // nothing, takes no lock and owns no descriptor.
        unsafe { command.pre_exec(move || inherited.put_all_back()) };
        command.spawn()
    };
    let started = match spawn(program.path.as_os_str(), &program.name, None) {
        // glibc and macOS do this themselves, musl does not.
        Err(error) if error.raw_os_error() == Some(libc::ENOEXEC) => {
            spawn(OsStr::new(SHELL), OsStr::new(SHELL), Some(&program.path))
        }
        other => other,
    };
    started.map_err(|source| ExecError::Start { program: program.path.clone(), source })
}

/// Returns the folder to change to; `None` if we are there. A folder that was deleted under us can be stayed in, not
/// entered.
fn enter(folder: &Path) -> Result<Option<&Path>, ExecError> {
    let failed = |source: io::Error| ExecError::Folder { folder: folder.to_owned(), source };
    let identity = |folder: &Path| folder.metadata().map(|found| (found.dev(), found.ino()));
    let here = identity(Path::new("."));
    if folder == Path::new(".") || here.is_ok_and(|here| identity(folder).is_ok_and(|there| there == here)) {
        return Ok(None);
    }
    let found = folder.metadata().map_err(failed)?;
    if !found.is_dir() {
        return Err(failed(io::Error::from_raw_os_error(libc::ENOTDIR)));
    }
    rustix::fs::access(folder, rustix::fs::Access::EXEC_OK).map_err(|error| failed(error.into()))?;
    Ok(Some(folder))
}
