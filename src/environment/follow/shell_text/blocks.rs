//! What stands around commands and is none: words like `if` and `do`, `case` with its patterns, `[[ … ]]`, `((…))`, heads
//! of functions.

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

/// The `case`s around the text that is read, the innermost last.
#[derive(Default)]
pub(crate) struct Cases {
    open: Vec<Case>,
    /// How many `|` the pattern has so far that is read.
    bars: usize,
}

impl Cases {
    pub(crate) fn is_in_pattern(&self) -> bool {
        self.open.last() == Some(&Case::Pattern)
    }

    pub(crate) fn is_in_body(&self) -> bool {
        self.open.last() == Some(&Case::Body)
    }

    pub(crate) fn bar(&mut self) {
        self.bars += 1;
    }

    /// `;;`: another pattern may follow.
    pub(crate) fn end_body(&mut self) {
        self.set(Case::Pattern);
    }

    /// Whether `words`, which a `)` follows, have the form of a pattern; if not, no `case` goes on here.
    pub(crate) fn end_pattern(&mut self, words: &[String]) -> bool {
        let is_pattern = words.len() == self.bars + 1;
        if is_pattern {
            self.set(Case::Body);
        } else {
            self.open.pop();
        }
        is_pattern
    }

    /// Follows `case WORD in` to its `esac` by the words of the command so far. Tells whether they are used up by that.
    pub(crate) fn note(&mut self, words: &[String]) -> bool {
        let last = self.open.last();
        if last == Some(&Case::Pattern) && words.len() > 1 {
            return false;
        }
        let mut words = words.iter().map(String::as_str).skip_while(|word| begins_a_command(word));
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("case"), Some(_), Some("in"), None) if last == Some(&Case::Subject) => {
                self.set(Case::Pattern);
                return true;
            }
            (Some("case"), None, ..) if last != Some(&Case::Pattern) => self.open.push(Case::Subject),
            (Some("esac"), None, ..) if matches!(last, Some(Case::Pattern | Case::Body)) => {
                self.open.pop();
                return true;
            }
            _ => {}
        }
        false
    }

    /// Closes a `case` where a command ends that has not the form of what a `case` has there.
    pub(crate) fn end_command(&mut self, words: &[String]) {
        if self.open.last() == Some(&Case::Subject) || self.is_in_pattern() && !words.is_empty() {
            self.open.pop();
        }
    }

    fn set(&mut self, case: Case) {
        self.bars = 0;
        if let Some(last) = self.open.last_mut() {
            *last = case;
        }
    }
}

pub(crate) fn opens_a_block(word: &str) -> bool {
    matches!(
        word,
        "if" | "then" | "else" | "elif" | "fi" | "do" | "done" | "while" | "until" | "esac" | "!" | "{" | "}" | "in"
    )
}

/// Whether a command begins behind the word, or another such word.
pub(crate) fn begins_a_command(word: &str) -> bool {
    opens_a_block(word) && word != "esac"
}

/// The name in front of `()`, where it is all that stands there: the head of a function.
pub(crate) fn function_named(words: &[String]) -> Option<&String> {
    let mut words = words.iter().skip_while(|word| opens_a_block(word));
    words.next().filter(|_| words.next().is_none())
}

/// The `[[ … ]]` around the text that is read, where operators separate no commands.
#[derive(Default)]
pub(crate) struct Test {
    is_open: bool,
    /// Whether a `]]` follows on the line, and up to which place of the text that holds.
    closes: Option<(usize, bool)>,
}

impl Test {
    /// Follows a test by the words of the command so far, of which the last is new.
    pub(crate) fn note(&mut self, words: &[String]) {
        match words {
            [.., last] if last == "]]" => self.is_open = false,
            [first] => self.is_open = first == "[[",
            [first, second] if opens_a_block(first) => self.is_open = second == "[[",
            _ => {}
        }
    }

    /// Tells whether a test is open `at` this place of `text` that ends on its line; for a plain `sh`, `[[` is a command
    /// like others.
    pub(crate) fn goes_on(&mut self, text: &[u8], at: usize) -> bool {
        if !self.is_open {
            return false;
        }
        if let Some((_, closes)) = self.closes.filter(|(known, _)| at <= *known) {
            return closes;
        }
        let rest = &text[at..];
        let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
        let end = memchr::memmem::find(line, b"]]");
        self.closes = Some((at + end.unwrap_or(line.len()), end.is_some()));
        end.is_some()
    }
}

/// How long `((…))` at the start of the text is, or the line where nothing closes it; and whether a `<<` stands in it.
pub(crate) fn arithmetic(text: &[u8]) -> (usize, bool) {
    let line = &text[..memchr::memchr(b'\n', text).unwrap_or(text.len())];
    match memchr::memmem::find(line, b"))") {
        Some(end) => (end + 2, memchr::memmem::find(&line[..end], b"<<").is_some()),
        None => (line.len(), false),
    }
}
