//! Puts the variables of one environment together: what their values and names say about databases.
//!
//! A value that is a URL or DSN stands for itself (`value`, and `json` for those inside of JSON). What is split over
//! variables is grouped by name (`split`). Hosts at providers of databases and tables of DynamoDB count by themselves
//! (`managed`, `dynamodb`). At the end libpq's variables, certificates and defaults fill what is left out (`ambient`,
//! `homeless`).

pub(crate) mod ambient;
pub(crate) mod by_name;
mod dynamodb;
mod found;
mod homeless;
mod json;
mod managed;
mod provider_value;
mod shapes;
mod split;
pub(crate) mod value;
mod variables;

use crate::environment::Setting;
use crate::reach::Lookup;
use crate::reach::names::Role;

pub(crate) use crate::reach::assemble::found::Found;
pub(crate) use crate::reach::assemble::variables::{
    Defaults, Filled, Known, Shared, Variable, Variables, fill, names_nothing,
};

/// Tells whether a setting can have a part in what an environment names: by its name, or by its value alone.
pub(crate) fn counts(setting: &Setting, known: &mut Known, lookup: &Lookup<'_>) -> bool {
    let variable = Variable::read(Shared::Lent(setting), known);
    let name = &variable.name;
    name.role.is_some()
        || name.says_database
        || name.engine.is_some()
        || by_name::is_asked_for(&setting.name)
        || json::settings_inside(setting) != (Vec::new(), None)
        || !variable.drafts(lookup).is_empty()
        || variable.at_a_provider().is_some()
        || variable.cut(lookup).is_some()
}

/// Finds everything that the variables of one environment name.
pub(crate) fn find(variables: &Variables<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut consumed = vec![false; variables.all.len()];
    for (index, variable) in variables.all.iter().enumerate() {
        if variable.is_empty() || variable.name.role == Some(Role::Password) {
            continue;
        }
        // A folder under `DB_SOCKET` or `DB_HOST` is a part of that connection, not one of its own.
        let folder = matches!(variable.name.role, Some(Role::Socket | Role::Host)) && variable.value().starts_with('/');
        if folder && variable.name.says_database {
            continue;
        }
        if let Some(why) = variable.cut(variables.lookup) {
            variables.cut_off(variable.origin(), why);
        }
        let drafts = variable.drafts(variables.lookup);
        consumed[index] = !drafts.is_empty();
        for draft in drafts {
            let mut draft = draft.clone();
            variable.pass_doubt_on(&mut draft);
            let mut one = Found::new(draft, variable.origin().clone(), &variable.name.group);
            // A URL without a host means its driver's default, whatever other variables say.
            one.keeps_default = true;
            found.push(one);
        }
    }
    split::assemble(variables, &consumed, &mut found);
    managed::add(variables, &mut found);
    dynamodb::add_tables(variables, &mut found);
    ambient::complete(variables, &mut found);
    found
}
