//! The copy that is kept in the server beside a dump: when there is one, and when it is what is put back.

mod later;

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use rustix::process::Signal;
use serde_json::Value;

use crate::hash::Hash;
use crate::reach::Target;
use crate::snapshot::engine::{CopyUse, OpenDatabase, Restoration, Restored};
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::copy;
use crate::snapshot::postgres::recorded;
use crate::snapshot::postgres::recorded::{RecordedCopy, ServerCopy};
use crate::snapshot::postgres::testing::{ID, Server, Snapshot, Waiting, environment};
use crate::snapshot::postgres::tests::rich::{RICH, text_of};
use crate::snapshot::postgres::{PostgresError, Session, drop_leftover, leftovers, restore};
use crate::snapshot::testing::{AllKnown, Unledgered, wait_for};
use crate::snapshot::tool_process::ToolError;
use crate::snapshot::{Ledger, LeftoverKind, Making, Provenance, Restated, Standing, Watch};

fn take(target: &Target) -> Snapshot {
    Snapshot::take_with_copy(target, &Unledgered, &Waiting::default()).unwrap()
}

fn put_back(snapshot: &Snapshot, target: &Target) -> Restored {
    snapshot.restoring(target, |restoration| restore(restoration, &Waiting::default())).unwrap()
}

#[track_caller]
fn kept(snapshot: &Snapshot) -> ServerCopy {
    match recorded::copy(&snapshot.manifest) {
        Some(RecordedCopy::Kept(copy)) => copy,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn why_not_kept(snapshot: &Snapshot) -> String {
    match recorded::copy(&snapshot.manifest) {
        Some(RecordedCopy::NotKept(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// Why the dump was loaded instead of the copy.
#[track_caller]
fn why_not_used(restored: Restored) -> String {
    match restored.copy {
        Some(CopyUse::NotUsed(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn copies(server: &Server) -> String {
    server.run("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE '%\\_undo\\_%'")
}

/// Does something once the name of a copy is written down: after the dump and the look at the server, and before the copy.
struct Meddling<F: Fn()>(F);

impl<F: Fn()> Ledger for Meddling<F> {
    fn write_down(&self, making: &Making) -> Result<(), Box<dyn Error + Send + Sync>> {
        assert!(making.making[0].contains("_undo_"), "{making:?}");
        (self.0)();
        Ok(())
    }

    fn restate(&self, _: &Restated) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}

/// Cannot be written.
struct Unwritable;

impl Ledger for Unwritable {
    fn write_down(&self, _: &Making) -> Result<(), Box<dyn Error + Send + Sync>> {
        Err("no space is left".into())
    }

    fn restate(&self, _: &Restated) -> Result<(), Box<dyn Error + Send + Sync>> {
        Err("no space is left".into())
    }
}

/// What a database is besides what is in it.
fn facts(server: &Server) -> String {
    server.run(
        "postgres",
        "SELECT d.datdba::regrole, d.datacl, d.datconnlimit, d.datistemplate, d.datallowconn, d.datcollate, \
         shobj_description(d.oid, 'pg_database'), (SELECT string_agg(s.setrole::regrole || s.setconfig::text, ';' ORDER BY \
         s.setrole) FROM pg_db_role_setting s WHERE s.setdatabase = d.oid) FROM pg_database d WHERE datname = 'shop'",
    )
}

#[test]
fn a_copy_brings_back_what_the_dump_would_with_the_properties_of_the_database() {
    for server in [Server::start(), Server::start_version(17), Server::start_version(18)] {
        server.run("postgres", "CREATE ROLE keeper; CREATE ROLE visitor");
        // The servers that were fetched have no such extension.
        let rich = RICH
            .replace("CREATE EXTENSION pgcrypto; ", "")
            .replace("digest(g::text, 'sha256')", "sha256(g::text::bytea)");
        let target = server.database("shop", &rich);
        server.run(
            "shop",
            "ALTER DATABASE shop OWNER TO keeper; ALTER DATABASE shop SET work_mem = '5MB'; \
             ALTER DATABASE shop SET \"TimeZone\" = 'Asia/Tokyo'; \
             ALTER DATABASE shop SET search_path = \"$user\", public; ALTER ROLE visitor IN DATABASE shop SET app.x = 'it''s'; \
             REVOKE CONNECT ON DATABASE shop FROM PUBLIC; GRANT CONNECT ON DATABASE shop TO visitor WITH GRANT OPTION; \
             ALTER DATABASE shop CONNECTION LIMIT 7; COMMENT ON DATABASE shop IS 'the ''shop'''",
        );
        let (text, before) = (text_of(&server, "shop"), facts(&server));
        assert!(before.contains("visitor=c*/keeper") && before.contains("work_mem=5MB"), "{before}");
        let snapshot = take(&target);
        let copy = kept(&snapshot);
        assert_eq!(copy.name, "shop_undo_20261121_143022");
        let enters = server.psql(&copy.name).args(["-c", "SELECT 1"]).output().unwrap();
        assert!(!enters.status.success(), "nobody enters it, not even a superuser");
        let found = leftovers(&target, &environment(), &AllKnown).unwrap();
        assert_eq!((found[0].kind, found[0].ours, found[0].snapshot.as_deref()), (LeftoverKind::Copy, true, Some(ID)));
        // Our own statements do not count as somebody's.
        let mut session = Session::open(&target, &environment()).unwrap();
        assert!(session.is_unchanged_since(&snapshot.manifest).unwrap());
        assert!(session.has_copy_for(&snapshot.manifest).unwrap());
        drop(session);

        server.run("shop", "DELETE FROM users; DROP TABLE parent CASCADE; CREATE TABLE new_one (a int)");
        server.run("postgres", "ALTER DATABASE shop SET work_mem = '6MB'; COMMENT ON DATABASE shop IS NULL");
        let restored = put_back(&snapshot, &target);
        assert_eq!((restored.copy, &restored.notes), (Some(CopyUse::Used(copy.name)), &Vec::new()));
        assert_eq!((text_of(&server, "shop"), facts(&server)), (text.clone(), before.clone()), "{}", server.major());
        let replaced = restored.replaced.unwrap();
        assert_eq!(server.run(&replaced, "SELECT count(*) FROM new_one"), "0");
        // It is used up; the dump brings the same.
        server.run("shop", "DELETE FROM users");
        let again = put_back(&snapshot, &target);
        assert!(why_not_used(again).contains("is gone"));
        assert_eq!((text_of(&server, "shop"), facts(&server)), (text, before), "{}", server.major());
    }
}

#[test]
fn a_copy_makes_room_for_the_next_one_and_both_leave_the_proof_of_no_change_whole() {
    let server = Server::start();
    let target = server.database("shop", "CREATE TABLE t AS SELECT 1 AS a");
    let first = kept(&take(&target));
    server.run("shop", "UPDATE t SET a = 2");
    let second = take(&target);
    assert_ne!(kept(&second).name, first.name);
    assert_eq!(copies(&server), "1");
    let unchanged =
        |snapshot: &Snapshot| Session::open(&target, &environment()).unwrap().is_unchanged_since(&snapshot.manifest);
    assert!(unchanged(&second).unwrap());
    server.run("shop", "UPDATE t SET a = 3");
    assert!(!unchanged(&second).unwrap());
    // Somebody else's with such a name stays.
    server.database("shop_undo_20250101_000000", "");
    assert!(matches!(put_back(&second, &target).copy, Some(CopyUse::Used(_))));
    assert_eq!((server.run("shop", "SELECT a FROM t"), copies(&server)), ("2".to_owned(), "1".to_owned()));
    // A copy that was asked for and cannot be had is asked for again, as is one that never was.
    let mut client = connected(&server, "shop");
    let without = take(&target);
    let mut session = Session::open(&target, &environment()).unwrap();
    assert!(why_not_kept(&without).contains("others are connected"));
    assert!(session.is_unchanged_since(&without.manifest).unwrap());
    assert!(!session.has_copy_for(&without.manifest).unwrap());
    assert!(!session.has_copy_for(&Snapshot::take(&target).manifest).unwrap());
    send_away(&server, &mut client);
}

/// Ends the session of a client, which the server would else go on with.
fn send_away(server: &Server, client: &mut Child) {
    server
        .run("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'");
    client.wait().unwrap();
}

/// A client that stays connected.
fn connected(server: &Server, database: &str) -> Child {
    let sleep = ["-c", "SELECT pg_sleep(600)"];
    let mut client = server.psql(database).args(sleep).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the client is connected", || {
        assert!(client.try_wait().unwrap().is_none());
        let count =
            format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND query LIKE '%pg_sleep%'");
        server.run("postgres", &count) == "1"
    });
    client
}

#[test]
fn what_is_written_or_connected_between_dump_and_copy_leaves_the_dump_alone() {
    let server = Server::start();
    let target = server.database("shop", "CREATE TABLE t AS SELECT 1 AS a; CREATE SEQUENCE s; SELECT nextval('s')");
    server.database("other", "CREATE TABLE t (a int)");
    // A row, a value of a sequence that needs no number of its own, what another database gets.
    for (database, statement) in
        [("shop", "UPDATE t SET a = a + 1"), ("shop", "SELECT nextval('s')"), ("other", "INSERT INTO t VALUES (1)")]
    {
        let before = server.run("shop", "SELECT a FROM t");
        let meddling = Meddling(|| drop(server.run(database, statement)));
        let snapshot = Snapshot::take_with_copy(&target, &meddling, &Waiting::default()).unwrap();
        assert_eq!(why_not_kept(&snapshot), "something was written on the server meanwhile", "{statement}");
        assert_eq!(copies(&server), "0", "{statement}");
        server.run("shop", "UPDATE t SET a = 100");
        assert_eq!(put_back(&snapshot, &target).copy, None);
        assert_eq!(server.run("shop", "SELECT a FROM t"), before, "{statement}");
    }
    // Who comes and stays is not sent away.
    let client: Cell<Option<Child>> = Cell::new(None);
    let meddling = Meddling(|| client.set(Some(connected(&server, "shop"))));
    let snapshot = Snapshot::take_with_copy(&target, &meddling, &Waiting::default()).unwrap();
    let mut client = client.take().unwrap();
    assert!(why_not_kept(&snapshot).contains("being accessed by other users"), "{}", why_not_kept(&snapshot));
    assert!(client.try_wait().unwrap().is_none());
    send_away(&server, &mut client);
    // Whose name cannot be written down is not made.
    let snapshot = Snapshot::take_with_copy(&target, &Unwritable, &Waiting::default()).unwrap();
    assert!(why_not_kept(&snapshot).contains("could not be written down"));
    assert_eq!(copies(&server), "0");
}

#[test]
fn where_a_copy_would_not_be_whole_or_not_allowed_there_is_none() {
    let server = Server::start();
    server.run(
        "postgres",
        "CREATE ROLE modest LOGIN PASSWORD 'modest'; CREATE ROLE maker LOGIN PASSWORD 'maker' CREATEDB",
    );
    let target = server.database("shop", "CREATE TABLE t AS SELECT 1 AS a; ALTER TABLE t OWNER TO modest");
    let why = |target: &Target| why_not_kept(&take(target));
    server.run("postgres", "ALTER DATABASE shop OWNER TO modest");
    assert!(why(&server.target_as("shop", "modest")).contains("`modest` may not create databases"));
    server.run("shop", "GRANT SELECT ON t TO maker");
    assert!(why(&server.target_as("shop", "maker")).contains("does not own this one"));
    // A setting that only a superuser makes.
    server.run("postgres", "ALTER ROLE modest CREATEDB; ALTER DATABASE shop SET log_min_messages = 'error'");
    assert!(why(&server.target_as("shop", "modest")).contains("cannot be carried over"));
    server.run("postgres", "ALTER DATABASE shop RESET log_min_messages");
    let modest = server.target_as("shop", "modest");
    let snapshot = take(&modest);
    drop(kept(&snapshot));
    server.run("shop", "UPDATE t SET a = 2");
    assert!(matches!(put_back(&snapshot, &modest).copy, Some(CopyUse::Used(_))), "its owner needs no more rights");
    let owner = "SELECT datdba::regrole FROM pg_database WHERE datname = 'shop'";
    assert_eq!((server.run("postgres", owner), server.run("shop", "SELECT a FROM t")), ("modest".into(), "1".into()));

    server.run("shop", "SELECT pg_create_logical_replication_slot('follows', 'pgoutput')");
    assert!(why(&target).contains("the slot follows"), "{}", why(&target));
    server.run("shop", "SELECT pg_drop_replication_slot('follows')");
    server.run("shop", "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1' PUBLICATION p WITH (connect = false)");
    assert!(why(&target).contains("the subscription s"));
    server.run("shop", "ALTER SUBSCRIPTION s SET (slot_name = NONE)");
    server.run("shop", "DROP SUBSCRIPTION s");
    server.run("shop", "BEGIN; INSERT INTO t VALUES (2); PREPARE TRANSACTION 'held'");
    assert!(why(&target).contains("cannot prove"));
    server.run("shop", "COMMIT PREPARED 'held'");
    // Nothing that failed has left anything.
    assert_eq!(copies(&server), "0");
    let snapshot = take(&target);
    drop(kept(&snapshot));
    // What the command dropped is back all the same.
    server.run("postgres", "DROP DATABASE shop");
    let restored = put_back(&snapshot, &target);
    assert!(matches!((restored.copy, restored.replaced), (Some(CopyUse::Used(_)), None)));
    assert_eq!(server.run("shop", "SELECT sum(a) FROM t"), "3");
}

#[test]
fn a_copy_that_anybody_touched_is_not_relied_on() {
    let mut server = Server::start();
    let target = server.database("shop", "CREATE TABLE t AS SELECT 1 AS a");
    let write = |server: &Server, copy: &str| {
        server.run("postgres", &format!("ALTER DATABASE {copy} ALLOW_CONNECTIONS true"));
        server.run(copy, "UPDATE t SET a = 66");
    };
    type Touch<'a> = (&'a str, &'a dyn Fn(&Server, &str));
    let touches: [Touch<'_>; 8] = [
        ("was changed since", &|server, copy| write(server, copy)),
        ("was changed since", &|server, copy| {
            write(server, copy);
            server.run("postgres", &format!("ALTER DATABASE {copy} ALLOW_CONNECTIONS false"));
        }),
        ("was changed since", &|server, copy| {
            drop(server.run("postgres", &format!("ALTER DATABASE {copy} OWNER TO other")))
        }),
        ("does not bear its mark", &|server, copy| {
            drop(server.run("postgres", &format!("COMMENT ON DATABASE {copy} IS 'mine'")));
        }),
        ("is gone", &|server, copy| drop(server.run("postgres", &format!("DROP DATABASE {copy}")))),
        ("is gone", &|server, copy| drop(server.run("postgres", &format!("ALTER DATABASE {copy} RENAME TO taken")))),
        // Another one with its name and mark.
        ("was changed since", &|server, copy| {
            let mark =
                format!("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{copy}'");
            let mark = server.run("postgres", &mark);
            server.run("postgres", &format!("DROP DATABASE {copy}"));
            server.run("postgres", &format!("CREATE DATABASE {copy} TEMPLATE template0 ALLOW_CONNECTIONS false"));
            server.run("postgres", &format!("COMMENT ON DATABASE {copy} IS '{mark}'"));
        }),
        ("is at work", &|_, _| {}),
    ];
    server.run("postgres", "CREATE ROLE other");
    for (at, (expected, touch)) in touches.iter().enumerate() {
        let snapshot = take(&target);
        let copy = kept(&snapshot);
        touch(&server, &copy.name);
        server.run("shop", "UPDATE t SET a = 2");
        let holding = (*expected == "is at work").then(|| {
            let mut holding = Session::open(&server.target("postgres"), &environment()).unwrap();
            assert!(crate::snapshot::postgres::beside::try_lock(&mut holding, &copy.name).unwrap());
            holding
        });
        let mut session = Session::open(&target, &environment()).unwrap();
        assert_eq!(session.has_copy_for(&snapshot.manifest).unwrap(), holding.is_some(), "{at}");
        drop(session);
        let why = why_not_used(put_back(&snapshot, &target));
        assert!(why.contains(expected), "{at}: {why}");
        assert_eq!(server.run("shop", "SELECT a FROM t"), "1", "{at}");
        drop(holding);
        for name in leftovers(&target, &environment(), &AllKnown).unwrap().into_iter().filter(|one| one.ours) {
            wait_for("it is dropped", || drop_leftover(&target, &environment(), &name.name, &AllKnown).unwrap());
        }
        server.run("postgres", "DROP DATABASE IF EXISTS taken");
        server.run("postgres", &format!("DROP DATABASE IF EXISTS {}", copy.name));
    }
    // A crash empties unlogged tables, in the copy as well.
    server.run("shop", "CREATE UNLOGGED TABLE u AS SELECT 1 AS a");
    let snapshot = take(&target);
    drop(kept(&snapshot));
    server.restart(Signal::QUIT, |_| {});
    let target = server.target("shop");
    let why = why_not_used(put_back(&snapshot, &target));
    assert!(why.contains("started anew"), "{why}");
    assert_eq!(server.run("shop", "SELECT a FROM u"), "1");
}

/// Asks to stop once the name of a copy is written down.
struct Stopping(AtomicBool);

impl Watch for Stopping {
    fn advance(&self, _: u64) {}

    fn interrupted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn whoever_is_asked_to_stop_while_the_server_copies_leaves_no_copy() {
    let server = Server::start();
    let target =
        server.database("shop", "CREATE TABLE t AS SELECT md5(g::text) AS a FROM generate_series(1, 1500000) g");
    let stopping = Stopping(AtomicBool::new(false));
    let meddling = Meddling(|| stopping.0.store(true, Ordering::Relaxed));
    let error = Snapshot::take_with_copy(&target, &meddling, &stopping).err().unwrap();
    assert!(matches!(error, PostgresError::Tool(ToolError::Interrupted)), "{error}");
    assert_eq!(copies(&server), "0");
}

#[test]
fn one_that_was_killed_before_its_mark_is_told_as_killed_and_dropped() {
    let server = Server::start();
    let target = server.database("shop", "CREATE TABLE t AS SELECT 1 AS a");
    let snapshot = take(&target);
    let copy = kept(&snapshot).name;
    server.run("postgres", &format!("COMMENT ON DATABASE {copy} IS NULL"));
    let found = leftovers(&target, &environment(), &AllKnown).unwrap();
    assert_eq!((found[0].kind, found[0].ours), (LeftoverKind::Unfinished, false), "nothing says that it is ours");
    let past = Announced(copy.clone());
    let found = leftovers(&target, &environment(), &past).unwrap();
    assert_eq!((found[0].kind, found[0].ours), (LeftoverKind::Unfinished, true));
    assert!(drop_leftover(&target, &environment(), &copy, &past).unwrap());
    assert_eq!(copies(&server), "0");
}

/// Remembers one database as announced.
struct Announced(String);

impl Provenance for Announced {
    fn standing_of(&self, _: &str, _: &Hash) -> Standing {
        Standing::Unknown
    }

    fn was_given(&self, _: &str, _: DateTime<Utc>) -> bool {
        false
    }

    fn was_made(&self, _: &str, database: &str, _: DateTime<Utc>) -> bool {
        database == self.0
    }
}

/// Remembers what was restated.
#[derive(Default)]
struct Remembering(RefCell<Option<Value>>);

impl Ledger for Remembering {
    fn write_down(&self, _: &Making) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }

    fn restate(&self, restated: &Restated) -> Result<(), Box<dyn Error + Send + Sync>> {
        assert_eq!(restated.snapshot, ID);
        *self.0.borrow_mut() = Some(restated.state.clone());
        Ok(())
    }
}

impl Provenance for Remembering {
    fn standing_of(&self, _: &str, _: &Hash) -> Standing {
        Standing::Known
    }

    fn was_given(&self, _: &str, _: DateTime<Utc>) -> bool {
        false
    }

    fn was_made(&self, _: &str, _: &str, _: DateTime<Utc>) -> bool {
        true
    }

    fn restated(&self, _: &str, _: DateTime<Utc>) -> Option<Value> {
        self.0.borrow().clone()
    }
}

#[test]
fn whoever_writes_at_once_to_what_a_copy_brought_back_is_not_overlooked() {
    let server = Server::start();
    let target = server.database("shop", "CREATE TABLE t (a serial); INSERT INTO t DEFAULT VALUES");
    let writes = ["INSERT INTO t DEFAULT VALUES", "SELECT nextval('t_a_seq')", "CREATE TEMP TABLE other (a int)"];
    for write in writes.map(Some).into_iter().chain([None]) {
        let snapshot = take(&target);
        let maintenance = Connection::new(&target, &environment()).unwrap();
        let before = copy::before(&mut Session::open_maintenance(&maintenance, None).unwrap(), &snapshot.manifest);
        // As the exchange takes one number.
        server.run("postgres", "SELECT txid_current()");
        write.map(|write| server.run("shop", write));
        let log = Remembering::default();
        let database = Connection::new(&target, &environment()).unwrap();
        snapshot.restoring(&target, |restoration| {
            copy::put_in_place("c", before.unwrap(), &Restoration { ledger: &log, ..*restoration }, database);
        });
        assert_eq!(log.0.take().is_some(), write.is_none(), "{write:?}");
    }
}
