//! `safe-test snapshot`: takes verified snapshots now, always new ones.

use serde::Serialize;

use crate::audit::{Event, Saved};
use crate::clearance::ClearanceError;
use crate::commands::around::Around;
use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::commands::recording::{Recorder, record_refusal};
use crate::commands::saving::NotSaved;
use crate::commands::telling_saved::{SnapshotCopy, SnapshotObstacle};
use crate::commands::{CommandError, Ending, judging, report, saving, telling_saved};
use crate::error::Failure;
use crate::exec;
use crate::exec::{Inherited, Interrupt};
use crate::exit::Exit;
use crate::reach::Target;
use crate::snapshot::Kind;
use crate::verdict::Verdict;

pub(crate) fn snapshot(context: &mut Context, inherited: &Inherited) -> Result<Ending, Failure> {
    let mut judged = judging::judge(context, None)?;
    let recorder = Recorder::own(context, &judged, &["safe-test", "snapshot"]);
    // Saving reads only, but a dump of production on a developer's disk is an accident of its own.
    // What lies in the project is safe by itself, whatever nothing names besides: nothing is run.
    let lies_there = judged.judgement.can_be_guarded() && !judged.judgement.targets.is_empty();
    if judged.judgement.verdict != Verdict::Safe && !lies_there {
        for line in report::refusal_text(&judged.report) {
            context.ui.warn(line);
        }
        record_refusal(context, &judged, recorder.as_ref());
        return Err(ClearanceError::Verdict(judged.judgement.verdict).into());
    }
    let recorder = recorder?;
    let interrupt = Interrupt::listen(inherited).map_err(exec::ExecError::Signals)?;
    recorder.prepare()?;
    let around = Around::reaching(&targets_of(&judged));
    let saved = match saving::save(context, &mut judged, &recorder, Kind::Manual, false, &interrupt) {
        Ok(saved) => saved,
        Err(NotSaved { failure, manifests }) => {
            telling_saved::tell_refusal(context, &judged, &failure);
            if !manifests.is_empty() {
                let snapshots = manifests.keys().cloned().collect();
                recorder.record_ending(Event::Snapshot(Saved { snapshots, manifests, ..Saved::default() }));
            }
            let Some(signal) = interrupt.requested() else { return Err(failure) };
            context.ui.fail(&failure, "not every database was saved");
            return Ok(Ending::Signal(signal));
        }
    };
    let ids: Vec<String> = saved.receipts.iter().filter_map(|receipt| receipt.snapshot().map(str::to_owned)).collect();
    let notes = telling_saved::notes(&judged, &saved.receipts);
    let (snapshots, manifests) = (ids.clone(), saved.manifests);
    recorder.record(Event::Snapshot(Saved {
        snapshots,
        manifests,
        targets: judged.report.targets.clone(),
        notes: notes.clone(),
    }))?;
    around.are_saved(context, &targets_of(&judged));
    let answered = if context.ui.json {
        context.ui.answer_json(&report::json(&Told {
            schema: 1,
            snapshots: &ids,
            obstacles: telling_saved::obstacles(&saved.receipts),
            copies: telling_saved::copies(&saved.receipts),
        })?)
    } else {
        context.ui.answer(ids)
    };
    answered.map_err(CommandError::Output)?;
    for note in notes {
        context.ui.say(format!("safe-test: {note}"));
    }
    Ok(Ending::Own(Exit::Success))
}

/// The answer for programs.
#[derive(Serialize)]
struct Told<'a> {
    schema: u32,
    snapshots: &'a [String],
    obstacles: Vec<SnapshotObstacle<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    copies: Vec<SnapshotCopy<'a>>,
}

fn targets_of(judged: &Judged) -> Vec<&Target> {
    judged.judgement.targets.iter().map(|one| &one.target).collect()
}
