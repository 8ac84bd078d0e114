//! Finds the tools of Redis and Valkey on this machine, or inside a container, and tells what they are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::own_tools;
use crate::own_tools::ToolEnvironment;
use crate::snapshot::containers::{Inside, Listing};

/// Whose a program or a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Redis,
    Valkey,
}

/// A version as far as files depend on it.
pub(crate) type Version = (u32, u32);

/// A server program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerProgram {
    pub(crate) path: PathBuf,
    pub(crate) family: Family,
    pub(crate) version: Version,
}

/// The programs of one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tools {
    /// `redis-cli` or `valkey-cli`.
    pub(crate) client: PathBuf,
    pub(crate) family: Family,
    /// The client's version, as it says it.
    pub(crate) version: String,
    /// `redis-check-rdb` or `valkey-check-rdb`, where there is one.
    pub(crate) check: Option<PathBuf>,
    /// The server inside whose container they are; `None` for those of this machine.
    pub(crate) inside: Option<Inside>,
}

/// Folders of folders in which platforms keep the programs; see [`ToolEnvironment::folders_below`].
const PARENTS: [(&str, &str, &str); 6] = [
    ("/opt/homebrew/opt", "redis", "bin"),
    ("/opt/homebrew/opt", "valkey", "bin"),
    ("/usr/local/opt", "redis", "bin"),
    ("/usr/local/opt", "valkey", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "redis", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "valkey", "bin"),
];

/// Those inside a container.
pub(crate) const LISTING: Listing<Tools> = Listing { script: INSIDE, read: listed, at_once: 2 };

/// Lists in a container those on `PATH`, each with what it says of itself, in one line.
const INSIDE: &str = r#"for family in redis valkey; do
    client=$(command -v "$family-cli") &&
    printf '%s\t%s\t%s\n' "$client" "$(command -v "$family-check-rdb")" "$("$client" --version | head -n 1)"
done; :"#;

fn listed(line: &str, server: &Inside) -> Option<Tools> {
    let mut parts = line.split('\t');
    let (client, check) = (parts.next()?.into(), Some(parts.next()?).filter(|path| !path.is_empty()));
    let (family, version) = client_said(parts.next()?)?;
    Some(Tools { client, family, version, check: check.map(PathBuf::from), inside: Some(server.clone()) })
}

impl Family {
    pub(crate) const ALL: [Family; 2] = [Family::Redis, Family::Valkey];

    /// Gives the name with which its programs' names begin.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Family::Redis => "redis",
            Family::Valkey => "valkey",
        }
    }

    /// Names its client.
    pub(crate) fn client(self) -> &'static str {
        match self {
            Family::Redis => "redis-cli",
            Family::Valkey => "valkey-cli",
        }
    }

    /// Names the program that checks files.
    pub(crate) fn check(self) -> &'static str {
        match self {
            Family::Redis => "redis-check-rdb",
            Family::Valkey => "valkey-check-rdb",
        }
    }

    /// Names its server.
    pub(crate) fn server(self) -> &'static str {
        match self {
            Family::Redis => "redis-server",
            Family::Valkey => "valkey-server",
        }
    }
}

fn folders(environment: &ToolEnvironment) -> Vec<PathBuf> {
    let others = environment.outside(environment.folders_below(&PARENTS));
    environment.folders().into_iter().chain(others).collect()
}

/// Lists the clients, each with what is beside it: those of `PATH` first.
pub(crate) fn installed(environment: &ToolEnvironment) -> Vec<Tools> {
    let folders = folders(environment);
    Family::ALL.into_iter().flat_map(|family| folders.iter().filter_map(move |folder| tools(family, folder))).collect()
}

fn found(name: &str, folder: &Path) -> Option<PathBuf> {
    own_tools::find_all(name, &[folder.to_owned()]).pop()
}

fn said(program: &Path) -> Option<String> {
    String::from_utf8(own_tools::ask(program, &[OsStr::new("--version")], &[]).ok()?.stdout).ok()
}

fn tools(family: Family, folder: &Path) -> Option<Tools> {
    let client = found(family.client(), folder)?;
    let (family, version) = client_said(&said(&client)?)?;
    Some(Tools { client, family, version, check: found(family.check(), folder), inside: None })
}

/// Lists the server programs of this machine.
pub(crate) fn servers(environment: &ToolEnvironment) -> Vec<ServerProgram> {
    let program = |family: Family, folder: &Path| {
        let path = found(family.server(), folder)?;
        let (family, version) = server_said(&said(&path)?)?;
        Some(ServerProgram { path, family, version })
    };
    let folders = folders(environment);
    Family::ALL
        .into_iter()
        .flat_map(|family| folders.iter().filter_map(move |folder| program(family, folder)))
        .collect()
}

