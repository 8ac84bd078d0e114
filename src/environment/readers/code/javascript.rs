//! Parts of JavaScript and TypeScript: the text without its comments, the constants that it declares, and what an
//! expression may come to. By text, never executed.

use std::collections::{HashMap, HashSet};

use crate::environment::not_followed::GivenUp;
use crate::environment::readers::code::slashes::{Slash, Slashes, end_of, open_comment};
use crate::text::{LineIndex, head, line_at};

/// Statements longer than this many bytes are cut off.
const LONGEST_STATEMENT: usize = 2 << 10;
/// More branches of an expression are not told apart.
const MOST_BRANCHES: usize = 64;

/// The words that declare a variable.
const DECLARING: &[&str] = &["const ", "let ", "var "];

/// A value that a variable is given: where it is declared, or later.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Given<'t> {
    pub(crate) name: &'t str,
    /// The value as written; `None` where there is none, or it is made of the former one.
    pub(crate) expression: Option<&'t str>,
    pub(crate) line: u32,
    is_declared: bool,
}

/// The text with blanks for the comments in it, so that all else stays where it is. `tell` hears of the line of a comment
/// that does not end; what follows it is not taken for one.
pub(crate) fn without_comments(text: &str, tell: impl FnOnce(u32, GivenUp)) -> String {
    let Scanned { code, open_from, .. } = scanned(text);
    if let Some(at) = open_from {
        tell(line_at(text.as_bytes(), at), open_comment());
    }
    code
}

/// A text that was gone through.
struct Scanned {
    /// With blanks for its comments.
    code: String,
    /// With blanks for its texts and patterns, too.
    bare: String,
    open_from: Option<usize>,
}

fn scanned(text: &str) -> Scanned {
    let bytes = text.as_bytes();
    let (mut code, mut bare) = (bytes.to_vec(), bytes.to_vec());
    let blank = |kept: &mut Vec<u8>, from: usize, to: usize| {
        let to = to.min(bytes.len()).max(from);
        kept[from..to].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    };
    let mut slashes = Slashes::default();
    // The templates that are open, each with the braces inside its `${`.
    let mut templates: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let from = at + 1;
        match byte {
            b'/' => {
                at = match slashes.at(text, at, &code[..at]) {
                    Slash::Comment(end) => {
                        blank(&mut code, at, end);
                        blank(&mut bare, at, end);
                        end
                    }
                    Slash::Pattern(end) => {
                        blank(&mut bare, from, end);
                        end
                    }
                    Slash::Nothing(end) => end,
                };
                continue;
            }
            b'"' | b'\'' => {
                at = end_of(bytes, at, byte);
                blank(&mut bare, from, at);
            }
            b'`' => {
                at = end_of_template(bytes, at, &mut templates);
                blank(&mut bare, from, at);
            }
            b'{' => {
                if let Some(depth) = templates.last_mut() {
                    *depth += 1;
                }
            }
            b'}' => match templates.last_mut() {
                Some(0) => {
                    templates.pop();
                    at = end_of_template(bytes, at, &mut templates);
                    blank(&mut bare, from, at);
                }
                Some(depth) => *depth -= 1,
                None => {}
            },
            _ => {}
        }
        at += 1;
    }
    // Whole characters were replaced, or none of their bytes.
    let whole = |kept: Vec<u8>| String::from_utf8(kept).unwrap_or_else(|_| text.to_owned());
    Scanned { code: whole(code), bare: whole(bare), open_from: slashes.open_from }
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

