//! Takes what was planned: the one place where an intention becomes a snapshot in the store. [`foresee`] goes the same
//! way as far as nothing is written.

use crate::reach::Target;
use crate::snapshot::engine::{Copying, DumpCommand, Found, OpenDatabase, SnapshotEngine};
use crate::snapshot::met::MetBefore;
use crate::snapshot::not_up::nobody_listens;
use crate::snapshot::order::Order;
use crate::snapshot::plan::Intention;
use crate::snapshot::receipt::{Beside, Care, Receipt};
use crate::snapshot::reuse::Reusable;
use crate::snapshot::{Copied, Ledger, Manifest, Obstacle, SnapshotError, Stored, Watch};
use crate::text::shown;

/// Carries out what is intended for the target with the index `at`.
///
/// # Errors
///
/// Why there is no verified snapshot. Nothing is left under a final name then.
pub(crate) fn take(
    at: usize,
    target: &Target,
    intention: &Intention,
    order: &Order<'_>,
    watch: &dyn Watch,
) -> Result<Receipt, SnapshotError> {
    let (outlook, beside) = outlook(at, target, intention, order, watch)?;
    let care = match outlook {
        Outlook::NothingToLose(reason) => Care::NothingToLose { reason },
        Outlook::LeftToPolicy(reason) => Care::LeftToPolicy { reason },
        Outlook::NotUpYet => Care::NotUpYet,
        Outlook::OneWith(target) => Care::OneWith { target },
        Outlook::Unchanged(earlier) => unchanged(*earlier, None, order)?,
        Outlook::WithoutCopy(earlier, ledger, engine, mut database) => {
            let address = target.address();
            let copying = copying(earlier.id(), &address, order, ledger);
            match database.copy_for(earlier.manifest(), &copying, watch)? {
                Some(copy) => unchanged(*earlier, Some(copy), order)?,
                // Somebody wrote meanwhile.
                None => save(engine, database, target, order, watch)?,
            }
        }
        Outlook::Changed(engine, database) => save(engine, database, target, order, watch)?,
    };
    Ok(Receipt::new(at, care, beside))
}

/// What [`take`] would do for one target.
pub(crate) enum Foreseen {
    /// Save nothing, and why.
    NotSaved(String),
    /// Wait for its server, and save it at its first connection.
    NotUpYet,
    /// Save nothing more: the target with this index is the same database.
    OneWith(usize),
    /// Use this earlier snapshot, since nothing was written.
    Unchanged {
        /// The snapshot.
        id: String,
        /// What keeps it from being put back whole.
        obstacles: Vec<Obstacle>,
        /// Whether a copy is made in the server, if that can be.
        copied: bool,
    },
    /// Take a snapshot.
    Saved {
        /// Its name, unless another call takes that first.
        id: String,
        /// What would be run.
        command: DumpCommand,
        /// What would keep it from being put back whole.
        obstacles: Vec<Obstacle>,
        /// Whether a copy is made in the server, if that can be.
        copied: bool,
    },
}

impl Foreseen {
    /// Lists what would keep the snapshot from being put back whole.
    pub(crate) fn obstacles(&self) -> &[Obstacle] {
        match self {
            Foreseen::NotSaved(_) | Foreseen::NotUpYet | Foreseen::OneWith(_) => &[],
            Foreseen::Unchanged { obstacles, .. } | Foreseen::Saved { obstacles, .. } => obstacles,
        }
    }
}

