//! Gradle: the `flyway` and `liquibase` blocks of a build, and what it tells its tests and the program. By text, never
//! executed.
//!
//! Sources: the plugins' manuals; Gradle's "Testing in Java & JVM projects" and the reference of `JavaForkOptions`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::jvm::gradle_script::{Statement, pairs, split, statements};
use crate::environment::ecosystems::jvm::modules;
use crate::environment::ecosystems::jvm::options;
use crate::environment::ecosystems::jvm::plugins::{KEYS, PluginSetting, push};
use crate::environment::ecosystems::manifest::quoted;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::ReadingsBuilder;
use crate::environment::not_followed::GivenUp;
use crate::environment::paths::{normal, parent, up_to};
use crate::environment::readers::code;
use crate::environment::readers::code::Value;
use crate::environment::readers::formats;
use crate::environment::{Origin, Setting, Unresolved};
use crate::text::shown;

/// Liquibase's tasks in Gradle, which have plain names.
const TASKS: &[&str] = &["update", "dropAll", "rollback", "rollbackCount", "changelogSync", "tag", "diff"];

/// More scripts that a build applies are not followed.
const MOST_SCRIPTS: usize = 256;

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    matches!(scene.program(), "gradle" | "gradlew")
}

/// Adds the settings of Flyway's and Liquibase's plugins, where this command runs them.
pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let mut seen = HashSet::new();
    for path in modules::homes(scene).iter().flat_map(|home| scripts(scene, home)) {
        if seen.insert(path.clone()) {
            add_file(scene, readings, &path);
        }
    }
}

/// Lists the scripts of the module in `home`: its own, those of the folders above it, which configure it too, and those
/// that they apply.
fn scripts(scene: &Scene<'_>, home: &Path) -> Vec<PathBuf> {
    let names = ["build.gradle", "build.gradle.kts"];
    let all = up_to(&scene.project.root, home).flat_map(|folder| names.map(|name| folder.join(name)));
    let mut scripts: Vec<PathBuf> = all.filter(|path| scene.library.exists(path)).collect();
    let mut at = 0;
    while at < scripts.len() {
        if scripts.len() > MOST_SCRIPTS {
            let why = GivenUp::too_much("the build applies more than 256 scripts");
            scene.library.give_up(&scripts[MOST_SCRIPTS], None, why);
            scripts.truncate(MOST_SCRIPTS);
            break;
        }
        let applied = applied(scene, &scripts[at]);
        scripts.extend(applied.iter().filter(|path| !scripts.contains(path)).cloned().collect::<Vec<_>>());
        at += 1;
    }
    scripts
}

/// Lists the scripts that a script applies and that are there.
fn applied(scene: &Scene<'_>, script: &Path) -> Rc<Vec<PathBuf>> {
    scene.library.once(format!("applied by {}", shown(script)), || {
        let text = scene.library.manifest(script);
        let lines = text.lines().filter(|line| line.contains("apply") && line.contains("from"));
        let found = lines.filter_map(|line| {
            let name = quoted(line).last()?;
            let name = ["$rootDir/", "${rootDir}/", "$projectDir/", "${projectDir}/", "$rootProject.projectDir/"]
                .iter()
                .find_map(|folder| name.strip_prefix(folder))
                .unwrap_or(name);
            let found = [parent(script), scene.project.root.clone()].map(|folder| normal(&folder.join(name)));
            found.into_iter().find(|path| path != script && scene.library.exists(path))
        });
        found.collect()
    })
}

