//! What `doctor` says of every target, folder and disk, and how it ends.

use std::fs;

use serde_json::Value;

use crate::support::{Postgres, Sandbox};

/// The answer in JSON, and the row whose `what` holds `part`.
#[track_caller]
fn row(sandbox: &Sandbox, code: i32, part: &str) -> Value {
    let stdout = sandbox.run(&["doctor", "--format", "json"]).expect_code(code).stdout;
    let answer: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(answer["ok"], code == 0);
    let rows = answer["checks"].as_array().unwrap();
    rows.iter().find(|row| row["what"].as_str().unwrap().contains(part)).unwrap_or_else(|| panic!("{answer:#}")).clone()
}

#[test]
fn a_sqlite_target_is_told_with_tool_and_version() {
    let sandbox = Sandbox::with_sqlite();
    let found = row(&sandbox, 0, "app_test.db");
    assert_eq!((&found["target"], &found["reachable"], &found["tool"]), (&0.into(), &true.into(), &"safe-test".into()));
    assert!(found["version"].as_str().unwrap().starts_with("SQLite 3."), "{found}");
    assert!(row(&sandbox, 0, "room on its disk")["bytes_free"].as_u64().unwrap() > 0);
    let text = sandbox.run(&["doctor"]).expect_code(0).stdout;
    assert!(text.lines().all(|line| line.starts_with("ok ")), "{text}");
    assert!(!sandbox.backups().exists());
}

#[test]
fn a_postgres_target_is_told_with_server_tool_and_version() {
    let sandbox = Sandbox::with_postgres("doctor_test");
    let found = row(&sandbox, 0, "doctor_test");
    assert_eq!(found["reachable"], true);
    let server = Postgres::server().psql("postgres", "SHOW server_version");
    assert_eq!(found["server"], server.as_str());
    assert!(found["tool"].as_str().unwrap().ends_with("/pg_dump"), "{found}");
    assert!(found["version"].as_str().unwrap().starts_with("PostgreSQL "), "{found}");
}

#[test]
fn a_role_that_restores_in_place_only_is_told() {
    let server = Postgres::server();
    server.replace_database("modest_doctor_test");
    server.psql("postgres", "DROP ROLE IF EXISTS modest_doctor; CREATE ROLE modest_doctor LOGIN PASSWORD 'b1rchwood'");
    let sandbox = Sandbox::new();
    sandbox.write(
        ".env",
        format!("DATABASE_URL=postgres://modest_doctor:b1rchwood@127.0.0.1:{}/modest_doctor_test\n", server.port()),
    );
    let found = row(&sandbox, 0, "modest_doctor_test");
    assert_eq!(found["reachable"], true);
    assert!(found["found"].as_str().unwrap().contains("can be restored in place only"), "{found}");
    assert!(found["hint"].as_str().unwrap().contains("CREATEDB"), "{found}");
}

#[test]
fn what_would_stop_a_run_is_bad_and_has_a_hint() {
    let unreachable = Sandbox::new();
    unreachable.write(".env", "DATABASE_URL=postgres://app:app@127.0.0.1:1/app_test\n");
    let production = Sandbox::new();
    production.write(".env", "DATABASE_URL=postgres://db.northwind-shop.net/shop\n");
    let no_tool = Sandbox::new();
    no_tool.write(".env", "DATABASE_URL=sqlserver://localhost:1433;database=app_test;user=sa\n");
    let log_is_a_folder = Sandbox::with_sqlite();
    fs::create_dir_all(log_is_a_folder.backups().join("audit.log")).unwrap();
    let no_state = Sandbox::with_sqlite();
    fs::remove_dir(no_state.state()).unwrap();
    fs::write(no_state.state(), "in the way").unwrap();
    let cases = [
        (unreachable, "127.0.0.1:1", "cannot connect"),
        (production, "northwind", "not connected to"),
        (no_tool, "sqlserver", "no way to snapshot"),
        (log_is_a_folder, "audit log", "cannot be written"),
        (no_state, "approvals", "is no folder"),
    ];
    for (sandbox, part, found) in cases {
        let row = row(&sandbox, 125, part);
        assert_eq!(row["ok"], false, "{row}");
        assert!(row["found"].as_str().unwrap().contains(found), "{row}");
        assert!(!row["hint"].as_str().unwrap().is_empty(), "{row}");
        let text = sandbox.run(&["doctor"]).expect_code(125).stdout;
        assert!(text.contains("BAD ") && text.contains("hint: "), "{text}");
    }
}

#[test]
fn whether_connections_can_be_watched_is_tried_and_told_in_words() {
    let sandbox = Sandbox::with_sqlite();
    let told = row(&sandbox, 0, "connections");
    assert_eq!((&told["ok"], &told["guard"]), (&true.into(), &"held".into()), "{told}");
    assert!(told["found"].as_str().unwrap().contains("one was let through and one refused"), "{told}");
    // Under another guard there is no room for a second one.
    let program = env!("CARGO_BIN_EXE_safe-test");
    sandbox.suite(&format!("'{program}' doctor --format json >doctor.json; '{program}' doctor >doctor.txt"));
    sandbox.guarded().expect_code(0);
    let nested: Value = serde_json::from_str(&sandbox.read("doctor.json")).unwrap();
    let rows = nested["checks"].as_array().unwrap();
    let told = rows.iter().find(|row| row["what"].as_str().unwrap().contains("connections")).unwrap();
    assert_eq!(told["ok"], true, "a run goes on: {told}");
    assert!(told["guard"].as_str().unwrap().starts_with("outer: the safe-test around this one"), "{told}");
    let text = sandbox.read("doctor.txt");
    assert!(text.contains("the safe-test around this one (process ") && !text.contains("not watched"), "{text}");
}
