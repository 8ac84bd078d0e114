//! The whole cycle by the built program: check, run, list, restore, verify, prune.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::{Outcome, Postgres, Sandbox, awaited, wait_for};

#[track_caller]
fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {}", outcome.stdout))
}

#[track_caller]
fn expect_fields(value: &Value, fields: &[&str]) {
    for field in fields {
        assert!(value.get(field).is_some(), "no field {field} in {value}");
    }
}

/// What a manifest holds by the design, whatever the engine.
const MANIFEST: &[&str] = &[
    "schema", "id", "kind", "engine", "database", "target", "taken_at", "run", "file", "size", "sha256", "verified",
    "tool", "tables", "by_hand",
];

/// Leads a project through everything; `look` tells what the database holds, `1` before the suite and `2` after it.
fn cycle(sandbox: &Sandbox, engine: &str, destroy: &str, look: &dyn Fn() -> String) {
    let check = json(&sandbox.run(&["check", "--format", "json", "--", "./suite"]).expect_code(0));
    assert_eq!((&check["schema"], &check["verdict"]), (&1.into(), &"safe".into()));
    expect_fields(&check, &["targets", "findings", "environment", "caller"]);
    assert_eq!(check["targets"][0]["engine"], engine);
    expect_fields(&check["targets"][0], &["host", "port", "database", "user", "locality", "verdict", "origins"]);
    assert_eq!(
        check["targets"][0]["origins"][0],
        serde_json::json!({"variable": "DATABASE_URL", "file": ".env", "line": 2})
    );

    sandbox.suite(destroy);
    let outcome = sandbox.guarded().expect_code(0);
    assert_eq!((look().as_str(), outcome.stdout.as_str()), ("2", ""));
    assert_eq!(outcome.stderr.lines().count(), 2, "{}", outcome.stderr);
    let manifests = sandbox.manifests();
    assert_eq!(manifests.len(), 1);
    expect_fields(&manifests[0], MANIFEST);
    assert_eq!(
        (&manifests[0]["engine"], &manifests[0]["kind"], &manifests[0]["verified"], &manifests[0]["schema"]),
        (&engine.into(), &"run".into(), &"read".into(), &1.into())
    );
    let first = manifests[0]["id"].as_str().unwrap().to_owned();
    assert!(outcome.stderr.contains(&format!("to undo: safe-test restore {first}")), "{}", outcome.stderr);
    assert!(sandbox.run(&["list"]).expect_code(0).stdout.contains(&first));

    let restored = json(&sandbox.run(&["restore", "latest", "--format", "json"]).expect_code(0));
    assert_eq!((look().as_str(), &restored["restored"][0]["snapshot"]), ("1", &first.as_str().into()));
    // What was replaced, kept beside or saved, undoes the undoing, and is never `latest`.
    let kept = if engine == "postgres" { "replaced" } else { "safety" };
    sandbox.run(&["restore", restored["restored"][0][kept].as_str().unwrap()]).expect_code(0);
    assert_eq!(look(), "2");
    sandbox.run(&["restore", &format!("backups/{first}.dump")]).expect_code(0);
    assert_eq!(look(), "1");
    sandbox.run(&["restore"]).expect_code(0);
    assert_eq!(look(), "1");

    for arguments in [&["verify", "--all"][..], &["verify", &first], &["verify", "--level", "restore", "--all"]] {
        let verified = json(&sandbox.run(&[arguments, &["--format", "json"]].concat()).expect_code(0));
        assert!(verified["snapshots"].as_array().unwrap().iter().all(|one| one["ok"] == true), "{verified}");
    }
    for row in json(&sandbox.run(&["prune", "--dry-run", "--format", "json"]).expect_code(0)).as_array().unwrap() {
        expect_fields(row, &["id", "keep", "reason"]);
    }
    let before = sandbox.ids();
    sandbox.run(&["prune"]).expect_code(0);
    assert_eq!(sandbox.ids(), before);
    let doctor = json(&sandbox.run(&["doctor", "--format", "json"]).expect_code(0));
    expect_fields(&doctor, &["schema", "ok", "checks"]);
    assert_eq!(json(&sandbox.run(&["log", "verify", "--format", "json"]).expect_code(0))["ok"], true);
    sandbox.expect_no_half_file();
}

