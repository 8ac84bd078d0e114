//! The table of commands: what a program does to a database, by the words behind it.

use std::borrow::Cow;

use crate::text::fits;
use crate::tools::programs::behind_interpreter;
use crate::tools::words::{name_of, without_version};
use crate::touching::model::Class;

const TEXT: &str = include_str!("commands.table");

/// More words behind a program than this are not looked at.
const MOST_WORDS: usize = 64;

/// What the table says of a command, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Reads,
    /// The name of the script tells that stands behind the words, or those of several.
    ByScript {
        several: bool,
    },
    /// The name of the file tells that stands behind the words.
    ByFile,
    Does(Class),
}

/// A line of the table that fits, with where the words of the command end that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    /// How many of the words are the program and what follows it in the table.
    pub(super) end: usize,
}

/// A line taken apart.
struct Line {
    /// What follows the program.
    pattern: Vec<&'static str>,
    kind: &'static str,
    conditions: Vec<&'static str>,
}

impl Line {
    fn read(line: &'static str) -> Option<Line> {
        let (words, rest) = line.split_once("  ")?;
        let mut rest = rest.split_ascii_whitespace();
        let kind = rest.next()?;
        Some(Line { pattern: words.split(' ').skip(1).collect(), kind, conditions: rest.collect() })
    }

    /// Tells what the line makes of a command that its words fit; `None` where one of its options had to be there.
    fn kind(&self, words: &[String]) -> Option<Kind> {
        let has = |wanted: &str| {
            let (is_ahead, wanted) = wanted.strip_prefix('^').map_or((false, wanted), |wanted| (true, wanted));
            let (option, value) =
                wanted.split_once('=').map_or((wanted, None), |(option, value)| (option, Some(value)));
            let counts = |word: &&String| *word != "--" && (!is_ahead || word.starts_with('-'));
            words.iter().take_while(counts).enumerate().any(|(at, word)| match (word.split_once('='), value) {
                (Some((own, given)), Some(value)) => own == option && value == given,
                (Some((own, given)), None) => own == option && !matches!(given, "0" | "false" | "no" | "none"),
                (None, None) => word == option,
                (None, Some(value)) => word == option && words.get(at + 1).is_some_and(|next| next == value),
            })
        };
        let mut needed = self.conditions.iter().filter_map(|one| one.strip_prefix('+')).peekable();
        if needed.peek().is_some() && !needed.any(has) {
            return None;
        }
        if self.conditions.iter().filter_map(|one| one.strip_prefix('!')).any(has) {
            return Some(Kind::Reads);
        }
        kind_of(self.kind)
    }

    /// Orders lines that fit the same command: an option with which the program does nothing comes first; then, the more
    /// words, the more of them exact, the more it asks for, the better.
    fn rank(&self) -> (bool, usize, usize, bool) {
        let words = self.pattern.iter().filter(|word| **word != "..");
        let exact = words.clone().filter(|word| !word.contains('*')).count();
        let asks = self.conditions.iter().any(|one| one.starts_with('+'));
        (asks && self.pattern.is_empty() && self.kind == "reads", words.count(), exact, asks)
    }
}

fn kind_of(name: &str) -> Option<Kind> {
    Some(match name {
        "by-file" => Kind::ByFile,
        "by-script" => Kind::ByScript { several: false },
        "by-scripts" => Kind::ByScript { several: true },
        "client" => Kind::Does(Class::Client),
        "destroys" => Kind::Does(Class::Destroys),
        "import" => Kind::Does(Class::Import),
        "migrate" => Kind::Does(Class::Migrate),
        "reads" => Kind::Reads,
        "reset" => Kind::Does(Class::Reset),
        "seed" => Kind::Does(Class::Seed),
        "test" => Kind::Does(Class::Test),
        _ => return None,
    })
}

/// Tells whether the table knows the program of that name.
pub(super) fn knows(name: &str) -> bool {
    lines_of(name).next().is_some() || lines_of(without_version(name)).next().is_some()
}

/// Finds what the table says of a command.
pub(super) fn find(words: &[String]) -> Option<Entry> {
    let (behind, before) = decisive(words);
    let of = |words: &[String], before: usize| {
        let entry = find_by_name(words, name_of(words.first()?), 0)?;
        Some(Entry { end: entry.end + before, ..entry })
    };
    of(&behind, before).or_else(|| if before > 0 { of(words, 0) } else { None })
}

