//! Snapshots that are not what they were, or not of this database.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Outcome, Postgres, Sandbox, ended};

/// A project with one snapshot, after which the database was changed; its dump and its manifest.
fn changed_sqlite() -> (Sandbox, PathBuf, PathBuf) {
    let sandbox = Sandbox::with_sqlite();
    sandbox.guarded().expect_code(0);
    sandbox.sqlite("app_test.db", "UPDATE t SET a = 2");
    let id = sandbox.ids().remove(0);
    let (dump, manifest) = (sandbox.backups().join(format!("{id}.dump")), sandbox.backups().join(format!("{id}.json")));
    (sandbox, dump, manifest)
}

/// Fails unless both restoring and verifying say that the snapshot is bad, and the database stays as it was.
#[track_caller]
fn expect_bad(sandbox: &Sandbox, says: &str) {
    let before = sandbox.stored();
    let outcome = sandbox.run(&["restore", "latest"]).expect_code(121);
    assert!(outcome.stderr.contains(says), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().last(), Some("  nothing was changed"));
    assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "2");
    assert_eq!(sandbox.stored(), before);
    let outcome = sandbox.run(&["verify", "--all"]).expect_code(121);
    assert!(outcome.stdout.contains("BAD  "), "{}", outcome.stdout);
    assert!(outcome.stdout.contains(says), "{}", outcome.stdout);
}

#[test]
fn a_snapshot_cut_short_is_not_restored() {
    let (sandbox, dump, _) = changed_sqlite();
    let bytes = fs::read(&dump).unwrap();
    fs::write(&dump, &bytes[..bytes.len() - 1000]).unwrap();
    expect_bad(&sandbox, "its manifest says");
}

#[test]
fn a_snapshot_with_a_flipped_bit_is_not_restored() {
    let (sandbox, dump, _) = changed_sqlite();
    let mut bytes = fs::read(&dump).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&dump, bytes).unwrap();
    expect_bad(&sandbox, "its SHA-256 is not the manifest's");
}

#[test]
fn a_damaged_snapshot_is_not_reused_by_the_next_run() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.guarded().expect_code(0);
    let id = sandbox.ids().remove(0);
    let dump = sandbox.backups().join(format!("{id}.dump"));
    let mut bytes = fs::read(&dump).unwrap();
    bytes[5000] ^= 1;
    fs::write(&dump, bytes).unwrap();
    sandbox.guarded().expect_code(0);
    assert_eq!(sandbox.ids().len(), 2);
    sandbox.run(&["verify", "latest"]).expect_code(0);
}

#[test]
fn a_snapshot_without_its_dump_is_bad() {
    let (sandbox, dump, _) = changed_sqlite();
    fs::remove_file(&dump).unwrap();
    let outcome = sandbox.run(&["restore", "latest"]).expect_code(121);
    assert!(outcome.stderr.contains(dump.to_str().unwrap()), "{}", outcome.stderr);
    assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "2");
    sandbox.run(&["verify", "--all"]).expect_code(121);
}

#[test]
fn a_dump_without_its_manifest_is_a_leftover() {
    let (sandbox, dump, manifest) = changed_sqlite();
    fs::remove_file(&manifest).unwrap();
    let name = dump.file_stem().unwrap().to_str().unwrap();
    let outcome = sandbox.run(&["restore", name]).expect_code(125);
    assert!(outcome.stderr.contains("has no manifest"), "{}", outcome.stderr);
    assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "2");
    let outcome = sandbox.run(&["verify", "--all"]).expect_code(0);
    assert!(outcome.stdout.contains("leftover  "), "{}", outcome.stdout);
    let outcome = sandbox.guarded().expect_code(0);
    assert!(outcome.stderr.contains("a leftover of something that was killed"), "{}", outcome.stderr);
    // The new snapshot may have the name of the old one.
    assert_eq!(sandbox.ids().len(), 1);
    sandbox.run(&["verify", "--all"]).expect_code(0);
    sandbox.expect_no_half_file();
}

/// Changes a manifest by hand.
fn edit(manifest: &std::path::Path, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
    change(&mut value);
    fs::write(manifest, value.to_string()).unwrap();
}

