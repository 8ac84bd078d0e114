//! What a run of the JVM is told besides its settings files: properties of the system and arguments, by the command, by
//! variables, by files of the build tool, and by the build itself.
//!
//! Sources: the `java` command's manual (`JDK_JAVA_OPTIONS`), the JVM TI specification (`JAVA_TOOL_OPTIONS`), Maven's
//! "Configuring Apache Maven" (`MAVEN_OPTS`, `MAVEN_ARGS`, `.mvn/`), Gradle's "Build Environment", sbt's "Command line
//! reference", Leiningen's sample project.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::jvm::{gradle, maven, options};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::paths::up_to;
use crate::environment::readers::formats;
use crate::environment::{Origin, Setting};
use crate::text::{line_number, shown};

/// Variables with options in them.
const VARIABLES: &[&str] = &[
    "_JAVA_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "JAVA_TOOL_OPTIONS",
    "GRADLE_OPTS",
    "SBT_OPTS",
    "JVM_OPTS",
    "LEIN_JVM_OPTS",
    "CATALINA_OPTS",
    "JAVA_OPTS",
];

/// The same, which beat what the files say.
const OVER_FILES: &[&str] = &["MAVEN_ARGS", "MAVEN_OPTS"];

/// Files with options in them, looked for from the home upwards.
const FILES: &[&str] = &[".mvn/maven.config", ".mvn/jvm.config", ".sbtopts", ".jvmopts"];

/// Collects what a run of the module in `home` is told, the strongest first.
pub(crate) fn of(scene: &Scene<'_>, home: &Path, is_test: bool) -> Rc<Vec<Setting>> {
    scene.once(format!("told {is_test} {}", shown(home)), || collect(scene, home, is_test))
}

fn collect(scene: &Scene<'_>, home: &Path, is_test: bool) -> Vec<Setting> {
    let mut told = scene
        .step
        .map_or_else(Vec::new, |step| options::of_words(&step.invocation.words[1..], &step.invocation.origin));
    told.extend(maven::told(scene, home, is_test));
    told.extend(gradle::told(scene, home, is_test));
    let above: Vec<&Path> = up_to(&scene.project.root, home).collect();
    let of_variable = |name: &&str| {
        let setting = scene.environment.setting(name)?;
        Some(options::of_text(&setting.value, &setting.origin))
    };
    told.extend(OVER_FILES.iter().filter_map(of_variable).flatten());
    for path in FILES.iter().flat_map(|name| above.iter().map(move |folder| folder.join(name))) {
        told.extend(of_file(scene, &path));
    }
    if matches!(scene.program(), "gradle" | "gradlew") {
        let of_user = scene.project.home.as_ref().map(|home| home.join(".gradle"));
        for folder in of_user.as_deref().into_iter().chain(above) {
            told.extend(gradle_properties(scene, &folder.join("gradle.properties")));
        }
    }
    told.extend(VARIABLES.iter().filter_map(of_variable).flatten());
    if let Some(setting) = scene.environment.setting("SPRING_APPLICATION_JSON") {
        let entries = formats::json::flatten(&setting.value).entries(|stop| {
            scene.library.gaps.give_up(setting.origin.clone(), stop.why);
        });
        told.extend(
            entries.into_iter().map(|entry| Setting::known(entry.path.join("."), entry.value, setting.origin.clone())),
        );
    }
    told
}

/// Finds the strongest value of `name`.
pub(crate) fn get<'t>(told: &'t [Setting], name: &str) -> Option<&'t str> {
    told.iter().find(|setting| setting.name == name).map(|setting| setting.value.as_str())
}

/// Lists the files that an option names, below the home or the command's folder.
pub(crate) fn named_files(scene: &Scene<'_>, home: &Path, told: &[Setting], names: &[&str]) -> Vec<PathBuf> {
    let values = names.iter().filter_map(|name| get(told, name)).flat_map(|value| value.split([',', ';']));
    let values = values.map(|value| value.trim().trim_start_matches("file:").trim_start_matches("classpath:"));
    let folders = [home.to_owned(), scene.folder.to_owned(), home.join("src/main/resources"), home.join("conf")];
    let found = values
        .filter(|value| !value.is_empty())
        .filter_map(|value| folders.iter().map(|folder| folder.join(value)).find(|path| scene.library.exists(path)));
    found.collect()
}

fn of_file(scene: &Scene<'_>, path: &Path) -> Vec<Setting> {
    if !scene.library.exists(path) {
        return Vec::new();
    }
    let text = scene.library.string(path).unwrap_or_default();
    let shown = scene.library.shown(path);
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#'));
    let mut told: Vec<Setting> = lines
        .flat_map(|(at, line)| {
            let origin = Origin::file("the file", &shown, line_number(at));
            // `-J-Dname=value` of sbt.
            let mut found = options::of_text(&line.replace("-J-D", "-D"), &origin);
            found.iter_mut().for_each(|setting| setting.origin.variable.clone_from(&setting.name));
            found
        })
        .collect();
    told.reverse();
    told
}

/// Reads `systemProp.name=value` and the JVM's options of a `gradle.properties`.
fn gradle_properties(scene: &Scene<'_>, path: &Path) -> Vec<Setting> {
    if !scene.library.exists(path) {
        return Vec::new();
    }
    let Some(entries) = scene.library.entries(path, formats::properties::flatten) else { return Vec::new() };
    let shown = scene.library.shown(path);
    let told = entries.iter().rev().flat_map(|entry| {
        let name = entry.path.join(".");
        let origin = Origin::file(&name, &shown, entry.line);
        match name.strip_prefix("systemProp.") {
            Some(own) => vec![Setting::known(own, entry.value.clone(), origin)],
            None if options::is_carrier(&name) => options::of_text(&entry.value, &origin),
            None => Vec::new(),
        }
    });
    told.collect()
}
