//! The guard around one run: put up before the command, told of and written down while it runs.

use std::borrow::Cow;
use std::cell::Cell;
use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use serde::Serialize;

use crate::audit::Event;
use crate::clearance::Clearance;
use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::commands::recording::Recorder;
use crate::commands::{remotes, report};
use crate::exec;
use crate::exec::Program;
use crate::guard;
use crate::guard::fence::{self, Fence};
use crate::guard::{
    Account, Beginning, Grounds, Hold, Inbox, Installing, Line, Message, Outer, Refused, Stage, Unavailable, Watch,
};
use crate::own_tools::containers::running::prepare_podman;
use crate::policy::{FILE_NAME, GuardMode};
use crate::reach::Target;
use crate::text::shown;
use crate::ui;
use crate::ui::{Tone, Ui};

/// How a fence is told of.
pub(crate) const FENCED: &str =
    "what the command connects to is not watched; at databases' ports of other machines it is refused";

/// Whether what the command connects to is watched.
pub(crate) enum Guard {
    /// It is: nothing that is started on this line connects unseen.
    Holds(Line),
    /// It is not, but some of it is refused by its port. The run is as strict as without a guard.
    Fenced(fence::Proven),
    /// By the safe-test around us, which is told what is saved here; for the rest the run is as strict as without a guard.
    Around(Outer, Cell<Heard>),
    /// It is not, for this reason. The run is as strict as without a guard.
    Absent(Hold),
}

/// Whether the safe-test around us takes over what we save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    NotYet,
    Taken,
    Refused,
}

impl Guard {
    /// Begins to put the filter up, beside the judging.
    pub(crate) fn begin() -> Result<Installing, Unavailable> {
        Installing::begin()
    }

    /// Puts the filter up, before it is decided what may run under it: some of that rests on it.
    pub(crate) fn put_up(begun: Result<Installing, Unavailable>, context: &Context, judged: &Judged) -> Guard {
        if judged.policy.guard.mode == GuardMode::Off {
            return Guard::around(Outer::find(), || Hold::Off);
        }
        let line = match begun.and_then(Installing::finish) {
            Ok(line) => line,
            Err(_) if cfg!(target_os = "macos") => return Guard::put_up_fence(context, judged),
            Err(why) => return Guard::around(why.outer(), || why.into()),
        };
        // What fails under the filter is not to fail: it runs without one, and as strictly as without one.
        let needy = if line.keeps_privileges() { None } else { gains_privileges(context, judged) };
        needy.map_or_else(|| Guard::Holds(line), |why| Guard::Absent(Hold::Unavailable(why)))
    }

    /// Puts up what there is on macOS, unless what the command starts could not run within it.
    fn put_up_fence(context: &Context, judged: &Judged) -> Guard {
        let nested = judged.programs.iter().find(|name| fence::has_own_sandbox(name));
        let nested = nested.map(|name| format!("`{}` puts up a sandbox of its own", shown(name)));
        let hindered = nested.or_else(|| gains_privileges(context, judged));
        let proven = hindered.map_or_else(|| fence::prove().map_err(|why| why.to_string()), Err);
        proven.map_or_else(|why| Guard::Absent(Hold::Unavailable(why)), Guard::Fenced)
    }

    fn around(outer: Option<Outer>, without: impl FnOnce() -> Hold) -> Guard {
        outer.map_or_else(|| Guard::Absent(without()), |outer| Guard::Around(outer, Cell::new(Heard::NotYet)))
    }

    /// Has the safe-test around us, if there is one, let us reach what is about to be saved.
    pub(crate) fn begin_to_save(&self, judged: &Judged) {
        let Guard::Around(outer, heard) = self else { return };
        // Where it does not, only what it has saved itself can be saved here, and is reached.
        let is_taken = outer.tell(Stage::Saving, &targets(judged)).is_ok();
        heard.set(if is_taken { Heard::Taken } else { Heard::Refused });
    }

