//! Saving every target before something may touch it.

use std::fs::File;

use serde_json::json;

use crate::commands::Ending;
use crate::commands::context::Context;
use crate::commands::disk::Disk;
use crate::commands::judging::Judged;
use crate::commands::prune::drop_old;
use crate::error::Failure;
use crate::exec::Interrupt;
use crate::exit::Exit;
use crate::snapshot;
use crate::snapshot::{Care, Kind, Manifest, Order, Receipt, SnapshotError, Step, Store};
use crate::text::printable;
use crate::ui::{Progress, bytes};

/// What was saved.
pub(crate) struct Saved {
    /// One receipt for each target.
    pub(crate) receipts: Vec<Receipt>,
    /// Keeps the snapshots from being pruned while the command runs.
    _held: Vec<File>,
}

/// Plans for every target first, so that one that cannot be saved costs no dump of the others; then takes them.
pub(crate) fn save(
    context: &Context,
    judged: &Judged,
    store: &Store,
    kind: Kind,
    run: &str,
    interrupt: &Interrupt,
) -> Result<Saved, Failure> {
    let steps = plan(judged)?;
    let order = Order {
        project: &context.project.root,
        store,
        kind,
        run,
        now: context.clock(),
        environment: &context.process,
        may_reuse: kind == Kind::Run,
    };
    let interrupted = || interrupt.requested().is_some();
    let (mut receipts, mut held) = (Vec::new(), Vec::new());
    for (at, (one, step)) in judged.judgement.targets.iter().zip(&steps).enumerate() {
        let watch = Progress::new(format!("saving {}", printable(&one.target.shown())), &context.ui, &interrupted);
        let receipt =
            snapshot::take(at, &one.target, step, &order, &watch).map_err(|error| error.about(&one.target))?;
        if let Some(id) = receipt.snapshot() {
            held.push(store.hold(id).map_err(SnapshotError::from)?);
        }
        receipts.push(receipt);
    }
    if receipts.iter().any(|receipt| matches!(receipt.care(), Care::Saved { .. })) {
        retain(context, judged, store)?;
    }
    Ok(Saved { receipts, _held: held })
}

/// Applies retention after a verified snapshot. What cannot be removed now is removed next time.
fn retain(context: &Context, judged: &Judged, store: &Store) -> Result<(), Failure> {
    let (stored, _) = store.list()?;
    // A damaged snapshot is neither counted nor dropped: it must not push out the last good one.
    let manifests: Vec<&Manifest> = store.whole(&stored).into_iter().map(|snapshot| &snapshot.manifest).collect();
    let decisions = snapshot::decide(&manifests, judged.policy.keep_last(), context.clock());
    if let Err(failure) = drop_old(store, &stored, &decisions) {
        context.ui.warn(&format!("safe-test: an old snapshot stays: {}", failure.error()));
    }
    Ok(())
}

fn plan(judged: &Judged) -> Result<Vec<Step>, SnapshotError> {
    judged
        .judgement
        .targets
        .iter()
        .map(|one| {
            snapshot::plan(&one.target, &judged.policy, &Disk)
                .map_err(|error| SnapshotError::from(error).about(&one.target))
        })
        .collect()
}

/// `--dry-run`: what would be done, and nothing else.
pub(crate) fn show_plan(context: &Context, judged: &Judged) -> Result<Ending, Failure> {
    const NOT_RUN: &str = "the command was not run";
    let steps = plan(judged)?;
    let how = |step: &Step| match step {
        Step::Sqlite { .. } => (true, "built-in SQLite".to_owned()),
        Step::Postgres => (true, "pg_dump".to_owned()),
        Step::NothingToLose(reason) | Step::LeftToPolicy(reason) => (false, reason.clone()),
    };
    if context.ui.json {
        let plan = steps.iter().enumerate().map(|(at, step)| {
            let (saved, how) = how(step);
            json!({ "target": at, "saved": saved, "how": how })
        });
        let report = crate::commands::report::judgement_json(judged, &context.caller);
        let shown = json!({
            "schema": 1, "event": "dry-run", "judgement": report, "plan": plan.collect::<Vec<_>>(), "message": NOT_RUN,
        });
        context.ui.warn(&shown.to_string());
        return Ok(Ending::Own(Exit::Success));
    }
    for (one, step) in judged.judgement.targets.iter().zip(&steps) {
        let what = match how(step) {
            (true, tool) => format!("would be saved ({tool})"),
            (false, reason) => format!("would not be saved: {reason}"),
        };
        context.ui.warn(&format!("safe-test: {}: {}; {what}", one.verdict, printable(&one.target.shown())));
    }
    context.ui.warn(&format!("safe-test: dry run: {NOT_RUN}"));
    Ok(Ending::Own(Exit::Success))
}

/// The quiet lines before a command: what was judged and saved, and how to undo it.
pub(crate) fn announce(context: &Context, judged: &Judged, receipts: &[Receipt]) {
    if context.ui.json {
        let report = crate::commands::report::judgement_json(judged, &context.caller);
        let snapshots: Vec<&str> = receipts.iter().filter_map(Receipt::snapshot).collect();
        context.ui.warn(
            &json!({ "schema": 1, "event": "run-started", "judgement": report, "snapshots": snapshots }).to_string(),
        );
        return;
    }
    for finding in judged.judgement.findings.iter().filter(|finding| finding.rule == "broken-file") {
        context.ui.say(&format!("safe-test: note: {}", printable(&finding.message)));
    }
    let verdict = judged.judgement.verdict;
    if receipts.is_empty() {
        let why = judged
            .judgement
            .findings
            .iter()
            .find(|finding| finding.rule == "no-database")
            .map_or("no database", |note| note.message.as_str());
        context.ui.say(&format!("safe-test: {verdict}: {}", printable(why)));
        return;
    }
    let parts: Vec<String> = receipts.iter().map(|receipt| part(judged, receipt)).collect();
    context.ui.say(&format!("safe-test: {verdict}: {}", parts.join("; ")));
    let saved: Vec<&str> = receipts.iter().filter_map(Receipt::snapshot).collect();
    match saved.as_slice() {
        [] => {}
        [only] => context.ui.say(&format!("safe-test: to undo: safe-test restore {only}")),
        _ => context.ui.say("safe-test: to undo: safe-test restore latest"),
    }
    if context.ui.verbose {
        context.ui.say(crate::commands::report::judgement_text(judged, &context.ui).trim_end());
    }
}

/// What a reader of the log should know of targets that have no snapshot of this run's own.
pub(crate) fn notes(judged: &Judged, receipts: &[Receipt]) -> Vec<String> {
    receipts
        .iter()
        .filter(|receipt| !matches!(receipt.care(), Care::Saved { .. }))
        .map(|receipt| part(judged, receipt))
        .collect()
}

fn part(judged: &Judged, receipt: &Receipt) -> String {
    let target =
        judged.judgement.targets.get(receipt.target()).map(|one| printable(&one.target.shown())).unwrap_or_default();
    match receipt.care() {
        Care::Saved { size, .. } => format!("{target} saved ({}, verified)", bytes(*size)),
        Care::Unchanged { id, .. } => format!("{target} unchanged since {id}"),
        Care::NothingToLose { reason } | Care::LeftToPolicy { reason } => {
            format!("{target} not saved: {}", printable(reason))
        }
    }
}
