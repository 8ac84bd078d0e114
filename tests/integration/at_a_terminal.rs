//! What a person at a terminal sees and is asked, and a program is not: progress, colours, the question of a restore.

use crate::support::{Postgres, Sandbox};
use crate::terminal::Terminal;

/// A project whose dump takes longer than half a second.
fn slow(database: &str) -> Sandbox {
    let sandbox = Sandbox::with_postgres(database);
    let folder = Postgres::server().programs().display().to_string();
    sandbox.tool(
        "pg_dump",
        &format!(
            "#!/bin/sh\ncase $1 in --version|-V) exec {folder}/pg_dump --version;; esac
             {folder}/pg_dump \"$@\" | {{ head -c 300; sleep 1; cat; }}\n"
        ),
    );
    for tool in ["pg_restore", "psql"] {
        sandbox.tool(tool, &format!("#!/bin/sh\nexec {folder}/{tool} \"$@\"\n"));
    }
    sandbox
}

#[test]
fn progress_is_for_terminals_only() {
    let sandbox = slow("progress_test");
    let (said, ended) = Terminal::start(sandbox.command().arg("snapshot")).end();
    assert_eq!(ended, (0, -1), "{said}");
    assert!(said.contains("saving postgres database `progress_test`") && said.contains("/s)"), "{said:?}");
    let quick = Sandbox::with_sqlite();
    let (said, ended) = Terminal::start(quick.command().arg("snapshot")).end();
    assert_eq!((ended, said.contains("/s)")), ((0, -1), false), "{said:?}");
    for arguments in [&["snapshot"][..], &["./suite"]] {
        let outcome = sandbox.run(arguments).expect_code(0);
        assert!(!outcome.stderr.contains("/s)"), "{}", outcome.stderr);
    }
    for option in ["-q", "--format=json"] {
        let (said, ended) = Terminal::start(sandbox.command().args([option, "snapshot"])).end();
        assert_eq!(ended, (0, -1), "{said}");
        assert!(!said.contains("/s)"), "{option}: {said:?}");
    }
}

#[test]
fn a_restore_shows_what_it_replaces_and_asks() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.guarded().expect_code(0);
    for (typed, status, rows) in
        [("n\n", 125, "2"), ("\n", 125, "2"), ("\x04\n", 125, "2"), ("q\n", 125, "2"), ("yes\n", 0, "1")]
    {
        sandbox.sqlite("app_test.db", "UPDATE t SET a = 2");
        let mut terminal = Terminal::start(sandbox.command().args(["restore", "latest"]));
        let said = terminal.read_until("Go on?");
        assert!(
            said.contains("app_test.db will be replaced by app_test_") && said.contains("1 table with 1 row)"),
            "{said}"
        );
        terminal.type_in(typed);
        let (said, ended) = terminal.end();
        assert_eq!(ended, (status, -1), "{typed:?} {said}");
        assert!(status == 0 || said.trim_end().ends_with("nothing was changed"), "{typed:?} {said}");
        assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), rows, "{typed:?}");
    }
}

#[test]
fn a_signal_at_the_question_of_a_restore_leaves_the_terminal_as_it_was() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.guarded().expect_code(0);
    let untouched = Terminal::start(&mut sandbox.program("true"));
    let modes = untouched.modes();
    untouched.end();
    // Before the question, while it is put, while it waits.
    for moment in ["will be replaced", "Go on?", "\x1b[?25l"] {
        for signal in [libc::SIGINT, libc::SIGTERM] {
            let mut terminal = Terminal::start(sandbox.command().args(["restore", "latest"]));
            let mut said = terminal.read_until(moment);
            if signal == libc::SIGINT {
                terminal.type_in("\x03");
            } else {
                terminal.kill(signal);
            }
            said.push_str(&terminal.read_until("nothing was changed"));
            assert_eq!(terminal.modes(), modes, "{moment:?} {signal}");
            assert_eq!(terminal.end().1, (-1, signal), "{moment:?} {said}");
            assert!(said.rfind("\x1b[?25l") <= said.rfind("\x1b[?25h"), "{moment:?} {signal}: {said:?}");
        }
    }
}

