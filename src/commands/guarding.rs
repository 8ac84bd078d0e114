//! The guard around one run: put up before the command, told of afterwards.

use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::error::Failure;
use crate::exec::ExecError;
use crate::guard;
use crate::guard::{Account, Inbox, Line, Refused, Rules, Watch};
use crate::policy::GuardMode;
use crate::snapshot::Receipt;
use crate::ui::Ui;

/// Whether what the command connects to is watched.
pub(crate) enum Guard {
    /// It is: nothing that is started on this line connects unseen.
    Holds(Line),
    /// It is not, and why: a phrase. The run is as strict as without a guard.
    Absent(String),
}

impl Guard {
    /// Puts the filter up, before it is decided what may run under it: some of that rests on it.
    pub(crate) fn put_up(judged: &Judged) -> Guard {
        if judged.policy.guard.mode == GuardMode::Off {
            return Guard::Absent("the policy turns the guard off".to_owned());
        }
        match Line::install() {
            Ok(line) => Guard::Holds(line),
            Err(why) => Guard::Absent(why.to_string()),
        }
    }

    /// Says that nothing is watched, where it is so.
    pub(crate) fn note(&self) -> Option<String> {
        match self {
            Guard::Holds(_) => None,
            Guard::Absent(why) => Some(format!("what the command connects to is not watched: {why}")),
        }
    }

    /// Gives the line, where it holds.
    pub(crate) fn line(&self) -> Option<&Line> {
        match self {
            Guard::Holds(line) => Some(line),
            Guard::Absent(_) => None,
        }
    }

    /// Begins to watch, by what is cleared for this run; without a guard, says so.
    ///
    /// # Errors
    ///
    /// Where the system has no room for it: then nothing may be started.
    pub(crate) fn watch(
        &self,
        context: &Context,
        judged: &Judged,
        receipts: &[Receipt],
        inbox: &Inbox,
    ) -> Result<Option<Watch>, Failure> {
        if let Some(note) = self.note() {
            context.ui.say(format!("safe-test: note: {note}"));
        }
        let Some(line) = self.line() else { return Ok(None) };
        let rules = Rules::new(judged.judgement.targets.iter().map(|one| &one.target), receipts);
        let ui = context.ui.clone();
        let tell: guard::Tell = Box::new(move |refused| tell(&ui, refused));
        Ok(Some(Watch::begin(line, rules, inbox.sender(), tell).map_err(ExecError::Guard)?))
    }

    /// Ends the watch after the command, and returns what it saw.
    pub(crate) fn end(self, watch: Option<Watch>) -> Account {
        // The line's own thread is under the filter as well: once it is gone, the kernel says when nothing is left.
        drop(self);
        watch.map(Watch::end).unwrap_or_default()
    }
}

/// Says at once that a connection was refused.
fn tell(ui: &Ui, refused: &Refused) {
    let Refused { address, program, process, refusal } = refused;
    ui.warn(format!(
        "safe-test: refused: {program} (process {process}) to {address}: {}; {}",
        refusal.why, refusal.remedy
    ));
}
