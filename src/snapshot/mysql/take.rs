//! Takes a snapshot: the dump program and the questions to the catalogue side by side, then the proof.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::snapshot::dump_error::DumpError;
use crate::snapshot::dump_reading::{DumpFile, DumpText, read};
use crate::snapshot::dump_stream::{PIECE, Writing, open_private, write_compressed};
use crate::snapshot::engine::DumpCommand;
use crate::snapshot::mysql::by_hand::by_hand;
use crate::snapshot::mysql::catalog;
use crate::snapshot::mysql::catalog::Tables;
use crate::snapshot::mysql::client::{Client, literal};
use crate::snapshot::mysql::connection::Connection;
use crate::snapshot::mysql::dump::{DumpReader, Held, named};
use crate::snapshot::mysql::obstacles;
use crate::snapshot::mysql::obstacles::Catalogued;
use crate::snapshot::mysql::process;
use crate::snapshot::mysql::recorded::{Proof, Recorded, listed};
use crate::snapshot::mysql::session::Identity;
use crate::snapshot::mysql::state;
use crate::snapshot::mysql::tools::keeps_history;
use crate::snapshot::mysql::version::Flavor;
use crate::snapshot::mysql::{MysqlError, Session};
use crate::snapshot::threads;
use crate::snapshot::tool_process::{ToolError, attended};
use crate::snapshot::{Server, TableRows, Taken, Tool, VerificationLevel, Watch};
use crate::text::shown;

/// How long a table that another session has locked is waited for.
pub(crate) const LOCK_WAIT: Duration = Duration::from_secs(15);

/// A dump that is ready to be taken.
pub(crate) struct Prepared {
    /// What is to be run.
    pub(crate) command: DumpCommand,
    /// What the database has.
    pub(crate) tables: Tables,
    /// What proves later that nothing was written since.
    pub(crate) proof: Option<Proof>,
}

/// Prepares to save the session's database to `output`: finds which objects it has, and what of them can be dumped.
///
/// # Errors
///
/// Those of the server. Nothing was written.
pub(crate) fn prepare(session: &mut Session, output: &Path) -> Result<Prepared, MysqlError> {
    let database = session.identity.database.clone();
    let tables = catalog::tables(&mut session.client, &database)?;
    // Looked at before the dump begins: a write in between can only make the proof fail.
    let proof = state::proof(session, &tables)?;
    let unreadable = catalog::unreadable_routines(&mut session.client, &database)?;
    let (connection, identity) = (&session.connection, &session.identity);
    let mut arguments = dump_options(connection, identity, &["--triggers"]);
    // With one that may not be read the dump program fails: then all are left out, which is said.
    if unreadable.is_empty() {
        arguments.push("--routines".into());
    }
    if identity.rights.has("EVENT", &database) {
        arguments.push("--events".into());
    }
    if keeps_history(connection.tools.version) && tables.data.values().any(|table| table.is_versioned) {
        arguments.push("--dump-history".into());
    }
    let without = |name: &String| OsString::from(format!("--ignore-table={database}.{name}"));
    arguments.extend(tables.broken_views.iter().map(without));
    arguments.extend(["--".into(), OsString::from(&database)]);
    Ok(Prepared { command: command(connection, arguments, output), tables, proof })
}

/// Makes the command of the dump program.
fn command(connection: &Connection, arguments: Vec<OsString>, output: &Path) -> DumpCommand {
    DumpCommand {
        label: connection.dump_name(),
        program: connection.tools.dump.clone(),
        inside: connection.tools.inside.as_ref().map(|inside| Box::new(inside.container.clone())),
        arguments,
        environment: connection.variables().to_vec(),
        output: output.to_owned(),
    }
}

/// Lists the options that every dump of ours has: none of them is left to a default that differs between programs.
///
/// `more` says what besides tables is dumped. Source: MariaDB documentation, "mariadb-dump"; MySQL Reference Manual,
/// "mysqldump".
pub(crate) fn dump_options(connection: &Connection, identity: &Identity, more: &[&str]) -> Vec<OsString> {
    let mut options = vec![connection.defaults_file()];
    options.extend(["--single-transaction", "--quick", "--hex-blob"].map(OsString::from));
    options.extend(["--default-character-set=utf8mb4", "--max-allowed-packet=1073741824"].map(OsString::from));
    options.extend(more.iter().map(OsString::from));
    let tool = connection.tools.version;
    if identity.flavor == Flavor::Mysql {
        // Of replication, which a restore must not take over; and what asks for PROCESS.
        options.extend(["--set-gtid-purged=OFF", "--no-tablespaces"].map(OsString::from));
        if tool.major >= 8 {
            // Histograms are not data, and earlier servers have none.
            options.push("--column-statistics=0".into());
        }
    }
    options
}

