//! Starting the command, in one place.

use crate::exec::error::ExecError;
use crate::exec::inherited::Inherited;
#[cfg(target_os = "linux")]
use crate::exec::launch::launch;
use crate::exec::lookup::Program;
use rustix::process::Pid;
use std::ffi::{OsStr, OsString};
use std::io;
use std::iter::once;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What runs a script that has no `#!` line, as `execvp` does it (POSIX, "exec", on `ENOEXEC`).
const SHELL: &str = "/bin/sh";

/// Starts `program` in `folder`, with the environment of this process, entry for entry, and its standard streams. Returns
/// its process, a child.
///
/// Signals are to be held back on the calling thread: before `exec` the child still has our handlers.
///
/// # Errors
///
/// [`ExecError::Folder`] and [`ExecError::Start`]; no process is left then.
pub(crate) fn start(
    program: &Program,
    arguments: &[OsString],
    folder: &Path,
    inherited: &Inherited,
) -> Result<Pid, ExecError> {
    let elsewhere = enter(folder)?;
    let arguments = || arguments.iter().map(OsString::as_os_str);
    let file = program.path.as_os_str();
    let started = match launch(file, once(&*program.name).chain(arguments()), elsewhere, inherited) {
        Err(error) if error.raw_os_error() == Some(libc::ENOEXEC) => {
            let shell = OsStr::new(SHELL);
            launch(shell, [shell, file].into_iter().chain(arguments()), elsewhere, inherited)
        }
        other => other,
    };
    let failed = |source| ExecError::Start { program: program.path.clone(), source };
    Pid::from_raw(started.map_err(failed)?).ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))
}

/// Starts the program that is `file` with these words, the first of which is its own name. Returns its process.
#[cfg(not(target_os = "linux"))]
fn launch<'a>(
    file: &OsStr,
    mut words: impl Iterator<Item = &'a OsStr>,
    folder: Option<&Path>,
    inherited: &Inherited,
) -> io::Result<i32> {
    use std::os::unix::process::CommandExt;
    let mut command = std::process::Command::new(file);
    command.arg0(words.next().unwrap_or(file)).args(words);
    folder.map(|folder| command.current_dir(folder));
    let inherited = *inherited;
    // SAFETY: `put_all_back` only makes system calls that are allowed between `fork` and `exec`: it allocates
    // nothing, takes no lock and owns no descriptor.
    unsafe { command.pre_exec(move || inherited.put_all_back()) };
    let child = command.spawn()?;
    Ok(child.id().cast_signed())
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
