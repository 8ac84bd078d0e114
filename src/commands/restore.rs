//! `safe-test restore`: verify, safety snapshot, restore beside, compare, swap.

use std::ffi::OsStr;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::context::Context;
use super::judging::{self, Judged};
use super::recording::{Recorder, record_refusal};
use super::{CommandError, Ending, disk::Disk, report};
use crate::audit::{self, Event};
use crate::clearance::{ClearanceError, Consent};
use crate::error::Failure;
use crate::exec::{self, Inherited, Interrupt};
use crate::exit::Exit;
use crate::snapshot::{self, Kind, Level, Order, Receipt, Request, SnapshotError, Store, Stored};
use crate::target::Target;
use crate::ui::{Progress, bytes, printable};
use crate::verdict::Verdict;

pub(super) fn restore(context: &mut Context, id: &OsStr, yes: bool, inherited: &Inherited) -> Result<Ending, Failure> {
    let (policy, _) = judging::policy_in_force(context)?;
    let store = Store::locate(&context.project.root, policy.snapshots.directory.as_deref())?;
    let mut wanted = find(&store, &context.project.folder, id, context.clock())?;
    wanted.iter_mut().for_each(|stored| stored.manifest.follow_project(&context.project.root));
    let judged = judging::judge_snapshots(context, &wanted)?;
    let command = ["safe-test".into(), "restore".into(), id.to_owned()];
    if judged.judgement.verdict != Verdict::Safe && !vouched(context, &judged) {
        for line in report::refusal_text(&judged, &context.ui) {
            context.ui.warn(&line);
        }
        record_refusal(context, &judged, &Recorder::new(context, &judged, &command));
        return Err(ClearanceError::Verdict(judged.judgement.verdict).into());
    }
    refuse_other_projects(context, &wanted, &judged)?;
    confirm(context, &wanted, yes)?;
    let recorder = Recorder::new(context, &judged, &command)?;
    let pairs: Vec<(Stored, Target)> =
        wanted.into_iter().zip(judged.judgement.targets.iter().map(|one| one.target.clone())).collect();
    let interrupt = Interrupt::listen(inherited).map_err(exec::ExecError::Signals)?;
    match put_back(context, &recorder, &pairs, &interrupt) {
        Ok(restored) => {
            answer(context, &restored)?;
            Ok(Ending::Own(Exit::Success))
        }
        Err(Stopped { failure, done, is_underway }) => {
            let not_done = match (done, is_underway) {
                (0, false) => "nothing was changed".to_owned(),
                (done, false) => format!("{done} of {} databases are back; the others were not changed", pairs.len()),
                (done, true) => format!("{done} of {} databases are back", pairs.len()),
            };
            context.ui.fail(&failure, &not_done);
            Ok(interrupt.requested().map_or_else(|| Ending::Own(failure.error().exit()), Ending::Signal))
        }
    }
}

/// Why a restore ended early, how many databases were back by then, and whether one may have been changed.
struct Stopped {
    failure: Failure,
    done: usize,
    is_underway: bool,
}

impl<E: Into<Failure>> From<E> for Stopped {
    fn from(failure: E) -> Self {
        Stopped { failure: failure.into(), done: 0, is_underway: false }
    }
}

/// Puts back what a run changed, where it was asked for.
pub(super) fn after_run(
    context: &Context,
    judged: &Judged,
    recorder: &Recorder<'_>,
    receipts: &[Receipt],
    inherited: &Inherited,
) -> Result<(), Failure> {
    let mut pairs = Vec::new();
    for receipt in receipts {
        let (Some(id), Some(one)) = (receipt.snapshot(), judged.judgement.targets.get(receipt.target())) else {
            continue;
        };
        pairs.push((recorder.store().read_manifest(id)?, one.target.clone()));
    }
    let interrupt = Interrupt::listen(inherited).map_err(exec::ExecError::Signals)?;
    for done in put_back(context, recorder, &pairs, &interrupt).map_err(|stopped| stopped.failure)? {
        context.ui.say(&format!("safe-test: {}", done.line()));
    }
    Ok(())
}

/// One database that is back.
struct PutBack {
    id: String,
    target: String,
    safety: Option<String>,
    notes: Vec<String>,
}

