//! Makes a database of a snapshot beside the others: created empty, filled, compared; dropped again if that fails.

use std::thread;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::snapshot::beside_names::{Purpose, is_related, related};
use crate::snapshot::engine::Restoration;
use crate::snapshot::postgres::compare;
use crate::snapshot::postgres::compare::{Compared, definitions};
use crate::snapshot::postgres::contents::not_whole;
use crate::snapshot::postgres::load::{Loaded, load};
use crate::snapshot::postgres::psql::{Psql, identifier, literal, number, text};
use crate::snapshot::postgres::replication::forget_subscriptions;
use crate::snapshot::postgres::session::renew;
use crate::snapshot::postgres::statistics;
use crate::snapshot::postgres::whole::Whole;
use crate::snapshot::postgres::{PostgresError, Session};
use crate::snapshot::tool_process::ToolError;
use crate::snapshot::{Ledger, Making, Watch, threads};

/// The comment of a database that safe-test made, by which it is known later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    #[serde(rename = "what")]
    pub(crate) purpose: Purpose,
    /// The database that it was, or was to become.
    pub(crate) of: String,
    /// When, UTC.
    pub(crate) at: DateTime<Utc>,
    /// The comment that a replaced database had before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<String>,
    /// The snapshot that a copy is kept for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) snapshot: Option<String>,
}

const MARK: &str = "safe-test: ";

impl Marker {
    /// Marks what a restore or a verification makes.
    pub(crate) fn of(restoration: &Restoration<'_>, purpose: Purpose) -> Marker {
        let of = restoration.stored.manifest.database.clone();
        Marker { purpose, of, at: restoration.now, comment: None, snapshot: None }
    }

    pub(crate) fn comment(&self) -> String {
        format!("{MARK}{}", serde_json::to_string(self).unwrap_or_default())
    }

    /// Tells whether it was put on the database with this name: one that was renamed since is somebody's own.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        is_related(name, &self.of, self.purpose, self.at)
    }

    /// Reads the marker in a comment, if it is one.
    pub(crate) fn read(comment: &str) -> Option<Marker> {
        serde_json::from_str(comment.strip_prefix(MARK)?).ok()
    }
}

/// Makes the database `name` of a snapshot, and gives what a person should know of it. `server` is a session in another
/// database that has [announced](announce) the name.
///
/// # Errors
///
/// [`PostgresError::MayNotCreate`], [`PostgresError::MissingExtensions`], and those of [`load`] and [`compare::data`]. The database is dropped again; where that fails, it bears our mark.
pub(crate) fn build(
    server: &mut Session,
    whole: &Whole<'_>,
    name: &str,
    marker: &Marker,
    watch: &dyn Watch,
) -> Result<Compared, PostgresError> {
    let available: Vec<String> =
        server.psql.ask("SELECT name FROM pg_available_extensions")?.iter().map(|name| text(name)).collect();
    let missing: Vec<&str> =
        whole.facts.extensions.keys().filter(|name| !available.contains(name)).map(String::as_str).collect();
    if !missing.is_empty() {
        return Err(PostgresError::MissingExtensions { names: missing.join(", ") });
    }
    let mut notes = create(server, whole, name, marker)?;
    match fill(server, whole, name, marker.purpose, watch) {
        Ok(filled) => {
            notes.extend(filled.notes);
            Ok(Compared { notes, ..filled })
        }
        Err(error) => {
            // The mark stays on it if this fails, so that it can be dropped later.
            let _ = drop_database(server, name);
            Err(error)
        }
    }
}

fn create(server: &mut Session, whole: &Whole<'_>, name: &str, marker: &Marker) -> Result<Vec<String>, PostgresError> {
    let facts = &whole.facts;
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
    let create = facts.create(name, owner, tablespace);
    create_marked(&mut server.psql, &create, &marking(name, marker)).map_err(|error| match error {
        PostgresError::Query { sqlstate, .. } if sqlstate == "42501" => {
            PostgresError::MayNotCreate { place: server.connection.place().to_owned() }
        }
        other => other,
    })?;
    notes.extend(carry_over(server, whole, name, &facts.settings(name)));
    Ok(notes)
}

