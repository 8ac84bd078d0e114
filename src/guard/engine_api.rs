//! Asks an engine of containers by its HTTP API over its Unix socket. Docker and Podman answer alike.
//!
//! Source: Docker Engine API 1.41, which Podman's compatible one follows.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with, sockopt};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The most bytes of an answer: a thousand containers have one.
const LONGEST: u64 = 16 << 20;

/// A container, as the list of all has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    pub(super) id: String,
    #[serde(default)]
    pub(super) ports: Option<Vec<Port>>,
    #[serde(default)]
    network_settings: Option<NetworkSettings>,
}

/// A port of a container.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Port {
    /// The address of this machine at which it is published; empty for all.
    #[serde(rename = "IP", default)]
    pub(super) ip: String,
    #[serde(rename = "PrivatePort")]
    pub(super) inside: u16,
    #[serde(rename = "PublicPort", default)]
    pub(super) published: Option<u16>,
    #[serde(rename = "Type", default)]
    pub(super) protocol: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkSettings {
    #[serde(default)]
    networks: Option<BTreeMap<String, Network>>,
}

#[derive(Debug, Clone, Deserialize)]
struct Network {
    #[serde(rename = "IPAddress", default)]
    ipv4: String,
    #[serde(rename = "GlobalIPv6Address", default)]
    ipv6: String,
}

impl Listed {
    /// Tells whether the container has this address in one of its networks.
    pub(super) fn has(&self, address: IpAddr) -> bool {
        let networks = self.network_settings.iter().filter_map(|settings| settings.networks.as_ref()).flatten();
        let mut addresses = networks.flat_map(|(_, network)| [&network.ipv4, &network.ipv6]);
        addresses.any(|own| own.parse() == Ok(address))
    }
}

/// A container, with what it was made of.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Inspected {
    /// With a leading slash.
    #[serde(default)]
    pub(super) name: String,
    /// The program that it starts with, and the program's words.
    #[serde(default)]
    pub(super) path: String,
    #[serde(default)]
    pub(super) args: Option<Vec<String>>,
    #[serde(default)]
    pub(super) mounts: Option<Vec<Mount>>,
}

impl Inspected {
    /// Gives the words that it starts with.
    pub(super) fn start(&self) -> Vec<String> {
        [&self.path].into_iter().chain(self.args.iter().flatten()).cloned().collect()
    }
}

/// What a container has been given to keep files in.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Mount {
    /// `volume`, `bind`, `tmpfs` or another.
    #[serde(rename = "Type", default)]
    pub(super) kind: String,
    /// The volume's.
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) source: String,
    #[serde(default)]
    pub(super) destination: String,
    /// Whether the container may write there.
    #[serde(rename = "RW", default = "yes")]
    pub(super) is_writable: bool,
}

fn yes() -> bool {
    true
}

/// A volume.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Volume {
    pub(super) name: String,
    #[serde(default)]
    pub(super) driver: String,
    #[serde(default)]
    pub(super) options: Option<BTreeMap<String, String>>,
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
pub(super) struct Api<'a> {
    socket: &'a Path,
    deadline: Instant,
}

