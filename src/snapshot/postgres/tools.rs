//! Finds the real `pg_dump`, `pg_restore` and `psql`, and tells their major version.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::own_tools;
use crate::snapshot::postgres::PostgresError;
use crate::text::shown;

/// The client tools of one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tools {
    /// Their folder.
    pub(crate) folder: PathBuf,
    /// Their major version.
    pub(crate) major: u32,
}

impl Tools {
    #[must_use]
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Finds the client tools for a server of version `server_major`: the same major version, else the lowest later one.
/// Without a version, the latest tools.
///
/// `own` are the folders of `PATH`; they come before the platform's usual ones where both have the version. Debian's
/// `/usr/bin/pg_dump` is a Perl script that looks for the real one and costs 40 ms a call: it is passed over. A version
/// is read from the folder's name where that is certain (`/usr/lib/postgresql/15/bin`), else by `pg_dump --version`.
///
/// # Errors
///
/// [`PostgresError::NoTools`] and [`PostgresError::ToolsTooOld`].
pub(crate) fn find(server_major: Option<u32>, own: &[PathBuf]) -> Result<Tools, PostgresError> {
    choose(installed(own, &usual_folders()), server_major)
}

/// Chooses among the tools found, in order of preference for equal versions.
fn choose(found: Vec<Tools>, server_major: Option<u32>) -> Result<Tools, PostgresError> {
    if found.is_empty() {
        return Err(PostgresError::NoTools);
    }
    let Some(server) = server_major else {
        let latest = found.iter().map(|tools| tools.major).max().unwrap_or_default();
        return found.into_iter().find(|tools| tools.major == latest).ok_or(PostgresError::NoTools);
    };
    let adequate = found.iter().map(|tools| tools.major).filter(|major| *major >= server).min();
    match found.iter().find(|tools| Some(tools.major) == adequate) {
        Some(tools) => Ok(tools.clone()),
        None => {
            let found: Vec<String> =
                found.iter().map(|tools| format!("{} in {}", tools.major, shown(&tools.folder))).collect();
            Err(PostgresError::ToolsTooOld { server, found: found.join(", ") })
        }
    }
}

/// Lists every folder with a whole set of real tools, those of `PATH` first.
fn installed(own: &[PathBuf], usual: &[PathBuf]) -> Vec<Tools> {
    let mut tools: Vec<Tools> = Vec::new();
    for folder in own.iter().chain(usual) {
        if tools.iter().any(|known| known.folder == *folder) {
            continue;
        }
        if let Some(major) = version_of(folder) {
            tools.push(Tools { folder: folder.clone(), major });
        }
    }
    tools
}

/// Tells the version of the tools in a folder; `None` where one of the three is missing or a wrapper.
fn version_of(folder: &PathBuf) -> Option<u32> {
    let real = |name: &str| {
        let found = own_tools::find_all(name, std::slice::from_ref(folder)).pop()?;
        let real = fs::canonicalize(found).ok()?;
        (real.file_name() != Some(OsStr::new("pg_wrapper"))).then_some(real)
    };
    let dump = real("pg_dump")?;
    real("pg_restore")?;
    real("psql")?;
    version_in_path(&dump).or_else(|| version_by_asking(&folder.join("pg_dump")))
}

/// Reads the version that a path tells for certain, by the layouts of Debian, PGDG for Red Hat, Homebrew, Postgres.app,
/// MacPorts and Alpine.
fn version_in_path(program: &Path) -> Option<u32> {
    let text = program.to_str()?;
    let layouts = [
        "/usr/lib/postgresql/",
        "/usr/pgsql-",
        "/Cellar/libpq/",
        "/Postgres.app/Contents/Versions/",
        "/opt/local/lib/postgresql",
        "/usr/libexec/postgresql",
    ];
    for layout in layouts {
        if let Some(at) = text.find(layout)
            && let Some(major) = leading_number(&text[at + layout.len()..])
        {
            return Some(major);
        }
    }
    let at = text.find("/Cellar/postgresql@")?;
    leading_number(&text[at + "/Cellar/postgresql@".len()..])
}

fn version_by_asking(program: &Path) -> Option<u32> {
    let answer = own_tools::ask(program, &[OsStr::new("--version")], &[]).ok()?;
    leading_number(String::from_utf8(answer.stdout).ok()?.split("(PostgreSQL) ").nth(1)?)
}

fn leading_number(text: &str) -> Option<u32> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Lists the folders in which platforms keep the tools.
fn usual_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let parents = [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/usr/libexec", "postgresql"),
        ("/opt/homebrew/opt", "postgresql@"),
        ("/opt/homebrew/opt", "libpq"),
        ("/usr/local/opt", "postgresql@"),
        ("/usr/local/opt", "libpq"),
        ("/home/linuxbrew/.linuxbrew/opt", "postgresql@"),
        ("/Applications/Postgres.app/Contents/Versions", ""),
        ("/opt/local/lib", "postgresql"),
    ];
    for (parent, prefix) in parents {
        let Ok(entries) = fs::read_dir(parent) else { continue };
        let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        for name in names {
            if name.to_str().is_some_and(|name| name.starts_with(prefix)) {
                folders.push(Path::new(parent).join(name).join("bin"));
            }
        }
    }
    folders.extend(["/nix/var/nix/profiles/default/bin", "/run/current-system/sw/bin"].map(PathBuf::from));
    folders
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::snapshot::testing::write_program;

