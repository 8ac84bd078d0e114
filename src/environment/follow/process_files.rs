//! Programs of Node.js that start the processes which a file of theirs lists: pm2's applications, the servers of
//! Playwright's tests.
//!
//! Sources: pm2's manual, "Ecosystem File"; Playwright's, "Web server".

use std::path::Path;

use crate::environment::follow::node_runners::commands_of;
use crate::environment::follow::script::Script;
use crate::environment::follow::{Expansion, Step};
use crate::environment::invocation::option_of;
use crate::environment::readers::code;
use crate::environment::readers::code::{Comments, Pair};
use crate::environment::readers::formats;

/// The files of pm2 where none is named.
const OF_PM2: &[&str] = &["ecosystem.config.js", "ecosystem.config.cjs", "ecosystem.json", "pm2.config.js"];

/// The files of Playwright.
const OF_PLAYWRIGHT: &[&str] =
    &["playwright.config.ts", "playwright.config.js", "playwright.config.mts", "playwright.config.mjs"];

/// A process that a file lists.
#[derive(Debug, Default, PartialEq, Eq)]
struct Process {
    text: String,
    line: u32,
    folder: Option<String>,
    variables: Vec<(String, String)>,
}

impl Expansion<'_> {
    /// What pm2 starts: `pm2 start FILE`, `pm2-runtime FILE --env staging`.
    pub(crate) fn pm2(&self, words: &[String]) -> Vec<Step> {
        const STARTING: &[&str] = &["reload", "restart", "start", "startOrReload", "startOrRestart"];
        let (mut named, mut mode, mut is_starting) =
            (None, None, words[0].ends_with("runtime") || words[0].ends_with("dev"));
        let mut rest = words[1..].iter().map(String::as_str);
        while let Some(word) = rest.next() {
            let (option, attached) = option_of(word);
            match option {
                "--" => break,
                "--env" => mode = attached.or_else(|| rest.next()),
                "--only" | "--name" | "-n" | "-i" | "--instances" if attached.is_none() => drop(rest.next()),
                _ if word.starts_with('-') => {}
                _ if STARTING.contains(&word) => is_starting = true,
                _ => named = named.or(Some(word)),
            }
        }
        let is_list = |name: &&str| name.contains(".config.") || name.ends_with(".json") || name.ends_with(".yml");
        match named {
            _ if !is_starting => Vec::new(),
            Some(name) if !is_list(&name) => self.text(&started(name, None), 1, None),
            named => self.processes(named.as_ref().map_or(OF_PM2, std::slice::from_ref), mode, |pair| {
                pair.path.last().is_some_and(|key| key == "script") && pair.path.len() > 1
            }),
        }
    }

    /// What Playwright starts beside its tests: `webServer`.
    pub(crate) fn playwright(&self, words: &[String]) -> Vec<Step> {
        let is_test = words.get(1).is_some_and(|word| word == "test");
        let named = words.iter().enumerate().find_map(|(at, word)| {
            let (option, attached) = option_of(word);
            let is_config = matches!(option, "-c" | "--config");
            attached.or_else(|| words.get(at + 1).map(String::as_str)).filter(|_| is_config)
        });
        if !is_test {
            return Vec::new();
        }
        self.processes(named.as_ref().map_or(OF_PLAYWRIGHT, std::slice::from_ref), None, |pair| {
            pair.path.last().is_some_and(|key| key == "command") && pair.path.iter().any(|key| key == "webServer")
        })
    }

    /// The processes of the first of these files that is there; `is_command` tells which pair is the command of one.
    fn processes(&self, names: &[&str], mode: Option<&str>, is_command: impl Fn(&Pair) -> bool) -> Vec<Step> {
        let Some(file) = names.iter().map(|name| self.step.folder.join(name)).find(|path| self.files.exists(path))
        else {
            return Vec::new();
        };
        let Some(text) = self.text_of(&file) else { return Vec::new() };
        let is_yaml = file.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
        let pairs = if is_yaml {
            let entries = self.entries_of(&file, formats::yaml::flatten).unwrap_or_default().into_iter();
            let pair = |entry: formats::FlatEntry| {
                // The items of a list stand for the objects of code.
                let at = entry.path.iter().find_map(|key| key.parse::<u32>().ok()).unwrap_or(0);
                let path: Vec<String> = entry.path.into_iter().filter(|key| key.parse::<u32>().is_err()).collect();
                let bracket = at * 2 + u32::from(path.iter().any(|key| key.starts_with("env")));
                Pair { path, expression: format!("'{}'", entry.value), line: entry.line, bracket }
            };
            entries.map(pair).collect()
        } else {
            code::pairs(&text, Comments::Slashes).all(|line, why| self.give_up(&file, Some(line), why))
        };
        let home = file.parent().unwrap_or(&self.step.folder).to_owned();
        let mut steps = Vec::new();
        for process in processes(&pairs, &text, mode, is_command) {
            let folder = process.folder.map_or_else(|| home.clone(), |folder| home.join(folder));
            let name = "command".to_owned();
            let assignments = process.variables;
            let script = Script { name, text: process.text, line: process.line, assignments, ..Script::default() };
            steps.extend(self.script(&file, &folder, script));
        }
        steps
    }
}

