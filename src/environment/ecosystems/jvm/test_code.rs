//! What test classes say about their own settings: annotations of Spring, Micronaut and Quarkus, and properties that are
//! set in code. By text, never executed.
//!
//! Sources: Spring's reference ("Context Configuration with Test Property Sources", "… with Environment Profiles"),
//! Micronaut Test's manual.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::jvm::documents;
use crate::environment::ecosystems::jvm::resources::{code_below, test_sets};
use crate::environment::ecosystems::manifest::quoted;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::not_followed::GivenUp;
use crate::environment::{Origin, Setting};
use crate::text::{LineIndex, shown};

/// What one class, or several alike, add to what a test run is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Variant {
    /// The profiles that it names.
    pub(crate) profiles: Vec<String>,
    /// The properties that it sets, the strongest first.
    pub(crate) settings: Vec<Setting>,
}

/// More bytes of tests are not read.
const MOST_BYTES: usize = 16 << 20;
/// More ways that differ are not told apart.
const MOST_VARIANTS: usize = 64;

/// A class without any of these says nothing about its settings.
const WORDS: &[&str] =
    &["@ActiveProfiles", "properties", "Property(", "locations", "environments", "Map.of(", ".put(", "registry.add("];

/// Endings of properties that say where a database is.
const PLACES: &[&str] =
    &["url", "uri", "host", "hosts", "jdbc-url", "jdbcUrl", "connection-string", "connectionString"];

/// Annotations that may set properties; those that end in `Test` are other slices of Spring's (`@DataJpaTest`).
const WITH_PROPERTIES: &[&str] = &["SpringBootTest", "TestPropertySource", "Property", "MicronautTest"];

/// Lists the ways in which the tests of the module in `home` run, other than the plain one.
pub(crate) fn variants(scene: &Scene<'_>, home: &Path) -> Rc<Vec<Variant>> {
    scene.library.once(format!("tests {}", shown(home)), || read(scene, home))
}

fn read(scene: &Scene<'_>, home: &Path) -> Vec<Variant> {
    let mut variants: Vec<Variant> = Vec::new();
    let mut bytes = 0;
    for path in sources(scene, home) {
        let text = scene.library.manifest(&path);
        bytes += text.len();
        if bytes > MOST_BYTES {
            scene.library.give_up(&path, None, GivenUp::too_much("the tests are longer than 16 MiB"));
            break;
        }
        if !WORDS.iter().any(|word| text.contains(word)) {
            continue;
        }
        let variant = variant(scene, home, &path, &text);
        let is_known = |known: &Variant| {
            let values = |one: &Variant| {
                one.settings.iter().map(|one| (one.name.clone(), one.value.clone())).collect::<Vec<_>>()
            };
            known.profiles == variant.profiles && values(known) == values(&variant)
        };
        if variant == Variant::default() || variants.iter().any(is_known) {
            continue;
        }
        if variants.len() == MOST_VARIANTS {
            scene.library.give_up(
                &path,
                None,
                GivenUp::too_much("the tests choose their settings in more than 64 ways"),
            );
            break;
        }
        variants.push(variant);
    }
    variants
}

/// Lists the sources of the tests.
fn sources(scene: &Scene<'_>, home: &Path) -> Vec<PathBuf> {
    let (sources, is_cut) = code_below(scene, test_sets(scene, home));
    if is_cut {
        scene.library.give_up(&home.join("src"), None, GivenUp::too_much("there are more than 4,096 files of tests"));
    }
    sources
}

fn variant(scene: &Scene<'_>, home: &Path, path: &Path, text: &str) -> Variant {
    let shown = scene.library.shown(path);
    let lines = LineIndex::new(text);
    let mut variant = Variant::default();
    for (at, name, inside) in annotations(text) {
        let line = lines.line(at);
        if name == "ActiveProfiles" {
            variant.profiles.extend(quoted(inside).map(str::to_owned));
        } else if name == "MicronautTest" && inside.contains("environments") {
            variant.profiles.extend(quoted(inside).filter(|word| !word.contains('=')).map(str::to_owned));
        }
        if name == "Property" {
            let words: Vec<&str> = quoted(inside).collect();
            if let [name, value] = words[..] {
                variant.settings.push(Setting::known(name, value, Origin::file(name, &shown, line)));
            }
        } else if WITH_PROPERTIES.contains(&name) || name.ends_with("Test") {
            add_properties(scene, (path, line), inside, &mut variant.settings);
            for location in quoted(inside)
                .filter(|word| word.ends_with(".properties") || word.ends_with(".yml") || word.ends_with(".yaml"))
            {
                let entries = test_file(scene, home, location);
                variant.settings.extend(entries.into_iter().map(documents::FileEntry::into_setting));
            }
        }
    }
    variant.settings.extend(set_in_code(text, &shown, &lines));
    variant
}

