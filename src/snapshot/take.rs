//! Takes what was planned: the one place where a step becomes a snapshot in the store.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::Path;

use crate::reach::Target;
use crate::snapshot::file_state::{file_state, hash_file};
use crate::snapshot::plan::Step;
use crate::snapshot::receipt::{Care, Receipt};
use crate::snapshot::store::{Store, Stored};
use crate::snapshot::{Kind, Manifest, SnapshotError, Taken, Watch, postgres, sqlite};
use chrono::{DateTime, Duration, Utc};

/// How long a dump's hash is believed while its file looks untouched.
const HASH_BELIEVED_FOR: Duration = Duration::days(1);

/// What all snapshots of one call share.
pub(crate) struct Order<'a> {
    /// Where they go.
    pub(crate) store: &'a Store,
    /// The root of the project.
    pub(crate) project: &'a Path,
    /// Why they are taken.
    pub(crate) kind: Kind,
    /// The run they are for.
    pub(crate) run: &'a str,
    /// When the call began.
    pub(crate) now: DateTime<Utc>,
    /// The process environment, for the tools.
    pub(crate) environment: &'a [(OsString, OsString)],
    /// Whether an earlier snapshot may serve, where the engine proves that nothing was written since.
    pub(crate) may_reuse: bool,
}

/// Carries out `step` for the target with the index `at`.
///
/// # Errors
///
/// Why there is no verified snapshot. Nothing is left under a final name then.
pub(crate) fn take(
    at: usize,
    target: &Target,
    step: &Step,
    order: &Order<'_>,
    watch: &dyn Watch,
) -> Result<Receipt, SnapshotError> {
    let care = match step {
        Step::NothingToLose(reason) => Care::NothingToLose { reason: reason.clone() },
        Step::LeftToPolicy(reason) => Care::LeftToPolicy { reason: reason.clone() },
        Step::Sqlite { path } => {
            let database = path.to_string_lossy().into_owned();
            match sqlite::examine(path)? {
                sqlite::Presence::Missing => Care::NothingToLose { reason: "it does not exist yet".to_owned() },
                sqlite::Presence::Empty => Care::NothingToLose { reason: "it is empty".to_owned() },
                sqlite::Presence::Database => {
                    let name =
                        path.file_stem().map_or_else(|| database.clone(), |stem| stem.to_string_lossy().into_owned());
                    let subject = Subject { engine: "sqlite", name, database, target };
                    let is_unchanged =
                        |earlier: &Manifest| Ok(earlier.state.is_some() && earlier.state == sqlite::state(path)?);
                    save(&subject, order, watch, is_unchanged, |partial| Ok(sqlite::take(path, partial, watch)?))?
                }
            }
        }
        Step::Postgres => {
            let session = match postgres::Session::open(target, order.environment) {
                Err(postgres::PostgresError::NoSuchDatabase { .. }) => {
                    let reason = "it does not exist yet".to_owned();
                    return Ok(Receipt::new(at, Care::NothingToLose { reason }));
                }
                opened => RefCell::new(opened?),
            };
            let name = session.borrow().identity().database.clone();
            let subject = Subject { engine: "postgres", name: name.clone(), database: name, target };
            let is_unchanged = |earlier: &Manifest| Ok(session.borrow_mut().is_unchanged_since(earlier)?);
            let dump = |partial: &Path| {
                Ok(postgres::take(&mut session.borrow_mut(), partial, postgres::Limits::default(), watch)?)
            };
            save(&subject, order, watch, is_unchanged, dump)?
        }
    };
    Ok(Receipt::new(at, care))
}

struct Subject<'a> {
    engine: &'static str,
    /// What the files are named after.
    name: String,
    /// The true name.
    database: String,
    target: &'a Target,
}

