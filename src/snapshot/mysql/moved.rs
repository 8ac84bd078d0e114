//! Tells which exchanges of a database's tables there were, by what each has kept.

use chrono::{DateTime, Utc};

use crate::snapshot::beside_names::Purpose;
use crate::snapshot::mysql::catalog;
use crate::snapshot::mysql::kept::{KEPT, TablesOf, counted};
use crate::snapshot::mysql::{MysqlError, Session};

/// What an exchange has kept that moved the tables.
#[derive(Debug)]
pub(crate) struct Moved {
    pub(crate) name: String,
    pub(crate) tables_of: TablesOf,
}

/// When a database was replaced, among others: of one moment, a second one has a longer name.
fn order(server: &Session, database: &str, name: &str) -> Option<(DateTime<Utc>, usize, String)> {
    match server.parts_of(name, database) {
        Some((Purpose::Replaced, at)) => Some((at, name.len(), name.to_owned())),
        _ => None,
    }
}

impl Moved {
    /// Tells whether it was kept after another.
    pub(crate) fn is_after(&self, server: &Session, database: &str, other: &str) -> bool {
        order(server, database, &self.name) > order(server, database, other)
    }
}

/// Lists them, the oldest first: without those of restores that were killed before they moved a table, and those that were
/// brought back or dropped since.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn moved(server: &mut Session, database: &str) -> Result<Vec<Moved>, MysqlError> {
    let mut all: Vec<_> = server.names(&|_| true)?.iter().filter_map(|name| order(server, database, name)).collect();
    all.sort_unstable();
    let mut found = Vec::new();
    for (.., name) in all {
        let Some(kept) = counted(&mut server.client, &name)? else { continue };
        let has_tables = catalog::tables(&mut server.client, &name)?.data.keys().any(|table| table != KEPT);
        if has_tables || kept.tables == 0 {
            found.push(Moved { name, tables_of: kept.tables_of });
        }
    }
    Ok(found)
}
