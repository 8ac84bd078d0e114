//! Splits an expression into tokens, whatever the language: texts with what they fill in, numbers, names and marks.

use crate::text::newlines;

/// One token with where it starts.
#[derive(Debug, Clone)]
pub(crate) struct Placed<'t> {
    pub(crate) token: Token<'t>,
    /// The offset in bytes.
    pub(crate) at: usize,
    /// How many lines begin before it.
    pub(crate) lines: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token<'t> {
    /// A quoted text.
    Text(Vec<Piece<'t>>),
    Number(&'t str),
    /// A name or keyword; `$name` and `:name` with their sign.
    Name(&'t str),
    /// An operator or bracket.
    Mark(&'t str),
}

/// A part of a quoted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece<'t> {
    Literal(String),
    /// An expression whose value is filled in: `#{…}`, `${…}`, an f-string's `{…}`.
    Code(&'t str),
    /// What cannot be read.
    Opaque,
}

/// Longer expressions are not read.
const MOST_TOKENS: usize = 1 << 16;

/// Marks of more than one character, the longer ones first.
const MARKS: &[&str] = &[
    "===", "!==", "**=", "//=", "...", "||=", "&&=", "??=", "<<<", "||", "&&", "??", "?:", "==", "!=", "=>", "->",
    "<>", "|>", "+=", "-=", "|=", ":=", "::", "?.", "&.", "**", "%{", "<=", ">=",
];

/// Splits `text`; `None` where it has a text without an end, or more tokens than are read.
pub(crate) fn tokens(text: &str) -> Option<Vec<Placed<'_>>> {
    let bytes = text.as_bytes();
    let mut found: Vec<Placed<'_>> = Vec::new();
    let (mut at, mut counted, mut lines) = (0, 0, 0_u32);
    while let Some(&byte) = bytes.get(at) {
        if found.len() >= MOST_TOKENS {
            return None;
        }
        let rest = &text[at..];
        let is_name = |byte: &u8| *byte == b'_' || byte.is_ascii_alphanumeric() || !byte.is_ascii();
        let (token, length) = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b'\\' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            b'/' if rest.starts_with("//") && !rest.starts_with("//=") => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            b'/' if rest.starts_with("/*") => {
                at += rest.find("*/").map_or(rest.len(), |end| end + 2);
                continue;
            }
            b'"' | b'\'' | b'`' => quoted(text, at, "")?,
            b'0'..=b'9' => {
                let end = bytes[at..].iter().position(|byte| !(is_name(byte) || *byte == b'.'));
                let length = end.unwrap_or(rest.len());
                (Token::Number(&rest[..length]), length)
            }
            b'$' | b'@' if bytes.get(at + 1).is_some_and(is_name) => {
                let length = 1 + end_of_name(&rest[1..]);
                (Token::Name(&rest[..length]), length)
            }
            b':' if begins_an_atom(bytes, at) => {
                let length = 1 + end_of_name(&rest[1..]);
                (Token::Name(&rest[..length]), length)
            }
            _ if is_name(&byte) && end_of_name(rest) > 0 => {
                let mut length = end_of_name(rest);
                let is_member = matches!(found.last(), Some(Placed { token: Token::Mark("." | "&."), .. }));
                match (bytes.get(at + length), bytes.get(at + length + 1)) {
                    // `x.present?`, `fetch_env!(`
                    (Some(b'?'), next) if is_member && next != Some(&b'.') => length += 1,
                    (Some(b'!'), Some(b'(')) => length += 1,
                    _ => {}
                }
                let is_prefix = length <= 2 && rest[..length].bytes().all(|byte| b"rRbBuUfF".contains(&byte));
                match bytes.get(at + length) {
                    Some(b'"' | b'\'') if is_prefix => {
                        let (token, inside) = quoted(text, at + length, &rest[..length])?;
                        (token, length + inside)
                    }
                    _ => (Token::Name(&rest[..length]), length),
                }
            }
            _ => {
                let one = rest.chars().next().map_or(1, char::len_utf8);
                let length = MARKS.iter().find(|mark| rest.starts_with(**mark)).map_or(one, |mark| mark.len());
                (Token::Mark(&rest[..length]), length)
            }
        };
        lines = lines.saturating_add(newlines(&bytes[counted..at]));
        counted = at;
        found.push(Placed { token, at, lines });
        at += length;
    }
    Some(found)
}

fn end_of_name(text: &str) -> usize {
    text.find(|c: char| !(c == '_' || c.is_alphanumeric())).unwrap_or(text.len())
}

/// Says whether the colon here begins a symbol or an atom: `config :app`, not `key: value`.
fn begins_an_atom(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|at| bytes[at]);
    before.is_none_or(|before| before.is_ascii_whitespace() || b"([{,=".contains(&before))
        && bytes.get(at + 1).is_some_and(|byte| *byte == b'_' || byte.is_ascii_alphabetic())
}

