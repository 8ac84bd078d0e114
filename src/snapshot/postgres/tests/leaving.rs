//! What restores leave on a server: which of it is ours, and who is at work on it.

use std::error::Error;

use crate::hash::Hash;
use crate::snapshot::beside_names::Purpose;
use crate::snapshot::engine::Restoration;
use crate::snapshot::postgres::beside;
use crate::snapshot::postgres::beside::Marker;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting, environment};
use crate::snapshot::postgres::{PostgresError, Session, drop_leftover, leftovers, restore};
use crate::snapshot::testing::{AllKnown, wait_for};
use crate::snapshot::{Ledger, LeftoverKind, Making, Provenance, Restated, Standing};

/// Remembers one database as made on any server.
struct Made(&'static str);

impl Provenance for Made {
    fn standing_of(&self, _: &str, _: &Hash) -> Standing {
        Standing::Unknown
    }

    fn was_given(&self, _: &str, _: chrono::DateTime<chrono::Utc>) -> bool {
        false
    }

    fn was_made(&self, server: &str, database: &str, _: chrono::DateTime<chrono::Utc>) -> bool {
        assert!(server.starts_with("postgres:"), "{server}");
        database == self.0
    }
}

#[test]
fn what_a_killed_restore_left_is_ours_by_its_mark_or_by_the_log_and_by_nothing_else() {
    let server = Server::shared();
    let target = server.database("half", "");
    let past = Made("half_restoring_19700101_000001");
    let mark = |of: &str| {
        let (purpose, of) = (Purpose::Restoring, of.to_owned());
        Marker { purpose, of, at: chrono::DateTime::UNIX_EPOCH, comment: None, snapshot: None }.comment()
    };
    let cases = [
        // Marked, whatever the log says.
        ("half_restoring_19700101_000000", mark("half"), true),
        // Killed before it could be marked; the log told of it before it was made.
        ("half_restoring_19700101_000001", String::new(), true),
        // Nothing tells of it; somebody else's comment; the mark of another one.
        ("half_restoring_19700101_000002", String::new(), false),
        ("half_verifying_19700101_000003", "mine".to_owned(), false),
        ("half_restoring_19700101_000004", mark("half"), false),
        ("half_restoring_19700101_000000_2", mark("other"), false),
        // What was replaced is never without its mark: both are written at once.
        ("half_replaced_19700101_000001", String::new(), false),
    ];
    for (name, comment, _) in &cases {
        server.database(name, "");
        server.run("postgres", &format!("COMMENT ON DATABASE {name} IS '{comment}'"));
    }
    // A name as a restore of another database gives it, and one that somebody gave to a marked one.
    server.database("other_half_restoring_19700101_000000", "");
    server.run("postgres", &format!("COMMENT ON DATABASE half_restoring_19700101_000000 IS '{}'", mark("half")));
    server.database("taken_over", "");
    server.run("postgres", &format!("COMMENT ON DATABASE taken_over IS '{}'", mark("half")));
    let found = leftovers(&target, &environment(), &past).unwrap();
    let ours = |name: &str| found.iter().find(|one| one.name == name).map(|one| one.ours);
    for (name, _, is_ours) in &cases {
        assert_eq!(ours(name), Some(*is_ours), "{name}");
        let dropped = drop_leftover(&target, &environment(), name, &past);
        assert_eq!(dropped.is_ok(), *is_ours, "{name}: {dropped:?}");
    }
    assert_eq!(found.len(), cases.len(), "{found:?}");
    assert!(found.iter().all(|one| one.size.is_some_and(|size| size > 1_000_000) && !one.at_work), "{found:?}");
    let left = "SELECT count(*) FROM pg_database WHERE datname ~ 'half_[rv]' OR datname = 'taken_over'";
    assert_eq!(server.run("postgres", left), "7");
}

#[test]
fn what_is_at_work_is_told_and_left_whatever_database_its_session_is_in() {
    let server = Server::shared();
    let (target, name) = (server.database("at_work", ""), "at_work_restoring_19700101_000000");
    let marker = Marker {
        purpose: Purpose::Restoring,
        of: "at_work".to_owned(),
        at: chrono::DateTime::UNIX_EPOCH,
        comment: None,
        snapshot: None,
    };
    server.database(name, "");
    server.run("postgres", &format!("COMMENT ON DATABASE {name} IS '{}'", marker.comment()));
    let connection = Connection::new(&target, &environment()).unwrap();
    for avoided in [None, Some("postgres")] {
        let mut at_work = Session::open_maintenance(&connection, avoided).unwrap();
        assert!(beside::try_lock(&mut at_work, name).unwrap());
        let found = leftovers(&target, &environment(), &AllKnown).unwrap();
        assert!(found[0].at_work && found[0].kind == LeftoverKind::Unfinished, "{found:?}");
        assert!(!drop_leftover(&target, &environment(), name, &AllKnown).unwrap());
        let mut other = Session::connect(connection.clone()).unwrap();
        assert!(!beside::try_lock(&mut other, name).unwrap(), "locked from another database, too");
    }
    wait_for("the lock is given back", || drop_leftover(&target, &environment(), name, &AllKnown).unwrap());
    assert_eq!(server.run("postgres", &format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'")), "0");
}

/// A ledger that cannot be written.
struct Full;

impl Ledger for Full {
    fn write_down(&self, _: &Making) -> Result<(), Box<dyn Error + Send + Sync>> {
        Err("no space is left".into())
    }

    fn restate(&self, _: &Restated) -> Result<(), Box<dyn Error + Send + Sync>> {
        Err("no space is left".into())
    }
}

#[test]
fn nothing_is_made_whose_name_could_not_be_written_down() {
    let server = Server::shared();
    let target = server.database("unledgered", "CREATE TABLE t AS SELECT 1 AS a");
    let snapshot = Snapshot::take(&target);
    server.run("unledgered", "UPDATE t SET a = 2");
    let error = snapshot
        .restoring(&target, |restoration| restore(&Restoration { ledger: &Full, ..*restoration }, &Waiting::default()));
    let error = error.unwrap_err();
    assert!(matches!(&error, PostgresError::NotWrittenDown { .. }), "{error}");
    let made = "SELECT count(*) FROM pg_database WHERE datname LIKE 'unledgered\\_%'";
    assert_eq!((server.run("unledgered", "SELECT a FROM t"), server.run("postgres", made)), ("2".into(), "0".into()));
}
