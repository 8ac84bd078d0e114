//! Settings in the elements of XML: Java's own properties, Hibernate's, Spring's beans.
//!
//! Sources: the manuals of Hibernate, Jakarta Persistence, MyBatis and Spring (`jdbc:embedded-database`); the documentation
//! of `java.util.Properties` (`loadFromXML`).

use std::path::Path;

use crate::environment::layering::{Layer, Library};
use crate::environment::readers::expansion::placeholders::Placeholders;
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;
use crate::environment::{Origin, Setting};

/// Reads `<property name="…" value="…"/>`, `<property name="…">…</property>`, `<entry key="…">…</entry>` and attributes like
/// `url`.
pub(crate) fn layer(library: &Library<'_>, path: &Path) -> Option<Layer> {
    let entries = library.entries(path, formats::xml::flatten)?;
    let shown = library.shown(path);
    Some(Layer::computed(move |lookup| {
        let placeholders = Placeholders::of_file(lookup);
        let mut settings = Vec::new();
        for element in entries.chunk_by(|_, next| next.path.last().is_some_and(|last| last.starts_with('@'))) {
            settings.extend(of_element(element, &shown, &placeholders));
        }
        settings
    }))
}

fn of_element(element: &[FlatEntry], shown: &Path, placeholders: &Placeholders<'_>) -> Vec<Setting> {
    let setting = |name: &str, value: &FlatEntry| {
        let text = placeholders.filled(&value.value);
        // What is filled in stands in a file of its own.
        (!text.contains("${")).then(|| Setting::known(name, text, Origin::file(name, shown, value.line)))
    };
    let Some((first, attributes)) = element.split_first() else { return Vec::new() };
    let attribute = |wanted: &str| attributes.iter().find(|entry| entry.path.last().is_some_and(|last| last == wanted));
    if first.path.last().is_some_and(|last| last == "embedded-database") {
        let origin = Origin::file("embedded-database", shown, first.line);
        return vec![Setting::known("datasource.url", "jdbc:h2:mem:embedded", origin)];
    }
    let value = attribute("@value").or(Some(first).filter(|first| !first.value.is_empty()));
    if let (Some(name), Some(value)) = (attribute("@name").or(attribute("@key")), value) {
        return setting(&name.value, value).into_iter().collect();
    }
    let named = attributes.iter().filter(|entry| entry.value.contains("jdbc:"));
    let named = named.filter_map(|entry| setting(entry.path.last()?.trim_start_matches('@'), entry));
    named
        .chain(Some(first).filter(|first| first.value.starts_with("jdbc:")).and_then(|first| setting("url", first)))
        .collect()
}
