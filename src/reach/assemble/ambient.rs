//! What the rest of an environment adds to a draft: libpq's variables, certificates, hosts named elsewhere, defaults.

use std::path::{Path, PathBuf};

use crate::environment::Origin;
use crate::reach::assemble::scene::{Entry, Found, Scene};
use crate::reach::grammars::query::{is_postgres, set_ports};
use crate::reach::grammars::services;
use crate::reach::host::{locate_list, number};
use crate::reach::names::Role;
use crate::reach::{Context, Draft, Engine, Place};

/// Completes everything that was found in one environment, in place.
pub(crate) fn complete(scene: &Scene<'_>, found: &mut Vec<Found>) {
    add_service_alone(scene, found);
    drop_weak(found);
    crate::reach::assemble::homeless::inherit_places(found);
    let credentials = certificates(scene);
    for one in found.iter_mut() {
        add_certificates(&credentials, one);
        complete_one(scene, one);
    }
}

/// Completes one draft: libpq's variables for PostgreSQL, then the engine's own default place and port.
pub(crate) fn complete_one(scene: &Scene<'_>, one: &mut Found) {
    if is_postgres(one.draft.engine) {
        postgres(scene, one);
    }
    default_place(one, scene.context);
    let port = one.draft.engine.default_port();
    let srv = one.draft.parameters.iter().any(|(key, _)| key == "srv");
    one.draft.fill_port(port.filter(|_| !srv));
}

/// `PGSERVICE` names a connection by itself.
fn add_service_alone(scene: &Scene<'_>, found: &mut Vec<Found>) {
    if let Some(entry) = scene.get("PGSERVICE") {
        let mut draft = Draft::new(Engine::Postgres);
        draft.socket_by_default = true;
        draft.service = Some(entry.value().to_owned());
        let mut one = Found::new(draft, entry.origin().clone(), "PG");
        one.keeps_default = true;
        found.push(one);
    }
}

/// An engine alone (`DB_CONNECTION=mysql`) counts only where nothing else names a database.
fn drop_weak(found: &mut Vec<Found>) {
    if found.iter().any(|one| !one.weak && !one.draft.engine.is_auxiliary()) {
        found.retain(|one| !one.weak);
    }
}

/// The variables that hold client certificates and the like; a handful, however long the environment is.
fn certificates<'s, 'a>(scene: &'s Scene<'a>) -> Vec<(&'static str, &'s Entry<'a>)> {
    let held = scene.entries.iter().filter(|entry| !entry.is_empty()).filter_map(|entry| match entry.name.role {
        Some(Role::Parameter(key)) => Some((key, entry)),
        _ => None,
    });
    held.take(50).collect()
}

/// Adds the client certificates that stand in variables of their own: of the same group, else of the same engine.
fn add_certificates(held: &[(&'static str, &Entry<'_>)], one: &mut Found) {
    if one.draft.engine.is_auxiliary() || matches!(one.draft.engine, Engine::Sqlite | Engine::Duckdb) {
        return;
    }
    for (key, entry) in held {
        let key = *key;
        let wallet =
            key == crate::reach::grammars::parameters::WALLET && entry.setting.name.eq_ignore_ascii_case("TNS_ADMIN");
        if wallet && one.draft.engine != Engine::Oracle || !wallet && !entry.name.says_database {
            continue;
        }
        let family = entry.name.engine.map(Engine::family);
        let fits = entry.name.group == one.group
            || family.is_some_and(|family| family == one.draft.engine.family() || one.draft.engine == Engine::Unknown)
            || family.is_none() && wallet;
        if fits && !one.draft.parameters.iter().any(|(own, _)| own == key) {
            let before = one.draft.parameters.len();
            one.draft.add_parameter(key, entry.value());
            if one.draft.parameters.len() > before
                && crate::reach::grammars::parameters::is_client_credential(&one.draft.parameters[before].0)
            {
                one.add_origin(entry.origin());
            }
        }
    }
}