#[test]
fn the_whole_cycle_for_sqlite() {
    let sandbox = Sandbox::with_sqlite();
    cycle(&sandbox, "sqlite", "sqlite3 app_test.db 'UPDATE t SET a = 2'", &|| {
        sandbox.sqlite("app_test.db", "SELECT a FROM t")
    });
}

/// A suite's line that runs SQL as the server's superuser.
fn psql(database: &str, sql: &str) -> String {
    let server = Postgres::server();
    format!(
        "PGPASSWORD='{}' {} -Xq -h 127.0.0.1 -p {} -U {} -d {database} -c \"{sql}\" || exit 9",
        server.password(),
        server.program("psql").display(),
        server.port(),
        server.user()
    )
}

#[test]
fn the_whole_cycle_for_postgres() {
    let database = "cycle_test";
    let sandbox = Sandbox::with_postgres(database);
    cycle(&sandbox, "postgres", &psql(database, "UPDATE t SET a = 2"), &|| {
        Postgres::server().psql(database, "SELECT a FROM t")
    });
    let server = Postgres::server();
    let others = "SELECT count(*) FROM pg_database WHERE datname ~ 'cycle_test.+' AND datname !~ '_replaced_'";
    assert_eq!(server.psql("postgres", others), "0", "only what was replaced stays");
}

#[test]
fn several_databases_are_saved_and_put_back_together() {
    let sandbox = Sandbox::with_postgres("several_test");
    let url = Postgres::server().url("several_test");
    sandbox.sqlite("app_test.db", "CREATE TABLE t(a); INSERT INTO t VALUES (1);");
    sandbox.sqlite("reports_test.db", "CREATE TABLE t(a); INSERT INTO t VALUES (1);");
    sandbox.write(
        ".env",
        format!("DATABASE_URL={url}\nAPP_URL=sqlite:./app_test.db\nREPORTS_URL=sqlite:./reports_test.db\nSAME_URL=sqlite:app_test.db\n"),
    );
    sandbox.suite(&format!("sqlite3 app_test.db 'UPDATE t SET a = 2'; {}", psql("several_test", "UPDATE t SET a = 2")));
    let outcome = sandbox.guarded().expect_code(0);
    assert!(outcome.stderr.contains("to undo: safe-test restore latest"), "{}", outcome.stderr);
    // Two variables that name one database are one target.
    assert_eq!(sandbox.ids().len(), 3);
    let restored = json(&sandbox.run(&["restore", "latest", "--format", "json"]).expect_code(0));
    assert_eq!(restored["restored"].as_array().unwrap().len(), 3);
    assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "1");
    assert_eq!(Postgres::server().psql("several_test", "SELECT a FROM t"), "1");

    // The second run reuses what did not change, and `latest` is all of it.
    sandbox.suite("");
    sandbox.sqlite("app_test.db", "UPDATE t SET a = 3");
    sandbox.guarded().expect_code(0);
    let before = sandbox.ids().len();
    sandbox.guarded().expect_code(0);
    let started = sandbox.log().into_iter().rfind(|entry| entry["event"] == "run-started").unwrap();
    assert_eq!(started["snapshots"].as_array().unwrap().len(), 3);
    // Other tests write to the same server, which may cost a snapshot.
    assert!(sandbox.ids().len() <= before + 1, "{:?}", sandbox.ids());
    let restored = json(&sandbox.run(&["restore", "--format", "json"]).expect_code(0));
    assert_eq!(restored["restored"].as_array().unwrap().len(), 3);
    assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "3");
}

