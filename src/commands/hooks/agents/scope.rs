//! Where an agent's settings are, in a project and in a person's own folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::audit::anchors_folder;
use crate::commands::context::Context;
use crate::commands::hooks::agents::rows::{Agent, Setting};
use crate::commands::hooks::agents::settings;
use crate::commands::hooks::agents::settings::Unfit;
use crate::commands::hooks::plan;
use crate::error::Explain;
use crate::exit::Exit;
use crate::text::shown;

/// Why an agent's settings are not changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum AgentError {
    #[error("{title} takes no such settings from a project")]
    UserOnly { title: &'static str },
    #[error("there is no home folder to look for settings in")]
    NoHome,
    #[error("{} is left as it is", shown(path))]
    Unfit {
        path: PathBuf,
        #[source]
        cause: Unfit,
    },
    #[error("{} is not UTF-8", shown(path))]
    NoText { path: PathBuf },
    #[error("{} is not safe-test's", shown(path))]
    Foreign { path: PathBuf },
    #[error("{} is a link that leads out of the project, to {}", shown(path), shown(to))]
    LeadsOut { path: PathBuf, to: PathBuf },
    #[error("cannot read {}", shown(path))]
    File {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

impl Explain for AgentError {
    fn hint(&self) -> Option<String> {
        match self {
            AgentError::UserOnly { .. } => Some("`--user` puts them into your own".to_owned()),
            AgentError::NoHome => Some("is HOME set?".to_owned()),
            AgentError::Unfit { .. } => {
                Some("put it right by hand, or add what `safe-test hooks show` prints".to_owned())
            }
            AgentError::NoText { .. } => None,
            AgentError::Foreign { .. } => {
                Some("`safe-test hooks show` prints ours, to be joined with it by hand".to_owned())
            }
            AgentError::LeadsOut { .. } => Some("if that is meant, change what it leads to".to_owned()),
            AgentError::File { .. } => {
                Some("check the owner and the permissions of the file and its folder".to_owned())
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            AgentError::UserOnly { .. }
            | AgentError::NoHome
            | AgentError::Unfit { .. }
            | AgentError::NoText { .. }
            | AgentError::Foreign { .. }
            | AgentError::LeadsOut { .. }
            | AgentError::File { .. } => Exit::Failed,
        }
    }
}

/// Where settings are looked for: a project, or what is a person's own.
#[derive(Debug)]
pub(super) struct Scope {
    /// The folder that the settings' names lead from.
    pub(super) folder: PathBuf,
    /// Folders that are left empty go up to here, itself excluded.
    pub(super) limit: PathBuf,
    pub(super) settings: &'static [Setting],
    pub(super) is_project: bool,
}

impl Scope {
    pub(super) fn project(agent: &Agent, context: &Context) -> Scope {
        let root = context.project.root.clone();
        Scope { folder: root.clone(), limit: root, settings: agent.project, is_project: true }
    }

    pub(super) fn user(agent: &Agent, context: &Context) -> Result<Scope, AgentError> {
        let variable = agent.user.variable.and_then(|name| context.variable(name)).map(PathBuf::from);
        let home = context.project.home.clone();
        let folder = match (variable.filter(|path| path.is_absolute()), &home) {
            (Some(folder), _) => folder,
            (None, Some(home)) => home.join(agent.user.in_home),
            (None, None) => return Err(AgentError::NoHome),
        };
        let limit = match home {
            Some(home) if folder.starts_with(&home) => home,
            _ => folder.clone(),
        };
        Ok(Scope { folder, limit, settings: agent.of_user, is_project: false })
    }

    /// Finds the file that a setting's name leads to.
    ///
    /// # Errors
    ///
    /// As for [`followed`].
    pub(super) fn file(&self, setting: &Setting) -> Result<PathBuf, AgentError> {
        followed(self.folder.join(setting.file), self.is_project.then_some(&*self.folder))
    }

    /// A value of ours with the places in it filled in.
    pub(super) fn filled(&self, value: &str, context: &Context) -> String {
        let quoted = |path: &Path| {
            let text = serde_json::Value::from(shown(path)).to_string();
            text[1..text.len() - 1].to_owned()
        };
        let anchors = anchors_folder(&context.state_directory);
        let below_home = context.project.home.as_ref().and_then(|home| anchors.strip_prefix(home).ok());
        let anchors = below_home.map_or_else(|| anchors.clone(), |below| Path::new("~").join(below));
        value.replace("@FOLDER@", &quoted(&self.folder)).replace("@ANCHORS@", &quoted(&anchors))
    }
}

/// Gives the path itself, or where it leads to: a link stays, and what it leads to is changed.
///
/// # Errors
///
/// Where it leads nowhere, or it or a folder above it out of the `project` that it belongs to.
pub(super) fn followed(path: PathBuf, project: Option<&Path>) -> Result<PathBuf, AgentError> {
    let failed = |cause| AgentError::File { path: path.clone(), cause };
    let is_link = fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink());
    let to = if is_link { path.canonicalize().map_err(failed)? } else { plan::resolved(&path) };
    match project.map(Path::canonicalize).transpose().map_err(failed)? {
        Some(project) if !to.starts_with(&project) => Err(AgentError::LeadsOut { path, to }),
        _ if is_link => Ok(to),
        _ => Ok(path),
    }
}

/// Reads a file of settings.
pub(super) fn text_of(path: &Path) -> Result<Option<String>, AgentError> {
    let content = plan::content(path).map_err(|cause| AgentError::File { path: path.to_owned(), cause })?;
    let text = content.map(String::from_utf8).transpose();
    text.map_err(|_| AgentError::NoText { path: path.to_owned() })
}

/// Tells whether a file of our name is ours, of whatever version: by the comment that ours begins with, or by what it is
/// called in JSON.
pub(super) fn is_ours(there: &str, ours: &str) -> bool {
    let mark = |text: &str| {
        let comment = text.lines().find(|line| line.contains("safe-test's "))?;
        Some(comment.split(':').next().unwrap_or(comment).to_owned())
    };
    match mark(ours) {
        Some(mark) => there.lines().take(3).any(|line| line.starts_with(&mark)),
        None => settings::parse(there).is_ok() && there.contains("\"safe-test"),
    }
}
