//! What the file system says of a file, and when that can be believed.
//!
//! A time of change has a grain: two writes within one tick of the clock leave the same time. So an unchanged time
//! proves an unchanged file only if the clock had gone on past that time when it was read, as git has it with
//! "racily clean" index entries.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

#[cfg(target_os = "linux")]
use crate::snapshot::sqlite::disk;

/// The grain of file times where the file system keeps nanoseconds: Linux stamps files with the time of the last
/// timer tick, 10 ms apart at most (`CONFIG_HZ=100`); the rest is for the clock's own steps.
const FINE_GRAIN: Duration = Duration::from_millis(30);

/// The grain where times are whole milliseconds: HFS+ and ext3 keep seconds, exFAT 10 ms, FAT two seconds.
const COARSE_GRAIN: Duration = Duration::from_millis(2_100);

/// How long a file that somebody has open for writing must not have changed before it is believed that nobody is in the midst
/// of it. A program that takes no locks shows nothing else between two of its writes, and where many programs run the
/// system keeps each from going on for some ten milliseconds.
pub(crate) const QUIET: Duration = Duration::from_millis(250);

/// The same, once somebody was seen to write without a lock.
pub(crate) const QUIET_AFTER_A_WRITE: Duration = Duration::from_millis(1_000);

/// How long to wait before the clock that stamps files is read again: half of a short tick.
const NEXT_READING: Duration = Duration::from_millis(1);

/// The clocks at one moment, to compare the times of a file with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    now: SystemTime,
    /// The clock that the file is stamped with, where it can be read. It goes on in ticks and never back, so whatever is
    /// written after it was read gets no earlier time: no grain has to be assumed.
    stamping: Option<SystemTime>,
}

impl Moment {
    /// Reads the clock, for a look at no particular file.
    pub(crate) fn now() -> Moment {
        Moment { now: SystemTime::now(), stamping: None }
    }

    /// Reads the clocks, for a look at `file` or at one beside it that begins after this.
    pub(crate) fn before_looking_at(file: &File) -> Moment {
        Moment { now: SystemTime::now(), stamping: stamping_clock(file) }
    }
}

/// Reads the clock of the running kernel, where its own file systems stamp the file with it.
///
/// Source: `current_time` in Linux's fs/inode.c.
#[cfg(target_os = "linux")]
fn stamping_clock(file: &File) -> Option<SystemTime> {
    disk::of(file)?;
    let read = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    time_of(read.tv_sec, read.tv_nsec)
}

#[cfg(not(target_os = "linux"))]
fn stamping_clock(_: &File) -> Option<SystemTime> {
    None
}

fn time_of(seconds: i64, nanoseconds: i64) -> Option<SystemTime> {
    let since = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanoseconds).ok()?);
    UNIX_EPOCH.checked_add(since)
}

