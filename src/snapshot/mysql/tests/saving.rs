//! What a snapshot holds, and what keeps one from being taken.

use std::fs;

use crate::reach::Place;
use crate::snapshot::Effect;
use crate::snapshot::engine::{Found, SnapshotEngine};
use crate::snapshot::mysql::testing::{Server, Snapshot, Waiting, environment, environment_with_home, save};
use crate::snapshot::mysql::{Mysql, MysqlError, Session};
use crate::snapshot::tool_process::ToolError;

#[test]
fn every_row_and_object_is_in_the_dump_and_the_manifest_says_so() {
    let server = Server::shared();
    let snapshot = Snapshot::take(&server.rich("saved"));
    let rows: Vec<(&str, u64)> =
        snapshot.manifest.tables.iter().map(|table| (table.name.as_str(), table.rows.unwrap())).collect();
    let expected = [
        ("counted", 3),
        ("crashed", 1),
        ("customers", 4),
        ("emptied", 0),
        // With the row that was.
        ("history", 2),
        ("latin", 1),
        ("numbered", 1),
        ("numbers", 0),
        ("odd`name; -- x'\"", 1),
        ("orders", 3),
        ("parts", 2),
    ];
    assert_eq!(rows, expected);
    let state = snapshot.manifest.state.as_ref().unwrap();
    let definitions: Vec<&str> =
        state["definitions"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(
        definitions,
        [
            "view a_view_of_views",
            "view totals",
            "trigger first_one",
            "trigger second_one",
            "trigger third one",
            "function plus_one",
            "procedure many",
            "procedure slashes",
            "event nightly"
        ]
    );
    assert_eq!(snapshot.manifest.obstacles, []);
    let note = "These tables are in no transaction, so that what was written to them meanwhile may be saved in part: \
                Aria: crashed; MyISAM: counted.";
    assert_eq!(snapshot.manifest.notes, [note]);
    let shown = format!("{:?}", snapshot.manifest);
    assert!(!shown.contains("p\\\"w"), "{shown}");
}

#[test]
fn the_users_own_option_files_change_nothing() {
    let server = Server::shared();
    let target =
        server.database("own_files", "CREATE TABLE a (x INT); CREATE TABLE b (x INT); INSERT INTO b VALUES (1)");
    let home = tempfile::tempdir().unwrap();
    let own = "[client]\nuser=nobody\npassword=wrong\nhost=db.invalid\n[mariadb-dump]\nignore-table=own_files.b\nno-data\n\
               [mysqldump]\nignore-table=own_files.b\n[mariadb]\ninit-command=DROP TABLE a\n";
    fs::write(home.path().join(".my.cnf"), own).unwrap();
    let snapshot = Snapshot::try_take(&target, &environment_with_home(home.path())).unwrap();
    let rows: Vec<Option<u64>> = snapshot.manifest.tables.iter().map(|table| table.rows).collect();
    assert_eq!(rows, [Some(0), Some(1)]);
}

#[test]
fn what_is_not_there_and_who_is_not_let_in_are_told_apart() {
    let server = Server::shared();
    let open = |target| Mysql.open(&target, &environment());
    assert!(matches!(open(server.target("no_such")), Ok(Found::NothingToLose("it does not exist"))));
    let mut wrong = server.target("no_such");
    wrong.password = Some(crate::secret::Secret::new("wrong"));
    let Err(error) = open(wrong) else { panic!() };
    assert!(error.asks_for_password() && !error.found_no_server(), "{error}");
    let mut nobody = server.target("no_such");
    nobody.places = vec![crate::reach::Place::Host { name: "127.0.0.1".into(), port: Some(1) }];
    let Err(error) = open(nobody) else { panic!() };
    assert!(error.found_no_server() && !error.asks_for_password(), "{error}");
    let mut unnamed = server.target("x");
    unnamed.database = None;
    assert!(matches!(Session::open(&unnamed, &environment()), Err(MysqlError::NoDatabaseNamed { .. })));
}

#[test]
fn what_the_rights_hide_is_said() {
    let server = Server::shared();
    server.rich("hidden");
    let target = server.target_as(
        "hidden",
        "sees_little",
        &["SELECT, LOCK TABLES, SHOW VIEW ON hidden.*", "EXECUTE ON FUNCTION hidden.plus_one"],
    );
    let snapshot = Snapshot::try_take(&target, &environment()).unwrap();
    let said: Vec<&str> = snapshot.manifest.obstacles.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(
        said,
        [
            "`sees_little@%` lacks ALTER, ALTER ROUTINE, CREATE, CREATE ROUTINE, CREATE VIEW, DROP, INDEX, INSERT on the database",
            "triggers, of which `sees_little@%` is not told",
            "events, of which `sees_little@%` is not told",
            "the accounts that objects work for, which `sees_little@%` may not set: view `a_view_of_views`, view `totals`",
            "the function `plus_one`, since `sees_little@%` may not read the text of all routines",
        ]
    );
    assert_eq!(snapshot.manifest.obstacles[0].effect, Effect::NothingComesBack);
    // Routines show by name to who may execute them.
    let target = server.target_as("hidden", "executes", &["ALL ON hidden.*"]);
    let snapshot = Snapshot::try_take(&target, &environment()).unwrap();
    let said: Vec<&str> = snapshot.manifest.obstacles.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(said[0], "`executes@%` may not make another database beside it");
    assert_eq!(
        said[2],
        "the function `plus_one`, the procedure `many`, the procedure `slashes`, since `executes@%` may not read the text of all routines"
    );
    // A right that a dump cannot do without.
    let target = server.target_as("hidden", "sees_nothing", &["INSERT ON hidden.*"]);
    let error = Snapshot::try_take(&target, &environment()).err().unwrap();
    assert!(matches!(&error, MysqlError::Tool(ToolError::Failed { .. })), "{error}");
}

#[test]
fn views_that_do_not_work_are_left_out_and_named() {
    let server = Server::shared();
    let script = "CREATE TABLE t (a INT); INSERT INTO t VALUES (1); CREATE TABLE gone (a INT); CREATE VIEW v AS SELECT * FROM gone;
                  CREATE VIEW w AS SELECT * FROM t; DROP TABLE gone";
    let snapshot = Snapshot::take(&server.database("broken", script));
    assert_eq!(
        snapshot.manifest.obstacles.iter().map(|one| (one.effect, one.what.as_str())).collect::<Vec<_>>(),
        [(Effect::LeftOut, "views that do not work, since what they read is gone: `v`")]
    );
    assert_eq!(snapshot.manifest.tables.len(), 1);
}

#[test]
fn a_row_that_the_server_would_not_take_back_is_said() {
    let server = Server::shared();
    let target =
        server.database("wide_row", "CREATE TABLE t (a LONGBLOB); INSERT INTO t VALUES (REPEAT('x', 9000000))");
    let snapshot = Snapshot::take(&target);
    let [obstacle] = snapshot.manifest.obstacles.as_slice() else { panic!("{:?}", snapshot.manifest.obstacles) };
    assert_eq!(obstacle.effect, Effect::NothingComesBack);
    assert!(obstacle.what.contains("18000") && obstacle.remedy.contains("max_allowed_packet to 19M"), "{obstacle:?}");
    let error = snapshot.restoring(&target, |restoration| {
        crate::snapshot::mysql::restore::restore(restoration, &Waiting::default()).unwrap_err()
    });
    assert!(matches!(error, MysqlError::NotRestorable { .. }), "{error}");
}

#[test]
fn whoever_asks_to_stop_is_heard() {
    let server = Server::shared();
    let script = "CREATE TABLE t (a TEXT); INSERT INTO t SELECT REPEAT(seq, 200) FROM seq_1_to_20000";
    let mut session = Session::open(&server.database("stopped", script), &environment()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let watch = Waiting { stop_after: Some(1), ..Waiting::default() };
    let error = save(&mut session, &folder.path().join("dump"), &watch).unwrap_err();
    assert!(matches!(error, MysqlError::Tool(ToolError::Interrupted)), "{error}");
}

#[test]
fn databases_beside_one_are_listed_by_name_though_it_is_not_there_itself() {
    let server = Server::shared();
    let mut target = server.database("beside_gone", "");
    server.database("beside_gone_1", "");
    server.run("beside_gone_1", "DROP DATABASE beside_gone");
    let is_wanted = |name: &str| name.starts_with("beside_gone");
    let found = |target: &_| Mysql.names_beside(target, &environment(), &is_wanted);
    assert_eq!(found(&target).unwrap(), ["beside_gone_1"]);
    target.places = vec![Place::Host { name: "127.0.0.1".to_owned(), port: Some(1) }];
    assert!(found(&target).is_err(), "nobody listens there");
}

#[test]
fn a_table_that_somebody_has_locked_is_not_waited_for_without_end() {
    let server = Server::shared();
    let target = server.database("locked", "CREATE TABLE t (a INT); INSERT INTO t VALUES (1)");
    let mut user = Session::open(&target, &environment()).unwrap();
    user.client.ask("LOCK TABLES t WRITE").unwrap();
    let error = Snapshot::try_take(&target, &environment()).err().unwrap();
    assert!(matches!(&error, MysqlError::InUse { users, .. } if users.contains("(tester)")), "{error}");
    user.client.ask("UNLOCK TABLES").unwrap();
    Snapshot::take(&target);
}

#[test]
fn a_database_is_one_by_whatever_name_and_another_servers_is_another() {
    let (server, other) = (Server::shared(), Server::start());
    for server in [&*server, &other] {
        server.database("one", "");
        server.database("two", "");
    }
    server.target_as("one", "somebody", &["ALL ON one.*"]);
    let by_socket = crate::reach::Target {
        places: vec![Place::Socket { path: server.socket(), port: None }],
        ..server.target("one")
    };
    let as_somebody = crate::reach::Target {
        user: Some("somebody".into()),
        password: Some(crate::secret::Secret::new("somebody")),
        ..server.target("one")
    };
    let identity = |target: &crate::reach::Target| {
        let Ok(Found::Database(database)) = Mysql.open(target, &environment()) else { panic!("{target:?}") };
        database.identity().unwrap()
    };
    let own = identity(&server.target("one"));
    assert_eq!(identity(&by_socket), own);
    assert_eq!(identity(&as_somebody).database, own.database);
    assert_ne!(identity(&as_somebody).undone_by, own.undone_by);
    assert_ne!(identity(&server.target("two")).database, own.database);
    assert_ne!(identity(&other.target("one")).database, own.database);
}

#[test]
fn rows_that_are_kept_elsewhere_are_said_to_be_left_out() {
    let server = Server::start_with(&["--plugin-load-add=ha_federatedx"]);
    server.database("far", "CREATE TABLE t (a INT PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
    let script = format!(
        "CREATE TABLE here (a INT); INSERT INTO here VALUES (1);
         CREATE TABLE there (a INT PRIMARY KEY) ENGINE = FEDERATED CONNECTION = 'mysql://root@127.0.0.1:{}/far/t'",
        server.port
    );
    let snapshot = Snapshot::take(&server.database("near", &script));
    assert_eq!(server.run("near", "SELECT COUNT(*) FROM there"), "2");
    let rows: Vec<Option<u64>> = snapshot.manifest.tables.iter().map(|table| table.rows).collect();
    assert_eq!(rows, [Some(1), Some(0)]);
    let said: Vec<_> = snapshot.manifest.obstacles.iter().map(|one| (one.effect, one.what.as_str())).collect();
    assert_eq!(said, [(Effect::LeftOut, "rows of tables that show what is kept elsewhere: `there` (FEDERATED)")]);
}
