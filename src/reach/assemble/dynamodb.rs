//! Tables of DynamoDB, each of which is a database by itself.

use crate::reach::assemble::{Found, Variable, Variables, by_name};
use crate::reach::grammars::host::locate_list;
use crate::reach::names::Role;
use crate::reach::{Draft, Engine, Place};

/// Adds the tables that variables name: at the endpoint that the environment names, else at the provider's own.
pub(crate) fn add_tables(variables: &Variables<'_>, found: &mut Vec<Found>) {
    let region = variables.get(by_name::AWS_REGION).or_else(|| variables.get(by_name::AWS_DEFAULT_REGION));
    let other_database =
        found.iter().any(|one| !one.draft.engine.is_auxiliary() && one.draft.engine != Engine::Dynamodb);
    let endpoint = found.iter().position(|one| one.draft.engine == Engine::Dynamodb && one.draft.database.is_none());
    let endpoint_places = endpoint.map(|at| (found[at].draft.places.clone(), found[at].origins.clone()));
    let mut tables_at_endpoint = false;
    let tables =
        variables.all.iter().filter(|variable| variable.name.role == Some(Role::Table) && !variable.is_empty());
    for variable in tables {
        let says_dynamodb = variable.name.engine == Some(Engine::Dynamodb);
        // Laravel's own settings hold names of tables beside a region, too.
        let plain = variables.get(by_name::AWS_REGION).is_some()
            && !other_database
            && !variable.name.says_database
            && !variable.name.stopped;
        let framework = ["SESSION", "CACHE", "QUEUE", "BATCHING"].iter().any(|word| variable.name.group.contains(word));
        if !(says_dynamodb || plain && !framework && variables.get(by_name::DB_CONNECTION).is_none()) {
            continue;
        }
        let mut origins = vec![variable.origin().clone()];
        let places = match (&endpoint_places, variables.get(by_name::AWS_ENDPOINT_URL), region) {
            (Some((places, named)), _, _) => {
                origins.splice(0..0, named.iter().cloned());
                tables_at_endpoint = true;
                places.clone()
            }
            (None, Some(endpoint), _) => {
                origins.insert(0, endpoint.origin().clone());
                locate_list(endpoint.value()).0
            }
            (None, None, Some(region)) => {
                origins.push(region.origin().clone());
                vec![Place::Instance { name: instance(region, variable) }]
            }
            (None, None, None) if says_dynamodb => {
                vec![Place::Instance { name: format!("dynamodb/{}", variable.value()) }]
            }
            (None, None, None) => continue,
        };
        let mut draft = Draft { places, ..Draft::new(Engine::Dynamodb) };
        draft.set_database(variable.value());
        let mut one = Found::new(draft, origins.remove(0), &variable.name.group);
        origins.iter().for_each(|origin| one.add_origin(origin));
        found.push(one);
    }
    // The tables stand for the endpoint.
    if let Some(at) = endpoint.filter(|at| tables_at_endpoint && found[*at].draft.cut.is_none()) {
        found.remove(at);
    }
}

fn instance(region: &Variable<'_>, table: &Variable<'_>) -> String {
    format!("dynamodb.{}.amazonaws.com/{}", region.value(), table.value())
}
