//! Decides about one attempt, by the rules of the run and what has been found out about it.

use std::net::SocketAddr;
use std::path::Path;

use crate::guard::facts::{Aim, Facts, Look, Newness, Traffic};
use crate::guard::listeners::Listening;
use crate::guard::owners::Owner;
use crate::guard::ports::{Expected, NAME_SERVERS};
use crate::guard::programs::{self, Kind};
use crate::guard::refusal::{Note, Refusal, Why};
use crate::guard::rules::{Named, Rules, port_of_socket};
use crate::policy::GuardMode;
use crate::reach::{Engine, provider_of_instance};

/// What becomes of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is nobody's business.
    Pass,
    /// It is a database that is taken care of: the target with this index.
    Cleared(usize),
    /// It passes, and that is recorded.
    PassNoted(Note),
    /// It fails.
    Refuse(Refusal),
    /// It fails, and there is nothing to tell: nothing was to be sent.
    Deny,
    /// It waits until the targets with these indices have been saved: any of them may be meant.
    SaveFirst(Vec<usize>),
    /// It fails, since nobody is there.
    NobodyThere,
    /// More has to be known: it is decided about again, with this fact.
    Look(Look),
}

const WEB: [u16; 2] = [80, 443];
const SSH: u16 = 22;

/// The account whose processes may not be seen and publish the ports of containers.
const ROOT: u32 = 0;

impl Rules {
    /// Decides about an attempt. Asked again with each fact that it wanted, it comes to an end: it wants none twice.
    pub(crate) fn decide(&self, aim: Aim<'_>, facts: &Facts) -> Decision {
        match aim {
            Aim::Here { address, listening } => self.here(address, listening, facts),
            Aim::Container { address } => self.container(address, facts),
            Aim::Away { address } => self.away(address, facts),
            Aim::Socket { path } => self.socket(path, facts),
        }
    }

    /// Tells whether a database is to be expected at a port of this machine, whoever listens there.
    pub(crate) fn expects_a_database(&self, port: u16) -> bool {
        self.ports.here(port).is_some()
    }

    fn here(&self, address: SocketAddr, listening: Listening, facts: &Facts) -> Decision {
        if let Some(cleared) = cleared(&self.served_by(listening)) {
            return cleared;
        }
        let Some(owner) = &facts.owner else { return Decision::Look(Look::Owner) };
        let kind = programs::kind(owner);
        // A container shows by the port inside it what it is, at whatever port it is published.
        let may_be_a_container = kind == Kind::Container || owner.program.is_none() && owner.account == ROOT;
        let by_number = match programs::container_port(owner).map(Some).or(facts.container_port) {
            Some(Some(inside)) if may_be_a_container => match self.in_container(inside, facts) {
                Ok(by_number) => by_number,
                Err(look) => return Decision::Look(look),
            },
            None if may_be_a_container && self.ports.here(address.port()).is_none() => {
                return Decision::Look(Look::ContainerPort);
            }
            // Nobody knows what is published there: then what runs in the container shows it.
            Some(None) if kind == Kind::Container && self.ports.here(address.port()).is_none() => {
                match facts.container_serves {
                    None => return Decision::Look(Look::ContainerServes),
                    Some(Some(true)) => Some(Expected { engine: Engine::Unknown, what: None }),
                    Some(_) => None,
                }
            }
            _ => self.ports.here(address.port()),
        };
        // Of several servers that a name leads to only the first was saved; what came to listen there later is saved now.
        let (beside, named): (Vec<&Named>, Vec<&Named>) =
            self.at_address(address).into_iter().partition(|named| named.knew(listening));
        let is_named = !(beside.is_empty() && named.is_empty());
        let engine = match (kind, by_number) {
            (Kind::Server(engine), _) => engine,
            (Kind::Proxy(engine), _) if engine != Engine::Unknown => engine,
            (Kind::Proxy(_), None) => match self.ports.away(address.port()).or_else(|| self.behind(owner)) {
                Some(expected) => expected.engine,
                None => return Decision::Pass,
            },
            (_, Some(expected)) => expected.engine,
            (Kind::Tunnel, None) => Engine::Unknown,
            (Kind::Container | Kind::Other, None) if !is_named => return Decision::Pass,
            (Kind::Container | Kind::Other, None) => Engine::Unknown,
        };
        let is_tunnel = kind == Kind::Tunnel;
        // Nothing silences a tunnel to where a database is to be expected.
        if self.allowed.have(address) && !(is_tunnel && self.ports.away(address.port()).is_some()) {
            return Decision::PassNoted(Note::Allowed);
        }
        let why = |because: Option<String>| match kind {
            Kind::Tunnel => Why::Tunnel { program: owner.program.clone() },
            _ if beside.is_empty() => {
                let is_known = shows_what_it_is(kind, owner);
                Why::NotSavedHere { engine, is_known, program: owner.program.clone(), because }
            }
            _ => Why::AnotherServer { program: owner.program.clone() },
        };
        if let Some(decision) = unless_a_stream(facts) {
            return decision;
        }
        if is_tunnel {
            return Decision::Refuse(self.refusal(Some(address), why(None)));
        }
        self.not_the_first(facts, Some(address), Some(address.port()), &named, is_cache(kind, engine), why)
    }

