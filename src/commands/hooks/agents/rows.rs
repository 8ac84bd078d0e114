//! The agents: where each keeps its settings, and what is put there.
//!
//! Timeouts are in seconds but where a row says otherwise. Handlers that an agent runs by a shell name the program
//! alone: the same file serves everybody who works on the project. `--agent` is left out where several agents read one
//! file; then the handler tells them apart by what they send.

use crate::commands::hooks::agents::settings::{Known, Piece};

/// An agent.
#[derive(Debug)]
pub(crate) struct Agent {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// What it is called by people.
    pub(crate) title: &'static str,
    /// What shows that it is in use: files and folders of a project, or with `~/` of a home folder.
    pub(crate) marks: &'static [&'static str],
    /// What is put into a project; empty where the agent takes no hooks from one.
    pub(crate) project: &'static [Setting],
    /// What is put into a person's own settings.
    pub(crate) user: UserFolder,
    pub(crate) of_user: &'static [Setting],
    /// What the person has to do besides.
    pub(crate) besides: Option<&'static str>,
    /// How `hooks status` tries it; `None` where nothing of ours is started.
    pub(crate) trial: Option<Trial>,
}

/// Where a person's settings of an agent are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UserFolder {
    /// The variable that moves the folder.
    pub(crate) variable: Option<&'static str>,
    /// Where it is otherwise, in the home folder.
    pub(crate) in_home: &'static str,
}

/// A file that is put somewhere or added to.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Where it is, in the project or the person's folder.
    pub(crate) file: &'static str,
    pub(crate) kind: Kind,
}

/// What is put into a file.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Entries among others; `base` is what the file holds besides where it is made.
    Entries { base: &'static str, pieces: &'static [Piece<'static>] },
    /// A file of its own.
    Own { text: &'static str, executable: bool },
}

/// A payload as the agent sends it for a command of the shell, and how it tells that the command is stopped.
///
/// In the payload `@FOLDER@` and `@COMMAND@` stand for those.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) payload: &'static str,
    /// The name of its shell tool, which matchers are held against.
    pub(crate) tool: &'static str,
    pub(crate) stops: Stops,
}

/// What stops a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stops {
    /// Status 2 with a reason on standard error.
    Status2,
    /// One of these members at one of these places of the JSON on standard output, with status 0; `or_status_2`: or that.
    Says { members: &'static [(&'static [&'static str], &'static str)], or_status_2: bool },
}

const CLAUDE_DENY: (&[&str], &str) = (&["hookSpecificOutput", "permissionDecision"], "deny");

const fn command(path: &'static [&'static str], value: &'static str) -> Piece<'static> {
    Piece { path, key: None, value, known: Known::ByCommand }
}

const fn value(path: &'static [&'static str], value: &'static str) -> Piece<'static> {
    Piece { path, key: None, value, known: Known::ByValue }
}

const fn home(in_home: &'static str) -> UserFolder {
    UserFolder { variable: None, in_home }
}

/// Four other agents read this file, too, and not all know a handler's `args`: one line for the shell serves all.
const CLAUDE: &[Setting] =
    &[Setting { file: ".claude/settings.json", kind: Kind::Entries { base: "{}", pieces: CLAUDE_PIECES } }];

const CLAUDE_PIECES: &[Piece<'static>] = &[
    command(
        &["hooks", "PreToolUse"],
        r#"{"matcher": "Bash|PowerShell", "hooks": [{"type": "command", "command": "safe-test hook", "timeout": 10, "onFailure": "block"}]}"#,
    ),
    command(
        &["hooks", "SessionStart"],
        r#"{"hooks": [{"type": "command", "command": "safe-test hook session-start", "timeout": 10}]}"#,
    ),
];

const CURSOR_PIECES: &[Piece<'static>] = &[command(
    &["hooks", "preToolUse"],
    r#"{"command": "safe-test hook --agent cursor", "matcher": "Shell", "timeout": 10, "failClosed": true}"#,
)];

const CODEX_PIECES: &[Piece<'static>] = &[command(
    &["hooks", "PreToolUse"],
    r#"{"matcher": "Bash", "hooks": [{"type": "command", "command": "safe-test hook --agent codex", "timeout": 10}]}"#,
)];

