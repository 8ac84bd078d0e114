//! What goes wrong on the way: a clear error each time, and no snapshot.

use std::time::Duration;

use crate::error::Explain;
use crate::exit::Exit;
use crate::secret::Secret;
use crate::snapshot::postgres::take::Limits;
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting, environment, save};
use crate::snapshot::postgres::{PostgresError, Session};
use crate::snapshot::testing::wait_for;

#[test]
fn a_login_that_fails_is_told_apart() {
    let server = Server::shared();
    server.run("postgres", "CREATE ROLE nobody_in LOGIN PASSWORD 'nobody_in' CONNECTION LIMIT 0");
    let open = |target| Session::open(&target, &environment()).map(drop).unwrap_err();
    let mut wrong = server.target("postgres");
    wrong.password = Some(Secret::new("hunter2"));
    let error = open(wrong);
    assert!(error.to_string().contains("password authentication failed"), "{error}");
    assert!(error.hint().unwrap().contains("password") && error.exit() == Exit::NoSnapshot);
    let error = open(server.target("not there"));
    assert!(matches!(error, PostgresError::NoSuchDatabase { .. }), "{error}");
    let error = open(server.target_as("postgres", "nobody_in"));
    assert!(error.to_string().contains("too many connections"), "{error}");
    let mut refused = server.target("postgres");
    refused.places = vec![crate::reach::Place::Host { name: "127.0.0.1".into(), port: Some(1) }];
    let error = open(refused);
    assert!(error.hint().unwrap().starts_with("start the database"), "{error}");
}

#[test]
fn rows_hidden_by_row_level_security_are_an_error() {
    let server = Server::shared();
    server.run("postgres", "CREATE ROLE reader LOGIN PASSWORD 'reader'");
    server.database(
        "hidden",
        "CREATE TABLE t (a int); INSERT INTO t VALUES (1); ALTER TABLE t ENABLE ROW LEVEL SECURITY; \
         CREATE POLICY p ON t USING (false); GRANT SELECT ON t TO reader",
    );
    let error = Snapshot::try_take(&server.target_as("hidden", "reader")).map(drop).unwrap_err();
    assert!(matches!(&error, PostgresError::RowSecurity { message } if message.contains("\"t\"")), "{error}");
}

#[test]
fn a_table_without_the_right_to_read_it_is_an_error() {
    let server = Server::shared();
    server.run("postgres", "CREATE ROLE stranger LOGIN PASSWORD 'stranger'");
    server.database("closed", "CREATE TABLE t (a int)");
    let error = Snapshot::try_take(&server.target_as("closed", "stranger")).map(drop).unwrap_err();
    assert!(error.to_string().contains("permission denied"), "{error}");
}

#[test]
fn a_locked_table_is_named_with_its_holder() {
    let server = Server::shared();
    let target = server.database("locked", "CREATE TABLE orders (a int); CREATE TABLE other (a int)");
    let mut holder = server.psql("locked");
    holder.env("PGAPPNAME", "migration").arg("-c").arg("BEGIN; LOCK TABLE orders; SELECT pg_sleep(60)");
    let mut holder = holder.spawn().unwrap();
    // Of this database: others of the server have locks of their own.
    let locks = "SELECT count(*) FROM pg_locks WHERE relation = 'orders'::regclass AND mode = 'AccessExclusiveLock' AND granted \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    wait_for("the table is locked", || server.run("locked", locks) == "1");
    let error = Snapshot::try_take(&target).map(drop).unwrap_err();
    holder.kill().unwrap();
    holder.wait().unwrap();
    let PostgresError::Locked { holders } = &error else { panic!("{error}") };
    assert!(holders.starts_with("`orders` by pid ") && holders.contains("migration"), "{holders}");
}

#[test]
fn a_link_is_not_written_through() {
    let server = Server::shared();
    let folder = tempfile::tempdir().unwrap();
    let (elsewhere, partial) = (folder.path().join("precious"), folder.path().join("dump"));
    std::fs::write(&elsewhere, "precious").unwrap();
    std::os::unix::fs::symlink(&elsewhere, &partial).unwrap();
    let mut session = Session::open(&server.target("postgres"), &environment()).unwrap();
    save(&mut session, &partial, Limits::default(), &Waiting::default()).unwrap_err();
    assert_eq!(std::fs::read_to_string(elsewhere).unwrap(), "precious");
}

#[test]
fn a_server_that_is_gone_halfway_is_an_error() {
    struct Crash<'a>(&'a Server);
    impl crate::snapshot::Watch for Crash<'_> {
        fn advance(&self, _: u64) {
            self.0.crash();
        }
        fn interrupted(&self) -> bool {
            false
        }
    }
    let server = Server::start();
    let target = server.database("big", "CREATE TABLE t AS SELECT md5(g::text) AS a FROM generate_series(1, 300000) g");
    let mut session = Session::open(&target, &environment()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { lock_wait: Duration::from_secs(5) };
    let error = save(&mut session, &folder.path().join("dump"), limits, &Crash(&server)).unwrap_err();
    assert!(matches!(error, PostgresError::ConnectionLost { .. } | PostgresError::Tool(_)), "{error}");
}
