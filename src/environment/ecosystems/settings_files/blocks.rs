//! Files of nested blocks: HCL (Atlas, Terraform) and HOCON (Play, Akka, Ktor).

use std::path::Path;

use crate::environment::ecosystems::settings_files::dotted::dotted;
use crate::environment::layering::{Layer, Library};
use crate::environment::readers::code;
use crate::environment::readers::code::Value;
use crate::environment::readers::expansion::placeholders::Placeholders;
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;

/// Reads the file as a layer. With `chosen`, only what the block `env "chosen"` says of its own database counts.
pub(crate) fn layer(library: &Library<'_>, path: &Path, chosen: Option<&str>) -> Option<Layer> {
    let entries = library.entries(path, formats::blocks::flatten)?;
    // The database that Atlas plans on is made for it and thrown away.
    let is_chosen = |entry: &FlatEntry, chosen| {
        entry.path.len() == 3 && entry.path[0] == "env" && entry.path[1] == chosen && entry.path[2] != "dev"
    };
    let counts = |entry: &&FlatEntry| chosen.is_none_or(|chosen| is_chosen(entry, chosen));
    let entries: Vec<FlatEntry> = entries.iter().filter(counts).cloned().collect();
    let shown = library.shown(path);
    Some(Layer::computed(move |lookup| {
        let placeholders = Placeholders::of_file(lookup);
        // The last of several values of a key wins: `url = "…"`, then `url = ${?DATABASE_URL}`.
        let filled = entries.iter().rev().filter_map(|entry| {
            let value = if entry.value.contains("env(") {
                match code::evaluate(&entry.value, lookup) {
                    Value::Known(value) => value,
                    Value::Unset | Value::Unknown => return None,
                }
            } else {
                let is_optional = entry.value.starts_with("${?");
                let value = placeholders.filled(&entry.value.replace("${?", "${"));
                if is_optional && value.starts_with("${") {
                    return None;
                }
                value
            };
            Some(entry.with_value(value))
        });
        dotted(filled.collect(), &shown, None)
    }))
}
