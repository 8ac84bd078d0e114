//! Lists and drops the databases that restores have left on a server: what they replaced, and what a killed one did not
//! finish; and the copies that are kept for snapshots.

use crate::own_tools::ToolEnvironment;
use crate::reach::Target;
use crate::snapshot::beside_names::{Purpose, endings, parts_of};
use crate::snapshot::postgres::beside::{Marker, drop_database, is_locked, try_lock, users_of};
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::psql::{literal, number, text};
use crate::snapshot::postgres::{PostgresError, Session};
use crate::snapshot::{Leftover, LeftoverKind, Provenance};

/// Lists what restores of `database` have left on its server, oldest first. `server` is a session in any database of it.
///
/// It is ours where it bears our mark, put on it under the name that it has; or where it bears no comment, was not
/// finished, and its name was written down before it was made: whoever made it was killed before it could mark it.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn look(
    server: &mut Session,
    database: &str,
    past: &dyn Provenance,
) -> Result<Vec<Leftover>, PostgresError> {
    // The size of a database is told to whoever may connect to it.
    let fields = server.psql.ask(format!(
        "SELECT d.datname, shobj_description(d.oid, 'pg_database'), \
         CASE WHEN has_database_privilege(d.oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'MEMBER') \
         THEN pg_database_size(d.oid) END, {} FROM pg_database d WHERE d.datname ~ {}",
        is_locked("d.datname"),
        literal(&endings())
    ))?;
    let here = server.identity.fingerprint();
    let mut found = Vec::new();
    for row in fields.chunks_exact(4) {
        let (name, comment) = (text(&row[0]), text(&row[1]));
        let Some((purpose, at)) = parts_of(&name, database) else { continue };
        let marker = Marker::read(&comment).filter(|marker| marker.is_on(&name) && marker.of == database);
        let kind = match purpose {
            Purpose::Replaced => LeftoverKind::Replaced,
            Purpose::Undo if !comment.is_empty() => LeftoverKind::Copy,
            Purpose::Restoring | Purpose::Verifying | Purpose::Undo => LeftoverKind::Unfinished,
        };
        let was_announced =
            || comment.is_empty() && kind == LeftoverKind::Unfinished && past.was_made(&here, &name, at);
        let snapshot =
            marker.as_ref().and_then(|marker| marker.snapshot.clone()).filter(|_| kind == LeftoverKind::Copy);
        found.push(Leftover {
            kind,
            made_here: snapshot.is_some() && past.was_made(&here, &name, at),
            snapshot,
            of: database.to_owned(),
            at: marker.as_ref().map_or(at, |marker| marker.at),
            size: number(&row[2]),
            ours: marker.is_some() || was_announced(),
            at_work: row[3] == b"t",
            name,
        });
    }
    found.sort_by(|one, other| (one.at, &one.name).cmp(&(other.at, &other.name)));
    Ok(found)
}

/// Lists what restores of the target have left on its server; see [`look`].
///
/// # Errors
///
/// Those of [`Session::open_maintenance`].
pub(crate) fn leftovers(
    target: &Target,
    environment: &ToolEnvironment,
    past: &dyn Provenance,
) -> Result<Vec<Leftover>, PostgresError> {
    let Some(database) = target.database.as_deref() else { return Ok(Vec::new()) };
    look(&mut Session::open_maintenance(&Connection::new(target, environment)?, None)?, database, past)
}

/// Drops one of them, or finds it gone; `false` if another safe-test is at work on it, which makes it that one's to drop.
///
/// # Errors
///
/// [`PostgresError::NotDropped`] if it is not one of them, or somebody is connected to it.
pub(crate) fn drop_leftover(
    target: &Target,
    environment: &ToolEnvironment,
    name: &str,
    past: &dyn Provenance,
) -> Result<bool, PostgresError> {
    let refuse = |reason: String| PostgresError::NotDropped { database: name.to_owned(), reason };
    let Some(database) = target.database.as_deref() else { return Err(refuse("it is of no database".to_owned())) };
    let mut server = Session::open_maintenance(&Connection::new(target, environment)?, None)?;
    if !try_lock(&mut server, name)? {
        return Ok(false);
    }
    let found = look(&mut server, database, past)?;
    let Some(leftover) = found.iter().find(|leftover| leftover.name == name && leftover.ours) else {
        let is_gone = !server.exists(name)?;
        return if is_gone { Ok(true) } else { Err(refuse("it was not made by safe-test".to_owned())) };
    };
    // In what was not finished, there may still be the last moments of a killed one's tools.
    if leftover.kind == LeftoverKind::Replaced {
        let users = users_of(&mut server, name)?;
        if !users.is_empty() {
            return Err(refuse(format!("in use by {users}")));
        }
    }
    drop_database(&mut server, name).map(|()| true)
}
