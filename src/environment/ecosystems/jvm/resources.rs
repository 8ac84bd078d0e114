//! Where programs of the JVM keep their configuration.

use std::path::{Path, PathBuf};

use crate::environment::ecosystems::scene::Scene;

/// Lists the folders of the project that the command may belong to.
pub(crate) fn homes(scene: &Scene<'_>) -> Vec<PathBuf> {
    let mark =
        ["pom.xml", "build.gradle", "build.gradle.kts", "src"].into_iter().find(|mark| scene.is_in_project(mark));
    scene.homes(mark.unwrap_or("pom.xml"))
}

/// Lists the runs that are plausible: `true` for tests, `false` for the program itself.
pub(crate) fn runs(scene: &Scene<'_>) -> impl Iterator<Item = bool> {
    [(true, scene.purpose.test), (false, scene.purpose.development)].into_iter().filter(|run| run.1).map(|run| run.0)
}

/// Lists the folders that configuration is looked for in, the strongest first.
pub(crate) fn folders(home: &Path, is_test: bool) -> Vec<PathBuf> {
    let mut folders = vec![home.join("config"), home.to_owned()];
    if is_test {
        folders.extend([home.join("src/test/resources/config"), home.join("src/test/resources")]);
    }
    folders.extend([home.join("src/main/resources/config"), home.join("src/main/resources")]);
    folders
}
