//! The ports at which databases are served: which are usual, and how surely a port is a database's.

use std::sync::OnceLock;

use crate::lists::{List, list};
use crate::reach::Engine;

static PORTS: List = list!("ports.txt");

/// A port at which a database is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Port {
    /// The port itself.
    pub(crate) number: u16,
    /// The engine; [`Engine::Unknown`] where it is none that safe-test tells apart, or one of several.
    pub(crate) engine: Engine,
    /// How surely a database is there.
    pub(crate) certainty: Certainty,
    /// What is there, for people.
    pub(crate) what: &'static str,
    /// Whether drivers dial it where no port is given.
    is_default: bool,
}

/// How surely a database is at a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// Wherever it is; and it names the engine where a value does not.
    Sole,
    /// Wherever it is.
    Likely,
    /// On another machine; on this one the listener has to show it.
    Away,
    /// Where the run names the engine.
    Named,
}

impl Port {
    /// Lists the ports that are known.
    pub(crate) fn all() -> impl Iterator<Item = Port> {
        PORTS.iter().filter_map(|(number, rest)| read(number.parse().ok()?, rest))
    }

    /// Finds what is known of a port.
    pub(crate) fn find(number: u16) -> Option<Port> {
        read(number, PORTS.find(&number.to_string())?)
    }
}

impl Engine {
    /// Finds the port that drivers dial where none is given.
    #[must_use]
    pub(crate) fn default_port(self) -> Option<u16> {
        defaults().iter().find(|port| port.engine == self.family()).map(|port| port.number)
    }

    /// Finds the engine whose usual port this is; `None` for ports that other servers use, too.
    pub(crate) fn of_port(number: u16) -> Option<Engine> {
        Port::find(number).filter(|port| port.certainty == Certainty::Sole).map(|port| port.engine)
    }
}

/// Lists the ports that drivers dial where none is given. Every start asks for some, so only their lines are read.
fn defaults() -> &'static [Port] {
    static READ: OnceLock<Vec<Port>> = OnceLock::new();
    READ.get_or_init(|| {
        let lines = PORTS.iter().filter(|(_, rest)| rest.contains(" default "));
        let ports = lines.filter_map(|(number, rest)| read(number.parse().ok()?, rest));
        ports.filter(|port| port.is_default).collect()
    })
}

/// Reads a line of the list behind its number; a test shows that each can be read.
fn read(number: u16, rest: &'static str) -> Option<Port> {
    let (engine, rest) = rest.split_once(' ')?;
    let (certainty, rest) = rest.trim_start().split_once(' ')?;
    let (dialled, what) = rest.trim_start().split_once(' ')?;
    let certainty = match certainty {
        "sole" => Certainty::Sole,
        "likely" => Certainty::Likely,
        "away" => Certainty::Away,
        "named" => Certainty::Named,
        _ => return None,
    };
    let is_default = match dialled {
        "default" => true,
        "other" => false,
        _ => return None,
    };
    let engine = Engine::named(engine)?;
    Some(Port { number, engine, certainty, what: what.trim_start(), is_default })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_can_be_read_and_no_engine_has_two_defaults() {
        assert_eq!(Port::all().count(), PORTS.iter().count());
        for port in Port::all() {
            assert_eq!(Port::find(port.number), Some(port));
            let defaults = Port::all().filter(|other| other.is_default && other.engine == port.engine).count();
            assert!(defaults <= 1 && port.number > 0 && !port.what.is_empty(), "{port:?}");
            assert!(port.certainty != Certainty::Named || port.engine != Engine::Unknown, "{port:?}");
            assert_eq!(port.engine, port.engine.family(), "{port:?}");
        }
    }

    #[test]
    fn the_webs_ports_are_no_databases() {
        for number in [22, 25, 53, 80, 443, 853, 3000, 5000, 5173, 8000, 8080, 8888] {
            assert_eq!(Port::find(number), None);
        }
    }

    #[test]
    fn engines_have_the_ports_that_their_drivers_dial() {
        let cases = [
            (Engine::Postgres, Some(5432)),
            (Engine::Cockroach, Some(26257)),
            (Engine::Mysql, Some(3306)),
            (Engine::Mariadb, Some(3306)),
            (Engine::Mongodb, Some(27017)),
            (Engine::SqlServer, Some(1433)),
            (Engine::Oracle, Some(1521)),
            (Engine::Clickhouse, Some(8123)),
            (Engine::Cassandra, Some(9042)),
            (Engine::Neo4j, Some(7687)),
            (Engine::Redis, Some(6379)),
            (Engine::Memcached, Some(11211)),
            (Engine::Search, Some(9200)),
            (Engine::Broker, Some(5672)),
            (Engine::Sqlite, None),
            (Engine::Libsql, None),
            (Engine::Unknown, None),
        ];
        for (engine, port) in cases {
            assert_eq!(engine.default_port(), port, "{engine}");
        }
    }

    #[test]
    fn only_ports_of_one_engine_name_it() {
        let named: Vec<u16> =
            Port::all().map(|port| port.number).filter(|port| Engine::of_port(*port).is_some()).collect();
        assert_eq!(named, [1433, 1521, 26257, 27017, 3306, 5432, 6432]);
        assert_eq!(Engine::of_port(6432), Some(Engine::Postgres));
        assert_eq!(Engine::of_port(6379), None);
    }
}
