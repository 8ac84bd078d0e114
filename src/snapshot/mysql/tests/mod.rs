//! The engine against a real server: every trap that loses data without a word.

mod damage;
mod failures;
mod in_place;
mod leaving;
mod restoring;
mod saving;
mod unchanged;
mod versions;