/// Lists the values that a text gives to the variables which it declares, in order; comments in it count, so that it should
/// have none.
pub(crate) fn given(code: &str) -> Vec<Given<'_>> {
    let lines = LineIndex::new(code);
    let bare = scanned(code).bare;
    let declared = DECLARING.iter().flat_map(|word| bare.match_indices(*word));
    let declared = declared.filter(|(at, _)| !bare[..*at].ends_with(is_part));
    let mut found: Vec<(usize, Given<'_>)> = Vec::new();
    let (mut changing, mut declarations) = (HashSet::new(), HashSet::new());
    for (at, word) in declared {
        let rest = code[at + word.len()..].trim_start();
        let Some((name, behind)) = rest.find(|c: char| !is_part(c)).map(|end| rest.split_at(end)) else { continue };
        if name.is_empty() {
            continue;
        }
        declarations.insert(code.len() - rest.len());
        if word != "const " {
            changing.insert(name);
        }
        // A type may stand between: `const url: string = …`.
        let start = head(behind, LONGEST_STATEMENT);
        let kind = start.split_once('=').map(|(kind, _)| kind);
        let is_typed =
            |kind: &&str| kind.trim().is_empty() || kind.trim_start().starts_with(':') && !kind.contains(['\n', ';']);
        let expression = kind.filter(is_typed).map(|kind| statement(&behind[kind.len() + 1..]));
        found.push((at, Given { name, expression, line: lines.line(at), is_declared: true }));
    }
    if !changing.is_empty() {
        let later = assigned(code, &bare).filter(|(at, one)| changing.contains(one.name) && !declarations.contains(at));
        found.extend(later.map(|(at, one)| (at, Given { line: lines.line(at), ..one })));
    }
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, one)| one).collect()
}

/// Tells whether a character may be part of a name.
pub(crate) fn is_part(c: char) -> bool {
    c == '_' || c == '$' || c.is_alphanumeric()
}

/// Finds what is assigned to a name, with the offset of the name: `url = …`, `url ??= …`, `url += …`.
fn assigned<'t>(code: &'t str, bare: &str) -> impl Iterator<Item = (usize, Given<'t>)> {
    const OPERATORS: &[char] = &['+', '-', '*', '/', '%', '&', '|', '^', '?'];
    bare.match_indices('=').filter_map(move |(at, _)| {
        let (before, behind) = (&bare[..at], &bare[at + 1..]);
        if behind.starts_with(['=', '>']) || before.ends_with(['=', '!', '<', '>']) {
            return None;
        }
        let target = before.trim_end_matches(OPERATORS);
        let is_default = before.ends_with("||") || before.ends_with("??");
        let is_computed = target.len() < before.len() && !is_default;
        let target = target.trim_end();
        let start = target
            .rfind(|c: char| !is_part(c))
            .map_or(0, |at| at + target[at..].chars().next().map_or(1, char::len_utf8));
        let name = code.get(start..target.len()).filter(|name| !name.is_empty() && !target[..start].ends_with('.'))?;
        let expression = (!is_computed).then(|| statement(&code[at + 1..]));
        Some((start, Given { name, expression, line: 0, is_declared: false }))
    })
}

/// What the variables of a text are given, by their name.
pub(crate) struct Values<'t>(HashMap<&'t str, Vec<Given<'t>>>);

impl<'t> Values<'t> {
    /// Lists the values of a text, which should have no comments.
    pub(crate) fn of_code(code: &'t str) -> Self {
        let mut by_name: HashMap<&str, Vec<Given<'_>>> = HashMap::new();
        for one in given(code) {
            by_name.entry(one.name).or_default().push(one);
        }
        // A variable that is declared without a value has those that it is given later.
        for given in by_name.values_mut() {
            let is_declared_once = given.iter().filter(|one| one.is_declared).count() == 1;
            given.retain(|one| one.expression.is_some() || !(one.is_declared && is_declared_once));
        }
        Values(by_name)
    }

    /// Lists what a variable is given, in order; `None` for what is not told.
    pub(crate) fn of(&self, name: &str) -> Vec<Option<&'t str>> {
        self.0.get(name).into_iter().flatten().map(|one| one.expression).collect()
    }

    /// Gives the value of a variable that has one, and no other.
    pub(crate) fn constant(&self, name: &str) -> Option<&'t str> {
        only(self.0.get(name)?)
    }
}

