//! What the programs of ours may see of the process environment, and the folders that they are looked for in.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use crate::own_tools::containers::running::Remembered;

/// The process environment as programs of ours are given it: each takes the variables by name that it needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct ToolEnvironment {
    variables: Vec<(OsString, OsString)>,
    project: PathBuf,
    folder: PathBuf,
    containers: Remembered,
}

impl ToolEnvironment {
    /// Takes over `process` for work on the project with the root `project`, in its folder `folder`.
    pub(crate) fn new(process: &[(OsString, OsString)], project: &Path, folder: &Path) -> Self {
        let (project, folder) = (project.to_owned(), folder.to_owned());
        ToolEnvironment { variables: process.to_vec(), project, folder, containers: Remembered::default() }
    }

    /// Gives what was found of the containers of this machine in this call.
    pub(super) fn containers(&self) -> &Remembered {
        &self.containers
    }

    /// Gives the root of the project.
    pub(crate) fn project(&self) -> &Path {
        &self.project
    }

    /// Looks a variable up; of two of that name the first counts, as for `getenv`.
    pub(crate) fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
    }

    /// Lists all variables, for programs that the project's own person chose.
    pub(crate) fn all(&self) -> &[(OsString, OsString)] {
        &self.variables
    }

    /// Lists the variables whose names are `wanted`.
    pub(crate) fn selected(&self, wanted: impl Fn(&str) -> bool) -> Vec<(OsString, OsString)> {
        let is_wanted = |(name, _): &&(OsString, OsString)| name.to_str().is_some_and(&wanted);
        self.variables.iter().filter(is_wanted).cloned().collect()
    }

    /// Gives a path that a setting of the project names from the folder that the command runs in.
    pub(crate) fn path(&self, named: &str) -> PathBuf {
        self.folder.join(named)
    }

    /// Lists the folders of `PATH` that programs of ours may come from, in its order.
    ///
    /// A relative or empty one leads into whatever folder we were called in. One whose true place is in the project is
    /// filled by whoever wrote the project; a link that leads out of it (`.devenv/profile`) is not.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        let absolute = |path| std::env::split_paths(path).filter(|folder| folder.is_absolute()).collect();
        self.outside(self.get("PATH").map(absolute).unwrap_or_default())
    }

    /// Keeps the folders that are there and do not truly lie in the project.
    pub(crate) fn outside(&self, folders: Vec<PathBuf>) -> Vec<PathBuf> {
        let root = self.project.canonicalize().ok().filter(|root| root.parent().is_some());
        let is_outside = |folder: &PathBuf| match (&root, folder.canonicalize()) {
            (Some(root), Ok(folder)) => !folder.starts_with(root),
            (None, Ok(_)) => true,
            (_, Err(_)) => false,
        };
        folders.into_iter().filter(is_outside).collect()
    }

    /// Gives the path that is meant where its first part, with `$` before it, is a variable that names an absolute folder.
    pub(crate) fn placed(&self, path: &str) -> Option<PathBuf> {
        let Some(named) = path.strip_prefix('$') else { return Some(PathBuf::from(path)) };
        let (variable, below) = named.split_once('/').unwrap_or((named, ""));
        self.get(variable).map(Path::new).filter(|folder| folder.is_absolute()).map(|folder| folder.join(below))
    }

    /// Lists folders of programs that platforms and version managers keep in folders of folders, whether they are there or
    /// not: each row gives the parent, [placed](ToolEnvironment::placed), how the names in it begin, and what the programs
    /// are in below.
    pub(crate) fn folders_below(&self, parents: &[(&str, &str, &str)]) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        for (parent, prefix, below) in parents {
            let Some(parent) = self.placed(parent) else { continue };
            let Ok(entries) = fs::read_dir(&parent) else { continue };
            let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
            names.sort();
            let names = names.into_iter().filter(|name| name.to_str().is_some_and(|name| name.starts_with(prefix)));
            folders.extend(names.map(|name| parent.join(name).join(below)));
        }
        folders
    }

    /// Finds the program of that name in these folders.
    pub(crate) fn find(&self, name: &str) -> Option<PathBuf> {
        super::find_all(name, &self.folders()).into_iter().next()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    /// Makes the environment of a call in `project` with this `PATH`.
    pub(crate) fn with_path(path: &str, project: &Path) -> ToolEnvironment {
        ToolEnvironment::new(&[("PATH".into(), path.into())], project, project)
    }

    #[test]
    fn only_absolute_folders_of_the_path_count() {
        for (path, expected) in [
            ("/usr/bin:/bin", &["/usr/bin", "/bin"][..]),
            ("bin:/bin:.:./x:../y", &["/bin"]),
            (":/bin::", &["/bin"]),
            ("~/bin:$HOME/bin:/bin", &["/bin"]),
            ("/bin:/nonexistent", &["/bin"]),
            ("", &[]),
        ] {
            let found = with_path(path, Path::new("/nonexistent")).folders();
            assert_eq!(found, expected.iter().map(PathBuf::from).collect::<Vec<_>>(), "{path:?}");
        }
        assert!(ToolEnvironment::default().folders().is_empty());
    }

    #[test]
    fn a_folder_that_truly_lies_in_the_project_does_not_count() {
        let temporary = tempfile::tempdir().unwrap();
        let [project, outside, alias] = ["project", "outside", "alias"].map(|name| temporary.path().join(name));
        fs::create_dir_all(project.join("node_modules/.bin")).unwrap();
        fs::create_dir(&outside).unwrap();
        symlink(&project, &alias).unwrap();
        symlink(&outside, project.join("profile")).unwrap();
        symlink(project.join("node_modules"), outside.join("back")).unwrap();
        let folders = [
            project.join("node_modules/.bin"),
            alias.join("node_modules/.bin"),
            outside.join("back/.bin"),
            outside.join("../project"),
            project.join("profile"),
            outside.clone(),
        ];
        let path = std::env::join_paths(&folders).unwrap();
        for root in [&project, &alias] {
            assert_eq!(with_path(path.to_str().unwrap(), root).folders(), [project.join("profile"), outside.clone()]);
        }
        // Where the project is the whole disk, as in a bare container, nothing would be left.
        assert_eq!(with_path(path.to_str().unwrap(), Path::new("/")).folders(), folders);
    }
}
