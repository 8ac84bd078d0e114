//! What a command may reach, as it follows from the run's receipts, its policy and its judgement. Values in, values out.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::collections::HashMap;
use crate::guard::blind::Blind;
use crate::guard::containers::Engines;
use crate::guard::grounds::Grounds;
use crate::guard::listeners::Listening;
use crate::guard::names::{Names, dialled};
use crate::guard::owners::Owner;
use crate::guard::ports::Ports;
use crate::guard::programs::{self, Kind, container_behind};
use crate::policy::GuardMode;
use crate::reach::{Engine, Place, Target};
use crate::snapshot::Care;

/// What a command may reach.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    /// What receipts name.
    pub(super) named: Vec<Named>,
    /// What the policy allows.
    pub(super) allowed: Hosts,
    /// What a run without a name may reach besides: docker's engine, and the web's proxies.
    pub(super) also: Hosts,
    /// The hosts whose ssh such a run reaches besides those that everybody knows.
    pub(super) git_hosts: Vec<String>,
    pub(super) ports: Ports,
    pub(super) mode: GuardMode,
    pub(super) is_unnamed: bool,
    pub(super) is_person: bool,
    pub(super) names: Names,
    /// The engines of containers on this machine.
    pub(super) engines: Engines,
    /// The owners of listeners that are cleared, as far as they were asked for.
    owners: HashMap<Point, Owner>,
}

/// A target that has a receipt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Named {
    /// Its index; `None` for one of a safe-test within this run.
    pub(super) target: Option<usize>,
    /// Whether it is saved only at the first connection.
    pub(super) is_awaited: bool,
    hosts: Hosts,
    /// Unix sockets, their links followed.
    sockets: Vec<PathBuf>,
    /// What listened at its addresses of this machine when the command started, with the port, in the order in which they
    /// are dialled.
    served: Vec<(u16, Listening)>,
}

/// What safe-tests within the run have saved, and what is known of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct SavedWithin {
    named: Vec<Named>,
    ports: Vec<u16>,
    names: Names,
}

/// Where the server of a target is met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Places {
    hosts: Vec<(String, u16)>,
    /// Unix sockets, their links followed.
    pub(super) sockets: Vec<PathBuf>,
    /// The ports that the target names.
    ports: Vec<u16>,
}

impl Places {
    /// Finds where a target's server is met. `real` follows a path's links, as far as there is something.
    pub(super) fn of(target: &Target, real: impl Fn(&Path) -> PathBuf) -> Places {
        let mut found = Places { hosts: Vec::new(), sockets: Vec::new(), ports: Vec::new() };
        for place in &target.places {
            match place {
                Place::Host { name, port } => {
                    let port = port.or(target.engine.default_port());
                    found.ports.extend(port);
                    found.hosts.extend(port.map(|port| (name.clone(), port)));
                }
                Place::Socket { path, port } => {
                    found.ports.extend(port);
                    found.sockets.push(socket_file(target.engine, path, *port, &real));
                }
                Place::File { .. } | Place::Memory | Place::Instance { .. } => {}
            }
        }
        found
    }

    /// Lists the names of hosts.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(|(host, _)| host.as_str())
    }

    /// Gives the hosts, with the addresses that need no resolver.
    pub(super) fn hosts(&self) -> Hosts {
        Hosts::new(self.hosts.clone())
    }
}

impl Named {
    fn new(target: Option<usize>, is_awaited: bool, places: &Places) -> Named {
        Named { target, is_awaited, hosts: places.hosts(), sockets: places.sockets.clone(), served: Vec::new() }
    }

    fn is_at(&self, places: &Places) -> bool {
        self.hosts.hosts == places.hosts && self.sockets == places.sockets
    }

    fn look_around(&mut self, listens: impl Fn(SocketAddr) -> Option<Listening>) {
        let served = |address: &SocketAddr| Some((address.port(), listens(*address)?));
        self.served = self.hosts.addresses.iter().filter_map(served).collect();
    }

    /// Tells whether this very listener was at one of its addresses when the command started.
    pub(super) fn knew(&self, listening: Listening) -> bool {
        self.served.iter().any(|(_, known)| known.inode == listening.inode)
    }
}

/// Hosts with their ports, and the addresses that they have.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Hosts {
    hosts: Vec<(String, u16)>,
    addresses: Vec<SocketAddr>,
}

impl Hosts {
    fn new(hosts: Vec<(String, u16)>) -> Hosts {
        let mut hosts = Hosts { hosts, addresses: Vec::new() };
        hosts.look_up(&Names::default());
        hosts
    }

