//! What `docs/limits.md` says an agent might try, tried: each row of its tables has a test, and the lines of the first are put
//! to `safe-test hook`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::support::{Outcome, Sandbox};
use crate::terminal::Terminal;
use crate::tidy::rust_files;

const LIMITS: &str = include_str!("../../docs/limits.md");

/// The rows of a table below a heading, as cells without their code marks.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let (_, below) = LIMITS.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = below.split("\n## ").next().unwrap();
    let cell = |cell: &str| cell.trim().trim_matches('`').replace('\0', "|");
    let cells = |line: &str| line.replace("\\|", "\0").trim_matches('|').split('|').map(cell).collect();
    section.lines().filter(|line| line.starts_with('|')).skip(2).map(cells).collect()
}

/// A project with a suite, a script that calls a client, and tasks.
fn project() -> Sandbox {
    let sandbox = Sandbox::with_sqlite();
    sandbox.write("package.json", r#"{"scripts":{"test":"jest","db:reset":"prisma migrate reset --force"}}"#);
    sandbox.write(
        "compose.yml",
        "services:\n  tests: {build: ., command: npm test}\n  web: {build: ., command: node server.js}\n",
    );
    sandbox.write("reset.sh", "psql \"$DATABASE_URL\" -c 'DROP TABLE users'\n");
    sandbox
}

/// Tells whether the hook stops a line that Claude Code is about to run.
#[track_caller]
fn is_stopped(sandbox: &Sandbox, line: &str) -> bool {
    let payload = serde_json::json!({
        "hook_event_name": "PreToolUse", "session_id": "1", "cwd": sandbox.project(),
        "tool_name": "Bash", "tool_input": { "command": line },
    });
    let mut child = sandbox
        .command()
        .arg("hook")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(payload.to_string().as_bytes()).unwrap();
    let said = Outcome::from(child.wait_with_output().unwrap()).expect_code(0);
    match said.stdout.as_str() {
        "" => false,
        answer => {
            let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
            assert_eq!(answer["hookSpecificOutput"]["permissionDecision"], "deny", "{line}: {answer}");
            true
        }
    }
}

#[test]
fn each_line_ends_where_its_row_says() {
    let (sandbox, rows) = (project(), rows("In the line"));
    assert!(rows.len() > 20, "{rows:#?}");
    for row in rows {
        let [what, line, ends, _] = <[String; 4]>::try_from(row).unwrap();
        let expected = match ends.as_str() {
            "stopped here" => true,
            "not stopped" => false,
            other => panic!("{what}: {other}"),
        };
        assert_eq!(is_stopped(&sandbox, &line), expected, "{what}: {line}");
    }
}

#[test]
fn each_other_row_names_its_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration");
    let files = rust_files(&folder);
    for row in ["Past the hook", "In a run", "Around safe-test"].into_iter().flat_map(rows) {
        let [what, ends, _, test] = <[String; 4]>::try_from(row).unwrap();
        assert!(["stopped here", "stopped by the guard", "not stopped"].contains(&&*ends), "{what}: {ends}");
        let (file, name) = test.rsplit_once("::").unwrap_or_else(|| panic!("{what}: {test}"));
        let is_it = |path: &&std::path::PathBuf| {
            let path = path.strip_prefix(&folder).unwrap().with_extension("");
            path == Path::new(&file.replace("::", "/")) || path == Path::new(&file.replace("::", "/")).join("mod")
        };
        let found = files.iter().find(is_it).unwrap_or_else(|| panic!("{what}: no file of {test}"));
        let text = fs::read_to_string(found).unwrap();
        assert!(text.contains(&format!("#[test]\nfn {name}()")), "{what}: no {test}");
    }
}

#[test]
fn what_is_not_asked_about_is_not_stopped() {
    let sandbox = project();
    // As in a shell that runs already.
    Outcome::of(sandbox.program("sh").args(["-c", "./suite"])).expect_code(0);
    assert!(sandbox.has_run() && !sandbox.backups().exists());
}

