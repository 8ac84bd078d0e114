//! Finds the databases in the folder of one.

use std::fs;
use std::io;
use std::path::Path;

use crate::regular;
use crate::snapshot::sqlite::{MAGIC, SqliteError};

/// Lists the databases in the folder of `path` whose names `is_wanted` takes, sorted. `path` itself is left out, and need not
/// be there.
///
/// # Errors
///
/// The folder, or a file in it that may be one, cannot be read.
pub(crate) fn names_beside(path: &Path, is_wanted: &dyn Fn(&str) -> bool) -> Result<Vec<String>, SqliteError> {
    let Some(folder) = path.parent() else { return Ok(Vec::new()) };
    let unreadable = |path: &Path, source| SqliteError::Unreadable { path: path.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        entries => entries.map_err(|source| unreadable(folder, source))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| unreadable(folder, source))?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| path.file_name().is_none_or(|own| own != *name)) else { continue };
        if !is_wanted(name) {
            continue;
        }
        let found = entry.path();
        // A link, a folder or a device is none of those that are made beside.
        if !fs::symlink_metadata(&found).is_ok_and(|metadata| metadata.is_file()) {
            continue;
        }
        let head = regular::head(&found, MAGIC.len()).map_err(|source| unreadable(&found, source))?;
        if head == MAGIC {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_beside_a_file_are_found_by_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["shop.db", "shop_2.db", "shop_1.db", "other.db"] {
            rusqlite::Connection::open(path(name)).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        }
        fs::write(path("shop_3.db"), "no database").unwrap();
        fs::write(path("shop_4.db"), "").unwrap();
        fs::create_dir(path("shop_5.db")).unwrap();
        std::os::unix::fs::symlink("other.db", path("shop_6.db")).unwrap();
        let is_wanted = |name: &str| name.starts_with("shop");
        assert_eq!(names_beside(&path("shop.db"), &is_wanted).unwrap(), ["shop_1.db", "shop_2.db"]);
        assert_eq!(names_beside(&path("gone.db"), &|_| false).unwrap(), [""; 0]);
        assert_eq!(names_beside(&path("gone/shop.db"), &is_wanted).unwrap(), [""; 0]);
        assert!(names_beside(&path("shop_1.db").join("x"), &is_wanted).unwrap().is_empty());
    }
}
