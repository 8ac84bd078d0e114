//! Lists and drops the databases that restores have left on a server: what they replaced, and what a killed one did not
//! finish.

use crate::own_tools::ToolEnvironment;
use crate::reach::Target;
use crate::snapshot::beside_names::Purpose;
use crate::snapshot::mysql::beside::{drop_database, is_locked, try_lock};
use crate::snapshot::mysql::catalog;
use crate::snapshot::mysql::client::literal;
use crate::snapshot::mysql::kept::{KEPT, counted};
use crate::snapshot::mysql::{MysqlError, Session};
use crate::snapshot::{Leftover, LeftoverKind, Provenance};

/// Lists what restores of `database` have left on its server, oldest first.
///
/// It is ours where its name was written down before it was made, or where it has the table that keeps definitions. One
/// whose restore was killed before anything could be missing holds nothing, and counts as unfinished.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn look(server: &mut Session, database: &str, past: &dyn Provenance) -> Result<Vec<Leftover>, MysqlError> {
    let names = server.names(&|_| true)?;
    let related = |name: String| server.parts_of(&name, database).map(|(purpose, at)| (name, purpose, at));
    let related: Vec<_> = names.into_iter().filter_map(related).collect();
    let mut found = Vec::new();
    for (name, purpose, at) in related {
        let at_work = is_locked(server, database, &name)?;
        let size = server.client.ask(format!(
            "SELECT IFNULL(SUM(DATA_LENGTH + INDEX_LENGTH), 0) FROM information_schema.TABLES WHERE TABLE_SCHEMA = {}",
            literal(&name)
        ))?;
        let size = size.first().and_then(|row| row.first()).and_then(|size| size.parse::<f64>().ok());
        let kept = if purpose == Purpose::Replaced { counted(&mut server.client, &name)? } else { None };
        let tables = catalog::tables(&mut server.client, &name)?;
        let has_tables = tables.data.keys().any(|table| table != KEPT);
        // Without tables it may have the only text of what was dropped.
        let is_finished = purpose == Purpose::Replaced
            && (has_tables || kept.as_ref().is_some_and(|kept| kept.tables == 0 || kept.has_definitions));
        let was_made = || past.was_made(&server.identity.fingerprint, &name, at);
        found.push(Leftover {
            kind: if is_finished { LeftoverKind::Replaced } else { LeftoverKind::Unfinished },
            of: database.to_owned(),
            at,
            size: size.map(|size| size as u64),
            ours: kept.is_some() || was_made(),
            at_work,
            snapshot: None,
            made_here: false,
            name,
        });
    }
    found.sort_by(|one, other| (one.at, &one.name).cmp(&(other.at, &other.name)));
    Ok(found)
}

/// Lists what restores of the target have left on its server; see [`look`].
///
/// # Errors
///
/// Those of [`Session::open_server`].
pub(crate) fn leftovers(
    target: &Target,
    environment: &ToolEnvironment,
    past: &dyn Provenance,
) -> Result<Vec<Leftover>, MysqlError> {
    let Some(database) = target.database.as_deref() else { return Ok(Vec::new()) };
    look(&mut Session::open_server(target, environment)?, database, past)
}

/// Drops one of them, or finds it gone; `false` if another safe-test is at work on it, which makes it that one's to drop.
///
/// # Errors
///
/// [`MysqlError::NotDropped`] if it is not one of them, or somebody is connected to it.
pub(crate) fn drop_leftover(
    target: &Target,
    environment: &ToolEnvironment,
    name: &str,
    past: &dyn Provenance,
) -> Result<bool, MysqlError> {
    let refuse = |reason: String| MysqlError::NotDropped { database: name.to_owned(), reason };
    let Some(database) = target.database.as_deref() else { return Err(refuse("it is of no database".to_owned())) };
    let mut server = Session::open_server(target, environment)?;
    if !try_lock(&mut server, database, name)? {
        return Ok(false);
    }
    let found = look(&mut server, database, past)?;
    let Some(leftover) = found.iter().find(|leftover| leftover.name == name && leftover.ours) else {
        let is_gone = !server.exists(name)?;
        return if is_gone { Ok(true) } else { Err(refuse("it was not made by safe-test".to_owned())) };
    };
    if leftover.kind == LeftoverKind::Replaced {
        let users = catalog::users_of(&mut server.client, name)?;
        if !users.is_empty() {
            return Err(refuse(format!("in use by {users}")));
        }
    }
    server.client.ask("SET SESSION foreign_key_checks = 0")?;
    drop_database(&mut server.client, name).map(|()| true)
}
