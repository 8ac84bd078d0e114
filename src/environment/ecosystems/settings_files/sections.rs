//! Configuration files with a section for each environment: `database.yml` and those that are made like it
//! (Sequelize's `config.json`, soda's and sql-migrate's files, db-migrate's `database.json`).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::settings_files::erb;
use crate::environment::ecosystems::settings_files::erb::{Asked, Control};
use crate::environment::layering::{Layer, Library};
use crate::environment::readers::code;
use crate::environment::readers::expansion::Lookup;
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;
use crate::environment::{Origin, Setting};

/// Names of sections by which a file is known to have one for each environment.
const ENVIRONMENTS: &[&str] = &["development", "production", "staging", "test"];

/// Reads the section of an environment; its ERB is evaluated under the layers above. `None` where the file has no sections.
///
/// Rails puts a URL over the keys that it replaces; other tools (`urls_replace` is false) do not.
pub(crate) fn layer(library: &Library<'_>, path: &Path, environment: &str, urls_replace: bool) -> Option<Layer> {
    layer_of(library, path, environment, urls_replace, None)
}

/// Reads the section of an environment of a file about one service: its keys are called `SERVICE.KEY`.
pub(crate) fn layer_about(
    library: &Library<'_>,
    path: &Path,
    environment: &str,
    service: &'static str,
) -> Option<Layer> {
    layer_of(library, path, environment, false, Some(service))
}

fn layer_of(
    library: &Library<'_>,
    path: &Path,
    environment: &str,
    urls_replace: bool,
    service: Option<&'static str>,
) -> Option<Layer> {
    if !library.exists(path) {
        return None;
    }
    let file = SectionFile { urls_replace, service, ..SectionFile::read(library, path, environment)? };
    let is_own = |entry: &&FlatEntry| entry.path.first().is_some_and(|first| first == environment);
    let section: Vec<FlatEntry> = file.entries.iter().filter(is_own).cloned().collect();
    let has_sections = || {
        let is_one = |entry: &FlatEntry| entry.path.first().is_some_and(|first| ENVIRONMENTS.contains(&first.as_str()));
        file.entries.iter().any(is_one)
    };
    if section.is_empty() && !has_sections() {
        return None;
    }
    Some(Layer::computed(move |lookup| file.settings(&section, lookup)))
}

/// Reads a file that is named by itself: the section of the environment that a variable names, else those of
/// tests and development; all of it where it has none of them.
pub(crate) fn by_itself(library: &Library<'_>, path: &Path) -> Option<Layer> {
    let file = SectionFile::read(library, path, "test")?;
    Some(Layer::computed(move |lookup| {
        let set = ["RAILS_ENV", "RACK_ENV", "NODE_ENV"].iter().find_map(|name| lookup(name));
        let wanted = set.map_or_else(|| ["test", "development"].map(str::to_owned).to_vec(), |name| vec![name]);
        let is_wanted = |entry: &&FlatEntry| entry.path.first().is_some_and(|first| wanted.contains(first));
        let sections: Vec<FlatEntry> = file.entries.iter().filter(is_wanted).cloned().collect();
        file.settings(if sections.is_empty() { &file.entries } else { &sections }, lookup)
    }))
}

/// A file that was read, with what its ERB says.
struct SectionFile {
    entries: Rc<Vec<FlatEntry>>,
    control: Control,
    environment: String,
    shown: PathBuf,
    urls_replace: bool,
    /// What its keys are about, where they do not say so themselves.
    service: Option<&'static str>,
}

impl SectionFile {
    fn read(library: &Library<'_>, path: &Path, environment: &str) -> Option<Self> {
        let entries = library.entries(path, |text| formats::yaml::flatten(&erb::hidden(text)))?;
        let text = library.manifest(path);
        let control = if text.contains("<%") { Control::of(&text) } else { Control::default() };
        let (environment, shown) = (environment.to_owned(), library.shown(path));
        Some(SectionFile { entries, control, environment, shown, urls_replace: true, service: None })
    }

    fn settings(&self, section: &[FlatEntry], lookup: Lookup<'_>) -> Vec<Setting> {
        let asked = self.control.asked(&self.environment, lookup);
        let counts = |entry: &FlatEntry| asked.counts(entry.line);
        let may_count: Vec<&FlatEntry> = section.iter().filter(|entry| counts(entry) != Some(false)).collect();
        let urls = Urls::of(&may_count, &asked);
        let mut settings = Vec::new();
        for entry in may_count {
            let Some((variable, own)) = entry.path.split_last() else { continue };
            let Some((value, unresolved)) = asked.evaluated(variable, entry.line, &entry.value) else { continue };
            if self.urls_replace && REPLACEABLE.contains(&variable.as_str()) && urls.replace(own, lookup) {
                continue;
            }
            let name = match (self.service, &entry.path[..]) {
                (None, path) => path.join("."),
                (Some(service), [_]) => format!("{service}.url"),
                (Some(service), [_, path @ ..]) => format!("{service}.{}", path.join(".")),
                (Some(_), []) => continue,
            };
            let origin = Origin::file(variable.clone(), &self.shown, entry.line);
            // Whether it counts hangs on what is not evaluated: the value alone is not all.
            if counts(entry).is_none() {
                let (name, value, origin) = (name.clone(), value.clone(), origin.clone());
                settings.push(Setting { name, value, origin, unresolved: Some(code::unresolved(variable)) });
            }
            settings.push(Setting { name, value, origin, unresolved });
        }
        settings
    }
}

/// The keys that a URL replaces, where it names a database.
const REPLACEABLE: &[&str] = &["adapter", "host", "port", "database", "username", "password", "socket"];

/// The URLs that stand over the connections of one environment.
struct Urls<'e> {
    /// `url:` keys, by the path of their connection.
    in_file: HashMap<&'e [String], String>,
    /// The first connection's name, where connections have names.
    first: Option<&'e str>,
}

impl<'e> Urls<'e> {
    fn of(section: &[&'e FlatEntry], asked: &Asked<'_>) -> Self {
        let urls = section.iter().filter_map(|entry| {
            let (_, own) = entry.path.split_last().filter(|(key, _)| *key == "url")?;
            let (url, _) = asked.evaluated("url", entry.line, &entry.value).filter(|(url, _)| !url.is_empty())?;
            Some((own, url))
        });
        let first = section.iter().find(|entry| entry.path.len() > 2).map(|entry| entry.path[1].as_str());
        Urls { in_file: urls.collect(), first }
    }

    /// Tells whether one of them replaces the keys of the connection at `own`.
    fn replace(&self, own: &[String], lookup: Lookup<'_>) -> bool {
        let from_environment = || match own {
            [_] => lookup("DATABASE_URL"),
            [_, name] => {
                let is_primary = name == "primary" || self.first == Some(name);
                let by_name = lookup(&format!("{}_DATABASE_URL", name.to_uppercase()));
                by_name.or_else(|| lookup("DATABASE_URL").filter(|_| is_primary))
            }
            _ => None,
        };
        self.in_file.get(own).cloned().or_else(from_environment).is_some_and(|url| names_database(&url))
    }
}

/// Tells whether a URL has both a place and a database, so that nothing of the file is left to count.
fn names_database(url: &str) -> bool {
    let Some((_, rest)) = url.split_once(':') else { return false };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let path = rest.split(['?', '#']).next().unwrap_or(rest);
    path.split_once('/').is_some_and(|(_, database)| !database.is_empty())
}
