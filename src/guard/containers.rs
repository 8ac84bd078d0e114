//! What the engines of containers on this machine know: which port is published where, and which containers a command
//! has made since, with nothing in them from before.
//!
//! What there was before is asked for when the command first turns to an engine, which waits for that. The times that
//! engines give are not enough: Docker 20.10 calls a volume as young as the last change of its folder. Podman makes containers
//! without one that listens; its program says when it made what, by its own record.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::guard::births::{Links, Span};
use crate::guard::facts::Newness;
use crate::guard::newness::Kept;
use crate::guard::owners::Owner;
use crate::guard::process;
use crate::guard::programs::{self, Kind};
use crate::guard::user_namespace;
use crate::own_tools::ToolEnvironment;
use crate::own_tools::containers::api::{Api, Inspected, Listed, Mount, Volume};
use crate::own_tools::containers::asked::{Asked, made_at};
use crate::own_tools::containers::container::Cli;
use crate::own_tools::containers::running::podman;
use crate::own_tools::containers::sockets::sockets;
use crate::text::{printable, shown};

/// How long an engine may take for one look: one that makes a container is busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection waits for a container to start what it is to serve with.
const FOR_A_SERVER: Duration = Duration::from_secs(15);

/// Where images look for settings, and for what fills a new database (the entry points of Docker's official images).
const SETTINGS: [&str; 2] = ["/etc", "/docker-entrypoint-initdb.d"];

/// The engines of this machine, and what they had before the command turned to them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Engines {
    /// Their sockets, without links.
    sockets: Vec<PathBuf>,
    /// Podman, which needs no engine that listens.
    podman: Option<Cli>,
    /// By the sockets that the command has turned to; `None` where the engine did not say.
    had: BTreeMap<PathBuf, Option<Inventory>>,
}

/// The containers and volumes that an engine has, by their ids and names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inventory {
    containers: BTreeSet<String>,
    volumes: BTreeSet<String>,
}

/// By what a container is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sought {
    /// The address of this machine at which a port of its is published.
    Published(SocketAddr),
    /// Its own address.
    Own(IpAddr),
}

impl Sought {
    /// Tells whether a container is the one; the port inside it that is published.
    fn is(self, container: &Listed) -> Option<Option<u16>> {
        match self {
            Sought::Own(address) => container.has(address).then_some(None),
            Sought::Published(address) => container.published_at(address).map(Some),
        }
    }

    /// Picks out of all that run.
    fn among(self, running: Vec<Listed>) -> Vec<Found> {
        let found = |container: Listed| Some(Found { inside: self.is(&container)?, id: container.id });
        running.into_iter().filter_map(found).collect()
    }
}

/// A container that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    id: String,
    inside: Option<u16>,
}

/// What was there before the command, as far as an engine knows.
enum Before<'a> {
    /// What it had when the command turned to it.
    Had(&'a Inventory),
    /// What it made before that moment.
    Made(SystemTime),
}

impl Engines {
    /// Lists the engines by their usual places and by the variables that name one. `real` follows links.
    pub(crate) fn of(
        environment: &[(String, String)],
        tools: &ToolEnvironment,
        real: impl Fn(&Path) -> PathBuf,
    ) -> Engines {
        let value = |name: &str| environment.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        Engines { sockets: sockets(value, real), podman: podman(tools), had: BTreeMap::new() }
    }

    /// Tells whether a Unix socket is that of an engine that the command has not turned to yet.
    pub(crate) fn is_first_at(&self, socket: &Path) -> bool {
        self.sockets.iter().any(|own| own == socket) && !self.had.contains_key(socket)
    }

