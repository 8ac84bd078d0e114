//! Configuration files with a section for each environment: `database.yml` and those that are made like it
//! (Sequelize's `config.json`, soda's and sql-migrate's files, db-migrate's `database.json`).

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use crate::environment::ecosystems::settings_files::erb;
use crate::environment::layering::{Layer, Library};
use crate::environment::readers::expansion::Lookup;
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;
use crate::environment::{Origin, Setting};

/// Reads the section of an environment; its ERB is evaluated under the layers above.
///
/// Rails puts a URL over the keys that it replaces; other tools (`urls_replace` is false) do not.
pub(crate) fn layer(library: &Library<'_>, path: &Path, environment: &str, urls_replace: bool) -> Option<Layer> {
    if !library.exists(path) {
        return None;
    }
    let entries = entries(library, path)?;
    let is_own = |entry: &&FlatEntry| entry.path.first().is_some_and(|first| first == environment);
    let section: Vec<FlatEntry> = entries.iter().filter(is_own).cloned().collect();
    let shown = library.shown(path);
    Some(Layer::computed(move |lookup| settings(&section, &shown, urls_replace, lookup)))
}

/// Reads a file that is named by itself: the section of the environment that a variable names, else those of
/// tests and development; all of it where it has none of them.
pub(crate) fn by_itself(library: &Library<'_>, path: &Path) -> Option<Layer> {
    let entries = entries(library, path)?;
    let shown = library.shown(path);
    Some(Layer::computed(move |lookup| {
        let set = ["RAILS_ENV", "RACK_ENV", "NODE_ENV"].iter().find_map(|name| lookup(name));
        let wanted = set.map_or_else(|| ["test", "development"].map(str::to_owned).to_vec(), |name| vec![name]);
        let is_wanted = |entry: &&FlatEntry| entry.path.first().is_some_and(|first| wanted.contains(first));
        let sections: Vec<FlatEntry> = entries.iter().filter(is_wanted).cloned().collect();
        settings(if sections.is_empty() { &entries } else { &sections }, &shown, true, lookup)
    }))
}

fn entries(library: &Library<'_>, path: &Path) -> Option<Rc<Vec<FlatEntry>>> {
    library.entries(path, |text| formats::yaml::flatten(&erb::hidden(text)))
}

fn settings(section: &[FlatEntry], shown: &Path, urls_replace: bool, lookup: Lookup<'_>) -> Vec<Setting> {
    let urls = Urls::of(section, lookup);
    let mut settings = Vec::new();
    for entry in section {
        let Some((variable, own)) = entry.path.split_last() else { continue };
        let Some((value, unresolved)) = erb::evaluated(variable, &entry.value, lookup) else { continue };
        if urls_replace && REPLACEABLE.contains(&variable.as_str()) && urls.replace(own, lookup) {
            continue;
        }
        let origin = Origin::file(variable.clone(), shown, entry.line);
        settings.push(Setting { name: entry.path.join("."), value, origin, unresolved });
    }
    settings
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
    fn of(section: &'e [FlatEntry], lookup: Lookup<'_>) -> Self {
        let urls = section.iter().filter_map(|entry| {
            let (_, own) = entry.path.split_last().filter(|(key, _)| *key == "url")?;
            let (url, _) = erb::evaluated("url", &entry.value, lookup).filter(|(url, _)| !url.is_empty())?;
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
