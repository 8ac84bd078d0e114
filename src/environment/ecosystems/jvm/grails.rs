//! Grails: sections for an environment, settings in Groovy, and the files that `grails.config.locations` names.
//!
//! Source: Grails' reference ("Configuration": "Environments", "The DataSource", "Externalized Configuration"): tests run in
//! `test`, `run-app` and Gradle's `bootRun` in `development`, what is packed in `production`; `grails prod …` and
//! `-Dgrails.env=…` name another one; `runtime.groovy` and `application.groovy` beat `application.yml`.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::jvm::documents::{FileEntry, read};
use crate::environment::ecosystems::jvm::resources::GRAILS;
use crate::environment::ecosystems::jvm::told;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::Library;
use crate::environment::paths::normal;
use crate::environment::readers::code;
use crate::environment::readers::code::Value;
use crate::environment::readers::formats;
use crate::environment::{Origin, Setting};
use crate::text::shown;

/// Files of settings in Groovy, the strongest first, and those of old versions, which are read where there are no others.
const IN_GROOVY: &[&str] = &["runtime.groovy", "application.groovy"];
const OF_OLD: &[&str] = &["Config.groovy", "DataSource.groovy"];

/// What the command line calls its environments.
const WORDS: &[(&str, &str)] = &[("dev", "development"), ("prod", "production"), ("test", "test")];

/// Tells whether the module in `home` is one of Grails.
pub(crate) fn is_used(scene: &Scene<'_>, home: &Path) -> bool {
    scene.library.exists(&home.join(GRAILS))
}

/// Finds the environment that the command's own words name: `grails prod run-app`, `-Dgrails.env=production`.
pub(crate) fn named(scene: &Scene<'_>, given: &[Setting]) -> Option<String> {
    let by_option = told::get(given, "grails.env").or_else(|| scene.environment.get("GRAILS_ENV"));
    let by_word = || {
        let is_grails = matches!(scene.program(), "grails" | "grailsw");
        let first = scene.words().iter().skip(1).find(|word| !word.starts_with('-')).filter(|_| is_grails)?;
        WORDS.iter().find(|(word, _)| word == first).map(|(_, name)| *name)
    };
    let name = by_option.or_else(by_word)?;
    Some(WORDS.iter().find(|(word, _)| *word == name).map_or(name, |(_, name)| name).to_owned())
}

/// Tells the environment that the command names by a word of its own, as the option would that says the same.
pub(crate) fn environment_setting(scene: &Scene<'_>, home: &Path, given: &[Setting]) -> Option<Setting> {
    let step = scene.step.filter(|_| is_used(scene, home) && told::get(given, "grails.env").is_none())?;
    let name = named(scene, given).filter(|_| scene.environment.get("GRAILS_ENV").is_none())?;
    let origin = Origin { variable: "grails.env".to_owned(), ..step.invocation.origin.clone() };
    Some(Setting::known("grails.env", name, origin))
}

/// Puts what Grails reads besides Spring's files over them, and the section of the environment over the rest; sections for
/// others are left out. `reads_groovy`: settings in Groovy are over the rest, as which of them beats a file for a profile
/// differs between versions.
pub(crate) fn with_own(
    scene: &Scene<'_>,
    home: &Path,
    given: &[Setting],
    is_test: bool,
    entries: Vec<FileEntry>,
    reads_groovy: bool,
) -> Vec<FileEntry> {
    if !is_used(scene, home) {
        return entries;
    }
    let default = match (is_test, scene.program()) {
        (true, _) => "test",
        (false, "java") => "production",
        (false, _) => "development",
    };
    let environment = named(scene, given).unwrap_or_else(|| default.to_owned());
    let conf = home.join(GRAILS);
    let own = IN_GROOVY.iter().filter(|_| reads_groovy);
    let is_old = entries.is_empty() && !scene.library.exists(&conf.join("application.groovy"));
    let old = OF_OLD.iter().filter(|_| is_old);
    let in_groovy = own.chain(old).map(|name| conf.join(name)).filter(|path| scene.library.exists(path));
    let in_groovy = in_groovy.flat_map(|path| groovy(scene, &path));
    let own = of_environment(in_groovy.chain(entries).collect(), &environment);
    let mut located: Vec<FileEntry> = Vec::new();
    for path in locations(scene, home, &own) {
        let of_file = match path.extension().and_then(|ending| ending.to_str()) {
            Some("groovy") => groovy(scene, &path),
            _ => read(scene.library, &path, None),
        };
        // The last one is the strongest.
        located.splice(0..0, of_file);
    }
    let mut all = of_environment(located, &environment);
    all.extend(own);
    all
}

