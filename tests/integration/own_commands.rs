//! `[[snapshots.command]]`: databases that programs of the project's own save, check and put back. The worked examples of
//! `fixtures/own_commands` are tried with the real programs; scripts stand in for programs that fail.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Outcome, PATIENCE, Sandbox, wait_for};
use crate::terminal::Terminal;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/own_commands").join(name)
}

/// Approves the policy as a person does.
#[track_caller]
fn approve(sandbox: &Sandbox) -> String {
    let mut terminal = Terminal::start(sandbox.command().arg("trust"));
    let said = terminal.read_until("exactly this content:");
    terminal.type_in("trust\n");
    let (rest, ended) = terminal.end();
    assert_eq!(ended, (0, -1), "{said}{rest}");
    said
}

/// A worked example as a project of its own, approved.
struct Example {
    sandbox: Sandbox,
    /// Runs statements, and prints what the last one gives.
    shell: fn(&Sandbox, &str) -> String,
}

impl Example {
    fn new(name: &str, environment: &[(&str, &str)], file: &str, shell: fn(&Sandbox, &str) -> String) -> Self {
        let mut sandbox = Sandbox::new();
        for entry in fs::read_dir(fixture(name)).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, sandbox.project().join(path.file_name().unwrap())).unwrap();
        }
        for (name, value) in environment {
            sandbox.set(name, value);
        }
        sandbox.write(".env", format!("DATABASE_URL={file}\n"));
        approve(&sandbox);
        Example { sandbox, shell }
    }

    fn duckdb() -> Self {
        let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/servers/duckdb");
        assert!(packages.is_dir(), "DuckDB is missing: tests/servers");
        let shell = |sandbox: &Sandbox, sql: &str| {
            let program = "import duckdb, sys; c = duckdb.connect('shop.duckdb'); r = c.execute(sys.argv[1]); \
                           print(*(r.fetchone() or ()))";
            said(&Outcome::of(sandbox.program("python3").args(["-c", program, sql])).expect_code(0))
        };
        Example::new("duckdb", &[("PYTHONPATH", packages.to_str().unwrap())], "duckdb:shop.duckdb", shell)
    }

    fn sqlcipher() -> Self {
        let shell = |sandbox: &Sandbox, sql: &str| {
            let sql = format!("PRAGMA key = 'it''s';\n{sql};");
            said(&Outcome::of(sandbox.program("sqlcipher").args(["app.db", &sql])).expect_code(0))
        };
        Example::new("sqlcipher", &[("DATABASE_KEY", "it's")], "sqlite:app.db", shell)
    }

    fn sql(&self, sql: &str) -> String {
        (self.shell)(&self.sandbox, sql)
    }
}

fn said(outcome: &Outcome) -> String {
    outcome.stdout.trim().trim_start_matches("ok\n").to_owned()
}

#[test]
fn the_worked_examples_save_what_the_command_wrecks_and_put_it_back() {
    for example in [Example::duckdb(), Example::sqlcipher()] {
        let sandbox = &example.sandbox;
        // There is nothing to lose yet.
        sandbox.run(&["true"]).expect_code(0);
        assert!(sandbox.ids().is_empty());
        example.sql("CREATE TABLE orders (id INTEGER, note VARCHAR)");
        example.sql("INSERT INTO orders VALUES (1, 'one'), (2, NULL), (3, 'ü''ü')");
        sandbox.suite("rm -f app.db shop.duckdb");
        let outcome = sandbox.guarded().expect_code(0);
        assert!(outcome.stderr.contains("saved ("), "{}", outcome.stderr);
        let manifest = &sandbox.manifests()[0];
        assert_eq!((&manifest["engine"], &manifest["verified"]), (&"command".into(), &"read".into()), "{manifest:#}");
        assert!(manifest["by_hand"][0].as_str().unwrap().contains(" restore "), "{manifest:#}");
        sandbox.expect_no_half_file();

        sandbox.run(&["verify", "latest"]).expect_code(0);
        let restored = sandbox.run(&["restore", "latest"]).expect_code(0);
        let text = format!("{}{}", restored.stdout, restored.stderr);
        assert!(text.contains("nothing else tells that the database is as it was"), "{text}");
        assert_eq!(example.sql("SELECT count(*) || ' ' || max(note) FROM orders"), "3 ü'ü");

        // What is replaced is saved, and can be had back in turn.
        example.sql("DELETE FROM orders WHERE id = 2");
        let first = manifest["id"].as_str().unwrap();
        let restored = sandbox.run(&["restore", first]).expect_code(0);
        assert_eq!(example.sql("SELECT count(*) FROM orders"), "3");
        let undo = format!("{}{}", restored.stdout, restored.stderr);
        let safety = undo.split("safe-test restore ").nth(1).unwrap().split_whitespace().next().unwrap();
        sandbox.run(&["restore", safety]).expect_code(0);
        assert_eq!(example.sql("SELECT count(*) FROM orders"), "2");

        // Nothing proves that it is unchanged.
        let before = sandbox.ids().len();
        sandbox.run(&["true"]).expect_code(0);
        assert_eq!(sandbox.ids().len(), before + 1);
    }
}

