//! What cannot be restored whole is said before the command and wherever "to undo" would stand, in words and in JSON.

use crate::support::{Outcome, Postgres, Sandbox, wait_for};

/// A project whose database belongs to an application's role, and holds what `script` makes as a superuser.
fn project(database: &str, rights: &str, script: &str) -> Sandbox {
    let sandbox = Sandbox::with_postgres(database);
    let (server, role) = (Postgres::server(), format!("{database}_app"));
    server.psql("postgres", &format!("DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN PASSWORD 'app' {rights}"));
    server.psql(
        database,
        &format!("ALTER DATABASE {database} OWNER TO {role}; ALTER TABLE t OWNER TO {role}; SET search_path = public; {script}"),
    );
    let url = format!("postgres://{role}:app@127.0.0.1:{}/{database}", server.port());
    sandbox.write(".env", format!("APP_ENV=testing\nDATABASE_URL={url}\n"));
    sandbox
}

const EVENT_TRIGGER: &str = "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; \
    CREATE EVENT TRIGGER watcher ON ddl_command_end EXECUTE FUNCTION f()";
const SAID: &str = "cannot be restored whole: nothing comes back, since only a superuser creates event triggers (`watcher`); \
    besides: the owners `tester`, whose objects will belong to `watched_test_app`";
const BY_A_SUPERUSER: &str = "restore it by hand as a superuser (`by_hand` in its manifest), or save it as one";

fn json(outcome: &Outcome, text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}

#[test]
fn what_nothing_brings_back_is_said_before_the_command_and_never_promised() {
    let sandbox = project("watched_test", "CREATEDB", EVENT_TRIGGER);
    let planned = sandbox.run(&["--dry-run", "./suite"]).expect_code(0);
    assert!(
        planned.stderr.contains(SAID) && planned.stderr.contains("what to do: restore it by hand as a superuser"),
        "{planned:?}"
    );

    let ran = sandbox.guarded().expect_code(0);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert!(lines[0].contains(&format!("verified), but {SAID}")) && !ran.stderr.contains("to undo"), "{}", ran.stderr);
    let id = sandbox.ids()[0].clone();
    assert_eq!(lines[1..], [format!("safe-test: {id} comes back only after this: {BY_A_SUPERUSER}")]);
    let obstacle = &sandbox.manifests()[0]["obstacles"][0];
    assert_eq!((&obstacle["effect"], &obstacle["remedy"]), (&"nothing-comes-back".into(), &BY_A_SUPERUSER.into()));

    // An unchanged database is not asked again; what was found is said again, also to whoever wants it quiet. Other tests write
    // to the same server, which costs a dump.
    for arguments in [&["./suite"][..], &["--quiet", "./suite"]] {
        wait_for("a run that finds nothing changed", || {
            let again = sandbox.run(arguments).expect_code(0);
            assert!(
                again.stderr.contains(&format!(", but {SAID}")) && !again.stderr.contains("to undo"),
                "{}",
                again.stderr
            );
            again.stderr.contains("unchanged since ")
        });
    }
    let started = sandbox.run(&["--format", "json", "./suite"]).expect_code(0);
    let event = json(&started, started.stderr.lines().next().unwrap());
    assert_eq!((&event["event"], &event["obstacles"][0]["snapshot"]), (&"run-started".into(), &event["snapshots"][0]));
    assert!(event["obstacles"][0]["what"].as_str().unwrap().contains("`watcher`"), "{event}");

    assert!(sandbox.run(&["list"]).expect_code(0).stdout.contains("(cannot be restored whole)"));
    let details = sandbox.run(&["list", "-v"]).expect_code(0).stdout;
    assert!(details.contains(SAID) && details.contains("what to do: restore it by hand as a superuser"), "{details}");
    let doctor = sandbox.run(&["doctor"]).expect_code(125);
    assert!(
        doctor.stdout.contains(SAID) && doctor.stdout.contains("hint: restore it by hand as a superuser"),
        "{}",
        doctor.stdout
    );
    let saved = sandbox.run(&["snapshot"]).expect_code(0);
    assert!(saved.stderr.contains(SAID), "{}", saved.stderr);
    let log = sandbox.run(&["log", "-v"]).expect_code(0).stdout;
    assert!(log.matches("note: ").filter(|_| log.contains(SAID)).count() >= 4, "{log}");

    let refused = sandbox.run(&["restore", "latest", "--yes"]).expect_code(125);
    assert!(refused.stderr.contains("as found when it was taken, "), "{}", refused.stderr);
    assert_eq!(refused.stderr.lines().last(), Some("  nothing was changed"));
}

#[test]
fn what_comes_back_but_for_something_is_told_with_what_is_left_out() {
    let sandbox =
        project("partly_test", "CREATEDB", "CREATE TABLE odd (a int); GRANT SELECT ON odd TO partly_test_app");
    let ran = sandbox.guarded().expect_code(0);
    let said = "but cannot be restored whole: left out are the owners `tester`, whose objects will belong to `partly_test_app`";
    assert!(ran.stderr.contains(said) && !ran.stderr.contains("to undo"), "{}", ran.stderr);
    let id = sandbox.ids()[0].clone();
    let instead = format!("safe-test: what comes back: safe-test restore {id}; for all of it: {BY_A_SUPERUSER}");
    assert_eq!(ran.stderr.lines().nth(1), Some(&*instead));
    sandbox.run(&["doctor"]).expect_code(0);
    sandbox.run(&["restore", "latest", "--yes"]).expect_code(0);
}

#[test]
fn an_application_s_own_schema_is_to_be_undone() {
    let sandbox = project(
        "innocent_test",
        "CREATEDB",
        "CREATE EXTENSION pgcrypto; SET ROLE innocent_test_app; CREATE EXTENSION citext; CREATE TABLE users (id uuid DEFAULT gen_random_uuid(), mail citext)",
    );
    let ran = sandbox.guarded().expect_code(0);
    assert!(ran.stderr.contains("to undo: safe-test restore ") && !ran.stderr.contains("cannot"), "{}", ran.stderr);
    assert!(sandbox.manifests()[0].get("obstacles").is_none());
    sandbox.run(&["restore", "latest", "--yes"]).expect_code(0);
}
