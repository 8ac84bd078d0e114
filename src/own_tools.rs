//! Finds and asks the programs that safe-test itself runs: `git`, `pg_dump`, `psql` and the like.
//!
//! Only absolute folders of `PATH` count: a relative or empty one leads into whatever folder we were called in, which a
//! cloned repository may have filled. The guarded command is not looked up here but in `exec/lookup.rs`, as `env` would
//! look it up: there every folder counts, since the command would be found there without us as well.
//!
//! What is asked here answers at once. A tool that dumps or restores for a while is run by its engine
//! (`snapshot/postgres/process.rs`), which can end it.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;

/// Lists the folders of `path`, a value of `PATH`, that are absolute, in its order.
pub(crate) fn absolute_folders(path: Option<&OsStr>) -> Vec<PathBuf> {
    path.map(|path| std::env::split_paths(path).filter(|folder| folder.is_absolute()).collect()).unwrap_or_default()
}

/// Finds the program of that name in the absolute folders of `path`, a value of `PATH`.
pub(crate) fn find(name: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    find_all(name, &absolute_folders(path)).into_iter().next()
}

/// Finds the programs of that name in `folders`, which are absolute, in their order.
pub(crate) fn find_all(name: &str, folders: &[PathBuf]) -> Vec<PathBuf> {
    let in_folder = |folder: &PathBuf| which::which_in_global(name, Some(folder)).ok()?.next();
    folders.iter().filter_map(in_folder).collect()
}

/// Runs a program that answers at once, with no input, and gives all that it wrote and how it ended. Its environment is
/// `environment` and nothing else.
///
/// # Errors
///
/// Where it cannot be started. A status that is not 0 is no error here.
pub(crate) fn ask(program: &Path, arguments: &[&OsStr], environment: &[(OsString, OsString)]) -> io::Result<Output> {
    let environment = environment.iter().map(|(name, value)| (name, value));
    duct::cmd(program, arguments).full_env(environment).stdin_null().stdout_capture().stderr_capture().unchecked().run()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn only_absolute_folders_of_the_path_count() {
        for (path, expected) in [
            (Some("/usr/bin:/bin"), &["/usr/bin", "/bin"][..]),
            (Some("bin:/bin:.:./x:../y"), &["/bin"]),
            (Some(":/bin::"), &["/bin"]),
            (Some("~/bin:$HOME/bin:/bin"), &["/bin"]),
            (Some(""), &[]),
            (None, &[]),
        ] {
            let found = absolute_folders(path.map(OsStr::new));
            assert_eq!(found, expected.iter().map(PathBuf::from).collect::<Vec<_>>(), "{path:?}");
        }
    }

    #[test]
    fn what_cannot_be_executed_is_passed_over() {
        let temporary = tempfile::tempdir().unwrap();
        let folders = ["plain", "folder", "dangling", "good", "linked", "none"].map(|name| temporary.path().join(name));
        folders.iter().for_each(|folder| fs::create_dir(folder).unwrap());
        let [plain, folder, dangling, good, linked, _] = &folders;
        for (folder, mode) in [(plain, 0o644), (good, 0o755)] {
            fs::write(folder.join("tool"), "#!/bin/sh\n").unwrap();
            fs::set_permissions(folder.join("tool"), Permissions::from_mode(mode)).unwrap();
        }
        fs::create_dir(folder.join("tool")).unwrap();
        symlink("nowhere", dangling.join("tool")).unwrap();
        symlink(good.join("tool"), linked.join("tool")).unwrap();
        assert_eq!(find_all("tool", &folders), [good.join("tool"), linked.join("tool")]);
        let path = std::env::join_paths([Path::new("."), plain, linked, good]).unwrap();
        assert_eq!(find("tool", Some(&path)), Some(linked.join("tool")));
        assert_eq!((find("tool", None), find("tool", Some("".as_ref()))), (None, None));
    }

    #[test]
    fn an_answer_has_both_outputs_and_the_status_and_nothing_is_inherited() {
        let script = "cat; echo \"$ONE$HOME\"; echo no >&2; exit 3";
        let set = [("ONE".into(), "1".into()), ("PATH".into(), "/usr/bin:/bin".into())];
        let answer = ask(Path::new("/bin/sh"), &["-c".as_ref(), script.as_ref()], &set).unwrap();
        assert_eq!((answer.status.code(), &*answer.stdout, &*answer.stderr), (Some(3), &b"1\n"[..], &b"no\n"[..]));
        assert!(ask(Path::new("/nonexistent/tool"), &[], &[]).is_err());
    }
}
