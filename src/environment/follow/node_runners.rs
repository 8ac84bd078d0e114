//! Programs of Node.js that run a command which stands in a file of theirs (nodemon, nps), and commands that stand in
//! quotes among the words of a program that nobody knows.
//!
//! Sources: the READMEs of nodemon ("Config files", "Running non-node scripts") and of nps.

use std::path::Path;
use std::rc::Rc;

use crate::environment::follow::code_texts::Code;
use crate::environment::follow::script::Script;
use crate::environment::follow::shell_text;
use crate::environment::follow::{Expansion, Step};
use crate::environment::invocation::option_of;
use crate::environment::not_followed::GivenUp;
use crate::environment::readers::code;
use crate::environment::readers::code::Comments;
use crate::environment::readers::code::javascript::without_comments;
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;
use crate::text::shell_word;
use crate::tools::clients;
use crate::tools::programs::{Loading, loading};
use crate::tools::words::{SHELLS, name_of};
use crate::tools::wrappers;

/// Options of nodemon whose value is the next word.
const VALUED_BY_NODEMON: &[&str] =
    &["--config", "--delay", "--exec", "--ext", "--ignore", "--signal", "--watch", "-d", "-e", "-i", "-s", "-w", "-x"];

/// The files of nps.
const OF_NPS: &[&str] = &["package-scripts.js", "package-scripts.cjs", "package-scripts.yml", "package-scripts.yaml"];

/// How many words of an unknown program may stand before the program that it runs.
const MOST_BEFORE: usize = 2;

