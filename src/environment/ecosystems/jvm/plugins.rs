//! What builds tell the plugins of Flyway and Liquibase, and how it becomes a load order. By text, never executed.
//!
//! Sources: the manuals of the Flyway and Liquibase plugins (`-Dflyway.url` over the plugin's configuration over
//! properties of the build).

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::code;
use crate::environment::readers::code::Value;
use crate::environment::readers::dotenv::EVERY_DIALECT;
use crate::environment::readers::expansion::placeholders::Placeholders;
use crate::environment::{Origin, Setting};

/// What the plugins call their parameters, where those say which database it is.
pub(crate) const KEYS: &[&str] = &["url", "user", "username", "password"];

/// A value with the name of its setting and its line.
#[derive(Clone)]
pub(crate) struct PluginSetting {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) line: u32,
}

/// Adds what a build says; `properties` are those of the build, which placeholders refer to.
pub(crate) fn push(
    scene: &Scene<'_>,
    readings: &mut ReadingsBuilder<'_>,
    loader: &'static str,
    path: &Path,
    named: Vec<PluginSetting>,
    properties: Rc<HashMap<String, String>>,
) {
    if named.is_empty() {
        return;
    }
    let shown = scene.library.shown(path);
    let is_code = loader == "Gradle";
    let layer = Layer::computed(move |lookup| {
        let known = |name: &str| match name.strip_prefix("env.") {
            Some(name) => lookup(name),
            None => properties.get(name).cloned().or_else(|| lookup(name)),
        };
        let placeholders = Placeholders::of_file(&known);
        let settings = named.iter().filter_map(|one| {
            let (value, unresolved) = match is_code {
                true => match code::evaluate(&one.text, lookup) {
                    Value::Unset => return None,
                    value => value.settled("url", &one.text)?,
                },
                false => (placeholders.filled(&one.text), None),
            };
            let origin = Origin::file(one.name.clone(), &shown, one.line);
            Some(Setting { name: one.name.clone(), value, origin, unresolved })
        });
        settings.collect()
    });
    readings.chain(loader, EVERY_DIALECT, vec![Layer::Environment, layer]);
}
