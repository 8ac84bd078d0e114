//! One step of a load order, and how a chain of them is merged.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collections::HashMap;
use crate::environment::layering::library::Library;
use crate::environment::layering::start_environment::StartEnvironment;
use crate::environment::not_followed::GivenUp;
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::expansion::Lookup;
use crate::environment::{Setting, Unresolved};

/// Where values come from, one step of a load order.
#[derive(Clone)]
pub(crate) enum Layer {
    /// The environment that the command is started with.
    Environment,
    /// A dotenv file; in the chain's dialects, or in its own.
    File(PathBuf, Option<&'static [Dialect]>),
    /// Values that stand as they are.
    Fixed(Rc<Vec<Rc<Setting>>>),
    /// Values that depend on the layers above them: placeholders, templates, default values in code.
    Computed(Compute),
}

/// Computes the values of a layer from what those above it say; the library is for files that this makes it read.
type Compute = Rc<dyn Fn(Lookup<'_>, &Library<'_>) -> Vec<Setting>>;

impl Layer {
    pub(crate) fn file(path: PathBuf) -> Layer {
        Layer::File(path, None)
    }

    pub(crate) fn fixed(settings: Vec<Setting>) -> Layer {
        Layer::Fixed(shared(settings))
    }

    pub(crate) fn computed(settings: impl Fn(Lookup<'_>) -> Vec<Setting> + 'static) -> Layer {
        Layer::Computed(Rc::new(move |lookup, _| settings(lookup)))
    }

    /// Values that depend on the layers above them, as which further files are read for them does.
    pub(crate) fn read(settings: impl Fn(Lookup<'_>, &Library<'_>) -> Vec<Setting> + 'static) -> Layer {
        Layer::Computed(Rc::new(settings))
    }

    /// Lays the environment over the files `names` of `folder`, the strongest first.
    pub(crate) fn files(folder: &Path, names: &[impl AsRef<str>]) -> Vec<Layer> {
        let files = names.iter().map(|name| Layer::file(folder.join(name.as_ref())));
        std::iter::once(Layer::Environment).chain(files).collect()
    }
}

/// Makes each setting one that readings can share.
pub(crate) fn shared(settings: Vec<Setting>) -> Rc<Vec<Rc<Setting>>> {
    Rc::new(settings.into_iter().map(Rc::new).collect())
}

/// One loader's order, the strongest layer first.
pub(crate) struct Chain {
    pub(crate) loader: &'static str,
    pub(crate) dialects: &'static [Dialect],
    pub(crate) layers: Vec<Layer>,
}

impl Chain {
    /// Where a layer goes that is just stronger than the environment.
    pub(crate) fn above_environment(&self) -> usize {
        self.layers.iter().position(|layer| matches!(layer, Layer::Environment)).unwrap_or(0)
    }

    /// Where a layer goes that is just weaker than the environment.
    pub(crate) fn below_environment(&self) -> usize {
        (self.above_environment() + 1).min(self.layers.len())
    }

    /// Counts how many ways there are to read the chain's files: the most dialects that any of them is read in.
    pub(crate) fn rounds(&self, library: &Library<'_>) -> usize {
        let rounds = self.layers.iter().map(|layer| match layer {
            Layer::File(path, own) if !library.is_plain(path) => own.map_or(self.dialects.len(), <[_]>::len),
            _ => 1,
        });
        rounds.max().unwrap_or(1)
    }

    /// Merges what the layers set besides the environment, where that is not stronger: each name once, its strongest
    /// value. `round` says which of its dialects each file is read in.
    pub(crate) fn merge(
        &self,
        round: usize,
        environment: &StartEnvironment,
        library: &Library<'_>,
    ) -> Vec<Rc<Setting>> {
        let mut merged: Vec<Rc<Setting>> = Vec::new();
        let mut names: HashMap<String, usize> = HashMap::default();
        let mut environment_counts = false;
        for (at, layer) in self.layers.iter().enumerate() {
            let lookup = |name: &str| {
                let known = names.get(name).map(|at| merged[*at].value.as_str());
                if known.is_some_and(|value| value.len() > LONGEST_REFERRED) {
                    let why = GivenUp::too_much("a value is longer than 32 KiB, and another one refers to it");
                    library.gaps.give_up(merged[names[name]].origin.clone(), why);
                }
                let stronger = known.filter(|value| value.len() <= LONGEST_REFERRED).map(str::to_owned);
                let value = stronger.or_else(|| environment.get(name).map(str::to_owned));
                value.or_else(|| match layer {
                    Layer::File(own, _) if library.unexpanded(own, name).is_some() => None,
                    _ => in_weaker_files(&self.layers[at + 1..], name, library),
                })
            };
            let settings: Rc<Vec<Rc<Setting>>> = match layer {
                Layer::Environment => {
                    environment_counts = true;
                    continue;
                }
                Layer::Fixed(settings) => Rc::clone(settings),
                Layer::Computed(computed) => shared(computed(&lookup, library)),
                Layer::File(path, own) => {
                    let dialects = own.unwrap_or(self.dialects);
                    let Some(dialect) = dialects.get(round % dialects.len().max(1)) else { continue };
                    match library.dotenv(path, *dialect, &lookup) {
                        Some(settings) => settings,
                        None => continue,
                    }
                }
            };
            for setting in settings.iter() {
                let in_environment = environment_counts && environment.get(&setting.name).is_some();
                if in_environment || names.contains_key(&setting.name) {
                    continue;
                }
                if setting.unresolved == Some(Unresolved::Code) {
                    // What a weaker layer says of it is kept, and is not all.
                    library.gaps.give_up(setting.origin.clone(), GivenUp::Code(NOT_EVALUATED.into()));
                } else {
                    names.insert(setting.name.clone(), merged.len());
                    merged.push(environment.with_doubt(setting));
                }
            }
        }
        merged
    }
}

/// Why a value in code is not known.
const NOT_EVALUATED: &str = "it says which database is used by an expression that is not evaluated here";

/// Longer values, in bytes, are not filled in elsewhere: chains of files that double them must not fill the memory.
const LONGEST_REFERRED: usize = 32 * 1024;

/// Finds a variable that a weaker file of the same chain sets: some loaders read the weakest file first.
fn in_weaker_files(layers: &[Layer], name: &str, library: &Library<'_>) -> Option<String> {
    layers.iter().find_map(|layer| match layer {
        Layer::File(path, _) => library.unexpanded(path, name),
        _ => None,
    })
}
