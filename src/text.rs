//! Text for people and for shells: what is untrusted is escaped, words are quoted, offsets become lines.

use std::borrow::Cow;

/// Escapes what would drive a terminal: control characters, and those that turn the direction of text.
#[must_use]
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || turns_direction(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

fn turns_direction(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Writes bytes as hexadecimal digits, as hashes are shown and kept.
#[must_use]
pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    bytes.as_ref().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Writes `text` as one word of a POSIX shell, bare where no character of it means anything there.
#[must_use]
pub(crate) fn shell_word(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
}

/// Writes words as a line that a POSIX shell takes apart into the same words.
#[must_use]
pub(crate) fn shell_line<S: AsRef<str>>(words: &[S]) -> String {
    words.iter().map(|word| shell_word(word.as_ref())).collect::<Vec<_>>().join(" ")
}

/// Counts the line breaks in `text`.
#[must_use]
pub(crate) fn newlines(text: &[u8]) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text).count()).unwrap_or(u32::MAX)
}

/// Finds the line, counted from 1, of the byte at `offset`. For more than one place see [`LineIndex`].
#[must_use]
pub(crate) fn line_at(text: &[u8], offset: usize) -> u32 {
    newlines(&text[..offset.min(text.len())]).saturating_add(1)
}

/// Turns a line's index, counted from 0, into its number, counted from 1.
#[must_use]
pub(crate) fn line_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX - 1).saturating_add(1)
}

/// Finds the lines of many places in one text.
#[derive(Debug)]
pub(crate) struct LineIndex(Vec<usize>);

impl LineIndex {
    #[must_use]
    pub(crate) fn new(text: &str) -> Self {
        LineIndex(memchr::memchr_iter(b'\n', text.as_bytes()).collect())
    }

    /// Finds the line, counted from 1, that the byte at `offset` stands on.
    #[must_use]
    pub(crate) fn line(&self, offset: usize) -> u32 {
        line_number(self.0.partition_point(|&newline| newline < offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_two_digits() {
        assert_eq!((hex([]), hex([0, 10, 255])), (String::new(), "000aff".to_owned()));
    }

    #[test]
    fn what_would_drive_a_terminal_is_escaped() {
        for (text, shown) in [
            ("orders 2026 – größer", "orders 2026 – größer"),
            ("a\u{1b}[2Jb", r"a\u{1b}[2Jb"),
            ("a\r\n\tb", r"a\r\n\tb"),
            ("a\u{202e}b\u{2066}c\u{200f}d\u{61c}", r"a\u{202e}b\u{2066}c\u{200f}d\u{61c}"),
            ("\u{9b}31m\u{7f}", r"\u{9b}31m\u{7f}"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_see_more_in_them() {
        for (word, quoted) in [
            ("npm", "npm"),
            ("--db=shop_test", "--db=shop_test"),
            ("", "''"),
            ("two words", "'two words'"),
            ("it's", r"'it'\''s'"),
            ("*.rs", "'*.rs'"),
            ("~", "'~'"),
            ("$(date)", "'$(date)'"),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
        assert_eq!(shell_line(&["echo", "a b", "c"]), "echo 'a b' c");
    }

    #[test]
    fn a_shell_reads_back_every_word() {
        let words = ["a b", "it's", "*", "~", "$HOME `id` \\ \" # ! &", "-n", "größer", "a\nb", ""];
        let script = format!("printf '%s\\0' {}", shell_line(&words));
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        let read: Vec<&str> = std::str::from_utf8(&output.stdout).unwrap().split_terminator('\0').collect();
        assert_eq!(read, words);
    }

    #[test]
    fn an_offset_has_a_line() {
        let text = "one\ntwo\n\nfour";
        let index = LineIndex::new(text);
        for (offset, line) in [(0, 1), (3, 1), (4, 2), (7, 2), (8, 3), (9, 4), (12, 4), (99, 4)] {
            assert_eq!(index.line(offset), line, "{offset}");
            assert_eq!(line_at(text.as_bytes(), offset), line, "{offset}");
        }
    }
}
