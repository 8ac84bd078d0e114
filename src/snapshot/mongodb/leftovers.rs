//! Lists and drops the databases that killed restores and rehearsals have left on a server.

use crate::own_tools::ToolEnvironment;
use crate::reach::Target;
use crate::snapshot::beside_names::parts_of;
use crate::snapshot::mongodb::MongoError;
use crate::snapshot::mongodb::session::{Session, open_server};
use crate::snapshot::turn::Turn;
use crate::snapshot::{Leftover, LeftoverKind, Provenance};

/// Lists those of `database`, oldest first. One is ours where its name was written down before it was made.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn look(
    session: &mut Session,
    database: &str,
    environment: &ToolEnvironment,
    past: &dyn Provenance,
) -> Result<Vec<Leftover>, MongoError> {
    let mut found = Vec::new();
    for (name, size) in session.client.databases()? {
        let Some((_, at)) = parts_of(&name, database) else { continue };
        let server = &session.identity.fingerprint;
        found.push(Leftover {
            kind: LeftoverKind::Unfinished,
            of: database.to_owned(),
            at,
            size,
            ours: past.was_made(server, &name, at),
            at_work: Turn::try_take(environment, server, database).is_none(),
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
/// Those of connecting, and of the server.
pub(crate) fn leftovers(
    target: &Target,
    environment: &ToolEnvironment,
    past: &dyn Provenance,
) -> Result<Vec<Leftover>, MongoError> {
    let Some(database) = target.database.as_deref() else { return Ok(Vec::new()) };
    look(&mut open_server(target, environment)?, database, environment, past)
}

/// Drops one of them, or finds it gone; `false` if another safe-test is at work on it, which makes it that one's to drop.
///
/// # Errors
///
/// [`MongoError::NotDropped`] if it is not one of them.
pub(crate) fn drop_leftover(
    target: &Target,
    environment: &ToolEnvironment,
    name: &str,
    past: &dyn Provenance,
) -> Result<bool, MongoError> {
    let not_ours = || MongoError::NotDropped { database: name.to_owned() };
    let database = target.database.as_deref().ok_or_else(not_ours)?;
    let mut session = open_server(target, environment)?;
    // Before it is looked for: who has the turn may have made one meanwhile.
    let fingerprint = session.identity.fingerprint.clone();
    let Some(_turn) = Turn::try_take(environment, &fingerprint, database) else { return Ok(false) };
    let is_there = session.client.databases()?.iter().any(|(found, _)| found == name);
    let is_ours = parts_of(name, database).is_some_and(|(_, at)| past.was_made(&fingerprint, name, at));
    match (is_there, is_ours) {
        (false, _) => Ok(true),
        (true, false) => Err(not_ours()),
        (true, true) => session.client.drop_database(name).map(|()| true),
    }
}
