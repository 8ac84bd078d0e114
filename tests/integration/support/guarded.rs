//! A project with a test suite of its own to guard, and what is expected of every run of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::{Mariadb, Outcome, Postgres, Sandbox, write_program};

impl Sandbox {
    /// A project whose `.env` names a SQLite database with one table `t` of one row, and whose suite does nothing but
    /// tell that it ran.
    pub(crate) fn with_sqlite() -> Self {
        let sandbox = Sandbox::new();
        sandbox.write(".env", "APP_ENV=testing\nDATABASE_URL=sqlite:./app_test.db\n");
        sandbox.sqlite("app_test.db", "CREATE TABLE t(a); INSERT INTO t VALUES (1);");
        sandbox.suite("");
        sandbox
    }

    /// A project whose `.env` names a new PostgreSQL database with one table `t` of one row.
    pub(crate) fn with_postgres(database: &str) -> Self {
        Sandbox::with_postgres_on(Postgres::server(), database)
    }

    /// The same on a server of another version, whose client programs come first on `PATH`.
    pub(crate) fn with_postgres_on(server: &Postgres, database: &str) -> Self {
        server.replace_database(database);
        server.psql(database, "CREATE TABLE t(a int); INSERT INTO t VALUES (1);");
        let mut sandbox = Sandbox::new();
        if !std::ptr::eq(server, Postgres::server()) {
            sandbox.put_on_path(server.program("psql").parent().unwrap());
        }
        sandbox.write(".env", format!("APP_ENV=testing\nDATABASE_URL={}\n", server.url(database)));
        sandbox.suite("");
        sandbox
    }

    /// A project whose `.env` names a new MariaDB database with one table `t` of one row.
    pub(crate) fn with_mariadb(database: &str) -> Self {
        let server = Mariadb::server();
        server.replace_database(database);
        server.sql(database, "CREATE TABLE t (a INT); INSERT INTO t VALUES (1);");
        let sandbox = Sandbox::new();
        sandbox.write(".env", format!("APP_ENV=testing\nDATABASE_URL={}\n", server.url(database)));
        sandbox.suite("");
        sandbox
    }

    /// Writes the project's `./suite`: it tells that it ran, then does what `script` says.
    pub(crate) fn suite(&self, script: &str) -> PathBuf {
        let path = self.project().join("suite");
        write_program(&path, &format!("#!/bin/sh\n: >ran\n{script}\n"), 0o755);
        path
    }

    /// Whether the suite ran since this was asked last.
    pub(crate) fn has_run(&self) -> bool {
        fs::remove_file(self.project().join("ran")).is_ok()
    }

    /// Runs the suite under safe-test.
    pub(crate) fn guarded(&self) -> Outcome {
        self.run(&["./suite"])
    }

    /// Runs SQL on a SQLite database of the project; gives the first column of the first row, where there is one.
    #[track_caller]
    pub(crate) fn sqlite(&self, path: &str, sql: &str) -> String {
        let database = rusqlite::Connection::open(self.project().join(path)).unwrap();
        database.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
        let (first, last) = sql.trim_end_matches(';').rsplit_once(';').unwrap_or(("", sql));
        database.execute_batch(first).unwrap();
        let mut statement = database.prepare(last).unwrap();
        let mut rows = statement.query([]).unwrap();
        let row = rows.next().unwrap();
        row.map_or_else(String::new, |row| match row.get_ref(0).unwrap() {
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            other => format!("{other:?}"),
        })
    }

    pub(crate) fn backups(&self) -> PathBuf {
        self.project().join("backups")
    }

    /// The names in the folder of snapshots, without those that are always there.
    pub(crate) fn stored(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.backups()).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|name| name != ".gitignore" && name != "audit.log").collect()
    }

    /// The manifests, newest first, as `list --format json` gives them, without the databases that it tells of.
    #[track_caller]
    pub(crate) fn manifests(&self) -> Vec<Value> {
        let listed = self.run(&["list", "--format", "json"]).expect_code(0);
        let rows: Vec<Value> = serde_json::from_str(&listed.stdout).unwrap();
        rows.into_iter().filter(|row| row["sha256"].is_string()).collect()
    }

    /// The ids of the snapshots, newest first.
    #[track_caller]
    pub(crate) fn ids(&self) -> Vec<String> {
        self.manifests().iter().map(|manifest| manifest["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The entries of the audit log.
    #[track_caller]
    pub(crate) fn log(&self) -> Vec<Value> {
        let shown = self.run(&["log", "--format", "json"]).expect_code(0);
        shown.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Fails unless every file under a final name belongs to a whole snapshot, and nothing else is there.
    #[track_caller]
    pub(crate) fn expect_no_half_file(&self) {
        let names = self.stored();
        for name in &names {
            let id = name.strip_suffix(".dump").or_else(|| name.strip_suffix(".json"));
            let id = id.unwrap_or_else(|| panic!("{name} in {names:?}"));
            let manifest = fs::read(self.backups().join(format!("{id}.json"))).unwrap();
            let manifest: Value = serde_json::from_slice(&manifest).unwrap();
            let dump = fs::metadata(self.backups().join(format!("{id}.dump"))).unwrap();
            assert_eq!(manifest["size"], dump.len(), "{id}");
        }
    }

    /// Fails unless the call ended with `code`, said each of `says` on stderr, said last what did not happen, and
    /// left the suite alone and no half file.
    #[track_caller]
    pub(crate) fn expect_not_run(&self, outcome: &Outcome, code: i32, says: &[&str]) {
        let Outcome { status, stdout, stderr } = outcome;
        assert_eq!(status.code(), Some(code), "{status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        for said in says {
            assert!(stderr.contains(said), "nothing says {said:?}\n{stderr}");
        }
        assert_eq!(stderr.lines().last(), Some("  the command was not run"), "{stderr}");
        assert_eq!(stdout, "");
        assert!(!self.has_run(), "the suite ran\n{stderr}");
        self.expect_no_half_file();
    }

    /// Whether the suite ran although its run has no name: in one line that says all this, under the guard.
    #[track_caller]
    pub(crate) fn expect_guarded(&self, outcome: &Outcome, says: &[&str]) {
        let Outcome { status, stdout, stderr } = outcome;
        assert_eq!(status.code(), Some(0), "{status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        let line = stderr.lines().find(|line| line.starts_with("safe-test: unverified: ")).unwrap_or_default();
        for said in says.iter().chain(&["; guarded: a database that was not saved is refused"]) {
            assert!(line.contains(said), "nothing says {said:?}\n{stderr}");
        }
        assert!(self.has_run(), "the suite did not run\n{stderr}");
    }
}
