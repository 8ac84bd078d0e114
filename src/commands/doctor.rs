//! `safe-test doctor`: tells of each target whether it is reachable and how it would be saved; looks at folder, log, disk.

use std::path::Path;

use rustix::fs::Access;
use serde::Serialize;

use crate::audit::{KnownSnapshots, Log};
use crate::commands::around::Around;
use crate::commands::clearing::Left;
use crate::commands::context::Context;
use crate::commands::guarding::FENCED;
use crate::commands::judging::Judged;
use crate::commands::{CommandError, clearing, judging, report, service_advice, telling_saved, unknown};
use crate::error::{Explain, Failure, in_one_line};
use crate::exit::Exit;
use crate::guard;
use crate::guard::Hold;
use crate::guard::fence;
use crate::policy::{FILE_NAME, GuardMode};
use crate::snapshot;
use crate::snapshot::{Described, Effect, Obstacle, SnapshotError, Store};
use crate::text::shown;
use crate::ui::{Line, Tone, bytes};
use crate::verdict::{Remedy, Verdict};

const CONNECTIONS: &str = "connections of a running command";

/// The answer for programs.
#[derive(Serialize)]
struct Told<'a> {
    schema: u32,
    ok: bool,
    checks: &'a [Looked],
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Looked {
    what: String,
    ok: bool,
    found: String,
    hint: Option<String>,
    #[serde(flatten)]
    facts: Facts,
}

/// What was found, field by field, for programs.
#[derive(Serialize)]
#[serde(untagged)]
enum Facts {
    Nothing {},
    Path { path: String },
    Disk { bytes_free: u64 },
    Guard { guard: Hold },
    Snapshots { snapshots: usize, unknown: usize },
    Target(TargetFacts),
    Leftovers { target: usize, leftovers: Vec<Left> },
}

/// What was found of a target; `None` where nobody looked.
#[derive(Serialize)]
struct TargetFacts {
    target: usize,
    verdict: Verdict,
    reachable: Option<bool>,
    server: Option<String>,
    tool: Option<String>,
    version: Option<String>,
    obstacles: Vec<Obstacle>,
}

impl Looked {
    fn new(what: &str, found: &str, hint: Option<&str>, facts: Facts) -> Self {
        let (what, found) = (what.to_owned(), found.to_owned());
        Looked { what, ok: hint.is_none(), found, hint: hint.map(str::to_owned), facts }
    }
}

pub(crate) fn doctor(context: &mut Context) -> Result<Exit, Failure> {
    let judged = judging::judge(context, None)?;
    let _around = Around::reaching_what_is_safe(&judged);
    let mut results = Vec::new();
    let store = Store::locate(&context.project.root, judged.policy.snapshots.directory.as_deref());
    match &store {
        Ok(store) => {
            results.push(look_at_folder("snapshots in", store.directory()));
            results.push(look_at_log(&store.log()));
            results.extend(look_at_snapshots(context, store)?);
            results.push(look_at_disk(store.directory()));
        }
        Err(error) => results.push(bad(context, "snapshots", error, Facts::Nothing {})),
    }
    results.push(look_at_folder("approvals and anchors in", &context.state_directory));
    results.push(look_at_guard(&judged));
    let mut nothing = Vec::new();
    for at in 0..judged.judgement.targets.len() {
        let looked = look_at_target(context, &judged, at);
        // Where a value has several readings, the file that is there is told.
        if matches!(&looked.facts, Facts::Target(TargetFacts { reachable: None, .. })) && looked.ok {
            nothing.push((results.len(), at));
        }
        results.push(looked);
        results.extend(store.as_ref().ok().and_then(|store| look_beside(context, store, &judged, at)));
    }
    if judged.judgement.targets.is_empty() {
        results.push(Looked {
            what: "databases".to_owned(),
            ok: judged.judgement.verdict == Verdict::Safe,
            found: judged
                .judgement
                .findings
                .first()
                .map_or("none is named", |finding| finding.message.as_str())
                .to_owned(),
            hint: judged.judgement.objections().next().map(|one| one.remedy.told(context.caller.can_be_asked())),
            facts: Facts::Nothing {},
        });
    }
    let all_well = results.iter().all(|one| one.ok);
    let answered = if context.ui.json {
        context.ui.answer_json(&report::json(&Told { schema: 1, ok: all_well, checks: &results })?)
    } else {
        let targets: Vec<usize> = nothing.iter().map(|(_, at)| *at).collect();
        let other_readings: Vec<usize> = nothing
            .iter()
            .filter(|(_, at)| telling_saved::is_told_by_another(&judged, &targets, *at))
            .map(|(row, _)| *row)
            .collect();
        let is_told = |(row, one): &(usize, &Looked)| !(other_readings.contains(row) || context.ui.quiet && one.ok);
        context.ui.answer(results.iter().enumerate().filter(is_told).flat_map(|(_, one)| lines(one)))
    };
    answered.map_err(CommandError::Output)?;
    Ok(if all_well { Exit::Success } else { Exit::Failed })
}

