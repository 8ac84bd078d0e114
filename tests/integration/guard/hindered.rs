//! Where there can be no guard: the run says so in one line and goes on as strict as without it.

use super::world::fixture;
use crate::support::{Outcome, Sandbox};

/// A system call, how it fails, and what is said of it.
const HINDRANCES: [(&str, &str, &str); 5] = [
    ("seccomp", "EINVAL", "this kernel does not show system calls to a watching program: Invalid argument"),
    ("seccomp", "ENOSYS", "this kernel does not show system calls to a watching program: Function not implemented"),
    ("seccomp", "EPERM", "the system does not permit it: Operation not permitted"),
    ("process_vm_readv", "EPERM", "the memory of a program that was started cannot be read: Operation not permitted"),
    ("process_vm_readv", "ENOSYS", "the memory of a program that was started cannot be read: Function not implemented"),
];

fn without(sandbox: &Sandbox, call: &str, error: &str, words: &[&str]) -> Outcome {
    let mut command = sandbox.program("python3");
    command.arg(fixture("without.py")).args([call, error, env!("CARGO_BIN_EXE_safe-test")]).args(words);
    Outcome::of(&mut command)
}

#[test]
fn a_run_that_cannot_be_watched_says_so_in_one_line_and_goes_on() {
    let sandbox = Sandbox::with_sqlite();
    for (call, error, why) in HINDRANCES {
        let outcome = without(&sandbox, call, error, &["true"]).expect_code(0);
        let said: Vec<&str> = outcome.stderr.lines().filter(|line| line.contains("not watched")).collect();
        assert!(matches!(said[..], [line] if line.contains(why)), "{call} {error}: {}", outcome.stderr);
        let log = sandbox.log();
        let finished = log.iter().rfind(|entry| entry["event"] == "run-finished").unwrap();
        let guard = finished["guard"].as_str().unwrap();
        assert!(guard.starts_with("unavailable: ") && guard.contains(why), "{finished:#}");
    }
}

#[test]
fn a_run_without_a_name_that_cannot_be_watched_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.git_init();
    sandbox.write("package.json", "{\"dependencies\": {\"pg\": \"1\"}}\n");
    sandbox.suite("exit 4");
    for (call, error, why) in HINDRANCES {
        let outcome = without(&sandbox, call, error, &["./suite"]).expect_code(120);
        assert!(outcome.stderr.contains(why), "{call} {error}: {}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().last(), Some("  the command was not run"), "{}", outcome.stderr);
        assert!(!sandbox.has_run());
    }
}

#[test]
fn the_doctor_says_that_nothing_is_watched() {
    let sandbox = Sandbox::with_sqlite();
    for (call, error, why) in HINDRANCES {
        let said = without(&sandbox, call, error, &["doctor"]).stdout;
        assert!(said.contains("not watched: ") && said.contains(why), "{call} {error}: {said}");
    }
}
