//! Adds the databases at a provider that nothing but a value or an account names.

use crate::reach::assemble::{Found, Variables};
use crate::reach::names::Role;
use crate::reach::{Draft, Place};

/// How many of them are added for one environment.
const MOST: usize = 500;

/// Adds the hosts and accounts at providers of databases that no connection found so far has.
pub(crate) fn add(variables: &Variables<'_>, found: &mut Vec<Found>) {
    let mut added = 0;
    for variable in &variables.all {
        if variable.is_empty() || variable.name.role == Some(Role::Password) {
            continue;
        }
        let Some(draft) = variable.at_a_provider() else { continue };
        if found.iter().any(|one| draft.places.iter().all(|place| has_place(&one.draft, place))) {
            continue;
        }
        if added >= MOST {
            variables.cut_off(variable.origin(), "more than 500 variables name hosts at providers of databases");
            break;
        }
        added += 1;
        found.push(Found::new(draft.clone(), variable.origin().clone(), &variable.name.group));
    }
}

fn has_place(draft: &Draft, wanted: &Place) -> bool {
    draft.places.iter().any(|place| match (place, wanted) {
        (Place::Host { name, .. }, Place::Host { name: wanted, .. }) => name == wanted,
        _ => place == wanted,
    })
}