/// Saves the session's database as it was [prepared](prepare), and reads the dump back whole.
///
/// The file is created or emptied, readable by its owner only, and synced when this returns. It is read back as it grows:
/// every object of the catalogue is in it, and it is complete, or this fails.
///
/// # Errors
///
/// Any [`MysqlError`]. The file is left to the caller; nothing was written to the database, and nothing of ours runs any
/// more, here or on the server.
pub(crate) fn take(
    session: &mut Session,
    command: &DumpCommand,
    (tables, proof): (Tables, Option<Proof>),
    lock_wait: Duration,
    watch: &dyn Watch,
) -> Result<Taken, MysqlError> {
    let partial = command.output.as_path();
    let file = open_private(partial).map_err(MysqlError::file("write", partial))?;
    let writing = Writing::default();
    let following = writing.follow(partial).map_err(MysqlError::file("read", partial))?;
    let mut dump = process::start(command.label, session.connection.planned(command), session.connection.secrets())?;
    let stdout = dump.stdout();
    let stoppers = [dump.stopper(), session.client.stopper()];
    let Session { client, identity, .. } = &mut *session;
    let database = identity.database.clone();
    let is_dumped = AtomicBool::new(false);
    let (written, dumped, catalogued, read) = attended::<_, MysqlError>(watch, &stoppers, || {
        thread::scope(|scope| {
            let looking = threads::start(scope, || {
                let options = catalog::options(client, &database)?;
                let catalogued = Catalogued::with(tables, client, identity)?;
                wait_for_locks(client, &database, lock_wait, &is_dumped).inspect_err(|_| stoppers[0].stop(false))?;
                Ok::<_, MysqlError>((catalogued, options))
            })
            .map_err(ToolError::NoThread)?;
            let reading = threads::start(scope, || read(partial, following, DumpReader::reading(), watch))
                .map_err(ToolError::NoThread)?;
            let written = write_compressed(stdout, &file).map_err(MysqlError::file("write", partial));
            writing.end();
            if written.is_err() {
                stoppers[0].stop(false);
            }
            let synced = file.sync_all().map_err(MysqlError::file("sync", partial));
            let dumped = dump.finish();
            is_dumped.store(true, Ordering::Relaxed);
            looking.thread().unpark();
            let (catalogued, read) = (threads::joined(looking), threads::joined(reading));
            Ok((written.and_then(|written| synced.map(|()| written)), dumped, catalogued, read))
        })
    })?;
    let (size, sha256) = written?;
    if let (Err(_), Err(MysqlError::InUse { database, users })) = (&dumped, &catalogued) {
        return Err(MysqlError::InUse { database: database.clone(), users: users.clone() });
    }
    dumped?;
    let (catalogued, options) = catalogued?;
    let (read, found) = read?;
    DumpFile { path: partial, sha256: &sha256 }.expect(&found)?;
    let (held, _) = read?;
    compare(&shown(partial), &catalogued, &held)?;
    let recorded = Recorded {
        proof,
        options,
        definitions: listed(&held),
        longest_statement: held.longest.0,
        sequences_in_defaults: held.sequences_in_defaults.iter().cloned().collect(),
        leads_nowhere: held.leads_nowhere(),
    };
    taken(session, command, (size, sha256), &catalogued, &held, &recorded)
}

/// How often the server is asked whether the dump waits for a lock.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Waits until the dump has ended, or until it has waited for a table's lock for too long: the dump programs wait for a day.
///
/// # Errors
///
/// [`MysqlError::InUse`], and those of the server.
fn wait_for_locks(
    client: &mut Client,
    database: &str,
    lock_wait: Duration,
    is_dumped: &AtomicBool,
) -> Result<(), MysqlError> {
    while !is_dumped.load(Ordering::Relaxed) {
        thread::park_timeout(LOOK_EVERY);
        if is_dumped.load(Ordering::Relaxed) {
            break;
        }
        let waiting = client.ask(format!(
            "SELECT 1 FROM information_schema.PROCESSLIST WHERE DB = {} AND TIME >= {} \
             AND STATE LIKE 'Waiting for table%lock' \
             AND (INFO LIKE 'SELECT /*%' OR INFO LIKE 'SHOW %')",
            literal(database),
            lock_wait.as_secs()
        ))?;
        if !waiting.is_empty() {
            let users = catalog::users_of(client, database)?;
            return Err(MysqlError::InUse { database: database.to_owned(), users });
        }
    }
    Ok(())
}

