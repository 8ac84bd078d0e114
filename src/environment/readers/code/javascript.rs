//! Parts of JavaScript and TypeScript: the text without its comments, the constants that it declares, and what an
//! expression may come to. By text, never executed.

use std::collections::HashMap;

use crate::text::{LineIndex, head};

/// Statements longer than this many bytes are cut off.
const LONGEST_STATEMENT: usize = 2 << 10;
/// More branches of an expression are not told apart.
const MOST_BRANCHES: usize = 64;

/// The words that declare a variable.
const DECLARING: &[&str] = &["const ", "let ", "var "];

/// A constant, or another variable with its first value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Constant<'t> {
    pub(crate) name: &'t str,
    pub(crate) expression: &'t str,
    pub(crate) line: u32,
}

/// The text with blanks for the comments in it, so that all else stays where it is.
pub(crate) fn without_comments(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut kept = bytes.to_vec();
    // The templates that are open, each with the braces inside its `${`.
    let mut templates: Vec<usize> = Vec::new();
    let mut last = b';';
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1);
        match (byte, next) {
            (b'/', Some(b'/' | b'*')) => {
                let rest = &text[at..];
                let end = match next {
                    Some(b'/') => rest.find('\n').unwrap_or(rest.len()),
                    _ => rest.find("*/").map_or(rest.len(), |end| end + 2),
                };
                kept[at..at + end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
                at += end;
                continue;
            }
            // Not a division, since nothing stands before it that could be divided.
            (b'/', _) if b"(,=:[!&|?{};\n".contains(&last) => at = end_of(bytes, at, b'/'),
            (b'"' | b'\'', _) => at = end_of(bytes, at, byte),
            (b'`', _) => at = end_of_template(bytes, at, &mut templates),
            (b'{', _) => {
                if let Some(depth) = templates.last_mut() {
                    *depth += 1;
                }
            }
            (b'}', _) => match templates.last_mut() {
                Some(0) => {
                    templates.pop();
                    at = end_of_template(bytes, at, &mut templates);
                }
                Some(depth) => *depth -= 1,
                None => {}
            },
            _ => {}
        }
        if let Some(&byte) = bytes.get(at).filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r')) {
            last = byte;
        }
        at += 1;
    }
    // Whole characters were replaced, or none of their bytes.
    String::from_utf8(kept).unwrap_or_else(|_| text.to_owned())
}

/// Finds the quote that ends a text, or the slash that ends a pattern, on its line; the line's end where none does.
fn end_of(bytes: &[u8], from: usize, quote: u8) -> usize {
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

/// Finds the end of a template, or of its next part: `${` opens code in it.
fn end_of_template(bytes: &[u8], from: usize, templates: &mut Vec<usize>) -> usize {
    let mut at = from + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'`' => return at,
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                templates.push(0);
                return at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    at
}

/// Lists the constants that a text declares, in order; comments in it count, so that it should have none.
pub(crate) fn constants(code: &str) -> Vec<Constant<'_>> {
    let lines = LineIndex::new(code);
    let is_part = |c: char| c == '_' || c == '$' || c.is_alphanumeric();
    let declared = DECLARING.iter().flat_map(|word| code.match_indices(*word));
    let mut declared: Vec<(usize, &str)> = declared.filter(|(at, _)| !code[..*at].ends_with(is_part)).collect();
    declared.sort_unstable_by_key(|(at, _)| *at);
    let constant = |(at, word): (usize, &str)| {
        let rest = code[at + word.len()..].trim_start();
        let (name, behind) = rest.split_at(rest.find(|c: char| !is_part(c))?);
        // A type may stand between: `const url: string = …`.
        let start = head(behind, LONGEST_STATEMENT);
        let (kind, _) = start.split_once('=')?;
        let is_typed = kind.trim().is_empty() || kind.trim_start().starts_with(':') && !kind.contains('\n');
        let expression = statement(&behind[kind.len() + 1..]);
        (is_typed && !name.is_empty()).then(|| Constant { name, expression, line: lines.line(at) })
    };
    declared.into_iter().filter_map(constant).collect()
}

