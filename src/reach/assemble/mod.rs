//! Puts targets together from what the values and names of an environment say.

pub(crate) mod ambient;
pub(crate) mod draft;
pub(crate) mod drivers;
pub(crate) mod find;
#[cfg(test)]
pub(crate) mod find_tests;
pub(crate) mod homeless;
pub(crate) mod managed;
pub(crate) mod merge;
pub(crate) mod part_origins;
pub(crate) mod scene;
