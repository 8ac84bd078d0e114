//! What a file of PHP returns, assigns or declares, as pairs of keys and expressions: `return ['a' => 'b'];`,
//! `$a['b'] = 'c';`, `$CFG->dbhost = 'c';`, `public $host = 'c';`, `define('A', 'b');`, in the bodies of functions, too.

use crate::environment::readers::code::Pair;
use crate::text::LineIndex;

/// Finds the pairs in order; `pairs` reads those of an array's text.
pub(crate) fn statements(text: &str, pairs: impl Fn(&str) -> Vec<Pair>) -> Vec<Pair> {
    let lines = LineIndex::new(text);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((start, keys, from)) = next_statement(text, at) {
        // `return function (array $settings): array { $settings['a'] = 'b'; … }`
        if is_function(&text[from..]) {
            at = from;
            continue;
        }
        let end = end_of(text, from);
        let value = text[from..end].trim();
        let line = lines.line(start);
        // `return new Settings(['db' => […]]);`
        let of_object = value.strip_prefix("new ").and_then(|_| text[from..end].find("(["));
        if value.starts_with('[') || value.starts_with("array") || of_object.is_some() {
            let from = of_object.map_or(from, |at| from + at + 1);
            let first = lines.line(from) - 1;
            let own = pairs(&text[from..end]).into_iter().filter(|pair| !pair.expression.starts_with("array"));
            found.extend(own.map(|pair| {
                let path = keys.iter().cloned().chain(pair.path).collect();
                Pair { path, line: pair.line + first, ..pair }
            }));
        } else if !keys.is_empty() && !value.is_empty() {
            found.push(Pair { path: keys, expression: value.to_owned(), line, bracket: 0 });
        }
        at = end.max(from);
    }
    found
}

/// Tells whether a value that begins here is a function, whose body has statements of its own.
fn is_function(text: &str) -> bool {
    let text = text.trim_start();
    let text = text.strip_prefix("static").map_or(text, str::trim_start);
    text.strip_prefix("function").is_some_and(|rest| rest.trim_start().starts_with(['(', '&']))
}

/// Finds the next statement from `at` on: where it begins, the keys that it assigns to, and where the value begins.
fn next_statement(text: &str, at: usize) -> Option<(usize, Vec<String>, usize)> {
    let bytes = text.as_bytes();
    let mut at = at;
    while at < bytes.len() {
        match bytes[at] {
            b'"' | b'\'' => at = behind_string(bytes, at),
            b'#' if bytes.get(at + 1) != Some(&b'[') => at = line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'/') => at = line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = memchr::memmem::find(&bytes[at..], b"*/").map_or(bytes.len(), |length| at + length + 2);
            }
            b'$' => match target(text, at) {
                (keys, Some(from)) => return Some((at, keys, from)),
                (_, None) => at += 1,
            },
            b'r' if text[at..].starts_with("return")
                && !is_word(bytes.get(at + 6))
                && !is_word(at.checked_sub(1).and_then(|at| bytes.get(at))) =>
            {
                return Some((at, Vec::new(), at + 6));
            }
            b'd' if text[at..].starts_with("define") && !is_word(at.checked_sub(1).and_then(|at| bytes.get(at))) => {
                match constant(text, at + 6) {
                    Some((name, from)) => return Some((at, vec![name], from)),
                    None => at += 6,
                }
            }
            _ => at += 1,
        }
    }
    None
}

/// Reads `('NAME', `: the name, and where the value begins.
fn constant(text: &str, at: usize) -> Option<(String, usize)> {
    let rest = text[at..].trim_start().strip_prefix('(')?.trim_start();
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let (name, behind) = rest[1..].split_once(quote)?;
    let value = behind.trim_start().strip_prefix(',')?;
    Some((name.to_owned(), text.len() - value.len()))
}

fn is_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| *byte == b'_' || *byte == b'$' || byte.is_ascii_alphanumeric())
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length)
}

/// Longer keys, in bytes, are none.
const LONGEST_KEY: usize = 512;

