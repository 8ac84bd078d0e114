//! Ruby on Rails: `config/database.yml` of the current environment, with `DATABASE_URL` merged over it; and the
//! dotenv gem's files.
//!
//! Source: rails `database_configurations.rb` (an `url:` beats `<NAME>_DATABASE_URL`, which beats `DATABASE_URL`,
//! which counts for `primary` alone and in every environment, tests too); dotenv's `lib/dotenv/rails.rb`.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use crate::environment::ecosystems::{Scene, layered, owned, single};
use crate::environment::layering::library::{Dialect, Library};
use crate::environment::layering::{Draft, Layer, Lookup};
use crate::environment::readers::code;
use crate::environment::readers::code::Value;
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;
use crate::environment::{Origin, Setting, Unresolved};

const DIALECTS: &[Dialect] = &[Dialect::Ruby];

pub(crate) fn add(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    for home in scene.homes("config/application.rb") {
        draft.add_base(&home);
        for environment in scene.modes(&["RAILS_ENV", "RACK_ENV"], "test", "development") {
            let mut layers = layered(&home, &dotenv_files(&environment));
            for file in ["config/database.yml", "config/mongoid.yml"] {
                if let Some(layer) = configuration(scene, &home.join(file), &environment, true) {
                    layers.push(layer);
                }
            }
            draft.chain("Rails", DIALECTS, layers);
        }
    }
}

/// Ruby without Rails: the gem's files by themselves.
pub(crate) fn add_dotenv(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    for environment in scene.modes(&["RACK_ENV", "RAILS_ENV", "APP_ENV", "HANAMI_ENV"], "test", "development") {
        draft.chain("dotenv (Ruby)", DIALECTS, layered(scene.folder, &dotenv_files(&environment)));
        for name in [".env".to_owned(), format!(".env.{environment}")] {
            single(draft, "dotenv (Ruby)", DIALECTS, &scene.path(&name));
        }
    }
}

fn dotenv_files(environment: &str) -> Vec<String> {
    let mut names = vec![format!(".env.{environment}.local")];
    if environment != "test" {
        names.push(".env.local".to_owned());
    }
    names.extend([format!(".env.{environment}"), ".env".to_owned()]);
    names
}

/// The section of a configuration file as a layer that evaluates its ERB under the layers above.
///
/// Rails puts a URL over the keys that it replaces; other tools (`urls_replace` is false) do not.
pub(crate) fn configuration(scene: &Scene<'_>, path: &Path, environment: &str, urls_replace: bool) -> Option<Layer> {
    if !scene.library.exists(path) {
        return None;
    }
    let mut section = entries(scene.library, path)?;
    section.retain(|entry| entry.path.first().is_some_and(|first| first == environment));
    let shown = scene.library.shown(path);
    Some(Layer::Computed(Rc::new(move |lookup| settings(&section, &shown, urls_replace, lookup))))
}

/// A configuration file that is named by itself: the section of the environment that a variable names, else those of
/// tests and development; all of it where it has none of them.
pub(crate) fn by_itself(library: &Library<'_>, path: &Path) -> Option<Layer> {
    let entries = entries(library, path)?;
    let shown = library.shown(path);
    Some(Layer::Computed(Rc::new(move |lookup| {
        let set = ["RAILS_ENV", "RACK_ENV", "NODE_ENV"].iter().find_map(|name| lookup(name));
        let wanted = set.map_or_else(|| owned(&["test", "development"]), |name| vec![name]);
        let is_wanted = |entry: &&FlatEntry| entry.path.first().is_some_and(|first| wanted.contains(first));
        let sections: Vec<FlatEntry> = entries.iter().filter(is_wanted).cloned().collect();
        settings(if sections.is_empty() { &entries } else { &sections }, &shown, true, lookup)
    })))
}

fn entries(library: &Library<'_>, path: &Path) -> Option<Vec<FlatEntry>> {
    library.entries(path, |text| formats::yaml::flatten(&hidden_erb(text)))
}

fn settings(section: &[FlatEntry], shown: &Path, urls_replace: bool, lookup: Lookup<'_>) -> Vec<Setting> {
    let urls = Urls::of(section, lookup);
    let mut settings = Vec::new();
    for entry in section {
        let Some((value, unresolved)) = evaluated(&entry.value, lookup) else { continue };
        let Some((variable, own)) = entry.path.split_last() else { continue };
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
            let (url, _) = evaluated(&entry.value, lookup).filter(|(url, _)| !url.is_empty())?;
            Some((own, url))
        });
        let first = section.iter().find(|entry| entry.path.len() > 2).map(|entry| entry.path[1].as_str());
        Urls { in_file: urls.collect(), first }
    }

    /// Whether one of them replaces the keys of the connection at `own`.
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

/// Whether a URL has both a place and a database, so that nothing of the file is left to count.
fn names_database(url: &str) -> bool {
    let Some((_, rest)) = url.split_once(':') else { return false };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let path = rest.split(['?', '#']).next().unwrap_or(rest);
    path.split_once('/').is_some_and(|(_, database)| !database.is_empty())
}

/// What could disturb YAML's reading of a value, and what stands for it meanwhile (of the private use area).
const DISTURBING: [(char, char); 4] = [(':', '\u{E001}'), ('#', '\u{E002}'), ('"', '\u{E003}'), ('\'', '\u{E004}')];

/// ERB made inert for YAML.
fn hidden_erb(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("<%=") {
        let Some(end) = rest[at..].find("%>") else { break };
        hidden.push_str(&rest[..at]);
        let stand_in =
            |character| DISTURBING.iter().find(|(one, _)| *one == character).map_or(character, |(_, other)| *other);
        hidden.extend(rest[at..at + end + 2].chars().map(stand_in));
        rest = &rest[at + end + 2..];
    }
    hidden.push_str(rest);
    hidden
}

fn shown_erb(text: &str) -> String {
    let original =
        |character| DISTURBING.iter().find(|(_, other)| *other == character).map_or(character, |(one, _)| *one);
    text.chars().map(original).collect()
}

/// The value with its `<%= … %>` evaluated; `None` where that comes to nothing.
fn evaluated(value: &str, lookup: Lookup<'_>) -> Option<(String, Option<Unresolved>)> {
    if !value.contains("<%=") {
        return Some((value.to_owned(), None));
    }
    let value = shown_erb(value);
    let mut result = String::new();
    let mut rest = value.as_str();
    let mut is_unset = false;
    while let Some((before, after)) = rest.split_once("<%=") {
        let (expression, behind) = after.split_once("%>").unwrap_or((after, ""));
        result.push_str(before);
        match code::evaluate(expression.trim_end_matches('-'), lookup) {
            Value::Known(known) => result.push_str(&known),
            Value::Unset => is_unset = true,
            Value::Unknown => return Some((value.clone(), Some(Unresolved::Template))),
        }
        rest = behind;
    }
    result.push_str(rest);
    (!(is_unset && result.trim().is_empty())).then_some((result, None))
}
