//! The copy that is asked for later, for a snapshot since which nothing was written.

use std::cell::{Cell, RefCell};
use std::error::Error;

use chrono::TimeDelta;

use crate::reach::Target;
use crate::snapshot::engine::{CopyUse, Copying, OpenDatabase, Restoration};
use crate::snapshot::engines::saving;
use crate::snapshot::plan::Saver;
use crate::snapshot::postgres::testing::{ID, Server, Snapshot, Waiting, environment, now};
use crate::snapshot::postgres::tests::copies::{Meddling, Remembering, Unwritable, connected, copies, send_away, take};
use crate::snapshot::postgres::{Session, restore};
use crate::snapshot::testing::{AllKnown, Unledgered, ending};
use crate::snapshot::{Care, Copied, Intention, Kind, Ledger, Making, Met, Order, Restated, Store};

/// Asks for the copy of a snapshot since which nothing was written.
fn copy_for(snapshot: &Snapshot, target: &Target, ledger: &dyn Ledger) -> Option<Copied> {
    let mut session = Session::open(target, &environment()).unwrap();
    assert!(session.is_unchanged_since(&snapshot.manifest).unwrap());
    // That of the first snapshot has the first name.
    let now = now() + TimeDelta::seconds(1);
    let copying = Copying { snapshot: ID, target: &target.address(), now, ledger };
    ending(|| session.copy_for(&snapshot.manifest, &copying, &Waiting::default())).unwrap()
}

