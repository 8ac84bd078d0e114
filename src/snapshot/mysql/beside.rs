//! Makes a database of a snapshot's tables beside the others: created empty, filled, compared; dropped again if that fails.

use std::io::{BufWriter, Read, Write};
use std::process::ChildStdin;
use std::thread;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::snapshot::beside_names::{Purpose, moment_of, related};
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::dump_stream::PIECE;
use crate::snapshot::mysql::client::{Client, identifier, literal};
use crate::snapshot::mysql::dump::{DumpReader, Handing, Held, differing_tables, named};
use crate::snapshot::mysql::process;
use crate::snapshot::mysql::session::SETTINGS;
use crate::snapshot::mysql::take::look;
use crate::snapshot::mysql::tools::keeps_history;
use crate::snapshot::mysql::whole::Whole;
use crate::snapshot::mysql::{MysqlError, Session};
use crate::snapshot::tool_process::{ToolError, attended};
use crate::snapshot::{Ledger, Making, Watch, threads};
use crate::text::hex;

/// What a snapshot holds, and the statements that are to be carried out once its tables are there.
pub(crate) struct Built {
    pub(crate) held: Held,
    pub(crate) definitions: Vec<u8>,
}

/// What every session that fills tables is set to besides: what the rows hold was there before, whatever a constraint says
/// of it.
const UNCHECKED: &str =
    "SET SESSION foreign_key_checks = 0 /*M!100201 , check_constraint_checks = 0, innodb_strict_mode = 0 */";

/// Makes the database `name` of a snapshot's tables, and compares it with the dump by content. `server` is a session that has
/// [announced](announce) the name.
///
/// # Errors
///
/// [`MysqlError::NotPermitted`], [`DumpError::NotWhole`], and those of loading. The database is dropped again; where that
/// fails, its name stands in the log.
pub(crate) fn build(
    server: &mut Session,
    whole: &Whole<'_>,
    name: &str,
    handing: &Handing,
    watch: &dyn Watch,
) -> Result<Built, MysqlError> {
    create(server, name, &whole.recorded.options)?;
    let built = load(server, whole, name, handing, watch).and_then(|built| {
        compare(server, name, &built.held, watch)?;
        Ok(built)
    });
    if built.is_err() {
        // By another session: ours may be what broke.
        if let Ok(mut again) = server.again(None) {
            let _ = drop_database(&mut again.client, name);
        }
    }
    built
}

/// Makes an empty database.
///
/// # Errors
///
/// [`MysqlError::NotPermitted`], and those of the server.
pub(crate) fn create(server: &mut Session, name: &str, options: &str) -> Result<(), MysqlError> {
    let made = server.client.ask(format!("CREATE DATABASE {} {options}", identifier(name)));
    made.map(drop).map_err(|error| match error.is_denied() {
        true => MysqlError::NotPermitted {
            user: server.identity.account.clone(),
            what: format!("make the database `{name}`"),
        },
        false => error,
    })
}

/// Drops a database, or finds it gone.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn drop_database(client: &mut Client, name: &str) -> Result<(), MysqlError> {
    client.ask(format!("DROP DATABASE IF EXISTS {}", identifier(name))).map(drop)
}

/// Fills a database with a snapshot's tables.
///
/// # Errors
///
/// Those of the client, of the server and of the dump.
pub(crate) fn load(
    server: &Session,
    whole: &Whole<'_>,
    name: &str,
    handing: &Handing,
    watch: &dyn Watch,
) -> Result<Built, MysqlError> {
    let tables = |stdin| {
        let (held, definitions) =
            whole.dump.read(DumpReader::loading(BufWriter::with_capacity(PIECE, stdin), handing), watch)?;
        Ok(Built { held, definitions })
    };
    told(server, name, watch, tables)
}

/// Starts a client in a database and lets `tell` give it statements, until it has carried out all of them.
///
/// # Errors
///
/// Those of the client: the first statement that failed; and those of `tell`.
fn told<T: Send>(
    server: &Session,
    database: &str,
    watch: &dyn Watch,
    tell: impl FnOnce(ChildStdin) -> Result<T, MysqlError> + Send,
) -> Result<T, MysqlError> {
    let connection = &server.connection;
    let command = connection.client_command(Some(database));
    let mut client = process::start(connection.client_name(), command, connection.secrets())?;
    let (stdin, stdout) = (client.stdin(), client.stdout());
    let stopper = client.stopper();
    attended::<_, MysqlError>(watch, &[stopper], || {
        thread::scope(|scope| {
            // What sequences answer when they are set.
            let draining = threads::start(scope, move || {
                let (mut stdout, mut piece) = (stdout, vec![0; PIECE]);
                while stdout.as_mut().is_some_and(|stdout| matches!(stdout.read(&mut piece), Ok(1..))) {}
            })
            .map_err(ToolError::NoThread)?;
            let outcome = match stdin {
                Some(mut stdin) => {
                    // A client that has ended says why; that it does not listen any more says nothing.
                    let _ = stdin.write_all(format!("{SETTINGS};\n{UNCHECKED};\n").as_bytes());
                    tell(stdin)
                }
                None => Err(MysqlError::ConnectionLost { message: client.quote("the client cannot be written to") }),
            };
            let ended = client.finish();
            threads::joined(draining);
            ended?;
            outcome
        })
    })
}

