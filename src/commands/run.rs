//! `safe-test <command>`: judge, save, run, record, undo. The whole story on one page.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::time::{Duration, Instant};
use std::{io, mem};

use crate::audit::{Event, Finish, ProcessEnd, Refusal, Start};
use crate::clearance::Clearance;
use crate::cli::UsageError;
use crate::commands::asking::Permission;
use crate::commands::context::Context;
use crate::commands::first_connection::Later;
use crate::commands::guarding::Guard;
use crate::commands::judging;
use crate::commands::judging::Judged;
use crate::commands::recording::{Recorder, record_refusal};
use crate::commands::saving::NotSaved;
use crate::commands::seen::Seen;
use crate::commands::{
    CommandError, Ending, afterwards, asking, dry_run, guarding, put_back, report, saving, telling_saved,
};
use crate::error::{Failure, in_one_line};
use crate::exec;
use crate::exec::{Guarded, Inherited, Interrupt, LookupError, Program};
use crate::exit::Exit;
use crate::guard::{Beginning, Inbox, Message, Watch};
use crate::policy::RestoreWhen;
use crate::snapshot::{Kind, Receipt};
use crate::text::shown;

/// Guards `command`, which is not empty; its first word may be a slip for the subcommand `meant`.
pub(crate) fn run(
    context: &mut Context,
    command: &[OsString],
    meant: Option<&str>,
    inherited: &Inherited,
) -> Result<Ending, Failure> {
    // A typo costs nothing: the program is looked up before anything else is done.
    let program = find_program(context, &command[0], meant)?;

    let interrupt = Interrupt::listen(inherited).map_err(exec::ExecError::Signals)?;
    let begun = Guard::begin();
    let mut judged = judging::judge_before_a_run(context, command)?;
    let guard = Guard::put_up(begun, context, &judged.0);
    guard.mark(&mut judged.0);
    let inbox = Inbox::new();
    let prepared = prepare(context, command, judged, (&guard, &inbox), &interrupt)?;
    let mut ready = match look_again(context, command, prepared, (&guard, &inbox), &interrupt)? {
        Prepared::Ready(ready) => ready,
        Prepared::Ended(ending) => return Ok(ending),
    };
    guard.announce(context);
    let watch = ready.watch()?;
    let Ready { judged, recorder, clearance, .. } = &*ready;

    let mut later = Later::new(context, judged.clone(), recorder, clearance.receipts());
    let mut refusals = guarding::Refusals::new(recorder);
    let mut answer = |message: Message, breaks_off: &(dyn Fn() -> bool + Sync)| match message {
        Message::Question(question) => {
            let answer = later.save(&question, breaks_off);
            // Nobody hears where the connection was given up meanwhile.
            let _ = question.reply.send(answer);
        }
        Message::Refused(refused) => refusals.record(refused),
        Message::CommandEnded => {}
    };
    let guarded = guard.line().zip(watch.as_ref());
    let left = guarding::write_down_later(recorder);
    // What held the command is collected when all is written down.
    let mut held = None;
    let guarded =
        guarded.map(|(line, watch)| Guarded { line, watch, left, inbox, ending: &mut held, answer: &mut answer });

    let started = Instant::now();
    let (program, arguments) = guard.within_fence(context, judged, clearance, program, &command[1..]);
    let outcome = exec::run(clearance, &program, &arguments, &context.project.folder, inherited, interrupt, guarded);
    let duration = started.elapsed();
    let hold = guard.hold();
    let account = guard.end(watch);
    refusals.record_rest(&account);
    // A command of which nobody can say how it ended has only its start in the log.
    let finish = recorded(&outcome).map(|outcome| Finish {
        guard: Some(hold),
        notes: afterwards::notes(context, later.judged(), later.receipts(), &account),
        account,
        ..Finish::new(outcome, duration)
    });
    if let Some(finish) = &finish {
        recorder.record_ending(Event::RunFinished(finish.clone()));
    }
    let ended = match outcome {
        Ok(exec::Outcome::Exited(status)) => Ending::Command(status),
        Ok(exec::Outcome::Signaled { signal, .. }) | Err(exec::ExecError::Interrupted { signal }) => {
            Ending::Signal(signal)
        }
        Err(error @ exec::ExecError::Lost { .. }) => {
            let failure = Failure::from(error);
            context.ui.fail(&failure, "how the command ended is not known");
            return Ok(Ending::Own(failure.error().exit()));
        }
        Err(error) => return Err(error.into()),
    };
    let succeeded = ended == Ending::Command(0) && finish.as_ref().is_none_or(|finish| finish.account.refusals() == 0);
    let ended = undo_if_asked(context, later.judged(), recorder, later.receipts(), (ended, succeeded), inherited)?;
    finish.map_or(Ok(ended), |finish| afterwards::tell(context, &finish, ended))
}

