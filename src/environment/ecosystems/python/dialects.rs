//! How the loaders of Python read dotenv files.

use crate::environment::readers::dotenv::Dialect;

/// Python-dotenv's way first.
pub(crate) const DIALECTS: &[Dialect] =
    &[Dialect::PythonDotenvLoad, Dialect::PythonDotenvValues, Dialect::DjangoEnviron];
