//! Connections that are split over variables: `DB_HOST`, `DB_PORT`, `DB_DATABASE`.

use std::collections::HashMap;

use super::find::{Entry, Found, Scene};
use super::host::{locate_list, number};
use super::names::Role;
use super::scheme::engine_of_driver;
use super::sqlite::{looks_like_file, plain_path};
use super::text::{LONGEST_VALUE, without_quotes};
use super::words::means_the_same_database;
use super::{Doubt, Draft, Engine, Place};
use crate::environment::Origin;

/// How many values of one part are combined with those of another: two names for the host are common, ten are not.
const MOST_ALTERNATIVES: usize = 8;

/// The variables of one connection.
struct Group<'s, 'a> {
    key: String,
    base: String,
    parts: Vec<(Role, &'s Entry<'a>)>,
    says_database: bool,
    group_says_database: bool,
    nested: bool,
    engine: Option<Engine>,
    qualifiers: Vec<String>,
}

impl<'s, 'a> Group<'s, 'a> {
    fn all(&self, role: Role) -> impl Iterator<Item = &'s Entry<'a>> + '_ {
        self.parts.iter().filter(move |(own, _)| *own == role).map(|(_, entry)| *entry)
    }

    fn first(&self, role: Role) -> Option<&'s Entry<'a>> {
        self.all(role).next()
    }
}

/// Adds what the split variables of the scene name; `consumed` marks those whose value was a URL by itself.
pub(super) fn assemble(scene: &Scene<'_>, consumed: &[bool], found: &mut Vec<Found>) {
    let groups = groups(scene, consumed);
    let index: HashMap<&str, usize> = groups.iter().enumerate().map(|(at, group)| (group.key.as_str(), at)).collect();
    let inferred = inferred_engine(scene, &groups, found);
    for url in found.iter_mut() {
        if let Some(group) = index.get(url.group.as_str()).map(|at| &groups[*at]) {
            add_login(&mut url.draft, group);
        }
    }
    let with_url: std::collections::HashSet<String> = found.iter().map(|url| url.group.clone()).collect();
    for group in &groups {
        let base = index.get(group.base.as_str()).map(|at| &groups[*at]).filter(|base| base.key != group.key);
        let has_url = with_url.contains(&group.key);
        found.extend(connections(group, base, inferred, has_url, scene));
    }
    tunnels(scene, found);
}

fn groups<'s, 'a>(scene: &'s Scene<'a>, consumed: &[bool]) -> Vec<Group<'s, 'a>> {
    let mut groups: Vec<Group<'s, 'a>> = Vec::new();
    let mut index: HashMap<&str, usize> = HashMap::new();
    for (entry, consumed) in scene.entries.iter().zip(consumed) {
        let name = &entry.name;
        let Some(role) = name.role else { continue };
        let usable = !matches!(role, Role::Url | Role::Table | Role::Instance | Role::TunnelEnd);
        if *consumed || !usable || name.stopped || entry.is_empty() || entry.value().len() > LONGEST_VALUE {
            continue;
        }
        let at = *index.entry(name.group.as_str()).or_insert_with(|| {
            groups.push(Group {
                key: name.group.clone(),
                base: name.base.clone(),
                parts: Vec::new(),
                says_database: false,
                group_says_database: false,
                nested: false,
                engine: None,
                qualifiers: name.qualifiers.clone(),
            });
            groups.len() - 1
        });
        let group = &mut groups[at];
        group.says_database |= name.says_database;
        group.group_says_database |= name.group_says_database;
        group.nested |= name.nested;
        group.engine = group.engine.or(name.engine);
        // `database=postgres` chooses an engine, as Spring's own samples do.
        let chooses = role == Role::Database && group.key.is_empty() && engine_of_driver(entry.value()).is_some();
        group.parts.push((if chooses { Role::Engine } else { role }, entry));
    }
    groups
}