/// libpq's own variables. `PGHOSTADDR` redirects even a URL that names a host; a service fills what is left out.
fn postgres(scene: &Scene<'_>, one: &mut Found) {
    let speaks_libpq = one.draft.socket_by_default;
    let named = one.draft.service.take();
    let ambient = scene.get("PGSERVICE").filter(|_| speaks_libpq);
    let service_name = named.as_deref().or(ambient.map(Entry::value));
    if let Some(name) = service_name {
        let file = scene.get("PGSERVICEFILE").map(Entry::value);
        let folder = scene.get("PGSYSCONFDIR").map(Entry::value);
        match services::libpq_service(name, file, folder, scene.context) {
            Some(entry) => fill_from_service(one, entry),
            None if one.draft.places.is_empty() => one.draft.add_place(Place::Instance { name: name.to_owned() }),
            None => {}
        }
        ambient.into_iter().for_each(|entry| one.add_origin(entry.origin()));
    }
    let port = |scene: &Scene<'_>| {
        let entry = scene.get("PGPORT")?;
        number(entry.value(), &mut Vec::new())
    };
    if speaks_libpq {
        if one.draft.places.is_empty()
            && let Some(entry) = scene.get("PGHOST")
        {
            add_hosts(one, entry, false);
        }
        if one.draft.database.is_none()
            && let Some(entry) = scene.get("PGDATABASE")
        {
            one.draft.set_database(entry.value());
            one.add_origin(entry.origin());
        }
        if let Some(entry) = scene.get("PGUSER").filter(|_| one.draft.user.is_none()) {
            one.draft.set_user(entry.value());
        }
        if let Some(entry) = scene.get("PGPASSWORD").filter(|_| one.draft.password.is_none()) {
            one.draft.set_password(entry.value());
        }
    }
    if let Some(entry) = scene.get("PGHOSTADDR") {
        add_hosts(one, entry, true);
    }
    let usual = one.draft.engine.default_port();
    let port = if speaks_libpq { port(scene).or(usual) } else { usual };
    one.draft.fill_port(port);
    for place in &mut one.draft.places {
        if let Place::Socket { port: missing @ None, .. } = place {
            *missing = port;
        }
    }
}

fn add_hosts(one: &mut Found, entry: &Entry<'_>, in_front: bool) {
    let (mut places, doubts) = locate_list(entry.value());
    doubts.into_iter().for_each(|doubt| one.draft.doubt(doubt));
    places.retain(|place| !one.draft.places.contains(place));
    if let Some(port) = one.draft.places.iter().find_map(host_port) {
        set_ports(&mut places, &[port]);
    }
    places.retain(|place| !one.draft.places.contains(place));
    let at = if in_front { 0 } else { one.draft.places.len() };
    if !places.is_empty() {
        one.add_origin(entry.origin());
    }
    one.draft.places.splice(at..at, places);
}

fn host_port(place: &Place) -> Option<u16> {
    match place {
        Place::Host { port, .. } => *port,
        _ => None,
    }
}

fn fill_from_service(one: &mut Found, entry: services::Entry) {
    let service = entry.draft;
    if one.draft.places.is_empty() {
        one.draft.places = service.places;
    } else if let Some(port) = service.places.iter().find_map(host_port) {
        one.draft.fill_port(Some(port));
    }
    one.draft.database = one.draft.database.take().or(service.database);
    one.draft.user = one.draft.user.take().or(service.user);
    one.draft.password = one.draft.password.take().or(service.password);
    service.parameters.iter().for_each(|(key, value)| one.draft.add_parameter(key, value));
    service.doubts.into_iter().for_each(|doubt| one.draft.doubt(doubt));
    one.add_origin(&entry.origin);
}

/// Where a driver goes that is told of no place; a port alone belongs to that place.
fn default_place(one: &mut Found, context: &Context<'_>) {
    let draft = &mut one.draft;
    let port = match &draft.places[..] {
        [] => None,
        [Place::Host { name, port }] if name.is_empty() => *port,
        _ => return,
    };
    let place = match draft.engine {
        Engine::Postgres | Engine::Cockroach if draft.socket_by_default => {
            let port = port.or(draft.engine.default_port());
            Place::Socket { path: socket_folder(port, context), port }
        }
        Engine::SqlServer | Engine::Libsql | Engine::Dynamodb | Engine::Oracle
            if port.is_none() && draft.database.is_none() =>
        {
            draft.doubt(crate::reach::Doubt::Syntax);
            Place::Host { name: "localhost".to_owned(), port }
        }
        _ => Place::Host { name: "localhost".to_owned(), port },
    };
    draft.places = vec![place];
}

/// The folder of PostgreSQL's socket: where one is, else Debian's.
fn socket_folder(port: Option<u16>, context: &Context<'_>) -> PathBuf {
    let socket = format!(".s.PGSQL.{}", port.unwrap_or(5432));
    let folders = ["/var/run/postgresql", "/tmp"].map(Path::new);
    folders.into_iter().find(|folder| context.files.exists(&folder.join(&socket))).unwrap_or(folders[0]).to_owned()
}

