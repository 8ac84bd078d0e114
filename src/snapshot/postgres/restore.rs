//! Putting a database back: built beside, compared, and exchanged for the present one, which is kept under another name.

use crate::snapshot::Watch;
use crate::snapshot::postgres::beside;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::swap;
use crate::snapshot::postgres::swap::Exchange;
use crate::snapshot::postgres::verify;
use crate::snapshot::postgres::verify::{Request, Whole};
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
/// Those of [`verify`](crate::snapshot::postgres::verify()) before anything is touched; [`PostgresError::OtherServer`] and
/// [`PostgresError::SnapshotOfOtherDatabase`] unless `elsewhere`; then [`PostgresError::NotRestored`], which says what remains.
pub(crate) fn restore(request: &Request<'_>, watch: &dyn Watch) -> Result<Restored, PostgresError> {
    let database = request.target.database.clone().unwrap_or_else(|| request.manifest.database.clone());
    if database != request.manifest.database && !request.elsewhere {
        return Err(PostgresError::SnapshotOfOtherDatabase {
            snapshot: request.manifest.database.clone(),
            target: database,
        });
    }
    let whole = verify::read(request, watch)?;
    let connection = Connection::new(request.target, request.environment)?;
    let mut server = Session::open_maintenance(&connection, Some(&database))?;
    let here = server.identity.fingerprint();
    let snapshot = request.manifest.server.as_ref().map_or("an unknown one", |server| &server.fingerprint);
    if snapshot != here && !request.elsewhere {
        return Err(PostgresError::OtherServer { snapshot: snapshot.to_owned(), here });
    }
    if !server.identity.may_create {
        return Err(PostgresError::MayNotCreate { place: connection.place().to_owned() });
    }
    put_back(&mut server, &whole, &database, watch)
}

fn put_back(
    server: &mut Session,
    whole: &Whole<'_>,
    database: &str,
    watch: &dyn Watch,
) -> Result<Restored, PostgresError> {
    let untouched = format!("`{database}` is as it was");
    let stopped = |step, remains: &str, source| PostgresError::NotRestored {
        step,
        remains: remains.to_owned(),
        source: Box::new(source),
    };
    let beside = beside::build(server, whole.material(), "restoring", watch)
        .map_err(|error| stopped("the snapshot was restored beside it", &untouched, error))?;
    let mut notes = beside.notes;
    notes.extend(finish(server, whole, &beside.name));
    let exchange =
        Exchange { database, beside: &beside.name, comment: whole.facts.comment.as_deref(), now: whole.request.now };
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
            notes.push(format!(
                "Not carried over: {} ({error}).",
                statement.replace(beside, &whole.request.manifest.database)
            ));
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