#[test]
fn one_bad_snapshot_of_several_stops_the_restore_before_anything_is_touched() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.write(".env", "DATABASE_URL=sqlite:./app_test.db\nREPORTS_URL=sqlite:./reports_test.db\n");
    sandbox.sqlite("reports_test.db", "CREATE TABLE t(a); INSERT INTO t VALUES (1);");
    sandbox.suite("sqlite3 app_test.db 'UPDATE t SET a = 2'; sqlite3 reports_test.db 'UPDATE t SET a = 2'");
    sandbox.guarded().expect_code(0);
    for manifest in sandbox.manifests() {
        let dump = sandbox.backups().join(manifest["file"].as_str().unwrap());
        let whole = fs::read(&dump).unwrap();
        fs::write(&dump, &whole[..4096]).unwrap();
        sandbox.run(&["restore"]).expect_code(121);
        for database in ["app_test.db", "reports_test.db"] {
            assert_eq!(sandbox.sqlite(database, "SELECT a FROM t"), "2");
        }
        fs::write(&dump, whole).unwrap();
    }
    sandbox.run(&["restore"]).expect_code(0);
    assert_eq!(sandbox.sqlite("reports_test.db", "SELECT a FROM t"), "1");
}

/// How many snapshots there are after `change` and one more run.
fn after(sandbox: &Sandbox, change: impl FnOnce()) -> usize {
    change();
    sandbox.guarded().expect_code(0);
    assert!(sandbox.has_run());
    sandbox.ids().len()
}

#[test]
fn an_unchanged_sqlite_database_is_not_saved_again_and_a_changed_one_is() {
    let sandbox = Sandbox::with_sqlite();
    assert_eq!(after(&sandbox, || ()), 1);
    assert_eq!(after(&sandbox, || ()), 1);
    assert_eq!(after(&sandbox, || assert_eq!(sandbox.sqlite("app_test.db", "SELECT count(*) FROM t"), "1")), 1);
    assert_eq!(after(&sandbox, || drop(sandbox.sqlite("app_test.db", "UPDATE t SET a = 7"))), 2);
    assert_eq!(after(&sandbox, || drop(sandbox.sqlite("app_test.db", "PRAGMA journal_mode = WAL"))), 3);
    assert_eq!(after(&sandbox, || drop(sandbox.sqlite("app_test.db", "INSERT INTO t VALUES (5)"))), 4);
    assert_eq!(after(&sandbox, || ()), 4);
    let outcome = sandbox.guarded().expect_code(0);
    assert!(outcome.stderr.contains("unchanged since"), "{}", outcome.stderr);
    // A manual snapshot is always a new one.
    sandbox.run(&["snapshot"]).expect_code(0);
    assert_eq!(sandbox.ids().len(), 5);
}

#[test]
fn an_unchanged_postgres_database_is_not_saved_again_and_a_changed_one_is() {
    let database = "unchanged_test";
    let sandbox = Sandbox::with_postgres(database);
    let server = Postgres::server();
    server.psql(database, "CREATE SEQUENCE s");
    assert_eq!(after(&sandbox, || ()), 1);
    // Other tests write to the same server: its WAL alone proves nothing here, so this may cost a snapshot.
    let mut count = after(&sandbox, || drop(server.psql(database, "SELECT * FROM t")));
    for change in ["SELECT nextval('s')", "SELECT nextval('s')", "UPDATE t SET a = 1", "CREATE TABLE u()", "TRUNCATE t"]
    {
        let now = after(&sandbox, || drop(server.psql(database, change)));
        assert_eq!(now, count + 1, "{change}");
        count = now;
    }
}

#[test]
fn a_database_that_does_not_exist_yet_has_nothing_to_lose() {
    let sandbox = Sandbox::with_sqlite();
    let server = Postgres::server();
    server.psql("postgres", "DROP DATABASE IF EXISTS not_yet_test");
    let url = server.url("not_yet_test");
    sandbox.write(".env", format!("DATABASE_URL={url}\nNEW_URL=sqlite:./new_test.db\n"));
    let outcome = sandbox.guarded().expect_code(0);
    assert_eq!(outcome.stderr.matches("it does not exist").count(), 2, "{}", outcome.stderr);
    assert!(sandbox.has_run());
    let started = sandbox.log().into_iter().find(|entry| entry["event"] == "run-started").unwrap();
    assert!(started["notes"].to_string().contains("it does not exist"), "{started}");
    assert_eq!(sandbox.ids().len(), 0);
}