/// Finds names of properties that are followed by their values: `System.setProperty("a.url", "b")`,
/// `Map.of("a.url", "b")`, `registry.add("a.url", () -> "b")`.
fn set_in_code(text: &str, shown: &Path, lines: &LineIndex) -> Vec<Setting> {
    let mut found = Vec::new();
    let mut parts = text.split('"');
    let (mut at, mut before) = (parts.next().map_or(0, str::len) + 1, None::<(usize, &str)>);
    // The texts inside of quotes and between them take turns.
    while let (Some(inside), Some(between)) = (parts.next(), parts.next()) {
        if let Some((start, name)) = before.take().filter(|_| !inside.is_empty() && !inside.contains('\n')) {
            found.push(Setting::known(name, inside, Origin::file(name, shown, lines.line(start))));
        }
        let ending = inside.rsplit('.').next().unwrap_or_default();
        let is_name = inside.contains('.') && !inside.contains(['/', ' ', '=']) && PLACES.contains(&ending);
        if is_name && matches!(between.split_whitespace().collect::<String>().as_str(), "," | ",()->" | "to" | "->") {
            before = Some((at, inside));
        }
        at += inside.len() + between.len() + 2;
    }
    found
}

/// Adds the texts of an annotation that are properties: `"spring.datasource.url=jdbc:…"`.
fn add_properties(scene: &Scene<'_>, (path, line): (&Path, u32), inside: &str, settings: &mut Vec<Setting>) {
    let shown = scene.library.shown(path);
    let mut rest = inside;
    while let Some(text) = quoted(rest).next() {
        let at = text.as_ptr() as usize - rest.as_ptr() as usize + text.len() + 1;
        rest = rest.get(at..).unwrap_or("");
        let Some((name, value)) = text.split_once('=').or_else(|| text.split_once(':')) else { continue };
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']');
        if !name.contains('.') || !name.chars().all(is_name) {
            continue;
        }
        if value.is_empty() && rest.trim_start().starts_with('+') {
            let why = "a test's property is put together by code";
            scene.library.give_up(path, Some(line), GivenUp::Code(why.into()));
            continue;
        }
        settings.push(Setting::known(name, value.trim(), Origin::file(name, &shown, line)));
    }
}

/// Reads a file that `@TestPropertySource(locations = …)` names, from the resources of the tests or of the program.
fn test_file(scene: &Scene<'_>, home: &Path, location: &str) -> Vec<documents::FileEntry> {
    let name = location.trim_start_matches("classpath*:").trim_start_matches("classpath:").trim_start_matches("file:");
    let name = name.trim_start_matches('/');
    let mut folders: Vec<PathBuf> = test_sets(scene, home).iter().map(|set| set.join("resources")).collect();
    folders.extend([home.join("src/main/resources"), home.to_owned()]);
    let path = folders.iter().map(|folder| folder.join(name)).find(|path| scene.library.exists(path));
    path.map_or_else(Vec::new, |path| documents::read(scene.library, &path, None))
}

/// Finds the annotations with arguments: where each begins, its name, and what stands in its brackets.
fn annotations(text: &str) -> Vec<(usize, &str, &str)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    for at in memchr::memchr_iter(b'@', bytes) {
        let rest = &text[at + 1..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
        let name = rest[..end].rsplit('.').next().unwrap_or_default();
        let Some(arguments) = rest[end..].trim_start().strip_prefix('(') else { continue };
        found.push((at, name, inside(arguments)));
    }
    found
}

/// Gives what stands before the bracket that closes.
fn inside(text: &str) -> &str {
    let (mut depth, mut quote, mut is_escaped) = (1_u32, None, false);
    let end = text.bytes().take(MOST_INSIDE).position(|byte| {
        match (quote, byte) {
            (Some(_), b'\\') if !is_escaped => {
                is_escaped = true;
                return false;
            }
            (Some(open), _) if open == byte && !is_escaped => quote = None,
            (None, b'"') => quote = Some(byte),
            (None, b'(') => depth += 1,
            (None, b')') => depth -= 1,
            _ => {}
        }
        is_escaped = false;
        depth == 0
    });
    &text[..end.unwrap_or(0)]
}

/// Longer annotations are not read.
const MOST_INSIDE: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_are_found_with_what_they_hold() {
        let text =
            "@SpringBootTest(\n  properties = {\"a.b=c)\", \"d.e: f\"})\n@ActiveProfiles(\"x\") @Test void a() {}";
        let found: Vec<_> = annotations(text).into_iter().map(|(_, name, inside)| (name, inside.trim())).collect();
        assert_eq!(found, [("SpringBootTest", "properties = {\"a.b=c)\", \"d.e: f\"}"), ("ActiveProfiles", "\"x\"")]);
    }

    #[test]
    fn properties_that_code_sets_are_found() {
        let text = "x(\"a\");\nSystem.setProperty(\"a.url\", \"jdbc:b\");\nMap.of(\"c\", \"d\", \"e.host\", \"f\")\n\
                    registry.add(\"g.url\", () -> \"h\"); registry.add(\"i.url\", container::getJdbcUrl);";
        let found = set_in_code(text, Path::new("T.java"), &LineIndex::new(text));
        let shown: Vec<String> =
            found.iter().map(|one| format!("{} {}={}", one.origin.line.unwrap(), one.name, one.value)).collect();
        assert_eq!(shown, ["2 a.url=jdbc:b", "3 e.host=f", "4 g.url=h"]);
    }

    #[test]
    fn hostile_sources_end() {
        for piece in ["@A(", "@A(\"", "\\\"", "@é(", "@"] {
            annotations(&piece.repeat(10_000));
        }
    }
}
