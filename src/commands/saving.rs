//! Saves every target before something may touch it.

use std::cell::RefCell;
use std::fs::File;

use serde::Serialize;

use crate::audit::{JudgementReport, Manifests};
use crate::clearance::Clearance;
use crate::commands::clearing;
use crate::commands::clearing::Left;
use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::commands::prune::drop_old;
use crate::commands::recording::Recorder;
use crate::commands::report;
use crate::error::Failure;
use crate::exec::Interrupt;
use crate::reach::Target;
use crate::snapshot;
use crate::snapshot::{
    Care, Copied, Effect, Intention, Kind, Obstacle, Order, Receipt, SnapshotError, Standing, Stored,
};
use crate::ui::{Progress, bytes};
use crate::verdict::Level;

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

/// Plans for every target first, so that one that cannot be saved costs no dump of the others; then takes them. With
/// `may_wait`, those whose servers are not up yet are left to their first connections.
///
/// # Errors
///
/// Why one was not saved; the snapshots of those before it stay, and are to be written down.
pub(crate) fn save(
    context: &Context,
    judged: &Judged,
    recorder: &Recorder<'_>,
    kind: Kind,
    may_wait: bool,
    interrupt: &Interrupt,
) -> Result<Saved, NotSaved> {
    let interrupted = || interrupt.requested().is_some();
    let order = Order { may_wait, ..order(context, recorder, kind, judged.policy.fast_undo) };
    let saving = Saving { context, judged, recorder, order, interrupted: &interrupted };
    let mut saved = Saved::default();
    let all = |saved: &mut Saved| {
        for (at, intention) in plan(context, judged)?.iter().enumerate() {
            saving.save(saved, at, &judged.judgement.targets[at].target, intention)?;
        }
        saving.finish(saved)
    };
    match all(&mut saved) {
        Ok(()) => Ok(saved),
        Err(failure) => Err(NotSaved { failure, manifests: saved.manifests }),
    }
}

/// Targets being saved.
pub(crate) struct Saving<'a> {
    pub(crate) context: &'a Context,
    pub(crate) judged: &'a Judged,
    pub(crate) recorder: &'a Recorder<'a>,
    pub(crate) order: Order<'a>,
    /// Tells whether to stop.
    pub(crate) interrupted: &'a (dyn Fn() -> bool + Sync),
}

impl Saving<'_> {
    /// Saves the target with the index `at`, as `target` has it.
    ///
    /// # Errors
    ///
    /// Why it was not saved. What was saved before is in `saved`.
    pub(crate) fn save(
        &self,
        saved: &mut Saved,
        at: usize,
        target: &Target,
        intention: &Intention,
    ) -> Result<(), SnapshotError> {
        let watch = Progress::new(format!("saving {}", target.shown()), &self.context.ui, self.interrupted);
        let receipt =
            snapshot::take(at, target, intention, &self.order, &watch).map_err(|error| error.about(target))?;
        if let Some((id, manifest)) = receipt.manifest() {
            saved.manifests.insert(id.to_owned(), manifest);
            saved.held.push(self.recorder.store().hold(id).map_err(SnapshotError::from)?);
        }
        saved.receipts.push(receipt);
        Ok(())
    }

    /// Clears away what earlier restores and too many snapshots have left.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn finish(&self, saved: &mut Saved) -> Result<(), Failure> {
        let Saving { context, judged, recorder, .. } = self;
        for receipt in saved.receipts.iter().filter(|receipt| !receipt.leftovers().is_empty()) {
            let target = &judged.judgement.targets[receipt.target()].target;
            let left = clearing::clear(context, recorder, target, receipt.leftovers(), judged.policy.keep_last());
            clearing::tell_changes(context, &left);
            saved.left.push((receipt.target(), left));
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
    }
}

/// Decides for every target what is to be done.
pub(crate) fn plan(context: &Context, judged: &Judged) -> Result<Vec<Intention>, SnapshotError> {
    judged
        .judgement
        .targets
        .iter()
        .map(|one| {
            snapshot::plan(&one.target, &judged.policy, &*context.disk)
                .map_err(|error| SnapshotError::from(error).about(&one.target))
        })
        .collect()
}

/// What is said where a run without a name goes on.
pub(crate) const GUARDED: &str = "guarded: a database that was not saved is refused";

/// What programs are told when a command starts.
#[derive(Serialize)]
struct RunStarted<'a> {
    schema: u32,
    event: &'static str,
    /// The run has no name and goes on for nothing but the guard.
    rests_on_the_guard: bool,
    judgement: &'a JudgementReport,
    snapshots: Vec<&'a str>,
    obstacles: Vec<SnapshotObstacle<'a>>,
    /// What became of the copies in servers that were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    copies: Vec<SnapshotCopy<'a>>,
    /// What restores have left on the targets' servers.
    leftovers: Vec<&'a Left>,
    /// The indices of the targets that are not up yet, and saved at their first connections.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_up_yet: Vec<usize>,
}

