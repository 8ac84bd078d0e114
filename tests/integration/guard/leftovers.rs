//! What outlives the command, and what becomes of it.

use std::fs;

use super::world::World;
use crate::support::wait_for;

/// A script that leaves a daemon behind, which waits for a file, connects, and writes down what came of it.
fn leave_a_daemon(tries: &str) -> String {
    format!(
        "setsid sh -c 'until [ -e go ] || ! [ -e \"$PWD\" ]; do sleep 0.01; done; {{ {tries}; }} >left.out 2>&1; : >left.done' </dev/null \
         >/dev/null 2>&1 &\necho $! >left.pid\n"
    )
}

#[test]
fn what_outlives_the_command_stays_under_the_same_rules() {
    let world = World::new();
    let tries = "probe tcp 10.0.0.1 5432; probe tcp 127.0.0.1 5432; probe tcp 10.0.0.1 8080; probe tcp 127.0.0.1 3306";
    // safe-test is over before the daemon connects, since only then it is told to.
    let script = "\"$1\" sh -c \"$2\"; echo over $?; : >go; until [ -e left.done ]; do sleep 0.01; done; cat left.out";
    let words = ["sh", "-c", script, "sh", env!("CARGO_BIN_EXE_safe-test"), &leave_a_daemon(tries)];
    let outcome = world.run(&[], &words).expect_code(0);
    let expected = "over 0\ntcp EACCES\ntcp connected\ntcp connected\ntcp EACCES\n";
    assert_eq!(outcome.stdout, expected, "{}", outcome.stderr);
    assert_eq!(world.reached_outside().into_iter().collect::<Vec<_>>(), ["10.0.0.1 8080"]);
    assert!(!outcome.stderr.contains("refused"), "nobody is there to be told: {}", outcome.stderr);
    // Whoever watches writes it down at its leisure.
    let refused = || {
        let log = world.sandbox.log();
        let after = log.iter().skip_while(|entry| entry["event"] != "run-finished");
        after.filter(|entry| entry["event"] == "connection-refused").cloned().collect::<Vec<_>>()
    };
    wait_for("the entries", || refused().len() == 2);
    let addresses: Vec<String> = refused().iter().map(|entry| entry["address"].as_str().unwrap().to_owned()).collect();
    assert_eq!(addresses, ["10.0.0.1:5432", "127.0.0.1:3306"]);
    let runs: Vec<_> = world.sandbox.log().iter().skip(1).map(|entry| entry["run"].clone()).collect();
    assert!(runs.iter().all(|run| *run == runs[0]), "{runs:?}");
    world.sandbox.run(&["log", "verify"]).expect_code(0);
}

#[test]
fn whoever_reads_our_output_sees_its_end_with_the_command() {
    let world = World::new();
    // The reader is `cat`: it ends only when nobody has the pipe open any more.
    let script =
        "{ \"$1\" sh -c \"$2\"; } 2>&1 | cat >/dev/null; echo read; : >go; until [ -e left.done ]; do sleep 0.01; done";
    let words = ["sh", "-c", script, "sh", env!("CARGO_BIN_EXE_safe-test"), &leave_a_daemon("true")];
    assert_eq!(world.run(&[], &words).expect_code(0).stdout, "read\n");
}

#[test]
fn nothing_of_ours_is_left_once_the_last_process_has_ended() {
    let world = World::new();
    world.guarded(&leave_a_daemon("probe tcp 10.0.0.1 5432")).expect_code(0);
    let daemon = world.sandbox.read("left.pid").trim().to_owned();
    let stat = fs::read_to_string(format!("/proc/{daemon}/stat")).unwrap();
    let holder = stat.rsplit(')').next().unwrap().split_whitespace().nth(1).unwrap().to_owned();
    let program = fs::read_link(format!("/proc/{holder}/exe")).unwrap();
    assert_eq!(program, std::path::Path::new(env!("CARGO_BIN_EXE_safe-test")).canonicalize().unwrap());
    let open: Vec<_> = fs::read_dir(format!("/proc/{holder}/fd")).unwrap().collect();
    assert!(open.len() < 16, "{open:?}");
    world.sandbox.write("go", "");
    for process in [daemon, holder] {
        wait_for("the end of all", || !fs::exists(format!("/proc/{process}")).unwrap());
    }
    // Its network is gone by then as well; that it tried is enough.
    assert!(world.sandbox.project().join("left.done").exists());
}

#[test]
fn the_watch_goes_on_where_safe_test_is_killed() {
    let world = World::new();
    let script = "\"$1\" sh -c 'echo $PPID >holder; : >up; until [ -e go ]; do sleep 0.01; done; \
        { probe tcp 10.0.0.1 5432; probe tcp 127.0.0.1 5432; } >left.out; : >left.done' & until [ -e up ]; do sleep 0.01; done; \
        kill -9 $!; wait $!; echo $?; : >go; until [ -e left.done ]; do sleep 0.01; done; cat left.out";
    let words = ["sh", "-c", script, "sh", env!("CARGO_BIN_EXE_safe-test")];
    let outcome = world.run(&[], &words).expect_code(0);
    assert_eq!(outcome.stdout, "137\ntcp EACCES\ntcp connected\n", "{}", outcome.stderr);
    assert!(world.reached_outside().is_empty());
}

#[test]
fn orphans_are_collected_while_the_command_runs() {
    let world = World::new();
    let script =
        "(sleep 0.05 & echo $! >pid); pid=$(cat pid); while kill -0 $pid 2>/dev/null; do sleep 0.01; done; echo gone";
    assert_eq!(world.guarded(script).expect_code(0).stdout, "gone\n");
}
