//! Saves every target before something may touch it.

use std::cell::RefCell;
use std::fs::File;

use crate::audit::Manifests;
use crate::commands::clearing::Left;
use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::commands::prune::drop_old;
use crate::commands::recording::Recorder;
use crate::commands::{clearing, derived, service_advice};
use crate::error::Failure;
use crate::exec::Interrupt;
use crate::reach::Target;
use crate::snapshot;
use crate::snapshot::{Care, Intention, Kind, Met, Order, Receipt, SnapshotError, Standing, Stored};
use crate::ui::Progress;

/// What was saved.
#[derive(Default)]
pub(crate) struct Saved {
    /// One receipt for each target.
    pub(crate) receipts: Vec<Receipt>,
    /// The snapshots that the log is to know from now on: those of the receipts, and those of earlier versions that were
    /// met on the way.
    pub(crate) manifests: Manifests,
    /// Keeps the snapshots from being pruned while the command runs.
    pub(crate) held: Vec<File>,
    /// What restores have left on the targets' servers, with the index of the target.
    pub(crate) left: Vec<(usize, Vec<Left>)>,
}

/// Why not everything was saved.
pub(crate) struct NotSaved {
    pub(crate) failure: Failure,
    /// The snapshots that were made all the same.
    pub(crate) manifests: Manifests,
}

/// What to do where loopback is closed.
const NO_LOOPBACK: &str = "no program here can connect to this machine itself, as in a sandbox without a network; whoever set the \
                           sandbox up can open loopback in it";

/// Plans for every target first, so that one that cannot be saved costs no dump of the others; then takes them, and those that
/// turn out to be beside them, which `judged` has as its last targets then. With `may_wait`, those whose servers are not up
/// yet are left to their first connections.
///
/// # Errors
///
/// Why one was not saved, or is less safe than what was judged before; the snapshots of those before it stay, and are to be
/// written down.
pub(crate) fn save(
    context: &Context,
    judged: &mut Judged,
    recorder: &Recorder<'_>,
    kind: Kind,
    may_wait: bool,
    interrupt: &Interrupt,
) -> Result<Saved, NotSaved> {
    let interrupted = || interrupt.requested().is_some();
    let order = Order { may_wait, ..order(context, recorder, kind, judged.policy.fast_undo) };
    let saving = Saving { context, recorder, order, interrupted: &interrupted };
    let mut saved = Saved::default();
    let all = |saved: &mut Saved, judged: &mut Judged| {
        let mut planned = plan(context, judged)?.into_iter();
        let mut at = 0;
        while let Some(one) = judged.judgement.targets.get(at) {
            let target = one.target.clone();
            // What was found beside another target meanwhile is planned for only now.
            let intention = planned.next().map_or_else(|| intention(context, judged, &target), Ok)?;
            saving.save(saved, judged, at, &target, &intention)?;
            saving.look_beside(saved, judged, at, &target)?;
            at += 1;
        }
        saving.finish(saved, judged)
    };
    match all(&mut saved, judged) {
        Ok(()) => Ok(saved),
        Err(failure) => Err(NotSaved { failure, manifests: saved.manifests }),
    }
}

/// Targets being saved.
pub(crate) struct Saving<'a> {
    pub(crate) context: &'a Context,
    pub(crate) recorder: &'a Recorder<'a>,
    pub(crate) order: Order<'a>,
    /// Tells whether to stop.
    pub(crate) interrupted: &'a (dyn Fn() -> bool + Sync),
}

