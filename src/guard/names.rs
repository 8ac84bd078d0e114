//! The addresses of names, and the names of addresses: the kernel shows addresses only.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};
use std::sync::mpsc::channel;
use std::thread::Builder;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::lists::{List, list};
use crate::verdict::parse_address;

static GIT_HOSTS: List = list!("git_hosts.txt");

/// How long a run waits for names at its start. What is not found by then is looked up again before a refusal.
pub(crate) const AT_THE_START: Duration = Duration::from_millis(300);

/// How long a connection waits for names before it is refused.
pub(crate) const BEFORE_A_REFUSAL: Duration = Duration::from_secs(3);

/// Addresses by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Names {
    found: BTreeMap<String, Vec<IpAddr>>,
}

impl Names {
    /// Asks the resolver for all of `hosts` at once, for as long as `patience`; addresses, and names of this machine, are
    /// not asked for. What has no answer by then has no addresses.
    pub(crate) fn look_up<'h>(hosts: impl IntoIterator<Item = &'h str>, patience: Duration) -> Names {
        Names::ask(hosts, patience, |host| {
            Ok((host.as_str(), 0).to_socket_addrs()?.map(|address| address.ip()).collect())
        })
    }

    fn ask<'h>(
        hosts: impl IntoIterator<Item = &'h str>,
        patience: Duration,
        resolve: fn(String) -> std::io::Result<Vec<IpAddr>>,
    ) -> Names {
        let deadline = Instant::now() + patience;
        let (answers, answered) = channel();
        let mut open = 0;
        for host in hosts.into_iter().filter(|host| by_itself(host).is_empty()) {
            let (host, answers) = (host.to_owned(), answers.clone());
            let ask = move || {
                let found = resolve(host.clone()).unwrap_or_default();
                // Nobody waits any more where it took too long.
                let _ = answers.send((host, found));
            };
            // A resolver cannot be interrupted: a thread that still waits for it ends with the process.
            open += u32::from(Builder::new().name("resolver".to_owned()).spawn(ask).is_ok());
        }
        let mut names = Names::default();
        while open > 0 {
            let Ok((host, found)) = answered.recv_timeout(deadline.saturating_duration_since(Instant::now())) else {
                break;
            };
            names.add(host, found);
            open -= 1;
        }
        names
    }

    /// Makes up what a resolver says.
    #[cfg(test)]
    pub(crate) fn known(pairs: &[(&str, &str)]) -> Names {
        let mut names = Names::default();
        pairs.iter().for_each(|(host, address)| names.add((*host).to_owned(), vec![address.parse().unwrap()]));
        names
    }

    /// Adds what was found later; addresses that a name had before stay its own.
    pub(crate) fn learn(&mut self, others: Names) {
        for (host, addresses) in others.found {
            self.add(host, addresses);
        }
    }

    fn add(&mut self, host: String, addresses: Vec<IpAddr>) {
        let known = self.found.entry(host).or_default();
        for address in addresses.into_iter().map(|address| address.to_canonical()) {
            if !known.contains(&address) {
                known.push(address);
            }
        }
    }

    /// Lists the addresses of a host, in the order in which they are dialled.
    pub(crate) fn of(&self, host: &str) -> Vec<IpAddr> {
        match by_itself(host) {
            own if own.is_empty() => self.found.get(host).cloned().unwrap_or_default(),
            own => own,
        }
    }

    /// Finds the name under which an address is known.
    pub(crate) fn called(&self, address: IpAddr) -> Option<&str> {
        self.found.iter().find(|(_, addresses)| addresses.contains(&address)).map(|(host, _)| host.as_str())
    }
}

/// Reads what needs no resolver: an address in any spelling, or a name that only this machine has.
fn by_itself(host: &str) -> Vec<IpAddr> {
    match parse_address(host) {
        Some(address) => vec![dialled(address)],
        // Clients dial IPv6 first (RFC 6724).
        None if is_localhost(host) => vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()],
        None => Vec::new(),
    }
}

fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

/// Gives the address that a connection to `address` reaches: to the unspecified one it is this machine's.
pub(crate) fn dialled(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}

