//! The dotenv gem: `.env.{env}.local` over `.env.local` (not in tests) over `.env.{env}` over `.env`.
//!
//! Source: dotenv's `lib/dotenv/rails.rb`.

use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::Dialect;

pub(crate) const DIALECTS: &[Dialect] = &[Dialect::Ruby];

/// Adds the gem's files, together and each by itself.
pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for environment in scene.modes(&["RACK_ENV", "RAILS_ENV", "APP_ENV", "HANAMI_ENV"], "test", "development") {
        readings.chain("dotenv (Ruby)", DIALECTS, Layer::files(scene.folder, &files(&environment)));
        for name in [".env".to_owned(), format!(".env.{environment}")] {
            readings.file("dotenv (Ruby)", DIALECTS, scene.path(&name));
        }
    }
}

pub(crate) fn files(environment: &str) -> Vec<String> {
    let mut names = vec![format!(".env.{environment}.local")];
    if environment != "test" {
        names.push(".env.local".to_owned());
    }
    names.extend([format!(".env.{environment}"), ".env".to_owned()]);
    names
}
