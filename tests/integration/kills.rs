//! Ended at every stage: by `kill -9`, after which the next run clears up, and by Ctrl-C, after which nothing is left.

use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Outcome, PATIENCE, Postgres, Sandbox, awaited, ended, output, wait_for};

fn send(process: i32, signal: i32) {
    // SAFETY: sends a signal to a process or a group that this test has started.
    assert_eq!(unsafe { libc::kill(process, signal) }, 0);
}

/// Starts safe-test as the leader of a group of its own, as a shell with job control does.
fn start(sandbox: &Sandbox, arguments: &[&str]) -> Child {
    let mut command = sandbox.command();
    command.args(arguments).process_group(0).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits until something is so; fails where the process ends first.
#[track_caller]
fn wait_until(child: &mut Child, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        assert!(started.elapsed() < PATIENCE, "it never came");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Kills a run, and waits until all that it had started is gone too: what a tool of it has asked of a server is done by
/// then, and ends no session that is opened afterwards.
#[track_caller]
fn kill(child: &mut Child) {
    // SAFETY: the process is our child and not yet collected; it may have ended by itself.
    unsafe { libc::kill(child.id().cast_signed(), libc::SIGKILL) };
    awaited("a killed run", child);
    let group = child.id().to_string();
    wait_for("the tools of a killed run end", || {
        let processes = output(Command::new("ps").args(["-A", "-o", "pgid=,stat="]).stdout(Stdio::piped()));
        assert!(processes.status.success());
        let processes = String::from_utf8(processes.stdout).unwrap();
        let mut processes = processes.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        // One that nobody collects is gone all the same.
        !processes.any(|process| process[0] == group && !process[1].starts_with('Z'))
    });
}

fn has(sandbox: &Sandbox, ending: &str) -> bool {
    sandbox.stored().iter().any(|name| name.ends_with(ending))
}

/// Fails unless the next run finds its way: it clears up, saves, runs, and all that is there is whole.
#[track_caller]
fn expect_recovery(sandbox: &Sandbox) {
    sandbox.suite("");
    sandbox.has_run();
    sandbox.guarded().expect_code(0);
    assert!(sandbox.has_run());
    sandbox.expect_no_half_file();
    sandbox.run(&["verify", "--all"]).expect_code(0);
    sandbox.run(&["log", "verify"]).expect_code(0);
}

/// A project with a database of some 60 MB.
fn with_large_sqlite() -> Sandbox {
    let sandbox = Sandbox::with_sqlite();
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) SELECT randomblob(100000) FROM n";
    sandbox.sqlite("app_test.db", &format!("CREATE TABLE big(b); INSERT INTO big {rows}"));
    sandbox
}

#[test]
fn killed_while_sqlite_is_copied() {
    let sandbox = with_large_sqlite();
    let mut child = start(&sandbox, &["./suite"]);
    wait_until(&mut child, || has(&sandbox, ".dump.partial"));
    send(child.id().cast_signed(), libc::SIGKILL);
    awaited("safe-test", &mut child);
    assert!(!sandbox.has_run());
    assert!(has(&sandbox, ".dump.partial"), "{:?}", sandbox.stored());
    assert!(sandbox.run(&["verify", "--all"]).expect_code(0).stdout.contains("leftover  "));
    sandbox.run(&["log", "verify"]).expect_code(0);
    assert_eq!(sandbox.sqlite("app_test.db", "PRAGMA integrity_check"), "ok");
    expect_recovery(&sandbox);
    assert_eq!(sandbox.ids().len(), 1);
}

#[test]
fn interrupted_while_sqlite_is_copied() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        let sandbox = with_large_sqlite();
        let mut child = start(&sandbox, &["./suite"]);
        wait_until(&mut child, || has(&sandbox, ".dump.partial"));
        send(-child.id().cast_signed(), signal);
        let output = ended("safe-test", child);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.signal(), Some(signal), "{stderr}");
        assert_eq!(stderr.lines().last(), Some("  the command was not run"));
        assert!(!sandbox.has_run());
        assert_eq!(sandbox.stored().len(), 0, "{:?}", sandbox.stored());
        assert_eq!(sandbox.log().last().unwrap()["event"], "refused");
        expect_recovery(&sandbox);
    }
}

