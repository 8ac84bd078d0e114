//! A file that is named by itself (`--env-file`, the policy): read by what its name says it is.

use std::path::Path;

use crate::environment::ecosystems;
use crate::environment::ecosystems::settings_files::by_format;
use crate::environment::layering::{Layer, Library};
use crate::environment::readers::dotenv::EVERY_DIALECT;

/// Reads the file as layers, the strongest first: as the ecosystem does that knows its name, else by its format, else
/// as dotenv.
pub(crate) fn layers(library: &Library<'_>, path: &Path) -> Vec<Layer> {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().to_lowercase());
    // `.env.json` is what dotenv tools call a dotenv file for a mode.
    let other = if name.starts_with(".env") { None } else { of_an_ecosystem(library, path, &name) };
    other.unwrap_or_else(|| vec![Layer::File(path.to_owned(), Some(EVERY_DIALECT))])
}

fn of_an_ecosystem(library: &Library<'_>, path: &Path, name: &str) -> Option<Vec<Layer>> {
    let mut kinds = ecosystems::ALL.iter().flat_map(|ecosystem| ecosystem.named_files);
    let kind = kinds.find(|kind| (kind.fits)(name));
    kind.map(|kind| (kind.layers)(library, path)).or_else(|| by_format::layers(library, path))
}
