//! Says what was saved: before a command, at its first connections, and in the log.

use std::error::Error;

use serde::Serialize;

use crate::audit::JudgementReport;
use crate::clearance::{Clearance, ClearanceError};
use crate::commands::clearing;
use crate::commands::clearing::Left;
use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::commands::report;
use crate::error::Failure;
use crate::snapshot;
use crate::snapshot::{ABSENT, Care, Copied, Effect, Obstacle, Receipt};
use crate::ui::bytes;
use crate::verdict::Level;

/// Says what made a run less safe than it was judged to be, where that is why nothing goes on: what was found beside its
/// targets.
pub(crate) fn tell_refusal(context: &Context, judged: &Judged, failure: &Failure) {
    let error: &dyn Error = failure.error();
    if error.is::<ClearanceError>() {
        report::refusal_text(&judged.report).into_iter().for_each(|line| context.ui.warn(line));
    }
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

/// Says what became of a copy that was asked for: after what was saved, and at the end.
fn told_of(copy: Option<&Copied>) -> (&'static str, String) {
    match copy {
        Some(Copied::Kept { .. }) => (", with a copy in the server", String::new()),
        Some(Copied::NotKept { why }) => ("", format!(", without a copy in the server: {why}")),
        None => ("", String::new()),
    }
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
            let (with, without) = told_of(copy.as_ref());
            format!("{target} saved ({}, verified{with}){but}{without}", bytes(*size))
        }
        Care::Unchanged { id, copy, .. } => {
            let (with, without) = told_of(copy.as_ref());
            format!("{target} unchanged since {id}{with}{but}{without}")
        }
        Care::NothingToLose { reason } | Care::LeftToPolicy { reason } => {
            format!("{target} not saved: {}", reason)
        }
        Care::OneWith { target: other } => format!("{target} is the same database as {}", shown(*other)),
        Care::NotUpYet => format!("{target} not up yet: saved at its first connection"),
    }
}
