//! Ruby on Rails: `config/database.yml` of the current environment, with `DATABASE_URL` merged over it.
//!
//! Source: rails `database_configurations.rb` (an `url:` beats `<NAME>_DATABASE_URL`, which beats `DATABASE_URL`,
//! which counts for `primary` alone and in every environment, tests too); dotenv's `lib/dotenv/rails.rb`.

use crate::environment::ecosystems::ruby::dotenv;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::sections;
use crate::environment::layering::{Layer, ReadingsBuilder};

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for home in scene.homes("config/application.rb") {
        readings.add_base(&home);
        for environment in scene.modes(&["RAILS_ENV", "RACK_ENV"], "test", "development") {
            let mut layers = Layer::files(&home, &dotenv::files(&environment));
            for file in ["config/database.yml", "config/mongoid.yml"] {
                layers.extend(sections::layer(scene.library, &home.join(file), &environment, true));
            }
            readings.chain("Rails", dotenv::DIALECTS, layers);
        }
    }
}
