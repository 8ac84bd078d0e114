//! Where the engines of containers on this machine listen.

use std::path::{Path, PathBuf};

/// Places in the home folder at which programs that bring an engine put its socket.
///
/// Sources: the manuals of Docker Desktop, OrbStack, Colima, Rancher Desktop and `podman machine`.
const IN_HOME: [&str; 7] = [
    ".docker/desktop/docker.sock",
    ".docker/run/docker.sock",
    ".orbstack/run/docker.sock",
    ".colima/default/docker.sock",
    ".colima/docker.sock",
    ".rd/docker.sock",
    ".local/share/containers/podman/machine/podman.sock",
];

/// Lists them: those that variables name, then the usual places, whether there is an engine or not. `value` gives a variable
/// of the environment, `real` follows links. What a variable names by another way than a Unix socket acts elsewhere.
///
/// Source: `docker(1)` and `dockerd-rootless-setuptool.sh`; `podman-system-service(1)`.
pub(crate) fn sockets<'v>(value: impl Fn(&str) -> Option<&'v str>, real: impl Fn(&Path) -> PathBuf) -> Vec<PathBuf> {
    let named = ["DOCKER_HOST", "CONTAINER_HOST"].into_iter().filter_map(|name| value(name)?.strip_prefix("unix://"));
    let runtime = value("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime.unwrap_or_else(|| format!("/run/user/{}", rustix::process::getuid().as_raw()).into());
    let home = value("HOME").map(Path::new);
    let in_home = IN_HOME.iter().filter_map(|place| Some(home?.join(place)));
    let usual = ["/var/run/docker.sock", "/run/podman/podman.sock"].into_iter().map(PathBuf::from);
    let own = [runtime.join("docker.sock"), runtime.join("podman/podman.sock")];
    let mut sockets: Vec<PathBuf> = Vec::new();
    for socket in named.map(PathBuf::from).chain(usual).chain(own).chain(in_home) {
        let socket = real(&socket);
        if socket.is_absolute() && !sockets.contains(&socket) {
            sockets.push(socket);
        }
    }
    sockets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reached_otherwise_than_by_a_unix_socket_acts_elsewhere() {
        for (host, expected) in [
            ("unix:///srv/engine.sock", Some("/srv/engine.sock")),
            ("tcp://192.0.2.7:2375", None),
            ("ssh://deploy@shop.test", None),
            ("engine.sock", None),
        ] {
            let value = |name: &str| match name {
                "DOCKER_HOST" => Some(host),
                "HOME" => Some("/home/tester"),
                _ => None,
            };
            let found = sockets(value, Path::to_owned);
            let first = expected.unwrap_or("/var/run/docker.sock");
            assert_eq!(found.first().map(PathBuf::as_path), Some(Path::new(first)), "{host}");
            assert!(found.contains(&"/home/tester/.orbstack/run/docker.sock".into()));
        }
    }

    #[test]
    fn engines_are_looked_for_where_they_listen() {
        let value = |name: &str| match name {
            "HOME" => Some("/home/tester"),
            "XDG_RUNTIME_DIR" => Some("/run/user/7"),
            _ => None,
        };
        let found = sockets(value, Path::to_owned);
        for (engine, place) in [
            ("Docker", "/var/run/docker.sock"),
            ("Docker without root", "/run/user/7/docker.sock"),
            ("Docker Desktop on Linux", "/home/tester/.docker/desktop/docker.sock"),
            ("Docker Desktop on macOS", "/home/tester/.docker/run/docker.sock"),
            ("OrbStack", "/home/tester/.orbstack/run/docker.sock"),
            ("Colima", "/home/tester/.colima/default/docker.sock"),
            ("Rancher Desktop", "/home/tester/.rd/docker.sock"),
            ("Podman", "/run/podman/podman.sock"),
            ("Podman without root", "/run/user/7/podman/podman.sock"),
            ("Podman's machine", "/home/tester/.local/share/containers/podman/machine/podman.sock"),
        ] {
            assert!(found.contains(&PathBuf::from(place)), "{engine}: {found:?}");
        }
    }
}