/// A pg_dump that begins as the real one does and then hangs, its id in the file `dumping`.
fn with_hanging_pg_dump(database: &str) -> Sandbox {
    let sandbox = Sandbox::with_postgres(database);
    let server = Postgres::server();
    let folder = server.programs().display();
    let dumping = sandbox.project().join("dumping");
    sandbox.tool(
        "pg_dump",
        &format!(
            "#!/bin/sh\ncase $1 in --version|-V) exec {folder}/pg_dump --version;; esac
             {folder}/pg_dump \"$@\" | head -c 300\necho $$ >'{0}.new'; mv '{0}.new' '{0}'; exec sleep 1000\n",
            dumping.display()
        ),
    );
    for tool in ["pg_restore", "psql"] {
        sandbox.tool(tool, &format!("#!/bin/sh\nexec {folder}/{tool} \"$@\"\n"));
    }
    sandbox
}

fn dumping(sandbox: &Sandbox) -> Option<i32> {
    fs::read_to_string(sandbox.project().join("dumping")).ok()?.trim().parse().ok()
}

/// Whether a process is there, and is not only waiting to be collected.
fn is_running(process: i32) -> bool {
    let state = output(Command::new("ps").args(["-o", "stat=", "-p", &process.to_string()]).stdout(Stdio::piped()));
    !matches!(state.stdout.trim_ascii().first(), None | Some(b'Z'))
}

fn remove_tools(sandbox: &Sandbox) {
    for tool in ["pg_dump", "pg_restore", "psql"] {
        fs::remove_file(sandbox.tools().join(tool)).unwrap();
    }
}

#[test]
fn killed_while_pg_dump_runs() {
    let sandbox = with_hanging_pg_dump("killed_dump_test");
    let mut child = start(&sandbox, &["./suite"]);
    wait_until(&mut child, || dumping(&sandbox).is_some());
    send(child.id().cast_signed(), libc::SIGKILL);
    awaited("safe-test", &mut child);
    // The hanging one never writes again, upon which the real one would end.
    let tool = dumping(&sandbox).unwrap();
    if is_running(tool) {
        send(tool, libc::SIGKILL);
    }
    assert!(!sandbox.has_run());
    remove_tools(&sandbox);
    expect_recovery(&sandbox);
    assert_eq!(sandbox.ids().len(), 1);
    assert_eq!(Postgres::server().psql("killed_dump_test", "SELECT a FROM t"), "1");
}

#[test]
fn interrupted_while_pg_dump_runs() {
    for (signal, to_all) in [(libc::SIGINT, true), (libc::SIGINT, false), (libc::SIGTERM, false), (libc::SIGHUP, true)]
    {
        let sandbox = with_hanging_pg_dump("interrupted_dump_test");
        let mut child = start(&sandbox, &["./suite"]);
        wait_until(&mut child, || dumping(&sandbox).is_some());
        let process = child.id().cast_signed();
        send(if to_all { -process } else { process }, signal);
        let output = ended("safe-test", child);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.signal(), Some(signal), "{stderr}");
        assert_eq!(stderr.lines().last(), Some("  the command was not run"));
        assert!(!is_running(dumping(&sandbox).unwrap()), "a stray pg_dump");
        assert!(!sandbox.has_run());
        assert_eq!(sandbox.stored().len(), 0, "{:?}", sandbox.stored());
        let connected =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = 'interrupted_dump_test' AND state <> 'idle'";
        wait_for("no session stays on the server", || Postgres::server().psql("postgres", connected) == "0");
        remove_tools(&sandbox);
        expect_recovery(&sandbox);
    }
}

#[test]
fn killed_while_the_command_runs() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.suite("echo $$ >id.new; mv id.new id; exec sleep 1000");
    let mut child = start(&sandbox, &["./suite"]);
    let id = || fs::read_to_string(sandbox.project().join("id")).ok();
    wait_until(&mut child, || id().is_some());
    send(child.id().cast_signed(), libc::SIGKILL);
    awaited("safe-test", &mut child);
    send(id().unwrap().trim().parse().unwrap(), libc::SIGKILL);
    assert_eq!(sandbox.log().last().unwrap()["event"], "run-started");
    let verified = sandbox.run(&["log", "verify"]).expect_code(0);
    assert!(verified.stdout.contains("no end"), "nothing is said of the run without an end: {}", verified.stdout);
    assert_eq!(sandbox.ids().len(), 1);
    sandbox.sqlite("app_test.db", "UPDATE t SET a = 2");
    sandbox.run(&["restore"]).expect_code(0);
    assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "1");
    expect_recovery(&sandbox);
}

