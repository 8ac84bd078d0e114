//! Which arguments of a program are secret, whatever the names of its options say.

mod rows;

use crate::tools::clients;
use crate::tools::clients::{Client, Means};
pub(crate) use crate::tools::secrets::rows::Holds;
use crate::tools::secrets::rows::Holds::{Joined, Plain, Secret, SlashLogin};
use crate::tools::secrets::rows::{ROWS, Row};
use crate::tools::words::{SHELLS, name_of};

/// A program that was called, with its words so far that are no options.
#[derive(Debug, Clone)]
pub(crate) struct Called {
    name: String,
    client: Option<&'static Client>,
    words: Vec<String>,
}

/// What a word that begins with a dash says about secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InWord {
    /// The next words, so many, are the option's value, which holds this.
    Next(Holds, usize),
    /// The value begins at this byte of the word, and holds this.
    At(usize, Holds),
    /// It takes no value, or says nothing.
    Nothing,
}

/// Finds what is known of the program that `word` calls. A relative of a client (`mysqltest`) is taken for one.
pub(crate) fn called(word: &str) -> Option<Called> {
    let name = name_of(word);
    if SHELLS.contains(&name) || name.contains(char::is_whitespace) {
        return None;
    }
    let relative = || {
        // `mysql_url=…` is no program, and neither is `mysqli.default_pw`.
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return None;
        }
        let families = ["mysql", "mariadb", "mongo", "redis", "psql"];
        let family = families.iter().find(|family| name.starts_with(**family))?;
        clients::all().find(|client| client.names.iter().any(|own| own.starts_with(family)))
    };
    let client = clients::named(name).or_else(relative);
    let known = client.is_some() || ROWS.iter().any(|row| row.is_of(name));
    known.then(|| Called { name: name.to_owned(), client, words: Vec::new() })
}

impl Row {
    fn is_of(&self, name: &str) -> bool {
        self.programs.split(' ').any(|program| program == name)
    }

    /// Counts its words, where the program's own begin with them; a dot or a colon may follow the last (`http-basic.x`).
    fn matches(&self, words: &[String]) -> Option<usize> {
        let own: Vec<&str> = self.words.split(' ').filter(|word| !word.is_empty()).collect();
        let fits = |(own, word): (&&str, &String)| {
            word.eq_ignore_ascii_case(own) || word.strip_prefix(*own).is_some_and(|rest| rest.starts_with('.'))
        };
        (own.len() <= words.len() && own.iter().zip(words).all(fits)).then_some(own.len())
    }
}

impl Called {
    /// The rows that fit what was said so far, those of the most words first.
    fn rows(&self) -> impl Iterator<Item = (&'static Row, usize)> {
        let fitting = ROWS.iter().filter(|row| row.is_of(&self.name));
        let mut rows: Vec<_> = fitting.filter_map(|row| Some((row, row.matches(&self.words)?))).collect();
        rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        rows.into_iter()
    }

    /// Tells whether a subcommand was named whose arguments are no programs.
    pub(crate) fn is_settled(&self) -> bool {
        self.rows().any(|(_, count)| count > 0)
    }

    /// Tells what an option holds by a row of its own, which goes before what its name says. One spelled with a colon has
    /// its value behind that.
    pub(crate) fn own_option(&self, word: &str) -> Option<InWord> {
        if let Some(colon) = word.find(':').filter(|_| word.starts_with('/')) {
            let holds = self.rows().find_map(|(row, _)| option_in(row, &word[..=colon]))?;
            return Some(InWord::At(colon + 1, holds));
        }
        let (name, joined) = split(word);
        let holds = self.rows().find_map(|(row, _)| option_in(row, name))?;
        Some(in_option(holds, joined, 1))
    }

    /// Tells what a word that begins with a dash says: `-p`, `-pX`, `-vpX`, `--user=X`.
    pub(crate) fn in_word(&self, word: &str) -> InWord {
        let (name, joined) = split(word);
        if let Some(means) = self.client_option(name) {
            return match means.words() {
                0 if joined.is_none() => InWord::Nothing,
                words => in_option(holds(means), joined, words),
            };
        }
        if word.starts_with("--") {
            return InWord::Nothing;
        }
        for (at, letter) in word.char_indices().skip(1) {
            let spelling = format!("-{letter}");
            let behind = at + letter.len_utf8();
            if let Some(holds) = self.rows().find_map(|(row, _)| option_in(row, &spelling)) {
                return if behind < word.len() { InWord::At(behind, holds) } else { in_option(holds, None, 1) };
            }
            match self.client_option(&spelling) {
                None | Some(Means::Flag) => {}
                Some(means) if behind < word.len() => return InWord::At(behind, holds(means)),
                Some(means) if means.words() > 0 => return InWord::Next(holds(means), means.words()),
                Some(_) => return InWord::Nothing,
            }
        }
        InWord::Nothing
    }

