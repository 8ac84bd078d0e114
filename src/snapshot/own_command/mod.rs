//! Databases that programs of the project's own save and put back: `[[snapshots.command]]` of a trusted policy.
//!
//! | asked for by | what is run |
//! |---|---|
//! | a run, `snapshot`, the safety snapshot of a restore | `save`, then `check` |
//! | `verify`, and a restore before it touches anything | the hash, then `check` |
//! | `restore` | `restore` |
//!
//! Each is an argument list, run without a shell in the project's root, with the environment of the call: a person has
//! approved these very words. `{file}` in them is the snapshot's path. What counts is exit status 0, and a file that is
//! not empty; what is in it is theirs. So nothing proves that a database was not written to since, nothing is compared
//! after a restore, and a restore that fails may have changed the database: the safety snapshot is the way back.

mod engine;
mod error;
mod run;

pub(crate) use crate::snapshot::own_command::engine::NAME;
