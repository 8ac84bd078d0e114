//! What Maven is told on its command line, and by what stands for it.
//!
//! Source: Maven's "Configuring Apache Maven".

use std::collections::HashMap;
use std::rc::Rc;

use crate::environment::ecosystems::scene::Scene;

/// Lists what Maven is told on its command line: by `.mvn/maven.config`, then by MAVEN_ARGS, then by the words themselves.
pub(crate) fn words(scene: &Scene<'_>) -> Rc<Vec<String>> {
    scene.once("words of Maven".to_owned(), || find_words(scene))
}

fn find_words(scene: &Scene<'_>) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(path) = scene.find_upwards(&[".mvn/maven.config"]) {
        let text = scene.library.string(&path).unwrap_or_default();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        words.extend(lines.flat_map(str::split_whitespace).map(str::to_owned));
    }
    words.extend(scene.environment.get("MAVEN_ARGS").unwrap_or_default().split_whitespace().map(str::to_owned));
    words.extend(scene.words().iter().skip(1).cloned());
    words
}

/// Lists the properties that the command gives: `-Dname=value`, and `-Dname` for `true`.
pub(crate) fn given(scene: &Scene<'_>) -> Rc<HashMap<String, String>> {
    scene.once("properties given to Maven".to_owned(), || {
        let words = words(scene);
        let of_opts = scene.environment.get("MAVEN_OPTS").unwrap_or_default().split_whitespace();
        let mut given = HashMap::new();
        let mut all = of_opts.chain(words.iter().map(String::as_str));
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

/// Lists the profiles of `-P`.
pub(crate) fn profiles(scene: &Scene<'_>) -> Vec<String> {
    let words = words(scene);
    let glued = words.iter().filter_map(|word| word.strip_prefix("-P")).filter(|names| !names.is_empty());
    let apart = words.windows(2).filter(|pair| pair[0] == "-P" || pair[0] == "--activate-profiles");
    let glued = glued.chain(words.iter().filter_map(|word| word.strip_prefix("--activate-profiles=")));
    let names = glued.chain(apart.map(|pair| pair[1].as_str())).flat_map(|names| names.split(','));
    names.map(|name| name.trim().to_owned()).collect()
}
