//! Connections that are split over variables: `DB_HOST`, `DB_PORT`, `DB_DATABASE`.

use crate::collections::{HashMap, HashSet};
use crate::reach::grammars::parameters;
use crate::reach::grammars::query;
mod files;
mod group;
mod servers;

use crate::environment::Origin;
use crate::reach::assemble::split::files::{files, is_file};
use crate::reach::assemble::split::group::{Group, groups};
use crate::reach::assemble::split::servers::{Alternative, alternatives, tunnels};
use crate::reach::assemble::{Found, Variable, Variables};
use crate::reach::grammars::host::number;
use crate::reach::grammars::text::without_quotes;
use crate::reach::names::Role;
use crate::reach::{Draft, Engine, Place};

/// Adds what the split variables of an environment name; `consumed` marks those whose value was a URL by itself.
pub(crate) fn assemble(variables: &Variables<'_>, consumed: &[bool], found: &mut Vec<Found>) {
    let groups = groups(variables, consumed);
    let index: HashMap<&str, usize> = groups.iter().enumerate().map(|(at, group)| (group.key.as_str(), at)).collect();
    let inferred = inferred_engine(variables, &groups, found);
    for url in found.iter_mut() {
        if let Some(group) = index.get(url.group.as_str()).map(|at| &groups[*at]) {
            add_login(&mut url.draft, group);
        }
    }
    let with_url: HashSet<String> = found.iter().map(|url| url.group.clone()).collect();
    for group in &groups {
        let base = index.get(group.base.as_str()).map(|at| &groups[*at]).filter(|base| base.key != group.key);
        let has_url = with_url.contains(&group.key);
        found.extend(connections(group, base, inferred, has_url, variables));
    }
    tunnels(variables, found);
}

/// Infers the engine of variables that name none: the one that everything else in the environment speaks of.
fn inferred_engine(variables: &Variables<'_>, groups: &[Group<'_, '_>], found: &[Found]) -> Option<Engine> {
    let named = groups.iter().filter_map(Group::explicit_engine);
    let urls = found.iter().map(|url| url.draft.engine);
    let words = variables
        .all
        .iter()
        .filter(|variable| variable.name.role.is_some())
        .filter_map(|variable| variable.name.engine);
    let served = |engine: &Engine| {
        use Engine::{Cockroach, Mariadb, Mongodb, Mysql, Oracle, Postgres, SqlServer};
        matches!(engine, Postgres | Cockroach | Mysql | Mariadb | SqlServer | Oracle | Mongodb)
    };
    let mut engines: Vec<Engine> = named.chain(urls).chain(words).filter(served).collect();
    engines.sort();
    engines.dedup();
    match engines[..] {
        [engine] => Some(engine),
        [Engine::Mysql, Engine::Mariadb] => Some(Engine::Mysql),
        _ => None,
    }
}

