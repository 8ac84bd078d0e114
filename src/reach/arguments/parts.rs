//! Takes the arguments of a database client apart, by its row in the table of clients.

use crate::tools::clients::{Client, Means};

/// Lists the arguments that name a part of the connection, in their order.
pub(crate) fn parts(client: &Client, arguments: &[String]) -> Vec<(Means, String)> {
    let mut reader = Reader { client, words: arguments.iter(), found: Vec::new() };
    reader.run();
    reader.found
}

struct Reader<'c, 'w> {
    client: &'c Client,
    words: std::slice::Iter<'w, String>,
    found: Vec<(Means, String)>,
}

impl Reader<'_, '_> {
    fn run(&mut self) {
        let mut positionals = self.client.positionals.iter().copied();
        // What every further argument means, once an option has said so.
        let mut rest = None;
        let mut options_end = false;
        while let Some(word) = self.words.next() {
            if options_end || !word.starts_with('-') || word == "-" {
                let is_address = || word.contains(':') && !word.contains("://");
                match rest {
                    Some(Means::Hosts) if is_address() => self.found.push((Means::Hosts, word.clone())),
                    Some(Means::Databases) => self.found.push((Means::Databases, word.clone())),
                    _ => self.found.extend(positionals.next().map(|means| (means, word.clone()))),
                }
            } else if word == "--" {
                options_end = true;
            } else {
                rest = self.option(word).or(rest);
            }
        }
    }

    /// Reads an option with its values; what it says about every further argument is given back.
    fn option(&mut self, word: &str) -> Option<Means> {
        let (name, joined) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        let is_long = word.starts_with("--") || self.client.one_dash;
        if !is_long {
            return self.letters(word);
        }
        let means = self.client.means(name)?;
        match joined {
            Some(value) => self.note(means, value),
            None if means.words() > 0 => {
                if let Some(value) = self.words.next() {
                    self.note(means, value);
                }
                self.words.by_ref().take(means.words() - 1).for_each(drop);
            }
            None => {}
        }
        matches!(means, Means::Hosts | Means::Databases).then_some(means)
    }

    /// `-hdb`, `-h db`, `-qh db`: letters without a value may stand before one with.
    fn letters(&mut self, word: &str) -> Option<Means> {
        for (at, letter) in word.char_indices().skip(1) {
            let behind = &word[at + letter.len_utf8()..];
            let Some(means) = self.client.means(&format!("-{letter}")) else { continue };
            match means {
                Means::Flag => continue,
                Means::Hosts | Means::Databases => return Some(means),
                Means::JoinedPassword if behind.is_empty() => {}
                Means::JoinedPassword => self.note(means, behind),
                _ if behind.is_empty() => {
                    if let Some(value) = self.words.next() {
                        self.note(means, value);
                    }
                }
                _ => self.note(means, behind.trim_start_matches('=')),
            }
            return None;
        }
        None
    }

    fn note(&mut self, means: Means, value: &str) {
        if !matches!(means, Means::Value | Means::TwoValues | Means::Flag) {
            self.found.push((means, value.to_owned()));
        }
    }
}
