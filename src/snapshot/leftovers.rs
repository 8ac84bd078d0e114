//! Finds and clears away what calls that were killed left in the folder of snapshots, and nothing that is still being
//! taken, nor anything of somebody else's.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::PathBuf;

use crate::durable;
use crate::lock::{Lock, is_at, try_lock};
use crate::regular;
use crate::snapshot::StoreError;
use crate::snapshot::store::{Store, Stored};

impl Store {
    /// Lists the dumps and partial files that belong to no manifest and to no living process.
    ///
    /// # Errors
    ///
    /// [`StoreError::Folder`] where the folder is there and cannot be listed.
    pub(crate) fn leftovers(&self) -> Result<Vec<PathBuf>, StoreError> {
        let names = self.names()?;
        let is_left = |(id, name): &(&str, &str)| self.abandoned(id, name).is_some();
        let mut left: Vec<PathBuf> =
            unfinished(&names).filter(is_left).map(|(_, name)| self.directory().join(name)).collect();
        left.extend(durable::left_unfinished(self.directory()));
        Ok(left)
    }

    /// Removes the leftovers, and gives those that are gone. What cannot be removed now is removed next time.
    ///
    /// # Errors
    ///
    /// As [`Store::leftovers`].
    pub(crate) fn clear_leftovers(&self) -> Result<Vec<PathBuf>, StoreError> {
        let names = self.names()?;
        let mut removed = durable::clear_unfinished(self.directory());
        for (id, name) in unfinished(&names) {
            let path = self.directory().join(name);
            // The lock is kept until the file is gone, so that nobody can take the name meanwhile.
            if let Some(_lock) = self.abandoned(id, name)
                && fs::remove_file(&path).is_ok()
            {
                removed.push(path);
            }
        }
        Ok(removed)
    }

    /// Picks the snapshots among `stored` whose dump is there and is not seen to be damaged, in the same order: those that
    /// retention may count on. Looks at names and sizes, no more.
    #[must_use]
    pub(crate) fn whole<'s>(&self, stored: &'s [Stored]) -> Vec<&'s Stored> {
        let is_whole = |stored: &&Stored| {
            let found = fs::symlink_metadata(&stored.dump);
            found.is_ok_and(|found| found.is_file() && found.len() == stored.manifest.size)
        };
        stored.iter().filter(is_whole).collect()
    }

    /// Tells whether a file was left by something that was killed; gives the lock that proves it, where there is a marker.
    ///
    /// The manifest is looked for last: a snapshot that was being taken when the folder was listed has one by the time
    /// its marker is gone or free.
    fn abandoned(&self, id: &str, name: &str) -> Option<Option<File>> {
        let marker = self.marker_path(id);
        let lock = match regular::open_own_to_write(&marker, OpenOptions::new().read(true).write(true)) {
            Ok(file) if try_lock(&file, Lock::Exclusive).unwrap_or(false) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            _ => return None,
        };
        let is_of_a_snapshot = name.ends_with(".dump") && self.manifest_path(id).exists();
        let is_still_there = lock.as_ref().is_none_or(|file| is_at(file, &marker));
        (is_still_there && !is_of_a_snapshot).then_some(lock)
    }
}

/// Finds the names among `names`, which are sorted, that only unfinished snapshots have, and gives each with its id. A
/// dump whose manifest is listed, too, is not looked at any further: there may be thousands.
fn unfinished(names: &[String]) -> impl Iterator<Item = (&str, &str)> {
    let has_manifest = |id: &str| names.binary_search(&format!("{id}.json")).is_ok();
    let found = names.iter().filter_map(|name| Some((id_of_an_unfinished_file(name)?, name.as_str())));
    found.filter(move |(id, name)| !(name.ends_with(".dump") && has_manifest(id)))
}

/// Finds the id in a name that only an unfinished snapshot has. A dump that a person put here is not one of ours.
fn id_of_an_unfinished_file(name: &str) -> Option<&str> {
    let of_a_dump = || {
        let (id, ending) = name.rsplit_once(".dump")?;
        let is_unfinished = match ending.strip_prefix(".partial") {
            // The side files that an engine makes next to a dump are called after it: `….dump.partial-wal`.
            Some(rest) => rest.is_empty() || rest.starts_with('-'),
            None => ending.is_empty(),
        };
        is_unfinished.then_some(id)
    };
    name.strip_suffix(".json.partial").or_else(of_a_dump).filter(|id| is_an_id(id))
}

