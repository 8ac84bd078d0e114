//! A real PgBouncer, in all its modes: recognised, and left so that whoever comes next finds nothing of ours.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::reach::{Place, Target};
use crate::snapshot::postgres::testing::{PASSWORD, Server, environment, unprivileged};
use crate::snapshot::postgres::{PostgresError, Session};
use crate::snapshot::testing::wait_for;

/// What we set for sessions of our own, by options of the connection or by statements.
const SET_BY_US: [&str; 9] = [
    "search_path",
    "standard_conforming_strings",
    "row_security",
    "client_min_messages",
    "max_parallel_workers_per_gather",
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "default_transaction_read_only",
    "idle_session_timeout",
];

/// A pooler that keeps one connection to the server, and cleans nothing up between its clients.
struct PgBouncer {
    port: u16,
    process: Child,
    _folder: TempDir,
}

impl PgBouncer {
    fn start(server: &Server, database: &str, mode: &str, ignored: &str) -> PgBouncer {
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"];
        let program = program.into_iter().find(|path| Path::new(path).exists());
        let program = program.expect("these tests need PgBouncer: `tests/run` installs it on Debian");
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let quoted = |text: &str| text.replace('\'', "''");
        let configuration = folder.path().join("pgbouncer.ini");
        fs::write(
            &configuration,
            format!(
                "[databases]\n{database} = host=127.0.0.1 port={} user=postgres password='{}'\n[pgbouncer]\n\
                 listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
                 pool_mode = {mode}\nignore_startup_parameters = {ignored}\ndefault_pool_size = 1\n\
                 server_reset_query =\nserver_check_query =\nlogfile = {}\n",
                server.port,
                quoted(PASSWORD),
                folder.path().join("log").display(),
            ),
        )
        .unwrap();
        let mut command = Command::new(program);
        command.arg("-q").arg(&configuration).current_dir("/").env_clear();
        if let Some((uid, gid)) = unprivileged() {
            for path in [folder.path(), &configuration] {
                chown(path, Some(uid), Some(gid)).unwrap();
            }
            command.uid(uid).gid(gid);
        }
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        PgBouncer { port, process, _folder: folder }
    }

    fn target(&self, server: &Server, database: &str) -> Target {
        let places = vec![Place::Host { name: "127.0.0.1".into(), port: Some(self.port) }];
        Target { places, ..server.target(database) }
    }

    /// What the next client of the pool finds: the server's process, and every setting.
    fn found_by_the_next(&self, server: &Server, database: &str) -> Option<String> {
        let settings: Vec<String> =
            SET_BY_US.iter().map(|name| format!("'{name}=' || current_setting('{name}', true)")).collect();
        let mut psql = server.psql(database);
        psql.env("PGPORT", self.port.to_string());
        psql.arg("-c").arg(format!("SELECT pg_backend_pid(), {}", settings.join(", ")));
        let output = psql.output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_refused_pooler_is_left_as_it_was() {
    let server = Server::shared();
    server.database("pooled", "CREATE TABLE t AS SELECT 1 AS a; ALTER DATABASE pooled SET row_security = on");
    for mode in ["session", "transaction", "statement"] {
        // Without it, `options` is refused; with it, forgotten.
        for ignored in ["extra_float_digits", "extra_float_digits, options"] {
            let pooler = PgBouncer::start(&server, "pooled", mode, ignored);
            let mut before = None;
            wait_for("the pooler answers", || {
                before = pooler.found_by_the_next(&server, "pooled");
                before.is_some()
            });
            let before = before.unwrap();
            assert!(before.contains("search_path=\"$user\", public"), "{before}");
            let error = Session::open(&pooler.target(&server, "pooled"), &environment()).map(drop).unwrap_err();
            assert!(matches!(error, PostgresError::Pooler { .. }), "{mode}, {ignored}: {error}");
            // The same connection of the server, and nothing in it has changed.
            assert_eq!(pooler.found_by_the_next(&server, "pooled").unwrap(), before, "{mode}, {ignored}");
        }
    }
}
