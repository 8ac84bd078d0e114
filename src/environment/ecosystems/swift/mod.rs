//! Swift: its manifests.

pub(crate) mod drivers;
