//! What a load order is asked about, and looking around in it.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::Project;
use crate::environment::follow::Step;
use crate::environment::layering::{Library, Memo, StartEnvironment};
use crate::environment::mode::Purpose;
use crate::environment::paths::nearest_that;
use crate::tools::programs::program_of;

/// One command, or none, in the environment and the folder that it starts in.
pub(crate) struct Scene<'a> {
    pub(crate) project: &'a Project,
    pub(crate) library: &'a Library<'a>,
    pub(crate) environment: &'a StartEnvironment,
    /// `None` where no command is asked about.
    pub(crate) step: Option<&'a Step>,
    pub(crate) purpose: Purpose,
    /// The folder that the command runs in.
    pub(crate) folder: &'a Path,
    /// What load orders made for this scene.
    pub(crate) made: Memo,
}

impl Scene<'_> {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Tells whether one of `names` is in the command's folder or in one above it, up to the root.
    pub(crate) fn is_any_in_project(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.is_in_project(name))
    }

    /// Tells whether `name` is in the command's folder or in one above it, up to the root.
    pub(crate) fn is_in_project(&self, name: &str) -> bool {
        self.find_upwards(&[name]).is_some()
    }

    /// Finds the nearest of `names`, from the command's folder up to the root.
    pub(crate) fn find_upwards(&self, names: &[&str]) -> Option<PathBuf> {
        nearest_that(|path| self.library.exists(path), self.folder, &self.project.root, names)
    }

    /// Lists the folder of the framework's own mark (`artisan`, `config/application.rb`), then the command's folder.
    pub(crate) fn homes(&self, mark: &str) -> Vec<PathBuf> {
        let depth = Path::new(mark).components().count();
        let home = self.find_upwards(&[mark]).and_then(|path| path.ancestors().nth(depth).map(Path::to_owned));
        let mut homes: Vec<PathBuf> = home.into_iter().collect();
        if !homes.iter().any(|home| home == self.folder) {
            homes.push(self.folder.to_owned());
        }
        homes
    }

    /// Makes something once for this scene that hangs on its environment or its words. `key` says what it is, and of what.
    pub(crate) fn once<T: 'static>(&self, key: String, make: impl FnOnce() -> T) -> Rc<T> {
        self.made.once(key, make)
    }

    /// Lists the command's folder.
    pub(crate) fn names(&self) -> Vec<String> {
        self.names_in(self.folder)
    }

    /// Lists a folder, sorted: one look at it is cheaper than one at each of several names.
    pub(crate) fn names_in(&self, folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            self.library.files.list(folder).into_iter().map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        names
    }

    /// Lists the files of `folder`, then those of the folders `below` it that are there.
    pub(crate) fn files_in(&self, folder: &Path, below: &[&str]) -> Vec<PathBuf> {
        let names = self.names_in(folder);
        let mut files: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
        for below in below.iter().filter(|below| names.iter().any(|name| name == **below)) {
            let below = folder.join(below);
            files.extend(self.names_in(&below).into_iter().map(|name| below.join(name)));
        }
        files
    }

    /// Reads the nearest of these manifests; empty where there is none.
    pub(crate) fn manifest(&self, names: &[&str]) -> Rc<str> {
        self.find_upwards(names).map_or_else(|| Rc::from(""), |path| self.library.manifest(&path))
    }

    /// Returns the program that runs, behind its interpreter; empty where no command is asked about.
    pub(crate) fn program(&self) -> &str {
        self.step.map_or("", |step| program_of(&step.invocation.words))
    }

    /// Lists the words of the command; empty where none is asked about.
    pub(crate) fn words(&self) -> &[String] {
        self.step.map_or(&[], |step| &step.invocation.words)
    }

    /// Finds the value of `--option VALUE` or `--option=VALUE` among the words.
    pub(crate) fn option(&self, option: &str) -> Option<&str> {
        self.step?.invocation.option(option)
    }

    /// Lists the modes that may run: the one that an option or one of `variables` names, else those that the
    /// command's purpose makes plausible, by the framework's own words for them.
    pub(crate) fn modes(&self, variables: &[&str], test: &str, development: &str) -> Vec<String> {
        let set = variables.iter().find_map(|name| self.environment.get(name)).filter(|value| !value.is_empty());
        if let Some(name) = self.purpose.named.as_deref().or(set) {
            return vec![name.to_owned()];
        }
        let mut modes = Vec::new();
        if self.purpose.test {
            modes.push(test.to_owned());
        }
        if self.purpose.development {
            modes.push(development.to_owned());
        }
        modes
    }
}
