//! Wrong input gets a clear error, and nothing is lost: each time the exit status, what happened, where the value came
//! from, what to do, and what did not happen.

mod databases;
mod environment_files;
mod folders;
mod pipes;
mod servers;
mod snapshots;
mod special_files;
mod usage;
