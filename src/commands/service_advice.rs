//! What to do where a database's host is the name of a container's service, which this machine does not know.

use std::net::ToSocketAddrs;

use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::environment::{Origin, Published, published};
use crate::reach::{Place, Target};
use crate::snapshot::SnapshotError;
use crate::text::shown;

/// Tells it for a target that could not be reached; `None` where that is not why.
pub(crate) fn advice(context: &Context, judged: &Judged, target: &Target, error: &SnapshotError) -> Option<String> {
    let [Place::Host { name, port }] = target.places.as_slice() else { return None };
    let port = port.or(target.engine.default_port())?;
    let declared = judged.services().iter().find(|service| service.host.eq_ignore_ascii_case(name))?;
    if !error.found_no_server() || (name.as_str(), port).to_socket_addrs().is_ok() {
        return None;
    }
    let found = published(&context.project, &*context.disk, declared, port)?;
    let file = shown(&declared.file);
    Some(format!(
        "`{name}` is the service `{}` of {file}:{}, a name that only containers know; {}",
        found.service,
        declared.line,
        remedy(&found, &file, target, (name, port))
    ))
}

/// Says which line to set, and to what.
fn remedy(found: &Published, file: &str, target: &Target, (name, port): (&str, u16)) -> String {
    let (line, here) = match (found.line, found.port) {
        (Some(line), Some(here)) => (line, here),
        (Some(line), None) => {
            return format!(
                "{file}:{line} publishes its port {port}: start it, and use localhost with the port that is meant there"
            );
        }
        (None, _) => {
            let service = &found.service;
            return format!(
                "start it (`docker compose up -d {service}`), and it is saved inside its container; for a command of this \
                 machine give it the line `ports: [\"{port}:{port}\"]`, and {}",
                setting(target, (name, port), port)
            );
        }
    };
    format!("{file}:{line} publishes it: start it, and {}", setting(target, (name, port), here))
}

/// Says what to write so that a target is reached at `here` of this machine.
fn setting(target: &Target, (name, port): (&str, u16), here: u16) -> String {
    let at = |origin: &Origin| origin.to_string();
    match (target.origin_of_host(), target.origin_of_port()) {
        (Some(host), own) if port != here => {
            let beside = own.map_or_else(|| "its port".to_owned(), |own| own.named().into_owned());
            format!("set {}=localhost and {beside}={here} in the place of {}", host.named(), at(host))
        }
        (Some(host), _) => format!("set {}=localhost in the place of {}", host.named(), at(host)),
        (None, _) => {
            let whole = target.origins.first().map_or_else(|| "its address".to_owned(), at);
            format!("write localhost:{here} for {name}:{port} in {whole}")
        }
    }
}
