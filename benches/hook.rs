//! What a coding agent waits for before each of its commands, against the least that a program can cost.

use crate::compare::{Contest, Runner};
use crate::project::Project;

/// A command that every agent runs all the time.
pub(crate) fn ls() -> Contest {
    asked("hook-ls", "ls -la")
}

/// A file of 300 lines, written by `cat`, in which commands are told of.
pub(crate) fn heredoc() -> Contest {
    let lines: String =
        (0..300).map(|at| format!("{at}. run `npm test` in \"packages/{at}\", then $(nothing) else\n")).collect();
    asked("hook-heredoc", &format!("mkdir -p docs && cat > docs/steps.md <<'EOF'\n{lines}EOF\nwc -l docs/steps.md"))
}

fn asked(name: &str, command: &str) -> Contest {
    let project = Project::new(name);
    project.write("package.json", "{\"scripts\": {\"test\": \"vitest run\"}}");
    let folder = project.folder();
    let payload = serde_json::json!({
        "session_id": "s", "transcript_path": "/home/u/.claude/s.jsonl", "cwd": folder, "hook_event_name": "PreToolUse",
        "tool_name": "Bash", "tool_input": { "command": command },
    });
    project.write("payload.json", &payload.to_string());
    let other = project.clone();
    Contest::new(
        Runner::new(move || other.env_true()),
        Runner { input: Some(folder.join("payload.json")), ..Runner::new(move || project.safe_test(&["hook"])) },
    )
}
