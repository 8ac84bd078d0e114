//! Lists and drops the databases that restores have left on a server: what they replaced, and what a killed one did not finish.

use chrono::{DateTime, Utc};

use crate::own_tools::ToolEnvironment;
use crate::reach::Target;
use crate::snapshot::postgres::beside::{Marker, drop_database, try_lock, users_of};
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::psql::{literal, text};
use crate::snapshot::postgres::{PostgresError, Session};

/// A database that safe-test made; known by the mark in its comment, never by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leftover {
    /// Its name.
    pub(crate) name: String,
    /// What it is.
    pub(crate) kind: LeftoverKind,
    /// The database that it was, or was to become.
    pub(crate) of: String,
    /// When it was replaced or begun, UTC.
    pub(crate) at: DateTime<Utc>,
}

/// What a leftover is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeftoverKind {
    /// What stood in a restored database's place.
    Replaced,
    /// A restore or verification that was not finished, or is still at work.
    Unfinished,
}

/// Lists the databases on the target's server that safe-test made, oldest first.
///
/// # Errors
///
/// Those of [`Session::open`].
pub(crate) fn leftovers(target: &Target, environment: &ToolEnvironment) -> Result<Vec<Leftover>, PostgresError> {
    let mut server = Session::open_maintenance(&Connection::new(target, environment)?, None)?;
    list(&mut server)
}

/// Drops one of them, or finds it gone; `false` if another safe-test is at work on it, which makes it that one's to drop.
///
/// # Errors
///
/// [`PostgresError::NotDropped`] if it is not one of them, or somebody is connected to it.
pub(crate) fn drop_leftover(target: &Target, environment: &ToolEnvironment, name: &str) -> Result<bool, PostgresError> {
    let mut server = Session::open_maintenance(&Connection::new(target, environment)?, None)?;
    let refuse = |reason: String| PostgresError::NotDropped { database: name.to_owned(), reason };
    if !try_lock(&mut server, name)? {
        return Ok(false);
    }
    if !list(&mut server)?.iter().any(|leftover| leftover.name == name) {
        let is_gone = !server.exists(name)?;
        return if is_gone { Ok(true) } else { Err(refuse("it was not made by safe-test".to_owned())) };
    }
    let users = users_of(&mut server, name)?;
    if !users.is_empty() {
        return Err(refuse(format!("in use by {users}")));
    }
    drop_database(&mut server, name).map(|()| true)
}

fn list(server: &mut Session) -> Result<Vec<Leftover>, PostgresError> {
    let fields = server.psql.ask(format!(
        "SELECT d.datname, shobj_description(d.oid, 'pg_database') FROM pg_database d \
         WHERE shobj_description(d.oid, 'pg_database') LIKE {}",
        literal("safe-test: %")
    ))?;
    let mut found: Vec<Leftover> = fields
        .chunks_exact(2)
        .filter_map(|row| {
            let marker = Marker::read(&text(&row[1]))?;
            let kind = if marker.what == "replaced" { LeftoverKind::Replaced } else { LeftoverKind::Unfinished };
            Some(Leftover { name: text(&row[0]), kind, of: marker.of, at: marker.at })
        })
        .collect();
    found.sort_by(|one, other| (one.at, &one.name).cmp(&(other.at, &other.name)));
    Ok(found)
}
