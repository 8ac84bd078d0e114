//! `App.config` and `Web.config` of the .NET Framework, which tests and Entity Framework 6 read.
//!
//! Source: the .NET Framework's "Configuration file schema" (`connectionStrings`, `appSettings`).

use std::path::Path;

use crate::environment::ecosystems::scene::Scene;
use crate::environment::readers::formats;
use crate::environment::{Origin, Setting};

/// Reads the connection strings and settings of the project in `home`.
pub(crate) fn of_framework(scene: &Scene<'_>, home: &Path) -> Vec<Setting> {
    let mut settings = Vec::new();
    for name in ["App.config", "app.config", "Web.config", "web.config", "ConnectionStrings.config"] {
        let path = home.join(name);
        if !scene.library.exists(&path) {
            continue;
        }
        let Some(entries) = scene.library.entries(&path, formats::xml::flatten) else { continue };
        let shown = scene.library.shown(&path);
        let mut key = String::new();
        for entry in entries.iter() {
            let path: Vec<&str> = entry.path.iter().map(String::as_str).collect();
            let origin = |name: &str| Origin::file(name, &shown, entry.line);
            match &path[..] {
                [.., "connectionStrings", "add", "@name"] | [.., "appSettings", "add", "@key"] => {
                    key.clone_from(&entry.value)
                }
                [.., "connectionStrings", "add", "@connectionString"] => {
                    settings.push(Setting::known(
                        format!("ConnectionStrings.{key}"),
                        entry.value.clone(),
                        origin(&key),
                    ));
                }
                [.., "appSettings", "add", "@value"] => {
                    settings.push(Setting::known(key.clone(), entry.value.clone(), origin(&key)));
                }
                _ => {}
            }
        }
    }
    settings
}
