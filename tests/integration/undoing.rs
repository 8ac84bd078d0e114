//! Undoing what a command did, however it did it; and what is said where that fails.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use crate::known_snapshots::restored_by_a_person;
use crate::leftovers::{age, leave};
use crate::support::{Outcome, Postgres, Sandbox, awaited, wait_for};

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
fn a_file_out_of_the_project_that_a_link_leads_to_is_not_taken_for_a_damaged_database() {
    // Through a link in the database's place, which gets the database back, and through one on the way to it.
    for (linked, to, status) in [("data/app_test.db", "notes", 0), ("data", ".", 125)] {
        let sandbox = Sandbox::with_sqlite();
        fs::create_dir(sandbox.project().join("data")).unwrap();
        fs::rename(sandbox.project().join("app_test.db"), sandbox.project().join("data/app_test.db")).unwrap();
        sandbox.write(".env", "DATABASE_URL=sqlite:./data/app_test.db\n");
        sandbox.run(&["snapshot"]).expect_code(0);
        for name in ["notes", "app_test.db"] {
            fs::write(sandbox.home().join(name), "a person's own notes, longer than what a database begins with\n")
                .unwrap();
        }
        let before = fs::read_dir(sandbox.home()).unwrap().count();
        let link = sandbox.project().join(linked);
        fs::rename(&link, sandbox.project().join("before")).unwrap();
        symlink(sandbox.home().join(to), &link).unwrap();
        let outcome = sandbox.run(&["restore", "latest", "--yes"]).expect_code(status);
        if status == 0 {
            assert!(outcome.stdout.contains("it is a link to `"), "{}", outcome.stdout);
            assert_eq!(sandbox.sqlite("data/app_test.db", "SELECT a FROM t"), "1");
        } else {
            assert!(outcome.stderr.contains("now, and led to"), "{}", outcome.stderr);
            assert_eq!(outcome.stderr.lines().last(), Some("  nothing was changed"));
        }
        for name in ["notes", "app_test.db"] {
            assert!(fs::read_to_string(sandbox.home().join(name)).unwrap().starts_with("a person's"), "{linked}");
        }
        assert_eq!(fs::read_dir(sandbox.home()).unwrap().count(), before);
    }
}

#[test]
fn what_a_command_put_in_the_place_of_a_database_is_kept_and_what_it_leads_to_is_not_written() {
    for put in [
        "ln -sf b.db app_test.db",
        "ln -f b.db app_test.db",
        "rm app_test.db; mkdir app_test.db",
        "rm app_test.db; mkfifo app_test.db",
        "rm app_test.db; ln -s app_test.db app_test.db",
        "rm app_test.db; ln -s nowhere app_test.db",
    ] {
        let sandbox = Sandbox::with_sqlite();
        sandbox.sqlite("b.db", "CREATE TABLE others(a); INSERT INTO others VALUES (2)");
        sandbox.suite(put);
        sandbox.guarded().expect_code(0);
        let before = fs::read(sandbox.project().join("b.db")).unwrap();
        let outcome = sandbox.run(&["restore"]).expect_code(0);
        assert!(outcome.stdout.contains("it is kept as `"), "{put}: {}", outcome.stdout);
        assert_eq!(fs::read(sandbox.project().join("b.db")).unwrap(), before, "{put}");
        assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "1", "{put}");
    }
}

#[test]
fn a_link_that_leads_to_itself_is_no_database_that_does_not_exist_yet() {
    let sandbox = Sandbox::with_sqlite();
    let database = sandbox.project().join("app_test.db");
    fs::remove_file(&database).unwrap();
    symlink("app_test.db", &database).unwrap();
    sandbox.expect_not_run(&sandbox.guarded(), 121, &["links that lead in a circle", "correct the link"]);
    fs::remove_file(&database).unwrap();
    symlink("not_made_yet.db", &database).unwrap();
    let outcome = sandbox.guarded().expect_code(0);
    assert!(outcome.stderr.contains("it does not exist"), "{}", outcome.stderr);
}

