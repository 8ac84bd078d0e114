//! The tables of a database and how many rows they have, which two databases of the same content share.

use rusqlite::{Connection, ErrorCode};

use crate::snapshot::TableRows;

/// Lists the tables of the main database with their rows, in the order of their names.
///
/// The rows of a virtual table are not counted (its module may be missing, or cost what it likes; the tables it keeps
/// its data in are counted), nor are those of a table that cannot be read without the application.
pub(crate) fn count_tables(connection: &Connection) -> rusqlite::Result<Vec<TableRows>> {
    let mut listed = connection.prepare(
        "SELECT name, rootpage FROM main.sqlite_schema
         WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    let names = listed.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?)))?;
    names
        .map(|table| {
            let (name, root) = table?;
            let rows = if root.unwrap_or(0) == 0 { None } else { count_rows(connection, &name)? };
            Ok(TableRows { name, rows })
        })
        .collect()
}

fn count_rows(connection: &Connection, table: &str) -> rusqlite::Result<Option<u64>> {
    let quoted = table.replace('"', "\"\"");
    let counted =
        connection.query_row(&format!("SELECT count(*) FROM main.\"{quoted}\""), [], |row| row.get::<_, i64>(0));
    match counted {
        Ok(rows) => Ok(u64::try_from(rows).ok()),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Finds the first difference between two lists of tables, in words. Rows that either side did not count are not
/// compared.
pub(crate) fn difference(expected: &[TableRows], found: &[TableRows]) -> Option<String> {
    for table in expected {
        match (table.rows, found.iter().find(|other| other.name == table.name).map(|other| other.rows)) {
            (_, None) => return Some(format!("table `{}` is missing", table.name)),
            (Some(expected), Some(Some(found))) if expected != found => {
                return Some(format!("table `{}` has {found} rows instead of {expected}", table.name));
            }
            _ => {}
        }
    }
    let extra = found.iter().find(|table| !expected.iter().any(|other| other.name == table.name))?;
    Some(format!("table `{}` is not in the manifest", extra.name))
}
