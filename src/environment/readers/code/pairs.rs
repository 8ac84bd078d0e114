//! Finds `key: value` and `key => value` in nested brackets, whatever the language.

use crate::text::newlines;

/// `key: value` or `key => value` in nested brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair<'t> {
    /// The keys from the outside in.
    pub(crate) path: Vec<String>,
    /// The value as written, without what follows it.
    pub(crate) expression: &'t str,
    pub(crate) line: u32,
}

/// How deep brackets are followed.
const DEEPEST: usize = 32;
/// More pairs than this in one text are not looked at.
const MOST_PAIRS: usize = 4096;

/// Marks of a comment that goes to the end of the line.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Comments {
    Hash,
    Slashes,
}

/// Finds the pairs of a text, in order. `name = {` opens a bracket under that name, as `name:` does.
pub(crate) fn pairs(text: &str, comments: Comments) -> Vec<Pair<'_>> {
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        comments,
        pairs: Vec::new(),
        open: Vec::new(),
        key: None,
    };
    scanner.run();
    scanner.pairs
}

/// A key whose value is being read.
struct Key {
    name: String,
    line: u32,
    /// Where its value starts, after blanks.
    from: usize,
}

struct Scanner<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    line: u32,
    comments: Comments,
    pairs: Vec<Pair<'t>>,
    /// The brackets around, each with the key that it is the value of.
    open: Vec<Option<Key>>,
    key: Option<Key>,
}

impl<'t> Scanner<'t> {
    fn run(&mut self) {
        let mut last: Option<(usize, usize)> = None;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => {
                    if self.open.is_empty() {
                        self.end_value();
                        last = None;
                    }
                    self.line += 1;
                    self.at += 1;
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'#' if self.comments == Comments::Hash => self.skip_line(),
                b'/' if self.comments == Comments::Slashes && self.bytes.get(self.at + 1) == Some(&b'/') => {
                    self.skip_line()
                }
                b'/' if self.comments == Comments::Slashes && self.bytes.get(self.at + 1) == Some(&b'*') => {
                    self.skip_block_comment()
                }
                b'"' | b'\'' | b'`' => last = Some(self.string(byte)),
                b'{' | b'[' | b'(' => {
                    let key = self.key.take();
                    // Beyond the depth nothing is told apart any more; the text is still read to its end.
                    if self.open.len() < DEEPEST {
                        self.open.push(key);
                    }
                    last = None;
                    self.at += 1;
                }
                b'}' | b']' | b')' => {
                    self.end_value();
                    self.key = self.open.pop().flatten();
                    last = None;
                    self.at += 1;
                }
                b',' | b';' => {
                    self.end_value();
                    last = None;
                    self.at += 1;
                }
                b'=' if self.bytes.get(self.at + 1) == Some(&b'>') => self.start_value(&mut last, 2),
                b':' if matches!(self.bytes.get(self.at + 1), Some(b':' | b'=')) => self.at += 2,
                b':' if last.is_some() && !self.begins_an_atom() => self.start_value(&mut last, 1),
                b'=' if self.opens_after_equals() => self.start_value(&mut last, 1),
                _ if byte == b'_' || byte.is_ascii_alphanumeric() => last = Some(self.word()),
                _ => {
                    last = None;
                    self.at += 1;
                }
            }
        }
        self.end_value();
    }

    fn skip_line(&mut self) {
        while self.bytes.get(self.at).is_some_and(|byte| *byte != b'\n') {
            self.at += 1;
        }
    }

    fn skip_block_comment(&mut self) {
        let end = self.text.get(self.at + 2..).and_then(|rest| rest.find("*/"));
        let end = end.map_or(self.bytes.len(), |end| self.at + end + 4);
        self.line = self.line.saturating_add(newlines(&self.bytes[self.at..end]));
        self.at = end;
    }

    fn string(&mut self, quote: u8) -> (usize, usize) {
        self.at += 1;
        let from = self.at;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\\' => self.at += 1,
                b'\n' => self.line += 1,
                _ if byte == quote => break,
                _ => {}
            }
            self.at += 1;
        }
        let to = self.at.min(self.bytes.len());
        self.at = (self.at + 1).min(self.bytes.len());
        (from, to)
    }

    fn word(&mut self) -> (usize, usize) {
        let from = self.at;
        while self.bytes.get(self.at).is_some_and(|byte| *byte == b'_' || *byte == b'.' || byte.is_ascii_alphanumeric())
        {
            self.at += 1;
        }
        (from, self.at)
    }

    /// Says whether the colon here belongs to what follows it: `config :app`.
    fn begins_an_atom(&self) -> bool {
        let is_blank = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_whitespace);
        is_blank(self.at.checked_sub(1).and_then(|at| self.bytes.get(at))) && !is_blank(self.bytes.get(self.at + 1))
    }

    /// Says whether the `=` here is followed by an opening bracket: `DATABASES = {`.
    fn opens_after_equals(&self) -> bool {
        let rest = &self.bytes[self.at + 1..];
        rest.iter().find(|byte| !matches!(byte, b' ' | b'\t')).is_some_and(|byte| matches!(byte, b'{' | b'['))
    }

    fn start_value(&mut self, last: &mut Option<(usize, usize)>, length: usize) {
        self.at += length;
        if self.key.is_none()
            && let Some((from, to)) = last.take()
            && let Some(name) = self.text.get(from..to)
        {
            self.key = Some(Key { name: name.to_owned(), line: self.line, from: self.at });
        }
    }

    fn end_value(&mut self) {
        let Some(key) = self.key.take() else { return };
        let Some(expression) = self.text.get(key.from..self.at).map(str::trim) else { return };
        let is_bracket = expression.starts_with(['{', '[']) || expression.starts_with("%{");
        if !is_bracket && self.pairs.len() < MOST_PAIRS && expression.len() <= 4096 {
            let outer = self.open.iter().flatten().map(|key| key.name.clone());
            self.pairs.push(Pair { path: outer.chain([key.name]).collect(), expression, line: key.line });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, comments: Comments) -> Vec<String> {
        pairs(text, comments)
            .iter()
            .map(|pair| format!("{} {}={}", pair.line, pair.path.join("."), pair.expression))
            .collect()
    }

    #[test]
    fn pairs_of_nested_literals_are_found_with_their_path() {
        let python =
            "DATABASES = {\n  'default': {  # said\n    'HOST': env('X', default='h'),\n    \"NAME\": 'd'\n  }\n}\n";
        assert_eq!(
            shown(python, Comments::Hash),
            ["3 DATABASES.default.HOST=env('X', default='h')", "4 DATABASES.default.NAME='d'"]
        );
        let elixir = "config :a, A.Repo,\n  hostname: \"h\",\n  port: 5432\n";
        assert_eq!(shown(elixir, Comments::Hash), ["2 hostname=\"h\"", "3 port=5432"]);
        let javascript = "module.exports = {\n test: { connection: { host: 'h', // x\n port: 1 } } };";
        assert_eq!(
            shown(javascript, Comments::Slashes),
            ["2 module.exports.test.connection.host='h'", "3 module.exports.test.connection.port=1"]
        );
    }

    #[test]
    fn hostile_texts_end() {
        for piece in ["{", "a:", "'", "a: {", "=>", "((", "x=[", "\\", "\"a\":", "é:"] {
            pairs(&piece.repeat(100_000), Comments::Hash);
        }
    }
}
