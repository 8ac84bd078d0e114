//! `safe-test prune`: applies retention; `--dry-run` shows keep and drop with reasons.

use crate::audit::{Event, KnownSnapshots, Log, Pruned};
use crate::commands::clearing::{Fate, Left};
use crate::commands::context::Context;
use crate::commands::recording::Recorder;
use crate::commands::{CommandError, clearing, policy_file, report};
use crate::error::Failure;
use crate::exec;
use crate::exit::Exit;
use crate::snapshot;
use crate::snapshot::{Decision, NOT_KNOWN, Store, StoreError, Stored};
use crate::text::shown;

pub(crate) fn prune(context: &mut Context, dry_run: bool) -> Result<Exit, Failure> {
    let policy = policy_file::in_force(context)?.policy;
    let store = Store::locate(&context.project.root, policy.snapshots.directory.as_deref())?;
    let (stored, _) = store.list()?;
    let past = KnownSnapshots::of(&Log::open(&store.log(), &context.state_directory));
    // A damaged snapshot is neither counted nor dropped: it must not push out the last good one. One that was not made
    // here is somebody's file.
    let is_known = |stored: &&Stored| stored.standing(&past).is_known();
    let (known, unknown): (Vec<&Stored>, Vec<&Stored>) = store.whole(&stored).into_iter().partition(is_known);
    let mut decisions = snapshot::decide(&known, policy.keep_last(), context.now, &|_| true);
    let stays = |stored: &Stored| Decision { id: stored.manifest.id.clone(), keep: true, reason: NOT_KNOWN.to_owned() };
    decisions.extend(unknown.into_iter().map(stays));
    exec::would_say(&"the prune is not finished; `safe-test list` shows what is left");
    let dropped = if dry_run || context.dry_run { Vec::new() } else { drop_old(&store, &stored, &decisions)? };
    if !dropped.is_empty() {
        let command = vec!["safe-test".to_owned(), "prune".to_owned()];
        let recorder = Recorder::plain(context, store.clone(), command);
        recorder.record(Event::Prune(Pruned { snapshots: dropped, databases: Vec::new() }))?;
    }
    let left = databases(context, &store, policy.keep_last(), dry_run || context.dry_run)?;
    let decision = |one: &Left| Decision {
        id: one.leftover.name.clone(),
        keep: !matches!(one.fate, Fate::Due | Fate::Dropped),
        reason: one.reason.clone(),
    };
    decisions.extend(left.iter().map(decision));
    let answered = if context.ui.json {
        context.ui.answer_json(&report::json(&decisions)?)
    } else if decisions.is_empty() {
        context.ui.answer([format!("no snapshots in {}", shown(store.directory()))])
    } else {
        let line = |one: &Decision| format!("{} {}  {}", if one.keep { "keep" } else { "drop" }, one.id, one.reason);
        context.ui.answer(decisions.iter().map(line))
    };
    answered.map_err(CommandError::Output)?;
    clearing::tell_changes(context, &left);
    Ok(if left.iter().any(|one| one.fate == Fate::Failed) { Exit::Failed } else { Exit::Success })
}

/// Drops what restores have left on servers, where it is due. One that cannot be dropped does not keep the others.
fn databases(context: &Context, store: &Store, keep_last: usize, dry_run: bool) -> Result<Vec<Left>, Failure> {
    let recorder = Recorder::plain(context, store.clone(), vec!["safe-test".to_owned(), "prune".to_owned()]);
    let mut all = Vec::new();
    for (target, leftovers) in clearing::look(context, recorder.past())? {
        all.extend(match dry_run {
            true => clearing::foresee(&leftovers, keep_last, store),
            false => clearing::clear(context, &recorder, &target, &leftovers, keep_last),
        });
    }
    Ok(all)
}

/// Drops what the decisions say, except what a running command needs; gives the names that went.
pub(crate) fn drop_old(store: &Store, stored: &[Stored], decisions: &[Decision]) -> Result<Vec<String>, Failure> {
    let mut dropped = Vec::new();
    for decision in decisions.iter().filter(|decision| !decision.keep) {
        let Some(snapshot) = stored.iter().find(|snapshot| snapshot.manifest.id == decision.id) else { continue };
        match store.remove(snapshot) {
            Ok(()) => dropped.push(decision.id.clone()),
            Err(StoreError::InUse { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(dropped)
}
