//! Asks an engine of containers by its HTTP API over its Unix socket. Docker and Podman answer alike.
//!
//! Source: Docker Engine API 1.41, which Podman's compatible one follows.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with, sockopt};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::own_tools::containers::answer::{Head, body, refused, unreadable};

/// The most bytes of an answer: a thousand containers have one.
const LONGEST: u64 = 16 << 20;

/// A container, as the list of all has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Listed {
    pub(crate) id: String,
    /// With a leading slash, each.
    #[serde(default)]
    names: Option<Vec<String>>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) ports: Option<Vec<Port>>,
    #[serde(default)]
    network_settings: Option<NetworkSettings>,
    /// Whether it was started by a program of this very place that needs no engine.
    #[serde(skip)]
    pub(crate) is_of_this_place: bool,
}

/// A port of a container.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Port {
    /// The address of this machine at which it is published; empty for all.
    #[serde(rename = "IP", default)]
    pub(crate) ip: String,
    #[serde(rename = "PrivatePort")]
    pub(crate) inside: u16,
    #[serde(rename = "PublicPort", default)]
    pub(crate) published: Option<u16>,
    #[serde(rename = "Type", default)]
    pub(crate) protocol: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkSettings {
    #[serde(default)]
    networks: Option<BTreeMap<String, Network>>,
}

#[derive(Debug, Clone, Deserialize)]
struct Network {
    #[serde(rename = "Gateway", default)]
    gateway: String,
    #[serde(rename = "IPAddress", default)]
    ipv4: String,
    #[serde(rename = "GlobalIPv6Address", default)]
    ipv6: String,
}

impl Listed {
    /// Tells whether the container has this address in one of its networks.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        let networks = self.network_settings.iter().filter_map(|settings| settings.networks.as_ref()).flatten();
        let mut addresses = networks.flat_map(|(_, network)| [&network.ipv4, &network.ipv6]);
        addresses.any(|own| own.parse() == Ok(address))
    }

    /// Lists the addresses by which the container reaches the machine that its engine is on.
    pub(crate) fn gateways(&self) -> impl Iterator<Item = IpAddr> {
        let networks = self.network_settings.iter().filter_map(|settings| settings.networks.as_ref()).flatten();
        networks.filter_map(|(_, network)| network.gateway.parse().ok())
    }

    /// Finds the port inside that is published at an address of this machine.
    pub(crate) fn published_at(&self, address: SocketAddr) -> Option<u16> {
        let is_there = |ip: &str| match ip.parse::<IpAddr>() {
            Ok(ip) => ip.is_unspecified() || ip == address.ip() || address.ip().is_unspecified(),
            Err(_) => ip.is_empty(),
        };
        let mut ports = self.ports.iter().flatten().filter(|port| port.protocol != "udp");
        ports.find(|port| port.published == Some(address.port()) && is_there(&port.ip)).map(|port| port.inside)
    }

    /// Finds the address of this machine at which a port inside is published.
    pub(crate) fn where_published(&self, inside: u16) -> Option<SocketAddr> {
        let ports = self.ports.iter().flatten().filter(|port| port.protocol != "udp" && port.inside == inside);
        ports.filter_map(|port| Some(SocketAddr::new(reached(&port.ip)?, port.published?))).next()
    }

    /// Gives the name that people know it by.
    pub(crate) fn name(&self) -> &str {
        let first = self.names.iter().flatten().next();
        first.map_or(self.id.as_str(), |name| name.trim_start_matches('/'))
    }

    /// Gives the value of a label.
    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.labels.as_ref()?.get(name).map(String::as_str)
    }
}

/// Gives the address by which a port is reached from this machine that is published at `ip`; `None` where that is no address.
fn reached(ip: &str) -> Option<IpAddr> {
    match ip.parse::<IpAddr>() {
        Ok(IpAddr::V6(ip)) if ip.is_unspecified() => Some(Ipv6Addr::LOCALHOST.into()),
        Ok(ip) if !ip.is_unspecified() => Some(ip),
        Ok(_) => Some(Ipv4Addr::LOCALHOST.into()),
        Err(_) => ip.is_empty().then_some(Ipv4Addr::LOCALHOST.into()),
    }
}

