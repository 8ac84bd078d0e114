//! Which profiles of Maven's files count.
//!
//! Source: Maven's "Introduction to Build Profiles".

use std::collections::HashMap;

use crate::environment::ecosystems::jvm::{maven_command, maven_settings};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::StartEnvironment;
use crate::environment::readers::formats::FlatEntry;

/// What chooses among the profiles of a build.
pub(crate) struct Chosen<'s> {
    names: Vec<String>,
    /// By `-P`, so that what is on by default is not.
    is_asked: bool,
    properties: HashMap<String, String>,
    environment: &'s StartEnvironment,
}

impl<'s> Chosen<'s> {
    /// Gathers what the command and the settings choose.
    pub(crate) fn of(scene: &Scene<'s>) -> Self {
        let asked = maven_command::profiles(scene);
        let is_asked = asked.iter().any(|name| !name.starts_with(['!', '-']));
        let mut names: Vec<String> =
            asked.into_iter().map(|name| name.trim_start_matches(['+', '?']).to_owned()).collect();
        let active = maven_settings::active(scene);
        let by_settings: Vec<String> =
            active.iter().filter(|name| !names.contains(&format!("!{name}"))).cloned().collect();
        names.extend(by_settings);
        Chosen { names, is_asked, properties: maven_command::given(scene), environment: scene.environment }
    }

    /// Tells whether the profile of that id is chosen by its name.
    pub(crate) fn names(&self, id: &str) -> bool {
        self.names.iter().any(|name| name == id)
    }

    /// Tells whether an entry below `<activation>` turns its profile on; `condition` keeps the name of a property for the
    /// value behind it.
    pub(crate) fn fits(
        &self,
        path: &[&str],
        entry: &FlatEntry,
        next: Option<&FlatEntry>,
        condition: &mut String,
    ) -> bool {
        let value = entry.value.as_str();
        match path {
            ["activeByDefault"] => value == "true" && !self.is_asked,
            ["property", "name"] => {
                value.clone_into(condition);
                let has_value =
                    next.is_some_and(|next| next.path.ends_with(&["property".to_owned(), "value".to_owned()]));
                match value.strip_prefix('!') {
                    Some(name) => self.property(name).is_none(),
                    None => !has_value && self.property(value).is_some(),
                }
            }
            ["property", "value"] => {
                let own = self.property(condition);
                match value.strip_prefix('!') {
                    Some(other) => own.is_none_or(|own| own != other),
                    None => own == Some(value),
                }
            }
            _ => false,
        }
    }

    fn property(&self, name: &str) -> Option<&str> {
        match name.strip_prefix("env.") {
            Some(name) => self.environment.get(name),
            None => self.properties.get(name).map(String::as_str),
        }
    }
}
