//! What Maven is told on its command line, and by what stands for it.
//!
//! Sources: Maven's "Configuring Apache Maven" and its script `mvn`; the `java` command's manual (`JDK_JAVA_OPTIONS`); the
//! JVM TI specification (`JAVA_TOOL_OPTIONS`); HotSpot's `arguments.cpp` (`_JAVA_OPTIONS`).

use std::collections::HashMap;
use std::rc::Rc;

use crate::environment::ecosystems::jvm::options;
use crate::environment::ecosystems::scene::Scene;

/// Lists what Maven is told on its command line: by `.mvn/maven.config`, then by MAVEN_ARGS, then by the words themselves.
pub(crate) fn words(scene: &Scene<'_>) -> Rc<Vec<String>> {
    scene.once("words of Maven".to_owned(), || find_words(scene))
}

fn find_words(scene: &Scene<'_>) -> Vec<String> {
    let mut words = of_file(scene, ".mvn/maven.config");
    words.extend(scene.environment.get("MAVEN_ARGS").unwrap_or_default().split_whitespace().map(str::to_owned));
    words.extend(scene.words().iter().skip(1).cloned());
    words
}

fn of_file(scene: &Scene<'_>, name: &str) -> Vec<String> {
    let Some(path) = scene.find_upwards(&[name]) else { return Vec::new() };
    let text = scene.library.string(&path).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.flat_map(options::words).collect()
}

/// Lists what Maven's own JVM is told, the strongest last.
fn of_its_jvm(scene: &Scene<'_>) -> Vec<String> {
    let of_variable = |name: &str| options::words(scene.environment.get(name).unwrap_or_default());
    let mut told = of_variable("JAVA_TOOL_OPTIONS");
    told.extend(of_variable("JDK_JAVA_OPTIONS"));
    told.extend(of_file(scene, ".mvn/jvm.config"));
    told.extend(of_variable("MAVEN_OPTS"));
    told.extend(of_variable("_JAVA_OPTIONS"));
    told
}

/// Lists the properties that the command gives: `-Dname=value`, and `-Dname` for `true`. Those of Maven's own JVM are weaker.
pub(crate) fn given(scene: &Scene<'_>) -> Rc<HashMap<String, String>> {
    scene.once("properties given to Maven".to_owned(), || {
        let (of_jvm, words) = (of_its_jvm(scene), words(scene));
        let mut given = HashMap::new();
        let mut all = of_jvm.iter().chain(words.iter()).map(String::as_str);
        while let Some(word) = all.next() {
            let own = match word {
                "-D" | "--define" => all.next(),
                word => word.strip_prefix("-D").or_else(|| word.strip_prefix("--define=")),
            };
            let Some(own) = own else { continue };
            let (name, value) = own.split_once('=').unwrap_or((own, "true"));
            if !name.is_empty() {
                given.insert(name.to_owned(), value.to_owned());
            }
        }
        given
    })
}

/// Lists the profiles of `-P`, however it is spelled: `-P a,b`, `-Pa,b`, `-P=a,b`.
pub(crate) fn profiles(scene: &Scene<'_>) -> Vec<String> {
    let words = words(scene);
    let glued = words.iter().filter_map(|word| word.strip_prefix("-P"));
    let glued = glued.map(|names| names.strip_prefix('=').unwrap_or(names)).filter(|names| !names.is_empty());
    let apart = words.windows(2).filter(|pair| pair[0] == "-P" || pair[0] == "--activate-profiles");
    let glued = glued.chain(words.iter().filter_map(|word| word.strip_prefix("--activate-profiles=")));
    let names = glued.chain(apart.map(|pair| pair[1].as_str())).flat_map(|names| names.split(','));
    names.map(|name| name.trim().to_owned()).collect()
}
