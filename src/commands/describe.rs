//! Small pieces of JSON that several commands share.

use serde_json::{Value, json};

use crate::environment::Origin;
use crate::reach::{Place, Target};

/// An origin: `file` is null for the process environment and relative to the root otherwise.
pub(crate) fn origin_json(origin: &Origin) -> Value {
    json!({
        "variable": origin.variable,
        "file": origin.file.as_ref().map(|file| file.to_string_lossy()),
        "line": origin.line,
    })
}

/// The first place of a target, as host and port.
pub(crate) fn target_place(target: &Target) -> (Option<String>, Option<u16>) {
    match target.places.first() {
        Some(Place::Host { name, port }) => (Some(name.clone()), *port),
        Some(Place::Socket { path, port }) => (Some(path.to_string_lossy().into_owned()), *port),
        Some(Place::Instance { name }) => (Some(name.clone()), None),
        Some(Place::File { .. } | Place::Memory) | None => (None, None),
    }
}