    /// Takes in what an engine had before the command turned to it, or that it did not say; once. Where no engine was
    /// there yet, one that comes is asked then.
    pub(crate) fn learn(&mut self, socket: &Path, had: io::Result<Inventory>) {
        let is_there =
            |error: &io::Error| !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused);
        if had.as_ref().err().is_none_or(is_there) {
            self.had.entry(socket.to_owned()).or_insert(had.ok());
        }
    }

    /// Finds the port inside a container that is published at an address of this machine; `None` where none is, or
    /// nobody can tell.
    pub(super) fn port_behind(&self, address: SocketAddr) -> Option<u16> {
        let asked = self.find(Sought::Published(address)).ok().flatten();
        let inside = asked.and_then(|(_, found)| found.first()?.inside);
        inside.or_else(|| behind_a_proxy(process::all().map(process::words), address))
    }

    /// Finds out whether a container runs a database server that is known, or carries connections elsewhere; `None` where
    /// nobody can tell. Where no engine knows of it the processes below `owner` show it, which publishes its port.
    pub(super) fn serves(&self, sought: Sought, owner: Option<&Owner>) -> Option<bool> {
        let Ok(Some((engine, found))) = self.find(sought) else {
            return Some(what_runs(&[], &below(owner?)?) != Runs::Unknown);
        };
        let runs = |found: &Found| {
            let container = engine.inspect(&found.id).ok()?;
            Some(what_runs(&container.start(), &processes(&engine, &found.id, &container).ok()?))
        };
        let all: Option<Vec<Runs>> = found.iter().map(runs).collect();
        Some(all?.iter().any(|runs| *runs != Runs::Unknown))
    }

    /// Finds out whether a container is new, and has nothing from before. `since` is when the command had not been started
    /// yet.
    pub(super) fn newness(&self, sought: Sought, since: Option<SystemTime>) -> Newness {
        self.old(sought, since).map_or(Newness::New, Newness::Old)
    }

    /// Says why a container is not new.
    fn old(&self, sought: Sought, since: Option<SystemTime>) -> Option<String> {
        let (why, is_known) = match self.find_by_sockets(sought) {
            Ok(Some((socket, found))) => {
                let why = match self.had.get(&socket) {
                    Some(Some(had)) => return self.older(&asked(&socket), &found, &Before::Had(had), since),
                    Some(None) => "what its container engine had before the command is not known",
                    None => "nothing shows that the command made its container",
                };
                (why.to_owned(), true)
            }
            Ok(None) => ("no container engine that could be asked knows of it".to_owned(), false),
            Err(why) => (why, false),
        };
        // A container that Podman made by itself: its own record says when, to the nanosecond.
        match self.find_by_program(sought) {
            Ok(Some((podman, found))) => match since {
                Some(since) => self.older(&podman, &found, &Before::Made(since), Some(since)),
                None => Some(why),
            },
            Err(error) if !is_known => Some(format!("{why}, and Podman cannot be asked: {error}")),
            Ok(None) | Err(_) => Some(why),
        }
    }

    /// Says why containers that share a port, as those of a pod do, are not all new, or none of them is a database server.
    fn older(&self, engine: &Asked, found: &[Found], before: &Before<'_>, since: Option<SystemTime>) -> Option<String> {
        let mut containers = Vec::new();
        for Found { id, .. } in found {
            let container = match engine.inspect(id) {
                Ok(container) => container,
                Err(error) => return Some(cannot_be_asked(engine, &error)),
            };
            let name = printable(container.name.trim_start_matches('/'));
            if before.had_container(id, &container) {
                return Some(format!("its container {name} was there before the command"));
            }
            let from_before = if container.has_its_own_files() {
                let mut mounts = container.mounts.iter().flatten();
                mounts.find_map(|mount| kept(mount, &container, before, engine, since))
            } else {
                Some("it runs in a folder of this machine".to_owned())
            };
            if let Some(why) = from_before {
                return Some(format!("its container {name} is new, but {why}"));
            }
            containers.push((id.as_str(), name, container));
        }
        serves(engine, &containers)
    }

    /// Asks the engines for the containers that are looked for, which share what they are looked for by.
    fn find(&self, sought: Sought) -> Result<Option<(Asked, Vec<Found>)>, String> {
        match self.find_by_sockets(sought) {
            Ok(Some((socket, found))) => Ok(Some((asked(&socket), found))),
            not_found => match self.find_by_program(sought) {
                Ok(Some(found)) => Ok(Some(found)),
                _ => not_found.map(|_| None),
            },
        }
    }

    fn find_by_sockets(&self, sought: Sought) -> Result<Option<(PathBuf, Vec<Found>)>, String> {
        let mut failed = None;
        let mut is_asked = false;
        for socket in self.sockets.iter().filter(|socket| socket.exists()) {
            match asked(socket).running() {
                Ok(running) => {
                    is_asked = true;
                    let found = sought.among(running);
                    if !found.is_empty() {
                        return Ok(Some((socket.clone(), found)));
                    }
                }
                Err(error) => failed = Some(cannot_be_asked(&asked(socket), &error)),
            }
        }
        match failed {
            Some(why) => Err(why),
            None if is_asked => Ok(None),
            None => Err("no container engine was found that could be asked whether it is new".to_owned()),
        }
    }

    fn find_by_program(&self, sought: Sought) -> io::Result<Option<(Asked, Vec<Found>)>> {
        let Some(podman) = self.podman.clone().map(Asked::Program) else { return Ok(None) };
        let found = sought.among(podman.running()?);
        Ok((!found.is_empty()).then_some((podman, found)))
    }
}

