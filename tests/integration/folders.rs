//! `[[snapshots.folders]]`: folders of files that are saved beside the databases and put back whole.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::support::{Random, Sandbox};
use crate::terminal::Terminal;

const POLICY: &str = "[[snapshots.folders]]\npath = \"storage\"\n";

#[track_caller]
fn approve(sandbox: &Sandbox) -> String {
    let mut terminal = Terminal::start(sandbox.command().arg("trust"));
    let said = terminal.read_until("exactly this content:");
    terminal.type_in("trust\n");
    let (rest, ended) = terminal.end();
    assert_eq!(ended, (0, -1), "{said}{rest}");
    said
}

/// A project with a database and a folder of uploads, whose suite does what `script` says.
fn project(script: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(".env", "DATABASE_URL=sqlite:app.db\n");
    sandbox.sqlite("app.db", "CREATE TABLE t (a); INSERT INTO t VALUES (1);");
    sandbox.write("storage/one.txt", "one");
    sandbox.write("storage/deep/er/two.bin", vec![7; 300_000]);
    sandbox.write(".safe-test.toml", POLICY);
    approve(&sandbox);
    sandbox.suite(script);
    sandbox
}

/// All that a folder holds: what it is, its permissions, its time to the second, and its content or where it leads.
fn held(folder: &Path) -> BTreeMap<PathBuf, (u32, i64, Vec<u8>)> {
    let mut held = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(at) = waiting.pop() {
        let found = fs::symlink_metadata(&at).unwrap();
        let content = if found.is_symlink() {
            fs::read_link(&at).unwrap().as_os_str().as_bytes().to_vec()
        } else if found.is_dir() {
            waiting.extend(fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().path()));
            Vec::new()
        } else {
            fs::read(&at).unwrap()
        };
        let time = if found.is_symlink() { 0 } else { found.mtime() };
        held.insert(at.strip_prefix(folder).unwrap().to_owned(), (found.mode(), time, content));
    }
    held
}

fn names_in(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.collect()
}

