//! Somebody changes what was judged while the databases are saved: a `pg_dump` that does so before it does its work.

use std::os::unix::fs::symlink;

use crate::support::{Outcome, Postgres, Sandbox};

/// A project on PostgreSQL whose dump runs `meanwhile`, shell code, in the project.
fn project(database: &str, meanwhile: &str) -> Sandbox {
    let sandbox = Sandbox::with_postgres(database);
    let server = Postgres::server();
    for name in ["psql", "pg_restore"] {
        symlink(server.program(name), sandbox.tools().join(name)).unwrap();
    }
    let real = server.program("pg_dump");
    let script = format!(
        "case $1 in --version) ;; *) cd '{}'; {meanwhile};; esac\nexec '{}' \"$@\"",
        sandbox.project().display(),
        real.display()
    );
    sandbox.recording_tool("pg_dump", &script);
    sandbox
}

fn dumps(sandbox: &Sandbox) -> usize {
    sandbox.calls("pg_dump").iter().filter(|call| !call.contains("--version")).count()
}

/// The events in the log, with what became of runs.
fn events(sandbox: &Sandbox) -> Vec<String> {
    sandbox.log().iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn expect_refused(sandbox: &Sandbox, outcome: &Outcome, says: &[&str]) {
    sandbox.expect_not_run(outcome, 120, says);
    assert!(sandbox.ids().is_empty() || dumps(sandbox) > 0);
}

#[test]
fn a_file_that_now_names_production_stops_the_run() {
    let remote = "DATABASE_URL=postgres://app@db.northwind-shop.net/shop";
    for (at, file) in [".env", ".env.local", ".env.testing"].into_iter().enumerate() {
        let sandbox = project(&format!("meanwhile_{at}_test"), &format!("echo '{remote}' >{file}"));
        let outcome = sandbox.guarded();
        expect_refused(&sandbox, &outcome, &[&format!("{file} has changed meanwhile"), "db.northwind-shop.net"]);
        let last: Vec<_> = events(&sandbox).into_iter().rev().take(3).collect();
        assert_eq!(last, ["refused", "run-finished", "run-started"], "{file}");
    }
    let sandbox = project("meanwhile_gone_test", "echo 'APP_ENV=production' >.safe; mv .safe .env");
    expect_refused(&sandbox, &sandbox.guarded(), &["APP_ENV"]);
}

#[test]
fn a_policy_that_tightens_meanwhile_counts() {
    let sandbox = project("meanwhile_policy_test", "printf '[production]\\nwords = [\"policy\"]\\n' >.safe-test.toml");
    expect_refused(
        &sandbox,
        &sandbox.guarded(),
        &[".safe-test.toml has changed meanwhile", "database-name-production"],
    );
}

#[test]
fn another_database_is_saved_too_before_the_command_starts() {
    let server = Postgres::server();
    server.replace_database("meanwhile_other_test");
    let to_other = format!("echo 'DATABASE_URL={}' >.env", server.url("meanwhile_other_test"));
    let sandbox = project("meanwhile_first_test", &to_other);
    let outcome = sandbox.guarded().expect_code(0);
    assert!(sandbox.has_run() && outcome.stderr.contains("judged anew"), "{}", outcome.stderr);
    let databases: Vec<_> = sandbox.manifests().iter().map(|one| one["database"].clone()).collect();
    assert!(databases.contains(&"meanwhile_other_test".into()) && databases.len() == 2, "{databases:?}");
    let expected = ["run-started", "run-finished", "run-started", "run-finished"];
    assert_eq!(events(&sandbox).into_iter().filter(|event| event.starts_with("run")).collect::<Vec<_>>(), expected);
}

#[test]
fn what_comes_to_the_same_costs_no_second_dump() {
    for (at, meanwhile) in
        ["touch .env", "echo '# a note' >>.env", "touch new-file", "cp .env x; mv x .env", "mkdir -p a/b"]
            .into_iter()
            .enumerate()
    {
        let sandbox = project(&format!("meanwhile_same_{at}_test"), meanwhile);
        let outcome = sandbox.guarded().expect_code(0);
        assert!(sandbox.has_run() && !outcome.stderr.contains("anew"), "{meanwhile}: {}", outcome.stderr);
        assert_eq!((dumps(&sandbox), sandbox.ids().len()), (1, 1), "{meanwhile}");
    }
}

#[test]
fn what_keeps_changing_stops_the_run() {
    let server = Postgres::server();
    let names: Vec<String> = (0..4).map(|at| format!("meanwhile_round_{at}_test")).collect();
    names.iter().for_each(|name| server.replace_database(name));
    let url = server.url("meanwhile_round_NUMBER_test").replace("NUMBER", "'$n'");
    let meanwhile = format!("n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) >n; echo 'DATABASE_URL={url}' >.env");
    let sandbox = project("meanwhile_begin_test", &meanwhile);
    expect_refused(&sandbox, &sandbox.guarded(), &[".env keeps changing", "stop what writes it"]);
    assert_eq!(dumps(&sandbox), 3);
}