#[track_caller]
fn why_not(copied: Option<Copied>) -> String {
    match copied {
        Some(Copied::NotKept { why }) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_snapshot_does_not_serve_any_more_where_somebody_writes_while_its_copy_is_made() {
    let server = Server::start();
    let target = server.database("shop", "CREATE TABLE t AS SELECT 1 AS a; CREATE SEQUENCE s; SELECT nextval('s')");
    for write in ["UPDATE t SET a = a + 1", "SELECT nextval('s')"] {
        let snapshot = Snapshot::take(&target);
        let meddling = Meddling(|| drop(server.run("shop", write)));
        assert_eq!(copy_for(&snapshot, &target, &meddling), None, "{write}");
        assert_eq!(copies(&server), "0", "{write}");
    }
    // Also where the copy failed for another reason.
    let snapshot = Snapshot::take(&target);
    let clients = RefCell::new(Vec::new());
    let meddling = Meddling(|| {
        server.run("shop", "UPDATE t SET a = a + 1");
        clients.borrow_mut().push(connected(&server, "shop"));
    });
    assert_eq!(copy_for(&snapshot, &target, &meddling), None);
    // Who is there and does not write leaves it as it is.
    let snapshot = Snapshot::take(&target);
    let log = Remembering::default();
    let why = why_not(copy_for(&snapshot, &target, &log));
    assert!(why.contains("others are connected") && log.0.borrow().is_none(), "{why}");
    clients.into_inner().iter_mut().for_each(|client| send_away(&server, client));
    assert!(matches!(copy_for(&snapshot, &target, &log), Some(Copied::Kept { .. })));
    assert_eq!(copies(&server), "1");
}

#[test]
fn a_copy_that_cannot_be_written_down_is_dropped() {
    /// Takes down names, and nothing that holds of a snapshot.
    struct Full<F: Fn()>(F);
    impl<F: Fn()> Ledger for Full<F> {
        fn write_down(&self, _: &Making) -> Result<(), Box<dyn Error + Send + Sync>> {
            Ok(())
        }

        fn restate(&self, _: &Restated) -> Result<(), Box<dyn Error + Send + Sync>> {
            (self.0)();
            Err("no space is left".into())
        }
    }
    let server = Server::start();
    let target = server.database("shop", "CREATE TABLE t AS SELECT 1 AS a");
    let why = why_not(copy_for(&Snapshot::take(&target), &target, &Full(|| ())));
    assert_eq!((why.as_str(), copies(&server).as_str()), ("it could not be written down (no space is left)", "0"));
    let writing = Full(|| drop(server.run("shop", "UPDATE t SET a = 2")));
    assert_eq!((copy_for(&Snapshot::take(&target), &target, &writing), copies(&server).as_str()), (None, "0"));
    let why = why_not(copy_for(&Snapshot::take(&target), &target, &Unwritable));
    assert!(why.contains("could not be written down") && copies(&server) == "0", "{why}");
}

#[test]
fn a_run_saves_anew_what_was_written_while_it_made_a_copy_for_an_earlier_snapshot() {
    let server = Server::start();
    let target = server.database("shop", "CREATE TABLE t AS SELECT 1 AS a");
    let folder = tempfile::tempdir().unwrap();
    let store = Store::locate(folder.path(), None).unwrap();
    store.prepare().unwrap();
    let run = |copies: Option<&dyn Ledger>| {
        let environment = environment();
        let order = Order {
            project: folder.path(),
            store: &store,
            past: &AllKnown,
            kind: Kind::Run,
            run: "1",
            now: now(),
            environment: &environment,
            may_reuse: true,
            may_wait: false,
            copies,
            met: Met::default(),
        };
        let intention = Intention::Save(Saver::Engine(saving(&target).unwrap()));
        ending(|| crate::snapshot::take(0, &target, &intention, &order, &Waiting::default())).unwrap()
    };
    let first = run(None);
    let mut client = connected(&server, "shop");
    for _ in 0..2 {
        let receipt = run(Some(&Unledgered));
        assert_eq!((receipt.snapshot(), receipt.copy().is_some()), (first.snapshot(), true));
        assert!(matches!(receipt.copy(), Some(Copied::NotKept { .. })), "{:?}", receipt.copy());
    }
    send_away(&server, &mut client);
    let written = Cell::new(false);
    let meddling = Meddling(|| {
        if !written.replace(true) {
            server.run("shop", "INSERT INTO t VALUES (2)");
        }
    });
    let anew = run(Some(&meddling));
    assert!(matches!(anew.care(), Care::Saved { copy: Some(Copied::Kept { .. }), .. }), "{:?}", anew.care());
    let saved = store.newest_first().unwrap().find(|stored| Some(&*stored.manifest.id) == anew.snapshot()).unwrap();
    assert_eq!((saved.manifest.tables[0].rows, anew.snapshot() == first.snapshot()), (Some(2), false));
}

#[test]
fn a_database_that_its_copy_brought_back_is_unchanged_and_the_next_copy_needs_no_dump() {
    let server = Server::start();
    let target = server.database("shop", "CREATE TABLE t (a serial); INSERT INTO t DEFAULT VALUES");
    let snapshot = take(&target);
    let log = Remembering::default();
    let undo = || {
        let restored = snapshot.restoring(&target, |restoration| {
            restore(&Restoration { ledger: &log, past: &log, ..*restoration }, &Waiting::default())
        });
        restored.unwrap()
    };
    let is_unchanged = || {
        let mut session = Session::open(&target, &environment()).unwrap();
        session.is_unchanged_since(&snapshot.manifest.clone().restated_by(&log)).unwrap()
    };
    for round in 0..3 {
        server.run("shop", "INSERT INTO t DEFAULT VALUES");
        assert!(!is_unchanged(), "{round}");
        let restored = undo();
        assert!(matches!(restored.copy, Some(CopyUse::Used(_))), "{round}: {restored:?}");
        assert_eq!(server.run("shop", "SELECT count(*), max(a) FROM t"), "1|1");
        assert!(is_unchanged(), "{round}");
        let mut session = Session::open(&target, &environment()).unwrap();
        let earlier = snapshot.manifest.clone().restated_by(&log);
        assert!(!session.has_copy_for(&earlier).unwrap(), "{round}: it is used up");
        let copying =
            Copying { snapshot: ID, target: &target.address(), now: now() + TimeDelta::seconds(round), ledger: &log };
        let copied = ending(|| session.copy_for(&earlier, &copying, &Waiting::default())).unwrap();
        assert!(matches!(copied, Some(Copied::Kept { .. })), "{round}: {copied:?}");
        let earlier = snapshot.manifest.clone().restated_by(&log);
        assert!(session.has_copy_for(&earlier).unwrap() && session.is_unchanged_since(&earlier).unwrap(), "{round}");
    }
    assert_eq!(copies(&server), "1");
}
