//! `safe-test restore NAME_replaced_…`: exchanges a database for the one that an earlier restore has replaced and kept.

use std::ffi::OsStr;

use crate::audit;
use crate::audit::{Event, KnownSnapshots};
use crate::commands::around::Around;
use crate::commands::context::Context;
use crate::commands::put_back::{Origin, PutBack};
use crate::commands::recording::Recorder;
use crate::commands::replacing::{Permitted, answer, permitted};
use crate::commands::{Ending, judging, not_confirmed, passwords};
use crate::error::{Failure, in_one_line};
use crate::exec;
use crate::exec::Interrupt;
use crate::exit::Exit;
use crate::snapshot;
use crate::snapshot::{Kept, Making, Restored, Store, StoreError};
use crate::text::shown;

/// Finds what the log says of a database with this name that a restore was to leave.
pub(crate) fn find(past: &KnownSnapshots, name: &OsStr) -> Option<Making> {
    past.made(name.to_str()?)
}

/// Judges the database that `name` was replaced in, asks, and exchanges the two.
pub(crate) fn exchange_back(
    context: &Context,
    store: &Store,
    making: &Making,
    name: &str,
    yes: bool,
    interrupt: &Interrupt,
) -> Result<Ending, Failure> {
    let unreadable = |_| {
        let reason = "what it says of a restored database is not an address".to_owned();
        StoreError::Manifest { path: store.log(), reason }
    };
    let judged = judging::judge_addresses(context, &[&making.target], unreadable)?;
    let recorder = Recorder::own(context, &judged, &["safe-test", "restore", name]);
    let permission = match permitted(context, &judged, recorder.as_ref(), true, interrupt)? {
        Permitted::Yes(permission) => permission,
        Permitted::No(ending) => return Ok(ending),
    };
    let recorder = recorder?;
    let target = judged.judgement.targets[0].target.clone();
    context.ui.say(format!(
        "safe-test: {} will be exchanged for {}, which a restore has replaced",
        target.shown(),
        shown(OsStr::new(name))
    ));
    let goes_on = yes || !context.caller.can_be_asked() || context.ui.confirm("Go on?", interrupt);
    if !goes_on {
        return not_confirmed(context, "the restore", interrupt);
    }
    let _around = Around::reaching(&[&target]);
    let completed = passwords::completed(context, vec![target], interrupt);
    let Some([target]) = completed.as_deref() else { return not_confirmed(context, "the restore", interrupt) };
    recorder.prepare()?;
    let databases = vec![name.to_owned()];
    let consent = recorder.consent(permission.consent());
    recorder.record(Event::RestoreStarted(audit::RestoreStart {
        consent,
        databases: databases.clone(),
        ..audit::RestoreStart::default()
    }))?;
    exec::would_say(&"the restore is not finished; `safe-test list` shows which database bears which name");
    let kept = Kept { name, making, target, environment: &context.tools, now: Context::clock(), ledger: &recorder };
    let outcome = snapshot::exchange_back(&kept);
    let (done, replaced) = match &outcome {
        Ok(restored) => (databases, restored.replaced.iter().cloned().collect()),
        Err(_) => (Vec::new(), Vec::new()),
    };
    recorder.record_ending(Event::Restore(audit::Restored {
        databases: done,
        replaced,
        failure: outcome.as_ref().err().map(|error| in_one_line(error)),
        ..audit::Restored::default()
    }));
    match outcome {
        Ok(Restored { replaced, computed, notes, copy }) => {
            let from = Origin::Database(name.to_owned());
            answer(
                context,
                &[PutBack {
                    from,
                    target: target.shown(),
                    safety: None,
                    obstacles: Vec::new(),
                    replaced,
                    computed,
                    notes,
                    copy,
                }],
            )?;
            Ok(Ending::Own(Exit::Success))
        }
        Err(error) => {
            let is_underway = error.may_have_changed_the_database();
            let failure = Failure::from(error);
            let not_done =
                if is_underway { "whether it was done shows when the server is back" } else { "nothing was changed" };
            context.ui.fail(&failure, not_done);
            Ok(interrupt.requested().map_or_else(|| Ending::Own(failure.error().exit()), Ending::Signal))
        }
    }
}