fn asked(socket: &Path) -> Asked {
    Asked::Socket(socket.to_owned(), PATIENCE)
}

impl Before<'_> {
    fn had_container(&self, id: &str, container: &Inspected) -> bool {
        match self {
            Before::Had(had) => had.containers.contains(id),
            Before::Made(since) => made_at(&container.created).is_none_or(|made| made < *since),
        }
    }

    /// `volume` describes it.
    fn had_volume(&self, name: &str, volume: &io::Result<Volume>) -> bool {
        match (self, volume) {
            (Before::Had(had), _) => had.volumes.contains(name),
            (Before::Made(since), Ok(volume)) => made_at(&volume.created_at).is_none_or(|made| made < *since),
            (Before::Made(_), Err(_)) => false,
        }
    }
}

impl Inventory {
    /// Asks an engine for what it has.
    ///
    /// # Errors
    ///
    /// Where it is not there, or does not answer in time.
    pub(super) fn of(socket: &Path) -> io::Result<Inventory> {
        let api = Api::new(socket, PATIENCE);
        let containers = api.containers()?.into_iter().map(|container| container.id).collect();
        let volumes = api.volumes()?.into_iter().map(|volume| volume.name).collect();
        Ok(Inventory { containers, volumes })
    }
}

/// Decides by what a listener's owner is whether containers are to be asked about it, as what.
pub(super) fn sought(owner: &Owner, address: SocketAddr) -> Option<Sought> {
    // Of root's processes others see no more than that there are some.
    let may_be_one = programs::kind(owner) == Kind::Container || owner.program.is_none() && owner.account == 0;
    may_be_one.then_some(Sought::Published(address))
}

/// Says why what a container has been given may hold data from before.
fn kept(
    mount: &Mount,
    container: &Inspected,
    before: &Before<'_>,
    engine: &Asked,
    since: Option<SystemTime>,
) -> Option<String> {
    let older_in = |folder: &Path| older_in(folder, container.process(), since);
    match mount.kind.as_str() {
        "tmpfs" => None,
        // What it cannot write to it cannot lose.
        _ if !mount.is_writable => None,
        "bind" if SETTINGS.iter().any(|settings| Path::new(&mount.destination).starts_with(settings)) => None,
        "bind" => older_in(Path::new(&mount.source)),
        "volume" => {
            let name = mount.name.as_deref().unwrap_or_default();
            let shown_name = printable(name);
            let volume = engine.volume(name);
            if before.had_volume(name, &volume) {
                return Some(format!("its volume {shown_name} was there before the command"));
            }
            let volume = match volume {
                Ok(volume) => volume,
                Err(error) => return Some(format!("its volume {shown_name} cannot be asked about: {error}")),
            };
            let option = |name: &str| volume.options.as_ref().and_then(|options| options.get(name));
            match option("device") {
                _ if volume.driver != "local" => {
                    Some(format!("its volume {shown_name} is kept by the driver {}", printable(&volume.driver)))
                }
                None => None,
                Some(_) if option("type").is_some_and(|kind| kind == "tmpfs") => None,
                Some(device) if device.starts_with('/') && option("o").is_some_and(|how| how.contains("bind")) => {
                    older_in(Path::new(device))
                }
                Some(device) => Some(format!("its volume {shown_name} is kept in {}", printable(device))),
            }
        }
        kind => Some(format!("{} is a mount of the kind {}", printable(&mount.destination), printable(kind))),
    }
}

/// Says what in a folder was there before the command, or that nobody can tell. A single file holds settings, a script or a
/// socket, but no server's data; one of SQLite's is no server's.
///
/// `process` is the container's: what belongs to an account of the user's containers alone is looked at as from there.
fn older_in(folder: &Path, process: Option<i32>, since: Option<SystemTime>) -> Option<String> {
    let unknown = |why: &dyn Display| Some(format!("its folder {} cannot be looked into: {why}", shown(folder)));
    let Some(since) = since else { return unknown(&"nobody knows when the command was started") };
    let look = || match std::fs::metadata(folder)?.is_dir() {
        true => Span::since(since).all(folder.to_owned(), folder.to_owned(), Links::Passed),
        false => Ok(Kept::Nothing),
    };
    let found = match (look(), process) {
        (Err(error), Some(process)) if error.kind() == io::ErrorKind::PermissionDenied => {
            // What is in the way there is what was in the way here.
            user_namespace::look_from(process, look).unwrap_or(Err(error))
        }
        (found, _) => found,
    };
    match found {
        Ok(Kept::Nothing | Kept::MadeSince) => None,
        Ok(Kept::Older(_)) => Some(format!("its folder {} holds files from before the command", shown(folder))),
        Ok(Kept::Unknown(why)) => unknown(&why),
        Err(error) => unknown(&error),
    }
}

