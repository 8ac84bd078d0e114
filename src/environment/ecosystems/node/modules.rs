//! The code that runs besides a command's own: what it names, and what that imports by a relative path. Nothing is
//! executed, and packages are not looked into.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::environment::ecosystems::scene::Scene;
use crate::environment::not_followed::GivenUp;
use crate::environment::paths::normal;
use crate::text::{head, shown};

/// The endings of the names of code.
pub(crate) const EXTENSIONS: &[&str] = &["js", "ts", "cjs", "mjs", "cts", "mts"];

/// Longer names of what is imported are none.
const LONGEST_NAME: usize = 1024;

/// How far imports are followed, and how many files of one scene are looked into.
const DEEPEST: usize = 2;
const MOST_FILES: usize = 1024;

/// Lists code with what it imports by relative paths, each file once, the named ones first.
pub(crate) fn with_imports(scene: &Scene<'_>, named: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = HashSet::new();
    let mut found: Vec<(PathBuf, usize)> = Vec::new();
    found.extend(named.into_iter().filter(|path| seen.insert(path.clone())).map(|path| (path, 0)));
    let mut at = 0;
    while at < found.len().min(MOST_FILES) {
        let (path, depth) = found[at].clone();
        at += 1;
        if depth == DEEPEST {
            continue;
        }
        let imported = scene.library.once(format!("imports of {}", shown(&path)), || {
            let text = scene.library.code(&path).unwrap_or_default();
            let beside = path.parent().unwrap_or(scene.folder);
            imports(&text).filter_map(|name| file_of(scene, &beside.join(name))).collect::<Vec<PathBuf>>()
        });
        found.extend(imported.iter().filter(|path| seen.insert((*path).clone())).map(|path| (path.clone(), depth + 1)));
    }
    if let Some((path, _)) = found.get(MOST_FILES) {
        let why = GivenUp::too_much("the code that runs besides the command's own has more than 1,024 files");
        scene.library.give_up(path, None, why);
        found.truncate(MOST_FILES);
    }
    found.into_iter().map(|(path, _)| path).collect()
}

/// Tells code of Node.js by the file's name.
pub(crate) fn is_code(path: &Path) -> bool {
    path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known))
}

/// Finds the file of code that a path without its extension may name.
pub(crate) fn file_of(scene: &Scene<'_>, path: &Path) -> Option<PathBuf> {
    let path = normal(path);
    if is_code(&path) && scene.library.exists(&path) {
        return Some(path);
    }
    // TypeScript's own imports say `.js` where the file is `.ts`.
    let typed = path.extension().filter(|extension| *extension == "js").map(|_| path.with_extension("ts"));
    let typed = typed.filter(|path| scene.library.exists(path));
    let found = typed.or_else(|| with_ending(scene, &path)).or_else(|| with_ending(scene, &path.join("index")));
    found.or_else(|| source_of(scene, &path))
}

/// Finds the file of code that a path is without its ending, by one look at its folder.
fn with_ending(scene: &Scene<'_>, path: &Path) -> Option<PathBuf> {
    let (folder, name) = (path.parent()?, path.file_name()?.to_str()?);
    let present = scene.library.once(format!("names in {}", shown(folder)), || {
        scene.names_in(folder).into_iter().collect::<HashSet<String>>()
    });
    let mut endings = EXTENSIONS.iter().map(|extension| format!("{name}.{extension}"));
    endings.find(|name| present.contains(name)).map(|name| folder.join(name))
}

/// Finds the code that a file is built from which is not there yet: `dist/main.js` is `src/main.ts`, `lib/main.ts`, or
/// `main.ts`.
fn source_of(scene: &Scene<'_>, path: &Path) -> Option<PathBuf> {
    const BUILT: &[&str] = &["build", "dist", "lib", "out"];
    let below = path.strip_prefix(&scene.project.root).ok()?;
    let parts: Vec<&OsStr> = below.iter().collect();
    let at = parts.iter().position(|part| BUILT.iter().any(|built| part == built))?;
    let home: PathBuf = std::iter::once(scene.project.root.as_os_str()).chain(parts[..at].iter().copied()).collect();
    let rest: PathBuf = parts[at + 1..].iter().collect();
    [home.join("src").join(&rest), home.join("lib").join(&rest), home.join(&rest)].into_iter().find_map(|candidate| {
        let bare = if is_code(&candidate) { candidate.with_extension("") } else { candidate };
        with_ending(scene, &bare).or_else(|| with_ending(scene, &bare.join("index")))
    })
}

/// Lists the relative paths that a text imports: `from './x'`, `import './x'`, `require('./x')`.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    let quoted = |(at, mark): (usize, &str)| {
        let rest = text[at + mark.len()..].trim_start().trim_start_matches('(').trim_start();
        let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\'' | '`'))?;
        let inside = head(&rest[1..], LONGEST_NAME);
        let inside = inside.split_once(quote)?.0;
        (inside.starts_with("./") || inside.starts_with("../")).then_some(inside)
    };
    ["from", "import", "require"].into_iter().flat_map(|mark| text.match_indices(mark)).filter_map(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_imports_are_found_in_all_spellings() {
        let text = "import a from './a';\nimport \"./b\"\nconst { c } = require('../c');\nawait import(`./d`);\nimport x from 'pg';";
        let mut found: Vec<&str> = imports(text).collect();
        found.sort_unstable();
        assert_eq!(found, ["../c", "./a", "./b", "./d"]);
    }
}
