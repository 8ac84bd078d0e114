//! Elixir: `config/runtime.exs` over `config/{env}.exs` over `config/config.exs`, as far as they can be evaluated.
//!
//! Source: hexdocs `Config`; MIX_ENV is `dev` unless set, and `test` for `mix test`. What Phoenix generates inside
//! `if config_env() == :prod` counts for that environment alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collections::{HashMap, HashSet};
use crate::environment::ecosystems::elixir::statements::{Context, MOST_LINES, Statements, Way, indentation, number};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::Library;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::not_followed::GivenUp;
use crate::environment::readers::code::python::{Closings, closing};
use crate::environment::readers::code::{Comments, Computed, Value};
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::expansion::Lookup;
use crate::environment::{Origin, Setting};
use crate::text::head;

const DIALECTS: &[Dialect] = &[Dialect::Godotenv15, Dialect::Ruby];

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for home in scene.homes("mix.exs") {
        readings.add_base(&home);
        for environment in scene.modes(&["MIX_ENV"], "test", "dev") {
            let mut above = vec![Layer::Environment];
            let lookup = |name: &str| scene.environment.get(name).map(str::to_owned);
            above.extend(sourced(scene.library, &home, &environment, &lookup).into_iter().map(Layer::file));
            above.extend([format!(".env.{environment}"), ".env".to_owned()].map(|name| Layer::file(home.join(name))));
            // What a developer keeps beside it is imported last.
            let own = [
                "config/runtime.exs".to_owned(),
                format!("config/{environment}.secret.exs"),
                format!("config/{environment}.local.exs"),
                format!("config/{environment}.exs"),
                "config/config.exs".to_owned(),
            ];
            let read = |name: String| {
                let path = home.join(name);
                Some((Configuration::read(scene.library, &path, Some(&environment))?, path))
            };
            let files: Vec<(Rc<Configuration>, PathBuf)> = own.into_iter().filter_map(read).collect();
            let chain = |other: Option<(usize, Way)>| -> Vec<Layer> {
                let way = |at: usize| other.filter(|(own, _)| *own == at).map_or(Way::All, |(_, way)| way);
                let layers = files.iter().enumerate().map(|(at, (file, _))| file.layer(way(at)));
                above.iter().cloned().chain(layers).collect()
            };
            readings.chain("Elixir", DIALECTS, chain(None));
            for (at, (file, path)) in files.iter().enumerate() {
                let ways = file.ways(&lookup);
                // The first is the one that all are read in.
                if ways.len() > MOST_WAYS + 1 {
                    let why = GivenUp::too_much("which of its blocks count may be so in more than 32 ways");
                    scene.library.give_up(path, None, why);
                }
                for way in ways.into_iter().skip(1).take(MOST_WAYS) {
                    readings.chain("Elixir", DIALECTS, chain(Some((at, way))));
                }
            }
        }
    }
}

/// A file is read in no more ways.
const MOST_WAYS: usize = 32;

/// Reads a configuration file; `environment` is what `config_env()` gives.
pub(crate) fn configuration(library: &Library<'_>, path: &Path, environment: Option<&str>) -> Option<Layer> {
    Configuration::read(library, path, environment).map(|one| one.layer(Way::All))
}

/// What a configuration file says.
struct Configuration {
    repositories: Vec<Repositories>,
    /// Those of them, by their place in the list, that are given a database.
    with_database: HashSet<usize>,
    said: Vec<Said>,
    code: Statements,
    environment: Option<String>,
    shown: PathBuf,
}

/// What something is given: a value under a key, or all of its settings by an expression.
struct Said {
    key: Option<String>,
    expression: String,
    line: u32,
}

/// The keys of a repository's configuration that say which database it is.
const KEYS: &[&str] =
    &["hostname", "host", "port", "database", "username", "password", "url", "socket", "socket_dir", "adapter"];

