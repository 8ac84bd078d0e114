//! Tries what stands in an agent's settings as the agent would use it: starts the command there with a payload of that
//! agent for a command that reaches a database, and sees whether the answer stops it.
//!
//! Settings of a project may be a stranger's. So only a plain call of `safe-test hook` is started, or a script that is ours to
//! the byte; and where a project's settings say where the program lies, only the one that a person has on PATH.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Output;

use jsonc_parser::ast::Value;
use regex::bytes::RegexBuilder;

use crate::audit;
use crate::commands::context::Context;
use crate::commands::hooks::adapter::Standing;
use crate::commands::hooks::agents::rows::{Agent, Kind, Setting, Stops, Trial};
use crate::commands::hooks::agents::scope::{Scope, is_ours, text_of};
use crate::commands::hooks::agents::settings::{Known, children, member, our_commands, parse};
use crate::commands::hooks::agents::{caveats, settings};
use crate::error::in_one_line;
use crate::own_tools;
use crate::text::shown;

/// What is asked about: a program that removes a database, of a name that tells the log's reader where it comes from.
const COMMAND: &str = "dropdb safe_test_hooks_status";

/// Finds how safe-test stands with an agent, in the project's settings and in the person's.
pub(super) fn standing(agent: &Agent, context: &Context) -> Standing {
    let mut standing = Standing::absent();
    let mut problems = Vec::new();
    let mut is_stopped = false;
    for scope in [Some(Scope::project(agent, context)), Scope::user(agent, context).ok()].into_iter().flatten() {
        for setting in scope.settings {
            let read = scope.file(setting).and_then(|path| Ok((text_of(&path)?, path)));
            let (text, path) = match read {
                Ok((Some(text), path)) => (text, path),
                Ok((None, _)) => continue,
                Err(why) => {
                    problems.push(in_one_line(&why));
                    continue;
                }
            };
            let found = match found_in(setting, &scope, &path, &text, agent, context) {
                Ok(found) => found,
                Err(why) => {
                    problems.push(format!("{}: {why}", shown(&path)));
                    continue;
                }
            };
            if found.is_empty() {
                continue;
            }
            standing.installed = true;
            if !standing.paths.contains(&path) {
                standing.paths.push(path.clone());
            }
            for handler in found {
                if let (Handler::Command(command), None) = (&handler, &standing.command) {
                    standing.command = Some(audit::redact_line(command));
                }
                match tried(&handler, agent, &scope, context) {
                    Ok(()) => is_stopped = true,
                    Err(why) => problems.push(format!("{}: {why}", shown(&path))),
                }
            }
            let known = caveats::problems(agent, &scope, &path, context);
            problems.extend(known.into_iter().filter(|problem| !problems.contains(problem)).collect::<Vec<_>>());
        }
    }
    if standing.installed && agent.trial.is_some() {
        standing.stops = Some(is_stopped && problems.is_empty());
        standing.notes = caveats::notes(agent, context);
    }
    standing.problem = (!problems.is_empty()).then(|| problems.join("; "));
    standing
}

/// What an agent would start.
enum Handler {
    Command(String),
    /// A script of ours, to the byte.
    Script(PathBuf),
    /// Nothing: it is there, and the agent does without a program.
    Nothing,
    /// It is there, and would not be started for this.
    Not(String),
}

fn found_in(
    setting: &Setting,
    scope: &Scope,
    path: &Path,
    text: &str,
    agent: &Agent,
    context: &Context,
) -> Result<Vec<Handler>, settings::Unfit> {
    let tool = agent.trial.as_ref().map_or("", |trial| trial.tool);
    match &setting.kind {
        Kind::Entries { pieces, .. } => {
            let mut found = Vec::new();
            for piece in *pieces {
                if piece.value.contains("session-start") {
                    continue;
                }
                let value = scope.filled(piece.value, context);
                let is_there = settings::put_in(text, &settings::Piece { value: &value, ..*piece })?.is_none();
                if !is_there {
                    continue;
                }
                let top = parse(text)?;
                let mut value = &top;
                for key in piece.path.iter().chain(&piece.key) {
                    let Some(below) = member(value, key)? else { break };
                    value = below;
                }
                let before = found.len();
                handlers(value, tool, &mut found);
                if found.len() == before && piece.known == Known::ByValue {
                    found.push(Handler::Nothing);
                }
            }
            Ok(found)
        }
        Kind::Own { text: ours, executable } => {
            if !is_ours(text, ours) {
                return Ok(Vec::new());
            }
            // A manifest starts nothing.
            if setting.file.ends_with(".json") {
                return Ok(Vec::new());
            }
            Ok(vec![match (text == *ours, executable) {
                (false, _) => {
                    Handler::Not("it is not as it was put there: `safe-test hooks install` does it anew".to_owned())
                }
                (true, true) => Handler::Script(path.to_owned()),
                (true, false) => Handler::Command(format!("safe-test hook --agent {}", agent.name)),
            }])
        }
    }
}

