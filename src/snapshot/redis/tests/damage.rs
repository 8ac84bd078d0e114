//! Files that are not what was written: each is found before a byte of it reaches a server.

use std::fs;
use std::io::Read as _;

use crate::snapshot::VerificationLevel::{Read, Restore};
use crate::snapshot::crc64::Crc64;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::redis::RedisError;
use crate::snapshot::redis::rdb::{self, Keeping};
use crate::snapshot::redis::restore::restore;
use crate::snapshot::redis::testing::{Server, Snapshot, Waiting, environment_of};
use crate::snapshot::redis::verify::verify;

#[test]
fn every_cut_and_every_flip_is_found() {
    let server = Server::start();
    server.fill();
    let target = server.target();
    let mut snapshot = Snapshot::take(&target);
    // The hash is what finds them: the server's program has nothing to do with it.
    snapshot.environment = environment_of(&[], &snapshot.file().with_file_name("state"));
    let whole = fs::read(snapshot.file()).unwrap();
    let read = || snapshot.restoring(&target, |restoration| verify(restoration, Read, &Waiting::default()));
    read().unwrap();
    let step = whole.len().div_ceil(500);
    for at in (0..whole.len()).step_by(step) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        for (what, bytes) in [("cut", &whole[..at]), ("flipped", &flipped[..])] {
            fs::write(snapshot.file(), bytes).unwrap();
            let error = read().unwrap_err();
            assert!(matches!(error, RedisError::Dump(DumpError::HashMismatch { .. })), "{what} at {at}: {error}");
        }
    }
}

/// What a server sends is hashed by us only once it is here. Until then its own checksum, and that it can be read whole, are
/// what finds damage.
#[test]
fn every_cut_and_every_flip_of_the_file_itself_is_found_without_its_hash() {
    let server = Server::start();
    server.fill();
    let snapshot = Snapshot::take(&server.target());
    let mut whole = Vec::new();
    zstd::Decoder::new(fs::File::open(snapshot.file()).unwrap()).unwrap().read_to_end(&mut whole).unwrap();
    let read = |bytes: &[u8], keeping| rdb::read(&mut { bytes }, keeping);
    for keeping in [Keeping::Count, Keeping::Sum { over: 0 }] {
        read(&whole, keeping).unwrap();
        let step = whole.len().div_ceil(500);
        for at in (0..whole.len()).step_by(step) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(read(&flipped, keeping).is_err(), "flipped at {at}");
            assert!(read(&whole[..at], keeping).is_err(), "cut at {at}");
        }
        assert_eq!(read(&[&whole[..], b"x"].concat(), keeping).unwrap_err(), "something follows its end");
    }
    for (bytes, expected) in [
        (&b"REDIS0013\xff12345678"[..], "it is of form 13 (`0013`), and 12 is the newest that safe-test knows"),
        (b"VALKEY080\xff12345678", "it is of form 80 (`080`), and 12 is the newest that safe-test knows"),
        (b"<!DOCTYPE html>", "it is no RDB file"),
        (b"", "it is cut off"),
        (b"REDIS0011\x63\x01a", "it holds a value of a form (99) that safe-test does not know"),
        // A hash whose fields have times of their own.
        (b"REDIS0012\x18\x01a", "it holds a value of a form (24) that safe-test does not know"),
    ] {
        assert_eq!(read(bytes, Keeping::Count).unwrap_err(), expected);
    }
}

#[test]
fn the_newest_form_is_read_where_it_holds_what_is_known() {
    let server = Server::start();
    server.fill();
    let snapshot = Snapshot::take(&server.target());
    let mut whole = Vec::new();
    zstd::Decoder::new(fs::File::open(snapshot.file()).unwrap()).unwrap().read_to_end(&mut whole).unwrap();
    let known = rdb::read(&mut &whole[..], Keeping::Sum { over: 0 }).unwrap();
    whole[5..9].copy_from_slice(format!("{:04}", rdb::NEWEST).as_bytes());
    let end = whole.len() - 8;
    let mut sum = Crc64::jones();
    sum.update(&whole[..end]);
    whole[end..].copy_from_slice(&sum.sum().to_le_bytes());
    let newest = rdb::read(&mut &whole[..], Keeping::Sum { over: 0 }).unwrap();
    assert_eq!(newest, rdb::Held { form: rdb::NEWEST, ..known });
}

