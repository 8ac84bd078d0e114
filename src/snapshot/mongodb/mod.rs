//! MongoDB: saves a database with `mongodump`, reads the archive back, and puts it back with `mongorestore`, once it was tried
//! beside.
//!
//! What is dumped and restored goes through MongoDB's own tools. They cannot say who a server is, nor whether a database is
//! there, and they drop nothing but what they restore; the shell that could is installed by few. So a [client](mod@client) of
//! our own gives the ten commands that are needed, over the [protocol](wire) and with the [login](scram) that every server
//! since 2018 knows. MongoDB's driver for Rust would bring an asynchronous runtime and a hundred crates for that. TLS is not
//! spoken; who asks for it is told so.
//!
//! The story: [`session::open`] connects and says who the server is, [`take::take`] writes the dump and reads it
//! [back](archive), each checksum, each collection that the server has listed; [`verify`](mod@verify) proves it again, at most
//! by restoring it to a [scratch](mod@scratch) database whose dump has to hold the same. [`restore`](mod@restore) does that,
//! too, before it puts the collections in place and drops those that came later. A collection cannot be moved to another
//! database but by copying all of it, so what is replaced is not kept beside: the safety snapshot is the way back.
//!
//! What was written while a dump of one database was taken may be in it in part: the tools know one moment for a whole
//! replica set only. The manifest says so. And nothing proves that a database was not written to since: what a server counts
//! says nothing of documents that expire, and begins anew with it. So each run saves anew.
//!
//! Source of the techniques: MongoDB Database Tools, documentation and source; each trap has a test in this folder. They run
//! against FerretDB where there is no `mongod`: of views, validators, time series, GridFS on replica sets, encrypted
//! collections and users' rights only a real one can show all.

mod archive;
mod bson;
mod by_hand;
mod client;
mod compare;
mod connection;
mod engine;
mod error;
mod explain;
mod installed;
mod leftovers;
mod process;
mod restore;
mod scram;
mod scratch;
mod session;
mod take;
mod verify;
mod whole;
mod wire;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub(crate) use crate::snapshot::mongodb::engine::Mongodb;
pub(crate) use crate::snapshot::mongodb::error::MongoError;
