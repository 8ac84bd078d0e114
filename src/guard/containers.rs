//! What the engines of containers on this machine know: which port is published where, and which containers a command
//! has made since, with nothing in them from before.
//!
//! What there was before is asked for when the command first turns to an engine, which waits for that. The times that
//! engines give are not enough: Docker 20.10 calls a volume as young as the last change of its folder.

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
use crate::own_tools::containers::api::{Api, Inspected, Listed, Mount};
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
}

/// A container that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    socket: PathBuf,
    id: String,
    inside: Option<u16>,
}

impl Engines {
    /// Lists the engines by their usual places and by the variables that name one. `real` follows links.
    pub(crate) fn of(environment: &[(String, String)], real: impl Fn(&Path) -> PathBuf) -> Engines {
        let value = |name: &str| environment.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        Engines { sockets: sockets(value, real), had: BTreeMap::new() }
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
        let asked = self.find(Sought::Published(address)).ok().flatten().and_then(|found| found.inside);
        asked.or_else(|| behind_a_proxy(process::all().map(process::words), address))
    }

    /// Finds out whether a container runs a database server that is known, or carries connections elsewhere; `None` where
    /// nobody can tell. Where no engine knows of it the processes below `owner` show it, which publishes its port.
    pub(super) fn serves(&self, sought: Sought, owner: Option<&Owner>) -> Option<bool> {
        let runs = match self.find(sought) {
            Ok(Some(found)) => {
                let api = Api::new(&found.socket, PATIENCE);
                let container = api.inspect(&found.id).ok()?;
                what_runs(&container.start(), &api.processes(&found.id).ok()?)
            }
            _ => what_runs(&[], &below(owner?)?),
        };
        Some(runs != Runs::Unknown)
    }

    /// Finds out whether a container is new, and has nothing from before. `since` is when the command had not been started
    /// yet.
    pub(super) fn newness(&self, sought: Sought, since: Option<SystemTime>) -> Newness {
        self.old(sought, since).map_or(Newness::New, Newness::Old)
    }

    /// Says why a container is not new.
    fn old(&self, sought: Sought, since: Option<SystemTime>) -> Option<String> {
        let found = match self.find(sought) {
            Ok(Some(found)) => found,
            Ok(None) => return Some("no container engine that could be asked knows of it".to_owned()),
            Err(why) => return Some(why),
        };
        let had = match self.had.get(&found.socket) {
            Some(Some(had)) => had,
            Some(None) => return Some("what its container engine had before the command is not known".to_owned()),
            None => return Some("nothing shows that the command made its container".to_owned()),
        };
        let api = Api::new(&found.socket, PATIENCE);
        let container = match api.inspect(&found.id) {
            Ok(container) => container,
            Err(error) => return Some(cannot_be_asked(&found.socket, &error)),
        };
        let name = printable(container.name.trim_start_matches('/'));
        if had.containers.contains(&found.id) {
            return Some(format!("its container {name} was there before the command"));
        }
        let mounts = container.mounts.iter().flatten();
        if let Some(why) = mounts.filter_map(|mount| kept(mount, had, api, since)).next() {
            return Some(format!("its container {name} is new, but {why}"));
        }
        serves(&found, &container).map(|why| format!("its container {name} is new, but {why}"))
    }

    fn find(&self, sought: Sought) -> Result<Option<Found>, String> {
        let mut failed = None;
        let mut is_asked = false;
        for socket in self.sockets.iter().filter(|socket| socket.exists()) {
            match Api::new(socket, PATIENCE).running() {
                Ok(running) => {
                    is_asked = true;
                    let found = running.into_iter().find_map(|container| Some((sought.is(&container)?, container.id)));
                    if let Some((inside, id)) = found {
                        return Ok(Some(Found { socket: socket.clone(), id, inside }));
                    }
                }
                Err(error) => failed = Some(cannot_be_asked(socket, &error)),
            }
        }
        match failed {
            Some(why) => Err(why),
            None if is_asked => Ok(None),
            None => Err("no container engine was found that could be asked whether it is new".to_owned()),
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
fn kept(mount: &Mount, had: &Inventory, api: Api<'_>, since: Option<SystemTime>) -> Option<String> {
    let source = Path::new(&mount.source);
    match mount.kind.as_str() {
        "tmpfs" => None,
        // What it cannot write to it cannot lose.
        _ if !mount.is_writable => None,
        "bind" if SETTINGS.iter().any(|settings| Path::new(&mount.destination).starts_with(settings)) => None,
        "bind" => older_in(source, since),
        "volume" => {
            let name = mount.name.as_deref().unwrap_or_default();
            let shown_name = printable(name);
            if had.volumes.contains(name) {
                return Some(format!("its volume {shown_name} was there before the command"));
            }
            let volume = match api.volume(name) {
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
                    older_in(Path::new(device), since)
                }
                Some(device) => Some(format!("its volume {shown_name} is kept in {}", printable(device))),
            }
        }
        kind => Some(format!("{} is a mount of the kind {}", printable(&mount.destination), printable(kind))),
    }
}

/// Says what in a folder was there before the command, or that nobody can tell. A single file holds settings, a script or a
/// socket, but no server's data; one of SQLite's is no server's.
fn older_in(folder: &Path, since: Option<SystemTime>) -> Option<String> {
    let unknown = |why: &dyn Display| Some(format!("its folder {} cannot be looked into: {why}", shown(folder)));
    let Some(since) = since else { return unknown(&"nobody knows when the command was started") };
    let all = || Span::since(since).all(folder.to_owned(), folder.to_owned(), Links::Passed);
    match std::fs::metadata(folder).and_then(|found| if found.is_dir() { all() } else { Ok(Kept::Nothing) }) {
        Ok(Kept::Nothing | Kept::MadeSince) => None,
        Ok(Kept::Older(_)) => Some(format!("its folder {} holds files from before the command", shown(folder))),
        Ok(Kept::Unknown(why)) => unknown(&why),
        Err(error) => unknown(&error),
    }
}

fn cannot_be_asked(socket: &Path, error: &io::Error) -> String {
    format!("the container engine at {} cannot be asked whether it is new: {error}", shown(socket))
}

/// Waits for a container to run a database server and says why it is none, or no more than that: what a container
/// carries elsewhere, nobody sees.
fn serves(found: &Found, container: &Inspected) -> Option<String> {
    let first = container.start();
    let deadline = Instant::now() + FOR_A_SERVER;
    loop {
        let lines = match Api::new(&found.socket, PATIENCE).processes(&found.id) {
            Ok(lines) => lines,
            Err(error) => return Some(format!("nobody can tell what runs in it: {error}")),
        };
        match what_runs(&first, &lines) {
            Runs::Server => return None,
            Runs::Carrier(program) => return Some(format!("{program} in it carries connections elsewhere")),
            Runs::Unknown if Instant::now() >= deadline => {
                return Some("no database server that is known runs in it".to_owned());
            }
            Runs::Unknown => std::thread::sleep(Duration::from_millis(250)),
        }
    }
}

/// Lists the command lines in the container of Podman's that a monitor watches (`conmon(8)`): it starts what runs there.
fn below(owner: &Owner) -> Option<Vec<String>> {
    let monitor = owner.process.filter(|_| owner.program.as_deref() == Some("conmon"))?;
    let processes = process::all().filter(|one| *one != monitor && process::descends(*one, monitor));
    Some(processes.map(|one| process::words(one).join(" ")).collect())
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
