//! The folders that a workspace's pattern stands for: `packages/*`, `apps/**`, `libs/core`.
//!
//! `*` is any part of one name, `**` any number of folders, none included. Hidden folders that the pattern does not call so and
//! `node_modules` are never meant. A link is followed, but no folder is looked into twice, so that links into a circle end. Sources: the manuals of npm, pnpm, Yarn, Lerna, Cargo and uv.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use crate::collections::HashSet;
use crate::environment::Files;
use crate::text::fits;

/// The most folders that one pattern is expanded to.
const MOST_FOLDERS: usize = 4096;

/// What a pattern stands for.
pub(crate) struct Expanded {
    /// Sorted within each folder; whether something is there has to be asked for names without a `*`.
    pub(crate) folders: Vec<PathBuf>,
    /// There are more than are looked at.
    pub(crate) is_cut: bool,
}

/// Expands a pattern below `root` to folders.
pub(crate) fn expand(root: &Path, pattern: &str, files: &dyn Files) -> Expanded {
    expand_to(root, pattern, files, false)
}

/// Expands a pattern below `root` to files.
pub(crate) fn expand_to_files(root: &Path, pattern: &str, files: &dyn Files) -> Expanded {
    expand_to(root, pattern, files, true)
}

fn expand_to(root: &Path, pattern: &str, files: &dyn Files, to_files: bool) -> Expanded {
    let parts = pattern.trim_matches(['"', '\'']).split('/').filter(|part| !matches!(*part, "" | "."));
    let parts: Vec<&str> = parts.collect();
    let mut folders = vec![root.to_owned()];
    let mut is_cut = false;
    for (at, part) in parts.iter().enumerate() {
        let takes_files = to_files && at + 1 == parts.len();
        let mut matched = Vec::new();
        for folder in folders {
            match *part {
                "**" => deeper(folder, files, &mut matched),
                part if part.contains('*') => {
                    let named = below(&folder, files, part.starts_with('.'));
                    let fitting = named.filter(|(name, _)| fits(part, name)).map(|(_, path)| path);
                    matched.extend(fitting.filter(|path| takes_files || files.folder(path).is_some()));
                }
                part => matched.push(folder.join(part)),
            }
            is_cut |= matched.len() >= MOST_FOLDERS;
            if is_cut {
                break;
            }
        }
        matched.truncate(MOST_FOLDERS);
        folders = matched;
    }
    Expanded { folders, is_cut }
}

/// Lists `folder` and all folders below it, and looks into each once, whatever paths lead to it. Links come after all
/// else: what is found behind them, too, is then known by its own path.
fn deeper(folder: PathBuf, files: &dyn Files, matched: &mut Vec<PathBuf>) {
    let mut seen: HashSet<(u64, u64)> = files.folder(&folder).map(|found| found.id).into_iter().collect();
    let (mut folders, mut links) = (VecDeque::from([folder.clone()]), VecDeque::new());
    matched.push(folder);
    loop {
        let mut next_link = || loop {
            let (id, path) = links.pop_front()?;
            if seen.insert(id) {
                return Some(path);
            }
        };
        let Some(next) = folders.pop_front().or_else(&mut next_link) else { return };
        for (_, path) in below(&next, files, false) {
            let Some(found) = files.folder(&path) else { continue };
            matched.push(path.clone());
            if matched.len() >= MOST_FOLDERS {
                return;
            }
            if found.is_link {
                links.push_back((found.id, path));
            } else if seen.insert(found.id) {
                folders.push_back(path);
            }
        }
    }
}

