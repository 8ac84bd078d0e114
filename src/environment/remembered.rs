//! A view of files that looks at each place once: the commands of a workspace ask for the same folders over and over.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use crate::collections::HashMap;
use crate::environment::{Files, Folder};

/// Another view, and what it said of places so far. What files hold is not kept.
pub(crate) struct Remembered<'f> {
    files: &'f dyn Files,
    existing: RefCell<HashMap<OsString, bool>>,
    listed: RefCell<HashMap<OsString, Vec<OsString>>>,
    folders: RefCell<HashMap<OsString, Option<Folder>>>,
}

impl<'f> Remembered<'f> {
    pub(crate) fn new(files: &'f dyn Files) -> Self {
        let (existing, listed, folders) = (RefCell::default(), RefCell::default(), RefCell::default());
        Remembered { files, existing, listed, folders }
    }
}

/// Gives what is known of a place, else what `look` finds there.
fn once<T: Clone>(known: &RefCell<HashMap<OsString, T>>, place: &OsStr, look: impl FnOnce() -> T) -> T {
    if let Some(found) = known.borrow().get(place) {
        return found.clone();
    }
    let found = look();
    known.borrow_mut().insert(place.to_owned(), found.clone());
    found
}

impl Files for Remembered<'_> {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.files.read(path)
    }

    fn head(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.files.head(path)
    }

    fn exists(&self, path: &Path) -> bool {
        once(&self.existing, path.as_os_str(), || self.files.exists(path))
    }

    fn list(&self, path: &Path) -> Vec<OsString> {
        once(&self.listed, path.as_os_str(), || self.files.list(path))
    }

    fn folder(&self, path: &Path) -> Option<Folder> {
        once(&self.folders, path.as_os_str(), || self.files.folder(path))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Counts how often it is asked.
    #[derive(Default)]
    struct Counting(Cell<u32>);

    impl Files for Counting {
        fn read(&self, _: &Path) -> io::Result<Option<Vec<u8>>> {
            self.0.set(self.0.get() + 1);
            Ok(None)
        }

        fn exists(&self, path: &Path) -> bool {
            self.0.set(self.0.get() + 1);
            path.ends_with("a")
        }

        fn list(&self, _: &Path) -> Vec<OsString> {
            self.0.set(self.0.get() + 1);
            vec!["a".into()]
        }

        fn folder(&self, _: &Path) -> Option<Folder> {
            self.0.set(self.0.get() + 1);
            None
        }
    }

    #[test]
    fn each_place_is_looked_at_once_and_files_are_read_each_time() {
        let counting = Counting::default();
        let files = Remembered::new(&counting);
        for _ in 0..3 {
            assert!(files.exists(Path::new("/p/a")) && !files.exists(Path::new("/p/b")));
            assert_eq!(files.list(Path::new("/p")), ["a"]);
            assert_eq!(files.folder(Path::new("/p")), None);
        }
        assert_eq!(counting.0.get(), 4);
        for _ in 0..2 {
            assert_eq!(files.read(Path::new("/p/a")).unwrap(), None);
        }
        assert_eq!(counting.0.get(), 6);
    }
}