    fn socket(&self, path: &Path, facts: &Facts) -> Decision {
        let named = self.at_socket(path);
        if let Some(cleared) = cleared(&named) {
            return cleared;
        }
        // What an engine of containers has by now was there before whatever the command will make.
        if !facts.containers_are_known && self.engines.is_first_at(path) {
            return Decision::Look(Look::Containers);
        }
        let text = path.to_string_lossy();
        if let Some(provider) = provider_of_instance(&text) {
            return Decision::Refuse(self.refusal(None, Why::Provider { provider }));
        }
        let Some(owner) = &facts.owner else { return Decision::Look(Look::Owner) };
        let by_name = programs::engine_of_socket(path);
        let kind = programs::kind(owner);
        let engine = match (kind, by_name) {
            (Kind::Server(engine), _) => engine,
            (Kind::Proxy(engine), _) if engine != Engine::Unknown => engine,
            (_, Some(engine)) => engine,
            _ if !named.is_empty() => Engine::Unknown,
            (Kind::Proxy(_), None) => match self.behind(owner) {
                Some(expected) => expected.engine,
                None => return Decision::Pass,
            },
            _ => return Decision::Pass,
        };
        let why = |because| {
            let is_known = shows_what_it_is(kind, owner);
            Why::NotSavedHere { engine, is_known, program: owner.program.clone(), because }
        };
        self.not_the_first(facts, None, port_of_socket(path), &named, is_cache(kind, engine), why)
    }

    /// Finds a database's port that a proxy was told to lead to.
    fn behind(&self, owner: &Owner) -> Option<Expected> {
        programs::named_ports(owner).find_map(|port| self.ports.away(port))
    }

    /// Decides about a database of this machine that is none of those that the start of the command knew at their listeners.
    fn not_the_first(
        &self,
        facts: &Facts,
        address: Option<SocketAddr>,
        port: Option<u16>,
        named: &[&Named],
        is_cache: bool,
        why: impl Fn(Option<String>) -> Why,
    ) -> Decision {
        if let Some(owner) = &facts.owner {
            if !facts.owners_are_known && self.named.iter().any(|named| !named.is_awaited) {
                return Decision::Look(Look::ClearedOwners);
            }
            if let Some(decision) = cleared(&self.owned_by(owner, port)) {
                return decision;
            }
        }
        if !facts.names_are_fresh && named.is_empty() && address.is_some() && self.has_names() {
            return Decision::Look(Look::Names);
        }
        match &facts.newness {
            None => Decision::Look(Look::Newness),
            Some(Newness::New) => named.first().map_or(Decision::PassNoted(Note::New), |named| taken_care_of(named)),
            Some(Newness::Old(because)) => {
                let targets: Vec<usize> = named.iter().filter_map(|named| named.target).collect();
                if !targets.is_empty() {
                    return Decision::SaveFirst(targets);
                }
                if is_cache {
                    return Decision::PassNoted(Note::NotSaved);
                }
                Decision::Refuse(self.refusal(address, why(Some(because.clone()))))
            }
        }
    }

    /// Tells what is to be expected at a port inside a container: where other programs have it as well, what runs there shows
    /// it.
    fn in_container(&self, port: u16, facts: &Facts) -> Result<Option<Expected>, Look> {
        match (self.ports.here(port), self.ports.away(port), facts.container_serves) {
            (None, Some(_), None) => Err(Look::ContainerServes),
            (None, Some(_), Some(Some(false))) => Ok(None),
            (here, away, _) => Ok(here.or(away)),
        }
    }

