//! Ruby code that says which database is used: what it puts into `ENV`, and the calls that
//! connect (`Sequel.connect`, `establish_connection`). By text, never executed.
//!
//! Sources: roda-sequel-stack's `.env.rb`; the manuals of Sequel ("Opening Databases") and Active Record.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::ruby::dotenv;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::not_followed::GivenUp;
use crate::environment::readers::code;
use crate::environment::readers::code::python::Closings;
use crate::environment::readers::code::ruby::{Sections, goes_on, holds, modified};
use crate::environment::readers::code::words::is_of_a_database;
use crate::environment::readers::code::{Comments, Computed, Value};
use crate::environment::readers::expansion::Lookup;
use crate::environment::{Origin, Setting};
use crate::text::head;

/// Where such code is kept. Sources: the generators and READMEs of Rails, Roda, Sinatra, Hanami and Sequel.
const FILES: &[&str] = &[
    ".env.rb",
    "db.rb",
    "app.rb",
    "Rakefile",
    "config/application.rb",
    "config/app.rb",
    "config/boot.rb",
    "config/database.rb",
    "config/db.rb",
    "config/environment.rb",
    "config/sequel.rb",
    "db/connection.rb",
    "lib/database.rb",
    "lib/db.rb",
];

/// The same, where tests run.
const FILES_OF_TESTS: &[&str] = &[
    "features/support/env.rb",
    "spec/rails_helper.rb",
    "spec/spec_helper.rb",
    "test/helper.rb",
    "test/spec_helper.rb",
    "test/test_helper.rb",
];

/// Folders all of whose code is gone through, and those of tests.
const FOLDERS: &[&str] = &["config/initializers", "config/providers"];
const FOLDERS_OF_TESTS: &[&str] = &["spec/support", "test/support"];

/// More files are not read.
const MOST_FILES: usize = 256;

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
    for home in scene.homes("Gemfile") {
        for environment in scene.modes(&["RACK_ENV", "RAILS_ENV", "APP_ENV", "HANAMI_ENV"], "test", "development") {
            add_code(scene, readings, &home, &environment);
        }
    }
}

fn add_code(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>, home: &Path, environment: &str) {
    let paths = paths(scene, home, environment);
    if paths.len() > MOST_FILES {
        scene.library.give_up(
            &paths[MOST_FILES],
            None,
            GivenUp::too_much("more than 256 files of code may name settings"),
        );
    }
    let mut files = Vec::new();
    for path in paths.iter().take(MOST_FILES) {
        let Some(text) = scene.library.string(path) else { continue };
        let (statements, cut) = statements(&text, environment);
        if let Some(why) = cut {
            scene.library.give_up(path, None, GivenUp::too_much(why));
        }
        // What many initializers are given is made elsewhere, and read there.
        let is_loose = FOLDERS.iter().any(|folder| path.parent().is_some_and(|own| own.ends_with(folder)));
        if !statements.is_empty() {
            files.push(Code { statements: Rc::new(statements), shown: scene.library.shown(path), is_loose });
        }
    }
    let mut ways = vec![None];
    for (at, file) in files.iter().enumerate() {
        ways.extend(open_branches(&file.statements).into_iter().map(|open| Some((at, open))));
    }
    if ways.len() > MOST_WAYS {
        let more = "more than 16 conditions that cannot be decided here say which database is used";
        scene.library.give_up(&home.join(&files[0].shown), None, GivenUp::too_much(more));
        ways.truncate(MOST_WAYS);
    }
    for way in ways {
        add_way(readings, home, environment, &files, way.as_ref());
    }
}

/// The statements of a file.
struct Code {
    statements: Rc<Vec<Statement>>,
    shown: PathBuf,
    is_loose: bool,
}

/// More ways through the branches that are not decided are not gone.
const MOST_WAYS: usize = 16;

/// Lists the branches that are not decided and may matter to which database is used: each by those that it stands in, and
/// that none is taken. Nothing where there are none.
fn open_branches(statements: &[Statement]) -> Vec<Vec<usize>> {
    let is_read = |name: &str| {
        statements.iter().any(|other| match other {
            Statement::Sets { expression, .. } => expression.contains(name),
            Statement::Connects { arguments, .. } => arguments.contains(name),
        })
    };
    let mut found: Vec<Vec<usize>> = Vec::new();
    for statement in statements {
        if let Statement::Sets { name, open, .. } = statement
            && !open.is_empty()
            && !found.contains(open)
            && (is_of_a_database(name) || is_read(name))
        {
            found.push(open.clone());
        }
    }
    if !found.is_empty() {
        found.push(Vec::new());
    }
    found
}