/// One file, at one moment. Equal stamps mean the same file with the same content, once [`Stamp::settles_in`] is
/// zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Stamp {
    /// Device and inode.
    pub(crate) inode: (u64, u64),
    /// Bytes.
    pub(crate) size: u64,
    /// Last change of content, seconds and nanoseconds; any program can set it.
    modified: (i64, i64),
    /// Last change of content or inode, seconds and nanoseconds; only the kernel sets it. Not for a `-wal` file:
    /// SQLite run by root sets that one's owner whenever it opens it, which is a change of the inode.
    changed: Option<(i64, i64)>,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            inode: (metadata.dev(), metadata.ino()),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: Some((metadata.ctime(), metadata.ctime_nsec())),
        }
    }

    /// Returns the stamp of a `-wal` file.
    pub(crate) fn of_wal(metadata: &Metadata) -> Stamp {
        Stamp { changed: None, ..Stamp::of(metadata) }
    }

    /// Tells how much longer than until `seen` the file must stay as it is to have been so for the time `quiet`. The whole time
    /// where that cannot be told: its time is from the future, or has a coarse grain.
    pub(crate) fn quiet_in(&self, seen: Moment, quiet: Duration) -> Duration {
        let (seconds, nanoseconds) = self.changed.unwrap_or(self.modified);
        let is_fine = nanoseconds % 1_000_000 != 0;
        let age = time_of(seconds, nanoseconds).and_then(|changed| seen.now.duration_since(changed).ok());
        // A coarse time is of an earlier moment than the change.
        let unsure = if is_fine { Duration::ZERO } else { COARSE_GRAIN };
        age.map_or(quiet, |age| (quiet + unsure).saturating_sub(age).min(quiet))
    }

    /// Tells how much later than `seen` a look at the file would show every further write: zero once the clock has gone
    /// on past the last change. `None` where the file is from the future, so that the clocks cannot be compared.
    pub(crate) fn settles_in(&self, seen: Moment) -> Option<Duration> {
        // The time of the inode moves with every write, and cannot be set back; the other one can.
        let (seconds, nanoseconds) = self.changed.unwrap_or(self.modified);
        let changed = time_of(seconds, nanoseconds)?;
        let keeps_nanoseconds = nanoseconds % 1_000_000 != 0;
        if keeps_nanoseconds && seen.stamping.is_some_and(|stamping| changed < stamping) {
            return Some(Duration::ZERO);
        }
        let age = seen.now.duration_since(changed).ok()?;
        Some(match seen.stamping {
            _ if !keeps_nanoseconds => COARSE_GRAIN.saturating_sub(age),
            Some(_) => NEXT_READING,
            None => FINE_GRAIN.saturating_sub(age),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGED: (i64, i64) = (1_700_000_000, 123_456_789);
    const ZERO: Duration = Duration::ZERO;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn stamp(nanoseconds: i64) -> Stamp {
        Stamp { inode: (1, 2), size: 3, modified: (5, 6), changed: Some((CHANGED.0, nanoseconds)) }
    }

    #[test]
    fn a_file_settles_once_its_last_change_is_more_than_a_grain_ago() {
        let cases: &[(i64, Duration, Option<Duration>)] = &[
            (CHANGED.1, ZERO, Some(FINE_GRAIN)),
            (CHANGED.1, ms(10), Some(ms(20))),
            (CHANGED.1, ms(1_000), Some(ZERO)),
            (0, ms(100), Some(ms(2_000))),
            (20_000_000, ms(100), Some(ms(2_000))),
            (0, ms(3_000), Some(ZERO)),
        ];
        for &(nanoseconds, age, expected) in cases {
            let now = time_of(CHANGED.0, nanoseconds).unwrap() + age;
            let seen = Moment { now, stamping: None };
            assert_eq!(stamp(nanoseconds).settles_in(seen), expected, "{nanoseconds} ns, {age:?} ago");
        }
    }

    #[test]
    fn where_the_stamping_clock_is_known_one_tick_is_enough() {
        let changed = time_of(CHANGED.0, CHANGED.1).unwrap();
        let tick = Duration::from_nanos(1);
        let cases = [
            ("the same tick", changed + ms(3), changed, Some(NEXT_READING)),
            ("a fine time of this tick", changed + ms(3), changed - ms(1), Some(NEXT_READING)),
            ("the next tick", changed + ms(4), changed + tick, Some(ZERO)),
            ("from the future", changed - ms(1), changed - ms(4), None),
        ];
        for (name, now, stamping, expected) in cases {
            let seen = Moment { now, stamping: Some(stamping) };
            assert_eq!(stamp(CHANGED.1).settles_in(seen), expected, "{name}");
        }
        // A file system that keeps seconds is stamped with the same clock, cut off.
        let now = time_of(CHANGED.0, 0).unwrap() + ms(100);
        assert_eq!(stamp(0).settles_in(Moment { now, stamping: Some(now) }), Some(ms(2_000)));
    }

    #[test]
    fn a_file_is_quiet_once_it_has_not_changed_for_a_while() {
        for (nanoseconds, age, expected) in [
            (CHANGED.1, ZERO, QUIET),
            (CHANGED.1, ms(10), QUIET - ms(10)),
            (CHANGED.1, QUIET, ZERO),
            (0, ms(100), QUIET),
            (0, ms(2_100), QUIET),
            (0, ms(3_000), ZERO),
        ] {
            let now = time_of(CHANGED.0, nanoseconds).unwrap() + age;
            let seen = Moment { now, stamping: None };
            assert_eq!(stamp(nanoseconds).quiet_in(seen, QUIET), expected, "{nanoseconds} ns, {age:?} ago");
        }
        let before = Moment { now: time_of(CHANGED.0, 0).unwrap(), stamping: None };
        assert_eq!(stamp(CHANGED.1).quiet_in(before, QUIET), QUIET);
    }

    #[test]
    fn a_file_from_the_future_never_settles() {
        let now = time_of(CHANGED.0 - 1, 0).unwrap();
        assert_eq!(stamp(CHANGED.1).settles_in(Moment { now, stamping: None }), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_write_after_the_stamping_clock_went_past_gets_a_later_time() {
        use std::io::Write;
        let mut file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        if stamping_clock(&file).is_none() {
            return;
        }
        for round in 0..100 {
            file.write_all(b"x").unwrap();
            let before = Stamp::of(&file.metadata().unwrap());
            while before.settles_in(Moment::before_looking_at(&file)) != Some(ZERO) {
                std::hint::spin_loop();
            }
            file.write_all(b"y").unwrap();
            let after = Stamp::of(&file.metadata().unwrap());
            assert!(after.changed > before.changed, "round {round}: {before:?}, {after:?}");
        }
    }
}
