//! MongoDB from the outside: the built program against a real server, with MongoDB's own tools.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::support::{Mongo, Outcome, Sandbox, awaited, output};

/// A project whose database has two collections.
fn project(database: &str) -> Sandbox {
    let server = Mongo::server();
    server.fill(database, "orders", 0..50);
    server.fill(database, "customers", 0..3);
    let mut sandbox = Sandbox::new();
    sandbox.put_on_path(&Mongo::programs());
    sandbox.write(".env", format!("APP_ENV=testing\nMONGODB_URI={}\n", server.url(database)));
    sandbox.suite("");
    sandbox
}

/// Lets the suite leave other documents and a collection more, as its own client would.
fn wrecking(sandbox: &Sandbox, database: &str) {
    let server = Mongo::server();
    let words = [("orders", 40..45), ("later", 0..9)]
        .map(|(name, numbers)| server.replacing(&sandbox.temporary(), database, name, numbers));
    sandbox.suite(&words.join("\n"));
}

fn content(database: &str) -> Vec<(String, Vec<u8>)> {
    let server = Mongo::server();
    server.collections(database).into_iter().map(|name| (name.clone(), server.content(database, &name))).collect()
}

#[test]
fn what_a_command_did_is_undone_and_that_can_be_undone() {
    let database = "undone_test";
    let sandbox = project(database);
    let saved = content(database);
    wrecking(&sandbox, database);
    let outcome = sandbox.guarded().expect_code(0);
    let id = sandbox.ids().remove(0);
    let line = format!("safe-test: to undo: safe-test restore {id}\n");
    assert!(outcome.stderr.contains(&line) && outcome.stderr.contains("verified"), "{}", outcome.stderr);
    let wrecked = content(database);
    assert_ne!(wrecked, saved);
    let told = sandbox.run(&["restore", "latest"]).expect_code(0).stdout;
    assert_eq!(content(database), saved);
    sandbox.run(&["verify", "--all", "--level", "restore"]).expect_code(0);
    // What was there is in a safety snapshot.
    let safety = told.split("safe-test restore ").nth(1).unwrap().trim().to_owned();
    sandbox.run(&["restore", &safety]).expect_code(0);
    assert_eq!(content(database), wrecked);
    sandbox.run(&["restore", &id]).expect_code(0);
    assert_eq!(content(database), saved);
    sandbox.run(&["log", "verify"]).expect_code(0);
    let manifest = &sandbox.manifests()[0];
    assert_eq!(manifest["engine"], "mongodb");
    assert!(manifest["notes"][0].as_str().unwrap().contains("not of one moment"), "{manifest}");
}

#[test]
fn doctor_and_a_dry_run_name_the_tool_and_what_is_missing() {
    let sandbox = project("looked_at_test");
    let doctor = sandbox.run(&["doctor"]).stdout;
    assert!(doctor.contains("reachable; server 7") && doctor.contains("mongodump (100.9.5)"), "{doctor}");
    let outcome = sandbox.run(&["--dry-run", "--format", "json", "./suite"]).expect_code(0);
    assert!(!sandbox.has_run(), "{}", outcome.stderr);
    for part in ["--config=", "--db=looked_at_test", "--archive"] {
        assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
    }
    // Without the tools nothing is run.
    let bare = Sandbox::new();
    bare.write(".env", format!("APP_ENV=testing\nMONGODB_URI={}\n", Mongo::server().url("looked_at_test")));
    bare.suite("");
    bare.expect_not_run(&bare.guarded(), 121, &["no MongoDB tools", "hint: "]);
    // One that is not there has nothing to lose.
    bare.write(".env", format!("APP_ENV=testing\nMONGODB_URI={}\n", Mongo::server().url("not_there_test")));
    bare.guarded().expect_code(0);
}

#[test]
fn what_the_manifest_says_to_do_by_hand_brings_the_documents_back() {
    let database = "by_hand_test";
    let sandbox = project(database);
    let server = Mongo::server();
    let saved = (server.content(database, "orders"), server.content(database, "customers"));
    sandbox.run(&["snapshot"]).expect_code(0);
    server.fill(database, "orders", 7..8);
    let manifest = sandbox.manifests().remove(0);
    let commands: Vec<&str> = manifest["by_hand"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    // MongoDB's shell is not at hand: what it would drop is dropped by what comes back.
    let is_shell = |one: &&str| one.contains("mongosh");
    assert_eq!(commands.iter().filter(|one| is_shell(one)).count(), 1);
    let rest: Vec<&str> = commands.into_iter().filter(|one| !is_shell(one)).collect();
    let script = rest.join(" && ").replace(" --stopOnError", " --drop --stopOnError");
    let path = format!("{}:/usr/bin:/bin", Mongo::programs().display());
    let mut shell = std::process::Command::new("/bin/sh");
    let shell = shell.args(["-c", &script]).current_dir(sandbox.backups()).env("PATH", path).stderr(Stdio::piped());
    let done = output(shell);
    assert!(done.status.success(), "{script}\n{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!((server.content(database, "orders"), server.content(database, "customers")), saved);
    assert!(sandbox.backups().join("by_hand_test_before.archive").exists());
}

/// How many are killed.
fn kills() -> u64 {
    if std::env::var_os("SAFE_TEST_LONG").is_some() { 50 } else { 6 }
}

/// Starts safe-test and kills it after a while.
fn killed(sandbox: &Sandbox, arguments: &[&str], after: Duration) {
    let mut command = sandbox.command();
    let mut child = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(after);
    let _ = child.kill();
    awaited("safe-test", &mut child);
}

#[test]
fn a_run_that_is_killed_leaves_a_snapshot_or_none_and_the_database_alone() {
    let database = "killed_test";
    let sandbox = project(database);
    let saved = content(database);
    for step in 0..kills() {
        killed(&sandbox, &["true"], Duration::from_millis(step * 37 % 400));
        assert_eq!(content(database), saved, "{step}");
    }
    sandbox.run(&["true"]).expect_code(0);
    sandbox.run(&["verify", "--all"]).expect_code(0);
}

#[test]
fn a_restore_that_is_killed_can_be_done_again_and_leaves_nothing() {
    let database = "half_test";
    let sandbox = project(database);
    let saved = content(database);
    sandbox.run(&["snapshot"]).expect_code(0);
    let id = sandbox.ids().remove(0);
    let server = Mongo::server();
    for step in 0..kills() {
        server.fill(database, "orders", 3..4);
        server.fill(database, "later", 0..2);
        killed(&sandbox, &["restore", &id], Duration::from_millis(60 + step * 113 % 900));
        // The safety snapshot, or what is there: `customers` is whole in any case once it is restored again.
        sandbox.run(&["restore", &id]).expect_code(0);
        assert_eq!(content(database), saved, "{step}");
    }
    sandbox.run(&["true"]).expect_code(0);
    let list = sandbox.run(&["list"]).expect_code(0).stdout;
    assert!(!list.contains("_restoring_"), "{list}");
}

#[test]
fn runs_at_once_each_have_a_snapshot() {
    let database = "at_once_test";
    let sandbox = project(database);
    thread::scope(|scope| {
        let run = || sandbox.run(&["true"]).expect_code(0);
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        let outcomes: Vec<Outcome> = runs.into_iter().map(|run| run.join().unwrap()).collect();
        assert!(outcomes.iter().all(|outcome| outcome.stderr.contains("verified")));
    });
    sandbox.run(&["verify", "--all"]).expect_code(0);
    sandbox.run(&["log", "verify"]).expect_code(0);
}