#[test]
fn of_two_files_that_one_value_may_mean_the_one_that_is_there_is_announced() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.write(".env", "DATABASE_URL=sqlite:///app_test.db\n");
    let outcome = sandbox.guarded().expect_code(0);
    assert!(outcome.stderr.contains("saved") && !outcome.stderr.contains("not saved"), "{}", outcome.stderr);
    fs::remove_file(sandbox.project().join("app_test.db")).unwrap();
    let outcome = sandbox.guarded().expect_code(0);
    assert_eq!(outcome.stderr.matches("it does not exist").count(), 1, "{}", outcome.stderr);
}

#[test]
fn a_restore_that_fails_names_the_database_and_says_that_it_is_as_it_was() {
    let database = "unlucky_test";
    let sandbox = Sandbox::with_postgres(database);
    let server = Postgres::server();
    sandbox.guarded().expect_code(0);
    // A setting that the server no longer has: the restored database cannot be made.
    let manifest = sandbox.backups().join(format!("{}.json", sandbox.ids()[0]));
    let text = fs::read_to_string(&manifest).unwrap();
    let damaged = text.replace("\"encoding\": \"UTF8\"", "\"encoding\": \"NO_SUCH\"");
    assert_ne!(text, damaged);
    fs::write(&manifest, damaged).unwrap();
    // It is not the manifest that was written down, so a person has to say so.
    let id = sandbox.ids().remove(0);
    let (said, ended) = restored_by_a_person(&sandbox, &id, &id);
    assert_eq!(ended, (125, -1), "{said}");
    assert!(said.contains(&format!("cannot restore postgres database `{database}`")), "{said}");
    assert!(said.contains("NO_SUCH is not a valid encoding name"), "the server's own reason: {said}");
    assert!(said.contains(&format!("`{database}` is as it was")), "{said}");
    assert!(said.trim_end().ends_with("nothing was changed"), "{said}");
    assert_eq!(server.psql(database, "SELECT a FROM t"), "1");
    assert_eq!(sandbox.ids(), [id], "no safety snapshot is taken of what is kept beside");
}

#[test]
fn a_restore_that_fails_halfway_names_its_safety_snapshot() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.sqlite("second_test.db", "CREATE TABLE t(a); INSERT INTO t VALUES (1);");
    sandbox.write(".env", "APP_ENV=testing\nDATABASE_URL=sqlite:./app_test.db\nSECOND_URL=sqlite:./second_test.db\n");
    sandbox.guarded().expect_code(0);
    // The one that is put back last has other pages, which SQLite cannot replace while somebody has it open in WAL mode.
    let changed = rusqlite::Connection::open(sandbox.project().join("app_test.db")).unwrap();
    changed.execute_batch("PRAGMA page_size = 8192; VACUUM; PRAGMA journal_mode = WAL").unwrap();
    changed.query_row("SELECT a FROM t", [], |row| row.get::<_, i64>(0)).unwrap();
    let outcome = sandbox.run(&["restore", "latest", "--yes"]).expect_code(125);
    let manifests = sandbox.manifests();
    let is_of_it = |one: &&serde_json::Value| {
        one["kind"] == "safety" && one["database"].as_str().unwrap().ends_with("app_test.db")
    };
    let safety = manifests.iter().find(is_of_it).unwrap()["id"].as_str().unwrap();
    assert!(outcome.stderr.contains(&format!("`safe-test restore {safety}` puts it back")), "{}", outcome.stderr);
    let last = "  1 of 2 databases are back; the others were not changed";
    assert_eq!(outcome.stderr.lines().last(), Some(last));
}

