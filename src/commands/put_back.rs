//! Puts databases back: verifies, saves what would not be kept whole beside, restores, writes it down.

use serde::Serialize;

use crate::audit;
use crate::audit::{Event, Manifests};
use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::commands::recording::Recorder;
use crate::commands::{clearing, saving};
use crate::error::{Failure, in_one_line};
use crate::exec;
use crate::exec::{Inherited, Interrupt};
use crate::policy::Policy;
use crate::reach::Target;
use crate::snapshot;
use crate::snapshot::{
    Computed, CopyUse, Effect, Kind, Obstacle, Receipt, Restoration, RestorePlan, Restored, SnapshotError, StoreError,
    Stored, VerificationLevel,
};
use crate::text::typed_word;
use crate::ui::Progress;

/// One database that is back.
#[derive(Serialize)]
pub(crate) struct PutBack {
    /// What it is back to.
    #[serde(flatten)]
    pub(crate) from: Origin,
    /// The database, for people.
    pub(crate) target: String,
    /// The snapshot of what it was before; none where that is kept beside, or could not be read.
    pub(crate) safety: Option<String>,
    /// What keeps that snapshot from being put back whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) obstacles: Vec<Obstacle>,
    /// The name under which what it was before is kept on its server.
    pub(crate) replaced: Option<String>,
    /// What was computed anew.
    #[serde(flatten)]
    pub(crate) computed: Computed,
    /// What somebody should know besides.
    pub(crate) notes: Vec<String>,
    /// What the copy was good for that was kept in the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) copy: Option<CopyUse>,
}

/// What a database is back to.
#[derive(Clone, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// A snapshot, by its name.
    Snapshot(String),
    /// A database that an earlier restore had replaced, by the name under which it was kept.
    Database(String),
}

impl PutBack {
    /// Says it in a line, and the rest below, a sentence each; `verbose` says also why a copy was not used.
    pub(crate) fn lines(&self, verbose: bool) -> impl Iterator<Item = String> {
        let copy = self.copy.as_ref().and_then(|copy| match copy {
            CopyUse::Used(name) => Some(format!("It is the copy that the server kept as `{name}`.")),
            CopyUse::NotUsed(why) => verbose.then(|| format!("It was loaded from the dump: {why}.")),
        });
        let below = copy.into_iter().chain(self.remarks());
        std::iter::once(self.line()).chain(below.map(|remark| format!("  {remark}")))
    }

    /// Says what is to be known besides, a sentence each.
    fn remarks(&self) -> impl Iterator<Item = String> {
        let Computed { refreshed, recomputed } = &self.computed;
        let before =
            self.replaced.as_ref().map(|name| format!(" What they held before is in `{name}`.")).unwrap_or_default();
        let computed = [
            (refreshed, "Refreshed, since a dump has no rows of materialised views"),
            (recomputed, "Computed anew, by functions that may answer otherwise than before"),
        ];
        let computed = computed.into_iter().filter(|(names, _)| !names.is_empty());
        let computed: Vec<String> =
            computed.map(|(names, what)| format!("{what}: {}.{before}", names.join(", "))).collect();
        self.notes.iter().cloned().chain(computed)
    }

    /// Gives the snapshot that it is back to, where it is one.
    fn snapshot(&self) -> Option<String> {
        match &self.from {
            Origin::Snapshot(id) => Some(id.clone()),
            Origin::Database(_) => None,
        }
    }

    fn line(&self) -> String {
        let is_in_place = snapshot::worst(&self.obstacles) == Some(Effect::InPlace);
        let not_whole = snapshot::not_whole(&self.obstacles).filter(|_| !is_in_place);
        let undo = match (&self.replaced, &self.safety, not_whole) {
            (None, Some(safety), Some(why)) => format!("; what it was is saved as {safety}, but {why}"),
            (Some(undo), ..) | (None, Some(undo), None) => {
                let end_of_options = if undo.starts_with('-') { "-- " } else { "" };
                format!("; to undo: safe-test restore {end_of_options}{}", typed_word(undo))
            }
            (None, None, _) => String::new(),
        };
        match &self.from {
            Origin::Snapshot(id) => format!("{} is back as of {id}{undo}", self.target),
            Origin::Database(_) => format!("{} is what it was before a restore replaced it{undo}", self.target),
        }
    }
}

/// Says what is back beside what a command says.
fn told(one: &PutBack, verbose: bool) -> impl Iterator<Item = String> {
    one.lines(verbose).enumerate().map(|(at, line)| if at == 0 { format!("safe-test: {line}") } else { line })
}

