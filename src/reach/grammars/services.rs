//! Files that hold connections under a name: `pg_service.conf` and `my.cnf`.

use std::path::{Path, PathBuf};

use crate::environment::Origin;
use crate::reach::grammars::libpq::from_pairs;
use crate::reach::{Draft, Engine, Lookup};

/// A connection read from such a file, with the line that names its host.
pub(crate) struct Entry {
    pub(crate) draft: Draft,
    pub(crate) origin: Origin,
}

/// Looks the libpq service `name` up: in `$PGSERVICEFILE`, else `~/.pg_service.conf`, else `$PGSYSCONFDIR`.
///
/// A `pg_service.conf` in the project counts last: the variables that point libpq to it may be set by a script.
pub(crate) fn libpq_service(
    name: &str,
    file: Option<&str>,
    folder: Option<&str>,
    lookup: &Lookup<'_>,
) -> Option<Entry> {
    let project = lookup.project;
    let mut paths: Vec<PathBuf> = Vec::new();
    paths.extend(file.map(|file| project.folder.join(file)));
    paths.extend(project.home.as_ref().map(|home| home.join(".pg_service.conf")));
    paths.extend(folder.map(|folder| project.folder.join(folder).join("pg_service.conf")));
    for base in [&project.folder, &project.root] {
        paths.extend(["pg_service.conf", ".pg_service.conf"].map(|name| base.join(name)));
    }
    paths.push(PathBuf::from("/etc/postgresql-common/pg_service.conf"));
    paths.iter().find_map(|path| {
        let (pairs, line) = section(path, name, lookup)?;
        let mut draft = from_pairs(&pairs);
        draft.service = None;
        Some(Entry { draft, origin: Origin::file("host", project.shown(path), line) })
    })
}

/// What MySQL's own clients read from `path`, or from `~/.my.cnf` where none is given.
pub(crate) fn mysql_client(path: Option<&Path>, lookup: &Lookup<'_>) -> Option<Entry> {
    let home = lookup.project.home.as_ref().map(|home| home.join(".my.cnf"));
    let path = path.map(|path| lookup.project.folder.join(path)).or(home)?;
    let (mut pairs, line) = section(&path, "client", lookup)?;
    for (key, _) in &mut pairs {
        *key = key.replace('-', "_");
    }
    let mut draft = Draft::new(Engine::Mysql);
    crate::reach::grammars::query::apply(&mut draft, &pairs);
    Some(Entry { draft, origin: Origin::file("host", lookup.project.shown(&path), line) })
}

/// The pairs of one section, and the line of its host or, without one, of its heading.
fn section(path: &Path, name: &str, lookup: &Lookup<'_>) -> Option<(Vec<(String, String)>, u32)> {
    // A file that cannot be read names nothing that could be judged; libpq fails on it too.
    let bytes = lookup.files.read(path).ok().flatten()?;
    let text = String::from_utf8_lossy(&bytes);
    let (mut pairs, mut line, mut inside) = (Vec::new(), None, false);
    for (index, text) in text.lines().enumerate() {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let text = text.trim();
        if let Some(heading) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if inside {
                break;
            }
            inside = heading.trim() == name;
            line = inside.then_some(number);
            continue;
        }
        if !inside || text.is_empty() || text.starts_with(['#', ';']) {
            continue;
        }
        if let Some((key, value)) = crate::reach::grammars::text::key_value(text) {
            if key == "host" || key == "hostaddr" {
                line = Some(number);
            }
            pairs.push((key, value.trim_matches(['"', '\'']).to_owned()));
        }
    }
    line.map(|line| (pairs, line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Project;
    use crate::reach::testing::{Folder, line};

    #[test]
    fn a_service_is_read_where_libpq_reads_it() {
        let project = Project { root: "/p".into(), folder: "/p".into(), home: Some("/home/ann".into()) };
        let text =
            "# x\n[other]\nhost=no\n\n[reporting]\nhost=db.example.net\nport=5433\ndbname=shop\nsslcert=/c.pem\n";
        let files = Folder([("/p/pg_service.conf".into(), text.to_owned())].into());
        let lookup = Lookup { project: &project, files: &files, base_folders: &[] };
        let entry = libpq_service("reporting", None, None, &lookup).unwrap();
        assert_eq!(line(&entry.draft), "postgres db.example.net:5433 shop {sslcert=/c.pem}");
        assert_eq!(entry.origin, Origin::file("host", "pg_service.conf", 6));
        assert!(libpq_service("missing", None, None, &lookup).is_none());
        assert!(libpq_service("other", Some("/elsewhere"), None, &lookup).is_some());
    }

    #[test]
    fn the_client_section_of_an_option_file_is_read() {
        let project = Project { root: "/p".into(), folder: "/p".into(), home: Some("/home/ann".into()) };
        let text = "[mysqld]\nport=1\n[client]\nhost = db.example.net\nuser=ann\npassword=\"x\"\nssl-cert=/c.pem\n";
        let files = Folder([("/home/ann/.my.cnf".into(), text.to_owned())].into());
        let lookup = Lookup { project: &project, files: &files, base_folders: &[] };
        let entry = mysql_client(None, &lookup).unwrap();
        assert_eq!(line(&entry.draft), "mysql db.example.net - u=ann {sslcert=/c.pem}");
    }
}
