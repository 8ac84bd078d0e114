//! Exchanges a database for one that a restore has replaced and kept: names only, so that it takes no time whatever the size.

use crate::snapshot::AT_WORK;
use crate::snapshot::beside_names::Purpose;
use crate::snapshot::engine::{Kept, Restored};
use crate::snapshot::postgres::beside;
use crate::snapshot::postgres::beside::Marker;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::replication;
use crate::snapshot::postgres::swap;
use crate::snapshot::postgres::swap::Exchange;
use crate::snapshot::postgres::{PostgresError, Session};

/// Exchanges the names of a database and of the one that was kept of it, in one transaction; the former is kept in turn.
///
/// # Errors
///
/// [`PostgresError::OtherServer`], [`PostgresError::NotKept`], [`PostgresError::InUse`] and those of the server: both are as
/// they were. After [`PostgresError::Unsettled`] that is not known.
pub(crate) fn exchange_back(kept: &Kept<'_>) -> Result<Restored, PostgresError> {
    let (name, database) = (kept.name, kept.making.database.as_str());
    let connection = Connection::new(kept.target, kept.environment)?;
    let mut server = Session::open_maintenance(&connection, Some(database))?;
    let here = server.identity.fingerprint();
    if here != kept.making.server {
        return Err(PostgresError::OtherServer { snapshot: kept.making.server.clone(), here });
    }
    let not_kept = |reason: &str| PostgresError::NotKept { database: name.to_owned(), reason: reason.to_owned() };
    if !beside::try_lock(&mut server, name)? {
        return Err(not_kept(AT_WORK));
    }
    let comment = beside::comment_on(&mut server, name)?;
    let comment = comment
        .ok_or_else(|| not_kept("the server has no such database any more; it was put back before, or dropped"))?;
    if let Some(snapshot) =
        Marker::read(&comment).filter(|marker| marker.is_on(name)).and_then(|marker| marker.snapshot)
    {
        return Err(not_kept(&format!("it is the copy that is kept for `{snapshot}`: restore that")));
    }
    let is_its_own =
        |marker: &Marker| marker.is_on(name) && marker.purpose == Purpose::Replaced && marker.of == database;
    let marker = Marker::read(&comment)
        .filter(is_its_own)
        .ok_or_else(|| not_kept("its comment is not the mark that the restore left on it"))?;
    replication::expect_none(&mut server, database)?;
    let place = (kept.making.target.as_str(), database);
    let [replaced] = beside::announce_at(&mut server, place, kept.now, kept.ledger, [Purpose::Replaced])?;
    let new =
        Marker { purpose: Purpose::Replaced, of: database.to_owned(), at: kept.now, comment: None, snapshot: None };
    let exchange = Exchange {
        database,
        beside: name,
        opening: None,
        replaced: &replaced,
        marker: new,
        comment: marker.comment.as_deref(),
    };
    match swap::exchange(&mut server, &exchange) {
        Ok(replaced) => Ok(Restored { replaced, ..Restored::default() }),
        Err(error @ PostgresError::Unsettled { .. }) => Err(error),
        Err(error) => Err(PostgresError::NotRestored {
            step: "the names were exchanged",
            remains: format!("`{database}` is as it was"),
            source: Box::new(error),
        }),
    }
}