impl<'a> Api<'a> {
    pub(super) fn new(socket: &'a Path, patience: Duration) -> Api<'a> {
        Api { socket, deadline: Instant::now() + patience }
    }

    /// Lists the containers that run.
    pub(super) fn running(self) -> io::Result<Vec<Listed>> {
        self.get("/containers/json")
    }

    /// Lists all containers, those that have ended, too.
    pub(super) fn containers(self) -> io::Result<Vec<Listed>> {
        self.get("/containers/json?all=1")
    }

    /// Lists all volumes.
    pub(super) fn volumes(self) -> io::Result<Vec<Volume>> {
        Ok(self.get::<Volumes>("/volumes")?.volumes.unwrap_or_default())
    }

    pub(super) fn inspect(self, container: &str) -> io::Result<Inspected> {
        self.get(&format!("/containers/{}/json", segment(container)?))
    }

    pub(super) fn volume(self, name: &str) -> io::Result<Volume> {
        self.get(&format!("/volumes/{}", segment(name)?))
    }

    /// Lists the command lines of the processes in a container. Podman asks the container's own `ps`, and sends nothing where
    /// there is none, unless it is asked for columns of its own (`podman-top(1)`).
    pub(super) fn processes(self, container: &str) -> io::Result<Vec<String>> {
        let path = format!("/containers/{}/top", segment(container)?);
        let top: Top = self.get(&path).or_else(|_| self.get(&format!("{path}?ps_args=args")))?;
        // The last column of `ps -ef` is the command.
        Ok(top.processes.unwrap_or_default().into_iter().filter_map(|mut row| row.pop()).collect())
    }

    fn get<T: DeserializeOwned>(self, path: &str) -> io::Result<T> {
        let body = self.ask(path)?;
        serde_json::from_slice(&body).map_err(io::Error::other)
    }

    fn ask(self, path: &str) -> io::Result<Vec<u8>> {
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        // An engine that takes no connections any more keeps its callers waiting, too (`unix(7)`).
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(self.left()?))?;
        connect(&socket, &SocketAddrUnix::new(self.socket)?)?;
        let mut stream = UnixStream::from(socket);
        // An answer to the older version of HTTP ends where the connection does.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: engine\r\nAccept: application/json\r\n\r\n")?;
        let mut answer = Vec::new();
        let mut chunk = [0; 16 << 10];
        loop {
            stream.set_read_timeout(Some(self.left()?))?;
            match stream.read(&mut chunk) {
                Ok(0) => break,
                Ok(length) => answer.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(io::ErrorKind::TimedOut.into()),
                Err(error) => return Err(error),
            }
            if answer.len() as u64 > LONGEST {
                return Err(io::Error::other("its answer is too long"));
            }
        }
        body(&answer)
    }

    fn left(self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
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

/// Finds the body of an answer that says 200.
fn body(answer: &[u8]) -> io::Result<Vec<u8>> {
    let unreadable = || io::Error::other("it does not answer as an engine of containers does");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(unreadable)?;
    let head = std::str::from_utf8(&answer[..end]).map_err(|_| unreadable())?;
    let mut lines = head.split("\r\n");
    let status =
        lines.next().and_then(|line| line.strip_prefix("HTTP/1.")?.split(' ').nth(1)).ok_or_else(unreadable)?;
    if status != "200" {
        return Err(io::Error::other(format!("it answers with status {}", crate::text::printable(status))));
    }
    let header = |name: &str| {
        let mut fields = lines.clone().filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let rest = &answer[end + 4..];
    if header("Transfer-Encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        return unchunked(rest).ok_or_else(unreadable);
    }
    match header("Content-Length").map(str::parse) {
        None => Ok(rest.to_vec()),
        Some(Ok(length)) => rest.get(..length).map(<[u8]>::to_vec).ok_or_else(unreadable),
        Some(Err(_)) => Err(unreadable()),
    }
}

/// Joins chunks, each behind its length (RFC 9112, 7.1); `None` where the last is missing.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let length = std::str::from_utf8(&rest[..end]).ok()?;
        let length = usize::from_str_radix(length.split(';').next()?.trim(), 16).ok()?;
        if length == 0 {
            return Some(whole);
        }
        rest = rest.get(end + 2..)?;
        whole.extend_from_slice(rest.get(..length)?);
        rest = rest.get(length..)?.strip_prefix(b"\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(answer: &str) -> Result<String, String> {
        body(answer.as_bytes()).map(|body| String::from_utf8(body).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn answers_are_read_to_their_end_and_no_further() {
        let cases = [
            ("HTTP/1.0 200 OK\r\nA: b\r\n\r\n[1]", "[1]"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n[1]more", "[1]"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1;x=y\r\n]\r\n0\r\n\r\n", "[1]"),
        ];
        for (answer, expected) in cases {
            assert_eq!(text(answer).as_deref(), Ok(expected), "{answer}");
        }
    }

    #[test]
    fn half_an_answer_is_none() {
        let cut_off = [
            "",
            "HTTP/1.1 200 OK\r\n",
            "SSH-2.0-OpenSSH\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n[1]",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n[1]",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1]\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n[1]\r\n",
        ];
        for answer in cut_off {
            assert_eq!(text(answer).unwrap_err(), "it does not answer as an engine of containers does", "{answer}");
        }
        assert_eq!(text("HTTP/1.1 403 Forbidden\r\n\r\n").unwrap_err(), "it answers with status 403");
    }

    #[test]
    fn only_names_as_engines_give_them_are_asked_about() {
        assert!(segment("shop_db-1.data").is_ok());
        for name in ["..", ".", "", "a/b", "a?b", "a b", "a\r\nb"] {
            assert!(segment(name).is_err(), "{name:?}");
        }
    }
}