/// Gives the constants of a text by their name; the first of each.
pub(crate) fn constants_by_name(code: &str) -> HashMap<&str, &str> {
    let mut by_name = HashMap::new();
    for Constant { name, expression, .. } in constants(code) {
        by_name.entry(name).or_insert(expression);
    }
    by_name
}

/// Cuts an expression off where its statement ends: at a `;`, or at the end of a line that needs nothing behind it.
pub(crate) fn statement(text: &str) -> &str {
    const OPERATORS: &[char] = &['=', '|', '&', '?', ':', '+', '(', '[', '{', ',', '.'];
    let text = head(text, LONGEST_STATEMENT);
    let mut end = 0;
    let mut is_open = true;
    for line in text.split_inclusive('\n') {
        if let Some(at) = semicolon(line) {
            return text[..end + at].trim();
        }
        end += line.len();
        let own = line.trim_end();
        is_open = if own.trim().is_empty() { is_open } else { own.ends_with(OPERATORS) };
        let next = text[end..].lines().map(str::trim_start).find(|line| !line.is_empty()).unwrap_or_default();
        let begins_another = DECLARING.iter().any(|word| next.starts_with(word));
        if begins_another || !is_open && !next.starts_with(['|', '&', '?', ':', '+', '.']) {
            break;
        }
    }
    text[..end].trim()
}

/// Finds the semicolon of a line that stands in no quotes.
fn semicolon(line: &str) -> Option<usize> {
    line.find(';')?;
    let mut quote = None;
    let mut bytes = line.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (quote, byte) {
            (Some(_), b'\\') => drop(bytes.next()),
            (Some(open), byte) if byte == open => quote = None,
            (None, b'"' | b'\'' | b'`') => quote = Some(byte),
            (None, b';') => return Some(at),
            _ => {}
        }
    }
    // A quote that is open at the line's end is none, or one of several lines.
    quote.and_then(|_| line.find(';'))
}

/// Lists what an expression may come to, each as it is written: both sides of `c ? a : b`, `a || b` and `a ?? b`, and the
/// last one of `a && b`. `None` where there are too many.
pub(crate) fn branches(expression: &str) -> Option<Vec<&str>> {
    let (mut found, mut open) = (Vec::new(), vec![expression]);
    while let Some(one) = open.pop() {
        let one = without_parentheses(one.trim());
        match choice(one) {
            Some(parts) => open.extend(parts.into_iter().rev()),
            None => found.push(one),
        }
        if found.len() + open.len() > MOST_BRANCHES {
            return None;
        }
    }
    Some(found)
}

fn without_parentheses(text: &str) -> &str {
    let mut text = text;
    for _ in 0..MOST_BRANCHES {
        let Some(inside) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) else { break };
        let mut lowest = 0_i64;
        let mut depth = 0_i64;
        outside_quotes(inside, |_, byte| {
            depth += i64::from(byte == b'(') - i64::from(byte == b')');
            lowest = lowest.min(depth);
            true
        });
        if lowest < 0 {
            break;
        }
        text = inside.trim();
    }
    text
}

/// Splits an expression at its outermost choice.
fn choice(text: &str) -> Option<Vec<&str>> {
    let bytes = text.as_bytes();
    let (mut depth, mut skip) = (0_i64, 0_usize);
    let (mut question, mut nested, mut colon) = (None, 0_usize, None);
    let mut alternatives: Vec<(usize, bool)> = Vec::new();
    outside_quotes(text, |at, byte| {
        match byte {
            _ if at < skip => {}
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ if depth != 0 => {}
            b'|' | b'&' | b'?' if bytes.get(at + 1) == Some(&byte) => {
                skip = at + 2;
                alternatives.push((at, byte == b'&'));
            }
            b'?' if bytes.get(at + 1) == Some(&b'.') => {}
            b'?' if question.is_none() => question = Some(at),
            b'?' => nested += 1,
            b':' if question.is_some() && nested > 0 => nested -= 1,
            b':' if question.is_some() => {
                colon = Some(at);
                return false;
            }
            _ => {}
        }
        true
    });
    if let (Some(question), Some(colon)) = (question, colon) {
        return Some(vec![&text[question + 1..colon], &text[colon + 1..]]);
    }
    let (at, is_and) = *alternatives.first()?;
    // `a && b || c` is `b` or `c`.
    Some(if is_and { vec![&text[at + 2..]] } else { vec![&text[..at], &text[at + 2..]] })
}