/// Kills runs after every so many microseconds, from the first instant to after the end.
#[test]
fn killed_at_any_moment_of_a_run() {
    let sandbox = Sandbox::with_sqlite();
    let mut lasted = Duration::from_millis(30);
    for step in 0..60_u32 {
        // Each run has something to save.
        sandbox.sqlite("app_test.db", &format!("UPDATE t SET a = {}", step + 10));
        let mut child = start(&sandbox, &["./suite"]);
        let started = Instant::now();
        std::thread::sleep(lasted * (step % 30) / 30);
        kill(&mut child);
        if step % 30 == 29 {
            lasted = started.elapsed();
        }
        assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), (step + 10).to_string());
        sandbox.run(&["list"]).expect_code(0);
        let verified = sandbox.run(&["verify", "--all"]);
        assert_eq!(verified.code(), Some(0), "after step {step}: {verified:?}");
        sandbox.run(&["log", "verify"]).expect_code(0);
    }
    expect_recovery(&sandbox);
}

#[test]
fn killed_at_any_moment_of_a_sqlite_restore() {
    let sandbox = Sandbox::with_sqlite();
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT 1, randomblob(2000) FROM n";
    sandbox.sqlite("app_test.db", &format!("DROP TABLE t; CREATE TABLE t(a, b); INSERT INTO t {rows}"));
    sandbox.run(&["snapshot"]).expect_code(0);
    let id = sandbox.ids().remove(0);
    let sum = || sandbox.sqlite("app_test.db", "SELECT sum(a) FROM t");
    let mut seen = (false, false);
    for step in 0..24_u64 {
        sandbox.sqlite("app_test.db", "UPDATE t SET a = 2, b = randomblob(2000)");
        let mut child = start(&sandbox, &["restore", &id]);
        std::thread::sleep(Duration::from_millis(step * 6));
        kill(&mut child);
        let sum = sum();
        assert!(sum == "2000" || sum == "4000", "half a restore: {sum}");
        seen = (seen.0 || sum == "2000", seen.1 || sum == "4000");
        assert_eq!(sandbox.sqlite("app_test.db", "PRAGMA integrity_check"), "ok");
        sandbox.run(&["log", "verify"]).expect_code(0);
    }
    assert!(seen.1, "no restore was killed early enough");
    sandbox.run(&["restore", &id]).expect_code(0);
    assert_eq!(sum(), "2000");
    expect_recovery(&sandbox);
}

/// Kills a call that has asked a server for a password, in a mount namespace where `/proc` shows nothing.
#[cfg(target_os = "linux")]
#[test]
fn killed_without_proc_no_password_stays_for_longer_than_to_the_next_run() {
    let sandbox = with_hanging_pg_dump("killed_without_proc_test");
    let secrets = sandbox.state().join("safe-test/secrets");
    let count = || fs::read_dir(&secrets).map_or(0, |entries| entries.count());
    let script = "mount -t tmpfs tmpfs /proc || exit 99; exec \"$0\" \"$@\"";
    let without_proc = || {
        let mut command = sandbox.program("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_safe-test")]);
        command.arg("./suite").process_group(0).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    for _ in 0..2 {
        let mut child = without_proc().spawn().unwrap();
        wait_until(&mut child, || dumping(&sandbox).is_some());
        assert_eq!(count(), 1, "the one of the living process; a killed one's is cleared");
        let private = fs::metadata(&secrets).unwrap();
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&private) & 0o777, 0o700);
        send(child.id().cast_signed(), libc::SIGKILL);
        awaited("safe-test", &mut child);
        // The hanging one never writes again, upon which the real one would end.
        let tool = dumping(&sandbox).unwrap();
        if is_running(tool) {
            send(tool, libc::SIGKILL);
        }
        fs::remove_file(sandbox.project().join("dumping")).unwrap();
        assert_eq!(count(), 1, "killed before it could remove it");
    }
    remove_tools(&sandbox);
    // The next run needs no such file and clears it all the same; and the way without /proc works.
    expect_recovery(&sandbox);
    assert_eq!(count(), 0);
    Outcome::of(&mut without_proc()).expect_code(0);
    assert_eq!(count(), 0);
}

#[test]
fn what_killed_rewrites_left_is_removed_by_the_next_run() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.guarded().expect_code(0);
    let state = sandbox.state().join("safe-test");
    fs::create_dir_all(state.join("trust")).unwrap();
    let name = ".safe-test_a1B2c3.partial";
    let left = [sandbox.backups(), state.join("audit"), state.join("trust")].map(|folder| folder.join(name));
    left.iter().for_each(|path| fs::write(path, "half").unwrap());
    fs::write(sandbox.backups().join(format!("{name}-journal")), "").unwrap();
    let verified = sandbox.run(&["verify", "--all"]).expect_code(0);
    assert_eq!(verified.stdout.matches("leftover  ").count(), 2, "{}", verified.stdout);
    assert!(left.iter().all(|path| path.exists()), "verify changes nothing");
    expect_recovery(&sandbox);
    assert!(!left.iter().any(|path| path.exists()));
}
