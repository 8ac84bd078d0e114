//! `safe-test hooks`: brings safe-test to where git or a coding agent runs it, takes it out again, and says where it is.

mod adapter;
mod agents;
mod diff;
mod git;
mod plan;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::{HooksAction, HooksChange};
use crate::commands::context::Context;
use crate::commands::hooks::adapter::{Adapter, Asked, Standing, Way};
use crate::commands::hooks::git::GitHook;
use crate::commands::hooks::plan::Plan;
use crate::commands::{CommandError, Ending, report};
use crate::error::{Explain, Failure};
use crate::exec;
use crate::exec::{Inherited, Interrupt};
use crate::exit::Exit;
use crate::text::shown;

/// Lists everything that can be told to run safe-test, git first.
fn all() -> impl Iterator<Item = &'static dyn Adapter> {
    let fixed: [&dyn Adapter; 3] = [&GitHook, &agents::AGENTS_MD, &agents::CLAUDE_MD];
    fixed.into_iter().chain(agents::ALL.iter().map(|agent| agent as &dyn Adapter))
}

/// The word for all of them that are in use here.
const EVERY: &str = "all";

/// Why nothing was planned.
#[derive(Debug, thiserror::Error)]
enum HooksError {
    #[error("hooks cannot be put into `{}`", shown(name))]
    Unknown { name: String },
    #[error("{name} has no place for hooks of one user")]
    NotForUser { name: &'static str },
}

impl Explain for HooksError {
    fn hint(&self) -> Option<String> {
        match self {
            HooksError::Unknown { .. } => {
                let names: Vec<&str> = all().map(|adapter| adapter.name()).collect();
                Some(format!("one of: {}, {EVERY}", names.join(", ")))
            }
            HooksError::NotForUser { .. } => Some("leave `--user` out: this project gets them".to_owned()),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            HooksError::Unknown { .. } | HooksError::NotForUser { .. } => Exit::Failed,
        }
    }
}

pub(crate) fn hooks(context: &Context, action: HooksAction, inherited: &Inherited) -> Result<Ending, Failure> {
    match action {
        HooksAction::Install(change) => alter(context, Way::Install, &change, inherited),
        HooksAction::Remove(change) => alter(context, Way::Remove, &change, inherited),
        HooksAction::Status { names } => status(context, &names, inherited),
        HooksAction::Show { name } => show(context, &name),
    }
}

/// Plans all that was asked for, then does it: where one of them cannot be planned, nothing is changed.
fn alter(context: &Context, way: Way, change: &HooksChange, inherited: &Inherited) -> Result<Ending, Failure> {
    let interrupt = Interrupt::listen(inherited).map_err(exec::ExecError::Signals)?;
    let dry_run = change.dry_run || context.dry_run;
    let asked = Asked { context, interrupt: &interrupt, user: change.user, dry_run, is_status: false };
    let mut plans = Vec::new();
    for adapter in chosen(&change.names, &asked, "git")? {
        if change.user && !adapter.has_user_settings() {
            return Err(HooksError::NotForUser { name: adapter.name() }.into());
        }
        plans.push((adapter, adapter.plan(&asked, way)?));
    }
    if let Some(signal) = interrupt.requested() {
        return Ok(Ending::Signal(signal));
    }
    if !dry_run {
        carry_out(&mut plans, &asked, way)?;
    }
    tell(context, &plans, dry_run)?;
    let exit = if plans.iter().any(|(_, plan)| plan.is_left()) { Exit::Failed } else { Exit::Success };
    Ok(interrupt.requested().map_or(Ending::Own(exit), Ending::Signal))
}

/// Does all of it, and shows each change before it is made. Where one is about a file that another has changed just before, it is planned anew.
fn carry_out(plans: &mut [(&'static dyn Adapter, Plan)], asked: &Asked<'_>, way: Way) -> Result<(), Failure> {
    let mut changed: Vec<PathBuf> = Vec::new();
    for (adapter, plan) in plans {
        if plan.files().any(|path| changed.iter().any(|known| known == path)) {
            *plan = adapter.plan(asked, way)?;
        }
        let ui = &asked.context.ui;
        if adapter.shows_changes() && !ui.json {
            ui.answer(plan.change_lines()).map_err(CommandError::Output)?;
        }
        plan.carry_out(asked.context)?;
        changed.extend(plan.files().map(Path::to_owned));
    }
    Ok(())
}

/// Finds those that are named; without a name the `usual` one, and for [`EVERY`] those that are in use here.
fn chosen(names: &[String], asked: &Asked<'_>, usual: &str) -> Result<Vec<&'static dyn Adapter>, HooksError> {
    let names = if names.is_empty() { vec![usual.to_owned()] } else { names.to_vec() };
    let mut chosen: Vec<&'static dyn Adapter> = Vec::new();
    for name in names {
        let of_that_name: Vec<_> = match name == EVERY {
            true => all().filter(|adapter| adapter.is_in_use(asked)).collect(),
            false => vec![named(&name)?],
        };
        let is_new = |adapter: &&dyn Adapter| chosen.iter().all(|known| known.name() != adapter.name());
        let new: Vec<_> = of_that_name.into_iter().filter(is_new).collect();
        chosen.extend(new);
    }
    Ok(chosen)
}

fn named(name: &str) -> Result<&'static dyn Adapter, HooksError> {
    let found = all().find(|adapter| adapter.name() == name);
    found.ok_or_else(|| HooksError::Unknown { name: name.to_owned() })
}

/// Says of each whether safe-test is there; those that are not in use here are left out unless they were named.
fn status(context: &Context, names: &[String], inherited: &Inherited) -> Result<Ending, Failure> {
    let interrupt = Interrupt::listen(inherited).map_err(exec::ExecError::Signals)?;
    let asked = Asked { context, interrupt: &interrupt, user: false, dry_run: true, is_status: true };
    let mut found = Vec::new();
    for adapter in chosen(names, &asked, EVERY)? {
        found.push((adapter.name(), adapter.standing(&asked)?));
    }
    let is_bad = found.iter().any(|(_, standing)| standing.is_bad());
    let answered = if context.ui.json {
        let hooks = found.iter().map(|(name, standing)| Stands { name, standing }).collect();
        context.ui.answer_json(&report::json(&Statuses { schema: 1, hooks })?)
    } else if found.is_empty() {
        context.ui.answer(["neither git nor a known coding agent is in use here".to_owned()])
    } else {
        context.ui.answer(found.iter().flat_map(|(name, standing)| standing.lines(name)))
    };
    answered.map_err(CommandError::Output)?;
    Ok(interrupt.requested().map_or(Ending::Own(if is_bad { Exit::Failed } else { Exit::Success }), Ending::Signal))
}

fn show(context: &Context, name: &str) -> Result<Ending, Failure> {
    let text = named(name)?.text();
    let answered = match context.ui.json {
        true => context.ui.answer_json(&report::json(&Shown { schema: 1, name, text: &text })?),
        false => context.ui.answer(text.lines()),
    };
    answered.map_err(CommandError::Output)?;
    Ok(Ending::Own(Exit::Success))
}

fn tell(context: &Context, plans: &[(&'static dyn Adapter, Plan)], dry_run: bool) -> Result<(), Failure> {
    let answered = if context.ui.json {
        let hooks = plans.iter().map(|(adapter, plan)| plan.told(adapter.name())).collect();
        context.ui.answer_json(&report::json(&Changes { schema: 1, dry_run, hooks })?)
    } else {
        let lines = |(adapter, plan): &(&dyn Adapter, Plan)| plan.lines(adapter.name(), dry_run);
        context.ui.answer(plans.iter().flat_map(lines))
    };
    answered.map_err(CommandError::Output)?;
    if !context.ui.json {
        for note in plans.iter().flat_map(|(_, plan)| &plan.notes) {
            context.ui.say(format!("safe-test: {note}"));
        }
    }
    Ok(())
}

/// What `show` prints, for programs.
#[derive(Serialize)]
struct Shown<'a> {
    schema: u32,
    name: &'a str,
    text: &'a str,
}

/// What was done, for programs.
#[derive(Serialize)]
struct Changes<'a> {
    schema: u32,
    dry_run: bool,
    hooks: Vec<plan::Told<'a>>,
}

/// What is there, for programs.
#[derive(Serialize)]
struct Statuses<'a> {
    schema: u32,
    hooks: Vec<Stands<'a>>,
}

#[derive(Serialize)]
struct Stands<'a> {
    name: &'a str,
    #[serde(flatten)]
    standing: &'a Standing,
}
