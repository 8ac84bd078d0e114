//! `safe-test hook`, asked as coding agents ask.

mod policy;
mod protocols;
mod recorded;
mod wrong_input;

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Outcome, Sandbox, ended};

/// A line that empties a database, and the line that is to be run instead.
const TOUCHING: &str = "git status && npx prisma migrate reset --force";
const INSTEAD: &str = "git status && safe-test npx prisma migrate reset --force";

/// A line that touches nothing.
const PLAIN: &str = "ls -la";

/// The rows of `fixtures/agents/payloads.jsonl`: what each agent sends, and what it understands.
fn rows() -> Vec<Value> {
    let text = include_str!("../../../fixtures/agents/payloads.jsonl");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What an agent sends that is about to run `line` in the sandbox's project.
fn payload(row: &Value, sandbox: &Sandbox, line: &str) -> String {
    let escaped = |text: &str| {
        let quoted = serde_json::to_string(text).unwrap();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let payload = row["payload"].to_string();
    // Within JSON within JSON it is escaped twice.
    let payload = payload.replace("\\\"COMMAND\\\"", &format!("\\\"{}\\\"", escaped(&escaped(line))));
    payload.replace("COMMAND", &escaped(line)).replace("FOLDER", &escaped(sandbox.project().to_str().unwrap()))
}

/// What Claude Code sends.
fn from_claude(sandbox: &Sandbox, line: &str) -> String {
    payload(&rows()[0], sandbox, line)
}

/// Runs `safe-test` with these arguments and this input.
#[track_caller]
fn ask(sandbox: &Sandbox, arguments: &[&str], input: impl AsRef<[u8]>) -> Outcome {
    ask_by(sandbox.command().args(arguments), input)
}

#[track_caller]
fn ask_by(command: &mut Command, input: impl AsRef<[u8]>) -> Outcome {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.as_ref().to_owned());
    // Beside the reading, so that no pipe can stop the other; who reads no further is no error here.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = ended("safe-test hook", child);
    writer.join().unwrap();
    Outcome::from(output)
}

/// The one JSON object on standard output; `null` where there is nothing.
#[track_caller]
fn answer(outcome: &Outcome) -> Value {
    match outcome.stdout.as_str() {
        "" => Value::Null,
        said => serde_json::from_str(said).unwrap_or_else(|error| panic!("{error}: {said}")),
    }
}

/// The reason that Claude Code is given.
#[track_caller]
fn reason(outcome: &Outcome) -> String {
    let told = answer(outcome)["hookSpecificOutput"]["permissionDecisionReason"].clone();
    told.as_str().unwrap_or_else(|| panic!("not denied: {}{}", outcome.stdout, outcome.stderr)).to_owned()
}
