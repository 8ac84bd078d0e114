//! `safe-test log`: reads the audit log; `verify` proves that it is intact; `accept` accepts what is wrong with it.

use std::borrow::Cow;

use serde::Serialize;

use crate::audit;
use crate::audit::Log;
use crate::cli::LogAction;
use crate::commands::context::Context;
use crate::commands::recording::Recorder;
use crate::commands::{CommandError, Ending, not_confirmed, policy_file, report};
use crate::error::Failure;
use crate::exec;
use crate::exec::{Inherited, Interrupt};
use crate::exit::Exit;
use crate::json::Json;
use crate::snapshot::Store;
use crate::text::{lossless, shown};

pub(crate) fn log(context: &mut Context, what: Option<LogAction>, inherited: &Inherited) -> Result<Ending, Failure> {
    let policy = policy_file::in_force(context)?.policy;
    let store = Store::locate(&context.project.root, policy.snapshots.directory.as_deref())?;
    match what {
        None => Ok(Ending::Own(show(context, &store)?)),
        Some(LogAction::Verify) => Ok(Ending::Own(verify(context, &store)?)),
        Some(LogAction::Accept) => accept(context, store, inherited),
    }
}

fn show(context: &Context, store: &Store) -> Result<Exit, Failure> {
    let log = Log::open(&store.log(), &context.state_directory);
    let Some(lines) = log.read()? else {
        context.ui.say(format!("safe-test: there is no log at {}", shown(log.path())));
        return Ok(Exit::Success);
    };
    for line in lines {
        let line = line?;
        let (line, entry) = (line.line, line.entry);
        let answered = match (entry, context.ui.json) {
            (Some(entry), false) if context.ui.verbose => {
                let details = audit::details(&entry).into_iter().map(|line| format!("    {line}"));
                context.ui.answer(std::iter::once(audit::render(&entry)).chain(details))
            }
            (Some(entry), false) => context.ui.answer([audit::render(&entry)]),
            (None, false) => context.ui.answer([format!("line {} cannot be read", line.number)]),
            (_, true) => match Json::read(&line.bytes) {
                Some(entry) => context.ui.answer_json(&entry),
                None => {
                    let unreadable = Unreadable { line: line.number, unreadable: lossless(&line.bytes) };
                    context.ui.answer_json(&report::json(&unreadable)?)
                }
            },
        };
        answered.map_err(CommandError::Output)?;
    }
    Ok(Exit::Success)
}

/// A line of the log that is no JSON, as programs are told of it.
#[derive(Serialize)]
struct Unreadable<'a> {
    line: u64,
    unreadable: Cow<'a, str>,
}

fn verify(context: &Context, store: &Store) -> Result<Exit, Failure> {
    let report = audit::verify_file(&store.log(), &context.state_directory)?;
    let entries = Log::open(&store.log(), &context.state_directory).read()?.into_iter().flatten();
    let open = audit::unfinished_runs(entries.flatten().filter_map(|line| line.entry));
    let answered = if context.ui.json {
        let unfinished = open.iter().map(|entry| entry.run.as_str()).collect();
        let message = report.sentence();
        let told = Verified { schema: 1, ok: report.is_whole(), message, report: &report, unfinished };
        context.ui.answer_json(&report::json(&told)?)
    } else {
        let open = open.iter().map(|entry| {
            let command = entry.what.command.join(" ");
            format!(
                "no end of the run {} ({command}): it was killed together with safe-test, or still lasts",
                entry.run
            )
        });
        context.ui.answer(std::iter::once(report.sentence()).chain(open))
    };
    answered.map_err(CommandError::Output)?;
    if report.is_whole() {
        return Ok(Exit::Success);
    }
    if !context.ui.json {
        context
            .ui
            .warn("  hint: `safe-test log` shows the lines; `safe-test log accept` goes on from the log as it is");
    }
    Ok(Exit::Failed)
}

/// What `log verify` tells programs.
#[derive(Serialize)]
struct Verified<'a> {
    schema: u32,
    ok: bool,
    message: String,
    #[serde(flatten)]
    report: &'a audit::Integrity,
    /// The runs of which no end is written down.
    unfinished: Vec<&'a str>,
}

fn accept(context: &Context, store: Store, inherited: &Inherited) -> Result<Ending, Failure> {
    let report = audit::verify_file(&store.log(), &context.state_directory)?;
    context.ui.warn(format!("safe-test: {}", report.sentence()));
    if report.is_whole() {
        return Ok(Ending::Own(Exit::Success));
    }
    if !context.caller.can_be_asked() {
        return Err(CommandError::NoTerminal { what: "accepting a damaged log" }.into());
    }
    let interrupt = Interrupt::listen(inherited).map_err(exec::ExecError::Signals)?;
    if context.ui.ask("Type \"accept\" to accept the log as it is now", &interrupt).as_deref() != Some("accept") {
        return not_confirmed(context, "the log", &interrupt);
    }
    Recorder::plain(context, store, vec!["safe-test".to_owned(), "log".to_owned(), "accept".to_owned()]).accept()?;
    Ok(Ending::Own(Exit::Success))
}