fn cannot_be_asked(engine: &Asked, error: &io::Error) -> String {
    let place = match engine {
        Asked::Socket(socket, _) => format!("the container engine at {}", shown(socket)),
        Asked::Program(_) => "Podman".to_owned(),
    };
    format!("{place} cannot be asked whether it is new: {error}")
}

/// Waits for one of the containers, each with its name, to run a database server, and says why none does, or no more than
/// that: what a container carries elsewhere, nobody sees.
fn serves(engine: &Asked, containers: &[(&str, String, Inspected)]) -> Option<String> {
    let new = |name: &str, why: &str| Some(format!("its container {name} is new, but {why}"));
    let deadline = Instant::now() + FOR_A_SERVER;
    loop {
        let mut is_served = false;
        for (id, name, container) in containers {
            let lines = match processes(engine, id, container) {
                Ok(lines) => lines,
                Err(error) => return new(name, &format!("nobody can tell what runs in it: {error}")),
            };
            match what_runs(&container.start(), &lines) {
                Runs::Server => is_served = true,
                Runs::Carrier(program) => return new(name, &format!("{program} in it carries connections elsewhere")),
                Runs::Unknown => {}
            }
        }
        match containers.first() {
            _ if is_served => return None,
            Some((_, name, _)) if Instant::now() >= deadline => {
                return new(name, "no database server that is known runs in it");
            }
            _ => std::thread::sleep(Duration::from_millis(250)),
        }
    }
}

/// Lists the command lines in a container, which an engine cannot that has no control groups, as Docker's without root may:
/// then those of its first process and of all below, where the monitor that started it says that it is this container's.
fn processes(engine: &Asked, id: &str, container: &Inspected) -> io::Result<Vec<String>> {
    engine.processes(id).or_else(|error| {
        let first = container.process().filter(|first| {
            let monitor = process::origin(*first).map(|origin| process::words(origin.parent));
            monitor.is_some_and(|words| words.iter().any(|word| word == id))
        });
        first.map(|first| command_lines(|one| process::descends(one, first))).ok_or(error)
    })
}

/// Lists the command lines in the container of Podman's that a monitor watches (`conmon(8)`): it starts what runs there.
fn below(owner: &Owner) -> Option<Vec<String>> {
    let monitor = owner.process.filter(|_| owner.program.as_deref() == Some("conmon"))?;
    Some(command_lines(|one| one != monitor && process::descends(one, monitor)))
}

fn command_lines(is_wanted: impl Fn(i32) -> bool) -> Vec<String> {
    process::all().filter(|one| is_wanted(*one)).map(|one| process::words(one).join(" ")).collect()
}

/// What a container runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Runs {
    Server,
    /// A tunnel or a proxy, by its name.
    Carrier(String),
    Unknown,
}

/// Tells what runs in a container by the words that it starts with and by its processes. Official images start with a
/// script, whose first word is the server.
pub(super) fn what_runs(first: &[String], lines: &[String]) -> Runs {
    let processes = lines.iter().map(|line| line.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>());
    let of_the_start = first.get(1..).unwrap_or_default().to_vec();
    let mut runs = Runs::Unknown;
    for words in processes.chain([of_the_start, first.to_vec()]) {
        let Some(program) = words.first().and_then(|word| word.trim_end_matches(':').rsplit('/').next()) else {
            continue;
        };
        let program = program.to_owned();
        let owner = Owner { program: Some(program.clone()), words, ..Owner::default() };
        match programs::kind(&owner) {
            Kind::Tunnel | Kind::Proxy(_) => return Runs::Carrier(printable(&program)),
            Kind::Server(_) => runs = Runs::Server,
            Kind::Container | Kind::Other => {}
        }
    }
    runs
}

/// Reads where the proxies of docker's lead, whose words everybody may see: `-host-ip 0.0.0.0 -host-port 49153`.
pub(super) fn behind_a_proxy(mut processes: impl Iterator<Item = Vec<String>>, address: SocketAddr) -> Option<u16> {
    processes.find_map(|words| {
        let is_proxy = words.first().is_some_and(|word| word.rsplit('/').next() == Some("docker-proxy"));
        let after = |option: &str| words.iter().skip_while(|word| *word != option).nth(1).map(String::as_str);
        let ip: IpAddr = after("-host-ip")?.parse().ok()?;
        let is_there = ip.is_unspecified() || ip == address.ip();
        let is_it = is_proxy && is_there && after("-host-port")?.parse() == Ok(address.port());
        after("-container-port").filter(|_| is_it)?.parse().ok()
    })
}
