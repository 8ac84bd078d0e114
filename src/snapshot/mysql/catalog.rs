//! Asks the server which objects a database has, as far as the user is told.

use std::collections::{BTreeMap, BTreeSet};

use crate::snapshot::mysql::MysqlError;
use crate::snapshot::mysql::client::{Client, identifier, literal};
use crate::snapshot::mysql::objects::Kind;

/// The tables, views and sequences of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tables {
    /// Tables and sequences.
    pub(crate) data: BTreeMap<String, Table>,
    /// Views that work, and views whose tables, columns or functions are gone.
    pub(crate) views: BTreeSet<String>,
    pub(crate) broken_views: BTreeSet<String>,
}

/// A table or a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) kind: Kind,
    /// What keeps it: `InnoDB`.
    pub(crate) engine: String,
    /// Whether it keeps what its rows were.
    pub(crate) is_versioned: bool,
}

impl Tables {
    /// Lists the tables whose changes are in no transaction, as `engine: names`.
    #[must_use]
    pub(crate) fn outside_of_transactions(&self) -> Vec<String> {
        let mut by_engine: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, table) in &self.data {
            if !["InnoDB", "ROCKSDB"].contains(&table.engine.as_str()) {
                by_engine.entry(&table.engine).or_default().push(name);
            }
        }
        by_engine.into_iter().map(|(engine, names)| format!("{engine}: {}", names.join(", "))).collect()
    }
}

/// Asks for the tables of a database.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn tables(client: &mut Client, database: &str) -> Result<Tables, MysqlError> {
    let rows = client.ask(format!(
        "SELECT TABLE_NAME, TABLE_TYPE, IFNULL(ENGINE, '') FROM information_schema.TABLES WHERE TABLE_SCHEMA = {}",
        literal(database)
    ))?;
    let mut tables = Tables::default();
    for row in &rows {
        let [name, what, engine] = row.as_slice() else { continue };
        match what.as_str() {
            "VIEW" | "SYSTEM VIEW" => drop(tables.views.insert(name.clone())),
            what => {
                let kind = if what == "SEQUENCE" { Kind::Sequence } else { Kind::Table };
                let is_versioned = what == "SYSTEM VERSIONED";
                tables.data.insert(name.clone(), Table { kind, engine: engine.clone(), is_versioned });
            }
        }
    }
    tables.broken_views = broken(client, database, &tables.views)?;
    tables.views.retain(|name| !tables.broken_views.contains(name));
    Ok(tables)
}

/// Finds the views among `views` that do not work.
fn broken(client: &mut Client, database: &str, views: &BTreeSet<String>) -> Result<BTreeSet<String>, MysqlError> {
    if views.is_empty() {
        return Ok(BTreeSet::new());
    }
    let named: Vec<String> =
        views.iter().map(|name| format!("{}.{}", identifier(database), identifier(name))).collect();
    let rows = client.ask(format!("CHECK TABLE {}", named.join(", ")))?;
    let is_broken = |row: &Vec<String>| match row.as_slice() {
        [named, _, kind, what] if kind.eq_ignore_ascii_case("error") && what == "Corrupt" => {
            // Written as `database.view`, without quotes.
            named.strip_prefix(database)?.strip_prefix('.').map(str::to_owned)
        }
        _ => None,
    };
    Ok(rows.iter().filter_map(is_broken).collect())
}

/// Asks for the triggers, routines and events of a database, each with the account that it works for.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn definitions(client: &mut Client, database: &str) -> Result<BTreeMap<(Kind, String), String>, MysqlError> {
    let database = literal(database);
    client.send(format!(
        "SELECT 'TRIGGER', TRIGGER_NAME, DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = {database}"
    ))?;
    client.send(format!(
        "SELECT ROUTINE_TYPE, ROUTINE_NAME, DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {database}"
    ))?;
    client.send(format!(
        "SELECT 'EVENT', EVENT_NAME, DEFINER FROM information_schema.EVENTS WHERE EVENT_SCHEMA = {database}"
    ))?;
    let mut found = BTreeMap::new();
    for _ in 0..3 {
        for row in client.receive()? {
            let [kind, name, definer] = row.as_slice() else { continue };
            let kind = match kind.as_str() {
                "TRIGGER" => Kind::Trigger,
                "FUNCTION" => Kind::Function,
                "PROCEDURE" => Kind::Procedure,
                "PACKAGE" => Kind::Package,
                "PACKAGE BODY" => Kind::PackageBody,
                "EVENT" => Kind::Event,
                _ => continue,
            };
            found.insert((kind, name.clone()), definer.clone());
        }
    }
    Ok(found)
}

