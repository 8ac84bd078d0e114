//! What Maven and Gradle builds tell Flyway and Liquibase: the plugins' `url` in `pom.xml`, the `flyway` and
//! `liquibase` blocks of `build.gradle`, and the variables of Gradle's test tasks. By text, never executed.
//!
//! Sources: the manuals of the Flyway and Liquibase plugins (`-Dflyway.url` over the plugin's configuration over
//! properties of the build); Maven's "Introduction to Build Profiles"; Gradle's "Testing in Java & JVM projects".

use std::collections::HashMap;
use std::path::Path;

use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::code;
use crate::environment::readers::code::Value;
use crate::environment::readers::dotenv::EVERY_DIALECT;
use crate::environment::readers::expansion::placeholders::Placeholders;
use crate::environment::readers::formats;
use crate::environment::{Origin, Setting};

/// What the plugins call their parameters, where those say which database it is.
const KEYS: &[&str] = &["url", "user", "username", "password"];

/// Liquibase's tasks in Gradle, which have plain names.
const TASKS: &[&str] = &["update", "dropAll", "rollback", "rollbackCount", "changelogSync", "tag", "diff"];

/// A value with the name of its setting and its line.
struct Named {
    name: String,
    text: String,
    line: u32,
}

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    match scene.program() {
        "mvn" | "mvnw" => add_maven(scene, readings),
        "gradle" | "gradlew" => {
            for name in ["build.gradle", "build.gradle.kts"] {
                add_gradle(scene, readings, &scene.path(name));
            }
        }
        _ => {}
    }
}

fn add_maven(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let path = scene.option("-f").or(scene.option("--file")).map_or(scene.path("pom.xml"), |name| scene.path(name));
    let Some(entries) = scene.library.entries(&path, formats::xml::flatten) else { return };
    let mut properties: HashMap<String, String> = HashMap::new();
    let mut named = Vec::new();
    let (mut profile, mut plugin, mut is_bound) = (None, String::new(), false);
    let mut of_plugin: Vec<Named> = Vec::new();
    for entry in &entries {
        let path: Vec<&str> = entry.path.iter().map(String::as_str).collect();
        match &path[..] {
            ["project", "build" | "profiles" | "properties"] | [.., "plugin" | "profile"] => {
                close(scene, &plugin, is_bound, &mut of_plugin, &mut named);
                (plugin, is_bound) = (String::new(), false);
                if path.last() == Some(&"profile") {
                    profile = Some(false);
                } else if path.len() == 2 {
                    profile = None;
                }
            }
            [.., "profile", "id"] => profile = Some(is_chosen(scene, &entry.value)),
            [.., "profile", "activation", "activeByDefault"] if entry.value == "true" => {
                profile = profile.map(|chosen| chosen || chosen_profiles(scene).next().is_none());
            }
            _ if profile == Some(false) => {}
            ["project", "properties", name] | [.., "profile", "properties", name] => {
                properties.insert((*name).to_owned(), entry.value.clone());
                if matches!(name.split_once('.'), Some(("flyway" | "liquibase", key)) if KEYS.contains(&key)) {
                    named.push(Named { name: (*name).to_owned(), text: entry.value.clone(), line: entry.line });
                }
            }
            [.., "plugin", "artifactId"] => plugin.clone_from(&entry.value),
            [.., "plugin", "executions", "execution", "goals", "goal"] => is_bound = true,
            [.., "configuration", key] if KEYS.contains(key) => {
                of_plugin.push(Named { name: (*key).to_owned(), text: entry.value.clone(), line: entry.line });
            }
            _ => {}
        }
    }
    close(scene, &plugin, is_bound, &mut of_plugin, &mut named);
    for word in scene.words() {
        if let Some((name, value)) = word.strip_prefix("-D").and_then(|word| word.split_once('=')) {
            properties.insert(name.to_owned(), value.to_owned());
        }
    }
    push(scene, readings, "Maven", &path, named, properties);
}

/// Takes over what a plugin's element said, if this command runs that plugin.
fn close(scene: &Scene<'_>, plugin: &str, is_bound: bool, of_plugin: &mut Vec<Named>, named: &mut Vec<Named>) {
    let own = ["flyway", "liquibase"].into_iter().find(|tool| plugin == format!("{tool}-maven-plugin"));
    let taken = std::mem::take(of_plugin).into_iter();
    if let Some(tool) = own.filter(|tool| is_bound || scene.words().iter().any(|word| word.contains(tool))) {
        named.extend(taken.map(|one| Named { name: format!("{tool}.{}", one.name), ..one }));
    }
}

fn chosen_profiles<'s>(scene: &'s Scene<'_>) -> impl Iterator<Item = &'s str> {
    let words = scene.words();
    let glued = words.iter().filter_map(|word| word.strip_prefix("-P")).filter(|names| !names.is_empty());
    let apart = words.windows(2).filter(|pair| pair[0] == "-P" || pair[0] == "--activate-profiles");
    glued.chain(apart.map(|pair| pair[1].as_str())).flat_map(|names| names.split(','))
}

