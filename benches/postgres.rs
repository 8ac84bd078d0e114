//! Saving PostgreSQL databases and putting them back, against the real `pg_dump` and `pg_restore`, and against copies
//! that the server makes.

use crate::compare::{Contest, Runner};
use crate::project::{self, Project};
use crate::server::Postgres;

/// What is in a database.
#[derive(Clone, Copy)]
pub(crate) enum Data {
    /// 300 tables of twenty rows, each with a key and an index.
    Tables,
    /// So many megabytes of text, numbers, dates and JSON.
    Mixed(usize),
}

impl Data {
    pub(crate) fn database(self) -> String {
        match self {
            Data::Tables => "bench_tables_test".to_owned(),
            Data::Mixed(megabytes) => format!("bench_mixed_{megabytes}_test"),
        }
    }

    fn sql(self) -> String {
        match self {
            Data::Tables => "DO $$ BEGIN FOR i IN 1..300 LOOP
                     EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, name text NOT NULL, at timestamptz,
                         amount numeric(10, 2) DEFAULT 0)', i);
                     EXECUTE format('CREATE INDEX ON t%s (name)', i);
                     EXECUTE format('INSERT INTO t%s (name, at, amount)
                         SELECT md5(n::text), now(), n FROM generate_series(1, 20) n', i);
                 END LOOP; END $$; CHECKPOINT;"
                .to_owned(),
            Data::Mixed(megabytes) => format!(
                "CREATE TABLE users (id serial PRIMARY KEY, name text, email text, joined date);
                 CREATE TABLE events (id bigserial PRIMARY KEY, user_id int, token uuid, kind text, payload jsonb,
                     note text, amount numeric(12, 2), at timestamptz);
                 INSERT INTO users (name, email, joined)
                     SELECT 'User ' || n, md5(n::text) || '@shop.test', date '2020-01-01' + n % 2000
                     FROM generate_series(1, {users}) n;
                 INSERT INTO events (user_id, token, kind, payload, note, amount, at)
                     SELECT n % {users}, gen_random_uuid(), 'kind ' || n % 7,
                         jsonb_build_object('page', n % 100, 'session', md5(n::text), 'price', n % 997),
                         'Order ' || n || ' was sent to ' || md5((n * 7)::text), random() * 10000,
                         timestamptz '2026-01-01' + n * interval '1 second'
                     FROM generate_series(1, {events}) n;
                 CREATE INDEX ON events (user_id); VACUUM ANALYZE; CHECKPOINT;",
                users = megabytes * 100,
                events = megabytes * 3200,
            ),
        }
    }
}

/// A guarded command, against the dump alone.
pub(crate) fn run_against_dump(data: Data, arguments: &'static [&'static str]) -> Contest {
    let project = with_database("run", data);
    let (other, ours) = (project.clone(), project.clone());
    Contest::new(
        Runner::new(move || {
            let server = Postgres::server();
            let mut command = other.command(server.program("pg_dump"));
            command.args(arguments).args(["-f", "plain.dump", "-h", "127.0.0.1", "-U", server.user(), "-p"]);
            command.arg(server.port().to_string()).arg(data.database()).env("PGPASSWORD", server.password());
            command
        }),
        Runner::new(move || ours.safe_test(&["-q", "true"])).after(move || project.forget_snapshots()),
    )
}

/// The second of two runs between which nothing was written, against the first.
pub(crate) fn second_run(data: Data) -> Contest {
    project::second_run(with_database("second-run", data))
}

/// A snapshot alone, twice.
pub(crate) fn snapshot(data: Data) -> Contest {
    project::second_run(with_database("snapshot", data))
}

/// A restore, against dropping the database, creating it and loading a dump of the same by hand.
pub(crate) fn restore_against_hand(data: Data) -> Contest {
    let project = with_database("restore", data);
    let (server, database) = (Postgres::server(), data.database());
    let programs = server.programs().display().to_string();
    let dump = project.folder().join("plain.dump").display().to_string();
    let by_hand = format!(
        "set -e; cd {programs}; ./dropdb --force {database}; ./createdb --template=template0 {database}; \
         ./pg_restore --dbname={database} {dump}"
    );
    let shell = |project: &Project, script: &str| {
        let mut command = project.command("/bin/sh");
        command.args(["-c", script]).env("PGPASSWORD", server.password()).env("PGUSER", server.user());
        command.env("PGHOST", "127.0.0.1").env("PGPORT", server.port().to_string());
        command
    };
    let saving = format!("{programs}/pg_dump --format=custom --file={dump} {database}");
    assert!(shell(&project, &saving).status().unwrap().success());
    assert!(project.safe_test(&["snapshot"]).output().unwrap().status.success());
    let snapshot = project.snapshot_names().remove(0);
    let (other, ours) = (project.clone(), project.clone());
    Contest::new(
        Runner::new(move || shell(&other, &by_hand)),
        Runner::new(move || ours.safe_test(&["restore", &snapshot, "--yes"])).after(move || drop_kept(data)),
    )
}

