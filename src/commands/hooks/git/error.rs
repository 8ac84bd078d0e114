//! Why git's hook was not installed or removed.

use std::io;
use std::path::PathBuf;

use crate::commands::hooks::adapter::Way;
use crate::error::Explain;
use crate::exit::Exit;
use crate::text::shown;

/// git's setting for the command that runs a project's tests.
pub(super) const SETTING: &str = "safe-test.command";

#[derive(Debug, thiserror::Error)]
pub(super) enum GitError {
    #[error("git was not found on PATH")]
    NoGit,
    #[error("{} is in no git repository: {said}", shown(folder))]
    NoRepository { folder: PathBuf, said: String },
    #[error(
        "the hooks of this repository are in {}, outside of it: other repositories may use them too",
        shown(folder)
    )]
    Shared { folder: PathBuf, way: Way },
    #[error("{} is no file", shown(path))]
    NoFile { path: PathBuf },
    #[error("{} is in the way", shown(path))]
    InTheWay { path: PathBuf },
    #[error("cannot read {}", shown(path))]
    File {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("cannot run git")]
    Git(#[source] io::Error),
    #[error("git did not take the setting {SETTING}: {said}")]
    Setting { said: String },
    #[error("how this project is tested is not known, and has to stand in {}", shown(path))]
    NoCommand { path: PathBuf },
}

impl Explain for GitError {
    fn hint(&self) -> Option<String> {
        match self {
            GitError::NoGit => Some("is it installed, and its folder on PATH?".to_owned()),
            GitError::NoRepository { .. } => {
                Some("`git init` makes one; `-C DIR` looks in another folder".to_owned())
            }
            GitError::Shared { way: Way::Remove, .. } => {
                Some("if that is meant, remove the hook there by hand".to_owned())
            }
            GitError::Shared { way: Way::Install, .. } => Some(
                "git from 2.54 on keeps a hook in its settings; with this one, put what `safe-test hooks show` prints there by \
                 hand if that is meant"
                    .to_owned(),
            ),
            GitError::NoFile { .. } => Some("move it away, then try again".to_owned()),
            GitError::InTheWay { .. } => {
                Some("the hook that is there would get that name; rename or remove one of them".to_owned())
            }
            GitError::File { .. } => {
                Some("check the owner and the permissions of the file and its folder".to_owned())
            }
            GitError::Git(_) => Some("does `git --version` work here?".to_owned()),
            GitError::Setting { .. } => Some(format!("set it by hand: {}", how_to_set())),
            GitError::NoCommand { .. } => Some(format!("{}, then again", how_to_set())),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            GitError::NoGit
            | GitError::NoRepository { .. }
            | GitError::Shared { .. }
            | GitError::NoFile { .. }
            | GitError::InTheWay { .. }
            | GitError::File { .. }
            | GitError::Git(_)
            | GitError::Setting { .. }
            | GitError::NoCommand { .. } => Exit::Failed,
        }
    }
}

/// Tells a person how the command is told to git.
pub(super) fn how_to_set() -> String {
    format!("git config {SETTING} 'npm test'")
}
