//! What the project's manifests and lock files say about databases: the evidence for "there is none to guard".
//!
//! Sources are not read. So a driver that a standard library brings is not seen, and a folder without any manifest
//! says nothing either way. Only needed where no target was found; it reads lock files, which can be large.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use crate::environment::ecosystems;
use crate::environment::ecosystems::manifest::{DataPath, Scan, carrier, driver, is_lock_file};
use crate::environment::ecosystems::row::Ecosystem;
use crate::environment::paths::may_be_a_folder;
use crate::environment::readers::encoding::decoded;
use crate::environment::workspace_patterns::expand;
use crate::environment::{Files, Project};

/// How deep below the root manifests are looked for without being named by a workspace.
const MAX_DEPTH: usize = 2;

/// The most folders that are listed, and the most manifests that are read.
const MAX_FOLDERS: usize = 8192;
const MAX_MANIFESTS: usize = 4096;

/// The most bytes of manifests that are read.
const MAX_BYTES: usize = 64 << 20;

/// How deep manifests that include others are followed.
const MAX_INCLUDED: usize = 8;

/// How many drivers are enough to be told of.
const MAX_DRIVERS: usize = 20;

/// Folders that hold what others wrote, or what a build made.
const SKIPPED: [&str; 18] = [
    "__pycache__",
    "backups",
    "bin",
    "build",
    "coverage",
    "deps",
    "dist",
    "docs",
    "log",
    "node_modules",
    "obj",
    "out",
    "public",
    "storage",
    "target",
    "tmp",
    "vendor",
    "venv",
];

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct DriverEvidence {
    /// The manifests and lock files that were read, relative to the project's root where they lie below it. Where
    /// this is empty, nothing can be concluded.
    pub(crate) manifests: Vec<PathBuf>,
    /// The database drivers, ORMs, migration tools and clients that they name: the first few.
    pub(crate) drivers: Vec<Driver>,
    /// The first driver of all that reaches data where a guard of connections does not see it.
    pub(crate) unseen: Option<Driver>,
    /// Whether all there was has been read; if not, the lack of a driver proves nothing.
    pub(crate) complete: bool,
}

/// A package that reaches a database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Driver {
    /// The package's name as the manifest spells it.
    pub(crate) name: String,
    /// The manifest or lock file, relative to the project's root where it lies below it.
    pub(crate) file: PathBuf,
    /// The line that names it, counted from 1.
    pub(crate) line: u32,
    /// How it reaches data.
    pub(crate) data: DataPath,
}

/// Reads the manifests from the current folder up to the root, and below the root those of its workspaces' members
/// and of folders at most two levels down. Where the command is `confined` to folders, those of them and of what lies above
/// and below them.
#[must_use]
pub(crate) fn database_drivers(project: &Project, confined: Option<&[PathBuf]>, files: &dyn Files) -> DriverEvidence {
    let mut search = ManifestSearch {
        project,
        files,
        evidence: DriverEvidence { complete: true, ..DriverEvidence::default() },
        visited: HashSet::new(),
        bytes_left: MAX_BYTES,
    };
    let whole = [project.folder.clone(), project.root.clone()];
    let starts = confined.unwrap_or(&whole);
    for start in starts.iter().filter(|start| start.starts_with(&project.root)) {
        for folder in start.ancestors().skip(1).take_while(|above| above.starts_with(&project.root)) {
            if confined.is_some() || folder != project.root {
                search.manifests_of(folder);
            }
        }
    }
    for start in starts {
        search.folder(start, MAX_DEPTH);
    }
    search.evidence
}

struct ManifestSearch<'a> {
    project: &'a Project,
    files: &'a dyn Files,
    evidence: DriverEvidence,
    visited: HashSet<PathBuf>,
    bytes_left: usize,
}