/// Compares the tables of a database with what a dump holds, by what the dump program makes of them now.
///
/// # Errors
///
/// [`DumpError::NotWhole`], and those of the dump program.
pub(crate) fn compare(server: &Session, name: &str, expected: &Held, watch: &dyn Watch) -> Result<(), MysqlError> {
    let mut more = vec!["--skip-triggers"];
    // Tables without it are dumped as ever.
    if keeps_history(server.connection.tools.version) && server.identity.is_mariadb() {
        more.push("--dump-history");
    }
    let (found, _) = look(server, name, &more, &[], DumpReader::reading(), watch)?;
    let differences = differing_tables(expected, &found);
    if differences.is_empty() {
        return Ok(());
    }
    Err(MysqlError::Dump(DumpError::NotWhole { what: format!("`{name}`"), differences: named(&differences) }))
}

/// Carries out statements in a database.
///
/// # Errors
///
/// Those of the client: the first statement that failed.
pub(crate) fn carry_out(
    server: &Session,
    database: &str,
    statements: &[u8],
    watch: &dyn Watch,
) -> Result<(), MysqlError> {
    if statements.is_empty() {
        return Ok(());
    }
    told(server, database, watch, |mut stdin| {
        let _ = stdin.write_all(statements);
        Ok(())
    })
}

/// Finds a name for each of `purposes` that no database of the server has, locks them until the session ends, and writes
/// all of them down: whoever finds such a database later knows that it is ours, and, by the lock, whether somebody is at
/// work on it.
///
/// # Errors
///
/// [`MysqlError::NotWrittenDown`] and those of the server. Nothing was made.
pub(crate) fn announce<const N: usize>(
    server: &mut Session,
    (target, database): (&str, &str),
    now: DateTime<Utc>,
    ledger: &dyn Ledger,
    purposes: [Purpose; N],
) -> Result<[String; N], MysqlError> {
    let mut attempt = 1;
    let names = loop {
        let names = purposes.map(|purpose| related(&server.folded(database), purpose, now, attempt));
        // Looked for once they are locked: who had the lock may have made one meanwhile.
        if try_lock(server, database, &names[0])? {
            let mut is_free = true;
            for name in &names {
                is_free &= !server.exists(name)?;
            }
            if is_free {
                break names;
            }
        }
        attempt += 1;
    };
    let making = Making {
        server: server.identity.fingerprint.clone(),
        target: target.to_owned(),
        database: database.to_owned(),
        making: names.to_vec(),
    };
    let not_written = |source| MysqlError::NotWrittenDown { name: names.join("`, `"), source };
    ledger.write_down(&making).map_err(not_written)?;
    Ok(names)
}

/// Makes the name of the lock for a database of ours that belongs to `database`, or for that one itself: one for all that a
/// restore makes, since old servers give a session one lock only.
fn lock_of(server: &Session, database: &str, name: &str) -> String {
    let (database, name) = (server.folded(database), server.folded(name));
    let locked = match moment_of(&name, &database) {
        Some(moment) => format!("{database}\0{moment}"),
        None => name.into_owned(),
    };
    literal(&format!("safe-test {}", hex(&Sha256::digest(locked)[..16])))
}

/// Takes the lock that says that a database of ours is being worked on, if no other session has it; it is given back when the
/// session ends.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn try_lock(server: &mut Session, database: &str, name: &str) -> Result<bool, MysqlError> {
    let lock = lock_of(server, database, name);
    let answer = server.client.ask(format!("SELECT GET_LOCK({lock}, 0)"))?;
    Ok(answer.first().and_then(|row| row.first()).is_some_and(|got| got == "1"))
}

/// Waits until no other safe-test changes what a database holds; the turn lasts as long as the session is kept.
///
/// # Errors
///
/// [`MysqlError::InUse`] where another one takes longer than a minute.
pub(crate) fn take_turn(server: &Session, database: &str) -> Result<Session, MysqlError> {
    let mut turn = server.again(None)?;
    let answer = turn.client.ask(format!("SELECT GET_LOCK({}, 60)", lock_of(server, database, database)))?;
    if answer.first().and_then(|row| row.first()).is_some_and(|got| got == "1") {
        return Ok(turn);
    }
    Err(MysqlError::InUse {
        database: database.to_owned(),
        users: "by another safe-test, which restores it".to_owned(),
    })
}

/// Tells whether another session has the lock of a database of ours.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn is_locked(server: &mut Session, database: &str, name: &str) -> Result<bool, MysqlError> {
    let question = format!("SELECT IFNULL(IS_USED_LOCK({}) <> CONNECTION_ID(), 0)", lock_of(server, database, name));
    Ok(server.client.ask(question)?.first().and_then(|row| row.first()).is_some_and(|is_used| is_used == "1"))
}
