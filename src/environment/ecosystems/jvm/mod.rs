//! The JVM: Spring, Quarkus and HOCON, Maven and Gradle, Flyway and Liquibase.

pub(crate) mod documents;
pub(crate) mod flyway;
pub(crate) mod gradle;
pub(crate) mod hocon;
pub(crate) mod liquibase;
pub(crate) mod manifests;
pub(crate) mod maven;
pub(crate) mod plugins;
pub(crate) mod quarkus;
pub(crate) mod resources;
pub(crate) mod spring;

use crate::environment::ecosystems::row::{Ecosystem, LoadOrder, NamedFile, always};
use crate::environment::ecosystems::settings_files::by_format;
use crate::environment::readers::formats;
use crate::lists::list;

pub(crate) static JVM: Ecosystem = Ecosystem {
    name: "jvm",
    is_present: |scene| {
        scene.is_any_in_project(&[
            "pom.xml",
            "build.gradle",
            "build.gradle.kts",
            "build.sbt",
            "project.clj",
            "src/main/resources",
        ])
    },
    load_orders: &[
        LoadOrder { name: "Flyway", applies: flyway::is_used, add: flyway::add },
        LoadOrder { name: "Liquibase", applies: |scene| scene.program() == "liquibase", add: liquibase::add },
        LoadOrder { name: "Maven", applies: maven::is_used, add: maven::add },
        LoadOrder { name: "Gradle", applies: gradle::is_used, add: gradle::add },
        LoadOrder { name: "HOCON", applies: always, add: hocon::add },
        LoadOrder { name: "Spring Boot", applies: always, add: spring::add },
    ],
    named_files: &[NamedFile {
        fits: |name| name.ends_with(".conf") && name.contains("flyway"),
        layers: |library, path| by_format::flat(library, path, formats::properties::flatten),
    }],
    settings_options: &[
        (&["flyway"], &["-configFiles", "-config", "--configFiles"]),
        (&["liquibase"], &["--defaultsFile", "--defaults-file"]),
    ],
    scan: manifests::scan,
    members: manifests::MEMBERS,
    drivers: list!("drivers.txt"),
};
