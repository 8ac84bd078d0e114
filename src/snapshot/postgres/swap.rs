//! Exchanges two databases' names in one transaction, under the eyes of clients that reconnect as fast as they can.
//!
//! `ALTER DATABASE … RENAME` locks the database against new connections, and then waits some seconds for those that are
//! there to leave: a second session sends them away meanwhile. So nothing has to be set that a killed process would
//! leave behind, such as a database that allows no connections.
//!
//! Source: `RenameDatabase` and `CountOtherDBBackends` in the server: five seconds at most.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::snapshot::postgres::beside;
use crate::snapshot::postgres::beside::{Marker, users_of};
use crate::snapshot::postgres::psql::{identifier, literal, text};
use crate::snapshot::postgres::{PostgresError, Session};
use crate::snapshot::threads;
use crate::snapshot::tool_process::ToolError;

/// How often the server's five seconds are waited for.
const ATTEMPTS: u32 = 3;

/// How long a server that is gone is waited for, to learn whether the names were exchanged.
const SERVER_RETURNS_WITHIN: Duration = Duration::from_secs(30);

/// What the server says of a database that somebody is connected to.
const OBJECT_IN_USE: &str = "55006";

/// Who takes whose name.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    /// The database in use.
    pub(crate) database: &'a str,
    /// The one that is to take its name.
    pub(crate) beside: &'a str,
    /// What lets others into that one again, where nobody is let in.
    pub(crate) opening: Option<String>,
    /// The name that the one in use is kept under; announced.
    pub(crate) replaced: &'a str,
    /// The mark on it.
    pub(crate) marker: Marker,
    /// The comment that the other one is to have.
    pub(crate) comment: Option<&'a str>,
}

/// Exchanges them; gives the name under which the database in use is kept, if there was one.
///
/// # Errors
///
/// [`PostgresError::InUse`] if somebody stays connected, and those of the server; both databases then are as they were.
/// After [`PostgresError::Unsettled`] that is not known.
pub(crate) fn exchange(server: &mut Session, exchange: &Exchange<'_>) -> Result<Option<String>, PostgresError> {
    let comment = beside::comment_on(server, exchange.database)?;
    let is_there = comment.is_some();
    let mut statements = vec!["BEGIN".to_owned()];
    let rename = |from: &str, to: &str| format!("ALTER DATABASE {} RENAME TO {}", identifier(from), identifier(to));
    if let Some(comment) = comment {
        let comment = Some(comment).filter(|comment| !comment.is_empty());
        let marker = Marker { comment, ..exchange.marker.clone() };
        statements.push(rename(exchange.database, exchange.replaced));
        statements.push(beside::marking(exchange.replaced, &marker));
    }
    statements.extend(exchange.opening.clone());
    statements.push(rename(exchange.beside, exchange.database));
    let comment = exchange.comment.map_or("NULL".to_owned(), literal);
    statements.push(format!("COMMENT ON DATABASE {} IS {comment}", identifier(exchange.database)));
    statements.push("COMMIT".to_owned());

    let mut usher = Session::connect(server.connection.clone())?;
    let unwanted = unwanted(server, exchange)?;
    let done = AtomicBool::new(false);
    let result = thread::scope(|scope| {
        let sending = threads::start(scope, || send_away(&mut usher, &unwanted, &done)).map_err(ToolError::NoThread)?;
        let result = in_one_transaction(server, &statements);
        done.store(true, Ordering::Relaxed);
        sending.thread().unpark();
        result
    });
    let result = match result {
        Err(error @ PostgresError::ConnectionLost { .. }) => settle(server, exchange, error),
        other => other,
    };
    match result {
        Ok(()) => Ok(is_there.then(|| exchange.replaced.to_owned())),
        Err(PostgresError::Query { sqlstate, .. }) if sqlstate == OBJECT_IN_USE => {
            let users = users_of(server, exchange.database)?;
            Err(PostgresError::InUse { database: exchange.database.to_owned(), users })
        }
        Err(error) => Err(error),
    }
}

/// Learns what came of an exchange whose connection broke: opens another session, waits until the server has ended the one
/// that broke, by its lock, and looks which name is there. `Ok` if the names were exchanged.
fn settle(server: &mut Session, exchange: &Exchange<'_>, lost: PostgresError) -> Result<(), PostgresError> {
    let since = Instant::now();
    while since.elapsed() < SERVER_RETURNS_WITHIN {
        if let Ok(mut again) = Session::connect(server.connection.clone())
            && let Ok(true) = beside::try_lock(&mut again, exchange.beside)
            && let Ok(is_beside) = again.exists(exchange.beside)
        {
            *server = again;
            return if is_beside { Err(lost) } else { Ok(()) };
        }
        thread::sleep(Duration::from_millis(100));
    }
    let (database, beside) = (exchange.database.to_owned(), exchange.beside.to_owned());
    Err(PostgresError::Unsettled { database, beside, source: Box::new(lost) })
}

fn in_one_transaction(server: &mut Session, statements: &[String]) -> Result<(), PostgresError> {
    let mut attempt = 1;
    loop {
        let result = statements.iter().try_for_each(|statement| server.psql.ask(statement).map(drop));
        let Err(error) = result else { return Ok(()) };
        if matches!(error, PostgresError::ConnectionLost { .. }) {
            return Err(error);
        }
        server.psql.ask("ROLLBACK")?;
        let in_use = matches!(&error, PostgresError::Query { sqlstate, .. } if sqlstate == OBJECT_IN_USE);
        if !in_use || attempt == ATTEMPTS {
            return Err(error);
        }
        attempt += 1;
    }
}

/// Writes the condition for the sessions that stand in the way: those in the database in use by its number, which it
/// keeps, and those in the other one by the name that it gives up. Once the names are exchanged, whoever connects to
/// the restored database is neither.
fn unwanted(server: &mut Session, exchange: &Exchange<'_>) -> Result<String, PostgresError> {
    let database = literal(exchange.database);
    let number = server.psql.ask(format!("SELECT oid FROM pg_database WHERE datname = {database}"))?;
    let number = number.first().map_or_else(|| "0".to_owned(), |field| text(field));
    Ok(format!("(datid = {number} OR datname = {})", literal(exchange.beside)))
}

/// Ends these sessions until told that it is done. Those that this role may not end are left: the exchange then fails and
/// names them.
fn send_away(usher: &mut Session, unwanted: &str, done: &AtomicBool) {
    let statement = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE {unwanted} AND pg_has_role(current_user, usesysid, 'MEMBER')"
    );
    while !done.load(Ordering::Relaxed) {
        if matches!(usher.psql.ask(&statement), Err(PostgresError::ConnectionLost { .. })) {
            return;
        }
        // Until it is done, which ends the wait.
        thread::park_timeout(Duration::from_millis(20));
    }
}
