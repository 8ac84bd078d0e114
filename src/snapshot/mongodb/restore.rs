//! Puts a database back: tries it beside, then puts each collection in place, and drops what came later.

use crate::snapshot::beside_names::Purpose;
use crate::snapshot::engine::{Restoration, Restored};
use crate::snapshot::mongodb::MongoError;
use crate::snapshot::mongodb::archive::Held;
use crate::snapshot::mongodb::client::Listed;
use crate::snapshot::mongodb::error::in_use;
use crate::snapshot::mongodb::leftovers::look;
use crate::snapshot::mongodb::scratch::{compare, load, rehearse};
use crate::snapshot::mongodb::session::{Session, open_server};
use crate::snapshot::mongodb::whole;
use crate::snapshot::turn::Turn;
use crate::snapshot::{Leftover, Watch};

/// The collection of a database's functions: no server drops it.
const FUNCTIONS: &str = "system.js";

/// A restore whose snapshot was verified, and whose target is the snapshot's own.
pub(crate) struct PreparedRestore<'r> {
    restoration: Restoration<'r>,
    held: Held,
    /// What earlier rehearsals have left on the server.
    pub(crate) leftovers: Vec<Leftover>,
}

/// Prepares to put a snapshot back. No session stays open.
///
/// # Errors
///
/// Those of [`whole::Whole::read`]; [`MongoError::OtherServer`], [`MongoError::SnapshotOfOtherDatabase`]. Nothing was changed.
pub(crate) fn prepare_restore<'r>(
    restoration: &Restoration<'r>,
    watch: &dyn Watch,
) -> Result<PreparedRestore<'r>, MongoError> {
    let manifest = &restoration.stored.manifest;
    let whole = whole::of(restoration)?;
    let mut session = own_server(restoration)?;
    let target = restoration.target.database.as_deref().unwrap_or(&manifest.database);
    if target != manifest.database {
        let (snapshot, target) = (manifest.database.clone(), target.to_owned());
        return Err(MongoError::SnapshotOfOtherDatabase { snapshot, target });
    }
    let held = whole.read(watch)?;
    let leftovers = look(&mut session, &manifest.database, restoration.environment, restoration.past)?;
    Ok(PreparedRestore { restoration: *restoration, held, leftovers })
}

/// Puts a snapshot back at once: [`prepare_restore`], then [`PreparedRestore::carry_out`].
#[cfg(test)]
pub(crate) fn restore(restoration: &Restoration<'_>, watch: &dyn Watch) -> Result<Restored, MongoError> {
    prepare_restore(restoration, watch)?.carry_out(watch)
}

/// Connects to the target's server and makes sure that it is the one that the snapshot is of.
///
/// # Errors
///
/// [`MongoError::OtherServer`], and those of connecting.
pub(crate) fn own_server(restoration: &Restoration<'_>) -> Result<Session, MongoError> {
    let session = open_server(restoration.target, restoration.environment)?;
    let identity = &session.identity;
    match restoration.other_server(&identity.fingerprint, &identity.version) {
        None => Ok(session),
        Some((snapshot, here)) => Err(MongoError::OtherServer { snapshot, here }),
    }
}

impl PreparedRestore<'_> {
    /// Restores the snapshot to a database beside and compares it; until then the present one is as it was. Then restores it
    /// in place, collection by collection, drops what came later, and compares again.
    ///
    /// # Errors
    ///
    /// [`MongoError::NotRestored`], with the database as it was; [`MongoError::HalfRestored`] where it was changed.
    pub(crate) fn carry_out(self, watch: &dyn Watch) -> Result<Restored, MongoError> {
        let PreparedRestore { restoration, held, .. } = self;
        let database = restoration.stored.manifest.database.as_str();
        let mut session = own_server(&restoration)?;
        let _turn = Turn::take(restoration.environment, &session.identity.fingerprint, database)
            .ok_or_else(|| in_use(database))?;
        let mut notes = Vec::new();
        match rehearse(&mut session, &restoration, Purpose::Restoring, &held, watch) {
            Ok(()) => {}
            Err(MongoError::NotPermitted { user, .. }) => {
                notes.push(format!("It was not tried beside first: `{user}` may make no other database."));
            }
            Err(source) => {
                let step = "the snapshot was restored to a database beside it";
                return Err(MongoError::NotRestored {
                    step,
                    remains: format!("`{database}` is as it was"),
                    source: Box::new(source),
                });
            }
        }
        let half = |step, source| MongoError::HalfRestored {
            step,
            remains: format!(
                "`{database}` may hold a part; what it held before is in the safety snapshot, where it held something"
            ),
            source: Box::new(source),
        };
        let before = session.client.collections(database)?;
        // Documents that are there would be in the way of those that come.
        if before.iter().any(|one| one.name == FUNCTIONS) {
            let emptied = session.client.empty_collection(database, FUNCTIONS);
            emptied.map_err(|error| half("its functions were removed", error))?;
        }
        load(&session, &restoration, database, watch).map_err(|error| half("the snapshot was restored", error))?;
        drop_later(&mut session, database, &held).map_err(|error| half("what came later was dropped", error))?;
        compare(&session, database, &held, watch).map_err(|error| half("it was compared", error))?;
        Ok(Restored { notes, ..Restored::default() })
    }
}

/// Drops the collections and views that the snapshot does not have. The server's own go with what they belong to.
fn drop_later(session: &mut Session, database: &str, held: &Held) -> Result<(), MongoError> {
    let is_later = |one: &Listed| one.is_dumped() && one.name != FUNCTIONS && !held.collections.contains_key(&one.name);
    let later: Vec<Listed> = session.client.collections(database)?.into_iter().filter(is_later).collect();
    later.iter().try_for_each(|one| session.client.drop_collection(database, &one.name))
}
