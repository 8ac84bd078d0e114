//! Whom a command may talk to that talks to others in turn, where nobody watches: engines of containers, proxies.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::guard::names::{Names, dialled};
use crate::guard::sockaddr::Peer;

/// The sockets of engines of containers, by the names that their documentation gives them.
const ENGINES: [&str; 5] = ["buildkitd.sock", "containerd.sock", "crio.sock", "docker.sock", "podman.sock"];

/// The variables that name a proxy, in either case (`curl(1)`, "ENVIRONMENT").
const PROXIES: [&str; 3] = ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"];

const CONTAINERS: &str = "what containers connect to is not seen";
const BEHIND_A_PROXY: &str = "what is reached through this proxy is not seen";

/// What the environment names of such places, besides the engines' own sockets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Blind {
    sockets: Vec<PathBuf>,
    servers: Vec<Server>,
}

/// A server that others are reached through.
#[derive(Debug, Clone)]
struct Server {
    host: String,
    port: u16,
    note: &'static str,
    /// A run without a name may reach it.
    is_for_unnamed: bool,
}

impl Blind {
    /// Reads the variables that name proxies and an engine of containers. Nothing is resolved yet.
    pub(crate) fn of<'e>(environment: impl Iterator<Item = (&'e str, &'e str)>) -> Blind {
        let mut blind = Blind::default();
        for (name, value) in environment {
            if PROXIES.iter().any(|proxy| name.eq_ignore_ascii_case(proxy)) {
                blind.servers.extend(Server::at(value, 1080, BEHIND_A_PROXY));
            } else if name == "DOCKER_HOST" || name == "CONTAINER_HOST" {
                match value.strip_prefix("unix://") {
                    Some(path) => blind.sockets.push(path.into()),
                    None => blind.servers.extend(Server::at(value, 2375, CONTAINERS)),
                }
            }
        }
        blind
    }

    /// Lists what a run without a name may reach: engines of containers, and the web's proxies. One for whatever there is
    /// (SOCKS) is none of them: a database is reached through it as easily.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = (String, u16)> {
        self.servers.iter().filter(|server| server.is_for_unnamed).map(|server| (server.host.clone(), server.port))
    }

    /// Lists the names of all of them.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.servers.iter().map(|server| server.host.as_str())
    }

    /// Tells whether one of them may be at an address, by its port.
    pub(crate) fn may_be_at(&self, address: SocketAddr) -> bool {
        self.servers.iter().any(|server| server.port == address.port())
    }

    /// Says what is not seen where somebody talks to this peer, a phrase; `None` where it talks to nobody else. `names` has
    /// the addresses of those that have a name.
    pub(crate) fn note(&self, peer: &Peer, names: &Names) -> Option<&'static str> {
        match peer {
            Peer::Path(path) => self.behind_socket(path),
            Peer::Internet(address) => self.behind_address(*address, names),
            Peer::Abstract(_) | Peer::Unspecified(_) | Peer::Other(_) => None,
        }
    }

    fn behind_socket(&self, path: &Path) -> Option<&'static str> {
        let is_engine = path.file_name().is_some_and(|name| ENGINES.iter().any(|engine| name == *engine));
        (is_engine || self.sockets.iter().any(|socket| socket == path)).then_some(CONTAINERS)
    }

    fn behind_address(&self, address: SocketAddr, names: &Names) -> Option<&'static str> {
        self.servers.iter().find(|server| server.is_at(address, names)).map(|server| server.note)
    }
}

impl Server {
    /// Reads `scheme://user:password@host:port/…`, of which a proxy's may leave out all but the host.
    fn at(url: &str, without_port: u16, note: &'static str) -> Option<Server> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
        let (host, port) = match place.strip_prefix('[').and_then(|place| place.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let default = match scheme {
            "https" => 443,
            "ssh" => 22,
            // `curl(1)`: 1080 for all proxies, whatever the scheme; others take the scheme's.
            _ => without_port,
        };
        let port = port.map_or(Some(default), |port| port.parse().ok())?;
        let is_for_unnamed = note == CONTAINERS || matches!(scheme, "http" | "https");
        let host = host.to_ascii_lowercase();
        (!host.is_empty()).then_some(Server { host, port, note, is_for_unnamed })
    }

    fn is_at(&self, address: SocketAddr, names: &Names) -> bool {
        address.port() == self.port && names.of(&self.host).contains(&dialled(address.ip()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(environment: &[(&str, &str)], peer: &Peer) -> Option<&'static str> {
        Blind::of(environment.iter().copied()).note(peer, &Names::known(&[("proxy.shop.net", "10.0.0.9")]))
    }

    #[test]
    fn an_engine_of_containers_is_known_by_its_socket_or_by_the_variable() {
        let socket = |path: &str| Peer::Path(path.into());
        for path in ["/var/run/docker.sock", "/run/user/1000/podman/podman.sock", "/home/a/.colima/default/docker.sock"]
        {
            assert_eq!(note(&[], &socket(path)), Some(CONTAINERS), "{path}");
        }
        assert_eq!(note(&[], &socket("/run/dbus/system_bus_socket")), None);
        let host = [("DOCKER_HOST", "unix:///srv/engine")];
        assert_eq!(note(&host, &socket("/srv/engine")), Some(CONTAINERS));
        let host = [("DOCKER_HOST", "tcp://127.0.0.1")];
        assert_eq!(note(&host, &Peer::Internet("127.0.0.1:2375".parse().unwrap())), Some(CONTAINERS));
    }

    #[test]
    fn engines_and_proxies_of_the_web_are_listed_and_what_carries_anything_is_not() {
        let environment = [
            ("DOCKER_HOST", "ssh://me@build.shop.net"),
            ("CONTAINER_HOST", "unix:///run/podman.sock"),
            ("HTTPS_PROXY", "http://Proxy.shop.net:3128"),
            ("ALL_PROXY", "socks5h://10.0.0.1:1080"),
        ];
        let hosts: Vec<_> = Blind::of(environment.into_iter()).hosts().collect();
        assert_eq!(hosts, [("build.shop.net".to_owned(), 22), ("proxy.shop.net".to_owned(), 3128)]);
    }

    #[test]
    fn a_proxy_is_known_by_the_variable() {
        for (name, value, address) in [
            ("HTTPS_PROXY", "http://user:p%40ss@127.0.0.1:3128", "127.0.0.1:3128"),
            ("https_proxy", "127.0.0.1:3128", "127.0.0.1:3128"),
            ("ALL_PROXY", "socks5h://[::1]:1080", "[::1]:1080"),
            ("all_proxy", "socks5://127.0.0.1", "127.0.0.1:1080"),
            ("HTTP_PROXY", "https://127.0.0.1/", "127.0.0.1:443"),
            ("HTTP_PROXY", "http://localhost:3128", "127.0.0.1:3128"),
            ("HTTP_PROXY", "http://proxy.shop.net:3128", "10.0.0.9:3128"),
        ] {
            let at = |address: &str| note(&[(name, value)], &Peer::Internet(address.parse().unwrap()));
            assert_eq!(at(address), Some(BEHIND_A_PROXY), "{name}={value}");
            assert_eq!(at("127.0.0.2:3128"), None, "{name}={value}");
        }
        for (name, value) in [("NO_PROXY", "127.0.0.1:80"), ("HTTP_PROXY", ""), ("HTTP_PROXY", "http://127.0.0.1:x")] {
            assert_eq!(note(&[(name, value)], &Peer::Internet("127.0.0.1:80".parse().unwrap())), None);
        }
    }
}
