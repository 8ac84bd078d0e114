//! Layers of values laid over each other: the strongest says what a name is.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::command::{FileReader, WrapperFile};
use super::load::{Dialect, Library, Sheet};
use super::survey::{Condition, FileProblem, ProblemKind, Survey};
use super::{Invocation, Origin, Project, Reading, Setting, Unresolved, load_order};

/// Looks a variable up in what the stronger layers have set.
pub(super) type Lookup<'l> = &'l dyn Fn(&str) -> Option<String>;

/// Values that depend on the layers above them: placeholders, templates, default values in code.
pub(super) type Computed = Rc<dyn Fn(Lookup<'_>) -> Vec<Setting>>;

/// Where values come from, one step of a load order.
#[derive(Clone)]
pub(super) enum Layer {
    /// The environment that the command is started with.
    Shell,
    /// A dotenv file; in the chain's dialects, or in its own.
    File(PathBuf, Option<&'static [Dialect]>),
    /// Values that stand as they are.
    Fixed(Sheet),
    /// Values that depend on stronger layers.
    Computed(Computed),
}

impl Layer {
    pub(super) fn file(path: PathBuf) -> Layer {
        Layer::File(path, None)
    }
}

/// One loader's order, the strongest layer first.
struct Chain {
    loader: &'static str,
    dialects: &'static [Dialect],
    layers: Vec<Layer>,
}

/// The environment that a command is started with.
#[derive(Debug, Clone, Default)]
pub(super) struct Shell {
    settings: Rc<Vec<Setting>>,
    index: Rc<HashMap<String, usize>>,
    fingerprint: u64,
}

impl Shell {
    /// Bytes that are not UTF-8 are replaced.
    pub(super) fn of_process(process: &[(OsString, OsString)]) -> Self {
        Shell::of(process.iter().map(|(name, value)| {
            let (name, value) = (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned());
            Setting { origin: Origin::process(name.clone()), name, value, unresolved: None }
        }))
    }

    /// A later setting of the same name replaces an earlier one.
    pub(super) fn of(given: impl IntoIterator<Item = Setting>) -> Self {
        let mut settings: Vec<Setting> = Vec::new();
        let mut index = HashMap::new();
        for setting in given {
            match index.get(&setting.name) {
                Some(&at) => settings[at] = setting,
                None => {
                    index.insert(setting.name.clone(), settings.len());
                    settings.push(setting);
                }
            }
        }
        let mut hasher = DefaultHasher::new();
        for setting in &settings {
            (&setting.name, &setting.value, &setting.origin).hash(&mut hasher);
        }
        Shell { settings: Rc::new(settings), index: Rc::new(index), fingerprint: hasher.finish() }
    }

    /// This environment with the invocation's assignments in it.
    pub(super) fn with_assignments(&self, invocation: &Invocation) -> Self {
        if invocation.assignments.is_empty() {
            return self.clone();
        }
        let mut given: Vec<Setting> = Vec::new();
        for (name, value) in &invocation.assignments {
            let look = |name: &str| {
                let before = given.iter().rev().find(|setting| setting.name == name);
                before.map(|setting| setting.value.clone()).or_else(|| self.get(name).map(str::to_owned))
            };
            let (value, unresolved) = expanded(value, &look);
            let origin = Origin { variable: name.clone(), ..invocation.origin.clone() };
            given.push(Setting { name: name.clone(), value, origin, unresolved });
        }
        Shell::of(self.settings.iter().cloned().chain(given))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.index.get(name).map(|at| self.settings[*at].value.as_str())
    }

    /// Tells environments apart.
    pub(super) fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

/// `$X`, `${X}` and `${X:-d}` as a shell expands them, where X is known; `$(…)` is left and said so.
pub(super) fn expanded(text: &str, lookup: Lookup<'_>) -> (String, Option<Unresolved>) {
    let mut value = String::with_capacity(text.len());
    let mut unresolved = text.contains('`').then_some(Unresolved::CommandSubstitution);
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        value.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let braced = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let bare = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (name, default, after) = match braced {
            Some((inner, after)) => match inner.split_once(":-").or_else(|| inner.split_once('-')) {
                Some((name, default)) => (name, Some(default), after),
                None => (inner, None, after),
            },
            None => (&rest[..bare], None, &rest[bare..]),
        };
        match lookup(name).or(default.map(str::to_owned)) {
            Some(known) if !name.is_empty() => {
                value.push_str(&known);
                rest = after;
            }
            _ => {
                if rest.starts_with('(') {
                    unresolved = Some(Unresolved::CommandSubstitution);
                }
                value.push('$');
            }
        }
    }
    value.push_str(rest);
    (value, unresolved)
}

/// The survey under construction.
pub(super) struct Draft<'a> {
    library: &'a Library<'a>,
    project: &'a Project,
    /// The files of `--env-file`, absolute.
    pub(super) extra: Vec<PathBuf>,
    chains: Vec<Chain>,
    readings: Vec<(u64, Reading, BTreeSet<&'static str>)>,
    conditions: Vec<Condition>,
    loaders: BTreeSet<&'static str>,
    bases: Vec<PathBuf>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(library: &'a Library<'a>, project: &'a Project) -> Self {
        Draft {
            library,
            project,
            extra: Vec::new(),
            chains: Vec::new(),
            readings: Vec::new(),
            conditions: Vec::new(),
            loaders: BTreeSet::new(),
            bases: Vec::new(),
        }
    }

    /// A plausible load order; where it reads no file that is there, it is no reading of its own.
    pub(super) fn chain(&mut self, loader: &'static str, dialects: &'static [Dialect], layers: Vec<Layer>) {
        self.loaders.insert(loader);
        self.chains.push(Chain { loader, dialects, layers });
    }

    pub(super) fn condition(&mut self, condition: Condition) {
        if !self.conditions.contains(&condition) {
            self.conditions.push(condition);
        }
    }

    pub(super) fn add_base(&mut self, folder: &Path) {
        if !self.bases.iter().any(|base| base == folder) {
            self.bases.push(folder.to_owned());
        }
    }

    pub(super) fn shown(&self, path: &Path) -> PathBuf {
        self.project.shown(path)
    }

    /// An environment that the command may start with, as a reading of its own.
    pub(super) fn add_shell(&mut self, name: &'static str, shell: &Shell) {
        self.keep(name, shell, &[]);
    }

    /// Turns the chains collected so far into readings, with what the wrappers around the command load.
    pub(super) fn finish_scene(&mut self, shell: &Shell, wrappers: &[WrapperFile], folder: &Path) {
        let mut chains = std::mem::take(&mut self.chains);
        if chains.is_empty() || !wrappers.is_empty() {
            chains.push(Chain { loader: "wrapper", dialects: &[Dialect::Lenient], layers: vec![Layer::Shell] });
        }
        let extra: Vec<Layer> = self.extra.clone().iter().rev().flat_map(|path| self.any_file(path)).collect();
        for mut chain in chains {
            for wrapper in wrappers {
                let path = folder.join(&wrapper.path);
                let layer = Layer::File(path, Some(dialects_of(wrapper.reader)));
                let shell_at = chain.layers.iter().position(|layer| matches!(layer, Layer::Shell)).unwrap_or(0);
                let at = if wrapper.overrides { shell_at } else { shell_at + 1 };
                chain.layers.insert(at.min(chain.layers.len()), layer);
            }
            self.evaluate(&chain, shell);
            if !extra.is_empty() {
                let shell_at = chain.layers.iter().position(|layer| matches!(layer, Layer::Shell)).unwrap_or(0);
                let at = (shell_at + 1).min(chain.layers.len());
                chain.layers.splice(at..at, extra.iter().cloned());
                self.evaluate(&chain, shell);
            }
        }
    }

    /// Each file of `--env-file` as a candidate by itself.
    pub(super) fn add_extra_files(&mut self, shell: &Shell) {
        for path in self.extra.clone() {
            if !self.library.exists(&path) {
                let message = "was asked for and is not there".to_owned();
                let (file, kind) = (self.project.shown(&path), ProblemKind::Missing);
                self.library.problem(FileProblem { file, line: None, message, kind });
            }
            let mut layers = self.any_file(&path);
            layers.push(Layer::Shell);
            let dialects = load_order::EVERY_DIALECT;
            self.evaluate(&Chain { loader: "--env-file", dialects, layers }, shell);
        }
    }

    /// A file of any kind as layers: dotenv, or by its extension something else.
    pub(super) fn any_file(&self, path: &Path) -> Vec<Layer> {
        load_order::files::layers(path, self.library)
    }

    fn evaluate(&mut self, chain: &Chain, shell: &Shell) {
        let rounds = chain.layers.iter().map(|layer| match layer {
            Layer::File(path, own) if !self.library.is_plain(path) => own.map_or(chain.dialects.len(), <[_]>::len),
            _ => 1,
        });
        for round in 0..rounds.max().unwrap_or(1) {
            let from_files = merge(chain, round, shell, self.library);
            if !from_files.is_empty() {
                self.keep(chain.loader, shell, &from_files);
            }
        }
    }

    /// Keeps a reading of the settings `from_files` over what they leave of `shell`, unless it is there already.
    fn keep(&mut self, loader: &'static str, shell: &Shell, from_files: &[Setting]) {
        self.loaders.insert(loader);
        let mut hasher = DefaultHasher::new();
        shell.fingerprint().hash(&mut hasher);
        let mut sorted: Vec<&Setting> = from_files.iter().collect();
        sorted.sort_by(|one, other| one.name.cmp(&other.name));
        for setting in sorted {
            (&setting.name, &setting.value, &setting.origin, setting.unresolved.is_some()).hash(&mut hasher);
        }
        let hash = hasher.finish();
        if let Some((_, _, loaders)) = self.readings.iter_mut().find(|(other, _, _)| *other == hash) {
            loaders.insert(loader);
            return;
        }
        let replaced: BTreeSet<&str> = from_files.iter().map(|setting| setting.name.as_str()).collect();
        let rest = shell.settings.iter().filter(|setting| !replaced.contains(setting.name.as_str()));
        let settings = from_files.iter().chain(rest).cloned().collect();
        let reading = Reading { loader: String::new(), settings };
        self.readings.push((hash, reading, BTreeSet::from([loader])));
    }

    pub(super) fn into_survey(mut self) -> Survey {
        for path in [self.project.folder.clone(), self.project.root.clone()] {
            self.add_base(&path);
        }
        let readings = self.readings.into_iter().map(|(_, reading, loaders)| {
            let loader = loaders.into_iter().collect::<Vec<_>>().join(", ");
            Reading { loader, ..reading }
        });
        Survey {
            readings: readings.collect(),
            conditions: self.conditions,
            loaders: self.loaders.into_iter().map(str::to_owned).collect(),
            bases: self.bases,
            ..Survey::default()
        }
    }
}

fn dialects_of(reader: FileReader) -> &'static [Dialect] {
    match reader {
        FileReader::Dotenv => &[
            Dialect::Node,
            Dialect::NodeExpand12,
            Dialect::NodeExpand1000,
            Dialect::PythonDotenvValues,
            Dialect::Ruby,
            Dialect::Godotenv15,
        ],
        FileReader::Dotenvy => &[Dialect::DotenvyLoad],
        FileReader::Compose => &[Dialect::Compose],
        FileReader::Shell => &[Dialect::Shell],
        FileReader::Make => &[Dialect::Lenient],
    }
}

/// Longer values, in bytes, are not filled in elsewhere: chains of files that double them must not fill the memory.
const LONGEST_REFERRED: usize = 32 * 1024;

/// What the layers set besides the shell, where the shell is not stronger: each name once, its strongest value.
fn merge(chain: &Chain, round: usize, shell: &Shell, library: &Library<'_>) -> Vec<Setting> {
    let mut merged: Vec<Setting> = Vec::new();
    let mut names: HashMap<String, usize> = HashMap::new();
    let mut shell_counts = false;
    for (at, layer) in chain.layers.iter().enumerate() {
        let lookup = |name: &str| {
            let known = names.get(name).map(|at| merged[*at].value.as_str());
            let stronger = known.filter(|value| value.len() <= LONGEST_REFERRED).map(str::to_owned);
            let value = stronger.or_else(|| shell.get(name).map(str::to_owned));
            value.or_else(|| match layer {
                Layer::File(own, _) if library.unexpanded(own, name).is_some() => None,
                _ => in_weaker_files(&chain.layers[at + 1..], name, library),
            })
        };
        let sheet: Sheet = match layer {
            Layer::Shell => {
                shell_counts = true;
                continue;
            }
            Layer::Fixed(sheet) => Rc::clone(sheet),
            Layer::Computed(computed) => Rc::new(computed(&lookup)),
            Layer::File(path, own) => {
                let dialects = own.unwrap_or(chain.dialects);
                let Some(dialect) = dialects.get(round % dialects.len().max(1)) else { continue };
                match library.dotenv(path, *dialect, &lookup) {
                    Some(sheet) => sheet,
                    None => continue,
                }
            }
        };
        for setting in sheet.iter() {
            let hidden = names.contains_key(&setting.name) || (shell_counts && shell.get(&setting.name).is_some());
            if !hidden {
                names.insert(setting.name.clone(), merged.len());
                merged.push(setting.clone());
            }
        }
    }
    merged
}

/// A variable that a weaker file of the same chain sets: some loaders read the weakest file first.
fn in_weaker_files(layers: &[Layer], name: &str, library: &Library<'_>) -> Option<String> {
    layers.iter().find_map(|layer| match layer {
        Layer::File(path, _) => library.unexpanded(path, name),
        _ => None,
    })
}
