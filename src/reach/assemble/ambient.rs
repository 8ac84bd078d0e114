//! What the rest of an environment adds to a draft: libpq's variables, certificates, hosts named elsewhere, defaults.

use std::path::{Path, PathBuf};

use crate::environment::Origin;
use crate::reach::assemble::{Found, Variable, Variables, by_name, homeless};
use crate::reach::grammars::host::{locate_list, number};
use crate::reach::grammars::parameters;
use crate::reach::grammars::query::{is_postgres, set_ports};
use crate::reach::grammars::services;
use crate::reach::names::Role;
use crate::reach::target::WALLET;
use crate::reach::{Doubt, Draft, Engine, Lookup, Place};

/// Completes everything that was found in one environment, in place.
pub(crate) fn complete(variables: &Variables<'_>, found: &mut Vec<Found>) {
    add_service_alone(variables, found);
    drop_weak(found);
    homeless::inherit_places(found);
    let credentials = certificates(variables);
    for one in found.iter_mut() {
        add_certificates(&credentials, one);
        complete_one(variables, one);
    }
}

/// Completes one draft: libpq's variables for PostgreSQL, then the engine's own default place and port.
pub(crate) fn complete_one(variables: &Variables<'_>, one: &mut Found) {
    if is_postgres(one.draft.engine) {
        postgres(variables, one);
    }
    default_place(one, variables.lookup);
    let port = one.draft.engine.default_port();
    let srv = one.draft.parameters.iter().any(|(key, _)| key == "srv");
    one.draft.fill_port(port.filter(|_| !srv));
}

/// Adds the connection that `PGSERVICE` names by itself.
fn add_service_alone(variables: &Variables<'_>, found: &mut Vec<Found>) {
    if let Some(variable) = variables.get(by_name::PGSERVICE) {
        let mut draft = Draft::new(Engine::Postgres);
        draft.socket_by_default = true;
        draft.service = Some(variable.value().to_owned());
        let mut one = Found::new(draft, variable.origin().clone(), "PG");
        one.keeps_default = true;
        found.push(one);
    }
}

/// Drops an engine alone (`DB_CONNECTION=mysql`) where something else names a database.
fn drop_weak(found: &mut Vec<Found>) {
    if found.iter().any(|one| !one.weak && !one.draft.engine.is_auxiliary()) {
        found.retain(|one| !one.weak);
    }
}

/// How many variables that hold client certificates and the like are looked at.
const MOST_CREDENTIALS: usize = 50;

/// Lists the variables that hold client certificates and the like.
fn certificates<'s, 'a>(variables: &'s Variables<'a>) -> Vec<(&'static str, &'s Variable<'a>)> {
    let held =
        variables.all.iter().filter(|variable| !variable.is_empty()).filter_map(|variable| match variable.name.role {
            Some(Role::Parameter(key)) => Some((key, variable)),
            _ => None,
        });
    let mut held: Vec<_> = held.collect();
    if let Some((_, variable)) = held.get(MOST_CREDENTIALS) {
        variables.cut_off(variable.origin(), "more than 50 variables hold certificates or options of a connection");
        held.truncate(MOST_CREDENTIALS);
    }
    held
}

/// Adds the client certificates that stand in variables of their own: of the same group, else of the same engine.
fn add_certificates(held: &[(&'static str, &Variable<'_>)], one: &mut Found) {
    if one.draft.engine.is_auxiliary() || matches!(one.draft.engine, Engine::Sqlite | Engine::Duckdb) {
        return;
    }
    for (key, variable) in held {
        let key = *key;
        let wallet = key == WALLET && variable.setting.name.eq_ignore_ascii_case("TNS_ADMIN");
        if wallet && one.draft.engine != Engine::Oracle || !wallet && !variable.name.says_database {
            continue;
        }
        let family = variable.name.engine.map(Engine::family);
        let fits = variable.name.group == one.group
            || family.is_some_and(|family| family == one.draft.engine.family() || one.draft.engine == Engine::Unknown)
            || family.is_none() && wallet;
        if fits && !one.draft.parameters.iter().any(|(own, _)| own == key) {
            let before = one.draft.parameters.len();
            one.draft.add_parameter(key, variable.value());
            if one.draft.parameters.len() > before && parameters::is_client_credential(&one.draft.parameters[before].0)
            {
                one.add_origin(variable.origin());
            }
        }
    }
}

