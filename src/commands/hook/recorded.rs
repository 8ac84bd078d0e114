//! Denials, and what could not be judged, in the log of the project.

use std::time::Duration;

use crate::audit;
use crate::audit::{Denial, Event, Unjudged};
use crate::commands::hook::agents::Agent;
use crate::commands::hook::asking::{Around, Verdict};
use crate::commands::hook::reply::Decision;
use crate::commands::recording::Recorder;
use crate::error::{Failure, in_one_line};
use crate::snapshot::Store;
use crate::text::head;
use crate::ui::Ui;

/// How long other appends are waited for: less than an agent waits.
const PATIENCE: Duration = Duration::from_secs(3);

/// How much of a command is looked at for secrets, and how much of it is written down.
const LOOKED_AT: usize = 64 * 1024;
const WRITTEN: usize = 4 * 1024;

/// Writes down what an agent was kept from, and what could not be judged, which is said on standard error, too. Where the log
/// cannot be written, that is said.
pub(super) fn record(around: &Around, agent: &Agent, verdict: &Verdict, decision: &Decision, ui: &Ui) {
    let (line, event) = match verdict {
        Verdict::Plain => return,
        Verdict::Touches { line, touches } => {
            let denial = Denial {
                agent: agent.name.into(),
                class: touches.class.to_string().into(),
                words: shortened(&touches.words),
                replaced: touches.instead.is_some(),
            };
            (line, Event::CommandDenied(denial))
        }
        Verdict::Unjudged { line, reason } => {
            let denied = *decision != Decision::Allow;
            ui.warn(format!("safe-test: not judged, and {}: {reason}", if denied { "denied" } else { "allowed" }));
            (line, Event::CommandUnjudged(Unjudged { agent: agent.name.into(), reason: reason.clone(), denied }))
        }
    };
    let Some(context) = &around.context else {
        ui.warn("safe-test: not recorded: the folder cannot be read");
        return;
    };
    match Store::locate(&context.project.root, around.policy.snapshots.directory.as_deref()) {
        Ok(store) => {
            let command = if line.is_empty() { Vec::new() } else { vec![shortened(line)] };
            Recorder::plain(context, store, command).with_patience(PATIENCE).record_ending(event);
        }
        Err(error) => {
            ui.warn(format!("safe-test: not recorded: {}", in_one_line(Failure::from(error).error())));
        }
    }
}

/// A command as it is written down.
fn shortened(line: &str) -> String {
    let shown = audit::redact_line(head(line, LOOKED_AT));
    if shown.len() <= WRITTEN && line.len() <= LOOKED_AT {
        return shown;
    }
    format!("{} … ({} bytes)", head(&shown, WRITTEN), line.len())
}
