//! Ruby code that says which database is used: `.env.rb`, which sets variables that are not set, and the calls that
//! connect (`Sequel.connect`, `establish_connection`). By text, never executed.
//!
//! Sources: roda-sequel-stack's `.env.rb`; the manuals of Sequel ("Opening Databases") and Active Record.

use std::path::{Path, PathBuf};

use crate::environment::ecosystems::ruby::dotenv;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::code;
use crate::environment::readers::code::{Computed, Value, python};
use crate::environment::readers::expansion::Lookup;
use crate::environment::{Origin, Setting};

/// Where such code is kept. Sources: the generators and READMEs of Roda, Sinatra, Hanami and Sequel.
const FILES: &[&str] = &[
    ".env.rb",
    "db.rb",
    "app.rb",
    "Rakefile",
    "config/boot.rb",
    "config/database.rb",
    "config/db.rb",
    "config/environment.rb",
    "config/initializers/sequel.rb",
    "config/providers/db.rb",
    "config/sequel.rb",
    "db/connection.rb",
    "lib/database.rb",
    "lib/db.rb",
    "spec/spec_helper.rb",
    "test/test_helper.rb",
];

/// Calls that connect to what they are given.
const CONNECTS: &[&str] = &[
    "Sequel.connect",
    "establish_connection",
    "Redis.new",
    "Mongo::Client.new",
    "PG.connect",
    "Mysql2::Client.new",
    "ROM::Configuration.new",
];

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let paths: Vec<PathBuf> =
        FILES.iter().map(|name| scene.path(name)).filter(|path| scene.library.exists(path)).collect();
    for environment in scene.modes(&["RACK_ENV", "RAILS_ENV", "APP_ENV", "HANAMI_ENV"], "test", "development") {
        let mut layers = Layer::files(scene.folder, &dotenv::files(&environment));
        let mut has_any = false;
        for path in &paths {
            let Some(text) = scene.library.string(path) else { continue };
            let statements = statements(&text, &environment);
            has_any |= !statements.is_empty();
            let shown = scene.library.shown(path);
            layers.push(Layer::computed(move |lookup| settings(&statements, &shown, lookup)));
        }
        if has_any {
            readings.chain("Ruby code", dotenv::DIALECTS, layers);
        }
    }
}

/// What a file does about databases, with the line.
enum Statement {
    /// `ENV['X'] ||= …`
    Sets { name: String, expression: String, line: u32 },
    /// `Sequel.connect(…)`: its arguments.
    Connects { call: &'static str, arguments: String, line: u32 },
}

fn statements(text: &str, environment: &str) -> Vec<Statement> {
    let mut found = Vec::new();
    let mut section = Section::default();
    let mut at = 0;
    for (line, number) in text.lines().zip(1..) {
        let code = line.trim();
        let start = at;
        at += line.len() + 1;
        section.note(code, environment);
        if code.starts_with('#') || section.is_skipped {
            continue;
        }
        if let Some(rest) = code.strip_prefix("ENV[")
            && let Some((name, rest)) = rest.split_once(']')
        {
            let expression = rest.trim_start().trim_start_matches("||").strip_prefix('=');
            let name = name.trim_matches(['"', '\'']).to_owned();
            if let Some(expression) = expression.filter(|expression| !expression.starts_with('=')) {
                found.push(Statement::Sets { name, expression: expression.trim().to_owned(), line: number });
            }
        }
        for call in CONNECTS {
            let Some(inside) = text.get(start..).and_then(|_| line.find(call).map(|at| start + at + call.len())) else {
                continue;
            };
            let rest = text.get(inside..).unwrap_or_default();
            let arguments = match rest.strip_prefix('(') {
                Some(rest) => python::closing(rest).map(|end| &rest[..end]),
                None => rest.lines().next().filter(|rest| rest.starts_with(' ')),
            };
            if let Some(arguments) = arguments {
                found.push(Statement::Connects { call, arguments: arguments.to_owned(), line: number });
            }
        }
    }
    found
}

/// Where in a `case ENV['RACK_ENV']` a line stands.
#[derive(Default)]
struct Section {
    is_inside: bool,
    was_named: bool,
    is_skipped: bool,
}

impl Section {
    fn note(&mut self, code: &str, environment: &str) {
        if code.starts_with("case ") && (code.contains("_ENV") || code.contains("environment")) {
            *self = Section { is_inside: true, ..Section::default() };
        } else if self.is_inside && code.starts_with("when ") {
            let names = code.split(['"', '\'', ':', ' ', ',']);
            let is_own = names.into_iter().any(|name| name == environment);
            self.was_named |= is_own;
            self.is_skipped = !is_own;
        } else if self.is_inside && code == "else" {
            self.is_skipped = self.was_named;
        } else if self.is_inside && code == "end" {
            *self = Section::default();
        }
    }
}

fn settings(statements: &[Statement], shown: &Path, lookup: Lookup<'_>) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for statement in statements {
        let found = {
            let set = |name: &str| {
                let own = || settings.iter().find(|setting| setting.name == name).map(|setting| setting.value.clone());
                lookup(name).or_else(own)
            };
            evaluated(statement, shown, &set)
        };
        settings.extend(found);
    }
    settings
}

