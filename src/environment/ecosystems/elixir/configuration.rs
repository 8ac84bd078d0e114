//! Elixir: `config/runtime.exs` over `config/{env}.exs` over `config/config.exs`, as far as they can be evaluated.
//!
//! Source: hexdocs `Config`; MIX_ENV is `dev` unless set, and `test` for `mix test`. What Phoenix generates inside
//! `if config_env() == :prod` counts for that environment alone.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collections::HashMap;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::Library;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::not_followed::GivenUp;
use crate::environment::readers::code;
use crate::environment::readers::code::python::Closings;
use crate::environment::readers::code::{Comments, Computed, Pair, Value};
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::expansion::Lookup;
use crate::environment::{Origin, Setting};

const DIALECTS: &[Dialect] = &[Dialect::Godotenv15, Dialect::Ruby];

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for home in scene.homes("mix.exs") {
        readings.add_base(&home);
        for environment in scene.modes(&["MIX_ENV"], "test", "dev") {
            let mut layers = vec![Layer::Environment];
            let lookup = |name: &str| scene.environment.get(name).map(str::to_owned);
            layers.extend(sourced(scene.library, &home, &environment, &lookup).into_iter().map(Layer::file));
            layers.extend([format!(".env.{environment}"), ".env".to_owned()].map(|name| Layer::file(home.join(name))));
            // What a developer keeps beside it is imported last.
            let own = [
                "config/runtime.exs".to_owned(),
                format!("config/{environment}.secret.exs"),
                format!("config/{environment}.local.exs"),
                format!("config/{environment}.exs"),
                "config/config.exs".to_owned(),
            ];
            for name in own {
                layers.extend(configuration(scene.library, &home.join(name), Some(&environment)));
            }
            readings.chain("Elixir", DIALECTS, layers);
        }
    }
}

/// Reads a configuration file; `environment` is what `config_env()` gives.
pub(crate) fn configuration(library: &Library<'_>, path: &Path, environment: Option<&str>) -> Option<Layer> {
    if !library.exists(path) {
        return None;
    }
    let text = library.string(path)?;
    let shown = library.shown(path);
    let pairs = library.pairs(path, &text, Comments::Hash);
    let code = Statements::of(&text);
    let (repositories, is_cut) = repositories(&text);
    if code.is_cut || is_cut {
        library.give_up(path, None, GivenUp::too_much("it has more blocks and modules than are told apart"));
    }
    let environment = environment.map(str::to_owned);
    Some(Layer::computed(move |lookup| {
        code.left.set(MOST_STEPS);
        settings(&repositories, &pairs, &code, environment.as_deref(), &shown, lookup)
    }))
}

/// Lists the files that Dotenvy's `source` names, the strongest first. Source: its manual.
fn sourced(library: &Library<'_>, home: &Path, environment: &str, lookup: Lookup<'_>) -> Vec<PathBuf> {
    let path = home.join("config/runtime.exs");
    if !library.exists(&path) {
        return Vec::new();
    }
    let text = library.string(&path).unwrap_or_default();
    let code = Statements::of(&text);
    let (mut files, closings) = (Vec::new(), Closings::new());
    for call in ["source(", "source!("] {
        for (at, _) in text.match_indices(call) {
            let inside = &text[at + call.len()..];
            let Some(inside) = closings.find(inside).map(|end| &inside[..end]) else { continue };
            for item in inside.trim().trim_start_matches('[').trim_end_matches(']').split(',') {
                let value = code.evaluated(item.trim(), u32::MAX, Some(environment), lookup, MOST_NAMES);
                if let Value::Known(name) = value {
                    files.push(home.join(name));
                }
            }
        }
    }
    if closings.is_spent() {
        let why = GivenUp::too_much("its brackets are not closed where they are looked for");
        library.give_up(&path, None, why);
    }
    files.reverse();
    files.retain(|path| library.exists(path));
    files
}

