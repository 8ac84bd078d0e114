//! Finds the container of this machine that a target's server runs in: one that publishes the target's port, or the one of
//! the project's compose file whose service the target's host is named after.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::Path;

use crate::own_tools::ToolEnvironment;
use crate::own_tools::containers::api::Listed;
use crate::own_tools::containers::container::Container;
use crate::own_tools::containers::running;
use crate::own_tools::containers::running::Running;
use crate::reach::{Place, Target};
use crate::snapshot::not_up::is_here;

/// The labels by which a container says which service it is, and in which folder its compose file lies.
///
/// Source: Docker Compose, `pkg/api/labels.go`; podman-compose and nerdctl set them, too.
const SERVICE: &str = "com.docker.compose.service";
const FOLDER: &str = "com.docker.compose.project.working_dir";

/// A server inside a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inside {
    pub(crate) container: Container,
    /// The port at which the server listens there.
    pub(crate) port: u16,
}

/// How a target is reached from this machine.
#[derive(Debug)]
pub(crate) struct Way<'t> {
    /// The target with the places that are dialled.
    pub(crate) target: Cow<'t, Target>,
    /// Whether programs inside its [container](server) alone reach the server.
    pub(crate) is_inside: bool,
}

/// Finds how a target is reached. A host that this machine does not know and that is the name of a running service of the
/// project's compose file is reached at the port that is published, else inside its container.
pub(crate) fn way<'t>(target: &'t Target, environment: &ToolEnvironment) -> Way<'t> {
    let direct = Way { target: Cow::Borrowed(target), is_inside: false };
    let Some((running, port)) = service(target, environment) else { return direct };
    match running.listed().where_published(port) {
        Some(published) => {
            let place = Place::Host { name: published.ip().to_string(), port: Some(published.port()) };
            Way { target: Cow::Owned(Target { places: vec![place], ..target.clone() }), is_inside: false }
        }
        None => Way { is_inside: true, ..direct },
    }
}

/// Finds the container of this machine in which a target's server runs: the one of the service that its host names, or the
/// one that publishes its port, or has its address. `None` where there is none, or more than one, or no program is installed
/// that speaks to its engine.
pub(crate) fn server(target: &Target, environment: &ToolEnvironment) -> Option<Inside> {
    if let Some((running, port)) = service(target, environment) {
        return Some(Inside { container: running.container()?, port });
    }
    let (name, port) = only_host(target)?;
    let addresses: Vec<SocketAddr> = (name, port).to_socket_addrs().ok()?.collect();
    let inside = |listed: &Listed| {
        addresses.iter().find_map(|address| {
            let published = || listed.published_at(*address).filter(|_| is_here(address.ip()));
            listed.has(address.ip()).then_some(port).or_else(published)
        })
    };
    let found = running::find(environment, |listed| inside(listed).is_some());
    let [found] = found.as_slice() else { return None };
    Some(Inside { container: found.container()?, port: inside(found.listed())? })
}

/// Gives the host of a target that has one alone.
fn only_host(target: &Target) -> Option<(&str, u16)> {
    match target.places.as_slice() {
        [Place::Host { name, port }] => Some((name, port.or(target.engine.default_port())?)),
        _ => None,
    }
}

/// Tells whether a name may be that of a service: compose gives no others.
fn may_be_a_service(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    !name.eq_ignore_ascii_case("localhost") && name.bytes().all(is_plain) && name.parse::<IpAddr>().is_err()
}

/// Finds the running container of the project's service that the host of a target names, and the port there; `None` where
/// there is none, or more than one, or this machine knows the host itself.
fn service(target: &Target, environment: &ToolEnvironment) -> Option<(Running, u16)> {
    let (name, port) = only_host(target).filter(|(name, _)| may_be_a_service(name))?;
    let is_it = |listed: &Listed| {
        let is_named = listed.label(SERVICE).is_some_and(|service| service.eq_ignore_ascii_case(name))
            || listed.name().eq_ignore_ascii_case(name);
        is_named && listed.label(FOLDER).is_some_and(|folder| is_of_the_project(Path::new(folder), environment))
    };
    let mut found = running::find(environment, is_it);
    let running = if found.len() == 1 { found.pop()? } else { return None };
    (name, port).to_socket_addrs().is_err().then_some((running, port))
}

/// Tells whether the folder of a compose file is the project's, one in it, or one around it.
fn is_of_the_project(folder: &Path, environment: &ToolEnvironment) -> bool {
    let (Ok(folder), Ok(project)) = (folder.canonicalize(), environment.project().canonicalize()) else { return false };
    folder.starts_with(&project) || (folder.parent().is_some() && project.starts_with(&folder))
}
