//! Tells the tools where to connect: by variables of their own, never by arguments or an inherited environment.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;

use crate::own_tools::{ToolCommand, ToolEnvironment};
use crate::reach::{Place, Target};
use crate::secret::Secret;
use crate::snapshot::containers::way;
use crate::snapshot::engine::DumpCommand;
use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::installed::{LISTING, installed};
use crate::snapshot::postgres::passfile;
use crate::snapshot::postgres::tools::Tools;
use crate::snapshot::secret_file::SecretFile;
use crate::text::shown;

/// The environment that the tools are started with, and what it stands for.
///
/// The names of hosts, users and databases go by `PGHOST`, `PGUSER` and `PGDATABASE`, which libpq takes as they are: a
/// database called `a=b` or `postgres://x`, given as an argument, would be read as a connection string.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    variables: Vec<(OsString, OsString)>,
    password: Option<Secret>,
    tools: Arc<[Tools]>,
    secrets: Vec<Secret>,
    /// Held, since dropping it removes the file.
    _passfile: Option<Arc<SecretFile>>,
    place: String,
}

/// libpq's variables for the parameters of a URL that are its own. What is not here is an ORM's (`schema`,
/// `connection_limit`, `pgbouncer`, …), or would change what is dumped (`options`), or only tunes the socket.
///
/// Source: PostgreSQL documentation, "Environment Variables" of libpq.
const PARAMETERS: [(&str, &str); 17] = [
    ("sslmode", "PGSSLMODE"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcrl", "PGSSLCRL"),
    ("sslcrldir", "PGSSLCRLDIR"),
    ("sslsni", "PGSSLSNI"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    ("requirepeer", "PGREQUIREPEER"),
    ("require_auth", "PGREQUIREAUTH"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("gssencmode", "PGGSSENCMODE"),
    ("gsslib", "PGGSSLIB"),
    ("krbsrvname", "PGKRBSRVNAME"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
];

/// Variables that name what is on this machine, where the server is from here, and what it asks of who comes from elsewhere.
const OF_THIS_MACHINE: [&str; 12] = [
    "PGCHANNELBINDING",
    "PGHOST",
    "PGHOSTADDR",
    "PGPORT",
    "PGPASSFILE",
    "PGREQUIREAUTH",
    "PGREQUIREPEER",
    "PGSSLCERT",
    "PGSSLKEY",
    "PGSSLROOTCERT",
    "PGSSLCRL",
    "PGSSLCRLDIR",
];

/// The values of `sslmode` that libpq knows.
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// What a role or database may have set for its sessions, undone before the first statement: it would end ours halfway, or
/// make them those of another role, who may read less.
const OPTIONS: &str = "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 \
                       -c default_transaction_read_only=off -c role=none";

impl Connection {
    /// Makes the connection that a target's own driver would make, as far as libpq can make it.
    ///
    /// Of `environment` only the folders of programs, `HOME`, `TMPDIR`, the locale and Kerberos' variables go on to the
    /// tools, and `PGPASSFILE` where the target has no password.
    ///
    /// # Errors
    ///
    /// [`PostgresError::NotDialable`]; `DumpError::File` if the private password file cannot be written.
    pub(crate) fn new(target: &Target, environment: &ToolEnvironment) -> Result<Self, PostgresError> {
        let place = describe(target);
        let (judged, way) = (target, way(target, environment));
        let target = &*way.target;
        let mut variables = inherited(environment, target.password.is_none());
        let refuse = |reason| PostgresError::NotDialable { place: place.clone(), reason };
        // For a program that is a script; one whose name holds a colon cannot be named in a list.
        if let Ok(path) = std::env::join_paths(environment.folders()) {
            variables.push(("PATH".into(), path));
        }
        let mut set = |name: &str, value: &OsStr| {
            variables.retain(|(known, _)| known != name);
            variables.push((name.into(), value.to_owned()));
        };
        let (hosts, addresses, ports) = dialled(target).map_err(refuse)?;
        set("PGHOST", &hosts);
        set("PGPORT", ports.as_ref());
        if let Some(addresses) = addresses {
            set("PGHOSTADDR", addresses.as_ref());
        }
        for (name, value) in [("PGUSER", &target.user), ("PGDATABASE", &target.database)] {
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
                set(name, value.as_ref());
            }
        }
        for (parameter, value) in parameters(target, environment) {
            set(parameter, &value);
        }
        set("PGCONNECT_TIMEOUT", connect_timeout(target).as_ref());
        set("PGOPTIONS", OPTIONS.as_ref());
        set("PGAPPNAME", "safe-test".as_ref());
        let password = target.password.clone().filter(|password| !password.expose().is_empty());
        let mut passfile = None;
        if let Some(password) = &password {
            if password.expose().contains(['\n', '\0']) {
                return Err(refuse("its password holds a line break, which a password file cannot carry"));
            }
            let file = passfile::write(password, environment)
                .map_err(PostgresError::file("write the private password file", Path::new("pgpass")))?;
            set("PGPASSFILE", file.path().as_os_str());
            passfile = Some(Arc::new(file));
        }
        if variables.iter().any(|(_, value)| value.as_encoded_bytes().contains(&0)) {
            return Err(refuse("a part of it holds a NUL byte"));
        }
        let tools = LISTING.or_inside(|| installed(environment), judged, environment)?.into();
        Ok(Connection { variables, password, tools, secrets: target.secrets(), _passfile: passfile, place })
    }

    /// Makes the same connection with another value of one of its variables.
    pub(crate) fn with(&self, variable: &str, value: impl AsRef<OsStr>) -> Connection {
        let mut other = self.clone();
        other.variables.retain(|(known, _)| known != variable);
        other.variables.push((variable.into(), value.as_ref().to_owned()));
        other
    }

    /// Makes the same connection with tools to choose among.
    pub(crate) fn with_tools(&self, tools: Vec<Tools>) -> Connection {
        Connection { tools: tools.into(), ..self.clone() }
    }

    /// Makes a command for one of the tools, with this environment and no other.
    pub(crate) fn command(&self, tools: &Tools, name: &str) -> ToolCommand {
        self.with_password(tools.command(name, &self.variables(tools)))
    }

    /// Makes the process of a dump that was planned.
    pub(crate) fn planned(&self, planned: &DumpCommand) -> ToolCommand {
        self.with_password(planned.process())
    }

    /// Hands the password to a program inside a container, for which there is no private file.
    fn with_password(&self, mut command: ToolCommand) -> ToolCommand {
        if let Some(password) = self.password.as_ref().filter(|_| command.is_inside()) {
            command.env("PGPASSWORD", password.expose());
        }
        command
    }

    /// Gives the environment for tools. It holds no password: that is in a private file, which goes with this connection, or
    /// is handed to a tool inside a container when it starts.
    pub(crate) fn variables(&self, tools: &Tools) -> Vec<(OsString, OsString)> {
        let Some(inside) = &tools.inside else { return self.variables.clone() };
        let is_kept =
            |name: &OsStr| name.to_str().is_some_and(|name| name.starts_with("PG") && !OF_THIS_MACHINE.contains(&name));
        let mut variables: Vec<_> = self.variables.iter().filter(|(name, _)| is_kept(name)).cloned().collect();
        // The engine vouches for who is there, and what would check a certificate is on this machine.
        for (name, value) in &mut variables {
            if name == "PGSSLMODE" && value.as_encoded_bytes().starts_with(b"verify-") {
                *value = "require".into();
            }
        }
        variables.push(("PGHOST".into(), "127.0.0.1".into()));
        variables.push(("PGPORT".into(), inside.port.to_string().into()));
        // Nobody's: neither a password file nor certificates of the container's user are read.
        variables.extend([("HOME".into(), "/nonexistent".into()), ("LC_MESSAGES".into(), "C".into())]);
        variables
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
    }

    /// Lists the tools that are installed.
    pub(crate) fn tools(&self) -> &[Tools] {
        &self.tools
    }

    /// Lists what must not show in what a tool says.
    pub(crate) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// Names the server, without secrets: `127.0.0.1:5432`.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }
}

fn inherited(environment: &ToolEnvironment, passfile: bool) -> Vec<(OsString, OsString)> {
    let mut kept = environment.selected(|name| {
        matches!(name, "HOME" | "TMPDIR" | "LANG")
            || name.starts_with("KRB5")
            || (name.starts_with("LC_") && !matches!(name, "LC_ALL" | "LC_MESSAGES" | "LC_CTYPE"))
            || (passfile && name == "PGPASSFILE")
    });
    // Messages in English, so that they can be told apart; characters as they were.
    if let Some(locale) = environment.get("LC_ALL").or_else(|| environment.get("LC_CTYPE")) {
        kept.push(("LC_CTYPE".into(), locale.to_owned()));
    }
    kept.push(("LC_MESSAGES".into(), "C".into()));
    kept
}

type Dialled = (OsString, Option<String>, String);

/// Sets `PGHOST`, `PGHOSTADDR` and `PGPORT`: lists of equal length, in the order of the target.
fn dialled(target: &Target) -> Result<Dialled, &'static str> {
    let given = |name: &str| target.parameters.iter().rev().find(|(key, value)| key == name && !value.is_empty());
    let addresses: Vec<&str> = given("hostaddr").map(|(_, value)| value.split(',').collect()).unwrap_or_default();
    let mut hosts: Vec<(OsString, u16)> = Vec::new();
    for place in &target.places {
        hosts.push(match place {
            Place::Host { name, port } => (name.into(), port.unwrap_or(5432)),
            Place::Socket { path, port } => socket(path, *port)?,
            Place::File { .. } | Place::Memory => return Err("PostgreSQL has no databases in files"),
            Place::Instance { .. } => return Err("only its provider knows where it is"),
        });
    }
    if hosts.is_empty() || hosts.iter().any(|(host, _)| host.as_encoded_bytes().contains(&b',')) {
        return Err("it names no host that could be dialled");
    }
    let mut dialled_addresses = None;
    if !addresses.is_empty() {
        let named: Vec<_> =
            hosts.iter().filter(|(host, _)| !addresses.iter().any(|address| *host == **address)).cloned().collect();
        if named.len() == addresses.len() {
            hosts = named;
            dialled_addresses = Some(addresses.join(","));
        } else {
            let port = hosts[0].1;
            let port_of =
                |address: &str| hosts.iter().find(|(host, _)| host == address).map_or(port, |(_, port)| *port);
            hosts = addresses.iter().map(|address| (OsString::from(address), port_of(address))).collect();
        }
    }
    let ports: Vec<String> = hosts.iter().map(|(_, port)| port.to_string()).collect();
    let names: Vec<OsString> = hosts.into_iter().map(|(host, _)| host).collect();
    Ok((names.join(OsStr::new(",")), dialled_addresses, ports.join(",")))
}

/// libpq wants the folder and the port; a value may name the socket itself, `/run/postgresql/.s.PGSQL.5432`.
pub(crate) fn socket(path: &Path, port: Option<u16>) -> Result<(OsString, u16), &'static str> {
    if !path.is_absolute() {
        return Err("its socket's path is not absolute");
    }
    let written = path.file_name().and_then(OsStr::to_str).and_then(|name| name.strip_prefix(".s.PGSQL."));
    match (written.and_then(|port| port.parse().ok()), path.parent()) {
        (Some(port), Some(folder)) => Ok((folder.into(), port)),
        _ => Ok((path.into(), port.unwrap_or(5432))),
    }
}

fn parameters(target: &Target, environment: &ToolEnvironment) -> Vec<(&'static str, OsString)> {
    let mut found: Vec<(&'static str, OsString)> = Vec::new();
    for (key, value) in &target.parameters {
        let Some((_, variable)) = PARAMETERS.iter().find(|(name, _)| name == key) else { continue };
        let value = match (*variable, value.as_str()) {
            (_, "") => continue,
            // A spelling of node-postgres; encrypted and not checked is what `require` means to libpq.
            ("PGSSLMODE", "no-verify") => "require".into(),
            ("PGSSLMODE", mode) if !SSL_MODES.contains(&mode) => continue,
            // The word stands for the machine's own authorities.
            ("PGSSLROOTCERT", "system") => "system".into(),
            ("PGSSLCERT" | "PGSSLKEY" | "PGSSLROOTCERT" | "PGSSLCRL" | "PGSSLCRLDIR", file) => {
                environment.path(file).into()
            }
            (_, value) => value.into(),
        };
        found.retain(|(known, _)| known != variable);
        found.push((variable, value));
    }
    found
}

/// Seconds; what the value asks for, within reason.
fn connect_timeout(target: &Target) -> String {
    let asked = target.parameters.iter().find(|(key, _)| key == "connect_timeout");
    asked
        .and_then(|(_, value)| value.parse::<u32>().ok())
        .filter(|seconds| (2..=60).contains(seconds))
        .unwrap_or(10)
        .to_string()
}

fn describe(target: &Target) -> String {
    let places: Vec<String> = target
        .places
        .iter()
        .map(|place| match place {
            Place::Host { name, port } if name.contains(':') => format!("[{name}]:{}", port.unwrap_or(5432)),
            Place::Host { name, port } => format!("{name}:{}", port.unwrap_or(5432)),
            Place::Socket { path, .. } | Place::File { path } => shown(path).to_string(),
            Place::Memory => "memory".to_owned(),
            Place::Instance { name } => name.clone(),
        })
        .collect();
    places.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Origin;
    use crate::reach::Engine;

    fn target(places: Vec<Place>, parameters: &[(&str, &str)]) -> Target {
        Target {
            engine: Engine::Postgres,
            places,
            database: Some("postgres://x?a=b".into()),
            user: Some("app".into()),
            password: Some(Secret::new("hun:ter2")),
            parameters: parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            origins: vec![Origin::process("DATABASE_URL")],
            doubts: Vec::new(),
        }
    }

    fn host(name: &str, port: Option<u16>) -> Place {
        Place::Host { name: name.into(), port }
    }

    fn of(connection: &Connection, name: &str) -> Option<String> {
        connection.variable(name).map(|value| value.to_string_lossy().into_owned())
    }

    #[test]
    fn only_what_is_needed_is_inherited() {
        let names =
            ["PATH", "PGPASSWORD", "PGSERVICE", "PGOPTIONS", "PGHOSTADDR", "PGPASSFILE", "KRB5CCNAME", "LC_ALL", "X"];
        let environment: Vec<_> = names.map(|name| (OsString::from(name), OsString::from("v"))).into();
        let environment = ToolEnvironment::new(&environment, Path::new("/p"), Path::new("/p"));
        let connection = Connection::new(&target(vec![host("localhost", None)], &[]), &environment).unwrap();
        let mut set: Vec<_> = connection.variables.iter().map(|(name, _)| name.to_str().unwrap()).collect();
        set.sort_unstable();
        let expected = [
            "KRB5CCNAME",
            "LC_CTYPE",
            "LC_MESSAGES",
            "PATH",
            "PGAPPNAME",
            "PGCONNECT_TIMEOUT",
            "PGDATABASE",
            "PGHOST",
            "PGOPTIONS",
            "PGPASSFILE",
            "PGPORT",
            "PGUSER",
        ];
        assert_eq!(set, expected);
        assert_eq!(std::fs::read_to_string(of(&connection, "PGPASSFILE").unwrap()).unwrap(), "*:*:*:*:hun\\:ter2\n");
        assert!(!format!("{connection:?}").contains("ter2"));
    }

    #[test]
    fn places_become_lists_of_hosts_and_ports() {
        type Case<'a> = (Vec<Place>, &'a [(&'a str, &'a str)], &'a str, &'a str, Option<&'a str>);
        let cases: [Case<'_>; 6] = [
            (vec![host("localhost", Some(5433))], &[], "localhost", "5433", None),
            (vec![host("::1", None), host("b", Some(1))], &[], "::1,b", "5432,1", None),
            (vec![Place::Socket { path: "/run/pg".into(), port: Some(7) }], &[], "/run/pg", "7", None),
            (vec![Place::Socket { path: "/run/pg/.s.PGSQL.99".into(), port: None }], &[], "/run/pg", "99", None),
            (vec![host("db", None)], &[("hostaddr", "127.0.0.1")], "db", "5432", Some("127.0.0.1")),
            (vec![host("127.0.0.1", Some(9))], &[("hostaddr", "127.0.0.1")], "127.0.0.1", "9", None),
        ];
        for (places, parameters, hosts, ports, addresses) in cases {
            let connection = Connection::new(&target(places, parameters), &ToolEnvironment::default()).unwrap();
            assert_eq!(of(&connection, "PGHOST").unwrap(), hosts);
            assert_eq!(of(&connection, "PGPORT").unwrap(), ports);
            assert_eq!(of(&connection, "PGHOSTADDR").as_deref(), addresses);
        }
    }

    #[test]
    fn parameters_of_orms_are_dropped_and_those_of_libpq_kept() {
        let given = [
            ("schema", "x"),
            ("options", "-c a=b"),
            ("sslmode", "no-verify"),
            ("sslrootcert", "/ca"),
            ("sslcrl", "certs/crl"),
            ("pgbouncer", "true"),
        ];
        let environment = ToolEnvironment::new(&[], Path::new("/p"), Path::new("/p/sub"));
        let connection = Connection::new(&target(vec![host("localhost", None)], &given), &environment).unwrap();
        assert_eq!(of(&connection, "PGSSLCRL").as_deref(), Some("/p/sub/certs/crl"));
        assert_eq!(of(&connection, "PGSSLMODE").as_deref(), Some("require"));
        assert_eq!(of(&connection, "PGSSLROOTCERT").as_deref(), Some("/ca"));
        assert_eq!(of(&connection, "PGOPTIONS").as_deref(), Some(OPTIONS));
        assert!(parameters(&target(Vec::new(), &[("sslmode", "true")]), &environment).is_empty());
    }

    #[test]
    fn what_libpq_cannot_dial_is_refused() {
        for place in [Place::Memory, Place::Instance { name: "p:r:i".into() }, host("a,b", None)] {
            let error = Connection::new(&target(vec![place], &[]), &ToolEnvironment::default()).unwrap_err();
            assert!(matches!(error, PostgresError::NotDialable { .. }));
        }
    }
}
