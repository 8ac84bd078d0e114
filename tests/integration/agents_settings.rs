//! Coding agents' settings: what is put in, what comes out again, and whether what stands there works.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Outcome, Sandbox};

/// Each agent with the first file of a project's settings, and of a person's.
const AGENTS: [(&str, Option<&str>, &str); 14] = [
    ("antigravity", Some(".agents/hooks.json"), ".gemini/config/hooks.json"),
    ("augment", None, ".augment/settings.json"),
    ("claude", Some(".claude/settings.json"), ".claude/settings.json"),
    ("cline", Some(".clinerules/hooks/PreToolUse"), "Documents/Cline/Hooks/PreToolUse"),
    ("codex", Some(".codex/hooks.json"), ".codex/hooks.json"),
    ("copilot", Some(".github/hooks/safe-test.json"), ".copilot/hooks/safe-test.json"),
    ("cursor", Some(".cursor/hooks.json"), ".cursor/hooks.json"),
    ("devin", Some(".devin/hooks.v1.json"), ".config/devin/config.json"),
    ("gemini", Some(".gemini/settings.json"), ".gemini/settings.json"),
    ("goose", Some(".agents/plugins/safe-test/plugin.json"), ".agents/plugins/safe-test/plugin.json"),
    ("kiro", Some(".kiro/hooks/safe-test.json"), ".kiro/hooks/safe-test.json"),
    ("opencode", Some(".opencode/plugins/safe-test.js"), ".config/opencode/plugins/safe-test.js"),
    ("windsurf", Some(".windsurf/hooks.json"), ".codeium/windsurf/hooks.json"),
    ("zed", None, ".config/zed/settings.json"),
];

/// A project in which safe-test is on PATH.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.project().join(".git")).unwrap();
    symlink(env!("CARGO_BIN_EXE_safe-test"), sandbox.tools().join("safe-test")).unwrap();
    sandbox
}

/// All files and folders below one, with what is in them and how they may be used.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = fs::symlink_metadata(&path).unwrap().permissions().mode();
        if path.is_dir() && !path.is_symlink() {
            found.extend(tree(&path));
            found.insert(path, (mode, Vec::new()));
        } else {
            let content = fs::read(&path).unwrap_or_default();
            found.insert(path, (mode, content));
        }
    }
    found
}

fn run(sandbox: &Sandbox, arguments: &[&str], code: i32) -> Outcome {
    sandbox.run(&[&["hooks"][..], arguments].concat()).expect_code(code)
}

#[test]
fn each_agent_gets_its_hook_once_and_loses_it_to_the_byte() {
    let sandbox = sandbox();
    let (project, home) = (sandbox.project(), sandbox.home());
    let before = (tree(&project), tree(&home));
    for (agent, of_project, of_user) in AGENTS {
        if let Some(file) = of_project {
            let outcome = run(&sandbox, &["install", agent], 0);
            let (shown, told) = outcome.stdout.split_once(&format!("\n{agent}: installed: ")).unwrap();
            assert!(shown.contains("+++ ") && !told.contains("+++ "), "{}", outcome.stdout);
            assert!(sandbox.read(file).contains("safe-test"), "{agent}");
            let installed = tree(&project);
            run(&sandbox, &["install", agent], 0);
            assert_eq!(tree(&project), installed, "{agent}");
            run(&sandbox, &["remove", agent], 0);
        } else {
            let outcome = run(&sandbox, &["install", agent], 125);
            assert!(outcome.stderr.contains("`--user`"), "{}", outcome.stderr);
        }
        run(&sandbox, &["install", "--user", agent], 0);
        let mark = if agent == "zed" { "prisma" } else { "safe-test" };
        assert!(fs::read_to_string(home.join(of_user)).unwrap().contains(mark), "{agent}");
        run(&sandbox, &["remove", "--user", agent], 0);
        assert_eq!((tree(&project), tree(&home)), before, "{agent}");
    }
}

