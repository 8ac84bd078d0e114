//! What the command's own arguments name: `psql -h db`, `mysql -D app`, `--database-url …`.

use super::Draft;
use super::clients::{Client, client_of};
use super::find::{Found, Scene};
use super::names::Name;
use super::scheme::engine_of_driver;
use crate::environment::{Invocation, Setting};

/// Whether the program talks to a database even where nothing names one: `psql`, `mysqldump`, `prisma`, ….
#[must_use]
pub fn is_database_client(invocation: &Invocation) -> bool {
    client_of(&invocation.words).is_some()
}

/// Everything that the arguments of one invocation name, completed from the environment it would see.
pub(super) fn find(invocation: &Invocation, scene: &Scene<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    match client_of(&invocation.words) {
        Some((Client::Terminal(grammar), arguments)) => {
            let named = super::terminal::read(grammar, arguments, scene);
            found.extend(named.into_iter().map(|(draft, origins)| {
                let mut one = Found::new(draft, super::ambient::typed(&invocation.origin, invocation.program()), "");
                origins.iter().for_each(|origin| one.add_origin(origin));
                one
            }));
        }
        Some((Client::Tool, arguments)) => found.extend(driver_and_source(arguments, invocation, scene)),
        None => {}
    }
    for word in invocation.words.iter().skip(1) {
        let known = |draft: &Draft, found: &[Found]| {
            found.iter().any(|one| one.draft.places == draft.places && one.draft.database == draft.database)
        };
        for draft in value_in(word, scene) {
            if !known(&draft, &found) {
                let label = word.split_once('=').map_or(invocation.program(), |(name, _)| name);
                let label = if label.contains("://") || label.contains('@') { invocation.program() } else { label };
                found.push(Found::new(draft, super::ambient::typed(&invocation.origin, label), ""));
            }
        }
    }
    for one in &mut found {
        super::ambient::complete_one(scene, one);
    }
    found
}

/// A URL or DSN in one argument: the whole of it, or what follows its first `=`.
fn value_in(word: &str, scene: &Scene<'_>) -> Vec<Draft> {
    let nameless = Name::read("");
    let whole = super::value::parse(&nameless, word, scene.context);
    let text_of_options = word.starts_with('-') || !word.contains("://") || word.find('=') < word.find("://");
    if !whole.is_empty() && !word.starts_with('-') {
        return whole;
    }
    match word.split_once('=') {
        // What has a name is one of the scene's settings already.
        Some((name, _)) if setting_name(name).is_some_and(|name| Name::read(&name).says_database) => Vec::new(),
        Some((_, value)) if text_of_options => super::value::parse(&nameless, value, scene.context),
        _ => Vec::new(),
    }
}

/// `--db-host=x`, `-Ddb.host=x`, `DB_HOST=x`: arguments that are settings by their names.
pub(super) fn settings(invocation: &Invocation) -> Vec<Setting> {
    if matches!(client_of(&invocation.words), Some((Client::Terminal(_), _))) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut words = invocation.words.iter().skip(1).peekable();
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None if word.starts_with("--") => match words.peek() {
                Some(next) if !next.starts_with('-') => (word.as_str(), (*next).clone()),
                _ => continue,
            },
            None => continue,
        };
        let Some(name) = setting_name(name) else { continue };
        let read = Name::read(&name);
        if read.says_database && read.role.is_some() && !read.stopped {
            let origin = super::ambient::typed(&invocation.origin, &name);
            found.push(Setting { name, value, origin, unresolved: None });
        }
    }
    found
}

/// The name in `--spring.datasource.url`, `-Ddb.host`, `-Pdb.host` or `DB_HOST`.
fn setting_name(word: &str) -> Option<String> {
    let name = word.strip_prefix("--").or_else(|| word.strip_prefix("-D")).or_else(|| word.strip_prefix("-P"));
    let name = name.unwrap_or(word);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
    (!name.is_empty() && !name.starts_with('-') && name.len() < 200 && name.chars().all(fits)).then(|| name.to_owned())
}

/// `goose postgres "user=x dbname=y" up`: a driver's name, then its source.
fn driver_and_source(arguments: &[String], invocation: &Invocation, scene: &Scene<'_>) -> Vec<Found> {
    let plain: Vec<&String> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    let Some((driver, source)) = plain.windows(2).find_map(|pair| Some((engine_of_driver(pair[0])?, pair[1]))) else {
        return Vec::new();
    };
    if invocation.words.iter().all(|word| !word.ends_with("goose")) {
        return Vec::new();
    }
    let mut name = Name::read("DATABASE_URL");
    name.engine = Some(driver);
    let drafts = super::value::parse(&name, source, scene.context);
    let origin = super::ambient::typed(&invocation.origin, invocation.program());
    drafts.into_iter().map(|draft| Found::new(draft, origin.clone(), "")).collect()
}
