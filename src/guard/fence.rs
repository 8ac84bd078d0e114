//! A fence by ports, for macOS: no filter shows a command's connections there, but the system's sandbox refuses some.
//!
//! A profile of `sandbox-exec(1)` is a list of rules by operation, of which the last that matches wins. Of an address it
//! knows the port, and whether the host is `localhost`; so a port that a cleared database has on another machine is left
//! open to all of them, and what is on this machine is open. Nothing tells us of what it refuses (EPERM). A sandbox is
//! inherited, cannot be left, and lets no program gain privileges or put up another sandbox.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::net::TcpListener;
use std::path::Path;

use crate::guard::grounds::Grounds;
use crate::guard::ports::{NAME_SERVERS, Ports};
use crate::lists::{List, list};
use crate::own_tools;
use crate::policy::GuardMode;
use crate::reach::Place;
use crate::verdict::is_this_machine;

static OWN_SANDBOXES: List = list!("own_sandboxes.txt");

const SANDBOX: &str = "/usr/bin/sandbox-exec";

/// Connects to each address, and prints what came of it: `connected`, or the error's number.
const TRY: &str = r#"alarm 3; for (@ARGV) { my ($host, $port) = split /:/; socket(my $to, PF_INET, SOCK_STREAM, 0) or die;
print connect($to, pack_sockaddr_in($port, inet_aton($host))) ? "connected" : $! + 0, "\n" }"#;

/// An address at which nobody is (RFC 5737).
const NOBODY: &str = "192.0.2.1";

/// What a command may not connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fence {
    /// The ports of other machines that are closed; `None` for all.
    closed: Option<BTreeSet<u16>>,
    /// Those that are open all the same.
    open: BTreeSet<u16>,
}

/// The proof that a fence holds here.
#[derive(Debug)]
pub(crate) struct Proven(());

/// Why there is no fence here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfenced {
    /// Another system.
    #[error("only macOS has sandbox-exec")]
    System,
    /// Nothing could be tried.
    #[error("sandbox-exec could not be tried: {0}")]
    NotTried(#[from] io::Error),
    /// Something was tried and ended otherwise.
    #[error("under sandbox-exec {0}")]
    Otherwise(String),
}

/// Tries a fence with a process of ours: an address outside is to be closed to it, and the same port of this machine open.
///
/// # Errors
///
/// Why a run would not be fenced here.
pub(crate) fn prove() -> Result<Proven, Unfenced> {
    if !cfg!(target_os = "macos") {
        return Err(Unfenced::System);
    }
    let here = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
    let fence = Fence { closed: Some(BTreeSet::from([here.port()])), open: BTreeSet::new() };
    let outside = format!("{NOBODY}:{}", here.port());
    let words = fence.around(Path::new("/usr/bin/perl"), ["-MSocket", "-e", TRY, &outside, &here.to_string()]);
    let words: Vec<&OsStr> = words.iter().map(OsString::as_os_str).collect();
    let said = own_tools::ask(Path::new(SANDBOX), &words, &[])?;
    what_came_of_it(&String::from_utf8_lossy(&said.stdout), &String::from_utf8_lossy(&said.stderr))
}

/// Decides by what was printed whether a fence holds.
fn what_came_of_it(out: &str, err: &str) -> Result<Proven, Unfenced> {
    let refused = libc::EPERM.to_string();
    let otherwise = |what: &str| Err(Unfenced::Otherwise(what.to_owned()));
    match out.lines().collect::<Vec<_>>()[..] {
        [outside, "connected"] if outside == refused => Ok(Proven(())),
        [outside, ..] if outside != refused => otherwise("a connection that was to be refused was not"),
        [_, _] => otherwise("a connection to this machine was refused"),
        _ => otherwise(&format!("nothing could be run: {}", err.trim())),
    }
}

/// Tells whether a program of this name puts up a sandbox of its own, which it cannot within a fence.
pub(crate) fn has_own_sandbox(program: &str) -> bool {
    OWN_SANDBOXES.contains(program.rsplit('/').next().unwrap_or(program))
}

