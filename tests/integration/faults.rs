//! What the system denies us: memory, threads, descriptors, processes. Each end has its status and its last line.

use crate::support::{Outcome, Sandbox, with_default_signals};

/// Runs a command under a limit that a shell sets; every way to end is one of those that are promised.
#[track_caller]
fn guarded_under(sandbox: &Sandbox, limit: &str) -> Option<i32> {
    let mut command = sandbox.program("sh");
    let script = format!("{limit} || exit 99; exec \"$0\" touch ran");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_safe-test")]);
    let before = sandbox.log().len();
    let outcome = Outcome::of(&mut command);
    let said = &outcome.stderr;
    let (code, has_run) = (outcome.code(), sandbox.has_run());
    // The loader had not even started us.
    if said.contains("error while loading shared libraries")
        || said.contains("Cannot fork")
        || said.is_empty() && !has_run
    {
        return None;
    }
    assert!(matches!(code, Some(0 | 120 | 121 | 125)), "{limit}: {code:?} {said}");
    if !has_run {
        assert_ne!(code, Some(0), "{limit}: {said}");
        let last = said.lines().last().unwrap_or_default().trim();
        assert!(["the command was not run", "nothing was run"].contains(&last), "{limit}: {code:?} {said}");
    }
    if !said.contains("not recorded") {
        // One before it may have said that its end is not recorded.
        let log = sandbox.log();
        let of = |event: &str| log[before..].iter().filter(|entry| entry["event"] == event).count();
        assert_eq!(of("run-started"), of("run-finished"), "{limit}: a start without an end: {said}");
    }
    code
}

#[test]
fn without_memory_it_ends_with_a_last_line() {
    let sandbox = Sandbox::with_sqlite();
    // Large enough that threads read it back.
    sandbox.sqlite(
        "app_test.db",
        "CREATE TABLE u AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) \
         SELECT hex(randomblob(1000)) AS b FROM n; SELECT 1",
    );
    let codes: Vec<_> = (4_000..60_000)
        .step_by(1_500)
        .filter_map(|size| guarded_under(&sandbox, &format!("ulimit -v {size}")))
        .collect();
    assert!(codes.iter().any(|code| *code == 121 || *code == 125) && codes.contains(&0), "{codes:?}");
}

#[test]
fn without_descriptors_it_ends_with_a_last_line() {
    let sandbox = Sandbox::with_sqlite();
    let codes: Vec<_> = (3..24).filter_map(|count| guarded_under(&sandbox, &format!("ulimit -n {count}"))).collect();
    assert!(codes.iter().any(|code| *code != 0) && codes.contains(&0), "{codes:?}");
}

#[test]
fn without_processes_it_ends_with_a_last_line() {
    let sandbox = Sandbox::with_sqlite();
    // For somebody whose processes are counted; root's are not.
    if rustix::process::geteuid().is_root() {
        let everything = sandbox.project().parent().unwrap().to_owned();
        Outcome::of(sandbox.program("chown").args(["-R", "54321:54321"]).arg(&everything)).expect_code(0);
    }
    let is_root = rustix::process::geteuid().is_root();
    for count in 0..4 {
        let mut command = sandbox.program(if is_root { "setpriv" } else { "prlimit" });
        if is_root {
            command.args(["--reuid=54321", "--regid=54321", "--clear-groups", "prlimit"]);
        }
        command.arg(format!("--nproc={count}")).args([env!("CARGO_BIN_EXE_safe-test"), "touch", "ran"]);
        with_default_signals(&mut command);
        let outcome = Outcome::of(&mut command);
        if !sandbox.has_run() {
            assert!(
                matches!(outcome.code(), Some(120 | 121 | 125)),
                "{count}: {:?} {}",
                outcome.code(),
                outcome.stderr
            );
            assert!(outcome.stderr.ends_with("the command was not run\n"), "{count}: {}", outcome.stderr);
        }
    }
}
