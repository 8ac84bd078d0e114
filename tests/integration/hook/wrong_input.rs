//! Whatever comes, the answer has the agent's form: what cannot be judged is allowed, unless the policy is strict.

use std::process::Stdio;

use serde_json::{Value, json};

use super::{PLAIN, TOUCHING, answer, ask, ask_by, from_claude, payload, reason, rows};
use crate::support::{Outcome, Random, Sandbox};

/// Inputs that are no payload.
fn unreadable() -> Vec<Vec<u8>> {
    let texts = ["", " \n", "null", "7", "\"text\"", "[]", "{", "{\"tool_name\": ", "nothing", "\u{feff}", "{'a': 1}"];
    let mut inputs: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_owned()).collect();
    inputs.push(b"\xff\xfe{\0}\0".to_vec());
    inputs.push("[".repeat(100_000).into_bytes());
    inputs.push(format!("{{\"a\":{}", "[".repeat(100_000)).into_bytes());
    inputs
}

#[test]
fn what_is_no_payload_is_allowed_with_a_note_and_an_entry() {
    let sandbox = Sandbox::new();
    for input in unreadable() {
        for (agent, allowed) in
            [("claude", Value::Null), ("cursor", json!({ "permission": "allow" })), ("copilot", Value::Null)]
        {
            let outcome = ask(&sandbox, &["hook", "--agent", agent], &input).expect_code(0);
            assert_eq!(answer(&outcome), allowed, "{agent}");
            assert!(outcome.stderr.starts_with("safe-test: not judged, and allowed: "), "{}", outcome.stderr);
        }
    }
    let log = sandbox.log();
    let unjudged: Vec<&Value> = log.iter().filter(|entry| entry["event"] == "command-unjudged").collect();
    assert_eq!(unjudged.len(), 3 * unreadable().len());
    assert_eq!((&unjudged[0]["agent"], &unjudged[0]["denied"]), (&json!("claude"), &json!(false)));
    assert_eq!(unjudged[0]["reason"], "standard input is empty");
}

#[test]
fn what_is_no_payload_is_denied_where_the_policy_is_strict() {
    let sandbox = Sandbox::new();
    sandbox.write(".safe-test.toml", "[guard]\nmode = \"strict\"\n");
    for input in unreadable() {
        let outcome = ask(&sandbox, &["hook"], &input).expect_code(0);
        assert!(reason(&outcome).contains("could not be judged"), "{}", outcome.stdout);
    }
    for row in rows() {
        let agent = row["agent"].as_str().unwrap();
        let outcome = ask(&sandbox, &["hook", "--agent", agent], "no JSON");
        assert_eq!(outcome.code(), Some(row["status"].as_i64().unwrap_or(0) as i32), "{agent}");
        let denied = row["denied"].as_object();
        assert_eq!(answer(&outcome).as_object().map(|told| told.len()), denied.map(|denied| denied.len()), "{agent}");
        assert!(outcome.stdout.contains("could not be judged") || outcome.stderr.contains("could not be judged"));
    }
    let entries = sandbox.log();
    assert!(
        entries.iter().any(|entry| entry["event"] == "command-unjudged" && entry["denied"] == true),
        "{entries:#?}"
    );
    // What can be judged is.
    assert_eq!(ask(&sandbox, &["hook"], from_claude(&sandbox, PLAIN)).expect_code(0).stdout, "");
}

#[test]
fn a_wrong_word_on_the_line_changes_no_answer() {
    let sandbox = Sandbox::new();
    let lines: [&[&str]; 9] = [
        &["hook", "--agnet", "claude"],
        &["hook", "later-event"],
        &["hook", "--agent"],
        &["hook", "--agent", "claude", "--agent", "claude"],
        &["hook", "--agent", "claude", "--format", "xml"],
        &["hook", "--agent", "claude", "-x"],
        &["hook", "--", "more"],
        &["-q", "-v", "hook"],
        &["--dry-run", "hook", "--agent", "claude"],
    ];
    for line in lines {
        let outcome = ask(&sandbox, line, from_claude(&sandbox, TOUCHING)).expect_code(0);
        assert!(reason(&outcome).contains("safe-test npx"), "{line:?}");
        assert!(outcome.stderr.starts_with("safe-test: `"), "{line:?}: {}", outcome.stderr);
        let outcome = ask(&sandbox, line, from_claude(&sandbox, PLAIN)).expect_code(0);
        assert_eq!(outcome.stdout, "", "{line:?}");
    }
    // What is asked for by another line is not guessed.
    ask(&sandbox, &["hooks", "--agnet"], "").expect_code(125);
    ask(&sandbox, &["--nope", "true", "hook"], "").expect_code(125);
}

