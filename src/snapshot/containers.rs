//! Finds the container of this machine that a target's server runs in: one that publishes the target's port, or the one of
//! the project's compose file whose service the target's host is named after.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::own_tools::ToolEnvironment;
use crate::own_tools::containers::api::Listed;
use crate::own_tools::containers::container::Container;
use crate::own_tools::containers::running;
use crate::own_tools::containers::running::Running;
use crate::reach::{Place, Target};
use crate::regular;
use crate::secret::ForeignText;
use crate::snapshot::not_up::is_here;
use crate::snapshot::tool_process::{ToolError, engine_said};

/// The labels by which a container says which service it is, and in which folder its compose file lies.
///
/// Source: Docker Compose, `pkg/api/labels.go`; podman-compose and nerdctl set them, too.
const SERVICE: &str = "com.docker.compose.service";
const FOLDER: &str = "com.docker.compose.project.working_dir";
/// What `docker compose run` starts.
const ONE_OFF: &str = "com.docker.compose.oneoff";

/// The most bytes of Docker's settings.
const MOST_SETTINGS: u64 = 1 << 20;

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
/// one that publishes its port. `None` where there is none, or more than one.
pub(crate) fn server(target: &Target, environment: &ToolEnvironment) -> Option<Inside> {
    if let Some((running, port)) = service(target, environment) {
        return Some(Inside { container: running.container(), port });
    }
    let (name, port) = only_host(target)?;
    let addresses: Vec<SocketAddr> = (name, port).to_socket_addrs().ok()?.collect();
    let own = || addresses.iter().filter(|address| is_here(address.ip()));
    let inside = |listed: &Listed| own().find_map(|address| listed.published_at(*address));
    let found = running::find(environment, |listed| inside(listed).is_some() && is_of_this_machine(listed));
    let [found] = found.as_slice() else { return None };
    Some(Inside { container: found.container(), port: inside(found.listed())? })
}

/// What an engine asks a container, and what it reads of a line of the answer.
pub(crate) struct Listing<T> {
    /// A script of a shell that writes a line for each of the tools.
    pub(crate) script: &'static str,
    pub(crate) read: fn(&str, &Inside) -> Option<T>,
    /// How many programs run there at once while a database is saved.
    pub(crate) at_once: usize,
}

impl<T> Listing<T> {
    /// Lists the tools that there are for a target: those `here`, or, where the server is reached inside its container alone or
    /// there are none here, those of the container.
    ///
    /// # Errors
    ///
    /// [`ToolError::Silent`] where nothing can be run inside, and there are none here.
    pub(crate) fn or_inside(
        &self,
        here: impl FnOnce() -> Vec<T>,
        target: &Target,
        environment: &ToolEnvironment,
    ) -> Result<Vec<T>, ToolError> {
        let here = if way(target, environment).is_inside { Vec::new() } else { here() };
        if !here.is_empty() {
            return Ok(here);
        }
        server(target, environment).map_or(Ok(here), |server| self.of(&server))
    }

    /// Lists those inside the container of this machine that a target's server runs in.
    pub(crate) fn inside(&self, target: &Target, environment: &ToolEnvironment) -> Vec<T> {
        server(target, environment).and_then(|server| self.of(&server).ok()).unwrap_or_default()
    }

    /// Lists those of a container.
    ///
    /// # Errors
    ///
    /// [`ToolError::Silent`].
    pub(crate) fn of(&self, server: &Inside) -> Result<Vec<T>, ToolError> {
        let container = &server.container;
        let said = container.listing(self.script, self.at_once).map_err(|said| ToolError::Silent {
            container: container.name().to_owned(),
            by_hand: container.by_hand(&[]),
            said: ForeignText::of(said).shortened(engine_said),
        })?;
        Ok(String::from_utf8_lossy(&said).lines().filter_map(|line| (self.read)(line, server)).collect())
    }
}

/// Tells whether a container's engine publishes ports where this process is. One that may be in a container itself, by what
/// Docker and Podman put there, and is lent its engine's socket, has other ports and addresses than the engine's machine. One
/// of no engine has its processes here, without which nothing can be run in it.
fn is_of_this_machine(listed: &Listed) -> bool {
    let may_be_inside = ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists());
    !may_be_inside || listed.is_of_this_place || listed.gateways().any(is_here)
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
/// there is none, or more than one, or this machine knows the host itself, or the engine in use is elsewhere.
fn service(target: &Target, environment: &ToolEnvironment) -> Option<(Running, u16)> {
    let (name, port) = only_host(target).filter(|(name, _)| may_be_a_service(name))?;
    // Where the name is known, as in a container of the project itself, no engine is asked.
    if (name, port).to_socket_addrs().is_ok() || acts_elsewhere(environment) {
        return None;
    }
    let folders = folders(environment);
    let place = |listed: &Listed| {
        let folder = Path::new(listed.label(FOLDER)?).canonicalize().ok()?;
        folders.iter().position(|own| *own == folder)
    };
    let is_it = |listed: &Listed| {
        let is_named = listed.label(SERVICE).is_some_and(|service| service.eq_ignore_ascii_case(name))
            || listed.name().eq_ignore_ascii_case(name);
        let is_its_own = listed.label(ONE_OFF) != Some("True") && place(listed).is_some();
        is_named && is_its_own && is_of_this_machine(listed)
    };
    let mut found = running::find(environment, is_it);
    // The nearest compose file is the one that compose would take.
    let nearest = found.iter().filter_map(|running| place(running.listed())).min()?;
    found.retain(|running| place(running.listed()) == Some(nearest));
    if found.len() == 1 { Some((found.pop()?, port)) } else { None }
}