    /// Notes why there is none where a run without a name hangs on it.
    pub(crate) fn mark(&self, judged: &mut Judged) {
        if judged.judgement.can_be_guarded() {
            judged.report.hindrance = self.note();
        }
    }

    /// Says that nothing is watched, where it is so.
    pub(crate) fn note(&self) -> Option<String> {
        let why = match self.hold() {
            Hold::Held => return None,
            Hold::Off => format!("{FILE_NAME} says `[guard] mode = \"off\"`"),
            Hold::Fenced(why) | Hold::Outer(why) => return Some(why),
            Hold::Unavailable(why) => why,
        };
        Some(format!("what the command connects to is not watched: {why}"))
    }

    /// Says in the words of the log whether it is watched.
    pub(crate) fn hold(&self) -> Hold {
        match self {
            Guard::Holds(_) => Hold::Held,
            Guard::Fenced(_) => Hold::Fenced(FENCED.to_owned()),
            Guard::Around(outer, heard) => {
                let by = match heard.get() {
                    Heard::NotYet | Heard::Taken => "by what it and this one have saved",
                    Heard::Refused => "by what it has saved itself: it did not take over what is saved here",
                };
                Hold::Outer(format!("the safe-test around this one (process {}) watches, {by}", outer.process()))
            }
            Guard::Absent(hold) => hold.clone(),
        }
    }

    /// Gives the line, where it holds.
    pub(crate) fn line(&self) -> Option<&Line> {
        match self {
            Guard::Holds(line) => Some(line),
            Guard::Around(..) | Guard::Fenced(_) | Guard::Absent(_) => None,
        }
    }

    /// Gives the program to start, and its arguments: where there is a fence, what puts it up. Says what that leaves open.
    pub(crate) fn within_fence<'a>(
        &self,
        context: &Context,
        judged: &Judged,
        clearance: &Clearance,
        program: Program,
        arguments: &'a [OsString],
    ) -> (Program, Cow<'a, [OsString]>) {
        let Guard::Fenced(proven) = self else { return (program, Cow::Borrowed(arguments)) };
        let targets = targets(judged);
        let fence = Fence::new(&grounds(context, judged, &targets, clearance, &[]), proven);
        if let Some(open) = fence.left_open().filter(|_| !context.ui.json) {
            context.ui.say(format!("safe-test: note: {open}"));
        }
        let arguments = fence.around(&program.path, arguments);
        let sandbox = Fence::program();
        (Program { name: sandbox.into(), path: sandbox.into() }, Cow::Owned(arguments))
    }

    /// Says where nothing is watched. Programs read it in `run-finished`.
    pub(crate) fn announce(&self, context: &Context) {
        if let Some(note) = self.note().filter(|_| !context.ui.json) {
            context.ui.say(format!("safe-test: note: {note}"));
        }
    }

    /// Begins to watch, by what is cleared for this run, or has the safe-test around us do so.
    ///
    /// # Errors
    ///
    /// Where the system has no room for it, or the safe-test around us does not answer: then nothing may be started.
    pub(crate) fn watch(
        &self,
        context: &Context,
        judged: &Judged,
        clearance: &Clearance,
        inbox: &Inbox,
    ) -> io::Result<Option<Beginning>> {
        let targets = targets(judged);
        if let Guard::Around(outer, heard) = self
            && heard.get() == Heard::Taken
        {
            // Until then all that we start may reach what was to be saved.
            outer.tell(Stage::Saved, &targets)?;
        }
        let Some(line) = self.line() else { return Ok(None) };
        if !line.keeps_privileges() && judged.programs.iter().any(|name| name == "podman") {
            prepare_podman(&context.tools);
        }
        // Asked for by nobody else, and a name or two to resolve.
        let git_hosts =
            if clearance.rests_on_the_guard() { remotes::ssh_hosts(&context.project.root) } else { Vec::new() };
        let grounds = grounds(context, judged, &targets, clearance, &git_hosts);
        let (ui, main_thread) = (context.ui.clone(), inbox.sender());
        let tell: guard::Tell = Arc::new(move |refused| tell(&ui, &main_thread, refused));
        Watch::begin(line, &grounds, inbox.sender(), tell).map(Some)
    }

    /// Ends the watch after the command, and returns what it saw.
    pub(crate) fn end(self, watch: Option<Watch>) -> Account {
        // The line's own thread is under the filter as well: once it is gone, the kernel says when nothing is left.
        drop(self);
        watch.map(Watch::end).unwrap_or_default()
    }
}

