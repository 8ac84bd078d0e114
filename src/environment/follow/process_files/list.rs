//! The processes that a file lists, each in all the ways that it may be started.

use std::collections::HashMap;
use std::path::Path;

use crate::environment::follow::Expansion;
use crate::environment::follow::code_texts::{Code, Texts};
use crate::environment::invocation::unknown_value;
use crate::environment::readers::code;
use crate::environment::readers::code::javascript::without_comments;
use crate::environment::readers::code::{Comments, Pair};
use crate::environment::readers::formats;
use crate::text::{head, shell_word};

/// Ways to start one process beyond this many are not followed.
const MOST_WAYS: usize = 64;

/// How many ways to start a process, with the variables that each sets, are taken out of one file.
const MOST_IN_ALL: usize = 1 << 16;

/// How much of an object is looked at behind a key in it, in bytes.
const LONGEST_OBJECT: usize = 1024;

const INTERPRETER: &[&str] = &["exec_interpreter", "interpreter"];
const OF_INTERPRETER: &[&str] = &["interpreterArgs", "interpreter_args", "nodeArgs", "node_args"];
const ARGUMENTS: &[&str] = &["args"];
const FOLDER: &[&str] = &["cwd"];

/// What lists processes, and how.
pub(crate) struct Kind {
    /// Tells whether a key of a file is the command of a process.
    pub(crate) is_command: fn(&[String]) -> bool,
    /// The word of the file that says that it lists some; empty where it is there for nothing else.
    pub(crate) mark: &'static str,
}

/// One key of a file of processes, with what it may be set to.
struct Entry {
    path: Vec<String>,
    texts: Texts,
    line: u32,
    /// What stands in the same object has the same number, and an object in it a higher one.
    bracket: u32,
}

impl Entry {
    fn key(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// Lists what a variable may be set to; `None` where it stays as it is.
    fn values(&self) -> Vec<Option<String>> {
        let unknown = (!self.texts.is_whole).then(|| unknown_value(self.key()));
        let found = self.texts.found.iter().cloned().chain(unknown).map(Some);
        found.chain(self.texts.keeps.then_some(None)).collect()
    }
}

/// One way to start a process that a file lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) text: String,
    pub(crate) line: u32,
    pub(crate) folder: Option<String>,
    pub(crate) variables: Vec<(String, String)>,
}

/// The processes of a file, and what is not known of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Processes {
    pub(crate) found: Vec<Process>,
    /// The lines of what is not evaluated.
    pub(crate) unknown: Vec<u32>,
    /// There may be others, or more about these.
    pub(crate) is_open: bool,
}

impl Expansion<'_> {
    /// Reads the processes of a file with that text.
    pub(crate) fn processes_of(&self, file: &Path, text: &str, mode: Option<&str>, kind: &Kind) -> Processes {
        let flatten = match file.extension().and_then(|extension| extension.to_str()) {
            Some("yml" | "yaml") => Some(formats::yaml::flatten as formats::Flatten),
            Some("json") => Some(formats::json::flatten as formats::Flatten),
            _ => None,
        };
        if let Some(flatten) = flatten {
            let entries = self.entries_of(file, flatten).unwrap_or_default();
            let entries: Vec<Entry> = entries.iter().map(of_data).collect();
            let mut all = processes(&entries, mode, kind);
            all.is_open = all.found.is_empty() && (kind.mark.is_empty() || text.contains(kind.mark));
            return all;
        }
        let tell = |line, why| self.give_up(file, Some(line), why);
        let pairs = code::pairs_and_lists(text, Comments::Slashes).all(tell);
        let text = without_comments(text, tell);
        let mut all = processes(&self.of_code(pairs, &text, mode), mode, kind);
        let is_marked = kind.mark.is_empty() || text.contains(kind.mark);
        all.is_open =
            is_marked && (all.found.is_empty() || kind.mark.is_empty() && spreads(&text) || stands_for_itself(&text));
        all
    }

    /// Evaluates the pairs of code that are about processes.
    fn of_code(&self, pairs: Vec<Pair>, text: &str, mode: Option<&str>) -> Vec<Entry> {
        let lookup = |name: &str| self.variable(name);
        let code = Code::of(text, &lookup);
        // `const common = { … }`
        let mut objects: HashMap<&str, Vec<&Pair>> = HashMap::new();
        for pair in &pairs {
            if let [name, _] = &pair.path[..] {
                objects.entry(name).or_default().push(pair);
            }
        }
        let mut entries = Vec::new();
        for pair in &pairs {
            let expression = pair.expression.as_str();
            let texts = match pair.path.split_last() {
                Some((own, _)) if is_variables(own, mode) => {
                    if let Some(object) = objects.get(expression) {
                        let inside = object.iter().map(|inner| {
                            let path = [&pair.path[..], &inner.path[1..]].concat();
                            let texts = value(&code, &inner.path[1], &inner.expression);
                            Entry { path, texts, line: inner.line, bracket: pair.bracket }
                        });
                        entries.extend(inside);
                        continue;
                    }
                    match expression {
                        "process.env" | "undefined" | "null" => continue,
                        _ => Texts::unknown(),
                    }
                }
                Some((name, outer)) if outer.last().is_some_and(|own| is_variables(own, mode)) => {
                    value(&code, name, expression)
                }
                Some((key, _)) if ARGUMENTS.contains(&key.as_str()) || OF_INTERPRETER.contains(&key.as_str()) => {
                    code.words_of(expression)
                }
                Some((key, _)) if is_part(key) => code.texts_of(expression),
                _ => continue,
            };
            entries.push(Entry { path: pair.path.clone(), texts, line: pair.line, bracket: pair.bracket });
        }
        entries
    }
}

