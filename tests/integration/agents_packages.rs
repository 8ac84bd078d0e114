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