/// Puts what `environments.{name}` says over what stands outside.
fn of_environment(entries: Vec<FileEntry>, environment: &str) -> Vec<FileEntry> {
    let (sections, plain): (Vec<FileEntry>, Vec<FileEntry>) =
        entries.into_iter().partition(|entry| entry.name.starts_with("environments."));
    let own = sections.into_iter().filter_map(|mut entry| {
        let (name, key) = entry.name.strip_prefix("environments.")?.split_once('.')?;
        let is_own = name == environment;
        entry.name = key.to_owned();
        is_own.then_some(entry)
    });
    own.chain(plain).collect()
}

/// Lists the files of `grails.config.locations` that are there, the weakest first.
fn locations(scene: &Scene<'_>, home: &Path, entries: &[FileEntry]) -> Vec<PathBuf> {
    let mut named: Vec<&FileEntry> =
        entries.iter().filter(|entry| entry.name.starts_with("grails.config.locations")).collect();
    named.sort_by_key(|entry| (Rc::clone(&entry.shown), entry.line));
    let values = named.iter().flat_map(|entry| entry.value.split(['"', '\'', ',', '[', ']']));
    let user = scene.project.home.as_deref();
    let found = values.map(str::trim).filter_map(|value| {
        let value = value.replace("${userHome}", "~").replace("${user.home}", "~");
        let (folders, name) = match value.split_once(':') {
            Some(("file", name)) => (vec![home.to_owned()], name),
            Some(("classpath", name)) => {
                (vec![home.join(GRAILS), home.join("src/main/resources")], name.trim_start_matches('/'))
            }
            _ => (vec![home.to_owned()], value.as_str()),
        };
        let own = match name.strip_prefix("~/") {
            Some(name) => vec![user?.join(name)],
            None => folders.iter().map(|folder| normal(&folder.join(name))).collect(),
        };
        own.into_iter().find(|path| path.extension().is_some() && scene.library.exists(path))
    });
    found.collect()
}

/// Reads settings in Groovy: `dataSource { url = '…' }`, `dataSource.url = '…'`, in sections for an environment, too. What
/// is no text is left out.
fn groovy(scene: &Scene<'_>, path: &Path) -> Vec<FileEntry> {
    let file = Rc::new(scene.library.shown(path));
    let flat = flat(scene.library, path);
    // Of several values of a name the last one counts.
    let is_text = |expression: &str| {
        expression.starts_with(['"', '\'', '['])
            || ["env", "System.", "?:"].iter().any(|word| expression.contains(word))
    };
    let entries = flat.iter().rev().filter(|(_, expression, _)| is_text(expression));
    let entries = entries.filter_map(|(name, expression, line)| {
        let value = match code::evaluate(expression, &|name| scene.environment.get(name).map(str::to_owned)) {
            Value::Known(value) => value,
            // A list of locations.
            Value::Unknown if expression.starts_with('[') => expression.clone(),
            Value::Unknown | Value::Unset => return None,
        };
        Some(FileEntry { name: name.clone(), value, shown: Rc::clone(&file), line: *line })
    });
    entries.collect()
}

/// The names, expressions and lines of a file.
type Flat = Vec<(String, String, u32)>;

fn flat(library: &Library<'_>, path: &Path) -> Rc<Flat> {
    library.once(format!("groovy {}", shown(path)), || {
        let entries = library.entries(path, formats::blocks::flatten_groovy);
        let entries = entries.iter().flat_map(|entries| entries.iter());
        entries.map(|entry| (entry.path.join("."), entry.value.clone(), entry.line)).collect::<Flat>()
    })
}
