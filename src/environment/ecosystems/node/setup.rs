//! What the configuration and set-up files of Node.js test runners, the programs that a command names and the tests
//! themselves load or set: `dotenv.config({ path: '.env.ci' })`, `process.loadEnvFile(…)`, `process.env.X = …`, and the
//! variables of Vitest's `test.env`. By text, never executed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::environment::ecosystems::node::modules::is_code;
use crate::environment::ecosystems::node::own_servers::OwnServers;
use crate::environment::ecosystems::node::{code as code_files, dialects, modules, package};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::not_followed::GivenUp;
use crate::environment::paths::normal;
use crate::environment::readers::code;
use crate::environment::readers::code::javascript::{Values, branches, statement};
use crate::environment::readers::code::words::may_be_of_a_database;
use crate::environment::readers::code::{Comments, Pair, Value};
use crate::environment::{Origin, Setting};
use crate::text::{LineIndex, head, shown, tail};

/// How such a file's name begins.
const NAMES: &[&str] = &[
    "jest.config.",
    "jest.setup.",
    "jest-setup.",
    "setupTests.",
    "setup-tests.",
    "vitest.config.",
    "vitest.setup.",
    "vite.config.",
    "playwright.config.",
    "cypress.config.",
    "drizzle.config.",
    "prisma.config.",
    "knexfile.",
    "mikro-orm.config.",
    "data-source.",
    "ormconfig.",
    "test-setup.",
];

/// Folders that set-up files are kept in too.
const FOLDERS: &[&str] = &["test", "tests", "config", "src"];

/// Folders of tests that load files themselves.
const TEST_FOLDERS: &[&str] = &["__tests__", "e2e", "integration", "it", "spec", "test", "tests"];

/// The most tests that are looked into.
const MOST_TESTS: usize = 64;

/// Keys of a test runner's configuration that name files which run first.
///
/// Source: the manuals of Jest, Vitest, Playwright and Mocha.
const RUN_FIRST: &[&str] = &["setupFiles", "setupFilesAfterEnv", "globalSetup", "setup", "require", "import", "file"];

/// Options of test runners and of Node.js that do.
const OPTIONS: &[&str] = &[
    "-c",
    "-r",
    "--config",
    "--file",
    "--globalSetup",
    "--import",
    "--require",
    "--setupFiles",
    "--setupFilesAfterEnv",
];

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let home = package::folder(scene);
    let mut files: Vec<PathBuf> = scene.files_in(&home, FOLDERS);
    let is_wanted = |path: &Path| is_setup(path) && (scene.purpose.test || !is_of_tests(path));
    files.retain(|path| is_code(path) && is_wanted(path) && !is_of_another_runner(path, scene.program()));
    files.extend(named(scene, &home, &files));
    let files = modules::with_imports(scene, files);
    for path in &files {
        add_file(scene, readings, &home, path, true);
        for environment in scene.modes(&["NODE_ENV"], "test", "development") {
            let Some(layer) = code_files::connections(scene.library, path, &environment) else { continue };
            let layers = vec![Layer::Environment, Layer::file(home.join(".env")), layer];
            readings.chain("code of the program", dialects::of(scene), layers);
        }
    }
    if scene.purpose.test {
        let is_test = |path: &PathBuf| {
            let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            is_code(path) && ["test", "spec"].iter().any(|word| name.contains(word)) && !files.contains(path)
        };
        let tests = scene.files_in(&home, TEST_FOLDERS).into_iter().filter(is_test);
        tests.take(MOST_TESTS).for_each(|path| add_file(scene, readings, &home, &path, false));
    }
}

fn is_setup(path: &Path) -> bool {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    NAMES.iter().any(|start| name.starts_with(start))
        || matches!(name.split('.').next(), Some("setup" | "globalSetup" | "setupEnv" | "env-setup"))
}

/// Tells by its name, or its folder's, whether nothing but a test runner reads a file.
fn is_of_tests(path: &Path) -> bool {
    const OF_TESTS: &[&str] = &["cypress", "jest", "playwright", "setup-tests", "setuptests", "test-setup", "vitest"];
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().to_lowercase());
    let folder = path.parent().and_then(Path::file_name).map_or_else(String::new, |name| name.to_string_lossy().into());
    OF_TESTS.iter().any(|start| name.starts_with(start)) || TEST_FOLDERS.contains(&folder.as_str())
}