/// Gathers the handlers of ours in a part of the settings, as far as the agent would start them for its shell.
fn handlers(value: &Value<'_>, tool: &str, found: &mut Vec<Handler>) {
    let text =
        |key| member(value, key).ok().flatten().and_then(Value::as_string_lit).map(|text| text.value.to_string());
    let mut own: Vec<Handler> = our_commands(value)
        .into_iter()
        .filter(|command| !command.contains("session-start"))
        .map(Handler::Command)
        .collect();
    if own.is_empty() {
        for (_, child) in children(value) {
            handlers(child, tool, &mut own);
        }
    } else {
        // For several systems it is one and the same.
        own.truncate(1);
    }
    let off = member(value, "enabled").ok().flatten().and_then(Value::as_boolean_lit).is_some_and(|on| !on.value);
    let other = text("matcher").filter(|matcher| !fits(matcher, tool));
    let why = match (off, other) {
        (true, _) => Some("`enabled` is false".to_owned()),
        (false, Some(matcher)) => Some(format!("its matcher `{matcher}` does not mean `{tool}`")),
        (false, None) => oddity(value),
    };
    match why {
        Some(why) => found.extend(own.iter().map(|_| Handler::Not(why.clone()))),
        None => found.extend(own),
    }
}

/// What a handler of ours, or the group that it stands in, may have: what is put there, and what changes nothing. By another
/// key it may be started for some commands only, or beside them (`if`, `async`).
const KNOWN_KEYS: [&str; 24] = [
    "action",
    "args",
    "bash",
    "command",
    "commandWindows",
    "description",
    "enabled",
    "failClosed",
    "hooks",
    "linux",
    "matcher",
    "name",
    "onFailure",
    "on_failure",
    "osx",
    "powershell",
    "show_output",
    "statusMessage",
    "timeout",
    "timeoutSec",
    "trigger",
    "type",
    "version",
    "windows",
];

/// Finds what keeps a handler, or a group of them, from being started for each command, or makes nobody know.
fn oddity(value: &Value<'_>) -> Option<String> {
    let object = value.as_object()?;
    let is_handler = !our_commands(value).is_empty();
    if !is_handler && object.get_array("hooks").is_none() {
        return None;
    }
    object.properties.iter().find_map(|property| {
        let key = property.name.as_str();
        let said = match &property.value {
            _ if !KNOWN_KEYS.contains(&key) => format!("what its `{key}` does is not known here"),
            _ if member(value, key).is_err() => format!("its `{key}` stands there twice"),
            Value::StringLit(kind) if is_handler && key == "type" && kind.value != "command" => {
                format!("its `type` is `{}`", kind.value)
            }
            Value::NumberLit(seconds)
                if key.starts_with("timeout") && seconds.value.trim_matches(['0', '.']).is_empty() =>
            {
                format!("its `{key}` is 0")
            }
            _ => return None,
        };
        Some(audit::redact_line(&said))
    })
}

fn fits(matcher: &str, tool: &str) -> bool {
    let pattern = RegexBuilder::new(matcher).unicode(false).build();
    matcher.is_empty() || matcher == "*" || pattern.is_ok_and(|pattern| pattern.is_match(tool.as_bytes()))
}

/// Starts it; an error says why the agent's command would go on.
fn tried(handler: &Handler, agent: &Agent, scope: &Scope, context: &Context) -> Result<(), String> {
    let Some(trial) = &agent.trial else { return Ok(()) };
    let (program, arguments) = match handler {
        Handler::Nothing => return Ok(()),
        Handler::Not(why) => return Err(why.clone()),
        Handler::Script(path) => (path.clone(), Vec::new()),
        Handler::Command(command) => program_of(command, scope, context)?,
    };
    let arguments: Vec<&OsStr> = arguments.iter().map(OsString::as_os_str).collect();
    let folder = &context.project.root;
    let payload = payload(trial, folder);
    let answer = own_tools::ask_in(folder, &program, &arguments, &variables(context), payload.into_bytes());
    let answer = answer.map_err(|error| format!("{} cannot be asked: {error}", shown(&program)))?;
    match is_stopped(trial.stops, &answer) {
        true => Ok(()),
        false => Err(format!("{} does not stop a command that reaches a database", shown(&program))),
    }
}

/// The environment, without the folders of PATH that lie in the project: a script of ours looks for safe-test there.
fn variables(context: &Context) -> Vec<(OsString, OsString)> {
    let others = context.process.iter().filter(|(name, _)| name != "PATH").cloned();
    let path = std::env::join_paths(context.tools.folders()).unwrap_or_default();
    others.chain([("PATH".into(), path)]).collect()
}

