//! What is known of programs by their names: each fact stands here once, and every stage asks here.
//!
//! `programs.txt` lists the programs without structure: whose files they load, what they are for. What has structure is
//! one typed table each: database clients (`clients`), container engines (`containers`), programs that run others (`wrappers`),
//! programs that remove files (`removers`), command lines that act on a provider's database (`providers`), other programs
//! whose options hold secrets (`secrets`); and what database files are called (`database_files`).
//!
//! Knows words and names, no environment and no engine: an ecosystem is called by its name in `programs.txt`, an engine
//! by the one that it has in JSON.

pub(crate) mod clients;
pub(crate) mod containers;
pub(crate) mod database_files;
pub(crate) mod programs;
pub(crate) mod providers;
pub(crate) mod removers;
pub(crate) mod secrets;
pub(crate) mod words;
pub(crate) mod wrappers;
