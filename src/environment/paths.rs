//! Paths by their text, and looking upwards from a folder to the project's root.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use crate::environment::Files;

/// Gives `path` without `.` and, where something stands before it, `..`; links are not looked at.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if result.parent().is_some() => {
                result.pop();
            }
            other => result.push(other),
        }
    }
    result
}

/// Returns the folder that `path` lies in.
pub(crate) fn parent(path: &Path) -> PathBuf {
    path.parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// Tells by its ending whether a file is code of a program, which mostly takes values from elsewhere.
pub(crate) fn is_code(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    matches!(extension, Some("cjs" | "exs" | "go" | "js" | "mjs" | "mts" | "php" | "pl" | "py" | "rb" | "ts"))
}

/// Lists `folder` and those above it, up to `root`; none where it does not lie below `root`.
pub(crate) fn up_to<'p>(root: &'p Path, folder: &'p Path) -> impl Iterator<Item = &'p Path> {
    folder.ancestors().take_while(move |above| above.starts_with(root))
}

/// Finds the nearest of `names`, in `folder` or above it, not above `root`. From a folder that does not lie below
/// `root`, everything above it is looked at: a command may go there by itself.
pub(crate) fn nearest(files: &dyn Files, folder: &Path, root: &Path, names: &[&str]) -> Option<PathBuf> {
    nearest_that(|path| files.exists(path), folder, root, names)
}

/// As [`nearest`], for a view of the files that knows by itself what is there.
pub(crate) fn nearest_that(
    exists: impl Fn(&Path) -> bool,
    folder: &Path,
    root: &Path,
    names: &[&str],
) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for folder in folder.ancestors() {
        for name in names {
            path.as_mut_os_string().clear();
            path.push(folder);
            path.push(name);
            if exists(&path) {
                return Some(path);
            }
        }
        if folder == root {
            break;
        }
    }
    None
}

/// Finds the file `name` that is farthest up from `folder`, not above `root`.
pub(crate) fn outermost(files: &dyn Files, folder: &Path, root: &Path, name: &str) -> Option<PathBuf> {
    up_to(root, folder).map(|above| above.join(name)).filter(|path| files.exists(path)).last()
}

/// Tells by a name whether it may be a folder's: a file's nearly always has a dot, a folder's nearly never, but where .NET's
/// projects are called so (`Shop.Api`).
pub(crate) fn may_be_a_folder(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("X", |(_, ending)| ending);
    !name.starts_with('.') && ending.starts_with(|first: char| first.is_ascii_uppercase())
}
