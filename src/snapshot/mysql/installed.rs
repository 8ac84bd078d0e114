//! Finds the client programs of MySQL and MariaDB on this machine, and tells what they are: never by their names.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use crate::own_tools;
use crate::own_tools::{ToolCommand, ToolEnvironment};
use crate::snapshot::containers::{Inside, Listing};
use crate::snapshot::mysql::version::{Flavor, Version};

/// Names of the two programs: those that only MariaDB has come first, since its packages have both.
const PAIRS: [(&str, &str); 2] = [("mariadb", "mariadb-dump"), ("mysql", "mysqldump")];

/// Folders of folders in which platforms and version managers keep the programs; see [`ToolEnvironment::folders_below`].
const PARENTS: [(&str, &str, &str); 22] = [
    ("/opt/homebrew/opt", "mysql", "bin"),
    ("/opt/homebrew/opt", "mariadb", "bin"),
    ("/usr/local/opt", "mysql", "bin"),
    ("/usr/local/opt", "mariadb", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "mysql", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "mariadb", "bin"),
    ("/usr/local", "mysql", "bin"),
    ("/usr/local", "mariadb", "bin"),
    ("/opt", "mysql", "bin"),
    ("/opt", "mariadb", "bin"),
    ("/opt/local/lib", "mysql", "bin"),
    ("/opt/local/lib", "mariadb", "bin"),
    ("/Users/Shared/DBngin/mysql", "", "bin"),
    ("/Users/Shared/DBngin/mariadb", "", "bin"),
    ("$HOME/.asdf/installs/mysql", "", "bin"),
    ("$HOME/.asdf/installs/mariadb", "", "bin"),
    ("$ASDF_DATA_DIR/installs/mysql", "", "bin"),
    ("$ASDF_DATA_DIR/installs/mariadb", "", "bin"),
    ("$HOME/.local/share/mise/installs/mysql", "", "bin"),
    ("$HOME/.local/share/mise/installs/mariadb", "", "bin"),
    ("$MISE_DATA_DIR/installs/mysql", "", "bin"),
    ("$MISE_DATA_DIR/installs/mariadb", "", "bin"),
];

/// A client and the dump program that came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tools {
    /// The client: `mariadb`, `mysql`.
    pub(crate) client: PathBuf,
    /// The dump program: `mariadb-dump`, `mysqldump`.
    pub(crate) dump: PathBuf,
    /// Whose they are.
    pub(crate) flavor: Flavor,
    /// Their version.
    pub(crate) version: Version,
    /// The server inside whose container they are; `None` for those of this machine.
    pub(crate) inside: Option<Inside>,
}

impl Tools {
    /// Makes the command of one of them, with these variables and no others.
    pub(crate) fn command(&self, program: &Path, variables: &[(OsString, OsString)]) -> ToolCommand {
        ToolCommand::of(program, self.inside.as_ref().map(|inside| &inside.container), variables)
    }

    /// Writes what they are: `MariaDB 10.11.19 in /usr/bin`.
    #[must_use]
    pub(crate) fn named(&self) -> String {
        let folder = self.dump.parent().unwrap_or(Path::new("/"));
        let inside = self.inside.as_ref().map(|inside| format!(" of the container {}", inside.container.name()));
        format!("{} {} in {}{}", self.flavor, self.version, crate::text::shown(folder), inside.unwrap_or_default())
    }
}

/// The pairs inside a container.
pub(crate) const LISTING: Listing<Tools> = Listing { script: PAIRS_INSIDE, read: pair, at_once: 2 };

fn pair(line: &str, server: &Inside) -> Option<Tools> {
    let mut parts = line.split('\t');
    let (client, dump) = (parts.next()?, parts.next()?);
    let ((flavor, version), of_client) = (said_by(parts.next()?)?, said_by(parts.next()?)?);
    let tools = Tools { client: client.into(), dump: dump.into(), flavor, version, inside: Some(server.clone()) };
    (of_client == (flavor, version)).then_some(tools)
}

/// Lists in a container the pairs on `PATH`, each with what both say of themselves: an image may have the one's server, and
/// clients of both.
const PAIRS_INSIDE: &str = r#"pair() {
    client=$(command -v "$1") && dump=$(command -v "$2") &&
        printf '%s\t%s\t%s\t%s\n' "$client" "$dump" "$("$dump" --no-defaults --version)" "$("$client" --no-defaults --version)"
}
pair mariadb mariadb-dump; pair mysql mysqldump; :"#;

/// Lists the pairs of programs: those of `PATH` first, then those that nothing has to name. Programs that are links to one
/// another count once.
pub(crate) fn installed(environment: &ToolEnvironment) -> Vec<Tools> {
    among(environment.folders().into_iter().chain(environment.outside(environment.folders_below(&PARENTS))))
}