/// What stands around the pairs of a file: names that are assigned, and blocks that hang on a condition.
struct Statements {
    /// The expression of each name that is assigned, and the line.
    names: Vec<(String, u32)>,
    by_name: HashMap<String, Vec<usize>>,
    blocks: Vec<Block>,
    /// It has more blocks than are told apart.
    is_cut: bool,
    /// How many expressions may still be evaluated.
    left: Cell<usize>,
}

/// Files with more blocks are not read to their end, and no more expressions are evaluated at once.
const MOST_BLOCKS: usize = 512;
const MOST_STEPS: usize = 20_000;

/// Where lines stand that begin with `end`, or are `else`, by their indentation.
struct Marks(HashMap<(&'static str, usize), Vec<usize>>);

impl Marks {
    fn of(lines: &[&str]) -> Self {
        let mut marks: HashMap<(&'static str, usize), Vec<usize>> = HashMap::default();
        for (at, line) in lines.iter().enumerate() {
            let code = line.trim();
            let mark = if code.starts_with("end") { "end" } else { "else" };
            if mark == "end" || code == "else" {
                marks.entry((mark, indentation(line))).or_default().push(at);
            }
        }
        Marks(marks)
    }

    /// Finds the next one behind a line.
    fn next(&self, mark: &'static str, indentation: usize, at: usize) -> Option<usize> {
        let lines = self.0.get(&(mark, indentation))?;
        lines.get(lines.partition_point(|own| *own <= at)).copied()
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// `if condition do … else … end`, found by its indentation.
struct Block {
    condition: String,
    from: u32,
    /// The line of `else`, or of `end`.
    otherwise: u32,
    end: u32,
}

/// Names that refer to names are followed so far.
const MOST_NAMES: usize = 8;

impl Statements {
    fn of(text: &str) -> Self {
        let lines: Vec<&str> = text.lines().collect();
        let marks = Marks::of(&lines);
        let number = |at: usize| u32::try_from(at + 1).unwrap_or(u32::MAX);
        let (mut names, mut by_name, mut blocks) = (Vec::new(), HashMap::default(), Vec::new());
        for (at, line) in lines.iter().enumerate() {
            let outer = indentation(line);
            let code = line.trim();
            if let Some((kind, condition)) = code.strip_suffix(" do").and_then(|code| code.split_once(' '))
                && matches!(kind, "if" | "unless")
                && let Some(end) = marks.next("end", outer, at)
            {
                let otherwise = marks.next("else", outer, at).filter(|otherwise| *otherwise < end).unwrap_or(end);
                let condition = if kind == "if" { condition.to_owned() } else { format!("not ({condition})") };
                blocks.push(Block { condition, from: number(at), otherwise: number(otherwise), end: number(end) });
            }
            let name = code.split([' ', '=']).next().unwrap_or_default();
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
            let Some(start) = code.strip_prefix(name).map(str::trim_start).and_then(|rest| rest.strip_prefix('='))
            else {
                continue;
            };
            if !is_name || start.starts_with(['=', '~', '>']) {
                continue;
            }
            let mut expression = start.to_owned();
            for next in lines[at + 1..].iter().take(MOST_LINES) {
                let is_end = indentation(next) == outer && matches!(next.trim(), "end" | "else" | ")" | "]" | "}");
                if !next.trim().is_empty() && indentation(next) <= outer && !is_end {
                    break;
                }
                expression.push('\n');
                expression.push_str(next);
                if is_end && next.trim() != "else" {
                    break;
                }
            }
            by_name.entry(name.to_owned()).or_insert_with(Vec::new).push(names.len());
            names.push((expression, number(at)));
        }
        // What stands around a line is looked up among them.
        let is_cut = blocks.len() > MOST_BLOCKS;
        blocks.truncate(MOST_BLOCKS);
        Statements { names, by_name, blocks, is_cut, left: Cell::new(MOST_STEPS) }
    }

    /// Evaluates an expression that stands at `line`.
    fn evaluated(
        &self,
        expression: &str,
        line: u32,
        environment: Option<&str>,
        lookup: Lookup<'_>,
        depth: usize,
    ) -> Value {
        let names = |name: &str| {
            if matches!(name, "config_env()" | "Mix.env()") {
                return Some(environment.map_or(Computed::Unknown, |name| Computed::Text(name.to_owned())));
            }
            let own = self.by_name.get(name)?;
            let before = own.partition_point(|at| self.names[*at].1 < line);
            let (expression, at) = &self.names[own[before.checked_sub(1)?]];
            let depth = depth.checked_sub(1)?;
            Some(match self.evaluated(expression, *at, environment, lookup, depth) {
                Value::Known(value) => Computed::Text(value),
                Value::Unset => Computed::Unset,
                Value::Unknown => Computed::Unknown,
            })
        };
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => return Value::Unknown,
        }
        code::evaluate_with(expression, lookup, &names)
    }

    /// Tells whether what stands at `line` counts: no block around it is for a condition that does not hold.
    fn counts(&self, line: u32, environment: Option<&str>, lookup: Lookup<'_>) -> bool {
        let around = self.blocks.iter().filter(|block| block.from < line && line < block.end);
        around.into_iter().all(|block| {
            let condition = format!("\"yes\" if {} else \"no\"", block.condition);
            match self.evaluated(&condition, block.from, environment, lookup, MOST_NAMES) {
                Value::Known(said) if said == "yes" => line < block.otherwise,
                Value::Known(_) if block.otherwise < block.end => line > block.otherwise,
                // What hangs on a variable that is not set may count, unless it is about another environment.
                Value::Known(_) => !block.condition.contains("config_env") && !block.condition.contains("Mix.env"),
                Value::Unset | Value::Unknown => true,
            }
        })
    }
}

/// Longer expressions are not read.
const MOST_LINES: usize = 64;

/// The keys of a repository's configuration that say which database it is.
const KEYS: &[&str] =
    &["hostname", "host", "port", "database", "username", "password", "url", "socket", "socket_dir", "adapter"];

fn settings(
    repositories: &[Repositories],
    pairs: &[Pair],
    code: &Statements,
    environment: Option<&str>,
    shown: &Path,
    lookup: Lookup<'_>,
) -> Vec<Setting> {
    let block_of = |pair: &Pair| repositories.partition_point(|(line, _)| *line <= pair.line);
    let is_database = |pair: &&Pair| pair.path.last().is_some_and(|key| key == "database");
    let databases: Vec<usize> = pairs.iter().filter(is_database).map(block_of).collect();
    let mut settings: BTreeMap<String, Setting> = BTreeMap::new();
    for pair in pairs.iter().filter(|pair| code.counts(pair.line, environment, lookup)) {
        let Some(key) = pair.path.last().filter(|key| KEYS.contains(&key.as_str())) else { continue };
        let at = block_of(pair);
        let Some((_, repositories)) = at.checked_sub(1).map(|before| &repositories[before]) else { continue };
        let expression = of_one_partition(&pair.expression, lookup);
        let value = code.evaluated(&expression, pair.line, environment, lookup, MOST_NAMES);
        let Some((value, unresolved)) = value.settled(key, &expression) else { continue };
        // An endpoint has a host and an adapter, too.
        let is_repository = repositories.iter().any(|name| name.contains("Repo"));
        let says_where = key != "adapter" && (is_repository || databases.contains(&at));
        if unresolved.is_some() && !says_where {
            continue;
        }
        let origin = Origin::file(key.clone(), shown, pair.line);
        for repository in repositories.iter() {
            let name = format!("{repository}.{key}");
            let (value, origin, unresolved) = (value.clone(), origin.clone(), unresolved.clone());
            // What is said last counts.
            settings.insert(name.clone(), Setting { name, value, origin, unresolved });
        }
    }
    settings.into_values().collect()
}

/// The line that begins to configure modules, and which.
type Repositories = (u32, Rc<[String]>);

/// Longer lists, in bytes, and more of them are not read.
const LONGEST_LIST: usize = 4096;
const MOST_LISTS: usize = 64;

/// Finds what the lines of a file configure: a module, or each that a loop gives (`for repo <- [A, B] do`). Tells, too,
/// whether there are more loops than are told apart.
fn repositories(text: &str) -> (Vec<Repositories>, bool) {
    let mut found = Vec::new();
    let mut loops: HashMap<&str, Rc<[String]>> = HashMap::default();
    let (mut at, mut count) = (0, 0);
    for (line, number) in text.lines().zip(1..) {
        let from = at;
        at += line.len() + 1;
        if let Some((name, _)) = line.trim_start().strip_prefix("for ").and_then(|rest| rest.split_once("<-")) {
            count += 1;
            let list = text.get(from..).unwrap_or_default();
            let window = (0..=list.len().min(LONGEST_LIST)).rev().find(|at| list.is_char_boundary(*at)).unwrap_or(0);
            let list = list[..window].split_once("<-").map_or("", |(_, list)| list.trim_start());
            let list = list.strip_prefix('[').and_then(|list| list.split_once(']'));
            let modules = list.map_or("", |(list, _)| list).split(',').map(str::trim);
            let modules: Rc<[String]> = modules.filter(|module| !module.is_empty()).map(str::to_owned).collect();
            if count <= MOST_LISTS && !modules.is_empty() {
                loops.insert(name.trim(), modules);
            }
        }
        let Some(repository) = repository(line) else { continue };
        let looped = loops.get(configured(line)).map(Rc::clone);
        found.push((number, looped.unwrap_or_else(|| [repository].into())));
    }
    (found, count > MOST_LISTS)
}

/// Gives what the second argument of `config` is.
fn configured(line: &str) -> &str {
    line.split(',').nth(1).map_or("", str::trim)
}

/// Finds `App.Repo` in `config :app, App.Repo,`; `None` for configuration of anything else.
fn repository(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix("config ")?;
    let mut parts = rest.split(',').map(str::trim);
    let (_, module) = (parts.next()?, parts.next()?);
    let is_module = module.starts_with(|c: char| c.is_ascii_uppercase());
    Some(if is_module { module.to_owned() } else { rest.split(',').next()?.trim_start_matches(':').to_owned() })
}

/// Fills in what tells parallel runs apart, which is nothing where there is but one:
/// `"app_test#{System.get_env("MIX_TEST_PARTITION")}"`.
fn of_one_partition(expression: &str, lookup: Lookup<'_>) -> String {
    const PARTITION: &str = "MIX_TEST_PARTITION";
    match (expression.find("#{"), expression.rfind('}')) {
        (Some(from), Some(to)) if from < to && expression[from..to].contains("PARTITION") => {
            let own = expression[from..to].contains(PARTITION).then(|| lookup(PARTITION)).flatten();
            let is_plain = |own: &String| own.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            format!("{}{}{}", &expression[..from], own.filter(is_plain).unwrap_or_default(), &expression[to + 1..])
        }
        _ => expression.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_repository_of_a_loop_is_configured() {
        let text = "for repo <- [\n  A.Repo,\n  A.Replica\n] do\n  config :a, repo,\n    hostname: \"h\"\nend\nconfig :a, A.Other, url: \"u\"\nconfig :a, key: 1\n";
        let (found, is_cut) = repositories(text);
        let expected = [(5, vec!["A.Repo", "A.Replica"]), (8, vec!["A.Other"]), (9, vec!["a"])];
        assert_eq!(found, expected.map(|(line, names)| (line, names.into_iter().map(str::to_owned).collect())));
        assert!(!is_cut);
    }

    #[test]
    fn hostile_files_end() {
        for piece in [
            "for r <- [A\n",
            "for r <- [A, B, C, D] do\nconfig :a, r, url: x\nend\n",
            "for ",
            "if x do\n",
            "if x do\nelse\nend\n",
            "a = a <> a\n",
            "a =\n  b\n",
            "config :a, A.Repo, url: a\n",
            "config :a, A.Repo, url: \"#{a}#{a}\"\na = a\n",
        ] {
            let text = piece.repeat(60_000);
            let (repositories, _) = repositories(&text);
            let code = Statements::of(&text);
            let pairs = code::pairs(&text, Comments::Hash).all(|_, _| ());
            settings(&repositories, &pairs, &code, Some("test"), Path::new("config.exs"), &|_| None);
        }
    }
}
