//! The programs that are known by name: whose ways of loading files they have, and what they are for.

use crate::lists::{List, list};
use crate::tools::clients;
use crate::tools::words::name_of;

static PROGRAMS: List = list!("programs.txt");

/// What a program loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loading {
    /// Files, in the ways of the ecosystem of that name.
    Of(&'static str),
    /// Nothing: a database client.
    Nothing,
    /// Nothing beside others: the everyday work of a script.
    Plain,
    Unknown,
}

/// What a program is for, as far as its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// It does nothing but run tests.
    Tests,
    /// It does not run tests: migrations, seeds, servers, consoles.
    Development,
    /// Its subcommand or task says which.
    ByWord,
    /// The name of the script that it runs says which.
    ByScript,
    Unsaid,
}

/// A line of `programs.txt`.
struct Row {
    loads: Loading,
    task: Task,
    talks_to_a_database: bool,
    takes_addresses: bool,
    has_a_default_task: bool,
    mode: ModeOptions,
}

/// Which options of a program name the environment that it runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ModeOptions {
    /// `--env` and `--environment`: for nearly all.
    pub(crate) env: bool,
    /// `-e`: for few.
    pub(crate) e: bool,
    /// `--settings` and `--ds` name Django's settings.
    pub(crate) django_settings: bool,
}

impl ModeOptions {
    const USUAL: ModeOptions = ModeOptions { env: true, e: false, django_settings: false };
}

impl Row {
    fn of(name: &str) -> Option<Row> {
        Row::read(PROGRAMS.find(name)?)
    }

    /// Reads what stands behind the name; `None` for words that are not those of the file's head.
    fn read(rest: &'static str) -> Option<Row> {
        let mut words = rest.split_ascii_whitespace();
        let loads = match words.next()? {
            "plain" => Loading::Plain,
            "any" => Loading::Unknown,
            ecosystem => Loading::Of(ecosystem),
        };
        let task = match words.next()? {
            "tests" => Task::Tests,
            "development" => Task::Development,
            "by-word" => Task::ByWord,
            "by-script" => Task::ByScript,
            "unsaid" => Task::Unsaid,
            _ => return None,
        };
        let mut row = Row {
            loads,
            task,
            talks_to_a_database: false,
            takes_addresses: false,
            has_a_default_task: false,
            mode: ModeOptions::USUAL,
        };
        for word in words {
            match word {
                "database" => row.talks_to_a_database = true,
                "address" => row.takes_addresses = true,
                "default-task" => row.has_a_default_task = true,
                "-e" => row.mode.e = true,
                "no--env" => row.mode.env = false,
                "django" => row.mode.django_settings = true,
                _ => return None,
            }
        }
        Some(row)
    }
}

/// Finds the program that decides, behind an interpreter: `pytest` of `python -m pytest`, `artisan` of `php artisan`.
pub(crate) fn program_of(words: &[String]) -> &str {
    outer(behind_interpreter(words))
}

/// Finds the program that decides, with its arguments, behind an interpreter; all the words where there is none.
pub(crate) fn behind_interpreter(words: &[String]) -> &[String] {
    let outer = outer(words);
    let mut arguments = words.iter().enumerate().skip(1);
    let inner = match outer {
        "php" | "ruby" => arguments.find(|(_, word)| !word.starts_with('-')),
        _ if is_python(outer) => match arguments.find(|(_, word)| !word.starts_with('-') || *word == "-m") {
            Some((_, word)) if word == "-m" => arguments.next(),
            word => word,
        },
        "coverage" | "spring" => arguments.find(|(_, word)| !word.starts_with('-') && *word != "run"),
        _ => None,
    };
    inner.map_or(words, |(at, _)| &words[at..])
}