/// Reads what a client says of itself: `redis-cli 7.0.15`.
fn client_said(said: &str) -> Option<(Family, String)> {
    let (name, version) = said.lines().next()?.split_once(' ')?;
    let family = Family::ALL.into_iter().find(|family| family.client() == name)?;
    let version = version.split(' ').next()?;
    version_of(version)?;
    Some((family, version.to_owned()))
}

/// Reads what a server program says of itself: `Redis server v=7.0.15 sha=00000000:0 …`.
fn server_said(said: &str) -> Option<(Family, Version)> {
    let (name, rest) = said.split_once(" server v=")?;
    let family = Family::ALL.into_iter().find(|family| family.name().eq_ignore_ascii_case(name))?;
    Some((family, version_of(rest.split(' ').next()?)?))
}

/// Reads the two numbers of a version that count.
pub(crate) fn version_of(text: &str) -> Option<Version> {
    let mut numbers = text.trim().split('.').map(|number| number.parse::<u32>().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// Tells which form of the file servers of a version write; `None` where that is not known.
///
/// Source: `RDB_VERSION` in `src/rdb.h` of each.
pub(crate) fn form(family: Family, version: Version) -> Option<u32> {
    match (family, version) {
        (Family::Redis, (5, _) | (6, _)) => Some(9),
        (Family::Redis, (7, 0)) => Some(10),
        (Family::Redis, (7, 2)) | (Family::Valkey, (7, 2) | (8, _)) => Some(11),
        (Family::Redis, (7, 4)) => Some(12),
        _ => None,
    }
}

impl ServerProgram {
    /// Tells whether it reads what a server of that version writes, and that one what this one writes.
    pub(crate) fn fits(&self, family: Family, version: Version) -> bool {
        let same_form = form(self.family, self.version).is_some_and(|own| form(family, version) == Some(own));
        self.family == family && (self.version == version || same_form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::own_tools::containers::container::Container;
    use crate::snapshot::testing::write_program;

    #[test]
    fn programs_say_what_they_are() {
        for (said, expected) in [
            ("redis-cli 7.0.15\n", Some((Family::Redis, "7.0.15"))),
            ("redis-cli 6.2.14 (git:40305114)\n", Some((Family::Redis, "6.2.14"))),
            ("valkey-cli 8.1.8\n", Some((Family::Valkey, "8.1.8"))),
            ("keydb-cli 6.3.4\n", None),
            ("redis-cli wrapper", None),
            ("", None),
        ] {
            let found = client_said(said);
            assert_eq!(found.as_ref().map(|(family, version)| (*family, version.as_str())), expected, "{said}");
        }
        for (said, expected) in [
            ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", Some((Family::Redis, (7, 0)))),
            ("Valkey server v=8.1.8 sha=0", Some((Family::Valkey, (8, 1)))),
            ("redis-check-rdb 7.0.15", None),
        ] {
            assert_eq!(server_said(said), expected, "{said}");
        }
    }

    #[test]
    fn a_server_program_fits_where_both_write_the_same_form() {
        let program = |family, version| ServerProgram { path: "/x".into(), family, version };
        let redis = |version| program(Family::Redis, version);
        assert!(redis((6, 2)).fits(Family::Redis, (5, 0)));
        assert!(redis((7, 0)).fits(Family::Redis, (7, 0)));
        assert!(!redis((7, 0)).fits(Family::Redis, (7, 2)) && !redis((7, 2)).fits(Family::Redis, (7, 0)));
        assert!(redis((9, 9)).fits(Family::Redis, (9, 9)) && !redis((9, 9)).fits(Family::Redis, (9, 8)));
        assert!(program(Family::Valkey, (8, 1)).fits(Family::Valkey, (7, 2)));
        assert!(!program(Family::Valkey, (7, 2)).fits(Family::Redis, (7, 2)));
    }

    #[test]
    fn a_client_is_found_here_and_inside_with_what_is_beside_it() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path();
        let says = |name: &str, said: &str| write_program(&folder.join(name), &format!("#!/bin/sh\necho '{said}'\n"));
        says("redis-cli", "something else");
        assert_eq!(tools(Family::Redis, folder), None);
        says("redis-cli", "redis-cli 7.0.15");
        assert_eq!(tools(Family::Redis, folder).unwrap().check, None);
        says("redis-check-rdb", "redis-check-rdb 7.0.15");
        assert_eq!(tools(Family::Redis, folder).unwrap().check, Some(folder.join("redis-check-rdb")));
        says("valkey-cli", "valkey-cli 8.1.8");
        let inside = Inside { container: Container::with_programs_of(folder), port: 6379 };
        let found = LISTING.of(&inside).unwrap();
        assert_eq!(found.iter().map(|one| one.family).collect::<Vec<_>>(), [Family::Redis, Family::Valkey]);
        assert_eq!((&found[0].check, &found[1].check), (&Some(folder.join("redis-check-rdb")), &None));
        assert_eq!(found[0].inside, Some(inside));
    }
}