#[test]
fn the_beginning_of_a_name_lets_a_person_choose() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.run(&["snapshot"]).expect_code(0);
    sandbox.sqlite("app_test.db", "UPDATE t SET a = 2");
    sandbox.run(&["snapshot"]).expect_code(0);
    sandbox.sqlite("app_test.db", "UPDATE t SET a = 3");
    let choose = |keys: &str| {
        let mut terminal = Terminal::start(sandbox.command().args(["restore", "app", "--yes"]));
        let said = terminal.read_until("Which snapshot?");
        assert!(!said.contains("will be replaced"), "{said}");
        terminal.type_in(keys);
        terminal.end()
    };
    let (said, ended) = choose("q");
    assert_eq!(ended, (125, -1), "{said}");
    // The newest stands first.
    for (keys, rows) in [("\r", "2"), ("\x1b[B\r", "1")] {
        let (said, ended) = choose(keys);
        assert_eq!(ended, (0, -1), "{said}");
        assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), rows, "{said}");
        // The restore's own safety snapshot would be the newest now.
        for safety in sandbox.manifests().iter().filter(|manifest| manifest["kind"] == "safety") {
            for ending in ["json", "dump"] {
                let name = format!("{}.{ending}", safety["id"].as_str().unwrap());
                std::fs::remove_file(sandbox.backups().join(name)).unwrap();
            }
        }
    }
    // A pipe cannot choose.
    let outcome = sandbox.run(&["restore", "app"]).expect_code(125);
    assert!(outcome.stderr.contains("there is no snapshot `app`"), "{}", outcome.stderr);
}

#[test]
fn a_restore_that_was_answered_beforehand_does_not_ask() {
    let mut sandbox = Sandbox::with_sqlite();
    sandbox.guarded().expect_code(0);
    sandbox.sqlite("app_test.db", "UPDATE t SET a = 2");
    let (said, ended) = Terminal::start(sandbox.command().args(["restore", "--yes"])).end();
    assert_eq!((ended, said.contains("Go on?")), ((0, -1), false), "{said}");
    assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "1");
    // An agent has no prompt, whatever it runs in.
    sandbox.set("CLAUDECODE", "1").sqlite("app_test.db", "UPDATE t SET a = 2");
    let (said, ended) = Terminal::start(sandbox.command().arg("restore")).end();
    assert_eq!((ended, said.contains("Go on?")), ((0, -1), false), "{said}");
    assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "1");
}

#[test]
fn colours_are_for_terminals_only() {
    let sandbox = Sandbox::with_sqlite();
    let check = |redirection: &str| {
        let mut shell = sandbox.program("sh");
        let script = format!("\"$0\" check -v {redirection}");
        Terminal::start(shell.args(["-c", &script, env!("CARGO_BIN_EXE_safe-test")]).env("TERM", "xterm-256color"))
            .end()
            .0
    };
    assert!(check("").contains("\u{1b}["));
    let piped = check("| cat");
    assert!(piped.contains("app_test.db") && !piped.contains("\u{1b}["), "{piped:?}");
    assert!(check("2>/dev/null").contains("\u{1b}["));
    assert!(sandbox.run(&["--color", "always", "check"]).expect_code(0).stdout.contains("\u{1b}["));
}

#[test]
fn what_is_too_long_for_the_terminal_stands_on_a_line_a_database() {
    let sandbox = Sandbox::with_sqlite();
    let piped = sandbox.guarded().expect_code(0);
    assert_eq!(piped.stderr.lines().filter(|line| line.contains("app_test.db")).count(), 1, "{}", piped.stderr);
    sandbox.sqlite("reports_test.db", "CREATE TABLE t(a)");
    sandbox.write(".env", "DATABASE_URL=sqlite:./app_test.db\nREPORTS_URL=sqlite:./reports_test.db\n");
    let (said, ended) = Terminal::start(sandbox.command().arg("./suite")).end();
    assert_eq!(ended, (0, -1), "{said}");
    let lines: Vec<&str> = said.lines().map(str::trim_end).collect();
    assert_eq!(lines[0], "safe-test: safe: 2 databases", "{said}");
    assert!(lines[1].starts_with("  sqlite database `") && lines[1].contains("app_test.db` "), "{said}");
    assert!(lines[2].starts_with("  sqlite database `") && lines[2].contains("reports_test.db` "), "{said}");
    // A pipe gets one line a run.
    let piped = sandbox.guarded().expect_code(0).stderr;
    assert!(piped.lines().next().unwrap().contains("reports_test.db"), "{piped}");
}
