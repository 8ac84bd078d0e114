//! Node.js: dotenv and its kin, Next, Vite, Bun, Prisma, node-config, and configuration in code.

pub(crate) mod bun;
pub(crate) mod code;
pub(crate) mod dialects;
pub(crate) mod dotenv;
pub(crate) mod dotenv_flow;
pub(crate) mod env_file;
pub(crate) mod manifests;
pub(crate) mod modules;
pub(crate) mod next;
pub(crate) mod node_config;
mod own_servers;
pub(crate) mod package;
pub(crate) mod prisma;
pub(crate) mod sequelize;
pub(crate) mod settings_files;
pub(crate) mod setup;
pub(crate) mod typeorm;
pub(crate) mod vite;
pub(crate) mod wasp;

use crate::environment::ecosystems::row::{Ecosystem, LoadOrder, NamedFile, always, nothing, nowhere};
use crate::environment::ecosystems::settings_files::sections;
use crate::lists::list;

pub(crate) static NODE: Ecosystem = Ecosystem {
    name: "node",
    is_present: |scene| scene.is_any_in_project(&["package.json", "deno.json", "bun.lockb", "prisma/schema.prisma"]),
    load_orders: &[
        LoadOrder { name: "configuration by environment", applies: always, add: sequelize::add },
        LoadOrder { name: "TypeORM", applies: always, add: typeorm::add },
        LoadOrder {
            name: "configuration in code",
            applies: |scene| scene.is_any_in_project(&["package.json", "deno.json", "deno.jsonc"]),
            add: code::add,
        },
        LoadOrder { name: "node-config", applies: node_config::is_used, add: node_config::add },
        LoadOrder { name: "settings files", applies: settings_files::is_used, add: settings_files::add },
        LoadOrder { name: "set-up files", applies: always, add: setup::add },
        LoadOrder { name: "node --env-file", applies: always, add: env_file::add },
        LoadOrder { name: "dotenv-flow", applies: dotenv_flow::is_used, add: dotenv_flow::add },
        LoadOrder { name: "Next.js", applies: next::is_used, add: next::add },
        LoadOrder { name: "Vite", applies: vite::is_used, add: vite::add },
        LoadOrder { name: "Prisma", applies: prisma::is_used, add: prisma::add },
        LoadOrder { name: "Wasp", applies: wasp::is_used, add: wasp::add },
        LoadOrder { name: "Bun", applies: bun::is_used, add: bun::add },
        LoadOrder { name: "dotenv", applies: dotenv::is_used, add: dotenv::add },
        LoadOrder { name: "dotenv-flow", applies: package::nothing_tells, add: dotenv_flow::add },
        LoadOrder { name: "Prisma", applies: package::nothing_tells, add: prisma::add },
    ],
    derivations: &[],
    named_files: &[NamedFile {
        fits: |name| matches!(name, "database.json" | "config.json"),
        layers: |library, path| sections::by_itself(library, path).into_iter().collect(),
    }],
    settings_options: package::SETTINGS_OPTIONS,
    scan: manifests::scan,
    members: manifests::MEMBERS,
    confines: nowhere,
    included: nothing,
    drivers: list!("drivers.txt"),
};
