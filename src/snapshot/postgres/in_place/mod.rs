//! Puts a database back where it stands, for a role that may not exchange it for another: all that it holds is dropped, and
//! the dump loaded, in one transaction.
//!
//! It is the weaker way. What was there before is kept in a snapshot only, since there is no place for it beside. Whoever is
//! connected stays so, and waits for the transaction, or it for them. And what is not the role's own cannot be dropped, so
//! that nothing is done where there is such a thing.

mod contents;
mod database;

use std::thread;
use std::time::Duration;

use crate::snapshot::postgres::beside::sessions_in;
use crate::snapshot::postgres::compare;
use crate::snapshot::postgres::compare::{Compared, definitions};
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::facts::Facts;
pub(crate) use crate::snapshot::postgres::in_place::contents::of_others;
use crate::snapshot::postgres::in_place::contents::{AS_IN_A_NEW_DATABASE, drop_all};
use crate::snapshot::postgres::in_place::database::{carry_over, settings_of_the_session};
use crate::snapshot::postgres::load::{Destination, Loaded, load_into};
use crate::snapshot::postgres::psql::text;
use crate::snapshot::postgres::whole::Whole;
use crate::snapshot::postgres::{PostgresError, Session};
use crate::snapshot::{Computed, Watch};

/// How often the server is looked for that was lost while the transaction was committed, and how long between.
const LOOKS: (u32, Duration) = (40, Duration::from_millis(500));

/// Tells whether the session's role may drop all that the session's database holds.
///
/// # Errors
///
/// [`PostgresError::NotItsOwn`] names what it may not drop.
pub(crate) fn expect_own(session: &mut Session) -> Result<(), PostgresError> {
    let others = of_others(&mut session.psql)?;
    if others.is_empty() {
        return Ok(());
    }
    Err(PostgresError::NotItsOwn { user: session.identity.user.clone(), objects: others })
}

/// Replaces what the database holds by the snapshot, and compares it by content before the transaction is committed.
/// `connection` leads to the database; a table that another session uses is waited for as long as `lock_wait`.
///
/// # Errors
///
/// [`PostgresError::NotRestored`]: the database is as it was, also where this process was killed.
/// [`PostgresError::CommitUnknown`] where the server was lost just then and is not back.
pub(crate) fn replace(
    connection: &Connection,
    whole: &Whole<'_>,
    lock_wait: Duration,
    watch: &dyn Watch,
) -> Result<Compared, PostgresError> {
    let database = whole.manifest.database.as_str();
    let not_restored = |source| PostgresError::NotRestored {
        step: "the snapshot was restored in its place",
        remains: format!("`{database}` is as it was"),
        source: Box::new(source),
    };
    let mut session = Session::connect(connection.clone()).map_err(not_restored)?;
    let now = Facts::read(&mut session.psql, database).map_err(not_restored)?.unwrap_or_default();
    let mut before = vec![format!("SET lock_timeout = {}", lock_wait.as_millis().max(1)), drop_all()];
    before.push(AS_IN_A_NEW_DATABASE.to_owned());
    before.extend(settings_of_the_session(&now, &whole.facts, &session.identity.user));
    let major = session.identity.major;
    let (mut notes, mut transaction) = (vec![said(&mut session).map_err(not_restored)?], None);
    let mut computed = Computed::default();
    let destination = Destination { database, before: &before };
    let loaded = load_into(&session, whole, destination, watch, |psql, script| {
        psql.ask("SELECT pg_catalog.set_config('search_path', '', false)")?;
        notes.extend(carry_over(psql, &now, &whole.facts, database)?);
        let compared = compare::within(psql, major, whole, &script.data, database)?;
        notes.extend(compared.notes);
        computed = compared.computed;
        transaction = psql.ask("SELECT pg_catalog.txid_current()")?.first().map(|field| text(field));
        Ok(())
    });
    match loaded {
        Ok(Loaded { session: done, script, notes: noted, told }) => {
            drop(done);
            notes.extend(noted);
            // Nobody else sees them before they are committed. What differs is told, as it cannot be refused any more.
            match definitions::compare(connection, &session.identity, whole, (&script, &told), watch) {
                Ok(definitions::Differences { faults, notes: noted }) => {
                    notes.extend(noted);
                    notes.extend(definitions::as_told(&faults));
                }
                Err(error) => {
                    notes.push(format!("The definitions were not compared with those of the snapshot: {error}."))
                }
            }
        }
        Err(error @ PostgresError::ConnectionLost { .. }) => {
            was_committed(connection, database, transaction.as_deref(), error)?
                .map_or(Ok(()), |error| Err(not_restored(error)))?;
        }
        Err(error) => return Err(not_restored(in_use(error, &mut session, database))),
    }
    Ok(Compared { computed, notes })
}

/// Says how it was restored, and who was connected meanwhile.
fn said(session: &mut Session) -> Result<String, PostgresError> {
    let user = &session.identity.user;
    let way = format!(
        "It was replaced where it stands, since `{user}` may not exchange it: what was there before is in the safety \
         snapshot only"
    );
    let others = sessions_in(&mut session.psql, &session.identity.database)?.join(", ");
    Ok(if others.is_empty() { format!("{way}.") } else { format!("{way}; these stayed connected: {others}.") })
}

/// Names who is in the way where a lock was not to be had, or only by a deadlock (40P01).
fn in_use(error: PostgresError, session: &mut Session, database: &str) -> PostgresError {
    let is_deadlock = matches!(&error, PostgresError::Query { sqlstate, .. } if sqlstate == "40P01");
    if !is_deadlock && !error.is_of_a_lock() {
        return error;
    }
    match sessions_in(&mut session.psql, database) {
        Ok(users) if !users.is_empty() => {
            PostgresError::InUse { database: database.to_owned(), users: users.join(", ") }
        }
        Ok(_) | Err(_) => error,
    }
}

/// Finds out what became of a transaction whose session was lost: the error where it was not committed.
fn was_committed(
    connection: &Connection,
    database: &str,
    transaction: Option<&str>,
    error: PostgresError,
) -> Result<Option<PostgresError>, PostgresError> {
    // What had not been compared was not committed.
    let Some(transaction) = transaction else { return Ok(Some(error)) };
    for _ in 0..LOOKS.0 {
        let question = format!("SELECT pg_catalog.txid_status({transaction})");
        let answer = Session::connect(connection.clone()).and_then(|mut session| session.psql.ask(question));
        match answer.ok().as_ref().and_then(|fields| fields.first()).map(Vec::as_slice) {
            Some(b"committed") => return Ok(None),
            Some(b"aborted") => return Ok(Some(error)),
            _ => thread::sleep(LOOKS.1),
        }
    }
    Err(PostgresError::CommitUnknown { database: database.to_owned(), source: Box::new(error) })
}
