//! The JVM: Spring, Grails, Quarkus and HOCON, Maven and Gradle, Flyway and Liquibase.

pub(crate) mod by_default;
pub(crate) mod config_import;
pub(crate) mod documents;
pub(crate) mod flyway;
pub(crate) mod gradle;
pub(crate) mod gradle_script;
pub(crate) mod grails;
pub(crate) mod hocon;
pub(crate) mod liquibase;
pub(crate) mod manifests;
pub(crate) mod maven;
pub(crate) mod maven_command;
pub(crate) mod maven_profiles;
pub(crate) mod maven_settings;
pub(crate) mod modules;
pub(crate) mod options;
pub(crate) mod own_files;
pub(crate) mod plugins;
pub(crate) mod pom;
pub(crate) mod quarkus;
pub(crate) mod resources;
pub(crate) mod spring;
pub(crate) mod test_code;
pub(crate) mod told;

use crate::environment::ecosystems::row::{Ecosystem, LoadOrder, NamedFile, always, nothing};
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
            "settings.gradle",
            "settings.gradle.kts",
            "src/main/resources",
        ])
    },
    load_orders: &[
        LoadOrder { name: "Flyway", applies: flyway::is_used, add: flyway::add },
        LoadOrder { name: "Liquibase", applies: liquibase::is_used, add: liquibase::add },
        LoadOrder { name: "Maven", applies: maven::is_used, add: maven::add },
        LoadOrder { name: "Gradle", applies: gradle::is_used, add: gradle::add },
        LoadOrder { name: "HOCON", applies: always, add: hocon::add },
        LoadOrder { name: "settings file of a library", applies: always, add: own_files::add },
        LoadOrder { name: "Spring Boot", applies: always, add: spring::add },
    ],
    derivations: &[],
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
    confines: modules::confines,
    included: nothing,
    drivers: list!("drivers.txt"),
};
