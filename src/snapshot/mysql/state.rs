//! Proves that nothing was written to a database since it was saved, where that can be proved.
//!
//! MariaDB's InnoDB counts every byte that it logs, and tells how many there are. That number moves with every change of a
//! table of its own, a rolled back one and a sequence's next number among them, and with nothing that a dump does. It knows
//! nothing of views, triggers, routines and events, which MariaDB keeps elsewhere: their text is compared. Where a table
//! is kept by anything but InnoDB, nothing is proved; nor with MySQL, which tells that number to few.
//!
//! Measured for each kind of change: `tests/unchanged.rs`.

use sha2::{Digest, Sha256};

use crate::snapshot::Manifest;
use crate::snapshot::mysql::catalog;
use crate::snapshot::mysql::catalog::Tables;
use crate::snapshot::mysql::client::literal;
use crate::snapshot::mysql::recorded::{Proof, Recorded};
use crate::snapshot::mysql::{MysqlError, Session};
use crate::text::hex;

/// Looks where the server stands; `None` where that would prove nothing. `tables` are those of the session's database.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn proof(session: &mut Session, tables: &Tables) -> Result<Option<Proof>, MysqlError> {
    let is_all_logged = tables.data.values().all(|table| table.engine == "InnoDB");
    if !session.identity.is_mariadb() || !is_all_logged {
        return Ok(None);
    }
    let database = literal(&session.identity.database);
    let client = &mut session.client;
    let questions = [
        "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'INNODB_LSN_CURRENT'".to_owned(),
        "SELECT FLOOR(UNIX_TIMESTAMP() - VARIABLE_VALUE) FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'UPTIME'"
            .to_owned(),
        format!("SELECT * FROM information_schema.VIEWS WHERE TABLE_SCHEMA = {database} ORDER BY TABLE_NAME"),
        format!("SELECT * FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = {database} ORDER BY TRIGGER_NAME"),
        format!("SELECT * FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {database} ORDER BY ROUTINE_TYPE, ROUTINE_NAME"),
        format!(
            "SELECT * FROM information_schema.PARAMETERS WHERE SPECIFIC_SCHEMA = {database} \
             ORDER BY ROUTINE_TYPE, SPECIFIC_NAME, ORDINAL_POSITION"
        ),
        // Of an event, not when it ran last.
        format!(
            "SELECT EVENT_NAME, DEFINER, TIME_ZONE, EVENT_DEFINITION, EVENT_TYPE, EXECUTE_AT, INTERVAL_VALUE, INTERVAL_FIELD, \
             SQL_MODE, STARTS, ENDS, STATUS, ON_COMPLETION, CREATED, LAST_ALTERED, EVENT_COMMENT FROM information_schema.EVENTS \
             WHERE EVENT_SCHEMA = {database} ORDER BY EVENT_NAME"
        ),
    ];
    questions.iter().try_for_each(|question| client.send(question))?;
    let (logged, started) = (client.receive()?, client.receive()?);
    let mut definitions = Sha256::new();
    for _ in 2..questions.len() {
        for field in client.receive()?.iter().flatten() {
            definitions.update(field);
            definitions.update([0]);
        }
        definitions.update([1]);
    }
    let name = session.identity.database.clone();
    definitions.update(catalog::options(&mut session.client, &name)?);
    let only = |rows: Vec<Vec<String>>| rows.into_iter().flatten().next().filter(|value| !value.is_empty());
    let (Some(logged), Some(started)) = (only(logged), only(started).and_then(|started| started.parse().ok())) else {
        return Ok(None);
    };
    let definitions = hex(definitions.finalize());
    Ok(Some(Proof { server: session.identity.fingerprint.clone(), started, logged, definitions }))
}

/// Proves that nothing was written since that snapshot; `false` where that cannot be proved.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn is_unchanged_since(session: &mut Session, earlier: &Manifest) -> Result<bool, MysqlError> {
    let Some(then) = Recorded::of(earlier).ok().and_then(|recorded| recorded.proof) else { return Ok(false) };
    let database = session.identity.database.clone();
    if database != earlier.database {
        return Ok(false);
    }
    let tables = catalog::tables(&mut session.client, &database)?;
    Ok(proof(session, &tables)?.is_some_and(|now| now.is_as(&then)))
}
