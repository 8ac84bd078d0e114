//! What a slash begins in code whose comments begin with slashes: a comment, a pattern (`/['"]/`), or nothing.

use crate::environment::not_followed::GivenUp;

/// What a slash begins, with the offset of what stands behind it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Slash {
    Comment(usize),
    Pattern(usize),
    /// A division, or a mark of comments that none ends.
    Nothing(usize),
}

/// Tells the slashes of one text apart.
#[derive(Default)]
pub(crate) struct Slashes {
    /// Where a `/*` stands that no `*/` follows, so that none follows a later one either.
    pub(crate) open_from: Option<usize>,
}

/// Words that something follows, so that a slash behind them divides nothing.
const BEFORE_A_VALUE: &[&str] = &[
    "await",
    "case",
    "delete",
    "do",
    "else",
    "in",
    "instanceof",
    "new",
    "of",
    "return",
    "throw",
    "typeof",
    "void",
    "yield",
];

impl Slashes {
    /// Tells what the slash at `at` begins; `before` is what stands before it, as far as it is no comment.
    pub(crate) fn at(&mut self, text: &str, at: usize, before: &[u8]) -> Slash {
        let bytes = text.as_bytes();
        match bytes.get(at + 1) {
            Some(b'/') => Slash::Comment(text[at..].find('\n').map_or(text.len(), |end| at + end)),
            Some(b'*') => {
                let end = if self.open_from.is_none() { text[at + 2..].find("*/") } else { None };
                match end {
                    Some(end) => Slash::Comment(at + end + 4),
                    None => {
                        self.open_from.get_or_insert(at);
                        Slash::Nothing(at + 2)
                    }
                }
            }
            // `<br />`
            Some(b'>') => Slash::Nothing(at + 1),
            _ if begins_a_value(before) => {
                let end = end_of(bytes, at, b'/').min(bytes.len());
                Slash::Pattern(end + usize::from(bytes.get(end) == Some(&b'/')))
            }
            _ => Slash::Nothing(at + 1),
        }
    }
}

/// What is told of a text with a comment that does not end.
pub(crate) fn open_comment() -> GivenUp {
    GivenUp::Form("a comment begins in it that does not end".into())
}

/// Tells whether what follows is no operator: nothing stands before it that could be divided.
fn begins_a_value(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    let is_part = |byte: &u8| matches!(byte, b'_' | b'$') || byte.is_ascii_alphanumeric();
    match before.last() {
        None => true,
        Some(b'>') => before.ends_with(b"=>"),
        Some(byte) if is_part(byte) => BEFORE_A_VALUE.iter().any(|word| {
            let rest = before.strip_suffix(word.as_bytes());
            rest.is_some_and(|rest| !rest.last().is_some_and(|byte| is_part(byte) || *byte == b'.'))
        }),
        Some(byte) => b"(,=:[!&|?{};".contains(byte),
    }
}

/// Finds the quote that ends a text, or the slash that ends a pattern, on its line; the line's end where none does.
pub(crate) fn end_of(bytes: &[u8], from: usize, quote: u8) -> usize {
    let mut at = from + 1;
    let mut is_in_class = false;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' => return at,
            b'[' | b']' if quote == b'/' => is_in_class = byte == b'[',
            _ if byte == quote && !is_in_class => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_is_told_by_what_stands_around_it() {
        for (text, at, expected) in [
            ("a // b\nc", 2, Slash::Comment(6)),
            ("a /* b */ c", 2, Slash::Comment(9)),
            ("a /* b", 2, Slash::Nothing(4)),
            ("x => /[/*]'/.test(y)", 5, Slash::Pattern(12)),
            ("return /'/;", 7, Slash::Pattern(10)),
            ("f(/'/)", 2, Slash::Pattern(5)),
            ("[\n  /'/,", 4, Slash::Pattern(7)),
            ("/'/", 0, Slash::Pattern(3)),
            ("f(/a\nb", 2, Slash::Pattern(4)),
            ("a.return / 2", 9, Slash::Nothing(10)),
            ("f() / 2", 4, Slash::Nothing(5)),
            ("a\n  / 2", 4, Slash::Nothing(5)),
            ("a > /'", 4, Slash::Nothing(5)),
            ("<A b={c} />", 9, Slash::Nothing(10)),
        ] {
            assert_eq!(Slashes::default().at(text, at, &text.as_bytes()[..at]), expected, "{text}");
        }
    }
}