/// Copilot's CLI and cloud agent and VS Code read it; VS Code takes `bash` and `powershell` for its own.
const COPILOT_PIECES: &[Piece<'static>] = &[command(
    &["hooks", "PreToolUse"],
    r#"{"type": "command", "matcher": "Bash", "bash": "safe-test hook", "powershell": "safe-test hook", "timeoutSec": 10}"#,
)];

/// The timeout is in milliseconds.
const GEMINI_PIECES: &[Piece<'static>] = &[command(
    &["hooks", "BeforeTool"],
    r#"{"matcher": "run_shell_command", "hooks": [{"name": "safe-test", "type": "command", "command": "safe-test hook --agent gemini", "timeout": 10000}]}"#,
)];

const ANTIGRAVITY_PIECES: &[Piece<'static>] = &[Piece {
    path: &[],
    key: Some("safe-test"),
    value: r#"{"enabled": true, "PreToolUse": [{"matcher": "run_command", "hooks": [{"type": "command", "command": "safe-test hook --agent antigravity", "timeout": 10}]}]}"#,
    known: Known::ByValue,
}];

const WINDSURF_PIECES: &[Piece<'static>] =
    &[command(&["hooks", "pre_run_command"], r#"{"command": "safe-test hook --agent windsurf", "show_output": true}"#)];

const DEVIN_ENTRY: &str =
    r#"{"matcher": "exec", "hooks": [{"type": "command", "command": "safe-test hook --agent devin", "timeout": 10}]}"#;

const KIRO_PIECES: &[Piece<'static>] = &[command(
    &["hooks"],
    r#"{"name": "safe-test", "trigger": "PreToolUse", "matcher": "execute_bash|shell", "action": {"type": "command", "command": "safe-test hook --agent kiro"}, "timeout": 10, "enabled": true}"#,
)];

/// `on_failure` denies where the handler gives no answer (Goose).
const GOOSE_PIECES: &[Piece<'static>] = &[command(
    &["hooks", "PreToolUse"],
    r#"{"matcher": "shell", "hooks": [{"type": "command", "command": "safe-test hook --agent goose", "timeout": 10, "on_failure": "block"}]}"#,
)];

const GOOSE: &[Setting] = &[
    Setting { file: ".agents/plugins/safe-test/plugin.json", kind: own(OPEN_PLUGIN) },
    entries(".agents/plugins/safe-test/hooks/hooks.json", "{}", GOOSE_PIECES),
];

pub(crate) const OPEN_PLUGIN: &str = include_str!("../../../../hooks/open-plugin/safe-test/plugin.json");

const CLINE: &str = include_str!("../../../../hooks/cline/PreToolUse");

const OPENCODE: &str = include_str!("../../../../hooks/opencode/safe-test.js");

/// The timeout is in milliseconds, and a command is the path of a script.
const AUGMENT: &[Setting] = &[
    Setting {
        file: ".augment/settings.json",
        kind: Kind::Entries {
            base: "{}",
            pieces: &[command(
                &["hooks", "PreToolUse"],
                r#"{"matcher": "launch-process", "hooks": [{"type": "command", "command": "@FOLDER@/.augment/hooks/safe-test.sh", "timeout": 10000}]}"#,
            )],
        },
    },
    Setting {
        file: ".augment/hooks/safe-test.sh",
        kind: script(include_str!("../../../../hooks/augment/safe-test.sh")),
    },
];

/// Zed has no hooks: these are regular expressions over a line's parts, which say no reason. They hold what destroys.
const ZED_PATH: &[&str] = &["agent", "tool_permissions", "tools", "terminal", "always_deny"];

const ZED_PIECES: &[Piece<'static>] = &[
    value(
        ZED_PATH,
        r#"{"pattern": "^\\s*(npx |pnpm |yarn |bunx )*prisma (migrate (reset|dev)|db (push|seed|execute))\\b"}"#,
    ),
    value(ZED_PATH, r#"{"pattern": "^\\s*(bundle exec |bin/|php )*(rails|rake|artisan) (db:|migrate)"}"#),
    value(ZED_PATH, r#"{"pattern": "^\\s*(python3? |\\./)*manage\\.py (flush|migrate|reset_db|loaddata|test)\\b"}"#),
    value(ZED_PATH, r#"{"pattern": "^\\s*(dropdb|psql|mysql|mariadb|mongosh|redis-cli|pg_restore)\\b"}"#),
    value(ZED_PATH, r#"{"pattern": "^\\s*(docker|podman) (compose down .*(-v|--volumes)|volume (rm|prune))\\b"}"#),
];

const fn own(text: &'static str) -> Kind {
    Kind::Own { text, executable: false }
}

const fn script(text: &'static str) -> Kind {
    Kind::Own { text, executable: true }
}

const fn entries(file: &'static str, base: &'static str, pieces: &'static [Piece<'static>]) -> Setting {
    Setting { file, kind: Kind::Entries { base, pieces } }
}

/// The anchors of logs, and never the approvals beside them.
const STATE_FOLDER: &str = r#""@ANCHORS@""#;

const CLAUDE_SANDBOX: &[Piece<'static>] = &[value(&["sandbox", "filesystem", "allowWrite"], STATE_FOLDER)];

const CURSOR_SANDBOX: &[Piece<'static>] = &[value(&["additionalReadwritePaths"], STATE_FOLDER)];

/// All agents, by name.
pub(crate) const ALL: &[Agent] = &[
    Agent {
        name: "antigravity",
        title: "Antigravity",
        marks: &[".agents/hooks.json", "~/.gemini/antigravity", "~/.gemini/config/hooks.json"],
        project: &[entries(".agents/hooks.json", "{}", ANTIGRAVITY_PIECES)],
        user: home(".gemini/config"),
        of_user: &[entries("hooks.json", "{}", ANTIGRAVITY_PIECES)],
        besides: None,
        trial: Some(Trial {
            payload: r#"{"toolCall": {"name": "run_command", "args": {"CommandLine": "@COMMAND@", "Cwd": "@FOLDER@"}}, "stepIdx": 1, "conversationId": "safe-test-status", "workspacePaths": ["@FOLDER@"]}"#,
            tool: "run_command",
            stops: Stops::Says { members: &[(&["decision"], "deny")], or_status_2: false },
        }),
    },
    Agent {
        name: "augment",
        title: "Augment",
        marks: &[".augment", "~/.augment"],
        project: &[],
        user: home(""),
        of_user: AUGMENT,
        besides: None,
        trial: Some(Trial {
            payload: r#"{"hook_event_name": "PreToolUse", "conversation_id": "safe-test-status", "workspace_roots": ["@FOLDER@"], "tool_name": "launch-process", "tool_input": {"command": "@COMMAND@", "cwd": "@FOLDER@", "wait": true, "max_wait_seconds": 60}}"#,
            tool: "launch-process",
            stops: Stops::Says { members: &[CLAUDE_DENY], or_status_2: true },
        }),
    },
    Agent {
        name: "claude",
        title: "Claude Code",
        marks: &[".claude", "~/.claude"],
        project: CLAUDE,
        user: UserFolder { variable: Some("CLAUDE_CONFIG_DIR"), in_home: ".claude" },
        of_user: &[entries("settings.json", "{}", CLAUDE_PIECES)],
        besides: None,
        trial: Some(Trial {
            payload: r#"{"session_id": "safe-test-status", "transcript_path": "/nonexistent/.claude/projects/status.jsonl", "cwd": "@FOLDER@", "permission_mode": "default", "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "@COMMAND@", "description": "Try the hook"}, "tool_use_id": "toolu_status"}"#,
            tool: "Bash",
            stops: Stops::Says { members: &[CLAUDE_DENY], or_status_2: true },
        }),
    },
    Agent {
        name: "claude-sandbox",
        title: "Claude Code's sandbox",
        marks: &[],
        project: &[entries(".claude/settings.json", "{}", CLAUDE_SANDBOX)],
        user: UserFolder { variable: Some("CLAUDE_CONFIG_DIR"), in_home: ".claude" },
        of_user: &[entries("settings.json", "{}", CLAUDE_SANDBOX)],
        besides: Some("the sandbox opens only what is there: let one run go outside of it first"),
        trial: None,
    },
    Agent {
        name: "cline",
        title: "Cline",
        marks: &[".clinerules", ".cline", "~/Documents/Cline"],
        project: &[
            Setting { file: ".clinerules/hooks/PreToolUse", kind: script(CLINE) },
            Setting { file: ".cline/hooks/PreToolUse.sh", kind: script(CLINE) },
        ],
        user: home("Documents/Cline/Hooks"),
        of_user: &[Setting { file: "PreToolUse", kind: script(CLINE) }],
        besides: Some("hooks are off in Cline until its settings enable them"),
        trial: Some(Trial {
            payload: r#"{"clineVersion": "3.0.0", "hookName": "PreToolUse", "taskId": "safe-test-status", "workspaceRoots": ["@FOLDER@"], "preToolUse": {"toolName": "execute_command", "parameters": {"command": "@COMMAND@"}}}"#,
            tool: "execute_command",
            stops: Stops::Says { members: &[(&["cancel"], "true")], or_status_2: false },
        }),
    },
    Agent {
        name: "codex",
        title: "Codex",
        marks: &[".codex", "~/.codex"],
        project: &[entries(".codex/hooks.json", "{}", CODEX_PIECES)],
        user: UserFolder { variable: Some("CODEX_HOME"), in_home: ".codex" },
        of_user: &[entries("hooks.json", "{}", CODEX_PIECES)],
        besides: Some("Codex runs it only once a person has trusted it there, by `/hooks`"),
        trial: Some(Trial {
            payload: r#"{"session_id": "safe-test-status", "turn_id": "1", "transcript_path": null, "cwd": "@FOLDER@", "hook_event_name": "PreToolUse", "model": "status", "permission_mode": "default", "tool_name": "Bash", "tool_use_id": "call_status", "tool_input": {"command": "@COMMAND@"}}"#,
            tool: "Bash",
            stops: Stops::Says { members: &[CLAUDE_DENY], or_status_2: true },
        }),
    },
    Agent {
        name: "copilot",
        title: "GitHub Copilot and VS Code",
        marks: &[".github/hooks", ".github/copilot", ".github/copilot-instructions.md", "~/.copilot"],
        project: &[entries(".github/hooks/safe-test.json", r#"{"version": 1}"#, COPILOT_PIECES)],
        user: UserFolder { variable: Some("COPILOT_HOME"), in_home: ".copilot" },
        of_user: &[entries("hooks/safe-test.json", r#"{"version": 1}"#, COPILOT_PIECES)],
        besides: None,
        trial: Some(Trial {
            payload: r#"{"hook_event_name": "PreToolUse", "session_id": "safe-test-status", "timestamp": "2026-01-01T00:00:00Z", "cwd": "@FOLDER@", "transcript_path": "/nonexistent/.copilot/status.jsonl", "tool_name": "Bash", "tool_input": {"command": "@COMMAND@"}}"#,
            tool: "Bash",
            stops: Stops::Says { members: &[(&["permissionDecision"], "deny"), CLAUDE_DENY], or_status_2: false },
        }),
    },
    Agent {
        name: "cursor",
        title: "Cursor",
        marks: &[".cursor", "~/.cursor"],
        project: &[entries(".cursor/hooks.json", r#"{"version": 1}"#, CURSOR_PIECES)],
        user: home(".cursor"),
        of_user: &[entries("hooks.json", r#"{"version": 1}"#, CURSOR_PIECES)],
        besides: None,
        trial: Some(Trial {
            payload: r#"{"conversation_id": "safe-test-status", "generation_id": "1", "model": "status", "hook_event_name": "preToolUse", "cursor_version": "3.9.16", "workspace_roots": ["@FOLDER@"], "transcript_path": null, "tool_name": "Shell", "tool_input": {"command": "@COMMAND@", "working_directory": "@FOLDER@"}, "cwd": ""}"#,
            tool: "Shell",
            stops: Stops::Says { members: &[(&["permission"], "deny")], or_status_2: true },
        }),
    },
    Agent {
        name: "cursor-sandbox",
        title: "Cursor's sandbox",
        marks: &[],
        project: &[],
        user: home(".cursor"),
        of_user: &[entries("sandbox.json", "{}", CURSOR_SANDBOX)],
        besides: Some("the sandbox opens only what is there: let one run go outside of it first"),
        trial: None,
    },
    Agent {
        name: "devin",
        title: "Devin",
        marks: &[".devin", "~/.config/devin"],
        project: &[entries(".devin/hooks.v1.json", "{}", &[command(&["PreToolUse"], DEVIN_ENTRY)])],
        user: home(".config/devin"),
        of_user: &[entries("config.json", "{}", &[command(&["hooks", "PreToolUse"], DEVIN_ENTRY)])],
        besides: None,
        trial: Some(Trial {
            payload: r#"{"hook_event_name": "PreToolUse", "session_id": "safe-test-status", "tool_name": "exec", "tool_input": {"command": "@COMMAND@"}}"#,
            tool: "exec",
            stops: Stops::Says { members: &[CLAUDE_DENY, (&["decision"], "block")], or_status_2: true },
        }),
    },
    Agent {
        name: "gemini",
        title: "Gemini CLI",
        marks: &[".gemini", "~/.gemini/settings.json"],
        project: &[entries(".gemini/settings.json", "{}", GEMINI_PIECES)],
        user: home(".gemini"),
        of_user: &[entries("settings.json", "{}", GEMINI_PIECES)],
        besides: Some("Gemini CLI starts hooks in trusted folders only; a project's not with `--skip-trust` either"),
        trial: Some(Trial {
            payload: r#"{"session_id": "safe-test-status", "transcript_path": "/nonexistent/.gemini/status.json", "cwd": "@FOLDER@", "hook_event_name": "BeforeTool", "timestamp": "2026-01-01T00:00:00Z", "tool_name": "run_shell_command", "tool_input": {"command": "@COMMAND@"}}"#,
            tool: "run_shell_command",
            stops: Stops::Says { members: &[(&["decision"], "deny")], or_status_2: true },
        }),
    },
    Agent {
        name: "goose",
        title: "Goose and others that read Open Plugins",
        marks: &[".agents/plugins", "~/.agents/plugins", "~/.config/goose"],
        project: GOOSE,
        user: home(""),
        of_user: GOOSE,
        besides: None,
        trial: Some(Trial {
            payload: r#"{"event": "PreToolUse", "session_id": "safe-test-status", "matcher_context": "developer__shell", "tool_name": "developer__shell", "tool_input": {"command": "@COMMAND@"}, "working_dir": "@FOLDER@", "tool_call_id": "status"}"#,
            tool: "developer__shell",
            stops: Stops::Says { members: &[(&["decision"], "block")], or_status_2: true },
        }),
    },
    Agent {
        name: "kiro",
        title: "Kiro",
        marks: &[".kiro", "~/.kiro"],
        project: &[entries(".kiro/hooks/safe-test.json", r#"{"version": "v1"}"#, KIRO_PIECES)],
        user: home(".kiro"),
        of_user: &[entries("hooks/safe-test.json", r#"{"version": "v1"}"#, KIRO_PIECES)],
        besides: None,
        trial: Some(Trial {
            payload: r#"{"session_id": "safe-test-status", "hook_event_name": "PreToolUse", "cwd": "@FOLDER@", "tool_name": "execute_bash", "tool_input": {"command": "@COMMAND@"}}"#,
            tool: "execute_bash",
            stops: Stops::Status2,
        }),
    },
    Agent {
        name: "opencode",
        title: "OpenCode 1",
        marks: &[".opencode", "opencode.json", "opencode.jsonc", "~/.config/opencode"],
        project: &[Setting { file: ".opencode/plugins/safe-test.js", kind: own(OPENCODE) }],
        user: home(".config/opencode"),
        of_user: &[Setting { file: "plugins/safe-test.js", kind: own(OPENCODE) }],
        besides: None,
        trial: Some(Trial {
            payload: r#"{"hook_event_name": "tool.execute.before", "session_id": "safe-test-status", "cwd": "@FOLDER@", "tool_name": "bash", "tool_input": {"command": "@COMMAND@"}}"#,
            tool: "bash",
            stops: Stops::Status2,
        }),
    },
    Agent {
        name: "windsurf",
        title: "Windsurf",
        marks: &[".windsurf", "~/.codeium/windsurf"],
        project: &[entries(".windsurf/hooks.json", "{}", WINDSURF_PIECES)],
        user: home(".codeium/windsurf"),
        of_user: &[entries("hooks.json", "{}", WINDSURF_PIECES)],
        besides: None,
        trial: Some(Trial {
            payload: r#"{"agent_action_name": "pre_run_command", "trajectory_id": "safe-test-status", "execution_id": "1", "timestamp": "2026-01-01T00:00:00Z", "model_name": "status", "tool_info": {"command_line": "@COMMAND@", "cwd": "@FOLDER@"}}"#,
            tool: "run_command",
            stops: Stops::Status2,
        }),
    },
    Agent {
        name: "zed",
        title: "Zed",
        marks: &[".zed", "~/.config/zed"],
        project: &[],
        user: home(".config/zed"),
        of_user: &[entries("settings.json", "{}", ZED_PIECES)],
        besides: Some("Zed has no hooks: patterns stop the worst commands, without a reason"),
        trial: None,
    },
];
