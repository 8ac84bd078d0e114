//! Dart: its manifests.

pub(crate) mod drivers;