/// What keeps a snapshot from being put back whole, for programs.
#[derive(Serialize)]
pub(crate) struct SnapshotObstacle<'a> {
    snapshot: Option<&'a str>,
    #[serde(flatten)]
    obstacle: &'a Obstacle,
}

/// What became of the copy of a snapshot, for programs.
#[derive(Serialize)]
pub(crate) struct SnapshotCopy<'a> {
    snapshot: Option<&'a str>,
    /// Its name in the server.
    copy: Option<&'a str>,
    /// Why there is none.
    why: Option<&'a str>,
}

/// Lists what became of the copies that were asked for.
pub(crate) fn copies(receipts: &[Receipt]) -> Vec<SnapshotCopy<'_>> {
    receipts.iter().filter_map(copy_of).collect()
}

fn copy_of(receipt: &Receipt) -> Option<SnapshotCopy<'_>> {
    let (copy, why) = match receipt.copy()? {
        Copied::Kept { name } => (Some(name.as_str()), None),
        Copied::NotKept { why } => (None, Some(why.as_str())),
    };
    Some(SnapshotCopy { snapshot: receipt.snapshot(), copy, why })
}

/// Lists what keeps the snapshots from being put back whole.
pub(crate) fn obstacles(receipts: &[Receipt]) -> Vec<SnapshotObstacle<'_>> {
    let of = |receipt| -> (Option<&str>, &[Obstacle]) { (Receipt::snapshot(receipt), Receipt::obstacles(receipt)) };
    let each = receipts.iter().map(of);
    each.flat_map(|(snapshot, all)| all.iter().map(move |obstacle| SnapshotObstacle { snapshot, obstacle })).collect()
}

/// Prints the quiet lines before a command: what was judged and saved, and how to undo it.
pub(crate) fn announce(
    context: &Context,
    judged: &Judged,
    clearance: &Clearance,
    left: &[(usize, Vec<Left>)],
) -> Result<(), Failure> {
    let receipts = clearance.receipts();
    if context.ui.json {
        let snapshots = receipts.iter().filter_map(Receipt::snapshot).collect();
        let (obstacles, copies) = (obstacles(receipts), copies(receipts));
        let leftovers = left.iter().flat_map(|(_, left)| left).collect();
        let waits = |receipt: &&Receipt| *receipt.care() == Care::NotUpYet;
        let not_up_yet = receipts.iter().filter(waits).map(Receipt::target).collect();
        let (event, judgement, rests_on_the_guard) = ("run-started", &judged.report, clearance.rests_on_the_guard());
        let started = RunStarted {
            schema: 1,
            event,
            rests_on_the_guard,
            judgement,
            snapshots,
            obstacles,
            copies,
            leftovers,
            not_up_yet,
        };
        context.ui.warn_json(&report::json(&started)?);
        return Ok(());
    }
    for finding in judged.judgement.findings.iter().filter(|finding| finding.rule == "broken-file") {
        context.ui.say(format!("safe-test: note: {}", finding.message));
    }
    let verdict = judged.judgement.verdict;
    let mut findings = judged.judgement.findings.iter();
    let why = findings.find(|finding| finding.level > Level::Note || finding.rule == "no-database");
    let why = why.map_or("no database", |finding| finding.message.as_str());
    let (unnamed, guarded) = match clearance.rests_on_the_guard() {
        true => (format!("{why}; "), format!("; {GUARDED}")),
        false => (String::new(), String::new()),
    };
    if receipts.is_empty() {
        context.ui.say(format!("safe-test: {verdict}: {why}{guarded}"));
        return Ok(());
    }
    let beside = |receipt: &Receipt| {
        let left = left.iter().find(|(target, _)| *target == receipt.target())?;
        clearing::summary(&left.1).map(|summary| format!("; {summary}"))
    };
    let told = |receipt| format!("{}{}", part(judged, receipt), beside(receipt).unwrap_or_default());
    let is_nothing = |receipt: &Receipt| matches!(receipt.care(), Care::NothingToLose { .. });
    let nothing: Vec<usize> = receipts.iter().filter(|one| is_nothing(one)).map(Receipt::target).collect();
    let is_told = |receipt: &&Receipt| !is_told_by_another(judged, &nothing, receipt.target());
    let parts: Vec<String> = receipts.iter().filter(is_told).map(told).collect();
    let line = format!("safe-test: {verdict}: {unnamed}{}{guarded}", parts.join("; "));
    tell_saved(context, receipts, line);
    if context.ui.verbose {
        report::judgement_text(&judged.report, true).into_iter().for_each(|line| context.ui.say(line));
    }
    Ok(())
}