/// Tells whether a file configures another test runner than the one that runs.
fn is_of_another_runner(path: &Path, program: &str) -> bool {
    const RUNNERS: &[&str] = &["cypress", "jest", "mocha", "playwright", "vitest"];
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let own = RUNNERS.iter().find(|runner| name.starts_with(&format!("{runner}.")));
    RUNNERS.contains(&program) && own.is_some_and(|own| *own != program)
}

/// Lists the files of code that the command and the configurations of test runners name.
fn named(scene: &Scene<'_>, home: &Path, configurations: &[PathBuf]) -> Vec<PathBuf> {
    let mut names: Vec<(PathBuf, String)> = Vec::new();
    let of_options = OPTIONS.iter().filter_map(|option| scene.option(option)).map(str::to_owned);
    // What the command names as a program: `tsx scripts/seed.ts`.
    let of_words = scene.words().iter().filter(|word| is_code(Path::new(word))).cloned();
    // Node.js takes a program without its ending, too.
    let is_node = matches!(scene.program(), "node" | "nodemon" | "ts-node");
    let is_path = |word: &&String| is_node && word.contains('/') && !word.starts_with('-') && !is_code(Path::new(word));
    let of_words = of_words.chain(scene.words().iter().skip(1).filter(is_path).cloned());
    names.extend(of_options.chain(of_words).map(|name| (scene.folder.to_owned(), name)));
    let of_package = ["package.json", ".mocharc.json", ".mocharc.js", ".mocharc.cjs", ".mocharc.jsonc"];
    let of_package = of_package.into_iter().map(|name| home.join(name)).filter(|path| scene.library.exists(path));
    for path in configurations.iter().cloned().chain(of_package) {
        let text = scene.library.manifest(&path);
        if !RUN_FIRST.iter().any(|key| text.contains(key)) {
            continue;
        }
        let pairs = scene.library.once(format!("pairs of the manifest {}", shown(&path)), || {
            scene.library.pairs(&path, &text, Comments::Slashes)
        });
        for pair in pairs.iter() {
            if pair.path.iter().any(|key| RUN_FIRST.contains(&key.as_str())) {
                names.extend(quoted(&pair.expression).map(|name| (home.to_owned(), name.to_owned())));
            }
        }
        // An item of a list is no pair.
        for key in RUN_FIRST {
            let Some((_, rest)) = text.split_once(&format!("{key}:")).or_else(|| text.split_once(&format!("{key}\":")))
            else {
                continue;
            };
            let Some(list) = rest.trim_start().strip_prefix('[').and_then(|list| list.split(']').next()) else {
                continue;
            };
            names.extend(quoted(list).map(|name| (home.to_owned(), name.to_owned())));
        }
    }
    let file = |(folder, name): (PathBuf, String)| {
        let name = name.trim_start_matches("<rootDir>/");
        modules::file_of(scene, &folder.join(name))
    };
    names.into_iter().filter_map(file).collect()
}

/// Lists the quoted parts of an expression.
fn quoted(expression: &str) -> impl Iterator<Item = &str> {
    expression.split(['"', '\'', '`']).skip(1).step_by(2)
}