fn save(
    subject: &Subject<'_>,
    order: &Order<'_>,
    watch: &dyn Watch,
    is_unchanged: impl FnOnce(&Manifest) -> Result<bool, SnapshotError>,
    dump: impl FnOnce(&Path) -> Result<Taken, SnapshotError>,
) -> Result<Care, SnapshotError> {
    let address = subject.target.address();
    if order.may_reuse
        && let Some(earlier) = newest_of(order, subject.engine, &address)?
        && is_unchanged(&earlier.manifest)?
        && let Some(stored) = believe(order, earlier, watch)?
    {
        return Ok(Care::Unchanged { id: stored.manifest.id, size: stored.manifest.size });
    }
    let reservation = order.store.reserve(&subject.name, order.now)?;
    let taken = dump(&reservation.partial())?;
    let id = reservation.id().to_owned();
    let manifest = Manifest {
        schema: 1,
        id: id.clone(),
        kind: order.kind,
        engine: subject.engine.to_owned(),
        database: subject.database.clone(),
        target: address,
        project: Some(order.project.to_string_lossy().into_owned()),
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
        file_state: None,
        notes: taken.notes,
        by_hand: taken.by_hand.iter().map(|command| command.replace("FILE", &format!("{id}.dump"))).collect(),
    };
    let stored = order.store.commit(reservation, manifest, order.now)?;
    Ok(Care::Saved { id, size: stored.manifest.size })
}

/// The newest snapshot that a run may take as its own. A safety snapshot is not one: `latest` never means it. Nor is one
/// from the future, which would hide all that a clock set right again has taken since.
fn newest_of(order: &Order<'_>, engine: &str, address: &str) -> Result<Option<Stored>, SnapshotError> {
    let (stored, _) = order.store.list()?;
    Ok(stored.into_iter().find(|Stored { manifest, .. }| {
        manifest.kind != Kind::Safety
            && manifest.taken_at <= order.now
            && manifest.engine == engine
            && manifest.target == address
    }))
}

/// Whether an earlier snapshot is still what it was: its file looks untouched since it was hashed not long ago, or is
/// hashed again. If so it is marked as this run's as well.
fn believe(order: &Order<'_>, mut earlier: Stored, watch: &dyn Watch) -> Result<Option<Stored>, SnapshotError> {
    // Held until its manifest is written anew: else a prune in between would leave a manifest without a dump.
    let Ok(_held) = order.store.hold(&earlier.manifest.id) else { return Ok(None) };
    let Ok(now) = file_state(&earlier.dump, order.now) else { return Ok(None) };
    let is_untouched = earlier.manifest.file_state.as_ref().is_some_and(|then| {
        let age = order.now - then.hashed_at;
        age >= Duration::zero()
            && age < HASH_BELIEVED_FOR
            && crate::snapshot::FileState { hashed_at: then.hashed_at, ..now.clone() } == *then
    });
    if !is_untouched {
        if hash_file(&earlier.dump, watch).ok().as_deref() != Some(earlier.manifest.sha256.as_str()) {
            return Ok(None);
        }
        earlier.manifest.file_state = Some(now);
    }
    if order.kind == Kind::Run {
        // Only the last run matters to `latest`; a list that grows with every run would not.
        earlier.manifest.used_by = vec![order.run.to_owned()];
        order.store.rewrite(&earlier.manifest)?;
    }
    Ok(Some(earlier))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Origin;
    use crate::reach::{Engine, Place};

    const NOW: &str = "2026-11-21T14:30:22Z";

    struct Unwatched;

    impl Watch for Unwatched {
        fn advance(&self, _bytes: u64) {}

        fn interrupted(&self) -> bool {
            false
        }
    }

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
        let take = |kind, run| {
            let may_reuse = kind == Kind::Run;
            let order = Order {
                project: folder.path(),
                store: &store,
                kind,
                run,
                now: NOW.parse().unwrap(),
                environment: &[],
                may_reuse,
            };
            let step = Step::Sqlite { path: path.clone() };
            take(0, &target, &step, &order, &Unwatched).unwrap().snapshot().unwrap().to_owned()
        };
        let safety = take(Kind::Safety, "1");
        let first = take(Kind::Run, "2");
        assert_ne!(first, safety);
        assert_eq!(take(Kind::Run, "3"), first);
    }
}
