//! Chooses among the client tools that are installed: to save a server's databases so that they come back, and to read
//! such a dump again.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::lists::{List, list};
use crate::own_tools::ToolCommand;
use crate::snapshot::Manifest;
use crate::snapshot::containers::Inside;
use crate::snapshot::postgres::PostgresError;
use crate::text::shown;

/// The client tools of one folder: `pg_dump`, `pg_restore` and `psql`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tools {
    /// Their folder.
    pub(crate) folder: PathBuf,
    /// Their major version.
    pub(crate) major: u32,
    /// The server inside whose container they are; `None` for those of this machine.
    pub(crate) inside: Option<Inside>,
}

/// The pairs of tools and older servers whose databases are known to come back.
static PROVEN: List = list!("proven.txt");

impl Tools {
    #[must_use]
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes the command of one of them, with these variables and no others.
    pub(crate) fn command(&self, name: &str, variables: &[(OsString, OsString)]) -> ToolCommand {
        ToolCommand::of(&self.program(name), self.inside.as_ref().map(|inside| &inside.container), variables)
    }

    /// Writes where they are: `/usr/lib/postgresql/15/bin`.
    fn place(&self) -> String {
        let folder = shown(&self.folder);
        match &self.inside {
            Some(inside) => format!("{folder} of the container {}", inside.container.name()),
            None => folder.into_owned(),
        }
    }

    /// Tells whether they read a dump that `pg_dump` of that version wrote. What is older reads a format that has not
    /// changed since.
    fn read(&self, written_by: u32) -> bool {
        self.major >= written_by || self.major >= format_since(written_by)
    }
}

/// Tells whether a database of a server of that version is known to come back from a dump by tools of version `major`.
fn bring_back(major: u32, server: u32) -> bool {
    let is_server = |servers: &str| servers.split_whitespace().any(|proven| proven.parse() == Ok(server));
    major == server || PROVEN.find(&major.to_string()).is_some_and(is_server)
}

/// Tells since which version `pg_dump` has written the archive format that it writes in this one. A version that is not
/// known here is taken to have a format of its own.
///
/// Source: PostgreSQL, `src/bin/pg_dump/pg_backup_archiver.h`: format 1.14 came with 12, 1.15 with 16, 1.16 with 17.
fn format_since(major: u32) -> u32 {
    match major {
        12..=15 => 12,
        17..=18 => 17,
        other => other,
    }
}

/// Chooses the latest tools, whose `psql` talks to any server.
///
/// Source: PostgreSQL documentation, "psql", "Notes": it works with servers of the same or an older version, and with newer
/// ones but for its commands with a backslash.
///
/// # Errors
///
/// [`PostgresError::NoTools`].
pub(crate) fn latest(installed: &[Tools]) -> Result<&Tools, PostgresError> {
    // Of equals, the first found.
    installed.iter().rev().max_by_key(|tools| tools.major).ok_or(PostgresError::NoTools)
}

/// Chooses the tools to save a database of a server of that version with: its own version, else the lowest later one from
/// whose dumps such a database is known to come back.
///
/// # Errors
///
/// [`PostgresError::NoTools`], [`PostgresError::ToolsTooOld`] and [`PostgresError::NotKnownToComeBack`].
pub(crate) fn to_save(installed: &[Tools], server: u32) -> Result<&Tools, PostgresError> {
    if installed.is_empty() {
        return Err(PostgresError::NoTools);
    }
    // Of equals, the first found; the server's own version is the lowest of all that can dump it.
    let fitting = installed.iter().filter(|tools| bring_back(tools.major, server)).min_by_key(|tools| tools.major);
    fitting.ok_or_else(|| {
        let found = listed(installed);
        match installed.iter().any(|tools| tools.major > server) {
            true => PostgresError::NotKnownToComeBack { server, found },
            false => PostgresError::ToolsTooOld { server, found },
        }
    })
}

/// Tells whether a snapshot that stands already would come back on a server of that version with the tools that are
/// installed now.
pub(crate) fn can_put_back(installed: &[Tools], snapshot: &Manifest, server: u32) -> bool {
    written_by(snapshot).is_some_and(|major| bring_back(major, server)) && to_read(installed, snapshot).is_ok()
}

