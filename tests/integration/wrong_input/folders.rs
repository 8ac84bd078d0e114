//! The folder of snapshots and the log in it: not ours, not writable, elsewhere, full.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use super::environment_files::as_nobody;
use crate::support::{Mariadb, Outcome, Postgres, Sandbox};

#[test]
fn a_folder_that_cannot_be_written_stops_the_run() {
    // Somebody else's, which only root can make; what the owner has closed the owner can open.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::with_sqlite();
    fs::create_dir(sandbox.backups()).unwrap();
    let mut command = as_nobody(&sandbox);
    std::os::unix::fs::chown(sandbox.backups(), Some(0), Some(0)).unwrap();
    let outcome = Outcome::of(command.arg("./suite"));
    sandbox.expect_not_run(&outcome, 121, &["backups belongs to another account", "hint: "]);
}

/// In a mount namespace of its own, where the folder of snapshots can be read and not written, by root neither.
#[cfg(target_os = "linux")]
fn with_backups_read_only(sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
    let script = "mount --bind backups backups && mount -o remount,bind,ro backups || exit 99; exec \"$0\" \"$@\"";
    let mut command = sandbox.program("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_safe-test")]);
    Outcome::of(command.args(arguments))
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_folder_stops_the_run_and_is_still_read() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.guarded().expect_code(0);
    sandbox.has_run();
    sandbox.sqlite("app_test.db", "UPDATE t SET a = 2");
    let before = sandbox.stored();
    let outcome = with_backups_read_only(&sandbox, &["./suite"]);
    sandbox.expect_not_run(&outcome, 121, &["backups", "Read-only file system", "hint: "]);
    for arguments in [&["list"][..], &["verify", "--all"], &["log"], &["log", "verify"], &["check"]] {
        with_backups_read_only(&sandbox, arguments).expect_code(0);
    }
    // What changes a database needs its safety snapshot first; what removes snapshots, the log.
    let outcome = with_backups_read_only(&sandbox, &["restore", "latest"]);
    assert!(matches!(outcome.code(), Some(121 | 125)), "{outcome:?}");
    assert_eq!(outcome.stderr.lines().last(), Some("  nothing was changed"), "{}", outcome.stderr);
    assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "2");
    assert_eq!(sandbox.stored(), before);
    sandbox.guarded().expect_code(0);
}

#[test]
fn a_project_that_cannot_be_written_stops_the_run() {
    let sandbox = Sandbox::with_sqlite();
    let mut command = as_nobody(&sandbox);
    fs::set_permissions(sandbox.project(), fs::Permissions::from_mode(0o555)).unwrap();
    let outcome = Outcome::of(command.arg("./suite"));
    fs::set_permissions(sandbox.project(), fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.expect_not_run(&outcome, 121, &["cannot use the snapshots' folder", "Permission denied"]);
    assert!(!sandbox.backups().exists());
}

#[test]
fn a_folder_whose_files_can_be_opened_and_not_listed_was_not_looked_at() {
    // Only root can keep somebody from listing a folder of his own for good; for others the owner's bits count.
    for (folder, mode, code) in [
        ("config", 0o311, 120),
        (".", 0o311, 120),
        // Nobody opens anything in it: what the command sees of it is nothing, too.
        ("config", 0o000, 0),
        ("config", 0o755, 0),
    ] {
        let sandbox = Sandbox::with_sqlite();
        sandbox.write("config/x.yml", "a: b\n");
        sandbox.write("package.json", "{\"scripts\": {\"test\": \"true\"}}\n");
        let at = sandbox.project().join(folder);
        let mut command = as_nobody(&sandbox);
        fs::set_permissions(&at, fs::Permissions::from_mode(mode)).unwrap();
        let outcome = Outcome::of(command.args(["check", "--", "./suite"])).expect_code(code);
        fs::set_permissions(&at, fs::Permissions::from_mode(0o755)).unwrap();
        let told = format!("{folder} was not read: it cannot be listed: Permission denied");
        assert_eq!(outcome.stdout.contains(&told), code == 120, "{folder} {mode:o}: {}", outcome.stdout);
    }
}

#[test]
fn a_link_in_place_of_the_folder_is_not_followed() {
    let sandbox = Sandbox::with_sqlite();
    symlink(sandbox.home(), sandbox.backups()).unwrap();
    sandbox.expect_not_run(&sandbox.guarded(), 121, &["backups is a symbolic link", "hint: make it a real folder"]);
    assert_eq!(fs::read_dir(sandbox.home()).unwrap().count(), 0);
    // A refusal stays a refusal.
    sandbox.write(".env", "DATABASE_URL=postgres://app@127.0.0.1/shop_prod\n");
    sandbox.expect_not_run(&sandbox.guarded(), 120, &["`shop_prod`", "not recorded: ", "symbolic link"]);
}

#[test]
fn a_file_in_place_of_the_folder_is_left_alone() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.write("backups", "mine\n");
    let outcome = sandbox.guarded().expect_code(121);
    assert!(outcome.stderr.contains("backups is not a folder"), "{}", outcome.stderr);
    assert_eq!((sandbox.read("backups").as_str(), sandbox.has_run()), ("mine\n", false));
}