/// Gives the database `name` what belongs to the saved one as a whole; says which of the statements the server refused, none
/// of which harms the data.
pub(crate) fn carry_over(server: &mut Session, whole: &Whole<'_>, name: &str, statements: &[String]) -> Vec<String> {
    let refused = statements.iter().filter_map(|statement| Some((statement, server.psql.ask(statement).err()?)));
    let note = |(statement, error): (&String, PostgresError)| {
        format!("Not carried over: {} ({error}).", statement.replace(name, &whole.manifest.database))
    };
    refused.map(note).collect()
}

/// Finds a name for each of `purposes` that no database of the server has, locks it until the session ends, and writes all of
/// them down: whoever finds such a database later knows that it is ours, and, by the lock, whether somebody is at work on it.
///
/// # Errors
///
/// [`PostgresError::NotWrittenDown`] and those of the server. Nothing was made.
pub(crate) fn announce<const N: usize>(
    server: &mut Session,
    restoration: &Restoration<'_>,
    purposes: [Purpose; N],
) -> Result<[String; N], PostgresError> {
    let manifest = &restoration.stored.manifest;
    let place = (manifest.target.as_str(), manifest.database.as_str());
    announce_at(server, place, restoration.now, restoration.ledger, purposes)
}

/// [`announce`], for the database at a place: its address and its name.
pub(crate) fn announce_at<const N: usize>(
    server: &mut Session,
    (target, database): (&str, &str),
    now: DateTime<Utc>,
    ledger: &dyn Ledger,
    purposes: [Purpose; N],
) -> Result<[String; N], PostgresError> {
    let mut names = [const { String::new() }; N];
    for (name, purpose) in names.iter_mut().zip(purposes) {
        *name = free_locked_name(server, database, purpose, now)?;
    }
    let making = Making {
        server: server.identity.fingerprint(),
        target: target.to_owned(),
        database: database.to_owned(),
        making: names.to_vec(),
    };
    let not_written = |source| PostgresError::NotWrittenDown { name: names.join("`, `"), source };
    ledger.write_down(&making).map_err(not_written)?;
    Ok(names)
}

fn free_locked_name(
    server: &mut Session,
    database: &str,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<String, PostgresError> {
    let mut attempt = 1;
    loop {
        let name = related(database, purpose, now, attempt);
        // Looked for once it is locked: who had it may have made the database meanwhile.
        if try_lock(server, &name)? && !server.exists(&name)? {
            return Ok(name);
        }
        attempt += 1;
    }
}

/// The first half of the keys of our locks.
const LOCKS: u32 = 1_935_764_835;

/// Takes the lock that says that a database of ours is being worked on, if no other process has it; it is given back when
/// the session ends. Such locks are a database's own: one that is held by a session in another one shows in the list of
/// all locks.
pub(crate) fn try_lock(server: &mut Session, database: &str) -> Result<bool, PostgresError> {
    let key = format!("hashtext({})", literal(database));
    let taken = server.psql.ask(format!("SELECT pg_try_advisory_lock({LOCKS}, {key})"))?;
    if taken.first().is_none_or(|answer| answer != b"t") {
        return Ok(false);
    }
    let others = server.psql.ask(format!("SELECT 1 WHERE {}", is_locked(&literal(database))))?;
    if !others.is_empty() {
        server.psql.ask(format!("SELECT pg_advisory_unlock({LOCKS}, {key})"))?;
    }
    Ok(others.is_empty())
}

/// Writes the condition that another session holds the lock of the database with this name, an expression.
pub(crate) fn is_locked(name: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = {LOCKS} AND objsubid = 2 \
         AND objid::bigint = (hashtext({name})::bigint & 4294967295) AND pid <> pg_backend_pid())"
    )
}

/// Reads the comment on a database, which may be empty; `None` if there is no such database.
pub(crate) fn comment_on(server: &mut Session, database: &str) -> Result<Option<String>, PostgresError> {
    let name = literal(database);
    let question = format!("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = {name}");
    Ok(server.psql.ask(question)?.first().map(|comment| text(comment)))
}

