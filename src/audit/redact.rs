//! Commands as they may be written down: without what would let a reader log in.
//!
//! Looks at words: assignments, options that take a password, the arguments of the programs that `tools` knows, scripts
//! for a shell. What stands inside a word is [`ForeignText`]'s part. Nothing is executed or expanded.

use std::ffi::OsString;

use crate::secret::{ForeignText, MASK, Secret, is_kind_of_key, is_secret_word, says_secret, words_of};
use crate::text;
use crate::tools::secrets;
use crate::tools::secrets::{Called, Holds, InWord};
use crate::tools::words::{SHELLS, name_of};

/// The longest argument that is kept whole, in bytes after masking.
const LONGEST_WORD: usize = 8 * 1024;
/// How many bytes of arguments are kept in all.
const LONGEST_COMMAND: usize = 64 * 1024;

/// Shows a command as the log keeps it: secrets masked, bytes that are not UTF-8 as `\xFF`, cut where it is very long.
#[must_use]
pub(crate) fn redact_command(words: &[OsString], secrets: &[Secret]) -> Vec<String> {
    let mut redactor = Redactor::new(secrets);
    let (mut shown, mut bytes) = (Vec::new(), 0);
    for (index, word) in words.iter().enumerate() {
        let mut text = redactor.word(&text::shown(word));
        if text.len() > LONGEST_WORD {
            let head = text::head(&text, LONGEST_WORD);
            text = format!("{head}… ({} bytes more)", text.len() - head.len());
        }
        bytes += text.len();
        if bytes > LONGEST_COMMAND {
            shown.push(format!("… ({} arguments more)", words.len() - index));
            break;
        }
        shown.push(text);
    }
    shown
}

/// Shows a line for a shell, or a text that quotes one, without its secrets.
#[must_use]
pub(crate) fn redact_line(line: &str) -> String {
    ForeignText::of(Redactor::new(&[]).script(line)).to_string()
}

/// What the words before say about the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Plain,
    /// It is a secret, unless it is an option: then the one behind that may be.
    Secret,
    /// It and those behind it, so many in all, are an option's value.
    Value(Holds, usize),
    /// It is a script for a shell.
    Script,
}

struct Redactor<'a> {
    secrets: &'a [Secret],
    /// The program that was called last, where something is known of it.
    called: Option<Called>,
    /// Whether a word said that a key and its value follow: `config set KEY VALUE`.
    sets: bool,
    next: Next,
}

impl<'a> Redactor<'a> {
    fn new(secrets: &'a [Secret]) -> Self {
        Redactor { secrets, called: None, sets: false, next: Next::Plain }
    }

    fn word(&mut self, word: &str) -> String {
        match std::mem::replace(&mut self.next, Next::Plain) {
            Next::Secret if !is_option(word) => return MASK.to_owned(),
            // `--password --verbose hunter2`: whether `--password` takes a value is not known.
            Next::Secret => {
                let shown = self.option(word);
                if self.next == Next::Plain {
                    self.next = Next::Secret;
                }
                return shown;
            }
            Next::Value(holds, left) => {
                if left > 1 {
                    self.next = Next::Value(holds, left - 1);
                }
                return self.value(holds, word);
            }
            Next::Script => return self.script(word),
            Next::Plain => {}
        }
        if SHELLS.contains(&name_of(word)) {
            self.called = None;
        } else if !self.called.as_ref().is_some_and(Called::is_settled)
            && let Some(called) = secrets::called(word)
        {
            self.called = Some(called);
            return self.quoted(word);
        }
        let is_option = match word.strip_prefix('/') {
            Some(_) => self.called.as_ref().is_some_and(|called| called.own_option(word).is_some()),
            None => word.len() > 1 && word.starts_with('-'),
        };
        if is_option { self.option(word) } else { self.argument(word) }
    }