fn among(folders: impl IntoIterator<Item = PathBuf>) -> Vec<Tools> {
    let mut found: Vec<(PathBuf, Tools)> = Vec::new();
    for folder in folders {
        for (client, dump) in PAIRS {
            let program = |name| own_tools::find_all(name, std::slice::from_ref(&folder)).pop();
            let (Some(client), Some(dump)) = (program(client), program(dump)) else { continue };
            let Ok(real) = fs::canonicalize(&dump) else { continue };
            if found.iter().any(|(known, _)| *known == real) {
                continue;
            }
            // A folder of links may have each from elsewhere.
            let (Some(of_dump), Some(of_client)) = (asked(&dump), asked(&client)) else { continue };
            if of_dump == of_client {
                let (flavor, version) = of_dump;
                found.push((real, Tools { client, dump, flavor, version, inside: None }));
            }
        }
    }
    found.into_iter().map(|(_, tools)| tools).collect()
}

/// Asks a program what it is, without any option file.
fn asked(program: &Path) -> Option<(Flavor, Version)> {
    let words = ["--no-defaults", "--version"].map(OsStr::new);
    let answer = own_tools::ask(program, &words, &[]).ok()?;
    said_by(&String::from_utf8(answer.stdout).ok()?)
}

/// Reads what a program says of itself: `mysqldump  Ver 8.0.36 for Linux on x86_64 (…)`,
/// `mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)`,
/// `mariadb-dump from 11.4.5-MariaDB, client 10.19 for Linux (x86_64)`.
fn said_by(said: &str) -> Option<(Flavor, Version)> {
    let line = said.lines().next()?;
    let after = |mark: &str| line.split_once(mark).map(|(_, rest)| rest.trim_start());
    let version = after("Distrib ").or_else(|| after(" from ")).or_else(|| after("Ver "))?;
    let word = version.split([' ', ',']).next()?;
    let flavor = if line.contains("MariaDB") { Flavor::Mariadb } else { Flavor::Mysql };
    Some((flavor, Version::read(word)?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::own_tools::containers::container::Container;
    use crate::snapshot::testing::write_program;

    fn program(path: &Path, says: &str) {
        write_program(path, &format!("#!/bin/sh\necho '{says}'\n"));
    }

    #[test]
    fn what_a_program_is_is_read_from_its_answer() {
        let mariadb = |version| Some((Flavor::Mariadb, Version::read(version).unwrap()));
        let mysql = |version| Some((Flavor::Mysql, Version::read(version).unwrap()));
        for (said, expected) in [
            ("mysqldump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)", mariadb("10.11.19")),
            ("mariadb  Ver 15.1 Distrib 10.6.16-MariaDB, for Linux (x86_64) using readline 5.1", mariadb("10.6.16")),
            ("mariadb-dump from 11.4.5-MariaDB, client 10.19 for Linux (x86_64)", mariadb("11.4.5")),
            ("mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)", mysql("8.0.36")),
            ("/usr/bin/mysqldump  Ver 9.7.4 for Linux on x86_64 (Source distribution)", mysql("9.7.4")),
            ("mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)", mysql("5.7.44")),
            ("mysqldump wrapper", None),
            ("", None),
        ] {
            assert_eq!(said_by(said), expected, "{said}");
        }
    }

    #[test]
    fn inside_a_container_all_pairs_count() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path();
        for name in ["mariadb", "mariadb-dump"] {
            program(&folder.join(name), "x  Ver 10.19 Distrib 10.11.19-MariaDB, for Linux (x86_64)");
        }
        for name in ["mysql", "mysqldump"] {
            program(&folder.join(name), "x  Ver 9.7.4 for Linux on x86_64");
        }
        let found = LISTING.of(&Inside { container: Container::with_programs_of(folder), port: 3306 }).unwrap();
        let named: Vec<String> = found.iter().map(Tools::named).collect();
        let place = format!("{} of the container saved", folder.display());
        assert_eq!(named, [format!("MariaDB 10.11.19 in {place}"), format!("MySQL 9.7.4 in {place}")]);
    }

    #[test]
    fn a_pair_counts_once_and_only_where_both_are_of_one_version() {
        let temporary = tempfile::tempdir().unwrap();
        let [own, links, mixed, half] = ["own", "links", "mixed", "half"].map(|name| temporary.path().join(name));
        [&own, &links, &mixed, &half].into_iter().for_each(|folder| fs::create_dir(folder).unwrap());
        let ten = "x  Ver 10.19 Distrib 10.11.19-MariaDB, for Linux (x86_64)";
        for name in ["mariadb", "mariadb-dump"] {
            program(&own.join(name), ten);
            symlink(own.join(name), links.join(name)).unwrap();
        }
        symlink("mariadb", own.join("mysql")).unwrap();
        symlink("mariadb-dump", own.join("mysqldump")).unwrap();
        program(&mixed.join("mysql"), ten);
        program(&mixed.join("mysqldump"), "mysqldump  Ver 8.0.36 for Linux on x86_64");
        program(&half.join("mysqldump"), "mysqldump  Ver 8.0.36 for Linux on x86_64");
        let found = among([links.clone(), own, mixed, half]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].dump.clone(), found[0].flavor), (links.join("mariadb-dump"), Flavor::Mariadb));
    }
}