#[test]
fn a_path_that_is_not_utf8_is_not_taken_for_a_database_that_does_not_exist() {
    let mut sandbox = Sandbox::with_sqlite();
    let folder = sandbox.project().join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&folder).unwrap();
    fs::copy(sandbox.project().join("app_test.db"), folder.join("app_test.db")).unwrap();
    // Named by a value, and by being in a folder of the project.
    sandbox.set("SECOND_URL", OsStr::from_bytes(b"sqlite:./caf\xe9/app_test.db"));
    sandbox.expect_not_run(&sandbox.guarded(), 121, &["is not UTF-8", "give the file and its folders names in UTF-8"]);
    sandbox.set("SECOND_URL", "");
    let mut command = sandbox.command();
    fs::copy(sandbox.project().join(".env"), folder.join(".env")).unwrap();
    command.current_dir(&folder).arg("../suite");
    sandbox.expect_not_run(&Outcome::of(&mut command), 121, &["is not UTF-8"]);
}

/// The name after `to undo: safe-test restore` in what was said.
#[track_caller]
fn undo_of(said: &str) -> String {
    let (_, name) = said.trim_end().rsplit_once("to undo: safe-test restore ").unwrap_or_else(|| panic!("{said}"));
    name.to_owned()
}

#[test]
fn what_a_restore_replaced_is_put_back_by_its_name_and_that_can_be_undone_too() {
    let database = "kept_beside_test";
    let sandbox = Sandbox::with_postgres(database);
    let server = Postgres::server();
    let comment = || {
        let of = format!("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{database}'");
        server.psql("postgres", &of)
    };
    server.psql("postgres", &format!("COMMENT ON DATABASE {database} IS 'the ''shop'''"));
    sandbox.guarded().expect_code(0);
    server.psql(database, "UPDATE t SET a = 2");
    server.psql("postgres", &format!("ALTER DATABASE {database} SET work_mem = '7MB'"));
    let look = || server.psql(database, "SELECT a, current_setting('work_mem') FROM t");
    let restored = sandbox.run(&["restore"]).expect_code(0).stdout;
    assert_eq!((look().as_str(), comment().as_str()), ("1|4MB", "the 'shop'"));
    let kept = undo_of(&restored);
    assert!(kept.starts_with(&format!("{database}_replaced_")), "{kept}");

    let undone = sandbox.run(&["restore", &kept]).expect_code(0).stdout;
    assert_eq!((look().as_str(), comment().as_str()), ("2|7MB", "the 'shop'"));
    let again = undo_of(&undone);
    let json = sandbox.run(&["restore", &again, "--format", "json"]).expect_code(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["restored"][0]["database"], again.as_str());
    assert_eq!(look(), "1|4MB");
    let now = json["restored"][0]["replaced"].as_str().unwrap();
    sandbox.run(&["restore", now]).expect_code(0);
    assert_eq!(look(), "2|7MB");
    // It was given back its own name, and another has not got this one since.
    let gone = [&kept, &again, now].into_iter().find(|name| {
        server.psql("postgres", &format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'")) == "0"
    });
    let outcome = sandbox.run(&["restore", gone.unwrap()]).expect_code(125);
    assert!(outcome.stderr.contains("no such database any more"), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().last(), Some("  nothing was changed"));

    let log = sandbox.log();
    let events: Vec<_> = log.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(events[3..9], ["restore-started", "making", "restore", "restore-started", "making", "restore"]);
    assert_eq!(log[4]["making"][1], kept.as_str());
    assert_eq!((&log[5]["replaced"][0], &log[6]["databases"][0]), (&kept.as_str().into(), &kept.as_str().into()));
    assert!(sandbox.run(&["log", "verify"]).expect_code(0).stdout.starts_with("the log is whole"));
}

#[test]
fn what_a_restore_computes_anew_is_named_with_where_it_stands_as_it_was() {
    let database = "computed_anew_test";
    let sandbox = Sandbox::with_postgres(database);
    let server = Postgres::server();
    server.psql(
        database,
        "CREATE FUNCTION rate() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2'; \
         ALTER TABLE t ADD rated int GENERATED ALWAYS AS (rate()) STORED; \
         CREATE MATERIALIZED VIEW stale AS SELECT a FROM t; UPDATE t SET a = 7",
    );
    sandbox.guarded().expect_code(0);
    let restored = sandbox.run(&["restore"]).expect_code(0).stdout;
    let kept = undo_of(restored.lines().next().unwrap());
    assert!(restored.contains(&format!("views: public.stale. What they held before is in `{kept}`.")), "{restored}");
    assert!(restored.contains(&format!("before: public.t.rated. What they held before is in `{kept}`.")), "{restored}");
    // The same where it is put back after a command.
    sandbox.suite("exit 0");
    let said = sandbox.run(&["--restore", "always", "./suite"]).expect_code(0).stderr;
    let told: Vec<_> = said.lines().skip_while(|line| !line.contains(" is back as of ")).collect();
    let kept = undo_of(told[0]);
    assert_eq!(told.len(), 3, "{said}");
    assert!(told[1].ends_with(&format!("views: public.stale. What they held before is in `{kept}`.")), "{said}");
    assert!(told[2].ends_with(&format!("before: public.t.rated. What they held before is in `{kept}`.")), "{said}");
    let json = sandbox.run(&["restore", "--format", "json"]).expect_code(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let one = &json["restored"][0];
    assert_eq!((&one["refreshed"][0], &one["recomputed"][0]), (&"public.stale".into(), &"public.t.rated".into()));
}

#[test]
fn only_a_database_that_a_restore_of_ours_has_kept_is_put_back_by_its_name() {
    let database = "named_test";
    let sandbox = Sandbox::with_postgres(database);
    let server = Postgres::server();
    sandbox.guarded().expect_code(0);
    server.psql(database, "UPDATE t SET a = 2");
    // Made by somebody, with our mark and all.
    let theirs = "named_test_replaced_20260101_000000";
    server.replace_database(theirs);
    let mark = r#"safe-test: {"what":"replaced","of":"named_test","at":"2026-01-01T00:00:00Z"}"#;
    server.psql("postgres", &format!("COMMENT ON DATABASE {theirs} IS '{mark}'"));
    for unknown in [theirs, "postgres", database] {
        let outcome = sandbox.run(&["restore", unknown]).expect_code(125);
        assert!(outcome.stderr.contains("there is no snapshot"), "{}", outcome.stderr);
    }
    let kept = undo_of(&sandbox.run(&["restore"]).expect_code(0).stdout);
    // Somebody took it over.
    server.psql("postgres", &format!("COMMENT ON DATABASE {kept} IS 'mine now'"));
    let outcome = sandbox.run(&["restore", &kept]).expect_code(125);
    assert!(outcome.stderr.contains("its comment is not the mark"), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().last(), Some("  nothing was changed"));
    // What would be replaced has become production.
    let env = sandbox.read(".env");
    sandbox.write(".env", env.replace("APP_ENV=testing", "APP_ENV=production"));
    let outcome = sandbox.run(&["restore", &kept]).expect_code(120);
    assert_eq!(outcome.stderr.lines().last(), Some("  nothing was changed"));
    assert_eq!(server.psql(database, "SELECT a FROM t"), "1");
    // In a copy of the project the log says nothing.
    let copy = Sandbox::new();
    let copied = Command::new("cp").arg("-a").arg(sandbox.project().join(".")).arg(copy.project()).status().unwrap();
    assert!(copied.success());
    copy.write(".env", env);
    let outcome = copy.run(&["restore", &kept]).expect_code(125);
    assert!(outcome.stderr.contains("there is no snapshot"), "{}", outcome.stderr);
}

#[test]
fn prune_drops_a_replaced_template_and_goes_on_after_one_that_stays() {
    let database = "template_test";
    let sandbox = Sandbox::with_postgres(database);
    let server = Postgres::server();
    let sql = |sql: &str| server.psql("postgres", sql);
    sql(&format!("ALTER DATABASE {database} IS_TEMPLATE true"));
    sandbox.guarded().expect_code(0);
    sandbox.run(&["restore"]).expect_code(0);
    sandbox.run(&["restore"]).expect_code(0);
    let kept = format!("SELECT datname FROM pg_database WHERE datname LIKE '{database}_replaced_%' ORDER BY 1");
    let kept = sql(&kept);
    let aged: Vec<String> = kept.lines().zip(1..).map(|(name, number)| age(database, name, number)).collect();
    let [first, second] = &aged[..] else { panic!("{kept}") };
    let newer: Vec<String> = (1..=10).map(|number| leave(database, "replaced", number)).collect();
    let mut client = sandbox.program(server.program("psql"));
    client.args(["-Xq", &server.url(first)]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut client = client.spawn().unwrap();
    let connected = format!("SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = '{first}'");
    wait_for("the client is connected", || sql(&connected) == "t");
    let outcome = sandbox.run(&["prune"]).expect_code(125);
    let says = |name: &str, what: &str| outcome.stderr.lines().any(|line| line.contains(name) && line.contains(what));
    assert!(says(first, "could not be dropped: ") && says(first, "in use by pid"), "{}", outcome.stderr);
    assert!(says(second, " dropped: a restore replaced it"), "{}", outcome.stderr);
    drop(client.stdin.take());
    awaited("psql", &mut client);
    wait_for("the client is gone", || sql(&connected) == "f");
    sandbox.run(&["prune"]).expect_code(0);
    assert_eq!(sql(&format!("SELECT count(*) FROM pg_database WHERE datname LIKE '{database}%'")), "11");
    newer.iter().for_each(|name| drop(sql(&format!("DROP DATABASE {name}"))));
    sql(&format!("ALTER DATABASE {database} IS_TEMPLATE false"));
}

#[test]
fn latest_is_not_an_older_run_where_the_newest_manifest_cannot_be_read() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.guarded().expect_code(0);
    let first = sandbox.ids();
    sandbox.sqlite("app_test.db", "UPDATE t SET a = 2");
    sandbox.guarded().expect_code(0);
    sandbox.sqlite("app_test.db", "UPDATE t SET a = 3");
    let second = sandbox.ids().into_iter().find(|id| !first.contains(id)).unwrap();
    let manifest = sandbox.backups().join(format!("{second}.json"));
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("\"schema\": 1", "\"schema\": 2")).unwrap();
    let outcome = sandbox.run(&["restore", "latest"]).expect_code(121);
    assert!(outcome.stderr.contains(&format!("{second}.json")), "{}", outcome.stderr);
    assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "3");
    // By its name the older one is restored all the same.
    sandbox.run(&["restore", &first[0]]).expect_code(0);
    assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "1");
}

