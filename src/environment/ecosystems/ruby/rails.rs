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
        for environment in environments(scene) {
            let mut layers = Layer::files(&home, &dotenv::files(&environment));
            for file in ["config/database.yml", "config/mongoid.yml"] {
                layers.extend(sections::layer(scene.library, &home.join(file), &environment, true));
            }
            readings.chain("Rails", dotenv::DIALECTS, layers);
            for (file, service) in ABOUT_SERVICES {
                if let Some(layer) = sections::layer_about(scene.library, &home.join(file), &environment, service) {
                    let mut layers = Layer::files(&home, &dotenv::files(&environment));
                    layers.push(layer);
                    readings.chain("Rails", dotenv::DIALECTS, layers);
                }
            }
        }
    }
}

/// Tasks that create, drop or load databases, with what may stand behind them (`db:drop:primary`): where they do so for
/// development, they do it for the tests as well.
///
/// Source: rails `database_tasks.rb` (`each_current_configuration`), `databases.rake`.
const FOR_TESTS_TOO: &[&str] = &[
    "db:create",
    "db:drop",
    "db:migrate:reset",
    "db:prepare",
    "db:purge",
    "db:reset",
    "db:schema:load",
    "db:setup",
    "db:structure:load",
];

/// Lists the environments whose databases the command acts on.
fn environments(scene: &Scene<'_>) -> Vec<String> {
    let mut environments = scene.modes(&["RAILS_ENV", "RACK_ENV"], "test", "development");
    let is_named =
        |task: &str, name: &str| task.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
    let tasks = || scene.words().iter().skip(1);
    let is_for_tests = tasks().any(|task| is_named(task, "db:test"));
    let is_for_tests_too = environments.iter().any(|environment| environment == "development")
        && scene.environment.get("SKIP_TEST_DATABASE").is_none()
        && tasks().any(|task| FOR_TESTS_TOO.iter().any(|name| is_named(task, name)));
    if (is_for_tests || is_for_tests_too) && !environments.iter().any(|environment| environment == "test") {
        environments.push("test".to_owned());
    }
    environments
}
/// Files with a section for each environment about what is no database of Active Record, and what they are about.
///
/// Sources: Rails' guides ("Action Cable Overview", `config_for`); the READMEs of resque, redis-rails, elasticsearch-rails
/// and dalli.
const ABOUT_SERVICES: &[(&str, &str)] = &[
    ("config/cable.yml", "cable"),
    ("config/elasticsearch.yml", "elasticsearch"),
    ("config/memcached.yml", "memcached"),
    ("config/mongo.yml", "mongo"),
    ("config/opensearch.yml", "opensearch"),
    ("config/redis.yml", "redis"),
    ("config/resque.yml", "redis"),
];