#[test]
fn a_manifest_that_is_none_is_named_and_the_others_are_still_listed() {
    let (sandbox, _, manifest) = changed_sqlite();
    sandbox.guarded().expect_code(0);
    fs::write(&manifest, "{ not json").unwrap();
    let outcome = sandbox.run(&["list"]).expect_code(0);
    assert_eq!(outcome.stdout.lines().count(), 1);
    assert!(outcome.stderr.contains(manifest.to_str().unwrap()), "{}", outcome.stderr);
    let id = manifest.file_stem().unwrap().to_str().unwrap();
    let outcome = sandbox.run(&["restore", id]).expect_code(121);
    assert!(outcome.stderr.contains("cannot read the manifest"), "{}", outcome.stderr);
    sandbox.run(&["verify", "--all"]).expect_code(121);
}

#[test]
fn a_manifest_that_leads_elsewhere_is_not_followed() {
    for (target, database) in [
        (None, Some("/other.db")),
        (Some("nonsense"), None),
        (Some("postgres://app@db.shop.example.org/shop"), None),
        (Some("postgres://app@127.0.0.1/shop_prod"), None),
    ] {
        let (sandbox, _, manifest) = changed_sqlite();
        let victim = sandbox.write("other.db", "");
        edit(&manifest, |manifest| {
            if let Some(target) = target {
                manifest["target"] = target.into();
            }
            if database.is_some() {
                manifest["database"] = victim.to_str().unwrap().into();
            }
        });
        let outcome = sandbox.run(&["restore", "latest"]);
        assert!(matches!(outcome.code(), Some(120 | 121)), "{target:?} {database:?}: {outcome:?}");
        assert_eq!(outcome.stderr.lines().last(), Some("  nothing was changed"), "{}", outcome.stderr);
        assert_eq!(fs::read(&victim).unwrap(), b"");
        assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "2");
    }
}

#[test]
fn a_postgres_snapshot_of_another_database_or_server_is_not_restored() {
    let server = Postgres::server();
    let sandbox = Sandbox::with_postgres("fingerprint_test");
    sandbox.guarded().expect_code(0);
    server.psql("fingerprint_test", "UPDATE t SET a = 2");
    server.replace_database("fingerprint_other_test");
    server.psql("fingerprint_other_test", "CREATE TABLE t(a int); INSERT INTO t VALUES (3);");
    let id = sandbox.ids().remove(0);
    let manifest = sandbox.backups().join(format!("{id}.json"));
    let whole = fs::read(&manifest).unwrap();

    // Another database of the same server.
    edit(&manifest, |manifest| {
        let target = manifest["target"].as_str().unwrap().replace("fingerprint_test", "fingerprint_other_test");
        manifest["target"] = target.into();
    });
    let url = server.url("fingerprint_other_test");
    sandbox.write(".env", format!("DATABASE_URL={url}\n"));
    let outcome = sandbox.run(&["restore", "latest"]);
    assert!(matches!(outcome.code(), Some(121 | 125)), "{outcome:?}");
    assert_eq!(outcome.stderr.lines().last(), Some("  nothing was changed"), "{}", outcome.stderr);

    // Another server, on the same address.
    fs::write(&manifest, &whole).unwrap();
    edit(&manifest, |manifest| manifest["server"]["fingerprint"] = "another".into());
    sandbox.write(".env", format!("DATABASE_URL={}\n", server.url("fingerprint_test")));
    let outcome = sandbox.run(&["restore", "latest"]);
    assert!(matches!(outcome.code(), Some(121 | 125)), "{outcome:?}");
    assert_eq!(outcome.stderr.lines().last(), Some("  nothing was changed"), "{}", outcome.stderr);

    assert_eq!(server.psql("fingerprint_test", "SELECT a FROM t"), "2");
    assert_eq!(server.psql("fingerprint_other_test", "SELECT a FROM t"), "3");
}

#[test]
fn two_runs_at_once_take_a_snapshot_each_or_share_one() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.suite("sleep 0.2");
    let start = || {
        let mut command = sandbox.command();
        command.arg("./suite").stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = (0..6).map(|_| start()).collect();
    for child in running {
        Outcome::from(ended("safe-test", child)).expect_code(0);
    }
    sandbox.expect_no_half_file();
    sandbox.run(&["verify", "--all"]).expect_code(0);
    sandbox.run(&["log", "verify"]).expect_code(0);
    let events = sandbox.log();
    assert_eq!(events.iter().filter(|entry| entry.to_string().contains("run-finished")).count(), 6, "{events:?}");
}