impl PutBack {
    fn line(&self) -> String {
        let undo =
            self.safety.as_ref().map(|safety| format!("; to undo: safe-test restore {safety}")).unwrap_or_default();
        format!("{} is back as of {}{undo}", printable(&self.target), self.id)
    }
}

/// What was there before a restore: its safety snapshot, where there was something, or that it could not be read.
struct Before {
    safety: Option<String>,
    damaged: bool,
}

/// Verifies every snapshot and saves every database before the first database is touched; stops at the first that fails and says which are
/// back by then.
fn put_back(
    context: &Context,
    recorder: &Recorder<'_>,
    pairs: &[(Stored, Target)],
    interrupt: &Interrupt,
) -> Result<Vec<PutBack>, Stopped> {
    let interrupted = || interrupt.requested().is_some();
    let progress = |what: &str, target: &Target| {
        Progress::new(format!("{what} {}", printable(&target.shown())), &context.ui, &interrupted)
    };
    let request = |stored, target| Request {
        stored,
        target,
        environment: &context.process,
        now: context.clock(),
        damaged: false,
    };
    // No prune takes them away meanwhile.
    let _held =
        pairs.iter().map(|(stored, _)| recorder.store().hold(&stored.manifest.id)).collect::<Result<Vec<_>, _>>()?;
    for (stored, target) in pairs {
        if let Err(error) = snapshot::verify(&request(stored, target), Level::Read, &progress("verifying", target)) {
            let (snapshots, safety) = (Vec::new(), Vec::new());
            recorder.record_ending(Event::Restore(audit::Restored {
                snapshots,
                safety,
                failure: Some(error.to_string()),
            }));
            return Err(error.into());
        }
    }
    recorder.prepare()?;
    let order = Order {
        project: &context.project.root,
        store: recorder.store(),
        kind: Kind::Safety,
        run: recorder.run(),
        now: context.clock(),
        environment: &context.process,
        may_reuse: false,
    };
    let not_restored = |target: &Target, safety: Option<String>| {
        let shown = target.shown();
        move |cause| SnapshotError::NotRestored { shown, safety, cause: Box::new(cause) }
    };
    let save = |at: usize, target: &Target| -> Result<Before, SnapshotError> {
        let step = snapshot::plan(target, &Default::default(), &Disk)?;
        match snapshot::take(at, target, &step, &order, &progress("saving", target)) {
            Err(error) if error.says_that_the_database_is_damaged() => Ok(Before { safety: None, damaged: true }),
            taken => Ok(Before { safety: taken?.snapshot().map(str::to_owned), damaged: false }),
        }
    };
    let mut done: Vec<PutBack> = Vec::new();
    let outcome = (|| -> Result<(), SnapshotError> {
        // All of them first: two names may lead to one database, which the first restore changes for the second.
        let before =
            pairs.iter().enumerate().map(|(at, (_, target))| save(at, target).map_err(not_restored(target, None)));
        let before = before.collect::<Result<Vec<_>, _>>()?;
        for ((stored, target), Before { safety, damaged }) in pairs.iter().zip(before) {
            let request = Request { damaged, ..request(stored, target) };
            let notes = snapshot::restore(&request, &progress("restoring", target))
                .map_err(not_restored(target, safety.clone()))?;
            done.push(PutBack { id: stored.manifest.id.clone(), target: target.shown(), safety, notes });
        }
        Ok(())
    })();
    recorder.record_ending(Event::Restore(audit::Restored {
        snapshots: done.iter().map(|one| one.id.clone()).collect(),
        safety: done.iter().filter_map(|one| one.safety.clone()).collect(),
        failure: outcome.as_ref().err().map(with_cause),
    }));
    if let Err(error) = outcome {
        for one in &done {
            context.ui.warn(&format!("safe-test: {}", one.line()));
        }
        let is_underway = error.may_have_changed_the_database();
        return Err(Stopped { failure: error.into(), done: done.len(), is_underway });
    }
    Ok(done)
}