/// Tells whether a key holds the variables of a process, in that mode.
fn is_variables(key: &str, mode: Option<&str>) -> bool {
    key == "env" || mode.is_some_and(|mode| key.strip_prefix("env_") == Some(mode))
}

/// Tells whether a key is a part of the command of a process.
fn is_part(key: &str) -> bool {
    matches!(key, "command" | "exec" | "script") || [INTERPRETER, FOLDER].iter().any(|keys| keys.contains(&key))
}

/// Evaluates the value of a variable. A flag is a text in an environment.
fn value(code: &Code<'_>, name: &str, expression: &str) -> Texts {
    match expression {
        flag @ ("true" | "false") => Texts::plain(flag),
        _ => code.value_of(name, expression),
    }
}

/// Reads an entry of JSON or YAML. The items of a list stand for the objects of code.
fn of_data(entry: &formats::FlatEntry) -> Entry {
    let is_index = |key: &String| key.bytes().all(|byte| byte.is_ascii_digit());
    let at = entry.path.iter().find(|key| is_index(key)).and_then(|key| key.parse::<u32>().ok()).unwrap_or(0);
    let path: Vec<String> = entry.path.iter().filter(|key| !is_index(key)).cloned().collect();
    let bracket = at.saturating_mul(2) | u32::from(path.iter().any(|key| key.starts_with("env")));
    Entry { path, texts: Texts::plain(&entry.value), line: entry.line, bracket }
}

/// Tells whether objects are put together from others, apart from the environment.
fn spreads(text: &str) -> bool {
    text.match_indices("...").any(|(at, _)| {
        let behind = text[at + 3..].trim_start_matches(['(', ' ']);
        !behind.starts_with("process.env")
    })
}

/// Tells whether a key of a process stands for its own value in an object: `{ script, env }`. What is taken out of an
/// object, or imported, is none: `const { env } = process`.
fn stands_for_itself(text: &str) -> bool {
    const KEYS: &[&str] = &["args", "command", "cwd", "env", "interpreter", "node_args", "script"];
    let is_for_itself = |(at, key): (usize, &str)| {
        let behind = head(&text[at + key.len()..], LONGEST_OBJECT).trim_start();
        if !text[..at].trim_end().ends_with(['{', ',']) || !behind.starts_with([',', '}']) {
            return false;
        }
        let end = behind.find(['{', '}', '[', ']', '(', ')', '\'', '"', '`']).map(|end| &behind[end..]);
        let after = end.and_then(|rest| rest.strip_prefix('}')).map(str::trim_start);
        after.is_some_and(|after| !after.starts_with(['=', ')']) && !after.starts_with("from"))
    };
    KEYS.iter().flat_map(|key| text.match_indices(key)).any(is_for_itself)
}

