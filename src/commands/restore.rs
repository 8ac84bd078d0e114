//! `safe-test restore`: finds the snapshots, judges where they would go, asks, puts back.

use std::error::Error;
use std::ffi::OsStr;
use std::path::Path;

use crate::audit::{KnownSnapshots, Log};
use crate::commands::around::Around;
use crate::commands::context::Context;
use crate::commands::judging;
use crate::commands::judging::Judged;
use crate::commands::put_back::{Stopped, put_back};
use crate::commands::recording::Recorder;
use crate::commands::replacing::{Permitted, answer, permitted};
use crate::commands::{CommandError, Ending, exchange_back, list, not_confirmed, passwords, policy_file, unknown};
use crate::error::Failure;
use crate::exec;
use crate::exec::{Inherited, Interrupt};
use crate::exit::Exit;
use crate::reach::Target;
use crate::snapshot;
use crate::snapshot::{Standing, Store, StoreError, Stored};
use crate::text::shown;
use crate::ui::bytes;

pub(crate) fn restore(context: &mut Context, id: &OsStr, yes: bool, inherited: &Inherited) -> Result<Ending, Failure> {
    let policy = policy_file::in_force(context)?.policy;
    let store = Store::locate(&context.project.root, policy.snapshots.directory.as_deref())?;
    let interrupt = Interrupt::listen(inherited).map_err(exec::ExecError::Signals)?;
    let past = KnownSnapshots::of(&Log::open(&store.log(), &context.state_directory));
    let found = match find_or_choose(context, &store, &past, id, &interrupt) {
        Err(failure) if is_unknown(&failure) => {
            let Some(making) = exchange_back::find(&past, id) else { return Err(failure) };
            return exchange_back::exchange_back(context, &store, &making, &id.to_string_lossy(), yes, &interrupt);
        }
        found => found?,
    };
    let Some(mut wanted) = found else { return not_confirmed(context, "the restore", &interrupt) };
    wanted.iter_mut().for_each(|stored| snapshot::follow_project(&mut stored.manifest, &context.project.root));
    let judged = judging::judge_snapshots(context, &wanted)?;
    let recorder = Recorder::own(context, &judged, &["safe-test", "restore", &shown(id)]);
    let are_known = unknown::among(&wanted, &past).is_empty();
    let permission = match permitted(context, &judged, recorder.as_ref(), are_known, &interrupt)? {
        Permitted::Yes(permission) => permission,
        Permitted::No(ending) => return Ok(ending),
    };
    let recorder = recorder?;
    refuse_other_projects(context, &wanted, &judged)?;
    let Some(vouched) = unknown::vouched(context, &past, &wanted, &judged, "restore", &interrupt)? else {
        return not_confirmed(context, "the restore", &interrupt);
    };
    if !confirm(context, &wanted, yes, &interrupt) {
        return not_confirmed(context, "the restore", &interrupt);
    }
    let targets: Vec<Target> = judged.judgement.targets.iter().map(|one| one.target.clone()).collect();
    let around = Around::reaching(&targets.iter().collect::<Vec<_>>());
    let Some(targets) = passwords::completed(context, targets, &interrupt) else {
        return not_confirmed(context, "the restore", &interrupt);
    };
    let pairs: Vec<(Stored, Target)> = wanted.into_iter().zip(targets).collect();
    let consent = recorder.consent(permission.consent()).into_iter().chain(vouched).collect();
    match put_back(context, &recorder, &pairs, consent, &judged.policy, &interrupt) {
        Ok(restored) => {
            around.are_saved(context, &pairs.iter().map(|(_, target)| target).collect::<Vec<_>>());
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

/// Finds what `id` names. At a terminal it may be the beginning of names: then a person chooses, or `None`.
fn find_or_choose(
    context: &Context,
    store: &Store,
    past: &KnownSnapshots,
    id: &OsStr,
    interrupt: &Interrupt,
) -> Result<Option<Vec<Stored>>, Failure> {
    let may_choose = context.caller.can_be_asked() && !context.ui.json;
    let unknown = match find(context, store, past, id) {
        Err(failure) if may_choose && is_unknown(&failure) => failure,
        found => return found.map(Some),
    };
    let (stored, _) = store.list()?;
    let beginning = id.to_string_lossy();
    let mut matching: Vec<Stored> =
        stored.into_iter().filter(|stored| stored.manifest.id.starts_with(&*beginning)).collect();
    if matching.is_empty() {
        return Err(unknown);
    }
    let lines: Vec<String> = matching.iter().map(|stored| list::line(stored, past)).collect();
    let chosen = context.ui.choose("Which snapshot?", &lines, interrupt);
    Ok(chosen.map(|at| vec![matching.swap_remove(at)]))
}

fn is_unknown(failure: &Failure) -> bool {
    let error: &dyn Error = failure.error();
    matches!(error.downcast_ref(), Some(CommandError::UnknownSnapshot { .. }))
}

/// Finds the snapshots that `id` names: one, or for `latest` all of the newest run's or manual one's.
pub(crate) fn find(
    context: &Context,
    store: &Store,
    past: &KnownSnapshots,
    id: &OsStr,
) -> Result<Vec<Stored>, Failure> {
    let text = id.to_string_lossy();
    let unknown = || {
        let all = store.list().map(|(stored, _)| stored).unwrap_or_default();
        let ids = all.into_iter().map(|stored| stored.manifest.id);
        let beginning_so = ids.filter(|known| !text.is_empty() && known.starts_with(&*text)).collect();
        CommandError::UnknownSnapshot { id: shown(id).into_owned(), beginning_so }
    };
    if text == "latest" {
        return find_latest(context, store, past);
    }
    let path = Path::new(id);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).ok_or_else(unknown)?;
    let bare = name.strip_suffix(".dump").or_else(|| name.strip_suffix(".json")).unwrap_or(&name);
    let is_elsewhere = path.components().count() > 1
        && context.project.folder.join(path).parent().map(Path::canonicalize).and_then(Result::ok)
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

/// Finds the newest that were made here; where there are none, the newest that are there. Newer ones of others are told.
fn find_latest(context: &Context, store: &Store, past: &KnownSnapshots) -> Result<Vec<Stored>, Failure> {
    let (stored, mut broken) = store.list()?;
    let (known, others): (Vec<Stored>, Vec<Stored>) =
        stored.into_iter().partition(|stored| stored.standing(past).is_known());
    let are_known = !known.is_empty();
    let latest = snapshot::latest(known, Context::clock());
    if are_known {
        // What is no work of ours cannot be missing from it.
        broken.retain(|error| !matches!(error, StoreError::Manifest { path, .. } if !is_named(past, path)));
        let changed = others.iter().filter(|stored| stored.standing(past) == Standing::Changed);
        broken.extend(changed.map(|stored| StoreError::Changed { path: stored.dump.with_extension("json") }));
    }
    let latest = if latest.is_empty() { snapshot::latest(others.clone(), Context::clock()) } else { latest };
    if let Some(error) = snapshot::unread_since(&latest, broken) {
        return Err(error.into());
    }
    let Some(newest) = latest.iter().map(|stored| stored.manifest.taken_at).max() else {
        return Err(CommandError::NoSnapshot { directory: store.directory().to_owned() }.into());
    };
    let newer = others.iter().find(|other| are_known && other.manifest.taken_at > newest);
    if let Some(newer) = newer {
        let (id, why) = (&newer.manifest.id, past.why_not(newer.standing(past)));
        context.ui.say(format!("safe-test: {id} is newer, but not known here: {why}"));
    }
    Ok(latest)
}

fn is_named(past: &KnownSnapshots, manifest: &Path) -> bool {
    manifest.file_stem().and_then(OsStr::to_str).is_some_and(|id| past.names(id))
}

/// Refuses to restore from a copy of a project: its snapshots are of the original's databases.
fn refuse_other_projects(context: &Context, wanted: &[Stored], judged: &Judged) -> Result<(), CommandError> {
    let root = shown(&context.project.root);
    for (stored, one) in wanted.iter().zip(&judged.judgement.targets) {
        let manifest = &stored.manifest;
        let is_of_another = manifest.project.as_ref().is_some_and(|project| *project != root);
        if is_of_another && !judging::is_named_by_the_project(&one.target) {
            return Err(CommandError::OtherProject { id: manifest.id.clone(), address: manifest.target.clone() });
        }
    }
    Ok(())
}

/// Shows what would be replaced and asks, at a terminal. Elsewhere it goes on: it can be undone.
fn confirm(context: &Context, wanted: &[Stored], yes: bool, interrupt: &Interrupt) -> bool {
    for stored in wanted {
        let manifest = &stored.manifest;
        context.ui.say(format!(
            "safe-test: {} will be replaced by {} of {} ({}, {})",
            manifest.target,
            manifest.id,
            manifest.taken_at.format("%Y-%m-%d %H:%M:%SZ"),
            bytes(manifest.size),
            list::contents(manifest),
        ));
        if let Some(why) = snapshot::not_whole_in_full(&manifest.obstacles) {
            context.ui.warn(format!("safe-test: as found when it was taken, {} {why}", manifest.id));
        }
    }
    yes || !context.caller.can_be_asked()
        || context.ui.confirm("Go on? What is there is kept, so that this can be undone.", interrupt)
}