/// A container as the engines' programs describe it when they are asked to inspect it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    config: Option<DescribedConfig>,
    #[serde(default)]
    network_settings: Option<DescribedNetworks>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribedConfig {
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribedNetworks {
    #[serde(default)]
    networks: Option<BTreeMap<String, Network>>,
    /// By `5432/tcp`.
    #[serde(default)]
    ports: Option<BTreeMap<String, Option<Vec<Bound>>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Bound {
    #[serde(default)]
    host_ip: String,
    #[serde(default)]
    host_port: String,
}

/// Reads what an engine's program says of containers that it was asked to inspect.
///
/// # Errors
///
/// It is no such answer.
pub(crate) fn described(answer: &[u8]) -> io::Result<Vec<Listed>> {
    let described: Vec<Described> = serde_json::from_slice(answer).map_err(io::Error::other)?;
    Ok(described.into_iter().map(Listed::from).collect())
}

impl From<Described> for Listed {
    fn from(container: Described) -> Listed {
        let Described { id, name, config, network_settings } = container;
        let (networks, bound) = network_settings.map_or((None, None), |settings| (settings.networks, settings.ports));
        let ports = bound.into_iter().flatten().flat_map(|(port, bound)| {
            let (inside, protocol) = port.split_once('/').unwrap_or((&port, "tcp"));
            let (inside, protocol) = (inside.parse::<u16>().ok(), protocol.to_owned());
            bound.unwrap_or_default().into_iter().filter_map(move |bound| {
                let (ip, published) = (bound.host_ip, bound.host_port.parse().ok());
                Some(Port { ip, inside: inside?, published, protocol: protocol.clone() })
            })
        });
        Listed {
            id,
            names: Some(vec![name]),
            labels: config.and_then(|config| config.labels),
            ports: Some(ports.collect()),
            network_settings: Some(NetworkSettings { networks }),
            is_of_this_place: false,
        }
    }
}

/// A container, with what it was made of.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Inspected {
    /// With a leading slash.
    #[serde(default)]
    pub(crate) name: String,
    /// The program that it starts with, and the program's words.
    #[serde(default)]
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) args: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) mounts: Option<Vec<Mount>>,
    /// When it was made.
    #[serde(default)]
    pub(crate) created: String,
    #[serde(default)]
    state: Option<RunState>,
    /// The folder of this machine that it has for its root, instead of what was made of an image: Podman's alone, and empty
    /// where there is none.
    #[serde(default)]
    rootfs: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RunState {
    #[serde(default)]
    pid: i32,
}

impl Inspected {
    /// Gives the number of its first process, as its engine counts.
    pub(crate) fn process(&self) -> Option<i32> {
        self.state.as_ref().map(|state| state.pid).filter(|process| *process > 0)
    }

    /// Tells whether its root was made with it, of an image.
    pub(crate) fn has_its_own_files(&self) -> bool {
        self.rootfs.as_ref().is_none_or(String::is_empty)
    }

    /// Gives the words that it starts with.
    pub(crate) fn start(&self) -> Vec<String> {
        [&self.path].into_iter().chain(self.args.iter().flatten()).cloned().collect()
    }
}

/// What a container has been given to keep files in.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Mount {
    /// `volume`, `bind`, `tmpfs` or another.
    #[serde(rename = "Type", default)]
    pub(crate) kind: String,
    /// The volume's.
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) destination: String,
    /// Whether the container may write there.
    #[serde(rename = "RW", default = "yes")]
    pub(crate) is_writable: bool,
}

fn yes() -> bool {
    true
}

/// A volume.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Volume {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) driver: String,
    #[serde(default)]
    pub(crate) options: Option<BTreeMap<String, String>>,
    /// When it was made. Docker 20.10 gives the last change of its folder instead.
    #[serde(default)]
    pub(crate) created_at: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Volumes {
    #[serde(default)]
    volumes: Option<Vec<Volume>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Top {
    #[serde(default)]
    processes: Option<Vec<Vec<String>>>,
}

/// Questions to one engine, which are all to be answered by a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Api<'a> {
    socket: &'a Path,
    deadline: Instant,
}