/// Says what [`take`] would do for the target with the index `at`, up to the very command that it would run, and writes
/// nothing. Also gives the target that led to the same database before.
///
/// # Errors
///
/// What would keep the target from being saved, as far as that shows beforehand.
pub(crate) fn foresee(
    at: usize,
    target: &Target,
    intention: &Intention,
    order: &Order<'_>,
    watch: &dyn Watch,
) -> Result<(Foreseen, Option<usize>), SnapshotError> {
    let (outlook, beside) = outlook(at, target, intention, order, watch)?;
    let foreseen = match outlook {
        Outlook::NothingToLose(reason) | Outlook::LeftToPolicy(reason) => Foreseen::NotSaved(reason),
        Outlook::NotUpYet => Foreseen::NotUpYet,
        Outlook::OneWith(other) => Foreseen::OneWith(other),
        Outlook::Unchanged(earlier) => foreseen_unchanged(&earlier, false),
        Outlook::WithoutCopy(earlier, ..) => foreseen_unchanged(&earlier, true),
        Outlook::Changed(_, mut database) => {
            let obstacles = database.obstacles()?;
            let copied = order.copies.is_some() && database.keeps_copies();
            let id = order.store.free_id(&database.short_name(), order.now, order.past);
            let plan = database.plan(&order.store.partial_path(&id))?;
            Foreseen::Saved { id, command: plan.command().clone(), obstacles, copied }
        }
    };
    Ok((foreseen, beside.one_with))
}

fn foreseen_unchanged(earlier: &Reusable, copied: bool) -> Foreseen {
    Foreseen::Unchanged { id: earlier.id().to_owned(), obstacles: earlier.manifest().obstacles.clone(), copied }
}

/// What a look at a target came to, before anything is written.
enum Outlook<'a> {
    NothingToLose(String),
    LeftToPolicy(String),
    NotUpYet,
    OneWith(usize),
    Unchanged(Box<Reusable>),
    /// Unchanged, but a copy is wanted for the snapshot, and there is none.
    WithoutCopy(Box<Reusable>, &'a dyn Ledger, &'a dyn SnapshotEngine, Box<dyn OpenDatabase>),
    Changed(&'a dyn SnapshotEngine, Box<dyn OpenDatabase>),
}

/// Looks at a target, and at what is beside it on its server.
fn outlook<'a>(
    at: usize,
    target: &Target,
    intention: &'a Intention,
    order: &Order<'a>,
    watch: &dyn Watch,
) -> Result<(Outlook<'a>, Beside), SnapshotError> {
    let alone = |outlook| Ok((outlook, Beside::default()));
    let engine = match intention {
        Intention::NothingToLose(reason) => return alone(Outlook::NothingToLose(reason.clone())),
        Intention::LeftToPolicy(reason) => return alone(Outlook::LeftToPolicy(reason.clone())),
        Intention::Save(saver) => &**saver,
    };
    let mut database = match engine.open(target, order.environment) {
        Ok(Found::NothingToLose(reason)) => return alone(Outlook::NothingToLose(reason.to_owned())),
        Ok(Found::Database(database)) => database,
        Err(error) if order.may_wait && error.found_no_server() && nobody_listens(target, engine) => {
            return alone(Outlook::NotUpYet);
        }
        Err(error) => return Err(error.into()),
    };
    let met = order.met.before(database.identity(), at);
    let one_with = met.map(|met| met.target);
    if let Some(MetBefore { target, undone_alike: true }) = met {
        let beside = Beside { neighbours: database.neighbours(), one_with, ..Beside::default() };
        return Ok((Outlook::OneWith(target), beside));
    }
    let beside = Beside { leftovers: database.leftovers(order.past), neighbours: database.neighbours(), one_with };
    if order.may_reuse
        && let Some(earlier) = Reusable::newest(order, engine.name(), &target.address())?
        && database.is_unchanged_since(earlier.manifest())?
    {
        let lacking = match order.copies {
            Some(ledger) if !database.has_copy_for(earlier.manifest())? => Some(ledger),
            _ => None,
        };
        if let Some(earlier) = earlier.believed(order, watch).map(Box::new) {
            let outlook = match lacking {
                Some(ledger) => Outlook::WithoutCopy(earlier, ledger, engine, database),
                None => Outlook::Unchanged(earlier),
            };
            return Ok((outlook, beside));
        }
    }
    Ok((Outlook::Changed(engine, database), beside))
}

