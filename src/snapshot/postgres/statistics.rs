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
        let tables = session.psql.ask(TABLES)?.into_iter().next().unwrap_or_default();
        if tables.is_empty() {
            return Ok(());
        }
        session.psql.ask([b"ANALYZE ".as_slice(), &tables].concat()).map(drop)
    })
}

/// The tables whose statistics a program's queries are planned by. Those of the catalogs, which take longer than those of many
/// small tables, the server gathers by itself. A partitioned table brings its partitions.
const TABLES: &str = "SELECT pg_catalog.string_agg(pg_catalog.format('%I.%I', n.nspname, c.relname), ', ') \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'm', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' \
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";
