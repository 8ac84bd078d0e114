//! Which arguments of a program are secret, whatever the names of its options say.

use crate::tools::clients;
use crate::tools::clients::Means;
use crate::tools::clients::Options;
use crate::tools::words::{SHELLS, name_of};

/// Programs that take a secret in an option whose name does not say so, and are no database clients.
const OTHERS: &[(&[&str], Options)] = &[
    (&["curl", "wget", "http", "https", "xh"], &[("-u --user -U --proxy-user -a --auth", Means::Login)]),
    (&["sshpass"], &[("-p", Means::Password)]),
];

/// How a program takes its arguments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arguments {
    options: &'static [Options],
    pub(crate) positionals: &'static [Means],
}

/// What a word that begins with a dash says about secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InWord {
    /// The next words are the option's value, which means this.
    Next(Means),
    /// The value begins at this byte of the word, and means this.
    At(usize, Means),
    /// It says nothing.
    Nothing,
}

/// Finds how the program that `word` calls takes its arguments. A relative of a client (`mysqltest`) is taken for one.
pub(crate) fn arguments_of(word: &str) -> Option<Arguments> {
    let name = name_of(word);
    if SHELLS.contains(&name) {
        return None;
    }
    let other = OTHERS.iter().find(|(names, _)| names.contains(&name));
    if let Some((_, options)) = other {
        return Some(Arguments { options: std::slice::from_ref(options), positionals: &[] });
    }
    let relative = || {
        let families = ["mysql", "mariadb", "mongo", "redis", "psql"];
        let family = families.iter().find(|family| name.starts_with(**family))?;
        clients::all().find(|client| client.names.iter().any(|own| own.starts_with(family)))
    };
    let client = clients::named(name).or_else(relative)?;
    Some(Arguments { options: client.options, positionals: client.positionals })
}

impl Arguments {
    /// Tells what a word that begins with a dash says: `-p`, `-pX`, `-vpX`, `--user=X`.
    pub(crate) fn in_word(&self, word: &str) -> InWord {
        let (name, joined) = word.split_once('=').map_or((word, None), |(name, _)| (name, Some(name.len() + 1)));
        if let Some(means) = clients::option_in(self.options, name) {
            return match joined {
                Some(at) => InWord::At(at, means),
                None if means.words() == 0 => InWord::Nothing,
                None => InWord::Next(means),
            };
        }
        if word.starts_with("--") {
            return InWord::Nothing;
        }
        for (at, letter) in word.char_indices().skip(1) {
            let spelling = format!("-{letter}");
            let Some(means) = clients::option_in(self.options, &spelling) else { continue };
            let behind = at + letter.len_utf8();
            match means {
                Means::Flag => {}
                _ if behind < word.len() => return InWord::At(behind, means),
                _ if means.words() > 0 => return InWord::Next(means),
                _ => return InWord::Nothing,
            }
        }
        InWord::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_the_word_or_behind_it() {
        let table = [
            ("mysql", "-phunter2", InWord::At(2, Means::JoinedPassword)),
            ("mysql", "-vphunter2", InWord::At(3, Means::JoinedPassword)),
            ("mysql", "-p", InWord::Nothing),
            ("mysqltest", "-phunter2", InWord::At(2, Means::JoinedPassword)),
            ("mongosh", "-p", InWord::Next(Means::Password)),
            ("curl", "-u", InWord::Next(Means::Login)),
            ("curl", "--user=a:b", InWord::At(7, Means::Login)),
            ("sqlcmd", "-Phunter2", InWord::At(2, Means::Password)),
            ("psql", "-c", InWord::Next(Means::Value)),
            ("psql", "--unknown", InWord::Nothing),
        ];
        for (program, word, expected) in table {
            assert_eq!(arguments_of(program).unwrap().in_word(word), expected, "{program} {word}");
        }
        assert!(arguments_of("sh").is_none() && arguments_of("docker").is_none());
    }

    #[test]
    fn each_option_of_a_client_that_holds_a_password_is_known_here() {
        for client in clients::all() {
            let arguments = arguments_of(client.names[0]).unwrap();
            for (spellings, means) in client.options.iter().copied().flatten() {
                for spelling in spellings.split(' ').filter(|_| *means == Means::Password) {
                    // Its own meaning may hide a shared one.
                    let own = client.means(spelling).unwrap();
                    assert_eq!(arguments.in_word(spelling), InWord::Next(own), "{:?} {spelling}", client.names);
                }
            }
        }
    }
}