/// Why a restore ended early, how many databases were back by then, and whether one may have been changed.
pub(crate) struct Stopped {
    pub(crate) failure: Failure,
    pub(crate) done: usize,
    pub(crate) is_underway: bool,
}

impl<E: Into<Failure>> From<E> for Stopped {
    fn from(failure: E) -> Self {
        Stopped { failure: failure.into(), done: 0, is_underway: false }
    }
}

/// Puts back what a run changed, where it was asked for.
///
/// # Errors
///
/// The first that went wrong; the databases before it are back, and were said to be.
pub(crate) fn after_run(
    context: &Context,
    judged: &Judged,
    recorder: &Recorder<'_>,
    receipts: &[Receipt],
    inherited: &Inherited,
) -> Result<(), Failure> {
    let mut pairs = Vec::new();
    for receipt in receipts {
        let (Some((id, hash)), Some(one)) = (receipt.manifest(), judged.judgement.targets.get(receipt.target())) else {
            continue;
        };
        let stored = recorder.store().read_manifest(id)?;
        // The command may have changed it.
        if stored.hash != hash {
            return Err(StoreError::Changed { path: stored.dump.with_extension("json") }.into());
        }
        pairs.push((stored, one.target.clone()));
    }
    let interrupt = Interrupt::listen(inherited).map_err(exec::ExecError::Signals)?;
    let policy = &judged.policy;
    for one in put_back(context, recorder, &pairs, Vec::new(), policy, &interrupt).map_err(|stopped| stopped.failure)? {
        told(&one, context.ui.verbose).for_each(|line| context.ui.say(line));
    }
    Ok(())
}

/// Puts every database back to its snapshot and writes that down, with what a person typed to vouch for it. Drops what
/// earlier restores have left, but for those that `policy` keeps.
///
/// # Errors
///
/// The first that went wrong: the databases before it are back, and were said to be; those after it are as they were.
pub(crate) fn put_back(
    context: &Context,
    recorder: &Recorder<'_>,
    pairs: &[(Stored, Target)],
    consent: Vec<String>,
    policy: &Policy,
    interrupt: &Interrupt,
) -> Result<Vec<PutBack>, Stopped> {
    recorder.prepare()?;
    // No prune takes them away meanwhile.
    let _held =
        pairs.iter().map(|(stored, _)| recorder.store().hold(&stored.manifest.id)).collect::<Result<Vec<_>, _>>()?;
    let (safeties, manifests) = (Vec::new(), Manifests::new());
    let mut work = Work { context, recorder, policy, interrupt, safeties, manifests, done: Vec::new() };
    let outcome = match work.plan(pairs) {
        Ok(plans) => {
            // First: it makes room for what comes back.
            for ((_, target), ready) in pairs.iter().zip(&plans) {
                let left = clearing::clear(context, recorder, target, &ready.plan.leftovers, policy.keep_last());
                clearing::tell_changes(context, &left);
            }
            recorder.record(Event::RestoreStarted(audit::RestoreStart {
                consent,
                snapshots: pairs.iter().map(|(stored, _)| stored.manifest.id.clone()).collect(),
                safety: work.safeties.clone(),
                manifests: work.manifests.clone(),
                ..audit::RestoreStart::default()
            }))?;
            work.restore(pairs, plans)
        }
        Err(error) => Err(error),
    };
    let Work { safeties, manifests, done, .. } = work;
    recorder.record_ending(Event::Restore(audit::Restored {
        snapshots: done.iter().filter_map(PutBack::snapshot).collect(),
        safety: safeties,
        manifests,
        replaced: done.iter().filter_map(|one| one.replaced.clone()).collect(),
        failure: outcome.as_ref().err().map(|error| in_one_line(error)),
        ..audit::Restored::default()
    }));
    if let Err(error) = outcome {
        for one in &done {
            told(one, context.ui.verbose).for_each(|line| context.ui.warn(line));
        }
        let is_underway = error.may_have_changed_the_database();
        return Err(Stopped { failure: error.into(), done: done.len(), is_underway });
    }
    Ok(done)
}

/// A restore that is ready, with the safety snapshot of what it replaces, where that is not kept whole beside and can be
/// read.
struct Ready<'r> {
    plan: RestorePlan<'r>,
    safety: Option<String>,
    obstacles: Vec<Obstacle>,
    damaged: bool,
}

