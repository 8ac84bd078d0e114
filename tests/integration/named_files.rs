//! Database files that the command's own words name, of whichever program: `rm dev.db` loses one as surely as a test does.

use std::fs;

use crate::support::{Judged, Sandbox};

/// A project that names a database, with another one beside it.
fn project() -> Sandbox {
    let sandbox = Sandbox::with_sqlite();
    sandbox.sqlite("dev.db", "CREATE TABLE t(a); INSERT INTO t VALUES (7);");
    sandbox
}

const NAMED: &str = "-/./app_test.db";

#[test]
fn a_file_that_a_command_removes_or_replaces_is_saved_and_comes_back() {
    let commands: [&[&str]; 8] = [
        &["rm", "-f", "dev.db", "missing.db"],
        &["rm", "dev.db-wal", "dev.db"],
        &["mv", "dev.db", "elsewhere"],
        &["cp", "app_test.db", "dev.db"],
        &["truncate", "-s", "0", "dev.db"],
        &["sh", "-c", "rm dev.db"],
        &["env", "X=1", "find", "dev.db", "-delete"],
        &["python3", "-c", "import os, sys; os.remove(sys.argv[1])", "dev.db"],
    ];
    for command in commands {
        let sandbox = project();
        sandbox.write("dev.db-wal", "");
        let content = fs::read(sandbox.project().join("dev.db")).unwrap();
        let before = Judged::of(&sandbox, command);
        assert_eq!(before.verdict(), "safe", "{command:?}");
        assert_eq!(before.places(), [NAMED, "-/dev.db"], "{command:?}");
        sandbox.run(command).expect_code(0);
        assert_ne!(fs::read(sandbox.project().join("dev.db")).ok(), Some(content), "{command:?}");
        sandbox.run(&["restore"]).expect_code(0);
        assert_eq!(sandbox.sqlite("dev.db", "SELECT a FROM t"), "7", "{command:?}");
    }
}

#[test]
fn a_file_out_of_the_project_is_saved_too() {
    let sandbox = project();
    let path = sandbox.home().join("old.sqlite");
    fs::rename(sandbox.project().join("dev.db"), &path).unwrap();
    sandbox.run(&["rm", path.to_str().unwrap()]).expect_code(0);
    assert!(!path.exists());
    sandbox.run(&["restore"]).expect_code(0);
    assert!(path.exists());
}

#[test]
fn what_is_only_read_or_is_no_database_is_no_target() {
    let sandbox = project();
    sandbox.write("notes.db", "no database\n");
    let commands: [&[&str]; 8] = [
        &["cat", "dev.db"],
        &["ls", "-l", "dev.db"],
        &["git", "add", "dev.db"],
        &["cp", "dev.db", "dev.db.bak"],
        &["rm", "notes.db"],
        &["rm", "missing.db"],
        &["rm", "-rf", "node_modules"],
        &["make", "dev"],
    ];
    for command in commands {
        let judged = Judged::of(&sandbox, command);
        assert_eq!(judged.verdict(), "safe", "{command:?}");
        assert_eq!(judged.places(), [NAMED], "{command:?}");
    }
}

#[test]
fn a_file_that_cannot_be_looked_at_is_not_lost() {
    // Who may read everything has nothing that cannot be looked at.
    if rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = project();
    let path = sandbox.project().join("dev.db");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    sandbox.run(&["rm", "-f", "dev.db"]).expect_code(121);
    assert!(path.exists());
}

#[test]
fn a_file_on_the_line_is_judged_and_says_nothing_about_the_rest() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.project().join(".git")).unwrap();
    sandbox.write("package.json", "{\"dependencies\": {\"pg\": \"1\"}}");
    sandbox.sqlite("data.sqlite", "CREATE TABLE t(a)");
    sandbox.sqlite("production.db", "CREATE TABLE t(a)");
    let judged = Judged::of(&sandbox, &["node", "load.js", "--into=data.sqlite"]);
    assert_eq!(judged.verdict(), "production");
    assert!(judged.rules().contains(&"database-name-production"), "{:?}", judged.rules());
    fs::remove_file(sandbox.project().join("production.db")).unwrap();
    let judged = Judged::of(&sandbox, &["node", "load.js", "--into=data.sqlite"]);
    assert_eq!((judged.verdict(), judged.rules()), ("unverified", vec!["no-database"]));
    assert_eq!(judged.places(), ["-/data.sqlite"]);

    let sandbox = project();
    fs::rename(sandbox.project().join("dev.db"), sandbox.project().join("production.db")).unwrap();
    assert_eq!(Judged::of(&sandbox, &["rm", "dev.db"]).verdict(), "safe");
    assert_eq!(Judged::of(&sandbox, &["rm", "production.db"]).verdict(), "production");
}
