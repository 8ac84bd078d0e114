//! A password may read like anything that we print: an engine, a verdict, a database, JSON. What is printed stays true and
//! whole, and the undo line that stands there undoes.

use serde_json::Value;

use crate::support::{Outcome, Postgres, Sandbox};

const DATABASE: &str = "passwords_test";
const ROLE: &str = "plain";

/// Everything that a usual password, or an odd one, could be mistaken for.
const PASSWORDS: [&str; 14] = [
    "postgres",
    "safe",
    "null",
    "true",
    "1",
    "test",
    DATABASE,
    "localhost",
    "run",
    "{",
    "\"",
    "***",
    "passwords_test_20",
    "ü ß",
];

/// A URL with every byte of the password encoded.
fn url(server: &Postgres, password: &str) -> String {
    let encoded: String = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("postgres://{ROLE}:{encoded}@localhost:{}/{DATABASE}", server.port())
}

#[track_caller]
fn objects(text: &str) -> Vec<Value> {
    let values = serde_json::Deserializer::from_str(text).into_iter();
    values.map(|value| value.unwrap_or_else(|error| panic!("{error}: {text}"))).collect()
}

#[track_caller]
fn expect_true_target(password: &str, target: &Value) {
    for (field, expected) in [("engine", "postgres"), ("database", DATABASE), ("user", ROLE), ("host", "localhost")] {
        assert_eq!(target[field], expected, "{password}: {target}");
    }
    assert_eq!(target["verdict"], "safe", "{password}");
}

#[test]
fn whatever_a_password_reads_like_the_answers_are_true_and_the_undo_line_works() {
    let server = Postgres::server();
    server.psql("postgres", &format!("DROP ROLE IF EXISTS {ROLE}; CREATE ROLE {ROLE} SUPERUSER LOGIN"));
    server.replace_database(DATABASE);
    server.psql(DATABASE, "CREATE TABLE t(a int); INSERT INTO t VALUES (1);");
    for password in PASSWORDS {
        server.psql("postgres", &format!("ALTER ROLE {ROLE} PASSWORD '{password}'"));
        let mut sandbox = Sandbox::new();
        sandbox.set("DATABASE_URL", url(server, password));
        sandbox.suite("");
        let run = |arguments: &[&str], code: i32| Outcome::of(sandbox.command().args(arguments)).expect_code(code);

        let checked = &objects(&run(&["check", "--format", "json"], 0).stdout)[0];
        assert_eq!((&checked["verdict"], &checked["schema"]), (&"safe".into(), &1.into()), "{password}");
        expect_true_target(password, &checked["targets"][0]);
        let told = run(&["-v", "check"], 0).stdout;
        let label = format!("postgres database `{DATABASE}` on localhost:{}", server.port());
        assert!(told.starts_with("safe: ") && told.contains(&label), "{password}: {told}");

        let dry = &objects(&run(&["--format", "json", "--dry-run", "./suite"], 0).stderr)[0];
        assert_eq!(dry["event"], "dry-run", "{password}");
        let ran = run(&["./suite"], 0).stderr;
        let id = sandbox.ids().pop().unwrap();
        let undo = ran.lines().find_map(|line| line.strip_prefix("safe-test: to undo: safe-test ")).unwrap().to_owned();
        assert_eq!(undo, format!("restore {id}"), "{password}");
        let started = &objects(&run(&["--format", "json", "./suite"], 0).stderr)[0];
        assert_eq!(started["event"], "run-started", "{password}: {started}");
        expect_true_target(password, &started["judgement"]["targets"][0]);

        let listed = run(&["list", "--format", "json"], 0).stdout;
        objects(&listed);
        assert!(listed.contains(&format!("\"{id}\"")) && run(&["list"], 0).stdout.contains(&id), "{password}");
        let looked = &objects(&run(&["doctor", "--format", "json"], 0).stdout)[0];
        assert_eq!(looked["ok"], true, "{password}: {looked}");
        run(&undo.split(' ').collect::<Vec<_>>(), 0);
        let log = run(&["log", "--format", "json"], 0).stdout;
        objects(&log);
        let kinds: Vec<_> = sandbox.log().iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect();
        for kind in ["run-started", "run-finished", "restore"] {
            assert!(kinds.iter().any(|found| found == kind), "{password}: {kinds:?}");
        }
        for entry in sandbox.log() {
            entry["targets"].as_array().into_iter().flatten().for_each(|target| expect_true_target(password, target));
            let command = &entry["what"]["command"];
            assert!(command.is_array() && !command.to_string().contains("***"), "{password}: {command}");
        }
        run(&["log", "verify"], 0);
    }
}
