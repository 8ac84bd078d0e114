//! Finds the real `pg_dump`, `pg_restore` and `psql` on this machine, and tells their major version.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::own_tools;
use crate::own_tools::ToolEnvironment;
use crate::snapshot::containers::{Inside, Listing};
use crate::snapshot::postgres::tools::Tools;

/// Folders of folders in which platforms and version managers keep tools; see [`ToolEnvironment::folders_below`].
const PARENTS: [(&str, &str, &str); 22] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/lib", "postgresql", "bin"),
    ("/usr/lib64", "postgresql-", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/opt/homebrew/opt", "libpq", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "libpq", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql@", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "libpq", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ("/Library/PostgreSQL", "", "bin"),
    ("/opt/local/lib", "postgresql", "bin"),
    ("$HOME/.asdf/installs/postgres", "", "bin"),
    ("$ASDF_DATA_DIR/installs/postgres", "", "bin"),
    ("$HOME/.local/share/mise/installs/postgres", "", "bin"),
    ("$MISE_DATA_DIR/installs/postgres", "", "bin"),
    ("$HOME/.pgenv", "pgsql-", "bin"),
    ("$PGENV_ROOT", "pgsql-", "bin"),
    ("$HOME/.pgenv/versions", "", "bin"),
    ("$HOME/.local/state/nix", "profile", "bin"),
];

/// Folders that hold tools themselves.
const FOLDERS: [&str; 3] =
    ["$HOME/.nix-profile/bin", "/nix/var/nix/profiles/default/bin", "/run/current-system/sw/bin"];

/// How paths go on with a version, in the layouts of Debian, PGDG for Red Hat, Alpine, Homebrew, Postgres.app, MacPorts, asdf
/// and mise, and pgenv.
const LAYOUTS: [&str; 9] = [
    "/usr/lib/postgresql/",
    "/usr/pgsql-",
    "/usr/libexec/postgresql",
    "/Cellar/libpq/",
    "/Cellar/postgresql@",
    "/Postgres.app/Contents/Versions/",
    "/opt/local/lib/postgresql",
    "/installs/postgres/",
    "/.pgenv/pgsql-",
];

/// Lists every folder with a whole set of real tools: those of `PATH` first, then those that nothing has to name.
///
/// Debian's `/usr/bin/pg_dump` is a Perl script that looks for the real one and costs 40 ms a call, and version managers put
/// programs of their own in place of all that they manage: they are passed over, and what they lead to is found itself. A
/// version is read from the path where that is certain (`/usr/lib/postgresql/15/bin`), else by `pg_dump --version`.
pub(crate) fn installed(environment: &ToolEnvironment) -> Vec<Tools> {
    among(environment.folders().into_iter().chain(environment.outside(usual_folders(environment))))
}

fn among(folders: impl IntoIterator<Item = PathBuf>) -> Vec<Tools> {
    let mut tools: Vec<Tools> = Vec::new();
    for folder in folders {
        if tools.iter().any(|known| known.folder == folder) {
            continue;
        }
        if let Some(major) = version_of(&folder) {
            tools.push(Tools { folder, major, inside: None });
        }
    }
    tools
}

/// Tells the version of the tools in a folder; `None` where one of the three is missing, is of another version, or leads to a
/// program of another name, a wrapper.
fn version_of(folder: &PathBuf) -> Option<u32> {
    let real = |name: &str| {
        let found = own_tools::find_all(name, std::slice::from_ref(folder)).pop()?;
        let real = fs::canonicalize(found).ok()?;
        (real.file_name() == Some(OsStr::new(name))).then_some(real)
    };
    let (dump, others) = (real("pg_dump")?, [real("pg_restore")?, real("psql")?]);
    let version = |program: &Path| version_in_path(program).or_else(|| version_by_asking(program));
    let major = version(&dump)?;
    // A folder of links may have each from elsewhere; those of one folder came together.
    let goes_with_it = |other: &PathBuf| other.parent() == dump.parent() || version(other) == Some(major);
    others.iter().all(goes_with_it).then_some(major)
}

fn version_in_path(program: &Path) -> Option<u32> {
    let text = program.to_str()?;
    LAYOUTS.iter().find_map(|layout| leading_number(&text[text.find(layout)? + layout.len()..]))
}

fn version_by_asking(program: &Path) -> Option<u32> {
    let answer = own_tools::ask(program, &[OsStr::new("--version")], &[]).ok()?;
    leading_number(String::from_utf8(answer.stdout).ok()?.split("(PostgreSQL) ").nth(1)?)
}

/// The tools inside a container.
pub(crate) const LISTING: Listing<Tools> = Listing { script: FOLDERS_INSIDE, read: folder, at_once: 3 };

fn folder(line: &str, server: &Inside) -> Option<Tools> {
    let (folder, version) = line.split_once('\t')?;
    let major = leading_number(version.split("(PostgreSQL) ").nth(1)?)?;
    Some(Tools { folder: folder.into(), major, inside: Some(server.clone()) })
}

/// Lists in a container the folders that hold all three programs, each with what `pg_dump` says of itself: those whose names
/// begin with a version first, since what is on `PATH` may be a script that looks for them.
const FOLDERS_INSIDE: &str = r#"IFS=:
for folder in /usr/lib/postgresql/*/bin /usr/libexec/postgresql*/ $PATH; do
    folder="${folder%/}"
    [ -x "$folder/pg_dump" ] && [ -x "$folder/pg_restore" ] && [ -x "$folder/psql" ] &&
        printf '%s\t%s\n' "$folder" "$("$folder/pg_dump" --version)"
