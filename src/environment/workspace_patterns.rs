//! The folders that a workspace's pattern stands for: `packages/*`, `apps/**`, `libs/core`.
//!
//! `*` is any part of one name, `**` any number of folders, none included. Hidden folders and `node_modules` are never
//! meant. Sources: the manuals of npm, pnpm, Yarn, Lerna, Cargo and uv.

use std::path::{Path, PathBuf};

use crate::environment::Files;

/// The most folders that one pattern is expanded to.
const MOST_FOLDERS: usize = 4096;

/// What a pattern stands for.
pub(crate) struct Expanded {
    /// Sorted within each folder; whether something is there has to be asked for names without a `*`.
    pub(crate) folders: Vec<PathBuf>,
    /// There are more than are looked at.
    pub(crate) is_cut: bool,
}

/// Expands a pattern below `root`.
pub(crate) fn expand(root: &Path, pattern: &str, files: &dyn Files) -> Expanded {
    let mut folders = vec![root.to_owned()];
    let mut is_cut = false;
    for part in pattern.trim_matches(['"', '\'']).split('/').filter(|part| !matches!(*part, "" | ".")) {
        let mut matched = Vec::new();
        for folder in folders {
            match part.split_once('*') {
                None => matched.push(folder.join(part)),
                Some(_) if part == "**" => deeper(folder, files, &mut matched),
                Some((before, behind)) => {
                    let behind = behind.trim_start_matches('*');
                    let fits = |name: &str| {
                        name.len() >= before.len() + behind.len() && name.starts_with(before) && name.ends_with(behind)
                    };
                    matched.extend(below(&folder, files).filter(|(name, _)| fits(name)).map(|(_, path)| path));
                }
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

/// Lists `folder` and all below it.
fn deeper(folder: PathBuf, files: &dyn Files, matched: &mut Vec<PathBuf>) {
    let mut at = matched.len();
    matched.push(folder);
    while at < matched.len() && matched.len() < MOST_FOLDERS {
        let found: Vec<PathBuf> = below(&matched[at], files).map(|(_, path)| path).collect();
        matched.extend(found);
        at += 1;
    }
}

fn below(folder: &Path, files: &dyn Files) -> impl Iterator<Item = (String, PathBuf)> {
    let mut names: Vec<String> = files.list(folder).iter().map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.starts_with('.') && name != "node_modules");
    names.sort();
    let folder = folder.to_owned();
    names.into_iter().map(move |name| {
        let path = folder.join(&name);
        (name, path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::memory::MemoryFiles;

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
            let mut shown: Vec<_> =
                found.folders.iter().map(|path| path.strip_prefix("/p").unwrap().display().to_string()).collect();
            shown.retain(|path| !path.contains("package.json"));
            assert_eq!(shown, *expected, "{pattern}");
            assert!(!found.is_cut);
        }
        let many: Vec<String> = (0..5000).map(|at| format!("/p/many/{at}/x")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|path| (path.as_str(), "")).collect();
        assert!(expand(Path::new("/p"), "many/*", &MemoryFiles::new(&many)).is_cut);
    }
}