/// Lists the processes of a file. What stands in the same object belongs to the command, and so does an `env` in it.
fn processes(pairs: &[Pair], text: &str, mode: Option<&str>, is_command: impl Fn(&Pair) -> bool) -> Vec<Process> {
    let literal = |pair: &Pair| commands_of(&pair.expression, text).into_iter().next();
    let commands: Vec<&Pair> = pairs.iter().filter(|pair| is_command(pair)).collect();
    let process = |command: &&Pair| {
        let beside = |key: &str| {
            let is_it =
                |pair: &&Pair| pair.bracket == command.bracket && pair.path.last().is_some_and(|last| last == key);
            pairs.iter().find(is_it).and_then(literal)
        };
        let mut process = Process { line: command.line, folder: beside("cwd"), ..Process::default() };
        let script = literal(command)?;
        let interpreter = beside("interpreter");
        process.text = started(&script, interpreter.as_deref());
        if let Some(arguments) = beside("args") {
            process.text.extend([" ", &arguments]);
        }
        // The object of its variables opens within its own, before that of the next command.
        let next = commands.iter().map(|other| other.bracket).filter(|bracket| *bracket > command.bracket).min();
        let of_mode = mode.map(|mode| format!("env_{mode}"));
        for pair in
            pairs.iter().filter(|pair| pair.bracket > command.bracket && next.is_none_or(|next| pair.bracket < next))
        {
            let [.., own, name] = &pair.path[..] else { continue };
            if (own == "env" || Some(own) == of_mode.as_ref())
                && let Some(value) = literal(pair)
            {
                process.variables.push((name.clone(), value));
            }
        }
        Some(process)
    };
    commands.iter().filter_map(process).collect()
}

/// Spells out what is started as a command: a file of code behind its interpreter, a text as it is.
fn started(script: &str, interpreter: Option<&str>) -> String {
    let is_code = Path::new(script)
        .extension()
        .is_some_and(|extension| ["cjs", "js", "mjs", "ts"].iter().any(|known| extension == *known));
    match interpreter.filter(|name| *name != "none") {
        Some(interpreter) => format!("{interpreter} {script}"),
        None if is_code && !script.contains(' ') => format!("node {script}"),
        None => script.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processes_of_a_file_are_told_apart() {
        let text = "module.exports = {\n apps: [\n  { name: 'a', script: 'a.js', env: { A: '1' }, env_live: { A: '2' } },\n  \
                    { name: 'b', script: 'pnpm b', args: '-x', cwd: 'sub' }\n ]\n};";
        let pairs = code::pairs(text, Comments::Slashes).all(|_, _| ());
        let is_command = |pair: &Pair| pair.path.last().is_some_and(|key| key == "script");
        let found = processes(&pairs, text, Some("live"), is_command);
        let variables = |values: &[&str]| values.iter().map(|value| ("A".to_owned(), (*value).to_owned())).collect();
        assert_eq!(
            found,
            [
                Process { text: "node a.js".into(), line: 3, folder: None, variables: variables(&["1", "2"]) },
                Process { text: "pnpm b -x".into(), line: 4, folder: Some("sub".into()), variables: Vec::new() },
            ]
        );
    }
}
