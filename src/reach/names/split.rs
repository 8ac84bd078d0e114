//! Connections that are split over variables: `DB_HOST`, `DB_PORT`, `DB_DATABASE`.

use std::collections::{HashMap, HashSet};

use crate::environment::Origin;
use crate::reach::assemble::scene::{Entry, Found, Scene};
use crate::reach::grammars::text::without_quotes;
use crate::reach::host::number;
use crate::reach::names::Role;
use crate::reach::names::group::{Group, groups};
use crate::reach::names::servers::{Alternative, alternatives, tunnels};
use crate::reach::names::split_files::{files, is_file};
use crate::reach::{Doubt, Draft, Engine, Place};

/// Adds what the split variables of the scene name; `consumed` marks those whose value was a URL by itself.
pub(crate) fn assemble(scene: &Scene<'_>, consumed: &[bool], found: &mut Vec<Found>) {
    let groups = groups(scene, consumed);
    let index: HashMap<&str, usize> = groups.iter().enumerate().map(|(at, group)| (group.key.as_str(), at)).collect();
    let inferred = inferred_engine(scene, &groups, found);
    for url in found.iter_mut() {
        if let Some(group) = index.get(url.group.as_str()).map(|at| &groups[*at]) {
            add_login(&mut url.draft, group);
        }
    }
    let with_url: HashSet<String> = found.iter().map(|url| url.group.clone()).collect();
    for group in &groups {
        let base = index.get(group.base.as_str()).map(|at| &groups[*at]).filter(|base| base.key != group.key);
        let has_url = with_url.contains(&group.key);
        found.extend(connections(group, base, inferred, has_url, scene));
    }
    tunnels(scene, found);
}

/// The one engine that everything else in the environment speaks of, for variables that name none.
fn inferred_engine(scene: &Scene<'_>, groups: &[Group<'_, '_>], found: &[Found]) -> Option<Engine> {
    let named = groups.iter().filter_map(Group::explicit_engine);
    let urls = found.iter().map(|url| url.draft.engine);
    let words = scene.entries.iter().filter(|entry| entry.name.role.is_some()).filter_map(|entry| entry.name.engine);
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
    scene: &Scene<'_>,
) -> Vec<Found> {
    let explicit = group.explicit_engine();
    if !group.says_database && explicit.is_none_or(|_| group.parts.len() < 2) {
        return Vec::new();
    }
    let engine = explicit.or(group.engine).or_else(|| base.and_then(|base| base.explicit_engine().or(base.engine)));
    if matches!(engine, Some(Engine::Sqlite | Engine::Duckdb)) || is_file(group, engine) {
        return files(group, engine.unwrap_or(Engine::Sqlite), scene, has_url);
    }
    let mut places = if group.hosts_count() { alternatives(group) } else { Vec::new() };
    if places.is_empty()
        && group.has(&[Role::Host, Role::Socket, Role::Database])
        && let Some(base) = base
    {
        places = alternatives(base);
    }
    let port = group.first(Role::Port).or_else(|| base.and_then(|base| base.first(Role::Port)));
    let engine =
        engine.or_else(|| port.and_then(|port| engine_of_port(port.value()))).or(inferred).unwrap_or(Engine::Unknown);
    let databases = group.databases(base, engine, !places.is_empty());
    let libpq = group
        .parts
        .iter()
        .any(|(_, entry)| entry.setting.name.starts_with("PG") && !entry.setting.name.contains("PG_"));
    let weak = places.is_empty() && databases.is_empty();
    if weak && (explicit.is_none() || has_url) || places.is_empty() && engine.is_auxiliary() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let places: Vec<Option<Alternative>> =
        if places.is_empty() { vec![None] } else { places.into_iter().map(Some).collect() };
    let databases: Vec<Option<&Entry<'_>>> =
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
            if let Some(entry) = database {
                let (text, _) = without_quotes(entry.value());
                draft.set_database(text);
                note_unresolved(&mut draft, entry);
                origins.push(entry.origin().clone());
            }
            if let Some(port) = port {
                add_port(&mut draft, port);
                origins.push(port.origin().clone());
            }
            add_login(&mut draft, group);
            if let Some(base) = base {
                add_login(&mut draft, base);
            }
            origins.extend(group.all(Role::Engine).chain(group.all(Role::User)).map(|entry| entry.origin().clone()));
            let credentials = group.parts.iter().filter(|(role, _)| match role {
                Role::Parameter(key) => crate::reach::grammars::parameters::is_client_credential(key),
                _ => false,
            });
            origins.extend(credentials.map(|(_, entry)| entry.origin().clone()));
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

fn add_port(draft: &mut Draft, entry: &Entry<'_>) {
    // Links between containers set `DB_PORT=tcp://172.17.0.5:5432`.
    let text = entry.value().rsplit(':').next().unwrap_or("");
    let missing = |place: &Place| matches!(place, Place::Host { port: None, .. } | Place::Socket { port: None, .. });
    if !draft.places.is_empty() && !draft.places.iter().any(missing) {
        return;
    }
    // libpq takes a port for each host.
    if text.contains(',') {
        let ports: Vec<u16> = text.split(',').filter_map(|port| port.trim().parse().ok()).collect();
        crate::reach::grammars::query::set_ports(&mut draft.places, &ports);
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
        && let Some(entry) = group.first(Role::User).filter(|entry| entry.setting.unresolved.is_none())
    {
        draft.set_user(without_quotes(entry.value()).0);
    }
    if draft.password.is_none()
        && let Some(entry) = group.first(Role::Password).filter(|entry| entry.setting.unresolved.is_none())
    {
        draft.set_password(entry.value());
    }
    for (role, entry) in &group.parts {
        if let Role::Parameter(key) = role {
            draft.add_parameter(key, entry.value());
        }
    }
}

/// A value that needs something executed leaves its connection in doubt.
pub(crate) fn note_unresolved(draft: &mut Draft, entry: &Entry<'_>) {
    if entry.setting.unresolved.is_some() {
        draft.doubt(Doubt::Unresolved);
    }
}

/// The engine whose usual port this is.
pub(crate) fn engine_of_port(text: &str) -> Option<Engine> {
    Some(match text.trim().rsplit(':').next()? {
        "5432" | "6432" => Engine::Postgres,
        "26257" => Engine::Cockroach,
        "3306" => Engine::Mysql,
        "27017" => Engine::Mongodb,
        "1433" => Engine::SqlServer,
        "1521" => Engine::Oracle,
        _ => return None,
    })
}
