//! Whether a database is to be expected at a port.

use std::collections::BTreeSet;

use crate::guard::grounds::Grounds;
use crate::reach::{Certainty, Engine, Place, Port};

/// Ports that are never a database's by their number alone, whatever a target names: ssh, name servers, the web.
const COMMON: [u16; 5] = [22, 53, 80, 443, 853];

/// Ports of name servers, over TCP and over TLS.
pub(crate) const NAME_SERVERS: [u16; 2] = [53, 853];

/// Ports that count as databases' besides those that are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ports {
    /// Those of the run's targets and of the policy.
    own: Vec<u16>,
    /// The engines that the run names.
    engines: Vec<Engine>,
}

/// What is to be expected at a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    /// [`Engine::Unknown`] where none shows.
    pub(crate) engine: Engine,
    /// What is there, for people, where it is a known port.
    pub(crate) what: Option<&'static str>,
}

impl Ports {
    /// Takes in the ports of the policy, and the ports and engines of every target.
    pub(crate) fn of(grounds: &Grounds<'_>) -> Ports {
        let mut ports = Ports::default();
        grounds.policy.ports.iter().for_each(|port| ports.add(*port));
        for target in grounds.targets {
            ports.add_engine(target.engine);
            for place in &target.places {
                let port = match place {
                    Place::Host { port, .. } => port.or(target.engine.default_port()),
                    Place::Socket { port, .. } => *port,
                    Place::File { .. } | Place::Memory | Place::Instance { .. } => None,
                };
                port.into_iter().for_each(|port| ports.add(port));
            }
        }
        ports
    }

    /// Lists the ports of other machines where a database is to be expected.
    pub(crate) fn all_away(&self) -> BTreeSet<u16> {
        let known = Port::all().map(|port| port.number).filter(|port| self.away(*port).is_some());
        known.chain(self.own.iter().copied()).collect()
    }

    /// Lists those that are no known ones.
    pub(crate) fn own(&self) -> &[u16] {
        &self.own
    }

    pub(crate) fn add(&mut self, port: u16) {
        if !COMMON.contains(&port) && !self.own.contains(&port) {
            self.own.push(port);
        }
    }

    pub(crate) fn add_engine(&mut self, engine: Engine) {
        self.engines.push(engine.family());
    }

    /// Tells what is to be expected at a port of another machine; `None` where no database is.
    pub(crate) fn away(&self, number: u16) -> Option<Expected> {
        self.expected(number, |certainty| certainty != Certainty::Named)
    }

    /// Tells what is to be expected at a port of this machine whoever listens; `None` where the listener has to show it.
    pub(crate) fn here(&self, number: u16) -> Option<Expected> {
        self.expected(number, |certainty| matches!(certainty, Certainty::Sole | Certainty::Likely))
    }

    fn expected(&self, number: u16, is_sure: impl Fn(Certainty) -> bool) -> Option<Expected> {
        let known = Port::find(number);
        let counts = known.filter(|port| {
            is_sure(port.certainty) || port.certainty == Certainty::Named && self.engines.contains(&port.engine)
        });
        match counts {
            Some(port) => Some(Expected { engine: port.engine, what: Some(port.what) }),
            None if self.own.contains(&number) => Some(Expected {
                engine: known.map_or(Engine::Unknown, |port| port.engine),
                what: known.map(|port| port.what),
            }),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_counts_by_itself_by_its_place_by_its_engine_or_by_the_run() {
        let none = Ports::default();
        let mut own = Ports::default();
        own.add(5555);
        own.add(443);
        own.add_engine(Engine::Clickhouse);
        let cases = [
            // A port, and whether it counts here and away: without a target, and with one.
            (5432, [true, true], [true, true]),
            (6543, [true, true], [true, true]),
            (25060, [true, true], [true, true]),
            (4000, [false, true], [false, true]),
            (9000, [false, false], [true, true]),
            (5555, [false, false], [true, true]),
            (443, [false, false], [false, false]),
            (8080, [false, false], [false, false]),
        ];
        for (port, without, with) in cases {
            for (ports, expected) in [(&none, without), (&own, with)] {
                assert_eq!([ports.here(port).is_some(), ports.away(port).is_some()], expected, "{port}");
            }
        }
        assert_eq!(own.away(5555), Some(Expected { engine: Engine::Unknown, what: None }));
        assert_eq!(none.here(6379).map(|expected| expected.engine), Some(Engine::Redis));
    }
}
