//! Finds `key: value` and `key => value` in nested brackets, whatever the language.

use crate::environment::not_followed::GivenUp;
use crate::environment::readers::code::slashes::{Slash, Slashes, open_comment};
use crate::text::newlines;

/// `key: value` or `key => value` in nested brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    /// The keys from the outside in.
    pub(crate) path: Vec<String>,
    /// The value as written, without what follows it.
    pub(crate) expression: String,
    pub(crate) line: u32,
    /// Which of the brackets of the text it stands in: those of one object stand in the same.
    pub(crate) bracket: u32,
}

/// The pairs of a text, which are had only by telling what was cut off.
#[must_use]
pub(crate) struct Pairs {
    found: Vec<Pair>,
    /// The line of the first pair that is missing, or not told apart, and why.
    cut_at: Option<(u32, GivenUp)>,
}

impl Pairs {
    /// Gives the pairs that were read; `tell` hears of the line where that is not all.
    pub(crate) fn all(self, tell: impl FnOnce(u32, GivenUp)) -> Vec<Pair> {
        if let Some((line, why)) = self.cut_at {
            tell(line, why);
        }
        self.found
    }
}

/// How deep brackets are followed.
const DEEPEST: usize = 256;
/// The most bytes of keys and values that one text may become.
const MAX_BYTES: usize = 64 << 20;
/// Longer expressions are no literal and no reading of a variable, unless they are one quoted text.
const LONGEST_EXPRESSION: usize = 4096;

/// What is told of brackets that are too many or too deep.
const TOO_MUCH: GivenUp =
    GivenUp::too_much("its brackets are nested more than 256 deep, or hold more than 64 MiB with their keys");

/// Marks of a comment that goes to the end of the line.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Comments {
    Hash,
    Slashes,
}

/// Finds the pairs of a text, in order. `name = {` opens a bracket under that name, as `name:` does.
pub(crate) fn pairs(text: &str, comments: Comments) -> Pairs {
    scanned(text, comments, false)
}

/// Finds the pairs of a text, and those whose value is a list without objects in it.
pub(crate) fn pairs_and_lists(text: &str, comments: Comments) -> Pairs {
    scanned(text, comments, true)
}

fn scanned(text: &str, comments: Comments, with_lists: bool) -> Pairs {
    let mut scanner = Scanner {
        text,
        with_lists,
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        comments,
        slashes: Slashes::default(),
        pairs: Vec::new(),
        bytes_left: MAX_BYTES,
        cut_at: None,
        open: Vec::new(),
        numbers: Vec::new(),
        brackets: 0,
        beyond: 0,
        key: None,
    };
    scanner.run();
    Pairs { found: scanner.pairs, cut_at: scanner.cut_at }
}

/// Longer codes in a text, in bytes, are not told from the text.
const LONGEST_FILLED_IN: usize = 512;

/// Finds the length of `#{…}` at the start of a text, where it ends on its line.
fn filled_in(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate().take(LONGEST_FILLED_IN).skip(1) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b'\n' => return None,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
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
    with_lists: bool,
    bytes: &'t [u8],
    at: usize,
    line: u32,
    comments: Comments,
    slashes: Slashes,
    pairs: Vec<Pair>,
    bytes_left: usize,
    cut_at: Option<(u32, GivenUp)>,
    /// The brackets around, each with the key that it is the value of.
    open: Vec<Option<Key>>,
    /// The numbers of these brackets, and how many were met so far.
    numbers: Vec<u32>,
    brackets: u32,
    /// How many more are open that are not told apart any more.
    beyond: usize,
    key: Option<Key>,
}