    fn tools(versions: &[u32]) -> Vec<Tools> {
        versions.iter().map(|major| Tools { folder: format!("/v{major}").into(), major: *major }).collect()
    }

    #[test]
    fn the_servers_version_is_chosen_else_the_lowest_later_one() {
        let cases: [(&[u32], Option<u32>, u32); 5] = [
            (&[17, 15, 16], Some(15), 15),
            (&[17, 16, 13], Some(14), 16),
            (&[13, 17, 16], None, 17),
            (&[15], Some(15), 15),
            (&[18, 9], Some(9), 9),
        ];
        for (found, server, expected) in cases {
            assert_eq!(choose(tools(found), server).unwrap().major, expected, "{found:?} for {server:?}");
        }
    }

    #[test]
    fn tools_older_than_the_server_are_named() {
        let error = choose(tools(&[13, 14]), Some(15)).unwrap_err().to_string();
        assert_eq!(error, "the PostgreSQL tools found (13 in /v13, 14 in /v14) are older than the server (version 15)");
        assert!(matches!(choose(Vec::new(), Some(15)), Err(PostgresError::NoTools)));
    }

    #[test]
    fn the_version_is_read_from_the_layouts_of_platforms() {
        let cases = [
            ("/usr/lib/postgresql/15/bin/pg_dump", Some(15)),
            ("/usr/pgsql-16/bin/pg_dump", Some(16)),
            ("/opt/homebrew/Cellar/postgresql@14/14.13_1/bin/pg_dump", Some(14)),
            ("/opt/homebrew/Cellar/libpq/17.2/bin/pg_dump", Some(17)),
            ("/Applications/Postgres.app/Contents/Versions/16/bin/pg_dump", Some(16)),
            ("/Applications/Postgres.app/Contents/Versions/latest/bin/pg_dump", None),
            ("/usr/bin/pg_dump", None),
        ];
        for (path, expected) in cases {
            assert_eq!(version_in_path(Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn a_wrapper_is_passed_over_and_a_program_on_the_path_is_asked() {
        let temporary = tempfile::tempdir().unwrap();
        let (wrapped, own) = (temporary.path().join("wrapped"), temporary.path().join("own"));
        for folder in [&wrapped, &own] {
            fs::create_dir(folder).unwrap();
        }
        let wrapper = temporary.path().join("pg_wrapper");
        write_program(&wrapper, "#!/bin/sh\necho 'pg_dump (PostgreSQL) 99.1'\n");
        for name in ["pg_dump", "pg_restore", "psql"] {
            symlink(&wrapper, wrapped.join(name)).unwrap();
            write_program(&own.join(name), "#!/bin/sh\necho 'pg_dump (PostgreSQL) 16.4 (local build)'\n");
        }
        assert_eq!(installed(&[wrapped, own.clone()], &[]), [Tools { folder: own, major: 16 }]);
    }

    #[test]
    fn this_machine_has_tools() {
        let tools = find(Some(10), &[]).unwrap();
        assert!(tools.program("pg_dump").is_file());
    }
}
