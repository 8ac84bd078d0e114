//! Finds the folder of a project's snapshots, and refuses one that somebody else could put files into.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::policy::leaves_the_project;
use crate::regular;
use crate::snapshot::StoreError;

/// What the folder's own `.gitignore` says; it also marks the folder as ours.
pub(crate) const GITIGNORE: &str = "# Snapshots and audit log of safe-test: never to be committed.\n*\n";

/// What a folder holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Nothing,
    Ours,
    Others,
}

/// Finds the folder: `configured` (relative to the root) or `backups`; inside it `safe-test/` where that one holds
/// somebody else's files. Nothing is created.
///
/// # Errors
///
/// [`StoreError::Link`] where the folder is a symbolic link, [`StoreError::LedOutside`] where one above it leads out of
/// the project though nothing in `configured` says so, [`StoreError::Owner`] and [`StoreError::WritableByOthers`] where
/// somebody else could put files into it, [`StoreError::NotAFolder`] and [`StoreError::Folder`] where it is none or cannot
/// be read.
pub(crate) fn find(root: &Path, configured: Option<&str>) -> Result<PathBuf, StoreError> {
    let configured = configured.unwrap_or("backups");
    let directory = root.join(configured);
    if !leaves_the_project(configured) && links_lead_outside(&directory, root)? {
        return Err(StoreError::LedOutside { path: directory });
    }
    if !is_folder_of_ours(&directory, root)? {
        return Ok(directory);
    }
    let held = held(&directory).map_err(|cause| StoreError::Folder { path: directory.clone(), cause })?;
    let place = if held == Held::Others { directory.join("safe-test") } else { directory };
    // An empty one is closed to others before anything is put into it.
    if held == Held::Ours || held == Held::Others && is_folder_of_ours(&place, root)? {
        expect_unshared(&place)?;
    }
    Ok(place)
}

/// Tells whether links on the way to `directory` lead out of the project. A link that leads nowhere may lead anywhere
/// tomorrow.
fn links_lead_outside(directory: &Path, root: &Path) -> Result<bool, StoreError> {
    let failed = |path: &Path, cause| StoreError::Folder { path: path.to_owned(), cause };
    let parent = directory.parent().unwrap_or(directory);
    let existing = parent.ancestors().find(|path| path.symlink_metadata().is_ok()).unwrap_or(root);
    let real_root = root.canonicalize().map_err(|cause| failed(root, cause))?;
    match existing.canonicalize() {
        Ok(real) => Ok(!real.starts_with(real_root)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(cause) => Err(failed(existing, cause)),
    }
}

/// Tells whether the folder is there; fails where it is no folder of this account's.
fn is_folder_of_ours(path: &Path, root: &Path) -> Result<bool, StoreError> {
    let failed = |cause| StoreError::Folder { path: path.to_owned(), cause };
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        found => found.map_err(failed)?,
    };
    if found.is_symlink() {
        return Err(StoreError::Link { path: path.to_owned() });
    }
    if !found.is_dir() {
        return Err(StoreError::NotAFolder { path: path.to_owned() });
    }
    let me = rustix::process::geteuid().as_raw();
    let project_owner = fs::metadata(root).map_err(failed)?.uid();
    if !may_use(found.uid(), project_owner, me) {
        return Err(StoreError::Owner { path: path.to_owned(), owner: found.uid() });
    }
    Ok(true)
}

/// Tells whether `me` may trust what is in a folder of `owner`'s: its own, and, for root, what is of the same account as
/// the project that it works in.
fn may_use(owner: u32, project_owner: u32, me: u32) -> bool {
    owner == me || me == 0 && owner == project_owner
}

/// Fails where others can put files into the folder.
///
/// # Errors
///
/// [`StoreError::WritableByOthers`]; [`StoreError::Folder`] where it cannot be looked at.
pub(crate) fn expect_unshared(directory: &Path) -> Result<(), StoreError> {
    let found = fs::metadata(directory).map_err(|cause| StoreError::Folder { path: directory.to_owned(), cause })?;
    match found.mode() & 0o022 {
        0 => Ok(()),
        _ => Err(StoreError::WritableByOthers { path: directory.to_owned() }),
    }
}

/// A folder is ours by its `.gitignore`, also after somebody added to it, or by the log in it. One that has nothing but
/// the beginning of that file is being made this very moment.
fn held(directory: &Path) -> io::Result<Held> {
    // Listed before the file is read: another run that is making the folder writes that file first, so that what is listed
    // of it is never there without the file.
    let names = fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    held_where_listed(directory, &names)
}

