use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

/// A project of these files; `db` stands for a SQLite database, anything else for itself.
fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut bytes = content.as_bytes().to_vec();
        if *content == "db" {
            bytes = b"SQLite format 3\0".to_vec();
            bytes.resize(4096, 0);
        }
        fs::write(path, bytes).unwrap();
    }
    folder
}

fn found(folder: &tempfile::TempDir, store: Option<&str>, bounds: Bounds) -> (Vec<String>, Option<String>) {
    let root = folder.path();
    let store = store.map(|store| root.join(store));
    let Found { files, cut } = find(root, store.as_deref(), bounds, &AtomicBool::new(false));
    assert!(files.iter().all(|(_, engine)| snapshot::file_marks().any(|mark| mark.engine == *engine)));
    let shown = |(path, _): &(PathBuf, Engine)| path.strip_prefix(root).unwrap().display().to_string();
    (files.iter().map(shown).collect(), cut)
}

#[test]
fn database_files_are_found_by_how_they_begin() {
    let half = format!("{:0<4000}", "SQLite format 3\0");
    let folder = project(&[
        ("db.sqlite3", "db"),
        ("a/b/c/d/e/f/data", "db"),
        ("storage/development.sqlite3-wal", "7\u{7f}\u{6}"),
        ("cut.db", &half),
        ("no.db", "text"),
        ("main.py", "import sqlite3\n"),
        ("empty.sqlite", ""),
        (".wrangler/state/v3/d1/x.sqlite", "db"),
        ("state/x.json", "db"),
        ("state/y.json", "{}"),
        ("state/run.log", "db"),
    ]);
    let expected =
        [".wrangler/state/v3/d1/x.sqlite", "a/b/c/d/e/f/data", "cut.db", "db.sqlite3", "state/run.log", "state/x.json"];
    assert_eq!(found(&folder, None, BOUNDS), (expected.map(str::to_owned).into(), None));
}

#[test]
fn what_tools_made_for_themselves_and_the_snapshots_are_left_out() {
    let folder = project(&[
        ("node_modules/x/test.db", "db"),
        (".git/lfs.db", "db"),
        (".coverage", "db"),
        (".coverage.host.1234", "db"),
        (".mypy_cache/3.12/cache.db", "db"),
        ("env/pyvenv.cfg", "home = /usr\n"),
        ("env/lib/x.db", "db"),
        ("out/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n"),
        ("out/deep/x.db", "db"),
        ("e2e/profile/ShaderCache/index", "x"),
        ("e2e/profile/Default/History", "db"),
        ("backups/safe-test/app.dump", "db"),
        ("backups/own.db", "db"),
        ("tmp/app.db", "db"),
    ]);
    let expected = ["backups/own.db", "tmp/app.db"].map(str::to_owned);
    assert_eq!(found(&folder, Some("backups/safe-test"), BOUNDS), (expected.into(), None));
    // The project itself may be called anything, and lie anywhere.
    fs::write(folder.path().join("CACHEDIR.TAG"), "x").unwrap();
    assert_eq!(found(&folder, Some("backups"), BOUNDS).0, ["tmp/app.db"]);
}

#[test]
fn links_are_not_followed() {
    let outside = project(&[("other.db", "db")]);
    let folder = project(&[("app.db", "db")]);
    symlink(outside.path(), folder.path().join("out")).unwrap();
    symlink(outside.path().join("other.db"), folder.path().join("other.db")).unwrap();
    symlink(".", folder.path().join("round")).unwrap();
    assert_eq!(found(&folder, None, BOUNDS), (vec!["app.db".to_owned()], None));
}

#[test]
fn a_search_that_is_cut_off_says_so() {
    let folder = project(&[("a/1", "x"), ("a/2", "x"), ("b/app.db", "db")]);
    let too_many = Some("the project has more files than are looked through".to_owned());
    assert_eq!(found(&folder, None, Bounds { names: 3, ..BOUNDS }).1, too_many);
    assert_eq!(found(&folder, None, Bounds { time: Duration::ZERO, ..BOUNDS }).1, too_many);
    assert_eq!(found(&folder, None, Bounds { names: 5, ..BOUNDS }), (vec!["b/app.db".to_owned()], None));
}

#[test]
fn what_this_account_may_not_read_the_command_may_not_either() {
    let folder = project(&[("closed/app.db", "db"), ("app.db", "db")]);
    let closed = folder.path().join("closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let (files, cut) = found(&folder, None, BOUNDS);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let expected: &[&str] =
        if rustix::process::geteuid().is_root() { &["app.db", "closed/app.db"] } else { &["app.db"] };
    assert_eq!((files, cut), (expected.iter().map(|path| (*path).to_owned()).collect(), None));
}

#[test]
fn a_project_that_has_gone_holds_nothing() {
    assert_eq!(Search::begin(Path::new("/nonexistent"), None).finish(), Found::default());
}