/// Finds the program of a plain call, as a shell would.
fn program_of(command: &str, scope: &Scope, context: &Context) -> Result<(PathBuf, Vec<OsString>), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@+, ".contains(c);
    let mut words =
        command.split_whitespace().map(|word| match word.strip_prefix('"').and_then(|w| w.strip_suffix('"')) {
            Some(bare) => bare,
            None => word,
        });
    let program = words.next().unwrap_or_default();
    let arguments: Vec<OsString> = words.map(OsString::from).collect();
    let is_all_plain = program.chars().all(is_plain) && command.chars().all(|c| is_plain(c) || c == '"');
    if !is_all_plain {
        return Err(format!("`{}` is more than a plain call: it is not tried", audit::redact_line(command)));
    }
    let found = match program.contains('/') {
        false => own_tools::find_all(program, &context.tools.folders()).into_iter().next(),
        true if Path::new(program).is_absolute() => Some(PathBuf::from(program)).filter(|path| path.is_file()),
        true => return Err(format!("{program} is looked for in whatever folder the agent is in: it is not tried")),
    };
    let found = found.ok_or_else(|| format!("{program} was not found"))?;
    let inside = |path: &Path| Some(path.canonicalize().ok()?.starts_with(context.project.root.canonicalize().ok()?));
    if inside(&found).unwrap_or(true) {
        return Err(format!("{} lies in the project: it is not tried", shown(&found)));
    }
    let on_path = own_tools::find_all("safe-test", &context.tools.folders());
    let is_same = |known: &PathBuf| known.canonicalize().ok() == found.canonicalize().ok();
    if scope.is_project && !on_path.iter().any(is_same) {
        return Err(format!("{} is no safe-test on PATH: it is not tried", shown(&found)));
    }
    Ok((found, arguments))
}

fn payload(trial: &Trial, folder: &Path) -> String {
    let mut payload: serde_json::Value = serde_json::from_str(trial.payload).unwrap_or_default();
    fill(&mut payload, &shown(folder));
    payload.to_string()
}

fn fill(value: &mut serde_json::Value, folder: &str) {
    match value {
        serde_json::Value::String(text) => match text.as_str() {
            "@FOLDER@" => folder.clone_into(text),
            "@COMMAND@" => COMMAND.clone_into(text),
            _ => {}
        },
        serde_json::Value::Array(list) => list.iter_mut().for_each(|one| fill(one, folder)),
        serde_json::Value::Object(object) => object.values_mut().for_each(|one| fill(one, folder)),
        _ => {}
    }
}

/// Tells whether an answer stops the command, as the agent reads it.
fn is_stopped(stops: Stops, answer: &Output) -> bool {
    let is_status_2 = answer.status.code() == Some(2) && !answer.stderr.trim_ascii().is_empty();
    match stops {
        Stops::Status2 => is_status_2,
        Stops::Says { or_status_2: true, .. } if is_status_2 => true,
        Stops::Says { members, .. } => {
            let said: Option<serde_json::Value> = serde_json::from_slice(&answer.stdout).ok();
            let says = |path: &[&str], wanted: &str| {
                let value = path.iter().try_fold(said.as_ref()?, |value, key| value.get(key))?;
                Some(value.as_str() == Some(wanted) || (wanted == "true" && value.as_bool() == Some(true)))
            };
            answer.status.success() && members.iter().any(|(path, wanted)| says(path, wanted).unwrap_or(false))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;
    use crate::commands::hooks::agents::rows;

    #[test]
    fn every_payload_is_json_with_the_command_in_it() {
        for agent in rows::ALL {
            let Some(trial) = &agent.trial else { continue };
            let payload = payload(trial, Path::new("/a \"folder\""));
            let parsed: serde_json::Value = serde_json::from_str(&payload).unwrap();
            assert!(parsed.is_object() && payload.contains(COMMAND) && !payload.contains('@'), "{payload}");
        }
    }

    #[test]
    fn an_answer_stops_in_the_form_of_its_agent_alone() {
        let nested = r#"{"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "deny"}}"#;
        let cases = [
            ("claude", 0, nested, "", true),
            ("claude", 2, "", "why", true),
            ("claude", 2, "", "", false),
            ("claude", 1, nested, "", false),
            ("claude", 0, r#"{"decision": "deny"}"#, "", false),
            ("claude", 0, "", "", false),
            ("cursor", 0, r#"{"permission": "deny"}"#, "", true),
            ("cursor", 0, nested, "", false),
            ("cline", 0, r#"{"cancel": true}"#, "", true),
            ("cline", 0, r#"{"cancel": false}"#, "", false),
            ("windsurf", 2, "", "why", true),
            ("windsurf", 0, nested, "", false),
            ("goose", 0, r#"{"decision": "block", "reason": "why"}"#, "", true),
            ("gemini", 0, r#"{"decision": "allow"}"#, "", false),
        ];
        for (agent, status, said, complaint, expected) in cases {
            let trial = rows::ALL.iter().find(|row| row.name == agent).unwrap().trial.as_ref().unwrap();
            let status = ExitStatus::from_raw(status << 8);
            let answer = Output { status, stdout: said.into(), stderr: complaint.into() };
            assert_eq!(is_stopped(trial.stops, &answer), expected, "{agent} {said} {complaint}");
        }
    }

    #[test]
    fn a_matcher_means_tools_as_a_pattern() {
        for (matcher, tool, expected) in [
            ("Bash|PowerShell", "Bash", true),
            ("shell", "developer__shell", true),
            ("", "Bash", true),
            ("*", "Bash", true),
            (".*", "Bash", true),
            ("Edit|Write", "Bash", false),
            ("[", "Bash", false),
        ] {
            assert_eq!(fits(matcher, tool), expected, "{matcher}");
        }
    }
}
