//! Java `.properties`, with Spring's several documents in one file.
//!
//! Source: `java.util.Properties.load` for separators, continuation lines and escapes; Spring Boot's reference,
//! "Working With Multi-Document Files", for `#---` and `!---`.

use crate::environment::readers::formats::{Capped, Collector, Flat, Stop, finish, within_size};
use crate::text::line_number;

/// Reads the properties of a text; a key is one path segment, however many dots it has.
///
/// Nothing is a mistake in this format.
pub(crate) fn flatten(text: &str) -> Flat {
    within_size(text, read)
}

fn read(text: &str) -> Flat {
    let mut collector = Collector::new();
    let mut stop = None;
    let mut lines = text.lines().enumerate();
    let mut in_first_document = true;
    while let Some((index, line)) = lines.next() {
        let line = line.trim_start_matches(BLANK);
        if matches!(line.trim_end(), "#---" | "!---") {
            collector.document += u32::from(!in_first_document || !collector.entries.is_empty());
            in_first_document = false;
            continue;
        }
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = line.to_owned();
        while ends_in_continuation(&logical) {
            logical.pop();
            let Some((_, next)) = lines.next() else { break };
            logical.push_str(next.trim_start_matches(BLANK));
        }
        let (key, value) = split(&logical);
        if let Err(capped) = note(&mut collector, &unescaped(key), &unescaped(value), line_number(index)) {
            stop = Some(Stop::too_much(line_number(index), capped));
            break;
        }
    }
    finish(text, collector.entries, stop)
}

const BLANK: [char; 3] = [' ', '\t', '\u{c}'];

fn note(collector: &mut Collector, key: &str, value: &str, line: u32) -> Result<(), Capped> {
    collector.step()?;
    collector.enter(key)?;
    collector.push(value, line)?;
    collector.leave();
    Ok(())
}

/// Says whether an odd number of backslashes ends the line.
fn ends_in_continuation(line: &str) -> bool {
    line.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1
}

/// Splits at the first unescaped `=`, `:` or blank; blanks around one `=` or `:` belong to the separator.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.char_indices().find(|&(_, character)| {
        let separates = !escaped && (matches!(character, '=' | ':') || BLANK.contains(&character));
        escaped = !escaped && character == '\\';
        separates
    });
    let Some((end, _)) = end else { return (line, "") };
    let rest = line[end..].trim_start_matches(BLANK);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (&line[..end], rest.trim_start_matches(BLANK))
}

/// Replaces `\t`, `\n`, `\r`, `\f` and `\uXXXX`; a backslash before anything else is dropped.
fn unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut buffer = [0; 2];
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let plain = match character {
            '\\' => match rest.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{c}',
                Some('u') => {
                    let digits = rest.as_str().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
                    if let Some(unit) = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
                        units.push(unit);
                        rest = rest.as_str()[4..].chars();
                        continue;
                    }
                    'u'
                }
                Some(other) => other,
                None => continue,
            },
            other => other,
        };
        units.extend_from_slice(plain.encode_utf16(&mut buffer));
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use crate::environment::readers::formats::properties::flatten;
    use crate::environment::readers::formats::testing::{hostile, shown, survive};
    use proptest::prelude::*;

    #[test]
    fn properties_are_read_as_java_reads_them() {
        let cases: [(&str, &[&str]); 9] = [
            ("a=1\nb: 2\nc 3\nd = x = y \n", &["1 a=1", "2 b=2", "3 c=3", "4 d=x = y "]),
            ("# said\n! too\n\n  a.b = v\n", &["4 a.b=v"]),
            ("url=jdbc:\\\n   postgresql://h/d\nnext=1", &["1 url=jdbc:postgresql://h/d", "3 next=1"]),
            ("a\\ b\\=c=v\\\\\nd=e\n", &["1 a b=c=v\\", "2 d=e"]),
            ("a=\\u0041\\uD83D\\uDE00\\t|\\q\\u12\n", &["1 a=A\u{1f600}\t|qu12"]),
            ("a=\nb\n", &["1 a=", "2 b="]),
            ("a=1\\", &["1 a=1"]),
            ("\u{feff}a=1\r\nb=2\r\n", &["1 a=1", "2 b=2"]),
            ("a=#no comment\n", &["1 a=#no comment"]),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(&flatten(text).read()), expected, "{text:?}");
        }
    }

    #[test]
    fn documents_are_counted() {
        let entries = flatten("#---\na=1\n#---\nb=2\n!---\nc=3\n# ---\nd=4\n").read();
        let documents: Vec<_> = entries.iter().map(|entry| entry.document).collect();
        assert_eq!(documents, [0, 1, 2, 2]);
    }

    #[test]
    fn hostile_texts_are_survived() {
        survive(hostile(300_000, &["\\", "\\\n", "a=", "\\u", "a=1\n", "#---\n", "=", " "]), flatten);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[a-f0-9u=:#!\\\\\t\r\n é.-]{0,60}") {
            survive(vec![text], flatten);
        }
    }
}
