//! MySQL and MariaDB: saves a database with the server's own dump program, reads the dump back, and puts it back by exchange
//! of its tables, or in place.
//!
//! Everything goes through the real client programs, so that what is judged, what is dumped and what is restored are reached
//! in the same way: no client library, no runtime. [`tools`] chooses among those that are [`installed`], by what server and
//! programs say of themselves. The story: [`Session::open`] connects and says who the server is, [`take::prepare`] finds what
//! is to be dumped, [`take::take`] writes the dump, reads it back [statement](statements) by statement, compares it with the
//! [`catalog`], and finds the [`obstacles`]; [`verify`](mod@verify) proves it again. [`restore::prepare_restore`] makes sure that
//! a snapshot can be put back; what it gives loads the tables [`beside`] the present ones, compares them row by row, and
//! [exchanges](mod@exchange) what the database holds for them; where the user may not do that, it does all of it [`in_place`].
//! What is no table, [`definitions`], cannot be moved, and is [kept](mod@kept) as text.
//! [`exchange_back`](mod@exchange_back) brings back what was exchanged; [`leftovers`](mod@leftovers) clears it away.
//!
//! Source of the techniques: MariaDB documentation, "mariadb-dump"; MySQL Reference Manual, "mysqldump"; each trap that loses
//! data with exit status 0 has a test in this folder.

mod beside;
mod by_hand;
mod catalog;
mod client;
mod connection;
mod definitions;
mod dump;
mod engine;
mod error;
mod exchange;
mod exchange_back;
mod explain;
mod in_place;
mod installed;
mod kept;
mod leftovers;
mod moved;
mod objects;
mod obstacles;
mod option_file;
mod process;
mod recorded;
mod restore;
mod rights;
mod session;
mod state;
mod statements;
mod take;
mod tools;
mod verify;
mod version;
mod whole;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub(crate) use crate::snapshot::mysql::engine::Mysql;
pub(crate) use crate::snapshot::mysql::error::MysqlError;
pub(crate) use crate::snapshot::mysql::session::Session;
