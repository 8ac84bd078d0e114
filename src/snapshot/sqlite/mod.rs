//! SQLite: saving a database file while others use it, proving it unchanged, checking a copy, putting it back.
//!
//! SQLite is built in, so nothing has to be installed. The story of a snapshot, in the order of the modules:
//! [`presence`] (is there a database at that path), `source` (keep its bytes still, by SQLite's own locks where there
//! are any), `copy` (copy and hash them), `confirm` (was nothing written meanwhile, by whoever takes no locks), `settle` (let SQLite apply a copied WAL or journal to the *copy*), `read_back`
//! (read the copy: what SQLite's check complains of, `complaints`, and which `tables` it has), `state` (what proves
//! later that nothing was written since), `whereabouts` (where the name leads, which a restore looks at first).
//!
//! Two facts of Unix shape all of it. POSIX locks belong to the process, and closing *any* descriptor of a file drops
//! them: what this part opens beside a connection is opened before it and closed after it, and a process that keeps
//! its own SQLite connections to a database must not call this part for the same file at the same time. And a
//! read-only connection to a rollback-journal database writes nothing at all, while any connection to a WAL database
//! makes `-wal` and `-shm` where they are missing, which is why those are copied without one.
//!
//! Nothing here judges whether a database may be touched, names snapshots, or removes a partial file: who called
//! [`take()`] removes it, with [`settle::remove_leftovers`] for SQLite's own files beside it.

mod beside;
mod complaints;
mod confirm;
mod copy;
mod create;
mod disk;
mod engine;
mod error;
mod files;
mod presence;
mod read_back;
mod restore;
mod settle;
mod source;
mod stamp;
mod state;
mod tables;
mod take;
mod verify;
mod waiting;
mod whereabouts;
mod writers;

pub(crate) use crate::snapshot::sqlite::beside::names_beside;
pub(crate) use crate::snapshot::sqlite::engine::Sqlite;
pub(crate) use crate::snapshot::sqlite::error::SqliteError;
pub(crate) use crate::snapshot::sqlite::files::{LEAST_PAGE, MAGIC};
pub(crate) use crate::snapshot::sqlite::presence::{Presence, examine_quiet};
pub(crate) use crate::snapshot::sqlite::restore::{Occasion, restore};
pub(crate) use crate::snapshot::sqlite::state::state;
pub(crate) use crate::snapshot::sqlite::take::take;
pub(crate) use crate::snapshot::sqlite::verify::verify;

#[cfg(test)]
mod tests;