fn add_file(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>, path: &Path) {
    let text = scene.library.manifest(path);
    let runs = |tool: &str| {
        let by_task = scene.words()[1..].iter().any(|word| {
            let task = word.rsplit(':').next().unwrap_or(word);
            task.starts_with(tool) || tool == "liquibase" && TASKS.contains(&task)
        });
        by_task || text.lines().any(|line| line.contains("dependsOn") && line.contains(tool))
    };
    let tools: Vec<&str> = ["flyway", "liquibase"].into_iter().filter(|tool| runs(tool)).collect();
    let mut named = Vec::new();
    // How many blocks are open, and the outermost one among them that is a tool's.
    let (mut depth, mut of_tool): (usize, Option<(usize, &str)>) = (0, None);
    for (at, whole) in text.lines().enumerate().filter(|_| !tools.is_empty()) {
        let whole = whole.trim();
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        if whole.starts_with("//") {
            continue;
        }
        let of_a_tool = |text: &str| tools.iter().copied().find(|tool| text.starts_with(tool));
        let open = of_tool.map(|(_, tool)| tool);
        // `flyway { url = "…" }`
        let inside = whole.split_once('{').filter(|(head, _)| of_a_tool(head).is_some());
        let (line, open) = inside.map_or((whole, open), |(head, inside)| (inside, open.or(of_a_tool(head))));
        if let Some((name, text)) = assigned(line, open, &tools) {
            named.push(PluginSetting { name, text: text.to_owned(), line: number });
        }
        let closes = whole.matches('}').count();
        let opens = whole.matches('{').count();
        if opens > closes {
            of_tool = of_tool.or(of_a_tool(whole).map(|tool| (depth, tool)));
            depth += 1;
        }
        depth = depth.saturating_sub(closes.saturating_sub(opens));
        of_tool = of_tool.filter(|(at, _)| *at < depth);
    }
    push(scene, readings, "Gradle", path, named, Rc::default());
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

/// What a build says to the processes that it starts.
const STATEMENTS: &[&str] = &[
    "allJvmArgs",
    "applicationDefaultJvmArgs",
    "args",
    "environment",
    "environmentVariables",
    "jvmArgs",
    "systemProperties",
    "systemProperty",
];

/// Collects what the build tells the tests, or the program, of the module in `home`.
pub(crate) fn told(scene: &Scene<'_>, home: &Path, is_test: bool) -> Vec<Setting> {
    let mut told = Vec::new();
    if !is_used(scene) {
        return told;
    }
    for path in scripts(scene, home) {
        let of_script = scene.once(format!("told {is_test} by {}", shown(&path)), || of_script(scene, &path, is_test));
        told.extend(of_script.iter().cloned());
    }
    told
}

/// Collects what one script tells the tests, or the program.
fn of_script(scene: &Scene<'_>, path: &Path, is_test: bool) -> Vec<Setting> {
    let mut told = Vec::new();
    let text = scene.library.manifest(path);
    let shown = scene.library.shown(path);
    for statement in statements(&text, STATEMENTS).iter().rev().filter(|one| concerns(one, is_test)) {
        let origin = |name: &str| Origin::file(name, &shown, statement.line);
        if matches!(statement.name, "systemProperty" | "systemProperties" | "environment" | "environmentVariables") {
            for (name, expression) in pairs(statement.text) {
                let look = |name: &str| scene.environment.get(name).map(str::to_owned);
                let value = match property_of_the_build(scene, expression) {
                    Some(given) => given.map_or(Value::Unset, Value::Known),
                    None => code::evaluate(expression, &look),
                };
                // Most of what a build tells says nothing about a database: the judge decides what is unclear.
                let (value, unresolved) = match value {
                    Value::Known(value) => (value, None),
                    Value::Unset => continue,
                    Value::Unknown => (expression.to_owned(), Some(Unresolved::Template)),
                };
                told.push(Setting { origin: origin(&name), name, value, unresolved });
            }
        } else {
            let texts = split(statement.text).into_iter().flat_map(quoted).collect::<Vec<_>>().join(" ");
            told.extend(options::of_text(&texts, &origin(statement.name)));
        }
    }
    told
}

/// Calls that read a property of the build's own process or of the build.
const READ_A_PROPERTY: &[&str] = &[
    "System.getProperty(",
    "findProperty(",
    "project.findProperty(",
    "project.property(",
    "providers.gradleProperty(",
    "providers.systemProperty(",
    "property(",
];

/// Evaluates `System.getProperty('a')` and its like, which `-Da=…` or `-Pa=…` gives; `None` where it is something else.
fn property_of_the_build(scene: &Scene<'_>, expression: &str) -> Option<Option<String>> {
    let inside = READ_A_PROPERTY.iter().find_map(|call| expression.trim().strip_prefix(call))?;
    let (arguments, behind) = inside.split_once(')').unwrap_or((inside, ""));
    if !matches!(behind.trim(), "" | ".get()" | ".orNull" | ".getOrNull()") {
        return None;
    }
    let mut words = quoted(arguments);
    let (name, default) = (words.next()?, words.next());
    let given = scene.words().iter().find_map(|word| {
        let option = word.strip_prefix("-D").or_else(|| word.strip_prefix("-P"))?;
        option.split_once('=').filter(|(own, _)| *own == name).map(|(_, value)| value)
    });
    let given = given.or_else(|| scene.environment.get(&format!("ORG_GRADLE_PROJECT_{name}"))).map(str::to_owned);
    Some(given.or_else(|| in_properties(scene, name)).or_else(|| default.map(str::to_owned)))
}

/// Finds a property of the build, or of its process, in the `gradle.properties` of the user and of the project.
fn in_properties(scene: &Scene<'_>, name: &str) -> Option<String> {
    let of_user = scene.project.home.as_ref().map(|home| home.join(".gradle"));
    let folders = of_user.into_iter().chain(up_to(&scene.project.root, scene.folder).map(Path::to_owned));
    let mut files = folders.map(|folder| folder.join("gradle.properties")).filter(|path| scene.library.exists(path));
    files.find_map(|path| {
        let entries = scene.library.entries(&path, formats::properties::flatten)?;
        let mut own = entries.iter().rev().map(|entry| (entry.path.join("."), &entry.value));
        own.find(|(own, _)| own.strip_prefix("systemProp.").unwrap_or(own) == name).map(|(_, value)| value.clone())
    })
}

/// Tells whether a statement is for the tests, or for the program; one in neither's block is for both.
fn concerns(statement: &Statement<'_>, is_test: bool) -> bool {
    let of_tests = |block: &&str| block.to_ascii_lowercase().contains("test");
    let of_program =
        |block: &&str| ["bootRun", "JavaExec", "run", "application"].iter().any(|word| block.contains(word));
    match statement.blocks.iter().rev().find(|block| of_tests(block) || of_program(block)) {
        Some(block) => of_tests(block) == is_test,
        None => true,
    }
}