impl Configuration {
    fn read(library: &Library<'_>, path: &Path, environment: Option<&str>) -> Option<Rc<Self>> {
        if !library.exists(path) {
            return None;
        }
        let text = library.string(path)?;
        let code = Statements::of(&text);
        let (repositories, is_cut) = repositories(&text);
        if code.is_cut || is_cut {
            library.give_up(path, None, GivenUp::too_much("it has more blocks and modules than are told apart"));
        }
        let pairs = library.pairs(path, &text, Comments::Hash).into_iter().filter_map(|pair| {
            let key = pair.path.last().filter(|key| KEYS.contains(&key.as_str()))?.clone();
            Some(Said { key: Some(key), expression: pair.expression, line: pair.line })
        });
        let mut said: Vec<Said> = pairs.chain(given_as_a_whole(&text)).collect();
        // What is said last counts.
        said.sort_by_key(|one| one.line);
        let mut own = Configuration {
            repositories,
            with_database: HashSet::default(),
            said,
            code,
            environment: environment.map(str::to_owned),
            shown: library.shown(path),
        };
        let databases = own.said.iter().filter(|one| one.key.as_deref() == Some("database"));
        let with_database = databases.filter_map(|one| own.configured_at(one.line)).collect();
        own.with_database = with_database;
        Some(Rc::new(own))
    }

    fn layer(self: &Rc<Self>, way: Way) -> Layer {
        let own = Rc::clone(self);
        Layer::computed(move |lookup| own.settings(way, lookup))
    }

    fn context<'c>(&'c self, lookup: Lookup<'c>) -> Context<'c> {
        Context { environment: self.environment.as_deref(), lookup }
    }

    /// Finds what is configured at a line, by its place in the list.
    fn configured_at(&self, line: u32) -> Option<usize> {
        self.repositories.partition_point(|(own, _)| *own <= line).checked_sub(1)
    }

    /// Tells whether what is configured is a database: an endpoint has a host and an adapter, too.
    fn is_database(&self, configured: usize) -> bool {
        let is_repository = self.repositories[configured].1.iter().any(|name| name.contains("Repo"));
        is_repository || self.with_database.contains(&configured)
    }

    /// Lists the ways in which the file may be read where it is not known which of its blocks count, that in which all do
    /// first.
    fn ways(&self, lookup: Lookup<'_>) -> Vec<Way> {
        let is_of_database = |one: &&Said| self.configured_at(one.line).is_some_and(|at| self.is_database(at));
        let lines: Vec<u32> = self.said.iter().filter(is_of_database).map(|one| one.line).collect();
        self.code.begin();
        self.code.ways(&self.code.decisions(self.context(lookup)), &lines)
    }

    fn settings(&self, way: Way, lookup: Lookup<'_>) -> Vec<Setting> {
        let context = self.context(lookup);
        self.code.begin();
        let decisions = self.code.decisions(context);
        let mut settings: BTreeMap<String, Setting> = BTreeMap::new();
        for said in self.said.iter().filter(|said| self.code.counts(said.line, &decisions, way)) {
            let Some(at) = self.configured_at(said.line) else { continue };
            let is_database = self.is_database(at);
            for (key, value, expression) in self.given(said, is_database, context) {
                let Some((value, unresolved)) = value.settled(&key, &expression) else { continue };
                if unresolved.is_some() && (key == "adapter" || !is_database) {
                    continue;
                }
                let origin = Origin::file(key.clone(), &self.shown, said.line);
                for repository in self.repositories[at].1.iter() {
                    let name = format!("{repository}.{key}");
                    let (value, origin, unresolved) = (value.clone(), origin.clone(), unresolved.clone());
                    settings.insert(name.clone(), Setting { name, value, origin, unresolved });
                }
            }
        }
        settings.into_values().collect()
    }

