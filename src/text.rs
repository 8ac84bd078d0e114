//! Text for people and for shells: what is untrusted is escaped, words are quoted, offsets become lines.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Escapes every character that a terminal would obey or not show, line ends among them: `\n`, `\u{1b}`.
#[must_use]
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if shows(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    shown
}

/// Tells whether a terminal shows a character as itself.
///
/// None do that are for control or format (the direction of text, joiners), that end lines, are blank but not the space,
/// unassigned, or for private use.
#[must_use]
pub(crate) fn shows(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    // `escape_debug` escapes just those; and, in the first place only, what combines with the letter before it.
    let mut behind_a_letter = [b'x'; 5];
    let length = 1 + character.encode_utf8(&mut behind_a_letter[1..]).len();
    let text = std::str::from_utf8(&behind_a_letter[..length]).unwrap_or_default();
    text.escape_debug().count() == 2 && !is_ignorable(character)
}

/// Letters and marks of which nothing is seen. Source: Unicode's `Default_Ignorable_Code_Point` (those that are no format
/// characters), and the empty cell of Braille.
fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}'
    )
}

/// Lists what is named of `count` things, and counts the others: `a, b and 3 more`.
#[must_use]
pub(crate) fn and_more(named: &[String], count: usize) -> String {
    let rest = match count.saturating_sub(named.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    named.join(", ") + &rest
}

/// Tells whether a text fits a pattern, in which each `*` stands for any run of characters.
#[must_use]
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, behind)) = pattern.split_once('*') else { return pattern == text };
    let (middle, last) = behind.rsplit_once('*').unwrap_or(("", behind));
    let inside = text.strip_prefix(first).and_then(|rest| rest.strip_suffix(last));
    // Each part stands where it first can: whatever comes behind it then has the most room.
    let behind_all = inside.and_then(|rest| {
        middle.split('*').try_fold(rest, |rest, part| rest.find(part).map(|at| &rest[at + part.len()..]))
    });
    behind_all.is_some()
}

/// Writes bytes that ought to be text, and each that is no UTF-8 as `\xNN`: none is dropped.
#[must_use]
pub(crate) fn lossless(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        shown.push_str(chunk.valid());
        for byte in chunk.invalid() {
            shown.push_str("\\x");
            shown.push_str(&hex([*byte]));
        }
    }
    Cow::Owned(shown)
}

/// Writes a path, a word or a value of the system as text, as [`lossless`].
#[must_use]
pub(crate) fn shown<S: AsRef<OsStr> + ?Sized>(text: &S) -> Cow<'_, str> {
    lossless(text.as_ref().as_bytes())
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

/// Writes `text` as a word that a person can copy into a shell: what does not show in a line stands in bash's `$'…'`.
#[must_use]
pub(crate) fn typed_word(text: &str) -> Cow<'_, str> {
    if text.chars().all(shows) {
        return shell_word(text);
    }
    let typed = |character: char| match character {
        '\\' | '\'' => format!("\\{character}"),
        shown if shows(shown) => shown.to_string(),
        hidden => hidden.to_string().bytes().map(|byte| format!("\\{byte:03o}")).collect(),
    };
    Cow::Owned(format!("$'{}'", text.chars().map(typed).collect::<String>()))
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

/// Cuts a text off behind so many bytes, between two characters.
#[must_use]
pub(crate) fn head(text: &str, longest: usize) -> &str {
    let end = (0..=longest.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

/// Keeps so many bytes of a text's end, from between two characters.
#[must_use]
pub(crate) fn tail(text: &str, longest: usize) -> &str {
    let start = (text.len().saturating_sub(longest)..=text.len()).find(|at| text.is_char_boundary(*at));
    &text[start.unwrap_or(text.len())..]
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
/// What a terminal would obey or not show: an operating system's command, a clearing of the screen, line ends, what
/// turns the direction of text, joiners, marks, controls of eight bits, tags, private and unassigned characters.
pub(crate) const HOSTILE: &str = "\u{1b}]0;t\u{7}\u{1b}[2J\r\n\t\u{0}\u{202e}\u{2066}\u{200b}\u{200d}\u{ad}\u{feff}\u{2028}\u{2029}\
    \u{85}\u{9b}31m\u{9d}\u{7f}\u{61c}\u{fe0f}\u{3164}\u{2800}\u{a0}\u{e0041}\u{e000}\u{ffff}\u{10ffff}\u{fff9}\u{600}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_to_be_typed_shows_in_a_line() {
        for (text, typed) in [
            ("app_test", "app_test"),
            ("it's a \"test\"", r#"'it'\''s a "test"'"#),
            ("line\nbreak 's\\\u{9b}", r"$'line\012break \'s\\\302\233'"),
        ] {
            assert_eq!(typed_word(text), typed);
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        for (longest, expected) in
            [(0, ("", "")), (1, ("a", "c")), (2, ("a", "c")), (3, ("aé", "éc")), (9, ("aéc", "aéc"))]
        {
            assert_eq!((head("aéc", longest), tail("aéc", longest)), expected, "{longest}");
        }
    }

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
            // What combines with a letter is shown with it; emoji and ideographs are.
            ("gro\u{308}ßer हिन्दी 日本 🦀", "gro\u{308}ßer हिन्दी 日本 🦀"),
        ] {
            assert_eq!(printable(text), shown);
        }
        for character in HOSTILE.chars().filter(|c| !"]0;t[2J31m".contains(*c)) {
            assert_eq!(printable(&character.to_string()), character.escape_default().to_string());
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_by_their_digits() {
        for (bytes, text) in [
            (&b"caf\xc3\xa9 a\\b"[..], "café a\\b"),
            (b"caf\xe9", "caf\\xe9"),
            (b"\xed\xa0\x80/\xff", "\\xed\\xa0\\x80/\\xff"),
        ] {
            assert_eq!(lossless(bytes), text);
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
