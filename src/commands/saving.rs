//! Saves every target before something may touch it.

use std::cell::RefCell;
use std::error::Error;
use std::fs::File;

use serde::Serialize;

use crate::audit::{JudgementReport, Manifests};
use crate::clearance::{Clearance, ClearanceError};
use crate::commands::clearing::Left;
use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::commands::prune::drop_old;
use crate::commands::recording::Recorder;
use crate::commands::report;
use crate::commands::{clearing, derived, service_advice};
use crate::error::Failure;
use crate::exec::Interrupt;
use crate::reach::Target;
use crate::snapshot;
use crate::snapshot::{
    ABSENT, Care, Copied, Effect, Intention, Kind, Met, Obstacle, Order, Receipt, SnapshotError, Standing, Stored,
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
        plan(context, judged)?;
        let mut at = 0;
        while let Some(one) = judged.judgement.targets.get(at) {
            let target = one.target.clone();
            saving.save(saved, judged, at, &target)?;
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

/// Says what made a run less safe than it was judged to be, where that is why nothing goes on: what was found beside its
/// targets.
pub(crate) fn tell_refusal(context: &Context, judged: &Judged, failure: &Failure) {
    let error: &dyn Error = failure.error();
    if error.is::<ClearanceError>() {
        report::refusal_text(&judged.report).into_iter().for_each(|line| context.ui.warn(line));
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
    /// Saves the target with the index `at`, as `target` has it.
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
    ) -> Result<(), SnapshotError> {
        let intention = intention(self.context, judged, target)?;
        let watch = Progress::new(format!("saving {}", target.shown()), &self.context.ui, self.interrupted);
        let receipt = snapshot::take(at, target, &intention, &self.order, &watch).map_err(|error| {
            let advice = service_advice::advice(self.context, judged, target, &error);
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
    snapshot::plan(target, &judged.policy, &*context.disk).map_err(|error| SnapshotError::from(error).about(target))
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
    let told = |receipt| format!("{}{}", part(judged, receipts, receipt), beside(receipt).unwrap_or_default());
    let parts: Vec<String> = worth_telling(judged, receipts).map(told).collect();
    let line = format!("safe-test: {verdict}: {unnamed}{}{guarded}", parts.join("; "));
    let mut lines = vec![line];
    if context.ui.is_too_long(&lines[0]) && parts.len() > 1 {
        lines = vec![format!("safe-test: {verdict}: {unnamed}{} databases{guarded}", parts.len())];
        lines.extend(parts.iter().map(|part| format!("  {part}")));
    }
    tell_saved(context, receipts, lines);
    if context.ui.verbose {
        report::judgement_text(&judged.report, true).into_iter().for_each(|line| context.ui.say(line));
    }
    Ok(())
}

/// Says by `lines` what is saved, and then how to put it back. What does not come back whole is said also where quiet was
/// asked for.
fn tell_saved(context: &Context, receipts: &[Receipt], lines: Vec<String>) {
    let (whole, not_whole): (Vec<&Receipt>, Vec<&Receipt>) =
        receipts.iter().filter(|receipt| receipt.snapshot().is_some()).partition(|one| one.obstacles().is_empty());
    for line in lines {
        if not_whole.is_empty() {
            context.ui.say(line);
        } else {
            context.ui.warn(line);
        }
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
    let parts: Vec<String> = worth_telling(judged, receipts).map(|receipt| part(judged, receipts, receipt)).collect();
    let line = format!("safe-test: at the first connection: {}", parts.join("; "));
    tell_saved(context, receipts, vec![line]);
    Ok(())
}

/// Leaves out what another receipt tells as well: databases that are one with another, and those that are not there unless
/// nothing else is.
fn worth_telling<'r>(judged: &Judged, receipts: &'r [Receipt]) -> impl Iterator<Item = &'r Receipt> {
    let is_nothing = |receipt: &Receipt| matches!(receipt.care(), Care::NothingToLose { .. });
    let is_absent = |receipt: &Receipt| matches!(receipt.care(), Care::NothingToLose { reason } if reason == ABSENT);
    let nothing: Vec<usize> = receipts.iter().filter(|one| is_nothing(one)).map(Receipt::target).collect();
    let is_one = |receipt: &Receipt| matches!(receipt.care(), Care::OneWith { .. });
    let all_are_absent = receipts.iter().all(is_absent);
    let is_told = |receipt: &&Receipt| {
        !is_one(receipt)
            && (all_are_absent || !is_absent(receipt))
            && !is_told_by_another(judged, &nothing, receipt.target())
    };
    receipts.iter().filter(is_told).collect::<Vec<_>>().into_iter()
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
        .map(|receipt| part(judged, receipts, receipt))
        .collect()
}

/// Says what was done about one target. What it is called besides is said with it.
fn part(judged: &Judged, receipts: &[Receipt], receipt: &Receipt) -> String {
    let shown = |at: usize| judged.judgement.targets.get(at).map(|one| one.target.shown()).unwrap_or_default();
    let derived = judged.report.targets.get(receipt.target()).and_then(|one| one.derived_by.as_deref());
    let derived = derived.map(|by| format!(", of {by},")).unwrap_or_default();
    let is_one = |other: &&Receipt| matches!(other.care(), Care::OneWith { target } if *target == receipt.target());
    let places = |at: usize| {
        let places = judged.judgement.targets.get(at).map(|one| one.target.places.iter().map(ToString::to_string));
        places.into_iter().flatten().collect::<Vec<_>>().join(", ")
    };
    let others: Vec<String> = receipts.iter().filter(is_one).map(|other| places(other.target())).collect();
    let also = if others.is_empty() { String::new() } else { format!(" (the same as on {})", others.join(" and ")) };
    let target = format!("{}{derived}{also}", shown(receipt.target()));
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
        Care::OneWith { target: other } => format!("{target} is the same database as {}", shown(*other)),
        Care::NotUpYet => format!("{target} not up yet: saved at its first connection"),
    }
}
