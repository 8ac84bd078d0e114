//! Values that name databases, and what can be wrong with them or with the database itself.

use std::fs;

use crate::support::Sandbox;

#[test]
fn an_address_that_cannot_be_dialled_is_named_with_file_and_line() {
    let cases = [
        ("DATABASE_URL=postgres://app:quarz-secret@[::1/shop_test", "DATABASE_URL (.env:2)"),
        ("DATABASE_URL=postgres://app:quarz-secret@localhost:port/shop_test", "the port in DATABASE_URL is no number"),
        ("DATABASE_URL=postgres://app:quarz-secret@localhost:99999/shop_test", "the port in DATABASE_URL is no number"),
        (
            "DB_CONNECTION=pgsql\nDB_HOST=localhost\nDB_PORT=abc\nDB_DATABASE=shop_test",
            "the port in DB_PORT is no number [DB_PORT (.env:4)]",
        ),
        ("DATABASE_URL=postgres://app:quarz-secret@$(cat host)/shop_test", "DATABASE_URL (.env:2)"),
        ("DATABASE_URL=postgres://app:quarz-secret@<host>/shop_test", "DATABASE_URL (.env:2)"),
    ];
    for (lines, says) in cases {
        let sandbox = Sandbox::with_sqlite();
        sandbox.write(".env", format!("APP_ENV=testing\n{lines}\n"));
        let outcome = sandbox.guarded();
        sandbox.expect_not_run(&outcome, 120, &[says, "what to do: "]);
        assert!(!outcome.stderr.contains("quarz"), "{}", outcome.stderr);
    }
}

#[test]
fn a_sqlite_database_that_is_none_is_named() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.write("app_test.db", "this is text, and more than a hundred bytes of it. ".repeat(4));
    sandbox.expect_not_run(
        &sandbox.guarded(),
        121,
        &["app_test.db` is not a SQLite database", "hint: correct the path"],
    );

    fs::remove_file(sandbox.project().join("app_test.db")).unwrap();
    fs::create_dir(sandbox.project().join("app_test.db")).unwrap();
    sandbox.expect_not_run(&sandbox.guarded(), 121, &["app_test.db` is a folder, not a SQLite database"]);
}

#[test]
fn a_damaged_sqlite_database_stops_the_run() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.sqlite("app_test.db", "CREATE TABLE u(b TEXT); INSERT INTO u SELECT hex(randomblob(500)) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT i FROM n)");
    let path = sandbox.project().join("app_test.db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0x5a);
    fs::write(&path, bytes).unwrap();
    sandbox.expect_not_run(&sandbox.guarded(), 121, &["app_test.db` is damaged", "hint: "]);
}

#[test]
fn one_database_that_cannot_be_saved_stops_the_run_for_all() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.write(".env", "DATABASE_URL=sqlite:./app_test.db\nREPORTS_URL=sqlite:./reports_test.db\n");
    sandbox.write("reports_test.db", "this is text, and more than a hundred bytes of it. ".repeat(4));
    sandbox.expect_not_run(&sandbox.guarded(), 121, &["reports_test.db` is not a SQLite database"]);
}

#[test]
fn an_engine_that_cannot_be_saved_stops_the_run() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.write(".env", "DATABASE_URL=sqlserver://localhost:1433;database=shop_test;user=sa\n");
    sandbox.expect_not_run(
        &sandbox.guarded(),
        121,
        &["cannot snapshot", "DATABASE_URL (.env:1)", "no way to snapshot", "stop and tell the person who asked"],
    );
}
