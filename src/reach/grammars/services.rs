//! Files that hold connections under a name: `pg_service.conf` and `my.cnf`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::environment::Origin;
use crate::environment::readers::encoding::decoded;
use crate::environment::readers::formats::{FlatEntry, Flatten, ini};
use crate::reach::grammars::libpq::from_pairs;
use crate::reach::{Draft, Engine, Lookup};

/// A connection read from such a file, with the line that names its host.
pub(crate) struct ServiceEntry {
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
) -> Option<ServiceEntry> {
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
        let (pairs, line, cut) = section(path, name, lookup)?;
        let mut draft = from_pairs(&pairs);
        draft.service = None;
        draft.cut = draft.cut.or(cut);
        Some(ServiceEntry { draft, origin: Origin::file("host", project.shown(path), line) })
    })
}

/// How deep option files that include each other are followed, and how many are read.
const DEEPEST_INCLUDE: usize = 10;
const MOST_FILES: usize = 100;

/// Reads what the MySQL client `program` takes from the option file `path`, or from `~/.my.cnf` where none is given.
pub(crate) fn mysql_client(program: &str, path: Option<&Path>, lookup: &Lookup<'_>) -> Option<ServiceEntry> {
    let home = lookup.project.home.as_ref().map(|home| home.join(".my.cnf"));
    let path = path.map(|path| lookup.project.folder.join(path)).or(home)?;
    let renamed = program.replacen("mariadb", "mysql", 1);
    let groups = ["client", "client-server", "client-mariadb", "mariadb-client", program, renamed.as_str()];
    let mut options = Options { groups: &groups, lookup, found: Vec::new(), files_left: MOST_FILES, cut: None };
    options.read(&path, 0);
    let Options { mut found, cut, .. } = options;
    let origin = found.iter().rfind(|(key, ..)| key == "host").or(found.first()).map(|(.., origin)| origin.clone());
    let origin = origin.or_else(|| cut.is_some().then(|| Origin::file("!include", lookup.project.shown(&path), 1)))?;
    // The last of several lines counts.
    let mut seen = HashSet::new();
    found.reverse();
    found.retain(|(key, ..)| seen.insert(key.clone()));
    let pairs: Vec<(String, String)> = found.into_iter().rev().map(|(key, value, _)| (key, value)).collect();
    let mut draft = Draft::new(Engine::Mysql);
    crate::reach::grammars::query::apply(&mut draft, &pairs);
    draft.cut = draft.cut.or(cut);
    Some(ServiceEntry { draft, origin })
}

/// The options of MySQL's option files, as they are read.
struct Options<'a> {
    groups: &'a [&'a str],
    lookup: &'a Lookup<'a>,
    /// Each with its place.
    found: Vec<(String, String, Origin)>,
    files_left: usize,
    /// What is left out.
    cut: Option<&'static str>,
}

impl Options<'_> {
    fn read(&mut self, path: &Path, depth: usize) {
        if depth > DEEPEST_INCLUDE || self.files_left == 0 {
            self.cut = Some("it includes more files than are read");
            return;
        }
        self.files_left -= 1;
        let (entries, cut) = entries(path, self.lookup, ini::option_file);
        self.cut = self.cut.or(cut);
        for entry in entries {
            match entry.path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["!include"] => self.read(&self.lookup.project.folder.join(&entry.value), depth + 1),
                ["!includedir"] => {
                    let folder = self.lookup.project.folder.join(&entry.value);
                    let mut files: Vec<PathBuf> =
                        self.lookup.files.list(&folder).into_iter().map(PathBuf::from).collect();
                    files.retain(|file| file.extension().is_some_and(|extension| extension == "cnf"));
                    files.sort();
                    files.iter().for_each(|file| self.read(&folder.join(file), depth + 1));
                }
                [group, key] if self.groups.contains(&group) => {
                    let origin = Origin::file(key, self.lookup.project.shown(path), entry.line);
                    self.found.push((key.to_ascii_lowercase().replace('-', "_"), entry.value, origin));
                }
                _ => {}
            }
        }
    }
}