/// Adds what a file of code loads, and what it sets where `sets` says that it runs first.
fn add_file(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>, home: &Path, path: &Path, sets: bool) {
    let Some(text) = scene.library.code(path).filter(|text| text.contains("env")) else { return };
    let pairs = scene.library.pairs_of_code(path);
    let beside = path.parent().unwrap_or(home);
    let mut seen = HashSet::new();
    let of_pairs = pairs.iter().filter(|pair| pair.path.last().is_some_and(|key| key == "path"));
    let expressions = of_pairs.map(|pair| pair.expression.as_str()).chain(arguments_of(&text, "loadEnvFile("));
    for named in expressions.flat_map(|expression| named_files(expression, scene)) {
        for file in [home.join(&named), normal(&beside.join(&named))] {
            if !seen.insert(file.clone()) {
                continue;
            }
            let mut layers = vec![Layer::Environment, Layer::file(file)];
            if text.contains("override: true") {
                layers.reverse();
            }
            readings.chain("dotenv (Node.js)", dialects::of(scene), layers);
        }
    }
    if !sets {
        return;
    }
    let shown = scene.library.shown(path);
    let mut set: Vec<Setting> = pairs.iter().filter_map(|pair| variable(pair, scene, &shown)).collect();
    let (mut defaults, mut others) = (Vec::new(), Vec::new());
    let values = Values::of_code(&text);
    let servers = OwnServers::of(&text, &values);
    let lookup = |name: &str| scene.environment.get(name).map(str::to_owned);
    let give_up = |line: u32, why: GivenUp| scene.library.give_up(path, Some(line), why);
    for assigned in assignments(&text).filter(|assigned| counts(assigned.condition, scene)) {
        let expression = values.constant(assigned.expression).unwrap_or(assigned.expression);
        let alternatives = match code::evaluate(expression, &lookup) {
            Value::Unknown => alternatives(expression, &values),
            _ => Some(vec![expression]),
        };
        let mut is_unknown = alternatives.is_none();
        for expression in alternatives.into_iter().flatten() {
            match code::evaluate(expression, &lookup) {
                Value::Known(value) => {
                    let origin = Origin::file(assigned.name, &shown, assigned.line);
                    let setting = Setting::known(assigned.name, value, origin);
                    let settings = if assigned.is_default { &mut defaults } else { &mut set };
                    match settings.iter().find(|known| known.name == setting.name) {
                        None => settings.push(setting),
                        Some(known) if known.value == setting.value => {}
                        Some(_) => others.push((setting, assigned.is_default)),
                    }
                }
                Value::Unset => {}
                Value::Unknown => is_unknown |= !servers.gave(expression),
            }
        }
        if is_unknown && may_be_of_a_database(assigned.name) {
            give_up(assigned.line, GivenUp::Code("it sets a variable to what is not evaluated here".into()));
        }
    }
    if let Some((setting, _)) = others.get(MOST_OTHERS) {
        let why = GivenUp::too_much("it sets variables again and again, to more than 64 other values");
        give_up(setting.origin.line.unwrap_or(1), why);
        others.truncate(MOST_OTHERS);
    }
    if set.is_empty() && defaults.is_empty() {
        return;
    }
    let dotenv = Layer::file(home.join(".env"));
    let (set, defaults) = (Layer::fixed(set), Layer::fixed(defaults));
    // Each value counts of a variable that is set to several.
    let again = others.into_iter().map(|(setting, is_default)| (Layer::fixed(vec![setting]), is_default));
    let with = again.map(|(other, is_default)| match is_default {
        true => vec![set.clone(), Layer::Environment, dotenv.clone(), other, defaults.clone()],
        false => vec![other, set.clone(), Layer::Environment, dotenv.clone(), defaults.clone()],
    });
    let without = vec![set.clone(), Layer::Environment, dotenv.clone(), defaults.clone()];
    for layers in std::iter::once(without).chain(with) {
        readings.chain("test runner's configuration", dialects::of(scene), layers);
    }
}

/// Finds the files that an expression names: one path of several parts (`path.join(__dirname, 'it', '.env')`), or a list
/// of them. The mode in a name (`.env.${process.env.NODE_ENV}`) is each that may run.
fn named_files(expression: &str, scene: &Scene<'_>) -> Vec<String> {
    // `require('path').join(…)`: the module is no part of the path.
    let parts: Vec<&str> = quoted(expression).filter(|part| !matches!(*part, "path" | "node:path")).collect();
    let names = match expression.trim_start().starts_with('[') {
        true => parts.iter().map(|part| (*part).to_owned()).collect(),
        false => vec![parts.join("/")],
    };
    let in_modes =
        |name: String| match name.split_once("${").and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
            Some((before, (variable, behind))) if variable.contains("ENV") => {
                let modes = scene.modes(&["NODE_ENV", "APP_ENV"], "test", "development").into_iter();
                modes.map(|mode| format!("{before}{mode}{behind}")).collect()
            }
            _ => vec![name],
        };
    let mut names: Vec<String> = names.into_iter().flat_map(in_modes).collect();
    names.retain(|name| name.contains(".env") && !name.contains("${"));
    names
}

