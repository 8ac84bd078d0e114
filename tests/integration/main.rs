//! safe-test from the outside: the built program, real servers, real files. One module a topic.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests may, and what is read here is the environment of the tests"
)]

mod agents_packages;
mod agents_settings;
mod asking;
mod at_a_terminal;
mod circles;
mod connections_told;
mod corpus;
mod damaged_databases;
mod derived;
mod doctor;
mod dry_run;
mod duplicates;
mod explain;
mod fast_undo;
mod faults;
mod first_connection;
mod folders;
mod guard;
mod hook;
mod hook_managers;
mod hooks;
mod hostile;
mod hostile_repository;
mod in_place;
mod incidents;
mod inside_containers;
mod killed_restores;
mod kills;
mod known_snapshots;
mod leftovers;
mod limits;
mod load_orders;
mod meanwhile;
mod mongodb;
mod mysql;
mod named_files;
mod not_followed;
mod nothing_to_guard;
mod obstacles;
mod oracle;
mod order;
mod own_commands;
mod passwords;
mod policy_trust;
mod programs;
mod projects;
mod random_schemas;
mod redis;
mod restoring_passwords;
mod rules;
mod sandboxes;
mod secrets;
mod service_hosts;
mod services_and_bridges;
mod shell_constructs;
mod signals;
mod snapshots_cli;
mod spellings;
mod support;
mod terminal;
mod tidy;
mod transparent;
mod undoing;
mod undoing_sqlite;
mod unnamed;
mod versions;
mod wrong_input;
