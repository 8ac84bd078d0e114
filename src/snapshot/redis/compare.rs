//! Compares what two servers hold.

use std::collections::BTreeSet;

use crate::snapshot::Watch;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::redis::RedisError;
use crate::snapshot::redis::connection::Connection;
use crate::snapshot::redis::rdb::{self, Held, Keeping};
use crate::snapshot::redis::take::{WithoutMark, finish, start};
use crate::snapshot::tool_process::attended;

/// Lists what differs. No key is named.
pub(crate) fn differences(expected: &Held, found: &Held) -> Vec<String> {
    let numbers: BTreeSet<u64> = expected.databases.keys().chain(found.databases.keys()).copied().collect();
    let mut differences = Vec::new();
    for number in numbers {
        let of = |held: &Held| held.databases.get(&number).copied().unwrap_or_default();
        let (own, other) = (of(expected), of(found));
        if own.count != other.count {
            differences.push(format!("database {number} has {} keys in place of {}", other.count, own.count));
        } else if own != other {
            differences.push(format!("what keys of database {number} hold differs"));
        }
    }
    if (expected.libraries, expected.libraries_sum) != (found.libraries, found.libraries_sum) {
        differences.push("the functions differ".to_owned());
    }
    differences
}

/// Compares a server with what it is to hold: both without the keys whose time is `over` by then, in milliseconds since 1970.
///
/// # Errors
///
/// [`DumpError::NotWhole`], and those of the client.
pub(crate) fn compare(
    connection: &Connection,
    what: &str,
    expected: &Held,
    over: u64,
    watch: &dyn Watch,
) -> Result<(), RedisError> {
    let found = look(connection, Keeping::Sum { over }, watch)?;
    let differences = differences(expected, &found);
    if differences.is_empty() {
        return Ok(());
    }
    Err(DumpError::NotWhole { what: what.to_owned(), differences: differences.join("; ") }.into())
}

/// Reads what a server holds.
///
/// # Errors
///
/// Those of the client; [`DumpError::Damaged`] where what it writes is not whole.
pub(crate) fn look(connection: &Connection, keeping: Keeping, watch: &dyn Watch) -> Result<Held, RedisError> {
    let planned = connection.dump("-".as_ref());
    let mut dump = start(connection, &planned)?;
    let (stdout, stopper) = (dump.stdout(), dump.stopper());
    attended::<_, RedisError>(watch, &[stopper], || {
        let held = match stdout {
            Some(stdout) => rdb::read(&mut WithoutMark::of(stdout), keeping),
            None => Err("it has no output".to_owned()),
        };
        finish(&mut dump, connection)?;
        held.map_err(|reason| RedisError::Dump(DumpError::Damaged { path: connection.place().into(), reason }))
    })
}
