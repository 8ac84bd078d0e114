//! Where text goes into a JSON text and how it is indented, and how it is cut out again.

use std::ops::Range;

/// Puts a value, with a key where it goes into an object, behind all that the list or object at `container` holds.
pub(crate) fn into(
    text: &str,
    container: Range<usize>,
    children: &[Range<usize>],
    key: Option<&str>,
    value: &serde_json::Value,
) -> String {
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let unit = unit_of(text);
    let item = |indent: &str| {
        let value = pretty(value, indent, &unit, line_end);
        match key {
            Some(key) => format!("{}: {value}", serde_json::Value::from(key)),
            None => value,
        }
    };
    let Some(last) = children.last() else {
        let at = container.start + 1;
        return spliced(text, &[(at..at, item(indent_of_line(text, container.start)))]);
    };
    let before = children.iter().nth_back(1).map_or(container.start + 1, |before| before.end);
    let own_line = own_line(&text[before..last.start]);
    let comma = comma_behind(text, last.end, container.end - 1);
    let behind = comma.map_or(last.end, |at| at + 1);
    let (at, is_line_comment) = behind_comments(text, behind);
    let above = format!("{}{unit}", indent_of_line(text, container.start));
    let indent = own_line.or(is_line_comment.then_some(&above));
    let lead = indent.map_or(" ".to_owned(), |indent| format!("{line_end}{indent}"));
    let item = item(indent.map_or(indent_of_line(text, container.start), |indent| indent));
    match comma {
        Some(_) => spliced(text, &[(at..at, format!("{lead}{item},"))]),
        None => spliced(text, &[(last.end..last.end, ",".to_owned()), (at..at, format!("{lead}{item}"))]),
    }
}

/// One of what a list or object holds.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    pub(crate) container: Range<usize>,
    pub(crate) children: Vec<Range<usize>>,
    pub(crate) at: usize,
}

/// Cuts it out with the comma and the blanks that belong to it.
pub(crate) fn without(text: &str, cut: &Cut) -> String {
    let Cut { container, children, at } = cut;
    let node = &children[*at];
    let blanks = text[..node.start].trim_end().len();
    let end = container.end - 1;
    let behind = comma_behind(text, node.end, end).map(|comma| (comma..comma + 1, String::new()));
    let mut out = vec![(blanks..node.end, String::new())];
    match at.checked_sub(1).map(|before| &children[before]) {
        // The comma that is left stands at the end, as the one behind it did.
        _ if behind.is_some() => out.extend(behind),
        Some(before) => {
            let comma = comma_behind(text, before.end, node.start);
            out.splice(0..0, comma.map(|comma| (comma..comma + 1, String::new())));
        }
        None => {}
    }
    spliced(text, &out)
}

/// As [`without()`], and a list or object that holds only blanks then closes where it opens.
pub(crate) fn without_and_tidied(text: &str, cut: &Cut) -> String {
    let text_without = without(text, cut);
    let opening = cut.container.start;
    let is_emptied = cut.children.len() == 1;
    let inner = &text_without[opening + 1..];
    let blanks = inner.len() - inner.trim_start().len();
    if is_emptied && inner[blanks..].starts_with(['}', ']']) {
        return spliced(&text_without, &[(opening + 1..opening + 1 + blanks, String::new())]);
    }
    text_without
}

/// Writes a value over several lines, as people do: the first one is not indented.
pub(crate) fn pretty(value: &serde_json::Value, indent: &str, unit: &str, line_end: &str) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let lines = text.lines().enumerate().map(|(at, line)| {
        let bare = line.trim_start();
        let depth = (line.len() - bare.len()) / 2;
        if at == 0 { line.to_owned() } else { format!("{line_end}{indent}{}{bare}", unit.repeat(depth)) }
    });
    lines.collect()
}

/// Puts each text in place of its range; the ranges are in order and apart.
fn spliced(text: &str, parts: &[(Range<usize>, String)]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for (range, new) in parts {
        out.push_str(&text[at..range.start]);
        out.push_str(new);
        at = range.end;
    }
    out.push_str(&text[at..]);
    out
}

/// What the text is indented by: the blanks before the first line that has some.
fn unit_of(text: &str) -> String {
    let indented = text.lines().skip(1).find(|line| line.starts_with([' ', '\t']) && !line.trim().is_empty());
    indented.map_or("  ", |line| &line[..line.len() - line.trim_start().len()]).to_owned()
}

fn indent_of_line(text: &str, at: usize) -> &str {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let blanks = text[line..].len() - text[line..].trim_start_matches([' ', '\t']).len();
    &text[line..line + blanks]
}

/// The indentation of what stands on a line of its own behind `before`.
fn own_line(before: &str) -> Option<&str> {
    let (_, indent) = before.rsplit_once('\n')?;
    indent.trim_start_matches([' ', '\t']).is_empty().then_some(indent)
}

/// Finds the comma behind `at`, with nothing but blanks and comments before it.
fn comma_behind(text: &str, mut at: usize, end: usize) -> Option<usize> {
    loop {
        at += text[at..end].len() - text[at..end].trim_start().len();
        match &text[at..end] {
            rest if rest.starts_with(',') => return Some(at),
            rest => at += comment(rest)?.0,
        }
    }
}

/// The place behind the comments that follow on the same line, and whether the last one goes to its end.
fn behind_comments(text: &str, from: usize) -> (usize, bool) {
    let mut found = (from, false);
    loop {
        let at = found.0 + text[found.0..].len() - text[found.0..].trim_start_matches([' ', '\t']).len();
        match comment(&text[at..]) {
            Some((length, is_line)) => found = (at + length, is_line),
            None => return found,
        }
        if found.1 {
            return found;
        }
    }
}

/// The length of the comment that a text begins with, and whether it goes to the end of its line.
fn comment(text: &str) -> Option<(usize, bool)> {
    if text.starts_with("//") {
        let length = text.find(['\n', '\r']).unwrap_or(text.len());
        return Some((length, true));
    }
    text.starts_with("/*").then(|| (text[2..].find("*/").map_or(text.len(), |end| end + 4), false))
}