/// Reads the text whose opening quote is at `at`; gives its length with both quotes.
fn quoted<'t>(text: &'t str, at: usize, prefix: &str) -> Option<(Token<'t>, usize)> {
    let quote = &text[at..=at];
    let is_triple = text.as_bytes()[at..].starts_with(&[text.as_bytes()[at]; 3]);
    let (open, inside) = text[at..].split_at(if is_triple { 3 } else { 1 });
    let is_raw = prefix.contains(['r', 'R']);
    let is_formatted = prefix.contains(['f', 'F']);
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut from = 0;
    loop {
        let rest = &inside[from..];
        if rest.starts_with(open) {
            break;
        }
        let next = rest.chars().next()?;
        if let Some(length) = filled_in(rest, quote, is_formatted) {
            let code = &rest[..length];
            let code = code.trim_start_matches(['#', '$']).strip_prefix('{')?.strip_suffix('}')?;
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            pieces.push(Piece::Code(code));
            from += length;
            continue;
        }
        match next {
            '{' | '}' if is_formatted => {
                // Doubled braces stand for one.
                literal.push(next);
                from += 1 + usize::from(rest[1..].starts_with(next));
            }
            '\\' if !is_raw => {
                let escaped = rest[1..].chars().next()?;
                match unescaped(escaped) {
                    Some(character) => literal.extend(character),
                    None => pieces.push(Piece::Opaque),
                }
                from += 1 + escaped.len_utf8();
            }
            '$' if quote == "\"" && rest[1..].starts_with(|c: char| c == '_' || c.is_ascii_alphabetic()) => {
                let length = 1 + end_of_name(&rest[1..]);
                literal.push('$');
                pieces.push(Piece::Opaque);
                from += length;
            }
            _ => {
                literal.push(next);
                from += next.len_utf8();
            }
        }
    }
    if !literal.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Some((Token::Text(pieces), 2 * open.len() + from))
}

/// Finds the length of what is filled in at the start of `rest`.
fn filled_in(rest: &str, quote: &str, is_formatted: bool) -> Option<usize> {
    let opens = match quote {
        "`" => rest.starts_with("${"),
        _ => {
            rest.starts_with("#{")
                || rest.starts_with("${")
                || is_formatted && rest.starts_with('{') && !rest.starts_with("{{")
        }
    };
    if !opens {
        return None;
    }
    let mut depth = 0_usize;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Tells what an escape stands for; `Some(None)` where that is nothing.
fn unescaped(escaped: char) -> Option<Option<char>> {
    Some(match escaped {
        '\\' | '"' | '\'' | '`' | '/' | '$' | '#' | '{' => Some(escaped),
        'n' => Some('\n'),
        't' => Some('\t'),
        '\n' => None,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split_where_something_is_filled_in() {
        let literal = |text: &str| Piece::Literal(text.to_owned());
        let table: &[(&str, Vec<Piece<'_>>)] = &[
            ("'a'", vec![literal("a")]),
            ("\"\"", vec![literal("")]),
            ("'''a'b'''", vec![literal("a'b")]),
            ("\"a#{b}c\"", vec![literal("a"), Piece::Code("b"), literal("c")]),
            ("`a${f({})}`", vec![literal("a"), Piece::Code("f({})")]),
            ("f'{a}{{b}}'", vec![literal(""), Piece::Code("a"), literal("{b}")]),
            ("'{a}'", vec![literal("{a}")]),
            ("r'a\\d'", vec![literal("a\\d")]),
            ("'a\\'b'", vec![literal("a'b")]),
        ];
        for (text, pieces) in table {
            let found = tokens(text).unwrap();
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].token, Token::Text(pieces.clone()), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_split_is_nothing() {
        for text in ["'", "\"a", "'''a'", "f'{a"] {
            assert!(tokens(text).is_none(), "{text}");
        }
    }
}
