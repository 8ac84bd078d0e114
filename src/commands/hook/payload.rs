//! What an agent sends: one JSON object, read leniently. Where it names the tool and the command differs from agent to
//! agent and from version to version, so all known places are looked at, whoever it is.

use std::borrow::Cow;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::{Deserializer, Map, Value};

use crate::lists::{List, list};
use crate::text::shell_line;

static SHELL_TOOLS: List = list!("shell_tools.txt");

/// More than any agent sends: 8 MiB.
const LONGEST: u64 = 8 * 1024 * 1024;

/// Why nothing can be made of what was sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("standard input cannot be read")]
    Input(#[source] io::Error),
    #[error("what came on standard input is longer than 8 MiB")]
    TooLong,
    #[error("standard input is empty")]
    Empty,
    /// serde's words may quote what was sent.
    #[error("what came on standard input is no JSON object")]
    NoObject,
}

/// What an agent sent.
#[derive(Debug)]
pub(super) struct Payload(Map<String, Value>);

/// Which shell is to run something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shell {
    Posix,
    PowerShell,
}

/// What is to be run in a shell.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) shell: Shell,
    /// The lines, in order; none where the command is not where it was looked for.
    pub(super) lines: Vec<String>,
}

/// A tool that is about to be used, with what it is given.
struct Call<'p> {
    tool: &'p str,
    arguments: Cow<'p, Value>,
}

impl Payload {
    /// Reads one object from `input`, to its end.
    ///
    /// # Errors
    ///
    /// [`Unreadable`]: what was read shows in none of them.
    pub(super) fn read(input: impl Read) -> Result<Self, Unreadable> {
        let mut bytes = Vec::new();
        input.take(LONGEST + 1).read_to_end(&mut bytes).map_err(Unreadable::Input)?;
        if bytes.len() as u64 > LONGEST {
            return Err(Unreadable::TooLong);
        }
        Self::parse(&bytes)
    }

    fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        // Cursor on Windows puts one byte order mark in front, or two. A byte that is no UTF-8 spoils its own place alone.
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(Unreadable::Empty);
        }
        let object = first_object(text).or_else(|| first_object(&without_halves(text)));
        object.map(Payload).ok_or(Unreadable::NoObject)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| !value.is_null())
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Gives the name of what happens.
    pub(super) fn event(&self) -> Option<&str> {
        ["hook_event_name", "hookEventName", "event", "hookName", "hook_type"].iter().find_map(|key| self.text(key))
    }

    /// Tells whether a session begins.
    pub(super) fn begins_session(&self) -> bool {
        self.event()
            .is_some_and(|event| ["sessionstart", "agentspawn", "taskstart"].contains(&event.to_lowercase().as_str()))
    }

    /// Tells whether what it tells of has happened already: nothing can be kept from running any more.
    pub(super) fn is_over(&self) -> bool {
        self.event()
            .is_some_and(|event| ["Post", "post", "After", "after"].iter().any(|start| event.starts_with(start)))
    }

    /// Gives the name of the tool that is about to be used.
    pub(super) fn tool(&self) -> Option<&str> {
        self.calls().first().map(|call| call.tool)
    }

    /// Gives what is to be run in a shell; nothing where no such tool is used.
    pub(super) fn asked(&self) -> Vec<Asked> {
        let mut asked: Vec<Asked> = self.calls().iter().filter_map(Call::asked).collect();
        if self.event() == Some("beforeShellExecution") && asked.is_empty() {
            asked.push(Asked { shell: Shell::Posix, lines: lines_of(&Value::Object(self.0.clone())) });
        }
        asked
    }

    /// Gives the folder that it is to be run in, below `here` where it is a relative one; `variable` looks up what an agent
    /// sets for its hooks.
    pub(super) fn folder(&self, here: &Path, variable: impl Fn(&str) -> Option<PathBuf>) -> PathBuf {
        let told = ["cwd", "working_dir"].iter().find_map(|key| self.text(key)).or_else(|| {
            let roots = ["workspace_roots", "workspaceRoots", "workspacePaths"];
            roots.iter().find_map(|key| self.0.get(*key)?.get(0)?.as_str().filter(|root| !root.is_empty()))
        });
        let base = told.map(PathBuf::from).or_else(|| variable("DEVIN_PROJECT_DIR"));
        let base = base.map_or_else(|| here.to_owned(), |base| here.join(base));
        let own = ["cwd", "Cwd", "working_directory", "workdir", "directory", "dir_path"];
        let calls = self.calls();
        let own = calls.first().and_then(|call| own.iter().find_map(|key| call.arguments.get(key)?.as_str()));
        own.filter(|own| !own.is_empty()).map_or_else(|| base.clone(), |own| base.join(own))
    }

    /// Lists the tools that are about to be used, from wherever an agent tells them.
    fn calls(&self) -> Vec<Call<'_>> {
        let names = ["tool_name", "toolName", "tool"];
        let arguments = ["tool_input", "toolInput", "toolArgs", "tool_args", "args"];
        let mut calls: Vec<Call<'_>> = Vec::new();
        if let Some(tool) = names.iter().find_map(|key| self.text(key)) {
            let given = arguments.iter().find_map(|key| self.0.get(*key));
            calls.push(Call::new(tool, given.unwrap_or(&Value::Null)));
        }
        // One or several, each with its name and what it is given.
        for key in ["toolCall", "tool_call", "toolCalls", "tool_calls", "preToolUse"] {
            let told = self.0.get(key);
            let each = told
                .and_then(Value::as_array)
                .map_or_else(|| told.into_iter().collect(), |told| told.iter().collect::<Vec<_>>());
            calls.extend(each.into_iter().filter_map(|told| {
                let part = |keys: &[&str]| keys.iter().find_map(|key| told.get(key));
                let given = part(&["args", "arguments", "input", "parameters"]).unwrap_or(&Value::Null);
                Some(Call::new(part(&["name", "toolName"])?.as_str()?, given))
            }));
        }
        if let (Some(tool), Some(given)) = (self.text("agent_action_name"), self.0.get("tool_info")) {
            calls.push(Call::new(tool.strip_prefix("pre_").unwrap_or(tool), given));
        }
        calls
    }
}