    pub(super) fn look_up(&mut self, names: &Names) {
        let addresses = self
            .hosts
            .iter()
            .flat_map(|(host, port)| names.of(host).into_iter().map(|address| SocketAddr::new(address, *port)));
        self.addresses = addresses.collect();
    }

    pub(super) fn have(&self, address: SocketAddr) -> bool {
        let ip = dialled(address.ip());
        self.addresses.iter().any(|own| own.port() == address.port() && own.ip() == ip)
    }
}

/// Something that somebody listens at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Point {
    /// A listening TCP socket.
    Tcp(Listening),
    /// A Unix socket.
    Socket(PathBuf),
}

impl Rules {
    /// Makes the rules of a run. Names have no addresses yet: see [`hosts`](Rules::hosts) and [`learn`](Rules::learn).
    ///
    /// `blind` is whom the environment names to reach others through; `real` follows a path's links, as far as there is
    /// something.
    pub(crate) fn new(grounds: &Grounds<'_>, blind: &Blind, real: impl Fn(&Path) -> PathBuf) -> Rules {
        let mut rules = Rules {
            allowed: Hosts::new(grounds.allowed().collect()),
            also: Hosts::new(blind.hosts().collect()),
            git_hosts: grounds.git_hosts.to_vec(),
            ports: Ports::of(grounds),
            mode: grounds.policy.mode,
            is_unnamed: grounds.is_unnamed,
            is_person: grounds.is_person,
            engines: Engines::of(grounds.environment, grounds.tools, &real),
            ..Rules::default()
        };
        for (at, target, receipt) in grounds.cleared() {
            let places = Places::of(target, &real);
            rules.named.push(Named::new(Some(at), is_awaited(receipt.care()), &places));
        }
        rules
    }

    /// Expects databases where a target has its own.
    fn expect(&mut self, places: &Places) {
        places.ports.iter().for_each(|port| self.ports.add(*port));
    }

    /// Takes in what a safe-test within the run has saved, with the addresses of its names. `listens` is as for
    /// [`look_around`](Rules::look_around).
    pub(crate) fn take_over(
        &mut self,
        places: &[Places],
        names: Names,
        listens: impl Fn(SocketAddr) -> Option<Listening>,
    ) {
        self.names.learn(names);
        for places in places {
            self.expect(places);
            let mut named = Named::new(None, false, places);
            named.hosts.look_up(&self.names);
            named.look_around(&listens);
            // Whoever runs it again and again has the same saved each time.
            self.named.retain(|known| known.target.is_some() || !known.is_at(places));
            self.named.push(named);
        }
    }

    /// Gives what safe-tests within the run have saved so far; nothing where there was none.
    pub(crate) fn saved_within(&self) -> SavedWithin {
        let named: Vec<Named> = self.named.iter().filter(|named| named.target.is_none()).cloned().collect();
        if named.is_empty() {
            return SavedWithin::default();
        }
        SavedWithin { named, ports: self.ports.own().to_vec(), names: self.names.clone() }
    }

    /// Takes in what others heard of safe-tests within the run, with what listened there when they did.
    pub(crate) fn add_saved_within(&mut self, saved: SavedWithin) {
        self.names.learn(saved.names);
        saved.ports.into_iter().for_each(|port| self.ports.add(port));
        self.named.extend(saved.named);
    }

