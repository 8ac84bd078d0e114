//! The database that a framework makes by itself where no setting names one: Spring Boot's embedded one, and the
//! containers of Quarkus' Dev Services.
//!
//! Sources: Spring Boot's reference ("Embedded Database Support"); Quarkus' "Dev Services Overview" and "Dev Services for
//! Databases" (not in production, not where a URL is set, not where `quarkus.devservices.enabled` is false).

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::jvm::documents::{FileEntry, relaxed};
use crate::environment::ecosystems::jvm::resources::{code_below, test_sets};
use crate::environment::ecosystems::scene::Scene;
use crate::text::{line_at, shown};

/// What a build depends on, what that makes by itself, and the settings that keep it from doing so.
struct Maker {
    /// The dependency, as its coordinates spell it.
    artifacts: &'static [&'static str],
    /// What has to be named beside it.
    with: &'static str,
    /// The setting that it stands in for, and its value.
    name: &'static str,
    value: &'static str,
    /// Endings of settings that name a database for it.
    instead: &'static [&'static str],
    /// It starts a container, which can be switched off.
    is_service: bool,
}

const URLS: &[&str] =
    &["datasource.url", "datasource.jdbc-url", "datasource.jdbcUrl", "jndi-name", "r2dbc.url", "hikari.jdbc-url"];
const OF_QUARKUS: &[&str] = &["jdbc.url", "reactive.url"];

const MAKERS: &[Maker] = &[
    Maker {
        artifacts: &["h2", "hsqldb", "derby"],
        with: "spring-boot-starter-",
        name: "spring.datasource.url",
        value: "jdbc:h2:mem:testdb",
        instead: URLS,
        is_service: false,
    },
    Maker {
        artifacts: &["quarkus-jdbc-h2"],
        with: "quarkus",
        name: "quarkus.datasource.jdbc.url",
        value: "jdbc:h2:mem:quarkus",
        instead: OF_QUARKUS,
        is_service: true,
    },
    Maker {
        artifacts: &["quarkus-jdbc-postgresql", "quarkus-reactive-pg-client"],
        with: "quarkus",
        name: "quarkus.datasource.jdbc.url",
        value: "jdbc:tc:postgresql:///quarkus",
        instead: OF_QUARKUS,
        is_service: true,
    },
    Maker {
        artifacts: &["quarkus-jdbc-mysql", "quarkus-jdbc-mariadb", "quarkus-reactive-mysql-client"],
        with: "quarkus",
        name: "quarkus.datasource.jdbc.url",
        value: "jdbc:tc:mysql:///quarkus",
        instead: OF_QUARKUS,
        is_service: true,
    },
    Maker {
        artifacts: &["quarkus-jdbc-mssql", "quarkus-jdbc-oracle", "quarkus-jdbc-db2"],
        with: "quarkus",
        name: "quarkus.datasource.jdbc.url",
        value: "jdbc:tc:sqlserver:///quarkus",
        instead: OF_QUARKUS,
        is_service: true,
    },
    Maker {
        artifacts: &["quarkus-mongodb-client", "quarkus-mongodb-panache"],
        with: "quarkus",
        name: "quarkus.mongodb.connection-string",
        value: "jdbc:tc:mongodb:///quarkus",
        instead: &["mongodb.connection-string", "mongodb.hosts"],
        is_service: true,
    },
];

/// Lists what stands in for settings that are not among `entries`, with the line of the dependency as its place.
pub(crate) fn of(scene: &Scene<'_>, home: &Path, entries: &[FileEntry], is_test: bool) -> Vec<FileEntry> {
    let is_off = |name: &str| entries.iter().any(|entry| entry.name == name && entry.value == "false");
    let has_no_services = is_off("quarkus.devservices.enabled")
        || is_off("quarkus.datasource.devservices.enabled")
        || scene.program() == "java";
    let mut made = Vec::new();
    for maker in MAKERS.iter().filter(|maker| !(maker.is_service && has_no_services)) {
        let is_instead = |name: &str| maker.instead.iter().any(|ending| name.ends_with(ending));
        if entries.iter().any(|entry| is_instead(&entry.name) && !entry.value.is_empty())
            || scene.environment.get(&relaxed(maker.name)).is_some()
        {
            continue;
        }
        if let Some((path, line)) = dependency(scene, home, maker, is_test)
            && !*scene
                .library
                .once(format!("sources {is_test} {}", shown(home)), || has_own_source(scene, home, is_test))
        {
            made.push(FileEntry {
                name: maker.name.to_owned(),
                value: maker.value.to_owned(),
                shown: Rc::new(scene.library.shown(&path)),
                line,
            });
        }
    }
    made
}

/// What code has that makes a connection by itself.
const OF_A_SOURCE: &[&str] =
    &["DataSourceBuilder", "DataSource(", "DriverManager.", "jdbc:", "setJdbcUrl", "mongodb:", "mongodb+srv:"];

/// Longer code is not read.
const MOST_BYTES: usize = 8 << 20;

/// Tells whether the module's code may choose a database, so that nothing can be said of the framework's own.
fn has_own_source(scene: &Scene<'_>, home: &Path, is_test: bool) -> bool {
    let sets = Some(home.join("src/main")).into_iter().chain(test_sets(scene, home).into_iter().filter(|_| is_test));
    let (files, is_cut) = code_below(scene, sets.collect());
    let mut bytes = 0;
    is_cut
        || files.iter().any(|path| {
            let text = scene.library.manifest(path);
            bytes += text.len();
            bytes > MOST_BYTES || OF_A_SOURCE.iter().any(|word| text.contains(word))
        })
}

/// Finds the line of the module's build file that names one of the artifacts.
fn dependency(scene: &Scene<'_>, home: &Path, maker: &Maker, is_test: bool) -> Option<(PathBuf, u32)> {
    ["pom.xml", "build.gradle", "build.gradle.kts"].iter().find_map(|name| {
        let path = home.join(name);
        let text = scene.library.exists(&path).then(|| scene.library.manifest(&path))?;
        if !text.contains(maker.with) {
            return None;
        }
        let at = maker.artifacts.iter().find_map(|artifact| named(&text, artifact, is_test))?;
        Some((path, line_at(text.as_bytes(), at)))
    })
}

/// Finds where a build file names an artifact, as a whole word of its coordinates; what is for tests only counts for them.
fn named(text: &str, artifact: &str, is_test: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut places = memchr::memmem::find_iter(bytes, artifact.as_bytes());
    places.find(|&at| {
        let is_edge = |byte: Option<&u8>| byte.is_some_and(|byte| b"<>:'\"".contains(byte));
        if !is_edge(bytes.get(at.wrapping_sub(1))) || !is_edge(bytes.get(at + artifact.len())) {
            return false;
        }
        let line = text[..at].rsplit('\n').next().unwrap_or("").trim_start();
        let dependency = text[at..].split("</dependency>").next().unwrap_or("");
        let is_for_tests = line.starts_with("test") || dependency.len() < 300 && dependency.contains("<scope>test");
        (is_test || !is_for_tests) && !line.starts_with("//")
    })
}
