//! Sandboxes as coding agents run commands in: a home that cannot be written, and no way to this machine itself.
#![cfg(target_os = "linux")]

use std::process::Command;

use crate::known_snapshots::restored_by_a_person;
use crate::support::{Outcome, Sandbox};

const NOT_ANCHORED: &str = "cannot be written, as in a sandbox: the audit log is not anchored";

/// A namespace whose home and state directory cannot be written, and in which no interface is up.
fn within(sandbox: &Sandbox, words: &str) -> Outcome {
    let script = format!(
        "for folder in '{}' '{}'; do mount --bind \"$folder\" \"$folder\" && mount -o remount,bind,ro \"$folder\" || exit 99; done
         {words}",
        sandbox.home().display(),
        sandbox.state().display()
    );
    let mut command: Command = sandbox.program("unshare");
    command.args(["--user", "--map-root-user", "--mount", "--net", "sh", "-c", &script]);
    Outcome::of(&mut command)
}

fn safe_test(words: &str) -> String {
    format!("'{}' {words}", env!("CARGO_BIN_EXE_safe-test"))
}

fn is_known(sandbox: &Sandbox, id: &str) -> bool {
    let listed = sandbox.run(&["list", "--format", "json"]).expect_code(0).stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let all = listed["snapshots"].as_array().or(listed.as_array()).unwrap().clone();
    let one = all.iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("{id}: {listed}"));
    one["known"].as_bool().unwrap()
}

#[test]
fn with_a_home_that_cannot_be_written_a_run_is_recorded_without_an_anchor_and_says_so() {
    let mut sandbox = Sandbox::with_sqlite();
    // Without a state directory of its own, it is the home's.
    sandbox.set("XDG_STATE_HOME", "");
    let outcome = within(&sandbox, &safe_test("./suite")).expect_code(0);
    assert_eq!(outcome.stderr.matches(NOT_ANCHORED).count(), 1, "{}", outcome.stderr);
    let events: Vec<_> = sandbox.log().iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect();
    assert_eq!(events, ["opened", "run-started", "run-finished"]);
    let verified = within(&sandbox, &safe_test("log verify")).expect_code(0).stdout;
    assert!(verified.contains("whole: 3 lines") && verified.contains("no anchor for this log"), "{verified}");
    // The next one goes on from it.
    let outcome = within(&sandbox, &safe_test("./suite")).expect_code(0);
    assert!(!outcome.stderr.contains("not as it was left"), "{}", outcome.stderr);
    within(&sandbox, &safe_test("log verify")).expect_code(0);

    let [first, second] = <[String; 2]>::try_from(sandbox.ids()).unwrap();
    assert!(!is_known(&sandbox, &first) && !is_known(&sandbox, &second));
    sandbox.sqlite("app_test.db", "UPDATE t SET a = 2");
    let refused = sandbox.run(&["restore", &first, "--yes"]).expect_code(121);
    assert!(refused.stderr.contains("nothing was changed"), "{}", refused.stderr);
    let (said, ended) = restored_by_a_person(&sandbox, &first, &first);
    assert_eq!(ended, (0, -1), "{said}");
}

#[test]
fn what_a_sandbox_adds_to_a_log_that_this_machine_knows_is_told_and_takes_nothing_back() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.guarded().expect_code(0);
    let before = sandbox.ids().pop().unwrap();
    sandbox.sqlite("app_test.db", "UPDATE t SET a = 2");
    let outcome = within(&sandbox, &safe_test("./suite")).expect_code(0);
    assert!(outcome.stderr.contains(NOT_ANCHORED), "{}", outcome.stderr);
    let verified = sandbox.run(&["log", "verify"]).expect_code(125).stdout;
    assert!(verified.contains("2 lines were added from line 4 on") && verified.contains("a sandbox"), "{verified}");
    let within_it = sandbox.ids().into_iter().find(|id| *id != before).unwrap();
    assert!(is_known(&sandbox, &before) && !is_known(&sandbox, &within_it));
    let outcome = sandbox.guarded().expect_code(0);
    assert!(outcome.stderr.contains("the audit log was not as it was left"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains(NOT_ANCHORED), "{}", outcome.stderr);
    assert!(is_known(&sandbox, &before) && !is_known(&sandbox, &within_it));
}

#[test]
fn a_policy_lets_nothing_run_without_an_anchor() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.write(".safe-test.toml", "[run]\nanchor = true\n");
    let outcome = within(&sandbox, &safe_test("./suite")).expect_code(125);
    assert!(outcome.stderr.contains("cannot keep the audit log's anchor"), "{}", outcome.stderr);
    assert!(outcome.stderr.ends_with("the command was not run\n"), "{}", outcome.stderr);
    // Outside of it all is as always.
    sandbox.guarded().expect_code(0);
}

/// Lets a command connect to nothing: what some sandboxes do by a filter of system calls.
const FILTER: &str = r#"
import ctypes, os, platform, struct, sys
connect = {"x86_64": 42, "aarch64": 203}[platform.machine()]
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, connect), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000)]
program = b"".join(struct.pack("HBBI", *step) for step in steps)
kept = ctypes.create_string_buffer(program)
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, struct.pack("HP", len(steps), ctypes.addressof(kept))) == 0
os.execvp(sys.argv[1], sys.argv[1:])
"#;

#[test]
fn a_sandbox_without_loopback_is_named_where_a_database_cannot_be_reached() {
    const CLOSED: &str = "no program here can connect to this machine itself, as in a sandbox";
    let sandbox = Sandbox::with_sqlite();
    sandbox.write(".env", "DATABASE_URL=postgres://app@127.0.0.1:5432/app_test\n");
    let outcome = within(&sandbox, &safe_test("./suite"));
    assert!(outcome.stderr.contains(CLOSED), "{}", outcome.stderr);
    let up = within(&sandbox, &format!("ip link set lo up; {}", safe_test("./suite")));
    assert!(!up.stderr.contains(CLOSED), "{}", up.stderr);
    // What connects elsewhere is watched all the same.
    let doctor = within(&sandbox, &safe_test("doctor"));
    assert!(doctor.stdout.contains("watched: of two that were tried one was let through"), "{}", doctor.stdout);
    let mut filtered = sandbox.program("python3");
    let outcome = Outcome::of(filtered.args(["-c", FILTER, env!("CARGO_BIN_EXE_safe-test"), "./suite"]));
    assert!(outcome.stderr.contains(CLOSED), "{}", outcome.stderr);
    assert!(outcome.stderr.ends_with("the command was not run\n"), "{}", outcome.stderr);
}