/// Finds the program that decides, with its arguments, and how many words stand before it: behind an interpreter, or as the
/// script of Node that is named for it (`node node_modules/.bin/knex`, `node ace.js`).
pub(super) fn decisive(words: &[String]) -> (Cow<'_, [String]>, usize) {
    let is_code = |word: &String| matches!(word.as_str(), "-c" | "-e" | "-r" | "-p" | "--eval" | "--print");
    let script = words.iter().position(|word| !word.starts_with('-')).filter(|_| words.len() > 1);
    if script == Some(0) && matches!(name_of(&words[0]), "bun" | "node" | "ts-node" | "tsx") {
        let at = words.iter().skip(1).position(|word| !word.starts_with('-')).map(|at| at + 1);
        let Some(at) = at.filter(|at| !words[1..*at].iter().any(is_code)) else { return (Cow::Borrowed(words), 0) };
        let name = name_of(&words[at]);
        let stem = [".js", ".mjs", ".cjs", ".ts"].iter().find_map(|end| name.strip_suffix(end));
        let is_file = stem.is_some() || words[at].contains('/') || name == "ace";
        let mut behind = words[at..].to_vec();
        behind[0] = stem.unwrap_or(name).to_owned();
        return if is_file { (Cow::Owned(behind), at) } else { (Cow::Borrowed(words), 0) };
    }
    let behind = behind_interpreter(words);
    let before = words.len() - behind.len();
    if words[1.min(words.len())..before.max(1).min(words.len())].iter().any(is_code) {
        return (Cow::Borrowed(words), 0);
    }
    (Cow::Borrowed(behind), before)
}

fn find_by_name(words: &[String], name: &str, aliases: usize) -> Option<Entry> {
    // `Jest.CMD`, `\jest`, `jest@29`.
    let lower = name.trim_start_matches('\\').to_ascii_lowercase();
    let name = lower.strip_suffix(".cmd").or(lower.strip_suffix(".bat")).unwrap_or(&lower);
    let name = if lines_of(name).next().is_some() { name } else { without_version(name) };
    let mut best = None;
    for line in lines_of(name).filter_map(Line::read) {
        let Some(end) = end_of(&line.pattern, words, 1) else { continue };
        if line.kind == "as" {
            // Once more, by the name of the other.
            let [own] = line.conditions[..] else { continue };
            let rest = &words[end - 1..];
            let entry = if aliases < 3 { find_by_name(rest, own, aliases + 1) } else { None };
            return entry.map(|entry| Entry { end: entry.end + end - 1, ..entry });
        }
        let Some(kind) = line.kind(&words[1..]) else { continue };
        // Of two that say as much, the worse one counts.
        let rank = (line.rank(), kind);
        if best.as_ref().is_none_or(|(other, _): &(_, Entry)| rank > *other) {
            best = Some((rank, Entry { kind, end }));
        }
    }
    best.map(|(_, entry): (_, Entry)| entry)
}

/// Finds where the words end that a pattern names, from `at` on. An option is looked past; the word behind one may be its
/// value.
fn end_of(pattern: &[&str], words: &[String], at: usize) -> Option<usize> {
    let Some((first, rest)) = pattern.split_first() else { return Some(at) };
    let is_option = |word: &str| word.starts_with('-') && word.len() > 1;
    if *first == ".." {
        return (at..words.len().min(MOST_WORDS)).find_map(|from| end_of(rest, words, from));
    }
    let mut at = at;
    while let Some(word) = words.get(at).filter(|_| at < MOST_WORDS) {
        if is_option(word) {
            at += 1;
            continue;
        }
        if first.split('|').any(|one| fits(one, word))
            && let Some(end) = end_of(rest, words, at + 1)
        {
            return Some(end);
        }
        let before = &words[at - 1];
        if at < 2 || !is_option(before) || before.contains('=') {
            return None;
        }
        at += 1;
    }
    None
}

/// Lists the lines of a program. Nothing is built for it: it is asked for each command of a line.
fn lines_of(name: &str) -> impl Iterator<Item = &'static str> + use<'_> {
    let program = |line: &'static str| line.split(' ').next().unwrap_or(line);
    let (mut low, mut high) = (0, TEXT.len());
    while low < high {
        let middle = low.midpoint(high);
        let start = TEXT.as_bytes()[..middle].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = TEXT[start..].lines().next().unwrap_or_default();
        // The head is sorted before all programs.
        if line.starts_with('#') || program(line) < name {
            low = start + line.len() + 1;
        } else {
            high = start;
        }
    }
    let own = TEXT.get(low..).unwrap_or_default().lines();
    own.take_while(move |line| !name.is_empty() && program(line) == name)
}

