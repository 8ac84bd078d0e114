//! What pytest's and tox's configuration sets: `DJANGO_SETTINGS_MODULE`, the variables of pytest-env and of tox, and
//! the files of pytest-dotenv.
//!
//! Source: pytest-django `plugin.py` (`--ds` and `--dc` over the environment over the file); pytest-env's README (`D:` sets only
//! what is not set yet); tox's `set_env`.

use std::path::{Path, PathBuf};

use crate::environment::ecosystems::scene::Scene;
use crate::environment::follow::shell_text::assignment;
use crate::environment::invocation::option_of;
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;
use crate::environment::{Origin, Setting};

/// What the configuration sets.
#[derive(Debug, Default)]
pub(crate) struct Configured {
    /// It beats the environment.
    pub(crate) forced: Vec<Setting>,
    /// The environment beats it.
    pub(crate) defaults: Vec<Setting>,
    /// The dotenv files it names, absolute.
    pub(crate) files: Vec<PathBuf>,
}

fn runs_pytest(scene: &Scene<'_>) -> bool {
    matches!(scene.program(), "pytest" | "py.test")
}

/// The files that hold pytest's configuration.
const FILES: &[&str] = &["pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"];

/// Lists the folders that pytest looks for tests in where it is told none: its `testpaths`, absolute.
pub(crate) fn test_folders(scene: &Scene<'_>) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for path in FILES.iter().filter_map(|name| scene.find_upwards(&[name])) {
        if !scene.library.manifest(&path).contains("testpaths") {
            continue;
        }
        let is_toml = path.extension().is_some_and(|extension| extension == "toml");
        let flatten = if is_toml { formats::toml::flatten } else { formats::ini::flatten };
        let Some(entries) = scene.library.entries(&path, flatten) else { continue };
        let home = path.parent().unwrap_or(&path);
        let named = entries.iter().filter(|entry| entry.path.iter().any(|key| key == "testpaths"));
        folders.extend(named.flat_map(|entry| entry.value.split_ascii_whitespace()).map(|name| home.join(name)));
    }
    folders
}

impl Configured {
    /// Reads what applies to the scene: nothing where it runs no tests.
    pub(crate) fn of(scene: &Scene<'_>) -> Configured {
        let mut configured = Configured::default();
        if !scene.purpose.test {
            return configured;
        }
        if let Some(options) = scene.environment.get("PYTEST_ADDOPTS") {
            configured.note_options(options, scene, None);
        }
        let named =
            ["-c", "--config-file"].iter().find_map(|option| scene.option(option)).filter(|_| runs_pytest(scene));
        // A file that is named is the only one.
        let names = named.map_or_else(|| FILES.to_vec(), |name| vec![name]);
        for name in names {
            let Some(path) = scene.find_upwards(&[name]) else { continue };
            let flatten = if name.ends_with(".toml") { formats::toml::flatten } else { formats::ini::flatten };
            let Some(entries) = scene.library.entries(&path, flatten) else { continue };
            let shown = scene.library.shown(&path);
            for entry in entries.iter() {
                configured.note(entry, scene, &path, &shown);
            }
        }
        configured
    }

    /// Notes options of the configuration or of PYTEST_ADDOPTS: as strong as those on the command line.
    fn note_options(&mut self, text: &str, scene: &Scene<'_>, place: Option<(&Path, u32)>) {
        let mut words = text.split_ascii_whitespace();
        while let Some(word) = words.next() {
            let (option, attached) = option_of(word);
            let variable = match option {
                "--ds" => "DJANGO_SETTINGS_MODULE",
                "--dc" => "DJANGO_CONFIGURATION",
                "--envfile" => "",
                _ => continue,
            };
            let Some(value) = attached.or_else(|| words.next()) else { continue };
            if option == "--envfile" {
                self.files.push(scene.path(value));
                continue;
            }
            let origin = place.map_or_else(
                || Origin::process("PYTEST_ADDOPTS"),
                |(shown, line)| Origin::file("addopts", shown, line),
            );
            self.forced.push(Setting::known(variable, value, origin));
        }
    }

    fn note(&mut self, entry: &FlatEntry, scene: &Scene<'_>, path: &Path, shown: &Path) {
        let section: Vec<&str> = entry.path.iter().map(String::as_str).collect();
        let key = match &section[..] {
            ["pytest" | "tool:pytest", key @ ..] | ["tool", "pytest", "ini_options", key @ ..] => key,
            ["tool", "pytest_env", name] => {
                self.forced.push(setting(name, &entry.value, shown, entry.line));
                return;
            }
            ["testenv", "setenv" | "set_env", _] if scene.program() == "tox" => {
                if let Some((name, value)) = entry.value.split_once('=') {
                    self.forced.push(setting(name.trim(), value.trim(), shown, entry.line));
                }
                return;
            }
            _ => return,
        };
        match key {
            [name @ ("DJANGO_SETTINGS_MODULE" | "DJANGO_CONFIGURATION")] => {
                self.defaults.push(setting(name, &entry.value, shown, entry.line));
            }
            ["addopts", ..] if runs_pytest(scene) => {
                self.note_options(&entry.value, scene, Some((shown, entry.line)));
            }
            ["env", ..] => {
                let mut text = entry.value.trim();
                let mut is_default = false;
                while let Some(rest) = text.strip_prefix("D:").or(text.strip_prefix("R:")) {
                    is_default |= text.starts_with("D:");
                    text = rest;
                }
                let spaced = text.split_once('=').map(|(name, value)| format!("{}={}", name.trim(), value.trim()));
                if let Some((name, value)) = spaced.and_then(|pair| assignment(&pair)) {
                    let list = if is_default { &mut self.defaults } else { &mut self.forced };
                    list.push(setting(&name, &value, shown, entry.line));
                }
            }
            ["env_files", ..] => {
                let folder = path.parent().unwrap_or(path);
                self.files.extend(entry.value.split_ascii_whitespace().map(|name| folder.join(name)));
            }
            _ => {}
        }
    }
}

fn setting(name: &str, value: &str, shown: &Path, line: u32) -> Setting {
    Setting::known(name, value, Origin::file(name, shown, line))
}