impl Expansion<'_> {
    /// What nodemon starts: the command of `--exec` or of its file, else the program that is named. It comes besides
    /// nodemon itself, once with the variables of the file and once without, since those that are set beat them.
    pub(crate) fn nodemon(&self, words: &[String]) -> Vec<Step> {
        let (mut exec, mut named, mut rest) = (None, None, Vec::new());
        let mut at = 1;
        while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
            at += 1;
            let (option, attached) = option_of(word);
            let value = if VALUED_BY_NODEMON.contains(&option) && attached.is_none() {
                at += 1;
                words.get(at - 1).map(String::as_str)
            } else {
                attached
            };
            match option {
                "-x" | "--exec" => exec = value,
                "--config" => named = value,
                _ => {}
            }
        }
        rest.extend(words.get(at..).unwrap_or_default().iter().map(|word| shell_word(word)));
        let folder = &self.step.folder;
        let own = folder.join(named.unwrap_or("nodemon.json"));
        let of_manifest = |entry: &FlatEntry| {
            let is_own = entry.path.first().is_some_and(|key| key == "nodemonConfig");
            is_own.then(|| FlatEntry { path: entry.path[1..].to_vec(), ..entry.clone() })
        };
        let read = |path: &Path| self.entries_of(path, formats::json::flatten);
        let manifest = folder.join("package.json");
        let (file, entries) = match read(&own) {
            Some(entries) => (own, entries),
            None => {
                let entries = read(&manifest).unwrap_or_default();
                (manifest, Rc::new(entries.iter().filter_map(of_manifest).collect()))
            }
        };
        let configured = entries.iter().find(|entry| matches!(&entry.path[..], [key] if key == "exec"));
        let program = || match rest.first() {
            Some(name) if name.ends_with(".ts") => "ts-node",
            _ => "node",
        };
        let text = exec.or(configured.map(|entry| entry.value.as_str())).unwrap_or_else(program);
        let text = std::iter::once(text).chain(rest.iter().map(AsRef::as_ref)).collect::<Vec<_>>().join(" ");
        let line = configured.filter(|_| exec.is_none()).map(|entry| entry.line);
        let run = |assignments: Vec<(String, String)>, line: Option<u32>| match line {
            None if assignments.is_empty() => self.text(&text, 1, None),
            _ => {
                let (name, text, line) = ("exec".to_owned(), text.clone(), line.unwrap_or(1));
                self.script(&file, folder, Script { name, text, line, assignments, ..Script::default() })
            }
        };
        let mut steps = run(Vec::new(), line);
        let variables = entries.iter().filter_map(|entry| match &entry.path[..] {
            [env, name] if env == "env" => Some((name.clone(), entry)),
            _ => None,
        });
        let variables: Vec<(String, &FlatEntry)> = variables.collect();
        if let Some((_, first)) = variables.first() {
            let assignments = variables.iter().map(|(name, entry)| (name.clone(), entry.value.clone())).collect();
            steps.extend(run(assignments, Some(line.unwrap_or(first.line))));
        }
        steps
    }

    /// The scripts that nps runs: `nps db.migrate "test --coverage"`.
    pub(crate) fn nps(&self, words: &[String]) -> Vec<Step> {
        let (mut asked, mut named) = (Vec::new(), None);
        let mut rest = words[1..].iter().map(String::as_str);
        while let Some(word) = rest.next() {
            let (option, attached) = option_of(word);
            match option {
                "-c" | "--config" => named = attached.or_else(|| rest.next()),
                "-l" | "--logLevel" | "-r" | "--require" if attached.is_none() => drop(rest.next()),
                _ if word.starts_with('-') => {}
                _ => asked.push(word),
            }
        }
        if asked.is_empty() {
            asked.push("default");
        }
        let folder = &self.step.folder;
        let paths = named.into_iter().chain(OF_NPS.iter().copied()).map(|name| folder.join(name));
        let Some(file) = paths.into_iter().find(|path| self.files.exists(path)) else { return Vec::new() };
        let Some(text) = self.text_of(&file) else { return Vec::new() };
        let scripts = self.scripts_of_nps(&file, &text);
        let mut steps = Vec::new();
        for asked in asked {
            let (name, arguments) = asked.split_once(' ').map_or((asked, ""), |(name, rest)| (name, rest));
            let segments: Vec<&str> = name.split('.').collect();
            let is_meant = |path: &[String]| {
                let behind = path.iter().map(String::as_str).collect::<Vec<_>>();
                let rest = behind.strip_prefix(&segments[..]);
                matches!(rest, Some([] | ["script"] | ["default"] | ["default", "script"]))
            };
            let meant: Vec<_> = scripts.iter().filter(|(path, ..)| is_meant(path)).collect();
            if meant.is_empty() {
                self.cut("a task is asked for that its file does not hold");
            }
            for (_, commands, line) in meant {
                for command in commands {
                    let text = if arguments.is_empty() { command.clone() } else { format!("{command} {arguments}") };
                    let script = Script { name: name.to_owned(), text, line: *line, ..Script::default() };
                    steps.extend(self.script(&file, folder, script));
                }
            }
        }
        steps
    }

    /// Lists the scripts of a file of nps, each with its commands and its line.
    fn scripts_of_nps(&self, file: &Path, text: &str) -> Vec<(Vec<String>, Vec<String>, u32)> {
        let below = |path: &[String]| {
            let at = path.iter().position(|key| key == "scripts")?;
            Some(path[at + 1..].to_vec())
        };
        let is_yaml = file.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
        if is_yaml {
            let entries = self.entries_of(file, formats::yaml::flatten).unwrap_or_default();
            let script = |entry: &FlatEntry| Some((below(&entry.path)?, vec![entry.value.clone()], entry.line));
            return entries.iter().filter_map(script).collect();
        }
        let tell = |line, why| self.give_up(file, Some(line), why);
        let pairs = code::pairs_and_lists(text, Comments::Slashes).all(tell);
        let code = without_comments(text, tell);
        let lookup = |name: &str| self.variable(name);
        let code = Code::of(&code, &lookup);
        let found = pairs.iter().filter_map(|pair| {
            let path = below(&pair.path)?;
            let is_script =
                path.last().is_some_and(|key| !matches!(key.as_str(), "description" | "hiddenFromHelp" | "silent"));
            let texts = is_script.then(|| code.texts_of(&pair.expression))?;
            if !texts.is_whole {
                let why = "it makes a command that is not evaluated here";
                self.give_up(file, Some(pair.line), GivenUp::Code(why.into()));
            }
            Some((path, texts.found, pair.line))
        });
        found.collect()
    }

    /// What stands in quotes, behind a `--`, or as the next words of a program that nobody knows, and is a command by its
    /// first word: `tsc-watch --onSuccess "node app.js"`, `onchange src -- npm test`. The program may run that.
    pub(crate) fn commands_among(&self, words: &[String]) -> Vec<Step> {
        if loading(words) != Loading::Unknown {
            return Vec::new();
        }
        let mut steps = Vec::new();
        for word in &words[1..] {
            let text = match option_of(word) {
                (option, Some(value)) if option.starts_with('-') => value,
                _ => word,
            };
            if text.contains(char::is_whitespace) && is_command(text) {
                steps.extend(self.text(text, 1, None));
            }
        }
        let behind = words.iter().position(|word| word == "--").map(|at| at + 1);
        let plain = words.iter().enumerate().skip(1).filter(|(_, word)| !word.starts_with('-'));
        let next = plain.take(MOST_BEFORE).map(|(at, _)| at);
        let names_program = |at: &usize| words.get(*at).is_some_and(|word| is_program(word));
        if let Some(at) = behind.into_iter().chain(next).find(names_program) {
            steps.push(self.inner().running(words[at..].iter().map(String::as_str)));
        }
        steps
    }
}

/// Tells whether a text is a command: one of its commands is a program that is known to do something with a project.
fn is_command(text: &str) -> bool {
    shell_text::read(text).commands.iter().any(|command| is_program(&command.words[0]))
}

/// Tells whether a word is the name of such a program.
fn is_program(word: &str) -> bool {
    let name = name_of(word);
    let words = [name.to_owned()];
    let is_known = matches!(loading(&words), Loading::Of(_) | Loading::Nothing) && !name.contains('.');
    is_known || clients::named(name).is_some() || SHELLS.contains(&name) || wrappers::of(name).next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_command_by_its_programs() {
        for (text, expected) in [
            ("node dist/app.js", true),
            ("NODE_ENV=test jest", true),
            ("sleep 3 && psql -f x.sql", true),
            ("./bin/sh x", true),
            ("some words about tests", false),
            ("db:reset -- --force", false),
            ("rm -rf dist", false),
        ] {
            assert_eq!(is_command(text), expected, "{text}");
        }
    }
}
