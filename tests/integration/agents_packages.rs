//! Plugins for coding agents, and scripts that are put beside their settings: of the shape that is documented, and stopping a command
//! with safe-test as well as without it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Outcome, Sandbox, output};

fn package(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks").join(path)
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn sandbox(has_safe_test: bool) -> Sandbox {
    let mut sandbox = Sandbox::new();
    if has_safe_test {
        symlink(env!("CARGO_BIN_EXE_safe-test"), sandbox.tools().join("safe-test")).unwrap();
    } else {
        let folders = [sandbox.tools(), "/usr/bin".into(), "/bin".into()];
        sandbox.set("PATH", std::env::join_paths(folders).unwrap());
    }
    sandbox
}

/// Runs a program of the sandbox with an input, to its end.
fn run(command: &mut Command, input: &Value) -> Outcome {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), input.to_string()).unwrap();
    command.stdin(fs::File::open(file.path()).unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Outcome::from(output(command))
}

fn claude(sandbox: &Sandbox, command: &str) -> Value {
    json!({"session_id": "s", "cwd": sandbox.project(), "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_input": {"command": command}})
}

fn goose(sandbox: &Sandbox, command: &str) -> Value {
    json!({"event": "PreToolUse", "session_id": "s", "tool_name": "developer__shell", "tool_input": {"command": command},
        "working_dir": sandbox.project()})
}

/// The handlers of an event in a file of hooks, with the folder of the plugin filled in.
fn handlers(hooks: &Value, event: &str, variable: &str, folder: &Path) -> Vec<String> {
    let groups = hooks["hooks"][event].as_array().unwrap().iter();
    let handlers = groups.flat_map(|group| group["hooks"].as_array().unwrap());
    handlers
        .map(|handler| {
            assert_eq!(handler["type"], "command", "{handler}");
            assert!(handler["timeout"].as_u64().is_some_and(|seconds| seconds <= 30), "{handler}");
            handler["command"].as_str().unwrap().replace(&format!("${{{variable}}}"), folder.to_str().unwrap())
        })
        .collect()
}

#[test]
fn the_plugin_for_claude_code_has_the_documented_shape() {
    let marketplace = read(&package("claude-plugin/.claude-plugin/marketplace.json"));
    assert!(marketplace["name"].is_string() && marketplace["owner"]["name"].is_string(), "{marketplace}");
    let plugins = marketplace["plugins"].as_array().unwrap();
    assert_eq!(plugins.len(), 1);
    let source = plugins[0]["source"].as_str().unwrap();
    assert!(source.starts_with("./"), "{source}");
    let folder = package("claude-plugin").join(source);
    let plugin = read(&folder.join(".claude-plugin/plugin.json"));
    for key in ["name", "version", "license"] {
        assert_eq!(plugin[key], plugins[0][key], "{key}");
    }
    assert_eq!(plugin["version"], env!("CARGO_PKG_VERSION"));
    let names: Vec<_> =
        fs::read_dir(folder.join(".claude-plugin")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["plugin.json"]);
    let hooks = read(&folder.join("hooks/hooks.json"));
    assert_eq!(hooks["hooks"]["PreToolUse"][0]["matcher"], "Bash|PowerShell");
    assert_eq!(hooks["hooks"]["PreToolUse"][0]["hooks"][0]["onFailure"], "block");
}

#[test]
fn the_open_plugin_has_the_documented_shape() {
    let folder = package("open-plugin/safe-test");
    let plugin = read(&folder.join("plugin.json"));
    assert_eq!(plugin["name"], "safe-test");
    assert_eq!(plugin["version"], env!("CARGO_PKG_VERSION"));
    // Goose looks for it beside the hooks, the specification in a folder of its own.
    assert_eq!(read(&folder.join(".plugin/plugin.json")), plugin);
    let group = &read(&folder.join("hooks/hooks.json"))["hooks"]["PreToolUse"][0];
    let matcher = regex::Regex::new(group["matcher"].as_str().unwrap()).unwrap();
    assert!(matcher.is_match("developer__shell") && matcher.is_match("Bash") && !matcher.is_match("developer__edit"));
    assert_eq!(group["hooks"][0]["on_failure"], "block");
}

#[test]
fn plugins_hold_no_program() {
    for folder in ["claude-plugin/safe-test", "open-plugin/safe-test"] {
        let script = fs::read_to_string(package(folder).join("scripts/hook")).unwrap();
        assert!(script.starts_with("#!/bin/sh\n"), "{folder}");
    }
}

