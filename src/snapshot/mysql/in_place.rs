//! Replaces what a database holds where the user may make no other database: everything is dropped, then the dump is loaded.
//!
//! Statements of definition are in no transaction here, so that a failure halfway leaves a part: the safety snapshot that was
//! taken before is the way back.

use crate::snapshot::Watch;
use crate::snapshot::mysql::beside;
use crate::snapshot::mysql::beside::Built;
use crate::snapshot::mysql::catalog;
use crate::snapshot::mysql::client::identifier;
use crate::snapshot::mysql::definitions;
use crate::snapshot::mysql::definitions::Named;
use crate::snapshot::mysql::dump::Handing;
use crate::snapshot::mysql::whole::Whole;
use crate::snapshot::mysql::{MysqlError, Session};

/// Empties the database and fills it with a snapshot, which was read whole before: what a person should know of it, a
/// sentence each. `server` is a session in no database.
///
/// # Errors
///
/// [`MysqlError::HalfRestored`] once something was dropped; before that those of the server, with the database as it was.
pub(crate) fn replace(
    server: &mut Session,
    whole: &Whole<'_>,
    handing: &Handing,
    watch: &dyn Watch,
) -> Result<Vec<String>, MysqlError> {
    let database = whole.manifest.database.as_str();
    let _turn = beside::take_turn(server, database)?;
    if !server.exists(database)? {
        beside::create(server, database, &whole.recorded.options)?;
    }
    let half = |step, source| MysqlError::HalfRestored {
        step,
        remains: format!(
            "`{database}` holds a part; what it held before is in the safety snapshot, where it held something"
        ),
        source: Box::new(source),
    };
    empty(server, database, &handing.staying).map_err(|error| half("the database was emptied", error))?;
    let Built { held, definitions } = beside::load(server, whole, database, handing, watch)
        .map_err(|error| half("the snapshot was loaded", error))?;
    beside::carry_out(server, database, &definitions, watch)
        .map_err(|error| half("views, triggers and routines were made", error))?;
    beside::compare(server, database, &held, watch).map_err(|error| half("it was compared", error))?;
    let identity = &server.identity;
    let mut notes = definitions::told(handing, identity, &held);
    if !identity.rights.has("TRIGGER", database) {
        notes.push(format!(
            "Triggers that `{}` is not told of, if there were any, are gone with their tables.",
            identity.account
        ));
    }
    Ok(notes)
}

/// Drops everything that the database holds, but for what stays.
fn empty(server: &mut Session, database: &str, staying: &Named) -> Result<(), MysqlError> {
    let client = &mut server.client;
    client.ask("SET SESSION foreign_key_checks = 0")?;
    definitions::drop_all_but(client, database, staying)?;
    let tables = catalog::tables(client, database)?;
    for (name, table) in &tables.data {
        let word = table.kind.word().to_ascii_uppercase();
        client.ask(format!("DROP {word} IF EXISTS {}.{}", identifier(database), identifier(name)))?;
    }
    Ok(())
}
