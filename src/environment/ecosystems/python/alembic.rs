//! Alembic: the URL in `alembic.ini`. Source: its tutorial ("Editing the .ini File").

use crate::environment::ecosystems::python::dialects::DIALECTS;
use crate::environment::ecosystems::python::pytest::Configured;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::by_format;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::formats;

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let Some(path) = scene.find_upwards(&["alembic.ini"]) else { return };
    let mut layers = vec![Layer::fixed(Configured::of(scene).forced), Layer::Environment];
    layers.extend(scene.find_upwards(&[".env"]).map(Layer::file));
    layers.extend(by_format::flat(scene.library, &path, formats::ini::flatten));
    readings.chain("Alembic", DIALECTS, layers);
}
