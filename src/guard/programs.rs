//! Which programs serve databases, and which carry connections elsewhere.

use std::path::Path;

use crate::guard::owners::Owner;
use crate::lists::{List, list};
use crate::reach::Engine;

static PROGRAMS: List = list!("programs.txt");
static ACCOUNTS: List = list!("accounts.txt");
static SOCKETS: List = list!("sockets.txt");

/// The most bytes of a process's name that the kernel keeps (`TASK_COMM_LEN`, less its end).
const SHORT_NAME: usize = 15;

/// What sort of program listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A database, cache, search index or broker.
    Server(Engine),
    /// It carries connections off this machine, where nobody sees them.
    Tunnel,
    /// It carries connections on, of this engine or of any.
    Proxy(Engine),
    /// It publishes a port of a container.
    Container,
    /// Another program, or one that may not be seen.
    Other,
}

/// Finds out what sort of program owns a listener: by its name or the one that it was called by, else by its script or main
/// class, else by the account that it runs under.
pub(crate) fn kind(owner: &Owner) -> Kind {
    let by_name = owner.program.as_deref().and_then(program);
    let by_words = || owner.program.as_ref().and_then(|_| words(&owner.words));
    let by_account = || {
        let engine = owner.account_name.as_deref().and_then(|name| ACCOUNTS.find(name))?;
        owner.program.is_none().then_some(Kind::Server(Engine::named(engine)?))
    };
    by_name.or_else(|| called(&owner.words)).or_else(by_words).or_else(by_account).unwrap_or(Kind::Other)
}

/// Reads where docker's proxy leads: `-container-ip 172.17.0.2 -container-port 5432`.
pub(crate) fn container_behind(owner: &Owner) -> Option<(&str, &str)> {
    let words = || owner.words.iter().map(String::as_str);
    let behind = |option: &str| words().skip_while(|word| *word != option).nth(1);
    Some((behind("-container-ip")?, behind("-container-port")?))
}

/// Reads the port inside the container that docker's proxy leads to.
pub(crate) fn container_port(owner: &Owner) -> Option<u16> {
    container_behind(owner)?.1.parse().ok()
}

/// Lists the ports that a proxy's words name, as `socat TCP-LISTEN:7777 TCP:db:5432` and `nc db 5432` do.
pub(crate) fn named_ports(owner: &Owner) -> impl Iterator<Item = u16> {
    let parts = owner.words.iter().skip(1).flat_map(|word| word.split([':', ' ', '/', ',', '\'', '"']));
    parts.filter_map(|part| part.parse().ok())
}

/// Finds the engine of a Unix socket by its name; an abstract one begins with `@`.
pub(crate) fn engine_of_socket(path: &Path) -> Option<Engine> {
    let name = path.file_name()?.to_str()?;
    Engine::named(SOCKETS.find(name.strip_prefix('@').unwrap_or(name))?)
}

fn program(name: &str) -> Option<Kind> {
    // A program that was replaced while it ran.
    let name = name.strip_suffix(" (deleted)").unwrap_or(name);
    // As Nix names what it starts by a script of its own.
    let name = name.strip_prefix('.').and_then(|name| name.strip_suffix("-wrapped")).unwrap_or(name);
    let cut_off = || {
        let whole = |(known, row): (&'static str, &'static str)| (known.get(..SHORT_NAME) == Some(name)).then_some(row);
        (name.len() == SHORT_NAME).then(|| PROGRAMS.iter().find_map(whole)).flatten()
    };
    PROGRAMS.find(name).or_else(cut_off).and_then(row)
}

/// Looks at the name that a program was called by, which one with several shows by it (Debian's `redis-server` is
/// `redis-check-rdb`). Some write what they do behind it: `redis-server 127.0.0.1:6379`.
fn called(words: &[String]) -> Option<Kind> {
    let name = words.first()?.split([' ', ':']).next()?;
    program(name.rsplit('/').next()?)
}

/// Looks at the words of an interpreter: its script, or the class or archive that Java runs. Other words may name
/// anything.
fn words(words: &[String]) -> Option<Kind> {
    let file_name = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let mut arguments = words.iter().skip(1);
    let script = words.iter().skip(1).find(|word| !word.starts_with('-')).and_then(|word| program(&file_name(word)));
    let is_class = |word: &&String| word.contains('.') && !word.starts_with('-');
    script.or_else(|| {
        arguments.find_map(|word| {
            Some(word)
                .filter(is_class)
                .and_then(|word| PROGRAMS.find(word).or_else(|| PROGRAMS.find(&file_name(word))).and_then(row))
        })
    })
}