fn lines(one: &Looked) -> Vec<Line> {
    let mark = if one.ok { Line::toned(Tone::Good, "ok  ") } else { Line::toned(Tone::Bad, "BAD ") };
    let hint = one.hint.iter().map(|hint| format!("       hint: {hint}").into());
    match &one.facts {
        Facts::Leftovers { leftovers, .. } => {
            let each = leftovers.iter().map(|left| format!("       {}", left.line()).into());
            std::iter::once(mark.and(format!(" {}:", one.what))).chain(each).collect()
        }
        _ => std::iter::once(mark.and(format!(" {}: {}", one.what, one.found))).chain(hint).collect(),
    }
}

/// A target that is not shown to be safe is not connected to.
fn look_at_target(context: &Context, judged: &Judged, at: usize) -> Looked {
    let one = &judged.judgement.targets[at];
    let what = one.target.shown();
    let mut facts = TargetFacts {
        target: at,
        verdict: one.verdict,
        reachable: None,
        server: None,
        tool: None,
        version: None,
        obstacles: Vec::new(),
    };
    if one.verdict != Verdict::Safe {
        let finding = judged.judgement.objections().find(|finding| finding.target == Some(at));
        return Looked {
            what,
            ok: false,
            found: format!("{}: not connected to", one.verdict),
            hint: finding.map(|finding| {
                let remedy = finding.remedy.told(context.caller.can_be_asked());
                format!("{}; {remedy}", finding.message)
            }),
            facts: Facts::Target(facts),
        };
    }
    let caches = snapshot::saves_caches(&judged.policy, judged.judgement.targets.iter().map(|one| &one.target));
    let looked = snapshot::plan(&one.target, &judged.policy, caches, &*context.disk)
        .map_err(SnapshotError::from)
        .and_then(|intention| snapshot::describe(&one.target, &intention, &context.tools));
    match looked {
        Ok(Described::NothingToSave(reason)) => Looked::new(&what, &reason, None, Facts::Target(facts)),
        Ok(Described::Database(described, obstacles)) => {
            let (tool, version) = described.tool;
            facts.reachable = Some(true);
            facts.server = described.server;
            facts.tool = Some(shown(&tool).into_owned());
            facts.version = Some(version);
            let but = snapshot::not_whole_in_full(&obstacles).map(|why| format!(", but {why}")).unwrap_or_default();
            let hint = snapshot::remedy(&obstacles);
            // What is left out may be as somebody wants it; that nothing comes back is not well.
            let ok = snapshot::worst(&obstacles) != Some(Effect::NothingComesBack);
            facts.obstacles = obstacles;
            Looked { what, ok, found: format!("{}{but}", described.found), hint, facts: Facts::Target(facts) }
        }
        Err(error) => {
            facts.reachable = Some(false);
            let advice = service_advice::advice(context, judged, &one.target, &error);
            let looked = bad(context, &what, &error, Facts::Target(facts));
            Looked { hint: advice.or(looked.hint), ..looked }
        }
    }
}

/// Tells what restores have left on the server of a target that is safe; nothing where it is not known, or nothing is.
fn look_beside(context: &Context, store: &Store, judged: &Judged, at: usize) -> Option<Looked> {
    let target =
        Some(&judged.judgement.targets[at]).filter(|one| one.verdict == Verdict::Safe).map(|one| &one.target)?;
    let past = KnownSnapshots::of(&Log::open(&store.log(), &context.state_directory));
    let leftovers = snapshot::leftovers(target, &context.tools, &past).ok().filter(|found| !found.is_empty())?;
    let left = clearing::foresee(&leftovers, judged.policy.keep_last(), store);
    let found: Vec<String> = left.iter().map(Left::line).collect();
    let what = format!("beside {}", target.shown());
    Some(Looked::new(&what, &found.join("; "), None, Facts::Leftovers { target: at, leftovers: left }))
}

/// Tells whether a folder can be written, or made where it is not there yet.
fn look_at_folder(what: &str, folder: &Path) -> Looked {
    let what = format!("{what} {}", shown(folder));
    let facts = Facts::Path { path: shown(folder).into_owned() };
    let existing = existing_part(folder);
    if !existing.is_dir() {
        let found = format!("{} is no folder", shown(existing));
        return Looked::new(&what, &found, Some("move it away"), facts);
    }
    if is_allowed(existing, Access::WRITE_OK | Access::EXEC_OK) {
        Looked::new(&what, "can be written", None, facts)
    } else {
        let hint = "check the owner and the permissions of the folder, and whether this is a sandbox";
        Looked::new(&what, "cannot be written", Some(hint), facts)
    }
}