/// How often what was judged is looked at again before it is found to change all the time.
const MOST_LOOKS: u32 = 3;

/// A command that may start: judged, saved, written down and announced.
struct Ready<'c> {
    judged: Judged,
    /// The files that the judgement rests on.
    seen: Seen,
    recorder: Recorder<'c>,
    clearance: Clearance,
    /// Who watches, if anybody; or why nobody can. It is taken once.
    watch: io::Result<Option<Beginning>>,
    /// Keeps the snapshots from being pruned while the command runs.
    _held: Vec<File>,
}

enum Prepared<'c> {
    Ready(Box<Ready<'c>>),
    /// It was refused, not saved, or not to be run at all.
    Ended(Ending),
}

impl Ready<'_> {
    /// Waits until the command is watched, if it is to be.
    ///
    /// # Errors
    ///
    /// Where the system has no room for it: then nothing may be started, and that is written down.
    fn watch(&mut self) -> Result<Option<Watch>, Failure> {
        let watch = mem::replace(&mut self.watch, Ok(None)).and_then(|begun| begun.map(Beginning::ready).transpose());
        let failed = |source| Failure::from(exec::ExecError::Guard(source));
        watch.map_err(failed).inspect_err(|failure| self.record_not_started(&in_one_line(failure.error())))
    }

    fn record_not_started(&self, why: &str) {
        let outcome = ProcessEnd::NotStarted(why.to_owned());
        self.recorder.record_ending(Event::RunFinished(Finish::new(outcome, Duration::ZERO)));
    }
}

/// Does all that comes before the start of a judged command.
fn prepare<'c>(
    context: &'c Context,
    command: &[OsString],
    (mut judged, seen): (Judged, Seen),
    (guard, inbox): (&Guard, &Inbox),
    interrupt: &Interrupt,
) -> Result<Prepared<'c>, Failure> {
    // Without a place for the log nothing is run, but a refusal stays a refusal.
    let recorder = Recorder::guarded(context, &judged, command);
    let permission = asking::permission(context, &judged, guard.line(), recorder.as_ref(), interrupt)?;
    if let Permission::Refused = permission {
        let refused = refuse(context, &judged, recorder.as_ref())?;
        return Ok(Prepared::Ended(interrupt.requested().map_or(refused, Ending::Signal)));
    }
    let recorder = recorder?;
    let may_wait = guard.line().is_some();
    guard.begin_to_save(&judged);
    if context.dry_run {
        return dry_run::dry_run(context, &mut judged, &recorder, may_wait).map(Prepared::Ended);
    }

    recorder.prepare()?;
    let saved = match saving::save(context, &mut judged, &recorder, Kind::Run, may_wait, interrupt) {
        Ok(saved) => saved,
        Err(not_saved) => return no_snapshot(context, &judged, not_saved, &recorder, interrupt).map(Prepared::Ended),
    };
    let clearance = Clearance::grant(&judged.judgement, permission.consent(), guard.line(), saved.receipts)?;
    // It looks around while the log is written.
    let watch = guard.watch(context, &judged, &clearance, inbox);
    let mut notes = telling_saved::notes(&judged, clearance.receipts());
    notes.extend(guard.note());
    if clearance.rests_on_the_guard() {
        notes.push(format!("nothing names what it uses; {}", telling_saved::GUARDED));
    }
    recorder.record(Event::RunStarted(Start {
        judgement: judged.report.record(),
        consent: recorder.consent(permission.consent()),
        snapshots: clearance.receipts().iter().filter_map(|receipt| receipt.snapshot().map(str::to_owned)).collect(),
        manifests: saved.manifests,
        notes,
    }))?;
    telling_saved::announce(context, &judged, &clearance, &saved.left)?;
    Ok(Prepared::Ready(Box::new(Ready { judged, seen, recorder, clearance, watch, _held: saved.held })))
}