/// Arguments longer than this many bytes are cut off.
const LONGEST_ARGUMENTS: usize = 1024;

/// Lists the arguments of each call of a function, as they are written.
fn arguments_of<'t>(text: &'t str, call: &'t str) -> impl Iterator<Item = &'t str> {
    text.match_indices(call).map(move |(at, _)| {
        let rest = &text[at + call.len()..];
        let rest = head(rest, LONGEST_ARGUMENTS);
        let mut depth = 1_usize;
        let end = rest.char_indices().find(|(_, c)| {
            depth = match c {
                '(' => depth + 1,
                ')' => depth - 1,
                _ => depth,
            };
            depth == 0
        });
        &rest[..end.map_or(rest.len(), |(at, _)| at)]
    })
}

/// `process.env.NAME = value`.
struct Assigned<'t> {
    name: &'t str,
    expression: &'t str,
    line: u32,
    /// It counts where nothing else is set: `??=`, `||=`.
    is_default: bool,
    /// The condition of the `if` right before it; empty where there is none.
    condition: &'t str,
}

/// Tells whether a statement behind a condition may run: one that asks for a word among the arguments does where the
/// command has that word, as in `process.argv.includes("--production")`.
fn counts(condition: &str, scene: &Scene<'_>) -> bool {
    let asks_for = |call: &str| {
        let asked = condition.trim().strip_prefix("process.argv")?.strip_prefix(call)?;
        let word = asked.trim_end().strip_suffix(')')?.trim().trim_matches(['"', '\'', '`']);
        word.bytes().all(|byte| byte == b'-' || byte == b'_' || byte.is_ascii_alphanumeric()).then_some(word)
    };
    let asked = asks_for(".includes(");
    asked.is_none_or(|word| scene.words().is_empty() || scene.words().iter().any(|given| given == word))
}

fn assignments(text: &str) -> impl Iterator<Item = Assigned<'_>> {
    const ENVIRONMENT: &str = "process.env";
    let lines = LineIndex::new(text);
    text.match_indices(ENVIRONMENT).filter_map(move |(at, _)| {
        let rest = &text[at + ENVIRONMENT.len()..];
        let rest = rest.strip_prefix('.').or_else(|| rest.strip_prefix("['")).or_else(|| rest.strip_prefix("[\""))?;
        let end = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric())?;
        let (name, rest) = rest.split_at(end);
        let rest = rest.trim_start_matches(['"', '\'', ']']).trim_start();
        let is_assignment = rest.starts_with(['=', '?', '|']);
        let condition = if is_assignment { condition_before(&text[..at]) } else { "" };
        let is_unset = condition.strip_prefix('!').is_some_and(|asked| asked.trim() == format!("{ENVIRONMENT}.{name}"));
        let is_default = rest.starts_with("??=") || rest.starts_with("||=") || is_unset;
        let expression = rest.trim_start_matches(['?', '|']).strip_prefix('=')?;
        if name.is_empty() || expression.starts_with(['=', '>']) {
            return None;
        }
        let expression = statement(expression);
        Some(Assigned { name, expression, line: lines.line(at), is_default, condition })
    })
}

/// Conditions longer than this many bytes are not looked at.
const LONGEST_CONDITION: usize = 1024;

/// Finds the condition of the `if` whose block, or statement, begins at the end of `text`.
fn condition_before(text: &str) -> &str {
    let text = tail(text, LONGEST_CONDITION);
    let head = text.trim_end().trim_end_matches('{').trim_end();
    let Some(inside) = head.strip_suffix(')') else { return "" };
    let mut depth = 1_usize;
    for (at, c) in inside.char_indices().rev() {
        depth = match c {
            ')' => depth + 1,
            '(' => depth - 1,
            _ => depth,
        };
        if depth == 0 {
            let is_if = inside[..at].trim_end().ends_with("if");
            return if is_if { &inside[at + 1..] } else { "" };
        }
    }
    ""
}

/// More values that variables are set to again are not told apart.
const MOST_OTHERS: usize = 64;

/// More values of an expression are not told apart.
const MOST_ALTERNATIVES: usize = 64;

