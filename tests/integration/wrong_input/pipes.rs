//! Pipes in place of environment files, and pipes that are named.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use crate::support::{Outcome, Sandbox, ended, make_pipe};

/// Runs a line of bash in the project, where `$P` is the program.
fn bash(sandbox: &Sandbox, line: &str) -> Outcome {
    let mut command = sandbox.program("bash");
    Outcome::of(command.args(["-c", line]).env("P", env!("CARGO_BIN_EXE_safe-test")))
}

/// Writes `text` into the pipe as soon as somebody reads it.
fn write_later(pipe: PathBuf, text: &'static str) -> thread::JoinHandle<()> {
    thread::spawn(move || fs::File::options().write(true).open(pipe).unwrap().write_all(text.as_bytes()).unwrap())
}

#[test]
fn a_pipe_in_place_of_an_environment_file_is_not_followed_and_its_writer_is_left_waiting() {
    let sandbox = Sandbox::with_sqlite();
    let pipe = sandbox.project().join(".env");
    make_pipe(&pipe);
    let mut writer = Command::new("sh").args(["-c", "echo APP_ENV=testing >\"$0\""]).arg(&pipe).spawn().unwrap();
    sandbox.expect_guarded(&sandbox.guarded(), &[".env was not read: it is a named pipe, not a regular file"]);
    let check = sandbox.run(&["check"]).expect_code(120).stdout;
    for said in ["not-followed", "variables that come by a pipe are read with `--env-file`"] {
        assert!(check.contains(said), "{check}");
    }
    assert!(writer.try_wait().unwrap().is_none(), "somebody opened the pipe");
    // Whoever names it has it read, under that name too.
    let outcome = sandbox.run(&["--env-file", ".env", "check", "--format", "json"]);
    assert!(!outcome.stdout.contains("not-followed") && outcome.stdout.contains("\"testing\""), "{}", outcome.stdout);
    assert!(writer.wait().unwrap().success());
}

#[test]
fn a_pipe_that_is_named_is_read_to_its_end_and_judged() {
    let sandbox = Sandbox::with_sqlite();
    let good = "APP_ENV=testing\\nDATABASE_URL=sqlite:./app_test.db\\n";
    let bad = "DATABASE_URL=postgres://app@127.0.0.1/shop_prod\\n";
    bash(&sandbox, &format!("$P --env-file <(sleep 0.2; printf '{good}') ./suite")).expect_code(0);
    assert!(sandbox.has_run());
    let outcome = bash(&sandbox, &format!("$P --env-file <(printf '{good}'; sleep 0.2; printf '{bad}') ./suite"));
    sandbox.expect_not_run(&outcome, 120, &["`shop_prod`"]);
    let outcome = bash(&sandbox, &format!("printf '{bad}' | $P --env-file /dev/stdin ./suite"));
    sandbox.expect_not_run(&outcome, 120, &["`shop_prod`"]);
    let pipe = sandbox.project().join("pipe");
    make_pipe(&pipe);
    let writer = write_later(pipe, "DATABASE_URL=postgres://app@127.0.0.1/shop_prod\n");
    sandbox.expect_not_run(&sandbox.run(&["--env-file", "pipe", "./suite"]), 120, &["`shop_prod`", "(pipe:1)"]);
    writer.join().unwrap();
}

#[test]
fn a_pipe_that_nobody_writes_to_is_given_up_after_a_while() {
    let sandbox = Sandbox::with_sqlite();
    make_pipe(&sandbox.project().join("pipe"));
    let outcome = sandbox.run(&["--env-file", "pipe", "./suite"]);
    sandbox.expect_not_run(
        &outcome,
        125,
        &["pipe, which `--env-file` names", "nobody writes to it", "hint: start what"],
    );
    let outcome = bash(&sandbox, "$P --env-file <(yes A=1) ./suite");
    sandbox.expect_not_run(&outcome, 125, &["it is larger than 64 MiB"]);
}

#[test]
fn the_commands_input_is_left_to_it() {
    for planted in [".env", ".env.testing", ".safe-test.toml", "package.json", "compose.yaml", "phpunit.xml"] {
        let sandbox = Sandbox::with_sqlite();
        sandbox.suite("cat >read");
        let path = sandbox.project().join(planted);
        let _ = fs::remove_file(&path);
        symlink("/dev/stdin", &path).unwrap();
        let mut child = sandbox.command().arg("./suite").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // One that is refused may be gone before it is given anything.
        let given = child.stdin.take().unwrap().write_all(b"for the suite\n");
        assert!(given.is_ok() || given.is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe), "{planted}");
        let output = ended("the suite", child);
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => assert_eq!(sandbox.read("read"), "for the suite\n", "{planted}"),
            Some(120 | 125) => assert_eq!(said.lines().last(), Some("  the command was not run"), "{planted}\n{said}"),
            other => panic!("{planted}: {other:?}\n{said}"),
        }
    }
}

#[test]
fn the_null_device_is_an_empty_file() {
    let sandbox = Sandbox::with_sqlite();
    symlink("/dev/null", sandbox.project().join(".env.testing")).unwrap();
    sandbox.run(&["--env-file", "/dev/null", "./suite"]).expect_code(0);
    assert!(sandbox.has_run());
}
