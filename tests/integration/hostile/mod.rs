//! Hostile projects and stores, made from seeds: whatever lies in a clone, every call ends soon, by a documented status,
//! says what it has to in text that drives no terminal, and changes nothing that it has no business with.
//!
//! How many, and which: [`crate::support::seeds`].

mod bounded;
mod damage;
mod escapes;
mod files;
mod projects;
mod stores;
