//! Puts a database back: builds its tables beside, compares them, and exchanges them for the present ones, which are kept;
//! or, for a user who may make no other database, [in place](crate::snapshot::mysql::in_place).

use crate::snapshot::beside_names::Purpose;
use crate::snapshot::engine::{Restoration, Restored};
use crate::snapshot::mysql::beside;
use crate::snapshot::mysql::beside::Built;
use crate::snapshot::mysql::catalog;
use crate::snapshot::mysql::definitions;
use crate::snapshot::mysql::dump::named;
use crate::snapshot::mysql::exchange::{Exchange, exchange};
use crate::snapshot::mysql::in_place;
use crate::snapshot::mysql::leftovers::look;
use crate::snapshot::mysql::objects::Kind;
use crate::snapshot::mysql::obstacles::{may_build_beside, needed, out_of_reach};
use crate::snapshot::mysql::whole;
use crate::snapshot::mysql::whole::Whole;
use crate::snapshot::mysql::{MysqlError, Session};
use crate::snapshot::{Leftover, Watch};

/// A restore whose snapshot is the file that was written, and whose target is the snapshot's own.
pub(crate) struct PreparedRestore<'r> {
    whole: Whole<'r>,
    restoration: Restoration<'r>,
    /// What earlier restores have left on the server.
    pub(crate) leftovers: Vec<Leftover>,
    way: Way,
}

/// How a database is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Made beside, and exchanged for what is there, which is kept.
    Exchange,
    /// Emptied and filled, where the user may do no more, foreign keys do not stay within the database, or a sequence is
    /// gone that has to be there before its tables can be made.
    InPlace,
}

impl PreparedRestore<'_> {
    /// Tells whether what is replaced is kept whole beside.
    pub(crate) fn keeps_the_replaced(&self) -> bool {
        self.way == Way::Exchange
    }
}

/// Prepares to put a snapshot back. No session stays open.
///
/// # Errors
///
/// Those of [`whole::of`], `DumpError::HashMismatch`, [`MysqlError::OtherServer`],
/// [`MysqlError::SnapshotOfOtherDatabase`], [`MysqlError::NotPermitted`], [`MysqlError::NotRestorable`]. Nothing was changed.
pub(crate) fn prepare_restore<'r>(
    restoration: &Restoration<'r>,
    watch: &dyn Watch,
) -> Result<PreparedRestore<'r>, MysqlError> {
    let manifest = &restoration.stored.manifest;
    let whole = whole::of(restoration)?;
    let mut server = own_server(restoration)?;
    let target = restoration.target.database.as_deref().unwrap_or(&manifest.database);
    if server.folded(target) != server.folded(&manifest.database) {
        let (snapshot, target) = (manifest.database.clone(), target.to_owned());
        return Err(MysqlError::SnapshotOfOtherDatabase { snapshot, target });
    }
    let lacking = server.identity.rights.lacking(&needed(whole.recorded.kinds()), &manifest.database);
    if !lacking.is_empty() {
        let user = server.identity.account.clone();
        return Err(MysqlError::NotPermitted { user, what: format!("{} in the database", lacking.join(", ")) });
    }
    let out_of_reach = out_of_reach(&mut server.client, &server.identity, &manifest.database)?;
    if !out_of_reach.is_empty() {
        let user = server.identity.account.clone();
        let what = format!("drop what works for other accounts in the database: {}", named(&out_of_reach));
        return Err(MysqlError::NotPermitted { user, what });
    }
    if server.identity.distrusts_routines {
        let present = catalog::definitions(&mut server.client, &manifest.database)?;
        let triggers: Vec<String> = present
            .into_keys()
            .filter(|(kind, _)| *kind == Kind::Trigger)
            .map(|(_, name)| format!("`{name}`"))
            .collect();
        if !triggers.is_empty() {
            let user = server.identity.account.clone();
            let what = format!("drop and make triggers while the server logs changes: {}", named(&triggers));
            return Err(MysqlError::NotPermitted { user, what });
        }
    }
    let longest = whole.recorded.longest_statement;
    if longest >= server.identity.longest_statement {
        let what = format!(
            "a row takes {longest} bytes to write, and the server takes {} (max_allowed_packet)",
            server.identity.longest_statement
        );
        return Err(MysqlError::NotRestorable { what });
    }
    let present = catalog::tables(&mut server.client, &manifest.database)?;
    let entangled = catalog::entangled(&mut server.client, &manifest.database, &present)?;
    let is_there = |name: &String| present.data.get(name).is_some_and(|table| table.kind == Kind::Sequence);
    let is_beside = may_build_beside(&server.identity, &manifest.database)
        && entangled.is_empty()
        && whole.recorded.leads_nowhere.is_empty()
        && whole.recorded.sequences_in_defaults.iter().all(is_there);
    let way = if is_beside { Way::Exchange } else { Way::InPlace };
    match way {
        // What else is wrong with it shows while it is built beside.
        Way::Exchange => whole.dump.expect_file(watch)?,
        Way::InPlace => drop(whole.read(watch)?),
    }
    let leftovers = look(&mut server, &manifest.database, restoration.past)?;
    Ok(PreparedRestore { whole, restoration: *restoration, leftovers, way })
}

