//! Damaged files: none passes for a snapshot.

use sha2::{Digest, Sha256};

use crate::error::Explain;
use crate::exit::Exit;
use crate::snapshot::VerificationLevel;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting};
use crate::snapshot::postgres::{PostgresError, restore, verify};
use crate::text::hex;

#[test]
fn every_damage_is_found_with_and_without_the_hash() {
    let server = Server::shared();
    let target =
        server.database("damaged", "CREATE TABLE t AS SELECT g, md5(g::text) AS a FROM generate_series(1, 3000) g");
    let mut snapshot = Snapshot::take(&target);
    let whole = std::fs::read(snapshot.file()).unwrap();
    let mut damaged: Vec<(String, Vec<u8>)> = vec![
        ("empty".into(), Vec::new()),
        ("half".into(), whole[..whole.len() / 2].to_vec()),
        ("ten bytes short".into(), whole[..whole.len() - 10].to_vec()),
        ("one byte short".into(), whole[..whole.len() - 1].to_vec()),
    ];
    for at in (0..whole.len()).step_by(whole.len() / 12) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        damaged.push((format!("bit flipped at {at}"), flipped));
    }
    let manifest = snapshot.manifest.clone();
    for (what, bytes) in damaged {
        std::fs::write(snapshot.file(), &bytes).unwrap();
        snapshot.manifest = manifest.clone();
        let check = |snapshot: &Snapshot| {
            snapshot.restoring(&target, |restoration| verify(restoration, VerificationLevel::Read, &Waiting::default()))
        };
        let error = check(&snapshot).unwrap_err();
        assert!(matches!(error, PostgresError::Dump(DumpError::HashMismatch { .. })), "{what}: {error}");
        assert_eq!(error.exit(), Exit::NoSnapshot);
        let error = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())).unwrap_err();
        assert!(matches!(error, PostgresError::Dump(DumpError::HashMismatch { .. })), "{what}: {error}");
        // Even a manifest that fits the damage does not make it pass: zstd's own checksum, the archive, the rows.
        snapshot.manifest.sha256 = hex(Sha256::digest(&bytes));
        let header = what == "bit flipped at 0";
        let error = check(&snapshot).unwrap_err();
        assert!(
            matches!(
                error,
                PostgresError::Dump(DumpError::Damaged { .. }) | PostgresError::Dump(DumpError::NotWhole { .. })
            ),
            "{what} {header}: {error}"
        );
        // A restore reads it while it loads it.
        let error = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())).unwrap_err();
        assert!(matches!(error, PostgresError::NotRestored { .. }), "{what}: {error}");
    }
    assert_eq!(server.run("damaged", "SELECT count(*) FROM t"), "3000");
    let left = "SELECT count(*) FROM pg_database WHERE datname LIKE 'damaged\\_%'";
    assert_eq!(server.run("postgres", left), "0");
}

#[test]
fn a_manifest_that_does_not_fit_is_refused() {
    let server = Server::shared();
    let target = server.database("misfit", "CREATE TABLE t (a int)");
    let mut snapshot = Snapshot::take(&target);
    snapshot.manifest.tables[0].rows = Some(7);
    let check = |snapshot: &Snapshot| {
        snapshot.restoring(&target, |restoration| verify(restoration, VerificationLevel::Read, &Waiting::default()))
    };
    assert!(matches!(check(&snapshot), Err(PostgresError::Dump(DumpError::NotWhole { .. }))));
    let error = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())).unwrap_err();
    let PostgresError::NotRestored { source, .. } = &error else { panic!("{error}") };
    // Of the dump's text, before the database that was made of it is looked at.
    assert!(
        matches!(&**source, PostgresError::Dump(DumpError::NotWhole { what, .. }) if what.ends_with("dump")),
        "{source}"
    );
    snapshot.manifest.state = None;
    assert!(matches!(check(&snapshot), Err(PostgresError::Manifest { .. })));
    std::fs::remove_file(snapshot.file()).unwrap();
}