/// Adds what the code sets, all branches one after the other, or of one file only those of one way.
fn add_way(
    readings: &mut ReadingsBuilder<'_>,
    home: &Path,
    environment: &str,
    files: &[Code],
    way: Option<&(usize, Vec<usize>)>,
) {
    let mut forced = Vec::new();
    let mut own = Vec::new();
    let mut has_defaults = false;
    for (at, Code { statements, shown, is_loose }) in files.iter().enumerate() {
        let way = way.filter(|(file, _)| *file == at).map(|(_, open)| open.clone());
        has_defaults |= statements.iter().any(|one| matches!(one, Statement::Sets { kind: Kind::Default, .. }));
        let layer = |wanted: fn(Kind) -> bool| {
            let (statements, shown, is_loose, way) = (Rc::clone(statements), shown.clone(), *is_loose, way.clone());
            Layer::computed(move |lookup| {
                // What a variable is set to stands there and nowhere else.
                let leaves_out =
                    |kind, setting: &Setting| is_loose && kind == Kind::Connection && setting.unresolved.is_some();
                let settings = settings(&statements, way.as_deref(), &shown, lookup);
                let own = settings.into_iter().filter(|(kind, one)| wanted(*kind) && !leaves_out(*kind, one));
                own.map(|(_, setting)| setting).collect()
            })
        };
        if statements.iter().any(|one| matches!(one, Statement::Sets { kind: Kind::Forced, .. })) {
            forced.push(layer(|kind| kind == Kind::Forced));
        }
        own.push(layer(|kind| kind != Kind::Forced));
    }
    if forced.is_empty() && own.is_empty() {
        return;
    }
    // What is said last counts.
    forced.reverse();
    let files = Layer::files(home, &dotenv::files(environment));
    let chain = [forced.clone(), files.clone(), own.clone()].concat();
    readings.chain("Ruby code", dotenv::DIALECTS, chain);
    // Whether such a default is set before the files are loaded is not known.
    if has_defaults {
        let chain = [forced, vec![Layer::Environment], own, files].concat();
        readings.chain("Ruby code", dotenv::DIALECTS, chain);
    }
}

/// Lists the files that are gone through in an environment, in the order in which they are.
fn paths(scene: &Scene<'_>, home: &Path, environment: &str) -> Vec<PathBuf> {
    let is_test = environment == "test";
    let mut paths: Vec<PathBuf> = FILES.iter().map(|name| home.join(name)).collect();
    paths.push(home.join(format!("config/environments/{environment}.rb")));
    if is_test {
        paths.extend(FILES_OF_TESTS.iter().map(|name| home.join(name)));
    }
    paths.retain(|path| scene.library.exists(path));
    for folder in FOLDERS.iter().chain(FOLDERS_OF_TESTS.iter().filter(|_| is_test)) {
        let folder = home.join(folder);
        let mut names = scene.names_in(&folder);
        names.retain(|name| name.ends_with(".rb"));
        // Rails loads them by name.
        names.sort();
        paths.extend(names.iter().map(|name| folder.join(name)));
    }
    paths
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It beats the environment.
    Forced,
    /// It is set where nothing else is.
    Default,
    Connection,
}

