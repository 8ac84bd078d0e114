//! Finds what a restore computes anew: its values are in no dump, so that they may be others than those that were saved.

use crate::snapshot::engine::Computed;
use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::catalog::Contents;
use crate::snapshot::postgres::names::canonical;
use crate::snapshot::postgres::psql::Psql;

/// A column of PostgreSQL's own functions comes out as it was: they depend on its arguments only, and no dependency on
/// them is written down. What is written down is the user's or an extension's.
const RECOMPUTED: &str = "SELECT DISTINCT pg_catalog.quote_ident(n.nspname), pg_catalog.quote_ident(c.relname), \
    pg_catalog.quote_ident(a.attname) FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_class c ON c.oid = d.adrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated = 's' \
    JOIN pg_catalog.pg_depend x ON x.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND x.objid = d.oid \
    AND x.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass) \
    WHERE c.relkind = 'r'";

/// Asks the restored database.
pub(crate) fn computed(
    psql: &mut Psql,
    major: u32,
    promised: &Contents,
    found: &Contents,
) -> Result<Computed, PostgresError> {
    let mut refreshed = Vec::new();
    for view in promised.tables.iter().filter(|table| table.materialised) {
        let Some(before) = view.rows else { continue };
        match found.tables.iter().find(|table| table.name == view.name).and_then(|table| table.rows) {
            Some(now) if now == before => refreshed.push(view.name.clone()),
            Some(now) => refreshed.push(format!("{} ({now} rows, {before} when it was saved)", view.name)),
            // It could not be refreshed, which the loading has said.
            None => {}
        }
    }
    // Generated columns came with version 12.
    let fields = if major < 12 { Vec::new() } else { psql.ask(RECOMPUTED)? };
    let mut recomputed: Vec<String> = fields.chunks_exact(3).map(|row| canonical(&row.join(b".".as_slice()))).collect();
    recomputed.sort();
    Ok(Computed { refreshed, recomputed })
}
