//! The calls and assignments of a Gradle script, in Groovy or Kotlin: what stands behind a few names, and in which blocks.
//! By text, never executed.

use crate::environment::ecosystems::manifest::quoted;
use crate::text::LineIndex;

/// What stands behind one of the names that are looked for.
pub(crate) struct Statement<'t> {
    pub(crate) name: &'t str,
    /// All that belongs to it, without brackets around: `"a", "b"`, `= ["a": "b"]`.
    pub(crate) text: &'t str,
    pub(crate) line: u32,
    /// What stands before the braces around it, the outermost first, and before the point in front of it.
    pub(crate) blocks: Vec<&'t str>,
}

/// How deep blocks are told apart.
const DEEPEST: usize = 64;

/// Finds the statements that begin with one of `names`, in order.
pub(crate) fn statements<'t>(text: &'t str, names: &[&str]) -> Vec<Statement<'t>> {
    let bytes = text.as_bytes();
    let lines = LineIndex::new(text);
    let (mut found, mut blocks): (Vec<Statement<'t>>, Vec<&str>) = (Vec::new(), Vec::new());
    let (mut at, mut head) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' | b'\'' => at = behind_string(bytes, at),
            b'/' if matches!(bytes.get(at + 1), Some(b'/' | b'*')) => at = behind_comment(bytes, at),
            b'{' => {
                if blocks.len() < DEEPEST {
                    blocks.push(text.get(head..at).unwrap_or("").trim());
                }
                at += 1;
                head = at;
            }
            b'}' => {
                blocks.pop();
                at += 1;
                head = at;
            }
            b'\n' | b';' => {
                at += 1;
                head = at;
            }
            byte if byte == b'_' || byte.is_ascii_alphabetic() => {
                let from = at;
                at = bytes[at..]
                    .iter()
                    .position(|byte| *byte != b'_' && !byte.is_ascii_alphanumeric())
                    .map_or(bytes.len(), |length| at + length);
                let name = &text[from..at];
                if names.contains(&name) {
                    let end = end_of_statement(bytes, at);
                    let own = unwrapped(text[at..end].trim());
                    // `run.jvmArgs(…)`
                    let subject = text.get(head..from).unwrap_or("").trim().strip_suffix('.');
                    let blocks = blocks.iter().copied().chain(subject).collect();
                    found.push(Statement { name, text: own, line: lines.line(from), blocks });
                    at = end;
                }
            }
            _ => at += 1,
        }
    }
    found
}

/// Takes off the brackets of a call, where they are around all of it.
fn unwrapped(text: &str) -> &str {
    let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    inside.map_or(text, str::trim)
}

/// Finds where the statement ends that goes on at `at`: at a line's end, a `;` or a brace outside of its brackets.
fn end_of_statement(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    let mut last = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => {
                at = behind_string(bytes, at);
                last = byte;
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') && depth == 0 && last != b',' => return at,
            b'/' if matches!(bytes.get(at + 1), Some(b'/' | b'*')) => {
                at = behind_comment(bytes, at);
                continue;
            }
            b'(' | b'[' => depth += 1,
            b')' | b']' if depth == 0 => return at,
            b')' | b']' => depth -= 1,
            b'{' | b'}' | b';' if depth == 0 => return at,
            b'\n' if depth == 0 && !matches!(last, b',' | b'=' | b'+') => return at,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            last = byte;
        }
        at += 1;
    }
    bytes.len()
}

/// Finds where the string ends that begins at `at`; one of three quotes may have lines.
fn behind_string(bytes: &[u8], at: usize) -> usize {
    let quote = bytes[at];
    let is_long = bytes[at..].starts_with(&[quote; 3]);
    let mut end = at + if is_long { 3 } else { 1 };
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'\\' => end += 1,
            b'\n' if !is_long => return end,
            _ if byte != quote => {}
            _ if !is_long => return end + 1,
            _ if bytes[end..].starts_with(&[quote; 3]) => return end + 3,
            _ => {}
        }
        end += 1;
    }
    bytes.len()
}

