//! The files that wrappers load before the command starts (`dotenv -e .env -- jest`), as layers.

use crate::environment::follow::{FileReader, Step};
use crate::environment::layering::Layer;
use crate::environment::layering::readings_builder::WrapperLayer;
use crate::environment::readers::dotenv::Dialect;

pub(crate) fn layers(step: &Step) -> Vec<WrapperLayer> {
    let layers = step.files.iter().map(|file| WrapperLayer {
        layer: Layer::File(file.path.clone(), Some(dialects_of(file.reader))),
        overrides: file.overrides,
    });
    layers.collect()
}

fn dialects_of(reader: FileReader) -> &'static [Dialect] {
    match reader {
        FileReader::Dotenv => &[
            Dialect::Node,
            Dialect::NodeExpand12,
            Dialect::NodeExpand1000,
            Dialect::NodeConfigExpand12,
            Dialect::NodeConfigExpand1000,
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
