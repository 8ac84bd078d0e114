//! Files that name databases, and what can be wrong with them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::{Outcome, Sandbox, copy_program};

/// Does what follows as somebody who is not root, whom no permission stops.
pub(super) fn as_nobody(sandbox: &Sandbox) -> Command {
    if !rustix::process::geteuid().is_root() {
        return sandbox.command();
    }
    // The build folder may be out of that user's reach.
    let program = sandbox.tools().join("safe-test");
    copy_program(Path::new(env!("CARGO_BIN_EXE_safe-test")), &program);
    let everything = sandbox.project().parent().unwrap().to_owned();
    Outcome::of(Command::new("chown").args(["-R", "nobody"]).arg(&everything)).expect_code(0);
    as_this_nobody(sandbox)
}

/// As [`as_nobody`], which was called before, but all files stay whose they are now.
pub(super) fn as_this_nobody(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.program("setpriv");
    let program = sandbox.tools().join("safe-test");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(program);
    command
}

#[test]
fn an_unreadable_file_is_named() {
    let sandbox = Sandbox::with_sqlite();
    fs::set_permissions(sandbox.project().join(".env"), fs::Permissions::from_mode(0o000)).unwrap();
    let outcome = Outcome::of(as_nobody(&sandbox).arg("./suite"));
    sandbox.expect_guarded(&outcome, &[".env cannot be read: Permission denied"]);
    assert_eq!(outcome.stderr.matches("Permission denied").count(), 1, "{}", outcome.stderr);
}

#[test]
fn a_folder_in_place_of_the_file_is_named() {
    let sandbox = Sandbox::with_sqlite();
    fs::remove_file(sandbox.project().join(".env")).unwrap();
    fs::create_dir(sandbox.project().join(".env")).unwrap();
    sandbox.expect_guarded(&sandbox.guarded(), &[".env cannot be read: it is a folder"]);
    assert!(sandbox.run(&["check"]).expect_code(120).stdout.contains("what to do: make .env a readable text file"));
}

#[test]
fn an_unreadable_file_does_not_hide_what_another_one_says() {
    let sandbox = Sandbox::with_sqlite();
    fs::create_dir(sandbox.project().join(".env.test")).unwrap();
    sandbox.write(".env", "DATABASE_URL=postgres://app@127.0.0.1/shop_prod\n");
    sandbox.expect_not_run(
        &sandbox.guarded(),
        120,
        &[".env.test cannot be read", "`shop_prod`", "DATABASE_URL (.env:1)"],
    );
}

#[test]
fn a_line_that_is_not_utf8_is_named_and_the_others_are_judged() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.write(".env", b"APP_ENV=testing\nCITY=K\xf6ln\nDATABASE_URL=sqlite:./app_test.db\n");
    let outcome = sandbox.guarded().expect_code(0);
    assert!(outcome.stderr.contains("note: .env:2: holds bytes that are not UTF-8"), "{}", outcome.stderr);
    assert!(sandbox.has_run());
    assert_eq!(sandbox.manifests()[0]["database"], sandbox.project().join("app_test.db").to_str().unwrap());
    sandbox.write(".env", b"CITY=K\xf6ln\nDATABASE_URL=postgres://app@127.0.0.1/shop_prod\n");
    sandbox.expect_not_run(&sandbox.guarded(), 120, &["`shop_prod`", "DATABASE_URL (.env:2)"]);
}

#[test]
fn a_broken_line_is_named_and_the_variables_after_it_are_judged() {
    for broken in ["no equals sign here", "=value", "QUOTED=\"never closed", "%%%", "{\"json\": 1}", "source ./other"] {
        let sandbox = Sandbox::with_sqlite();
        sandbox.write(".env", format!("APP_ENV=testing\n{broken}\nDATABASE_URL=sqlite:./app_test.db\n"));
        let outcome = sandbox.guarded().expect_code(0);
        assert!(outcome.stderr.contains("note: .env:2: "), "{broken}\n{}", outcome.stderr);
        assert_eq!(outcome.stderr.matches(".env:2").count(), 1, "{broken}\n{}", outcome.stderr);
        assert!(sandbox.has_run());
        assert_eq!(sandbox.ids().len(), 1, "{broken}");

        sandbox.write(".env", format!("APP_ENV=testing\n{broken}\nDATABASE_URL=postgres://app@127.0.0.1/shop_prod\n"));
        sandbox.expect_not_run(&sandbox.guarded(), 120, &["`shop_prod`", "DATABASE_URL (.env:3)"]);
    }
}

#[test]
fn a_value_of_several_lines_is_no_broken_line() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.write(".env", "KEY=\"-----BEGIN\nMIIB/+==\nabc def\n-----END\"\nDATABASE_URL=sqlite:./app_test.db\n");
    let outcome = sandbox.guarded().expect_code(0);
    assert!(!outcome.stderr.contains("note:"), "{}", outcome.stderr);
}

#[test]
fn a_large_file_is_read_to_its_end_and_is_not_followed_in_each_dialect() {
    let long_line = format!("BLOB={}\n", "x".repeat(10 << 20));
    let lines = |size: usize| "SOME_NAME=some value of it\n".repeat(size / 27);
    let cut = ".env was not followed to its end";
    for (filler, is_cut) in [(long_line, None), (lines(200 << 10), None), (lines(10 << 20), Some(cut))] {
        let sandbox = Sandbox::with_sqlite();
        sandbox.write(".env", format!("{filler}DATABASE_URL=sqlite:./app_test.db\n"));
        match is_cut {
            None => {
                sandbox.guarded().expect_code(0);
                assert!(sandbox.has_run());
            }
            Some(cut) => sandbox.expect_guarded(&sandbox.guarded(), &[cut]),
        }
        sandbox.write(".env", format!("{filler}DATABASE_URL=postgres://app@127.0.0.1/shop_prod\n"));
        sandbox.expect_not_run(&sandbox.guarded(), 120, &["`shop_prod`", "DATABASE_URL (.env:"]);
    }
}

#[test]
fn a_file_too_large_to_be_read_is_named() {
    let sandbox = Sandbox::with_sqlite();
    fs::File::options().write(true).open(sandbox.project().join(".env")).unwrap().set_len(17 << 20).unwrap();
    sandbox.expect_guarded(&sandbox.guarded(), &[".env cannot be read: it is larger than 16 MiB"]);
}

#[test]
fn a_file_that_was_named_on_the_command_line_and_is_not_there_stops_the_run() {
    let sandbox = Sandbox::with_sqlite();
    let outcome = sandbox.run(&["--env-file", "nowhere.env", "./suite"]);
    sandbox.expect_not_run(&outcome, 120, &["nowhere.env"]);
}