fn copying<'a>(snapshot: &'a str, target: &'a str, order: &Order<'a>, ledger: &'a dyn Ledger) -> Copying<'a> {
    Copying { snapshot, target, now: order.now, ledger }
}

/// Takes an earlier snapshot as this call's own.
fn unchanged(earlier: Reusable, copy: Option<Copied>, order: &Order<'_>) -> Result<Care, SnapshotError> {
    let Stored { manifest, hash, .. } = earlier.claim(order)?;
    let Manifest { id, size, obstacles, .. } = manifest;
    Ok(Care::Unchanged { id, manifest: hash, size, obstacles, copy })
}

fn save(
    engine: &dyn SnapshotEngine,
    database: Box<dyn OpenDatabase>,
    target: &Target,
    order: &Order<'_>,
    watch: &dyn Watch,
) -> Result<Care, SnapshotError> {
    let name = database.name().to_owned();
    let reservation = order.store.reserve(&database.short_name(), order.now, order.past)?;
    let (id, address) = (reservation.id().to_owned(), target.address());
    let copying = order.copies.map(|ledger| copying(&id, &address, order, ledger));
    let taken = database.plan(&reservation.partial())?.carry_out(copying.as_ref(), watch)?;
    let copy = taken.copy;
    let manifest = Manifest {
        schema: 1,
        id: id.clone(),
        kind: order.kind,
        engine: engine.name().to_owned(),
        database: name,
        target: address.clone(),
        project: Some(shown(order.project).into_owned()),
        taken_at: order.now,
        run: Some(order.run.to_owned()),
        used_by: Vec::new(),
        file: format!("{id}.dump"),
        size: taken.size,
        sha256: taken.sha256,
        verified: taken.verified,
        compression: taken.compression,
        tool: taken.tool,
        server: taken.server,
        tables: taken.tables,
        state: taken.state,
        whereabouts: taken.whereabouts,
        file_state: None,
        obstacles: taken.obstacles,
        notes: taken.notes,
        by_hand: taken.by_hand.iter().map(|command| command.replace("FILE", &format!("{id}.dump"))).collect(),
    };
    let stored = order.store.commit(reservation, manifest, order.now)?;
    let Manifest { size, obstacles, .. } = stored.manifest;
    Ok(Care::Saved { id, manifest: stored.hash, size, obstacles, copy })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Origin;
    use crate::own_tools::ToolEnvironment;
    use crate::reach::{Engine, Place};
    use crate::snapshot::Unwatched;
    use crate::snapshot::plan::Saver;
    use crate::snapshot::testing::AllKnown;
    use crate::snapshot::{Kind, Met, Store};

    const NOW: &str = "2026-11-21T14:30:22Z";

    #[test]
    fn a_run_reuses_a_run_s_snapshot_but_never_a_safety_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        let store = Store::locate(folder.path(), None).unwrap();
        store.prepare().unwrap();
        let target = Target {
            engine: Engine::Sqlite,
            places: vec![Place::File { path: path.clone() }],
            database: None,
            user: None,
            password: None,
            parameters: Vec::new(),
            origins: vec![Origin::process("DATABASE_URL")],
            doubts: Vec::new(),
        };
        let environment = ToolEnvironment::default();
        let take = |kind, run| {
            let may_reuse = kind == Kind::Run;
            let order = Order {
                project: folder.path(),
                store: &store,
                past: &AllKnown,
                kind,
                run,
                now: NOW.parse().unwrap(),
                environment: &environment,
                may_reuse,
                may_wait: false,
                copies: None,
                met: Met::default(),
            };
            let intention = Intention::Save(Saver::Engine(crate::snapshot::engines::saving(&target).unwrap()));
            take(0, &target, &intention, &order, &Unwatched).unwrap().snapshot().unwrap().to_owned()
        };
        let safety = take(Kind::Safety, "1");
        let first = take(Kind::Run, "2");
        assert_ne!(first, safety);
        assert_eq!(take(Kind::Run, "3"), first);
    }
}
