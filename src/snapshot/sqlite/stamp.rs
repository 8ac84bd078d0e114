//! What the file system says of a file, and when that can be believed.
//!
//! A time of change has a grain: two writes within one tick of the clock leave the same time. So an unchanged time
//! proves an unchanged file only if the time was already past by more than a grain when it was read, as git has it
//! with "racily clean" index entries.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// The grain of file times where the file system keeps nanoseconds: Linux stamps files with the time of the last
/// timer tick, 10 ms apart at most (`CONFIG_HZ=100`); the rest is for the clock's own steps.
const FINE_GRAIN: Duration = Duration::from_millis(30);

/// The grain where times are whole milliseconds: HFS+ and ext3 keep seconds, exFAT 10 ms, FAT two seconds.
const COARSE_GRAIN: Duration = Duration::from_millis(2_100);

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

    /// The stamp of a `-wal` file.
    pub(crate) fn of_wal(metadata: &Metadata) -> Stamp {
        Stamp { changed: None, ..Stamp::of(metadata) }
    }

    /// How long until a further write would be sure to show, seen from `now`: zero once the last change is more
    /// than a grain ago. `None` where the file is from the future, so that the clocks cannot be compared.
    pub(crate) fn settles_in(&self, now: SystemTime) -> Option<Duration> {
        // The time of the inode moves with every write, and cannot be set back; the other one can.
        let (seconds, nanoseconds) = self.changed.unwrap_or(self.modified);
        let changed = UNIX_EPOCH + Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanoseconds).unwrap_or(0));
        let age = now.duration_since(changed).ok()?;
        let grain = if nanoseconds % 1_000_000 == 0 { COARSE_GRAIN } else { FINE_GRAIN };
        Some(grain.saturating_sub(age))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_settles_once_its_last_change_is_more_than_a_grain_ago() {
        let cases: &[(i64, Duration, Option<Duration>)] = &[
            (123_456_789, Duration::ZERO, Some(FINE_GRAIN)),
            (123_456_789, Duration::from_millis(10), Some(Duration::from_millis(20))),
            (123_456_789, Duration::from_secs(1), Some(Duration::ZERO)),
            (0, Duration::from_millis(100), Some(Duration::from_secs(2))),
            (20_000_000, Duration::from_millis(100), Some(Duration::from_secs(2))),
            (0, Duration::from_secs(3), Some(Duration::ZERO)),
        ];
        for &(nanoseconds, age, expected) in cases {
            let stamp = Stamp { inode: (1, 2), size: 3, modified: (5, 6), changed: Some((1_700_000_000, nanoseconds)) };
            let changed = UNIX_EPOCH + Duration::new(1_700_000_000, u32::try_from(nanoseconds).unwrap());
            assert_eq!(stamp.settles_in(changed + age), expected, "{nanoseconds} ns, {age:?} ago");
        }
    }

    #[test]
    fn a_file_from_the_future_never_settles() {
        let stamp = Stamp { inode: (1, 2), size: 3, modified: (5, 6), changed: Some((1_700_000_000, 1)) };
        assert_eq!(stamp.settles_in(UNIX_EPOCH + Duration::from_secs(1_699_999_999)), None);
    }
}