impl<'p> Call<'p> {
    /// A call whose arguments may be JSON within a text.
    fn new(tool: &'p str, given: &'p Value) -> Self {
        let parsed = given.as_str().and_then(|text| serde_json::from_str(text).ok()).filter(Value::is_object);
        Call { tool, arguments: parsed.map_or(Cow::Borrowed(given), Cow::Owned) }
    }

    fn asked(&self) -> Option<Asked> {
        let shell = match SHELL_TOOLS.find(&self.tool.to_lowercase())? {
            "" => Shell::Posix,
            _ => Shell::PowerShell,
        };
        Some(Asked { shell, lines: lines_of(&self.arguments) })
    }
}

/// Reads the first value of a text, where it is an object. What comes behind it is nobody's.
fn first_object(text: &str) -> Option<Map<String, Value>> {
    match Deserializer::from_str(text).into_iter().next()? {
        Ok(Value::Object(object)) => Some(object),
        Ok(_) | Err(_) => None,
    }
}

/// Puts a sign of replacement for each half of a character: JavaScript writes what was cut in the middle of one as `\ud83d`
/// alone, which is no text.
fn without_halves(text: &str) -> String {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut whole, mut at) = (String::with_capacity(text.len()), 0);
    while let Some(c) = text[at..].chars().next() {
        let length = match (unit(at), unit(at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                whole.push_str("\\ufffd");
                at += 6;
                continue;
            }
            (Some(_), _) => 6,
            // An escaped backslash is none that escapes.
            (None, _) if text[at..].starts_with("\\\\") => 2,
            (None, _) => c.len_utf8(),
        };
        whole.push_str(&text[at..at + length]);
        at += length;
    }
    whole
}