#[test]
fn a_file_whose_hash_was_made_to_fit_is_read_all_the_same_and_reaches_no_server() {
    let server = Server::start();
    server.fill();
    let target = server.target();
    let mut snapshot = Snapshot::take(&target);
    let before = server.content();
    let whole = zstd::decode_all(fs::File::open(snapshot.file()).unwrap()).unwrap();
    let text = memchr::memmem::find(&whole, b"entry-").map_or(whole.len() / 2, |at| at);
    let mut changed = whole.clone();
    changed[text] ^= 1;
    for (bytes, expected) in [(&changed[..], "its checksum does not fit"), (&whole[..whole.len() - 4], "it is cut off")]
    {
        let packed = zstd::encode_all(bytes, 1).unwrap();
        fs::write(snapshot.file(), &packed).unwrap();
        snapshot.manifest.sha256 = crate::text::hex(<sha2::Sha256 as sha2::Digest>::digest(&packed));
        let error = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap_err());
        assert!(
            matches!(&error, RedisError::Dump(DumpError::Damaged { reason, .. }) if reason.contains(expected)),
            "{error}"
        );
    }
    assert!(server.content() == before);
    assert!(server.cli(&["ROLE"]).starts_with("master"));
}

/// What our own reader lets through, the server's program still finds.
#[test]
fn the_server_s_own_program_has_its_say() {
    let server = Server::start();
    server.run("SADD ints 1 2 3\n");
    let target = server.target();
    let mut snapshot = Snapshot::take(&target);
    let mut whole = zstd::decode_all(fs::File::open(snapshot.file()).unwrap()).unwrap();
    // A set of integers whose width there is not; its checksum is left out, as a server may be told to do.
    let at = memchr::memmem::find(&whole, b"ints").unwrap() + 5;
    assert_eq!(whole[at], 2, "{whole:?}");
    whole[at] = 3;
    let end = whole.len() - 8;
    whole[end..].fill(0);
    let packed = zstd::encode_all(&whole[..], 1).unwrap();
    fs::write(snapshot.file(), &packed).unwrap();
    snapshot.manifest.sha256 = crate::text::hex(<sha2::Sha256 as sha2::Digest>::digest(&packed));
    let read =
        |snapshot: &Snapshot| snapshot.restoring(&target, |restoration| verify(restoration, Read, &Waiting::default()));
    let error = read(&snapshot).unwrap_err();
    assert!(error.to_string().contains("redis-check-rdb exited with status 1"), "{error}");
    // Where there is none, what holds it is compared at the latest.
    let without = environment_of(&[], &snapshot.file().with_file_name("state"));
    let with = std::mem::replace(&mut snapshot.environment, without);
    read(&snapshot).unwrap();
    snapshot.environment = with;
}

#[test]
fn a_manifest_that_promises_something_else_is_found() {
    let server = Server::start();
    server.fill();
    let target = server.target();
    let mut snapshot = Snapshot::take(&target);
    let whole = snapshot.manifest.clone();
    for (change, expected) in
        [(0, "`database 0` is not as promised"), (1, "`database 0` is not as promised"), (2, "`gone` is missing")]
    {
        snapshot.manifest = whole.clone();
        match change {
            0 => snapshot.manifest.tables[0].rows = Some(4),
            1 => drop(snapshot.manifest.tables.remove(0)),
            _ => {
                let mut gone = whole.tables[0].clone();
                gone.name = "gone".to_owned();
                snapshot.manifest.tables.push(gone);
            }
        }
        for level in [Read, Restore] {
            let error =
                snapshot.restoring(&target, |restoration| verify(restoration, level, &Waiting::default()).unwrap_err());
            assert!(
                matches!(&error, RedisError::Dump(DumpError::NotWhole { differences, .. }) if differences == expected),
                "{error}"
            );
        }
    }
    snapshot.manifest = whole;
    snapshot.restoring(&target, |restoration| verify(restoration, Restore, &Waiting::default()).unwrap());
    assert!(snapshot.left().is_empty(), "nothing is left");
}
