//! Shell text taken apart into simple commands, as far as that goes without running anything.
//!
//! Quotes, operators, comments, redirections and heredocs are understood; `$(…)`, backquotes and subshells are looked
//! into but never executed, variables stay as written. It is no shell: what it cannot follow stays a literal word.

use std::collections::HashSet;

use crate::tools::words::{SHELLS, name_of};

/// A simple command: assignments, then words with their quotes removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SimpleCommand {
    /// `X=Y` in front of it, and those that were exported before it in the same text.
    pub(crate) assignments: Vec<(String, String)>,
    /// The program and its arguments; never empty.
    pub(crate) words: Vec<String>,
    /// The line of the text where it ends, counted from 1.
    pub(crate) line: u32,
    /// Its program is a function of the same text, whose commands stand there by themselves.
    pub(crate) calls_function: bool,
}

/// Longer texts are cut.
const LONGEST_TEXT: usize = 256 * 1024;
/// How deep `$(…)` inside `$(…)` is followed.
const DEEPEST: usize = 8;
/// More simple commands than this in one text are not looked at.
const MOST_COMMANDS: usize = 1024;

/// The simple commands of `text`, those inside substitutions after the ones around them.
pub(crate) fn simple_commands(text: &str) -> Vec<SimpleCommand> {
    read(text).0
}

/// As [`simple_commands`], and whether there is more in the text than is read.
pub(crate) fn read(text: &str) -> (Vec<SimpleCommand>, bool) {
    let mut is_cut = text.len() > LONGEST_TEXT;
    let mut commands: Vec<SimpleCommand> = Vec::new();
    let mut functions = HashSet::new();
    let mut texts = vec![(text.as_bytes().get(..LONGEST_TEXT).unwrap_or(text.as_bytes()), 1, 0)];
    while let Some((text, line, depth)) = texts.pop() {
        let mut splitter = Splitter::new(text, line);
        splitter.run();
        commands.append(&mut splitter.commands);
        functions.extend(splitter.functions);
        is_cut |= splitter.is_cut;
        if commands.len() > MOST_COMMANDS {
            commands.truncate(MOST_COMMANDS);
            is_cut = true;
            break;
        }
        is_cut |= depth == DEEPEST && !splitter.inner.is_empty();
        if depth < DEEPEST {
            texts.extend(splitter.inner.into_iter().map(|(text, line)| (text, line, depth + 1)));
        }
    }
    for command in &mut commands {
        command.calls_function = functions.contains(&command.words[0]);
    }
    (commands, is_cut)
}

/// Whether `text` has the form of a shell variable's name.
pub(crate) fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        && text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}

/// `NAME=value` taken apart; `None` where the part before `=` is no name.
pub(crate) fn assignment(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    is_name(name).then(|| (name.to_owned(), value.to_owned()))
}

/// What the word that is being read is for.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Word,
    RedirectionTarget,
    HeredocDelimiter { strip_tabs: bool },
}

/// Where in a `case` the text is.
#[derive(Clone, Copy, PartialEq)]
enum Case {
    /// Before its `in`.
    Subject,
    /// Before the `)` of a pattern.
    Pattern,
    /// Between that and `;;`.
    Body,
}

struct Splitter<'t> {
    text: &'t [u8],
    at: usize,
    line: u32,
    word: Vec<u8>,
    in_word: bool,
    role: Role,
    words: Vec<String>,
    exported: Vec<(String, String)>,
    heredocs: Vec<(Vec<u8>, bool)>,
    cases: Vec<Case>,
    /// How many words a pattern has that is read.
    alternatives: usize,
    functions: Vec<String>,
    is_cut: bool,
    commands: Vec<SimpleCommand>,
    inner: Vec<(&'t [u8], u32)>,
}

