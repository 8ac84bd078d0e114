//! What the snapshots of one call have in common.

use std::path::Path;

use chrono::{DateTime, Utc};

use crate::own_tools::ToolEnvironment;
use crate::snapshot::{Kind, Ledger, Met, Provenance, Store};

pub(crate) struct Order<'a> {
    /// Where they go.
    pub(crate) store: &'a Store,
    /// What remembers which of those that are there were made here.
    pub(crate) past: &'a dyn Provenance,
    /// The root of the project.
    pub(crate) project: &'a Path,
    /// Why they are taken.
    pub(crate) kind: Kind,
    /// The run they are for.
    pub(crate) run: &'a str,
    /// When the call began.
    pub(crate) now: DateTime<Utc>,
    /// The environment for the tools.
    pub(crate) environment: &'a ToolEnvironment,
    /// Whether an earlier snapshot may serve, where the engine proves that nothing was written since.
    pub(crate) may_reuse: bool,
    /// Whether a server that is not up yet may be saved later, at its first connection, since the guard holds that.
    pub(crate) may_wait: bool,
    /// Where the names of copies in the server are written down before, if copies are to be kept.
    pub(crate) copies: Option<&'a dyn Ledger>,
    /// The databases that were met so far.
    pub(crate) met: Met,
}