/// A restore under way, and how far it is.
struct Work<'a> {
    context: &'a Context,
    recorder: &'a Recorder<'a>,
    policy: &'a Policy,
    interrupt: &'a Interrupt,
    safeties: Vec<String>,
    /// The safety snapshots' manifests.
    manifests: Manifests,
    done: Vec<PutBack>,
}

impl Work<'_> {
    /// Verifies every snapshot, and saves every database that would not be kept whole, before the first database is touched:
    /// two names may lead to one database, which the first restore changes for the second. A single snapshot may be verified
    /// while it is restored: nothing else depends on it.
    fn plan<'r>(&mut self, pairs: &'r [(Stored, Target)]) -> Result<Vec<Ready<'r>>, SnapshotError>
    where
        Self: 'r,
    {
        let (context, recorder) = (self.context, self.recorder);
        let mut ready = Vec::new();
        for (stored, target) in pairs {
            let (environment, now) = (&context.tools, Context::clock());
            let restoration = Restoration { stored, target, environment, now, ledger: recorder, past: recorder.past() };
            let plan = self
                .showing("verifying", target, |progress| snapshot::plan_restore(&restoration, self.policy, progress))?;
            if !plan.is_verified && pairs.len() > 1 {
                let read = VerificationLevel::Read;
                self.showing("verifying", target, |progress| {
                    snapshot::verify(&restoration, read, self.policy, progress)
                })?;
            }
            ready.push(Ready { plan, safety: None, obstacles: Vec::new(), damaged: false });
        }
        for (at, ((_, target), ready)) in pairs.iter().zip(&mut ready).enumerate() {
            if ready.plan.keeps_the_replaced {
                continue;
            }
            let receipt = self.save(at, target).map_err(not_restored(target, None, None))?;
            let safety = receipt.as_ref().and_then(Receipt::manifest);
            self.manifests.extend(safety.map(|(id, manifest)| (id.to_owned(), manifest)));
            ready.safety = safety.map(|(id, _)| id.to_owned());
            ready.obstacles = receipt.as_ref().map(|saved| saved.obstacles().to_vec()).unwrap_or_default();
            ready.damaged = receipt.is_none();
            self.safeties.extend(ready.safety.clone());
        }
        Ok(ready)
    }

    /// Restores one after the other.
    fn restore(&mut self, pairs: &[(Stored, Target)], ready: Vec<Ready<'_>>) -> Result<(), SnapshotError> {
        exec::would_say(&"the restore is not finished; `safe-test log` says what it began with, and how to undo it");
        for ((stored, target), Ready { plan, safety, obstacles, damaged }) in pairs.iter().zip(ready) {
            let restored =
                self.showing("restoring", target, |progress| plan.carry_out(damaged, progress)).map_err(|error| {
                    not_restored(target, safety.clone(), snapshot::remedy(&stored.manifest.obstacles))(error.into())
                })?;
            let (from, target) = (Origin::Snapshot(stored.manifest.id.clone()), target.shown());
            let Restored { replaced, computed, notes, copy } = restored;
            self.done.push(PutBack { from, target, safety, obstacles, replaced, computed, notes, copy });
        }
        Ok(())
    }

    /// Takes the safety snapshot of what is there; `None` where that is too damaged to be saved.
    fn save(&self, at: usize, target: &Target) -> Result<Option<Receipt>, SnapshotError> {
        let order = saving::order(self.context, self.recorder, Kind::Safety, false);
        // Whatever the policy leaves to others: it is replaced here.
        let policy = Policy { snapshots: self.policy.snapshots.saving_all(), ..Policy::default() };
        let intention = snapshot::plan(target, &policy, true, &*self.context.disk)?;
        match self.showing("saving", target, |progress| snapshot::take(at, target, &intention, &order, progress)) {
            Err(error) if error.says_that_the_database_is_damaged() => Ok(None),
            taken => taken.map(Some),
        }
    }

    /// Does something with `target` that may take a while.
    fn showing<T>(&self, what: &str, target: &Target, act: impl FnOnce(&Progress<'_>) -> T) -> T {
        let interrupted = || self.interrupt.requested().is_some();
        act(&Progress::new(format!("{what} {}", target.shown()), &self.context.ui, &interrupted))
    }
}

/// Says of a cause which database is not back, where what it was is kept, and what was known to be needed.
fn not_restored(
    target: &Target,
    safety: Option<String>,
    needed: Option<String>,
) -> impl FnOnce(SnapshotError) -> SnapshotError {
    let shown = target.shown();
    |cause| SnapshotError::NotRestored { shown, safety, needed, cause: Box::new(cause) }
}
