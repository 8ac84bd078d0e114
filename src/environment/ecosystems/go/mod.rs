//! Go: godotenv, settings files, and migration tools.

pub(crate) mod atlas;
pub(crate) mod code;
pub(crate) mod dotenv;
pub(crate) mod manifests;
pub(crate) mod migration_tools;

use crate::environment::ecosystems::row::{Ecosystem, LoadOrder, NamedFile, always, nothing, nowhere};
use crate::environment::ecosystems::settings_files::sections;
use crate::lists::list;

pub(crate) static GO: Ecosystem = Ecosystem {
    name: "go",
    is_present: |scene| scene.is_in_project("go.mod"),
    load_orders: &[
        LoadOrder {
            name: "sql-migrate",
            applies: |scene| scene.program() == "sql-migrate",
            add: migration_tools::add_sql_migrate,
        },
        LoadOrder {
            name: "soda",
            applies: |scene| matches!(scene.program(), "soda" | "buffalo"),
            add: migration_tools::add_soda,
        },
        LoadOrder { name: "Atlas", applies: |scene| scene.program() == "atlas", add: atlas::add },
        LoadOrder { name: "godotenv", applies: always, add: dotenv::add },
    ],
    derivations: &[],
    named_files: &[NamedFile {
        fits: |name| name == "dbconfig.yml",
        layers: |library, path| sections::by_itself(library, path).into_iter().collect(),
    }],
    settings_options: &[
        (&["sql-migrate"], &["-config", "--config"]),
        (&["goose"], &["-env", "--env"]),
        (&["soda", "buffalo"], &["-c", "--config"]),
    ],
    scan: manifests::scan,
    members: manifests::MEMBERS,
    confines: nowhere,
    included: nothing,
    drivers: list!("drivers.txt"),
};
