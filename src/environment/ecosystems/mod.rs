//! In which order each framework lays values over each other, one file for each ecosystem.
//!
//! Facts: `Source:` lines in the files; measured with the real loaders or read in their code.

pub(crate) mod choice;
pub(crate) mod compose;
pub(crate) mod conventional;
pub(crate) mod dart;
pub(crate) mod dotnet;
pub(crate) mod elixir;
pub(crate) mod evidence;
pub(crate) mod generic;
pub(crate) mod go;
pub(crate) mod jvm;
pub(crate) mod manifest;
pub(crate) mod migration_tools;
pub(crate) mod named_files;
pub(crate) mod node;
pub(crate) mod php;
pub(crate) mod python;
pub(crate) mod ruby;
pub(crate) mod rust;
pub(crate) mod swift;

use std::path::{Path, PathBuf};

use crate::environment::Project;
use crate::environment::ecosystems::choice::Loader;
use crate::environment::follow::Step;
use crate::environment::layering::library::{Dialect, Library};
use crate::environment::layering::{Draft, Layer, Shell};
use crate::environment::mode::Purpose;
use crate::environment::paths::{nearest, parent};
use crate::tools::programs::program_of;

pub(crate) use crate::environment::readers::dotenv::EVERY_DIALECT;

/// What a load order is asked about.
pub(crate) struct Scene<'a> {
    pub(crate) project: &'a Project,
    pub(crate) library: &'a Library<'a>,
    pub(crate) shell: &'a Shell,
    /// `None` where no command is asked about.
    pub(crate) step: Option<&'a Step>,
    pub(crate) purpose: Purpose,
    /// The folder that the command runs in.
    pub(crate) folder: &'a Path,
}

/// Adds the settings files that belong to the program itself, or that its words name.
pub(crate) fn add_own_files(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    migration_tools::add(scene, draft);
    jvm::build_files::add(scene, draft);
    migration_tools::add_named(scene, draft);
}

/// Adds what `loader` would do in the scene.
pub(crate) fn add(loader: Loader, scene: &Scene<'_>, draft: &mut Draft<'_>) {
    match loader {
        Loader::Laravel => php::laravel::add(scene, draft),
        Loader::Symfony => php::symfony::add(scene, draft),
        Loader::Phpdotenv => php::phpdotenv::add(scene, draft),
        Loader::Rails => ruby::rails::add(scene, draft),
        Loader::RubyDotenv => ruby::rails::add_dotenv(scene, draft),
        Loader::Django => python::django::add(scene, draft),
        Loader::Python => python::dotenv::add(scene, draft),
        Loader::NodeDotenv => node::loaders::add_dotenv(scene, draft),
        Loader::DotenvFlow => node::loaders::add_dotenv_flow(scene, draft),
        Loader::Next => node::loaders::add_next(scene, draft),
        Loader::Vite => node::loaders::add_vite(scene, draft),
        Loader::Bun => node::loaders::add_bun(scene, draft),
        Loader::NodeEnvFile => node::loaders::add_env_file(scene, draft),
        Loader::NodeConfig => {
            node::loaders::add_configuration(scene, draft);
            node::code::add(scene, draft);
            node::node_config::add(scene, draft);
            node::setup::add(scene, draft);
        }
        Loader::Prisma => node::prisma::add(scene, draft),
        Loader::Go => go::dotenv::add(scene, draft),
        Loader::Rust => rust::dotenv::add(scene, draft),
        Loader::Spring => jvm::spring::add(scene, draft),
        Loader::Dotnet => dotnet::settings::add(scene, draft),
        Loader::Elixir => elixir::configuration::add(scene, draft),
        Loader::Compose => compose::add(scene, draft),
        Loader::Generic => generic::add(scene, draft),
    }
}

impl Scene<'_> {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Whether `name` is in the command's folder or in one above it, up to the root.
    pub(crate) fn is_in_project(&self, name: &str) -> bool {
        self.find_upwards(&[name]).is_some()
    }

    /// The nearest of `names`, from the command's folder up to the root.
    pub(crate) fn find_upwards(&self, names: &[&str]) -> Option<PathBuf> {
        nearest(self.library.files, self.folder, &self.project.root, names)
    }

    /// The folder of the framework's own mark (`artisan`, `config/application.rb`), then the command's folder.
    pub(crate) fn homes(&self, mark: &str) -> Vec<PathBuf> {
        let depth = Path::new(mark).components().count();
        let home = self.find_upwards(&[mark]).and_then(|path| path.ancestors().nth(depth).map(Path::to_owned));
        let mut homes: Vec<PathBuf> = home.into_iter().collect();
        if !homes.iter().any(|home| home == self.folder) {
            homes.push(self.folder.to_owned());
        }
        homes
    }

    /// The names in the command's folder.
    pub(crate) fn names(&self) -> Vec<String> {
        self.names_in(self.folder)
    }

    /// The names in a folder. One look at it is cheaper than one at each of several names.
    fn names_in(&self, folder: &Path) -> Vec<String> {
        self.library.files.list(folder).into_iter().map(|name| name.to_string_lossy().into_owned()).collect()
    }

    /// The files of `folder`, then those of the folders `below` it that are there.
    fn files_in(&self, folder: &Path, below: &[&str]) -> Vec<PathBuf> {
        let names = self.names_in(folder);
        let mut files: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
        for below in below.iter().filter(|below| names.iter().any(|name| name == **below)) {
            let below = folder.join(below);
            files.extend(self.names_in(&below).into_iter().map(|name| below.join(name)));
        }
        files
    }

    /// The folder of the nearest package.json, else the command's.
    fn package(&self) -> PathBuf {
        self.find_upwards(&["package.json"]).map_or_else(|| self.folder.to_owned(), |path| parent(&path))
    }

    /// The text of the nearest manifest of that name, empty where there is none. It is no file of the environment.
    pub(crate) fn manifest(&self, names: &[&str]) -> String {
        let bytes = self.find_upwards(names).and_then(|path| self.library.files.read(&path).ok().flatten());
        bytes.map_or_else(String::new, |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The program that runs, behind its interpreter; empty where no command is asked about.
    pub(crate) fn program(&self) -> &str {
        self.step.map_or("", |step| program_of(&step.invocation))
    }

    /// The words of the command; empty where none is asked about.
    pub(crate) fn words(&self) -> &[String] {
        self.step.map_or(&[], |step| &step.invocation.words)
    }

    /// The value of `--option VALUE` or `--option=VALUE` among the words.
    pub(crate) fn option(&self, option: &str) -> Option<&str> {
        self.step?.invocation.option(option)
    }

    /// The names of the modes that may run: the one that an option or one of `variables` names, else those that the
    /// command's purpose makes plausible, by the framework's own words for them.
    pub(crate) fn modes(&self, variables: &[&str], test: &str, development: &str) -> Vec<String> {
        let set = variables.iter().find_map(|name| self.shell.get(name)).filter(|value| !value.is_empty());
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

/// The files `names` of `folder` as layers under the shell, the first the strongest.
pub(crate) fn layered(folder: &Path, names: &[String]) -> Vec<Layer> {
    let files = names.iter().map(|name| Layer::file(folder.join(name)));
    std::iter::once(Layer::Shell).chain(files).collect()
}

/// One file under the shell.
pub(crate) fn single(draft: &mut Draft<'_>, loader: &'static str, dialects: &'static [Dialect], path: &Path) {
    draft.chain(loader, dialects, vec![Layer::Shell, Layer::file(path.to_owned())]);
}

/// `names` as owned strings.
pub(crate) fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