/// Gives by their name the variables of a text that have one value, and no other.
pub(crate) fn constants(code: &str) -> HashMap<&str, &str> {
    Values::of_code(code).0.into_iter().filter_map(|(name, given)| Some((name, only(&given)?))).collect()
}

fn only<'t>(given: &[Given<'t>]) -> Option<&'t str> {
    let (first, rest) = given.split_first()?;
    first.expression.filter(|_| rest.iter().all(|one| one.expression == first.expression))
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
        for (text, expected, open_at) in [
            ("a // b\nc", "a     \nc", None),
            ("a /* b\n */ c", "a     \n    c", None),
            ("a 'http://x' // y", "a 'http://x'     ", None),
            ("a = `http://${f('//') /* y */}//x`", "a = `http://${f('//')        }//x`", None),
            ("a = /[/*]'/ // y", "a = /[/*]'/     ", None),
            ("a = b / c // y", "a = b / c     ", None),
            ("'é' // é", "'é'      ", None),
            ("it's\n// y", "it's\n    ", None),
            ("a((b) => /\\/*'/.test(b)); // y", "a((b) => /\\/*'/.test(b));     ", None),
            ("return /a\\/*/; // y", "return /a\\/*/;     ", None),
            ("return /* b */ /'/; // y", "return         /'/;     ", None),
            ("a\nb /* c // y\nd", "a\nb /* c     \nd", Some(2)),
        ] {
            let mut told = None;
            assert_eq!(without_comments(text, |line, _| told = Some(line)), expected, "{text}");
            assert_eq!(told, open_at, "{text}");
        }
    }

    #[test]
    fn values_are_found_with_their_variable() {
        let text = "const a = f();\nlet url: string = process.env.URL ??\n  'pg://h/x';\nconstant = 3\nconst b = 'x;y'\nnext()\n\
                    const { c } = d\nlet e;\ne = 'e = 1';\nurl ||= 'z';\nf(`url = 3 ${b = 2}`, x.url = 4, url == 5);\ne += 1;\n";
        let expression = |one: &Given<'_>| one.expression.unwrap_or("-").to_owned();
        let found: Vec<String> =
            given(text).iter().map(|one| format!("{} {} {}", one.line, one.name, expression(one))).collect();
        let expected = [
            "1 a f()",
            "2 url process.env.URL ??\n  'pg://h/x'",
            "5 b 'x;y'",
            "8 e -",
            "9 e 'e = 1'",
            "10 url 'z'",
            "12 e -",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_given_several_values_is_no_constant() {
        for (text, expected) in [
            ("const a = 1;", Some("1")),
            ("const a = 1;\nfunction f(a = 2) {}", Some("1")),
            ("const a = 1;\nfunction f() { const a = 2; }", None),
            ("const a = 1;\nfunction f() { const a = 1; }", Some("1")),
            ("const a = 1;\nfor (const a of b) {}", None),
            ("let a = 1;\nif (b) a = 2;", None),
            ("var a = 1;\nvar a = 2;", None),
            ("let a = 1;\na += 2;", None),
            ("let a = 1;\na ??= 2;", None),
            ("let a = 1;\nb.a = 2; if (a == 3 || a === 4) {}", Some("1")),
            ("let a = 1;\nf('a = 2', `a = 3`);", Some("1")),
            ("let a;\na = 2;", Some("2")),
            ("let a: string;\nif (b) { a = 2; } else { a = 3; }", None),
            ("let a;", None),
        ] {
            assert_eq!(constants(text).get("a").copied(), expected, "{text}");
        }
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
        for piece in [
            "const url =\n",
            "const a = ;",
            "`${",
            "a ? ",
            "(",
            "/*",
            "'",
            "a ||",
            "/",
            "\\",
            "é{",
            "let x:\n",
            "let a=a\n",
            "/**/ /",
            "a  =",
        ] {
            let text = piece.repeat(60_000);
            let code = without_comments(&text, |_, _| ());
            constants(&code);
            branches(&text);
            items(&text);
        }
    }
}