/// Reads `$name['a']->b =`: its keys, and where its value begins.
fn target(text: &str, at: usize) -> (Vec<String>, Option<usize>) {
    let mut keys = Vec::new();
    let mut rest = &text[at + 1..];
    let name = |rest: &str| rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let end = name(rest);
    keys.push(rest[..end].to_owned());
    rest = &rest[end..];
    loop {
        if let Some(inside) = rest.strip_prefix('[') {
            let end = inside.bytes().take(LONGEST_KEY).position(|byte| matches!(byte, b']' | b'\n'));
            let Some(end) = end.filter(|end| inside[*end..].starts_with(']')) else { return (keys, None) };
            let (key, behind) = (inside[..end].trim().trim_matches(['"', '\'']), &inside[end + 1..]);
            if key.contains(['"', '\'']) || keys.len() > 16 {
                return (keys, None);
            }
            keys.extend(Some(key.to_owned()).filter(|key| !key.is_empty()));
            rest = behind;
        } else if let Some(inside) = rest.strip_prefix("->") {
            let end = name(inside);
            keys.push(inside[..end].to_owned());
            rest = &inside[end..];
        } else {
            break;
        }
    }
    let blank = rest.len() - rest.trim_start().len();
    let is_assignment =
        rest[blank..].starts_with('=') && !rest[blank..].starts_with("==") && !rest[blank..].starts_with("=>");
    let from = text.len() - rest.len() + blank + 1;
    (keys, is_assignment.then_some(from))
}

/// Finds the `;` that ends a statement.
fn end_of(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (from, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => {
                at = behind_string(bytes, at);
                continue;
            }
            b'#' if bytes.get(at + 1) != Some(&b'[') => at = line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'/') => at = line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = memchr::memmem::find(&bytes[at..], b"*/").map_or(bytes.len(), |length| at + length + 1);
            }
            b'(' | b'[' | b'{' => depth += 1,
            // The bracket of `define(` is open already.
            b')' | b']' | b'}' if depth == 0 => return at,
            b')' | b']' | b'}' => depth -= 1,
            b';' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

fn behind_string(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'\\' => end += 1,
            _ if byte == bytes[at] => return end + 1,
            _ => {}
        }
        end += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::readers::code;
    use crate::environment::readers::code::Comments;

    fn shown(text: &str) -> Vec<String> {
        let found = statements(text, |text| code::pairs(text, Comments::Slashes).all(|_, _| ()));
        found.iter().map(|pair| format!("{} {}={}", pair.line, pair.path.join("."), pair.expression)).collect()
    }

    #[test]
    fn what_is_returned_assigned_or_declared_is_found() {
        let table: [(&str, &[&str]); 8] = [
            ("<?php\nreturn [\n 'a' => ['b' => 'c'],\n];", &["3 a.b='c'"]),
            ("<?php return array('a' => array('b' => 'c'));", &["1 a.b='c'"]),
            ("<?php\n$d['x']['y'] = [\n  'host' => 'h',\n];\n", &["3 d.x.y.host='h'"]),
            ("<?php\n# $d['x'] = 'no';\n// $d['x'] = 'no';\n/* $d = 1; */\n$d['x'] = 'h';", &["5 d.x='h'"]),
            ("<?php\ndefine('DB_HOST', 'h');\ndefine( \"A\" , env('B') );", &["2 DB_HOST='h'", "3 A=env('B')"]),
            ("<?php\n$CFG->dbhost = 'h';\nclass A { public $host = 'i'; }", &["2 CFG.dbhost='h'", "3 host='i'"]),
            ("<?php $a == 'b'; foreach ($a as $k => $v) { $x .= 'y'; }", &[]),
            ("<?php\n$a = 'x;y';\n$b = env(\n 'A', ';');\n", &["2 a='x;y'", "3 b=env(\n 'A', ';')"]),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn hostile_files_end() {
        for piece in [
            "$a[",
            "$a=",
            "return ",
            "'",
            "$a->",
            "/*",
            "é$é=",
            "$a['b']=[",
            "#",
            "return function(",
            "$a = function () {",
            "$a[b]",
            "define('",
            "define(\"a\",",
            "return new A([",
        ] {
            shown(&piece.repeat(60_000));
        }
    }
}