fn row(row: &str) -> Option<Kind> {
    let (kind, engine) = row.split_once(' ')?;
    let engine = Engine::named(engine.trim_start())?;
    Some(match kind {
        "server" => Kind::Server(engine),
        "tunnel" => Kind::Tunnel,
        "proxy" => Kind::Proxy(engine),
        "container" => Kind::Container,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(program: Option<&str>, words: &[&str], account: Option<&str>) -> Owner {
        Owner {
            program: program.map(str::to_owned),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            account_name: account.map(str::to_owned),
            ..Owner::default()
        }
    }

    #[test]
    fn every_line_can_be_read() {
        for (name, text) in PROGRAMS.iter() {
            assert!(row(text).is_some(), "{name}");
        }
        for (name, engine) in ACCOUNTS.iter().chain(SOCKETS.iter()) {
            assert!(Engine::named(engine).is_some(), "{name}");
        }
    }

    #[test]
    fn programs_are_known_by_name_script_class_and_account() {
        let cassandra = ["java", "-cp", "/usr/share/x.jar", "org.apache.cassandra.service.CassandraDaemon"];
        type Case<'c> = (Option<&'c str>, &'c [&'c str], Option<&'c str>, Kind);
        let cases: [Case<'_>; 18] = [
            (Some("postgres"), &[], None, Kind::Server(Engine::Postgres)),
            (Some("postgres (deleted)"), &[], None, Kind::Server(Engine::Postgres)),
            (Some("clickhouse-serv"), &[], None, Kind::Server(Engine::Clickhouse)),
            (Some("redis-server"), &[], None, Kind::Server(Engine::Redis)),
            (Some("redis-check-rdb"), &["/usr/bin/redis-server 127.0.0.1:6399"], None, Kind::Server(Engine::Redis)),
            (Some("busybox"), &["nc", "-l", "-p", "7777"], None, Kind::Proxy(Engine::Unknown)),
            (Some("ssh"), &["ssh", "-L", "5432:db:5432", "bastion"], None, Kind::Tunnel),
            (Some("pgbouncer"), &[], None, Kind::Proxy(Engine::Postgres)),
            (Some("haproxy"), &[], None, Kind::Proxy(Engine::Unknown)),
            (Some("docker-proxy"), &[], None, Kind::Container),
            (Some("java"), &cassandra, None, Kind::Server(Engine::Cassandra)),
            (Some("java"), &["java", "-jar", "/opt/DynamoDBLocal.jar"], None, Kind::Server(Engine::Dynamodb)),
            (Some("python3"), &["python3", "-s", "/usr/bin/sshuttle"], None, Kind::Tunnel),
            // What a server is told is nothing that it is.
            (Some("node"), &["node", "server.js", "postgres", "ssh"], None, Kind::Other),
            (Some("vite"), &[], Some("mysql"), Kind::Other),
            (None, &[], Some("mysql"), Kind::Server(Engine::Mysql)),
            (None, &[], Some("root"), Kind::Other),
            (None, &[], None, Kind::Other),
        ];
        for (program, words, account, expected) in cases {
            assert_eq!(kind(&owner(program, words, account)), expected, "{program:?} {words:?} {account:?}");
        }
    }

    #[test]
    fn a_proxys_words_name_ports() {
        for (words, expected) in [
            (&["socat", "TCP-LISTEN:7777,fork", "TCP:db:5432"][..], &[7777, 5432][..]),
            (&["nc", "-l", "7777", "--sh-exec", "nc db 5432"], &[7777, 5432]),
            (&["socat", "TCP-LISTEN:8080,backlog=4000", "UNIX:/run/5432x"], &[8080]),
            (&["5432"], &[]),
        ] {
            assert_eq!(named_ports(&owner(None, words, None)).collect::<Vec<_>>(), expected, "{words:?}");
        }
    }

    #[test]
    fn sockets_are_known_by_their_names() {
        let cases = [
            ("@mysql.sock", Some(Engine::Mysql)),
            ("/var/run/postgresql/.s.PGSQL.5432", Some(Engine::Postgres)),
            ("/tmp/mysql.sock", Some(Engine::Mysql)),
            ("/run/mysqld/mysqlx.sock", Some(Engine::Mysql)),
            ("/tmp/mongodb-27017.sock", Some(Engine::Mongodb)),
            ("/run/redis/redis-server.sock", Some(Engine::Redis)),
            ("/run/docker.sock", None),
            ("/tmp/.X11-unix/X0", None),
        ];
        for (path, engine) in cases {
            assert_eq!(engine_of_socket(Path::new(path)), engine, "{path}");
        }
    }
}
