//! The engine against a real server: every trap that loses data without a word.

mod backends;
mod comparing;
mod copies;
mod crashes;
mod damage;
mod defining;
mod extensions;
mod failures;
mod fakes;
mod in_place;
mod inside;
mod leaving;
mod loading;
mod money;
mod neighbours;
mod obstacles;
mod pgbouncer;
mod pooler;
mod proof;
mod replication;
mod restoring;
mod rich;
mod saving;
mod unqualified;
mod versions;