/// A log that cannot be written means that nothing is run.
fn look_at_log(log: &Path) -> Looked {
    let what = format!("audit log {}", shown(log));
    let facts = Facts::Path { path: shown(log).into_owned() };
    if !log.exists() {
        Looked::new(&what, "none yet", None, facts)
    } else if log.is_file() && is_allowed(log, Access::WRITE_OK) {
        Looked::new(&what, "can be written", None, facts)
    } else {
        Looked::new(&what, "cannot be written", Some("check what is there, its owner and its permissions"), facts)
    }
}

/// Counts the snapshots that were not made here; says nothing where there is none.
fn look_at_snapshots(context: &Context, store: &Store) -> Result<Option<Looked>, Failure> {
    let (stored, _) = store.list()?;
    let past = KnownSnapshots::of(&Log::open(&store.log(), &context.state_directory));
    let unknown = unknown::among(&stored, &past);
    let Some(first) = unknown.first() else { return Ok(None) };
    let found = format!(
        "{} of {} are not known here, and are put back only at a terminal: {}",
        unknown.len(),
        stored.len(),
        past.why_not(first.standing(&past))
    );
    let facts = Facts::Snapshots { snapshots: stored.len(), unknown: unknown.len() };
    Ok(Some(Looked::new("snapshots", &found, None, facts)))
}

fn look_at_disk(directory: &Path) -> Looked {
    const WHAT: &str = "room on its disk";
    match rustix::fs::statvfs(existing_part(directory)) {
        Ok(found) => {
            let free = found.f_bavail * found.f_frsize;
            let scarce = (free <= 64 * 1024 * 1024).then_some("make room; `safe-test prune` removes old snapshots");
            Looked::new(WHAT, &bytes(free), scarce, Facts::Disk { bytes_free: free })
        }
        Err(error) => Looked::new(WHAT, &error.to_string(), Some("check the folder"), Facts::Nothing {}),
    }
}

/// Tries whether a command's connections could be watched here. Where they cannot, runs go on as strict as without it.
fn look_at_guard(judged: &Judged) -> Looked {
    let mode = judged.policy.guard.mode;
    if mode == GuardMode::Off {
        let found = format!("not watched: {FILE_NAME} says `[guard] mode = \"off\"`");
        return Looked::new(CONNECTIONS, &found, None, Facts::Guard { guard: Hold::Off });
    }
    match guard::prove() {
        Ok(proof) => {
            let strict = if mode == GuardMode::Strict { ", off this machine to allowed ones only" } else { "" };
            let but = if proof.keeps_privileges() {
                ""
            } else {
                "; commands that name a program that gains privileges (sudo, ping) run without it"
            };
            let found = format!("watched{strict}: of two that were tried one was let through and one refused{but}");
            Looked::new(CONNECTIONS, &found, None, Facts::Guard { guard: Hold::Held })
        }
        Err(_) if cfg!(target_os = "macos") => look_at_fence(),
        Err(why) => {
            let because = why.explained().map(|because| format!(" ({because})")).unwrap_or_default();
            let guard = Hold::from(why);
            let found = match &guard {
                Hold::Outer(why) => why.clone(),
                Hold::Unavailable(why) => {
                    format!("not watched: {why}{because}; runs go on, and without a named database they are refused")
                }
                Hold::Held | Hold::Fenced(_) | Hold::Off => "not watched".to_owned(),
            };
            Looked::new(CONNECTIONS, &found, None, Facts::Guard { guard })
        }
    }
}

/// Tries what there is on macOS.
fn look_at_fence() -> Looked {
    let (found, guard) = match fence::prove() {
        Ok(_) => (
            format!("{FENCED}, as was tried; without a named database runs are refused"),
            Hold::Fenced(FENCED.to_owned()),
        ),
        Err(why) => {
            let found = format!("not watched: {why}; runs go on, and without a named database they are refused");
            (found, Hold::Unavailable(why.to_string()))
        }
    };
    Looked::new(CONNECTIONS, &found, None, Facts::Guard { guard })
}

fn existing_part(folder: &Path) -> &Path {
    folder.ancestors().find(|path| path.symlink_metadata().is_ok()).unwrap_or(folder)
}

fn is_allowed(path: &Path, wanted: Access) -> bool {
    rustix::fs::access(path, wanted).is_ok()
}

fn bad(context: &Context, what: &str, error: &dyn Explain, facts: Facts) -> Looked {
    let hint = Remedy::of(error).map(|remedy| remedy.told(context.caller.can_be_asked()));
    Looked { what: what.to_owned(), ok: false, found: in_one_line(error), hint, facts }
}
