//! Where programs of the JVM keep their configuration.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use crate::environment::ecosystems::scene::Scene;

/// Where a project of Grails keeps its settings.
pub(crate) const GRAILS: &str = "grails-app/conf";

/// The folders of one module that configuration is looked for in, the strongest first.
#[derive(Clone)]
pub(crate) struct Folders {
    /// Folders that a command names by itself.
    pub(crate) named: Vec<PathBuf>,
    /// The folder that the program runs in, and its `config`.
    beside: Vec<PathBuf>,
    /// Resources of the tests.
    of_tests: Vec<PathBuf>,
    /// Resources of the program.
    of_program: Vec<PathBuf>,
}

impl Folders {
    /// Lists those of the module in `home`, with those of its tests where tests run, and those of the modules that it
    /// depends on.
    pub(crate) fn of(scene: &Scene<'_>, home: &Path, depended: &[PathBuf], is_test: bool) -> Self {
        let with_config = |folder: PathBuf| [folder.join("config"), folder];
        let sets = if is_test { test_sets(scene, home) } else { Vec::new() };
        Folders {
            named: Vec::new(),
            beside: with_config(home.to_owned()).into(),
            of_tests: sets.into_iter().flat_map(|set| with_config(set.join("resources"))).collect(),
            of_program: std::iter::once(home)
                .chain(depended.iter().map(PathBuf::as_path))
                .flat_map(|home| {
                    let of_grails = Some(home.join(GRAILS)).filter(|folder| scene.library.exists(folder));
                    with_config(home.join("src/main/resources")).into_iter().chain(of_grails)
                })
                .collect(),
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &PathBuf> {
        self.named.iter().chain(&self.beside).chain(&self.of_tests).chain(&self.of_program)
    }

    /// Divides them into those beside the program and those of the classpath.
    pub(crate) fn divided(self) -> [Folders; 2] {
        let none = Vec::new;
        [
            Folders { of_tests: none(), of_program: none(), ..self.clone() },
            Folders { named: none(), beside: none(), ..self },
        ]
    }

    /// Lists the folders of the classpath.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &PathBuf> {
        self.of_tests.iter().chain(&self.of_program)
    }

    /// Tells whether the tests have a file that stands for the program's of the same name.
    pub(crate) fn is_shadowed(&self, scene: &Scene<'_>, folder: &Path, file: &str) -> bool {
        let is_config = folder.ends_with("config");
        self.of_program.iter().any(|own| own == folder)
            && self.of_tests.iter().any(|test| {
                (test.ends_with("src/test/resources") || test.ends_with("src/test/resources/config"))
                    && test.ends_with("config") == is_config
                    && scene.library.exists(&test.join(file))
            })
    }
}

/// Lists the runs that are plausible: `true` for tests, `false` for the program itself.
pub(crate) fn runs(scene: &Scene<'_>) -> impl Iterator<Item = bool> {
    [(true, scene.purpose.test), (false, scene.purpose.development)].into_iter().filter(|run| run.1).map(|run| run.0)
}

/// Lists the folders of the source sets for tests: `src/test`, `src/integrationTest`, `src/it`.
pub(crate) fn test_sets(scene: &Scene<'_>, home: &Path) -> Vec<PathBuf> {
    let src = home.join("src");
    let mut names = scene.names_in(&src);
    names.retain(|name| name == "it" || name.to_ascii_lowercase().contains("test"));
    names.sort();
    let mut sets: Vec<PathBuf> = names.into_iter().map(|name| src.join(name)).collect();
    // Play keeps its tests beside `app`.
    sets.extend(Some(home.join("test")).filter(|_| scene.library.exists(&home.join("conf"))));
    sets
}

/// More files of code are not listed.
const MOST_FILES: usize = 4096;

/// Lists the files of code in the folders and below, sorted; tells, too, whether there are more.
pub(crate) fn code_below(scene: &Scene<'_>, folders: Vec<PathBuf>) -> (Vec<PathBuf>, bool) {
    let mut waiting: VecDeque<PathBuf> = folders.into();
    let (mut files, mut looked) = (Vec::new(), 0);
    while let Some(folder) = waiting.pop_front() {
        looked += 1;
        if files.len() > MOST_FILES || looked > MOST_FILES {
            return (files, true);
        }
        for name in scene.names_in(&folder) {
            match name.rsplit_once('.') {
                Some((_, "java" | "kt" | "groovy" | "scala")) => files.push(folder.join(name)),
                None if name != "resources" => waiting.push_back(folder.join(name)),
                _ => {}
            }
        }
    }
    files.sort();
    (files, false)
}