    /// Lists what is given: under which key, what it comes to, and as it is written.
    fn given(&self, said: &Said, is_database: bool, context: Context<'_>) -> Vec<(String, Value, String)> {
        if let Some(key) = &said.key {
            let expression = of_one_partition(&said.expression, context.lookup);
            return vec![(key.clone(), self.code.value(&expression, said.line, context), expression)];
        }
        match self.code.structured(&said.expression, said.line, context) {
            Computed::Map(entries) => {
                let own = entries.into_iter().filter(|entry| KEYS.contains(&entry.key.as_str()));
                own.map(|entry| (entry.key, entry.value.into(), entry.expression)).collect()
            }
            Computed::Unset => Vec::new(),
            _ if is_database => vec![("url".to_owned(), Value::Unknown, said.expression.clone())],
            _ => Vec::new(),
        }
    }
}

/// Lists the files that Dotenvy's `source` names, the strongest first. Source: its manual.
fn sourced(library: &Library<'_>, home: &Path, environment: &str, lookup: Lookup<'_>) -> Vec<PathBuf> {
    let path = home.join("config/runtime.exs");
    if !library.exists(&path) {
        return Vec::new();
    }
    let text = library.string(&path).unwrap_or_default();
    let code = Statements::of(&text);
    let context = Context { environment: Some(environment), lookup };
    let (mut files, closings) = (Vec::new(), Closings::new());
    for call in ["source(", "source!("] {
        for (at, _) in text.match_indices(call) {
            let inside = &text[at + call.len()..];
            let Some(inside) = closings.find(inside).map(|end| &inside[..end]) else { continue };
            for item in inside.trim().trim_start_matches('[').trim_end_matches(']').split(',') {
                let value = code.value(item.trim(), u32::MAX, context);
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
            let list = head(list, LONGEST_LIST).split_once("<-").map_or("", |(_, list)| list.trim_start());
            let list = list.strip_prefix('[').and_then(|list| list.split_once(']'));
            let modules = list.map_or("", |(list, _)| list).split(',').map(str::trim);
            let modules: Rc<[String]> = modules.filter(|module| !module.is_empty()).map(str::to_owned).collect();
            if count <= MOST_LISTS && !modules.is_empty() {
                loops.insert(name.trim(), modules);
            }
        }
        let Some(repository) = repository(line) else { continue };
        let looped = loops.get(arguments(line).map_or("", configured)).map(Rc::clone);
        found.push((number, looped.unwrap_or_else(|| [repository].into())));
    }
    (found, count > MOST_LISTS)
}

/// Finds the arguments of `config` on a line, which may stand behind `do:` or an arrow.
fn arguments(line: &str) -> Option<&str> {
    let code = line.trim_start();
    let behind = [", do: ", "-> "].into_iter().filter_map(|mark| Some(code.split_once(mark)?.1.trim_start()));
    std::iter::once(code).chain(behind).find_map(|code| code.strip_prefix("config ").or(code.strip_prefix("config(")))
}

/// Gives what the second argument of `config` is.
fn configured(line: &str) -> &str {
    line.split(',').nth(1).map_or("", str::trim)
}

/// Finds `App.Repo` in `config :app, App.Repo,`; what a variable stands for may be one, too. `None` for configuration of
/// anything else.
fn repository(line: &str) -> Option<String> {
    let rest = arguments(line)?;
    let mut parts = rest.split(',').map(str::trim);
    let (application, module) = (parts.next()?, parts.next()?);
    let is_module = module.starts_with(|c: char| c.is_ascii_uppercase());
    let is_variable = module.starts_with(|c: char| c.is_ascii_lowercase()) && !module.contains([':', ' ', '"']);
    Some(match () {
        () if is_module => module.to_owned(),
        () if is_variable => format!("Repo.{}", module.trim_end_matches(')')),
        () => application.trim_start_matches(':').to_owned(),
    })
}

/// Finds where a module is given all of its settings by an expression, not key by key: `config :app, App.Repo, settings`.
fn given_as_a_whole(text: &str) -> Vec<Said> {
    let lines: Vec<&str> = text.lines().collect();
    let given = lines.iter().enumerate().filter_map(|(at, line)| {
        let second = arguments(line)?.split_once(',')?.1;
        let third = second.split_once(',')?.1.trim();
        let below = lines[at + 1..].iter().take(MOST_LINES);
        let below = below.take_while(|next| next.trim().is_empty() || indentation(next) > indentation(line));
        let below = below.filter(|next| !next.trim_start().starts_with('#'));
        let whole = below.fold(third.to_owned(), |whole, next| whole + "\n" + next);
        let whole = whole.trim();
        // A bracket that was opened before the arguments.
        let expression = whole[..closing(whole).unwrap_or(whole.len())].trim();
        let first = expression.trim_start_matches(['[', '(']).trim_start();
        let end_of_key = first.find(|c: char| !(c == '_' || c.is_alphanumeric())).unwrap_or(first.len());
        let is_key = first[end_of_key..].starts_with(':') || first.starts_with('"');
        let said = Said { key: None, expression: expression.to_owned(), line: number(at) };
        (!is_key && !first.trim_end_matches(']').is_empty()).then_some(said)
    });
    given.collect()
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
    use crate::environment::readers::code;

    #[test]
    fn each_repository_of_a_loop_is_configured() {
        let text = "for repo <- [\n  A.Repo,\n  A.Replica\n] do\n  config :a, repo,\n    hostname: \"h\"\nend\nconfig :a, A.Other, url: \"u\"\nconfig :a, key: 1\nconfig(:a, A.Third, url: \"u\")\nfor {one, host} <- list, do: config :a, one, hostname: host\n";
        let (found, is_cut) = repositories(text);
        let expected = [
            (5, vec!["A.Repo", "A.Replica"]),
            (8, vec!["A.Other"]),
            (9, vec!["a"]),
            (10, vec!["A.Third"]),
            (11, vec!["Repo.one"]),
        ];
        assert_eq!(found, expected.map(|(line, names)| (line, names.into_iter().map(str::to_owned).collect())));
        assert!(!is_cut);
    }

    #[test]
    fn settings_that_are_given_as_a_whole_are_told_from_pairs() {
        let table = [
            ("config :a, A.Repo, settings\n", &["settings"][..]),
            ("config :a, A.Repo,\n  Keyword.merge(a, host: \"h\")\nb = 1\n", &["Keyword.merge(a, host: \"h\")"]),
            ("config(:a, A.Repo, settings)\n", &["settings"]),
            ("for {k, v} <- list, do: config :a, A.Repo, [{k, v}]\n", &["[{k, v}]"]),
            ("config :a, A.Repo, url: x\nconfig :a, A.Repo, [url: x]\nconfig :a, A.Repo,\n  url: x\n", &[]),
            ("config :a, A.Repo, []\nconfig :a, key: 1\nconfig :a, A.Repo,\n  # said\n  url: x\n", &[]),
        ];
        for (text, expected) in table {
            let found = given_as_a_whole(text);
            assert_eq!(found.iter().map(|said| said.expression.as_str()).collect::<Vec<_>>(), expected, "{text}");
        }
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
            "config :a, A.Repo, a\n",
            "config :a, A.Repo,\n  a\n",
        ] {
            let text = piece.repeat(20_000);
            let (repositories, _) = repositories(&text);
            let pairs = code::pairs(&text, Comments::Hash).all(|_, _| ()).into_iter();
            let keyed =
                pairs.map(|pair| Said { key: pair.path.last().cloned(), expression: pair.expression, line: pair.line });
            let own = Configuration {
                repositories,
                with_database: HashSet::default(),
                said: keyed.chain(given_as_a_whole(&text)).collect(),
                code: Statements::of(&text),
                environment: Some("test".to_owned()),
                shown: PathBuf::from("config.exs"),
            };
            own.ways(&|_| None);
            own.settings(Way::All, &|_| None);
        }
    }
}
