//! Undoing what was done to a SQLite database where the disk, a flag, a mount or a kill stands in the way: the database is the old
//! one or the new one, and nothing else is written to.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Outcome, Sandbox, awaited};

/// How many restores are killed; the long form kills more.
fn steps() -> u32 {
    if std::env::var_os("SAFE_TEST_LONG").is_some() { 50 } else { 8 }
}

/// Runs a script in a mount namespace of its own, in which `$0` is safe-test.
fn in_namespace(sandbox: &Sandbox, script: &str) -> Outcome {
    let mut command = sandbox.program("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-ec", script, env!("CARGO_BIN_EXE_safe-test")]);
    Outcome::of(&mut command)
}

#[test]
fn a_restore_that_gives_a_name_its_file_back_can_be_killed_at_any_moment() {
    let steps = steps();
    let mut whole = Duration::ZERO;
    for step in 0..=steps {
        let sandbox = Sandbox::with_sqlite();
        sandbox.sqlite("app_test.db", "CREATE TABLE big(b); INSERT INTO big VALUES (randomblob(3000000))");
        sandbox.sqlite("b.db", "CREATE TABLE others(a); INSERT INTO others VALUES (2)");
        sandbox.suite("ln -sf b.db app_test.db");
        sandbox.guarded().expect_code(0);
        let database = sandbox.project().join("app_test.db");
        let before = fs::read(sandbox.project().join("b.db")).unwrap();
        let started = Instant::now();
        let mut restore =
            sandbox.command().args(["restore"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        if step == 0 {
            awaited("a restore", &mut restore);
            whole = started.elapsed();
        } else {
            std::thread::sleep(whole * step / steps);
            restore.kill().unwrap();
            restore.wait().unwrap();
        }
        let found = fs::symlink_metadata(&database).unwrap();
        let tables = "SELECT group_concat(name) FROM sqlite_schema";
        let expected = if found.is_symlink() { "others" } else { "t,big" };
        assert_eq!(sandbox.sqlite("app_test.db", tables), expected, "step {step}");
        sandbox.run(&["restore"]).expect_code(0);
        assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "1", "step {step}");
        let found = fs::symlink_metadata(&database).unwrap();
        assert!(found.is_file() && found.nlink() == 1, "step {step}");
        assert_eq!(fs::read(sandbox.project().join("b.db")).unwrap(), before, "step {step}");
        let names = fs::read_dir(sandbox.project()).unwrap().map(|entry| entry.unwrap().file_name());
        let names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        assert!(!names.iter().any(|name| name.ends_with(".partial")), "step {step}: {names:?}");
        let is_kept = |name: &String| {
            let path = sandbox.project().join(name);
            name.contains(".replaced_") && fs::read_link(path).is_ok_and(|to| to.as_os_str() == "b.db")
        };
        assert!(names.iter().any(is_kept), "step {step}: {names:?}");
    }
}

#[test]
fn a_full_disk_takes_back_what_a_restore_had_written() {
    for (damage, left) in [
        ("sqlite3 data/app_test.db 'DELETE FROM big; UPDATE t SET a = 2; VACUUM'", "2"),
        ("rm data/app_test.db; ln -s nowhere data/app_test.db", ""),
        ("rm data/app_test.db", ""),
    ] {
        let sandbox = Sandbox::with_sqlite();
        sandbox.write(".env", "APP_ENV=testing\nDATABASE_URL=sqlite:./data/app_test.db\n");
        sandbox.sqlite("app_test.db", "CREATE TABLE big(b); INSERT INTO big VALUES (randomblob(1500000))");
        fs::create_dir(sandbox.project().join("data")).unwrap();
        sandbox.suite(&format!("{damage}\ncat /dev/zero > data/filled || true"));
        let script = "mount -t tmpfs -o size=4m,mode=700 tmpfs data || exit 99
            mv app_test.db data/
            \"$0\" ./suite 2>/dev/null
            if \"$0\" restore 2>said; then exit 98; else echo $? >status; fi
            ls -A data >left
            sqlite3 data/app_test.db 'SELECT a FROM t' >now 2>&1 || true
            test -s data/app_test.db || rm -f data/app_test.db
            rm data/filled
            \"$0\" restore >/dev/null
            sqlite3 data/app_test.db 'SELECT a, length(b) FROM t, big'";
        let outcome = in_namespace(&sandbox, script).expect_code(0);
        assert_eq!(outcome.stdout, "1|1500000\n", "{damage}: {}", outcome.stderr);
        assert_eq!(sandbox.read("status"), "125\n", "{damage}");
        let said = sandbox.read("said");
        assert_eq!(said.lines().last(), Some("  nothing was changed"), "{damage}: {said}");
        assert!(said.contains("full") || said.contains("No space left"), "{damage}: {said}");
        if !left.is_empty() {
            assert_eq!(sandbox.read("now").trim_end(), left, "{damage}");
        }
        assert!(!sandbox.read("left").contains(".partial"), "{damage}: {}", sandbox.read("left"));
    }
}

#[test]
fn what_was_mounted_over_a_database_is_not_written_and_what_was_there_before_is() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.sqlite("b.db", "CREATE TABLE others(a); INSERT INTO others VALUES (2)");
    let before = fs::read(sandbox.project().join("b.db")).unwrap();
    // What the suite's own words name would be saved and put back, too.
    sandbox.suite("mount --bind [b].db app_test.db");
    let script = "\"$0\" ./suite
        if \"$0\" restore; then exit 98; fi
        cmp b.db app_test.db
        umount app_test.db
        \"$0\" restore";
    let outcome = in_namespace(&sandbox, script).expect_code(0);
    assert!(outcome.stderr.contains("it is mounted there"), "{}", outcome.stderr);
    assert_eq!(fs::read(sandbox.project().join("b.db")).unwrap(), before);
    assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "1");
    // As a container has it: the file was mounted when it was saved.
    sandbox.suite("sqlite3 app_test.db 'DELETE FROM t'");
    sandbox.sqlite("real.db", "CREATE TABLE t(a); INSERT INTO t VALUES (3)");
    let script = "mount --bind real.db app_test.db
        \"$0\" ./suite
        \"$0\" restore
        cmp real.db app_test.db";
    in_namespace(&sandbox, script).expect_code(0);
    assert_eq!(sandbox.sqlite("real.db", "SELECT a FROM t"), "3");
    assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "1");
}