/// Tables of DynamoDB: at the endpoint that the environment names, else at the provider's own.
pub(crate) fn dynamodb_tables(scene: &Scene<'_>, found: &mut Vec<Found>) {
    let region = scene.get("AWS_REGION").or_else(|| scene.get("AWS_DEFAULT_REGION"));
    let other_database =
        found.iter().any(|one| !one.draft.engine.is_auxiliary() && one.draft.engine != Engine::Dynamodb);
    let endpoint = found.iter().position(|one| one.draft.engine == Engine::Dynamodb && one.draft.database.is_none());
    let endpoint_places = endpoint.map(|at| (found[at].draft.places.clone(), found[at].origins.clone()));
    let mut tables_at_endpoint = false;
    let tables = scene.entries.iter().filter(|entry| entry.name.role == Some(Role::Table) && !entry.is_empty());
    for entry in tables {
        let says_dynamodb = entry.name.engine == Some(Engine::Dynamodb);
        // Laravel's own settings hold names of tables beside a region, too.
        let plain =
            scene.get("AWS_REGION").is_some() && !other_database && !entry.name.says_database && !entry.name.stopped;
        let framework = ["SESSION", "CACHE", "QUEUE", "BATCHING"].iter().any(|word| entry.name.group.contains(word));
        if !(says_dynamodb || plain && !framework && scene.get("DB_CONNECTION").is_none()) {
            continue;
        }
        let mut origins = vec![entry.origin().clone()];
        let places = match (&endpoint_places, scene.get("AWS_ENDPOINT_URL"), region) {
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
                vec![Place::Instance { name: instance(region, entry) }]
            }
            (None, None, None) if says_dynamodb => {
                vec![Place::Instance { name: format!("dynamodb/{}", entry.value()) }]
            }
            (None, None, None) => continue,
        };
        let mut draft = Draft { places, ..Draft::new(Engine::Dynamodb) };
        draft.set_database(entry.value());
        let mut one = Found::new(draft, origins.remove(0), &entry.name.group);
        origins.iter().for_each(|origin| one.add_origin(origin));
        found.push(one);
    }
    // The tables stand for the endpoint.
    if let Some(at) = endpoint.filter(|_| tables_at_endpoint) {
        found.remove(at);
    }
}

fn instance(region: &Entry<'_>, table: &Entry<'_>) -> String {
    format!("dynamodb.{}.amazonaws.com/{}", region.value(), table.value())
}

/// Where an origin is needed for something that was typed.
pub(crate) fn typed(origin: &Origin, word: &str) -> Origin {
    Origin { variable: word.to_owned(), ..origin.clone() }
}

#[cfg(test)]
mod tests {
    use crate::reach::testing::{found, reading, target_line};

    /// Variables, and the targets that they name.
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

    #[test]
    fn libpq_variables_fill_and_redirect_urls() {
        let service = ("/home/ann/.pg_service.conf", "[r]\nhost=db.example.net\nport=5433\ndbname=shop\n");
        let cases: [Case; 7] = [
            (
                &[("DATABASE_URL", "postgres://localhost/x"), ("PGHOSTADDR", "10.0.0.9")],
                &["postgres 10.0.0.9:5432,localhost:5432 x", "postgres 10.0.0.9:5432 -"],
            ),
            (
                &[("DATABASE_URL", "postgres:///x"), ("PGHOST", "db.example.net")],
                &["postgres db.example.net:5432 x", "postgres db.example.net:5432 -"],
            ),
            (&[("DATABASE_URL", "postgres://localhost/x"), ("PGPORT", "6543")], &["postgres localhost:6543 x"]),
            (&[("PGSERVICE", "r")], &["postgres db.example.net:5433 shop"]),
            (&[("DATABASE_URL", "postgres:///x?service=r")], &["postgres db.example.net:5433 x"]),
            (&[("PGSERVICE", "missing")], &["postgres <missing> -"]),
            (&[("SPRING_DATASOURCE_URL", "jdbc:postgresql:x"), ("PGPORT", "1")], &["postgres localhost:5432 x"]),
        ];
        for (pairs, expected) in cases {
            let shown: Vec<String> = found(&[reading(pairs)], &[], &[service]).iter().map(target_line).collect();
            assert_eq!(shown, expected, "{pairs:?}");
        }
    }
}
