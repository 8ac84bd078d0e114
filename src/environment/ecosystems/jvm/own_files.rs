//! Files in which libraries of the JVM, and programs by themselves, keep a connection: `quartz.properties`,
//! `jdbc.properties`, `persistence.xml`, `hibernate.cfg.xml`, `mybatis-config.xml`, Spring's `applicationContext.xml`,
//! Dropwizard's YAML.
//!
//! Sources: the manuals of Quartz, Hibernate, Jakarta Persistence, MyBatis, Dropwizard and Spring (`jdbc:embedded-database`).
//! A file for another environment, by its name, is left out.

use std::path::Path;

use crate::environment::ecosystems::jvm::resources::Folders;
use crate::environment::ecosystems::jvm::{modules, resources, told};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::dotted::dotted;
use crate::environment::ecosystems::settings_files::{by_format, conventional, elements};
use crate::environment::layering::{Layer, Library, ReadingsBuilder};
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::expansion::placeholders::filled;
use crate::environment::readers::formats;

/// Folders below the resources, and below the web application, that hold such files too.
const BELOW: &[&str] = &["META-INF", "spring"];
const OF_THE_WEB: &[&str] = &["src/main/webapp/WEB-INF", "src/main/webapp/WEB-INF/spring", "src/main/webapp/META-INF"];

/// What a file says that names a database.
const SAYS: &[&str] = &["embedded-database", "jdbc:", "mongodb:", "mongodb+srv:", "postgres://", "mysql://"];

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let homes = modules::homes(scene);
    for home in homes.iter() {
        let depended = modules::depended(scene, &homes, home);
        for is_test in resources::runs(scene) {
            let folders = Folders::of(scene, home, &depended, is_test);
            let mode = scene.purpose.named.as_deref().unwrap_or(if is_test { "test" } else { "development" });
            let mut layers = Vec::new();
            let below = folders.resources().flat_map(|folder| BELOW.iter().map(|name| folder.join(name)));
            let of_the_web = OF_THE_WEB.iter().map(|name| home.join(name));
            let all = folders.resources().cloned().chain(below).chain(of_the_web);
            for folder in all.filter(|folder| scene.library.exists(folder)) {
                let names = scene.names_in(&folder);
                let is_wanted = |name: &&String| {
                    let not_springs = [".properties", ".yml", ".yaml"];
                    let own = not_springs.iter().find_map(|ending| name.strip_suffix(ending));
                    let own = own.filter(|own| !is_springs(own)).or(name.strip_suffix(".xml"));
                    own.is_some_and(|own| !conventional::is_for_another(own, mode))
                        && !folders.is_shadowed(scene, &folder, name)
                };
                for name in names.iter().filter(is_wanted) {
                    let path = folder.join(name);
                    let text = scene.library.manifest(&path);
                    if !SAYS.iter().any(|word| text.contains(word)) {
                        continue;
                    }
                    match name.rsplit('.').next() {
                        Some("xml") => layers.extend(elements::layer(scene.library, &path)),
                        Some("properties") => {
                            layers.extend(by_format::flat(scene.library, &path, formats::properties::flatten));
                        }
                        _ => layers.extend(of_yaml(scene.library, &path)),
                    }
                }
            }
            let given = told::of(scene, home, is_test);
            for layer in layers {
                let layers = vec![Layer::fixed(given.to_vec()), Layer::Environment, layer];
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

/// Reads a YAML file of a program that is told its name in code.
fn of_yaml(library: &Library<'_>, path: &Path) -> Option<Layer> {
    let entries = library.entries(path, formats::yaml::flatten)?;
    let shown = library.shown(path);
    Some(Layer::computed(move |lookup| {
        let mut filled = filled(&entries, lookup);
        filled.retain(|entry| !leads_nowhere(&entry.value));
        dotted(filled, &shown, None)
    }))
}

/// Tells whether the place in a value is to be filled in, and is not. Where only something else is, it still is a place.
fn leads_nowhere(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("//") else { return value.starts_with("${") };
    let authority = rest.split('/').next().unwrap_or(rest);
    authority.rsplit('@').next().is_some_and(|host| host.contains("${"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_not_filled_in_leads_nowhere() {
        for (value, expected) in [
            ("jdbc:postgresql://${DB_HOST}/orders", true),
            ("jdbc:postgresql://db.shop.net/${DB_NAME}", false),
            ("postgres://${DB_USER}:${DB_PASSWORD}@db.shop.net/orders", false),
            ("${DB_URL}", true),
            ("jdbc:h2:mem:${NAME}", false),
        ] {
            assert_eq!(leads_nowhere(value), expected, "{value}");
        }
    }
}
