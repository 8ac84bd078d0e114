//! A server that the command starts itself: what it holds from before is saved at the first connection.

use std::process::Stdio;

use super::support::{OwnServer, Sandbox, ended, wait_for};
use super::terminal::Terminal;

const PROMISE: &str = "not up yet: saved at its first connection";
const SAVED: &str = "safe-test: at the first connection: ";

fn project(server: &OwnServer) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(".env", format!("APP_ENV=testing\nDATABASE_URL={}\n", server.url()));
    sandbox
}

#[test]
fn what_a_server_holds_from_before_is_saved_at_its_first_connection() {
    let server = OwnServer::with_data();
    let sandbox = project(&server);
    sandbox.suite(&server.during("say 'DELETE FROM t' && say 'INSERT INTO t VALUES (2)' && say 'SELECT a FROM t'"));
    let outcome = sandbox.guarded().expect_code(0);
    assert_eq!(outcome.stdout, "2\n");
    let said = &outcome.stderr;
    assert!(said.contains(PROMISE) && said.matches(SAVED).count() == 1, "{said}");
    let id = &sandbox.ids()[0];
    assert!(said.contains(&format!("safe-test: to undo: safe-test restore {id}\n")), "{said}");
    sandbox.expect_no_half_file();

    let log = sandbox.log();
    let events: Vec<&str> = log.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["opened", "run-started", "snapshot", "run-finished"]);
    assert_eq!(log[1]["run"], log[2]["run"]);
    assert_eq!(log[2]["snapshots"][0], id.as_str());
    assert!(log[2]["manifests"][id].is_string(), "{}", log[2]);

    // Known from then on: an agent may put it back.
    let restore = format!("cd '{}' && '{}' restore {id}", sandbox.project().display(), env!("CARGO_BIN_EXE_safe-test"));
    let state = format!("XDG_STATE_HOME='{}'", sandbox.state().display());
    let restored = server.run(&server.during(&format!("{state} sh -c \"{restore}\" >&2 && say 'SELECT a FROM t'")));
    assert_eq!(restored, "1\n");
}

#[test]
fn a_daemon_that_the_suite_starts_is_saved_before_anything_is_asked_of_it() {
    let server = OwnServer::with_data();
    let sandbox = project(&server);
    sandbox.suite(&server.during_as_a_daemon("say 'DELETE FROM t' && say 'SELECT 7'"));
    let outcome = sandbox.guarded().expect_code(0);
    assert_eq!(outcome.stdout, "7\n", "{}", outcome.stderr);
    assert_eq!(outcome.stderr.matches(SAVED).count(), 1, "{}", outcome.stderr);
    let restore = format!("'{}' restore latest >&2 && say 'SELECT a FROM t'", env!("CARGO_BIN_EXE_safe-test"));
    let words = format!(
        "cd '{}' && XDG_STATE_HOME='{}' && export XDG_STATE_HOME && {restore}",
        sandbox.project().display(),
        sandbox.state().display()
    );
    assert_eq!(server.run(&server.during(&words)), "1\n");
}

#[test]
fn a_server_that_never_comes_keeps_nothing_from_running() {
    let server = OwnServer::new();
    let sandbox = project(&server);
    sandbox.suite("exit 7");
    let outcome = sandbox.guarded().expect_code(7);
    assert!(outcome.stderr.contains(PROMISE) && !outcome.stderr.contains(SAVED), "{}", outcome.stderr);
    assert!(sandbox.stored().is_empty());
}

#[test]
fn without_the_guard_a_server_that_is_not_up_is_not_waited_for() {
    let server = OwnServer::new();
    let sandbox = project(&server);
    sandbox.suite("");
    sandbox.write(".safe-test.toml", "[guard]\nmode = \"off\"\n");
    let mut terminal = Terminal::start(sandbox.command().arg("trust"));
    terminal.read_until("exactly this content:");
    terminal.type_in("trust\n");
    let (said, ended) = terminal.end();
    assert_eq!(ended, (0, -1), "{said}");
    sandbox.expect_not_run(&sandbox.guarded(), 121, &["Connection refused"]);
}

#[test]
fn what_cannot_be_saved_is_not_reached() {
    let server = OwnServer::with_data();
    let sandbox = project(&server);
    // The project's own login is refused; the suite's is not.
    sandbox.write(".env", format!("DATABASE_URL={}\n", server.url().replace("tester@", "nobody_here@")));
    sandbox.suite(&server.during("say 'DELETE FROM t'; true").replace("-gt 600", "-gt 3"));
    let outcome = sandbox.guarded().expect_code(120);
    assert!(outcome.stderr.contains("role \"nobody_here\" does not exist"), "{}", outcome.stderr);
    assert!(sandbox.stored().is_empty());
    assert_eq!(server.run(&server.during("say 'SELECT a FROM t'")), "1\n");
}

#[test]
fn asked_to_end_while_it_saves_it_leaves_no_half_file() {
    let server = OwnServer::with_data();
    server.run(
        &server.during("say 'CREATE TABLE big AS SELECT repeat(md5(i::text), 60) FROM generate_series(1, 150000) i'"),
    );
    let sandbox = project(&server);
    sandbox.suite(&format!("trap 'echo stopped; exit 9' TERM\n{}", server.during("say 'DELETE FROM t'")));
    let mut command = sandbox.command();
    let running = command.arg("./suite").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let is_partial = |name: &String| name.contains("partial");
    wait_for("a dump has begun", || sandbox.stored().iter().any(is_partial));
    rustix::process::kill_process(rustix::process::Pid::from_child(&running), rustix::process::Signal::TERM).unwrap();
    let outcome = super::support::Outcome::from(ended("the suite", running));
    assert!(outcome.stdout.contains("stopped"), "{}\n{}", outcome.stdout, outcome.stderr);
    assert_eq!(outcome.code(), Some(9), "{}", outcome.stderr);
    assert!(sandbox.stored().is_empty(), "{:?}", sandbox.stored());
    server.run(&format!("kill -INT $(head -n 1 '{}/postmaster.pid') 2>/dev/null; true", server.data().display()));
}

#[test]
fn a_run_that_puts_back_puts_back_what_was_saved_late() {
    let server = OwnServer::with_data();
    let sandbox = project(&server);
    // It leaves the server running, so that there is something to put back.
    let start = server.during("say 'DELETE FROM t'").replace("kill -INT $server\nwait $server\n", "");
    sandbox.suite(&start);
    let outcome = sandbox.run(&["--restore", "always", "./suite"]);
    let stop = format!("kill -INT $(head -n 1 '{}/postmaster.pid')", server.data().display());
    let restored = server.run(&format!(
        "'{}' -XAtq -h 127.0.0.1 -p {} -U tester -d shop_test -c 'SELECT a FROM t'; {stop}; sleep 1",
        server.psql().display(),
        server.port(),
    ));
    outcome.expect_code(0);
    assert_eq!(restored, "1\n");
}

#[test]
fn a_dry_run_says_what_would_wait() {
    let server = OwnServer::new();
    let sandbox = project(&server);
    sandbox.suite("");
    let outcome = sandbox.run(&["--dry-run", "./suite"]).expect_code(0);
    assert!(outcome.stderr.contains("not up yet: would be saved at its first connection"), "{}", outcome.stderr);
    assert!(!sandbox.has_run());
}
