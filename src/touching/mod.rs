//! What a shell line would do to a database, before it runs: for the hooks of coding agents.
//!
//! Nothing is run and nothing is judged safe here: a line touches a database, or nothing that is known says so.
#![forbid(unsafe_code)]

mod code;
mod judging;
mod line;
mod model;
mod names;
mod removed_files;
mod sql;
mod statements;
mod table;
#[cfg(test)]
mod tests;
mod unparsed;
mod words;

pub(crate) use crate::touching::model::{Class, Corrections, Judged, Place, Touches};

use crate::text::shell_word;
use crate::touching::judging::Judging;
use crate::touching::model::{Edit, Found};

/// Judges a shell line. Never fails, and runs nothing; reads scripts of the project where the line names some.
pub(crate) fn judge(line: &str, place: &Place<'_>, corrections: &Corrections) -> Judged {
    let found = Judging::new(place, corrections).text(line);
    // What has no line to run instead is told first: the person has to hear of it.
    let is_beyond = |one: &&Found| one.edit == Edit::Never;
    let Some(told) = found.iter().find(is_beyond).or(found.first()) else { return Judged::Plain };
    let instead = wrapped(line, &found);
    Judged::Touches(Touches { words: told.words.clone(), class: told.class, instead })
}

/// Puts the guard in front of what touches; `None` where it would not hold all of it.
fn wrapped(line: &str, found: &[Found]) -> Option<String> {
    let mut replaced = Vec::new();
    let mut is_whole = false;
    for one in found {
        match &one.edit {
            Edit::Never => return None,
            Edit::All => is_whole = true,
            Edit::Replace(own) => replaced.extend(own.iter().cloned()),
        }
    }
    if is_whole {
        return Some(format!("safe-test bash -c {}", shell_word(line)));
    }
    replaced.sort_by_key(|(range, _)| range.start);
    replaced.dedup();
    let mut written = String::with_capacity(line.len() + 10 * replaced.len());
    let mut at = 0;
    for (range, text) in replaced {
        written.push_str(line.get(at..range.start)?);
        written.push_str(&text);
        at = range.end;
    }
    written.push_str(line.get(at..)?);
    Some(written)
}
