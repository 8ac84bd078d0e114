//! Dumps that are not what was written: each is found before a byte of it reaches a server.

use std::fs;

use crate::snapshot::VerificationLevel::{Read, Restore};
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::mongodb::MongoError;
use crate::snapshot::mongodb::restore::restore;
use crate::snapshot::mongodb::testing::{Server, Snapshot, Waiting};
use crate::snapshot::mongodb::verify::verify;

#[test]
fn every_cut_and_every_flip_is_found() {
    let server = Server::shared();
    let target = server.rich("damaged");
    let snapshot = Snapshot::take(&target);
    let whole = fs::read(snapshot.file()).unwrap();
    let before = server.content("damaged");
    let read = || snapshot.restoring(&target, |restoration| verify(restoration, Read, &Waiting::default()));
    read().unwrap();
    let step = whole.len().div_ceil(500);
    for at in (0..whole.len()).step_by(step) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        for (what, bytes) in [("cut", &whole[..at]), ("flipped", &flipped[..])] {
            fs::write(snapshot.file(), bytes).unwrap();
            let error = read().unwrap_err();
            assert!(matches!(error, MongoError::Dump(DumpError::HashMismatch { .. })), "{what} at {at}: {error}");
        }
    }
    fs::write(snapshot.file(), &whole[..whole.len() / 2]).unwrap();
    let error = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap_err());
    assert!(matches!(error, MongoError::Dump(DumpError::HashMismatch { .. })), "{error}");
    assert!(server.content("damaged") == before);
}

/// The hash of another file in its manifest helps nobody: the archive's own checksums and names are compared, too.
#[test]
fn an_archive_whose_hash_was_made_to_fit_is_read_all_the_same() {
    let server = Server::shared();
    let target = server.rich("fitted");
    let mut snapshot = Snapshot::take(&target);
    let archive = zstd::decode_all(fs::File::open(snapshot.file()).unwrap()).unwrap();
    let text = memchr::memmem::find(&archive, b"it's; 7").unwrap();
    let mut changed = archive.clone();
    changed[text] = b'I';
    for (bytes, expected) in
        [(&changed[..], "the checksum of `orders` does not fit"), (&archive[..archive.len() - 4], "cut off")]
    {
        let packed = zstd::encode_all(bytes, 1).unwrap();
        fs::write(snapshot.file(), &packed).unwrap();
        snapshot.manifest.sha256 = crate::text::hex(<sha2::Sha256 as sha2::Digest>::digest(&packed));
        let error =
            snapshot.restoring(&target, |restoration| verify(restoration, Read, &Waiting::default()).unwrap_err());
        assert!(
            matches!(&error, MongoError::Dump(DumpError::Damaged { reason, .. }) if reason.contains(expected)),
            "{error}"
        );
    }
}

#[test]
fn a_manifest_that_promises_something_else_is_found() {
    let server = Server::shared();
    let target = server.rich("promised");
    let mut snapshot = Snapshot::take(&target);
    let whole = snapshot.manifest.clone();
    let orders = whole.tables.iter().position(|table| table.name == "orders").unwrap();
    for (change, expected) in
        [(0, "`orders` is not as promised"), (1, "`orders` is not as promised"), (2, "`gone` is missing")]
    {
        snapshot.manifest = whole.clone();
        match change {
            0 => snapshot.manifest.tables[orders].rows = Some(4),
            1 => drop(snapshot.manifest.tables.remove(orders)),
            _ => {
                let mut gone = whole.tables[orders].clone();
                gone.name = "gone".to_owned();
                snapshot.manifest.tables.push(gone);
            }
        }
        for level in [Read, Restore] {
            let error =
                snapshot.restoring(&target, |restoration| verify(restoration, level, &Waiting::default()).unwrap_err());
            assert!(
                matches!(&error, MongoError::Dump(DumpError::NotWhole { differences, .. }) if differences == expected),
                "{error}"
            );
        }
    }
    snapshot.manifest = whole;
    snapshot.restoring(&target, |restoration| verify(restoration, Restore, &Waiting::default()).unwrap());
    assert_eq!(server.databases("promised"), ["promised"], "nothing is left");
}
