//! The programs that are known by name, one row each.

pub(crate) mod programs;
