//! The agents that ask: what tells each of them from the others, and how each wants to be answered.
//!
//! Sources: the agents' documentation and public code, 2026, and what others saw in live runs. Cursor, VS Code, Copilot and
//! Devin also call what stands in `.claude/settings.json`: so each is told by what it sends.

use crate::commands::hook::payload::Payload;

/// A coding agent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Agent {
    /// What `--agent` calls it.
    pub(super) name: &'static str,
    /// Any of these in what it sends tells it, where none of the agents before it is told.
    signs: &'static [Sign],
    /// How it is answered.
    pub(super) form: Form,
    /// How it is told something when a session begins.
    pub(super) session: Session,
}

/// What tells an agent.
#[derive(Debug, PartialEq, Eq)]
enum Sign {
    /// There is this key.
    Key(&'static str),
    /// There is the first key, and not the second.
    Without(&'static str, &'static str),
    /// The event has this name.
    Event(&'static str),
    /// The tool has this name.
    Tool(&'static str),
    /// The conversation is kept in a path with this part.
    Transcript(&'static str),
}

/// How an agent is told whether its command may run. The status is 0 but where it says something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `hookSpecificOutput` denies; nothing allows. Codex knows no other key, and takes a reply that has one for none.
    Specific,
    /// The same with its parts at the top as well. Any status but 0 denies.
    SpecificAndTop,
    /// `permission`, always, with the reason once for the person and once for the agent: which of them the model gets
    /// depends on the version.
    Permission,
    /// `decision`: the word that denies, and what allows.
    Decision(&'static str, Allowing),
    /// `cancel`.
    Cancel,
    /// Status 2 denies, with the reason on standard error.
    Status,
}

/// What allows a command where `decision` denies it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowing {
    Nothing,
    EmptyObject,
    Decision,
}

/// How an agent takes what it is told when a session begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Session {
    /// `hookSpecificOutput.additionalContext`.
    Specific,
    /// The same, and `additionalContext` at the top.
    SpecificAndTop,
    /// `additional_context`.
    Flat,
    /// `contextModification`, or `context`.
    Modification,
    /// The text itself.
    Text,
    /// Not at all: it gets what allows a command.
    Nothing,
}

/// Who calls where nothing tells: most agents speak as Claude Code does.
pub(super) const CLAUDE: &Agent =
    &Agent { name: "claude", signs: &[], form: Form::Specific, session: Session::Specific };

use Sign::{Event, Key, Tool, Transcript, Without};

/// The agents, in the order in which they are told.
pub(super) const AGENTS: [&Agent; 14] = [
    &Agent {
        name: "cursor",
        signs: &[Key("cursor_version"), Key("generation_id"), Event("beforeShellExecution")],
        form: Form::Permission,
        session: Session::Flat,
    },
    &Agent {
        name: "antigravity",
        signs: &[Key("toolCall")],
        form: Form::Decision("deny", Allowing::Decision),
        session: Session::Nothing,
    },
    &Agent { name: "windsurf", signs: &[Key("agent_action_name")], form: Form::Status, session: Session::Nothing },
    &Agent {
        name: "cline",
        signs: &[Key("clineVersion"), Key("hookName")],
        form: Form::Cancel,
        session: Session::Modification,
    },
    &Agent {
        name: "copilot",
        signs: &[Key("toolArgs"), Key("toolCalls")],
        form: Form::SpecificAndTop,
        session: Session::SpecificAndTop,
    },
    &Agent {
        name: "gemini",
        signs: &[Event("BeforeTool"), Transcript("/.gemini/")],
        form: Form::Decision("deny", Allowing::EmptyObject),
        session: Session::Specific,
    },
    &Agent {
        name: "goose",
        signs: &[Without("event", "hook_event_name"), Tool("developer__shell")],
        form: Form::Decision("block", Allowing::Nothing),
        session: Session::Nothing,
    },
    &Agent {
        name: "augment",
        signs: &[Key("hook_type"), Key("workspace_roots"), Tool("launch-process")],
        form: Form::Specific,
        session: Session::Specific,
    },
    &Agent {
        name: "codex",
        signs: &[Key("turn_id"), Transcript("/.codex/")],
        form: Form::Specific,
        session: Session::Specific,
    },
    &Agent { name: "devin", signs: &[Tool("exec")], form: Form::Specific, session: Session::Specific },
    &Agent {
        name: "vscode",
        signs: &[Tool("run_in_terminal"), Tool("runTerminalCommand"), Tool("runInTerminal")],
        form: Form::Specific,
        session: Session::Specific,
    },
    &Agent {
        name: "kiro",
        signs: &[Tool("execute_bash"), Event("preToolUse"), Event("agentSpawn")],
        form: Form::Status,
        session: Session::Text,
    },
    // Its payloads with names as Claude Code's have a time and no transcript.
    &Agent {
        name: "copilot",
        signs: &[Transcript("/.copilot/"), Without("timestamp", "transcript_path")],
        form: Form::SpecificAndTop,
        session: Session::SpecificAndTop,
    },
    // Our plugin for it says who asks.
    &Agent { name: "opencode", signs: &[], form: Form::Status, session: Session::Nothing },
];

impl Agent {
    /// Finds an agent by what `--agent` calls it, or by a longer name of it: `claude-code`, `gemini-cli`.
    pub(super) fn named(name: &str) -> Option<&'static Agent> {
        let is_called = |agent: &&&Agent| {
            name.strip_prefix(agent.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        AGENTS.iter().copied().chain([CLAUDE]).find(|agent| is_called(&agent))
    }

    /// Finds out who sent this.
    pub(super) fn told_by(payload: &Payload) -> &'static Agent {
        let is_there = |sign: &Sign| match sign {
            Sign::Key(key) => payload.has(key),
            Sign::Without(key, other) => payload.has(key) && !payload.has(other),
            Sign::Event(name) => payload.event() == Some(name),
            Sign::Tool(name) => payload.tool() == Some(name),
            Sign::Transcript(part) => payload.text("transcript_path").is_some_and(|path| path.contains(part)),
        };
        AGENTS.iter().copied().find(|agent| agent.signs.iter().any(is_there)).unwrap_or(CLAUDE)
    }
}
