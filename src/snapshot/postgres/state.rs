//! The proof that nothing was written to a database since it was saved.
//!
//! Every change that a dump would show writes to the server's log and so moves the position at which the next record is
//! inserted, be it a row, an unlogged table's row (its commit is logged), a large object, a definition or the commit of a
//! prepared transaction; all but one: `nextval` logs only every 32nd value, so the sequences are read as well. Where
//! they cannot all be read, or the log cannot be asked for, there is no proof, and a new dump is the answer. The log is
//! the whole server's: a write to another database is a false alarm, which costs a dump and no more.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::psql::{Psql, text};
use super::{PostgresError, Session};
use crate::snapshot::Manifest;

/// The log's position first: whatever is written while the rest is read makes a later comparison fail, never succeed.
const POSITION: &str = "SELECT pg_catalog.pg_current_wal_insert_lsn(), \
    pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8)";

/// Transactions that have written, prepared ones included. The record of a commit is logged a moment before others see
/// its rows (with a synchronous standby, a long moment): a dump taken in between would lack what the position includes.
const WRITERS: &str = "SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks WHERE locktype = 'transactionid' \
    AND mode = 'ExclusiveLock' AND granted";

/// Every sequence that a dump would show with its value; first, whether one cannot be read. A sequence of an unlogged
/// table (since version 15) can be set without a trace in the log, and counts as one that cannot be read.
///
/// Source: `pg_sequence_last_value` is NULL without `USAGE` or `SELECT`, and for a sequence not yet used.
const SEQUENCES: &str = "SELECT coalesce(pg_catalog.bool_and(c.relpersistence = 'p' \
    AND pg_catalog.has_sequence_privilege(c.oid, 'USAGE, SELECT')), true), \
    pg_catalog.string_agg(c.oid || ':' || coalesce(CASE WHEN pg_catalog.has_sequence_privilege(c.oid, 'USAGE, SELECT') \
    THEN pg_catalog.pg_sequence_last_value(c.oid) END::text, ''), ',' ORDER BY c.oid) \
    FROM pg_catalog.pg_class c WHERE c.relkind = 'S' AND c.relpersistence <> 't'";

impl Session {
    /// What proves later that nothing was written since now; `None` where the server cannot prove it.
    ///
    /// # Errors
    ///
    /// [`PostgresError::ConnectionLost`]. A question that the server refuses is no error, but no proof either.
    pub fn state(&mut self) -> Result<Option<Value>, PostgresError> {
        if self.identity.in_recovery || self.identity.major < 10 {
            return Ok(None);
        }
        for question in [POSITION, WRITERS, SEQUENCES] {
            self.psql.send(question)?;
        }
        let position = answer(&mut self.psql)?;
        let writers = answer(&mut self.psql)?;
        let sequences = answer(&mut self.psql)?;
        let (Some([position, timeline]), Some([writers]), Some([readable, values]), Some(system)) =
            (position.as_deref(), writers.as_deref(), sequences.as_deref(), &self.identity.system_identifier)
        else {
            return Ok(None);
        };
        if writers != b"0" || readable != b"t" {
            return Ok(None);
        }
        let digest: String = Sha256::digest(values).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Some(json!({
            "system": system,
            "started": self.identity.started,
            "timeline": text(timeline),
            "position": text(position),
            "database": self.identity.database_oid,
            "sequences": digest,
        })))
    }

    /// Whether the server proves that nothing was written to the database since that snapshot was taken.
    ///
    /// # Errors
    ///
    /// As [`Session::state`].
    pub fn is_unchanged_since(&mut self, manifest: &Manifest) -> Result<bool, PostgresError> {
        let then = manifest.state.as_ref().and_then(|state| state.get("proof")).filter(|proof| proof.is_object());
        if then.is_none() || manifest.database != self.identity.database {
            return Ok(false);
        }
        Ok(self.state()?.as_ref() == then)
    }
}

fn answer(psql: &mut Psql) -> Result<Option<Vec<Vec<u8>>>, PostgresError> {
    match psql.receive() {
        Ok(fields) => Ok(Some(fields)),
        Err(PostgresError::Query { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}