fn targets(judged: &Judged) -> Vec<&Target> {
    judged.judgement.targets.iter().map(|one| &one.target).collect()
}

fn grounds<'a>(
    context: &'a Context,
    judged: &'a Judged,
    targets: &'a [&'a Target],
    clearance: &'a Clearance,
    git_hosts: &'a [String],
) -> Grounds<'a> {
    Grounds {
        targets,
        receipts: clearance.receipts(),
        policy: &judged.policy.guard,
        is_unnamed: clearance.rests_on_the_guard(),
        is_person: context.caller.can_be_asked(),
        git_hosts,
        environment: &context.process_text,
        tools: &context.tools,
    }
}

/// Finds a program of the command that gains privileges when it is started.
fn gains_privileges(context: &Context, judged: &Judged) -> Option<String> {
    judged.programs.iter().find_map(|name| {
        let found = exec::find_program(name.as_ref(), context.variable("PATH"), &context.project.folder).ok()?;
        let gain = guard::gain(&context.project.folder.join(found.path))?;
        Some(format!("`{}` needs privileges that nothing under a filter gains ({gain})", shown(name)))
    })
}

/// A refused connection, as programs are told of it.
#[derive(Serialize)]
struct ConnectionRefused<'a> {
    schema: u32,
    event: &'static str,
    #[serde(flatten)]
    refused: &'a Refused,
}

/// Has what is refused after the command's end written down. There is nobody to say it to.
pub(crate) fn write_down_later(recorder: &Recorder<'_>) -> guard::Tell {
    let later = recorder.later();
    // Nor is there anybody to say to that it was not written down.
    Arc::new(move |refused| drop(later.record(Event::ConnectionRefused(refused.clone()))))
}

/// Has a refused connection written down, and says it at once.
fn tell(ui: &Ui, main_thread: &Sender<Message>, refused: &Refused) {
    // Where nobody hears any more the command has ended, and the account is looked through.
    let _ = main_thread.send(Message::Refused(refused.clone()));
    let Refused { program, process, refusal, .. } = refused;
    let line = ui::Line::toned(Tone::Bad, "safe-test: refused:").and(format!(
        " {program} (process {process}) to {}: {}; {}",
        refused.place(),
        refusal.why,
        refusal.remedy
    ));
    let told = ConnectionRefused { schema: 1, event: "connection-refused", refused };
    match report::json(&told) {
        Ok(told) if ui.json => ui.warn_json(&told),
        _ => ui.warn(line),
    }
}

/// Writes refused connections down, each once.
pub(crate) struct Refusals<'r, 'c> {
    recorder: &'r Recorder<'c>,
    recorded: Vec<Refused>,
}

impl<'r, 'c> Refusals<'r, 'c> {
    pub(crate) fn new(recorder: &'r Recorder<'c>) -> Self {
        Refusals { recorder, recorded: Vec::new() }
    }

    pub(crate) fn record(&mut self, refused: Refused) {
        self.recorder.record_ending(Event::ConnectionRefused(refused.clone()));
        self.recorded.push(refused);
    }

    /// Writes down what nobody was there for to hear of.
    pub(crate) fn record_rest(&mut self, account: &Account) {
        let is_new = |refused: &&Refused| !self.recorded.iter().any(|known| known.is_again(refused));
        let rest: Vec<Refused> = account.refused.iter().filter(is_new).cloned().collect();
        rest.into_iter().for_each(|refused| self.record(refused));
    }
}
