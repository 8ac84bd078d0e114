//! Finds MongoDB's tools on this machine, or inside a container, and tells what they are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::own_tools;
use crate::own_tools::ToolEnvironment;
use crate::snapshot::containers::{Inside, Listing};

/// Names of the two programs.
const NAMES: (&str, &str) = ("mongodump", "mongorestore");

/// The first version that reads a URL from a file: in an argument everybody could see the password.
const FIRST: (u32, u32) = (100, 3);

/// Folders of folders in which platforms keep the programs; see [`ToolEnvironment::folders_below`].
const PARENTS: [(&str, &str, &str); 7] = [
    ("/opt/homebrew/opt", "mongodb-database-tools", "bin"),
    ("/usr/local/opt", "mongodb-database-tools", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "mongodb-database-tools", "bin"),
    ("/usr/local", "mongodb-database-tools", "bin"),
    ("/opt", "mongodb-database-tools", "bin"),
    ("/opt/local/lib", "mongodb-database-tools", "bin"),
    ("$HOME", "mongodb-database-tools", "bin"),
];

/// The two programs, of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tools {
    /// `mongodump`.
    pub(crate) dump: PathBuf,
    /// `mongorestore`.
    pub(crate) restore: PathBuf,
    /// Their version, as they say it.
    pub(crate) version: String,
    /// The server inside whose container they are; `None` for those of this machine.
    pub(crate) inside: Option<Inside>,
}

/// Those inside a container.
pub(crate) const LISTING: Listing<Tools> = Listing { script: INSIDE, read: listed, at_once: 2 };

/// Lists in a container those on `PATH`, each with what it says of itself, in one line.
const INSIDE: &str = r#"dump=$(command -v mongodump) && restore=$(command -v mongorestore) &&
    printf '%s\t%s\t%s\t%s\n' "$dump" "$restore" "$("$dump" --version | head -n 1)" "$("$restore" --version | head -n 1)"; :"#;

fn listed(line: &str, server: &Inside) -> Option<Tools> {
    let mut parts = line.split('\t');
    let (dump, restore) = (parts.next()?.into(), parts.next()?.into());
    let (version, other) = (said_by(parts.next()?)?, said_by(parts.next()?)?);
    (version == other).then(|| Tools { dump, restore, version, inside: Some(server.clone()) })
}

/// Lists the pairs: those of `PATH` first, then those that nothing has to name.
pub(crate) fn installed(environment: &ToolEnvironment) -> Vec<Tools> {
    let others = environment.outside(environment.folders_below(&PARENTS));
    environment.folders().into_iter().chain(others).filter_map(|folder| pair(&folder)).collect()
}

fn pair(folder: &Path) -> Option<Tools> {
    let program = |name| own_tools::find_all(name, &[folder.to_owned()]).pop();
    let (dump, restore) = (program(NAMES.0)?, program(NAMES.1)?);
    let asked = |program: &Path| {
        let answer = own_tools::ask(program, &[OsStr::new("--version")], &[]).ok()?;
        said_by(&String::from_utf8(answer.stdout).ok()?)
    };
    let version = asked(&dump)?;
    (asked(&restore)? == version).then_some(Tools { dump, restore, version, inside: None })
}

/// Reads the version in what a program says of itself, `mongodump version: 100.9.4`, where it is one that can be used.
fn said_by(said: &str) -> Option<String> {
    let version = said.lines().next()?.split_once(" version: ")?.1.trim();
    let mut numbers = version.trim_start_matches(['r', 'v']).split(['.', '-']).map(|number| number.parse::<u32>().ok());
    let found = (numbers.next()??, numbers.next()??);
    (found >= FIRST).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::own_tools::containers::container::Container;
    use crate::snapshot::testing::write_program;

    #[test]
    fn only_tools_that_read_the_url_from_a_file_count() {
        for (said, expected) in [
            ("mongodump version: 100.9.4\ngit version: 0b36\n", Some("100.9.4")),
            ("mongodump version: 100.3.0", Some("100.3.0")),
            ("mongorestore version: 101.0.0-rc1", Some("101.0.0-rc1")),
            ("mongodump version: 100.2.1", None),
            ("mongodump version: r4.0.28", None),
            ("mongodump version: built-without-version-string", None),
            ("mongodump wrapper", None),
            ("", None),
        ] {
            assert_eq!(said_by(said).as_deref(), expected, "{said}");
        }
    }

    #[test]
    fn a_pair_is_of_one_version_here_and_inside() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path();
        let says = |name: &str, version: &str| {
            write_program(&folder.join(name), &format!("#!/bin/sh\necho '{name} version: {version}'\necho more\n"));
        };
        says("mongodump", "100.9.4");
        assert_eq!(pair(folder), None);
        says("mongorestore", "100.9.3");
        assert_eq!(pair(folder), None);
        says("mongorestore", "100.9.4");
        assert_eq!(pair(folder).unwrap().version, "100.9.4");
        let inside = Inside { container: Container::with_programs_of(folder), port: 27017 };
        let found = LISTING.of(&inside).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].dump.clone(), found[0].inside.clone()), (folder.join("mongodump"), Some(inside)));
    }
}