impl ManifestSearch<'_> {
    /// Reads the manifests of a folder, and of nothing that they name.
    fn manifests_of(&mut self, folder: &Path) {
        if self.visited.insert(folder.to_owned()) {
            for name in self.names(folder) {
                self.manifest(&folder.join(&name), &name, &mut Vec::new());
            }
        }
    }

    /// Lists a folder, sorted.
    fn names(&self, folder: &Path) -> Vec<String> {
        let names: BTreeSet<_> = self.files.list(folder).into_iter().collect();
        names.iter().filter_map(|name| name.to_str()).map(str::to_owned).collect()
    }

    /// Reads the manifests of a folder, then those of its members, then those further down, `depth` levels.
    fn folder(&mut self, folder: &Path, depth: usize) {
        // The folders on the way to the current one are visited for themselves first, then for what lies below.
        let is_new = self.visited.insert(folder.to_owned());
        if !is_new && depth == 0 {
            return;
        }
        if self.visited.len() > MAX_FOLDERS {
            self.evidence.complete = false;
            return;
        }
        let names = self.names(folder);
        let mut members = Vec::new();
        for name in names.iter().filter(|_| is_new) {
            self.manifest(&folder.join(name), name, &mut members);
        }
        if self.is_enough() {
            return;
        }
        for member in members {
            let expanded = expand(folder, &member, self.files);
            self.evidence.complete &= !expanded.is_cut;
            for below in expanded.folders {
                self.folder(&below, 0);
            }
        }
        if depth > 0 {
            for name in names.iter().filter(|name| may_be_a_folder(name) && !SKIPPED.contains(&name.as_str())) {
                self.folder(&folder.join(name), depth - 1);
            }
        }
    }

    /// Tells whether nothing that is still unread could add to what is told.
    fn is_enough(&self) -> bool {
        self.evidence.drivers.len() >= MAX_DRIVERS && self.evidence.unseen.is_some()
    }

    /// Reads one file if it is a manifest; `members` are the folders that it names.
    fn manifest(&mut self, path: &Path, name: &str, members: &mut Vec<String>) {
        let mut with_members = ecosystems::ALL.iter().flat_map(|known| known.members);
        let members_in = with_members.find(|(file, _)| *file == name).map(|(_, members_in)| members_in);
        let Some((ecosystem, scan)) = ecosystems::ALL.iter().find_map(|known| Some((known, (known.scan)(name)?)))
        else {
            if let Some(members_in) = members_in
                && let Some(bytes) = self.bytes(path)
            {
                self.add_members(members, members_in(&decoded(&bytes)));
            }
            return;
        };
        if self.is_enough() {
            return;
        }
        let text = self.scanned(path, ecosystem, scan, 0);
        if let Some(members_in) = members_in.filter(|_| text.is_some()) {
            self.add_members(members, members_in(&text.unwrap_or_default()));
        }
    }

    /// Reads a manifest with those that it includes; gives its text.
    fn scanned(&mut self, path: &Path, ecosystem: &Ecosystem, scan: Scan, depth: usize) -> Option<String> {
        let bytes = self.bytes(path)?;
        let text = decoded(&bytes);
        let file = self.project.shown(path);
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let mut seen = HashSet::new();
        let mut carried: Vec<(&str, Driver)> = Vec::new();
        let DriverEvidence { drivers, unseen, .. } = &mut self.evidence;
        scan(&text, &mut |package, line| {
            let Some(data) = driver(&ecosystem.drivers, package) else { return };
            let driver = || Driver { name: package.to_owned(), file: file.clone(), line, data };
            if data != DataPath::Known && unseen.is_none() {
                match carrier(&ecosystem.drivers, package).filter(|_| is_lock_file(&name)) {
                    Some(carrier) => carried.push((carrier, driver())),
                    None => *unseen = Some(driver()),
                }
            }
            if drivers.len() < MAX_DRIVERS && seen.insert(package.to_owned()) {
                drivers.push(driver());
            }
        });
        for (carrier, driver) in carried {
            let mut is_there = false;
            scan(&text, &mut |package, _| is_there |= package == carrier);
            if !is_there {
                unseen.get_or_insert(driver);
            }
        }
        self.evidence.manifests.push(file);
        let folder = path.parent().unwrap_or(path);
        for (included, scan) in (ecosystem.included)(&name, &text) {
            let included = folder.join(included);
            if !self.visited.insert(included.clone()) {
                continue;
            }
            // What is included and not read proves nothing.
            let is_read = depth < MAX_INCLUDED && self.scanned(&included, ecosystem, scan, depth + 1).is_some();
            self.evidence.complete &= is_read;
        }
        Some(text.into_owned())
    }

    /// Reads a file within the caps; one that is there and is not read leaves the evidence incomplete.
    fn bytes(&mut self, path: &Path) -> Option<Vec<u8>> {
        match self.files.read(path) {
            Ok(Some(bytes)) if bytes.len() <= self.bytes_left && self.evidence.manifests.len() < MAX_MANIFESTS => {
                self.bytes_left -= bytes.len();
                Some(bytes)
            }
            Ok(None) => None,
            _ => {
                self.evidence.complete = false;
                None
            }
        }
    }

    fn add_members(&mut self, members: &mut Vec<String>, found: Option<Vec<String>>) {
        self.evidence.complete &= found.is_some();
        members.extend(found.into_iter().flatten());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::memory::MemoryFiles;

    fn evidence(folder: &str, files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let files =
            files.iter().fold(MemoryFiles::new(&[]), |all, (path, text)| all.with(&format!("/p/{path}"), *text));
        let project = Project { root: "/p".into(), folder: folder.into(), home: None };
        let found = database_drivers(&project, None, &files);
        assert!(found.complete);
        let drivers =
            found.drivers.iter().map(|driver| format!("{} {}:{}", driver.name, driver.file.display(), driver.line));
        (found.manifests.iter().map(|path| path.display().to_string()).collect(), drivers.collect())
    }

    #[test]
    fn plain_projects_have_manifests_and_no_driver() {
        let cases: [&[(&str, &str)]; 4] = [
            &[
                ("Cargo.toml", "[dependencies]\nserde = \"1\"\n"),
                ("Cargo.lock", "name = \"serde\"\n"),
                ("src/main.rs", ""),
            ],
            &[("go.mod", "module x\nrequire golang.org/x/text v0.3.0\n"), ("go.sum", "")],
            &[("package.json", "{\"devDependencies\": {\"jest\": \"29\"}}"), ("node_modules/pg/package.json", "{}")],
            &[
                ("pyproject.toml", "[project]\nname = \"x\"\ndependencies = [\"httpx\"]\n"),
                ("requirements-dev.txt", "pytest\n"),
            ],
        ];
        for files in cases {
            let (manifests, drivers) = evidence("/p", files);
            assert!(!manifests.is_empty() && drivers.is_empty(), "{manifests:?} {drivers:?}");
        }
    }

    #[test]
    fn folder_without_a_manifest_says_nothing() {
        assert_eq!(evidence("/p", &[("main.py", "import sqlite3\n"), ("README.md", "")]), (vec![], vec![]));
    }

    #[test]
    fn drivers_are_named_with_file_and_line() {
        let files = [
            ("Cargo.toml", "[dependencies]\nserde = \"1\"\nsqlx = \"0.8\"\n"),
            ("web/package.json", "{\"dependencies\": {\"react\": \"18\",\n \"pg\": \"8\"}}"),
        ];
        let (manifests, drivers) = evidence("/p", &files);
        assert_eq!(manifests, ["Cargo.toml", "web/package.json"]);
        assert_eq!(drivers, ["sqlx Cargo.toml:3", "pg web/package.json:2"]);
    }

    #[test]
    fn members_of_workspaces_are_read_however_deep() {
        let driver = "[dependencies]\nrusqlite = \"1\"\n";
        let cases: [&[(&str, &str)]; 6] = [
            &[("Cargo.toml", "[workspace]\nmembers = [\"a/b/c/*\"]\n"), ("a/b/c/d/Cargo.toml", driver)],
            &[
                ("package.json", "{\"workspaces\": [\"a/b/c/*\"]}"),
                ("a/b/c/d/package.json", "{\"dependencies\": {\"pg\": \"8\"}}"),
            ],
            &[
                ("pnpm-workspace.yaml", "packages:\n  - 'a/b/**'\n"),
                ("a/b/c/package.json", "{\"dependencies\": {\"pg\": \"8\"}}"),
            ],
            &[("go.work", "go 1.22\nuse (\n\t./a/b/c/d\n)\n"), ("a/b/c/d/go.mod", "require github.com/lib/pq v1\n")],
            &[
                ("pom.xml", "<modules>\n<module>a/b/c/d</module>\n</modules>"),
                ("a/b/c/d/pom.xml", "<dependency><artifactId>h2</artifactId></dependency>\n"),
            ],
            &[("settings.gradle", "include ':a:b:c'\n"), ("a/b/c/build.gradle", "api 'com.h2database:h2:2'\n")],
        ];
        for files in cases {
            assert_eq!(evidence("/p", files).1.len(), 1, "{files:?}");
        }
    }

    #[test]
    fn current_folder_and_those_above_it_count() {
        let files = [
            ("a/b/c/x.csproj", "<PackageReference Include=\"Npgsql\" />\n"),
            ("a/b/c/d/e/run.py", ""),
            ("a/go.mod", "module x\n"),
        ];
        let (manifests, drivers) = evidence("/p/a/b/c/d/e", &files);
        assert_eq!(manifests, ["a/b/c/x.csproj", "a/go.mod"]);
        assert_eq!(drivers, ["Npgsql a/b/c/x.csproj:1"]);
    }

    #[test]
    fn what_a_tool_brings_along_for_its_own_server_is_not_the_projects() {
        let lock = |packages: &[&str]| {
            let lines: Vec<String> = packages.iter().map(|name| format!("\"{name}\": [\"{name}@1\"],")).collect();
            lines.join("\n")
        };
        let asks = "{\"dependencies\": {\"@electric-sql/pglite\": \"1\", \"@prisma/dev\": \"1\"}}";
        let both = lock(&["@electric-sql/pglite", "@prisma/dev", "prisma"]);
        let table: [(&str, &str, Option<&str>); 4] = [
            ("{}", &both, None),
            ("{}", &lock(&["@electric-sql/pglite", "prisma"]), Some("bun.lock")),
            (asks, &both, Some("package.json")),
            ("{}", &lock(&["@electric-sql/pglite", "@prisma/dev", "@duckdb/node-api"]), Some("bun.lock")),
        ];
        for (manifest, lock, expected) in table {
            let files = MemoryFiles::new(&[("/p/package.json", manifest), ("/p/bun.lock", lock)]);
            let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
            let unseen = database_drivers(&project, None, &files).unseen;
            assert_eq!(unseen.map(|driver| driver.file), expected.map(PathBuf::from), "{manifest} {lock}");
        }
    }

    #[test]
    fn lack_of_a_driver_proves_nothing_where_something_was_not_read() {
        let files = MemoryFiles::new(&[("/p/Cargo.toml/x", "")]);
        let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
        let found = database_drivers(&project, None, &files);
        assert_eq!((found.manifests.len(), found.complete), (0, false));
    }
}
