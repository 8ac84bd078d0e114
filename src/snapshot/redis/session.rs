//! Asks a server who it is, and makes sure that it is one that can be saved.

use std::collections::BTreeMap;

use crate::own_tools::ToolEnvironment;
use crate::reach::{Place, Target};
use crate::secret::ForeignText;
use crate::snapshot::containers::{Inside, server, way};
use crate::snapshot::redis::RedisError;
use crate::snapshot::redis::connection::{Connection, described, undialable};
use crate::snapshot::redis::error::Refusal;
use crate::snapshot::redis::installed::{Family, LISTING, Version, installed, version_of};

/// What a server says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Info(BTreeMap<String, String>);

impl Info {
    fn of(answer: &str) -> Info {
        let pairs = answer.lines().filter_map(|line| line.trim_end().split_once(':'));
        Info(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.text(name).parse().ok()
    }

    /// Tells whose server it is.
    pub(crate) fn family(&self) -> Family {
        if self.0.contains_key("valkey_version") { Family::Valkey } else { Family::Redis }
    }

    /// Gives its version as it says it.
    pub(crate) fn version(&self) -> &str {
        match self.text("valkey_version") {
            "" => self.text("redis_version"),
            own => own,
        }
    }

    /// Names whose server it is, and its version.
    pub(crate) fn named(&self) -> String {
        format!("{} {}", self.family().name(), self.version())
    }

    /// Gives the two numbers of its version that count.
    pub(crate) fn version_numbers(&self) -> Version {
        version_of(self.version()).unwrap_or_default()
    }
}

/// A server that was asked.
#[derive(Debug)]
pub(crate) struct Session {
    /// The way for the tools.
    pub(crate) connection: Connection,
    pub(crate) info: Info,
    /// Tells this server from others, by its place: it keeps no name of its own.
    pub(crate) fingerprint: String,
    /// The container of this machine that it runs in.
    pub(crate) inside: Option<Inside>,
}

impl Session {
    /// Asks the server anew.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::ask`].
    pub(crate) fn refresh(&mut self) -> Result<&Info, RedisError> {
        self.info = ask(&self.connection)?;
        Ok(&self.info)
    }

    /// Tells whether it copies another server.
    pub(crate) fn is_replica(&self) -> bool {
        self.info.text("role") != "master"
    }
}

/// Asks a server what it says of itself.
pub(crate) fn ask(connection: &Connection) -> Result<Info, RedisError> {
    let info = Info::of(&connection.ask(&["INFO"])?);
    if info.text("redis_version").is_empty() {
        let reason = "what answers there is no Redis server".to_owned();
        return Err(RedisError::NotDialable { place: connection.place(), reason });
    }
    Ok(info)
}

/// Connects to a target's server, one that can be saved. Nothing is written.
///
/// # Errors
///
/// [`RedisError::NotSavable`]; those of [`open_server`].
pub(crate) fn open(target: &Target, environment: &ToolEnvironment) -> Result<Session, RedisError> {
    let session = open_server(target, environment)?;
    let place = session.connection.place();
    let not_savable =
        |what: &str, remedy| RedisError::NotSavable { place: place.clone(), what: what.to_owned(), remedy };
    let elsewhere = "say in `.safe-test.toml` how it is kept";
    match session.info.text("redis_mode") {
        "cluster" => {
            return Err(not_savable("it is one of a cluster, and comes back from no file of its own", elsewhere));
        }
        "sentinel" => {
            return Err(not_savable("it is a sentinel, which holds no keys", "name the server that it watches"));
        }
        _ => {}
    }
    if session.info.text("loading") == "1" {
        let message = ForeignText::of("it is reading its data yet");
        return Err(RedisError::CannotConnect { place, why: Refusal::Loading, message });
    }
    if session.is_replica() {
        let (host, port) = (session.info.text("master_host"), session.info.text("master_port"));
        return Err(not_savable(
            &format!("it is a replica, of {host}:{port}"),
            "name the server that it copies; where a restore was broken off, restore again",
        ));
    }
    Ok(session)
}

/// Connects to a target's server, whatever it is.
///
/// # Errors
///
/// [`RedisError::NoTools`], and those of connecting.
pub(crate) fn open_server(target: &Target, environment: &ToolEnvironment) -> Result<Session, RedisError> {
    let place = target.places.first().map(described).unwrap_or_default();
    if let Some(reason) = undialable(target) {
        return Err(RedisError::NotDialable { place, reason });
    }
    let all = LISTING.or_inside(|| installed(environment), target, environment)?;
    let first = all.first().ok_or(RedisError::NoTools)?;
    let dialled = way(target, environment).target;
    let mut failed = None;
    for at in &dialled.places {
        let connection = Connection::new(&dialled, at, first);
        match ask(&connection) {
            Ok(info) => {
                let own = all.iter().find(|tools| tools.family == info.family()).unwrap_or(first);
                let fingerprint = fingerprint(at);
                let connection = Connection::new(&dialled, at, own);
                let inside = own.inside.clone().or_else(|| server(target, environment));
                return Ok(Session { connection, info, fingerprint, inside });
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    Err(failed.unwrap_or(RedisError::NotDialable { place, reason: "it names no server".to_owned() }))
}

/// Tells a server from others: at one port of this machine there is one, whatever the machine is called.
fn fingerprint(at: &Place) -> String {
    let here = ["localhost", "127.0.0.1", "::1", "0.0.0.0"];
    let place = described(at);
    match at {
        Place::Host { name, .. } if here.contains(&name.as_str()) => {
            format!("redis:here:{}", place.rsplit(':').next().unwrap_or(&place))
        }
        _ => format!("redis:{place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_s_own_words_are_read() {
        let info = Info::of(
            "# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.8\r\n\r\n# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0\r\ndb12:keys=3\r\ndbg:1\r\n",
        );
        assert_eq!((info.family(), info.version(), info.version_numbers()), (Family::Valkey, "8.1.8", (8, 1)));
        assert_eq!(Info::of("redis_version:7.0.15").family(), Family::Redis);
        assert_eq!(Info::default().version_numbers(), (0, 0));
    }

    #[test]
    fn one_port_of_this_machine_is_one_server() {
        let host = |name: &str, port| Place::Host { name: name.into(), port };
        assert_eq!(fingerprint(&host("localhost", None)), fingerprint(&host("::1", Some(6379))));
        assert_ne!(fingerprint(&host("localhost", Some(1))), fingerprint(&host("cache", Some(1))));
    }
}
