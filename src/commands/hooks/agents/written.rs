//! The files of instructions that agents read: they get a few sentences.

use std::fs;
use std::path::PathBuf;

use crate::commands::hooks::adapter::{Adapter, Asked, Standing, Way};
use crate::commands::hooks::agents::scope::{AgentError, followed, text_of};
use crate::commands::hooks::agents::stanza;
use crate::commands::hooks::plan::{Done, Plan, Step};
use crate::error::{Failure, in_one_line};

/// A file of instructions at the project's root.
#[derive(Debug)]
pub(crate) struct Instructions {
    name: &'static str,
    file: &'static str,
}

/// What most agents read.
pub(crate) static AGENTS_MD: Instructions = Instructions { name: "agents-md", file: "AGENTS.md" };

/// What Claude Code reads.
pub(crate) static CLAUDE_MD: Instructions = Instructions { name: "claude-md", file: "CLAUDE.md" };

impl Instructions {
    fn path(&self, asked: &Asked<'_>) -> Result<PathBuf, AgentError> {
        let root = &asked.context.project.root;
        followed(root.join(self.file), Some(root))
    }

    fn path_with_stanza(&self, asked: &Asked<'_>) -> Result<Option<PathBuf>, AgentError> {
        let path = self.path(asked)?;
        let Some(text) = text_of(&path)? else { return Ok(None) };
        match stanza::put_in(Some(&text)) {
            Ok(None) => Ok(Some(path)),
            Ok(Some(_)) => Ok(None),
            Err(cause) => Err(AgentError::Unfit { path, cause }),
        }
    }
}

impl Adapter for Instructions {
    fn name(&self) -> &'static str {
        self.name
    }

    fn has_user_settings(&self) -> bool {
        false
    }

    fn is_in_use(&self, asked: &Asked<'_>) -> bool {
        // A link means a file that stands for itself.
        let found = fs::symlink_metadata(asked.context.project.root.join(self.file));
        !asked.user && found.is_ok_and(|found| found.is_file())
    }

    fn shows_changes(&self) -> bool {
        true
    }

    fn plan(&self, asked: &Asked<'_>, way: Way) -> Result<Plan, Failure> {
        let path = self.path(asked)?;
        let before = text_of(&path)?;
        let after = match (way, &before) {
            (Way::Install, before) => stanza::put_in(before.as_deref()).map(|text| text.map(Some)),
            (Way::Remove, Some(before)) => stanza::take_out(before),
            (Way::Remove, None) => Ok(None),
        };
        let after = after.map_err(|cause| AgentError::Unfit { path: path.clone(), cause })?;
        let done = match (way, &after) {
            (Way::Install, Some(_)) => Done::Installed,
            (Way::Install, None) => Done::Unchanged,
            (Way::Remove, Some(_)) => Done::Removed,
            (Way::Remove, None) => Done::Absent,
        };
        let step = after.map(|after| {
            let [before, after] = [before, after].map(|text| text.map(String::into_bytes));
            Step::File { path: path.clone(), before, after, executable: false }
        });
        let steps = step.into_iter().collect();
        Ok(Plan { done, path, steps, command: None, notes: Vec::new() })
    }

    fn standing(&self, asked: &Asked<'_>) -> Result<Standing, Failure> {
        let mut standing = Standing::absent();
        match self.path_with_stanza(asked) {
            Ok(path) => standing.paths.extend(path),
            Err(why) => standing.problem = Some(in_one_line(&why)),
        }
        standing.installed = !standing.paths.is_empty();
        Ok(standing)
    }

    fn text(&self) -> String {
        stanza::whole()
    }
}