fn below(folder: &Path, files: &dyn Files, with_hidden: bool) -> impl Iterator<Item = (String, PathBuf)> {
    let mut names: Vec<String> = files.list(folder).iter().map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| (with_hidden || !name.starts_with('.')) && name != "node_modules");
    names.sort();
    let folder = folder.to_owned();
    names.into_iter().map(move |name| {
        let path = folder.join(&name);
        (name, path)
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::ffi::OsString;
    use std::io;

    use super::*;
    use crate::environment::Folder;
    use crate::environment::memory::MemoryFiles;

    /// Files with thirty links to the root in one of its folders, and the number of listings.
    struct Linked {
        files: MemoryFiles,
        listings: Cell<usize>,
    }

    /// Finds what a path is, all links followed, and whether its last part is one.
    fn real(path: &Path) -> (PathBuf, bool) {
        let is_link = |path: &Path| path.to_str().is_some_and(|path| path.starts_with("/p/apps/link"));
        path.components().fold((PathBuf::new(), false), |(real, _), part| match real.join(part) {
            path if is_link(&path) => ("/p".into(), true),
            path => (path, false),
        })
    }

    impl Files for Linked {
        fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
            self.files.read(&real(path).0)
        }

        fn exists(&self, path: &Path) -> bool {
            self.files.exists(&real(path).0)
        }

        fn list(&self, path: &Path) -> Vec<OsString> {
            self.listings.set(self.listings.get() + 1);
            self.files.list(&real(path).0)
        }

        fn folder(&self, path: &Path) -> Option<Folder> {
            let (path, is_link) = real(path);
            self.files.folder(&path).map(|found| Folder { is_link, ..found })
        }
    }

    #[test]
    fn no_folder_is_looked_into_twice_however_many_links_lead_to_it() {
        let mut files = MemoryFiles::new(&[("/p/apps/one/x", ""), ("/p/packages/a/x", "")]);
        for at in 0..30 {
            files = files.with(&format!("/p/apps/link{at}"), "");
        }
        let linked = Linked { files, listings: Cell::new(0) };
        let found = expand(Path::new("/p"), "apps/**", &linked);
        let shown: Vec<String> =
            found.folders.iter().map(|path| path.strip_prefix("/p").unwrap().display().to_string()).collect();
        assert!(!found.is_cut && shown.contains(&"apps/one".into()), "{shown:?}");
        // The first link leads to the root, where nothing but `packages` is new.
        assert!(shown.contains(&"apps/link0/packages/a".into()) && shown.contains(&"apps/link28".into()), "{shown:?}");
        assert_eq!(linked.listings.get(), 5, "apps, apps/one, the root, packages, packages/a");
    }

    #[test]
    fn a_star_is_one_level_and_two_are_any_number() {
        let files = MemoryFiles::new(&[
            ("/p/packages/a/x/package.json", ""),
            ("/p/packages/b/package.json", ""),
            ("/p/packages/.hidden/package.json", ""),
            ("/p/packages/node_modules/c/package.json", ""),
        ]);
        let table: &[(&str, &[&str])] = &[
            ("packages/*", &["packages/a", "packages/b"]),
            ("./packages/b", &["packages/b"]),
            ("packages/a*", &["packages/a"]),
            ("packages/*/x", &["packages/a/x", "packages/b/x"]),
            ("'packages/**/x'", &["packages/x", "packages/a/x", "packages/b/x", "packages/a/x/x"]),
            ("nothing/*", &[]),
        ];
        for (pattern, expected) in table {
            let found = expand(Path::new("/p"), pattern, &files);
            let shown: Vec<_> =
                found.folders.iter().map(|path| path.strip_prefix("/p").unwrap().display().to_string()).collect();
            assert_eq!(shown, *expected, "{pattern}");
            assert!(!found.is_cut);
        }
        let found = expand_to_files(Path::new("/p"), "packages/a/x/pack*.j*n", &files).folders;
        assert_eq!(found, [Path::new("/p/packages/a/x/package.json")]);
        let many: Vec<String> = (0..5000).map(|at| format!("/p/many/{at}/x")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|path| (path.as_str(), "")).collect();
        assert!(expand(Path::new("/p"), "many/*", &MemoryFiles::new(&many)).is_cut);
    }
}