/// Whether a copy is kept in the server, too, and how far a snapshot and its restore are measured.
#[derive(Clone, Copy)]
pub(crate) enum Undo {
    ByDump,
    ByCopy,
    /// By a copy, where one has brought the database back before: the run after an undo, and its undo.
    Again,
    /// The snapshot with its copy alone.
    CopyOnly,
}

/// A snapshot and a restore of it, against what DSLR does: a copy within the server, then the database dropped and
/// copied back.
///
/// Source: `dslr/operations.py` of DSLR 0.6; its own start, twice some 0.2 s, is not counted.
pub(crate) fn undo_against_copies(data: Data, undo: Undo) -> Contest {
    let (what, steps) = match undo {
        Undo::ByDump => ("undo", &["snapshot", "restore latest --yes"][..]),
        Undo::ByCopy => ("fast-undo", &["snapshot", "restore latest --yes"][..]),
        Undo::Again => ("fast-undo-again", &["true", "restore latest --yes"][..]),
        Undo::CopyOnly => ("copy", &["snapshot"][..]),
    };
    let project = with_database(what, data);
    if !matches!(undo, Undo::ByDump) {
        project.write(".safe-test.toml", "[run]\nfast_undo = true\n");
    }
    let steps: Vec<String> = steps.iter().map(|step| format!("{} {step}", env!("CARGO_BIN_EXE_safe-test"))).collect();
    let (server, database) = (Postgres::server(), data.database());
    let copy = format!("dslr_{database}");
    let drop_copy = format!("DROP DATABASE IF EXISTS {copy}");
    let leave = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
    let mut statements = vec![leave.clone(), format!("CREATE DATABASE {copy} TEMPLATE {database}")];
    if !matches!(undo, Undo::CopyOnly) {
        let back = format!("CREATE DATABASE {database} TEMPLATE {copy}");
        statements.extend([leave, format!("DROP DATABASE {database}"), back]);
    }
    let other = project.clone();
    let steps = steps.join(" && ");
    let ours = move |project: &Project| {
        let mut command = project.command("/bin/sh");
        command.args(["-c", &steps]);
        command
    };
    let (measured, once) = (project.clone(), ours.clone());
    Contest::new(
        Runner::new(move || {
            let mut command = other.command(server.program("psql"));
            command.args(["-X", "-q", "-h", "127.0.0.1", "-U", server.user(), "-d", "postgres", "-p"]);
            command.arg(server.port().to_string()).env("PGPASSWORD", server.password());
            command.args(statements.iter().flat_map(|statement| ["-c", statement]));
            command
        })
        .after(move || drop(server.psql("postgres", &format!("{drop_copy};\nCHECKPOINT")))),
        Runner::new(move || ours(&measured)).after(move || {
            project.forget_snapshots();
            drop_kept(data);
            if matches!(undo, Undo::Again) {
                assert!(once(&project).output().unwrap().status.success());
            }
            // What the other one wrote is not for ours to write out, nor the other way round.
            server.psql("postgres", "CHECKPOINT");
        }),
    )
}

/// Drops the databases that restores replaced.
fn drop_kept(data: Data) {
    let server = Postgres::server();
    let kept = format!("SELECT datname FROM pg_database WHERE datname LIKE '{}\\_%'", data.database());
    for name in server.psql("postgres", &kept).lines() {
        server.psql("postgres", &format!("DROP DATABASE \"{name}\" WITH (FORCE)"));
    }
}

/// A project whose database has this in it.
pub(crate) fn with_database(what: &str, data: Data) -> Project {
    let server = Postgres::server();
    let database = data.database();
    if server.psql("postgres", &format!("SELECT count(*) FROM pg_database WHERE datname = '{database}'")) == "0" {
        server.create_database(&database);
        server.psql(&database, &data.sql());
    }
    let project = Project::new(&format!("{what}-{database}"));
    project.write(".env", &format!("APP_ENV=testing\nDATABASE_URL={}\n", server.url(&database)));
    project
}
