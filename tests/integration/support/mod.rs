//! What the topics share: a sealed folder to run in, and servers to run against.
#![allow(dead_code, reason = "each topic uses what it needs")]

pub(crate) mod engine;
mod entries;
mod executable;
mod guarded;
mod judged;
mod mariadb;
mod mongo;
mod own_server;
mod patience;
mod pipe;
mod postgres;
mod postgres_programs;
mod random;
mod redis;
mod sandbox;
mod seeds;
mod server_guard;

pub(crate) use entries::execute_with;
pub(crate) use executable::{copy_program, write_program};
pub(crate) use judged::Judged;
#[allow(unused_imports, reason = "each topic uses what it needs")]
pub(crate) use mariadb::Mariadb;
#[allow(unused_imports, reason = "each topic uses what it needs")]
pub(crate) use mongo::Mongo;
#[allow(unused_imports, reason = "each topic uses what it needs")]
pub(crate) use own_server::OwnServer;
pub(crate) use patience::{PATIENCE, awaited, ended, output, wait_for};
pub(crate) use pipe::make_pipe;
#[allow(unused_imports, reason = "each topic uses what it needs")]
pub(crate) use postgres::Postgres;
#[allow(unused_imports, reason = "each topic uses what it needs")]
pub(crate) use postgres_programs::Programs;
pub(crate) use random::Random;
#[allow(unused_imports, reason = "each topic uses what it needs")]
pub(crate) use redis::Redis;
#[allow(unused_imports, reason = "each topic uses what it needs")]
pub(crate) use sandbox::{Outcome, Sandbox, with_default_signals};
pub(crate) use seeds::{seeds, try_all};
