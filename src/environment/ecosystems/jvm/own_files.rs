//! Files in which libraries of the JVM, and programs by themselves, keep a connection: `quartz.properties`,
//! `jdbc.properties`, `persistence.xml`, `hibernate.cfg.xml`, `mybatis-config.xml`, Spring's `applicationContext.xml`.
//!
//! Sources: the manuals of Quartz, Hibernate, Jakarta Persistence, MyBatis and Spring (`jdbc:embedded-database`). A file for another environment, by its name,
//! is left out.

use std::path::Path;

use crate::environment::ecosystems::jvm::resources::Folders;
use crate::environment::ecosystems::jvm::{modules, resources, told};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::{by_format, conventional};
use crate::environment::layering::{Layer, Library, ReadingsBuilder};
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::expansion::placeholders::Placeholders;
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;
use crate::environment::{Origin, Setting};

/// Folders below the resources, and below the web application, that hold such files too.
const BELOW: &[&str] = &["META-INF", "spring"];
const OF_THE_WEB: &[&str] = &["src/main/webapp/WEB-INF", "src/main/webapp/WEB-INF/spring", "src/main/webapp/META-INF"];

/// What a file says that names a database.
const SAYS: &[&str] = &["embedded-database", "jdbc:", "mongodb:", "mongodb+srv:", "postgres://", "mysql://"];

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let homes = modules::homes(scene);
    for home in &homes {
        let depended = modules::depended(scene, &homes, home);
        for is_test in resources::runs(scene) {
            let folders = Folders::of(scene, home, &depended, is_test);
            let mode = scene.purpose.named.as_deref().unwrap_or(if is_test { "test" } else { "development" });
            let mut layers = Vec::new();
            let below = folders.resources().flat_map(|folder| BELOW.iter().map(|name| folder.join(name)));
            let of_the_web = OF_THE_WEB.iter().map(|name| home.join(name));
            let all = folders.resources().cloned().chain(below).chain(of_the_web);
            for folder in all.filter(|folder| scene.library.exists(folder)) {
                let mut names = scene.names_in(&folder);
                names.sort();
                let is_wanted = |name: &&String| {
                    let own =
                        name.strip_suffix(".properties").filter(|own| !is_springs(own)).or(name.strip_suffix(".xml"));
                    own.is_some_and(|own| !conventional::is_for_another(own, mode))
                        && !folders.is_shadowed(scene, &folder, name)
                };
                for name in names.iter().filter(is_wanted) {
                    let path = folder.join(name);
                    let text = scene.library.manifest(&path);
                    if !SAYS.iter().any(|word| text.contains(word)) {
                        continue;
                    }
                    if name.ends_with(".xml") {
                        layers.extend(of_xml(scene.library, &path));
                    } else {
                        layers.extend(by_format::flat(scene.library, &path, formats::properties::flatten));
                    }
                }
            }
            let given = told::of(scene, home, is_test);
            for layer in layers {
                let layers = vec![Layer::fixed(given.clone()), Layer::Environment, layer];
                readings.chain("settings file of a library", &[Dialect::Lenient], layers);
            }
        }
    }
}

/// Tells whether a file of that name is read as Spring's or Quarkus', or holds the texts of a language.
fn is_springs(name: &str) -> bool {
    let first = name.split(['-', '_']).next().unwrap_or(name);
    matches!(first, "application" | "bootstrap" | "messages" | "ValidationMessages" | "liquibase" | "flyway")
}

/// Reads `<property name="…" value="…"/>`, `<property name="…">…</property>` and attributes like `url`.
fn of_xml(library: &Library<'_>, path: &Path) -> Option<Layer> {
    let entries = library.entries(path, formats::xml::flatten)?;
    let shown = library.shown(path);
    Some(Layer::computed(move |lookup| {
        let placeholders = Placeholders::of_file(lookup);
        let mut settings = Vec::new();
        for element in entries.chunk_by(|_, next| next.path.last().is_some_and(|last| last.starts_with('@'))) {
            settings.extend(of_element(element, &shown, &placeholders));
        }
        settings
    }))
}

fn of_element(element: &[FlatEntry], shown: &Path, placeholders: &Placeholders<'_>) -> Vec<Setting> {
    let setting = |name: &str, value: &FlatEntry| {
        let text = placeholders.filled(&value.value);
        // What is filled in stands in a file of its own.
        (!text.contains("${")).then(|| Setting::known(name, text, Origin::file(name, shown, value.line)))
    };
    let Some((first, attributes)) = element.split_first() else { return Vec::new() };
    let attribute = |wanted: &str| attributes.iter().find(|entry| entry.path.last().is_some_and(|last| last == wanted));
    if first.path.last().is_some_and(|last| last == "embedded-database") {
        let origin = Origin::file("embedded-database", shown, first.line);
        return vec![Setting::known("datasource.url", "jdbc:h2:mem:embedded", origin)];
    }
    let value = attribute("@value").or(Some(first).filter(|first| !first.value.is_empty()));
    if let (Some(name), Some(value)) = (attribute("@name"), value) {
        return setting(&name.value, value).into_iter().collect();
    }
    let named = attributes.iter().filter(|entry| entry.value.contains("jdbc:"));
    let named = named.filter_map(|entry| setting(entry.path.last()?.trim_start_matches('@'), entry));
    named
        .chain(Some(first).filter(|first| first.value.starts_with("jdbc:")).and_then(|first| setting("url", first)))
        .collect()
}
