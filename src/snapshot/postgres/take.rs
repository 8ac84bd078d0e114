//! Takes a snapshot: `pg_dump` and the counting of rows side by side in one snapshot of the server, then the proof.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ChildStdout;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::secret::ForeignText;
use crate::snapshot::dump_stream::{Hashing, Writing, compressor, open_private};
use crate::snapshot::engine::{Copying, DumpCommand};
use crate::snapshot::postgres::by_hand::by_hand;
use crate::snapshot::postgres::catalog;
use crate::snapshot::postgres::catalog::{Contents, Counted};
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::contents;
use crate::snapshot::postgres::copy;
use crate::snapshot::postgres::facts::Facts;
use crate::snapshot::postgres::obstacles;
use crate::snapshot::postgres::process;
use crate::snapshot::postgres::psql::{Psql, literal, text};
use crate::snapshot::postgres::readback;
use crate::snapshot::postgres::readback::{DumpFile, PIECE};
use crate::snapshot::postgres::recorded::{Proof, Recorded, RecordedCopy};
use crate::snapshot::postgres::script::{Script, ScriptReader};
use crate::snapshot::postgres::session::Identity;
use crate::snapshot::postgres::tools::Tools;
use crate::snapshot::postgres::{PostgresError, Session};
use crate::snapshot::threads;
use crate::snapshot::tool_process::{ToolError, attended};
use crate::snapshot::{Obstacle, Server, Taken, Tool, VerificationLevel, Watch};
use crate::text::shown;

/// How patient a snapshot is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How long a table that another session has locked is waited for.
    pub(crate) lock_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { lock_wait: Duration::from_secs(15) }
    }
}

/// A dump that is ready to be taken: as long as the session is kept, the transaction is open whose snapshot it shows.
pub(crate) struct Prepared {
    /// What is to be run.
    pub(crate) command: DumpCommand,
    /// What proves later that nothing was written since.
    pub(crate) proof: Option<Proof>,
}

/// Prepares to save the session's database to `output`: fixes what of it is dumped.
///
/// The state that later proves that nothing was written is read before the snapshot, so that a write in between can only
/// make that proof fail.
///
/// # Errors
///
/// The server is gone, or refuses to export a snapshot. Nothing was written.
pub(crate) fn prepare(session: &mut Session, output: &Path, limits: Limits) -> Result<Prepared, PostgresError> {
    let proof = session.state()?;
    let lock_wait = limits.lock_wait.as_millis().max(1).to_string();
    let Exported { snapshot, encoding } = begin(&mut session.psql, &lock_wait)?;
    let arguments = [
        "--format=custom",
        "--compress=0",
        "--no-password",
        &format!("--lock-wait-timeout={lock_wait}"),
        &format!("--snapshot={snapshot}"),
        // Sessions of the database may have another, which cannot write all of it.
        &format!("--encoding={encoding}"),
    ];
    let command = DumpCommand {
        label: "pg_dump",
        program: session.tools.program("pg_dump"),
        inside: session.tools.inside.as_ref().map(|inside| Box::new(inside.container.clone())),
        arguments: arguments.map(OsString::from).into(),
        environment: session.connection_to(&session.identity.database).variables(&session.tools),
        output: output.to_owned(),
    };
    Ok(Prepared { command, proof })
}

/// Saves the session's database as it was [prepared](prepare), and reads the dump back whole.
///
/// The file is created or emptied, readable by its owner only, and synced when this returns. While `pg_dump` works, the
/// session counts the rows of every table in the very snapshot that is dumped, and the file is read back through
/// `pg_restore` as it grows: it holds each of these rows, or this fails. Then a copy is kept in the server, where one is
/// asked for and can be made.
///
/// # Errors
///
/// Any [`PostgresError`]. The file is left to the caller; nothing was written to the database, and nothing of ours runs
/// any more, here or on the server.
pub(crate) fn take(
    session: &mut Session,
    command: &DumpCommand,
    proof: Option<Proof>,
    copying: Option<&Copying<'_>>,
    watch: &dyn Watch,
) -> Result<Taken, PostgresError> {
    let partial = command.output.as_path();
    let file = open_private(partial).map_err(PostgresError::file("write", partial))?;
    let writing = Writing::default();
    let following = writing.follow(partial).map_err(PostgresError::file("read", partial))?;
    let mut dump = process::start("pg_dump", session.connection.planned(command), session.connection.secrets())?;
    let mut reader = readback::start_reader(&session.tools)?;
    let stdout = dump.stdout();
    let stoppers = [dump.stopper(), session.psql.stopper(), reader.stopper()];
    let Session { tools, connection, psql, identity } = &mut *session;
    // Four at once: the dump, its reader, the counting and, at the end, the disk.
    let (written, dumped, counted, read) = attended::<_, PostgresError>(watch, &stoppers, || {
        thread::scope(|scope| {
            let counting =
                threads::start(scope, || look(psql, identity, tools, connection)).map_err(ToolError::NoThread)?;
            // Counted only: what restores it digests the data.
            let script = ScriptReader::counting();
            let reading =
                threads::start(scope, || readback::read(&mut reader, partial, following, true, script, watch))
                    .map_err(ToolError::NoThread)?;
            let written = write(stdout, &file).map_err(PostgresError::file("write", partial));
            writing.end();
            if written.is_err() {
                stoppers.iter().for_each(|tool| tool.stop(false));
            }
            let synced = file.sync_all().map_err(PostgresError::file("sync", partial));
            let dumped = dump.finish();
            let (counted, read) = (threads::joined(counting), threads::joined(reading));
            Ok((written.and_then(|written| synced.map(|()| written)), dumped, counted, read))
        })
    })?;
    let (size, sha256) = written?;
    if let Err(error) = dumped {
        return Err(explain(error.into(), counted.err(), &mut session.psql));
    }
    let Looked { facts, held, obstacles } = counted.map_err(|error| explain_lock(error, &mut session.psql))?;
    session.psql.ask("COMMIT")?;
    let (script, found) = read?;
    DumpFile { path: partial, sha256: &sha256, compressed: true }.expect(&found)?;
    let script = script?;
    contents::compare_dump(&shown(partial), &held, &script)?;
    let by_hand = by_hand(session, facts.as_ref().unwrap_or(&Facts::default()));
    let (copied, copy, proof) = match copying {
        Some(copying) => {
            let outcome = copy::keep(session, facts.as_ref(), proof, copying, watch)?;
            (Some(outcome.told()), Some(RecordedCopy::from(outcome.copy)), outcome.proof)
        }
        None => (None, None, proof),
    };
    let recorded = Recorded { proof, contents: (&held).into(), database: facts, copy };
    let state = serde_json::to_value(recorded)
        .map_err(|error| PostgresError::Manifest { id: shown(partial).to_string(), reason: error.to_string() })?;
    Ok(Taken { obstacles, by_hand, copy: copied, ..taken(session, command, size, sha256, &held, &script, state) })
}

