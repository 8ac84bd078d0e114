//! What `--dry-run` says that a run would do is what the run does.

use std::net::TcpListener;
use std::thread::Builder;

use serde_json::Value;

use crate::support::{Outcome, Postgres, Sandbox};

/// The plan in JSON, one row a target.
#[track_caller]
fn plan(sandbox: &Sandbox) -> Vec<Value> {
    let outcome = sandbox.run(&["--format", "json", "--dry-run", "./suite"]).expect_code(0);
    let shown: Value = serde_json::from_str(outcome.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(shown["event"], "dry-run");
    shown["plan"].as_array().unwrap().clone()
}

/// A `pg_dump` that writes down how it was called and with which environment, and is the real one then.
fn with_recording_pg_dump(database: &str) -> Sandbox {
    let sandbox = Sandbox::with_postgres(database);
    let folder = Postgres::server().programs().display();
    let seen = sandbox.temporary().join("seen");
    sandbox.tool(
        "pg_dump",
        &format!(
            "#!/bin/sh\ncase $1 in --version|-V) exec {folder}/pg_dump --version;; esac
             printf '%s\\n' \"$0\" \"$@\" >'{0}'; env >'{0}.environment'; exec {folder}/pg_dump \"$@\"\n",
            seen.display()
        ),
    );
    for tool in ["pg_restore", "psql"] {
        sandbox.tool(tool, &format!("#!/bin/sh\nexec {folder}/{tool} \"$@\"\n"));
    }
    sandbox
}

/// The number of the server's snapshot is another one in each call.
fn without_number(word: &str) -> &str {
    if word.starts_with("--snapshot=") { "--snapshot=" } else { word }
}

#[test]
fn a_dry_run_names_the_program_and_the_arguments_that_a_run_gives_to_it() {
    let sandbox = with_recording_pg_dump("dry_run_test");
    let row = plan(&sandbox).remove(0);
    let text = sandbox.run(&["-v", "--dry-run", "./suite"]).expect_code(0).stderr;
    assert!(!sandbox.temporary().join("seen").exists() && !sandbox.backups().exists() && !sandbox.has_run());

    sandbox.guarded().expect_code(0);
    let seen = sandbox.read("../tmp/seen");
    let seen: Vec<&str> = seen.lines().map(without_number).collect();
    let words = row["arguments"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
    let planned: Vec<&str> =
        std::iter::once(row["program"].as_str().unwrap()).chain(words).map(without_number).collect();
    assert_eq!(planned, seen);
    assert!(seen.len() > 4 && seen[0].starts_with('/'), "{seen:?}");
    let line = text.lines().find(|line| line.trim_start().starts_with("runs ")).unwrap();
    let told: Vec<&str> = line.trim_start().split(' ').skip(1).map(without_number).collect();
    assert_eq!(told, seen);

    let environment = sandbox.read("../tmp/seen.environment");
    let set_by_the_shell = |name: &&str| ["PWD", "OLDPWD", "SHLVL", "_"].contains(name);
    let mut count = 0;
    for (name, value) in environment.lines().filter_map(|line| line.split_once('=')) {
        if set_by_the_shell(&name) {
            continue;
        }
        count += 1;
        // The private file has another name in each process.
        let is_same = row["environment"][name] == value || name == "PGPASSFILE";
        assert!(is_same, "{name}: planned {}, was {value}", row["environment"][name]);
        assert!(name == "PGPASSFILE" || text.contains(&format!("  with {name}={value}")), "{name}: {text}");
    }
    assert_eq!(Some(count), row["environment"].as_object().map(serde_json::Map::len));

    assert_eq!((&row["how"], &row["saved"]), (&"pg_dump".into(), &true.into()));
    let (planned, taken) = (row["snapshot"].as_str().unwrap(), &sandbox.ids()[0]);
    let name = |id: &str| id.strip_prefix("dry_run_test_").map(str::len);
    assert_eq!(name(planned), name(taken), "{planned} {taken}");
    let output = sandbox.backups().join(format!("{planned}.dump.partial"));
    assert_eq!(row["output"], output.to_str().unwrap());
    assert!(text.contains(&format!("would be saved as {}", &planned[..12])), "{text}");
}

#[test]
fn a_dry_run_ends_as_the_run_would_and_leaves_nothing() {
    let unreachable = Sandbox::new();
    // Somebody listens, and hangs up.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    Builder::new().spawn(move || listener.incoming().for_each(drop)).unwrap();
    unreachable.write(".env", format!("DATABASE_URL=postgres://app:quarz-secret@127.0.0.1:{port}/shop_test\n"));
    let damaged = Sandbox::with_sqlite();
    damaged.write("app_test.db", "this is text, and more than a hundred bytes of it. ".repeat(4));
    let no_tool = Sandbox::new();
    no_tool.write(".env", "DATABASE_URL=sqlserver://app@127.0.0.1/app_test\n");
    for sandbox in [unreachable, damaged, no_tool] {
        sandbox.suite("");
        let dry = sandbox.run(&["--dry-run", "./suite"]).expect_code(121);
        assert!(!sandbox.backups().exists());
        let wet = sandbox.guarded().expect_code(121);
        assert_eq!(dry.stderr, wet.stderr);
        assert!(!dry.stderr.contains("quarz") && !sandbox.has_run(), "{}", dry.stderr);
    }
}

#[test]
fn what_would_be_reused_or_is_not_there_is_told() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.write(".env", "DATABASE_URL=sqlite:./app_test.db\nNEW_URL=sqlite:./new_test.db\n");
    let rows = plan(&sandbox);
    assert_eq!((&rows[0]["how"], &rows[0]["program"]), (&"built-in SQLite".into(), &"safe-test".into()));
    assert_eq!(rows[0]["arguments"], serde_json::json!([]));
    assert!(rows[0]["output"].as_str().unwrap().ends_with(".dump.partial"), "{}", rows[0]);
    assert_eq!(rows[1], serde_json::json!({"target": 1, "saved": false, "how": "it does not exist", "obstacles": []}));

    sandbox.guarded().expect_code(0);
    // Shortly after a write nothing can be proved.
    std::thread::sleep(std::time::Duration::from_millis(50));
    sandbox.guarded().expect_code(0);
    let (ids, manifest) = (sandbox.ids(), sandbox.manifests().remove(0));
    let newest = ids.last().unwrap();
    let row = plan(&sandbox).remove(0);
    assert_eq!((&row["snapshot"], &row["saved"]), (&newest.as_str().into(), &true.into()), "{row}");
    let text = sandbox.run(&["--dry-run", "./suite"]).expect_code(0).stderr;
    assert!(text.contains(&format!("would not be saved again: unchanged since {newest}")), "{text}");
    assert_eq!((sandbox.ids(), sandbox.manifests().remove(0)), (ids, manifest), "a look changes nothing");
}

#[test]
fn a_production_target_is_refused_in_a_dry_run_too_and_not_connected_to() {
    let sandbox = Sandbox::new();
    sandbox.suite("");
    sandbox.recording_tool("psql", "exit 1");
    sandbox.recording_tool("pg_dump", "echo 'pg_dump (PostgreSQL) 99.1'");
    sandbox.recording_tool("pg_restore", "exit 1");
    sandbox.write(".env", "DATABASE_URL=postgres://app@127.0.0.1/shop_prod\n");
    let outcome: Outcome = sandbox.run(&["--dry-run", "./suite"]).expect_code(120);
    assert!(sandbox.calls("psql").is_empty(), "{}", outcome.stderr);
}