#[test]
fn a_policy_that_an_agent_writes_lets_nothing_through() {
    let sandbox = project();
    sandbox.write(".safe-test.toml", "[commands]\nplain = [\"npm test\"]\n");
    assert!(is_stopped(&sandbox, "npm test"));
    let mut terminal = Terminal::start(sandbox.command().arg("trust"));
    terminal.read_until("exactly this content:");
    terminal.type_in("trust\n");
    assert_eq!(terminal.end().1, (0, -1));
    assert!(!is_stopped(&sandbox, "npm test"));
}

#[test]
fn without_its_variables_an_agent_still_has_no_terminal() {
    let sandbox = Sandbox::new();
    sandbox.write(".env", "REDIS_URL=redis://warehouse:6379/7\n");
    sandbox.recording_tool("tests", "");
    let script = format!("yes 7 | '{}' tests", env!("CARGO_BIN_EXE_safe-test"));
    let refused = Outcome::of(sandbox.program("sh").args(["-c", &script])).expect_code(120);
    assert!(refused.stderr.trim_end().ends_with("the command was not run"), "{}", refused.stderr);
    assert!(sandbox.calls("tests").is_empty());
}

#[test]
fn a_pseudo_terminal_without_the_variables_is_a_person() {
    let sandbox = Sandbox::new();
    // A cache beside a database that is not there yet: no server is needed.
    sandbox.write(".env", "REDIS_URL=redis://warehouse:6379/7\nDATABASE_URL=sqlite:shop.db\n");
    sandbox.recording_tool("tests", "");
    let mut command = sandbox.command();
    let mut terminal = Terminal::start(command.arg("tests").env("CLAUDECODE", "1").env_remove("CLAUDECODE"));
    terminal.read_until("type the name 7:");
    terminal.type_in("7\n");
    assert_eq!(terminal.end().1, (0, -1));
    assert_eq!(sandbox.calls("tests"), [""]);
    let log = sandbox.read("backups/audit.log");
    assert!(log.contains("\"answer\":\"7\"") && log.contains("\"kind\":\"human\""), "{log}");
}

#[test]
fn what_is_written_into_the_folder_of_approvals_counts() {
    let sandbox = project();
    sandbox.write(".safe-test.toml", "[commands]\nplain = [\"npm test\"]\n");
    let mut terminal = Terminal::start(sandbox.command().arg("trust"));
    terminal.read_until("exactly this content:");
    terminal.type_in("trust\n");
    assert_eq!(terminal.end().1, (0, -1));
    let approvals = fs::read_dir(sandbox.state().join("safe-test/trust")).unwrap();
    let approval = approvals.map(|entry| entry.unwrap().path()).find(|path| path.is_file()).unwrap();
    let written = fs::read(&approval).unwrap();
    fs::remove_file(&approval).unwrap();
    assert!(is_stopped(&sandbox, "npm test"));
    fs::write(&approval, written).unwrap();
    assert!(!is_stopped(&sandbox, "npm test"));
}

#[test]
fn a_changed_log_is_found() {
    let sandbox = project();
    sandbox.guarded().expect_code(0);
    sandbox.run(&["log", "verify"]).expect_code(0);
    let log = sandbox.read("backups/audit.log").replace("./suite", "./other");
    sandbox.write("backups/audit.log", log);
    let said = sandbox.run(&["log", "verify"]);
    assert!(said.code() == Some(125) && said.stdout.contains("line 2"), "{}{}", said.stdout, said.stderr);
}

#[test]
fn removed_snapshots_are_missed() {
    let sandbox = project();
    sandbox.guarded().expect_code(0);
    let [id] = <[String; 1]>::try_from(sandbox.ids()).unwrap();
    for entry in fs::read_dir(sandbox.backups()).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("audit.log") && path.is_file() {
            fs::remove_file(path).unwrap();
        }
    }
    let said = sandbox.run(&["restore", &id, "--yes"]).expect_code(125).stderr;
    assert!(said.contains(&format!("there is no snapshot `{id}`")), "{said}");
    let log = sandbox.run(&["log"]).expect_code(0).stdout;
    assert!(log.contains(&id), "{log}");
}