impl Fence {
    /// Makes the fence of a run: closed are databases' ports, or where the policy is strict all; open are those of what is
    /// cleared.
    pub(crate) fn new(grounds: &Grounds<'_>, _: &Proven) -> Fence {
        let is_strict = grounds.policy.mode == GuardMode::Strict;
        let mut open: BTreeSet<u16> =
            grounds.allowed().filter(|(host, _)| !is_this_machine(host)).map(|(_, port)| port).collect();
        for (_, target, _) in grounds.cleared() {
            open.extend(target.places.iter().filter_map(|place| match place {
                Place::Host { name, port } if !is_this_machine(name) => port.or(target.engine.default_port()),
                _ => None,
            }));
        }
        let closed = (!is_strict).then(|| Ports::of(grounds).all_away());
        if is_strict {
            open.extend(NAME_SERVERS);
        }
        Fence { closed, open }
    }

    /// Says what it leaves open that it would close, a phrase; `None` for nothing.
    pub(crate) fn left_open(&self) -> Option<String> {
        let of_databases = self.closed.as_ref();
        let is_told = |port: &&u16| of_databases.map_or(!NAME_SERVERS.contains(port), |closed| closed.contains(port));
        let ports: Vec<String> = self.open.iter().filter(is_told).map(u16::to_string).collect();
        (!ports.is_empty())
            .then(|| format!("ports left open to all other machines, for what is cleared on one: {}", ports.join(", ")))
    }

    /// Gives the words that start a program within the fence by `sandbox-exec`.
    pub(crate) fn around<A: Into<OsString>>(
        &self,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Vec<OsString> {
        let sandbox = ["-p".into(), self.profile().into(), program.into()];
        sandbox.into_iter().chain(arguments.into_iter().map(Into::into)).collect()
    }

    /// Names the program that puts the fence up.
    pub(crate) fn program() -> &'static Path {
        Path::new(SANDBOX)
    }