/// Tells whether a git server is at `address`: one that everybody knows, or one of the project's `own`, which are reached by
/// the ssh of git alone. The words of the ssh that dials it name the host, else the resolver is asked for all of them.
pub(crate) fn is_git_host(address: IpAddr, words: &[String], own: &[String]) -> bool {
    let ssh = of_ssh(words);
    // Whoever serves only git does so whatever is asked for; a host of the project may be any machine.
    let own = if ssh.is_some_and(|(_, asked)| asks_for_git(asked)) { own } else { &[] };
    ssh.is_some_and(|(word, _)| names_git_host(word, own)) || {
        let known = GIT_HOSTS.iter().map(|(host, _)| host).filter(|host| !host.ends_with('*'));
        let hosts: Vec<&str> = known.chain(own.iter().map(String::as_str)).collect();
        let (names, dialled) = (Names::look_up(hosts.iter().copied(), BEFORE_A_REFUSAL), dialled(address));
        hosts.iter().any(|host| names.of(host).contains(&dialled))
    }
}

/// Reads whom ssh is to dial, and what it is to run there; what else it says may name any host.
fn of_ssh(words: &[String]) -> Option<(&str, &[String])> {
    // Options whose value stands in the next word (`ssh(1)`).
    const WITH_VALUE: &str = "BDEFIJLOPQRSWbceilmopw";
    let (program, mut words) = words.split_first()?;
    if program.rsplit('/').next() != Some("ssh") {
        return None;
    }
    loop {
        let (word, rest) = words.split_first()?;
        let Some(letters) = word.strip_prefix('-') else { return Some((word, rest)) };
        // `-4p 22`: the last letter of several may want a value, one before it has the rest of the word.
        let wants = letters.find(|letter| WITH_VALUE.contains(letter)).is_some_and(|at| at + 1 == letters.len());
        words = rest.get(usize::from(wants)..)?;
    }
}

/// Tells whether what runs on the other side is a service of git: `git-upload-pack 'shop/app.git'`, and nothing behind it.
///
/// Source: git documentation, "gitprotocol-pack", "SSH Transport"; git-lfs, "docs/api/server-discovery.md" and
/// "docs/proposals/ssh_adapter.md".
fn asks_for_git(asked: &[String]) -> bool {
    const SERVICES: &[&str] =
        &["git-upload-pack", "git-receive-pack", "git-upload-archive", "git-lfs-authenticate", "git-lfs-transfer"];
    let asked = asked.join(" ");
    let (service, arguments) = asked.trim().split_once(' ').unwrap_or((&asked, ""));
    // A shell reads it on the other side: git quotes the path.
    let mut quoted = false;
    let is_one_command = arguments.chars().all(|sign| {
        quoted ^= sign == '\'';
        quoted || !matches!(sign, ';' | '&' | '|' | '<' | '>' | '(' | ')' | '$' | '`' | '\n')
    });
    SERVICES.contains(&service) && is_one_command
}

