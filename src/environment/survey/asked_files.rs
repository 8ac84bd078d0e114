//! Files that are asked for beside the command: by `--env-file`, or by the policy.

use std::path::PathBuf;

use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, Library, ReadingsBuilder, StartEnvironment};
use crate::environment::readers::dotenv::EVERY_DIALECT;
use crate::environment::survey::input::SurveyInput;
use crate::environment::survey::named_files;
use crate::environment::{FileProblem, ProblemKind};

/// Lists the files of `--env-file`, absolute.
pub(crate) fn extra_files(input: &SurveyInput<'_>) -> Vec<PathBuf> {
    input.extra_files.iter().map(|path| input.project.folder.join(path)).collect()
}

/// Adds each file of `--env-file` as a candidate by itself.
pub(crate) fn add_extra_files(
    input: &SurveyInput<'_>,
    host: &StartEnvironment,
    library: &Library<'_>,
    readings: &mut ReadingsBuilder<'_>,
) {
    for path in extra_files(input) {
        if !library.exists(&path) {
            let message = "`--env-file` names it, and it is not there".to_owned();
            let (file, kind) = (library.shown(&path), ProblemKind::Missing);
            library.problem(FileProblem { file, line: None, message, kind });
        }
        let mut layers = named_files::layers(library, &path);
        layers.push(Layer::Environment);
        readings.add_alone("--env-file", EVERY_DIALECT, layers, host);
    }
}

/// Adds the files that a policy names, each by itself and all together, the last one the strongest.
pub(crate) fn add_policy_files(only: &[PathBuf], scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let paths: Vec<PathBuf> = only.iter().map(|path| scene.project.root.join(path)).collect();
    let mut layers = vec![Layer::Environment];
    layers.extend(paths.iter().rev().flat_map(|path| named_files::layers(scene.library, path)));
    readings.chain("policy files", EVERY_DIALECT, layers);
    for path in paths {
        readings.file("policy file", EVERY_DIALECT, path);
    }
}
