//! Settings files of Python libraries that are told which file to read: Dynaconf, Hydra, OmegaConf, Confuse.

use crate::environment::ecosystems::python::dialects::DIALECTS;
use crate::environment::ecosystems::python::manifests::MANIFESTS;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::conventional;
use crate::environment::layering::ReadingsBuilder;

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let readers = ["dynaconf", "pyyaml", "omegaconf", "hydra", "confuse", "toml"];
    conventional::add(scene, readings, scene.folder, &readers, MANIFESTS, DIALECTS);
}
