//! A role that may not create databases: what was saved is put back in place, in one transaction, and it is said before.

use std::time::Duration;

use crate::support::{Outcome, Postgres, Sandbox};

/// How many rows make a restore long enough to be killed on its way.
const ROWS: u32 = 20_000;

/// A project whose database belongs to a role that may create none.
fn modest(database: &str) -> Sandbox {
    let server = Postgres::server();
    let sandbox = Sandbox::with_postgres(database);
    server.psql(
        "postgres",
        &format!(
            "DROP ROLE IF EXISTS {database}; CREATE ROLE {database} LOGIN PASSWORD 'modest'; \
             ALTER DATABASE {database} OWNER TO {database}"
        ),
    );
    server.psql(
        database,
        &format!(
            "DROP TABLE t; SET SESSION AUTHORIZATION {database}; CREATE SCHEMA app; \
             CREATE TABLE app.rows AS SELECT g AS a, 'old' AS b FROM generate_series(1, {ROWS}) g; CREATE TABLE t AS SELECT 1 AS a"
        ),
    );
    let url = format!("postgres://{database}:modest@127.0.0.1:{}/{database}", server.port());
    sandbox.write(".env", format!("APP_ENV=testing\nDATABASE_URL={url}\n"));
    sandbox
}

fn wreck(database: &str) {
    Postgres::server().psql(
        database,
        &format!(
            "SET SESSION AUTHORIZATION {database}; DROP TABLE IF EXISTS t; CREATE TABLE IF NOT EXISTS app.more (a int); \
             UPDATE app.rows SET b = 'new'"
        ),
    );
}

/// What the database is: as it was saved, as it was wrecked, or something else.
fn state(database: &str) -> &'static str {
    let question = "SELECT to_regclass('public.t') IS NOT NULL, to_regclass('app.more') IS NOT NULL, \
                    (SELECT count(*) || min(b) || max(b) FROM app.rows)";
    match Postgres::server().psql(database, question).as_str() {
        "t|f|20000oldold" => "saved",
        "f|t|20000newnew" => "wrecked",
        _ => "torn",
    }
}

#[test]
fn it_is_said_before_and_can_be_undone() {
    let database = "in_place_test";
    let sandbox = modest(database);
    let outcome = sandbox.guarded().expect_code(0);
    let id = sandbox.ids().remove(0);
    let said = &outcome.stderr;
    let why = format!(
        "can be restored in place only, with a safety snapshot as the way back, since the role `{database}` may not create databases"
    );
    assert!(said.contains(&why), "{said}");
    assert!(said.contains(&format!("to undo: safe-test restore {id}; to keep what it replaces: ALTER ROLE")), "{said}");
    wreck(database);
    let restored = sandbox.run(&["restore", "latest"]).expect_code(0);
    assert_eq!(state(database), "saved");
    assert!(restored.stdout.contains("It was replaced where it stands"), "{}", restored.stdout);
    // The safety snapshot is the way back, and one back from there.
    let safety = sandbox.ids().into_iter().find(|other| *other != id).unwrap();
    assert!(restored.stdout.contains(&format!("to undo: safe-test restore {safety}")), "{}", restored.stdout);
    sandbox.run(&["restore", &safety]).expect_code(0);
    assert_eq!(state(database), "wrecked");
    sandbox.run(&["restore", &id]).expect_code(0);
    assert_eq!(state(database), "saved");
}

#[test]
fn wherever_it_is_killed_the_database_is_whole() {
    let database = "in_place_killed_test";
    let sandbox = modest(database);
    sandbox.guarded().expect_code(0);
    let id = sandbox.ids().remove(0);
    wreck(database);
    let restore = || {
        let mut command = sandbox.command();
        command.args(["restore", &id]);
        command
    };
    let started = std::time::Instant::now();
    Outcome::of(&mut restore()).expect_code(0);
    let whole = started.elapsed();
    let mut found = Vec::new();
    for at in 0..20 {
        wreck(database);
        let mut running =
            restore().stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_secs_f64(whole.as_secs_f64() * f64::from(at) / 18.0));
        running.kill().unwrap();
        running.wait().unwrap();
        // A session whose client is gone ends by itself; until then it may hold what it has locked.
        let ended =
            format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()");
        crate::support::wait_for("its sessions are gone", || Postgres::server().psql(database, &ended) == "0");
        found.push(state(database));
    }
    assert!(!found.contains(&"torn"), "{found:?}");
    assert!(found.contains(&"wrecked"), "{found:?}");
    Outcome::of(&mut restore()).expect_code(0);
    assert_eq!(state(database), "saved");
}