/// Creates a database and marks it, in one go: where we are killed while the server still creates it, psql marks it all the same.
///
/// # Errors
///
/// Those of the server: the first that there was.
pub(crate) fn create_marked(psql: &mut Psql, create: &str, marking: &str) -> Result<(), PostgresError> {
    psql.send(create)?;
    // Of its own, so that the first one's outcome is still to be had: whatever is carried out next has another.
    psql.send(format!("\\if :ERROR\nSELECT 1\n\\else\n{marking}\n\\endif"))?;
    let (created, marked) = (psql.receive(), psql.receive());
    created.and(marked).map(drop)
}

/// Makes the statement that writes our mark on a database.
pub(crate) fn marking(database: &str, marker: &Marker) -> String {
    format!("COMMENT ON DATABASE {} IS {}", identifier(database), literal(&marker.comment()))
}

/// Drops a database of ours and ends what is still connected to it.
pub(crate) fn drop_database(server: &mut Session, database: &str) -> Result<(), PostgresError> {
    server.psql.ask(format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {} AND usename = current_user",
        literal(database)
    ))?;
    forget_subscriptions(server, database)?;
    // A template cannot be dropped; the database that was replaced may have been one.
    let template =
        server.psql.ask(format!("SELECT datistemplate FROM pg_database WHERE datname = {}", literal(database)))?;
    if template.first().is_some_and(|answer| answer == b"t") {
        server.psql.ask(format!("ALTER DATABASE {} IS_TEMPLATE false", identifier(database)))?;
    }
    server.psql.ask(format!("DROP DATABASE IF EXISTS {}", identifier(database))).map(drop)
}

fn fill(
    server: &Session,
    whole: &Whole<'_>,
    name: &str,
    purpose: Purpose,
    watch: &dyn Watch,
) -> Result<Compared, PostgresError> {
    let Loaded { mut session, script, mut notes, told } = load(server, whole, name, watch)?;
    renew(&mut session)?;
    let (connection, identity) = (server.connection_to(name), &server.identity);
    let (gathered, defined, compared) = thread::scope(|scope| {
        // What was only rehearsed is dropped soon.
        let gathers = purpose == Purpose::Restoring;
        let own = connection.clone();
        let gather = move || if gathers { statistics::gather(own, watch) } else { None };
        let gathering = threads::start(scope, gather).map_err(ToolError::NoThread)?;
        let define = || definitions::compare(&connection, identity, whole, (&script, &told), watch);
        let comparing = threads::start(scope, define).map_err(ToolError::NoThread)?;
        let compared = compare::data(&mut session, identity.major, whole, &script.data, name, watch);
        Ok::<_, PostgresError>((threads::joined(gathering), threads::joined(comparing), compared))
    })?;
    let (compared, defined) = (compared?, defined?);
    not_whole(name, &defined.faults)?;
    notes.extend(compared.notes);
    notes.extend(defined.notes);
    notes.extend(gathered);
    Ok(Compared { notes, ..compared })
}

/// Lists the first sessions in a database besides ours, in words: `pid 12 (psql, ann)`.
pub(crate) fn sessions_in(psql: &mut Psql, database: &str) -> Result<Vec<String>, PostgresError> {
    let fields = psql.ask(format!(
        "SELECT a.pid, coalesce(nullif(a.application_name, ''), a.backend_type), a.usename \
         FROM pg_catalog.pg_stat_activity a WHERE a.datname = {} AND a.pid <> pg_catalog.pg_backend_pid() \
         ORDER BY a.pid LIMIT 3",
        literal(database)
    ))?;
    let told = |row: &[Vec<u8>]| format!("pid {} ({}, {})", text(&row[0]), text(&row[1]), text(&row[2]));
    Ok(fields.chunks_exact(3).map(told).collect())
}

/// Lists who keeps a database in use, in words; empty if nobody does.
pub(crate) fn users_of(server: &mut Session, database: &str) -> Result<String, PostgresError> {
    let mut users = sessions_in(&mut server.psql, database)?;
    let name = literal(database);
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
        let (of, comment) = ("shop".into(), Some("the 'shop'".into()));
        let marker = Marker { purpose: Purpose::Replaced, of, at, comment, snapshot: None };
        assert_eq!(Marker::read(&marker.comment()), Some(marker));
        for comment in ["", "safe-test: ", "the shop's database", "{\"what\":\"replaced\"}"] {
            assert_eq!(Marker::read(comment), None, "{comment}");
        }
    }
}
