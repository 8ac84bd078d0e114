//! Restores a snapshot to a database beside, and finds out whether that holds the same.

use std::io::{Read, Write};

use crate::regular;
use crate::snapshot::beside_names::{Purpose, related};
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::dump_stream::PIECE;
use crate::snapshot::engine::Restoration;
use crate::snapshot::mongodb::MongoError;
use crate::snapshot::mongodb::archive::Held;
use crate::snapshot::mongodb::compare::{differences, named};
use crate::snapshot::mongodb::process;
use crate::snapshot::mongodb::session::Session;
use crate::snapshot::tool_process::attended;
use crate::snapshot::{Making, Watch};

/// Restores the snapshot, which was read whole and holds `expected`, to a database that no name stands for yet, compares it,
/// and drops it.
///
/// # Errors
///
/// [`MongoError::NotPermitted`] where the user may make no other database; [`DumpError::NotWhole`]; those of the tools. What
/// of it could not be dropped has a name that was written down before.
pub(crate) fn rehearse(
    session: &mut Session,
    restoration: &Restoration<'_>,
    purpose: Purpose,
    expected: &Held,
    watch: &dyn Watch,
) -> Result<(), MongoError> {
    let name = announce(session, restoration, purpose)?;
    let rehearsed = load(session, restoration, &name, watch).and_then(|()| compare(session, &name, expected, watch));
    let dropped = session.client.drop_database(&name);
    match rehearsed {
        Err(error) if error.is_denied() => Err(MongoError::NotPermitted { user: session.identity.user.clone(), name }),
        Err(error) => Err(error),
        Ok(()) => dropped,
    }
}

/// Finds a name that no database of the server has, and writes it down.
fn announce(session: &mut Session, restoration: &Restoration<'_>, purpose: Purpose) -> Result<String, MongoError> {
    let manifest = &restoration.stored.manifest;
    let taken: Vec<String> = session.client.databases()?.into_iter().map(|(name, _)| name.to_lowercase()).collect();
    // Two names that differ by case alone cannot be on one server.
    let mut names = (1..).map(|attempt| related(&manifest.database, purpose, restoration.now, attempt));
    let name = names.find(|name| !taken.contains(&name.to_lowercase())).unwrap_or_default();
    let making = Making {
        server: session.identity.fingerprint.clone(),
        target: manifest.target.clone(),
        database: manifest.database.clone(),
        making: vec![name.clone()],
    };
    let not_written = |source| MongoError::NotWrittenDown { name: name.clone(), source };
    restoration.ledger.write_down(&making).map_err(not_written)?;
    Ok(name)
}

/// Restores the snapshot as the database `to`: each of its collections takes the place of one of that name.
///
/// # Errors
///
/// Those of the tool and of the dump's file.
pub(crate) fn load(
    session: &Session,
    restoration: &Restoration<'_>,
    to: &str,
    watch: &dyn Watch,
) -> Result<(), MongoError> {
    let (connection, dump) = (&session.connection, restoration.stored.dump.as_path());
    let file = regular::open_own(dump).map_err(MongoError::file("read", dump))?;
    let mut decoder = zstd::Decoder::new(file).map_err(MongoError::file("read", dump))?;
    let command = connection.restore(&restoration.stored.manifest.database, to);
    let mut restore = process::start("mongorestore", command, connection.secrets())?;
    let (stdin, stopper) = (restore.stdin(), restore.stopper());
    attended::<_, MongoError>(watch, &[stopper], || {
        let mut piece = vec![0; PIECE];
        if let Some(mut stdin) = stdin {
            while let read @ 1.. = decoder.read(&mut piece).map_err(MongoError::file("read", dump))? {
                watch.advance(read as u64);
                // One that has ended says why.
                if stdin.write_all(&piece[..read]).is_err() {
                    break;
                }
            }
        }
        Ok(restore.finish()?)
    })
}

/// Compares a database with what it is to hold, by a dump of it.
///
/// # Errors
///
/// [`DumpError::NotWhole`], and those of the tool.
pub(crate) fn compare(session: &Session, name: &str, expected: &Held, watch: &dyn Watch) -> Result<(), MongoError> {
    let found = process::look(session, name, watch)?;
    let differences = differences(expected, &found);
    if differences.is_empty() {
        return Ok(());
    }
    Err(DumpError::NotWhole { what: format!("`{name}`"), differences: named(&differences) }.into())
}
