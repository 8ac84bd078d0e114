//! Puts a database back: builds it beside, compares it, and exchanges it for the present one, which is kept under another
//! name; or, for a role that may not do so, [in place](crate::snapshot::postgres::in_place).

use crate::snapshot::Leftover;
use crate::snapshot::Manifest;
use crate::snapshot::Watch;
use crate::snapshot::beside_names::Purpose;
use crate::snapshot::engine::{CopyUse, Restoration, Restored};
use crate::snapshot::postgres::beside;
use crate::snapshot::postgres::beside::Marker;
use crate::snapshot::postgres::compare::Compared;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::copy;
use crate::snapshot::postgres::copy::Standing;
use crate::snapshot::postgres::in_place;
use crate::snapshot::postgres::leftovers::look;
use crate::snapshot::postgres::psql::literal;
use crate::snapshot::postgres::recorded::ServerCopy;
use crate::snapshot::postgres::replication;
use crate::snapshot::postgres::session::OWNS_DATABASE;
use crate::snapshot::postgres::statistics;
use crate::snapshot::postgres::swap;
use crate::snapshot::postgres::swap::Exchange;
use crate::snapshot::postgres::take::Limits;
use crate::snapshot::postgres::whole;
use crate::snapshot::postgres::whole::Whole;
use crate::snapshot::postgres::{PostgresError, Session};

/// A restore whose snapshot is the file that was written, and whose target is the snapshot's own.
pub(crate) struct PreparedRestore<'r> {
    whole: Whole<'r>,
    restoration: Restoration<'r>,
    connection: Connection,
    /// What earlier restores have left on the server.
    pub(crate) leftovers: Vec<Leftover>,
    way: Way,
}

/// How a database is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Made beside, and exchanged for the present one, which is kept.
    Exchange,
    /// Dropped and loaded in one transaction, where the role may do no more.
    InPlace,
}

impl PreparedRestore<'_> {
    /// Tells whether what is replaced is kept whole beside.
    pub(crate) fn keeps_the_replaced(&self) -> bool {
        self.way == Way::Exchange
    }
}

/// Prepares to put a snapshot back. No session stays open: it could be in the way of the restore of another database.
///
/// # Errors
///
/// Those of [`whole::of`], `DumpError::HashMismatch`, [`PostgresError::OtherServer`],
/// [`PostgresError::SnapshotOfOtherDatabase`], [`PostgresError::MayNotCreate`] where the database is gone,
/// [`PostgresError::NotItsOwn`], and [`PostgresError::Replicates`] where it is to be exchanged. Nothing was changed.
pub(crate) fn prepare_restore<'r>(
    restoration: &Restoration<'r>,
    watch: &dyn Watch,
) -> Result<PreparedRestore<'r>, PostgresError> {
    let manifest = &restoration.stored.manifest;
    if let Some(other) = restoration.target.database.as_ref().filter(|name| **name != manifest.database) {
        let snapshot = manifest.database.clone();
        return Err(PostgresError::SnapshotOfOtherDatabase { snapshot, target: other.clone() });
    }
    let whole = whole::of(restoration)?;
    whole.expect_file(watch)?;
    let connection = Connection::new(restoration.target, restoration.environment)?;
    let connection = connection.with("PGDATABASE", &manifest.database);
    let (way, mut session) = way(&connection, restoration)?;
    if way == Way::Exchange {
        replication::expect_none(&mut session, &manifest.database)?;
    }
    let leftovers = look(&mut session, &manifest.database, restoration.past)?;
    Ok(PreparedRestore { whole, restoration: *restoration, connection, leftovers, way })
}

/// Finds out what the role may do, and gives the session that told; `connection` leads to the database. A role that is let
/// into no other database than its own replaces that in place.
fn way(connection: &Connection, restoration: &Restoration<'_>) -> Result<(Way, Session), PostgresError> {
    let database = &restoration.stored.manifest.database;
    let mut inside = match Session::open_maintenance(connection, Some(database)) {
        Ok(mut server) => {
            expect_own_server(&server, restoration)?;
            let question =
                format!("SELECT {OWNS_DATABASE} FROM pg_catalog.pg_database d WHERE d.datname = {}", literal(database));
            match (server.identity.may_create, server.psql.ask(question)?.first().map(Vec::as_slice)) {
                (true, None | Some(b"t")) => return Ok((Way::Exchange, server)),
                (false, None) => return Err(PostgresError::MayNotCreate { place: connection.place().to_owned() }),
                (_, Some(_)) => Session::connect(connection.clone())?,
            }
        }
        Err(error) => {
            Session::connect(connection.clone()).ok().filter(|inside| !inside.identity.may_exchange()).ok_or(error)?
        }
    };
    expect_own_server(&inside, restoration)?;
    in_place::expect_own(&mut inside)?;
    Ok((Way::InPlace, inside))
}

