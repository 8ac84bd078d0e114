//! Lays layers of values over each other: the strongest says what a name is.
//!
//! It knows no language: load orders hand it their chains of layers, and it gives the readings that come of them.

pub(crate) mod layer;
pub(crate) mod library;
pub(crate) mod loaded_file;
pub(crate) mod memo;
pub(crate) mod readings_builder;
pub(crate) mod start_environment;

pub(crate) use crate::environment::layering::layer::Layer;
pub(crate) use crate::environment::layering::library::Library;
pub(crate) use crate::environment::layering::memo::Memo;
pub(crate) use crate::environment::layering::readings_builder::ReadingsBuilder;
pub(crate) use crate::environment::layering::start_environment::StartEnvironment;