#[test]
fn settings_that_are_there_keep_every_byte_and_their_permissions() {
    let sandbox = sandbox();
    let text = "{\n\t// mine\n\t\"hooks\": {\n\t\t\"Stop\": [], /* and */\n\t},\n\t\"model\": \"x\",\n}\n\n";
    for (agent, file) in AGENTS.iter().filter_map(|(agent, file, _)| Some((agent, (*file)?))) {
        if !file.ends_with(".json") || file.ends_with("safe-test.json") || file.ends_with("plugin.json") {
            continue;
        }
        let path = sandbox.write(file, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let before = tree(&sandbox.project());
        let shown = run(&sandbox, &["install", "--dry-run", agent], 0).stdout;
        assert_eq!(tree(&sandbox.project()), before, "{agent}");
        assert!(shown.contains("would be installed") && shown.contains("safe-test hook"), "{shown}");
        run(&sandbox, &["install", agent], 0);
        let after = sandbox.read(file);
        assert!(after.contains("// mine") && after.contains("/* and */") && after.len() > text.len(), "{after}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        run(&sandbox, &["remove", agent], 0);
        assert_eq!(tree(&sandbox.project()), before, "{agent}");
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn what_is_not_understood_or_not_ours_is_left_alone() {
    let sandbox = sandbox();
    for (agent, file, text, says) in [
        ("claude", ".claude/settings.json", "{\"a\": }", "line 1: "),
        ("claude", ".claude/settings.json", "[]", "it holds no object"),
        ("claude", ".claude/settings.json", "{\"hooks\": []}", "what should hold `PreToolUse` is no object"),
        ("claude", ".claude/settings.json", "{\"hooks\": {\"PreToolUse\": {}}}", "`hooks.PreToolUse` is no list"),
        ("cursor", ".cursor/hooks.json", "{\"hooks\": {}, \"hooks\": {}}", "`hooks` stands there twice"),
        ("cline", ".clinerules/hooks/PreToolUse", "#!/bin/sh\nsafe-test hook\n", "is not safe-test's"),
        ("opencode", ".opencode/plugins/safe-test.js", "export const Mine = 1\n", "is not safe-test's"),
        ("agents-md", "AGENTS.md", "<!-- safe-test: begin -->\n", "are not both there"),
    ] {
        let path = sandbox.write(file, text);
        let before = tree(&sandbox.project());
        let outcome = run(&sandbox, &["install", agent], 125);
        assert!(outcome.stderr.contains(says), "{}", outcome.stderr);
        assert!(outcome.stderr.ends_with("nothing was changed\n"), "{}", outcome.stderr);
        assert_eq!(tree(&sandbox.project()), before, "{agent}");
        fs::remove_file(path).unwrap();
    }
    // Where one of several cannot be done, none is.
    sandbox.write(".cursor/hooks.json", "{");
    let before = tree(&sandbox.project());
    run(&sandbox, &["install", "claude", "cursor"], 125);
    assert_eq!(tree(&sandbox.project()), before);
}

#[test]
fn a_link_is_followed_where_it_is_the_persons_own_and_not_out_of_a_project() {
    let sandbox = sandbox();
    let dotfiles = sandbox.home().join("dotfiles");
    fs::create_dir_all(&dotfiles).unwrap();
    fs::create_dir_all(sandbox.home().join(".claude")).unwrap();
    fs::write(dotfiles.join("claude.json"), "{}\n").unwrap();
    symlink("../dotfiles/claude.json", sandbox.home().join(".claude/settings.json")).unwrap();
    run(&sandbox, &["install", "--user", "claude"], 0);
    assert!(sandbox.home().join(".claude/settings.json").is_symlink());
    assert!(fs::read_to_string(dotfiles.join("claude.json")).unwrap().contains("safe-test hook"));
    // What is asked for is taken out, and the rest is told.
    run(&sandbox, &["install", "claude"], 0);
    let removed = run(&sandbox, &["remove", "claude"], 0);
    assert!(removed.stderr.contains(": with `--user` it is taken out of there"), "{}", removed.stderr);
    let removed = run(&sandbox, &["remove", "--user", "claude"], 0);
    assert!(!removed.stderr.contains("it stays in"), "{}", removed.stderr);
    assert_eq!(fs::read_to_string(dotfiles.join("claude.json")).unwrap(), "{}\n");

    fs::create_dir_all(sandbox.project().join(".claude")).unwrap();
    symlink(dotfiles.join("claude.json"), sandbox.project().join(".claude/settings.json")).unwrap();
    let outcome = run(&sandbox, &["install", "claude"], 125);
    assert!(outcome.stderr.contains("a link that leads out of the project"), "{}", outcome.stderr);
    assert_eq!(fs::read_to_string(dotfiles.join("claude.json")).unwrap(), "{}\n");

    // A folder that is a link leads out as well.
    symlink(&dotfiles, sandbox.project().join(".cursor")).unwrap();
    let before = tree(&sandbox.home());
    let outcome = run(&sandbox, &["install", "cursor"], 125);
    assert!(outcome.stderr.contains("a link that leads out of the project"), "{}", outcome.stderr);
    assert_eq!(tree(&sandbox.home()), before);
    fs::create_dir(sandbox.project().join("kept")).unwrap();
    symlink("kept", sandbox.project().join(".codex")).unwrap();
    run(&sandbox, &["install", "codex"], 0);
    assert!(sandbox.read("kept/hooks.json").contains("safe-test hook"));
}

#[test]
fn what_is_shown_of_settings_holds_no_password() {
    let sandbox = sandbox();
    sandbox.write(
        ".claude/settings.json",
        "{\n  \"env\": {\n    \"OTHER_API_KEY\": \"sk-0a1b2c3d4e5f\",\n    \"DATABASE_URL\": \"postgres://app:hunter2@db/shop\"\n  }\n}\n",
    );
    for arguments in [
        &["install", "--dry-run", "claude"][..],
        &["install", "--dry-run", "--format", "json", "claude"],
        &["install", "claude"],
        &["remove", "claude"],
    ] {
        let shown = run(&sandbox, arguments, 0).stdout;
        assert!(shown.contains("DATABASE_URL") && shown.contains("safe-test hook"), "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains("sk-0a1b2c3d4e5f"), "{shown}");
    }
    assert!(sandbox.read(".claude/settings.json").contains("app:hunter2@db"));
}

#[test]
fn what_others_put_into_a_file_of_our_name_stays() {
    let sandbox = sandbox();
    for (agent, file) in [("copilot", ".github/hooks/safe-test.json"), ("kiro", ".kiro/hooks/safe-test.json")] {
        run(&sandbox, &["install", agent], 0);
        let mut settings: Value = serde_json::from_str(&sandbox.read(file)).unwrap();
        let list = match agent {
            "copilot" => &mut settings["hooks"]["PreToolUse"],
            _ => &mut settings["hooks"],
        };
        list.as_array_mut().unwrap().push(serde_json::json!({"name": "theirs", "command": "their-guard"}));
        let text = settings.to_string().replace("10", "20");
        sandbox.write(file, &text);
        run(&sandbox, &["install", agent], 0);
        assert_eq!(sandbox.read(file), text, "{agent}");
        run(&sandbox, &["remove", agent], 0);
        let left = sandbox.read(file);
        assert!(left.contains("their-guard") && !left.contains("safe-test"), "{left}");
    }
    // A script of theirs that is called so is not ours.
    let theirs = r#"{"hooks": {"PreToolUse": [{"hooks": [{"command": "./scripts/safe-test.sh"}]}]}}"#;
    sandbox.write(".claude/settings.json", theirs);
    run(&sandbox, &["install", "claude"], 0);
    assert!(sandbox.read(".claude/settings.json").contains("safe-test hook"));
    run(&sandbox, &["remove", "claude"], 0);
    assert_eq!(sandbox.read(".claude/settings.json"), theirs);
}

#[test]
fn a_script_that_cannot_be_executed_is_made_a_program_again() {
    let sandbox = sandbox();
    run(&sandbox, &["install", "cline"], 0);
    let script = sandbox.project().join(".clinerules/hooks/PreToolUse");
    let before = tree(script.parent().unwrap());
    fs::set_permissions(&script, fs::Permissions::from_mode(0o644)).unwrap();
    expect_problem(&sandbox, "cline", "cannot be asked");
    let outcome = run(&sandbox, &["install", "cline"], 0);
    assert!(outcome.stdout.contains("can be executed again"), "{}", outcome.stdout);
    assert_eq!(tree(script.parent().unwrap()), before);
}

#[test]
fn several_that_share_a_file_are_put_in_and_taken_out_together() {
    let sandbox = sandbox();
    let before = sandbox.write(".claude/settings.json", "{\n  \"model\": \"x\"\n}\n");
    let before = (before.clone(), fs::read(before).unwrap());
    sandbox.write("AGENTS.md", "# Rules\n");
    symlink("AGENTS.md", sandbox.project().join("CLAUDE.md")).unwrap();
    run(&sandbox, &["install", "claude", "claude-sandbox", "agents-md", "claude-md"], 0);
    let settings: Value = serde_json::from_str(&sandbox.read(".claude/settings.json")).unwrap();
    assert!(
        settings["hooks"]["PreToolUse"].is_array() && settings["sandbox"]["filesystem"]["allowWrite"].is_array(),
        "{settings}"
    );
    assert_eq!(sandbox.read("AGENTS.md").matches("safe-test: begin").count(), 1);
    run(&sandbox, &["remove", "claude-md", "claude-sandbox", "claude"], 0);
    assert_eq!(fs::read(before.0).unwrap(), before.1);
    assert!(sandbox.project().join("CLAUDE.md").is_symlink());
    assert_eq!(sandbox.read("CLAUDE.md"), "# Rules\n");
    run(&sandbox, &["install", "all"], 0);
    assert_eq!(sandbox.read("AGENTS.md").matches("safe-test: begin").count(), 1);
}

#[test]
fn all_means_what_is_in_use_here() {
    let sandbox = sandbox();
    fs::remove_dir(sandbox.project().join(".git")).unwrap();
    sandbox.write("AGENTS.md", "# Rules\n");
    sandbox.write(".cursor/rules/a.md", "a\n");
    fs::create_dir_all(sandbox.home().join(".codex")).unwrap();
    fs::create_dir_all(sandbox.home().join(".config/zed")).unwrap();
    let outcome = run(&sandbox, &["install", "--format", "json", "all"], 0);
    let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let names: Vec<&str> =
        told["hooks"].as_array().unwrap().iter().map(|hook| hook["name"].as_str().unwrap()).collect();
    // Zed takes nothing from a project.
    assert_eq!(names, ["agents-md", "codex", "cursor"]);
    assert!(sandbox.read("AGENTS.md").starts_with("# Rules\n\n<!-- safe-test: begin -->\n"));
    run(&sandbox, &["remove", "all"], 0);
    assert_eq!(sandbox.read("AGENTS.md"), "# Rules\n");
    assert!(!sandbox.project().join(".codex").exists() && !sandbox.project().join(".cursor/hooks.json").exists());
}

#[test]
fn only_the_folder_of_anchors_is_opened_to_sandboxes() {
    let mut sandbox = sandbox();
    let state = sandbox.home().join(".local/state");
    sandbox.set("XDG_STATE_HOME", &state);
    run(&sandbox, &["install", "claude-sandbox"], 0);
    let settings: Value = serde_json::from_str(&sandbox.read(".claude/settings.json")).unwrap();
    let expected = serde_json::json!({"sandbox": {"filesystem": {"allowWrite": ["~/.local/state/safe-test/audit"]}}});
    assert_eq!(settings, expected);
    run(&sandbox, &["remove", "claude-sandbox"], 0);
    assert!(!sandbox.project().join(".claude").exists());

    sandbox.set("XDG_STATE_HOME", "/elsewhere");
    run(&sandbox, &["install", "--user", "cursor-sandbox"], 0);
    let settings = fs::read_to_string(sandbox.home().join(".cursor/sandbox.json")).unwrap();
    let settings: Value = serde_json::from_str(&settings).unwrap();
    assert_eq!(settings, serde_json::json!({"additionalReadwritePaths": ["/elsewhere/safe-test/audit"]}));
}

#[test]
fn the_log_keeps_nothing_but_anchors_in_the_folder_that_is_opened() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.run(&["true"]).expect_code(0);
    let audit = sandbox.state().join("safe-test/audit");
    let names: Vec<_> = fs::read_dir(&audit).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| name == "anchors" || name == "places") && !names.is_empty(), "{names:?}");
}

/// What `status` says of an agent, with the exit status that goes with it.
fn status(sandbox: &Sandbox, agent: &str, code: i32) -> Value {
    let outcome = run(sandbox, &["status", "--format", "json", agent], code);
    let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
    told["hooks"][0].clone()
}

/// Expects that nothing is known of what cannot be read.
fn expect_unread(sandbox: &Sandbox, says: &str) {
    let told = status(sandbox, "cursor", 125);
    assert!(told["problem"].as_str().unwrap().contains(says) && told["installed"] == false, "{told}");
}

fn expect_problem(sandbox: &Sandbox, agent: &str, says: &str) {
    let told = status(sandbox, agent, 125);
    let problem = told["problem"].as_str().unwrap_or_default();
    assert!(problem.contains(says) && told["stops"] == false, "{told}");
}

#[test]
fn what_stands_in_each_agents_settings_stops_a_command() {
    let sandbox = sandbox();
    let trusted =
        |file: &Path| format!("[hooks.state.\"{}:pre_tool_use:0:0\"]\ntrusted_hash = \"sha256:0\"\n", file.display());
    for (agent, of_project, of_user) in AGENTS {
        let places = [
            (&[][..], of_project.map(|file| sandbox.project().join(file))),
            (&["--user"], Some(sandbox.home().join(of_user))),
        ];
        for (scope, file) in places {
            let Some(file) = file else { continue };
            run(&sandbox, &[&["install", agent][..], scope].concat(), 0);
            if agent == "codex" {
                fs::create_dir_all(sandbox.home().join(".codex")).unwrap();
                fs::write(sandbox.home().join(".codex/config.toml"), trusted(&file)).unwrap();
            }
            if agent == "gemini" && scope.is_empty() {
                let folders = format!("{{{:?}: \"TRUST_FOLDER\"}}", sandbox.project());
                fs::create_dir_all(sandbox.home().join(".gemini")).unwrap();
                fs::write(sandbox.home().join(".gemini/trustedFolders.json"), folders).unwrap();
            }
            let told = status(&sandbox, agent, 0);
            assert_eq!(told["installed"], true, "{told}");
            // Zed's patterns are its own.
            assert_eq!(told["stops"], if agent == "zed" { Value::Null } else { true.into() }, "{told}");
            run(&sandbox, &[&["remove", agent][..], scope].concat(), 0);
            assert_eq!(status(&sandbox, agent, 0)["installed"], false);
        }
    }
    let denied = sandbox.run(&["log"]).expect_code(0).stdout;
    assert!(denied.contains("dropdb safe_test_hooks_status"), "{denied}");
}

#[test]
fn a_hook_that_does_not_stop_anything_is_told() {
    let sandbox = sandbox();
    assert_eq!(status(&sandbox, "cursor", 0)["installed"], false);
    run(&sandbox, &["install", "cursor"], 0);
    let installed = sandbox.read(".cursor/hooks.json");
    let with = |command: &str| installed.replace("safe-test hook --agent cursor", command);
    let lets_all_go = sandbox.tools().join("other/safe-test");
    fs::create_dir(lets_all_go.parent().unwrap()).unwrap();
    crate::support::write_program(&lets_all_go, "#!/bin/sh\necho '{\"permission\": \"allow\"}'\n", 0o755);
    let in_project = sandbox.project().join("safe-test");
    crate::support::write_program(&in_project, "#!/bin/sh\ntouch started\n", 0o755);
    for (text, says) in [
        (with(&format!("{} hook", lets_all_go.display())), "is no safe-test on PATH: it is not tried"),
        (with("/nowhere/safe-test hook --agent cursor"), "/nowhere/safe-test was not found"),
        (with(&format!("{} hook", in_project.display())), "lies in the project"),
        (with("./safe-test hook"), "is not tried"),
        (with("safe-test hook; touch started"), "more than a plain call"),
        (with("safe-test hook || true"), "more than a plain call"),
        (installed.replace("\"Shell\"", "\"Write\""), "its matcher `Write`"),
        (installed.replace("\"timeout\"", "\"async\""), "what its `async` does is not known"),
        (installed.replace("\"Shell\"", "\"Shell\", \"matcher\": \"Write\""), "its `matcher` stands there twice"),
        (installed.replace("\"timeout\": 10", "\"timeout\": 0"), "its `timeout` is 0"),
        (installed.replace("\"timeout\": ", "\"type\": \"prompt\", \"timeout\": "), "its `type` is `prompt`"),
    ] {
        sandbox.write(".cursor/hooks.json", text);
        expect_problem(&sandbox, "cursor", says);
    }
    assert!(!sandbox.project().join("started").exists());
    // What a person's own settings say is the person's.
    fs::create_dir_all(sandbox.home().join(".cursor")).unwrap();
    fs::remove_file(sandbox.project().join(".cursor/hooks.json")).unwrap();
    fs::write(sandbox.home().join(".cursor/hooks.json"), with(&format!("{} hook", lets_all_go.display()))).unwrap();
    expect_problem(&sandbox, "cursor", "does not stop");
    fs::remove_file(sandbox.home().join(".cursor/hooks.json")).unwrap();
    sandbox.write(".cursor/hooks.json", [0xff]);
    expect_unread(&sandbox, "is not UTF-8");
    fs::remove_file(sandbox.project().join(".cursor/hooks.json")).unwrap();
    symlink("nowhere", sandbox.project().join(".cursor/hooks.json")).unwrap();
    expect_unread(&sandbox, "cannot read");
    fs::remove_file(sandbox.project().join(".cursor/hooks.json")).unwrap();
    sandbox.write(".cursor/hooks.json", "{");
    let told = status(&sandbox, "cursor", 125);
    assert!(told["problem"].as_str().unwrap().contains(".cursor/hooks.json: line 1"), "{told}");
}

#[test]
fn nothing_of_a_clone_is_started_whatever_part_of_it_is_the_project() {
    let mut sandbox = sandbox();
    for program in [sandbox.project().join("safe-test"), sandbox.project().join("part/bin/safe-test")] {
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        crate::support::write_program(&program, "#!/bin/sh\ntouch \"$0.started\"\n", 0o755);
    }
    sandbox.write("part/.safe-test.toml", "");
    let settings = sandbox.write("part/.claude/settings.json", "{}");
    let part = sandbox.project().join("part");
    let above = sandbox.project().join("safe-test");
    for command in ["/proc/self/cwd/safe-test hook".to_owned(), format!("{} hook", above.display())] {
        let handler = serde_json::json!({"type": "command", "command": command});
        let hooks = serde_json::json!({"hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [handler]}]}});
        fs::write(&settings, hooks.to_string()).unwrap();
        let outcome = sandbox.run(&["-C", "part", "hooks", "status", "claude"]).expect_code(125);
        assert!(outcome.stdout.contains("it is not tried"), "{}", outcome.stdout);
    }
    // A script of ours looks on PATH, which may lead into the project, too.
    sandbox.put_on_path(&part.join("bin"));
    sandbox.run(&["-C", "part", "hooks", "install", "cline"]).expect_code(0);
    let outcome = sandbox.run(&["-C", "part", "hooks", "status", "cline"]).expect_code(0);
    assert!(outcome.stdout.contains("it stops a command"), "{}", outcome.stdout);
    assert!(!sandbox.project().join("safe-test.started").exists() && !part.join("bin/safe-test.started").exists());
}

#[test]
fn a_missing_program_is_told_at_once_and_by_status() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.project().join(".git")).unwrap();
    let outcome = run(&sandbox, &["install", "kiro"], 0);
    assert!(outcome.stderr.contains("safe-test is not on PATH"), "{}", outcome.stderr);
    expect_problem(&sandbox, "kiro", "safe-test was not found");
}

#[test]
fn what_agents_want_besides_is_told() {
    let mut sandbox = sandbox();
    run(&sandbox, &["install", "codex"], 0);
    expect_problem(&sandbox, "codex", "until a person has trusted it");
    let hooks = sandbox.project().join(".codex/hooks.json");
    let trusted = format!("[hooks.state.\"{}:pre_tool_use:0:0\"]\ntrusted_hash = \"sha256:0\"\n", hooks.display());
    let settings = sandbox.home().join(".codex/config.toml");
    fs::create_dir_all(settings.parent().unwrap()).unwrap();
    fs::write(&settings, &trusted).unwrap();
    let outcome = sandbox.run(&["hooks", "status", "codex"]);
    assert!(!outcome.stdout.contains("trusted"), "{}", outcome.stdout);
    fs::write(&settings, format!("{trusted}[features]\nhooks = false\n")).unwrap();
    expect_problem(&sandbox, "codex", "switched off");
    fs::write(&settings, format!("{trusted}= [\n")).unwrap();
    expect_problem(&sandbox, "codex", "nobody knows whether a person has trusted it");

    run(&sandbox, &["install", "gemini"], 0);
    let own = sandbox.home().join(".gemini");
    fs::create_dir_all(&own).unwrap();
    let project = sandbox.project();
    let parent = project.parent().unwrap().join("other");
    for (file, text, is_trusted) in [
        ("trustedFolders.json", "{}".to_owned(), false),
        ("trustedFolders.json", format!("{{{project:?}: \"DO_NOT_TRUST\"}}"), false),
        ("trustedFolders.json", format!("{{{parent:?}: \"TRUST_FOLDER\"}}"), false),
        ("trustedFolders.json", format!("{{{parent:?}: \"TRUST_PARENT\"}}"), true),
        ("trustedFolders.json", format!("{{{project:?}: \"TRUST_FOLDER\"}}"), true),
        ("trustedFolders.json", format!("{{\"/\": \"TRUST_FOLDER\", {project:?}: \"DO_NOT_TRUST\"}}"), false),
        ("trustedFolders.json", format!("{{\"/\": \"DO_NOT_TRUST\", {project:?}: \"TRUST_FOLDER\"}}"), true),
        ("trustedFolders.json", "no JSON".to_owned(), false),
        ("settings.json", "{\"security\": {\"folderTrust\": {\"enabled\": true}}}".to_owned(), false),
        ("settings.json", "{\"security\": {\"folderTrust\": {\"enabled\": false}}}".to_owned(), true),
    ] {
        fs::write(own.join(file), &text).unwrap();
        if is_trusted {
            let told = status(&sandbox, "gemini", 0);
            assert!(!told.to_string().contains("trusted"), "{text}: {told}");
        } else {
            expect_problem(&sandbox, "gemini", "until a person has trusted the folder");
        }
    }

    fs::remove_file(own.join("settings.json")).unwrap();
    expect_problem(&sandbox, "gemini", "until a person has trusted the folder");
    sandbox.set("GEMINI_CLI_TRUST_WORKSPACE", "true");
    assert_eq!(status(&sandbox, "gemini", 0)["stops"], true);
    fs::write(
        own.join("settings.json"),
        "{\"security\": {\"folderTrust\": {\"enabled\": false}}, \"hooksConfig\": {\"enabled\": false}}",
    )
    .unwrap();
    expect_problem(&sandbox, "gemini", "`hooksConfig`");

    // Wherever the hook stands, and wherever it is said; a mark in front of the text hides nothing.
    for scope in [&[][..], &["--user"]] {
        run(&sandbox, &[&["install", "claude"][..], scope].concat(), 0);
        sandbox.write(".claude/settings.local.json", "\u{feff}{\"disableAllHooks\": true}");
        expect_problem(&sandbox, "claude", "`disableAllHooks`");
        let twice = |first, last| format!("{{\"disableAllHooks\": {first}, \"disableAllHooks\": {last}}}");
        sandbox.write(".claude/settings.local.json", twice(false, true));
        expect_problem(&sandbox, "claude", "`disableAllHooks`");
        sandbox.write(".claude/settings.local.json", twice(true, false));
        assert_eq!(status(&sandbox, "claude", 0)["stops"], true);
        run(&sandbox, &[&["remove", "claude"][..], scope].concat(), 0);
    }
    sandbox.write(".claude/settings.json", "\u{feff}{}");
    run(&sandbox, &["install", "claude"], 0);
    assert_eq!(status(&sandbox, "claude", 0)["stops"], true);
    sandbox.write(".claude/settings.local.json", "{\"disableAllHooks\": true}");
    sandbox.tool("claude", "#!/bin/sh\necho '2.1.240 (Claude Code)'\n");
    let told = status(&sandbox, "claude", 125);
    assert!(told["notes"][0].as_str().unwrap().contains("Claude Code 2.1.240"), "{told}");
}