#[test]
fn the_plugins_stop_a_command_with_safe_test_and_without_it() {
    type Payload = fn(&Sandbox, &str) -> Value;
    let plugins: [(&str, &str, Payload, &[&str]); 2] = [
        ("claude-plugin/safe-test", "CLAUDE_PLUGIN_ROOT", claude, &["hookSpecificOutput", "permissionDecision"]),
        ("open-plugin/safe-test", "PLUGIN_ROOT", goose, &["decision"]),
    ];
    for (path, variable, payload, decision) in plugins {
        let folder = package(path);
        let hooks = read(&folder.join("hooks/hooks.json"));
        let commands = handlers(&hooks, "PreToolUse", variable, &folder);
        assert_eq!(commands.len(), 1);
        let with = sandbox(true);
        let asked = |sandbox: &Sandbox, command: &str| {
            run(sandbox.program("sh").args(["-c", &commands[0]]), &payload(sandbox, command))
        };
        let outcome = asked(&with, "dropdb shop").expect_code(0);
        let said: Value = serde_json::from_str(&outcome.stdout).unwrap();
        let said = decision.iter().fold(&said, |value, key| &value[*key]);
        assert!(said == "deny" || said == "block", "{path}: {}", outcome.stdout);
        assert!(outcome.stdout.contains("safe-test dropdb shop"), "{}", outcome.stdout);
        assert_eq!(asked(&with, "ls -la").expect_code(0).stdout, "", "{path}");
        let outcome = asked(&sandbox(false), "ls -la").expect_code(2);
        assert!(
            outcome.stderr.contains("does not find safe-test on PATH") && outcome.stdout.is_empty(),
            "{}",
            outcome.stderr
        );
    }
    let folder = package("claude-plugin/safe-test");
    let hooks = read(&folder.join("hooks/hooks.json"));
    let start = handlers(&hooks, "SessionStart", "CLAUDE_PLUGIN_ROOT", &folder);
    for has_safe_test in [true, false] {
        let sandbox = sandbox(has_safe_test);
        let event = json!({"hook_event_name": "SessionStart", "session_id": "s", "cwd": sandbox.project(), "source": "startup"});
        let outcome = run(sandbox.program("sh").args(["-c", &start[0]]), &event).expect_code(0);
        assert!(outcome.stdout.contains("safe-test"), "{}", outcome.stdout);
    }
}

#[test]
fn scripts_beside_settings_say_where_safe_test_is_missing() {
    let cline = |tool: &str| json!({"clineVersion": "3", "hookName": "PreToolUse", "preToolUse": {"toolName": tool, "parameters": {}}});
    let missing = sandbox(false);
    let hook = |tool: &str| {
        let outcome = run(missing.program("sh").arg(package("cline/PreToolUse")), &cline(tool)).expect_code(0);
        serde_json::from_str::<Value>(&outcome.stdout).unwrap()
    };
    let said = hook("execute_command");
    assert!(
        said["cancel"] == true && said["errorMessage"].as_str().unwrap().contains("does not find safe-test"),
        "{said}"
    );
    assert_eq!(hook("read_file"), json!({}));
    let outcome = run(missing.program("sh").arg(package("augment/safe-test.sh")), &json!({})).expect_code(2);
    assert!(outcome.stderr.contains("does not find safe-test"), "{}", outcome.stderr);
}

#[test]
fn the_plugin_for_opencode_throws_where_a_command_is_stopped() {
    let script = r#"
        const { SafeTest } = await import(process.argv[1])
        const hooks = await SafeTest({ directory: process.cwd() })
        for (const command of ["dropdb shop", "ls -la"]) {
            try {
                await hooks["tool.execute.before"]({ tool: "bash", sessionID: "s", callID: "c" }, { args: { command } })
                console.log("went: " + command)
            } catch (error) {
                console.log("stopped: " + error.message)
            }
        }
        await hooks["tool.execute.before"]({ tool: "read", sessionID: "s", callID: "c" }, { args: { filePath: "dropdb" } })
    "#;
    let folder = tempfile::tempdir().unwrap();
    // OpenCode takes it for a module whatever its name; Node wants to see it.
    let module = folder.path().join("safe-test.mjs");
    fs::copy(package("opencode/safe-test.js"), &module).unwrap();
    let said = |sandbox: &Sandbox| {
        let mut node = sandbox.program("node");
        Outcome::of(node.args(["--input-type=module", "-e", script]).arg(&module)).expect_code(0).stdout
    };
    let with = said(&sandbox(true));
    assert!(with.starts_with("stopped: ") && with.contains("safe-test dropdb shop"), "{with}");
    assert!(with.ends_with("went: ls -la\n"), "{with}");
    let without = said(&sandbox(false));
    assert_eq!(without.matches("does not find safe-test on PATH").count(), 2, "{without}");
}
