//! `safe-test verify`: checks snapshots again.

use std::borrow::Cow;
use std::ffi::OsStr;

use serde::Serialize;

use crate::audit::{KnownSnapshots, Log};
use crate::clearance::ClearanceError;
use crate::cli::VerificationChoice;
use crate::commands::around::Around;
use crate::commands::context::Context;
use crate::commands::recording::Recorder;
use crate::commands::{
    CommandError, Ending, judging, list, not_confirmed, passwords, policy_file, report, restore, unknown,
};
use crate::error::{Explain, Failure};
use crate::exec;
use crate::exec::{Inherited, Interrupt};
use crate::exit::Exit;
use crate::snapshot;
use crate::snapshot::{Restoration, Standing, Store, StoreError, Stored, VerificationLevel};
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
    let past = KnownSnapshots::of(&Log::open(&store.log(), &context.state_directory));
    let mut results: Vec<Checked> = Vec::new();
    let wanted = if all {
        let (stored, broken) = store.list()?;
        results.extend(broken.iter().map(Checked::unreadable));
        stored
    } else {
        restore::find(context, &store, &past, id.unwrap_or(OsStr::new("latest")))?
    };
    let interrupt = Interrupt::listen(inherited).map_err(exec::ExecError::Signals)?;
    for stored in &wanted {
        let Some(checked) = check(context, stored, &past, level, all, &interrupt)? else {
            return not_confirmed(context, "the rehearsal", &interrupt);
        };
        results.push(checked);
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
    /// Whether it was made here.
    known: bool,
    /// How far it was checked; `None` where its manifest is at fault.
    level: Option<VerificationLevel>,
    /// What was compared.
    #[serde(skip)]
    contents: String,
    /// What else a person should know.
    #[serde(skip)]
    remark: &'static str,
    ok: bool,
    problem: Option<String>,
}

impl Checked {
    fn unreadable(problem: &StoreError) -> Self {
        Self::at_fault("?", problem.to_string())
    }

    fn at_fault(id: &str, problem: String) -> Self {
        let (known, level, contents, remark) = (false, None, String::new(), "");
        Checked { id: id.to_owned(), known, level, contents, remark, ok: false, problem: Some(problem) }
    }

    fn line(&self, verbose: bool) -> String {
        let remark = self.remark;
        match &self.problem {
            None if verbose => format!("ok   {}  {}{remark}", self.id, self.contents),
            None => format!("ok   {}{remark}", self.id),
            Some(problem) => format!("BAD  {}: {problem}", self.id),
        }
    }
}

/// Checks one snapshot: what is wrong with it is a result, what keeps it from being checked (no server) a failure. `None`:
/// a person did not vouch for it. One of `many` that somebody would have to vouch for is only read.
fn check(
    context: &mut Context,
    stored: &Stored,
    past: &KnownSnapshots,
    level: VerificationLevel,
    many: bool,
    interrupt: &Interrupt,
) -> Result<Option<Checked>, Failure> {
    let (id, standing) = (stored.manifest.id.clone(), stored.standing(past));
    if standing == Standing::Changed {
        return Ok(Some(Checked::at_fault(&id, past.why_not(standing))));
    }
    let judged = match judging::judge_snapshots(context, std::slice::from_ref(stored)) {
        Err(failure) if failure.error().exit() == Exit::NoSnapshot => {
            return Ok(Some(Checked::at_fault(&id, failure.error().to_string())));
        }
        judged => judged?,
    };
    let one = &judged.judgement.targets[0];
    let (remark, may_act) = match standing {
        Standing::Known => ("", true),
        Standing::Named => ("", judging::is_named_by_the_project(&one.target)),
        Standing::Changed | Standing::Unknown => ("  (not known here)", false),
    };
    let (level, remark) = match level {
        VerificationLevel::Restore if many && !may_act => {
            (VerificationLevel::Read, "  (not known here: read back only)")
        }
        VerificationLevel::Restore if many && snapshot::is_by_own_programs(&stored.manifest) => {
            (VerificationLevel::Read, "  (cannot be rehearsed: read back only)")
        }
        level => (level, remark),
    };
    if level == VerificationLevel::Restore && one.verdict != Verdict::Safe {
        return Err(ClearanceError::Verdict(one.verdict).into());
    }
    if level == VerificationLevel::Restore {
        let wanted = std::slice::from_ref(stored);
        if unknown::vouched(context, past, wanted, &judged, "rehearse", interrupt)?.is_none() {
            return Ok(None);
        }
    }
    let _around = (level == VerificationLevel::Restore).then(|| Around::reaching(&[&one.target]));
    let target = match level {
        VerificationLevel::Restore => passwords::completed(context, vec![one.target.clone()], interrupt),
        VerificationLevel::Read => Some(vec![one.target.clone()]),
    };
    let Some([target]) = target.as_deref() else { return Ok(None) };
    let interrupted = || interrupt.requested().is_some();
    let watch = Progress::new(format!("verifying {id}"), &context.ui, &interrupted);
    let ledger = Recorder::own(context, &judged, &["safe-test", "verify", "--level", "restore"])?;
    let (environment, now) = (&context.tools, Context::clock());
    let restoration = Restoration { stored, target, environment, now, ledger: &ledger, past };
    let problem = match snapshot::verify(&restoration, level, &judged.policy, &watch) {
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
    let (known, ok) = (standing.is_known(), problem.is_none());
    Ok(Some(Checked { id, known, level: Some(level), contents, remark, ok, problem }))
}