fn connections(
    group: &Group<'_, '_>,
    base: Option<&Group<'_, '_>>,
    inferred: Option<Engine>,
    has_url: bool,
    variables: &Variables<'_>,
) -> Vec<Found> {
    let explicit = group.explicit_engine();
    if !group.says_database && explicit.is_none_or(|_| group.parts.len() < 2) {
        return Vec::new();
    }
    let engine = explicit.or(group.engine).or_else(|| base.and_then(|base| base.explicit_engine().or(base.engine)));
    if matches!(engine, Some(Engine::Sqlite | Engine::Duckdb)) || is_file(group, engine) {
        return files(group, engine.unwrap_or(Engine::Sqlite), variables, has_url);
    }
    let mut places = if group.hosts_count() { alternatives(group, variables) } else { Vec::new() };
    if places.is_empty()
        && group.has(&[Role::Host, Role::Socket, Role::Database])
        && let Some(base) = base
    {
        places = alternatives(base, variables);
    }
    let port = group.first(Role::Port).or_else(|| base.and_then(|base| base.first(Role::Port)));
    let engine = engine.or_else(|| port.and_then(engine_of_port)).or(inferred).unwrap_or(Engine::Unknown);
    let databases = group.databases(base, engine, !places.is_empty(), variables);
    let libpq = group
        .parts
        .iter()
        .any(|(_, variable)| variable.setting.name.starts_with("PG") && !variable.setting.name.contains("PG_"));
    let weak = places.is_empty() && databases.is_empty();
    if weak && (explicit.is_none() || has_url) || places.is_empty() && engine.is_auxiliary() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let places: Vec<Option<Alternative>> =
        if places.is_empty() { vec![None] } else { places.into_iter().map(Some).collect() };
    let databases: Vec<Option<&Variable<'_>>> =
        if databases.is_empty() { vec![None] } else { databases.into_iter().map(Some).collect() };
    for place in &places {
        for database in &databases {
            let mut draft = Draft::new(engine);
            draft.socket_by_default = engine == Engine::Postgres && (libpq || group.nested);
            let mut origins: Vec<Origin> = Vec::new();
            if let Some(place) = place {
                draft.places = place.places.clone();
                draft.doubts.clone_from(&place.doubts);
                origins.extend(place.origins.iter().cloned());
            }
            if let Some(variable) = database {
                let (text, _) = without_quotes(variable.value());
                draft.set_database(text);
                variable.pass_doubt_on(&mut draft);
                origins.push(variable.origin().clone());
            }
            if let Some(port) = port {
                add_port(&mut draft, port);
                origins.push(port.origin().clone());
            }
            add_login(&mut draft, group);
            if let Some(base) = base {
                add_login(&mut draft, base);
            }
            origins
                .extend(group.all(Role::Engine).chain(group.all(Role::User)).map(|variable| variable.origin().clone()));
            let credentials = group.parts.iter().filter(|(role, _)| match role {
                Role::Parameter(key) => parameters::is_client_credential(key),
                _ => false,
            });
            origins.extend(credentials.map(|(_, variable)| variable.origin().clone()));
            let Some(first) = origins.first().cloned() else { continue };
            let mut one = Found::new(draft, first, &group.key);
            origins.iter().for_each(|origin| one.add_origin(origin));
            one.weak = weak;
            one.keeps_default = libpq;
            found.push(one);
        }
    }
    found
}

fn add_port(draft: &mut Draft, variable: &Variable<'_>) {
    // Links between containers set `DB_PORT=tcp://172.17.0.5:5432`.
    let text = variable.value().rsplit(':').next().unwrap_or("");
    let missing = |place: &Place| matches!(place, Place::Host { port: None, .. } | Place::Socket { port: None, .. });
    if !draft.places.is_empty() && !draft.places.iter().any(missing) {
        return;
    }
    // libpq takes a port for each host.
    if text.contains(',') {
        let ports: Vec<u16> = text.split(',').filter_map(|port| port.trim().parse().ok()).collect();
        query::set_ports(&mut draft.places, &ports);
        return;
    }
    let mut doubts = Vec::new();
    let port = number(without_quotes(text).0, &mut doubts);
    doubts.into_iter().for_each(|doubt| draft.doubt(doubt));
    draft.fill_port(port);
    for place in &mut draft.places {
        if let Place::Socket { port: missing @ None, .. } = place {
            *missing = port;
        }
    }
    if draft.places.is_empty()
        && let Some(port) = port
    {
        draft.places.push(Place::Host { name: String::new(), port: Some(port) });
    }
}

fn add_login(draft: &mut Draft, group: &Group<'_, '_>) {
    if draft.user.is_none()
        && let Some(variable) = group.first(Role::User).filter(|variable| variable.setting.unresolved.is_none())
    {
        draft.set_user(without_quotes(variable.value()).0);
    }
    if draft.password.is_none()
        && let Some(variable) = group.first(Role::Password).filter(|variable| variable.setting.unresolved.is_none())
    {
        draft.set_password(variable.value());
    }
    for (role, variable) in &group.parts {
        if let Role::Parameter(key) = role {
            draft.add_parameter(key, variable.value());
        }
    }
}

/// Finds the engine whose usual port the variable holds; links between containers set `DB_PORT=tcp://172.17.0.5:5432`.
fn engine_of_port(variable: &Variable<'_>) -> Option<Engine> {
    let port = variable.value().rsplit(':').next()?;
    port.trim().parse().ok().and_then(Engine::of_port)
}
