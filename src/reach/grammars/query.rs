//! The options behind a URL's `?`, and those of JDBC and SQL Server URLs: some of them name another place.

use crate::reach::grammars::host::{locate_list, number, place};
use crate::reach::grammars::text::percent_decode;
use crate::reach::{Doubt, Draft, Engine, Place};

/// Takes the pairs of a query string apart, percent-decoded.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (percent_decode(key), percent_decode(value))
        })
        .collect()
}

/// Applies options to a draft: places, database and login where they name one, the rest as parameters.
///
/// Drivers differ on whether `host=` replaces the URL's own host or is tried after it, so both stay, what most
/// drivers dial first in front.
pub(crate) fn apply(draft: &mut Draft, options: &[(String, String)]) {
    let mut first: Vec<Place> = Vec::new();
    let mut ports: Option<Vec<u16>> = None;
    for (key, value) in options {
        let folded: String = key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        if value.is_empty() {
            continue;
        }
        match folded.as_str() {
            "port" | "portnumber" => ports = Some(read_ports(draft, value)),
            "host" | "hosts" | "servername" | "server" | "hostname" => {
                let (places, doubts) = locate_list(value);
                first.extend(places);
                draft.doubts.extend(doubts);
            }
            "hostaddr" => {
                let (places, doubts) = locate_list(value);
                first.splice(0..0, places);
                draft.doubts.extend(doubts);
            }
            "socket" | "socketpath" | "unixsocket" | "unixsock" | "unixsocketpath" => {
                let mut doubts = Vec::new();
                first.extend(place(value, None, &mut doubts));
                draft.doubts.extend(doubts);
            }
            "cloudsqlinstance" => first.push(Place::Instance { name: value.clone() }),
            "failoverpartner" => {
                let (places, doubts) = locate_list(value);
                places.into_iter().for_each(|place| draft.add_place(place));
                draft.doubts.extend(doubts);
            }
            "service" | "servicefile" if is_postgres(draft.engine) => {
                if folded == "service" {
                    draft.service = Some(value.clone());
                }
            }
            "dbname" | "database" | "databasename" | "initialcatalog" => draft.set_database(value),
            "user" | "username" | "userid" | "uid" => draft.set_user(value),
            "password" | "pwd" | "pass" => draft.set_password(value),
            _ => draft.add_parameter(key, value),
        }
    }
    if let Some(ports) = ports {
        set_ports(&mut first, &ports);
        set_ports(&mut draft.places, &ports);
    }
    let own = std::mem::take(&mut draft.places);
    first.into_iter().chain(own).for_each(|place| draft.add_place(place));
}

pub(crate) fn is_postgres(engine: Engine) -> bool {
    matches!(engine, Engine::Postgres | Engine::Cockroach)
}

fn read_ports(draft: &mut Draft, value: &str) -> Vec<u16> {
    let mut doubts: Vec<Doubt> = Vec::new();
    let ports = value.split(',').filter_map(|port| number(port, &mut doubts)).collect();
    draft.doubts.extend(doubts);
    ports
}

/// Gives each place its port, as libpq does: one for all hosts, or one for each.
pub(crate) fn set_ports(places: &mut [Place], ports: &[u16]) {
    for (index, place) in places.iter_mut().enumerate() {
        if let (Place::Host { port, .. } | Place::Socket { port, .. }, Some(given)) =
            (place, ports.get(index).or(ports.last()))
        {
            *port = Some(*given);
        }
    }
}