/// Looks once more at the files that were judged; where one is another now, judges anew, and prepares anew unless that comes
/// to the same.
///
/// # Errors
///
/// [`CommandError::KeepsChanging`]; the snapshots stay.
fn look_again<'c>(
    context: &'c Context,
    command: &[OsString],
    mut prepared: Prepared<'c>,
    (guard, inbox): (&Guard, &Inbox),
    interrupt: &Interrupt,
) -> Result<Prepared<'c>, Failure> {
    for look in 1.. {
        let Prepared::Ready(ready) = &mut prepared else { break };
        let Some(path) = ready.seen.changed(&*context.disk, ready.recorder.store().directory()) else { break };
        if look == MOST_LOOKS {
            let failure = Failure::from(CommandError::KeepsChanging { path });
            ready.record_not_started(&in_one_line(failure.error()));
            return Err(failure);
        }
        let (mut again, seen) = judging::judge_before_a_run(context, command)?;
        guard.mark(&mut again);
        if again.is_as(&ready.judged) {
            ready.seen = seen;
            continue;
        }
        let changed = format!("{} has changed meanwhile: all is judged anew", shown(&path));
        context.ui.say(format!("safe-test: {changed}"));
        ready.record_not_started(&changed);
        prepared = prepare(context, command, (again, seen), (guard, inbox), interrupt)?;
    }
    Ok(prepared)
}

/// Finds the program; what is none is told from a subcommand that was mistyped.
fn find_program(context: &Context, name: &OsStr, meant: Option<&str>) -> Result<Program, Failure> {
    match (exec::find_program(name, context.variable("PATH"), &context.project.folder), meant) {
        (Err(LookupError::NotFound { .. }), Some(meant)) => Err(UsageError::mistyped(name, meant).into()),
        (found, _) => Ok(found?),
    }
}

/// Says in the words of the log how a command ended.
fn recorded(outcome: &Result<exec::Outcome, exec::ExecError>) -> Option<ProcessEnd> {
    match outcome {
        Ok(exec::Outcome::Exited(status)) => Some(ProcessEnd::Status(i32::from(*status))),
        Ok(exec::Outcome::Signaled { signal, .. }) => Some(ProcessEnd::Signal(signal.number())),
        Err(exec::ExecError::Lost { .. }) => None,
        Err(error) => Some(ProcessEnd::NotStarted(error.to_string())),
    }
}

/// Prints and records why nothing was run.
fn refuse(context: &Context, judged: &Judged, recorder: Result<&Recorder<'_>, &Failure>) -> Result<Ending, Failure> {
    const NOT_RUN: &str = "the command was not run";
    record_refusal(context, judged, recorder);
    let exit = Exit::Refused;
    if context.ui.json {
        let refused =
            report::Refused { judgement: &judged.report, event: "refused", exit: exit.code(), message: NOT_RUN };
        context.ui.warn_json(&report::json(&refused)?);
    } else {
        for line in report::refusal_text(&judged.report) {
            context.ui.warn(line);
        }
        context.ui.warn(format!("  {NOT_RUN}"));
    }
    Ok(Ending::Own(exit))
}

/// Runs nothing because nothing was saved; ends by the signal where one asked for it.
fn no_snapshot(
    context: &Context,
    judged: &Judged,
    not_saved: NotSaved,
    recorder: &Recorder<'_>,
    interrupt: &Interrupt,
) -> Result<Ending, Failure> {
    let NotSaved { failure, manifests } = not_saved;
    telling_saved::tell_refusal(context, judged, &failure);
    recorder.record_ending(Event::Refused(Refusal {
        judgement: judged.report.record(),
        reason: in_one_line(failure.error()),
        exit: failure.error().exit().code(),
        manifests,
    }));
    match interrupt.requested() {
        Some(signal) => {
            context.ui.fail(&failure, "the command was not run");
            Ok(Ending::Signal(signal))
        }
        None => Err(failure),
    }
}

/// Puts the databases back where `--restore` or the policy asks for it.
fn undo_if_asked(
    context: &Context,
    judged: &Judged,
    recorder: &Recorder<'_>,
    receipts: &[Receipt],
    (ending, succeeded): (Ending, bool),
    inherited: &Inherited,
) -> Result<Ending, Failure> {
    let wanted = match context.restore.unwrap_or(judged.policy.restore) {
        RestoreWhen::Never => false,
        RestoreWhen::Failure => !succeeded,
        RestoreWhen::Always => true,
    };
    if !wanted {
        return Ok(ending);
    }
    match put_back::after_run(context, judged, recorder, receipts, inherited) {
        Ok(()) => Ok(ending),
        Err(failure) => {
            let is_possible = receipts.iter().all(|receipt| receipt.obstacles().is_empty());
            let how = if is_possible { "; `safe-test restore` does it" } else { "" };
            context.ui.fail(&failure, &format!("the databases were not put back{how}"));
            Ok(if succeeded { Ending::Own(Exit::RestoreFailed) } else { ending })
        }
    }
}
