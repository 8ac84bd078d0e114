//! Starts PostgreSQL's tools, and says what of their messages may be shown.

use crate::own_tools::ToolCommand;
use crate::secret::Secret;
use crate::snapshot::tool_process::{Running, ToolError};

/// Starts one of the tools.
pub(crate) fn start(tool: &'static str, command: ToolCommand, secrets: &[Secret]) -> Result<Running, ToolError> {
    Running::start(tool, command, cleaned, secrets)
}

/// Keeps the errors themselves, never their context, detail or statement, which quote rows; a few lines, each cut.
pub(crate) fn cleaned(messages: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in messages.lines() {
        let line = line.trim();
        let kept = ["error: ", "FATAL: ", "ERROR: ", "PANIC: ", "detail: Error message"]
            .iter()
            .any(|mark| line.contains(mark));
        let quoting =
            ["CONTEXT", "DETAIL", "Command was", "STATEMENT", "LINE "].iter().any(|mark| line.starts_with(mark));
        if kept && !quoting && lines.len() < 4 {
            lines.push(line.chars().take(300).collect());
        }
    }
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_not_shown() {
        let said = "pg_restore: error: could not execute query: ERROR:  duplicate key\nDETAIL:  Key (mail)=(a@b.c) exists.\n\
                    CONTEXT:  COPY users, line 1: \"1 secret row\"\nCommand was: COPY public.users\npg_restore: error: at last";
        let shown = cleaned(said);
        assert_eq!(
            shown,
            "pg_restore: error: could not execute query: ERROR:  duplicate key; pg_restore: error: at last"
        );
    }
}