done; :"#;

fn leading_number(text: &str) -> Option<u32> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Lists the folders in which platforms and version managers keep the tools, whether they are there or not.
fn usual_folders(environment: &ToolEnvironment) -> Vec<PathBuf> {
    let mut folders = environment.folders_below(&PARENTS);
    folders.extend(FOLDERS.iter().filter_map(|folder| environment.placed(folder)));
    folders
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::own_tools::containers::container::Container;
    use crate::snapshot::testing::write_program;

    /// Writes the three programs, which say they are of that version.
    fn programs(folder: &Path, version: &str) {
        fs::create_dir_all(folder).unwrap();
        for name in ["pg_dump", "pg_restore", "psql"] {
            write_program(&folder.join(name), &format!("#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}'\n"));
        }
    }

    #[test]
    fn inside_a_container_folders_with_all_programs_count() {
        let temporary = tempfile::tempdir().unwrap();
        programs(temporary.path(), "18.1 (Debian 18.1-1)");
        let found =
            LISTING.of(&Inside { container: Container::with_programs_of(temporary.path()), port: 5432 }).unwrap();
        let of_path: Vec<_> = found.iter().filter(|tools| tools.folder == temporary.path()).collect();
        assert!(matches!(of_path[..], [Tools { major: 18, inside: Some(Inside { port: 5432, .. }), .. }]), "{found:?}");
        fs::remove_file(temporary.path().join("psql")).unwrap();
        let found =
            LISTING.of(&Inside { container: Container::with_programs_of(temporary.path()), port: 5432 }).unwrap();
        assert!(found.iter().all(|tools| tools.folder != temporary.path()), "{found:?}");
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
            ("/usr/libexec/postgresql17/pg_dump", Some(17)),
            ("/home/tester/.asdf/installs/postgres/16.4/bin/pg_dump", Some(16)),
            ("/home/tester/.asdf/installs/postgres/ref-master/bin/pg_dump", None),
            ("/home/tester/.pgenv/pgsql-15.8/bin/pg_dump", Some(15)),
            ("/usr/bin/pg_dump", None),
        ];
        for (path, expected) in cases {
            assert_eq!(version_in_path(Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn a_wrapper_is_passed_over_and_a_program_on_the_path_is_asked() {
        let temporary = tempfile::tempdir().unwrap();
        let [wrapped, partial, own] = ["wrapped", "partial", "own"].map(|name| temporary.path().join(name));
        fs::create_dir(&wrapped).unwrap();
        let wrapper = temporary.path().join("pg_wrapper");
        write_program(&wrapper, "#!/bin/sh\necho 'pg_dump (PostgreSQL) 99.1'\n");
        for name in ["pg_dump", "pg_restore", "psql"] {
            symlink(&wrapper, wrapped.join(name)).unwrap();
        }
        programs(&partial, "16.1");
        fs::remove_file(partial.join("psql")).unwrap();
        programs(&own, "16.4 (local build)");
        assert_eq!(
            among([wrapped, partial, own.clone(), own.clone()]),
            [Tools { folder: own, major: 16, inside: None }]
        );
    }

    #[test]
    fn a_folder_whose_tools_are_of_several_versions_is_passed_over() {
        let temporary = tempfile::tempdir().unwrap();
        let [old, new, linked] = ["old", "new", "linked"].map(|name| temporary.path().join(name));
        programs(&old, "15.18");
        programs(&new, "17.10");
        fs::create_dir(&linked).unwrap();
        for (name, from, expected) in
            [("pg_dump", &new, None), ("pg_restore", &new, None), ("psql", &old, None), ("psql", &new, Some(17))]
        {
            let _ = fs::remove_file(linked.join(name));
            symlink(from.join(name), linked.join(name)).unwrap();
            assert_eq!(among([linked.clone()]).first().map(|tools| tools.major), expected, "{name}");
        }
    }

    #[test]
    fn tools_that_version_managers_keep_in_the_home_are_found_unless_that_is_in_the_project() {
        let temporary = tempfile::tempdir().unwrap();
        let home = temporary.path().canonicalize().unwrap();
        for (folder, version) in [
            (".asdf/installs/postgres/16.4/bin", "16.4"),
            (".asdf/installs/postgres/ref-x/bin", "19devel"),
            (".local/share/mise/installs/postgres/14.2/bin", "14.2"),
            (".pgenv/pgsql-13.4/bin", "13.4"),
            ("moved/installs/postgres/10.2/bin", "10.2"),
            (".nix-profile/bin", "12.22"),
            ("elsewhere/bin", "11.1"),
        ] {
            programs(&home.join(folder), version);
        }
        let moved = home.join("moved").into_os_string();
        let set = [("HOME".into(), home.clone().into_os_string()), ("ASDF_DATA_DIR".into(), moved)];
        let found = |project: &Path| {
            let environment = ToolEnvironment::new(&set, project, project);
            let mut found: Vec<_> =
                installed(&environment).into_iter().filter(|one| one.folder.starts_with(&home)).collect();
            found.sort_by_key(|tools| tools.major);
            found.iter().map(|tools| tools.major).collect::<Vec<_>>()
        };
        assert_eq!(found(&home.join("elsewhere")), [10, 12, 13, 14, 16, 19]);
        assert_eq!(found(&home), [0; 0]);
    }

    #[test]
    fn this_machine_has_tools() {
        let found = installed(&ToolEnvironment::default());
        assert!(found[0].program("pg_dump").is_file());
    }
}
