//! Finds the program that a command's first word means, as `env` and `execvp` would, without running it.
//!
//! Here relative and empty elements of `PATH` count, since `env` would follow them: what is guarded is found as it would be
//! found unguarded. The `which` package, with which `own_tools` finds the programs that we ourselves run, neither does
//! that nor tells why nothing was found, which decides between 126 and 127.
//!
//! It is asked before anything is saved, so that a typo costs nothing. What only the kernel can tell (a program for
//! another machine, a text file that is being written) comes out when the command is started.

use crate::exec::error::LookupError;
use crate::regular;
use rustix::fs::{Access, access};
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where programs are looked for when there is no `PATH` at all (glibc's and macOS's `execvp`).
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The kernel reads this much of a script to find its interpreter (Linux `BINPRM_BUF_SIZE`).
const FIRST_LINE: u64 = 256;

/// A program that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// The first word of the command as it was typed: what the program sees as its own name.
    pub(crate) name: OsString,
    /// The file to execute; if relative, then to the folder that the command runs in. It has a slash in it.
    pub(crate) path: PathBuf,
}

/// Finds the program that `name` means for a command that runs in `folder`.
///
/// A name with a slash is a file, relative to `folder`. Any other is looked for along `path`, the value of `PATH`; an
/// empty entry there is `folder`, and a relative one is relative to it. What cannot be executed is passed over if
/// something later on `path` can.
///
/// # Errors
///
/// [`LookupError`], with the exit status that `env` would have.
pub(crate) fn find_program(name: &OsStr, path: Option<&OsStr>, folder: &Path) -> Result<Program, LookupError> {
    let found = |path: PathBuf| Program { name: name.to_owned(), path };
    if name.as_bytes().contains(&b'/') {
        let path = PathBuf::from(name);
        return match look_at(&path, folder) {
            Ok(()) => Ok(found(path)),
            Err(why) => Err(why.into_error(name, path)),
        };
    }
    let mut worst = None;
    let entries = path.unwrap_or(OsStr::new(DEFAULT_PATH)).as_bytes().split(|byte| *byte == b':');
    for entry in entries.filter(|_| !name.is_empty()) {
        let entry = if entry.is_empty() { Path::new(".") } else { Path::new(OsStr::from_bytes(entry)) };
        let candidate = entry.join(name);
        match look_at(&candidate, folder) {
            Ok(()) => return Ok(found(candidate)),
            // "Found and denied" is remembered before "not found", whichever came first.
            Err(why) if why.is_passed_over() => {
                if worst.as_ref().is_none_or(|(_, worst): &(PathBuf, Unfit)| !worst.is_denied()) {
                    worst = Some((candidate, why));
                }
            }
            Err(why) => return Err(why.into_error(name, candidate)),
        }
    }
    match worst {
        Some((candidate, why)) => Err(why.into_error(name, candidate)),
        None => Err(LookupError::NotFound { name: name.to_owned() }),
    }
}

/// Why a file cannot be executed.
enum Unfit {
    System(io::Error),
    NoInterpreter(PathBuf),
}

impl Unfit {
    fn raw(&self) -> Option<i32> {
        match self {
            Unfit::System(error) => error.raw_os_error(),
            Unfit::NoInterpreter(_) => Some(libc::ENOENT),
        }
    }

    fn is_denied(&self) -> bool {
        self.raw() == Some(libc::EACCES)
    }

    /// Tells whether a search along `PATH` goes on after this. Anything else ends it: there was a program, and
    /// something is wrong with it (glibc `posix/execvpe.c`; a loop of symlinks is such a case).
    fn is_passed_over(&self) -> bool {
        let passed = [libc::EACCES, libc::ENOENT, libc::ENOTDIR, libc::ESTALE, libc::ENODEV, libc::ETIMEDOUT];
        self.raw().is_some_and(|error| passed.contains(&error))
    }