/// Puts a snapshot back at once: [`prepare_restore`], then [`PreparedRestore::carry_out`].
#[cfg(test)]
pub(crate) fn restore(restoration: &Restoration<'_>, watch: &dyn Watch) -> Result<Restored, PostgresError> {
    prepare_restore(restoration, watch)?.carry_out(watch)
}

fn expect_own_server(server: &Session, restoration: &Restoration<'_>) -> Result<(), PostgresError> {
    let identity = &server.identity;
    match restoration.other_server(&identity.fingerprint(), &identity.version) {
        None => Ok(()),
        Some((snapshot, here)) => Err(PostgresError::OtherServer { snapshot, here }),
    }
}

impl PreparedRestore<'_> {
    /// Puts the copy that was kept for the snapshot in the database's place, where it is still what it was. Else
    /// makes a database of the snapshot beside the present one, compares it with the manifest and the dump, gives it the
    /// settings and grants of the saved one, and exchanges both names in one transaction, while whoever is connected is disconnected and
    /// nobody can connect. Until that transaction commits, the present database is as it was, whatever fails and whenever
    /// this process is killed; afterwards it stands under [`Restored::replaced`], a name that was written down before. In
    /// place, all of it is one transaction in the present database.
    ///
    /// # Errors
    ///
    /// [`PostgresError::NotRestored`], which says what remains; [`PostgresError::Unsettled`] and
    /// [`PostgresError::CommitUnknown`] where the server is gone.
    pub(crate) fn carry_out(self, watch: &dyn Watch) -> Result<Restored, PostgresError> {
        let PreparedRestore { whole, restoration, connection, way, .. } = self;
        let database = whole.manifest.database.as_str();
        if way == Way::InPlace {
            let Compared { computed, mut notes } =
                in_place::replace(&connection, &whole, Limits::default().lock_wait, watch)?;
            notes.extend(statistics::gather(connection, watch));
            return Ok(Restored { computed, notes, ..Restored::default() });
        }
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
        let as_of_now = whole.manifest.clone().restated_by(restoration.past);
        let copy = match copy::for_restore(&mut server, &as_of_now) {
            Ok(Standing::Good(copy)) => {
                let exchanged = exchange_for_copy(&mut server, &restoration, &whole, &copy, &as_of_now);
                return exchanged.map_err(|error| match error {
                    PostgresError::Unsettled { .. } => error,
                    error => stopped("the names were exchanged", None, error),
                });
            }
            Ok(Standing::Bad(why)) => Some(CopyUse::NotUsed(why)),
            Ok(Standing::None) => None,
            Err(error) => return Err(stopped("the copy was looked at", None, error)),
        };
        let [beside, replaced] = beside::announce(&mut server, &restoration, [Purpose::Restoring, Purpose::Replaced])?;
        let marker = Marker::of(&restoration, Purpose::Restoring);
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
        let marker = Marker::of(&restoration, Purpose::Replaced);
        let comment = whole.facts.comment.as_deref();
        let exchange = Exchange { database, beside: &beside, opening: None, replaced: &replaced, marker, comment };
        match swap::exchange(&mut server, &exchange) {
            Ok(replaced) => Ok(Restored { replaced, computed, notes, copy }),
            Err(error @ PostgresError::Unsettled { .. }) => Err(error),
            Err(error) => {
                let left = Some(beside.as_str()).filter(|beside| beside::drop_database(&mut server, beside).is_err());
                Err(stopped("the names were exchanged", left, error))
            }
        }
    }
}

/// Puts the copy that was kept for the snapshot in the database's place: it holds what was dumped, and has had the saved one's
/// owner, settings and rights since it was made. It is used up by that.
fn exchange_for_copy(
    server: &mut Session,
    restoration: &Restoration<'_>,
    whole: &Whole<'_>,
    copy: &ServerCopy,
    as_of_now: &Manifest,
) -> Result<Restored, PostgresError> {
    let [replaced] = beside::announce(server, restoration, [Purpose::Replaced])?;
    let before = copy::before(server, as_of_now)?;
    let exchange = Exchange {
        database: &whole.manifest.database,
        beside: &copy.name,
        opening: Some(whole.facts.opening(&copy.name)),
        replaced: &replaced,
        marker: Marker::of(restoration, Purpose::Replaced),
        comment: whole.facts.comment.as_deref(),
    };
    let replaced = swap::exchange(server, &exchange)?;
    let database = server.connection.with("PGDATABASE", &whole.manifest.database);
    copy::put_in_place(&copy.name, before, restoration, database);
    Ok(Restored { replaced, copy: Some(CopyUse::Used(copy.name.clone())), ..Restored::default() })
}

/// Gives the new database what a dump does not hold; what fails of it harms no data and is noted.
fn finish(server: &mut Session, whole: &Whole<'_>, beside: &str) -> Vec<String> {
    beside::carry_over(server, whole, beside, &whole.facts.carry_over(beside))
}
