//! Saving PostgreSQL databases, against the real `pg_dump`.

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
    fn database(self) -> String {
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

fn with_database(what: &str, data: Data) -> Project {
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
