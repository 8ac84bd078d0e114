//! Rust: dotenvy and settings files.

pub(crate) mod dotenv;
pub(crate) mod manifests;

use crate::environment::ecosystems::row::{Ecosystem, LoadOrder, always, nothing, nowhere};
use crate::lists::list;

pub(crate) static RUST: Ecosystem = Ecosystem {
    name: "rust",
    is_present: |scene| scene.is_any_in_project(&["Cargo.toml", "diesel.toml"]),
    load_orders: &[LoadOrder { name: "dotenvy", applies: always, add: dotenv::add }],
    derivations: &[],
    named_files: &[],
    settings_options: &[],
    scan: manifests::scan,
    members: manifests::MEMBERS,
    confines: nowhere,
    included: nothing,
    drivers: list!("drivers.txt"),
};