impl<'t> Splitter<'t> {
    fn new(text: &'t [u8], line: u32) -> Self {
        Splitter {
            text,
            at: 0,
            line,
            word: Vec::new(),
            in_word: false,
            role: Role::Word,
            words: Vec::new(),
            exported: Vec::new(),
            heredocs: Vec::new(),
            cases: Vec::new(),
            alternatives: 1,
            functions: Vec::new(),
            is_cut: false,
            commands: Vec::new(),
            inner: Vec::new(),
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn run(&mut self) {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\\' => self.escape(),
                b'\'' => self.single_quotes(),
                b'"' => self.double_quotes(),
                b'`' => self.backquotes(),
                b'$' => self.dollar(),
                b' ' | b'\t' | b'\r' => {
                    self.end_word();
                    self.at += 1;
                }
                b'\n' => {
                    self.end_command();
                    self.at += 1;
                    self.line += 1;
                    self.skip_heredocs();
                }
                b'&' if self.peek(1) == Some(b'>') => {
                    self.end_word();
                    self.at += 1;
                }
                b'|' if self.is_in_pattern() => {
                    self.end_word();
                    self.alternatives += 1;
                    self.at += 1;
                }
                b')' if self.is_in_pattern() => self.end_pattern(),
                b'(' if self.is_in_pattern() && !self.in_word && self.words.is_empty() => self.at += 1,
                b'(' if self.peek(1) == Some(b')') && self.names_a_function() => self.at += 2,
                b'(' if self.peek(1) == Some(b'(') && !self.in_word && self.words.is_empty() => self.arithmetic(),
                b'&' | b'|' | b'(' | b')' if self.is_in_test() => {
                    self.end_word();
                    self.at += 1;
                }
                b';' | b'&' | b'|' | b'(' | b')' => {
                    let ends_body = byte == b';' && matches!(self.peek(1), Some(b';' | b'&'));
                    self.end_command();
                    self.at += 1;
                    if ends_body && self.cases.last() == Some(&Case::Body) {
                        self.at += 1;
                        self.set_case(Case::Pattern);
                    }
                }
                b'<' | b'>' => self.redirection(byte),
                b'#' if !self.in_word => {
                    while self.peek(0).is_some_and(|byte| byte != b'\n') {
                        self.at += 1;
                    }
                }
                _ => self.push(byte),
            }
        }
        self.end_command();
    }

    fn is_in_pattern(&self) -> bool {
        self.cases.last() == Some(&Case::Pattern)
    }

    fn set_case(&mut self, case: Case) {
        self.alternatives = 1;
        if let Some(last) = self.cases.last_mut() {
            *last = case;
        }
    }

    /// Drops the pattern of a `case`; what has not the form of one is a command.
    fn end_pattern(&mut self) {
        self.end_word();
        if self.words.len() == self.alternatives {
            self.words.clear();
            self.set_case(Case::Body);
        } else {
            self.cases.pop();
            self.end_command();
        }
        self.at += 1;
    }

    /// `name()`: what follows is the body of a function, whose commands are read like any.
    fn names_a_function(&mut self) -> bool {
        self.end_word();
        let mut words = self.words.iter().skip_while(|word| opens_a_block(word));
        let (Some(name), None) = (words.next(), words.next()) else { return false };
        self.functions.push(name.clone());
        self.words.clear();
        true
    }

    /// Whether the text is between `[[` and `]]`, where operators separate no commands.
    fn is_in_test(&self) -> bool {
        let mut words = self.words.iter().map(String::as_str).skip_while(|word| opens_a_block(word));
        words.next() == Some("[[") && self.word != b"]]" && words.all(|word| word != "]]")
    }

    /// `((…))`, which runs nothing unless there is a substitution in it.
    fn arithmetic(&mut self) {
        let line = self.text[self.at..].split(|byte| *byte == b'\n').next().unwrap_or_default();
        let end = line.windows(2).position(|pair| pair == b"))");
        let runs_nothing = |inside: &[u8]| !inside.contains(&b'`') && !inside.windows(2).any(|pair| pair == b"$(");
        match end {
            Some(end) if runs_nothing(&line[..end]) => self.at += end + 2,
            _ => self.at += 1,
        }
    }

