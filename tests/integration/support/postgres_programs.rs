//! Finds PostgreSQL's programs of a version: what `tests/servers` fetched, else what the machine has.
//!
//! The unit tests include this file, too.
#![allow(clippy::disallowed_methods, reason = "tests may, and what is read here is the environment of the tests")]
#![allow(dead_code, reason = "each of the two needs only a part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Programs {
    pub(crate) major: u32,
    /// The folder with `initdb` and `postgres`; mostly with `psql`, `pg_dump` and `pg_restore`, too.
    pub(crate) folder: PathBuf,
}

impl Programs {
    /// Finds those of a major version.
    ///
    /// # Panics
    ///
    /// If there are none: a test that needs a version does not pass without it.
    #[track_caller]
    pub(crate) fn of_version(major: u32) -> Programs {
        let found = fetched().into_iter().chain(installed()).find(|programs| programs.major == major);
        found.unwrap_or_else(|| {
            panic!(
                "this test needs PostgreSQL {major}: `tests/run --prepare` fetches 16 to 18, \
                 `tests/run --long --prepare` 12 to 14 besides; where it does not, it says what to install"
            )
        })
    }

    /// Finds the machine's own, of whatever version that is; of several the newest.
    ///
    /// # Panics
    ///
    /// If PostgreSQL is not installed.
    #[track_caller]
    pub(crate) fn of_machine() -> Programs {
        installed().pop().expect(
            "these tests need a PostgreSQL server (initdb, postgres): \
             `tests/run` installs it on Debian; elsewhere `brew install postgresql@17` or your system's package",
        )
    }

    /// Gives a folder whose client programs can talk to this server: its own, or where only the server was fetched, newer
    /// ones.
    pub(crate) fn clients(&self) -> PathBuf {
        let folders = std::iter::once(self.folder.clone()).chain(fetched().into_iter().rev().map(|other| other.folder));
        let with_psql = |folder: &PathBuf| folder.join("psql").exists();
        folders.into_iter().find(with_psql).expect("client programs: `tests/run --prepare` fetches them")
    }

    /// Gives a folder with the same server that whoever runs it can reach: root lends it to another user, who may not reach
    /// this project's folder. What was fetched is copied (linked, where that goes) into `folder`.
    pub(crate) fn for_another_user(&self, folder: &Path) -> PathBuf {
        let Ok(place) = self.folder.strip_prefix(servers()) else { return self.folder.clone() };
        let version = place.components().next().unwrap();
        let script = "cp -al \"$1\" \"$2\" 2>/dev/null || { rm -rf \"$2\" && cp -a \"$1\" \"$2\"; }";
        let copy = folder.join("programs");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, "sh"]).arg(servers().join(version)).arg(&copy);
        assert!(command.status().unwrap().success(), "{} cannot be copied", self.folder.display());
        copy.join("bin")
    }
}

/// Where `tests/servers` puts them.
fn servers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/servers")
}

/// Lists what `tests/servers` fetched, by version.
pub(crate) fn fetched() -> Vec<Programs> {
    in_folders(&[servers().to_str().unwrap()], "postgres-")
}

/// Lists those that are installed where Debian or Homebrew has them, by version; else those on `PATH`.
pub(crate) fn installed() -> Vec<Programs> {
    let parents = ["/opt/homebrew/opt", "/usr/local/opt", "/Library/PostgreSQL"];
    let mut found = in_folders(&["/usr/lib/postgresql"], "");
    found.extend(in_folders(&parents, "postgresql@"));
    found.sort_by_key(|programs| programs.major);
    if found.is_empty() {
        let path = std::env::var_os("PATH").unwrap_or_default();
        found.extend(std::env::split_paths(&path).find_map(|folder| {
            let major = asked(&folder)?;
            Some(Programs { major, folder })
        }));
    }
    found
}

fn in_folders(parents: &[&str], prefix: &str) -> Vec<Programs> {
    let mut found = Vec::new();
    for entry in parents.iter().flat_map(fs::read_dir).flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let major = name.strip_prefix(prefix).and_then(|version| version.parse().ok());
        found.extend(major.map(|major| Programs { major, folder: entry.path().join("bin") }));
    }
    found.retain(|programs| programs.folder.join("initdb").exists() && programs.folder.join("postgres").exists());
    found.sort_by_key(|programs| programs.major);
    found
}

/// Asks the server in a folder which version it is: `postgres (PostgreSQL) 15.18 (Debian …)`.
fn asked(folder: &Path) -> Option<u32> {
    if !folder.join("initdb").exists() {
        return None;
    }
    let answer = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
    let answer = String::from_utf8(answer.stdout).ok()?;
    answer.split("(PostgreSQL) ").nth(1)?.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}