#[test]
fn somebody_elses_folder_is_left_as_it_is() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.write("backups/2020.sql.gz", "theirs");
    sandbox.write("backups/old.dump", "theirs, and not a leftover of ours");
    sandbox.write("backups/.gitignore", "theirs\n");
    fs::set_permissions(sandbox.backups(), fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.guarded().expect_code(0);
    sandbox.run(&["restore"]).expect_code(0);
    let mode = fs::metadata(sandbox.backups()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    assert_eq!(sandbox.read("backups/old.dump"), "theirs, and not a leftover of ours");
    assert_eq!(sandbox.read("backups/.gitignore"), "theirs\n");
    let ours = sandbox.backups().join("safe-test");
    assert_eq!(fs::metadata(&ours).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(sandbox.ids().len(), 2);
    assert_eq!(fs::read_dir(sandbox.backups()).unwrap().count(), 4);
    sandbox.run(&["log", "verify"]).expect_code(0);
}

#[test]
fn nobody_else_can_read_the_folder_or_what_is_in_it() {
    let sandbox = Sandbox::with_sqlite();
    let mut command = sandbox.program("sh");
    command.args(["-c", "umask 0; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_safe-test"), "./suite"]);
    Outcome::of(&mut command).expect_code(0);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&sandbox.backups()), 0o700);
    for entry in fs::read_dir(sandbox.backups()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_log_that_cannot_be_written_stops_the_run_and_no_refusal() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.guarded().expect_code(0);
    assert!(sandbox.has_run());
    let log = sandbox.backups().join("audit.log");
    fs::remove_file(&log).unwrap();
    fs::create_dir(&log).unwrap();
    sandbox.expect_not_run(&sandbox.guarded(), 125, &["audit.log is not a regular file", "hint: move "]);
    sandbox.write(".env", "DATABASE_URL=postgres://app@127.0.0.1/shop_prod\n");
    sandbox.expect_not_run(&sandbox.guarded(), 120, &["`shop_prod`", "not recorded: "]);
}

#[test]
fn a_state_folder_that_cannot_be_written_stops_the_run() {
    let mut sandbox = Sandbox::with_sqlite();
    let file = sandbox.write("file", "");
    sandbox.set("XDG_STATE_HOME", &file);
    sandbox.expect_not_run(&sandbox.guarded(), 125, &["anchor", &file.display().to_string(), "hint: "]);
}

/// The project on a disk of its own, so small that no snapshot fits.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_the_run_and_leaves_no_half_file() {
    let with_large_sqlite = || {
        let sandbox = Sandbox::with_sqlite();
        sandbox.sqlite("app_test.db", "CREATE TABLE big(b); INSERT INTO big VALUES (randomblob(3000000))");
        sandbox
    };
    let with_large_postgres = || {
        let sandbox = Sandbox::with_postgres("full_disk_test");
        let rows = "CREATE TABLE big AS SELECT md5(random()::text) FROM generate_series(1, 150000)";
        Postgres::server().psql("full_disk_test", rows);
        sandbox
    };
    let with_large_mariadb = || {
        let sandbox = Sandbox::with_mariadb("full_disk_test");
        let rows = "CREATE TABLE big (a TEXT); INSERT INTO big SELECT MD5(RAND()) FROM seq_1_to_150000";
        Mariadb::server().sql("full_disk_test", rows);
        sandbox
    };
    let mariadb = with_large_mariadb();
    // There it is full at ten points.
    let mariadb_at = (1..=10).map(|part| (&mariadb, part * 100));
    for (sandbox, kilobytes) in
        [(&with_large_sqlite(), 1000), (&with_large_postgres(), 1000)].into_iter().chain(mariadb_at)
    {
        fs::create_dir_all(sandbox.backups()).unwrap();
        let script = format!(
            "mount -t tmpfs -o size={kilobytes}k,mode=700 tmpfs backups || exit 99
             \"$0\" ./suite; status=$?; ls -A backups >left; exit $status"
        );
        let mut command = sandbox.program("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script, env!("CARGO_BIN_EXE_safe-test")]);
        let outcome = Outcome::of(&mut command);
        sandbox.expect_not_run(&outcome, 121, &["No space left on device", "hint: free "]);
        let left = sandbox.read("left");
        assert_eq!(left.lines().collect::<Vec<_>>(), [".gitignore", "audit.log"], "{}", outcome.stderr);
    }
}

#[test]
fn a_limit_on_the_size_of_files_stops_the_run_and_leaves_no_half_file() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.sqlite("app_test.db", "CREATE TABLE big(b); INSERT INTO big VALUES (randomblob(3000000))");
    let mut command: Command = sandbox.program("sh");
    // In blocks of 512 bytes.
    command.args(["-c", "ulimit -f 2000; exec \"$0\" ./suite", env!("CARGO_BIN_EXE_safe-test")]);
    let outcome = Outcome::of(&mut command);
    sandbox.expect_not_run(&outcome, 121, &["File too large", "hint: "]);
    assert_eq!(sandbox.stored().len(), 0);
}
