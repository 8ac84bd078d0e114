//! PostgreSQL: saves a database with the server's own tools, reads the dump back, and puts it back by swap, or in place.
//!
//! Everything goes through the real `psql`, `pg_dump` and `pg_restore`, so that what is judged, what is dumped and what is
//! restored are reached in the same way: no client library, no runtime. [`tools`] chooses among those that are [`installed`].
//! The story: [`Session::open`] connects and says who the server is, [`Session::is_unchanged_since`] may spare the rest,
//! [`take::prepare`] fixes what is dumped, [`take::take`] writes the dump, proves that every row is in it and finds the
//! [`obstacles`], and may keep a [`copy`] in the server, [`verify()`] proves it again. [`restore::prepare_restore`] makes sure that a snapshot can be put back; what it
//! gives builds the database [`beside`] the present one, [loads](load::load) it, [compares](compare::data) it and exchanges the
//! two names in one transaction ([`swap`]); where the role may not do that, it does all of it [`in_place`].
//! [`exchange_back()`](exchange_back::exchange_back) exchanges two names back; [`leftovers()`] and [`drop_leftover`] clear away
//! what was exchanged.
//!
//! Nothing here judges whether a database may be touched, or names and keeps files: that is the store's part.
//!
//! Source of the techniques: PostgreSQL documentation, "pg_dump", "pg_restore", "libpq: The Password File", "Snapshot
//! Synchronization Functions"; each trap that loses data with exit status 0 has a test in this folder.

mod beside;
mod by_hand;
mod catalog;
mod compare;
mod connection;
mod contents;
mod copy;
mod data;
mod definitions;
mod engine;
mod error;
mod exchange_back;
mod explain;
mod extensions;
mod facts;
mod in_place;
mod installed;
mod leftovers;
mod load;
mod names;
mod neighbours;
mod obstacles;
mod passfile;
mod process;
mod psql;
mod readback;
mod recorded;
mod replication;
mod restore;
mod script;
mod session;
mod state;
mod statements;
mod statistics;
mod swap;
mod take;
mod tools;
mod verify;
mod whole;
mod words;

#[cfg(test)]
#[path = "../../../tests/integration/support/postgres_programs.rs"]
mod programs_for_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub(crate) use crate::snapshot::postgres::engine::Postgres;
pub(crate) use crate::snapshot::postgres::error::PostgresError;
pub(crate) use crate::snapshot::postgres::leftovers::{drop_leftover, leftovers};
#[cfg(test)]
pub(crate) use crate::snapshot::postgres::restore::restore;
pub(crate) use crate::snapshot::postgres::session::Session;
pub(crate) use crate::snapshot::postgres::verify::verify;
