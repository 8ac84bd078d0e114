//! What expressions come to, with its structure: texts, flags, maps and lists.

/// What an expression comes to, with its structure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Computed {
    Text(String),
    Flag(bool),
    /// Nothing: `None`, or a variable that is not set and has no default.
    Unset,
    Map(Vec<Entry>),
    List(Vec<Computed>),
    /// One of several, by what cannot be known.
    Either(Vec<Entry>),
    Unknown,
}

/// One key of a map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) value: Computed,
    /// The value as written.
    pub(crate) expression: String,
    pub(crate) place: Place,
}

/// Where something is assigned: the file's number in its program, and the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) file: usize,
    pub(crate) line: u32,
}

/// Puts an entry in a map, over one with its key.
pub(crate) fn put(entries: &mut Vec<Entry>, entry: Entry) {
    match entries.iter_mut().find(|known| known.key == entry.key) {
        Some(known) => *known = entry,
        None => entries.push(entry),
    }
}

pub(crate) fn constant(name: &str) -> Option<Computed> {
    Some(match name {
        "None" | "nil" | "null" | "undefined" => Computed::Unset,
        "True" | "true" => Computed::Flag(true),
        "False" | "false" => Computed::Flag(false),
        _ => return None,
    })
}

/// Tells whether two values are the same; `None` where that is not known.
pub(crate) fn same(one: &Computed, other: &Computed) -> Option<bool> {
    match (one, other) {
        (Computed::Unknown, _) | (_, Computed::Unknown) => None,
        (Computed::Flag(flag), Computed::Text(text)) | (Computed::Text(text), Computed::Flag(flag)) => {
            Some(text.eq_ignore_ascii_case(if *flag { "true" } else { "false" }))
        }
        (one, other) => Some(one == other),
    }
}

pub(crate) fn contains(whole: &Computed, part: &Computed) -> Option<bool> {
    match (whole, part) {
        (Computed::List(items), part) if !items.contains(&Computed::Unknown) && *part != Computed::Unknown => {
            Some(items.contains(part))
        }
        (Computed::Text(text), Computed::Text(part)) => Some(text.contains(part.as_str())),
        (Computed::Map(entries), Computed::Text(key)) => Some(entries.iter().any(|entry| entry.key == *key)),
        _ => None,
    }
}
