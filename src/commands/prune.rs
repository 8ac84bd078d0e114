//! `safe-test prune`: applies retention; `--dry-run` shows keep and drop with reasons.

use crate::audit::{Event, KnownSnapshots, Log, Pruned};
use crate::commands::context::Context;
use crate::commands::recording::Recorder;
use crate::commands::{CommandError, judging, policy_file, report};
use crate::error::Failure;
use crate::exec;
use crate::exit::Exit;
use crate::snapshot;
use crate::snapshot::{Decision, Fate, NOT_KNOWN, Store, StoreError, Stored};
use crate::text::shown;
use crate::verdict::Verdict;

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
    let answered = if context.ui.json {
        context.ui.answer_json(&report::json(&decisions)?)
    } else if decisions.is_empty() {
        context.ui.answer([format!("no snapshots in {}", shown(store.directory()))])
    } else {
        let line = |one: &Decision| format!("{} {}  {}", if one.keep { "keep" } else { "drop" }, one.id, one.reason);
        context.ui.answer(decisions.iter().map(line))
    };
    answered.map_err(CommandError::Output)?;
    if !dropped.is_empty() {
        let command = vec!["safe-test".to_owned(), "prune".to_owned()];
        Recorder::plain(context, store, command).record(Event::Prune(Pruned { snapshots: dropped }))?;
    }
    replaced_databases(context, dry_run || context.dry_run)
}

/// Drops the databases that earlier restores have replaced and kept, on the servers that the project names and that are
/// judged safe. One that cannot be dropped does not keep the others.
fn replaced_databases(context: &mut Context, dry_run: bool) -> Result<Exit, Failure> {
    let judged = judging::judge(context, None)?;
    let mut exit = Exit::Success;
    let safe = judged.judgement.targets.iter().filter(|one| one.verdict == Verdict::Safe);
    for one in safe {
        match snapshot::drop_replaced(&one.target, &context.tools, dry_run) {
            Ok(replaced) => {
                for one in replaced {
                    let name = one.name;
                    match one.fate {
                        Fate::Dropped => {
                            let done = if dry_run { "would be dropped" } else { "dropped" };
                            context.ui.say(format!("safe-test: {name} {done}: a restore replaced it"));
                        }
                        Fate::AtWork => context.ui.say(format!("safe-test: {name} is at work for another safe-test")),
                        Fate::Stays(error) => {
                            context.ui.warn(format!("safe-test: {name} stays: {error}"));
                            exit = Exit::Failed;
                        }
                    }
                }
            }
            // A server that is not running has nothing to prune now.
            Err(error) => context.ui.say(format!("safe-test: not looked at: {error}")),
        }
    }
    Ok(exit)
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