    fn into_error(self, name: &OsStr, path: PathBuf) -> LookupError {
        match self {
            Unfit::System(error) if error.kind() == io::ErrorKind::NotFound => {
                LookupError::NotFound { name: name.to_owned() }
            }
            Unfit::System(source) => LookupError::CannotExecute { path, source },
            Unfit::NoInterpreter(interpreter) => LookupError::NoInterpreter { script: path, interpreter },
        }
    }
}

/// Tells whether `execve` would take the file, as far as can be told from outside.
fn look_at(path: &Path, folder: &Path) -> Result<(), Unfit> {
    let path = folder.join(path);
    let system = |error: io::Error| Unfit::System(error);
    let found = path.metadata().map_err(system)?;
    if !found.is_file() {
        return Err(system(io::Error::from_raw_os_error(libc::EACCES)));
    }
    access(&path, Access::EXEC_OK).map_err(|error| system(error.into()))?;
    match interpreter(&path) {
        Some(interpreter) if is_missing(&folder.join(&interpreter)) => Err(Unfit::NoInterpreter(interpreter)),
        _ => Ok(()),
    }
}

/// Finds the interpreter that a script's first line names; `None` for anything but such a script, and where we cannot
/// tell.
fn interpreter(path: &Path) -> Option<PathBuf> {
    let mut head = Vec::new();
    // A program can be executable and not readable.
    regular::open(path).ok()?.take(FIRST_LINE).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let word = line.trim_ascii_start().split(|byte| *byte == b' ' || *byte == b'\t').next()?;
    (!word.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(word)))
}

