//! A valid file of every kind that is read in a project: `fixtures/hostile/files.txtar`.

use std::path::PathBuf;

/// A file, below the project.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) content: Vec<u8>,
}

/// Reads them all.
pub(crate) fn files() -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    for line in include_str!("../../../fixtures/hostile/files.txtar").split_inclusive('\n') {
        match line.strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --\n")) {
            Some(path) => files.push(File { path: path.into(), content: Vec::new() }),
            // What stands before the first file is about them all.
            None => files.last_mut().into_iter().for_each(|file| file.content.extend_from_slice(line.as_bytes())),
        }
    }
    files
}

#[test]
fn every_file_has_content_and_a_path_of_its_own() {
    let files = files();
    let paths: std::collections::BTreeSet<_> = files.iter().map(|file| &file.path).collect();
    assert!(files.len() > 60 && paths.len() == files.len() && files.iter().all(|file| !file.content.is_empty()));
}
