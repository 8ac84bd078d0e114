//! The safe-test around a subcommand that reaches databases: it is told which, as by a [run](crate::commands::guarding) within.

use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::guard::{Outer, Stage};
use crate::reach::Target;
use crate::verdict::Verdict;

/// The safe-test around us that lets us reach some databases, if there is one.
pub(crate) struct Around(Option<Outer>);

impl Around {
    /// Has the safe-test around us, if there is one, let us and our tools reach these databases for as long as we run. They are
    /// judged: safe, or vouched for.
    ///
    /// Where it does not take that over, what it has not saved itself is not reached, which then is said like any other refusal.
    pub(crate) fn reaching(targets: &[&Target]) -> Around {
        let outer = Outer::find().filter(|_| !targets.is_empty());
        Around(outer.filter(|outer| outer.tell(Stage::Saving, targets).is_ok()))
    }

    /// The same for all that was judged safe.
    pub(crate) fn reaching_what_is_safe(judged: &Judged) -> Around {
        let safe = judged.judgement.targets.iter().filter(|one| one.verdict == Verdict::Safe);
        Around::reaching(&safe.map(|one| &one.target).collect::<Vec<_>>())
    }

    /// Has it let the command reach them as well, since a snapshot of what is in them is there.
    pub(crate) fn are_saved(self, context: &Context, targets: &[&Target]) {
        if let Some(outer) = self.0
            && let Err(error) = outer.tell(Stage::Saved, targets)
        {
            let process = outer.process();
            context.ui.say(format!(
                "safe-test: note: the safe-test around this one (process {process}) did not take over what is saved here: {error}"
            ));
        }
    }
}