/// Lists the folders in which the compose file may lie that the command means: its own, and those around it up to the
/// project's, then those in which projects keep it apart.
fn folders(environment: &ToolEnvironment) -> Vec<PathBuf> {
    let Ok(project) = environment.project().canonicalize() else { return Vec::new() };
    let own = environment.path("").canonicalize().unwrap_or_else(|_| project.clone());
    let around = own.ancestors().take_while(|folder| folder.starts_with(&project)).map(Path::to_owned);
    let apart = APART.iter().map(|folder| project.join(folder));
    around.chain([project.clone()]).chain(apart).collect()
}

/// Folders of a project in which its compose file is often kept.
const APART: [&str; 4] = [".devcontainer", "docker", ".docker", "compose"];

/// Contexts of Docker's that are on this machine, by how their names begin.
const LOCAL_CONTEXTS: [&str; 6] = ["default", "desktop-linux", "orbstack", "colima", "rancher-desktop", "rootless"];

/// Tells whether Docker's program would act on an engine elsewhere, or on one that is not known: by a variable, or by its
/// settings.
///
/// Source: Docker documentation, "Docker contexts".
fn acts_elsewhere(environment: &ToolEnvironment) -> bool {
    let value = |name: &str| environment.get(name).and_then(OsStr::to_str).filter(|value| !value.is_empty());
    if let Some(host) = value("DOCKER_HOST") {
        return !host.starts_with("unix://");
    }
    let is_elsewhere = |context: &str| !LOCAL_CONTEXTS.iter().any(|local| context.starts_with(local));
    if let Some(context) = value("DOCKER_CONTEXT") {
        return is_elsewhere(context);
    }
    let folder = value("DOCKER_CONFIG").map(PathBuf::from).or_else(|| Some(Path::new(value("HOME")?).join(".docker")));
    let settings = folder.and_then(|folder| regular::read(&folder.join("config.json"), MOST_SETTINGS).ok());
    let settings: Option<Value> = settings.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    settings.is_some_and(|settings| settings["currentContext"].as_str().is_some_and(is_elsewhere))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_compose_file_is_looked_for_from_the_command_s_folder_up_to_the_project_s() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().canonicalize().unwrap();
        for folder in ["shop/api/src", "shop/web"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let [project, own] = ["shop", "shop/api/src"].map(|folder| root.join(folder));
        let found = folders(&ToolEnvironment::new(&[], &project, &own));
        let expected = ["shop/api/src", "shop/api", "shop"].map(|folder| root.join(folder));
        assert_eq!(found[..3], expected);
        assert!(!found.contains(&root) && !found.contains(&root.join("shop/web")), "{found:?}");
        assert!(found.contains(&root.join("shop/.devcontainer")));
    }

    #[test]
    fn an_engine_elsewhere_has_no_service_of_this_machine() {
        let home = tempfile::tempdir().unwrap();
        let elsewhere = |variables: &[(&str, &str)]| {
            let mut variables: Vec<_> = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
            variables.push(("HOME".into(), home.path().into()));
            acts_elsewhere(&ToolEnvironment::new(&variables, home.path(), home.path()))
        };
        assert!(!elsewhere(&[]));
        for (variable, value, expected) in [
            ("DOCKER_HOST", "unix:///run/user/1000/docker.sock", false),
            ("DOCKER_HOST", "ssh://deploy@shop.test", true),
            ("DOCKER_HOST", "tcp://192.0.2.7:2376", true),
            ("DOCKER_CONTEXT", "default", false),
            ("DOCKER_CONTEXT", "colima-work", false),
            ("DOCKER_CONTEXT", "staging", true),
        ] {
            assert_eq!(elsewhere(&[(variable, value)]), expected, "{variable}={value}");
        }
        fs::create_dir(home.path().join(".docker")).unwrap();
        for (context, expected) in [("desktop-linux", false), ("staging", true)] {
            let settings = format!(r#"{{"auths":{{}},"currentContext":"{context}"}}"#);
            fs::write(home.path().join(".docker/config.json"), settings).unwrap();
            assert_eq!(elsewhere(&[]), expected, "{context}");
        }
    }

    #[test]
    fn only_a_plain_name_may_be_a_service() {
        for (name, expected) in [
            ("db", true),
            ("shop_db-1", true),
            ("localhost", false),
            ("db.internal", false),
            ("127.0.0.1", false),
            ("::1", false),
        ] {
            assert_eq!(may_be_a_service(name), expected, "{name}");
        }
    }
}
