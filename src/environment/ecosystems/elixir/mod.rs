//! Elixir: `config/*.exs`.

pub(crate) mod configuration;
pub(crate) mod manifests;
mod statements;

use crate::environment::ecosystems::row::{Ecosystem, LoadOrder, NamedFile, always, nothing, nowhere};
use crate::lists::list;

pub(crate) static ELIXIR: Ecosystem = Ecosystem {
    name: "elixir",
    is_present: |scene| scene.is_in_project("mix.exs"),
    load_orders: &[LoadOrder { name: "Elixir", applies: always, add: configuration::add }],
    derivations: &[],
    named_files: &[NamedFile {
        fits: |name| name.ends_with(".exs"),
        layers: |library, path| configuration::configuration(library, path, None).into_iter().collect(),
    }],
    settings_options: &[],
    scan: manifests::scan,
    members: &[],
    confines: nowhere,
    included: nothing,
    drivers: list!("drivers.txt"),
};
