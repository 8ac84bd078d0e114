//! In which order each framework lays values over each other: one folder a language, one row a load order.
//!
//! A new language is a folder and a line in [`ALL`]; a new load order of a known language is a file of its folder and a
//! line in that folder's row. Facts: `Source:` lines in the files; measured with the real loaders or read in their
//! code.

pub(crate) mod compose;
pub(crate) mod dart;
pub(crate) mod dockerfile;
pub(crate) mod dotnet;
pub(crate) mod elixir;
pub(crate) mod go;
pub(crate) mod jvm;
pub(crate) mod manifest;
pub(crate) mod modes;
pub(crate) mod node;
pub(crate) mod php;
pub(crate) mod python;
pub(crate) mod row;
pub(crate) mod ruby;
pub(crate) mod rust;
pub(crate) mod scene;
pub(crate) mod settings_files;
pub(crate) mod swift;
pub(crate) mod unknown;

use std::path::PathBuf;

use crate::environment::derivation::BY_WORKER_VARIABLES;
use crate::environment::ecosystems::row::{Ecosystem, LoadOrder};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::{Derivation, Invocation, derivation};
use crate::tools::programs;
use crate::tools::programs::Loading;

/// Every ecosystem that is known.
pub(crate) static ALL: [&Ecosystem; 11] = [
    &php::PHP,
    &ruby::RUBY,
    &python::PYTHON,
    &node::NODE,
    &go::GO,
    &rust::RUST,
    &jvm::JVM,
    &dotnet::DOTNET,
    &elixir::ELIXIR,
    &dart::DART,
    &swift::SWIFT,
];

/// Tells whether a package is among those of an ecosystem that reach a database.
pub(crate) fn is_driver(ecosystem: &str, package: &str) -> bool {
    let own = ALL.iter().find(|own| own.name == ecosystem);
    own.is_some_and(|own| manifest::driver(&own.drivers, package).is_some())
}

/// Lists the load orders that the scene makes plausible; none for a program that loads no file.
pub(crate) fn plausible(scene: &Scene<'_>) -> Vec<&'static LoadOrder> {
    match scene.step.map(|step| programs::loading(&step.invocation.words)) {
        Some(Loading::Nothing) => Vec::new(),
        Some(Loading::Of(name)) => {
            ALL.iter().filter(|ecosystem| ecosystem.name == name).flat_map(|own| applying(own, scene)).collect()
        }
        Some(Loading::Plain | Loading::Unknown) | None => {
            let present = ALL.iter().filter(|ecosystem| (ecosystem.is_present)(scene));
            let mut load_orders: Vec<_> = present.flat_map(|ecosystem| applying(ecosystem, scene)).collect();
            if load_orders.is_empty() {
                load_orders.push(&unknown::DOTENV);
            }
            load_orders.push(&compose::COMPOSE);
            load_orders
        }
    }
}

/// Finds the folders whose manifests the scene's command concerns; `None` where that may be all of the project.
pub(crate) fn confines(scene: &Scene<'_>) -> Option<Vec<PathBuf>> {
    let Loading::Of(name) = programs::loading(&scene.step?.invocation.words) else { return None };
    ALL.iter().find(|ecosystem| ecosystem.name == name).and_then(|own| (own.confines)(scene))
}

/// Lists the load orders of an ecosystem that apply, each name once.
fn applying(ecosystem: &Ecosystem, scene: &Scene<'_>) -> Vec<&'static LoadOrder> {
    let mut load_orders: Vec<&LoadOrder> = Vec::new();
    for row in ecosystem.load_orders {
        if load_orders.iter().all(|known| known.name != row.name) && (row.applies)(scene) {
            load_orders.push(row);
        }
    }
    load_orders
}

/// Lists how the tests of the scene's command derive databases from those that are configured.
pub(crate) fn derivations(scene: &Scene<'_>) -> Vec<Derivation> {
    let loading = scene.step.map(|step| programs::loading(&step.invocation.words));
    let is_meant = |ecosystem: &Ecosystem| match loading {
        Some(Loading::Nothing) => false,
        Some(Loading::Of(name)) => ecosystem.name == name,
        Some(Loading::Plain | Loading::Unknown) | None => (ecosystem.is_present)(scene),
    };
    let rows = ALL.iter().filter(|ecosystem| is_meant(ecosystem)).flat_map(|own| own.derivations);
    let mut derivations: Vec<Derivation> =
        rows.filter(|(applies, _)| applies(scene)).map(|(_, derivation)| *derivation).collect();
    let tells_workers_apart = |(name, _): &(String, Option<String>)| derivation::tells_workers_apart(name);
    if scene.purpose.test && scene.environment.answers().iter().any(tells_workers_apart) {
        derivations.push(BY_WORKER_VARIABLES);
    }
    derivations
}

/// Tells whether a command is the everyday work of scripts (`cd`, `mkdir`, `git`): beside others it loads nothing.
/// Where there is nothing else, nobody can say what it was meant to touch, and it is taken like any unknown program.
pub(crate) fn is_plain(invocation: &Invocation) -> bool {
    programs::loading(&invocation.words) == Loading::Plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ecosystem_of_a_program_is_known() {
        for name in programs::ecosystems() {
            assert_eq!(ALL.iter().filter(|ecosystem| ecosystem.name == name).count(), 1, "{name}");
        }
    }
}