fn is_missing(path: &Path) -> bool {
    path.metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Explain;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    /// A folder with one of everything that can stand where a program is looked for.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        // By another process: had this one a file open for writing, so would have, for a moment, what another test starts
        // just then, and it could not be executed (`ETXTBSY`).
        let write = |name: &str, text: &str, mode: u32| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
            let mut shell = Command::new("/bin/sh");
            shell
                .args(["-c", "printf %s \"$1\" >\"$0\" && chmod \"$2\" \"$0\""])
                .arg(&path)
                .args([text, &format!("{mode:o}")]);
            assert!(shell.status().unwrap().success(), "{name}");
        };
        write("good/tool", "#!/bin/sh\nexit 7\n", 0o755);
        write("good/bare", "exit 7\n", 0o755);
        write("good/empty", "", 0o755);
        write("good/here", "#! /bin/sh\nexit 7\n", 0o755);
        write("plain/tool", "#!/bin/sh\nexit 8\n", 0o644);
        write("broken/tool", "#!/nonexistent/interpreter -x\n", 0o755);
        write("broken/alone", "#!/nonexistent/interpreter\n", 0o755);
        write("plain/only", "text", 0o644);
        write("here", "#!/bin/sh\nexit 9\n", 0o755);
        fs::create_dir_all(folder.path().join("directories/tool")).unwrap();
        fs::create_dir_all(folder.path().join("loops")).unwrap();
        symlink("tool", folder.path().join("loops/tool")).unwrap();
        fs::create_dir_all(folder.path().join("dangling")).unwrap();
        symlink("nowhere", folder.path().join("dangling/tool")).unwrap();
        folder
    }

    /// `None`: found. Otherwise the exit status that goes with the error.
    fn status(name: &str, path: Option<&str>, folder: &Path) -> Option<u8> {
        find_program(OsStr::new(name), path.map(OsStr::new), folder).err().map(|error| error.exit().code())
    }

    #[test]
    fn every_lookup_ends_as_env_ends_it() {
        let folder = folder();
        for (name, path, expected) in [
            ("tool", Some("good"), None),
            ("tool", Some("/nonexistent:good"), None),
            ("tool", Some("plain:good"), None),
            ("tool", Some("directories:good"), None),
            ("tool", Some("broken:good"), None),
            ("tool", Some("dangling:good"), None),
            ("tool", Some("good/tool:good"), None),
            ("tool", Some("loops:good"), Some(126)),
            ("tool", Some("plain"), Some(126)),
            ("tool", Some("plain:dangling"), Some(126)),
            ("tool", Some("directories"), Some(126)),
            ("tool", Some("broken"), Some(127)),
            ("tool", Some("dangling"), Some(127)),
            ("tool", Some("/nonexistent"), Some(127)),
            ("tool", Some("good/tool"), Some(126)),
            ("tool", Some("good/tool:/nonexistent"), Some(127)),
            ("bare", Some("good"), None),
            ("empty", Some("good"), None),
            ("here", Some(""), None),
            ("here", Some("/nonexistent:"), None),
            ("here", Some(":good"), None),
            ("here", Some("good::"), None),
            ("here", Some("/nonexistent"), Some(127)),
            ("", Some("good"), Some(127)),
            ("", Some(""), Some(127)),
            ("./here", Some("good"), None),
            ("./here", None, None),
            ("good/tool", Some("/nonexistent"), None),
            ("good", Some("."), Some(126)),
            ("./good", Some("/bin"), Some(126)),
            ("plain/tool", Some("/bin"), Some(126)),
            ("plain/none", Some("/bin"), Some(127)),
            ("good/tool/deeper", Some("/bin"), Some(126)),
            ("loops/tool", Some("/bin"), Some(126)),
            ("dangling/tool", Some("/bin"), Some(127)),
            ("broken/alone", Some("/bin"), Some(127)),
            ("/dev/null", Some("/bin"), Some(126)),
            ("sh", None, None),
            ("no-such-program-anywhere", None, Some(127)),
        ] {
            let ours = status(name, path, folder.path());
            assert_eq!(ours, expected, "{name:?} along {path:?}");
            // The oracle: the same through `env`, which would run it.
            let mut env = Command::new("/usr/bin/env");
            env.current_dir(folder.path()).env_clear().envs(path.map(|path| ("PATH", path))).arg("--").arg(name);
            env.args((name == "sh").then_some("-c")).args((name == "sh").then_some("exit 7"));
            let theirs = env.output().unwrap().status.code().unwrap();
            let found = !matches!(theirs, 125..=127);
            assert_eq!(found, expected.is_none(), "env found {name:?} along {path:?}: {theirs}");
            if let Some(expected) = expected {
                assert_eq!(theirs, i32::from(expected), "env, for {name:?} along {path:?}");
            }
        }
    }

    #[test]
    fn the_path_that_is_executed_has_a_slash_and_the_name_stays_as_typed() {
        let folder = folder();
        for (name, path, expected) in [
            ("here", Some(""), "./here"),
            ("here", Some("good:"), "good/here"),
            ("tool", Some("plain:good"), "good/tool"),
            ("./here", Some("good"), "./here"),
            ("good//tool", None, "good//tool"),
        ] {
            let program = find_program(OsStr::new(name), path.map(OsStr::new), folder.path()).unwrap();
            assert_eq!(program.path.as_os_str(), expected, "{name} along {path:?}");
            assert_eq!(program.name, name);
        }
    }

    #[test]
    fn a_name_that_is_too_long_ends_the_search() {
        assert_eq!(status(&"n".repeat(300), Some("good"), folder().path()), Some(126));
    }

    /// Root may search every folder, so this looks as somebody else: on Linux a thread can have its own user.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_that_may_not_be_searched_is_passed_over_and_remembered() {
        let folder = folder();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(folder.path().join("plain"), fs::Permissions::from_mode(0o000)).unwrap();
        let as_somebody_else = || {
            if rustix::process::geteuid().is_root() {
                // SAFETY: the raw call changes this thread only, which ends right after; it was started by this test.
                assert_eq!(unsafe { libc::syscall(libc::SYS_setresuid, 65534, 65534, 65534) }, 0);
            }
            [Some("plain"), Some("plain:dangling"), Some("plain:good")].map(|path| status("tool", path, folder.path()))
        };
        let found = std::thread::scope(|scope| scope.spawn(as_somebody_else).join().unwrap());
        assert_eq!(found, [Some(126), Some(126), None]);
    }
}
