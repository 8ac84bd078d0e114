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
        let mut words = words.iter().map(String::as_str).skip_while(|word| opens_a_block(word) && *word != "esac");
        let last = self.open.last();
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

/// The name in front of `()`, where it is all that stands there: the head of a function.
pub(crate) fn function_named(words: &[String]) -> Option<&String> {
    let mut words = words.iter().skip_while(|word| opens_a_block(word));
    words.next().filter(|_| words.next().is_none())
}

/// Whether the words stand between `[[` and `]]`, where operators separate no commands.
pub(crate) fn is_open_test(words: &[String]) -> bool {
    let mut words = words.iter().map(String::as_str).skip_while(|word| opens_a_block(word));
    words.next() == Some("[[") && words.all(|word| word != "]]")
}

/// How long `((…))` at the start of the text is, or the line where nothing closes it; and whether a `<<` stands in it.
pub(crate) fn arithmetic(text: &[u8]) -> (usize, bool) {
    let line = &text[..memchr::memchr(b'\n', text).unwrap_or(text.len())];
    match memchr::memmem::find(line, b"))") {
        Some(end) => (end + 2, memchr::memmem::find(&line[..end], b"<<").is_some()),
        None => (line.len(), false),
    }
}
