//! The survey under construction: load orders add chains of layers, which become readings, each of them once.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::environment::follow::{FileReader, WrapperFile};
use crate::environment::layering::library::{Dialect, Library};
use crate::environment::layering::{Chain, Layer, Shell, merge};
use crate::environment::survey::{Condition, FileProblem, ProblemKind, Survey};
use crate::environment::{Project, Reading, Setting};

/// The survey under construction.
pub(crate) struct Draft<'a> {
    library: &'a Library<'a>,
    project: &'a Project,
    /// The files of `--env-file`, absolute.
    pub(crate) extra: Vec<PathBuf>,
    chains: Vec<Chain>,
    readings: Vec<(u64, Reading, BTreeSet<&'static str>)>,
    conditions: Vec<Condition>,
    loaders: BTreeSet<&'static str>,
    bases: Vec<PathBuf>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(library: &'a Library<'a>, project: &'a Project) -> Self {
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
    pub(crate) fn chain(&mut self, loader: &'static str, dialects: &'static [Dialect], layers: Vec<Layer>) {
        self.loaders.insert(loader);
        self.chains.push(Chain { loader, dialects, layers });
    }

    pub(crate) fn condition(&mut self, condition: Condition) {
        if !self.conditions.contains(&condition) {
            self.conditions.push(condition);
        }
    }

    pub(crate) fn add_base(&mut self, folder: &Path) {
        if !self.bases.iter().any(|base| base == folder) {
            self.bases.push(folder.to_owned());
        }
    }

    pub(crate) fn shown(&self, path: &Path) -> PathBuf {
        self.project.shown(path)
    }

    /// An environment that the command may start with, as a reading of its own.
    pub(crate) fn add_shell(&mut self, name: &'static str, shell: &Shell) {
        self.keep(name, shell, &[]);
    }

    /// Turns the chains collected so far into readings, with what the wrappers around the command load.
    pub(crate) fn finish_scene(&mut self, shell: &Shell, wrappers: &[WrapperFile], folder: &Path) {
        let mut chains = std::mem::take(&mut self.chains);
        if chains.is_empty() || !wrappers.is_empty() {
            chains.push(Chain { loader: "wrapper", dialects: &[Dialect::Lenient], layers: vec![Layer::Shell] });
        }
        let extra: Vec<Layer> = self.extra.iter().rev().flat_map(|path| self.any_file(path)).collect();
        for mut chain in chains {
            for wrapper in wrappers {
                let path = folder.join(&wrapper.path);
                let layer = Layer::File(path, Some(dialects_of(wrapper.reader)));
                let at = if wrapper.overrides { chain.above_shell() } else { chain.below_shell() };
                chain.layers.insert(at, layer);
            }
            self.evaluate(&chain, shell);
            if !extra.is_empty() {
                let at = chain.below_shell();
                chain.layers.splice(at..at, extra.iter().cloned());
                self.evaluate(&chain, shell);
            }
        }
    }

    /// Each file of `--env-file` as a candidate by itself.
    pub(crate) fn add_extra_files(&mut self, shell: &Shell) {
        for path in self.extra.clone() {
            if !self.library.exists(&path) {
                let message = "was asked for and is not there".to_owned();
                let (file, kind) = (self.project.shown(&path), ProblemKind::Missing);
                self.library.problem(FileProblem { file, line: None, message, kind });
            }
            let mut layers = self.any_file(&path);
            layers.push(Layer::Shell);
            let dialects = crate::environment::readers::dotenv::EVERY_DIALECT;
            self.evaluate(&Chain { loader: "--env-file", dialects, layers }, shell);
        }
    }

    /// A file of any kind as layers: dotenv, or by its extension something else.
    pub(crate) fn any_file(&self, path: &Path) -> Vec<Layer> {
        crate::environment::ecosystems::named_files::layers(path, self.library)
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

    pub(crate) fn into_survey(mut self) -> Survey {
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