/// Says by `line` what is saved, and then how to put it back. What does not come back whole is said also where quiet was
/// asked for.
fn tell_saved(context: &Context, receipts: &[Receipt], line: String) {
    let (whole, not_whole): (Vec<&Receipt>, Vec<&Receipt>) =
        receipts.iter().filter(|receipt| receipt.snapshot().is_some()).partition(|one| one.obstacles().is_empty());
    if not_whole.is_empty() {
        context.ui.say(line);
    } else {
        context.ui.warn(line);
    }
    match (whole.as_slice(), not_whole.as_slice()) {
        ([_, _, ..], []) => context.ui.say("safe-test: to undo: safe-test restore latest"),
        (some, _) => {
            let ids = some.iter().filter_map(|receipt| receipt.snapshot());
            ids.for_each(|id| context.ui.say(format!("safe-test: to undo: safe-test restore {id}")));
        }
    }
    not_whole.into_iter().filter_map(instead_of_undoing).for_each(|line| context.ui.say(line));
}

/// What programs are told when targets were saved at their first connections.
#[derive(Serialize)]
struct SavedLate<'a> {
    schema: u32,
    event: &'static str,
    snapshots: Vec<&'a str>,
    obstacles: Vec<SnapshotObstacle<'a>>,
    notes: Vec<String>,
}

/// Prints what was saved while the command waits for it, and how to undo it.
pub(crate) fn announce_late(context: &Context, judged: &Judged, receipts: &[Receipt]) -> Result<(), Failure> {
    if context.ui.json {
        let (event, snapshots) = ("saved-at-first-connection", receipts.iter().filter_map(Receipt::snapshot).collect());
        let (obstacles, notes) = (obstacles(receipts), notes(judged, receipts));
        context.ui.warn_json(&report::json(&SavedLate { schema: 1, event, snapshots, obstacles, notes })?);
        return Ok(());
    }
    let parts: Vec<String> = receipts.iter().map(|receipt| part(judged, receipt)).collect();
    let line = format!("safe-test: at the first connection: {}", parts.join("; "));
    tell_saved(context, receipts, line);
    Ok(())
}

/// Tells whether the target at `at` is a file that is not there and but another reading of a value: of one that is there, or
/// was told before. `nothing` has the targets that are not there.
pub(crate) fn is_told_by_another(judged: &Judged, nothing: &[usize], at: usize) -> bool {
    let targets = &judged.judgement.targets;
    let counts = |other: usize| other < at || !nothing.contains(&other);
    nothing.contains(&at)
        && (0..targets.len())
            .any(|other| counts(other) && targets[at].target.is_another_reading_of(&targets[other].target))
}

/// Says what can be done where "to undo" would promise too much.
fn instead_of_undoing(receipt: &Receipt) -> Option<String> {
    let id = receipt.snapshot()?;
    let what_to_do = snapshot::remedy(receipt.obstacles())?;
    Some(match snapshot::worst(receipt.obstacles())? {
        Effect::NothingComesBack => format!("safe-test: {id} comes back only after this: {what_to_do}"),
        Effect::LeftOut => format!("safe-test: what comes back: safe-test restore {id}; for all of it: {what_to_do}"),
        Effect::InPlace => {
            format!("safe-test: to undo: safe-test restore {id}; to keep what it replaces: {what_to_do}")
        }
    })
}

/// Lists what a reader of the log should know of targets that have no snapshot of this run's own, or one that does not come
/// back whole, or not as fast as was asked for.
pub(crate) fn notes(judged: &Judged, receipts: &[Receipt]) -> Vec<String> {
    receipts
        .iter()
        .filter(|receipt| {
            let is_whole = matches!(receipt.care(), Care::Saved { .. }) && receipt.obstacles().is_empty();
            !is_whole || matches!(receipt.copy(), Some(Copied::NotKept { .. }))
        })
        .map(|receipt| part(judged, receipt))
        .collect()
}

fn part(judged: &Judged, receipt: &Receipt) -> String {
    let target = judged.judgement.targets.get(receipt.target()).map(|one| one.target.shown()).unwrap_or_default();
    let but = snapshot::not_whole(receipt.obstacles()).map(|why| format!(", but {why}")).unwrap_or_default();
    match receipt.care() {
        Care::Saved { size, copy, .. } => {
            let (with, without) = match copy {
                Some(Copied::Kept { .. }) => (", with a copy in the server", String::new()),
                Some(Copied::NotKept { why }) => ("", format!(", without a copy in the server: {why}")),
                None => ("", String::new()),
            };
            format!("{target} saved ({}, verified{with}){but}{without}", bytes(*size))
        }
        Care::Unchanged { id, .. } => format!("{target} unchanged since {id}{but}"),
        Care::NothingToLose { reason } | Care::LeftToPolicy { reason } => {
            format!("{target} not saved: {}", reason)
        }
        Care::NotUpYet => format!("{target} not up yet: saved at its first connection"),
    }
}