/// What the session finds while `pg_dump` works.
struct Looked {
    facts: Option<Facts>,
    held: Contents,
    obstacles: Vec<Obstacle>,
}

fn look(psql: &mut Psql, identity: &Identity, tools: &Tools, connection: &Connection) -> Result<Looked, PostgresError> {
    let (facts, held) = (Facts::read(psql, &identity.database)?, catalog::contents(psql, Counted::All)?);
    // A refusal must not end the transaction, whose snapshot `pg_dump` may not have taken over yet.
    psql.ask("SAVEPOINT looked")?;
    let obstacles = obstacles::find(psql, identity, tools, connection)?;
    psql.ask("ROLLBACK TO SAVEPOINT looked")?;
    Ok(Looked { facts, held, obstacles })
}

fn taken(
    session: &Session,
    command: &DumpCommand,
    size: u64,
    sha256: String,
    held: &Contents,
    script: &Script,
    state: Value,
) -> Taken {
    let identity = &session.identity;
    let mut notes = Vec::new();
    if held.foreign_tables > 0 {
        notes.push(format!(
            "The rows of {} foreign tables lie on other servers and are not saved.",
            held.foreign_tables
        ));
    }
    Taken {
        size,
        sha256,
        verified: VerificationLevel::Read,
        compression: Some("zstd".to_owned()),
        tool: Tool {
            program: command.label.to_owned(),
            version: script.dumped_by.clone().unwrap_or_else(|| session.tools.major.to_string()),
            arguments: command.arguments.iter().map(|word| shown(word).into_owned()).collect(),
        },
        server: Some(Server { version: identity.version.clone(), fingerprint: identity.fingerprint() }),
        tables: contents::table_rows(held),
        state: Some(state),
        obstacles: Vec::new(),
        whereabouts: None,
        notes,
        by_hand: Vec::new(),
        copy: None,
    }
}

/// The snapshot that `pg_dump` takes over, and the database's own encoding.
struct Exported {
    snapshot: String,
    encoding: String,
}

/// Opens the transaction whose snapshot `pg_dump` takes over.
fn begin(psql: &mut Psql, lock_wait: &str) -> Result<Exported, PostgresError> {
    psql.send(format!("SELECT set_config('lock_timeout', {}, false)", literal(lock_wait)))?;
    psql.send("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")?;
    psql.send("SELECT pg_catalog.pg_export_snapshot(), pg_catalog.getdatabaseencoding()")?;
    psql.receive()?;
    psql.receive()?;
    match &psql.receive()?[..] {
        [snapshot, encoding] => Ok(Exported { snapshot: text(snapshot), encoding: text(encoding) }),
        _ => Err(PostgresError::ConnectionLost { message: ForeignText::of("no snapshot was exported") }),
    }
}

/// Compresses and hashes what `pg_dump` writes, into the file: its size and hash. What is dumped is told to the one who
/// waits when it is read back.
fn write(stdout: Option<ChildStdout>, file: &File) -> io::Result<(u64, String)> {
    let mut encoder = compressor(Hashing::new(file))?;
    let mut piece = vec![0; PIECE];
    if let Some(mut stdout) = stdout {
        while let read @ 1.. = stdout.read(&mut piece)? {
            encoder.write_all(&piece[..read])?;
        }
    }
    Ok(encoder.finish()?.finish())
}

/// Tells why `pg_dump` failed: what the counting session met comes first, since its end takes the snapshot from
/// `pg_dump`.
fn explain(dumped: PostgresError, counted: Option<PostgresError>, psql: &mut Psql) -> PostgresError {
    match (dumped, counted) {
        (_, Some(counted)) => explain_lock(counted, psql),
        (PostgresError::Tool(ToolError::Failed { message, .. }), None) if message.contains("row-level security") => {
            PostgresError::RowSecurity { message }
        }
        (dumped, None) => explain_lock(dumped, psql),
    }
}

/// Names who holds the lock that was waited for in vain, where that is what went wrong.
fn explain_lock(error: PostgresError, psql: &mut Psql) -> PostgresError {
    if !error.is_of_a_lock() {
        return error;
    }
    match psql.ask("ROLLBACK").and_then(|_| catalog::lock_holders(psql)) {
        Ok(holders) if !holders.is_empty() => PostgresError::Locked { holders },
        Ok(_) | Err(_) => error,
    }
}