/// Applies libpq's own variables. `PGHOSTADDR` redirects even a URL that names a host; a service fills what is left out.
fn postgres(variables: &Variables<'_>, one: &mut Found) {
    let speaks_libpq = one.draft.socket_by_default;
    let named = one.draft.service.take();
    let ambient = variables.get(by_name::PGSERVICE).filter(|_| speaks_libpq);
    let service_name = named.as_deref().or(ambient.map(Variable::value));
    if let Some(name) = service_name {
        let file = variables.get(by_name::PGSERVICEFILE).map(Variable::value);
        let folder = variables.get(by_name::PGSYSCONFDIR).map(Variable::value);
        match services::libpq_service(name, file, folder, variables.lookup) {
            Some(variable) => fill_from_service(one, variable),
            None if one.draft.places.is_empty() => one.draft.add_place(Place::Instance { name: name.to_owned() }),
            None => {}
        }
        ambient.into_iter().for_each(|variable| one.add_origin(variable.origin()));
    }
    let port = |variables: &Variables<'_>| {
        let variable = variables.get(by_name::PGPORT)?;
        number(variable.value(), &mut Vec::new())
    };
    if speaks_libpq {
        if one.draft.places.is_empty()
            && let Some(variable) = variables.get(by_name::PGHOST)
        {
            add_hosts(one, variable, false);
        }
        if one.draft.database.is_none()
            && let Some(variable) = variables.get(by_name::PGDATABASE)
        {
            one.draft.set_database(variable.value());
            one.add_origin(variable.origin());
        }
        if let Some(variable) = variables.get(by_name::PGUSER).filter(|_| one.draft.user.is_none()) {
            one.draft.set_user(variable.value());
        }
        if let Some(variable) = variables.get(by_name::PGPASSWORD).filter(|_| one.draft.password.is_none()) {
            one.draft.set_password(variable.value());
        }
    }
    if let Some(variable) = variables.get(by_name::PGHOSTADDR) {
        add_hosts(one, variable, true);
    }
    let usual = one.draft.engine.default_port();
    let port = if speaks_libpq { port(variables).or(usual) } else { usual };
    one.draft.fill_port(port);
    for place in &mut one.draft.places {
        if let Place::Socket { port: missing @ None, .. } = place {
            *missing = port;
        }
    }
}

fn add_hosts(one: &mut Found, variable: &Variable<'_>, in_front: bool) {
    let (mut places, doubts) = locate_list(variable.value());
    doubts.into_iter().for_each(|doubt| one.draft.doubt(doubt));
    places.retain(|place| !one.draft.places.contains(place));
    if let Some(port) = one.draft.places.iter().find_map(host_port) {
        set_ports(&mut places, &[port]);
    }
    places.retain(|place| !one.draft.places.contains(place));
    let at = if in_front { 0 } else { one.draft.places.len() };
    if !places.is_empty() {
        one.add_origin(variable.origin());
    }
    one.draft.places.splice(at..at, places);
}

fn host_port(place: &Place) -> Option<u16> {
    match place {
        Place::Host { port, .. } => *port,
        _ => None,
    }
}

fn fill_from_service(one: &mut Found, variable: services::ServiceEntry) {
    let service = variable.draft;
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
    one.draft.cut = one.draft.cut.or(service.cut);
    one.add_origin(&variable.origin);
}

/// Adds the place that a driver dials when it is told of none; a port alone belongs to that place.
fn default_place(one: &mut Found, lookup: &Lookup<'_>) {
    let draft = &mut one.draft;
    let port = match &draft.places[..] {
        [] => None,
        [Place::Host { name, port }] if name.is_empty() => *port,
        _ => return,
    };
    let place = match draft.engine {
        Engine::Postgres | Engine::Cockroach if draft.socket_by_default => {
            let port = port.or(draft.engine.default_port());
            Place::Socket { path: socket_folder(port, lookup), port }
        }
        Engine::SqlServer | Engine::Libsql | Engine::Dynamodb | Engine::Oracle
            if port.is_none() && draft.database.is_none() =>
        {
            draft.doubt(Doubt::Syntax);
            Place::Host { name: "localhost".to_owned(), port }
        }
        _ => Place::Host { name: "localhost".to_owned(), port },
    };
    draft.places = vec![place];
}

/// Folders in which PostgreSQL's socket is by default: Debian's, and that of its own builds.
pub(crate) const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// Finds the folder of PostgreSQL's socket; Debian's, where no socket is there.
fn socket_folder(port: Option<u16>, lookup: &Lookup<'_>) -> PathBuf {
    let socket = format!(".s.PGSQL.{}", port.unwrap_or(5432));
    let folders = SOCKET_FOLDERS.map(Path::new);
    folders.into_iter().find(|folder| lookup.files.exists(&folder.join(&socket))).unwrap_or(folders[0]).to_owned()
}

/// Makes the origin of a word that was typed.
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
        let service = ("/home/tester/.pg_service.conf", "[r]\nhost=db.example.net\nport=5433\ndbname=shop\n");
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