/// Puts a snapshot back at once: [`prepare_restore`], then [`PreparedRestore::carry_out`].
#[cfg(test)]
pub(crate) fn restore(restoration: &Restoration<'_>, watch: &dyn Watch) -> Result<Restored, MysqlError> {
    prepare_restore(restoration, watch)?.carry_out(watch)
}

/// Connects to the target's server, in no database, and makes sure that it is the one that the snapshot is of.
///
/// # Errors
///
/// [`MysqlError::OtherServer`], and those of connecting.
pub(crate) fn own_server(restoration: &Restoration<'_>) -> Result<Session, MysqlError> {
    let server = Session::open_server(restoration.target, restoration.environment)?;
    let identity = &server.identity;
    match restoration.other_server(&identity.fingerprint, &identity.version_text) {
        None => Ok(server),
        Some((snapshot, here)) => Err(MysqlError::OtherServer { snapshot, here }),
    }
}

impl PreparedRestore<'_> {
    /// Makes the tables of the snapshot in a database beside the present one, compares them with the dump row by row, and
    /// exchanges what the two hold. Until then the present database is as it was, whatever fails and whenever this process
    /// is killed; what was there stands in [`Restored::replaced`], a name that was written down before.
    ///
    /// # Errors
    ///
    /// [`MysqlError::NotRestored`], which says what remains; [`MysqlError::HalfRestored`] where the database was changed.
    pub(crate) fn carry_out(self, watch: &dyn Watch) -> Result<Restored, MysqlError> {
        let PreparedRestore { whole, restoration, way, .. } = self;
        let database = whole.manifest.database.as_str();
        let mut server = own_server(&restoration)?;
        let handing = definitions::handing(&mut server, database)?;
        if way == Way::InPlace {
            let notes = in_place::replace(&mut server, &whole, &handing, watch)?;
            return Ok(Restored { replaced: None, notes, ..Restored::default() });
        }
        let place = (whole.manifest.target.as_str(), database);
        let [beside, replaced] = beside::announce(
            &mut server,
            place,
            restoration.now,
            restoration.ledger,
            [Purpose::Restoring, Purpose::Replaced],
        )?;
        let stopped = |step, left: bool, source| MysqlError::NotRestored {
            step,
            remains: match left {
                false => format!("`{database}` is as it was"),
                true => format!("`{database}` is as it was, and `{beside}` was left behind: the next run drops it"),
            },
            source: Box::new(source),
        };
        let is_left = |server: &Session| server.again(None).and_then(|mut again| again.exists(&beside)).unwrap_or(true);
        let Built { held, definitions } = match beside::build(&mut server, &whole, &beside, &handing, watch) {
            Ok(built) => built,
            Err(error) => return Err(stopped("the snapshot was loaded beside it", is_left(&server), error)),
        };
        if let Err(error) = whole.expect(&held) {
            let _ = beside::drop_database(&mut server.client, &beside);
            return Err(stopped("the snapshot was compared with its manifest", is_left(&server), error));
        }
        let order = Exchange {
            database,
            incoming: &beside,
            incoming_tables: None,
            replaced: &replaced,
            options: &whole.recorded.options,
            definitions: &definitions,
            expected: &held,
            handing: &handing,
        };
        let outcome = exchange(&mut server, &order, watch);
        if let Ok(mut again) = server.again(None) {
            let _ = beside::drop_database(&mut again.client, &beside);
        }
        match outcome {
            Ok(exchanged) => {
                let replaced = exchanged.is_kept.then_some(replaced);
                Ok(Restored { replaced, notes: exchanged.notes, ..Restored::default() })
            }
            Err(error @ MysqlError::HalfRestored { .. }) => Err(error),
            Err(error) => Err(stopped("what the database holds was exchanged", is_left(&server), error)),
        }
    }
}
