//! From bytes to text, and small steps through it.

use std::borrow::Cow;

/// How many undecodable lines are named.
const MOST_LINES: usize = 20;

/// Decodes what is UTF-8, replaces what is not, and gives the numbers of those lines.
pub(crate) fn decode(bytes: &[u8]) -> (Cow<'_, str>, Vec<u32>) {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => return (Cow::Borrowed(text), Vec::new()),
        Err(_) => String::from_utf8_lossy(bytes),
    };
    let lines = bytes.split(|byte| *byte == b'\n').zip(1..);
    let broken = lines.filter(|(line, _)| std::str::from_utf8(line).is_err()).map(|(_, number)| number);
    (text, broken.take(MOST_LINES).collect())
}

/// Makes `\n` of `\r\n` and of a lone `\r`.
pub(crate) fn unify_line_breaks(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")) } else { Cow::Borrowed(text) }
}

/// Takes a byte order mark off the start.
pub(crate) fn without_bom(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Gives the byte at `at`, or 0 behind the end, which no caller looks for.
pub(crate) fn byte_at(text: &str, at: usize) -> u8 {
    text.as_bytes().get(at).copied().unwrap_or(0)
}

/// Finds the next `byte` at or after `from`, else the end of the text.
pub(crate) fn find_or_end(text: &str, from: usize, byte: u8) -> usize {
    text.as_bytes()[from..].iter().position(|other| *other == byte).map_or(text.len(), |offset| from + offset)
}

/// Finds the first place at or after `from` that holds no `space`.
pub(crate) fn skip(text: &str, from: usize, space: impl Fn(char) -> bool) -> usize {
    text[from..].find(|c| !space(c)).map_or(text.len(), |offset| from + offset)
}

/// Finds the first place at or after `from` that is neither blank nor in a comment that starts its line; `None` at the end.
pub(crate) fn statement_start(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at = skip(text, at, char::is_whitespace);
        if at >= text.len() {
            return None;
        }
        if byte_at(text, at) != b'#' {
            return Some(at);
        }
        at = find_or_end(text, at, b'\n');
    }
}