    fn container(&self, address: SocketAddr, facts: &Facts) -> Decision {
        if let Some(cleared) = cleared(&self.at_address(address)) {
            return cleared;
        }
        let named = self.at_address(address);
        let engine = match self.in_container(address.port(), facts) {
            Ok(Some(expected)) => expected.engine,
            Ok(None) if named.is_empty() => return Decision::Pass,
            Ok(None) => Engine::Unknown,
            Err(look) => return Decision::Look(look),
        };
        if self.allowed.have(address) {
            return Decision::PassNoted(Note::Allowed);
        }
        let why = |because| Why::NotSavedHere { engine, is_known: true, program: None, because };
        unless_a_stream(facts).unwrap_or_else(|| {
            self.not_the_first(facts, Some(address), Some(address.port()), &named, engine.is_auxiliary(), why)
        })
    }

    fn away(&self, address: SocketAddr, facts: &Facts) -> Decision {
        if let Some(cleared) = cleared(&self.at_address(address)) {
            return cleared;
        }
        if self.allowed.have(address) {
            return Decision::PassNoted(Note::Allowed);
        }
        let port = address.port();
        let why = match self.ports.away(port) {
            Some(Expected { engine, what }) => Why::NotJudged { engine, what },
            None if self.mode == GuardMode::Strict => {
                if NAME_SERVERS.contains(&port) {
                    return Decision::Pass;
                }
                Why::Strict
            }
            None if self.is_unnamed => {
                if NAME_SERVERS.contains(&port) || WEB.contains(&port) {
                    return Decision::Pass;
                }
                // What is behind them is not seen, and whoever watches notes it.
                if self.also.have(address) {
                    return Decision::Pass;
                }
                match facts.is_git_host {
                    None if port == SSH => return Decision::Look(Look::GitHost),
                    Some(true) => return Decision::Pass,
                    _ => Why::Unnamed,
                }
            }
            None => return Decision::Pass,
        };
        match unless_a_stream(facts) {
            // Resolvers give an address to a socket for datagrams in order to sort addresses: nothing is sent.
            Some(Decision::Pass)
                if self.mode == GuardMode::Strict && facts.traffic == Some(Traffic::DatagramsLater) =>
            {
                return Decision::Deny;
            }
            Some(Decision::Pass) if self.mode == GuardMode::Strict => {}
            Some(decision) => return decision,
            None => {}
        }
        if !facts.names_are_fresh && self.has_names() {
            return Decision::Look(Look::Names);
        }
        Decision::Refuse(self.refusal(Some(address), why))
    }

    fn refusal(&self, address: Option<SocketAddr>, why: Why) -> Refusal {
        Refusal::new(why, address, address.and_then(|address| self.called(address.ip())), self.is_person)
    }

    fn has_names(&self) -> bool {
        self.hosts().next().is_some()
    }
}

/// Lets datagrams pass: no database of interest is asked by them.
fn unless_a_stream(facts: &Facts) -> Option<Decision> {
    match facts.traffic {
        None => Some(Decision::Look(Look::Traffic)),
        Some(Traffic::DatagramsLater | Traffic::Datagram) => Some(Decision::Pass),
        Some(Traffic::Stream) => None,
    }
}

/// Tells whether a listener shows by itself that a database is there, or may not be seen: else its port alone does.
fn shows_what_it_is(kind: Kind, owner: &Owner) -> bool {
    match kind {
        Kind::Server(_) | Kind::Container | Kind::Tunnel => true,
        Kind::Proxy(engine) => engine != Engine::Unknown,
        Kind::Other => owner.program.is_none(),
    }
}

/// Tells whether what is there is a cache, a search index or a broker of this machine: what is behind a proxy may be anywhere.
fn is_cache(kind: Kind, engine: Engine) -> bool {
    engine.is_auxiliary() && !matches!(kind, Kind::Proxy(_))
}

/// Clears an attempt where all that it may be meant for is taken care of.
fn cleared(named: &[&Named]) -> Option<Decision> {
    let first = named.first()?;
    named.iter().all(|named| !named.is_awaited).then(|| taken_care_of(first))
}

fn taken_care_of(named: &Named) -> Decision {
    named.target.map_or(Decision::PassNoted(Note::SavedWithin), Decision::Cleared)
}
