//! Turns the chains of layers that load orders add into readings, each of them once.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collections::{HashMap, HashSet, keyed_hasher};
use crate::environment::condition::Condition;
use crate::environment::layering::layer::{Chain, Layer};
use crate::environment::layering::library::Library;
use crate::environment::layering::start_environment::StartEnvironment;
use crate::environment::not_followed::GivenUp;
use crate::environment::paths::normal;
use crate::environment::readers::dotenv::Dialect;
use crate::environment::{Derivation, Origin, Project, Reading, Setting};

/// What load orders add to.
pub(crate) struct ReadingsBuilder<'a> {
    library: &'a Library<'a>,
    project: &'a Project,
    chains: Vec<Chain>,
    readings: Vec<(Reading, BTreeSet<&'static str>)>,
    /// Where in `readings` the one with this hash stands.
    by_hash: HashMap<u64, usize>,
    from_files: Vec<FromFiles>,
    conditions: Vec<Condition>,
    derivations: Vec<Derivation>,
    loaders: BTreeSet<&'static str>,
    bases: Vec<PathBuf>,
    known_bases: HashSet<OsString>,
    /// The folders that all commands so far are confined to; `None` where one is not.
    confined: Option<Vec<PathBuf>>,
}

/// What a loader gives besides the environment.
pub(crate) struct FromFiles {
    loader: &'static str,
    settings: Vec<Rc<Setting>>,
}

/// What came of it all.
pub(crate) struct Built {
    /// None twice, in the order they were added.
    pub(crate) readings: Vec<Reading>,
    pub(crate) conditions: Vec<Condition>,
    /// How tests derive databases from the configured ones.
    pub(crate) derivations: Vec<Derivation>,
    /// The loaders that were taken for plausible, by name.
    pub(crate) loaders: Vec<String>,
    /// The folders that relative paths of database files may start at, absolute.
    pub(crate) bases: Vec<PathBuf>,
    /// The folders whose manifests alone concern the command; `None` where all of the project may.
    pub(crate) confined: Option<Vec<PathBuf>>,
}

/// A layer that something around the load order adds to it.
pub(crate) struct WrapperLayer {
    pub(crate) layer: Layer,
    /// It beats the environment.
    pub(crate) overrides: bool,
}

impl<'a> ReadingsBuilder<'a> {
    pub(crate) fn new(library: &'a Library<'a>, project: &'a Project) -> Self {
        ReadingsBuilder {
            library,
            project,
            chains: Vec::new(),
            readings: Vec::new(),
            by_hash: HashMap::default(),
            from_files: Vec::new(),
            conditions: Vec::new(),
            derivations: Vec::new(),
            loaders: BTreeSet::new(),
            bases: Vec::new(),
            known_bases: HashSet::default(),
            confined: Some(Vec::new()),
        }
    }

    /// Adds a plausible load order; where it reads no file that is there, it is no reading of its own.
    pub(crate) fn chain(&mut self, loader: &'static str, dialects: &'static [Dialect], layers: Vec<Layer>) {
        self.loaders.insert(loader);
        self.chains.push(Chain { loader, dialects, layers });
    }

    /// Adds one dotenv file under the environment.
    pub(crate) fn file(&mut self, loader: &'static str, dialects: &'static [Dialect], path: PathBuf) {
        self.chain(loader, dialects, vec![Layer::Environment, Layer::file(path)]);
    }

    pub(crate) fn condition(&mut self, condition: Condition) {
        if !self.conditions.contains(&condition) {
            self.conditions.push(condition);
        }
    }

    /// Notes how tests derive databases from the configured ones.
    pub(crate) fn derive(&mut self, derivations: Vec<Derivation>) {
        for derivation in derivations {
            if !self.derivations.contains(&derivation) {
                self.derivations.push(derivation);
            }
        }
    }

    pub(crate) fn add_base(&mut self, folder: &Path) {
        if self.known_bases.insert(folder.into()) {
            self.bases.push(folder.to_owned());
        }
    }

    /// Notes the folders that a command is confined to; `None` where it is not.
    pub(crate) fn confine(&mut self, folders: Option<Vec<PathBuf>>) {
        match (&mut self.confined, folders) {
            (Some(known), Some(folders)) => known.extend(folders),
            (confined, None) => *confined = None,
            (None, Some(_)) => {}
        }
    }

    pub(crate) fn shown(&self, path: &Path) -> PathBuf {
        self.project.shown(path)
    }

    /// Adds an environment that the command may start with, as a reading of its own.
    pub(crate) fn add_environment(&mut self, name: &'static str, environment: &StartEnvironment) {
        self.keep(name, environment, &[]);
        let pointed = self.pointed_at(environment.settings.iter());
        if !pointed.is_empty() {
            self.keep(name, environment, &pointed);
        }
    }