impl Saving<'_> {
    /// Does for the target with the index `at`, as `target` has it, what is intended.
    ///
    /// # Errors
    ///
    /// Why it was not saved. What was saved before is in `saved`.
    pub(crate) fn save(
        &self,
        saved: &mut Saved,
        judged: &Judged,
        at: usize,
        target: &Target,
        intention: &Intention,
    ) -> Result<(), SnapshotError> {
        let watch = Progress::new(format!("saving {}", target.shown()), &self.context.ui, self.interrupted);
        let receipt = snapshot::take(at, target, intention, &self.order, &watch).map_err(|error| {
            let advice = service_advice::advice(self.context, judged, target, &error);
            let advice = advice.or_else(|| snapshot::loopback_is_closed(target).then(|| NO_LOOPBACK.to_owned()));
            error.about(target).advised(advice)
        })?;
        if let Some((id, manifest)) = receipt.manifest() {
            saved.manifests.insert(id.to_owned(), manifest);
            saved.held.push(self.recorder.store().hold(id).map_err(SnapshotError::from)?);
        }
        saved.receipts.push(receipt);
        Ok(())
    }

    /// Looks at what the target that was saved last is beside, or is one with: what tests derive from it is judged, and the
    /// last of `judged`'s targets then.
    ///
    /// # Errors
    ///
    /// The server cannot be asked, or the run is less safe than it was judged to be.
    pub(crate) fn look_beside(
        &self,
        saved: &Saved,
        judged: &mut Judged,
        at: usize,
        target: &Target,
    ) -> Result<(), Failure> {
        let Some(receipt) = saved.receipts.last() else { return Ok(()) };
        if let Some(other) = receipt.one_with() {
            judged.note_one(self.context, at, other)?;
        }
        match receipt.care() {
            Care::Saved { .. } | Care::Unchanged { .. } | Care::NothingToLose { .. } => {
                derived::find(self.context, judged, at, target, receipt.neighbours())
            }
            Care::OneWith { .. } | Care::LeftToPolicy { .. } | Care::NotUpYet => Ok(()),
        }
    }

    /// Clears away what earlier restores and too many snapshots have left.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn finish(&self, saved: &mut Saved, judged: &Judged) -> Result<(), Failure> {
        let Saving { context, recorder, .. } = self;
        for receipt in saved.receipts.iter().filter(|receipt| !receipt.leftovers().is_empty()) {
            let target = &judged.judgement.targets[receipt.target()].target;
            let left = clearing::clear(context, recorder, target, receipt.leftovers(), judged.policy.keep_last());
            clearing::tell_changes(context, &left);
            saved.left.push((receipt.target(), left));
        }
        let waits = |receipt: &&Receipt| *receipt.care() == Care::NotUpYet;
        let mut waiting =
            saved.receipts.iter().filter(waits).map(|receipt| &judged.judgement.targets[receipt.target()]);
        if waiting.any(|one| snapshot::loopback_is_closed(&one.target)) {
            context.ui.warn(format!("safe-test: note: {NO_LOOPBACK}"));
        }
        if saved.receipts.iter().any(|receipt| matches!(receipt.care(), Care::Saved { .. })) {
            let adopted = retain(context, judged, recorder, &saved.manifests)?;
            saved.manifests.extend(adopted);
        }
        Ok(())
    }
}

/// Applies retention after verified snapshots, the `newest`, and gives those of earlier versions that it counted, to be
/// adopted. What cannot be removed now is removed next time.
fn retain(
    context: &Context,
    judged: &Judged,
    recorder: &Recorder<'_>,
    newest: &Manifests,
) -> Result<Manifests, Failure> {
    let (stored, _) = recorder.store().list()?;
    let adopted = RefCell::new(Manifests::new());
    let is_known = |stored: &Stored| {
        // No entry has them yet.
        if newest.get(&stored.manifest.id) == Some(&stored.hash) {
            return true;
        }
        let standing = stored.standing(recorder.past());
        if standing == Standing::Named {
            adopted.borrow_mut().insert(stored.manifest.id.clone(), stored.hash);
        }
        standing.is_known()
    };
    // A damaged snapshot is neither counted nor dropped: it must not push out the last good one.
    let whole = recorder.store().whole(&stored);
    let decisions = snapshot::decide(&whole, judged.policy.keep_last(), Context::clock(), &is_known);
    if let Err(failure) = drop_old(recorder.store(), &stored, &decisions) {
        context.ui.warn(format!("safe-test: an old snapshot stays: {}", failure.error()));
    }
    Ok(adopted.into_inner())
}

/// Says what the snapshots of a call share. Only a run takes an earlier snapshot as its own. With `fast_undo`, copies are kept
/// in servers.
pub(crate) fn order<'a>(context: &'a Context, recorder: &'a Recorder<'_>, kind: Kind, fast_undo: bool) -> Order<'a> {
    Order {
        project: &context.project.root,
        store: recorder.store(),
        past: recorder.past(),
        kind,
        run: recorder.run(),
        now: Context::clock(),
        environment: &context.tools,
        may_reuse: kind == Kind::Run,
        may_wait: false,
        copies: fast_undo.then_some(recorder),
        met: Met::default(),
    }
}

/// Decides for every target what is to be done.
pub(crate) fn plan(context: &Context, judged: &Judged) -> Result<Vec<Intention>, SnapshotError> {
    judged.judgement.targets.iter().map(|one| intention(context, judged, &one.target)).collect()
}

/// Decides what is to be done for one target.
pub(crate) fn intention(context: &Context, judged: &Judged, target: &Target) -> Result<Intention, SnapshotError> {
    let targets = judged.judgement.targets.iter().map(|one| &one.target);
    let caches = snapshot::saves_caches(&judged.policy, targets);
    snapshot::plan(target, &judged.policy, caches, &*context.disk)
        .map_err(|error| SnapshotError::from(error).about(target))
}
