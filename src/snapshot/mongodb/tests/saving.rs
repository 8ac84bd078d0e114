//! What a snapshot holds, and what keeps one from being taken.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::snapshot::mongodb::MongoError;
use crate::snapshot::mongodb::bson::Writing;
use crate::snapshot::mongodb::session::open;
use crate::snapshot::mongodb::testing::{PASSWORD, Server, Snapshot, Waiting, environment, is_real, save};
use crate::snapshot::tool_process::ToolError;
use crate::snapshot::{TableRows, VerificationLevel};

#[test]
fn a_snapshot_holds_every_collection_and_says_how_it_was_made() {
    let server = Server::shared();
    let target = server.rich("saved");
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("dump");
    let taken = save(&target, &output, &Waiting::default()).unwrap();
    let rows = |name: &str| taken.tables.iter().find(|table| table.name == name).and_then(|table| table.rows);
    for (name, expected) in [("orders", 200), ("odd name.with-dots", 3), ("empty", 0), ("capped", 4), ("fs.chunks", 1)]
    {
        assert_eq!(rows(name), Some(expected), "{name}");
    }
    let further = if is_real() { 3 } else { 0 };
    assert_eq!(taken.tables.len(), 6 + further, "{:?}", taken.tables);
    assert_eq!((taken.verified, taken.compression.as_deref()), (VerificationLevel::Read, Some("zstd")));
    assert!(taken.notes[0].contains("not of one moment"), "{:?}", taken.notes);
    let found = fs::metadata(&output).unwrap();
    assert_eq!((found.len(), found.permissions().mode() & 0o777), (taken.size, 0o600));
    assert!(taken.tool.arguments.iter().any(|argument| argument == "--db=saved"));
    assert!(taken.tool.arguments[0].starts_with("--config=/"), "{:?}", taken.tool.arguments);
}

#[test]
fn a_password_reaches_the_tools_by_the_private_file_alone() {
    let server = Server::start(true);
    let target = server.rich("guarded");
    let snapshot = Snapshot::take(&target);
    let told = format!("{:?}", snapshot.manifest);
    assert!(!told.contains("p\\\"w") && !told.contains("%22w"), "{told}");
    assert!(snapshot.manifest.by_hand[0].contains("--username tester") && PASSWORD.len() > 8);
    assert_eq!(snapshot.manifest.tables.iter().filter(|one| one.rows == Some(200)).count(), 1);
}

#[test]
fn a_database_that_is_not_there_has_nothing_to_lose() {
    let server = Server::shared();
    let error = open(&server.target("never_made"), &environment()).unwrap_err();
    assert!(matches!(error, MongoError::NoSuchDatabase { .. }), "{error}");
    let error = open(&server.target("admin"), &environment()).unwrap_err();
    assert!(matches!(error, MongoError::NotSavable { .. }), "{error}");
    let mut unnamed = server.target("");
    unnamed.database = None;
    let error = open(&unnamed, &environment()).unwrap_err();
    assert!(matches!(error, MongoError::NoDatabaseNamed { .. }), "{error}");
}

#[test]
fn a_collection_that_the_dump_lacks_is_missed() {
    let server = Server::shared();
    let target = server.rich("lacking");
    let folder = tempfile::tempdir().unwrap();
    let found = open(&target, &environment()).unwrap();
    let command = found.session.connection.dump("lacking", &folder.path().join("dump"));
    server.client().drop_collection("lacking", "empty").unwrap();
    let error = crate::snapshot::mongodb::take::take(&found, &command, &Waiting::default()).unwrap_err();
    assert!(error.to_string().ends_with("is not whole: the collection `empty` is missing"), "{error}");
}

#[test]
fn whoever_asks_to_stop_is_heard_and_nothing_goes_on() {
    let server = Server::shared();
    let target = server.rich("stopped");
    let long = "x".repeat(100_000);
    for part in 0..20 {
        let documents = (0..20).map(|number| Writing::new().integer("_id", part * 20 + number).text("text", &long));
        server.insert("stopped", "large", documents);
    }
    let watch = Waiting { stop_after: Some(1_000_000), ..Waiting::default() };
    let Err(error) = Snapshot::try_take(&target, &watch) else { panic!("it was not stopped") };
    assert!(matches!(error, MongoError::Tool(ToolError::Interrupted)), "{error}");
    // Whole afterwards.
    let snapshot = Snapshot::take(&target);
    assert!(snapshot.manifest.tables.contains(&TableRows { name: "large".to_owned(), rows: Some(400) }));
}

#[test]
fn a_disk_that_is_full_is_an_error() {
    let server = Server::shared();
    let target = server.rich("full");
    let Err(error) = save(&target, "/dev/full".as_ref(), &Waiting::default()) else { panic!("nothing was written") };
    assert!(error.to_string().contains("/dev/full"), "{error}");
}

#[test]
fn a_server_that_goes_away_is_an_error() {
    let server = Server::start(false);
    let target = server.rich("gone");
    let found = open(&target, &environment()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let command = found.session.connection.dump("gone", &folder.path().join("dump"));
    server.crash();
    let error = crate::snapshot::mongodb::take::take(&found, &command, &Waiting::default()).unwrap_err();
    assert!(matches!(error, MongoError::Tool(ToolError::Failed { .. })), "{error}");
    let error = open(&target, &environment()).unwrap_err();
    assert!(matches!(error, MongoError::CannotConnect { .. }), "{error}");
}
