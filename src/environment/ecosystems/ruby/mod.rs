//! Ruby: Rails and dotenv.

pub(crate) mod code;
pub(crate) mod dotenv;
pub(crate) mod manifests;
pub(crate) mod rails;

use crate::environment::derivation::Derivation;
use crate::environment::ecosystems::row::{Ecosystem, LoadOrder, NamedFile, always, nowhere};
use crate::environment::ecosystems::settings_files::sections;
use crate::lists::list;

pub(crate) static RUBY: Ecosystem = Ecosystem {
    name: "ruby",
    is_present: |scene| {
        scene.is_any_in_project(&["Gemfile", "config/database.yml", "Rakefile", "config/application.rb"])
    },
    load_orders: &[
        LoadOrder { name: "Rails", applies: always, add: rails::add },
        LoadOrder {
            name: "dotenv",
            applies: |scene| !scene.is_any_in_project(&["config/application.rb", "config/database.yml"]),
            add: dotenv::add,
        },
        LoadOrder { name: "Ruby code", applies: always, add: code::add },
    ],
    derivations: &[
        (
            |scene| scene.purpose.test && scene.is_in_project("config/application.rb"),
            // The underscore is of newer versions.
            Derivation {
                by: "Rails' parallel tests",
                on_servers: &["{name}-{worker}", "{name}_{worker}"],
                in_files: &["{name}-{worker}", "{name}_{worker}"],
            },
        ),
        (
            // Source: hanami-db `testing.rb`.
            |scene| scene.purpose.test && scene.manifest(&["Gemfile"]).contains("hanami-db"),
            Derivation { by: "Hanami's tests", on_servers: &["{plain}_test"], in_files: &["{plain}_test{ending}"] },
        ),
    ],
    named_files: &[NamedFile {
        fits: |name| matches!(name, "database.yml" | "database.yaml" | "mongoid.yml"),
        layers: |library, path| sections::by_itself(library, path).into_iter().collect(),
    }],
    settings_options: &[],
    scan: manifests::scan,
    members: &[],
    confines: nowhere,
    included: manifests::included,
    drivers: list!("drivers.txt"),
};
