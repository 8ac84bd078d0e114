//! What tests of single programs share: one call that is followed in a project of files in memory.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::path::Path;

use crate::environment::Project;
use crate::environment::follow::{Expansion, Room, Step};
use crate::environment::memory::MemoryFiles;
use crate::environment::not_followed::Gaps;

/// Follows a call in the project `/p`, whose files are named from there; tells also whether something was given up on.
/// `process` is the environment.
pub(crate) fn followed(
    command: &str,
    files: &[(&str, &str)],
    process: &[(&str, &str)],
    expand: impl FnOnce(&Expansion<'_>, &[String]) -> Vec<Step>,
) -> (Vec<Step>, bool) {
    let files: Vec<(String, &str)> = files.iter().map(|(name, text)| (format!("/p/{name}"), *text)).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let files = MemoryFiles::new(&files);
    let process: Vec<(OsString, OsString)> =
        process.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect();
    let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
    let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
    let step = Step::typed(words.clone(), Path::new("/p"));
    let (gaps, room) = (Gaps::default(), Room::of(1000));
    let expansion = Expansion {
        step: &step,
        process: &process,
        project: &project,
        files: &files,
        gaps: &gaps,
        room: &room,
        environment: OnceCell::new(),
    };
    let steps = expand(&expansion, &words);
    (steps, !gaps.into_inner().is_empty())
}

/// Gives the folder of a step below the project's.
pub(crate) fn folder(step: &Step) -> String {
    step.folder.strip_prefix("/p").unwrap().to_str().unwrap().to_owned()
}
