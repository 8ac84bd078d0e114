//! Puts a database back: builds it beside, compares it, and exchanges it for the present one, which is kept under another
//! name.

use crate::snapshot::Leftover;
use crate::snapshot::Watch;
use crate::snapshot::engine::{Restoration, Restored};
use crate::snapshot::postgres::beside;
use crate::snapshot::postgres::beside::Marker;
use crate::snapshot::postgres::compare::Compared;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::leftovers::look;
use crate::snapshot::postgres::replication;
use crate::snapshot::postgres::swap;
use crate::snapshot::postgres::swap::Exchange;
use crate::snapshot::postgres::whole;
use crate::snapshot::postgres::whole::Whole;
use crate::snapshot::postgres::{PostgresError, Session};

/// A restore whose snapshot was read back whole, and whose target is the snapshot's own.
pub(crate) struct PreparedRestore<'r> {
    whole: Whole<'r>,
    restoration: Restoration<'r>,
    connection: Connection,
    /// What earlier restores have left on the server.
    pub(crate) leftovers: Vec<Leftover>,
}

/// Prepares to put a snapshot back. No session stays open: it could be in the way of the restore of another database.
///
/// # Errors
///
/// Those of [`whole::read`], [`PostgresError::OtherServer`], [`PostgresError::SnapshotOfOtherDatabase`],
/// [`PostgresError::Replicates`] and [`PostgresError::MayNotCreate`]. Nothing was changed.
pub(crate) fn prepare_restore<'r>(
    restoration: &Restoration<'r>,
    watch: &dyn Watch,
) -> Result<PreparedRestore<'r>, PostgresError> {
    let manifest = &restoration.stored.manifest;
    if let Some(other) = restoration.target.database.as_ref().filter(|name| **name != manifest.database) {
        let snapshot = manifest.database.clone();
        return Err(PostgresError::SnapshotOfOtherDatabase { snapshot, target: other.clone() });
    }
    let whole = whole::read(restoration, watch)?;
    let connection = Connection::new(restoration.target, restoration.environment)?;
    let mut server = Session::open_maintenance(&connection, Some(&manifest.database))?;
    expect_own_server(&server, restoration)?;
    if !server.identity.may_create {
        return Err(PostgresError::MayNotCreate { place: connection.place().to_owned() });
    }
    replication::expect_none(&mut server, &manifest.database)?;
    let leftovers = look(&mut server, &manifest.database, restoration.past)?;
    Ok(PreparedRestore { whole, restoration: *restoration, connection, leftovers })
}

/// Puts a snapshot back at once: [`prepare_restore`], then [`PreparedRestore::carry_out`].
#[cfg(test)]
pub(crate) fn restore(restoration: &Restoration<'_>, watch: &dyn Watch) -> Result<Restored, PostgresError> {
    prepare_restore(restoration, watch)?.carry_out(watch)
}

fn expect_own_server(server: &Session, restoration: &Restoration<'_>) -> Result<(), PostgresError> {
    let (here, saved) = (server.identity.fingerprint(), restoration.stored.manifest.server.as_ref());
    if saved.is_some_and(|saved| saved.fingerprint == here) {
        return Ok(());
    }
    let named = |fingerprint: &str, version: &str| format!("{fingerprint} (version {version})");
    let snapshot = saved.map_or("an unknown one".to_owned(), |saved| named(&saved.fingerprint, &saved.version));
    Err(PostgresError::OtherServer { snapshot, here: named(&here, &server.identity.version) })
}

impl PreparedRestore<'_> {
    /// Makes a database of the snapshot beside the present one, compares it with the manifest, gives it the settings and
    /// grants of the saved one, and exchanges both names in one transaction, while whoever is connected is disconnected and
    /// nobody can connect. Until that transaction commits, the present database is as it was, whatever fails and whenever
    /// this process is killed; afterwards it stands under [`Restored::replaced`], a name that was written down before.
    ///
    /// # Errors
    ///
    /// [`PostgresError::NotRestored`], which says what remains; [`PostgresError::Unsettled`] where the server is gone.
    pub(crate) fn carry_out(self, watch: &dyn Watch) -> Result<Restored, PostgresError> {
        let PreparedRestore { whole, restoration, connection, .. } = self;
        let database = whole.manifest.database.as_str();
        let mut server = Session::open_maintenance(&connection, Some(database))?;
        expect_own_server(&server, &restoration)?;
        let stopped = |step, left: Option<&str>, source| PostgresError::NotRestored {
            step,
            remains: match left {
                None => format!("`{database}` is as it was"),
                Some(left) => format!("`{database}` is as it was, and `{left}` was left behind: the next run drops it"),
            },
            source: Box::new(source),
        };
        let [beside, replaced] = beside::announce(&mut server, &restoration, ["restoring", "replaced"])?;
        let marker = Marker::of(&restoration, "restoring");
        let Compared { computed, mut notes } = match beside::build(&mut server, &whole, &beside, &marker, watch) {
            Ok(compared) => compared,
            Err(error) => {
                let is_gone = server.exists(&beside).is_ok_and(|exists| !exists);
                let left = Some(beside.as_str()).filter(|_| !is_gone);
                return Err(stopped("the snapshot was restored beside it", left, error));
            }
        };
        notes.extend(finish(&mut server, &whole, &beside));
        for name in replication::subscriptions(&mut server.psql, &beside).unwrap_or_default() {
            notes.push(format!(
                "The subscription `{name}` is back disabled: `ALTER SUBSCRIPTION … ENABLE` lets it go on."
            ));
        }
        let marker = Marker::of(&restoration, "replaced");
        let comment = whole.facts.comment.as_deref();
        let exchange = Exchange { database, beside: &beside, replaced: &replaced, marker, comment };
        match swap::exchange(&mut server, &exchange) {
            Ok(replaced) => Ok(Restored { replaced, computed, notes }),
            Err(error @ PostgresError::Unsettled { .. }) => Err(error),
            Err(error) => {
                let left = Some(beside.as_str()).filter(|beside| beside::drop_database(&mut server, beside).is_err());
                Err(stopped("the names were exchanged", left, error))
            }
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
    let analyzed = Session::connect(server.connection_to(beside)).and_then(|mut new| {
        // Indexes made with functions are computed.
        new.psql.ask("SET search_path TO DEFAULT")?;
        new.psql.ask("ANALYZE")
    });
    if analyzed.is_err() {
        notes.push("Statistics were not gathered; the server will do so by itself.".to_owned());
    }
    notes
}
