//! Gathers the statistics of a new database, by which its queries are planned; no dump holds them.

use crate::snapshot::Watch;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::{PostgresError, Session};
use crate::snapshot::tool_process::attended;

/// Gathers them, or gives a sentence where that fails: the data are whole without.
pub(crate) fn gather(connection: Connection, watch: &dyn Watch) -> Option<String> {
    let failed = analyze(connection, watch).err();
    failed.map(|_| "Statistics were not gathered; the server will do so by itself.".to_owned())
}

fn analyze(connection: Connection, watch: &dyn Watch) -> Result<(), PostgresError> {
    let mut session = Session::connect(connection)?;
    let stopper = session.psql.stopper();
    attended(watch, &[stopper], || {
        // Indexes made with functions are computed.
        session.psql.ask("SET search_path TO DEFAULT")?;
        session.psql.ask("ANALYZE").map(drop)
    })
}