fn is_chosen(scene: &Scene<'_>, id: &str) -> bool {
    chosen_profiles(scene).any(|name| name.trim_start_matches(['+', '?']) == id)
}

fn add_gradle(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>, path: &Path) {
    let Some(text) = Some(path).filter(|path| scene.library.exists(path)).and_then(|path| scene.library.string(path))
    else {
        return;
    };
    let runs = |tool: &str| {
        let by_task = scene.words()[1..].iter().any(|word| {
            let task = word.rsplit(':').next().unwrap_or(word);
            task.starts_with(tool) || tool == "liquibase" && TASKS.contains(&task)
        });
        by_task || text.lines().any(|line| line.contains("dependsOn") && line.contains(tool))
    };
    let tools: Vec<&str> = ["flyway", "liquibase"].into_iter().filter(|tool| runs(tool)).collect();
    let mut named = Vec::new();
    let mut blocks: Vec<&str> = Vec::new();
    for (at, whole) in text.lines().enumerate() {
        let whole = whole.trim();
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        if whole.starts_with("//") {
            continue;
        }
        let of_a_tool = |text: &str| tools.iter().copied().find(|tool| text.starts_with(tool));
        let open = blocks.iter().find_map(|block| of_a_tool(block));
        // `flyway { url = "…" }`
        let inside = whole.split_once('{').filter(|(head, _)| of_a_tool(head).is_some());
        let (line, open) = inside.map_or((whole, open), |(head, inside)| (inside, open.or(of_a_tool(head))));
        if let Some((name, text)) = assigned(line, open, &tools) {
            named.push(Named { name, text: text.to_owned(), line: number });
        } else if let Some((name, text)) = variable(line).filter(|_| scene.purpose.test) {
            named.push(Named { name, text: text.to_owned(), line: number });
        }
        let closes = whole.matches('}').count();
        let opens = whole.matches('{').count();
        if opens > closes && blocks.len() < 64 {
            blocks.push(whole);
        }
        blocks.truncate(blocks.len().saturating_sub(closes.saturating_sub(opens)));
    }
    push(scene, readings, "Gradle", path, named, HashMap::new());
}

/// Reads `url = 'jdbc:…'`, `url 'jdbc:…'`, `url.set("jdbc:…")` in a tool's block; `flyway.url = '…'` anywhere.
fn assigned<'l>(line: &'l str, block: Option<&str>, tools: &[&str]) -> Option<(String, &'l str)> {
    let line = line.trim().trim_end_matches(['}', ';', ' ']);
    let end = line.find(|c: char| c != '.' && c != '_' && !c.is_ascii_alphanumeric())?;
    let (name, rest) = line.split_at(end);
    let name = name.strip_suffix(".set").unwrap_or(name);
    let (tool, key) = name.split_once('.').map_or((block, name), |(tool, key)| (Some(tool), key));
    let tool = tool.filter(|tool| tools.contains(tool))?;
    let value = rest.trim().trim_start_matches(['=', '(']).trim();
    let value = if rest.trim_start().starts_with('(') { value.strip_suffix(')').unwrap_or(value) } else { value };
    KEYS.contains(&key).then(|| (format!("{tool}.{key}"), value.trim()))
}

/// Reads `environment 'NAME', 'value'` and `systemProperty("name", "value")` of a test task.
fn variable(line: &str) -> Option<(String, &str)> {
    let rest = line.strip_prefix("environment").or_else(|| line.strip_prefix("systemProperty"))?;
    let rest = rest.trim_start_matches(['(', ' ']).trim_end_matches([')', ' ', ';']);
    let (name, value) = rest.split_once(',')?;
    let name = name.trim().trim_matches(['"', '\'']);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    (!name.is_empty() && name.chars().all(fits)).then(|| (name.to_owned(), value.trim()))
}

fn push(
    scene: &Scene<'_>,
    readings: &mut ReadingsBuilder<'_>,
    loader: &'static str,
    path: &Path,
    named: Vec<Named>,
    properties: HashMap<String, String>,
) {
    if named.is_empty() {
        return;
    }
    let shown = scene.library.shown(path);
    let is_code = loader == "Gradle";
    let layer = Layer::computed(move |lookup| {
        let known = |name: &str| match name.strip_prefix("env.") {
            Some(name) => lookup(name),
            None => properties.get(name).cloned().or_else(|| lookup(name)),
        };
        let placeholders = Placeholders::of_file(&known);
        let settings = named.iter().filter_map(|one| {
            let (value, unresolved) = match is_code {
                true => match code::evaluate(&one.text, lookup) {
                    Value::Unset => return None,
                    value => value.settled(&one.text)?,
                },
                false => (placeholders.filled(&one.text), None),
            };
            let origin = Origin::file(one.name.clone(), &shown, one.line);
            Some(Setting { name: one.name.clone(), value, origin, unresolved })
        });
        settings.collect()
    });
    readings.chain(loader, EVERY_DIALECT, vec![Layer::Environment, layer]);
}
