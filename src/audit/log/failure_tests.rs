//! Places where a log cannot be written: what is said, and that nothing half written stays.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

use crate::audit::log::test_support::{NEEDS_ANCHOR, Sandbox, child, record};
use crate::audit::log::{AuditError, Log, verify_file};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn log_and_anchor_are_private() {
    let sandbox = Sandbox::with_entries(1);
    assert_eq!((mode(&sandbox.path()), mode(sandbox.path().parent().unwrap())), (0o600, 0o700));
    let mut folders = vec![sandbox.state()];
    while let Some(folder) = folders.pop() {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => assert_eq!(mode(&path), 0o600, "{}", path.display()),
            }
        }
    }
}

#[test]
fn what_is_no_log_is_refused_and_left_alone() {
    let refused = |prepare: &dyn Fn(&std::path::Path)| {
        let sandbox = Sandbox::new();
        fs::create_dir(sandbox.path().parent().unwrap()).unwrap();
        prepare(&sandbox.path());
        (sandbox.log().append(&record("r")).unwrap_err(), sandbox)
    };
    let (error, sandbox) = refused(&|path| {
        fs::write(path.with_file_name("elsewhere"), "").unwrap();
        symlink("elsewhere", path).unwrap();
    });
    assert!(matches!(error, AuditError::Symlink { .. }), "{error:?}");
    assert_eq!(fs::read(sandbox.path().with_file_name("elsewhere")).unwrap(), b"");
    let (error, _sandbox) = refused(&|path| symlink("nowhere", path).unwrap());
    assert!(matches!(error, AuditError::Symlink { .. }), "{error:?}");
    let (error, _sandbox) = refused(&|path| fs::create_dir(path).unwrap());
    assert!(matches!(error, AuditError::NotAFile { .. }), "{error:?}");
    let (error, _sandbox) = refused(&|path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()));
    assert!(matches!(error, AuditError::NotAFile { .. }), "{error:?}");
    let (error, sandbox) = refused(&|path| fs::write(path, "type=SYSCALL msg=audit(1)\n").unwrap());
    assert!(matches!(error, AuditError::NotALog { .. }), "{error:?}");
    assert_eq!(fs::read(sandbox.path()).unwrap(), b"type=SYSCALL msg=audit(1)\n");
}

#[test]
fn a_project_that_is_gone_is_not_made_again() {
    let sandbox = Sandbox::with_entries(1);
    fs::remove_dir_all(sandbox.folder.path().join("shop")).unwrap();
    let error = sandbox.log().append(&record("r")).unwrap_err();
    assert!(matches!(error, AuditError::Folder { .. }), "{error:?}");
    assert!(!sandbox.folder.path().join("shop").exists());
}

/// Runs the child as a user who is bound by file modes; root is not.
fn as_ordinary_user(sandbox: &Sandbox, run: &str) -> Output {
    const NOBODY: u32 = 65534;
    if !rustix::process::geteuid().is_root() {
        return sandbox.child(run, 1).output().unwrap();
    }
    // The build folder may be out of that user's reach; the program is copied to where it is not.
    let program = sandbox.folder.path().join("program");
    // Not by this process: what another test starts just then would have the copy open for writing, and it could not
    // be executed (`ETXTBSY`).
    let mut copy = Command::new("install");
    copy.args(["-m", "755"]).arg(std::env::current_exe().unwrap()).arg(&program);
    assert!(copy.status().unwrap().success());
    for folder in [sandbox.folder.path().to_owned(), sandbox.folder.path().join("shop")] {
        let mode = fs::metadata(&folder).unwrap().permissions().mode();
        fs::set_permissions(&folder, Permissions::from_mode(mode | 0o055)).unwrap();
    }
    let mut command = child(&program, &sandbox.path(), &sandbox.state(), run, 1);
    command.uid(NOBODY).gid(NOBODY).current_dir("/").output().unwrap()
}

fn failed_with(output: &Output, kind: &str) -> bool {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    !output.status.success() && String::from_utf8_lossy(&text).contains(&format!("failed with <{kind}>"))
}

#[test]
fn a_folder_that_may_not_be_written_is_named() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path().parent().unwrap()).unwrap();
    fs::set_permissions(sandbox.path().parent().unwrap(), Permissions::from_mode(0o555)).unwrap();
    let output = as_ordinary_user(&sandbox, "r");
    assert!(failed_with(&output, "Open PermissionDenied"), "{output:?}");
}