#[test]
fn a_project_that_was_moved_takes_its_snapshots_along() {
    let sandbox = Sandbox::with_sqlite();
    let (first, second) = (sandbox.project().join("first"), sandbox.project().join("second"));
    fs::create_dir(&first).unwrap();
    for file in [".env", "app_test.db", "suite"] {
        fs::rename(sandbox.project().join(file), first.join(file)).unwrap();
    }
    fs::create_dir(first.join(".git")).unwrap();
    Outcome::of(sandbox.command().arg("./suite").current_dir(&first)).expect_code(0);
    fs::rename(&first, &second).unwrap();
    sandbox.sqlite("second/app_test.db", "UPDATE t SET a = 2");
    let restore = || Outcome::of(sandbox.command().args(["restore", "latest"]).current_dir(&second));
    // While something stands at the former place, the file there would be the one that was saved.
    fs::create_dir(&first).unwrap();
    assert!(restore().expect_code(120).stderr.contains("another project's"));
    fs::remove_dir(&first).unwrap();
    let restored = restore().expect_code(0);
    assert!(restored.stdout.contains("/second/app_test.db` is back"), "{}", restored.stdout);
    assert!(!first.exists());
    assert_eq!(sandbox.sqlite("second/app_test.db", "SELECT a FROM t"), "1");
    Outcome::of(sandbox.command().args(["log", "verify"]).current_dir(&second)).expect_code(0);
}

