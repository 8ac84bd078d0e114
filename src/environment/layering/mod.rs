//! Layers of values laid over each other: the strongest says what a name is.

pub(crate) mod draft;
pub(crate) mod inherited;
pub(crate) mod library;

use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

use crate::environment::Setting;
use crate::environment::layering::library::{Dialect, Library, Sheet};

pub(crate) use crate::environment::layering::draft::Draft;
pub(crate) use crate::environment::layering::inherited::Shell;
pub(crate) use crate::environment::readers::expansion::Lookup;

/// Values that depend on the layers above them: placeholders, templates, default values in code.
pub(crate) type Computed = Rc<dyn Fn(Lookup<'_>) -> Vec<Setting>>;

/// Where values come from, one step of a load order.
#[derive(Clone)]
pub(crate) enum Layer {
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
    pub(crate) fn file(path: PathBuf) -> Layer {
        Layer::File(path, None)
    }
}

/// One loader's order, the strongest layer first.
struct Chain {
    loader: &'static str,
    dialects: &'static [Dialect],
    layers: Vec<Layer>,
}

impl Chain {
    /// Where a layer goes that is just stronger than the shell.
    fn above_shell(&self) -> usize {
        self.layers.iter().position(|layer| matches!(layer, Layer::Shell)).unwrap_or(0)
    }

    /// Where a layer goes that is just weaker than the shell.
    fn below_shell(&self) -> usize {
        (self.above_shell() + 1).min(self.layers.len())
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