/// Gives the lines that a tool is to run.
fn lines_of(arguments: &Value) -> Vec<String> {
    match arguments {
        Value::String(line) => vec![line.clone()],
        Value::Array(lines) => lines.iter().flat_map(lines_of).collect(),
        Value::Object(named) => {
            // Which of them this agent runs is not known: so all are looked at.
            let one = ["command", "CommandLine", "command_line", "cmd", "script"].iter().filter_map(|key| {
                match named.get(*key)? {
                    Value::String(line) => Some(line.clone()),
                    // The words of one command.
                    Value::Array(words) => {
                        let words: Option<Vec<&str>> = words.iter().map(Value::as_str).collect();
                        words.filter(|words| !words.is_empty()).map(|words| shell_line(&words))
                    }
                    _ => None,
                }
            });
            let several = ["commands", "requests"].iter().filter_map(|key| named.get(*key)).flat_map(lines_of);
            one.chain(several).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::commands::hook::agents::Agent;

    fn payload(text: &str) -> Payload {
        Payload::parse(text.as_bytes()).unwrap()
    }

    fn rows() -> impl Iterator<Item = Value> {
        include_str!("../../../fixtures/agents/payloads.jsonl").lines().map(|line| serde_json::from_str(line).unwrap())
    }

    #[test]
    fn every_agent_is_told_by_what_it_sends() {
        for row in rows().filter(|row| row["named"] != true) {
            assert_eq!(Agent::told_by(&payload(&row["payload"].to_string())).name, row["agent"], "{row:#}");
        }
        for (text, agent) in [
            ("{}", "claude"),
            (r#"{"tool_name": "PowerShell", "cursor_version": null}"#, "claude"),
            (r#"{"hook_event_name": "SessionStart", "transcript_path": "/h/.gemini/tmp/c.json"}"#, "gemini"),
            (r#"{"hook_event_name": "SessionStart", "transcript_path": "/h/.codex/s.jsonl"}"#, "codex"),
            (r#"{"hook_event_name": "SessionStart", "timestamp": "2026", "session_id": "s"}"#, "copilot"),
            (r#"{"hook_event_name": "agentSpawn", "cwd": "/"}"#, "kiro"),
            (r#"{"event": "SessionStart", "session_id": "s"}"#, "goose"),
        ] {
            assert_eq!(Agent::told_by(&payload(text)).name, agent, "{text}");
        }
    }

    #[test]
    fn the_command_is_found_wherever_it_stands() {
        for row in rows() {
            let asked = payload(&row["payload"].to_string()).asked();
            let [Asked { shell: Shell::Posix, lines }] = asked.as_slice() else { panic!("{row:#}: {asked:?}") };
            assert!(lines.iter().any(|line| line.contains("COMMAND")), "{row:#}");
        }
        for (text, lines) in [
            (r#"{"tool_name": "Bash", "tool_input": {"command": ["npm", "run", "a b"]}}"#, &["npm run 'a b'"][..]),
            (r#"{"tool_name": "shell", "tool_input": "npm test"}"#, &["npm test"]),
            (r#"{"tool_name": "shell", "tool_input": "true"}"#, &["true"]),
            (r#"{"toolCalls": [{"name": "bash", "args": {"command": "a"}}, {"name": "pwsh", "args": {}}]}"#, &["a"]),
            (r#"{"tool_call": {"name": "run_commands", "input": ["a", {"command": "b"}]}}"#, &["a", "b"]),
            (
                r#"{"tool_name": "Bash", "tool_input": {"command": "a", "cmd": "b", "commands": ["c"]}}"#,
                &["a", "b", "c"],
            ),
            (r#"{"tool_name": "Read", "tool_input": {"command": "a"}}"#, &[]),
            (r#"{"tool_name": 7, "tool_input": {"command": "a"}}"#, &[]),
        ] {
            let found: Vec<String> = payload(text).asked().into_iter().flat_map(|asked| asked.lines).collect();
            assert_eq!(found, lines, "{text}");
        }
    }

    #[test]
    fn a_character_that_was_cut_in_half_spoils_nothing_else() {
        for (text, line) in [
            (
                r#"{"tool_name": "Bash", "tool_input": {"command": "npm test", "description": "cut \ud83d"}}"#,
                "npm test",
            ),
            (r#"{"tool_name": "Bash", "tool_input": {"command": "echo \udc00 \ud83d\ude00"}}"#, "echo \u{fffd} 😀"),
            (r#"{"tool_name": "Bash", "tool_input": {"command": "echo \ud83d\ud83d\ude00\n"}}"#, "echo \u{fffd}😀\n"),
            (r#"{"tool_name": "Bash", "tool_input": {"command": "echo \\ud83d \ud83d"}}"#, "echo \\ud83d \u{fffd}"),
        ] {
            assert_eq!(payload(text).asked()[0].lines, [line], "{text}");
        }
    }

    #[test]
    fn the_folder_is_the_commands_own_else_the_sessions() {
        let here = Path::new("/here");
        for (text, folder) in [
            ("{}", "/here"),
            (r#"{"cwd": "/a"}"#, "/a"),
            (r#"{"cwd": "", "workspace_roots": ["/a", "/b"]}"#, "/a"),
            (r#"{"cwd": "/a", "tool_name": "x", "tool_input": {"workdir": "b/c"}}"#, "/a/b/c"),
            (r#"{"cwd": "/a", "tool_name": "x", "tool_input": {"directory": "/b"}}"#, "/b"),
            (r#"{"cwd": 7, "workspacePaths": []}"#, "/here"),
        ] {
            assert_eq!(payload(text).folder(here, |_| None), Path::new(folder), "{text}");
        }
        assert_eq!(payload("{}").folder(here, |_| Some("/project".into())), Path::new("/project"));
        assert_eq!(payload(r#"{"cwd": "/a"}"#).folder(here, |_| Some("/project".into())), Path::new("/a"));
    }

    /// Any JSON, with the keys and words that are looked for among its texts.
    fn json() -> impl Strategy<Value = Value> {
        const WORDS: [&str; 24] = [
            "tool_name",
            "tool_input",
            "toolName",
            "toolArgs",
            "toolCall",
            "toolCalls",
            "name",
            "args",
            "command",
            "commands",
            "Bash",
            "powershell",
            "exec",
            "cwd",
            "workspace_roots",
            "cursor_version",
            "hook_event_name",
            "event",
            "transcript_path",
            "agent_action_name",
            "tool_info",
            "preToolUse",
            "{\"command\": \"a\"}",
            "clineVersion",
        ];
        let text = prop_oneof![proptest::sample::select(&WORDS[..]).prop_map(str::to_owned), ".{0,6}"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.clone().prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec((text.clone(), inner), 0..6)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_json_is_looked_through(value in json()) {
            match Payload::parse(value.to_string().as_bytes()) {
                Ok(payload) => {
                    let _ = (Agent::told_by(&payload).name, payload.begins_session());
                    prop_assert!(payload.folder(Path::new("/here"), |_| None).is_absolute());
                    for asked in payload.asked() {
                        prop_assert!(asked.lines.len() < 100);
                    }
                }
                Err(_) => prop_assert!(!value.is_object()),
            }
        }
    }
}