type Pairs = Vec<(String, String)>;

/// Reads the pairs of the first section of that name, and the line of its host or, without one, its first; and what is
/// left out of the file.
fn section(path: &Path, name: &str, lookup: &Lookup<'_>) -> Option<(Pairs, u32, Option<&'static str>)> {
    let (entries, cut) = entries(path, lookup, ini::service_file);
    let inside = entries.iter().skip_while(|entry| entry.path[0] != name).take_while(|entry| entry.path[0] == name);
    let pairs: Vec<_> = inside.filter_map(|entry| Some((entry.path.get(1)?.to_ascii_lowercase(), entry))).collect();
    let host = pairs.iter().rfind(|(key, _)| key == "host" || key == "hostaddr").or(pairs.first())?.1.line;
    Some((pairs.iter().map(|(key, entry)| (key.clone(), entry.value.clone())).collect(), host, cut))
}

/// Reads the entries of a file, and says what is left out of it.
fn entries(path: &Path, lookup: &Lookup<'_>, flatten: Flatten) -> (Vec<FlatEntry>, Option<&'static str>) {
    match lookup.files.read(path) {
        Ok(Some(bytes)) => {
            let mut cut = None;
            let entries = flatten(&decoded(&bytes)).entries(|_| {
                cut = Some("a file that it is read from could not be read to its end");
            });
            (entries, cut)
        }
        Ok(None) => (Vec::new(), None),
        Err(_) => (Vec::new(), Some("a file that it is read from cannot be read")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Project;
    use crate::reach::testing::{Folder, line};

    #[test]
    fn a_service_is_read_where_libpq_reads_it() {
        let project = Project { root: "/p".into(), folder: "/p".into(), home: Some("/home/tester".into()) };
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
    fn the_groups_of_a_client_are_read_from_its_option_files() {
        let project = Project { root: "/p".into(), folder: "/p".into(), home: Some("/home/tester".into()) };
        let text = "\
[mysqld]
port=1
[client]
host = localhost
user=ann
password=\"x#\\s\" # said
ssl-cert=/c.pem
!include /etc/more.cnf
[mysqldump]
port = 3307
!includedir /etc/all.d
";
        let files = [
            ("/home/tester/.my.cnf".into(), text.to_owned()),
            ("/etc/more.cnf".into(), "[mysql]\nhost=db.example.net\n!include /etc/more.cnf\n".to_owned()),
            ("/etc/all.d/b.cnf".into(), "[client]\ndatabase=shop\n".to_owned()),
            ("/etc/all.d/not".into(), "[client]\nport=9\n".to_owned()),
        ];
        let files = Folder(files.into());
        let lookup = Lookup { project: &project, files: &files, base_folders: &[] };
        let given = |program: &str| {
            let entry = mysql_client(program, None, &lookup).unwrap();
            format!("{} from {}", line(&entry.draft), entry.origin)
        };
        assert_eq!(given("mysql"), "mysql db.example.net shop u=ann {sslcert=/c.pem} from host (/etc/more.cnf:2)");
        assert_eq!(
            given("mysqldump"),
            "mysql localhost:3307 shop u=ann {sslcert=/c.pem} from host (/home/tester/.my.cnf:4)"
        );
        assert_eq!(given("mariadb"), given("mysql"));
    }

    #[test]
    fn files_that_include_each_other_without_end_are_cut_off() {
        let project = Project { root: "/p".into(), folder: "/p".into(), home: Some("/home/tester".into()) };
        let own = "/home/tester/.my.cnf";
        let files = Folder([(own.into(), format!("!include {own}\n!include {own}\n"))].into());
        let lookup = Lookup { project: &project, files: &files, base_folders: &[] };
        assert!(mysql_client("mysql", None, &lookup).unwrap().draft.cut.is_some());
    }
}
