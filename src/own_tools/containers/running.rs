//! Lists the containers that run on this machine, whichever engine has them.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::own_tools::ToolEnvironment;
use crate::own_tools::containers::api::{Api, Listed};
use crate::own_tools::containers::asked::by_program;
use crate::own_tools::containers::container::{Cli, Container};
use crate::own_tools::containers::sockets::sockets;

/// How long an engine may take to list what runs.
const PATIENCE: Duration = Duration::from_secs(5);

const PODMAN: &str = "podman";

/// Programs that know of containers without an engine that listens, and the words with which they look on this machine:
/// elsewhere than on Linux, Podman's may look at another one.
const WITHOUT_SOCKET: &[(&str, &[&str])] =
    if cfg!(target_os = "linux") { &[(PODMAN, &["--remote=false"]), ("nerdctl", &[])] } else { &[] };

/// A container that runs, and how programs are run in it.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    listed: Listed,
    container: Container,
}

impl Running {
    /// Gives what its engine says of it.
    pub(crate) fn listed(&self) -> &Listed {
        &self.listed
    }

    /// Gives it as what programs are run in.
    pub(crate) fn container(&self) -> Container {
        self.container.in_use()
    }

    fn new(listed: Listed, cli: &Cli) -> Running {
        let container = Container::new(cli.clone(), &listed.id, listed.name());
        Running { listed, container }
    }
}

/// The containers that an engine was found to have, for the next question of this call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remembered(Arc<Mutex<Vec<Running>>>);

/// Looks through the containers that run, whichever engine has them, for those that are wanted. What cannot be asked has none.
/// Where those that were found before have any, nobody is asked.
pub(crate) fn find(environment: &ToolEnvironment, is_wanted: impl Fn(&Listed) -> bool) -> Vec<Running> {
    let wanted = |running: &[Running]| -> Vec<Running> {
        running.iter().filter(|running| is_wanted(&running.listed)).cloned().collect()
    };
    let mut remembered = environment.containers().0.lock().unwrap_or_else(PoisonError::into_inner);
    let known = wanted(&remembered);
    if !known.is_empty() {
        return known;
    }
    let value = |name: &str| environment.get(name)?.to_str();
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    // Of two engines each may have one: all are asked.
    remembered.clear();
    for socket in sockets(value, real).into_iter().filter(|socket| socket.exists()) {
        let listed = Api::new(&socket, PATIENCE).running().unwrap_or_default();
        let cli = of_socket(environment, &socket);
        remembered.extend(listed.into_iter().map(|listed| Running::new(listed, &cli)));
    }
    if wanted(&remembered).is_empty() {
        for (name, words) in WITHOUT_SOCKET {
            let Some(cli) = of_program(environment, name, words) else { continue };
            let mut listed = by_program(&cli).unwrap_or_default();
            // nerdctl asks an engine, which may be lent by another place.
            listed.iter_mut().for_each(|listed| listed.is_of_this_place = *name == PODMAN);
            remembered.extend(listed.into_iter().map(|listed| Running::new(listed, &cli)));
        }
    }
    wanted(&remembered)
}

/// Tells how the engine at a socket is spoken to, and by which program a person would: Docker's, where there is none.
fn of_socket(environment: &ToolEnvironment, socket: &Path) -> Cli {
    let mut address = OsString::from("unix://");
    address.push(socket);
    let podman = environment.find(PODMAN).filter(|_| environment.find("docker").is_none());
    let (program, word) = podman.map_or(("docker".into(), "-H"), |podman| (podman, "--url"));
    Cli { socket: Some(socket.to_owned()), program, words: vec![word.into(), address], variables: Vec::new() }
}

/// Finds Podman's program, which knows of containers of this machine whether its engine listens or not.
pub(crate) fn podman(environment: &ToolEnvironment) -> Option<Cli> {
    let (name, words) = WITHOUT_SOCKET.iter().find(|(name, _)| *name == PODMAN)?;
    of_program(environment, name, words)
}

/// Has Podman of a user without rights make the user namespace that its commands share, where it is not there yet: the first
/// command since the login does, by programs that gain privileges (`newuidmap(1)`), which they do not under a filter. What it
/// fails by, the command's own will say.
pub(crate) fn prepare_podman(environment: &ToolEnvironment) {
    if let Some(cli) = podman(environment) {
        let _ = cli.ask(&["unshare", "true"].map(OsStr::new));
    }
}

fn of_program(environment: &ToolEnvironment, name: &str, words: &[&str]) -> Option<Cli> {
    let program = environment.find(name)?;
    let words = words.iter().map(OsString::from).collect();
    Some(Cli { socket: None, program, words, variables: variables(environment) })
}

/// Gives the programs what they find their settings, storage and helpers by, and nothing that names another engine.
fn variables(environment: &ToolEnvironment) -> Vec<(OsString, OsString)> {
    let is_given = |name: &str| {
        matches!(name, "HOME" | "TMPDIR" | "DBUS_SESSION_BUS_ADDRESS" | "CONTAINERD_ADDRESS" | "CONTAINERD_NAMESPACE")
            || name.starts_with("XDG_")
            || name.starts_with("CONTAINERS_")
            || name.starts_with("NERDCTL_")
    };
    let mut variables = environment.selected(is_given);
    if let Ok(path) = std::env::join_paths(environment.folders()) {
        variables.push(("PATH".into(), path));
    }
    variables.push(("DOCKER_CLI_HINTS".into(), "false".into()));
    variables
}
