//! .NET: appsettings and user secrets, launch profiles and settings of test runs.

pub(crate) mod added_files;
pub(crate) mod config;
pub(crate) mod launch;
pub(crate) mod manifests;
pub(crate) mod projects;
pub(crate) mod settings;

use crate::environment::ecosystems::row::{Ecosystem, LoadOrder, always, nothing};
use crate::lists::list;

pub(crate) static DOTNET: Ecosystem = Ecosystem {
    name: "dotnet",
    is_present: |scene| scene.names().iter().any(|name| is_sign(name)),
    load_orders: &[LoadOrder { name: ".NET", applies: always, add: settings::add }],
    derivations: &[],
    named_files: &[],
    settings_options: &[],
    scan: manifests::scan,
    members: &[],
    confines: projects::confines,
    included: nothing,
    drivers: list!("drivers.txt"),
};

fn is_sign(name: &str) -> bool {
    let endings = [".csproj", ".sln", ".fsproj", ".slnx", ".vbproj"];
    name == "appsettings.json" || endings.iter().any(|ending| name.ends_with(ending))
}
