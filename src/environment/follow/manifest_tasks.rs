//! Tasks that a language's manifest or a Procfile names: `pdm run NAME`, `deno task NAME`, `foreman start`.
//!
//! Sources: the manuals of PDM, Poe the Poet, Hatch, Pipenv, Pixi, Rye, Deno, cargo-make, tox and Foreman.

use std::path::Path;

use crate::environment::follow::script::{PlacedScript, Script};
use crate::environment::follow::tasks;
use crate::environment::follow::tasks::Tasks;
use crate::environment::follow::{Expansion, FileReader, Step, WrapperFile};
use crate::environment::paths::{nearest, normal};
use crate::environment::readers::formats;
use crate::environment::readers::formats::{FlatEntry, Flatten};

/// A file of tasks: where in it the tasks stand, and what all of them get. In keys, `*` is any one, `@` the environment that
/// is asked for.
struct Place {
    file: &'static str,
    flatten: Flatten,
    tasks: &'static [&'static [&'static str]],
    variables: &'static [&'static [&'static str]],
    files: &'static [&'static [&'static str]],
}

const NO_KEYS: &[&[&str]] = &[];

const fn place(file: &'static str, flatten: Flatten, tasks: &'static [&'static [&'static str]]) -> Place {
    Place { file, flatten, tasks, variables: NO_KEYS, files: NO_KEYS }
}

const fn pyproject(tasks: &'static [&'static [&'static str]]) -> Place {
    place("pyproject.toml", formats::toml::flatten, tasks)
}

const PDM: &[Place] = &[pyproject(&[&["tool", "pdm", "scripts"]])];
const RYE: &[Place] = &[pyproject(&[&["tool", "rye", "scripts"]])];
const POE: &[Place] = &[
    Place {
        variables: &[&["tool", "poe", "env"]],
        files: &[&["tool", "poe", "envfile"]],
        ..pyproject(&[&["tool", "poe", "tasks"]])
    },
    Place {
        variables: &[&["env"]],
        files: &[&["envfile"]],
        ..place("poe_tasks.toml", formats::toml::flatten, &[&["tasks"]])
    },
];
const HATCH: &[Place] = &[
    Place {
        variables: &[&["tool", "hatch", "envs", "default", "env-vars"], &["tool", "hatch", "envs", "@", "env-vars"]],
        ..pyproject(&[&["tool", "hatch", "envs", "@", "scripts"], &["tool", "hatch", "envs", "default", "scripts"]])
    },
    Place {
        variables: &[&["envs", "default", "env-vars"], &["envs", "@", "env-vars"]],
        ..place("hatch.toml", formats::toml::flatten, &[&["envs", "@", "scripts"], &["envs", "default", "scripts"]])
    },
];
const PIPENV: &[Place] = &[place("Pipfile", formats::toml::flatten, &[&["scripts"]])];
const PIXI: &[Place] = &[
    Place {
        variables: &[&["activation", "env"], &["feature", "*", "activation", "env"]],
        ..place(
            "pixi.toml",
            formats::toml::flatten,
            &[&["tasks"], &["feature", "*", "tasks"], &["target", "*", "tasks"]],
        )
    },
    Place {
        variables: &[&["tool", "pixi", "activation", "env"], &["tool", "pixi", "feature", "*", "activation", "env"]],
        ..pyproject(&[&["tool", "pixi", "tasks"], &["tool", "pixi", "feature", "*", "tasks"]])
    },
];
const DENO: &[Place] = &[
    place("deno.json", formats::json::flatten, &[&["tasks"]]),
    place("deno.jsonc", formats::json::flatten, &[&["tasks"]]),
    place("package.json", formats::json::flatten, &[&["scripts"]]),
];
const CARGO_MAKE: &[Place] = &[Place {
    variables: &[&["env"]],
    files: &[&["env_files"]],
    ..place("Makefile.toml", formats::toml::flatten, &[&["tasks"]])
}];

impl Expansion<'_> {
    /// What a named task runs; `None` where the words name none.
    pub(crate) fn manifest_tasks(&self, program: &str, words: &[String]) -> Option<Vec<Step>> {
        let (places, subcommand) = match program {
            "pdm" => (PDM, "run"),
            "rye" => (RYE, "run"),
            "hatch" => (HATCH, "run"),
            "pipenv" => (PIPENV, "run"),
            "pixi" => (PIXI, "run"),
            "deno" => (DENO, "task"),
            "cargo" => (CARGO_MAKE, "make"),
            "makers" => (CARGO_MAKE, ""),
            "poe" => (POE, ""),
            "moon" => return self.moon(words),
            "tox" => return self.tox(words),
            "nox" => return self.python_tasks(words, "noxfile.py", &["-s", "-e", "--session", "--sessions"]),
            "inv" | "invoke" => return self.python_tasks(words, "tasks.py", &[]),
            "foreman" | "goreman" | "hivemind" | "honcho" | "overmind" => return self.procfile(words),
            _ => return None,
        };
        let mut environment = "default";
        let mut from = self.step.folder.clone();
        let mut rest = words[1..].iter().map(String::as_str);
        let mut plain = Vec::new();
        while let Some(word) = rest.next() {
            match word {
                "-e" | "--env" | "--environment" => environment = rest.next()?,
                "--cwd" => from = from.join(rest.next()?),
                "-C" | "--directory" | "--makefile" | "-p" | "--profile" => drop(rest.next()),
                _ if word.starts_with("--cwd=") => from = from.join(&word["--cwd=".len()..]),
                _ if word.starts_with('-') => {}
                _ if plain.is_empty() && !subcommand.is_empty() && word != subcommand => return None,
                _ => plain.push(word),
            }
            // What stands behind the task is its own.
            if plain.len() > usize::from(!subcommand.is_empty()) {
                break;
            }
        }
        let is_asked = subcommand.is_empty() || plain.first() == Some(&subcommand);
        let name = plain.get(usize::from(!subcommand.is_empty())).copied();
        let name = name.or(if places.len() == 1 && places[0].file == "Makefile.toml" { Some("default") } else { None });
        let mut name = name.filter(|_| is_asked)?;
        // `hatch run ENVIRONMENT:NAME`.
        if let Some((own, task)) = name.split_once(':').filter(|_| program == "hatch") {
            (environment, name) = (if own.is_empty() { environment } else { own }, task);
        }
        let arguments: Vec<String> = rest.map(str::to_owned).collect();
        let from = normal(&from);
        places.iter().find_map(|place| self.task_in(place, &from, name, environment, &arguments))
    }

    fn task_in(
        &self,
        place: &Place,
        from: &Path,
        name: &str,
        environment: &str,
        arguments: &[String],
    ) -> Option<Vec<Step>> {
        let file = nearest(self.files, from, &self.project.root, &[place.file])?;
        let entries = self.entries_of(&file, place.flatten)?;
        let mut tasks = Tasks { name_each_other: true, arguments: arguments.to_vec(), ..Tasks::default() };
        let mut is_there = false;
        for entry in entries.iter() {
            let behind = |patterns: &[&[&str]]| {
                let fits = |pattern: &&[&str]| {
                    let same = |(key, part): (&&str, &String)| match *key {
                        "*" => true,
                        "@" => part == environment,
                        key => key == part,
                    };
                    entry.path.len() >= pattern.len() && pattern.iter().zip(&entry.path).all(same)
                };
                patterns.iter().find(|pattern| fits(pattern)).map(|pattern| &entry.path[pattern.len()..])
            };
            let plain = |behind: &[String]| behind.iter().map(String::as_str).map(str::to_owned).collect::<Vec<_>>();
            if let Some([task, below @ ..]) = behind(place.tasks).map(plain).as_deref() {
                // PDM's `_` is for all.
                match below {
                    [kind, variable] if task == "_" && kind == "env" => {
                        tasks.common.set(variable, &entry.value, self.place(&file, entry));
                    }
                    [kind, ..] if task == "_" && kind.starts_with("env") => {
                        tasks.common.files.push(tasks::file(&entry.value));
                    }
                    _ => {}
                }
                is_there |= task == name;
                let path = ["tasks", task].into_iter().map(str::to_owned).chain(below.iter().cloned()).collect();
                tasks.entries.push((file.clone(), FlatEntry { path, ..entry.clone() }));
            } else if let Some([variable]) = behind(place.variables) {
                tasks.common.set(variable, &entry.value, self.place(&file, entry));
            } else if let Some([] | [_] | [_, _]) = behind(place.files) {
                tasks.common.files.push(tasks::file(&entry.value));
            }
        }
        if !is_there {
            // Another program than a task still gets the variables.
            return self.with_common(&tasks.common, name, arguments);
        }
        let (steps, _) = self.tasks(&tasks, &[name.to_owned()]);
        (!steps.is_empty()).then_some(steps)
    }

    /// A program that is run with what a runner gives to all its tasks; `None` where that is nothing.
    fn with_common(&self, common: &Script, program: &str, arguments: &[String]) -> Option<Vec<Step>> {
        if common.assignments.is_empty() && common.files.is_empty() {
            return None;
        }
        let step = self.inner().running(std::iter::once(program).chain(arguments.iter().map(String::as_str)));
        let mut step = step.with_assignments(common.assignments.clone());
        step.invocation.placed(&common.places);
        step.files.extend(common.files.iter().map(|file| file.below(&self.step.folder)));
        Some(vec![step])
    }

    /// What tox runs: the commands of the environments that are asked for, else of those that it lists.
    fn tox(&self, words: &[String]) -> Option<Vec<Step>> {
        let mut asked = None;
        let mut rest = words[1..].iter().map(String::as_str);
        while let Some(word) = rest.next() {
            match word {
                "--" => break,
                "-e" | "--env" => asked = rest.next(),
                _ => {
                    asked = word
                        .strip_prefix("-e")
                        .or(word.strip_prefix("--env="))
                        .filter(|name| !name.is_empty())
                        .or(asked)
                }
            }
        }
        let folder = (&self.step.folder, &self.project.root);
        let ini = nearest(self.files, folder.0, folder.1, &["tox.ini", "setup.cfg"]).map(|path| (path, true));
        let toml =
            || nearest(self.files, folder.0, folder.1, &["tox.toml", "pyproject.toml"]).map(|path| (path, false));
        let (file, is_ini) = ini.or_else(toml)?;
        let entries = self.entries_of(&file, if is_ini { formats::ini::flatten } else { formats::toml::flatten })?;
        let of = |entry: &FlatEntry| -> Option<(String, Vec<String>)> {
            let path: Vec<&str> = entry.path.iter().map(String::as_str).collect();
            let (section, rest) = match &path[..] {
                ["tool", "tox", rest @ ..] if !is_ini => (rest.first()?, rest.get(1..)?),
                [section, rest @ ..] => (section, rest),
                [] => return None,
            };
            let (name, rest) = match (*section, rest) {
                ("testenv" | "env_run_base", rest) => ("", rest),
                ("env", [name, rest @ ..]) if !is_ini => (*name, rest),
                (section, rest) => (section.strip_prefix("testenv:")?, rest),
            };
            Some((name.to_owned(), rest.iter().map(|key| (*key).to_owned()).collect()))
        };
        let lists = |entry: &&FlatEntry| {
            entry.path.iter().any(|key| matches!(key.as_str(), "envlist" | "env_list")) && entry.path.len() < 5
        };
        let listed: Vec<&str> = entries.iter().filter(lists).map(|entry| entry.value.as_str()).collect();
        let is_wanted = |name: &str| {
            let names = |list: &str| list.split(|c: char| c == ',' || c.is_whitespace()).any(|one| one == name);
            name.is_empty() || asked.map_or_else(|| listed.iter().any(|list| names(list)), names)
        };
        let mut tasks = Tasks::default();
        let mut last: Option<Vec<String>> = None;
        for entry in entries.iter() {
            let Some((_, rest)) = of(entry).filter(|(name, _)| is_wanted(name)) else { continue };
            let value = entry.value.replace("{toxinidir}", ".").replace("{tox_root}", ".").replace("{posargs}", "");
            let path = match rest.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["setenv" | "set_env"] | ["setenv" | "set_env", _] if is_ini => match value.split_once('=') {
                    Some((name, value)) => {
                        tasks.common.assignments.push((name.trim().to_owned(), value.trim().to_owned()));
                        continue;
                    }
                    None => vec!["env_file"],
                },
                ["set_env", "file"] => vec!["env_file"],
                ["set_env", name] => vec!["env", name],
                [key @ ("commands" | "commands_pre"), ..] => vec![key],
                ["changedir" | "change_dir"] => vec!["cwd"],
                _ => continue,
            };
            let value = value.trim_start_matches("file|").trim_start_matches("- ").to_owned();
            // A command in TOML is a list of words.
            let line = rest.get(..2).map(<[String]>::to_vec);
            if let (3, Some(("commands" | "commands_pre", (_, before)))) =
                (rest.len(), path.first().copied().zip(tasks.entries.last_mut()))
                && last == line
            {
                before.value.push(' ');
                before.value.push_str(&crate::text::shell_word(&value));
                continue;
            }
            last = line;
            let path = ["tasks", "tox"].into_iter().chain(path).map(str::to_owned).collect();
            tasks.entries.push((file.clone(), FlatEntry { path, value, ..entry.clone() }));
        }
        let (steps, _) =
            if tasks.entries.is_empty() { Default::default() } else { self.tasks(&tasks, &["tox".to_owned()]) };
        (!steps.is_empty()).then_some(steps)
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