impl<'a> Api<'a> {
    pub(crate) fn new(socket: &'a Path, patience: Duration) -> Api<'a> {
        Api { socket, deadline: Instant::now() + patience }
    }

    /// Lists the containers that run.
    pub(crate) fn running(self) -> io::Result<Vec<Listed>> {
        self.get("/containers/json")
    }

    /// Lists all containers, those that have ended, too.
    pub(crate) fn containers(self) -> io::Result<Vec<Listed>> {
        self.get("/containers/json?all=1")
    }

    /// Lists all volumes.
    pub(crate) fn volumes(self) -> io::Result<Vec<Volume>> {
        Ok(self.get::<Volumes>("/volumes")?.volumes.unwrap_or_default())
    }

    pub(crate) fn inspect(self, container: &str) -> io::Result<Inspected> {
        self.get(&format!("/containers/{}/json", segment(container)?))
    }

    pub(crate) fn volume(self, name: &str) -> io::Result<Volume> {
        self.get(&format!("/volumes/{}", segment(name)?))
    }

    /// Lists the command lines of the processes in a container. Podman asks the container's own `ps`, and sends nothing where
    /// there is none, unless it is asked for columns of its own (`podman-top(1)`).
    pub(crate) fn processes(self, container: &str) -> io::Result<Vec<String>> {
        let path = format!("/containers/{}/top", segment(container)?);
        let top: Top = self.get(&path).or_else(|_| self.get(&format!("{path}?ps_args=args")))?;
        // The last column of `ps -ef` is the command.
        Ok(top.processes.unwrap_or_default().into_iter().filter_map(|mut row| row.pop()).collect())
    }

    /// Makes a program inside a container ready to be begun, whose outlets are all ours; gives its id.
    pub(super) fn make_exec(self, container: &str, words: &[String]) -> io::Result<String> {
        let to_make = ToMake { attach_stdin: true, attach_stdout: true, attach_stderr: true, cmd: words };
        let path = format!("/containers/{}/exec", segment(container)?);
        let made: Made = serde_json::from_slice(&self.ask("POST", &path, &serde_json::to_string(&to_make)?)?)?;
        Ok(made.id)
    }

    /// Begins one that was made; gives the connection by which it is fed and heard. Tells when the engine has been `asked`.
    pub(super) fn begin_exec(self, id: &str, asked: impl FnOnce()) -> io::Result<Begun> {
        let mut stream = self.connected()?;
        let path = format!("/exec/{}/start", segment(id)?);
        let how = serde_json::to_string(&ToBegin { detach: false, tty: false })?;
        let first = "HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp";
        stream.write_all(question("POST", &path, first, &how).as_bytes())?;
        asked();
        let mut answer = Vec::new();
        loop {
            let is_over = self.read_more(&mut stream, &mut answer)? == 0;
            match Head::of(&answer) {
                Some(head) if matches!(head.status, "101" | "200") => {
                    let first = Cursor::new(answer[head.end..].to_vec());
                    // What follows takes as long as it takes.
                    stream.set_read_timeout(None)?;
                    stream.set_write_timeout(None)?;
                    return Ok(Begun { stream, first });
                }
                Some(head) if is_over || head.is_whole(&answer) => return Err(refused(&head, &answer)),
                None if is_over => return Err(unreadable()),
                Some(_) | None => {}
            }
        }
    }

    /// Tells the status with which a program has ended; `None` while it has not.
    pub(super) fn exec_status(self, id: &str) -> io::Result<Option<i64>> {
        let described: DescribedExec = self.get(&format!("/exec/{}/json", segment(id)?))?;
        match described {
            DescribedExec { running: Some(true), .. } => Ok(None),
            DescribedExec { running: Some(false), exit_code: Some(code) } => Ok(Some(code)),
            DescribedExec { .. } => Err(io::Error::other("it does not say how it ended")),
        }
    }

    fn get<T: DeserializeOwned>(self, path: &str) -> io::Result<T> {
        let body = self.ask("GET", path, "")?;
        serde_json::from_slice(&body).map_err(io::Error::other)
    }

    fn ask(self, method: &str, path: &str, given: &str) -> io::Result<Vec<u8>> {
        let mut stream = self.connected()?;
        // An answer to the older version of HTTP ends where the connection does.
        stream.write_all(question(method, path, "HTTP/1.0", given).as_bytes())?;
        let mut answer = Vec::new();
        while self.read_more(&mut stream, &mut answer)? > 0 {}
        body(&answer)
    }

    fn connected(self) -> io::Result<UnixStream> {
        #[cfg(target_os = "linux")]
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        // macOS makes none that is closed on its own.
        #[cfg(not(target_os = "linux"))]
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::empty(), None)?;
        #[cfg(not(target_os = "linux"))]
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
        // An engine that takes no connections any more keeps its callers waiting, too (`unix(7)`).
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(self.left()?))?;
        connect(&socket, &SocketAddrUnix::new(self.socket)?)?;
        Ok(UnixStream::from(socket))
    }

    /// Reads what comes next of an answer; 0 bytes at its end.
    fn read_more(self, stream: &mut UnixStream, answer: &mut Vec<u8>) -> io::Result<usize> {
        let mut chunk = [0; 16 << 10];
        loop {
            stream.set_read_timeout(Some(self.left()?))?;
            match stream.read(&mut chunk) {
                Ok(length) => {
                    answer.extend_from_slice(&chunk[..length]);
                    if answer.len() as u64 > LONGEST {
                        return Err(io::Error::other("its answer is too long"));
                    }
                    return Ok(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(io::ErrorKind::TimedOut.into()),
                Err(error) => return Err(error),
            }
        }
    }

    fn left(self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

/// A program that was begun.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) stream: UnixStream,
    /// What came with the answer.
    pub(super) first: Cursor<Vec<u8>>,
}

/// A program that is to be made ready, and which of its outlets are passed on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ToMake<'a> {
    attach_stdin: bool,
    attach_stdout: bool,
    attach_stderr: bool,
    cmd: &'a [String],
}

/// How one is to be begun.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ToBegin {
    detach: bool,
    tty: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Made {
    id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribedExec {
    #[serde(default)]
    running: Option<bool>,
    #[serde(default)]
    exit_code: Option<i64>,
}

/// Writes a question with what is given to it.
fn question(method: &str, path: &str, version_and_more: &str, given: &str) -> String {
    let kind = if given.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let length = given.len();
    format!(
        "{method} {path} {version_and_more}\r\nHost: engine\r\nAccept: application/json\r\n\
         {kind}Content-Length: {length}\r\n\r\n{given}"
    )
}

/// Lets through what the engines' names consist of: nothing that means something in a path.
fn segment(name: &str) -> io::Result<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if name.bytes().all(is_plain) && name.bytes().any(|byte| byte != b'.') {
        Ok(name)
    } else {
        Err(io::Error::other("it has a name that engines do not give"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_describes_is_what_an_engine_lists() {
        // Recorded from Podman 4.3.1 and Docker 20.10.24.
        let said = r#"[{"Id":"57c138084fdd","Name":"saved","Config":{"Labels":null},"NetworkSettings":{"Ports":
            {"5432/tcp":[{"HostIp":"127.0.0.1","HostPort":"5440"}]},"Networks":{"podman":{"IPAddress":"10.88.0.2","Gateway":"10.88.0.1"}}}},
            {"Id":"647ab59be3a7","Name":"/maria","Config":{"Labels":{"com.docker.compose.service":"db"}},"NetworkSettings":
            {"Ports":{"3306/tcp":[{"HostIp":"","HostPort":"5450"}],"5432/tcp":null,"53/udp":[{"HostIp":"::","HostPort":"5353"}]}}}]"#;
        let found = described(said.as_bytes()).unwrap();
        let [saved, maria] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(
            (saved.name(), maria.name(), maria.label("com.docker.compose.service")),
            ("saved", "maria", Some("db"))
        );
        assert_eq!(saved.gateways().collect::<Vec<_>>(), ["10.88.0.1".parse::<IpAddr>().unwrap()]);
        assert!(saved.has("10.88.0.2".parse().unwrap()) && !maria.has("10.88.0.2".parse().unwrap()));
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        assert_eq!(saved.published_at(at("127.0.0.1:5440")), Some(5432));
        assert_eq!(saved.published_at(at("127.0.0.2:5440")), None);
        assert_eq!(maria.published_at(at("192.0.2.7:5450")), Some(3306));
        assert_eq!(maria.published_at(at("127.0.0.1:5353")), None);
        assert_eq!(maria.where_published(3306), Some(at("127.0.0.1:5450")));
        assert_eq!(maria.where_published(5432), None);
        assert!(described(b"Error: no such container").is_err());
    }

    #[test]
    fn only_names_as_engines_give_them_are_asked_about() {
        assert!(segment("shop_db-1.data").is_ok());
        for name in ["..", ".", "", "a/b", "a?b", "a b", "a\r\nb"] {
            assert!(segment(name).is_err(), "{name:?}");
        }
    }
}
