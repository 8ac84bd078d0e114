//! Proves that nothing was written to a database since it was saved.
//!
//! Every change that a dump would show is made by a transaction with a number of its own, be it to a row, an unlogged
//! table's row, a large object or a definition; all but one: `nextval` takes a number only for every 32nd value, so the
//! sequences are read as well. So where the highest number of a finished transaction is the same and no sequence has
//! moved, nothing was written, as long as the server has lived on: a crash may lose the last transactions (with
//! `synchronous_commit` or `fsync` off) and give their numbers away again, and empties unlogged tables; a data folder that
//! was put back does so, too. So the life of the server is part of the proof. (The position of the write-ahead log tells
//! what was written, but also moves for a checkpoint, and for what the server tidies up while it is read.)
//!
//! Where the sequences cannot all be read, or a transaction that has written is still open or prepared, there is no proof,
//! and a new dump is the answer. The numbers are the whole server's: a write to another database is a false alarm, which
//! costs a dump and no more; so is a restart. What no question to the server can show is a machine that was set back with
//! all its memory.

use sha2::{Digest, Sha256};

use crate::snapshot::Manifest;
use crate::snapshot::postgres::psql::{Psql, text};
use crate::snapshot::postgres::recorded::Proof;
use crate::snapshot::postgres::{PostgresError, Session, recorded};
use crate::text::hex;

/// One more than the highest number of a transaction that has ended, in 64 bits. Asked first: whatever is written while
/// the rest is read makes a later comparison fail, never succeed.
const FINISHED: &str = "SELECT pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())";

/// Transactions that have written and not ended, prepared ones included: each holds the lock of its own number. One that
/// has a lower number than the highest finished would end without raising it. The lock is given back after others can
/// see the rows: once there is none, a snapshot taken next shows whatever has a lower number.
const WRITERS: &str = "SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks WHERE locktype = 'transactionid' \
    AND mode = 'ExclusiveLock' AND granted";

/// Every sequence that a dump would show with its value; first, whether one cannot be read. An unlogged
/// sequence (since version 15) can be set without a number, and counts as one that cannot be read.
///
/// Source: `pg_sequence_last_value` is NULL without `USAGE` or `SELECT`, and for a sequence not yet used.
const SEQUENCES: &str = "SELECT coalesce(pg_catalog.bool_and(c.relpersistence = 'p' \
    AND pg_catalog.has_sequence_privilege(c.oid, 'USAGE, SELECT')), true), \
    pg_catalog.string_agg(c.oid || ':' || coalesce(CASE WHEN pg_catalog.has_sequence_privilege(c.oid, 'USAGE, SELECT') \
    THEN pg_catalog.pg_sequence_last_value(c.oid) END::text, ''), ',' ORDER BY c.oid) \
    FROM pg_catalog.pg_class c WHERE c.relkind = 'S' AND c.relpersistence <> 't'";

/// Tells one life of the server from others, with the start of its first process: the timeline, which promotion and
/// recovery to a point in time change; since when statistics are kept; and the server's own processes. After the crash of
/// a single session the server starts anew by itself, without another starting time: then its statistics are thrown away
/// and its own processes are others.
///
/// Every role may read all of it: of processes that are not its own, the number only.
///
/// Source: PostgreSQL documentation, "The Cumulative Statistics System": after an unclean shutdown all are reset; and
/// `PostmasterStateMachine` in the server, which ends every process before it starts them anew.
const LIFE: &str = "SELECT pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8), \
    s.stats_reset, (SELECT pg_catalog.string_agg(a.pid::text, ',' ORDER BY a.pid) FROM pg_catalog.pg_stat_activity a \
    WHERE a.datid IS NULL AND a.usesysid IS NULL) FROM pg_catalog.pg_stat_bgwriter s";

/// The same life, with its own start, in words that no setting of a session changes.
const LIFE_ANYWHERE: &str = "SELECT pg_catalog.concat_ws(' ', \
    pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8), \
    (extract(epoch FROM pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint, \
    (extract(epoch FROM s.stats_reset) * 1000000)::bigint, \
    (SELECT pg_catalog.string_agg(a.pid::text, ',' ORDER BY a.pid) FROM pg_catalog.pg_stat_activity a \
    WHERE a.datid IS NULL AND a.usesysid IS NULL)) FROM pg_catalog.pg_stat_bgwriter s";

/// How many parts that has.
const PARTS_OF_A_LIFE: usize = 4;

impl Session {
    /// Tells one life of the server from others, as it is written in every database; `None` where the server does not tell.
    ///
    /// # Errors
    ///
    /// [`PostgresError::ConnectionLost`].
    pub(crate) fn life(&mut self) -> Result<Option<String>, PostgresError> {
        self.psql.send(LIFE_ANYWHERE)?;
        let answer = answer(&mut self.psql)?;
        let life = answer.and_then(|fields| fields.first().map(|field| text(field)));
        Ok(life.filter(|life| life.split(' ').count() == PARTS_OF_A_LIFE))
    }

    /// Tells what proves later that nothing was written since now; `None` where the server cannot prove it.
    ///
    /// # Errors
    ///
    /// [`PostgresError::ConnectionLost`]. A question that the server refuses is no error, but no proof either.
    pub(crate) fn state(&mut self) -> Result<Option<Proof>, PostgresError> {
        if self.identity.in_recovery || self.identity.major < 10 {
            return Ok(None);
        }
        for question in [FINISHED, WRITERS, SEQUENCES, LIFE] {
            self.psql.send(question)?;
        }
        let finished = answer(&mut self.psql)?;
        let writers = answer(&mut self.psql)?;
        let sequences = answer(&mut self.psql)?;
        let life = answer(&mut self.psql)?;
        let (Some([finished]), Some([writers]), Some([readable, values]), Some([timeline, recovered, processes])) =
            (finished.as_deref(), writers.as_deref(), sequences.as_deref(), life.as_deref())
        else {
            return Ok(None);
        };
        let Some(system) = &self.identity.system_identifier else { return Ok(None) };
        if writers != b"0" || readable != b"t" || [timeline, recovered, processes].iter().any(|part| part.is_empty()) {
            return Ok(None);
        }
        Ok(Some(Proof {
            system: system.clone(),
            started: self.identity.started.clone(),
            timeline: text(timeline),
            recovered: text(recovered),
            processes: text(processes),
            finished: text(finished),
            database: self.identity.database_oid.clone(),
            sequences: hex(Sha256::digest(values)),
        }))
    }

    /// Tells whether the server proves that nothing was written to the database since that snapshot was taken.
    ///
    /// # Errors
    ///
    /// As [`Session::state`].
    pub(crate) fn is_unchanged_since(&mut self, manifest: &Manifest) -> Result<bool, PostgresError> {
        let then = recorded::proof(manifest);
        if then.is_none() || manifest.database != self.identity.database {
            return Ok(false);
        }
        Ok(self.state()? == then)
    }
}

fn answer(psql: &mut Psql) -> Result<Option<Vec<Vec<u8>>>, PostgresError> {
    match psql.receive() {
        Ok(fields) => Ok(Some(fields)),
        Err(PostgresError::Query { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}
