//! `--dry-run`: shows what a run would do, up to the very command that would save each database, and does none of it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::audit::JudgementReport;
use crate::commands::Ending;
use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::commands::recording::Recorder;
use crate::commands::{derived, report, saving, service_advice, telling_saved};
use crate::error::Failure;
use crate::exit::Exit;
use crate::own_tools::containers::container::Container;
use crate::snapshot;
use crate::snapshot::{ABSENT, DumpCommand, Foreseen, Intention, Kind, Obstacle, Order};
use crate::text::{shell_line, shown};
use crate::ui::Progress;

const WITH_COPY: &str = ", with a copy in the server if that can be";

const NOT_RUN: &str = "the command was not run";

/// Shows it.
///
/// # Errors
///
/// What would keep a target from being saved: the run would be refused for it.
pub(crate) fn dry_run(
    context: &Context,
    judged: &mut Judged,
    recorder: &Recorder<'_>,
    may_wait: bool,
) -> Result<Ending, Failure> {
    let mut intentions = saving::plan(context, judged)?;
    let order = Order { may_wait, ..saving::order(context, recorder, Kind::Run, judged.policy.fast_undo) };
    let mut foreseen = Vec::new();
    while let Some(one) = judged.judgement.targets.get(foreseen.len()) {
        let (at, target) = (foreseen.len(), one.target.clone());
        if at == intentions.len() {
            intentions.push(saving::intention(context, judged, &target)?);
        }
        // Nobody listens to signals yet: one ends this call at once.
        let watch = Progress::new(format!("looking at {}", target.shown()), &context.ui, &|| false);
        let would = snapshot::foresee(at, &target, &intentions[at], &order, &watch);
        let (would, one_with) = would.map_err(|error| {
            let advice = service_advice::advice(context, judged, &target, &error);
            error.about(&target).advised(advice)
        })?;
        if let Some(other) = one_with {
            judged.note_one(context, at, other)?;
        }
        match &would {
            Foreseen::OneWith(_) | Foreseen::NotUpYet => {}
            Foreseen::NotSaved(_) if matches!(intentions[at], Intention::LeftToPolicy(_)) => {}
            Foreseen::NotSaved(_) | Foreseen::Unchanged { .. } | Foreseen::Saved { .. } => {
                derived::find(context, judged, at, &target, None)?;
            }
        }
        foreseen.push(would);
    }
    let targets = &judged.judgement.targets;
    if context.ui.json {
        let plan = foreseen.iter().enumerate().map(|(at, would)| Planned::new(at, would)).collect();
        let (judgement, message) = (&judged.report, NOT_RUN);
        context.ui.warn_json(&report::json(&Told { schema: 1, event: "dry-run", judgement, plan, message })?);
        return Ok(Ending::Own(Exit::Success));
    }
    let is_nothing = |at: &usize| {
        matches!(foreseen[*at], Foreseen::NotSaved(_)) && !matches!(intentions[*at], Intention::LeftToPolicy(_))
    };
    let nothing: Vec<usize> = (0..foreseen.len()).filter(is_nothing).collect();
    let is_absent = |would: &Foreseen| matches!(would, Foreseen::NotSaved(reason) if reason == ABSENT);
    let all_are_absent = foreseen.iter().all(is_absent);
    for (at, (one, would)) in targets.iter().zip(&foreseen).enumerate() {
        if telling_saved::is_told_by_another(judged, &nothing, at) || !all_are_absent && is_absent(would) {
            continue;
        }
        let what = match would {
            Foreseen::Saved { id, command, copied, .. } => {
                format!("would be saved as {id} ({}){}", command.label, if *copied { WITH_COPY } else { "" })
            }
            Foreseen::Unchanged { id, copied, .. } => {
                format!("would not be saved again: unchanged since {id}{}", if *copied { WITH_COPY } else { "" })
            }
            Foreseen::NotSaved(reason) => format!("would not be saved: {reason}"),
            Foreseen::NotUpYet => "not up yet: would be saved at its first connection".to_owned(),
            Foreseen::OneWith(other) => format!("the same database as {}", targets[*other].target.shown()),
        };
        let but = snapshot::not_whole_in_full(would.obstacles()).map(|why| format!(", but {why}")).unwrap_or_default();
        context.ui.warn(format!("safe-test: {}: {}; {what}{but}", one.verdict, one.target.shown()));
        let what_to_do = snapshot::remedy(would.obstacles()).map(|remedy| format!("  what to do: {remedy}"));
        what_to_do.into_iter().for_each(|line| context.ui.warn(line));
        if let Foreseen::Saved { command, .. } = would {
            lines(command, context.ui.verbose).iter().for_each(|line| context.ui.warn(format!("  {line}")));
        }
    }
    context.ui.warn(format!("safe-test: dry run: {NOT_RUN}"));
    Ok(Ending::Own(Exit::Success))
}

/// The answer for programs.
#[derive(Serialize)]
struct Told<'a> {
    schema: u32,
    event: &'static str,
    judgement: &'a JudgementReport,
    plan: Vec<Planned<'a>>,
    message: &'static str,
}

/// What would be done about one target.
#[derive(Serialize)]
struct Planned<'a> {
    target: usize,
    saved: bool,
    how: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<&'a str>,
    obstacles: &'a [Obstacle],
    #[serde(flatten)]
    command: Option<PlannedCommand<'a>>,
}

/// The command that would save it.
#[derive(Serialize)]
struct PlannedCommand<'a> {
    /// The container that it runs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<&'a str>,
    program: Cow<'a, str>,
    arguments: Vec<Cow<'a, str>>,
    environment: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    output: Cow<'a, str>,
}

impl<'a> Planned<'a> {
    fn new(target: usize, would: &'a Foreseen) -> Self {
        let (saved, how, snapshot, command) = match would {
            Foreseen::NotSaved(reason) => (false, reason.clone(), None, None),
            Foreseen::NotUpYet => (false, "not up yet: at its first connection".to_owned(), None, None),
            Foreseen::OneWith(other) => (true, format!("the same database as target {other}"), None, None),
            Foreseen::Unchanged { id, .. } => (true, format!("unchanged since {id}"), Some(id), None),
            Foreseen::Saved { id, command, .. } => (true, command.label.to_owned(), Some(id), Some(command.into())),
        };
        let (snapshot, obstacles) = (snapshot.map(String::as_str), would.obstacles());
        Planned { target, saved, how, snapshot, obstacles, command }
    }
}

impl<'a> From<&'a DumpCommand> for PlannedCommand<'a> {
    fn from(command: &'a DumpCommand) -> Self {
        let set = command.environment.iter();
        PlannedCommand {
            container: command.inside.as_deref().map(Container::name),
            program: shown(&command.program),
            arguments: command.arguments.iter().map(shown).collect(),
            environment: set.map(|(name, value)| (shown(name), shown(value))).collect(),
            output: shown(&command.output),
        }
    }
}

/// Shows the command to people: what is run where that is a program of its own, in which environment, and what it
/// writes.
fn lines(command: &DumpCommand, verbose: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if command.program.is_absolute() {
        let within = command.inside.iter().flat_map(|container| container.words()).map(Cow::Owned);
        let program = std::iter::once(shown(&command.program));
        let words: Vec<_> = within.chain(program).chain(command.arguments.iter().map(shown)).collect();
        lines.push(format!("runs {}", shell_line(&words)));
    }
    if verbose {
        let set = command.environment.iter();
        lines.extend(set.map(|(name, value)| format!("with {}={}", shown(name), shown(value))));
    }
    lines.push(format!("writes {}", shown(&command.output)));
    lines
}