impl<'t> Scanner<'t> {
    fn run(&mut self) {
        let mut last: Option<(usize, usize)> = None;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => {
                    if self.open.is_empty() && !self.goes_on_below() {
                        self.end_value();
                        last = None;
                    }
                    self.line += 1;
                    self.at += 1;
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'#' if self.comments == Comments::Hash => self.skip_line(),
                b'/' if self.comments == Comments::Slashes => {
                    let is_comment = self.slash();
                    last = last.filter(|_| is_comment);
                }
                b'"' | b'\'' | b'`' => last = Some(self.string(byte)),
                b'{' | b'[' | b'(' => {
                    let key = self.key.take();
                    if self.open.len() < DEEPEST {
                        self.open.push(key);
                        self.brackets = self.brackets.saturating_add(1);
                        self.numbers.push(self.brackets);
                    } else {
                        self.beyond += 1;
                        self.cut_at.get_or_insert((self.line, TOO_MUCH));
                    }
                    last = None;
                    self.at += 1;
                }
                b'}' | b']' | b')' => {
                    self.end_value();
                    match self.beyond.checked_sub(1) {
                        Some(beyond) => self.beyond = beyond,
                        None => {
                            self.numbers.pop();
                            self.key = self.open.pop().flatten();
                        }
                    }
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

    /// Tells whether the value of the key that ends this line is the text on the next one.
    fn goes_on_below(&self) -> bool {
        let Some(key) = &self.key else { return false };
        let is_empty = self.text.get(key.from..self.at).is_some_and(|value| value.trim().is_empty());
        is_empty && self.text.get(self.at..).unwrap_or_default().trim_start().starts_with(['"', '\''])
    }

    fn skip_line(&mut self) {
        while self.bytes.get(self.at).is_some_and(|byte| *byte != b'\n') {
            self.at += 1;
        }
    }

    /// Goes behind what begins with a slash; tells whether that is a comment.
    fn slash(&mut self) -> bool {
        let what = self.slashes.at(self.text, self.at, &self.bytes[..self.at]);
        let (is_comment, end) = match what {
            Slash::Comment(end) => (true, end),
            Slash::Pattern(end) | Slash::Nothing(end) => (false, end),
        };
        if self.slashes.open_from == Some(self.at) {
            self.cut_at.get_or_insert((self.line, open_comment()));
        }
        self.line = self.line.saturating_add(newlines(&self.bytes[self.at..end]));
        self.at = end;
        is_comment
    }

    fn string(&mut self, quote: u8) -> (usize, usize) {
        self.at += 1;
        let from = self.at;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\\' => self.at += 1,
                b'\n' => self.line += 1,
                // `"a#{f("b")}"` has quotes of its own inside.
                b'#' if quote == b'"' && self.bytes.get(self.at + 1) == Some(&b'{') => {
                    self.at += filled_in(&self.text[self.at..]).unwrap_or(1) - 1;
                }
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
        let is_long = expression.len() > LONGEST_EXPRESSION && !expression.starts_with(['"', '\'', '`']);
        let is_list = self.with_lists && expression.starts_with('[') && !expression.contains('{');
        if is_bracket && !is_list || is_long {
            return;
        }
        let outer = self.open.iter().flatten().map(|key| key.name.as_str());
        let size = expression.len() + outer.clone().map(str::len).sum::<usize>() + key.name.len();
        match self.bytes_left.checked_sub(size) {
            Some(left) => {
                self.bytes_left = left;
                let path = outer.map(str::to_owned).chain([key.name]).collect();
                let bracket = self.numbers.last().copied().unwrap_or(0);
                self.pairs.push(Pair { path, expression: expression.to_owned(), line: key.line, bracket });
            }
            None => {
                self.bytes_left = 0;
                self.cut_at.get_or_insert((key.line, TOO_MUCH));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, comments: Comments) -> Vec<String> {
        pairs(text, comments)
            .found
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
        let below = "config :a, A.Repo,\n  url:\n    \"ecto://h/d#{f(\"X\")}\",\n  port: 5432\n";
        assert_eq!(shown(below, Comments::Hash), ["2 url=\"ecto://h/d#{f(\"X\")}\"", "4 port=5432"]);
        let javascript = "module.exports = {\n test: { connection: { host: 'h', // x\n port: 1 } } };";
        assert_eq!(
            shown(javascript, Comments::Slashes),
            ["2 module.exports.test.connection.host='h'", "3 module.exports.test.connection.port=1"]
        );
    }

    #[test]
    fn patterns_open_no_texts_and_no_comments() {
        for (text, expected, is_told) in [
            ("a: x => /[/*'\"]/.test(x), // y\nb: 'c'", "1 a=x => /[/*'\"]/.test(x)|2 b='c'", false),
            ("a: 1 / 2, b: 'c' /* d */", "1 a=1 / 2|1 b='c' /* d */", false),
            ("a: f(/it's/), b: 1", "1 a=f(/it's/)|1 b=1", false),
            ("a: 1, /* b: 2,\nc: 3", "1 a=1|1 b=2|2 c=3", true),
        ] {
            let mut told = false;
            let found = pairs(text, Comments::Slashes).all(|_, _| told = true);
            let found = found.iter().map(|pair| format!("{} {}={}", pair.line, pair.path.join("."), pair.expression));
            assert_eq!(found.collect::<Vec<_>>().join("|"), expected, "{text}");
            assert_eq!(told, is_told, "{text}");
        }
    }

    #[test]
    fn hostile_texts_end() {
        for piece in
            ["{", "a:", "'", "a: {", "=>", "((", "x=[", "\\", "\"a\":", "é:", "#{", "\"#{", "a: \"#{", "/*", "/ "]
        {
            pairs(&piece.repeat(100_000), Comments::Hash).all(|_, _| ());
            pairs(&piece.repeat(100_000), Comments::Slashes).all(|_, _| ());
        }
    }

    #[test]
    fn what_is_cut_is_told_and_what_follows_it_is_read() {
        let table = [
            (format!("{}b: 1{}\nc: 2", "a: {".repeat(200), "}".repeat(200)), None, 2),
            (format!("x: 1\n{}b: 1{}\nc: 2", "a: {".repeat(300), "}".repeat(300)), Some(2), 3),
            ((0..20_000).map(|at| format!("k{at}: {at},")).collect(), None, 20_000),
            (format!("a: '{}'", "x".repeat(10_000)), None, 1),
        ];
        for (text, cut_at, count) in table {
            let found = pairs(&text, Comments::Hash);
            assert_eq!((found.cut_at.map(|(line, _)| line), found.found.len()), (cut_at, count));
        }
    }
}
