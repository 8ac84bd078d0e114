//! The characters of a shell text, one after the other: words, quotes, operators, redirections, substitutions.

use crate::environment::follow::shell_text::blocks::{Cases, Test, arithmetic, begins_a_command, function_named};
use crate::environment::follow::shell_text::brackets::closing;
use crate::environment::follow::shell_text::commands::{Budget, Commands};
use crate::environment::follow::shell_text::heredocs::Heredoc;
use crate::tools::words::{SHELLS, name_of};

/// What the word that is being read is for.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Word,
    RedirectionTarget,
    HeredocDelimiter { strips_tabs: bool },
}

pub(crate) struct Splitter<'t> {
    text: &'t [u8],
    at: usize,
    line: u32,
    word: Vec<u8>,
    in_word: bool,
    /// A part of the word was in quotes.
    is_quoted: bool,
    role: Role,
    words: Vec<String>,
    heredocs: Vec<Heredoc>,
    cases: Cases,
    test: Test,
    /// Up to here no `<<` stands between `((` and `))`.
    no_shift_before: usize,
    pub(crate) commands: Commands,
    /// Texts inside of it that are commands, with their first lines.
    pub(crate) inner: Vec<(&'t [u8], u32)>,
}

impl<'t> Splitter<'t> {
    pub(crate) fn new(text: &'t [u8], line: u32, budget: Budget) -> Self {
        Splitter {
            text,
            at: 0,
            line,
            word: Vec::new(),
            in_word: false,
            is_quoted: false,
            role: Role::Word,
            words: Vec::new(),
            heredocs: Vec::new(),
            cases: Cases::default(),
            test: Test::default(),
            no_shift_before: 0,
            commands: Commands::new(budget),
            inner: Vec::new(),
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    pub(crate) fn run(&mut self) {
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
                b'|' if self.cases.is_in_pattern() => {
                    self.end_word();
                    self.cases.bar();
                    self.at += 1;
                }
                b')' if self.cases.is_in_pattern() => self.end_pattern(),
                b'(' if self.cases.is_in_pattern() && !self.in_word && self.words.is_empty() => self.at += 1,
                b'(' if self.peek(1) == Some(b')') && self.names_a_function() => self.at += 2,
                b'(' if self.may_be_arithmetic() => self.arithmetic(),
                b'(' if self.begins_an_array() => self.array(),
                b'&' | b'|' | b'(' | b')' if self.is_in_test() => {
                    self.end_word();
                    self.at += 1;
                }
                b';' | b'&' | b'|' | b'(' | b')' => {
                    let ends_body = byte == b';' && matches!(self.peek(1), Some(b';' | b'&'));
                    self.end_command();
                    self.at += 1;
                    if ends_body && self.cases.is_in_body() {
                        self.at += 1;
                        self.cases.end_body();
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

    /// Drops the pattern of a `case`; what has not the form of one is a command.
    fn end_pattern(&mut self) {
        self.end_word();
        if self.cases.end_pattern(&self.words) {
            self.words.clear();
        } else {
            self.end_command();
        }
        self.at += 1;
    }

    /// `name()`: what follows is the body of a function, whose commands are read like any.
    fn names_a_function(&mut self) -> bool {
        self.end_word();
        let name = function_named(&self.words).cloned();
        let names = name.is_some();
        if names {
            self.commands.functions.extend(name);
            self.words.clear();
        }
        names
    }

    fn is_in_test(&mut self) -> bool {
        self.word != b"]]" && !self.words.is_empty() && self.test.goes_on(self.text, self.at)
    }

    /// Tells whether what stands here is the value of `NAME=(…)`.
    fn begins_an_array(&self) -> bool {
        self.in_word && self.role == Role::Word && self.word.ends_with(b"=")
    }

    /// Takes the elements of an array for what cannot be told: as `NAME=$(…)`, whose commands are looked into.
    fn array(&mut self) {
        let from = self.at + 1;
        self.word.push(b'$');
        self.take_substitution(from, closing(self.text, from, b'(', b')'));
    }

    fn may_be_arithmetic(&self) -> bool {
        let opens = self.peek(1) == Some(b'(') && !self.in_word && self.words.is_empty();
        opens && self.at >= self.no_shift_before
    }

    /// `((…))` is arithmetic or, for a plain `sh`, a group in a group: the words in it are read as commands. Where a
    /// `<<` stands in it, they are read by themselves: a shift opens no here-document for what follows.
    fn arithmetic(&mut self) {
        let (length, shifts) = arithmetic(&self.text[self.at..]);
        if shifts {
            self.inner.push((&self.text[self.at + 2..self.at + length - 2], self.line));
            self.at += length;
        } else {
            self.no_shift_before = self.at + length;
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
        self.is_quoted = true;
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
        (self.in_word, self.is_quoted) = (true, true);
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
        (self.in_word, self.is_quoted) = (true, true);
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

    /// Writes them as `$(…)`: once its quotes are gone, nothing tells `a` between backquotes from the name that MySQL quotes so.
    fn backquotes(&mut self) {
        let from = self.at + 1;
        let length = memchr::memchr(b'`', &self.text[from..]).unwrap_or(self.text.len() - from);
        self.in_word = true;
        self.word.extend(b"$(");
        self.at = from;
        self.take_substitution(from, from + length);
        if self.word.pop_if(|byte| *byte == b'`').is_some() {
            self.word.push(b')');
        }
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
                    self.role = Role::HeredocDelimiter { strips_tabs: true };
                }
                _ => self.role = Role::HeredocDelimiter { strips_tabs: false },
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
        let is_quoted = std::mem::take(&mut self.is_quoted);
        match std::mem::replace(&mut self.role, Role::Word) {
            Role::Word => {
                let word = String::from_utf8_lossy(&word).into_owned();
                // A row of them, which each look at the words would go through again, says no more than its last.
                let is_in_row =
                    matches!(&self.words[..], [first] if begins_a_command(first)) && begins_a_command(&word);
                if is_in_row && !self.cases.is_in_pattern() {
                    self.words.clear();
                }
                self.words.push(word);
                self.test.note(&self.words);
                if self.cases.note(&self.words) {
                    self.words.clear();
                }
            }
            Role::RedirectionTarget => {}
            Role::HeredocDelimiter { strips_tabs } => {
                self.heredocs.push(Heredoc { delimiter: word, strips_tabs, is_quoted })
            }
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.role = Role::Word;
        self.cases.end_command(&self.words);
        self.commands.add(std::mem::take(&mut self.words), self.line);
    }

    /// Skips the bodies of the heredocs that the line before has announced; one for a shell is commands, and so are the
    /// substitutions in others.
    fn skip_heredocs(&mut self) {
        for heredoc in std::mem::take(&mut self.heredocs) {
            let (start, first_line) = (self.at, self.line);
            let body = heredoc.body(self.text, start);
            self.at = body.next;
            self.line += body.lines;
            let text = &self.text[start..body.end];
            match self.commands.found.last_mut() {
                Some(command) if SHELLS.contains(&name_of(&command.words[0])) => {
                    command.hides_commands = false;
                    self.inner.push((text, first_line));
                }
                _ if heredoc.is_quoted => {}
                _ => self.inner.extend(substitutions(text).map(|inside| (inside, first_line))),
            }
        }
    }
}

/// Lists the commands that a shell runs in the body of a heredoc: `$(…)` and what stands between backquotes.
fn substitutions(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            at += memchr::memchr3(b'$', b'`', b'\\', body.get(at..)?)?;
            let (from, to) = match (body[at], body.get(at + 1)) {
                (b'`', _) => {
                    let from = at + 1;
                    (from, from + memchr::memchr(b'`', &body[from..]).unwrap_or(body.len() - from))
                }
                (b'$', Some(b'(')) => (at + 2, closing(body, at + 2, b'(', b')')),
                (b'\\', _) => {
                    at += 2;
                    continue;
                }
                _ => {
                    at += 1;
                    continue;
                }
            };
            at = to + 1;
            return Some(&body[from..to]);
        }
    })
}
