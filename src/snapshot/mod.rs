//! Saves databases before a command may touch them, and puts them back: plans, engines, manifests, retention.

mod beside_names;
mod containers;
mod crc64;
mod describe;
mod digest;
mod dump_error;
mod dump_reading;
mod dump_stream;
mod engine;
mod engine_error;
mod engines;
mod error;
mod file_state;
mod folder;
mod id;
mod latest;
mod ledger;
mod left_on_server;
mod leftovers;
mod manifest;
mod met;
mod mongodb;
mod moved_project;
mod mysql;
mod neighbours;
mod not_up;
mod obstacle;
mod order;
mod own_command;
mod place;
mod plan;
mod plan_error;
mod postgres;
mod receipt;
mod redis;
mod reservation;
mod restore;
mod retention;
mod reuse;
mod secret_file;
mod sqlite;
mod standing;
mod store;
mod store_error;
mod take;
mod taken;
#[cfg(test)]
pub(crate) mod testing;
mod threads;
mod tool_process;
mod turn;

pub(crate) use crate::snapshot::describe::{Described, describe};
pub(crate) use crate::snapshot::engine::{
    ABSENT, Computed, CopyUse, DumpCommand, FileMark, Kept, Restoration, RestorePlan, Restored,
};
pub(crate) use crate::snapshot::engines::file_marks;
pub(crate) use crate::snapshot::error::SnapshotError;
pub(crate) use crate::snapshot::latest::{latest, unread_since};
pub(crate) use crate::snapshot::ledger::{Ledger, Making, Restated};
pub(crate) use crate::snapshot::left_on_server::{AT_WORK, Leftover, LeftoverKind, decide_leftovers};
pub(crate) use crate::snapshot::manifest::{FileState, Kind, Manifest, Server, TableRows, Tool, VerificationLevel};
pub(crate) use crate::snapshot::met::Met;
pub(crate) use crate::snapshot::moved_project::follow_project;
pub(crate) use crate::snapshot::neighbours::{Change, Neighbours};
pub(crate) use crate::snapshot::not_up::loopback_is_closed;
pub(crate) use crate::snapshot::obstacle::{Effect, Obstacle, not_whole, not_whole_in_full, remedy, worst};
pub(crate) use crate::snapshot::order::Order;
pub(crate) use crate::snapshot::plan::{Intention, plan, saves_caches};
pub(crate) use crate::snapshot::plan_error::PlanError;
#[cfg(test)]
pub(crate) use crate::snapshot::receipt::Beside;
pub(crate) use crate::snapshot::receipt::{Care, Receipt};
pub(crate) use crate::snapshot::restore::{
    asks_for_password, contents, drop_leftover, exchange_back, is_by_own_programs, leftovers, may_have_left_databases,
    names_beside, neighbours, plan_restore, verify,
};
pub(crate) use crate::snapshot::retention::{Decision, NOT_KNOWN, decide};
pub(crate) use crate::snapshot::secret_file::clear_secrets;
pub(crate) use crate::snapshot::standing::{Provenance, Standing};
pub(crate) use crate::snapshot::store::{Store, Stored};
pub(crate) use crate::snapshot::store_error::StoreError;
pub(crate) use crate::snapshot::take::{Foreseen, foresee, take};
pub(crate) use crate::snapshot::taken::{Copied, Taken, Unwatched, Watch};