#[test]
fn a_database_that_the_tests_dropped_is_restored() {
    let database = "dropped_test";
    let sandbox = Sandbox::with_postgres(database);
    sandbox.sqlite("side_test.db", "CREATE TABLE t(a); INSERT INTO t VALUES (1);");
    sandbox
        .write(".env", format!("DATABASE_URL={}\nSIDE_URL=sqlite:./side_test.db\n", Postgres::server().url(database)));
    // Whatever the suite names is put back too: `postgres` is where the other tests are at work.
    Postgres::server().replace_database("beside_dropped_test");
    sandbox.suite(&format!("rm side_test.db; {}", psql("beside_dropped_test", &format!("DROP DATABASE {database}"))));
    sandbox.guarded().expect_code(0);
    sandbox.run(&["restore"]).expect_code(0);
    assert_eq!(Postgres::server().psql(database, "SELECT a FROM t"), "1");
    assert_eq!(sandbox.sqlite("side_test.db", "SELECT a FROM t"), "1");
}

#[test]
fn an_open_reader_sees_the_restored_database() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.sqlite("app_test.db", "PRAGMA journal_mode = WAL");
    let reader = rusqlite::Connection::open(sandbox.project().join("app_test.db")).unwrap();
    let look = || reader.query_row("SELECT a FROM t", [], |row| row.get::<_, i64>(0)).unwrap();
    sandbox.suite("sqlite3 app_test.db 'UPDATE t SET a = 2'");
    sandbox.guarded().expect_code(0);
    assert_eq!(look(), 2);
    sandbox.run(&["restore"]).expect_code(0);
    assert_eq!(look(), 1);
}

#[test]
fn a_connected_client_does_not_keep_a_postgres_database_from_being_restored() {
    let database = "connected_test";
    let sandbox = Sandbox::with_postgres(database);
    sandbox.suite(&psql(database, "UPDATE t SET a = 2"));
    sandbox.guarded().expect_code(0);
    let server = Postgres::server();
    let mut client = sandbox.program(server.program("psql"));
    client.args(["-Xq", &server.url(database)]).stdin(std::process::Stdio::piped());
    let mut client = client.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let connected = format!("SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = '{database}'");
    wait_for("the client is connected", || server.psql("postgres", &connected) == "t");
    sandbox.run(&["restore"]).expect_code(0);
    assert_eq!(server.psql(database, "SELECT a FROM t"), "1");
    drop(client.stdin.take());
    awaited("psql", &mut client);
}