    /// Reads what variables point at that name a file which holds the value: `DB_HOST_FILE=./secrets/host`. Only files of
    /// the project are looked into; of another one, and of one that is not there, it is noted that it was not.
    ///
    /// Source: Docker's manual, "Manage sensitive data with Docker secrets"; many programs take each variable so.
    fn pointed_at<'s>(&self, settings: impl Iterator<Item = &'s Rc<Setting>>) -> Vec<Rc<Setting>> {
        let contents = settings.filter_map(|setting| {
            let name = setting.name.strip_suffix("_FILE")?;
            let is_place = ["DSN", "HOST", "HOSTNAME", "SERVER", "URI", "URL"].iter().any(|word| name.ends_with(word));
            let value = setting.value.trim();
            if !is_place || value.is_empty() {
                return None;
            }
            let mut places = self.bases.iter().map(|base| normal(&base.join(value)));
            let path = places.find(|path| path.starts_with(&self.project.root) && self.library.exists(path));
            let Some(path) = path else {
                let why = "it names a file outside the project, or one that is not there, which holds the value";
                self.library.gaps.give_up(setting.origin.clone(), GivenUp::Code(why.into()));
                return None;
            };
            let text = self.library.string(&path)?;
            let content = text.lines().next().unwrap_or_default().trim().to_owned();
            Some(Rc::new(Setting::known(name, content, Origin::file(name, self.shown(&path), 1))))
        });
        contents.collect()
    }

    /// Turns the chains collected so far into readings, each with the layers of `wrappers`, and once more with those of
    /// `extra` right under the environment. Gives back what they hold besides the environment.
    pub(crate) fn finish_scene(
        &mut self,
        environment: &StartEnvironment,
        wrappers: &[WrapperLayer],
        extra: &[Layer],
    ) -> Vec<FromFiles> {
        self.from_files.clear();
        let mut chains = std::mem::take(&mut self.chains);
        if chains.is_empty() || !wrappers.is_empty() {
            let dialects = &[Dialect::Lenient];
            chains.push(Chain { loader: "wrapper", dialects, layers: vec![Layer::Environment] });
        }
        for mut chain in chains {
            // What overrides does so to what was loaded before it; what does not leaves that as it is.
            let strongest = chain.above_environment();
            let mut weaker = 0;
            for WrapperLayer { layer, overrides } in wrappers {
                let at = if *overrides { strongest } else { chain.below_environment() + weaker };
                weaker += usize::from(!overrides);
                chain.layers.insert(at.min(chain.layers.len()), layer.clone());
            }
            self.evaluate(&chain, environment);
            if !extra.is_empty() {
                let at = chain.below_environment();
                chain.layers.splice(at..at, extra.iter().cloned());
                self.evaluate(&chain, environment);
            }
        }
        std::mem::take(&mut self.from_files)
    }

    /// Adds what a scene before gave, over another environment.
    pub(crate) fn add_again(&mut self, from_files: &[FromFiles], environment: &StartEnvironment) {
        for FromFiles { loader, settings } in from_files {
            self.keep(loader, environment, settings);
        }
    }

    /// Adds a chain that is a candidate by itself, whatever stands around the load orders.
    pub(crate) fn add_alone(
        &mut self,
        loader: &'static str,
        dialects: &'static [Dialect],
        layers: Vec<Layer>,
        environment: &StartEnvironment,
    ) {
        self.evaluate(&Chain { loader, dialects, layers }, environment);
    }

    fn evaluate(&mut self, chain: &Chain, environment: &StartEnvironment) {
        for round in 0..chain.rounds(self.library) {
            let from_files = chain.merge(round, environment, self.library);
            if !from_files.is_empty() {
                self.keep(chain.loader, environment, &from_files);
                let pointed = self.pointed_at(from_files.iter());
                if !pointed.is_empty() {
                    let others = from_files.iter().filter(|setting| pointed.iter().all(|one| one.name != setting.name));
                    let settings: Vec<Rc<Setting>> = pointed.iter().chain(others).cloned().collect();
                    self.keep(chain.loader, environment, &settings);
                }
                self.from_files.push(FromFiles { loader: chain.loader, settings: from_files });
            }
        }
    }

    /// Keeps a reading of the settings `from_files` over what they leave of the environment, unless it is there already.
    fn keep(&mut self, loader: &'static str, environment: &StartEnvironment, from_files: &[Rc<Setting>]) {
        self.loaders.insert(loader);
        // Each name stands there once, and in which order does not matter: so the sum of their hashes stands for them.
        let hash = from_files.iter().fold(environment.fingerprint(), |sum, setting| {
            let mut hasher = keyed_hasher();
            let Origin { variable, file, line } = &setting.origin;
            // The bytes of a path are hashed, not its parts.
            let origin = (variable, file.as_deref().map(Path::as_os_str), line);
            (&setting.name, &setting.value, origin, setting.unresolved.is_some()).hash(&mut hasher);
            sum.wrapping_add(hasher.finish())
        });
        if let Some(at) = self.by_hash.get(&hash) {
            self.readings[*at].1.insert(loader);
            return;
        }
        self.by_hash.insert(hash, self.readings.len());
        let replaced: BTreeSet<&str> = from_files.iter().map(|setting| setting.name.as_str()).collect();
        let rest = environment.settings.iter().filter(|setting| !replaced.contains(setting.name.as_str()));
        let settings = from_files.iter().chain(rest).cloned().collect();
        let reading = Reading { loader: String::new(), settings };
        self.readings.push((reading, BTreeSet::from([loader])));
    }

    pub(crate) fn finish(mut self) -> Built {
        for path in [self.project.folder.clone(), self.project.root.clone()] {
            self.add_base(&path);
        }
        let readings = self.readings.into_iter().map(|(reading, loaders)| {
            let loader = loaders.into_iter().collect::<Vec<_>>().join(", ");
            Reading { loader, ..reading }
        });
        Built {
            readings: readings.collect(),
            conditions: self.conditions,
            derivations: self.derivations,
            loaders: self.loaders.into_iter().map(str::to_owned).collect(),
            bases: self.bases,
            confined: self.confined.filter(|folders| !folders.is_empty()),
        }
    }
}
