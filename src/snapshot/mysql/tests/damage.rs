//! Dumps that are not what was written: each is found before a byte of it reaches a server.

use std::fs;

use crate::snapshot::VerificationLevel::{Read, Restore};
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::mysql::MysqlError;
use crate::snapshot::mysql::restore::restore;
use crate::snapshot::mysql::testing::{Server, Snapshot, Waiting, assert_same};
use crate::snapshot::mysql::verify::verify;

#[test]
fn every_cut_and_every_flip_is_found() {
    let server = Server::shared();
    let target = server.rich("damaged");
    let snapshot = Snapshot::take(&target);
    let whole = fs::read(snapshot.file()).unwrap();
    let before = server.content("damaged");
    snapshot.restoring(&target, |restoration| verify(restoration, Read, &Waiting::default()).unwrap());
    let step = whole.len().div_ceil(500);
    for at in (0..whole.len()).step_by(step) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        for (what, bytes) in [("cut", &whole[..at]), ("flipped", &flipped[..])] {
            fs::write(snapshot.file(), bytes).unwrap();
            let error =
                snapshot.restoring(&target, |restoration| verify(restoration, Read, &Waiting::default()).unwrap_err());
            assert!(
                matches!(
                    error,
                    MysqlError::Dump(DumpError::HashMismatch { .. }) | MysqlError::Dump(DumpError::File { .. })
                ),
                "{what} at {at}: {error}"
            );
        }
    }
    fs::write(snapshot.file(), &whole[..whole.len() / 2]).unwrap();
    let error = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap_err());
    assert!(matches!(error, MysqlError::Dump(DumpError::HashMismatch { .. })), "{error}");
    assert_same(&server.content("damaged"), &before);
}

#[test]
fn a_manifest_that_promises_something_else_is_found() {
    let server = Server::shared();
    let target = server.rich("promised");
    let mut snapshot = Snapshot::take(&target);
    let whole = snapshot.manifest.clone();
    for (change, expected) in [
        (0, "`counted` has 3 rows instead of Some(4)"),
        (1, "`customers` is there besides"),
        (2, "the trigger gone is missing"),
    ] {
        snapshot.manifest = whole.clone();
        match change {
            0 => snapshot.manifest.tables[0].rows = Some(4),
            1 => drop(snapshot.manifest.tables.remove(2)),
            _ => snapshot.manifest.state.as_mut().unwrap()["definitions"]
                .as_array_mut()
                .unwrap()
                .push("trigger gone".into()),
        }
        for level in [Read, Restore] {
            let error =
                snapshot.restoring(&target, |restoration| verify(restoration, level, &Waiting::default()).unwrap_err());
            assert!(
                matches!(&error, MysqlError::Dump(DumpError::NotWhole { differences, .. }) if differences == expected),
                "{error}"
            );
        }
    }
    snapshot.manifest = whole;
    snapshot.restoring(&target, |restoration| verify(restoration, Restore, &Waiting::default()).unwrap());
    assert_eq!(server.run("", "SHOW DATABASES LIKE 'promised%'"), "promised", "nothing is left");
}