/// An error with its next cause, for the log.
fn with_cause(error: &SnapshotError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

fn answer(context: &Context, restored: &[PutBack]) -> Result<(), Failure> {
    let text = if context.ui.json {
        let rows: Vec<_> = restored
            .iter()
            .map(|one| json!({ "snapshot": one.id, "target": one.target, "safety": one.safety, "notes": one.notes }))
            .collect();
        format!("{}\n", json!({ "schema": 1, "restored": rows }))
    } else {
        restored
            .iter()
            .flat_map(|one| {
                std::iter::once(one.line()).chain(one.notes.iter().map(|note| format!("  {}", printable(note))))
            })
            .map(|line| line + "\n")
            .collect()
    };
    context.ui.answer(&text).map_err(CommandError::Output)?;
    Ok(())
}

/// The snapshots that `id` names: one, or for `latest` all of the newest run's or manual one's.
pub(super) fn find(store: &Store, folder: &Path, id: &OsStr, now: DateTime<Utc>) -> Result<Vec<Stored>, Failure> {
    let text = id.to_string_lossy();
    let unknown = || CommandError::UnknownSnapshot { id: text.clone().into_owned() };
    if text == "latest" {
        let (stored, broken) = store.list()?;
        let latest = snapshot::latest(stored, now);
        if let Some(error) = snapshot::unread_since(&latest, broken) {
            return Err(error.into());
        }
        return if latest.is_empty() {
            Err(CommandError::NoSnapshot { directory: store.directory().to_owned() }.into())
        } else {
            Ok(latest)
        };
    }
    let path = Path::new(id);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).ok_or_else(unknown)?;
    let bare = name.strip_suffix(".dump").or_else(|| name.strip_suffix(".json")).unwrap_or(&name);
    let is_elsewhere = path.components().count() > 1
        && folder.join(path).parent().map(Path::canonicalize).and_then(Result::ok)
            != store.directory().canonicalize().ok();
    if is_elsewhere {
        return Err(unknown().into());
    }
    let dump = store.directory().join(format!("{bare}.dump"));
    match store.read_manifest(bare) {
        Ok(stored) => Ok(vec![stored]),
        Err(_) if dump.exists() && !store.directory().join(format!("{bare}.json")).exists() => {
            Err(CommandError::Leftover { path: dump }.into())
        }
        Err(_) if !dump.exists() => Err(unknown().into()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a person at the terminal vouches for an unverified target by typing its name.
fn vouched(context: &Context, judged: &Judged) -> bool {
    if judged.judgement.verdict == Verdict::Production || !context.caller.can_be_asked() {
        return false;
    }
    for line in report::refusal_text(judged, &context.ui) {
        context.ui.warn(&line.replace("refused:", "not shown to be safe:"));
    }
    let folder = context.project.root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let questions = Consent::questions(&judged.judgement, &folder);
    let answers = questions
        .iter()
        .map(|name| context.ui.ask(&format!("To go on, type the name {}:", printable(name))).unwrap_or_default())
        .collect();
    Consent::from_answers(&questions, answers).is_some()
}

/// The snapshots of a project that was copied are of the original's databases: they are not put back from the copy.
fn refuse_other_projects(context: &Context, wanted: &[Stored], judged: &Judged) -> Result<(), CommandError> {
    let root = context.project.root.to_string_lossy();
    for (stored, one) in wanted.iter().zip(&judged.judgement.targets) {
        let manifest = &stored.manifest;
        let is_of_another = manifest.project.as_ref().is_some_and(|project| *project != root);
        if is_of_another && !judging::is_named_by_the_project(&one.target) {
            return Err(CommandError::OtherProject { id: manifest.id.clone(), address: manifest.target.clone() });
        }
    }
    Ok(())
}

/// Shows what would be replaced and asks, at a terminal. Elsewhere it goes on: the safety snapshot undoes it.
fn confirm(context: &Context, wanted: &[Stored], yes: bool) -> Result<(), Failure> {
    for stored in wanted {
        let manifest = &stored.manifest;
        context.ui.say(&format!(
            "safe-test: {} will be replaced by {} of {} ({}, {})",
            printable(&manifest.target),
            manifest.id,
            manifest.taken_at.format("%Y-%m-%d %H:%M:%SZ"),
            bytes(manifest.size),
            match manifest.tables.len() {
                1 => "1 table".to_owned(),
                tables => format!("{tables} tables"),
            },
        ));
    }
    if yes || !context.caller.can_be_asked() {
        return Ok(());
    }
    match context.ui.ask("Go on? A safety snapshot is taken first. [y/N]").as_deref().map(str::trim) {
        Some("y" | "Y" | "yes") => Ok(()),
        _ => Err(CommandError::NotConfirmed { what: "the restore" }.into()),
    }
}
