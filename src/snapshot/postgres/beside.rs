//! Makes a database of a snapshot beside the others: created empty, filled, compared; dropped again if that fails.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::snapshot::Watch;
use crate::snapshot::postgres::compare;
use crate::snapshot::postgres::load::load;
use crate::snapshot::postgres::names::related;
use crate::snapshot::postgres::psql::{identifier, literal, number, text};
use crate::snapshot::postgres::whole::Whole;
use crate::snapshot::postgres::{PostgresError, Session};

/// The comment of a database that safe-test made, by which it is known later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    /// `replaced`, `restoring` or `verifying`.
    pub(crate) what: String,
    /// The database that it was, or was to become.
    pub(crate) of: String,
    /// When, UTC.
    pub(crate) at: DateTime<Utc>,
}

const MARK: &str = "safe-test: ";

impl Marker {
    pub(crate) fn comment(&self) -> String {
        format!("{MARK}{}", serde_json::to_string(self).unwrap_or_default())
    }

    /// Reads the marker in a comment, if it is one.
    pub(crate) fn read(comment: &str) -> Option<Marker> {
        serde_json::from_str(comment.strip_prefix(MARK)?).ok()
    }
}

/// A database that was made of a snapshot and holds all of it.
#[derive(Debug)]
pub(crate) struct Beside {
    pub(crate) name: String,
    pub(crate) notes: Vec<String>,
}

/// Makes the database. `server` is a session in another database.
///
/// # Errors
///
/// [`PostgresError::MayNotCreate`], [`PostgresError::MissingExtensions`], those of the tools, and
/// [`PostgresError::NotWhole`]. The database is dropped again; where that fails, it bears our mark.
pub(crate) fn build(
    server: &mut Session,
    whole: &Whole<'_>,
    what: &str,
    now: DateTime<Utc>,
    watch: &dyn Watch,
) -> Result<Beside, PostgresError> {
    let available: Vec<String> =
        server.psql.ask("SELECT name FROM pg_available_extensions")?.iter().map(|name| text(name)).collect();
    let missing: Vec<&str> =
        whole.script.extensions.iter().filter(|name| !available.contains(name)).map(String::as_str).collect();
    if !missing.is_empty() {
        return Err(PostgresError::MissingExtensions { names: missing.join(", ") });
    }
    let (name, mut notes) = create(server, whole, what, now)?;
    match fill(server, whole, &name, watch) {
        Ok(more) => {
            notes.extend(more);
            Ok(Beside { name, notes })
        }
        Err(error) => {
            // The mark stays on it if this fails, so that it can be dropped later.
            let _ = drop_database(server, &name);
            Err(error)
        }
    }
}

fn create(
    server: &mut Session,
    whole: &Whole<'_>,
    what: &str,
    now: DateTime<Utc>,
) -> Result<(String, Vec<String>), PostgresError> {
    let (facts, of) = (&whole.facts, &whole.manifest.database);
    let mut notes = Vec::new();
    let mut has = |table: &str, column: &str, name: &str| -> Result<bool, PostgresError> {
        let found = server.psql.ask(format!("SELECT 1 FROM {table} WHERE {column} = {}", literal(name)))?;
        Ok(!found.is_empty())
    };
    let owner = has("pg_roles", "rolname", &facts.owner)?;
    if !owner {
        notes.push(format!("The role `{}` is gone: the database belongs to the user who restored it.", facts.owner));
    }
    let tablespace = has("pg_tablespace", "spcname", &facts.tablespace)?;
    let name = free_locked_name(server, of, what, now)?;
    let marker = Marker { what: what.to_owned(), of: of.clone(), at: now };
    // In one go: where we are killed while the server still creates it, psql marks it all the same.
    let create = facts.create(&name, owner, tablespace);
    let both = format!("{create}\n;\\if :ERROR\n\\else\n{}\n;\\endif", marking(&name, &marker));
    server.psql.ask(both).map_err(|error| match error {
        PostgresError::Query { sqlstate, .. } if sqlstate == "42501" => {
            PostgresError::MayNotCreate { place: server.connection.place().to_owned() }
        }
        other => other,
    })?;
    for statement in facts.settings(&name) {
        if let Err(error) = server.psql.ask(&statement) {
            notes.push(format!("Not carried over: {} ({error}).", statement.replace(&name, of)));
        }
    }
    Ok((name, notes))
}