    fn client_option(&self, spelling: &str) -> Option<Means> {
        clients::option_in(self.client?.options, spelling)
    }

    /// Tells what the next argument holds that is no option; `word` is that argument.
    pub(crate) fn argument(&mut self, word: &str) -> Holds {
        let by_row = self
            .rows()
            .filter(|(row, _)| !row.arguments.is_empty())
            .find_map(|(row, count)| row.arguments.get(self.words.len() - count).or(row.arguments.last()).copied());
        let by_client = || {
            let own = self.client?.positionals;
            let means = own.get(self.words.len()).or(own.last().filter(|means| **means != Means::Password))?;
            Some(holds(*means))
        };
        let holds = by_row.or_else(by_client).unwrap_or(Plain);
        self.words.push(word.to_owned());
        holds
    }
}

fn split(word: &str) -> (&str, Option<usize>) {
    word.split_once('=').map_or((word, None), |(name, _)| (name, Some(name.len() + 1)))
}

/// Finds an option by its whole spelling.
fn option_in(row: &Row, name: &str) -> Option<Holds> {
    let spelled = |spellings: &str| spellings.split(' ').any(|spelling| spelling == name);
    row.options.iter().find(|(spellings, _)| spelled(spellings)).map(|(_, holds)| *holds)
}

fn in_option(holds: Holds, joined: Option<usize>, words: usize) -> InWord {
    match joined {
        Some(at) => InWord::At(at, holds),
        None if holds == Joined => InWord::Nothing,
        None => InWord::Next(holds, words),
    }
}

fn holds(means: Means) -> Holds {
    match means {
        Means::Password => Secret,
        Means::JoinedPassword => Joined,
        Means::SlashLogin => SlashLogin,
        _ => Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::Holds::{Login, Pair};
    use super::*;

    #[test]
    fn a_secret_is_found_in_the_word_or_behind_it() {
        let table = [
            ("mysql", "-phunter2", InWord::At(2, Joined)),
            ("mysql", "-vphunter2", InWord::At(3, Joined)),
            ("mysql", "-p", InWord::Nothing),
            ("mysqltest", "-phunter2", InWord::At(2, Joined)),
            ("mongosh", "-p", InWord::Next(Secret, 1)),
            ("curl", "-sSu", InWord::Next(Login, 1)),
            ("curl", "-sHX-Key: a", InWord::At(3, Plain)),
            ("sqlcmd", "-Phunter2", InWord::At(2, Secret)),
            ("psql", "-c", InWord::Next(Plain, 1)),
            ("psql", "--unknown", InWord::Nothing),
            ("zip", "-rPx", InWord::At(3, Secret)),
        ];
        for (program, word, expected) in table {
            assert_eq!(called(program).unwrap().in_word(word), expected, "{program} {word}");
        }
        assert!(called("sh").is_none() && called("npm").is_none());
    }

    #[test]
    fn what_a_subcommand_takes_is_known_behind_it() {
        let holds = |line: &str| {
            let mut words = line.split(' ');
            let mut called = called(words.next().unwrap()).unwrap();
            words.map(|word| called.argument(word)).last().unwrap()
        };
        for (line, expected) in [
            ("redis-cli auth x", Secret),
            ("redis-cli AUTH x", Secret),
            ("redis-cli get x", Plain),
            ("vault kv put a b=c", Pair),
            ("vault kv put a", Plain),
            ("poetry config http-basic.x u p", Secret),
            ("poetry config http-basic.x u", Plain),
            ("isql dsn user p", Secret),
            ("isql dsn user", Plain),
            ("sqlplus u/p@x", SlashLogin),
            ("mysqladmin password x", Secret),
            ("mysqladmin ping", Plain),
        ] {
            assert_eq!(holds(line), expected, "{line}");
        }
    }

    #[test]
    fn each_option_of_a_client_that_holds_a_password_is_known_here() {
        for client in clients::all() {
            let called = called(client.names[0]).unwrap();
            for (spellings, means) in client.options.iter().copied().flatten() {
                for spelling in spellings.split(' ').filter(|_| *means == Means::Password) {
                    // Its own meaning may hide a shared one.
                    let own = client.means(spelling).unwrap();
                    assert_eq!(
                        called.in_word(spelling),
                        InWord::Next(holds(own), own.words()),
                        "{:?} {spelling}",
                        client.names
                    );
                }
            }
        }
    }

    #[test]
    fn each_row_says_something_and_stands_once() {
        let mut seen = std::collections::HashSet::new();
        for row in ROWS {
            assert!(!row.options.is_empty() || !row.arguments.is_empty(), "{}", row.programs);
            for program in row.programs.split(' ') {
                assert!(seen.insert((program, row.words)), "{program} {}", row.words);
            }
        }
    }
}