#[test]
fn a_shell_without_a_command_cannot_be_judged() {
    for input in
        [json!(null), json!({}), json!({ "command": 7 }), json!({ "command": [] }), json!({ "text": TOUCHING })]
    {
        let sandbox = Sandbox::new();
        let payload = json!({ "tool_name": "Bash", "tool_input": input }).to_string();
        let outcome = ask(&sandbox, &["hook"], &payload).expect_code(0);
        assert_eq!(outcome.stdout, "");
        assert!(outcome.stderr.contains("the command is not where"), "{}", outcome.stderr);
        sandbox.write(".safe-test.toml", "[guard]\nmode = \"strict\"\n");
        assert!(reason(&ask(&sandbox, &["hook"], &payload)).contains("the command is not where"));
    }
}

#[test]
fn cut_and_muddled_payloads_get_an_answer() {
    let sandbox = Sandbox::new();
    let mut random = Random::new(7);
    for row in rows() {
        let whole = payload(&row, &sandbox, TOUCHING);
        for _ in 0..6 {
            let mut input = whole.clone().into_bytes();
            input.truncate(random.below(input.len()));
            for _ in 0..random.below(3) {
                let at = random.below(input.len().max(1));
                if let Some(byte) = input.get_mut(at) {
                    *byte = random.below(256) as u8;
                }
            }
            let agent = row["agent"].as_str().unwrap();
            let outcome = ask(&sandbox, &["hook", "--agent", agent], &input);
            let told = answer(&outcome);
            assert!(told.is_null() || told.is_object(), "{}", outcome.stdout);
            assert!(outcome.code() == Some(0) || outcome.code() == Some(2) && row["status"] == 2, "{:?}", outcome);
        }
    }
}

#[test]
fn more_than_any_agent_sends_is_read_no_further() {
    let sandbox = Sandbox::new();
    let huge = format!("{TOUCHING} # {}", "x".repeat(9 << 20));
    let outcome = ask(&sandbox, &["hook"], from_claude(&sandbox, &huge)).expect_code(0);
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("longer than 8 MiB"), "{}", outcome.stderr);
    let long = format!("echo {}; {TOUCHING}", "x ".repeat(200_000));
    let outcome = ask(&sandbox, &["hook"], from_claude(&sandbox, &long)).expect_code(0);
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("allowed: the command is longer than 256 KiB"), "{}", outcome.stderr);
    let long = format!("{TOUCHING}; echo {}", "x ".repeat(200_000));
    assert!(reason(&ask(&sandbox, &["hook"], from_claude(&sandbox, &long))).contains("prisma migrate reset"));
    let large = format!("{TOUCHING} # {}", "x".repeat(20_000));
    let told = reason(&ask(&sandbox, &["hook"], from_claude(&sandbox, &large)).expect_code(0));
    assert!(told.len() < 9_000 && told.contains("in front of the command that runs `prisma migrate reset`"), "{told}");
}

#[test]
fn closed_and_full_streams_change_no_decision() {
    let sandbox = Sandbox::new();
    let through_shell = |script: &str| {
        let mut shell = sandbox.program("sh");
        shell.args(["-c", script, env!("CARGO_BIN_EXE_safe-test")]);
        shell
    };
    let outcome = Outcome::of(&mut through_shell("exec \"$0\" hook <&-")).expect_code(0);
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("standard input is empty"), "{}", outcome.stderr);
    let denied = from_claude(&sandbox, TOUCHING);
    for script in ["exec \"$0\" hook >&-", "exec \"$0\" hook >/dev/full"] {
        let outcome = ask_by(&mut through_shell(script), &denied).expect_code(2);
        assert!(outcome.stderr.contains("this command touches a database"), "{}", outcome.stderr);
        ask_by(&mut through_shell(script), from_claude(&sandbox, PLAIN)).expect_code(0);
    }
    assert!(reason(&ask_by(&mut through_shell("exec \"$0\" hook 2>&-"), &denied)).contains("safe-test npx"));
    let mut null = sandbox.command();
    assert_eq!(Outcome::of(null.arg("hook").stdin(Stdio::null())).expect_code(0).stdout, "");
}