#[test]
fn in_a_state_directory_that_may_not_be_written_nothing_is_remembered() {
    let sandbox = Sandbox::new();
    fs::set_permissions(sandbox.folder.path().join("shop"), Permissions::from_mode(0o777)).unwrap();
    fs::create_dir(sandbox.state()).unwrap();
    fs::set_permissions(sandbox.state(), Permissions::from_mode(0o555)).unwrap();
    let output = as_ordinary_user(&sandbox, NEEDS_ANCHOR);
    assert!(failed_with(&output, "Anchor PermissionDenied"), "{output:?}");
    for _ in 0..2 {
        let output = as_ordinary_user(&sandbox, "r");
        assert!(output.status.success(), "{output:?}");
    }
    assert!(fs::read_dir(sandbox.state()).unwrap().next().is_none());
    let found = verify_file(&sandbox.path(), &sandbox.state()).unwrap();
    assert_eq!((found.lines, found.damage, found.watched_since), (3, None, None));
}

/// Runs `script` in a mount namespace of its own, where `$LOGS` is a small file system that goes away with it.
#[cfg(target_os = "linux")]
fn on_a_small_file_system(sandbox: &Sandbox, script: &str, appends: usize) -> Output {
    let folder = sandbox.path().parent().unwrap().to_owned();
    fs::create_dir(&folder).unwrap();
    let child = sandbox.child("full", appends);
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-ec"]);
    command.arg(format!("mount -t tmpfs -o size=40k,mode=700 none \"$LOGS\"\n{script}"));
    command.arg(child.get_program()).args(child.get_args());
    command.envs(child.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("LOGS", folder);
    command.output().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named_and_leaves_a_whole_log_that_goes_on_once_there_is_space() {
    let sandbox = Sandbox::new();
    // Fill up, fail, keep what was written for the eyes of this test, make space, and append once more.
    let script = r#"
        head -c 16384 /dev/zero > "$LOGS/ballast"
        if "$0" "$@" > "$LOGS/../first" 2>&1; then exit 90; fi
        cp "$LOGS/audit.log" "$LOGS/../full.log"
        rm "$LOGS/ballast"
        export SAFE_TEST_CHILD_APPENDS=1
        "$0" "$@"
        cp "$LOGS/audit.log" "$LOGS/../after.log"
    "#;
    let output = on_a_small_file_system(&sandbox, script, 100);
    assert!(output.status.success(), "{output:?}");
    let shop = sandbox.folder.path().join("shop");
    let first = fs::read_to_string(shop.join("first")).unwrap();
    assert!(first.contains("failed with <Write StorageFull>"), "{first}");
    for name in ["full.log", "after.log"] {
        let report = crate::audit::verify_file(&shop.join(name), &sandbox.folder.path().join("none")).unwrap();
        assert!(report.is_whole(), "{name}: {}", report.sentence());
        assert!(report.lines > 10, "{name}: {}", report.lines);
        let text = fs::read_to_string(shop.join(name)).unwrap();
        assert!(text.ends_with('\n') && !text.contains(r#""event":"continued""#), "{name}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_read_only_file_system_is_named() {
    let sandbox = Sandbox::new();
    let output = on_a_small_file_system(&sandbox, "mount -o remount,bind,ro \"$LOGS\"\n\"$0\" \"$@\"", 1);
    assert!(failed_with(&output, "Open ReadOnlyFilesystem"), "{output:?}");
}

#[test]
fn an_entry_beyond_the_cap_is_refused_and_nothing_is_written() {
    let sandbox = Sandbox::with_entries(1);
    let before = fs::read(sandbox.path()).unwrap();
    let mut long = record("long");
    long.what.folder = "x".repeat(crate::audit::MAX_LINE);
    let error = sandbox.log().append(&long).unwrap_err();
    assert!(matches!(error, AuditError::TooLong { .. }), "{error:?}");
    assert_eq!(fs::read(sandbox.path()).unwrap(), before);
    assert!(sandbox.report().is_whole());
}

#[test]
fn an_entry_too_long_for_the_anchor_s_copy_is_written_all_the_same() {
    let sandbox = Sandbox::with_entries(1);
    let mut long = record("long");
    long.what.folder = "é".repeat(60_000);
    sandbox.log().append(&long).unwrap();
    assert_eq!(Log::open(&sandbox.path(), &sandbox.state()).append(&record("next")).unwrap().damage, None);
    assert!(sandbox.report().is_whole());
}
