//! What the topics share: a sealed folder to run in, and a PostgreSQL server to run against.
#![allow(dead_code, reason = "each topic uses what it needs")]

mod guarded;
mod judged;
mod postgres;
mod sandbox;

pub(crate) use judged::Judged;
#[allow(unused_imports, reason = "each topic uses what it needs")]
pub(crate) use postgres::Postgres;
#[allow(unused_imports, reason = "each topic uses what it needs")]
pub(crate) use sandbox::{Outcome, Sandbox, with_default_signals};