#[test]
fn a_damaged_snapshot_of_a_worked_example_is_found_and_not_restored() {
    let example = Example::sqlcipher();
    let sandbox = &example.sandbox;
    example.sql("CREATE TABLE a (b)");
    sandbox.run(&["true"]).expect_code(0);
    let id = sandbox.ids().remove(0);
    let path = sandbox.backups().join(format!("{id}.dump"));
    let whole = fs::read(&path).unwrap();
    for at in [0, whole.len() / 2, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        for damaged in [flipped, whole[..at].to_vec()] {
            fs::write(&path, damaged).unwrap();
            sandbox.run(&["verify", &id]).expect_code(121);
            sandbox.run(&["restore", &id]).expect_code(121);
        }
    }
    fs::write(&path, &whole).unwrap();
    sandbox.run(&["verify", &id]).expect_code(0);
    // With another key its own program says so.
    let mut other = sandbox.command();
    let outcome = Outcome::of(other.env("DATABASE_KEY", "other").args(["verify", &id])).expect_code(121);
    assert!(outcome.stdout.contains("the project's own program exited with status 1"), "{outcome:?}");
}

#[test]
fn what_can_only_be_restored_in_place_is_not_rehearsed() {
    let example = Example::sqlcipher();
    let sandbox = &example.sandbox;
    example.sql("CREATE TABLE a (b)");
    sandbox.run(&["true"]).expect_code(0);
    let outcome = sandbox.run(&["verify", "latest", "--level", "restore"]).expect_code(125);
    assert!(outcome.stderr.contains("can only be restored in place"), "{}", outcome.stderr);
    let outcome = sandbox.run(&["verify", "--all", "--level", "restore"]).expect_code(0);
    assert!(outcome.stdout.contains("(cannot be rehearsed: read back only)"), "{}", outcome.stdout);
}

/// A server that we cannot save, whose data is a file `state` here; `save` is the script that saves it.
fn server(save: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(".env", "DATABASE_URL=sqlserver://sa:hunter2@localhost:1433/shop_test\n");
    sandbox.write(
        ".safe-test.toml",
        "[[snapshots.command]]\ntarget = \"sqlserver://sa@localhost:1433/shop_test\"\nsave = [\"save\", \"--to={file}\"]\n\
         check = [\"./check\", \"{file}\"]\nrestore = [\"back\", \"{file}\"]\n",
    );
    sandbox.write("state", "orders\n");
    sandbox.recording_tool("save", &format!("to=${{1#--to=}}\n{save}"));
    crate::support::write_program(&sandbox.project().join("check"), "#!/bin/sh\ngrep -q . \"$1\"\n", 0o755);
    sandbox.recording_tool("back", "cat \"$1\" >state");
    sandbox.suite("echo nothing >state");
    sandbox
}

#[test]
fn a_server_is_saved_and_put_back_by_the_programs_of_the_project() {
    let sandbox = server("cat state >\"$to\"");
    let approved = approve(&sandbox);
    assert!(approved.contains("save = [\"save\", \"--to={file}\"]") && approved.contains("\"back\""), "{approved}");
    let outcome = sandbox.guarded().expect_code(0);
    assert!(outcome.stderr.contains("to undo: safe-test restore"), "{}", outcome.stderr);
    assert_eq!(sandbox.read("state"), "nothing\n");
    let id = sandbox.ids().remove(0);
    let listed = sandbox.run(&["list", "-v"]).expect_code(0).stdout;
    assert!(listed.contains("what its own programs know") && !listed.contains("0 tables"), "{listed}");
    let mode = fs::metadata(sandbox.backups().join(format!("{id}.dump"))).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    sandbox.run(&["restore", "latest"]).expect_code(0);
    assert_eq!(sandbox.read("state"), "orders\n");
    let dry = sandbox.run(&["--dry-run", "./suite"]).expect_code(0);
    assert!(dry.stdout.contains("--to=") || dry.stderr.contains("--to="), "{dry:?}");
}

#[test]
fn nothing_of_it_is_run_before_it_is_approved_and_the_refusal_says_what_waits() {
    let sandbox = server("cat state >\"$to\"");
    let outcome = sandbox.guarded().expect_code(121);
    assert!(outcome.stderr.contains("waits for `safe-test trust`"), "{}", outcome.stderr);
    assert!(!sandbox.has_run() && sandbox.calls("save").is_empty());
    approve(&sandbox);
    sandbox.guarded().expect_code(0);
    // What was approved once is not what stands there now.
    let policy = sandbox.read(".safe-test.toml").replace("\"back\"", "\"./back\"");
    sandbox.write(".safe-test.toml", policy);
    sandbox.guarded().expect_code(121);
    let outcome = sandbox.run(&["restore", "latest"]).expect_code(121);
    assert!(outcome.stderr.contains("no policy in force says any more"), "{}", outcome.stderr);
    assert!(sandbox.calls("back").is_empty());
}

