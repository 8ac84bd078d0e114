//! Cuts a text where dotenvy cuts it, and finds what a statement refers to.

use std::ops::Range;

/// The text up to a line end outside of quotes.
pub(crate) struct Statement<'t> {
    pub(crate) text: &'t str,
    /// Where a comment begins in its last line, else its end.
    comment: usize,
}

impl<'t> Statement<'t> {
    pub(crate) fn first_of(text: &'t str) -> Self {
        let mut end = 0;
        let mut state = State::Plain;
        for line in text.split_inclusive('\n') {
            if end == 0 && line.trim_start().starts_with('#') {
                return Statement { text: line, comment: 0 };
            }
            let comment = state.advance(line);
            let start = end;
            end += line.len();
            if let Some(at) = comment {
                return Statement { text: &text[..end], comment: start + at };
            }
            if state == State::Plain {
                break;
            }
        }
        Statement { text: &text[..end], comment: end }
    }

    /// Gives what stands between the equals sign and the comment; nothing is filled in elsewhere.
    pub(crate) fn value(&self) -> &'t str {
        self.text[..self.comment].split_once('=').map_or("", |(_, value)| value)
    }

    /// Finds the names behind unquoted and unescaped dollar signs, by their places in the text.
    pub(crate) fn references(&self) -> Vec<Range<usize>> {
        enum Mode {
            Plain,
            Single,
            /// In a bare name: letters and digits, without `_`.
            Name(usize),
            Braces(usize),
            /// Only blanks and a comment may follow.
            Ended,
        }
        let value = self.value().trim();
        let mut found = Vec::new();
        if value.starts_with('#') || !value.contains('$') {
            return found;
        }
        let first = self.comment - self.value().trim_start().len();
        let (mut mode, mut double, mut escaped) = (Mode::Plain, false, false);
        for (at, c) in value.char_indices().map(|(at, c)| (first + at, c)) {
            if escaped {
                escaped = false;
                continue;
            }
            mode = match (mode, c) {
                (Mode::Single, '\'') => Mode::Plain,
                (Mode::Name(from), c) if c.is_alphanumeric() => Mode::Name(from),
                (Mode::Name(from), '{') if from == at => Mode::Braces(at + 1),
                // Whatever character ends a name stands for itself.
                (Mode::Name(from), c) => {
                    found.push(from..at);
                    if c == '$' { Mode::Name(at + 1) } else { Mode::Plain }
                }
                (Mode::Braces(from), '}') => {
                    found.push(from..at);
                    Mode::Plain
                }
                (Mode::Plain, '$') => Mode::Name(at + 1),
                (Mode::Plain, '\\') => {
                    escaped = true;
                    Mode::Plain
                }
                (Mode::Plain, '"') => {
                    double = !double;
                    Mode::Plain
                }
                (Mode::Plain, '\'') if !double => Mode::Single,
                (Mode::Plain, ' ' | '\t') if !double => Mode::Ended,
                (mode, _) => mode,
            };
        }
        if let Mode::Name(from) = mode {
            found.push(from..first + value.len());
        }
        found.retain(|name| !name.is_empty());
        found
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Plain,
    Space,
    Escape,
    Single,
    SingleEscape,
    Double,
    DoubleEscape,
}

impl State {
    /// Follows one line; gives the place of a comment, if one begins in it.
    fn advance(&mut self, line: &str) -> Option<usize> {
        for (at, c) in line.char_indices() {
            *self = match (*self, c) {
                (State::Space, '#') => return Some(at),
                (State::Plain | State::Space, '\\') => State::Escape,
                (State::Plain | State::Space, '"') => State::Double,
                (State::Plain | State::Space, '\'') => State::Single,
                (State::Plain, c) if c.is_whitespace() && c != '\n' && c != '\r' => State::Space,
                (State::Plain | State::Space | State::Escape, _) => State::Plain,
                (State::Double, '\\') => State::DoubleEscape,
                (State::Single, '\\') => State::SingleEscape,
                (State::Double, '"') | (State::Single, '\'') => State::Plain,
                (State::Double | State::DoubleEscape, _) => State::Double,
                (State::Single | State::SingleEscape, _) => State::Single,
            };
        }
        None
    }
}