/// What a folder holds whose names were `listed` a moment ago.
fn held_where_listed(directory: &Path, listed: &[OsString]) -> io::Result<Held> {
    let ignored = regular::read_own(&directory.join(".gitignore"), regular::SMALL).unwrap_or_default();
    if ignored.starts_with(GITIGNORE.lines().next().unwrap_or_default().as_bytes())
        || directory.join("audit.log").exists()
    {
        return Ok(Held::Ours);
    }
    let is_a_beginning = GITIGNORE.as_bytes().starts_with(&ignored);
    let is_of_others = |name: &OsString| name != ".gitignore" || !is_a_beginning;
    Ok(if listed.iter().any(is_of_others) { Held::Others } else { Held::Nothing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Store;
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_folder_is_trusted_that_is_ours_or_for_root_the_projects_owners() {
        for (owner, project_owner, me, expected) in [
            (1000, 1000, 1000, true),
            (1000, 1001, 1000, true),
            (1001, 1000, 1000, false),
            (1001, 1001, 1000, false),
            (0, 1000, 1000, false),
            (0, 1000, 0, true),
            (1000, 1000, 0, true),
            (1001, 1000, 0, false),
            (1000, 0, 0, false),
        ] {
            assert_eq!(may_use(owner, project_owner, me), expected, "{owner} {project_owner} {me}");
        }
    }

    #[test]
    fn a_folder_that_others_can_write_is_refused_unless_it_is_empty() {
        let project = tempfile::tempdir().unwrap();
        let backups = project.path().join("backups");
        let inner = backups.join("safe-test");
        let locate = || Store::locate(project.path(), None);
        let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        fs::create_dir(&backups).unwrap();
        set(&backups, 0o777);
        locate().unwrap().prepare().unwrap();
        assert_eq!(fs::metadata(&backups).unwrap().mode() & 0o777, 0o700, "closed before it is used");
        for mode in [0o720, 0o702, 0o775, 0o1777] {
            set(&backups, mode);
            assert!(matches!(locate(), Err(StoreError::WritableByOthers { path }) if path == backups), "{mode:o}");
        }
        set(&backups, 0o755);
        locate().unwrap();
        // Somebody else's files: what others do beside ours is theirs.
        fs::write(backups.join(".gitignore"), "theirs\n").unwrap();
        set(&backups, 0o775);
        assert_eq!(locate().unwrap().directory(), inner);
        locate().unwrap().prepare().unwrap();
        set(&inner, 0o770);
        assert!(matches!(locate(), Err(StoreError::WritableByOthers { path }) if path == inner));
        fs::remove_dir_all(&inner).unwrap();
        symlink(project.path(), &inner).unwrap();
        assert!(matches!(locate(), Err(StoreError::Link { path }) if path == inner));
        fs::remove_file(&inner).unwrap();
        fs::write(&inner, "").unwrap();
        assert!(matches!(locate(), Err(StoreError::NotAFolder { path }) if path == inner));
    }

    #[test]
    fn a_folder_that_another_run_is_making_is_ours_at_every_moment() {
        for _ in 0..200 {
            let project = tempfile::tempdir().unwrap();
            let backups = project.path().join("backups");
            let made = std::sync::Barrier::new(2);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    made.wait();
                    Store::locate(project.path(), None).unwrap().prepare().unwrap();
                    fs::write(backups.join("a.partial"), "").unwrap();
                });
                made.wait();
                while !backups.join("a.partial").exists() {
                    assert_eq!(Store::locate(project.path(), None).unwrap().directory(), backups);
                }
            });
        }
    }

    #[test]
    fn a_folder_that_links_lead_out_of_the_project_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let (project, elsewhere) = (place.path().join("project"), place.path().join("elsewhere"));
        for folder in [&project, &elsewhere, &project.join("data"), &elsewhere.join("deep")] {
            fs::create_dir(folder).unwrap();
        }
        let links = [
            ("out", "../elsewhere"),
            ("deep", "data/../../elsewhere/deep"),
            ("nowhere", "../none"),
            ("in", "data"),
            ("twice", "out"),
        ];
        for (name, to) in links {
            symlink(to, project.join(name)).unwrap();
        }
        let outside = elsewhere.to_str().unwrap();
        for (configured, expected) in [
            ("out/backups", false),
            ("out/new/backups", false),
            ("deep/backups", false),
            ("twice/deep", false),
            ("nowhere/backups", false),
            ("in/backups", true),
            ("data/backups", true),
            ("new/backups", true),
            // Written for everybody to see, and so in force only where a person has approved it.
            (outside, true),
            ("../elsewhere", true),
        ] {
            let found = Store::locate(&project, Some(configured));
            let is_led = matches!(found, Err(StoreError::LedOutside { .. }));
            assert_eq!((found.is_ok(), is_led), (expected, !expected), "{configured}");
        }
        // The project itself may be reached by a link.
        symlink("project", place.path().join("link")).unwrap();
        Store::locate(&place.path().join("link"), Some("data/backups")).unwrap();
    }

    #[test]
    fn a_folder_of_another_account_is_refused() {
        // Only root can give a folder away.
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let project = tempfile::tempdir().unwrap();
        let backups = project.path().join("backups");
        fs::create_dir(&backups).unwrap();
        let give = |path: &Path, owner| std::os::unix::fs::chown(path, Some(owner), None).unwrap();
        give(&backups, 1234);
        assert!(matches!(Store::locate(project.path(), None), Err(StoreError::Owner { owner: 1234, .. })));
        give(project.path(), 1234);
        Store::locate(project.path(), None).unwrap();
        give(&backups, 1235);
        assert!(matches!(Store::locate(project.path(), None), Err(StoreError::Owner { owner: 1235, .. })));
    }
}
