//! Undoing what a command did, however it did it; and what is said where that fails.

use std::fs;

use crate::support::{Postgres, Sandbox};

#[test]
fn what_a_command_damaged_is_replaced_and_kept() {
    for damage in [
        "echo 'not a database any more' > app_test.db",
        "head -c 4000 app_test.db > cut; mv cut app_test.db",
        "head -c 60 app_test.db > cut; cat cut > app_test.db",
        "printf zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz | dd of=app_test.db conv=notrunc bs=1 seek=4096 2>&1",
    ] {
        let sandbox = Sandbox::with_sqlite();
        sandbox.suite(damage);
        sandbox.guarded().expect_code(0);
        let damaged = fs::read(sandbox.project().join("app_test.db")).unwrap();
        let outcome = sandbox.run(&["restore"]).expect_code(0);
        assert!(outcome.stdout.contains("is kept as `"), "{damage}: {}", outcome.stdout);
        assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "1", "{damage}");
        let kept: Vec<_> = fs::read_dir(sandbox.project())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().contains("app_test.db.damaged_"))
            .collect();
        assert_eq!(kept.len(), 1, "{damage}: {kept:?}");
        assert_eq!(fs::read(&kept[0]).unwrap(), damaged, "{damage}");
        // The next run and its undoing are as always.
        sandbox.suite("sqlite3 app_test.db 'DELETE FROM t'");
        sandbox.guarded().expect_code(0);
        sandbox.run(&["restore"]).expect_code(0);
        assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "1", "{damage}");
    }
}

#[test]
fn a_restore_that_fails_names_the_database_and_its_safety_snapshot() {
    let database = "unlucky_test";
    let sandbox = Sandbox::with_postgres(database);
    let server = Postgres::server();
    sandbox.guarded().expect_code(0);
    // A setting that the server no longer has: the restored database cannot be made, after the safety snapshot was.
    let manifest = sandbox.backups().join(format!("{}.json", sandbox.ids()[0]));
    let text = fs::read_to_string(&manifest).unwrap();
    let damaged = text.replace("\"encoding\": \"UTF8\"", "\"encoding\": \"NO_SUCH\"");
    assert_ne!(text, damaged);
    fs::write(&manifest, damaged).unwrap();
    let outcome = sandbox.run(&["restore"]).expect_code(125);
    let manifests = sandbox.manifests();
    let safety = manifests.iter().find(|manifest| manifest["kind"] == "safety").unwrap()["id"].as_str().unwrap();
    assert!(outcome.stderr.contains(&format!("cannot restore postgres database `{database}`")), "{}", outcome.stderr);
    assert!(outcome.stderr.contains(&format!("`safe-test restore {safety}` puts it back")), "{}", outcome.stderr);
    assert_eq!(server.psql(database, "SELECT a FROM t"), "1");
}
