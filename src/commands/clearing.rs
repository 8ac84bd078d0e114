//! Databases that restores and snapshots have left on servers: told everywhere, and dropped where that is due.

use serde::Serialize;

use crate::audit::{Event, KnownSnapshots, Pruned};
use crate::commands::around::Around;
use crate::commands::context::Context;
use crate::commands::judging;
use crate::commands::recording::Recorder;
use crate::error::{Failure, in_one_line};
use crate::reach::Target;
use crate::snapshot;
use crate::snapshot::{AT_WORK, Leftover, LeftoverKind, Store, decide_leftovers};
use crate::text::shown;
use crate::ui::bytes;
use crate::verdict::Verdict;

/// A database that restores or snapshots have left on a server, and what becomes of it.
#[derive(Debug, Serialize)]
pub(crate) struct Left {
    #[serde(flatten)]
    pub(crate) leftover: Leftover,
    pub(crate) fate: Fate,
    /// Why, a phrase.
    pub(crate) reason: String,
}

/// What becomes of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Fate {
    Stays,
    /// The next run or restore drops it.
    Due,
    Dropped,
    /// It should have been dropped, and stays.
    Failed,
}

impl Left {
    /// Says it in one line.
    pub(crate) fn line(&self) -> String {
        let size = self.leftover.size.map(|size| format!(" ({})", bytes(size))).unwrap_or_default();
        let fate = match self.fate {
            Fate::Stays => "stays",
            Fate::Due => "goes with the next run or restore",
            Fate::Dropped => "dropped",
            Fate::Failed => "could not be dropped",
        };
        format!("{}{size} {fate}: {}", shown(self.leftover.name.as_str()), self.reason)
    }
}

/// Decides what is to become of these leftovers, and drops nothing.
pub(crate) fn foresee(leftovers: &[Leftover], keep_last: usize, store: &Store) -> Vec<Left> {
    let decided = decide_leftovers(leftovers, keep_last, &|id| store.is_newest(id), Context::clock());
    let left = |(leftover, goes, reason): (&Leftover, bool, String)| {
        let fate = if goes { Fate::Due } else { Fate::Stays };
        Left { leftover: leftover.clone(), fate, reason }
    };
    decided.into_iter().map(left).collect()
}

/// Drops those that are due, and writes down which. What cannot be dropped now is dropped next time.
pub(crate) fn clear(
    context: &Context,
    recorder: &Recorder<'_>,
    target: &Target,
    leftovers: &[Leftover],
    keep_last: usize,
) -> Vec<Left> {
    let mut all = foresee(leftovers, keep_last, recorder.store());
    for left in all.iter_mut().filter(|left| left.fate == Fate::Due) {
        match snapshot::drop_leftover(target, &context.tools, &left.leftover.name, recorder.past()) {
            Ok(true) => left.fate = Fate::Dropped,
            Ok(false) => (left.fate, left.reason) = (Fate::Stays, AT_WORK.to_owned()),
            Err(error) => (left.fate, left.reason) = (Fate::Failed, in_one_line(&error)),
        }
    }
    let dropped = all.iter().filter(|left| left.fate == Fate::Dropped);
    let databases: Vec<String> = dropped.map(|left| left.leftover.name.clone()).collect();
    if !databases.is_empty() {
        recorder.record_ending(Event::Prune(Pruned { snapshots: Vec::new(), databases }));
    }
    all
}

/// Says what became of leftovers that do not stay.
pub(crate) fn tell_changes(context: &Context, left: &[Left]) {
    for one in left {
        match one.fate {
            // A copy makes room for that of the next snapshot, run after run.
            Fate::Dropped if one.leftover.kind == LeftoverKind::Copy && !context.ui.verbose => {}
            Fate::Dropped => context.ui.say(format!("safe-test: {}", one.line())),
            Fate::Failed => context.ui.warn(format!("safe-test: {}", one.line())),
            Fate::Stays | Fate::Due => {}
        }
    }
}

/// Sums up those that are still there, a phrase; `None` where there are none.
pub(crate) fn summary(left: &[Left]) -> Option<String> {
    let there: Vec<&Left> = left.iter().filter(|one| one.fate != Fate::Dropped).collect();
    let size: u64 = there.iter().filter_map(|one| one.leftover.size).sum();
    match there.as_slice() {
        [] => None,
        [one] => Some(format!("beside it is {} ({})", shown(one.leftover.name.as_str()), bytes(size))),
        several => {
            let has_copy = several.iter().any(|one| one.leftover.kind == LeftoverKind::Copy);
            let who = if has_copy { "restores and snapshots" } else { "restores" };
            Some(format!("beside it are {} databases that {who} left ({})", several.len(), bytes(size)))
        }
    }
}

/// Looks at the servers that the project names and that are judged safe, a target each.
///
/// # Errors
///
/// What keeps the project from being judged.
pub(crate) fn look(context: &Context, past: &KnownSnapshots) -> Result<Vec<(Target, Vec<Leftover>)>, Failure> {
    let judged = judging::judge(context, None)?;
    let _around = Around::reaching_what_is_safe(&judged);
    let safe = judged.judgement.targets.into_iter().filter(|one| one.verdict == Verdict::Safe);
    let mut found = Vec::new();
    for one in safe {
        match snapshot::leftovers(&one.target, &context.tools, past) {
            Ok(leftovers) => found.push((one.target, leftovers)),
            // A server that is not running has nothing to show or to drop now.
            Err(error) => context
                .ui
                .say(format!("safe-test: what restores left beside {} is not shown: {error}", one.target.shown())),
        }
    }
    Ok(found)
}
