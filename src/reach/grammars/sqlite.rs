//! Database files: SQLite's URLs, `file:` URLs, plain paths, and what a relative one is relative to.
//!
//! Loaders disagree on slashes and on folders, so one value may give several drafts. Whether a file exists is judged
//! elsewhere.

use crate::reach::grammars::query;
use std::path::{Component, Path, PathBuf};

use crate::reach::grammars::scheme::engine_of_scheme;
use crate::reach::grammars::text::{percent_decode, without_quotes};
use crate::reach::{Doubt, Draft, Engine, Lookup, Place};
use crate::tools::database_files::ends_as_database;

/// What SQLite may leave beside a database, under its name.
pub(crate) const SIDE_FILES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Finds the database's own file by the name of one that SQLite keeps beside it; any other name is given back.
pub(crate) fn main_file(name: &str) -> &str {
    SIDE_FILES.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// Reads `sqlite:…` in every spelling, and `duckdb:…`; `None` for other schemes.
pub(crate) fn parse(text: &str, lookup: &Lookup<'_>) -> Option<Vec<Draft>> {
    let (scheme, rest) = text.split_once(':')?;
    let engine = engine_of_scheme(scheme).filter(|engine| matches!(engine, Engine::Sqlite | Engine::Duckdb))?;
    if let Some(inner) = rest.trim_start_matches('/').strip_prefix("file:") {
        return Some(file_url(inner, engine, lookup));
    }
    let (path, query) = split_query(rest);
    let mut spellings: Vec<String> = Vec::new();
    match path.strip_prefix("///") {
        Some(absolute) if absolute.starts_with('/') => spellings.push(absolute.to_owned()),
        Some(rest) => {
            // SQLAlchemy takes three slashes for a relative path, sqlx and Doctrine for an absolute one.
            spellings.push(rest.to_owned());
            let only_relative = rest.starts_with(['.', '%', '~']) || rest.is_empty() || is_memory(rest);
            if !only_relative {
                spellings.push(format!("/{rest}"));
            }
        }
        None => spellings.push(path.strip_prefix("//").unwrap_or(path).to_owned()),
    }
    Some(drafts(&spellings, query, engine, lookup, &[]))
}

/// Reads the part of a `file:` URL after `file:`; relative to the schema's folder (Prisma) or the current one (libSQL).
pub(crate) fn file_url(rest: &str, engine: Engine, lookup: &Lookup<'_>) -> Vec<Draft> {
    let (path, query) = split_query(rest);
    let path = match path.strip_prefix("//") {
        Some(after) => after.strip_prefix("localhost").filter(|after| after.starts_with('/')).unwrap_or(after),
        None => path,
    };
    let schema_folders: Vec<PathBuf> = [&lookup.project.folder, &lookup.project.root]
        .iter()
        .map(|folder| folder.join("prisma"))
        .filter(|folder| lookup.files.exists(folder))
        .collect();
    drafts(&[path.to_owned()], query, engine, lookup, &schema_folders)
}

/// Reads a plain path, as the split variables and `sqlite3 FILE` hold it.
pub(crate) fn plain_path(text: &str, engine: Engine, lookup: &Lookup<'_>) -> Vec<Draft> {
    let (text, _) = without_quotes(text);
    if let Some(rest) = text.strip_prefix("file:") {
        return file_url(rest, engine, lookup);
    }
    drafts(&[text.to_owned()], "", engine, lookup, &[])
}

/// Tells whether the text is, by itself, the name of a database file or of a database in memory.
pub(crate) fn looks_like_file(text: &str) -> bool {
    let lower = text.trim().to_ascii_lowercase();
    let path = lower.split('?').next().unwrap_or(&lower);
    is_memory(path) || (ends_as_database(path) && !path.contains("://"))
}

fn is_memory(path: &str) -> bool {
    matches!(path.trim_start_matches('/'), ":memory:" | "file::memory:" | ":memory")
}

fn split_query(text: &str) -> (&str, &str) {
    text.split_once('?').unwrap_or((text, ""))
}

fn drafts(spellings: &[String], query: &str, engine: Engine, lookup: &Lookup<'_>, also: &[PathBuf]) -> Vec<Draft> {
    let options = query::pairs(query);
    let in_memory = options.iter().any(|(key, value)| key == "mode" && value == "memory");
    let mut found: Vec<Draft> = Vec::new();
    for spelling in spellings {
        let decoded = percent_decode(spelling);
        let texts = if decoded == *spelling { vec![decoded] } else { vec![decoded, spelling.clone()] };
        for text in texts {
            let places = if in_memory || text.is_empty() || is_memory(&text) {
                vec![Place::Memory]
            } else {
                files(&text, lookup, also).into_iter().map(|path| Place::File { path }).collect()
            };
            for place in places {
                if found.iter().any(|draft| draft.places.contains(&place)) {
                    continue;
                }
                let mut draft = Draft::at(engine, place);
                if !text.is_empty() {
                    draft.set_database(&text);
                    let filled = text.contains("%kernel.");
                    draft.doubts.retain(|doubt| !(filled && *doubt == Doubt::Unexpanded));
                }
                options.iter().for_each(|(key, value)| draft.add_parameter(key, value));
                found.push(draft);
            }
        }
    }
    found
}

/// Lists every absolute path that a loader could make of `text`, links not followed.
pub(crate) fn files(text: &str, lookup: &Lookup<'_>, also: &[PathBuf]) -> Vec<PathBuf> {
    let root = &lookup.project.root;
    let text = text
        .replace("%kernel.project_dir%", &root.to_string_lossy())
        .replace("%kernel.root_dir%", &root.join("app").to_string_lossy());
    if let (Some(rest), Some(home)) = (text.strip_prefix("~/"), &lookup.project.home) {
        return vec![normalised(&home.join(rest))];
    }
    if Path::new(&text).is_absolute() {
        return vec![normalised(Path::new(&text))];
    }
    let mut folders: Vec<&Path> = lookup.base_folders.iter().map(PathBuf::as_path).collect();
    folders.extend([lookup.project.folder.as_path(), root.as_path()]);
    folders.extend(also.iter().map(PathBuf::as_path));
    // Flask-SQLAlchemy puts relative files into the instance folder.
    let instance = root.join("instance");
    if lookup.files.exists(&instance) {
        folders.push(&instance);
    }
    let mut paths: Vec<PathBuf> = Vec::new();
    for folder in folders {
        let path = normalised(&folder.join(&text));
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// Takes `.` and `..` out of a path; links are not followed.
pub(crate) fn normalised(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Project;
    use crate::reach::testing::{Folder, line};

    fn with_lookup<T>(files: &[&str], test: impl Fn(&Lookup<'_>) -> T) -> T {
        let project = Project { root: "/p".into(), folder: "/p".into(), home: Some("/home/tester".into()) };
        let files = Folder(files.iter().map(|path| (PathBuf::from(path), String::new())).collect());
        test(&Lookup { project: &project, files: &files, base_folders: &["/p".into()] })
    }

    #[test]
    fn every_spelling_names_its_files() {
        let cases: [(&str, &[&str]); 19] = [
            ("sqlite:///dev.db", &["file:/p/dev.db", "file:/dev.db"]),
            ("sqlite:////srv/shop.sqlite3", &["file:/srv/shop.sqlite3"]),
            (
                "sqlite:///home/tester/app_test.db",
                &["file:/p/home/tester/app_test.db", "file:/home/tester/app_test.db"],
            ),
            ("sqlite://data.db", &["file:/p/data.db"]),
            ("sqlite:data.db", &["file:/p/data.db"]),
            ("sqlite:/abs/data.db", &["file:/abs/data.db"]),
            ("sqlite:./a/../b.db?mode=ro", &["file:/p/b.db"]),
            ("sqlite3:db/test.sqlite3", &["file:/p/db/test.sqlite3"]),
            ("sqlite+aiosqlite:///./x.db", &["file:/p/x.db"]),
            ("sqlite:///%kernel.project_dir%/var/data.db", &["file:/p/var/data.db"]),
            ("sqlite:///~/x.db", &["file:/home/tester/x.db"]),
            ("sqlite:my%20data.db", &["file:/p/my data.db", "file:/p/my%20data.db"]),
            ("sqlite:a b.db", &["file:/p/a b.db"]),
            ("sqlite::memory:", &["memory"]),
            ("sqlite:///:memory:", &["memory"]),
            ("sqlite://", &["memory"]),
            ("sqlite:x.db?mode=memory&cache=shared", &["memory"]),
            ("sqlite:///file:x.db?uri=true", &["file:/p/x.db"]),
            ("duckdb:///w.duckdb", &["file:/p/w.duckdb", "file:/w.duckdb"]),
        ];
        for (text, expected) in cases {
            let shown: Vec<String> = with_lookup(&[], |lookup| {
                let drafts = parse(text, lookup).unwrap();
                drafts.iter().map(|draft| line(draft).split(' ').nth(1).unwrap().to_owned()).collect()
            });
            let expected: Vec<String> =
                expected.iter().map(|path| path.split(' ').next().unwrap().to_owned()).collect();
            assert_eq!(shown, expected, "{text}");
        }
    }

    #[test]
    fn prisma_files_are_looked_for_beside_the_schema_too() {
        let shown = with_lookup(&["/p/prisma/schema.prisma"], |lookup| {
            file_url("./dev.db", Engine::Sqlite, lookup).iter().map(line).collect::<Vec<_>>()
        });
        assert_eq!(shown, ["sqlite file:/p/dev.db ./dev.db", "sqlite file:/p/prisma/dev.db ./dev.db"]);
    }

    #[test]
    fn names_of_database_files_are_recognised() {
        let cases =
            [(":memory:", true), ("db/x.sqlite3", true), ("app.db", true), ("shop_test", false), ("a://b.db", false)];
        for (text, expected) in cases {
            assert_eq!(looks_like_file(text), expected, "{text}");
        }
    }
}
