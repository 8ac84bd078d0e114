//! The guard around one run: put up before the command, told of afterwards.

use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::error::Failure;
use crate::exec::ExecError;
use crate::guard;
use crate::guard::{Account, Inbox, Line, Refused, Rules, Watch};
use crate::snapshot::Receipt;
use crate::ui::Ui;

/// A guard that stands, and watches as soon as something is started under it.
pub(crate) struct Standing {
    pub(crate) line: Line,
    watch: Watch,
}

/// Puts the guard up for a run with these receipts. Where there can be none, says so, and the run goes on as strict as
/// without one.
pub(crate) fn put_up(
    context: &Context,
    judged: &Judged,
    receipts: &[Receipt],
    inbox: &Inbox,
) -> Result<Option<Standing>, Failure> {
    let line = match Line::install() {
        Ok(line) => line,
        Err(why) => {
            context.ui.say(format!("safe-test: note: what the command connects to is not watched: {why}"));
            return Ok(None);
        }
    };
    let rules = Rules::new(judged.judgement.targets.iter().map(|one| &one.target), receipts);
    let ui = context.ui.clone();
    let tell: guard::Tell = Box::new(move |refused| tell(&ui, refused));
    let watch = Watch::begin(&line, rules, inbox.sender(), tell).map_err(ExecError::Guard)?;
    Ok(Some(Standing { line, watch }))
}

impl Standing {
    /// Ends the watch, and returns what it saw.
    pub(crate) fn end(self) -> Account {
        // The line's own thread is under the filter as well: once it is gone, the kernel says when nothing is left.
        drop(self.line);
        self.watch.end()
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