/// Finds a name that no database of the server has and no other process is about to use, locked for us.
fn free_locked_name(
    server: &mut Session,
    database: &str,
    what: &str,
    now: DateTime<Utc>,
) -> Result<String, PostgresError> {
    // Looked for once it is locked: who had it may have made the database meanwhile.
    first_name(database, what, now, |name| Ok(try_lock(server, name)? && !server.exists(name)?))
}

/// Finds a name that no database of the server has.
pub(crate) fn free_name(
    server: &mut Session,
    database: &str,
    what: &str,
    now: DateTime<Utc>,
) -> Result<String, PostgresError> {
    first_name(database, what, now, |name| Ok(!server.exists(name)?))
}

fn first_name(
    database: &str,
    what: &str,
    now: DateTime<Utc>,
    mut is_free: impl FnMut(&str) -> Result<bool, PostgresError>,
) -> Result<String, PostgresError> {
    let mut attempt = 1;
    loop {
        let name = related(database, what, now, attempt);
        if is_free(&name)? {
            return Ok(name);
        }
        attempt += 1;
    }
}

/// Takes the lock that says that a database of ours is being worked on, if no other process has it; it is given back when
/// the session ends.
pub(crate) fn try_lock(server: &mut Session, database: &str) -> Result<bool, PostgresError> {
    let key = format!("hashtext({})", literal(database));
    let taken = server.psql.ask(format!("SELECT pg_try_advisory_lock(1935764835, {key})"))?;
    Ok(taken.first().is_some_and(|answer| answer == b"t"))
}

/// Makes the statement that writes our mark on a database.
fn marking(database: &str, marker: &Marker) -> String {
    format!("COMMENT ON DATABASE {} IS {}", identifier(database), literal(&marker.comment()))
}

/// Drops a database of ours and ends what is still connected to it.
pub(crate) fn drop_database(server: &mut Session, database: &str) -> Result<(), PostgresError> {
    server.psql.ask(format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {} AND usename = current_user",
        literal(database)
    ))?;
    // A template cannot be dropped; the database that was replaced may have been one.
    let template =
        server.psql.ask(format!("SELECT datistemplate FROM pg_database WHERE datname = {}", literal(database)))?;
    if template.first().is_some_and(|answer| answer == b"t") {
        server.psql.ask(format!("ALTER DATABASE {} IS_TEMPLATE false", identifier(database)))?;
    }
    server.psql.ask(format!("DROP DATABASE IF EXISTS {}", identifier(database))).map(drop)
}

fn fill(server: &mut Session, whole: &Whole<'_>, name: &str, watch: &dyn Watch) -> Result<Vec<String>, PostgresError> {
    let mut notes = load(server, whole, name, watch)?;
    notes.extend(compare::data(server, whole, name, watch)?);
    Ok(notes)
}

/// Sessions in a database besides ours, in words; empty if there are none.
pub(crate) fn users_of(server: &mut Session, database: &str) -> Result<String, PostgresError> {
    let name = literal(database);
    let fields = server.psql.ask(format!(
        "SELECT pid, coalesce(nullif(application_name, ''), backend_type), usename FROM pg_stat_activity \
         WHERE datname = {name} LIMIT 3"
    ))?;
    let mut users: Vec<String> = fields
        .chunks_exact(3)
        .map(|row| format!("pid {} ({}, {})", text(&row[0]), text(&row[1]), text(&row[2])))
        .collect();
    let prepared = server.psql.ask(format!("SELECT count(*) FROM pg_prepared_xacts WHERE database = {name}"))?;
    if let Some(count @ 1..) = prepared.first().and_then(|field| number::<u64>(field)) {
        users.push(format!("{count} prepared transactions"));
    }
    Ok(users.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_mark_is_read_as_one() {
        let at = DateTime::UNIX_EPOCH;
        let marker = Marker { what: "replaced".into(), of: "shop".into(), at };
        assert_eq!(Marker::read(&marker.comment()), Some(marker));
        for comment in ["", "safe-test: ", "the shop's database", "{\"what\":\"replaced\"}"] {
            assert_eq!(Marker::read(comment), None, "{comment}");
        }
    }
}