/// Reads `git@github.com`, `ssh://git@github.com:22/…` and `github.com`.
fn names_git_host(word: &str, own: &[String]) -> bool {
    let word = word.strip_prefix("ssh://").unwrap_or(word);
    let host = word.rsplit_once('@').map_or(word, |(_, host)| host);
    let host = host.split(['/', ':']).next().unwrap_or(host).to_ascii_lowercase();
    GIT_HOSTS.contains(&host) || own.contains(&host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_and_this_machines_names_need_no_resolver() {
        let names = Names::ask(["127.1", "0.0.0.0", "localhost", "::ffff:10.1.2.3"], Duration::ZERO, |_| panic!());
        assert_eq!(names, Names::default());
        assert_eq!(names.of("127.1"), [address("127.0.0.1")]);
        assert_eq!(names.of("0.0.0.0"), [address("127.0.0.1")]);
        assert_eq!(names.of("localhost"), [address("::1"), address("127.0.0.1")]);
        assert_eq!(names.of("app.localhost"), names.of("localhost"));
        assert_eq!(names.of("::ffff:10.1.2.3"), [address("10.1.2.3")]);
        assert!(names.of("db.shop.net").is_empty());
    }

    #[test]
    fn all_names_are_asked_for_at_once_and_none_is_waited_for_too_long() {
        let slow = |host: String| {
            std::thread::sleep(Duration::from_millis(if host == "never" { 60_000 } else { 100 }));
            if host == "nowhere" {
                Err(std::io::Error::other("not found"))
            } else {
                Ok(vec![address("::ffff:10.0.0.1")])
            }
        };
        let begun = Instant::now();
        let hosts = ["never", "a", "b", "c", "d", "e", "f", "g", "h", "nowhere"];
        let names = Names::ask(hosts, Duration::from_secs(5), slow);
        assert!(begun.elapsed() < Duration::from_secs(20));
        assert_eq!(names.of("h"), [address("10.0.0.1")]);
        assert!(names.of("never").is_empty() && names.of("nowhere").is_empty());
        assert_eq!(names.called(address("10.0.0.1")), Some("a"));
        assert_eq!(names.called(address("10.0.0.2")), None);
    }

    #[test]
    fn what_a_name_meant_before_stays() {
        let at = |text: &'static str| Names { found: [("db".to_owned(), vec![address(text)])].into() };
        let mut names = at("10.0.0.1");
        names.learn(at("10.0.0.2"));
        names.learn(at("10.0.0.1"));
        assert_eq!(names.of("db"), [address("10.0.0.1"), address("10.0.0.2")]);
    }

    #[test]
    fn ssh_dials_one_host_whatever_it_says_there() {
        for (words, expected) in [
            ("ssh git@github.com", Some("git@github.com")),
            ("/usr/bin/ssh -o SendEnv=GIT_PROTOCOL -p 22 git@github.com git-upload-pack", Some("git@github.com")),
            ("ssh -4p 22 -vT -i key db.shop.net git@github.com:x/y", Some("db.shop.net")),
            ("ssh -p22 db.shop.net clone github.com", Some("db.shop.net")),
            ("ssh -v", None),
            ("ssh -p", None),
            ("deploy github.com", None),
            ("", None),
        ] {
            let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
            assert_eq!(of_ssh(&words).map(|(host, _)| host), expected, "{words:?}");
        }
    }

    #[test]
    fn git_hosts_are_read_from_the_words_of_ssh() {
        for word in
            ["git@github.com", "ssh://git@codeberg.org:22/x/y", "GitLab.com", "git-codecommit.eu-west-1.amazonaws.com"]
        {
            assert!(names_git_host(word, &[]), "{word}");
        }
        for word in ["git@db.shop.net", "github.com.shop.net", "-oHostName=x", "github", ""] {
            assert!(!names_git_host(word, &[]), "{word}");
        }
        let own = ["db.shop.net".to_owned(), "work".to_owned()];
        for (word, expected) in [("git@DB.shop.net", true), ("work", true), ("git@other.shop.net", false)] {
            assert_eq!(names_git_host(word, &own), expected, "{word}");
        }
    }

    #[test]
    fn the_project_s_own_git_hosts_are_reached_by_the_ssh_of_git_alone() {
        let own = ["10.1.2.3".to_owned(), "work".to_owned()];
        let fetch = "git-upload-pack 'shop/app.git'";
        for (at, words, expected) in [
            ("10.1.2.3", &["ssh", "git@10.1.2.3", fetch][..], true),
            ("::ffff:10.1.2.3", &["ssh", "-o", "SendEnv=GIT_PROTOCOL", "git@alias", fetch], true),
            ("10.9.9.9", &["/usr/bin/ssh", "-p", "2222", "work", "git-receive-pack 'a;b'"], true),
            ("10.9.9.9", &["ssh", "work", "git-upload-archive", "'x'"], true),
            ("10.9.9.9", &["ssh", "work", "git-lfs-authenticate shop/app.git download"], true),
            ("10.1.2.4", &["ssh", "other", fetch], false),
            ("10.1.2.3", &["ssh", "10.1.2.3"], false),
            ("10.1.2.3", &["ssh", "10.1.2.3", "psql shop"], false),
            ("10.1.2.3", &["ssh", "10.1.2.3", "psql", "git-upload-pack"], false),
            ("10.1.2.3", &["ssh", "-L", "5432:db:5432", "10.1.2.3"], false),
            ("10.1.2.3", &["ssh", "10.1.2.3", "git-upload-pack 'x'; psql shop"], false),
            ("10.1.2.3", &["git", "fetch"], false),
            ("10.1.2.3", &["deploy", "10.1.2.3", fetch], false),
        ] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(is_git_host(address(at), &words, &own), expected, "{at} {words:?}");
        }
    }
}
