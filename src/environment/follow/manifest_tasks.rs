//! Tasks that a language's manifest or a Procfile names: `pdm run NAME`, `deno task NAME`, `foreman start`.
//!
//! Sources: the manuals of PDM, Poe the Poet, Hatch, Pipenv, Deno and Foreman.

use crate::environment::follow::script::{PlacedScript, Script};
use crate::environment::follow::{Expansion, FileReader, Step, WrapperFile};
use crate::environment::paths::nearest;
use crate::environment::readers::formats;
use crate::environment::readers::formats::{FlatEntry, Flatten};

/// Where a program keeps its tasks: a file, and the keys above a task's name (`*` is any one).
type Place = (&'static str, Flatten, &'static [&'static str]);

const PDM: &[Place] = &[("pyproject.toml", formats::toml::flatten, &["tool", "pdm", "scripts"])];
const RYE: &[Place] = &[("pyproject.toml", formats::toml::flatten, &["tool", "rye", "scripts"])];
const POE: &[Place] = &[("pyproject.toml", formats::toml::flatten, &["tool", "poe", "tasks"])];
const HATCH: &[Place] = &[
    ("pyproject.toml", formats::toml::flatten, &["tool", "hatch", "envs", "*", "scripts"]),
    ("hatch.toml", formats::toml::flatten, &["envs", "*", "scripts"]),
];
const PIPENV: &[Place] = &[("Pipfile", formats::toml::flatten, &["scripts"])];
const DENO: &[Place] = &[
    ("deno.json", formats::json::flatten, &["tasks"]),
    ("deno.jsonc", formats::json::flatten, &["tasks"]),
    ("package.json", formats::json::flatten, &["scripts"]),
];

impl Expansion<'_> {
    /// What a named task runs; `None` where the words name none.
    pub(crate) fn manifest_tasks(&self, program: &str, words: &[String]) -> Option<Vec<Step>> {
        let (places, subcommand) = match program {
            "pdm" => (PDM, "run"),
            "rye" => (RYE, "run"),
            "hatch" => (HATCH, "run"),
            "pipenv" => (PIPENV, "run"),
            "deno" => (DENO, "task"),
            "poe" => (POE, ""),
            "foreman" | "goreman" | "hivemind" | "honcho" | "overmind" => return self.procfile(words),
            _ => return None,
        };
        let mut plain = words[1..].iter().filter(|word| !word.starts_with('-')).map(String::as_str);
        let name = if subcommand.is_empty() {
            plain.next()?
        } else {
            plain.find(|word| *word == subcommand)?;
            plain.next()?
        };
        // `hatch run ENVIRONMENT:NAME`.
        let name = if program == "hatch" { name.rsplit(':').next()? } else { name };
        places.iter().find_map(|place| self.task_in(place, name)).map(|placed| self.placed(placed))
    }

    fn task_in(&self, (file, flatten, keys): &Place, name: &str) -> Option<PlacedScript> {
        let file = nearest(self.files, &self.step.folder, &self.project.root, &[file])?;
        let entries = self.entries_of(&file, *flatten)?;
        let is_of_task = |entry: &&FlatEntry| {
            let fits = keys.iter().zip(&entry.path).all(|(key, part)| *key == "*" || key == part);
            let behind = entry.path.get(keys.len() + 1..).unwrap_or_default();
            let runs = |key: &String| {
                let is_index = key.bytes().all(|byte| byte.is_ascii_digit());
                is_index || matches!(key.as_str(), "chain" | "cmd" | "command" | "composite" | "sequence" | "shell")
            };
            fits && entry.path.get(keys.len()).is_some_and(|key| key == name) && behind.iter().all(runs)
        };
        let found: Vec<&FlatEntry> = entries.iter().filter(is_of_task).collect();
        let line = found.first()?.line;
        let text = found.iter().map(|entry| entry.value.as_str()).collect::<Vec<_>>().join("\n");
        Some(PlacedScript::beside(&file, Script { name: name.to_owned(), text, line, ..Script::default() }))
    }

    /// The processes of a Procfile: all, or those that are named. Each gets what `.env` says.
    fn procfile(&self, words: &[String]) -> Option<Vec<Step>> {
        let option = words.iter().position(|word| matches!(word.as_str(), "-f" | "--procfile"));
        let named = option.and_then(|at| words.get(at + 1)).map_or("Procfile", String::as_str);
        let asked: Vec<&String> = words[1..].iter().filter(|word| !word.starts_with('-') && *word != named).collect();
        let asked = match asked.split_first() {
            Some((first, rest)) if matches!(first.as_str(), "start" | "s") => rest,
            None if words[0].ends_with("hivemind") => &[],
            _ => return None,
        };
        let file = nearest(self.files, &self.step.folder, &self.project.root, &[named])?;
        let text = self.text_of(&file)?;
        let mut steps = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            let Some((name, command)) = line.split_once(':').filter(|_| !line.starts_with('#')) else { continue };
            if asked.is_empty() || asked.iter().any(|asked| *asked == name.trim()) {
                let env = WrapperFile { path: ".env".into(), reader: FileReader::Dotenv, overrides: false };
                let (name, text) = (name.trim().to_owned(), command.trim().to_owned());
                let script = Script { name, text, line: number, files: vec![env], ..Script::default() };
                steps.extend(self.placed(PlacedScript::beside(&file, script)));
            }
        }
        Some(steps)
    }
}
