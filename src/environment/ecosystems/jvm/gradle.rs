//! Gradle: the `flyway` and `liquibase` blocks of `build.gradle`, and the variables of its test tasks. By text, never
//! executed.
//!
//! Sources: the plugins' manuals; Gradle's "Testing in Java & JVM projects".

use std::collections::HashMap;
use std::path::Path;

use crate::environment::ecosystems::jvm::plugins::{KEYS, PluginSetting, push};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::ReadingsBuilder;

/// Liquibase's tasks in Gradle, which have plain names.
const TASKS: &[&str] = &["update", "dropAll", "rollback", "rollbackCount", "changelogSync", "tag", "diff"];

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    matches!(scene.program(), "gradle" | "gradlew")
}

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for name in ["build.gradle", "build.gradle.kts"] {
        add_file(scene, readings, &scene.path(name));
    }
}

fn add_file(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>, path: &Path) {
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
    // How many blocks are open, and the outermost one among them that is a tool's.
    let (mut depth, mut of_tool): (usize, Option<(usize, &str)>) = (0, None);
    for (at, whole) in text.lines().enumerate() {
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
        } else if let Some((name, text)) = variable(line).filter(|_| scene.purpose.test) {
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
