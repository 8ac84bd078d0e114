//! Exchanges what a database holds for what a restore has replaced and kept: names of tables only, so that it takes little
//! time whatever the size.

use crate::snapshot::beside_names::Purpose;
use crate::snapshot::dump_reading::DumpText;
use crate::snapshot::engine::{Kept, Restored};
use crate::snapshot::mysql::beside;
use crate::snapshot::mysql::catalog;
use crate::snapshot::mysql::definitions;
use crate::snapshot::mysql::dump::{COMPLETED, Definers, DumpReader, named};
use crate::snapshot::mysql::exchange::{Exchange, exchange, forget_kept};
use crate::snapshot::mysql::kept::{KEPT, Kept as Contents, kept};
use crate::snapshot::mysql::moved::{Moved, moved};
use crate::snapshot::mysql::obstacles::foreign_definers;
use crate::snapshot::mysql::{MysqlError, Session};
use crate::snapshot::{AT_WORK, Unwatched};

/// Exchanges a database's contents for those that were kept of it; the former are kept in turn. Where the restore that kept
/// them was killed before it moved a table, what it had dropped is made again.
///
/// # Errors
///
/// [`MysqlError::OtherServer`], [`MysqlError::NotKept`], [`MysqlError::InUse`] and those of the server: both are as they were.
/// After [`MysqlError::HalfRestored`] they may not be.
pub(crate) fn exchange_back(order: &Kept<'_>) -> Result<Restored, MysqlError> {
    let (name, database) = (order.name, order.making.database.as_str());
    let mut server = Session::open_server(order.target, order.environment)?;
    let here = server.identity.fingerprint.clone();
    if here != order.making.server {
        return Err(MysqlError::OtherServer { snapshot: order.making.server.clone(), here });
    }
    let not_kept = |reason: &str| MysqlError::NotKept { database: name.to_owned(), reason: reason.to_owned() };
    if !beside::try_lock(&mut server, database, name)? {
        return Err(not_kept(AT_WORK));
    }
    if !server.exists(name)? {
        return Err(not_kept("the server has no such database any more; it was put back before, or dropped"));
    }
    let was = kept(&mut server.client, name)?
        .ok_or_else(|| not_kept("it has not the table in which the restore left its definitions"))?;
    let tables = catalog::tables(&mut server.client, name)?;
    let count = tables.data.keys().filter(|table| *table != KEPT).count() as u64;
    if count == 0 && was.tables > 0 {
        return make_again(&mut server, (database, name), &was);
    }
    if count != was.tables {
        return Err(not_kept(&format!("it has {count} tables, and had {} when it was replaced", was.tables)));
    }
    let handing = definitions::handing(&mut server, database)?;
    let mut reader = DumpReader::collecting(&handing);
    reader.feed(&was.definitions);
    reader.feed(COMPLETED);
    let (expected, statements) = reader.finish().map_err(|reason| not_kept(&reason))?;
    let place = (order.making.target.as_str(), database);
    // The lock of the name that is given up is held by a session of its own.
    let mut at_work = server.again(None)?;
    let [replaced] = beside::announce(&mut at_work, place, order.now, order.ledger, [Purpose::Replaced])?;
    let exchange_for = Exchange {
        database,
        incoming: name,
        incoming_tables: Some(&was.tables_of.kept),
        replaced: &replaced,
        options: &was.options,
        definitions: &statements,
        expected: &expected,
        handing: &handing,
    };
    match exchange(&mut server, &exchange_for, &Unwatched) {
        Ok(exchanged) => {
            let mut notes = exchanged.notes;
            if handing.definers == Definers::Kept || foreign_definers(&server.identity, &expected).is_empty() {
                forget_kept(&server, name);
            } else {
                notes.push(format!("Whom they worked for stands in `{name}`, which stays for that."));
            }
            let replaced = exchanged.is_kept.then_some(replaced);
            Ok(Restored { replaced, notes, ..Restored::default() })
        }
        Err(error @ MysqlError::HalfRestored { .. }) => Err(error),
        Err(error) => Err(MysqlError::NotRestored {
            step: "what the database holds was exchanged",
            remains: format!("`{database}` is as it was"),
            source: Box::new(error),
        }),
    }
}

/// Makes again what a restore had dropped that was killed before it moved a table; then nothing is kept any more.
fn make_again(server: &mut Session, (database, name): (&str, &str), was: &Contents) -> Result<Restored, MysqlError> {
    let not_kept = |reason: String| MysqlError::NotKept { database: name.to_owned(), reason };
    let _turn = beside::take_turn(server, database)?;
    if !server.exists(database)? {
        return Err(not_kept(format!("its tables had stayed in `{database}`, which is gone")));
    }
    let (own, past) = (&was.tables_of.kept, moved(server, database)?);
    let later: Vec<&Moved> = past.iter().filter(|moved| moved.is_after(server, database, name)).collect();
    if let Some(newest) = later.last().filter(|newest| newest.tables_of.incoming != *own) {
        let holder = later.iter().find(|moved| moved.tables_of.kept == *own).unwrap_or(newest);
        let first = &holder.name;
        return Err(not_kept(format!("a later restore has replaced what it belongs to: bring back `{first}` first")));
    }
    let (expected, made) = definitions::make_missing(server, database, &was.definitions, &Unwatched)?;
    let listed: Vec<String> = made.iter().map(|(kind, name)| format!("{} `{name}`", kind.word())).collect();
    let what =
        if listed.is_empty() { "nothing was missing".to_owned() } else { format!("made again: {}", named(&listed)) };
    let mut notes = vec![format!("The tables had stayed in `{database}`; {what}.")];
    let differences = definitions::differing(server, database, &expected, &Unwatched)?;
    if differences.is_empty() {
        forget_kept(server, name);
    } else {
        notes.push(format!("Not as it was kept in `{name}`, which stays: {}.", named(&differences)));
    }
    Ok(Restored { notes, ..Restored::default() })
}