    /// Masks what an option holds, or notes what the next words will hold. What is known of the program goes before what
    /// the option's name says, and that before what a database's client takes.
    fn option(&mut self, word: &str) -> String {
        if let Some(own) = self.called.as_ref().and_then(|called| called.own_option(word)) {
            return self.held(word, own);
        }
        if let Some(at) = prose_at(word) {
            if at == word.len() {
                self.next = Next::Value(Holds::Prose, 1);
            }
            return format!("{}{}", &word[..at], self.value(Holds::Prose, &word[at..]));
        }
        if let Some((name, value)) = assignment(word)
            && names_a_secret(name)
        {
            return if value.is_empty() { word.to_owned() } else { format!("{name}={MASK}") };
        }
        if takes_a_secret(word) {
            self.next = match self.called.as_ref().map(|called| called.in_word(word)) {
                Some(InWord::Next(holds, words)) if holds != Holds::Plain => Next::Value(holds, words),
                _ => Next::Secret,
            };
            return word.to_owned();
        }
        if let Some(called) = self.called.as_ref().filter(|_| word.starts_with('-')) {
            let held = called.in_word(word);
            return self.held(word, held);
        }
        // sh -c, bash -lc, su -c: what follows is a command line of its own.
        let letters = word.strip_prefix('-').unwrap_or_default();
        if letters.len() < 5 && letters.ends_with('c') && letters.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            self.next = Next::Script;
        }
        self.quoted(word)
    }

    fn held(&mut self, word: &str, held: InWord) -> String {
        match held {
            InWord::At(at, holds) => format!("{}{}", &word[..at], self.value(holds, &word[at..])),
            InWord::Next(holds, words) => {
                self.next = Next::Value(holds, words);
                word.to_owned()
            }
            InWord::Nothing => self.quoted(word),
        }
    }

    fn argument(&mut self, word: &str) -> String {
        let holds = self.called.as_mut().map_or(Holds::Plain, |called| called.argument(word));
        if let Some((name, value)) = assignment(word)
            && names_a_secret(name)
        {
            return if value.is_empty() { word.to_owned() } else { format!("{name}={MASK}") };
        }
        if holds == Holds::Plain {
            if self.sets && !self.called.as_ref().is_some_and(Called::is_settled) && is_key_of_a_secret(word) {
                self.next = Next::Secret;
            }
            self.sets |= SETTING.contains(&word.to_ascii_lowercase().as_str());
            // `ssh host 'mysql -phunter2'`, `ssh host 'cd x && sudo mysql -phunter2'`
            let is_program = |word: &str| SHELLS.contains(&name_of(word)) || secrets::called(word).is_some();
            let mut parts = word.split(|c: char| c.is_whitespace() || ENDS_COMMAND.contains(&c)).peekable();
            if word.contains(char::is_whitespace) && parts.peek().copied().is_some_and(is_program) {
                return self.script(word);
            }
            if word.contains(char::is_whitespace) && parts.any(is_program) {
                return self.quoted(&self.script(word));
            }
        }
        self.value(holds, word)
    }

    /// A value that holds this, as it may be shown.
    fn value(&self, holds: Holds, value: &str) -> String {
        let login = |mark: char| match value.split_once(mark) {
            Some((user, _)) => format!("{user}{mark}{MASK}"),
            None => self.quoted(value),
        };
        match holds {
            _ if value.is_empty() => String::new(),
            Holds::Secret | Holds::Joined => MASK.to_owned(),
            Holds::Login => login(':'),
            Holds::PercentLogin => login('%'),
            Holds::CommaLogin => login(','),
            Holds::SlashLogin => self.slash_login(value),
            Holds::Pair => value.split_once('=').map_or(MASK.to_owned(), |(name, _)| format!("{name}={MASK}")),
            Holds::Source => match value.split_once(':') {
                Some(("pass", _)) => format!("pass:{MASK}"),
                _ => self.quoted(value),
            },
            Holds::Parts => {
                let masked = |part: &str| if part.starts_with("p=") { format!("p={MASK}") } else { part.to_owned() };
                self.quoted(&value.split(',').map(masked).collect::<Vec<_>>().join(","))
            }
            Holds::Prose => ForeignText::prose(value, self.secrets).to_string(),
            Holds::Plain => self.quoted(value),
        }
    }

    /// `user/password@place` and `userid=user/password` without the password; a path is none.
    fn slash_login(&self, word: &str) -> String {
        let key = word.find('=').filter(|at| word[..*at].bytes().all(|byte| byte.is_ascii_alphabetic()));
        let (before, login) = word.split_at(key.map_or(0, |at| at + 1));
        match login.split_once('/') {
            Some((user, rest)) if !user.is_empty() && !user.contains('=') && (key.is_none() || takes_login(before)) => {
                let place = rest.rsplit_once('@').map_or(String::new(), |(_, place)| format!("@{place}"));
                format!("{before}{user}/{MASK}{place}")
            }
            _ => self.quoted(word),
        }
    }

    fn quoted(&self, word: &str) -> String {
        ForeignText::new(word, self.secrets).to_string()
    }

    /// Masks the words of a script one by one, keeping what stands between them.
    fn script(&self, script: &str) -> String {
        let mut words = Redactor::new(self.secrets);
        let known = self.secrets.iter().filter(|secret| !secret.is_ordinary());
        let script = known.fold(script.to_owned(), |text, secret| secret.mask_in(&text));
        // `"$(mysql -phunter2 "x")"` is one word to somebody who only pairs quotes: then they mean nothing here.
        let are_quotes_read = has_a_break(&script);
        let (mut shown, mut word, mut quote) = (String::new(), String::new(), None);
        for character in script.chars() {
            let ends_command = ENDS_COMMAND.contains(&character);
            if quote.is_none() && is_a_break(character) {
                if !word.is_empty() {
                    shown.push_str(&words.shell_word(&std::mem::take(&mut word)));
                }
                if ends_command {
                    words = Redactor::new(self.secrets);
                }
                shown.push(character);
                continue;
            }
            match quote {
                None if are_quotes_read && is_a_quote(character) => quote = Some(character),
                Some(open) if open == character => quote = None,
                None | Some(_) => {}
            }
            word.push(character);
        }
        if !word.is_empty() {
            shown.push_str(&words.shell_word(&word));
        }
        shown
    }

    /// A word of a script. One that is quoted as a whole is looked at as its program gets it.
    fn shell_word(&mut self, word: &str) -> String {
        for quote in ['"', '\''] {
            let inner = word.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
            if let Some(inner) = inner.filter(|inner| inner.contains(char::is_whitespace) && !inner.contains(quote)) {
                return format!("{quote}{}{quote}", self.word(inner));
            }
        }
        self.word(word)
    }
}

