//! Taking a snapshot: hold, copy and hash, let go, read back, sync.

use std::fs::File;
use std::io;
use std::io::{Seek, SeekFrom};
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::snapshot::sqlite::SqliteError;
use crate::snapshot::sqlite::complaints::Thoroughness;
use crate::snapshot::sqlite::confirm::Confirmed;
use crate::snapshot::sqlite::copy::{copy_file, copy_journal, copy_wal, create, hash_as_it_grows, hash_whole};
use crate::snapshot::sqlite::files::{STEP, beside};
use crate::snapshot::sqlite::presence::{is_quiet, real_database};
use crate::snapshot::sqlite::read_back::{Access, Contents, read_back};
use crate::snapshot::sqlite::settle::{remove_leftovers, settle};
use crate::snapshot::sqlite::source::{Hold, Source};
use crate::snapshot::sqlite::stamp::{QUIET, QUIET_AFTER_A_WRITE};
use crate::snapshot::sqlite::waiting::{PATIENCE, Wait, check_interrupted};
use crate::snapshot::sqlite::whereabouts::Whereabouts;
use crate::snapshot::threads;
use crate::snapshot::threads::joined;
use crate::snapshot::{Taken, Tool, VerificationLevel, Watch};
use crate::text::shell_word;

/// Writes a consistent, verified copy of a database to `partial`, while other programs go on using the database.
///
/// `partial` is created by this call with mode 0600 and is locked (`flock`) while it is written. Its bytes are
/// hashed while they are copied, read back by `PRAGMA quick_check`, and synced; the folder is not. The database is
/// not written to, not checkpointed, and nothing is left beside it. Another program's lock is waited for, at most
/// 30 s.
///
/// # Errors
///
/// Any: the snapshot was not taken, the database is as it was, and `partial` is left as far as it was written. Who
/// called removes it, after [`remove_leftovers`].
pub(crate) fn take(database: &Path, partial: &Path, watch: &dyn Watch) -> Result<Taken, SqliteError> {
    take_within(PATIENCE, database, partial, watch)
}

/// [`take`], waiting for other programs for as long as `patience`.
pub(crate) fn take_within(
    patience: Duration,
    database: &Path,
    partial: &Path,
    watch: &dyn Watch,
) -> Result<Taken, SqliteError> {
    let path = real_database(database)?;
    let into = create(partial)?;
    // A courtesy to whoever cleans up; a file system without locks does without.
    let _ = into.try_lock();
    let mut wait = Wait::new(watch, patience);
    let mut quiet = QUIET;
    let (copy, whereabouts) = loop {
        let held = Source::hold(&path, quiet, &mut wait);
        let copied = held.and_then(|source| match source {
            Some(source) => copy_held(source, partial, &into, watch),
            None => Err(SqliteError::Locked { path: path.clone(), seconds: wait.seconds() }),
        });
        match copied {
            Ok(Some(copy)) => match Whereabouts::of(database) {
                Ok(whereabouts) => break (copy, whereabouts),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(SqliteError::Unreadable { path, source }),
            },
            Ok(None) => quiet = QUIET_AFTER_A_WRITE,
            // Half of what somebody is writing without a lock looks like damage.
            Err(SqliteError::Damaged { .. } | SqliteError::NotDatabase { .. }) if !is_quiet(&path) => {}
            // Who writes a file anew may remove it first.
            Err(SqliteError::Unreadable { source, .. })
                if source.kind() == io::ErrorKind::NotFound && !is_quiet(&path) => {}
            // The copy is about to be removed, and is damaged because the database is.
            Err(SqliteError::Damaged { complaint, .. }) => return Err(SqliteError::Damaged { path, complaint }),
            Err(error) => return Err(error),
        }
        if !wait.again(&path)? {
            return Err(SqliteError::KeepsChanging { path, seconds: wait.seconds() });
        }
        begin_again(partial, &into)?;
    };
    let mut notes = copy.contents.notes;
    if copy.rolled_back {
        notes.push(
            "a transaction that was cut short is rolled back in the snapshot; the database itself was left as it was"
                .to_owned(),
        );
    }
    Ok(Taken {
        size: copy.size,
        sha256: copy.sha256,
        verified: VerificationLevel::Read,
        compression: None,
        tool: Tool {
            program: "safe-test".to_owned(),
            version: format!("{} with SQLite {}", env!("CARGO_PKG_VERSION"), rusqlite::version()),
            arguments: Vec::new(),
        },
        server: None,
        tables: copy.contents.tables,
        state: copy.state,
        obstacles: Vec::new(),
        whereabouts: whereabouts.to_json(),
        notes,
        by_hand: by_hand(&path),
        copy: None,
    })
}