    /// Writes the profile.
    fn profile(&self) -> String {
        let rule = |verb: &str, places: Vec<String>| {
            let places: String = places.iter().map(|place| format!(" (remote tcp \"{place}\")")).collect();
            format!("({verb} network-outbound{places})\n")
        };
        let at = |port: &u16| format!("*:{port}");
        let closed =
            self.closed.as_ref().map_or_else(|| vec!["*:*".to_owned()], |ports| ports.iter().map(at).collect());
        let open = self.open.iter().map(at).chain(["localhost:*".to_owned()]).collect();
        format!("(version 1)\n(allow default)\n{}{}", rule("deny", closed), rule("allow", open))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::own_tools::ToolEnvironment;
    use crate::policy::GuardRules;
    use crate::reach::{Engine, Target};
    use crate::snapshot::{Beside, Care, Receipt};
    use std::path::Path;

    /// The fence of a run under `policy`, with a PostgreSQL database at each of these places, of which the first is cleared.
    fn fence(policy: &GuardRules, hosts: &[(&str, Option<u16>)]) -> Fence {
        let place = |(name, port): &(&str, Option<u16>)| Place::Host { name: (*name).to_owned(), port: *port };
        let target = |host| Target {
            engine: Engine::Postgres,
            places: vec![place(host)],
            database: None,
            user: None,
            password: None,
            parameters: Vec::new(),
            origins: Vec::new(),
            doubts: Vec::new(),
        };
        let targets: Vec<Target> = hosts.iter().map(target).collect();
        let care = Care::NothingToLose { reason: "it is empty".to_owned() };
        let grounds = Grounds {
            targets: &targets.iter().collect::<Vec<_>>(),
            receipts: &[Receipt::new(0, care, Beside::default())],
            policy,
            is_unnamed: false,
            is_person: false,
            git_hosts: &[],
            environment: &[],
            tools: &ToolEnvironment::new(&[], Path::new("/"), Path::new("/")),
        };
        Fence::new(&grounds, &Proven(()))
    }

    #[test]
    fn databases_ports_are_closed_but_for_those_that_a_cleared_database_has_elsewhere() {
        let policy = GuardRules { ports: vec![5555], ..GuardRules::default() };
        let local = fence(&policy, &[("127.0.0.1", Some(6000)), ("db.shop.net", Some(7000))]);
        let closed = local.closed.clone().unwrap();
        for (port, expected) in [(5432, true), (4000, true), (5555, true), (6000, true), (7000, true)] {
            assert_eq!(closed.contains(&port), expected, "{port}");
        }
        for port in [22, 53, 80, 443, 8080, 9000] {
            assert!(!closed.contains(&port), "{port}");
        }
        assert_eq!((local.open.len(), local.left_open()), (0, None));

        let away = fence(&policy, &[("db.shop.net", None), ("other.shop.net", Some(3306))]);
        assert_eq!(away.open, BTreeSet::from([5432]));
        let said = "ports left open to all other machines, for what is cleared on one: 5432";
        assert_eq!(away.left_open().as_deref(), Some(said));

        let policy = GuardRules { allow: vec!["10.1.2.3:3306".to_owned(), "[::1]:1433".to_owned()], ..policy };
        assert_eq!(fence(&policy, &[]).open, BTreeSet::from([3306]));
    }

    #[test]
    fn a_strict_fence_closes_all_but_name_servers_and_what_is_allowed() {
        let policy =
            GuardRules { mode: GuardMode::Strict, allow: vec!["10.1.2.3:8443".to_owned()], ..GuardRules::default() };
        let strict = fence(&policy, &[("localhost", None)]);
        let expected = "(version 1)\n(allow default)\n(deny network-outbound (remote tcp \"*:*\"))\n\
            (allow network-outbound (remote tcp \"*:53\") (remote tcp \"*:853\") (remote tcp \"*:8443\") \
            (remote tcp \"localhost:*\"))\n";
        assert_eq!(strict.profile(), expected);
        assert!(strict.left_open().unwrap().ends_with(": 8443"));
    }

    #[test]
    fn a_profile_closes_ports_and_opens_this_machine() {
        let fence = Fence { closed: Some(BTreeSet::from([5432, 3306])), open: BTreeSet::from([3306]) };
        let expected = "(version 1)\n(allow default)\n\
            (deny network-outbound (remote tcp \"*:3306\") (remote tcp \"*:5432\"))\n\
            (allow network-outbound (remote tcp \"*:3306\") (remote tcp \"localhost:*\"))\n";
        assert_eq!(fence.profile(), expected);
        let words = fence.around(Path::new("/bin/ls"), ["-l", "-p"]);
        assert_eq!(words, ["-p", expected, "/bin/ls", "-l", "-p"].map(OsString::from));
    }

    #[test]
    fn a_fence_holds_only_where_the_one_was_refused_and_the_other_reached() {
        let why = |out: &str| what_came_of_it(out, "sandbox_apply: Operation not permitted\n").unwrap_err().to_string();
        assert!(what_came_of_it("1\nconnected\n", "").is_ok());
        let refused_too = "under sandbox-exec a connection to this machine was refused";
        let open = "under sandbox-exec a connection that was to be refused was not";
        let nothing = "under sandbox-exec nothing could be run: sandbox_apply: Operation not permitted";
        for (out, expected) in [
            ("1\n1\n", refused_too),
            ("1\n61\n", refused_too),
            ("connected\nconnected\n", open),
            ("65\nconnected\n", open),
            ("", nothing),
            ("1\n", nothing),
            ("1\nconnected\nconnected\n", nothing),
        ] {
            assert_eq!(why(out), expected, "{out:?}");
        }
    }

    /// What tries is a program of macOS's that other systems have as well.
    #[test]
    fn what_tries_prints_what_came_of_each_connection() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let open = listener.local_addr().unwrap();
        let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        let (closed, open) = (closed.to_string(), open.to_string());
        let words = ["-MSocket", "-e", TRY, &closed, &open];
        let said = std::process::Command::new("/usr/bin/perl").args(words).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&said.stdout), format!("{}\nconnected\n", libc::ECONNREFUSED));
    }

    #[test]
    fn there_is_no_fence_on_other_systems() {
        if !cfg!(target_os = "macos") {
            assert!(matches!(prove(), Err(Unfenced::System)));
        }
    }

    #[test]
    fn programs_with_a_sandbox_of_their_own_are_known_by_the_names_of_their_files() {
        let own = ["/opt/homebrew/bin/playwright", "swift", "sandbox-exec"].map(has_own_sandbox);
        assert_eq!((own, has_own_sandbox("python3")), ([true; 3], false));
    }
}