    fn push(&mut self, byte: u8) {
        self.word.push(byte);
        self.in_word = true;
        self.at += 1;
        if byte == b'\n' {
            self.line += 1;
        }
    }

    fn escape(&mut self) {
        self.at += 1;
        match self.peek(0) {
            Some(b'\n') => {
                self.at += 1;
                self.line += 1;
            }
            Some(byte) => self.push(byte),
            None => {}
        }
    }

    fn single_quotes(&mut self) {
        self.in_word = true;
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            if byte == b'\'' {
                self.at += 1;
                return;
            }
            self.push(byte);
        }
    }

    fn double_quotes(&mut self) {
        self.in_word = true;
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'"' => {
                    self.at += 1;
                    return;
                }
                b'\\' if matches!(self.peek(1), Some(b'"' | b'\\' | b'$' | b'`' | b'\n')) => self.escape(),
                b'`' => self.backquotes(),
                b'$' => self.dollar(),
                _ => self.push(byte),
            }
        }
    }

    fn backquotes(&mut self) {
        let from = self.at + 1;
        let length = self.text[from..].iter().position(|byte| *byte == b'`').unwrap_or(self.text.len() - from);
        self.take_substitution(from, from + length);
    }

    fn dollar(&mut self) {
        match self.peek(1) {
            Some(b'(') => {
                let from = self.at + 2;
                let to = closing(self.text, from, b'(', b')');
                self.take_substitution(from, to);
            }
            Some(b'{') => {
                let to = closing(self.text, self.at + 2, b'{', b'}');
                while self.at <= to && self.at < self.text.len() {
                    self.push(self.text[self.at]);
                }
            }
            _ => self.push(b'$'),
        }
    }

    /// Keeps a substitution's text as part of the word, and remembers the commands in it.
    fn take_substitution(&mut self, from: usize, to: usize) {
        self.inner.push((&self.text[from..to], self.line));
        while self.at <= to && self.at < self.text.len() {
            self.push(self.text[self.at]);
        }
    }

    fn redirection(&mut self, byte: u8) {
        // `2>` redirects file descriptor 2: the digits are no word.
        if self.in_word && self.word.iter().all(u8::is_ascii_digit) {
            self.word.clear();
            self.in_word = false;
        }
        self.end_word();
        self.at += 1;
        if self.peek(0) == Some(b'(') {
            // Process substitution: the parenthesis starts a command of its own.
            return;
        }
        self.role = Role::RedirectionTarget;
        if byte == b'<' && self.peek(0) == Some(b'<') {
            self.at += 1;
            match self.peek(0) {
                Some(b'<') => self.at += 1,
                Some(b'-') => {
                    self.at += 1;
                    self.role = Role::HeredocDelimiter { strip_tabs: true };
                }
                _ => self.role = Role::HeredocDelimiter { strip_tabs: false },
            }
        } else {
            while matches!(self.peek(0), Some(b'>' | b'&' | b'|')) {
                self.at += 1;
            }
        }
    }

    fn end_word(&mut self) {
        if !self.in_word {
            return;
        }
        let word = std::mem::take(&mut self.word);
        self.in_word = false;
        match std::mem::replace(&mut self.role, Role::Word) {
            Role::Word => {
                self.words.push(String::from_utf8_lossy(&word).into_owned());
                self.note_case();
            }
            Role::RedirectionTarget => {}
            Role::HeredocDelimiter { strip_tabs } => self.heredocs.push((word, strip_tabs)),
        }
    }

    /// Follows `case WORD in` to its `esac`, by the word that was just read.
    fn note_case(&mut self) {
        let mut words = self.words.iter().map(String::as_str).skip_while(|word| opens_a_block(word) && *word != "esac");
        match (self.cases.last(), words.next(), words.next(), words.next(), words.next()) {
            (_, Some("case"), Some(_), Some("in"), None) if self.cases.last() == Some(&Case::Subject) => {
                self.words.clear();
                self.set_case(Case::Pattern);
            }
            (last, Some("case"), None, ..) if last != Some(&Case::Pattern) => self.cases.push(Case::Subject),
            (Some(Case::Pattern | Case::Body), Some("esac"), None, ..) => {
                self.words.clear();
                self.cases.pop();
            }
            _ => {}
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.role = Role::Word;
        // A line that has not the form of what a `case` has there.
        if self.cases.last() == Some(&Case::Subject) || self.is_in_pattern() && !self.words.is_empty() {
            self.cases.pop();
        }
        let words = std::mem::take(&mut self.words);
        let mut words = words.into_iter().skip_while(|word| opens_a_block(word)).peekable();
        if words.peek().is_some_and(|word| matches!(word.as_str(), "for" | "case" | "select" | "function")) {
            return;
        }
        if words.peek().is_some_and(|word| matches!(word.as_str(), "export" | "declare" | "typeset" | "readonly")) {
            let words: Vec<String> = words.collect();
            self.exported.extend(words.iter().filter_map(|word| assignment(word)));
            // `export $(cat .env | xargs)` exports what it prints: whoever follows the commands has to see it.
            if words.iter().any(|word| word.starts_with(['$', '`'])) && self.commands.len() < MOST_COMMANDS {
                self.commands.push(SimpleCommand {
                    assignments: Vec::new(),
                    words,
                    line: self.line,
                    calls_function: false,
                });
            }
            return;
        }
        let mut assignments = Vec::new();
        while let Some(pair) = words.peek().and_then(|word| assignment(word)) {
            assignments.push(pair);
            words.next();
        }
        let words: Vec<String> = words.collect();
        if words.is_empty() {
            // A plain `X=Y` line reaches the commands after it where X was exported already: assume it was.
            self.exported.append(&mut assignments);
            return;
        }
        self.is_cut |= self.commands.len() >= MOST_COMMANDS || self.exported.len() > MOST_COMMANDS;
        if self.commands.len() >= MOST_COMMANDS {
            return;
        }
        let assignments = self.exported.iter().take(MOST_COMMANDS).cloned().chain(assignments).collect();
        self.commands.push(SimpleCommand { assignments, words, line: self.line, calls_function: false });
    }

    /// Skips the bodies of the heredocs that the line before has announced; one for a shell is commands.
    fn skip_heredocs(&mut self) {
        for (delimiter, strip_tabs) in std::mem::take(&mut self.heredocs) {
            let (start, first_line) = (self.at, self.line);
            let mut end = self.text.len();
            while self.at < self.text.len() {
                let rest = &self.text[self.at..];
                let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                let line = rest[..length].strip_suffix(b"\r").unwrap_or(&rest[..length]);
                let line_start = self.at;
                self.at = (self.at + length + 1).min(self.text.len());
                self.line += 1;
                if (if strip_tabs { line.trim_ascii_start() } else { line }) == delimiter {
                    end = line_start;
                    break;
                }
            }
            let reader = self.commands.last().and_then(|command| command.words.first());
            if reader.is_some_and(|program| SHELLS.contains(&name_of(program))) {
                self.inner.push((&self.text[start..end], first_line));
            }
        }
    }
}

fn opens_a_block(word: &str) -> bool {
    matches!(
        word,
        "if" | "then" | "else" | "elif" | "fi" | "do" | "done" | "while" | "until" | "esac" | "!" | "{" | "}" | "in"
    )
}

/// Where the bracket opened before `from` closes, quotes and nested brackets minded; the end where it never does.
fn closing(text: &[u8], from: usize, open: u8, close: u8) -> usize {
    let (mut at, mut depth, mut quote) = (from, 1u32, None);
    while let Some(&byte) = text.get(at) {
        match (byte, quote) {
            (b'\\', None | Some(b'"')) => at += 1,
            (_, Some(open_quote)) if byte == open_quote => quote = None,
            (_, Some(_)) => {}
            (b'\'' | b'"', None) => quote = Some(byte),
            _ if byte == open => depth += 1,
            _ if byte == close => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests;