/// The one engine that everything else in the environment speaks of, for variables that name none.
fn inferred_engine(scene: &Scene<'_>, groups: &[Group<'_, '_>], found: &[Found]) -> Option<Engine> {
    let named = groups.iter().filter_map(explicit_engine);
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

fn explicit_engine(group: &Group<'_, '_>) -> Option<Engine> {
    group.all(Role::Engine).find_map(|entry| engine_of_driver(entry.value()))
}

fn connections(
    group: &Group<'_, '_>,
    base: Option<&Group<'_, '_>>,
    inferred: Option<Engine>,
    has_url: bool,
    scene: &Scene<'_>,
) -> Vec<Found> {
    let explicit = explicit_engine(group);
    if !group.says_database && explicit.is_none_or(|_| group.parts.len() < 2) {
        return Vec::new();
    }
    let engine = explicit.or(group.engine).or_else(|| base.and_then(|base| explicit_engine(base).or(base.engine)));
    if matches!(engine, Some(Engine::Sqlite | Engine::Duckdb)) || is_file(group, engine) {
        return files(group, engine.unwrap_or(Engine::Sqlite), scene, has_url);
    }
    let mut places = alternatives(group);
    // A host under a name that says nothing of a database is one only among keys of one file.
    if !group.group_says_database && explicit.is_none() && !group.nested {
        places.clear();
    }
    let mut inherited: Vec<&Entry<'_>> = Vec::new();
    if places.is_empty()
        && let Some(base) = base
    {
        places = alternatives(base);
        inherited.extend(base.first(Role::Port));
    }
    let port = group.first(Role::Port).or(inherited.first().copied());
    let engine =
        engine.or_else(|| port.and_then(|port| engine_of_port(port.value()))).or(inferred).unwrap_or(Engine::Unknown);
    let databases = databases(group, base, engine, !places.is_empty());
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

/// One way in which the group names its server.
struct Alternative {
    places: Vec<Place>,
    doubts: Vec<Doubt>,
    origins: Vec<Origin>,
}

/// Every server that the group names: a socket and a host are places of one, two different hosts are two.
fn alternatives(group: &Group<'_, '_>) -> Vec<Alternative> {
    let mut sockets = Alternative { places: Vec::new(), doubts: Vec::new(), origins: Vec::new() };
    for entry in group.all(Role::Socket).filter(|entry| entry.value().starts_with('/')).take(MOST_ALTERNATIVES) {
        sockets.places.push(Place::Socket { path: entry.value().into(), port: None });
        sockets.origins.push(entry.origin().clone());
    }
    let mut found: Vec<Alternative> = Vec::new();
    for entry in group.all(Role::Host) {
        let (text, quoted) = without_quotes(entry.value());
        let (places, mut doubts) = hosts(text);
        let known = found.iter().any(|earlier| earlier.places == places);
        if places.is_empty() || found.len() >= MOST_ALTERNATIVES && !known {
            continue;
        }
        if quoted {
            doubts.push(Doubt::Syntax);
        }
        if entry.setting.unresolved.is_some() {
            doubts.push(Doubt::Unresolved);
        }
        match found.iter_mut().find(|earlier| earlier.places == places) {
            Some(earlier) => earlier.origins.push(entry.origin().clone()),
            None => found.push(Alternative { places, doubts, origins: vec![entry.origin().clone()] }),
        }
    }
    if sockets.places.is_empty() {
        return found;
    }
    if found.is_empty() {
        return vec![sockets];
    }
    for alternative in &mut found {
        alternative.places.splice(0..0, sockets.places.iter().cloned());
        alternative.origins.splice(0..0, sockets.origins.iter().cloned());
    }
    found
}

/// The hosts in one value: one, a list, or the authority of a URL.
fn hosts(text: &str) -> (Vec<Place>, Vec<Doubt>) {
    if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        return (Vec::new(), Vec::new());
    }
    if let Some((_, rest)) = text.split_once("://") {
        let draft = super::url::parse_rest(Engine::Unknown, "", rest);
        return (draft.places, draft.doubts);
    }
    if text.contains('@') || text.contains('/') && !text.starts_with(['/', '<', '$', '{']) {
        let draft = super::url::parse_rest(Engine::Unknown, "", text);
        return (draft.places, draft.doubts);
    }
    if super::url::is_this_machine(text) {
        return (vec![Place::Host { name: "localhost".to_owned(), port: None }], Vec::new());
    }
    if text.contains(',') {
        return locate_list(text);
    }
    let located = super::host::locate(text.split('\\').next().unwrap_or(text));
    (located.place.into_iter().collect(), located.doubts)
}

fn add_port(draft: &mut Draft, entry: &Entry<'_>) {
    // Links between containers set `DB_PORT=tcp://172.17.0.5:5432`.
    let text = entry.value().rsplit(':').next().unwrap_or("");
    let missing = |place: &Place| matches!(place, Place::Host { port: None, .. } | Place::Socket { port: None, .. });
    if !draft.places.is_empty() && !draft.places.iter().any(missing) {
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

/// The values that name a database, each once.
fn databases<'s, 'a>(
    group: &Group<'s, 'a>,
    base: Option<&Group<'s, 'a>>,
    engine: Engine,
    located: bool,
) -> Vec<&'s Entry<'a>> {
    let numbers_name = engine == Engine::Redis;
    let names = |entry: &&Entry<'_>| {
        let text = entry.value();
        let number = text.bytes().all(|byte| byte.is_ascii_digit());
        text.len() < 256
            && (!number || numbers_name)
            && engine_of_driver(text).is_none_or(|_| located || group.group_says_database)
    };
    let mut found: Vec<&'s Entry<'a>> = Vec::new();
    let add = |found: &mut Vec<&'s Entry<'a>>, entries: Vec<&'s Entry<'a>>| {
        for entry in entries {
            if found.len() < MOST_ALTERNATIVES && !found.iter().any(|known| known.value() == entry.value()) {
                found.push(entry);
            }
        }
    };
    // PostgreSQL's schema is a part of a database, MySQL's is one.
    let is_schema = |entry: &&Entry<'_>| entry.setting.name.to_ascii_uppercase().ends_with("SCHEMA");
    let own: Vec<&'s Entry<'a>> = group.all(Role::Database).filter(names).collect();
    let without_schemas: Vec<&'s Entry<'a>> = own.iter().copied().filter(|entry| !is_schema(entry)).collect();
    if without_schemas.is_empty() && matches!(engine, Engine::Mysql | Engine::Mariadb) {
        add(&mut found, own);
    }
    add(&mut found, without_schemas);
    if found.is_empty()
        && let Some(base) = base
        && group.qualifiers.iter().all(|word| means_the_same_database(word))
        && group.parts.iter().any(|(role, _)| matches!(role, Role::Host | Role::Socket))
    {
        add(&mut found, base.all(Role::Database).filter(names).filter(|entry| !is_schema(entry)).collect());
    }
    found
}

fn is_file(group: &Group<'_, '_>, engine: Option<Engine>) -> bool {
    let named = |role| group.all(role).any(|entry| looks_like_file(entry.value()));
    engine.is_none() && group.first(Role::Host).is_none() && (named(Role::Database) || named(Role::File))
}

fn files(group: &Group<'_, '_>, engine: Engine, scene: &Scene<'_>, has_url: bool) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let sure = explicit_engine(group).is_some() || group.engine.is_some();
    let named =
        group.all(Role::Database).chain(group.all(Role::File).filter(|entry| sure || looks_like_file(entry.value())));
    for entry in named.take(MOST_ALTERNATIVES) {
        for mut draft in plain_path(entry.value(), engine, scene.context) {
            note_unresolved(&mut draft, entry);
            let mut one = Found::new(draft, entry.origin().clone(), &group.key);
            group.all(Role::Engine).for_each(|engine| one.add_origin(engine.origin()));
            found.push(one);
        }
    }
    if !found.is_empty() || has_url {
        return found;
    }
    // Laravel and Django have a file of their own where none is named.
    let Some(entry) = group.first(Role::Engine) else { return found };
    let default = match entry.setting.name.as_str() {
        "DB_CONNECTION" => "database/database.sqlite",
        _ if entry.value().contains("django") => "db.sqlite3",
        _ => return found,
    };
    let path = scene.context.project.root.join(default);
    let drafts = plain_path(&path.to_string_lossy(), engine, scene.context);
    drafts.into_iter().for_each(|draft| {
        let mut one = Found::new(draft, entry.origin().clone(), &group.key);
        one.weak = true;
        found.push(one);
    });
    found
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

fn note_unresolved(draft: &mut Draft, entry: &Entry<'_>) {
    if entry.setting.unresolved.is_some() {
        draft.doubt(Doubt::Unresolved);
    }
}

/// The engine whose usual port this is.
pub(super) fn engine_of_port(text: &str) -> Option<Engine> {
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

/// The server behind a tunnel is a place of the databases that are reached through it.
fn tunnels(scene: &Scene<'_>, found: &mut Vec<Found>) {
    for entry in scene.entries.iter().filter(|entry| entry.name.role == Some(Role::TunnelEnd) && !entry.is_empty()) {
        let (places, doubts) = hosts(without_quotes(entry.value()).0);
        let network = |one: &Found| {
            !one.draft.engine.is_auxiliary()
                && !one.draft.places.iter().any(|place| matches!(place, Place::File { .. } | Place::Memory))
        };
        let mut used = false;
        for one in found.iter_mut().filter(|one| network(one)) {
            if one.draft.places.is_empty() {
                one.draft.places.push(Place::Host { name: "localhost".to_owned(), port: None });
            }
            places.iter().cloned().for_each(|place| one.draft.add_place(place));
            doubts.iter().for_each(|doubt| one.draft.doubt(*doubt));
            one.add_origin(entry.origin());
            used = true;
        }
        if !used && !places.is_empty() {
            let mut draft = Draft { places, ..Draft::new(Engine::Unknown) };
            doubts.iter().for_each(|doubt| draft.doubt(*doubt));
            found.push(Found::new(draft, entry.origin().clone(), &entry.name.group));
        }
    }
}