#[test]
fn a_file_that_nobody_may_change_is_said_not_to_come_back_and_does_once_it_may() {
    let sandbox = Sandbox::with_sqlite();
    let flag = |flag: &str| {
        Command::new("chattr").args([flag, "app_test.db"]).current_dir(sandbox.project()).stderr(Stdio::null()).status()
    };
    // Only root may, and not on every file system.
    if !flag("+i").is_ok_and(|status| status.success()) {
        return;
    }
    let saved = sandbox.guarded();
    let restored = sandbox.run(&["restore"]);
    assert!(flag("-i").unwrap().success());
    let saved = saved.expect_code(0);
    assert!(saved.stderr.contains("the database's file cannot be written"), "{}", saved.stderr);
    let restored = restored.expect_code(125);
    assert_eq!(restored.stderr.lines().last(), Some("  nothing was changed"), "{}", restored.stderr);
    sandbox.sqlite("app_test.db", "DELETE FROM t");
    sandbox.run(&["restore"]).expect_code(0);
    assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "1");
}

#[test]
fn a_database_in_a_folder_that_cannot_be_written_is_as_it_was() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.write(".env", "APP_ENV=testing\nDATABASE_URL=sqlite:./data/app_test.db\n");
    fs::create_dir(sandbox.project().join("data")).unwrap();
    fs::rename(sandbox.project().join("app_test.db"), sandbox.project().join("data/app_test.db")).unwrap();
    sandbox.suite("sqlite3 data/app_test.db 'DELETE FROM t'");
    sandbox.guarded().expect_code(0);
    let before = fs::read(sandbox.project().join("data/app_test.db")).unwrap();
    // Root may write to every folder but one that is mounted so.
    let script = "mount --bind data data && mount -o remount,bind,ro data || exit 99; \"$0\" restore";
    let outcome = in_namespace(&sandbox, script).expect_code(125);
    assert_eq!(outcome.stderr.lines().last(), Some("  nothing was changed"), "{}", outcome.stderr);
    assert_eq!(fs::read(sandbox.project().join("data/app_test.db")).unwrap(), before);
    sandbox.run(&["restore"]).expect_code(0);
    assert_eq!(sandbox.sqlite("data/app_test.db", "SELECT a FROM t"), "1");
}
