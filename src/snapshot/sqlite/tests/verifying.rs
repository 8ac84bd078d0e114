//! Snapshots that are not what they were.

use super::*;

fn saved() -> (Scratch, Manifest) {
    let place = Scratch::with(
        "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT UNIQUE);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<3000)
         INSERT INTO users SELECT i, 'user ' || i FROM n",
    );
    let manifest = manifest(&place.take("one"));
    (place, manifest)
}

fn check(place: &Scratch, manifest: &Manifest, level: VerificationLevel) -> Result<Vec<TableRows>, SqliteError> {
    verify(&place.partial("one"), manifest, level, &Ear::default())
}

#[test]
fn a_whole_snapshot_verifies_at_both_levels_and_leaves_nothing_behind() {
    let (place, manifest) = saved();
    for level in [VerificationLevel::Read, VerificationLevel::Restore] {
        assert_eq!(check(&place, &manifest, level).unwrap(), [rows("users", 3000)]);
        assert_eq!(fs::read_dir(place.path().join("backups")).unwrap().count(), 1);
    }
}

#[test]
fn a_snapshot_cut_short_is_refused() {
    let (place, manifest) = saved();
    for keep in [0, 100, 4096, manifest.size / 2, manifest.size - 10, manifest.size - 1] {
        fs::File::options().write(true).open(place.partial("one")).unwrap().set_len(keep).unwrap();
        let error = check(&place, &manifest, VerificationLevel::Read).unwrap_err();
        assert!(matches!(error, SqliteError::Size { found, .. } if found == keep), "{keep}: {error}");
    }
}

#[test]
fn one_flipped_bit_anywhere_is_refused() {
    let (place, manifest) = saved();
    let whole = fs::read(place.partial("one")).unwrap();
    for at in [0, 20, 30, 99, 100, 5_000, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        fs::write(place.partial("one"), &bytes).unwrap();
        let error = check(&place, &manifest, VerificationLevel::Read).unwrap_err();
        assert!(matches!(error, SqliteError::Hash { .. }), "{at}: {error}");
    }
}

#[test]
fn another_database_under_its_name_is_refused() {
    let (place, manifest) = saved();
    let other = Scratch::with("CREATE TABLE t(a)");
    other.take("one");
    fs::copy(other.partial("one"), place.partial("one")).unwrap();
    assert!(matches!(check(&place, &manifest, VerificationLevel::Read), Err(SqliteError::Size { .. })));
    fs::remove_file(place.partial("one")).unwrap();
    assert!(matches!(check(&place, &manifest, VerificationLevel::Read), Err(SqliteError::Unreadable { .. })));
}

#[test]
fn a_manifest_with_other_tables_or_rows_is_refused() {
    let (place, manifest) = saved();
    for tables in [vec![rows("users", 2999)], vec![], vec![rows("users", 3000), rows("orders", 0)]] {
        let edited = Manifest { tables, ..manifest.clone() };
        let error = check(&place, &edited, VerificationLevel::Read).unwrap_err();
        assert!(matches!(error, SqliteError::Contents { .. }), "{error}");
    }
}

#[test]
fn a_damaged_database_is_not_saved() {
    let (place, _) = saved();
    let mut bytes = fs::read(&place.database).unwrap();
    bytes[4096..4200].fill(0xff);
    fs::write(&place.database, bytes).unwrap();
    let error = take(&place.database, &place.partial("two"), &Ear::default()).unwrap_err();
    assert!(matches!(error, SqliteError::Damaged { .. }), "{error}");
}

#[test]
fn a_stale_wal_beside_a_snapshot_is_not_read() {
    let (place, manifest) = saved();
    fs::write(files::beside(&place.partial("one"), "-wal"), vec![7; 10_000]).unwrap();
    assert_eq!(check(&place, &manifest, VerificationLevel::Restore).unwrap(), [rows("users", 3000)]);
}

#[test]
fn rows_that_refer_to_missing_rows_are_told_and_not_refused() {
    let place = Scratch::with(
        "PRAGMA foreign_keys=OFF; CREATE TABLE a(id INTEGER PRIMARY KEY); CREATE TABLE b(a REFERENCES a);
         INSERT INTO b VALUES (7)",
    );
    let manifest = manifest(&place.take("one"));
    let ear = Ear::default();
    verify(&place.partial("one"), &manifest, VerificationLevel::Restore, &ear).unwrap();
    let remarks = ear.remarks.lock().unwrap();
    assert!(remarks.len() == 1 && remarks[0].starts_with("1 rows refer"), "{remarks:?}");
}

#[test]
fn an_interruption_is_no_verdict() {
    let (place, manifest) = saved();
    let ear = Ear { stop: true.into(), ..Ear::default() };
    let error = verify(&place.partial("one"), &manifest, VerificationLevel::Read, &ear).unwrap_err();
    assert!(matches!(error, SqliteError::Interrupted { .. }), "{error}");
}