/// Lists the processes of a file. What stands in the same object belongs to the command, and so does an `env` in it.
fn processes(entries: &[Entry], mode: Option<&str>, kind: &Kind) -> Processes {
    let mut by_bracket: HashMap<u32, Vec<&Entry>> = HashMap::new();
    entries.iter().for_each(|entry| by_bracket.entry(entry.bracket).or_default().push(entry));
    let mut brackets: Vec<u32> = by_bracket.keys().copied().collect();
    brackets.sort_unstable();
    let commands: Vec<&Entry> = entries.iter().filter(|entry| (kind.is_command)(&entry.path)).collect();
    let mut starts: Vec<u32> = commands.iter().map(|command| command.bracket).collect();
    starts.sort_unstable();
    let mut all = Processes::default();
    let mut left = MOST_IN_ALL;
    for command in commands {
        let beside = |keys: &[&str]| -> Vec<&Entry> {
            let own = by_bracket.get(&command.bracket).into_iter().flatten();
            own.filter(|entry| keys.contains(&entry.key())).copied().collect()
        };
        // The object of its variables opens within its own, before that of the next command.
        let next = starts.get(starts.partition_point(|start| *start <= command.bracket)).copied();
        let inner = brackets.partition_point(|bracket| *bracket < command.bracket);
        let inner = brackets[inner..].iter().take_while(|bracket| next.is_none_or(|next| **bracket < next));
        let inner = inner.flat_map(|bracket| &by_bracket[bracket]);
        let is_set = |entry: &&&Entry| matches!(&entry.path[..], [.., own, _] if is_variables(own, mode));
        let variables: Vec<(&str, Vec<Option<String>>)> =
            inner.filter(is_set).map(|entry| (entry.key(), entry.values())).collect();
        let own = by_bracket.get(&command.bracket).into_iter().flatten().copied();
        let own: Vec<&Entry> = own.filter(|entry| is_variables(entry.key(), mode)).collect();
        let parts = [INTERPRETER, OF_INTERPRETER, ARGUMENTS, FOLDER].map(beside);
        let all_parts = parts.iter().flatten().copied().chain(own).chain([command]);
        all.unknown.extend(all_parts.filter(|entry| !entry.texts.is_whole).map(|entry| entry.line));
        let [interpreter, options, arguments, folder] = parts.map(|entries| told(&entries));
        let script = command.texts.found.iter().cloned().map(Some).collect();
        let parts = [script, interpreter, options, arguments, folder];
        let ways = combinations(&parts);
        let ways_of_variables = variables.iter().map(|(_, values)| values.len()).max().unwrap_or(1).max(1);
        let ways = ways.iter().flat_map(|way| (0..ways_of_variables).map(move |of_variables| (way, of_variables)));
        for (at, ([script, interpreter, options, arguments, folder], way)) in ways.enumerate() {
            let afforded = left.checked_sub(1 + variables.len()).filter(|_| at < MOST_WAYS);
            let Some(rest) = afforded else {
                all.unknown.push(command.line);
                break;
            };
            left = rest;
            let mut text = started(script.unwrap_or_default(), *interpreter, *options);
            text.extend(arguments.iter().flat_map(|arguments| [" ", arguments]));
            let value = |values: &[Option<String>]| values.get(way).or(values.last()).cloned().flatten();
            let set = variables.iter().filter_map(|(name, values)| Some(((*name).to_owned(), value(values)?)));
            let folder = folder.map(str::to_owned);
            all.found.push(Process { text, line: command.line, folder, variables: set.collect() });
        }
    }
    all
}

/// Lists what the entries of one key may come to; a list of words comes as one entry, or as one a word.
fn told(entries: &[&Entry]) -> Vec<Option<String>> {
    match entries {
        [] => vec![None],
        [one] if one.texts.found.is_empty() => vec![None],
        [one] => one.texts.found.iter().cloned().map(Some).collect(),
        several => {
            let words = several.iter().flat_map(|entry| &entry.texts.found).map(|word| shell_word(word));
            vec![Some(words.collect::<Vec<_>>().join(" "))]
        }
    }
}

/// Combines one of each, up to one more than the ways that are followed.
fn combinations<const N: usize>(parts: &[Vec<Option<String>>; N]) -> Vec<[Option<&str>; N]> {
    let mut found = vec![[None; N]];
    for (at, part) in parts.iter().enumerate() {
        let mut longer = Vec::new();
        for one in &found {
            let room = (MOST_WAYS + 1).saturating_sub(longer.len());
            longer.extend(part.iter().take(room).map(|text| {
                let mut one = *one;
                one[at] = text.as_deref();
                one
            }));
        }
        found = longer;
    }
    found
}

/// Spells out what is started as a command: a file of code behind its interpreter with the options
/// of that one, a text as it is.
pub(crate) fn started(script: &str, interpreter: Option<&str>, options: Option<&str>) -> String {
    let ending = Path::new(script).extension().and_then(|extension| extension.to_str());
    let by_ending = match ending.filter(|_| !script.contains(' ')) {
        Some("cjs" | "js" | "mjs" | "ts") => Some("node"),
        Some("php") => Some("php"),
        Some("pl") => Some("perl"),
        Some("py") => Some("python3"),
        Some("rb") => Some("ruby"),
        Some("sh") => Some("bash"),
        _ => None,
    };
    match interpreter.filter(|name| *name != "none").or(by_ending) {
        Some(interpreter) => {
            let options = options.map_or_else(String::new, |options| format!("{options} "));
            format!("{interpreter} {options}{script}")
        }
        None => script.to_owned(),
    }
}
