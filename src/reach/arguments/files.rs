//! The files that the words of any program may name: `rm dev.db`, `python load.py --into=shop.sqlite`.

use std::path::PathBuf;

use crate::environment::Invocation;
use crate::reach::Lookup;
use crate::reach::grammars::sqlite;
use crate::tools::programs::{Loading, loading};
use crate::tools::removers;

/// More than any file system takes as a path.
const LONGEST: usize = 4096;

/// Lists the files that a command may write to by what its words say, each with all that it can be relative to; whether they
/// are there, and hold a database, is judged elsewhere. Of everyday work (`git add dev.db`, `cat dev.db`) they are those that
/// it removes or replaces.
#[must_use]
pub(crate) fn named_files(invocation: &Invocation, lookup: &Lookup<'_>) -> Vec<PathBuf> {
    let words = &invocation.words;
    let is_for_files = loading(words) == Loading::Plain || removers::is_remover(invocation.program());
    let named: Vec<&str> = if is_for_files {
        removers::lost(words)
    } else {
        words.iter().skip(1).filter_map(|word| value(word)).collect()
    };
    let is_path = |word: &&str| {
        !word.is_empty() && word.len() <= LONGEST && !word.contains(['$', '`', '\n', '\0']) && !word.contains("://")
    };
    named.into_iter().filter(is_path).flat_map(|word| sqlite::files(sqlite::main_file(word), lookup, &[])).collect()
}

/// A word, or what an option holds.
fn value(word: &str) -> Option<&str> {
    if !word.starts_with('-') {
        return Some(word);
    }
    word.split_once('=').map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Project;
    use crate::reach::testing::{Folder, typed};

    #[test]
    fn words_name_files_and_of_everyday_work_those_that_are_lost() {
        let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
        let files = Folder(std::collections::BTreeMap::new());
        let lookup = Lookup { project: &project, files: &files, base_folders: &["/p".into()] };
        let table: [(&str, &[&str]); 12] = [
            ("rm -f dev.db /tmp/x", &["/p/dev.db", "/tmp/x"]),
            ("rm dev.db-wal", &["/p/dev.db"]),
            ("mv a b", &["/p/a", "/p/b"]),
            ("cp a b", &["/p/b"]),
            ("truncate --size=0 a", &["/p/a"]),
            ("cat dev.db", &[]),
            ("ls dev.db", &[]),
            ("git add dev.db", &[]),
            ("python load.py --into=db/x -v", &["/p/load.py", "/p/db/x"]),
            ("./load ../x.db", &["/x.db"]),
            ("./load $X postgres://db/x", &[]),
            ("make", &[]),
        ];
        for (command, expected) in table {
            let named = named_files(&typed(command), &lookup);
            assert_eq!(named, expected.iter().map(PathBuf::from).collect::<Vec<_>>(), "{command}");
        }
    }
}
