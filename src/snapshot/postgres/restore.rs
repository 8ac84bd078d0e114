//! Puts a database back: builds it beside, compares it, and exchanges it for the present one, which is kept under another
//! name.

use chrono::{DateTime, Utc};

use crate::snapshot::Watch;
use crate::snapshot::engine::Restoration;
use crate::snapshot::postgres::beside;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::swap;
use crate::snapshot::postgres::swap::Exchange;
use crate::snapshot::postgres::whole;
use crate::snapshot::postgres::whole::Whole;
use crate::snapshot::postgres::{PostgresError, Session};

/// A database that was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Restored {
    /// The name under which what was there before is kept; `None` if there was no such database.
    pub(crate) replaced: Option<String>,
    /// What a person should know, a sentence each.
    pub(crate) notes: Vec<String>,
}

/// Puts a snapshot back.
///
/// The snapshot is read back whole first; then a database is made of it beside the present one, compared with the
/// manifest, given the settings and grants of the saved one, and in one transaction both names are exchanged, while
/// whoever is connected is disconnected and nobody can connect. Until that transaction commits, the present database is
/// as it was, whatever fails and whenever this process is killed; afterwards it stands under [`Restored::replaced`].
///
/// # Errors
///
/// Those of [`whole::read`], [`PostgresError::OtherServer`] and [`PostgresError::SnapshotOfOtherDatabase`] before anything
/// is touched; then [`PostgresError::NotRestored`], which says what remains.
pub(crate) fn restore(restoration: &Restoration<'_>, watch: &dyn Watch) -> Result<Restored, PostgresError> {
    let manifest = &restoration.stored.manifest;
    let database = restoration.target.database.clone().unwrap_or_else(|| manifest.database.clone());
    if database != manifest.database {
        return Err(PostgresError::SnapshotOfOtherDatabase { snapshot: manifest.database.clone(), target: database });
    }
    let whole = whole::read(restoration, watch)?;
    let connection = Connection::new(restoration.target, restoration.environment)?;
    let mut server = Session::open_maintenance(&connection, Some(&database))?;
    let here = server.identity.fingerprint();
    let snapshot = manifest.server.as_ref().map_or("an unknown one", |server| &server.fingerprint);
    if snapshot != here {
        return Err(PostgresError::OtherServer { snapshot: snapshot.to_owned(), here });
    }
    if !server.identity.may_create {
        return Err(PostgresError::MayNotCreate { place: connection.place().to_owned() });
    }
    put_back(&mut server, &whole, &database, restoration.now, watch)
}

fn put_back(
    server: &mut Session,
    whole: &Whole<'_>,
    database: &str,
    now: DateTime<Utc>,
    watch: &dyn Watch,
) -> Result<Restored, PostgresError> {
    let untouched = format!("`{database}` is as it was");
    let stopped = |step, remains: &str, source| PostgresError::NotRestored {
        step,
        remains: remains.to_owned(),
        source: Box::new(source),
    };
    let beside = beside::build(server, whole, "restoring", now, watch)
        .map_err(|error| stopped("the snapshot was restored beside it", &untouched, error))?;
    let mut notes = beside.notes;
    notes.extend(finish(server, whole, &beside.name));
    let exchange = Exchange { database, beside: &beside.name, comment: whole.facts.comment.as_deref(), now };
    match swap::exchange(server, &exchange) {
        Ok(replaced) => Ok(Restored { replaced, notes }),
        Err(error @ PostgresError::ConnectionLost { .. }) => {
            let remains =
                format!("whether `{database}` was exchanged for `{}` shows when the server is back", beside.name);
            Err(stopped("the names were exchanged", &remains, error))
        }
        Err(error) => {
            let left = match beside::drop_database(server, &beside.name) {
                Ok(()) => untouched,
                Err(_) => format!("{untouched}, and `{}` was left behind", beside.name),
            };
            Err(stopped("the names were exchanged", &left, error))
        }
    }
}

/// Gives the new database what a dump does not hold, and statistics; what fails of it harms no data and is noted.
fn finish(server: &mut Session, whole: &Whole<'_>, beside: &str) -> Vec<String> {
    let mut notes = Vec::new();
    for statement in whole.facts.carry_over(beside) {
        if let Err(error) = server.psql.ask(&statement) {
            notes.push(format!("Not carried over: {} ({error}).", statement.replace(beside, &whole.manifest.database)));
        }
    }
    let analyzed = Session::connect(server.connection.with("PGDATABASE", beside)).and_then(|mut new| {
        // Indexes made with functions are computed.
        new.psql.ask("SET search_path TO DEFAULT")?;
        new.psql.ask("ANALYZE")
    });
    if analyzed.is_err() {
        notes.push("Statistics were not gathered; the server will do so by itself.".to_owned());
    }
    notes
}
