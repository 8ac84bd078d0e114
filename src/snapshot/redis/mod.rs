//! Redis and Valkey: saves a server with `redis-cli --rdb` or `valkey-cli --rdb`, and reads the file back.
//!
//! The client asks the server for all that a new replica would be sent, so the file is of one moment and holds the whole
//! server: a target names one of its databases by a number. Commands are given through the client as well: so there is one way
//! for plain connections, TLS, sockets, and inside a container. No password is an argument.
//!
//! The story: [`session::open`] asks the server who it is, [`take::take`] writes the file, compressed, and reads it
//! [back](rdb) on the way: its own checksum, every key of every database. `redis-check-rdb` reads the same where it is at hand.
//! [`verify`](mod@verify) proves it again.
//!
//! A server reads a file only when it starts. So a [restore](mod@restore) loads a [temporary] one with it, and has the server
//! copy that one, as replicas do, which replaces all that it holds; then it is let go. Until the temporary one was read and
//! compared, nothing of the server is touched; what is replaced is in the safety snapshot. A restore that was killed leaves a
//! server that copies nobody any more and takes no writes: it is known by the password that it was given, and the next restore
//! mends it.
//!
//! That nothing was written since is proved by the history that a server keeps for its replicas: it is kept for an hour once
//! somebody asked for a file, and is what lets a replica that was away go on without one.
//!
//! Source of the techniques: Redis's and Valkey's documentation, `src/redis-cli.c`, `src/replication.c`, `src/rdb.c`; each
//! trap has a test in this folder.

mod by_hand;
mod check;
mod compare;
mod connection;
mod engine;
mod error;
mod explain;
mod installed;
mod obstacles;
mod rdb;
mod restore;
mod session;
mod take;
mod temporary;
mod verify;
mod whole;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub(crate) use crate::snapshot::redis::engine::Redis;
pub(crate) use crate::snapshot::redis::error::RedisError;
