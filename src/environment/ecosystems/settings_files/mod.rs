//! Settings files that no language owns, by their format: flat keys, sections by environment, nested blocks.

pub(crate) mod blocks;
pub(crate) mod by_format;
pub(crate) mod conventional;
pub(crate) mod dotted;
pub(crate) mod elements;
pub(crate) mod erb;
pub(crate) mod sections;