#[test]
fn a_program_that_does_not_save_stops_the_run_and_leaves_nothing() {
    let cases = [
        ("echo 'no server at sa:hunter2' >&2; exit 3", "exited with status 3: no server at sa:***"),
        ("exit 0", "is not there"),
        (": >\"$to\"", "is empty"),
        ("mkdir \"$to\"", "is no file of its own"),
        ("ln -s \"$PWD/state\" \"$to\"", "is no file of its own"),
        ("kill -KILL $$", "was ended by signal 9"),
        // Its own check does not take it.
        ("echo >\"$to\"", "exited with status 1"),
    ];
    for (save, expected) in cases {
        let sandbox = server(save);
        approve(&sandbox);
        let outcome = sandbox.guarded().expect_code(121);
        assert!(outcome.stderr.contains(expected), "{save}: {}", outcome.stderr);
        assert!(outcome.stderr.trim_end().ends_with("the command was not run"), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("hunter2") && !sandbox.has_run(), "{save}: {}", outcome.stderr);
        assert_eq!(sandbox.read("state"), "orders\n");
        assert!(sandbox.ids().is_empty(), "{save}");
        // The next one is not in the way of what was left.
        sandbox.tool("save", "#!/bin/sh\ncat state >\"${1#--to=}\"\n");
        sandbox.run(&["true"]).expect_code(0);
        if !save.starts_with("mkdir") {
            sandbox.expect_no_half_file();
        }
    }
}

#[test]
fn a_program_that_is_not_there_stops_the_run_before_anything_is_saved() {
    for missing in ["save", "check", "back"] {
        let sandbox = server("cat state >\"$to\"");
        approve(&sandbox);
        let folder = if missing == "check" { sandbox.project() } else { sandbox.tools() };
        fs::remove_file(folder.join(missing)).unwrap();
        let outcome = sandbox.guarded().expect_code(121);
        assert!(outcome.stderr.contains("of [[snapshots.command]] is not found"), "{}", outcome.stderr);
        assert!(sandbox.calls("save").is_empty() && !sandbox.has_run(), "{missing}");
    }
}

#[test]
fn a_check_that_changes_the_file_is_no_check() {
    let sandbox = server("cat state >\"$to\"");
    approve(&sandbox);
    crate::support::write_program(&sandbox.project().join("check"), "#!/bin/sh\necho more >>\"$1\"\n", 0o755);
    let outcome = sandbox.guarded().expect_code(121);
    assert!(outcome.stderr.contains("is not what was written"), "{}", outcome.stderr);
    assert!(!sandbox.has_run() && sandbox.ids().is_empty());
}

#[test]
fn a_restore_that_fails_names_the_snapshot_of_what_was_there() {
    let sandbox = server("cat state >\"$to\"");
    approve(&sandbox);
    sandbox.guarded().expect_code(0);
    sandbox.write("state", "later\n");
    sandbox.tool("back", "#!/bin/sh\necho half >state\nexit 4\n");
    let outcome = sandbox.run(&["restore", "latest"]).expect_code(125);
    assert!(outcome.stderr.contains("may have been changed"), "{}", outcome.stderr);
    let safety = outcome.stderr.split("`safe-test restore ").nth(1).unwrap().split('`').next().unwrap();
    sandbox.tool("back", "#!/bin/sh\ncat \"$1\" >state\n");
    sandbox.run(&["restore", safety]).expect_code(0);
    assert_eq!(sandbox.read("state"), "later\n");
}

#[test]
fn a_save_that_is_interrupted_is_ended_and_leaves_nothing() {
    let sandbox = server("echo half >\"$to\"; echo $$ >saving; exec sleep 600");
    approve(&sandbox);
    let mut run = sandbox.command().arg("./suite").spawn().unwrap();
    wait_for("the program to be at work", || sandbox.project().join("saving").exists());
    let program: i32 = loop {
        if let Ok(number) = sandbox.read("saving").trim().parse() {
            break number;
        }
    };
    let pid = rustix::process::Pid::from_child(&run);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let started = std::time::Instant::now();
    let status = run.wait().unwrap();
    assert!(started.elapsed() < PATIENCE, "{status}");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15), "{status}");
    let program = rustix::process::Pid::from_raw(program).unwrap();
    assert!(rustix::process::test_kill_process(program).is_err(), "it runs on");
    assert!(!sandbox.has_run() && sandbox.ids().is_empty());
    sandbox.expect_no_half_file();
}
