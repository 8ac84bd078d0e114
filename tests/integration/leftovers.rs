//! What restores leave on a server is told with its size wherever somebody looks, and goes when it is due.

use serde_json::Value;

use crate::support::{Outcome, Postgres, Sandbox};

fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}

fn exists(name: &str) -> bool {
    Postgres::server().psql("postgres", &format!("SELECT 1 FROM pg_database WHERE datname = '{name}'")) == "1"
}

/// Makes a database with the name and the mark of a restore's that is long over.
pub(crate) fn leave(of: &str, what: &str, number: u32) -> String {
    let name = format!("{of}_{what}_20250101_0000{number:02}");
    Postgres::server().replace_database(&name);
    mark(of, what, &name, &format!("2025-01-01T00:00:{number:02}Z"));
    name
}

/// Makes a database that a restore has replaced one that it has replaced long ago, before those that [`leave`] makes.
pub(crate) fn age(of: &str, name: &str, number: u32) -> String {
    let old = format!("{of}_replaced_20240101_0000{number:02}");
    Postgres::server().psql("postgres", &format!("ALTER DATABASE {name} RENAME TO {old}"));
    mark(of, "replaced", &old, &format!("2024-01-01T00:00:{number:02}Z"));
    old
}

fn mark(of: &str, what: &str, name: &str, at: &str) {
    let mark = format!(r#"safe-test: {{"what":"{what}","of":"{of}","at":"{at}"}}"#);
    Postgres::server().psql("postgres", &format!("COMMENT ON DATABASE {name} IS '{mark}'"));
}

/// Drops what a test's database has left, which the next one of the same name would meet.
fn with_nothing_left(database: &str) -> Sandbox {
    let server = Postgres::server();
    let all = format!(
        "SELECT datname FROM pg_database WHERE datname LIKE '{database}\\_re%' OR datname LIKE '{database}\\_v%'"
    );
    for name in server.psql("postgres", &all).lines() {
        server.psql("postgres", &format!("DROP DATABASE \"{name}\" WITH (FORCE)"));
    }
    Sandbox::with_postgres(database)
}

#[test]
fn what_was_replaced_is_told_with_its_size_and_stays_for_a_day() {
    let database = "told_test";
    let sandbox = with_nothing_left(database);
    sandbox.guarded().expect_code(0);
    let restored = json(&sandbox.run(&["restore", "--format", "json"]).expect_code(0));
    let kept = restored["restored"][0]["replaced"].as_str().unwrap().to_owned();

    let run = sandbox.guarded().expect_code(0).stderr;
    assert!(run.contains(&format!("beside it is {kept} (")) && run.contains(" MB)"), "{run}");
    let told = Outcome::of(sandbox.command().args(["--format", "json", "./suite"])).expect_code(0).stderr;
    let started: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&started["leftovers"][0]["name"], &started["leftovers"][0]["kind"]),
        (&kept.as_str().into(), &"replaced".into())
    );

    let list = sandbox.run(&["list"]).expect_code(0).stdout;
    assert!(list.contains(&format!("{kept}  database beside {database}: ")) && list.contains("24 hours"), "{list}");
    let listed = json(&sandbox.run(&["list", "--format", "json"]).expect_code(0));
    let row = listed.as_array().unwrap().iter().find(|row| row["id"] == kept.as_str()).unwrap();
    assert_eq!((&row["kind"], &row["of"], &row["fate"]), (&"replaced".into(), &database.into(), &"stays".into()));
    assert!(row["size"].as_u64().unwrap() > 1_000_000, "{row}");
    assert!(!sandbox.run(&["list", "-q"]).expect_code(0).stdout.contains(&kept), "only snapshots");

    let doctor = sandbox.run(&["doctor"]).expect_code(0).stdout;
    assert!(doctor.contains(&format!("{kept} (")) && doctor.contains("stays: a restore replaced it"), "{doctor}");
    let doctor = json(&sandbox.run(&["doctor", "--format", "json"]).expect_code(0));
    let checks = doctor["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["leftovers"][0]["name"] == kept.as_str()), "{doctor}");

    let pruned = json(&sandbox.run(&["prune", "--format", "json"]).expect_code(0));
    assert!(pruned.as_array().unwrap().iter().any(|row| row["id"] == kept.as_str() && row["keep"] == true), "{pruned}");
    assert!(exists(&kept));
}

#[test]
fn what_was_replaced_long_ago_goes_with_the_next_run_but_for_the_last_few() {
    let database = "aged_test";
    let sandbox = with_nothing_left(database);
    let old: Vec<String> = (1..=9).map(|number| leave(database, "replaced", number)).collect();
    let theirs = format!("{database}_replaced_20240101_000000");
    Postgres::server().replace_database(&theirs);
    sandbox.guarded().expect_code(0);
    assert!(old.iter().all(|name| exists(name)), "ten are kept");
    for number in 0..2 {
        let restored = sandbox.run(&["restore"]).expect_code(0);
        assert_eq!(restored.stderr.matches(" dropped: ").count(), 0, "{number}: {}", restored.stderr);
    }
    // Two are a few seconds old, and nine long over: the oldest is one too many.
    let seen = json(&sandbox.run(&["prune", "--dry-run", "--format", "json"]).expect_code(0));
    let due: Vec<&Value> =
        seen.as_array().unwrap().iter().filter(|row| row["keep"] == false).map(|row| &row["id"]).collect();
    assert_eq!(due, [old[0].as_str()]);
    let run = sandbox.guarded().expect_code(0).stderr;
    assert!(
        run.contains(&format!("{} (", old[0])) && run.contains(" dropped: a restore replaced it; number 11"),
        "{run}"
    );
    assert!(!exists(&old[0]) && old[1..].iter().all(|name| exists(name)) && exists(&theirs));
    assert!(run.contains("beside it are 11 databases that restores left ("), "what is not ours is told, too: {run}");
    let log = sandbox.log();
    let pruned = log.iter().find(|entry| entry["event"] == "prune").unwrap();
    assert_eq!(pruned["databases"], serde_json::json!([old[0]]));
    assert!(sandbox.run(&["list"]).expect_code(0).stdout.contains("neither its mark nor the log says"));
    for name in old.iter().chain([&theirs]).filter(|name| exists(name)) {
        Postgres::server().psql("postgres", &format!("DROP DATABASE {name}"));
    }
}

#[test]
fn what_a_killed_one_left_goes_with_the_next_run_or_restore() {
    let database = "unfinished_test";
    let sandbox = with_nothing_left(database);
    let (marked, rehearsal) = (leave(database, "restoring", 1), leave(database, "verifying", 2));
    let theirs = format!("{database}_restoring_20250101_000003");
    Postgres::server().replace_database(&theirs);
    sandbox.run(&["snapshot"]).expect_code(0);
    assert!(!exists(&marked) && !exists(&rehearsal) && exists(&theirs));
    let marked = leave(database, "restoring", 1);
    assert!(
        sandbox
            .run(&["list"])
            .expect_code(0)
            .stdout
            .contains(&format!("{marked}  database beside {database}: left by"))
    );
    let restored = sandbox.run(&["restore"]).expect_code(0);
    assert!(restored.stderr.contains(&format!("{marked} (")), "{}", restored.stderr);
    assert!(!exists(&marked) && exists(&theirs));
    Postgres::server().psql("postgres", &format!("DROP DATABASE {theirs}"));
}
