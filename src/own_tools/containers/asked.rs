//! An engine of containers on this machine that is asked what it has: by its socket, or Podman, which needs none, by its
//! program.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use chrono::DateTime;
use serde::de::DeserializeOwned;

use crate::own_tools::containers::api::{Api, Inspected, Listed, Volume, described};
use crate::own_tools::containers::container::Cli;

/// An engine, by how it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Over its socket. Each answer may take so long.
    Socket(PathBuf, Duration),
    /// By its program.
    Program(Cli),
}

impl Asked {
    /// Lists the containers that run.
    ///
    /// # Errors
    ///
    /// It is not there, or does not answer in time, as for the others.
    pub(crate) fn running(&self) -> io::Result<Vec<Listed>> {
        match self {
            Asked::Socket(socket, patience) => Api::new(socket, *patience).running(),
            Asked::Program(cli) => by_program(cli),
        }
    }

    /// Describes a container.
    ///
    /// # Errors
    ///
    /// As for [`running`](Asked::running).
    pub(crate) fn inspect(&self, container: &str) -> io::Result<Inspected> {
        match self {
            Asked::Socket(socket, patience) => Api::new(socket, *patience).inspect(container),
            Asked::Program(cli) => only(cli, &["container", "inspect", container]),
        }
    }

    /// Describes a volume.
    ///
    /// # Errors
    ///
    /// As for [`running`](Asked::running).
    pub(crate) fn volume(&self, name: &str) -> io::Result<Volume> {
        match self {
            Asked::Socket(socket, patience) => Api::new(socket, *patience).volume(name),
            Asked::Program(cli) => only(cli, &["volume", "inspect", name]),
        }
    }

    /// Lists the command lines of the processes in a container.
    ///
    /// # Errors
    ///
    /// As for [`running`](Asked::running).
    pub(crate) fn processes(&self, container: &str) -> io::Result<Vec<String>> {
        match self {
            Asked::Socket(socket, patience) => Api::new(socket, *patience).processes(container),
            Asked::Program(cli) => {
                let said = text(cli.ask(&["top", container, "args"].map(OsStr::new))?)?;
                // The first line is the column's name.
                Ok(said.lines().skip(1).map(|line| line.trim_end().to_owned()).collect())
            }
        }
    }
}

/// Lists by a program what runs.
pub(super) fn by_program(cli: &Cli) -> io::Result<Vec<Listed>> {
    let said = text(cli.ask(&["ps", "--quiet", "--no-trunc"].map(OsStr::new))?)?;
    let ids: Vec<&str> = said.split_whitespace().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let words: Vec<&OsStr> = ["inspect"].into_iter().chain(ids).map(OsStr::new).collect();
    described(&cli.ask(&words)?)
}

/// Asks a program for the description of one thing, which it gives as a list.
fn only<T: DeserializeOwned>(cli: &Cli, words: &[&str]) -> io::Result<T> {
    let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    let mut found: Vec<T> = serde_json::from_slice(&cli.ask(&words)?).map_err(io::Error::other)?;
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        _ => Err(io::Error::other("it describes something else")),
    }
}

fn text(said: Vec<u8>) -> io::Result<String> {
    String::from_utf8(said).map_err(io::Error::other)
}

/// Reads when an engine says that it made something; `None` where it says no time.
pub(crate) fn made_at(said: &str) -> Option<SystemTime> {
    DateTime::parse_from_rfc3339(said).ok().map(SystemTime::from)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::time::UNIX_EPOCH;

    use super::*;

    /// A program that answers so to whatever it is asked.
    fn program(answer: &str) -> Asked {
        let words = ["-c", &format!("printf '%s\n' '{answer}'")].map(OsString::from).into();
        Asked::Program(Cli { socket: None, program: "/bin/sh".into(), words, variables: Vec::new() })
    }

    #[test]
    fn a_program_describes_what_it_is_asked_for() {
        // Recorded from Podman 4.3.1.
        let container = r#"[{"Id": "d0dd5b0a1917", "Created": "2026-11-28T06:12:55.714599213Z", "Path": "entry.sh", "Args": ["postgres"],
            "State": {"Status": "running", "Pid": 220}, "Rootfs": "", "Name": "saved", "Mounts": [{"Type": "volume", "Name": "saved",
            "Source": "/v/_data", "Destination": "/data", "Driver": "local", "Mode": "", "Options": ["nosuid"], "RW": true}]}]"#;
        let found = program(container).inspect("saved").unwrap();
        assert_eq!((found.name.as_str(), found.start()), ("saved", vec!["entry.sh".to_owned(), "postgres".to_owned()]));
        assert_eq!((found.process(), found.has_its_own_files()), (Some(220), true));
        assert_eq!(found.mounts.unwrap()[0].name.as_deref(), Some("saved"));
        let volume = r#"[{"Name": "saved", "Driver": "local", "Mountpoint": "/v/_data", "CreatedAt":
            "2026-11-28T06:12:55.741329104Z", "Labels": {}, "Scope": "local", "Options": {}}]"#;
        let found = program(volume).volume("saved").unwrap();
        assert_eq!((found.name.as_str(), found.driver.as_str()), ("saved", "local"));
        assert_eq!(made_at(&found.created_at), Some(UNIX_EPOCH + Duration::new(1_795_846_375, 741_329_104)));
        let top = "COMMAND\nrunuser -u postgres\npostgres: checkpointer   ";
        assert_eq!(program(top).processes("saved").unwrap(), ["runuser -u postgres", "postgres: checkpointer"]);
    }

    #[test]
    fn what_describes_nothing_or_too_much_is_an_error() {
        for answer in ["[]", "[{}, {}]", "{}", "no such container"] {
            assert!(program(answer).inspect("saved").is_err(), "{answer}");
        }
        assert_eq!(made_at("yesterday"), None);
    }
}
