//! The files of instructions that agents read: they get a few sentences.

use crate::commands::hooks::adapter::{Adapter, Asked, Standing, Way};
use crate::commands::hooks::agents::scope::{AgentError, text_of};
use crate::commands::hooks::agents::stanza;
use crate::commands::hooks::plan::{Done, Plan, Step};
use crate::error::Failure;

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

impl Adapter for Instructions {
    fn name(&self) -> &'static str {
        self.name
    }

    fn has_user_settings(&self) -> bool {
        false
    }

    fn is_in_use(&self, asked: &Asked<'_>) -> bool {
        !asked.user && asked.context.project.root.join(self.file).exists()
    }

    fn shows_changes(&self) -> bool {
        true
    }

    fn plan(&self, asked: &Asked<'_>, way: Way) -> Result<Plan, Failure> {
        let root = &asked.context.project.root;
        let path = root.join(self.file);
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
        let path = asked.context.project.root.join(self.file);
        let text = text_of(&path)?.unwrap_or_default();
        let is_there = stanza::put_in(Some(&text)).map_err(|cause| AgentError::Unfit { path: path.clone(), cause })?;
        let mut standing = Standing::absent();
        if is_there.is_none() {
            standing.installed = true;
            standing.paths.push(path);
        }
        Ok(standing)
    }

    fn text(&self) -> String {
        stanza::whole()
    }
}