/// Lists the routines whose text the user may not read, of which the dump programs make nothing, or an error.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn unreadable_routines(client: &mut Client, database: &str) -> Result<Vec<String>, MysqlError> {
    let rows = client.ask(format!(
        "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {} AND ROUTINE_DEFINITION IS NULL",
        literal(database)
    ))?;
    Ok(rows.into_iter().flatten().collect())
}

/// Lists the views, triggers, routines and events that work for another account than this one.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn of_others(client: &mut Client, database: &str, account: &str) -> Result<Vec<String>, MysqlError> {
    let (database, account) = (literal(database), literal(account));
    let listed = [("VIEWS", "TABLE"), ("TRIGGERS", "TRIGGER"), ("ROUTINES", "ROUTINE"), ("EVENTS", "EVENT")].map(
        |(view, word)| {
            format!(
                "SELECT CONCAT('`', {word}_NAME, '`') FROM information_schema.{view} \
             WHERE {word}_SCHEMA = {database} AND DEFINER NOT IN ('', {account})"
            )
        },
    );
    Ok(client.ask(listed.join(" UNION ALL "))?.into_iter().flatten().collect())
}

/// Lists the tables whose foreign keys lead into this database, out of it, or to a table that is gone: with them its tables
/// cannot be moved, since what is left behind, or comes after them, would be tied to the wrong ones.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn entangled(client: &mut Client, database: &str, tables: &Tables) -> Result<Vec<String>, MysqlError> {
    let name = literal(database);
    let rows = client.ask(format!(
        "SELECT DISTINCT CONSTRAINT_SCHEMA, TABLE_NAME, UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME \
         FROM information_schema.REFERENTIAL_CONSTRAINTS \
         WHERE CONSTRAINT_SCHEMA = {name} OR UNIQUE_CONSTRAINT_SCHEMA = {name}"
    ))?;
    let is_entangled = |row: &Vec<String>| match row.as_slice() {
        [from, table, to, referenced] => {
            let stays_within = from == to && tables.data.contains_key(referenced);
            (!stays_within).then(|| format!("{from}.{table}"))
        }
        _ => None,
    };
    Ok(rows.iter().filter_map(is_entangled).collect())
}

/// Asks what follows a database's name where it is made: character set, collation, comment.
///
/// # Errors
///
/// Those of the server; [`MysqlError::ConnectionLost`] where it does not answer in a form that is known.
pub(crate) fn options(client: &mut Client, database: &str) -> Result<String, MysqlError> {
    let name = identifier(database);
    let rows = client.ask(format!("SHOW CREATE DATABASE {name}"))?;
    let text = rows.first().and_then(|row| row.get(1)).map(String::as_str).unwrap_or_default();
    let options = text.strip_prefix("CREATE DATABASE ").and_then(|rest| rest.strip_prefix(&name)).map(str::trim);
    options.map(str::to_owned).ok_or_else(|| MysqlError::ConnectionLost {
        message: client.quote("the server does not say how the database was made"),
    })
}

/// Lists the first sessions in a database besides ours, as far as the user is told, in words: `connection 12 (app)`.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn users_of(client: &mut Client, database: &str) -> Result<String, MysqlError> {
    let rows = client.ask(format!(
        "SELECT ID, USER FROM information_schema.PROCESSLIST WHERE DB = {} AND ID <> CONNECTION_ID() \
         AND IFNULL(STATE, '') NOT LIKE 'Waiting for table%' ORDER BY ID LIMIT 3",
        literal(database)
    ))?;
    let told: Vec<String> = rows
        .iter()
        .filter_map(|row| match row.as_slice() {
            [id, user] => Some(format!("connection {id} ({user})")),
            _ => None,
        })
        .collect();
    Ok(told.join(", "))
}