/// Runs the commands of a manifest as a person would: in the folder of the snapshots.
fn by_hand(sandbox: &Sandbox, manifest: &Value, set: &[(&str, String)]) {
    let commands: Vec<&str> =
        manifest["by_hand"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert!(!commands.is_empty());
    let mut shell = sandbox.program("sh");
    shell.args(["-ec", &commands.join("\n")]).current_dir(sandbox.backups()).envs(set.iter().cloned());
    Outcome::of(&mut shell).expect_code(0);
}

#[test]
fn a_sqlite_snapshot_is_restored_by_hand() {
    let sandbox = Sandbox::new();
    sandbox.suite("sqlite3 'it is a test.db' 'UPDATE t SET a = 2'");
    let path = "it is a test.db";
    sandbox.sqlite(path, "CREATE TABLE t(a); INSERT INTO t VALUES (1);");
    sandbox.write(".env", "DATABASE_URL=\"sqlite:./it is a test.db\"\n");
    sandbox.guarded().expect_code(0);
    by_hand(&sandbox, &sandbox.manifests()[0], &[]);
    assert_eq!(sandbox.sqlite(path, "SELECT a FROM t"), "1");
    // The dump is a database: a copy of it will do.
    let dump = sandbox.backups().join(sandbox.manifests()[0]["file"].as_str().unwrap());
    fs::copy(dump, sandbox.project().join("copy.db")).unwrap();
    assert_eq!(sandbox.sqlite("copy.db", "SELECT a FROM t"), "1");
}

#[test]
fn a_postgres_snapshot_is_restored_by_hand() {
    let database = "by Hand's_test";
    let server = Postgres::server();
    let sandbox = Sandbox::with_postgres(database);
    server.psql("postgres", "DROP DATABASE IF EXISTS \"by Hand's_test_before\"; DROP DATABASE IF EXISTS by_hand_new");
    sandbox.guarded().expect_code(0);
    server.psql(database, "UPDATE t SET a = 2");
    let manifest = &sandbox.manifests()[0];
    let path =
        std::env::join_paths([server.programs()].into_iter().chain(["/usr/bin", "/bin"].map(std::path::Path::new)));
    let set = [
        ("PATH", path.unwrap().into_string().unwrap()),
        ("PGHOST", "127.0.0.1".to_owned()),
        ("PGPORT", server.port().to_string()),
        ("PGUSER", server.user().to_owned()),
        ("PGPASSWORD", server.password().to_owned()),
    ];
    // Where to connect stands in the commands, the password nowhere.
    let path_and_password: Vec<_> =
        set.iter().filter(|(name, _)| ["PATH", "PGPASSWORD"].contains(name)).cloned().collect();
    by_hand(&sandbox, manifest, &path_and_password);
    assert_eq!(server.psql(database, "SELECT a FROM t"), "1");
    assert_eq!(server.psql("by Hand's_test_before", "SELECT a FROM t"), "2");

    // As the README has it.
    let script = format!(
        "createdb by_hand_new && zstd -dc {} | pg_restore --exit-on-error --dbname by_hand_new",
        manifest["file"].as_str().unwrap()
    );
    let mut shell = sandbox.program("sh");
    shell.args(["-ec", &script]).current_dir(sandbox.backups()).envs(set);
    Outcome::of(&mut shell).expect_code(0);
    assert_eq!(server.psql("by_hand_new", "SELECT a FROM t"), "1");
}

#[test]
fn a_copied_project_does_not_restore_over_the_original() {
    let original = Sandbox::with_sqlite();
    original.guarded().expect_code(0);
    let copy = Sandbox::new();
    let copied = Command::new("cp").arg("-a").arg(original.project().join(".")).arg(copy.project()).status().unwrap();
    assert!(copied.success());
    original.sqlite("app_test.db", "UPDATE t SET a = 2");
    let refused = copy.run(&["restore", "latest"]).expect_code(120);
    assert!(refused.stderr.contains("another project's"), "{}", refused.stderr);
    assert_eq!(original.sqlite("app_test.db", "SELECT a FROM t"), "2");
    copy.run(&["verify", "--all"]).expect_code(0);
    original.run(&["restore", "latest"]).expect_code(0);
    assert_eq!(original.sqlite("app_test.db", "SELECT a FROM t"), "1");
}

#[test]
fn list_and_verify_say_less_and_more() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.run(&["snapshot"]).expect_code(0);
    let [id] = sandbox.ids().try_into().unwrap();
    assert_eq!(sandbox.run(&["list", "-q"]).expect_code(0).stdout, format!("{id}\n"));
    let more = sandbox.run(&["-v", "list"]).expect_code(0).stdout;
    assert!(more.contains(&id) && more.contains("    1 table with 1 row, by ") && more.contains("read back"), "{more}");
    assert_eq!(sandbox.run(&["verify", "-q"]).expect_code(0).stdout, "");
    let more = sandbox.run(&["verify", "-v", "--level", "restore"]).expect_code(0).stdout;
    assert!(more.starts_with(&format!("ok   {id}  1 table with 1 row in ")), "{more}");
    assert!(more.ends_with(", restored and compared\n"), "{more}");
    let dump = sandbox.backups().join(format!("{id}.dump"));
    fs::write(&dump, "damaged").unwrap();
    let bad = sandbox.run(&["verify", "-q", "--all"]).expect_code(121).stdout;
    assert!(bad.starts_with(&format!("BAD  {id}: ")), "{bad}");
}
