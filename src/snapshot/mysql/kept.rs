//! Writes down what an exchange cannot move, and reads it: a table of the database that keeps what was replaced.

use crate::snapshot::mysql::MysqlError;
use crate::snapshot::mysql::client::{Client, identifier, literal};
use crate::text::hex;

/// The table that keeps what cannot be moved; where it is, the database is ours.
pub(crate) const KEPT: &str = "safe_test_kept";

/// Bytes of definitions in one row of it: written in hexadecimal digits they fit into the smallest statement that a server
/// can be told to take.
const PART: usize = 256 * 1024;

/// What is kept of a database besides its tables.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// How many tables it had.
    pub(crate) tables: u64,
    /// What follows its name where it is made.
    pub(crate) options: String,
    /// The statements that make its views, triggers, routines and events.
    pub(crate) definitions: Vec<u8>,
    /// Whose the tables are.
    pub(crate) tables_of: TablesOf,
}

/// Whose tables a restore has moved: each set that a restore has made has a number of its own, and what was there before none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TablesOf {
    /// Those that were replaced, and are kept.
    pub(crate) kept: String,
    /// Those that took their place.
    pub(crate) incoming: String,
}

/// The same, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) tables: u64,
    pub(crate) has_definitions: bool,
    /// Whose the tables are.
    pub(crate) tables_of: TablesOf,
}

/// Writes it down in the database `replaced`, all of it or nothing.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn keep(client: &mut Client, replaced: &str, kept: &Kept) -> Result<(), MysqlError> {
    let table = table_of(replaced);
    client.ask(format!(
        "CREATE TABLE {table} (part INT PRIMARY KEY, tables INT NOT NULL, options TEXT NOT NULL, kept TEXT NOT NULL, \
         incoming TEXT NOT NULL, definitions LONGBLOB NOT NULL) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4"
    ))?;
    let mut parts: Vec<&[u8]> = kept.definitions.chunks(PART).collect();
    if parts.is_empty() {
        parts.push(b"");
    }
    client.ask("START TRANSACTION")?;
    for (number, part) in parts.iter().enumerate() {
        let part = if part.is_empty() { "''".to_owned() } else { format!("0x{}", hex(part)) };
        let (count, options) = (kept.tables, literal(&kept.options));
        let (own, incoming) = (literal(&kept.tables_of.kept), literal(&kept.tables_of.incoming));
        client.ask(format!("INSERT INTO {table} VALUES ({number}, {count}, {options}, {own}, {incoming}, {part})"))?;
    }
    client.ask("COMMIT").map(drop)
}

/// Reads what was kept; `None` where the database has no such table, or nothing in it.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn kept(client: &mut Client, replaced: &str) -> Result<Option<Kept>, MysqlError> {
    if !has_table(client, replaced)? {
        return Ok(None);
    }
    let table = table_of(replaced);
    let rows =
        client.ask(format!("SELECT tables, options, kept, incoming, HEX(definitions) FROM {table} ORDER BY part"))?;
    let mut kept = Kept { tables: 0, options: String::new(), definitions: Vec::new(), tables_of: TablesOf::default() };
    for row in &rows {
        let [tables, options, own, incoming, part] = row.as_slice() else { continue };
        kept.tables = tables.parse().unwrap_or(u64::MAX);
        kept.options.clone_from(options);
        kept.tables_of = TablesOf { kept: own.clone(), incoming: incoming.clone() };
        let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
        kept.definitions.extend(part.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])));
    }
    Ok(Some(kept).filter(|_| !rows.is_empty()))
}

/// Counts what was kept, without reading it; `None` as [`kept`] says.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn counted(client: &mut Client, replaced: &str) -> Result<Option<Counted>, MysqlError> {
    if !has_table(client, replaced)? {
        return Ok(None);
    }
    let question = format!(
        "SELECT MAX(tables), SUM(LENGTH(definitions)), MAX(kept), MAX(incoming) FROM {} HAVING COUNT(*) > 0",
        table_of(replaced)
    );
    let rows = client.ask(question)?;
    Ok(rows.first().and_then(|row| match row.as_slice() {
        [tables, length, own, incoming] => Some(Counted {
            tables: tables.parse().unwrap_or(u64::MAX),
            has_definitions: length != "0",
            tables_of: TablesOf { kept: own.clone(), incoming: incoming.clone() },
        }),
        _ => None,
    }))
}

fn has_table(client: &mut Client, replaced: &str) -> Result<bool, MysqlError> {
    let found = client.ask(format!(
        "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {}",
        literal(replaced),
        literal(KEPT)
    ))?;
    Ok(!found.is_empty())
}

fn table_of(replaced: &str) -> String {
    format!("{}.{}", identifier(replaced), identifier(KEPT))
}