/// Lists all lines, each with one command that fits it, where it names one: for tests.
#[cfg(test)]
pub(super) fn examples() -> Vec<(String, &'static str, Option<Kind>)> {
    let mut examples = Vec::new();
    for line in TEXT.lines().filter(|line| !line.starts_with('#')) {
        let words = line.split("  ").next().unwrap();
        let read = Line::read(line).unwrap_or_else(|| panic!("{line}"));
        let kind = if read.kind == "as" { None } else { Some(kind_of(read.kind).unwrap_or_else(|| panic!("{line}"))) };
        let mut commands = vec![words.split(' ').next().unwrap().to_owned()];
        for alternatives in &read.pattern {
            let mut longer = Vec::new();
            for one in alternatives.split('|') {
                let one = one.replace('*', "x");
                longer.extend(
                    commands
                        .iter()
                        .map(|command| if one == ".." { command.clone() } else { format!("{command} {one}") }),
                );
            }
            commands = longer;
        }
        if let Some(option) = read.conditions.iter().find_map(|one| one.strip_prefix('+')) {
            let option = option.trim_start_matches('^');
            commands.iter_mut().for_each(|command| *command += &format!(" {option}"));
        }
        examples.extend(commands.into_iter().map(|command| (command, line, kind)));
    }
    examples
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &str) -> Vec<String> {
        command.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_table_is_sorted_and_says_nothing_twice() {
        let lines: Vec<&str> = TEXT.lines().filter(|line| !line.starts_with('#')).collect();
        for pair in lines.windows(2) {
            assert!(pair[0] < pair[1], "`{}` belongs before `{}`, or stands twice", pair[1], pair[0]);
        }
        for line in lines {
            assert_eq!(line.trim(), line);
            assert!(!line.split(' ').next().unwrap().contains('|'), "{line}");
            let program = line.split(' ').next().unwrap();
            assert!(lines_of(program).any(|own| own == line), "{line}");
        }
    }

    #[test]
    fn each_line_is_found_by_its_own_words() {
        for (command, line, expected) in examples() {
            let found = find(&words(&command)).map(|entry| entry.kind);
            match expected {
                Some(expected) => assert_eq!(found, Some(expected), "`{command}` of `{line}`"),
                None => assert!(knows(line.rsplit(' ').next().unwrap()), "`{line}` is the name of nothing"),
            }
        }
    }

    #[test]
    fn options_and_their_values_stand_anywhere_and_the_most_words_count() {
        let does = |class| Some(Kind::Does(class));
        let table = [
            ("prisma migrate reset", does(Class::Reset)),
            ("prisma --schema x.prisma migrate reset --force", does(Class::Reset)),
            ("prisma migrate --schema x.prisma reset", does(Class::Reset)),
            ("prisma migrate status", Some(Kind::Reads)),
            ("prisma db push --accept-data-loss=true", does(Class::Reset)),
            ("prisma db push", does(Class::Migrate)),
            ("prisma", None),
            ("prisma foo migrate reset", None),
            ("python3.12 -m alembic downgrade base", does(Class::Reset)),
            (".venv/bin/python -m alembic current", Some(Kind::Reads)),
            ("python -c x/jest", Some(Kind::ByFile)),
            ("node ace migration:fresh", does(Class::Reset)),
            ("node ./node_modules/.bin/knex migrate:latest", does(Class::Migrate)),
            ("php artisan migrate:fresh --seed", does(Class::Reset)),
            ("./gradlew clean test", does(Class::Test)),
            ("gradle build -x test", Some(Kind::Reads)),
            ("gradle build -x lint", does(Class::Test)),
            ("mvn -B -ntp verify", does(Class::Test)),
            ("alembic upgrade head --sql", Some(Kind::Reads)),
            ("rake db:drop -n", Some(Kind::Reads)),
            ("just -n test", Some(Kind::Reads)),
            ("just test -n 4", Some(Kind::ByScript { several: true })),
            ("make -C -- -n", Some(Kind::ByScript { several: true })),
            ("kubectl delete ns x --dry-run=client", Some(Kind::Reads)),
            ("kubectl delete ns x --dry-run=none", does(Class::Destroys)),
            ("prisma db push --accept-data-loss=false", does(Class::Migrate)),
            ("manage.py migrate shop zero", does(Class::Reset)),
            ("npm run x", Some(Kind::ByScript { several: false })),
            ("node scripts/seed.js", Some(Kind::ByFile)),
            ("unheard of", None),
            ("#", None),
            ("", None),
        ];
        for (command, expected) in table {
            assert_eq!(find(&words(command)).map(|entry| entry.kind), expected, "{command}");
        }
    }
}