/// Lists what an expression may come to in each of its branches, and in those of the variables that it is; `None` where
/// there are too many.
fn alternatives<'t>(expression: &'t str, values: &Values<'t>) -> Option<Vec<&'t str>> {
    let (mut found, mut open) = (Vec::new(), vec![expression]);
    let mut seen = HashSet::new();
    while let Some(one) = open.pop() {
        for branch in branches(one)? {
            let given = values.of(branch);
            // What is not told of a variable is unknown by its name.
            if given.is_empty() || given.contains(&None) {
                found.push(branch);
            }
            if seen.insert(branch) {
                open.extend(given.into_iter().flatten());
            }
        }
        if found.len() + open.len() > MOST_ALTERNATIVES {
            return None;
        }
    }
    Some(found)
}

/// Reads a variable of `env: { NAME: 'value' }`.
fn variable(pair: &Pair, scene: &Scene<'_>, shown: &Path) -> Option<Setting> {
    let [.., env, name] = &pair.path[..] else { return None };
    let is_part = |byte: u8| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if env != "env" || !name.bytes().all(is_part) {
        return None;
    }
    let lookup = |name: &str| scene.environment.get(name).map(str::to_owned);
    let Value::Known(value) = code::evaluate(&pair.expression, &lookup) else { return None };
    Some(Setting::known(name, value, Origin::file(name, shown, pair.line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_code_sets_is_told_from_what_it_compares() {
        let text = "process.env.A = 'x';\nprocess.env['B'] ??= \"y\"\nif (process.env.C === 'z') {}\nprocess.env.D ||= f()\nuse(process.env.E)\n\
                    process.env.F =\n  process.env.F ||\n  'z'\nnext()";
        let found: Vec<String> = assignments(text)
            .map(|one| format!("{} {}{} {}", one.line, one.name, if one.is_default { "?" } else { "" }, one.expression))
            .collect();
        assert_eq!(found, ["1 A 'x'", "2 B? \"y\"", "4 D? f()", "6 F process.env.F ||\n  'z'"]);
    }

    #[test]
    fn the_condition_of_an_assignment_is_found() {
        for (text, expected) in [
            ("if (process.argv.includes('--live')) {\n  process.env.A = 'x'", "process.argv.includes('--live')"),
            ("if (!process.env.A) {\n  process.env.A = 'x'", "!process.env.A"),
            ("if (!x) process.env.A = 'x'", "!x"),
            ("f(y)\nprocess.env.A = 'x'", ""),
            ("process.env.A = 'x'", ""),
        ] {
            let found: Vec<&str> = assignments(text).map(|assigned| assigned.condition).collect();
            assert_eq!(found, [expected], "{text}");
        }
    }

    #[test]
    fn all_that_a_variable_may_be_set_to_is_listed() {
        let code = "let url = 'a';\nif (b) { url = c ? 'd' : url; }\nconst one = url;\nlet more;\nmore += 'e';\n";
        let values = Values::of_code(code);
        for (expression, expected) in [
            ("x ? 'y' : z()", Some("'y'|z()")),
            ("one", Some("'a'|'d'")),
            ("more || 'f'", Some("more|'f'")),
            (&"a || ".repeat(100), None),
        ] {
            let found = alternatives(expression, &values).map(|mut found| {
                found.sort_unstable();
                found.dedup();
                found.join("|")
            });
            let expected = expected.map(|expected| {
                let mut parts: Vec<&str> = expected.split('|').collect();
                parts.sort_unstable();
                parts.join("|")
            });
            assert_eq!(found, expected, "{expression}");
        }
    }

    #[test]
    fn arguments_end_with_their_call() {
        let text = "loadEnvFile(path.join(__dirname, '.env'));\nloadEnvFile('x')";
        assert_eq!(arguments_of(text, "loadEnvFile(").collect::<Vec<_>>(), ["path.join(__dirname, '.env')", "'x'"]);
    }

    #[test]
    fn hostile_texts_end() {
        for piece in ["process.env.A = ", "loadEnvFile(", "if (process.env.A = 1\n", "process.env.A ||=\n"] {
            let text = piece.repeat(60_000);
            assert!(assignments(&text).count() <= 60_000);
            assert!(arguments_of(&text, "loadEnvFile(").count() <= 60_000);
        }
    }
}