/// Lists the parts between the commas that stand in no brackets and no quotes.
pub(crate) fn items(text: &str) -> Vec<&str> {
    let (mut depth, mut from, mut found) = (0_i64, 0, Vec::new());
    outside_quotes(text, |at, byte| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b',' if depth == 0 => {
                found.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
        true
    });
    found.push(text[from..].trim());
    found.retain(|item| !item.is_empty());
    found
}

/// Visits the bytes that stand in no quotes, until `visit` has enough.
fn outside_quotes(text: &str, mut visit: impl FnMut(usize, u8) -> bool) {
    let mut quote = None;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (quote, byte) {
            (Some(_), b'\\') => drop(bytes.next()),
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'' | b'`') => quote = Some(byte),
            (None, byte) => {
                if !visit(at, byte) {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_left_out_and_texts_stay() {
        for (text, expected) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b\n */ c", "a     \n    c"),
            ("a 'http://x' // y", "a 'http://x'     "),
            ("a = `http://${f('//') /* y */}//x`", "a = `http://${f('//')        }//x`"),
            ("a = /[/*]'/ // y", "a = /[/*]'/     "),
            ("a = b / c // y", "a = b / c     "),
            ("'é' // é", "'é'      "),
            ("it's\n// y", "it's\n    "),
        ] {
            assert_eq!(without_comments(text), expected, "{text}");
        }
    }

    #[test]
    fn constants_are_found_with_their_expression() {
        let text = "const a = f();\nlet url: string = process.env.URL ??\n  'pg://h/x';\nconstant = 3\nconst b = 'x;y'\nnext()\nconst { c } = d\n";
        let found: Vec<String> =
            constants(text).iter().map(|one| format!("{} {} {}", one.line, one.name, one.expression)).collect();
        assert_eq!(found, ["1 a f()", "2 url process.env.URL ??\n  'pg://h/x'", "5 b 'x;y'"]);
    }

    #[test]
    fn all_that_an_expression_may_come_to_is_listed() {
        for (expression, expected) in [
            ("'a'", "'a'"),
            ("(c ? 'a' : 'b')", "'a'|'b'"),
            ("c ? 'a' : d?.e ? f('x', y ? 1 : 2) : 'b ? c : d'", "'a'|f('x', y ? 1 : 2)|'b ? c : d'"),
            ("c ? d ? 'a' : 'b' : 'c'", "'a'|'b'|'c'"),
            ("process.env.A || b ?? 'c'", "process.env.A|b|'c'"),
            ("c && 'a'", "'a'"),
            ("(a) + (b)", "(a) + (b)"),
        ] {
            assert_eq!(branches(expression).unwrap().join("|"), expected, "{expression}");
        }
        assert_eq!(branches(&"a || ".repeat(100)), None);
    }

    #[test]
    fn items_are_split_at_their_own_commas() {
        assert_eq!(items("'a,b', f(x, y), [1, 2],"), ["'a,b'", "f(x, y)", "[1, 2]"]);
    }

    #[test]
    fn hostile_texts_end() {
        for piece in
            ["const url =\n", "const a = ;", "`${", "a ? ", "(", "/*", "'", "a ||", "/", "\\", "é{", "let x:\n"]
        {
            let text = piece.repeat(60_000);
            let code = without_comments(&text);
            constants(&code);
            branches(&text);
            items(&text);
        }
    }
}
