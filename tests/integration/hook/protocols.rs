//! Each agent is asked for in its own form, and answered in it.

use serde_json::{Value, json};

use super::{INSTEAD, PLAIN, TOUCHING, answer, ask, from_claude, payload, reason, rows};
use crate::support::{Outcome, Sandbox};

/// `--agent` where the row says that nothing else tells the agent.
fn arguments(row: &Value) -> Vec<&str> {
    let mut arguments = vec!["hook"];
    if row["named"] == true {
        arguments.extend(["--agent", row["agent"].as_str().unwrap()]);
    }
    arguments
}

/// Replaces what stands for the reason.
fn filled(answer: &Value, reason: &str) -> Value {
    serde_json::from_str(&answer.to_string().replace("\"REASON\"", &Value::from(reason).to_string())).unwrap()
}

#[test]
fn what_touches_a_database_is_denied_in_the_agents_own_form() {
    let sandbox = Sandbox::new();
    let expected = format!(
        "safe-test: this command touches a database without the guard, and was not run.\n\
         Found: `prisma migrate reset` (reset: removes what is in a database).\n\
         Run exactly this instead:\n\n{INSTEAD}\n\n\
         safe-test looks at which databases it could reach, saves them, and then runs it. If safe-test refuses, stop, \
         and tell the person who asked for this."
    );
    assert_eq!(reason(&ask(&sandbox, &["hook"], from_claude(&sandbox, TOUCHING))), expected);
    for row in rows() {
        let Outcome { status, stdout, stderr } = ask(&sandbox, &arguments(&row), payload(&row, &sandbox, TOUCHING));
        let whole = format!("{row:#}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        assert_eq!(status.code(), Some(row["status"].as_i64().unwrap_or(0) as i32), "{whole}");
        if row["denied"].is_null() {
            assert_eq!((stdout.as_str(), stderr.trim_end()), ("", expected.as_str()), "{whole}");
            continue;
        }
        let said: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {whole}"));
        // An agent that gives the words of one command gives those of a shell, which is what is wrapped.
        let given = match row["payload"]["tool_input"]["command"].is_array() {
            true => said["hookSpecificOutput"]["permissionDecisionReason"].as_str().unwrap().to_owned(),
            false => expected.clone(),
        };
        assert!(given.contains("safe-test"), "{whole}");
        assert_eq!(said, filled(&row["denied"], &given), "{whole}");
        assert_eq!((stdout.lines().count(), stderr.as_str()), (1, ""), "{whole}");
    }
}

#[test]
fn what_touches_nothing_is_allowed_in_the_agents_own_form() {
    let sandbox = Sandbox::new();
    for row in rows() {
        for line in [PLAIN, INSTEAD, "git commit -m 'npx prisma migrate reset'"] {
            let outcome = ask(&sandbox, &arguments(&row), payload(&row, &sandbox, line)).expect_code(0);
            assert_eq!(answer(&outcome), row["allowed"], "{row:#}");
            assert_eq!(outcome.stderr, "", "{row:#}");
        }
    }
    assert!(!sandbox.backups().exists(), "nothing was denied, and something was written down");
}

#[test]
fn the_name_that_is_given_beats_what_the_payload_looks_like() {
    let sandbox = Sandbox::new();
    for row in rows() {
        let name = row["agent"].as_str().unwrap();
        let outcome = ask(&sandbox, &["hook", "--agent", name], from_claude(&sandbox, PLAIN)).expect_code(0);
        assert_eq!(answer(&outcome), row["allowed"], "{name}");
    }
    let outcome = ask(&sandbox, &["hook", "--agent", "claude-code"], from_claude(&sandbox, TOUCHING)).expect_code(0);
    assert_eq!((reason(&outcome).is_empty(), outcome.stderr.as_str()), (false, ""));
    let outcome = ask(&sandbox, &["hook", "--agent", "nobody"], from_claude(&sandbox, TOUCHING)).expect_code(0);
    assert!(reason(&outcome).contains(INSTEAD));
    assert!(outcome.stderr.contains("no agent is called `nobody`"), "{}", outcome.stderr);
}

#[test]
fn other_tools_and_other_events_are_allowed() {
    let sandbox = Sandbox::new();
    let text = "npx prisma migrate reset";
    for (payload, expected) in [
        (
            json!({ "hook_event_name": "PreToolUse", "tool_name": "Write", "tool_input": { "content": text } }),
            Value::Null,
        ),
        (
            json!({ "hook_event_name": "PreToolUse", "tool_name": "Task", "tool_input": { "command": text } }),
            Value::Null,
        ),
        (
            json!({ "hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_input": { "command": text } }),
            Value::Null,
        ),
        (json!({ "hook_event_name": "Stop", "stop_hook_active": false }), Value::Null),
        (json!({ "hook_event_name": "UserPromptSubmit", "prompt": text }), Value::Null),
        (json!({ "hook_event_name": "BeforeTool", "tool_name": "write_file", "tool_input": {} }), json!({})),
        (json!({ "cursor_version": "3", "tool_name": "Read", "tool_input": {} }), json!({ "permission": "allow" })),
        (
            json!({ "cursor_version": "3", "hook_event_name": "beforeMCPExecution", "tool_name": "q", "command": text }),
            json!({ "permission": "allow" }),
        ),
        (json!({ "toolCall": { "name": "view_file", "args": {} } }), json!({ "decision": "allow" })),
        (json!({ "clineVersion": "3", "hookName": "TaskCancel" }), json!({})),
        (json!({ "agent_action_name": "pre_write_code", "tool_info": { "file_path": "a" } }), Value::Null),
        (json!({}), Value::Null),
    ] {
        let outcome = ask(&sandbox, &["hook"], payload.to_string()).expect_code(0);
        assert_eq!((answer(&outcome), outcome.stderr.as_str()), (expected, ""), "{payload}");
    }
    assert!(!sandbox.backups().exists());
}

#[test]
fn marks_of_byte_order_and_unknown_fields_do_not_matter() {
    let sandbox = Sandbox::new();
    for row in rows() {
        for marks in ["\u{feff}", "\u{feff}\u{feff}", "\r\n "] {
            let mut payload: Value = serde_json::from_str(&payload(&row, &sandbox, PLAIN)).unwrap();
            payload["unknown"] = json!({ "of": ["a", "newer", 7, null] });
            let input = format!("{marks}{payload}\r\n");
            let outcome = ask(&sandbox, &arguments(&row), input).expect_code(0);
            assert_eq!((answer(&outcome), outcome.stderr.as_str()), (row["allowed"].clone(), ""), "{row:#}");
        }
    }
}

#[test]
fn the_folder_is_the_agents_and_not_the_processes() {
    let sandbox = Sandbox::new();
    sandbox.write("app/.safe-test.toml", "[commands]\nguard = [\"./go.sh\"]\n");
    for payload in [
        json!({ "tool_name": "Bash", "cwd": sandbox.project().join("app"), "tool_input": { "command": "./go.sh" } }),
        json!({ "tool_name": "Bash", "cwd": sandbox.project(), "tool_input": { "command": "./go.sh", "workdir": "app" } }),
        json!({ "tool_name": "Bash", "tool_input": { "command": "./go.sh", "directory": "app" } }),
        json!({ "tool_name": "launch-process", "workspace_roots": [sandbox.project().join("app")], "tool_input": { "command": "./go.sh" } }),
    ] {
        let outcome = ask(&sandbox, &["hook"], payload.to_string()).expect_code(0);
        assert!(reason(&outcome).contains("\nsafe-test ./go.sh\n"), "{payload}\n{}", outcome.stdout);
    }
    let devin = json!({ "tool_name": "exec", "tool_input": { "command": "./go.sh" } });
    let mut set = Sandbox::new();
    set.write("app/.safe-test.toml", "[commands]\nguard = [\"./go.sh\"]\n");
    set.set("DEVIN_PROJECT_DIR", set.project().join("app"));
    assert!(reason(&ask(&set, &["hook"], devin.to_string())).contains("safe-test ./go.sh"));
    let gone = json!({ "tool_name": "Bash", "cwd": "/nonexistent/folder", "tool_input": { "command": TOUCHING } });
    assert!(reason(&ask(&sandbox, &["hook"], gone.to_string())).contains(INSTEAD));
}

#[test]
fn a_beginning_session_is_told_facts_in_one_sentence() {
    let sandbox = Sandbox::new();
    let specific = |facts: &str| json!({ "hookEventName": "SessionStart", "additionalContext": facts });
    let claude = json!({ "hook_event_name": "SessionStart", "source": "startup", "transcript_path": "/h/.claude/x" });
    let told = answer(&ask(&sandbox, &["hook", "session-start"], claude.to_string()).expect_code(0));
    let facts = told["hookSpecificOutput"]["additionalContext"].as_str().unwrap();
    assert!(
        facts.contains("`safe-test <command>`") && facts.matches(". ").count() == 0 && facts.ends_with('.'),
        "{facts}"
    );
    for (agent, expected) in [
        ("claude", json!({ "hookSpecificOutput": specific(facts) })),
        ("codex", json!({ "hookSpecificOutput": specific(facts) })),
        ("vscode", json!({ "hookSpecificOutput": specific(facts) })),
        ("gemini", json!({ "hookSpecificOutput": specific(facts) })),
        ("copilot", json!({ "additionalContext": facts, "hookSpecificOutput": specific(facts) })),
        ("cursor", json!({ "additional_context": facts })),
        ("cline", json!({ "cancel": false, "contextModification": facts, "context": facts })),
        ("windsurf", Value::Null),
        ("goose", Value::Null),
        ("antigravity", json!({ "decision": "allow" })),
    ] {
        let outcome = ask(&sandbox, &["hook", "--agent", agent, "session-start"], "{}").expect_code(0);
        assert_eq!(answer(&outcome), expected, "{agent}");
    }
    let kiro = json!({ "hook_event_name": "agentSpawn", "cwd": "/" }).to_string();
    assert_eq!(ask(&sandbox, &["hook"], kiro).expect_code(0).stdout, format!("{facts}\n"));
    // The event tells it, too; and so does the word alone, whatever comes on standard input.
    assert_eq!(answer(&ask(&sandbox, &["hook"], claude.to_string())), told);
    assert_eq!(answer(&ask(&sandbox, &["hook", "session-start"], "no JSON")), told);
}