fn behind_comment(bytes: &[u8], at: usize) -> usize {
    let end: &[u8] = if bytes[at + 1] == b'/' { b"\n" } else { b"*/" };
    memchr::memmem::find(&bytes[at..], end)
        .map_or(bytes.len(), |length| at + length + end.len() - usize::from(end == b"\n"))
}

/// Reads names with their values: `"a", "b"`, `["a"] = "b"`, `= [a: "b"]`, `mapOf("a" to "b")`.
pub(crate) fn pairs(text: &str) -> Vec<(String, &str)> {
    let text = text.trim();
    if let Some((name, value)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']'))
        && let Some(value) = value.trim_start().strip_prefix('=')
    {
        return name_of(name).map(|name| (name, value.trim())).into_iter().collect();
    }
    let text = text.trim_start_matches(['+', '=', ' ']);
    let text =
        ["mapOf(", "mutableMapOf(", "hashMapOf("].iter().find_map(|call| text.strip_prefix(call)).unwrap_or(text);
    let text = text.trim_start_matches(['[', ' ', '\n']).trim_end_matches([']', ')', ' ', '\n']);
    let parts = split(text);
    let of_map: Vec<(String, &str)> = parts.iter().filter_map(|part| map_entry(part)).collect();
    match &parts[..] {
        [name, value] if of_map.is_empty() => name_of(name).map(|name| (name, *value)).into_iter().collect(),
        _ => of_map,
    }
}

fn map_entry(part: &str) -> Option<(String, &str)> {
    let end = match part.chars().next()? {
        '"' | '\'' => behind_string(part.as_bytes(), 0),
        _ => part.find([':', ' ']).unwrap_or(part.len()),
    };
    let (name, rest) = part.split_at_checked(end)?;
    let rest = rest.trim_start();
    let value = rest.strip_prefix(':').or_else(|| rest.strip_prefix("to "))?;
    Some((name_of(name).unwrap_or_else(|| name.trim().to_owned()), value.trim()))
}

/// Reads a quoted name without anything to be filled in.
fn name_of(text: &str) -> Option<String> {
    let name = quoted(text).next().filter(|name| !name.is_empty() && !name.contains('$'))?;
    (name.len() + 2 == text.trim().len()).then(|| name.to_owned())
}

/// Splits at commas outside of strings and brackets.
pub(crate) fn split(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let (mut parts, mut from, mut at, mut depth) = (Vec::new(), 0, 0, 0_usize);
    while at < bytes.len() {
        match bytes[at] {
            b'"' | b'\'' => {
                at = behind_string(bytes, at);
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(text[from.min(text.len())..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let found = statements(text, &["systemProperty", "environment", "jvmArgs"]);
        found
            .iter()
            .map(|one| {
                let pairs: Vec<_> = pairs(one.text).iter().map(|(name, value)| format!("{name}={value}")).collect();
                format!("{} {} {}", one.line, one.blocks.join("/"), pairs.join(" "))
            })
            .collect()
    }

    #[test]
    fn names_and_values_are_found_in_either_language() {
        let table = [
            ("test { systemProperty \"a.b\", \"c\" }", "1 test a.b=\"c\""),
            ("tasks.test {\n  systemProperty(\"a\", \"b\") // x\n}", "2 tasks.test a=\"b\""),
            ("tasks.withType<Test> { environment(mapOf(\"a\" to \"b\")) }", "1 tasks.withType<Test> a=\"b\""),
            ("test {\n environment = [\n  A: 'b',\n  'C': 'd'\n ]\n}", "2 test A='b' C='d'"),
            ("test { environment[\"A\"] = \"b\" }", "1 test A=\"b\""),
            ("systemProperty 'a',\n  System.getenv('B') ?: 'c'\n", "1  a=System.getenv('B') ?: 'c'"),
            ("// systemProperty 'a', 'b'\n/* environment 'a', 'b' */ x = 'environment'", ""),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text).join("|"), expected, "{text}");
        }
    }

    #[test]
    fn hostile_scripts_end() {
        for piece in ["{", "}", "'", "\"\"\"", "environment(", "systemProperty '", "/*", "jvmArgs\\", "a:", "é["] {
            for one in statements(&piece.repeat(20_000), &["systemProperty", "environment", "jvmArgs"]) {
                pairs(one.text);
            }
        }
    }
}