/// Reads which major version of `pg_dump` wrote a snapshot's dump: `15.18 (Debian …)`.
fn written_by(snapshot: &Manifest) -> Option<u32> {
    let version = &snapshot.tool.version;
    version.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

/// Chooses the tools that read a dump: of the version that wrote it, else the lowest later one, else the latest of those that
/// know its format. Where the manifest does not say what wrote it, the latest.
///
/// # Errors
///
/// [`PostgresError::NoTools`] and [`PostgresError::DumpTooNew`].
pub(crate) fn to_read<'t>(installed: &'t [Tools], snapshot: &Manifest) -> Result<&'t Tools, PostgresError> {
    let latest = latest(installed)?;
    let Some(written_by) = written_by(snapshot) else { return Ok(latest) };
    let later = installed.iter().filter(|tools| tools.major >= written_by).min_by_key(|tools| tools.major);
    later
        .or_else(|| Some(latest).filter(|tools| tools.read(written_by)))
        .ok_or_else(|| PostgresError::DumpTooNew { written_by, found: listed(installed) })
}

fn listed(tools: &[Tools]) -> String {
    let listed: Vec<String> = tools.iter().map(|tools| format!("{} in {}", tools.major, tools.place())).collect();
    listed.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::postgres::testing::manifest;

    fn tools(versions: &[u32]) -> Vec<Tools> {
        versions
            .iter()
            .enumerate()
            .map(|(at, major)| Tools { folder: format!("/{at}").into(), major: *major, inside: None })
            .collect()
    }

    fn written(by: &str) -> Manifest {
        let mut manifest = manifest(Vec::new(), None);
        manifest.tool.version = by.to_owned();
        manifest
    }

    fn chosen(tools: Result<&Tools, PostgresError>) -> Result<String, String> {
        tools.map(|tools| shown(&tools.folder).into_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_servers_version_saves_else_the_lowest_later_one_that_is_known_to_work() {
        let cases: [(&[u32], u32, &str); 8] = [
            (&[17, 15, 16], 15, "/1"),
            (&[18, 17, 14], 15, "/1"),
            (&[18, 18, 16, 16], 16, "/2"),
            (&[15], 15, "/0"),
            (&[19, 17, 18], 17, "/1"),
            (&[19, 18], 17, "/1"),
            (&[19, 20], 20, "/1"),
            (&[18, 9], 9, "/1"),
        ];
        for (found, server, expected) in cases {
            assert_eq!(chosen(to_save(&tools(found), server)).unwrap(), expected, "{found:?} for {server}");
        }
    }

    #[test]
    fn tools_that_cannot_save_are_named() {
        for (found, expected) in [
            (&[13, 14][..], "the PostgreSQL tools found (13 in /0, 14 in /1) are older than the server (version 15)"),
            (
                &[14, 19],
                "no PostgreSQL tools found (14 in /0, 19 in /1) are known to bring a database of this server (version 15) back",
            ),
            (&[], "no PostgreSQL client tools (pg_dump, pg_restore, psql) found"),
        ] {
            assert_eq!(chosen(to_save(&tools(found), 15)).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_dump_is_read_by_what_wrote_it_or_by_later_ones_or_by_those_that_know_its_format() {
        let cases: [(&[u32], &str, Result<&str, &str>); 9] = [
            (&[18, 15, 17], "15.18 (Debian 15.18-0+deb12u1)", Ok("/1")),
            (&[18, 17, 14], "15.18", Ok("/1")),
            (&[18, 18], "15", Ok("/0")),
            (&[13, 14], "15.18", Ok("/1")),
            (&[17, 15], "18.6", Ok("/0")),
            (&[15, 17], "", Ok("/1")),
            (&[15], "17.10", Err("17, and the PostgreSQL tools found (15 in /0) cannot read it")),
            (&[15], "16.2", Err("16, and the PostgreSQL tools found (15 in /0) cannot read it")),
            (&[18], "19beta1", Err("19, and the PostgreSQL tools found (18 in /0) cannot read it")),
        ];
        for (found, written_by, expected) in cases {
            let expected = expected.map(str::to_owned).map_err(|why| format!("the dump was written by pg_dump {why}"));
            assert_eq!(chosen(to_read(&tools(found), &written(written_by))), expected, "{found:?} for {written_by:?}");
        }
    }

    #[test]
    fn a_snapshot_can_be_put_back_by_tools_that_read_it_where_its_pair_is_known_to_work() {
        let cases: [(&[u32], &str, u32, bool); 6] = [
            (&[15], "15.18", 15, true),
            (&[15], "17.10", 15, false),
            (&[15, 18], "17.10", 15, true),
            (&[20], "20.1", 15, false),
            (&[20], "20.1", 20, true),
            (&[15], "", 15, false),
        ];
        for (found, written_by, server, expected) in cases {
            let found = tools(found);
            assert_eq!(can_put_back(&found, &written(written_by), server), expected, "{found:?} {written_by} {server}");
        }
    }

    #[test]
    fn the_latest_is_the_first_of_that_version() {
        assert_eq!(chosen(latest(&tools(&[15, 18, 17, 18]))).unwrap(), "/1");
        assert!(matches!(latest(&[]), Err(PostgresError::NoTools)));
    }
}