/// Compares a dump with the catalogue: every table, view, trigger and event that the user is told of is in it.
///
/// # Errors
///
/// [`DumpError::NotWhole`].
fn compare(what: &str, catalogued: &Catalogued, held: &Held) -> Result<(), MysqlError> {
    use crate::snapshot::mysql::objects::Kind;
    let mut missing: Vec<String> = Vec::new();
    for (name, table) in &catalogued.tables.data {
        if !held.tables.contains_key(name) {
            missing.push(format!("the {} `{name}` is missing", table.kind.word()));
        }
    }
    let views = catalogued.tables.views.iter().map(|name| (Kind::View, name.clone()));
    let others = catalogued.definitions.keys().filter(|(kind, _)| matches!(kind, Kind::Trigger | Kind::Event)).cloned();
    for key in views.chain(others) {
        if !held.definitions.contains_key(&key) {
            missing.push(format!("the {} `{}` is missing", key.0.word(), key.1));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(MysqlError::Dump(DumpError::NotWhole { what: what.to_owned(), differences: named(&missing) }))
}

fn taken(
    session: &Session,
    command: &DumpCommand,
    (size, sha256): (u64, String),
    catalogued: &Catalogued,
    held: &Held,
    recorded: &Recorded,
) -> Result<Taken, MysqlError> {
    let identity = &session.identity;
    let tool = &session.connection.tools;
    let mut obstacles = obstacles::find(identity, tool.version, catalogued);
    obstacles.extend(obstacles::in_dump(identity, catalogued, held));
    let outside = catalogued.tables.outside_of_transactions();
    let notes = match outside.as_slice() {
        [] => Vec::new(),
        _ => vec![format!(
            "These tables are in no transaction, so that what was written to them meanwhile may be saved in part: {}.",
            outside.join("; ")
        )],
    };
    let state = serde_json::to_value(recorded)
        .map_err(|error| MysqlError::Manifest { id: shown(&command.output).into_owned(), reason: error.to_string() })?;
    Ok(Taken {
        size,
        sha256,
        verified: VerificationLevel::Read,
        compression: Some("zstd".to_owned()),
        tool: Tool {
            program: command.label.to_owned(),
            version: format!("{} {}", tool.flavor, tool.version),
            arguments: command.arguments.iter().map(|word| shown(word).into_owned()).collect(),
        },
        server: Some(Server { version: identity.version_text.clone(), fingerprint: identity.fingerprint.clone() }),
        tables: held
            .tables
            .iter()
            .map(|(name, table)| TableRows { name: name.clone(), rows: Some(table.rows.rows) })
            .collect(),
        state: Some(state),
        obstacles,
        whereabouts: None,
        notes,
        by_hand: by_hand(session, &recorded.options),
        copy: None,
    })
}

/// Dumps definitions or data of a database of the server, as it is now, and gives them to `reader`: what it holds, and the
/// statements that `reader` collects.
///
/// # Errors
///
/// Those of the dump program; [`DumpError::Damaged`] where what it writes is not whole.
pub(crate) fn look<W: Write + Send>(
    session: &Session,
    database: &str,
    more: &[&str],
    only: &[String],
    mut reader: DumpReader<W>,
    watch: &dyn Watch,
) -> Result<(Held, Vec<u8>), MysqlError> {
    let connection = &session.connection;
    let mut arguments = dump_options(connection, &session.identity, more);
    arguments.extend(["--".into(), OsString::from(database)]);
    arguments.extend(only.iter().map(OsString::from));
    let planned = command(connection, arguments, Path::new("-"));
    let mut dump = process::start(planned.label, connection.planned(&planned), connection.secrets())?;
    let stdout = dump.stdout();
    let stopper = dump.stopper();
    attended::<_, MysqlError>(watch, &[stopper], || {
        let mut piece = vec![0; PIECE];
        if let Some(mut stdout) = stdout {
            while let read @ 1.. = stdout.read(&mut piece).map_err(MysqlError::file("read", Path::new(database)))? {
                watch.advance(read as u64);
                reader.feed(&piece[..read]);
            }
        }
        dump.finish()?;
        reader.finish().map_err(|reason| MysqlError::Dump(DumpError::Damaged { path: database.into(), reason }))
    })
}