struct Copy {
    size: u64,
    sha256: String,
    contents: Contents,
    state: Option<Value>,
    rolled_back: bool,
}

/// Copies a held database and reads the copy back; `None` if somebody wrote meanwhile.
///
/// The hash follows the copy in a second thread, reading back what was written; what is left of it and the sync go on
/// while SQLite reads the copy. A database that was not quiet for long enough before that is held until it was.
fn copy_held(source: Source, partial: &Path, into: &File, watch: &dyn Watch) -> Result<Option<Copy>, SqliteError> {
    thread::scope(|scope| {
        let rolled_back = source.has_journal();
        let (lengths, growth) = channel();
        let failed = |source| SqliteError::Write { path: partial.to_owned(), source };
        let hash_along = move || then_sync(hash_as_it_grows(into, &growth), into);
        let along =
            (!source.has_side_files()).then(|| threads::start(scope, hash_along)).transpose().map_err(failed)?;
        copy_file(&source, partial, into, &lengths, watch)?;
        drop(lengths);
        let mut unsettled = source.hold != Hold::Locked && copy_wal(&source, partial, watch)?;
        if rolled_back {
            copy_journal(&source, partial, watch)?;
            unsettled = true;
        }
        let (proof, held) = match source.confirm(into, Some(&beside(partial, "-wal")))? {
            Confirmed::Changed => return Ok(None),
            Confirmed::TooEarly(rest) => {
                // Held no longer than that takes, however long the copy is read.
                let copy = (!unsettled).then_some(into);
                let held = threads::start(scope, move || source.confirm_once_quiet(rest, copy)).map_err(failed)?;
                (None, Some(held))
            }
            Confirmed::Whole(proof) => {
                // The database is free again; all that follows concerns the copy.
                drop(source);
                (proof, None)
            }
        };
        if unsettled {
            settle(partial)?;
        }
        let size = into.metadata().map_err(failed)?.len();
        let hashing = match along {
            Some(along) if !unsettled => along,
            _ => threads::start(scope, move || then_sync(hash_whole(into, size, watch).map(|hash| (size, hash)), into))
                .map_err(failed)?,
        };
        // What a large copy takes to reach the disk is not put off until it is hashed.
        let syncing = (size > STEP).then(|| threads::start(scope, || into.sync_all())).transpose().map_err(failed)?;
        let contents = read_back(partial, Access::OursAlone, Thoroughness::Quick, watch);
        let state = match held {
            None => proof,
            Some(held) => match joined(held)? {
                Confirmed::Whole(proof) => proof,
                // Whatever is wrong with the copy, the next may be whole.
                Confirmed::Changed | Confirmed::TooEarly(_) => return Ok(None),
            },
        };
        let contents = contents?;
        syncing.map_or(Ok(()), joined).map_err(failed)?;
        let (hashed, sha256) = joined(hashing).map_err(failed)?;
        check_interrupted(watch, partial)?;
        if hashed != size {
            return Err(SqliteError::Size { path: partial.to_owned(), expected: hashed, found: size });
        }
        Ok(Some(Copy { size, sha256, contents, state, rolled_back }))
    })
}

/// Syncs a file once it is hashed.
fn then_sync<T>(hashed: io::Result<T>, file: &File) -> io::Result<T> {
    let hashed = hashed?;
    file.sync_all()?;
    Ok(hashed)
}

fn begin_again(partial: &Path, mut into: &File) -> Result<(), SqliteError> {
    remove_leftovers(partial)?;
    into.set_len(0)
        .and_then(|()| into.seek(SeekFrom::Start(0)))
        .map(drop)
        .map_err(|source| SqliteError::Write { path: partial.to_owned(), source })
}

/// Lists the commands that restore a snapshot of `database` by hand, `FILE` standing for the snapshot.
///
/// The path is quoted for a POSIX shell; a path that is not UTF-8 is shown as well as it can be.
#[must_use]
pub(crate) fn by_hand(database: &Path) -> Vec<String> {
    vec![format!("sqlite3 {} \".restore 'FILE'\"", shell_word(&database.to_string_lossy()))]
}
