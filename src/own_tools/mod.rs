//! Finds and asks the programs that safe-test itself runs: `git`, `pg_dump`, `psql` and the like.
//!
//! The project may be a stranger's clone, so each of them is run as from a hostile place: an absolute program that does
//! not come out of the project ([`ToolEnvironment`]), the root folder as its current one, none of the variables that it was
//! not meant to see ([`command`]). The guarded command is not looked up here but in `exec/lookup.rs`, as `env` would look it
//! up: there every folder counts, since the command would be found there without us as well.
#![forbid(unsafe_code)]

mod ask;
pub(crate) mod containers;
mod environment;
mod git;
mod tool_command;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use crate::own_tools::ask::{ask, ask_in};
pub(crate) use crate::own_tools::containers::process::{Killer, Process};
pub(crate) use crate::own_tools::environment::ToolEnvironment;
pub(crate) use crate::own_tools::git::Git;
pub(crate) use crate::own_tools::tool_command::{Given, HANDED_FILE, ToolCommand};

/// Where a program of ours starts: a relative name that somebody slipped into a variable or a setting leads nowhere.
const START: &str = "/";

/// Finds the programs of that name in `folders`, which are absolute, in their order.
pub(crate) fn find_all(name: &str, folders: &[PathBuf]) -> Vec<PathBuf> {
    let in_folder = |folder: &PathBuf| which::which_in_global(name, Some(folder)).ok()?.next();
    folders.iter().filter_map(in_folder).collect()
}

/// Makes the process of a program of ours that works for a while: with these variables and no others.
pub(crate) fn command(program: &Path, variables: &[(OsString, OsString)]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(START).env_clear().envs(variables.iter().map(|(name, value)| (name, value)));
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

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
    }

    #[test]
    fn a_program_of_ours_starts_at_the_root_and_inherits_nothing() {
        let set = [("ONE".into(), "1".into())];
        let told = command(Path::new("/bin/sh"), &set).args(["-c", "echo \"$(pwd) $ONE $HOME\""]).output().unwrap();
        assert_eq!(String::from_utf8(told.stdout).unwrap(), "/ 1 \n");
    }
}