/// What ends a command in a script.
const ENDS_COMMAND: [char; 7] = [';', '|', '&', '(', ')', '\n', '`'];

fn is_a_break(character: char) -> bool {
    character.is_whitespace() || ENDS_COMMAND.contains(&character)
}

fn is_a_quote(character: char) -> bool {
    matches!(character, '\'' | '"')
}

/// Tells whether something outside quotes separates the words of a script.
fn has_a_break(script: &str) -> bool {
    let mut quote = None;
    script.chars().any(|character| {
        match quote {
            None if is_a_quote(character) => quote = Some(character),
            None => return is_a_break(character),
            Some(open) if open == character => quote = None,
            Some(_) => {}
        }
        false
    })
}

/// Words behind which a key and its value stand.
const SETTING: [&str; 8] = ["add", "config", "configure", "create", "put", "set", "update", "write"];

/// Tells whether a word names what is to be set, and that is a secret: `aws_secret_access_key`, `//host/:_authToken`.
fn is_key_of_a_secret(word: &str) -> bool {
    !word.contains([' ', '='])
        && says_secret(word)
        && (word.starts_with('_')
            || words_of(word).count() > 1
            || is_secret_word(&word.to_ascii_uppercase()) && word.len() > 6)
}

/// Tells whether a key of Oracle's programs takes a login: `userid=`, `target=`.
fn takes_login(key: &str) -> bool {
    ["userid=", "target=", "catalog=", "auxiliary="].iter().any(|own| key.eq_ignore_ascii_case(own))
}

/// Tells whether a word has the shape of an option, which no generated password has: `-v`, `--dry-run`.
fn is_option(word: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    match word.strip_prefix("--").map(|rest| rest.split_once('=').map_or(rest, |(name, _)| name)) {
        Some(name) => name.bytes().all(letter),
        None => word.len() == 2 && word.starts_with('-'),
    }
}

/// `NAME=value` or `--name=value` with the whole word as one assignment.
fn assignment(word: &str) -> Option<(&str, &str)> {
    word.split_once('=').filter(|(name, _)| is_plain_name(name))
}

/// Tells whether a long option's next word is a secret: its last word says so (`--passWithNoTests` does not), and its
/// first one does not switch it off.
fn takes_a_secret(word: &str) -> bool {
    let Some(name) = word.strip_prefix('-').filter(|name| name.len() > 3 || name.starts_with('-')) else {
        return matches!(word, "-pwd" | "-jwt");
    };
    let mut words = words_of(name);
    let is_off =
        words_of(name).next().is_some_and(|first| matches!(first.as_str(), "NO" | "SKIP" | "WITHOUT" | "DISABLE"));
    let Some(last) = words.next_back() else { return false };
    let is_key_of_data = last == "KEY" && words.next_back().is_none_or(|before| is_kind_of_key(&before));
    is_plain_name(name) && !is_off && !is_key_of_data && is_secret_word(&last)
}

/// Tells whether what is assigned to a name is secret; `key` alone mostly names a column or a field.
fn names_a_secret(name: &str) -> bool {
    says_secret(name) && !name.trim_start_matches('-').eq_ignore_ascii_case("key")
}

/// Options whose value is a pattern of names, or words for people.
const PROSE: [&str; 6] = ["--filter", "--grep", "--test-name-pattern", "--testNamePattern", "--tests", "--title"];

/// Finds where the value of such an option begins; behind the word, where it is the next one.
fn prose_at(word: &str) -> Option<usize> {
    let name = word.split_once('=').map_or(word, |(name, _)| name);
    PROSE.contains(&name).then(|| word.len().min(name.len() + 1))
}

fn is_plain_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !name.is_empty() && name.bytes().all(plain)
}

#[cfg(test)]
mod tests;