/// What a file does about databases, with the line.
enum Statement {
    /// `ENV['X'] = …`, `ENV['X'] ||= …`; `open` are the branches that it stands in of which nothing tells whether they are
    /// taken.
    Sets { kind: Kind, name: String, expression: String, line: u32, open: Vec<usize> },
    /// `Sequel.connect(…)`: its arguments.
    Connects { call: &'static str, arguments: String, line: u32 },
}

impl Statement {
    /// Puts it into the branches that it stands in; a modifier behind it that is not decided is one more.
    fn within(self, open: &[usize], environment: &str) -> Self {
        let Statement::Sets { kind, name, expression, line, .. } = self else { return self };
        let (own, conditions) = modified(&expression);
        let is_open = conditions.iter().any(|(condition, _)| holds(condition, environment).is_none());
        // Lines of modifiers are told from branches, which are numbered from 1 on, by what is added.
        let modifier = is_open.then_some(usize::MAX - line as usize);
        let open = open.iter().copied().chain(modifier).collect();
        Statement::Sets { kind, name, expression: own.to_owned(), line, open }
    }
}

/// Lists the statements of a file; tells, too, why it was given up on before its end.
fn statements(text: &str, environment: &str) -> (Vec<Statement>, Option<&'static str>) {
    let mut found = Vec::new();
    if !text.contains("ENV") && !CONNECTS.iter().any(|call| text.contains(call)) {
        return (found, None);
    }
    let closings = Closings::new();
    let mut sections = Sections::default();
    let mut at = 0;
    for (line, number) in text.lines().zip(1..) {
        let code = line.trim();
        let start = at;
        at += line.len() + 1;
        sections.note(line, environment);
        if code.starts_with('#') || sections.is_skipped() || is_for_another(code, environment) {
            continue;
        }
        let rest = text.get(start..).unwrap_or_default().trim_start();
        let open = sections.open();
        found.extend(assigned(rest, number, &closings).into_iter().map(|one| one.within(&open, environment)));
        for call in CONNECTS {
            let Some(inside) = line.find(call).map(|at| start + at + call.len()) else { continue };
            let rest = text.get(inside..).unwrap_or_default();
            let arguments = match rest.strip_prefix('(') {
                Some(rest) => closings.find(rest).map(|end| &rest[..end]),
                None => rest.lines().next().filter(|rest| rest.starts_with(' ')),
            };
            // What is configured elsewhere is read there.
            let arguments = arguments.filter(|arguments| !CONFIGURED.iter().any(|mark| arguments.contains(mark)));
            if let Some(arguments) = arguments {
                found.push(Statement::Connects { call, arguments: arguments.to_owned(), line: number });
            }
        }
        if found.len() > MOST_STATEMENTS {
            return (found, Some("it sets variables and connects more than 2,000 times"));
        }
        if closings.is_spent() {
            return (found, Some("its brackets are not closed where they are looked for"));
        }
    }
    (found, None)
}

/// More statements of one file are not read.
const MOST_STATEMENTS: usize = 2_000;

/// How far a call is read whose end is not found, in bytes.
const LONGEST_CALL: usize = 4096;

/// Marks of arguments that take up what a framework was configured with. Source: Active Record's `DatabaseConfigurations`.
const CONFIGURED: &[&str] = &["configuration", "db_config", "connection_config", "Rails.env"];

/// Tells whether a modifier behind a statement lets it count in other environments alone.
fn is_for_another(code: &str, environment: &str) -> bool {
    [(" if ", false), (" unless ", true)].iter().any(|(word, excludes)| {
        code.rsplit_once(word).is_some_and(|(_, condition)| holds(condition, environment) == Some(*excludes))
    })
}

/// Reads the variables that a statement sets: `ENV["X"] ||= y`, `ENV.update("X" => "y")`, `ENV.store("X", "y")`.
fn assigned(code: &str, line: u32, closings: &Closings) -> Vec<Statement> {
    let Some(rest) = code.strip_prefix("ENV") else { return Vec::new() };
    let set = |name: &str, kind, expression: &str| {
        let (name, expression) = (name.trim().trim_matches(['"', '\'']).to_owned(), expression.trim().to_owned());
        Statement::Sets { kind, name, expression, line, open: Vec::new() }
    };
    if let Some((name, rest)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(['\n', ']'])) {
        let rest = rest.trim_start();
        let (kind, rest) = match rest.strip_prefix("||") {
            Some(rest) => (Kind::Default, rest),
            None => (Kind::Forced, rest),
        };
        let expression = rest.strip_prefix('=').filter(|rest| !rest.starts_with(['=', '~']));
        return expression.map(|rest| set(name, kind, &rest[..end_of(rest)])).into_iter().collect();
    }
    let calls = [".update(", ".merge!(", ".replace(", ".store("];
    let Some((call, inside)) = calls.iter().find_map(|call| Some((call, rest.strip_prefix(call)?))) else {
        return Vec::new();
    };
    let inside = closings.find(inside).map_or_else(|| head(inside, LONGEST_CALL), |end| &inside[..end]);
    if *call == ".store(" {
        return inside.split_once(',').map(|(name, value)| set(name, Kind::Forced, value)).into_iter().collect();
    }
    let text = format!("{{{}}}", inside.trim().trim_matches(['{', '}']));
    let pairs = code::pairs(&text, Comments::Hash)
        .all(|_, _| {})
        .into_iter()
        .filter_map(|pair| Some((pair.path.last()?.clone(), pair.expression)));
    pairs.map(|(name, value)| set(&name, Kind::Forced, &value)).collect()
}

/// Finds where the expression ends that begins here: at the end of its line, unless that goes on.
fn end_of(text: &str) -> usize {
    let mut end = 0;
    for line in text.split_inclusive('\n').take(MOST_LINES) {
        end += line.len();
        let so_far = text[..end].trim_end();
        if !goes_on(so_far) {
            break;
        }
    }
    text[..end].trim_end().len()
}

/// Longer expressions are not read.
const MOST_LINES: usize = 32;

/// Lists what the statements come to, one after the other; with a `way`, of those in open branches only those on it.
fn settings(statements: &[Statement], way: Option<&[usize]>, shown: &Path, lookup: Lookup<'_>) -> Vec<(Kind, Setting)> {
    let mut settings: Vec<(Kind, Setting)> = Vec::new();
    let is_on_the_way = |statement: &&Statement| match (statement, way) {
        (Statement::Sets { open, .. }, Some(way)) => way.starts_with(open),
        _ => true,
    };
    for statement in statements.iter().filter(is_on_the_way) {
        let found = {
            let set = |name: &str| {
                let own = |forced: bool| {
                    let own = settings.iter().rev();
                    let own = own.filter(|(kind, _)| forced == (*kind == Kind::Forced));
                    own.map(|(_, setting)| setting).find(|setting| setting.name == name).map(|own| own.value.clone())
                };
                own(true).or_else(|| lookup(name)).or_else(|| own(false))
            };
            evaluated(statement, shown, &set)
        };
        let kind = match statement {
            Statement::Sets { kind, .. } => *kind,
            Statement::Connects { .. } => Kind::Connection,
        };
        for setting in found {
            if kind == Kind::Forced {
                settings.retain(|(_, before)| before.name != setting.name);
            }
            settings.push((kind, setting));
        }
    }
    settings
}

fn evaluated(statement: &Statement, shown: &Path, lookup: Lookup<'_>) -> Vec<Setting> {
    match statement {
        Statement::Sets { name, expression, line, .. } => match code::evaluate(expression, lookup) {
            Value::Known(value) => vec![Setting::known(name.clone(), value, Origin::file(name.clone(), shown, *line))],
            Value::Unknown if is_of_a_database(name) => {
                let origin = Origin::file(name.clone(), shown, *line);
                let unresolved = Some(code::unresolved(name));
                vec![Setting { name: name.clone(), value: expression.clone(), origin, unresolved }]
            }
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
            let found = settings(&statements(text, environment).0, None, Path::new("db.rb"), &lookup);
            let value = |name: &str| found.iter().find(|(_, one)| one.name == name).map(|(_, one)| one.value.as_str());
            assert_eq!(value("database.Sequelconnect8.url"), Some(expected), "{environment}");
            assert_eq!(value("database.Redisnew9.host"), Some("h"));
        }
    }
    #[test]
    fn what_is_set_for_sure_is_told_from_defaults() {
        let text = "ENV['A'] = 'a'\nENV[\"B\"] ||= ENV['A'] + 'b'\nENV['C'] = 'c' if Rails.env.production?\nENV.update('D' => 'd', 'E' => ENV['X'])\nENV.store('F', 'f')\nENV['G'] =\n  'g'\nputs ENV['H'] == 'h'\nif Rails.env.production?\n  ENV['I'] = 'i'\nend\nENV['DB_URL'] = secret(1)\nestablish_connection(Rails.configuration.x)\n";
        let found = |wanted: fn(Kind) -> bool| {
            let found = settings(&statements(text, "test").0, None, Path::new("db.rb"), &|_| None);
            let found = found.iter().filter(|(kind, _)| wanted(*kind)).map(|(_, one)| {
                format!("{}{}={}", one.name, if one.unresolved.is_some() { "?" } else { "" }, one.value)
            });
            found.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found(|kind| kind == Kind::Forced), "A=a D=d F=f G=g DB_URL?=secret(1)");
        assert_eq!(found(|kind| kind == Kind::Default), "B=ab");
        assert_eq!(found(|kind| kind == Kind::Connection), "");
    }

    #[test]
    fn hostile_files_end() {
        for piece in [
            "ENV[",
            "ENV[\n",
            "ENV.update(\n",
            "ENV['A'] =\n",
            "ENV['A'] ||= ENV['A'] + 'a'\n",
            "Sequel.connect(\n",
            "case ENV\n",
        ] {
            let (statements, _) = statements(&piece.repeat(60_000), "test");
            settings(&statements, None, Path::new("db.rb"), &|_| None);
        }
    }
}
