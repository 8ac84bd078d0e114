//! `safe-test verify`: checks snapshots again.

use std::borrow::Cow;
use std::ffi::OsStr;

use serde::Serialize;

use crate::clearance::ClearanceError;
use crate::cli::VerificationChoice;
use crate::commands::context::Context;
use crate::commands::{CommandError, Ending, judging, list, policy_file, report, restore};
use crate::error::{Explain, Failure};
use crate::exec;
use crate::exec::{Inherited, Interrupt};
use crate::exit::Exit;
use crate::snapshot;
use crate::snapshot::{Restoration, Store, StoreError, Stored, VerificationLevel};
use crate::text::shown;
use crate::ui::{Progress, bytes};
use crate::verdict::Verdict;

pub(crate) fn verify(
    context: &mut Context,
    id: Option<&OsStr>,
    all: bool,
    level: VerificationChoice,
    inherited: &Inherited,
) -> Result<Ending, Failure> {
    let policy = policy_file::in_force(context)?.policy;
    let store = Store::locate(&context.project.root, policy.snapshots.directory.as_deref())?;
    let level = match level {
        VerificationChoice::Read => VerificationLevel::Read,
        VerificationChoice::Restore => VerificationLevel::Restore,
    };
    let mut results: Vec<Checked> = Vec::new();
    let wanted = if all {
        let (stored, broken) = store.list()?;
        results.extend(broken.iter().map(Checked::unreadable));
        stored
    } else {
        restore::find(&store, &context.project.folder, id.unwrap_or(OsStr::new("latest")), context.clock())?
    };
    let interrupt = Interrupt::listen(inherited).map_err(exec::ExecError::Signals)?;
    for stored in &wanted {
        results.push(check(context, stored, level, &interrupt)?);
        if let Some(signal) = interrupt.requested() {
            return Ok(Ending::Signal(signal));
        }
    }
    let leftovers = if all { store.leftovers()? } else { Vec::new() };
    let answered = if context.ui.json {
        let leftovers = leftovers.iter().map(shown).collect();
        context.ui.answer_json(&report::json(&Told { schema: 1, level, snapshots: &results, leftovers })?)
    } else if context.ui.quiet {
        context.ui.answer(results.iter().filter(|one| !one.ok).map(|one| one.line(false)))
    } else if results.is_empty() && leftovers.is_empty() {
        context.ui.answer([format!("no snapshots in {}", shown(store.directory()))])
    } else {
        let lines = results.iter().map(|one| one.line(context.ui.verbose));
        context.ui.answer(lines.chain(leftovers.iter().map(|path| format!("leftover  {}", shown(path)))))
    };
    answered.map_err(CommandError::Output)?;
    let is_bad = results.iter().any(|one| !one.ok);
    Ok(Ending::Own(if is_bad { Exit::NoSnapshot } else { Exit::Success }))
}

/// The answer for programs.
#[derive(Serialize)]
struct Told<'a> {
    schema: u32,
    level: VerificationLevel,
    snapshots: &'a [Checked],
    leftovers: Vec<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Checked {
    id: String,
    /// What was compared.
    #[serde(skip)]
    contents: String,
    ok: bool,
    problem: Option<String>,
}

impl Checked {
    fn unreadable(problem: &StoreError) -> Self {
        Checked { id: "?".to_owned(), contents: String::new(), ok: false, problem: Some(problem.to_string()) }
    }

    fn line(&self, verbose: bool) -> String {
        match &self.problem {
            None if verbose => format!("ok   {}  {}", self.id, self.contents),
            None => format!("ok   {}", self.id),
            Some(problem) => format!("BAD  {}: {problem}", self.id),
        }
    }
}

/// Checks one snapshot: what is wrong with it is a result, what keeps it from being checked (no server) a failure.
fn check(
    context: &mut Context,
    stored: &Stored,
    level: VerificationLevel,
    interrupt: &Interrupt,
) -> Result<Checked, Failure> {
    let id = stored.manifest.id.clone();
    let judged = judging::judge_snapshots(context, std::slice::from_ref(stored))?;
    let one = &judged.judgement.targets[0];
    if level == VerificationLevel::Restore && one.verdict != Verdict::Safe {
        return Err(ClearanceError::Verdict(one.verdict).into());
    }
    let interrupted = || interrupt.requested().is_some();
    let watch = Progress::new(format!("verifying {id}"), &context.ui, &interrupted);
    let restoration =
        Restoration { stored, target: &one.target, environment: &context.tools, now: context.clock(), damaged: false };
    let problem = match snapshot::verify(&restoration, level, &watch) {
        Ok(()) => None,
        Err(error) if error.exit() == Exit::NoSnapshot => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            Some(format!("{error}{cause}"))
        }
        Err(error) => return Err(error.into()),
    };
    let how = match level {
        VerificationLevel::Read => "read back",
        VerificationLevel::Restore => "restored and compared",
    };
    let contents = format!("{} in {}, {how}", list::contents(&stored.manifest), bytes(stored.manifest.size));
    Ok(Checked { id, contents, ok: problem.is_none(), problem })
}
