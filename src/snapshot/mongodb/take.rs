//! Takes a snapshot: the tool writes, and what it writes is read back as it grows.

use std::thread;

use crate::snapshot::dump_error::DumpError;
use crate::snapshot::dump_reading::{DumpFile, read};
use crate::snapshot::dump_stream::{Writing, open_private, write_compressed};
use crate::snapshot::engine::DumpCommand;
use crate::snapshot::mongodb::MongoError;
use crate::snapshot::mongodb::archive::{ArchiveReader, Held};
use crate::snapshot::mongodb::by_hand::by_hand;
use crate::snapshot::mongodb::client::Listed;
use crate::snapshot::mongodb::compare::named;
use crate::snapshot::mongodb::process;
use crate::snapshot::mongodb::session::OpenSession;
use crate::snapshot::mongodb::whole::listed;
use crate::snapshot::threads;
use crate::snapshot::tool_process::{ToolError, attended};
use crate::snapshot::{Server, Taken, Tool, VerificationLevel, Watch};
use crate::text::shown;

/// What every manifest says.
const NOT_ONE_MOMENT: &str = "A dump of one MongoDB database is not of one moment: what was written while it was taken may be \
                              in it in part.";

/// Saves a database as it was planned, and reads the dump back whole.
///
/// The file is created or emptied, readable by its owner only, and synced when this returns. Every collection that the server
/// listed before is in it, complete, or this fails.
///
/// # Errors
///
/// Any [`MongoError`]. The file is left to the caller; nothing was written to the database, and nothing of ours runs any more.
pub(crate) fn take(open: &OpenSession, command: &DumpCommand, watch: &dyn Watch) -> Result<Taken, MongoError> {
    let partial = command.output.as_path();
    let connection = &open.session.connection;
    let file = open_private(partial).map_err(MongoError::file("write", partial))?;
    let writing = Writing::default();
    let following = writing.follow(partial).map_err(MongoError::file("read", partial))?;
    let mut dump = process::start(command.label, connection.planned(command), connection.secrets())?;
    let (stdout, stopper) = (dump.stdout(), dump.stopper());
    let (written, dumped, read) = attended::<_, MongoError>(watch, std::slice::from_ref(&stopper), || {
        thread::scope(|scope| {
            let reader = ArchiveReader::of(&open.database);
            let reading =
                threads::start(scope, || read(partial, following, reader, watch)).map_err(ToolError::NoThread)?;
            let written = write_compressed(stdout, &file).map_err(MongoError::file("write", partial));
            writing.end();
            if written.is_err() {
                stopper.stop(false);
            }
            let synced = file.sync_all().map_err(MongoError::file("sync", partial));
            let dumped = dump.finish();
            Ok((written.and_then(|written| synced.map(|()| written)), dumped, threads::joined(reading)))
        })
    })?;
    let (size, sha256) = written?;
    dumped?;
    let (held, found) = read?;
    DumpFile { path: partial, sha256: &sha256 }.expect(&found)?;
    let held = held?;
    expect(&shown(partial), &open.collections, &held)?;
    Ok(taken(open, command, (size, sha256), &held))
}

/// Compares a dump with what the server listed.
fn expect(what: &str, collections: &[Listed], held: &Held) -> Result<(), MongoError> {
    let is_there = |one: &&Listed| held.collections.get(&one.name).is_some_and(|found| found.kind == one.kind);
    let missing: Vec<String> = collections
        .iter()
        .filter(|one| !is_there(one))
        .map(|one| format!("the {} `{}` is missing", one.kind.word(), one.name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(DumpError::NotWhole { what: what.to_owned(), differences: named(&missing) }.into())
}

fn taken(open: &OpenSession, command: &DumpCommand, (size, sha256): (u64, String), held: &Held) -> Taken {
    let (session, tools) = (&open.session, &open.session.connection.tools);
    Taken {
        size,
        sha256,
        verified: VerificationLevel::Read,
        compression: Some("zstd".to_owned()),
        tool: Tool {
            program: command.label.to_owned(),
            version: tools.version.clone(),
            arguments: command.arguments.iter().map(|word| shown(word).into_owned()).collect(),
        },
        server: Some(Server {
            version: session.identity.version.clone(),
            fingerprint: session.identity.fingerprint.clone(),
        }),
        tables: listed(held),
        state: None,
        obstacles: Vec::new(),
        whereabouts: None,
        notes: vec![NOT_ONE_MOMENT.to_owned()],
        by_hand: by_hand(&session.connection, &open.database),
        copy: None,
    }
}