#[test]
fn a_folder_comes_back_as_it_was_with_all_that_is_odd_in_it() {
    let sandbox = project(
        "rm -r storage/deep storage/link; echo changed >storage/one.txt; echo new >storage/new; chmod 700 storage",
    );
    let storage = sandbox.project().join("storage");
    fs::create_dir(storage.join("empty")).unwrap();
    fs::set_permissions(storage.join("empty"), fs::Permissions::from_mode(0o1770)).unwrap();
    fs::set_permissions(storage.join("one.txt"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("../app.db", storage.join("link")).unwrap();
    symlink("/nowhere/at/all", storage.join("dangling")).unwrap();
    sandbox.write("storage/none", "");
    sandbox.write(format!("storage/{}/{}", "d".repeat(200), "f".repeat(250)), "long");
    for name in [&b"new\nline"[..], b"\xff\xfe", b" blank ", b"-rf", b"a'b\"c\\d"] {
        fs::write(storage.join(OsStr::from_bytes(name)), name).unwrap();
    }
    let locked = storage.join("read-only");
    fs::create_dir(&locked).unwrap();
    fs::write(locked.join("file"), "kept").unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
    let before = held(&storage);
    let outcome = sandbox.guarded().expect_code(0);
    assert!(outcome.stderr.contains("folder `"), "{}", outcome.stderr);
    assert_ne!(held(&storage), before);
    sandbox.expect_no_half_file();
    sandbox.run(&["verify", "--all", "--level", "restore"]).expect_code(0);
    let listed = sandbox.run(&["list", "-v"]).expect_code(0).stdout;
    assert!(listed.contains("12 files"), "{listed}");

    sandbox.run(&["restore", "latest"]).expect_code(0);
    assert_eq!(held(&storage), before);
    // And what the command made of it can be had back.
    let safety = sandbox.manifests();
    let safety = safety.iter().find(|one| one["kind"] == "safety" && one["engine"] == "folder").unwrap();
    sandbox.run(&["restore", safety["id"].as_str().unwrap()]).expect_code(0);
    assert_eq!(sandbox.read("storage/one.txt"), "changed\n");
    assert!(!storage.join("deep").exists() && storage.join("new").exists());
    let left: Vec<String> =
        names_in(&sandbox.project()).into_iter().filter(|name| name.contains("safe-test_")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_folder_to_which_nothing_was_written_is_not_saved_again() {
    let sandbox = project("true");
    let folders = || sandbox.manifests().iter().filter(|one| one["engine"] == "folder").count();
    // A clock of a file system is coarse: what is new proves nothing.
    sandbox.guarded().expect_code(0);
    sandbox.guarded().expect_code(0);
    assert_eq!(folders(), 2);
    thread::sleep(Duration::from_millis(3_300));
    sandbox.guarded().expect_code(0);
    let settled = folders();
    let outcome = sandbox.guarded().expect_code(0);
    assert!(outcome.stderr.contains("unchanged since"), "{}", outcome.stderr);
    assert_eq!(folders(), settled);
    // Of the same length, and with its old time.
    let path = sandbox.project().join("storage/one.txt");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, "eno").unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    sandbox.guarded().expect_code(0);
    assert_eq!(folders(), settled + 1);
}

#[test]
fn a_folder_counts_only_once_its_policy_is_approved_and_as_long_as_it_names_it() {
    let sandbox = project("rm -r storage");
    sandbox.guarded().expect_code(0);
    let id = sandbox.ids().into_iter().find(|id| id.starts_with("storage")).unwrap();
    sandbox.write(".safe-test.toml", format!("{POLICY}# more\n"));
    let outcome = sandbox.run(&["restore", &id]).expect_code(121);
    assert!(!sandbox.project().join("storage").exists(), "{}", outcome.stderr);
    sandbox.write("storage/one.txt", "two");
    let before = sandbox.ids().len();
    let outcome = sandbox.run(&["true"]).expect_code(0);
    assert_eq!(sandbox.ids().iter().filter(|id| id.starts_with("storage")).count(), 1, "{before} {}", outcome.stderr);
    let approved = approve(&sandbox);
    assert!(approved.contains("snapshots.folders"), "{approved}");
    sandbox.run(&["restore", &id]).expect_code(0);
    assert_eq!(sandbox.read("storage/one.txt"), "one");
}

#[test]
fn a_folder_that_is_gone_comes_back_and_one_that_was_never_there_is_nothing_to_lose() {
    let sandbox = project("rm -r storage");
    sandbox.guarded().expect_code(0);
    sandbox.run(&["restore", "latest"]).expect_code(0);
    assert_eq!(sandbox.read("storage/one.txt"), "one");
    fs::remove_dir_all(sandbox.project().join("storage")).unwrap();
    let before = sandbox.ids().len();
    sandbox.run(&["true"]).expect_code(0);
    assert!(sandbox.ids().iter().filter(|id| id.starts_with("storage")).count() <= before);
}

#[test]
fn what_would_not_come_back_is_refused() {
    type Spoil = fn(&Sandbox);
    let cases: [(Spoil, &str); 5] = [
        (|it| drop(it.write("storage/sub/.git/HEAD", "ref")), "git's own"),
        (
            |it| {
                fs::rename(it.project().join("storage"), it.temporary().join("elsewhere")).unwrap();
                symlink(it.temporary().join("elsewhere"), it.project().join("storage")).unwrap();
            },
            "a symbolic link",
        ),
        (
            |it| {
                fs::remove_dir_all(it.project().join("storage")).unwrap();
                it.write("storage", "a file");
            },
            "no folder",
        ),
        (
            |it| {
                it.write(".safe-test.toml", format!("{POLICY}[snapshots]\ndirectory = \"storage/kept\"\n"));
                approve(it);
            },
            "where the snapshots are",
        ),
        (
            |it| {
                // By another name of the same folder.
                symlink(it.project(), it.temporary().join("alias")).unwrap();
                let directory = it.temporary().join("alias/storage/kept");
                it.write(".safe-test.toml", format!("{POLICY}[snapshots]\ndirectory = {directory:?}\n"));
                approve(it);
            },
            "where the snapshots are",
        ),
    ];
    for (spoil, expected) in cases {
        let sandbox = project("true");
        spoil(&sandbox);
        let outcome = sandbox.guarded().expect_code(121);
        assert!(outcome.stderr.contains(expected), "{expected}: {}", outcome.stderr);
        assert!(!sandbox.has_run());
    }
}

#[test]
fn a_folder_is_told_as_one_and_may_be_called_anything() {
    let sandbox = project("true");
    sandbox.write("storage/live/one", "1");
    sandbox.write(".safe-test.toml", format!("{POLICY}[[snapshots.folders]]\npath = \"storage/live\"\n"));
    approve(&sandbox);
    let text = sandbox.run(&["check"]).expect_code(0).stdout;
    assert!(text.starts_with("safe: 1 database could be reached, and folders are saved\n"), "{text}");
    assert!(text.contains("storage/live` (file): safe\n    from .safe-test.toml"), "{text}");
    let dry = sandbox.run(&["--dry-run", "./suite"]).expect_code(0);
    assert!(dry.stderr.contains("storage") || dry.stdout.contains("storage"), "{dry:?}");
    sandbox.guarded().expect_code(0);
    fs::remove_dir_all(sandbox.project().join("storage")).unwrap();
    sandbox.run(&["restore", "latest"]).expect_code(0);
    assert_eq!(sandbox.read("storage/live/one"), "1");
    assert_eq!(sandbox.read("storage/one.txt"), "one");
}

#[test]
fn sockets_are_left_out_and_said() {
    let sandbox = project("true");
    let _socket = std::os::unix::net::UnixListener::bind(sandbox.project().join("storage/app.sock")).unwrap();
    let outcome = sandbox.guarded().expect_code(0);
    assert!(outcome.stderr.contains("left out are sockets, pipes and devices: `app.sock`"), "{}", outcome.stderr);
}

#[test]
fn every_damage_to_an_archive_is_found() {
    let sandbox = project("true");
    sandbox.guarded().expect_code(0);
    let id = sandbox.ids().into_iter().find(|id| id.starts_with("storage")).unwrap();
    let path = sandbox.backups().join(format!("{id}.dump"));
    let whole = fs::read(&path).unwrap();
    let mut random = Random::new(14);
    let rounds = if std::env::var_os("SAFE_TEST_LONG").is_some() { 500 } else { 12 };
    for _ in 0..rounds {
        let at = random.below(whole.len());
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << random.below(8);
        for damaged in [flipped, whole[..at].to_vec()] {
            fs::write(&path, damaged).unwrap();
            sandbox.run(&["verify", &id]).expect_code(121);
        }
    }
    sandbox.run(&["restore", &id]).expect_code(121);
    assert_eq!(sandbox.read("storage/one.txt"), "one");
}

#[test]
fn a_kill_leaves_the_folder_whole_old_or_new() {
    let sandbox = project("true");
    for number in 0..400 {
        sandbox.write(format!("storage/many/{number}"), format!("{number}\n").repeat(200));
    }
    // Retention is not what is tried here.
    sandbox.write(".safe-test.toml", format!("{POLICY}[snapshots]\nkeep_last = 100\n"));
    approve(&sandbox);
    let storage = sandbox.project().join("storage");
    let old = held(&storage);
    sandbox.guarded().expect_code(0);
    let id = sandbox.ids().into_iter().find(|id| id.starts_with("storage")).unwrap();
    let rounds = if std::env::var_os("SAFE_TEST_LONG").is_some() { 50 } else { 8 };
    let mut random = Random::new(5);
    for round in 0..rounds {
        sandbox.write("storage/one.txt", "changed");
        let _ = fs::remove_dir_all(storage.join("deep"));
        let new = held(&storage);
        let arguments: &[&str] = if round % 2 == 0 { &["restore", &id] } else { &["snapshot"] };
        let mut running = sandbox.command().args(arguments).stderr(std::process::Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(random.below(400).try_into().unwrap()));
        let _ = running.kill();
        running.wait().unwrap();
        let now = held(&storage);
        assert!(now == old || now == new, "neither after round {round}");
    }
    sandbox.run(&["snapshot"]).expect_code(0);
    sandbox.run(&["verify", "--all"]).expect_code(0);
    sandbox.run(&["restore", &id]).expect_code(0);
    assert!(held(&storage) == old, "it is not as it was");
    let left: Vec<String> =
        names_in(&sandbox.project()).into_iter().filter(|name| name.contains("safe-test_")).collect();
    assert!(left.is_empty(), "{left:?}");
    sandbox.expect_no_half_file();
}
