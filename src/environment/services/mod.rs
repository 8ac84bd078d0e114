//! Container services: host names that the project itself declares, in compose files and CI definitions.
//!
//! A single-label host that is declared here is a container on this machine (or beside the CI job), and the file and
//! line are the evidence. Nothing is started, and no name is resolved. Reading takes longer than the rest of a
//! judgement, so it is for when a host of one label has come up.

mod ci;
mod compose;
pub(crate) mod compose_files;
pub(crate) mod further;
mod host_path;
mod published;
mod search;
mod tools;

use std::ffi::OsString;

use crate::environment::services::search::Search;
use crate::environment::{Files, Project};

pub(crate) use crate::environment::services::published::{Published, published};
pub(crate) use crate::environment::services::search::Service;

/// Finds the hosts that the project's compose files, CI definitions and development tools declare.
///
/// `command` is the guarded command with its arguments: a compose file that it names counts whatever its name. `process` is
/// the environment, from which the names of further files are filled in. A host that is declared several times is listed each time. Files that cannot be read or parsed declare what
/// could be read of them.
#[must_use]
pub(crate) fn services(
    project: &Project,
    files: &dyn Files,
    process: &[(OsString, OsString)],
    command: Option<&[OsString]>,
) -> Vec<Service> {
    let mut search = Search::new(project, files, process);
    compose_files::search(&mut search, command.unwrap_or_default());
    ci::search(&mut search);
    tools::search(&mut search);
    search.finish()
}

#[cfg(test)]
mod testing {
    use crate::environment::Project;
    use crate::environment::memory::MemoryFiles;
    use crate::environment::services::services;

    /// Lists what is declared by files below `/p`, run from `folder`, as `host file:line`.
    pub(crate) fn declared_from(folder: &str, files: &[(&str, &str)], command: &[&str]) -> Vec<String> {
        let files =
            files.iter().fold(MemoryFiles::new(&[]), |all, (path, text)| all.with(&format!("/p/{path}"), *text));
        let project = Project { root: "/p".into(), folder: folder.into(), home: None };
        let command: Vec<_> = command.iter().map(std::ffi::OsString::from).collect();
        let process = [("PARTS".into(), "parts".into())];
        let found = services(&project, &files, &process, Some(&command));
        found.iter().map(|found| format!("{} {}:{}", found.host, found.file.display(), found.line)).collect()
    }

    pub(crate) fn declared(files: &[(&str, &str)]) -> Vec<String> {
        declared_from("/p", files, &[])
    }
}