/// Tells whether `id` is made as [`Store::reserve`] makes it: a name, a date, a time, and perhaps a number.
fn is_an_id(id: &str) -> bool {
    let is_number = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    let ends_with_time = |id: &str| {
        let mut parts = id.rsplitn(3, '_');
        let (time, date, name) = (parts.next(), parts.next(), parts.next());
        time.is_some_and(|time| is_number(time, 6))
            && date.is_some_and(|date| is_number(date, 8))
            && name.is_some_and(|name| !name.is_empty())
    };
    let numbered = id.rsplit_once('_').filter(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
    ends_with_time(id) || numbered.is_some_and(|(id, _)| ends_with_time(id))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::hash::Hash;
    use crate::snapshot::testing::{AllKnown, manifest, wait_for};
    use crate::snapshot::{Kind, Provenance, Standing};

    const ID: &str = "shop_20261121_143022";

    fn store_with(names: &[&str]) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::locate(folder.path(), None).unwrap();
        store.prepare().unwrap();
        for name in names {
            fs::write(store.directory().join(name), "bytes").unwrap();
        }
        (folder, store)
    }

    fn cleared(store: &Store) -> Vec<String> {
        let name = |path: PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        store.clear_leftovers().unwrap().into_iter().map(name).collect()
    }

    #[test]
    fn what_a_killed_call_left_is_cleared_away() {
        let (_folder, store) = store_with(&[
            "shop_20261121_143022.dump",
            "shop_20261121_143022.json.partial",
            "shop_20261121_143023_2.dump.partial",
            "shop_20261121_143023_2.dump.partial-wal",
            "shop_20261121_143024.dump.partial-index",
        ]);
        assert_eq!(store.leftovers().unwrap().len(), 5);
        // What another test starts just then has the marker open too, and so locked, for a moment.
        let mut names = Vec::new();
        wait_for("all of it is cleared away", || {
            names.extend(cleared(&store));
            names.len() == 5
        });
        assert_eq!(store.leftovers().unwrap(), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_dump_that_a_person_put_there_stays() {
        let (_folder, store) = store_with(&[
            "before-demo.dump",
            "shop_2026.dump",
            "20261121_143022.dump",
            "a_1.dump",
            "shop_20261121_143022.dump-mine",
            "shop_20261121_143022.dumpster",
            "shop_20261121_143022.dump.partialx",
            "shop_20261121_143022.dump.gz",
        ]);
        assert_eq!(cleared(&store), Vec::<String>::new());
    }

    #[test]
    fn what_is_being_taken_stays_and_so_does_what_was_taken_meanwhile() {
        let (_folder, store) = store_with(&[]);
        let now = "2026-11-21T14:30:22Z".parse().unwrap();
        let reservation = store.reserve("shop", now, &AllKnown).unwrap();
        fs::write(reservation.partial(), "dump").unwrap();
        assert_eq!(cleared(&store), Vec::<String>::new());
        // As if the folder had been listed before the dump got its manifest.
        store.commit(reservation, manifest(ID, "shop", Kind::Run, "2026-11-21T14:30:22Z"), now).unwrap();
        assert!(store.abandoned(ID, &format!("{ID}.dump")).is_none());
        assert_eq!(store.list().unwrap().0.len(), 1);
    }

    #[test]
    fn the_name_that_is_foretold_is_the_name_that_is_given() {
        let (_folder, store) = store_with(&["shop_20261121_143022_2.dump.partial"]);
        let now = "2026-11-21T14:30:22Z".parse().unwrap();
        std::os::unix::fs::symlink("nowhere", store.directory().join("shop_20261121_143022_3.json.partial")).unwrap();
        let mut kept = Vec::new();
        for expected in [ID, "shop_20261121_143022_4", "shop_20261121_143022_5"] {
            let foretold = store.free_id("shop", now, &AllKnown);
            let reservation = store.reserve("shop", now, &AllKnown).unwrap();
            assert_eq!((foretold.as_str(), reservation.id()), (expected, expected));
            assert_eq!(reservation.partial(), store.partial_path(expected));
            kept.push(reservation);
        }
        fs::write(store.directory().join(format!("{ID}.dump.partial-wal")), "").unwrap();
        fs::write(store.directory().join(format!("{ID}.dump.partial")), "").unwrap();
        drop(kept);
        assert_eq!(
            store.names().unwrap().iter().filter(|name| name.starts_with(ID)).count(),
            2,
            "what was there stays"
        );
    }

    /// Remembers two names as given.
    struct GaveTwo;

    impl Provenance for GaveTwo {
        fn standing_of(&self, _id: &str, _hash: &Hash) -> Standing {
            Standing::Unknown
        }

        fn was_given(&self, id: &str, _taken_at: DateTime<Utc>) -> bool {
            [ID, "shop_20261121_143022_3"].contains(&id)
        }

        fn was_made(&self, _: &str, _: &str, _: DateTime<Utc>) -> bool {
            false
        }
    }

    #[test]
    fn a_name_that_was_given_before_is_passed_over_though_its_files_are_gone() {
        let (_folder, store) = store_with(&["shop_20261121_143022_2.dump"]);
        let now = "2026-11-21T14:30:22Z".parse().unwrap();
        let reservation = store.reserve("shop", now, &GaveTwo).unwrap();
        assert_eq!(reservation.id(), "shop_20261121_143022_4");
        assert_eq!(store.free_id("shop", now, &GaveTwo), "shop_20261121_143022_5");
    }

    #[test]
    fn a_dump_that_is_missing_or_cut_short_is_not_counted_on() {
        let (_folder, store) = store_with(&[]);
        let now = "2026-11-21T14:30:22Z".parse().unwrap();
        for bytes in ["dump", "dum"] {
            let reservation = store.reserve("shop", now, &AllKnown).unwrap();
            fs::write(reservation.partial(), bytes).unwrap();
            let taken = manifest(reservation.id(), "shop", Kind::Run, "2026-11-21T14:30:22Z");
            store.commit(reservation, taken, now).unwrap();
        }
        let (stored, _) = store.list().unwrap();
        let whole: Vec<&str> = store.whole(&stored).iter().map(|one| one.manifest.id.as_str()).collect();
        assert_eq!((stored.len(), whole), (2, vec![ID]));
        fs::remove_file(store.directory().join(format!("{ID}.dump"))).unwrap();
        assert!(store.whole(&stored).is_empty());
    }

    #[test]
    fn snapshots_are_read_newest_first_by_the_times_in_their_names() {
        let (_folder, store) = store_with(&["package.json", "zoo_20261121_143025.json"]);
        for (name, time) in
            [("shop", "2026-11-21T14:30:22Z"), ("app", "2026-11-21T14:30:23Z"), ("zoo", "2026-11-20T14:30:23Z")]
        {
            let reservation = store.reserve(name, time.parse().unwrap(), &AllKnown).unwrap();
            fs::write(reservation.partial(), "dump").unwrap();
            let taken = manifest(reservation.id(), name, Kind::Run, time);
            store.commit(reservation, taken, time.parse().unwrap()).unwrap();
        }
        let read: Vec<String> = store.newest_first().unwrap().map(|stored| stored.manifest.database).collect();
        assert_eq!(read, ["app", "shop", "zoo"]);
    }

    #[test]
    fn a_held_snapshot_is_not_removed_though_its_manifest_was_written_anew() {
        let (_folder, store) = store_with(&[]);
        let now = "2026-11-21T14:30:22Z".parse().unwrap();
        let reservation = store.reserve("shop", now, &AllKnown).unwrap();
        fs::write(reservation.partial(), "dump").unwrap();
        let taken = manifest(ID, "shop", Kind::Run, "2026-11-21T14:30:22Z");
        let stored = store.commit(reservation, taken, now).unwrap();
        let held = store.hold(ID).unwrap();
        store.rewrite(&stored.manifest).unwrap();
        assert!(matches!(store.remove(&stored), Err(crate::snapshot::StoreError::InUse { .. })));
        // By its own call: what another test starts just then has the file open too, for a moment.
        rustix::fs::flock(&held, rustix::fs::FlockOperation::Unlock).unwrap();
        store.remove(&stored).unwrap();
        assert!(store.hold(ID).is_err(), "what is gone cannot be held");
    }

    #[test]
    fn the_folder_stays_ours_when_its_gitignore_is_edited_half_written_or_gone() {
        let (folder, store) = store_with(&[]);
        let ignore = store.directory().join(".gitignore");
        let here = || Store::locate(folder.path(), None).unwrap() == store;
        fs::write(&ignore, "# Snap").unwrap();
        assert!(here());
        store.prepare().unwrap();
        let whole = fs::read_to_string(&ignore).unwrap();
        assert!(whole.ends_with("\n*\n"), "completed");
        fs::write(store.directory().join("x.json"), "").unwrap();
        fs::write(&ignore, whole + "!keep\n").unwrap();
        assert!(here());
        fs::remove_file(&ignore).unwrap();
        assert!(!here());
        fs::write(store.log(), "").unwrap();
        assert!(here());
    }
}
