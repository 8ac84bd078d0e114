//! `safe-test hook`: a coding agent asks before it runs something. What touches a database without the guard is denied, with
//! the line to run instead. It ends as the agent's protocol wants it; errors of ours allow, unless the policy is strict.

mod agents;
mod asking;
mod payload;
mod powershell;
mod reason;
mod recorded;
mod reply;

use std::ffi::OsStr;
use std::io;
use std::panic::{self, AssertUnwindSafe};

use crate::cli::CommandLine;
use crate::commands::Ending;
use crate::commands::hook::agents::{Agent, CLAUDE};
use crate::commands::hook::asking::{Around, Verdict, judge};
use crate::commands::hook::payload::Payload;
use crate::commands::hook::reason::FACTS;
use crate::commands::hook::reply::{Decision, Reply};
use crate::error::in_one_line;
use crate::exec;
use crate::exec::Inherited;
use crate::text::shown;
use crate::ui::Ui;

/// Answers one agent; `named` is what `--agent` says, and `at_start` whether a session is said to begin.
pub(super) fn hook(asked: &CommandLine, named: Option<&OsStr>, at_start: bool, inherited: &Inherited) -> Ending {
    let has_output = inherited.has_output();
    let ui = Ui::new(false, false, false, Some(false));
    let payload = Payload::read(io::stdin().lock());
    let known = named.and_then(OsStr::to_str).and_then(Agent::named);
    if let (Some(named), None) = (named, known) {
        ui.warn(format!("safe-test: no agent is called `{}` here: it is told by what it sends", shown(named)));
    }
    let agent = known.unwrap_or_else(|| payload.as_ref().map_or(CLAUDE, Agent::told_by));
    if at_start || payload.as_ref().is_ok_and(Payload::begins_session) {
        return Ending::Answered(Reply::at_start(agent, FACTS).send(&ui, &Decision::Allow, has_output));
    }
    let commands = match payload.as_ref().map(Payload::asked) {
        // Another tool, or another event.
        Ok(commands) if commands.is_empty() || payload.as_ref().is_ok_and(Payload::is_over) => {
            return Ending::Answered(Reply::to(agent, &Decision::Allow).send(&ui, &Decision::Allow, has_output));
        }
        Ok(commands) => Ok(commands),
        Err(error) => Err(in_one_line(error)),
    };
    // Nothing is used afterwards that a panic could have left half done.
    let around = panic::catch_unwind(AssertUnwindSafe(|| Around::of(asked, agent, payload.as_ref().ok())));
    let around = around.unwrap_or_else(|_| Around::unknown(fault()));
    let verdict = match &commands {
        Ok(commands) => panic::catch_unwind(AssertUnwindSafe(|| judge(commands, &around)))
            .unwrap_or_else(|_| Verdict::of_fault(commands, fault())),
        Err(reason) => Verdict::Unjudged { line: String::new(), reason: reason.clone() },
    };
    let decision = verdict.decision(around.is_strict());
    // First the answer: an agent waits, and an agent that has waited too long goes on.
    let status = Reply::to(agent, &decision).send(&ui, &decision, has_output);
    let recorded = panic::catch_unwind(AssertUnwindSafe(|| recorded::record(&around, agent, &verdict, &decision, &ui)));
    if recorded.is_err() {
        ui.warn(format!("safe-test: not recorded: {}", fault()));
    }
    Ending::Answered(status)
}

/// Says where the first panic was.
fn fault() -> String {
    format!("an error in safe-test itself, at {}", exec::panicked().unwrap_or_default())
}
