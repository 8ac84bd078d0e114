//! Elixir: the literals of `config/{env}.exs` over those of `config/config.exs`, and `config/runtime.exs`.
//!
//! Source: hexdocs `Config`; MIX_ENV is `dev` unless set, and `test` for `mix test`. What Phoenix generates inside
//! `if config_env() == :prod` counts for that environment alone.

use std::path::Path;

use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::Library;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::code;
use crate::environment::readers::code::{Comments, Pair};
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::expansion::Lookup;
use crate::environment::{Origin, Setting};

const DIALECTS: &[Dialect] = &[Dialect::Godotenv15, Dialect::Ruby];

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for home in scene.homes("mix.exs") {
        readings.add_base(&home);
        for environment in scene.modes(&["MIX_ENV"], "test", "dev") {
            let mut layers = vec![Layer::Environment];
            layers.extend([format!(".env.{environment}"), ".env".to_owned()].map(|name| Layer::file(home.join(name))));
            for (name, only) in [
                ("config/runtime.exs".to_owned(), Some(environment.as_str())),
                (format!("config/{environment}.exs"), None),
                ("config/config.exs".to_owned(), None),
            ] {
                layers.extend(configuration(scene.library, &home.join(name), only));
            }
            readings.chain("Elixir", DIALECTS, layers);
        }
    }
}

/// Reads the literals of a configuration file; with `only`, blocks for other environments are left out.
pub(crate) fn configuration(library: &Library<'_>, path: &Path, only: Option<&str>) -> Option<Layer> {
    if !library.exists(path) {
        return None;
    }
    let mut text = library.string(path)?;
    if let Some(environment) = only.filter(|environment| *environment != "prod") {
        text = without_production(&text, environment);
    }
    let shown = library.shown(path);
    let pairs = library.pairs(path, &text, Comments::Hash);
    Some(Layer::computed(move |lookup| settings(&text, &pairs, &shown, lookup)))
}

/// Blanks the blocks of `if config_env() == :other do … end`, found by their indentation.
fn without_production(text: &str, environment: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut inside: Option<usize> = None;
    for line in text.lines() {
        let trimmed = line.trim_start();
        let indentation = line.len() - trimmed.len();
        match inside {
            Some(outer) if indentation == outer && trimmed.starts_with("end") => inside = None,
            Some(_) => {}
            None if trimmed.starts_with("if ")
                && trimmed.contains("config_env()")
                && !trimmed.contains(&format!(":{environment}")) =>
            {
                inside = Some(indentation);
            }
            None => kept.push_str(line),
        }
        kept.push('\n');
    }
    kept
}

/// The keys of a repository's configuration that say which database it is.
const KEYS: &[&str] =
    &["hostname", "host", "port", "database", "username", "password", "url", "socket", "socket_dir", "adapter"];

fn settings(text: &str, pairs: &[Pair], shown: &Path, lookup: Lookup<'_>) -> Vec<Setting> {
    let repositories: Vec<(u32, String)> =
        text.lines().zip(1..).filter_map(|(line, number)| Some((number, repository(line)?))).collect();
    let mut settings = Vec::new();
    for pair in pairs {
        let Some(key) = pair.path.last().filter(|key| KEYS.contains(&key.as_str())) else { continue };
        let at = repositories.partition_point(|(line, _)| *line <= pair.line);
        let Some((_, repository)) = at.checked_sub(1).map(|at| &repositories[at]) else { continue };
        let expression = without_partition(&pair.expression);
        let Some((value, unresolved)) = code::evaluate(&expression, lookup).settled(&expression) else { continue };
        let origin = Origin::file(key.clone(), shown, pair.line);
        settings.push(Setting { name: format!("{repository}.{key}"), value, origin, unresolved });
    }
    settings
}

/// Finds `App.Repo` in `config :app, App.Repo,`; `None` for configuration of anything else.
fn repository(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix("config ")?;
    let mut parts = rest.split(',').map(str::trim);
    let (_, module) = (parts.next()?, parts.next()?);
    let is_module = module.starts_with(|c: char| c.is_ascii_uppercase());
    Some(if is_module { module.to_owned() } else { rest.split(',').next()?.trim_start_matches(':').to_owned() })
}

/// Cuts off what tells parallel runs apart: `"app_test#{System.get_env("MIX_TEST_PARTITION")}"`.
fn without_partition(expression: &str) -> String {
    match (expression.find("#{"), expression.rfind('}')) {
        (Some(from), Some(to)) if from < to && expression[from..to].contains("PARTITION") => {
            format!("{}{}", &expression[..from], &expression[to + 1..])
        }
        _ => expression.to_owned(),
    }
}
