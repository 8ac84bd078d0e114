//! What the words of one command tell by themselves.

use crate::tools::programs::{Loading, Task, loading, task};
use crate::tools::words::{SHELLS, name_of, names_an_option, without_version};
use crate::tools::{clients, removers, wrappers};
use crate::touching::model::Class;
use crate::touching::statements::Stdin;
use crate::touching::{code, names, table};

/// The guard itself.
pub(super) const SAFE_TEST: &str = "safe-test";

/// Programs that `environment/follow` takes apart and no table has.
const TAKEN_APART: &[&str] = &[
    "concurrently",
    "cross-env",
    "cross-env-shell",
    "direnv",
    "dotenv",
    "dotenv-cli",
    "dotenvx",
    "dotenvy",
    "env",
    "env-cmd",
    "goreman",
    "godotenv",
    "hivemind",
    "hyperfine",
    "mise",
    "node",
    "nodemon",
    "overmind",
    "pm2",
    "pm2-dev",
    "pm2-runtime",
    "runuser",
    "script",
    "su",
    "fd",
];

/// Tells whether a program of that name is known to touch databases, to run others, or to be a script.
pub(super) fn is_known(name: &str) -> bool {
    let base = name_of(name).trim_start_matches('\\');
    runs_others(name)
        || table::knows(base)
        || removers::is_remover(base)
        || task(without_version(base)) == Task::Tests
        || clients::named(base).is_some()
        || code::is_interpreter(base)
}

/// Tells whether a program of that name may run others: their names among the arguments of any program are no commands.
pub(super) fn runs_others(name: &str) -> bool {
    let base = name_of(name).trim_start_matches('\\');
    name.contains('/')
        || name.starts_with('$')
        || name.ends_with(".sh")
        || matches!(base, "." | "source" | "find")
        || SHELLS.contains(&base)
        || TAKEN_APART.contains(&base)
        || wrappers::of(base).next().is_some()
}

/// Tells whether the words do everyday work with a program that may run others, and name none of the subcommands that do:
/// `git status` is asked about all the time, and no project is looked for.
pub(super) fn runs_nothing(words: &[String]) -> bool {
    let is_said = |subcommand: &&str| words.iter().any(|word| word == subcommand);
    let mut wrappers = wrappers::of(name_of(&words[0])).peekable();
    wrappers.peek().is_some()
        && loading(words) == Loading::Plain
        && !wrappers.any(|wrapper| wrapper.subcommand.iter().all(is_said))
}

pub(super) fn is_safe_test(words: &[String]) -> bool {
    name_of(&words[0]) == SAFE_TEST
}

/// Tells whether it is only asked how a program is used, or which version it is.
pub(super) fn asks_for_help(words: &[String]) -> bool {
    let own = || words[1..].iter().map(String::as_str).take_while(|word| *word != "--");
    let asks = |word: &str| matches!(word, "--version" | "help" | "version");
    let is_short = words.len() == 2 && matches!(words[1].as_str(), "-V" | "-h" | "-v");
    is_short || own().any(|word| word == "--help") || own().next().is_some_and(asks)
}

/// The text of commands that a shell is given: behind `-c`, as a word by itself, or by what it reads.
pub(super) fn text_of(words: &[String], stdin: &Stdin) -> Option<String> {
    // `watch 'npm test'`, `ssh host 'cd app && npm test'`
    if let [text] = words
        && text.contains(char::is_whitespace)
        && !text.starts_with(['$', '`'])
    {
        return Some(text.clone());
    }
    let is_shell = SHELLS.contains(&name_of(&words[0]));
    if !is_shell && words[0] != "(default)" {
        return None;
    }
    let mut rest = words[1..].iter();
    while let Some(word) = rest.next() {
        let is_option = word.starts_with(['-', '+']);
        if is_option && !word.starts_with("--") && word.contains('c') {
            return rest.next().cloned();
        }
        if names_an_option(word) {
            rest.next();
        } else if word == "-s" {
            break;
        } else if !is_option {
            return None;
        }
    }
    match stdin {
        Stdin::Text(text) => Some(text.clone()),
        Stdin::File(path) if is_shell => Some(format!("{} {}", words[0], crate::text::shell_word(path))),
        _ => None,
    }
}

pub(super) fn by_script(words: &[String], from: usize, several: bool) -> Option<(Class, usize)> {
    let of = |at: usize, word: &str| {
        let class = if word.contains('/') { names::of_file(word) } else { names::of_script(word) };
        class.map(|class| (class, at + 1))
    };
    for (at, word) in words.iter().enumerate().skip(from).take(16) {
        if let Some(target) = ["--target=", "--targets=", "--run="].iter().find_map(|option| word.strip_prefix(option))
        {
            return of(at, target);
        }
        if word == "--" {
            break;
        }
        if word.starts_with('-') {
            continue;
        }
        let found = of(at, word);
        // The word behind an option may be its value, and the script come later.
        if found.is_some() || !several && !words[at - 1].starts_with('-') {
            return found;
        }
    }
    None
}

/// What the file that is run tells, or the words that are given to it: `./server migrate up`.
pub(super) fn by_file(words: &[String], from: usize) -> Option<(Class, usize)> {
    let is_code = |word: &str| matches!(word, "-c" | "-e" | "-p" | "--eval" | "--print" | "-");
    let mut plain = 0;
    for (at, word) in words.iter().enumerate().skip(from).take(16) {
        if plain == 0 && (is_code(word) || word == "-r" && name_of(&words[0]) == "php") {
            return None;
        }
        if word.starts_with('-') || word.contains('=') {
            continue;
        }
        if let Some(class) = names::of_file(word) {
            return Some((class, at + 1));
        }
        plain += usize::from(at == 0 || !words[at - 1].starts_with('-') || words[at - 1] == "-m");
        if plain == MOST_NAMES {
            break;
        }
    }
    None
}

/// How many words in a row may tell what a file is run for.
const MOST_NAMES: usize = 3;

pub(super) fn begins_with(words: &[String], correction: &str) -> bool {
    let mut wanted = correction.split_ascii_whitespace().peekable();
    let is_empty = wanted.peek().is_none();
    !is_empty
        && wanted.enumerate().all(|(at, word)| words.get(at).is_some_and(|own| without_dot(own) == without_dot(word)))
}

pub(super) fn first_word(correction: &str) -> &str {
    without_dot(correction.split_ascii_whitespace().next().unwrap_or_default())
}

pub(super) fn without_dot(word: &str) -> &str {
    word.strip_prefix("./").unwrap_or(word)
}

/// The first words of a command, as they are told.
pub(super) fn short(words: &[String], end: usize) -> String {
    let mut told = String::new();
    for word in words.iter().take(end.min(6)) {
        if !told.is_empty() {
            told.push(' ');
        }
        told.push_str(crate::text::head(word, 60));
    }
    told
}

/// Where in a word in quotes its text begins, where the text is what stands there.
pub(super) fn inside_quotes(raw: &str, text: &str) -> Option<usize> {
    let quote = raw.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    let inside = raw.strip_prefix(quote)?.strip_suffix(quote)?;
    (inside == text).then_some(1)
}