    /// Lists the names whose addresses the rules hang on.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &str> {
        let named = self.named.iter().flat_map(|named| &named.hosts.hosts);
        let also = self.also.hosts.iter().filter(|_| self.is_unnamed);
        named.chain(&self.allowed.hosts).chain(also).map(|(host, _)| host.as_str())
    }

    /// Takes in what names mean.
    pub(crate) fn learn(&mut self, names: Names) {
        self.names.learn(names);
        let named = self.named.iter_mut().map(|named| &mut named.hosts);
        named.chain([&mut self.allowed, &mut self.also]).for_each(|hosts| hosts.look_up(&self.names));
    }

    /// Takes in what listens at the addresses that are named, before the command starts: what takes their place later is
    /// another server. `listens` is asked about addresses of other machines, too.
    pub(crate) fn look_around(&mut self, listens: impl Fn(SocketAddr) -> Option<Listening>) {
        self.named.iter_mut().for_each(|named| named.look_around(&listens));
    }

    /// Takes in that targets have been saved: the server that listens there now is theirs.
    pub(crate) fn saved(&mut self, targets: &[usize], listening: Option<(u16, Listening)>) {
        for named in self.named.iter_mut().filter(|named| named.target.is_some_and(|target| targets.contains(&target)))
        {
            named.is_awaited = false;
            named.served.extend(listening);
        }
    }

    /// Lists what is cleared on this machine, for its owners to be looked up.
    pub(crate) fn cleared_points(&self) -> Vec<Point> {
        let cleared = || self.named.iter().filter(|named| !named.is_awaited);
        let tcp = cleared().flat_map(|named| &named.served).map(|(_, listening)| Point::Tcp(*listening));
        tcp.chain(cleared().flat_map(|named| &named.sockets).map(|path| Point::Socket(path.clone()))).collect()
    }

    /// Takes in who owns something that is cleared.
    pub(crate) fn learn_owner(&mut self, point: Point, owner: Owner) {
        self.owners.insert(point, owner);
    }

    /// Lists the targets whose receipts name an address.
    pub(super) fn at_address(&self, address: SocketAddr) -> Vec<&Named> {
        self.named.iter().filter(|named| named.hosts.have(address)).collect()
    }

    /// Lists the targets whose receipts name a Unix socket.
    pub(super) fn at_socket(&self, path: &Path) -> Vec<&Named> {
        self.named.iter().filter(|named| named.sockets.iter().any(|own| own == path)).collect()
    }

    /// Lists the targets that are served by this very listener, the one that a client would reach first.
    pub(super) fn served_by(&self, listening: Listening) -> Vec<&Named> {
        let is_first = |named: &&Named| named.served.first().is_some_and(|(_, first)| first.inode == listening.inode);
        self.named.iter().filter(is_first).collect()
    }

    /// Lists the targets whose server is the owner's, who was met at this port or at a Unix socket: its sockets and its
    /// ports are one server.
    pub(super) fn owned_by(&self, owner: &Owner, port: Option<u16>) -> Vec<&Named> {
        let owns = |point: Point, known: Option<u16>| {
            // A server of PostgreSQL's has the same port in the names of its sockets. Others have none.
            let may_be = port.zip(known).is_none_or(|(port, known)| port == known);
            self.owners.get(&point).is_some_and(|other| is_one_server(other, owner, may_be))
        };
        let is_owned = |named: &&Named| {
            // Where one name leads to several servers only the first of them was saved.
            named.served.first().is_some_and(|(port, listening)| owns(Point::Tcp(*listening), Some(*port)))
                || named.sockets.iter().any(|path| owns(Point::Socket(path.clone()), port_of_socket(path)))
        };
        self.named.iter().filter(is_owned).collect()
    }

    /// Finds the name under which an address is known.
    pub(crate) fn called(&self, address: IpAddr) -> Option<&str> {
        self.names.called(address)
    }
}

fn is_awaited(care: &Care) -> bool {
    match care {
        Care::Saved { .. }
        | Care::Unchanged { .. }
        | Care::OneWith { .. }
        | Care::NothingToLose { .. }
        | Care::LeftToPolicy { .. } => false,
        Care::NotUpYet => true,
    }
}

/// Tells whether two listeners have one owner, as far as it shows: the process, what a container's port leads to, or where
/// a process may not be seen the account, if nothing else speaks against it.
///
/// A process that only carries connections on may lead to another server at each of its ports: that of rootless Docker, and
/// Docker Desktop's, publishes the ports of all containers.
fn is_one_server(one: &Owner, other: &Owner, may_be: bool) -> bool {
    let carries = |owner| matches!(programs::kind(owner), Kind::Container | Kind::Proxy(_) | Kind::Tunnel);
    match (one.process, other.process) {
        (Some(process), Some(others)) if process == others => may_be || !carries(one),
        (Some(_), Some(_)) => {
            let behind = container_behind(one);
            behind.is_some() && behind == container_behind(other)
        }
        _ => may_be && one.account == other.account && one.program == other.program,
    }
}

/// Reads the port from the name of a PostgreSQL socket.
pub(super) fn port_of_socket(path: &Path) -> Option<u16> {
    path.file_name()?.to_str()?.strip_prefix(".s.PGSQL.")?.parse().ok()
}

/// Names the socket that a place means, which may be the folder that holds it.
fn socket_file(engine: Engine, path: &Path, port: Option<u16>, real: impl Fn(&Path) -> PathBuf) -> PathBuf {
    let is_file = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".s.PGSQL."));
    match engine {
        Engine::Postgres | Engine::Cockroach if !is_file => {
            let port = port.or(engine.default_port()).unwrap_or_default();
            real(path).join(format!(".s.PGSQL.{port}"))
        }
        _ => real(path),
    }
}

/// Follows the links of a path, as far as there is something.
pub(super) fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => real(folder).join(name),
        _ => path.to_owned(),
    })
}