#[test]
fn who_cannot_put_a_database_back_is_told_before_the_command_runs() {
    let database = "modest_test";
    let sandbox = Sandbox::with_postgres(database);
    let server = Postgres::server();
    server.psql("postgres", "DROP ROLE IF EXISTS modest_test; CREATE ROLE modest_test LOGIN PASSWORD 'modest'");
    server.psql(database, "GRANT SELECT ON t TO modest_test");
    let url = format!("postgres://modest_test:modest@127.0.0.1:{}/{database}", server.port());
    sandbox.write(".env", format!("APP_ENV=testing\nDATABASE_URL={url}\n"));
    let outcome = sandbox.guarded().expect_code(0);
    let said = "nothing comes back, since the role `modest_test` may not drop what belongs to others: table public.t of tester";
    assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    server.psql(database, "REVOKE ALL ON t FROM modest_test");
}

#[test]
fn a_restore_of_one_file_under_two_names_can_be_undone_under_both() {
    let sandbox = Sandbox::with_sqlite();
    std::os::unix::fs::symlink("app_test.db", sandbox.project().join("link_test.db")).unwrap();
    sandbox.write(".env", "APP_ENV=testing\nDATABASE_URL=sqlite:./app_test.db\nLINK_URL=sqlite:./link_test.db\n");
    sandbox.suite("sqlite3 app_test.db 'UPDATE t SET a = 2'");
    sandbox.guarded().expect_code(0);
    sandbox.run(&["restore", "latest"]).expect_code(0);
    let safeties: Vec<String> = sandbox
        .manifests()
        .iter()
        .filter(|manifest| manifest["kind"] == "safety")
        .map(|manifest| manifest["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(safeties.len(), 2);
    for safety in safeties {
        sandbox.sqlite("app_test.db", "UPDATE t SET a = 3");
        sandbox.run(&["restore", &safety]).expect_code(0);
        assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "2", "{safety}");
    }
}

#[test]
fn a_restore_is_written_down_before_it_changes_anything() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.suite("sqlite3 app_test.db 'DELETE FROM t'");
    sandbox.guarded().expect_code(0);
    let log = sandbox.backups().join("audit.log");
    let kept = fs::read(&log).unwrap();
    fs::remove_file(&log).unwrap();
    fs::create_dir(&log).unwrap();
    // Without a log nothing is known to be ours, so a person has to say so.
    let outcome = sandbox.run(&["restore"]).expect_code(121);
    assert!(outcome.stderr.contains("audit.log is not a regular file"), "{}", outcome.stderr);
    let id = sandbox.ids().remove(0);
    let (said, ended) = restored_by_a_person(&sandbox, "latest", &id);
    assert_eq!(ended, (125, -1), "{said}");
    assert!(said.contains("audit.log"), "{said}");
    assert!(said.trim_end().ends_with("nothing was changed"), "{said}");
    assert_eq!(sandbox.sqlite("app_test.db", "SELECT count(*) FROM t"), "0");

    fs::remove_dir(&log).unwrap();
    fs::write(&log, kept).unwrap();
    sandbox.run(&["restore", "latest"]).expect_code(0);
    let text = fs::read_to_string(&log).unwrap();
    let events: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(events, ["opened", "run-started", "run-finished", "restore-started", "restore"]);
    assert!(sandbox.run(&["log", "verify"]).expect_code(0).stdout.starts_with("the log is whole"));
}

#[test]
fn what_is_said_to_undo_a_restore_can_be_copied_into_a_shell() {
    for database in ["it's a \"test\"", "line\nbreak_test", "-d of_mine_test"] {
        let sandbox = Sandbox::with_postgres(database);
        sandbox.suite("");
        sandbox.guarded().expect_code(0);
        Postgres::server().psql(database, "INSERT INTO t VALUES (2)");
        let outcome = sandbox.run(&["restore"]).expect_code(0);
        let (_, undo) = outcome.stdout.trim_end().split_once("to undo: safe-test ").unwrap();
        let words = Command::new("bash").args(["-c", &format!("printf '%s\\0' {undo}")]).output().unwrap().stdout;
        let words = String::from_utf8(words).unwrap();
        let words: Vec<&str> = words.trim_end_matches('\0').split('\0').collect();
        sandbox.run(&words).expect_code(0);
        assert_eq!(Postgres::server().psql(database, "SELECT count(*) FROM t"), "2", "{undo}");
    }
}