fn evaluated(statement: &Statement, shown: &Path, lookup: Lookup<'_>) -> Vec<Setting> {
    match statement {
        Statement::Sets { name, expression, line } => match code::evaluate(expression, lookup) {
            Value::Known(value) => vec![Setting::known(name.clone(), value, Origin::file(name.clone(), shown, *line))],
            Value::Unset | Value::Unknown => Vec::new(),
        },
        Statement::Connects { call, arguments, line } => {
            let name = |key: &str| format!("database.{}{line}.{key}", call.replace([':', '.'], ""));
            let mut found = Vec::new();
            let Some((positional, keywords)) = code::arguments(arguments, lookup) else {
                return vec![unknown(name("url"), "url", arguments, shown, *line)];
            };
            let first = positional.into_iter().next().map(|value| ("url".to_owned(), value));
            for (key, value) in first.into_iter().chain(keywords) {
                match value {
                    Computed::Text(value) => {
                        found.push(Setting::known(name(&key), value, Origin::file(key.clone(), shown, *line)));
                    }
                    Computed::Unknown if matches!(key.as_str(), "url" | "host" | "database") => {
                        found.push(unknown(name(&key), &key, arguments, shown, *line));
                    }
                    _ => {}
                }
            }
            found
        }
    }
}

fn unknown(name: String, key: &str, expression: &str, shown: &Path, line: u32) -> Setting {
    let origin = Origin::file(key, shown, line);
    Setting { name, value: expression.to_owned(), origin, unresolved: Some(code::unresolved(key)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_set_by_the_section_of_the_environment_and_connections_read_them() {
        let text = "case ENV['RACK_ENV'] ||= 'development'\nwhen 'test'\n  ENV['DB_URL'] ||= 'postgres:///t'\nwhen 'production'\nelse\n  ENV['DB_URL'] ||= \"postgres:///d\"\nend\nDB = Sequel.connect(ENV.delete('DB_URL') || ENV.delete('OTHER'))\nR = Redis.new(host: 'h', port: 1)\n";
        let table = [("test", None, "postgres:///t"), ("development", None, "postgres:///d"), ("test", Some("x"), "x")];
        for (environment, set, expected) in table {
            let lookup = |name: &str| set.filter(|_| name == "DB_URL").map(str::to_owned);
            let found = settings(&statements(text, environment), Path::new("db.rb"), &lookup);
            let value =
                |name: &str| found.iter().find(|setting| setting.name == name).map(|setting| setting.value.as_str());
            assert_eq!(value("database.Sequelconnect8.url"), Some(expected), "{environment}");
            assert_eq!(value("database.Redisnew9.host"), Some("h"));
        }
    }
}