/// Tells what the program that the words call loads: by its interpreter, its name, or its file's extension.
pub(crate) fn loading(words: &[String]) -> Loading {
    match outer(words) {
        outer if is_python(outer) => return Loading::Of("python"),
        "php" => return Loading::Of("php"),
        "ruby" => return Loading::Of("ruby"),
        _ => {}
    }
    let program = program_of(words);
    if clients::named(name_of(program)).is_some() {
        return Loading::Nothing;
    }
    let extension = program.rsplit_once('.').map_or("", |(_, extension)| extension);
    match (Row::of(program), extension) {
        (Some(Row { loads, .. }), _) if loads != Loading::Unknown => loads,
        (_, "js" | "mjs" | "cjs" | "ts" | "mts") => Loading::Of("node"),
        (_, "py") => Loading::Of("python"),
        (_, "rb") => Loading::Of("ruby"),
        (_, "php") => Loading::Of("php"),
        (_, "exs") => Loading::Of("elixir"),
        _ => Loading::Unknown,
    }
}

/// Tells whether an argument of the program of that name may be the address of a database by itself, behind no option.
pub(crate) fn takes_addresses(name: &str) -> bool {
    Row::of(name).is_some_and(|row| row.takes_addresses)
}

/// Tells what the program of that name is for.
pub(crate) fn task(program: &str) -> Task {
    Row::of(program).map_or(Task::Unsaid, |row| row.task)
}

/// Tells whether the program of that name does what a project's settings, or a URL among its arguments, say about a
/// database.
pub(crate) fn is_database_tool(program: &str) -> bool {
    Row::of(program).is_some_and(|row| row.talks_to_a_database)
}

/// Tells whether the program of that name, called without a task, does what the project's own file says, which may be its
/// tests.
pub(crate) fn has_a_default_task(program: &str) -> bool {
    Row::of(program).is_some_and(|row| row.has_a_default_task)
}

/// Tells which options of the program of that name name its environment.
pub(crate) fn mode_options(program: &str) -> ModeOptions {
    Row::of(program).map_or(ModeOptions::USUAL, |row| row.mode)
}

fn outer(words: &[String]) -> &str {
    words.first().map_or("", |word| word.rsplit('/').next().unwrap_or(word))
}

fn is_python(program: &str) -> bool {
    program
        .strip_prefix("python")
        .or(program.strip_prefix("pypy"))
        .is_some_and(|version| version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

/// Lists the lines of the list: each name with what stands behind it.
#[cfg(test)]
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = include_str!("programs.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' '))
}

/// Lists the ecosystems whose programs are listed.
#[cfg(test)]
pub(crate) fn ecosystems() -> std::collections::BTreeSet<&'static str> {
    let of = |rest| match Row::read(rest)?.loads {
        Loading::Of(name) => Some(name),
        _ => None,
    };
    rows().filter_map(|(_, rest)| of(rest)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_the_list_can_be_read() {
        for (name, rest) in rows() {
            assert!(Row::read(rest).is_some(), "{name} {rest}");
        }
    }

    #[test]
    fn a_client_stands_in_the_table_of_clients_only() {
        for name in clients::all().flat_map(|client| client.names) {
            assert!(!PROGRAMS.contains(name), "{name}");
            assert_eq!(loading(&[(*name).to_owned()]), Loading::Nothing, "{name}");
        }
    }

    #[test]
    fn the_interpreter_the_name_and_the_extension_tell_what_is_loaded() {
        let table = [
            ("python3.12 -m jest", Loading::Of("python")),
            ("php vendor/bin/pest", Loading::Of("php")),
            ("./node_modules/.bin/jest", Loading::Of("node")),
            ("bin/seed.rb", Loading::Of("ruby")),
            ("psql shop", Loading::Nothing),
            ("/usr/bin/psql-16 shop", Loading::Nothing),
            ("git status", Loading::Plain),
            ("./run", Loading::Unknown),
        ];
        for (command, expected) in table {
            let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            assert_eq!(loading(&words), expected, "{command}");
        }
    }
}
