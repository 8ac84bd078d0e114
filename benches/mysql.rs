//! Saving databases of MariaDB and putting them back, against the dump program and the client by hand.

use std::process::Command;

use crate::compare::{Contest, Runner};
use crate::mariadb::Mariadb;
use crate::project::Project;

/// What is in a database.
#[derive(Clone, Copy)]
pub(crate) enum Data {
    /// 300 tables of twenty rows, each with a key and an index.
    Tables,
    /// So many megabytes of text, numbers, dates and JSON.
    Mixed(usize),
}

impl Data {
    fn database(self) -> String {
        match self {
            Data::Tables => "bench_tables_test".to_owned(),
            Data::Mixed(megabytes) => format!("bench_mixed_{megabytes}_test"),
        }
    }

    fn sql(self) -> String {
        match self {
            Data::Tables => (1..=300)
                .map(|number| {
                    format!(
                        "CREATE TABLE t{number} (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(60) NOT NULL, at DATETIME,
                             amount DECIMAL(10,2) DEFAULT 0, KEY (name));
                         INSERT INTO t{number} (name, at, amount) SELECT MD5(seq), NOW(), seq FROM seq_1_to_20;"
                    )
                })
                .collect(),
            Data::Mixed(megabytes) => format!(
                "CREATE TABLE events (id BIGINT AUTO_INCREMENT PRIMARY KEY, user_id INT, token CHAR(36), kind VARCHAR(20),
                     payload JSON, note TEXT, amount DECIMAL(12,2), at DATETIME, KEY (user_id));
                 INSERT INTO events (user_id, token, kind, payload, note, amount, at)
                     SELECT seq % 5000, UUID(), CONCAT('kind ', seq % 7),
                         JSON_OBJECT('page', seq % 100, 'session', MD5(seq), 'price', seq % 997),
                         CONCAT('Order ', seq, ' was sent to ', MD5(seq * 7)), seq % 10000,
                         '2026-01-01' + INTERVAL seq SECOND
                     FROM seq_1_to_{};",
                megabytes * 4000
            ),
        }
    }
}

/// A guarded command, against the dump alone, or through gzip.
pub(crate) fn run_against_dump(data: Data, through: &'static str) -> Contest {
    let project = with_database("mysql-run", data);
    let (other, ours) = (project.clone(), project.clone());
    Contest::new(
        Runner::new(move || {
            let dump =
                "mariadb-dump --defaults-file=my.cnf --single-transaction --quick --routines --events --hex-blob";
            shell(&other, &format!("{dump} {} {through} > plain.dump", data.database()))
        }),
        Runner::new(move || ours.safe_test(&["-q", "true"])).after(move || project.forget_snapshots()),
    )
}

/// A restore, against dropping the database, creating it and loading a dump of the same by hand.
pub(crate) fn restore_against_hand(data: Data) -> Contest {
    let project = with_database("mysql-restore", data);
    let database = data.database();
    let dump = format!("mariadb-dump --defaults-file=my.cnf --single-transaction {database} > plain.dump");
    assert!(shell(&project, &dump).status().unwrap().success());
    assert!(project.safe_test(&["snapshot"]).output().unwrap().status.success());
    let snapshot = project.snapshot_names().remove(0);
    let by_hand = format!(
        "mariadb --defaults-file=my.cnf -e 'DROP DATABASE {database}; CREATE DATABASE {database}' && \
         mariadb --defaults-file=my.cnf {database} < plain.dump"
    );
    let (other, ours) = (project.clone(), project);
    Contest::new(
        Runner::new(move || shell(&other, &by_hand)),
        Runner::new(move || ours.safe_test(&["restore", &snapshot, "--yes"])).after(move || drop_kept(data)),
    )
}

fn shell(project: &Project, script: &str) -> Command {
    let mut command = project.command("/bin/sh");
    command.args(["-c", &format!("cd '{}' && {script}", project.folder().display())]);
    command
}

/// Drops the databases that restores replaced.
fn drop_kept(data: Data) {
    let server = Mariadb::server();
    for name in server.beside(&data.database()) {
        server.sql("", &format!("DROP DATABASE `{name}`"));
    }
}

/// A project whose database has this in it.
fn with_database(what: &str, data: Data) -> Project {
    let server = Mariadb::server();
    let database = data.database();
    if server.sql("", &format!("SHOW DATABASES LIKE '{}'", database.replace('_', "\\_"))).is_empty() {
        server.replace_database(&database);
        server.sql(&database, &data.sql());
    }
    let project = Project::new(&format!("{what}-{database}"));
    project.write(".env", &format!("APP_ENV=testing\nDATABASE_URL={}\n", server.url(&database)));
    let (user, password) = server.login();
    let place = format!("protocol=TCP\nhost=127.0.0.1\nport={}", server.port());
    project.write("my.cnf", &format!("[client]\n{place}\nuser={user}\npassword={password}\n"));
    project
}
