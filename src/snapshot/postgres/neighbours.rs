//! Asks a server how much was written to its databases.

use crate::own_tools::ToolEnvironment;
use crate::reach::Target;
use crate::snapshot::beside_names::endings;
use crate::snapshot::neighbours::{Counted, Neighbours};
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::psql::{literal, number, text};
use crate::snapshot::postgres::{PostgresError, Session};

impl Session {
    /// Tells what the server counts of its databases but the one that we are connected to, and those that restores,
    /// rehearsals and snapshots make beside others: whoever makes one takes care of it.
    ///
    /// A session hands its counts in when it ends, and about once a second before (PostgreSQL documentation, "The Cumulative
    /// Statistics System"). Reading counts no row. Every role may read them.
    ///
    /// # Errors
    ///
    /// Those of the server.
    pub(crate) fn neighbours(&mut self) -> Result<Neighbours, PostgresError> {
        let sessions = if self.identity.major < 14 { "NULL::bigint" } else { "sessions" };
        let fields = self.psql.ask(format!(
            "SELECT datname, tup_inserted + tup_updated + tup_deleted, {sessions} FROM pg_catalog.pg_stat_database \
             WHERE datname <> pg_catalog.current_database() AND datname !~ {}",
            literal(&endings())
        ))?;
        let row = |row: &[Vec<u8>]| {
            let rows = number(&row[1])?;
            Some((text(&row[0]), Counted { rows, sessions: number(&row[2]) }))
        };
        Ok(Neighbours {
            life: format!("{} since {}", self.identity.fingerprint(), self.identity.started),
            own: self.identity.database.clone(),
            counted: fields.chunks_exact(3).filter_map(row).collect(),
        })
    }
}

/// Asks the target's server by a session of its own. The command may have dropped the database: then another one is
/// connected to.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn neighbours(target: &Target, environment: &ToolEnvironment) -> Result<Neighbours, PostgresError> {
    let connection = Connection::new(target, environment)?;
    let mut session = match Session::connect(connection.clone()) {
        Ok(session) => session,
        Err(_) => Session::open_maintenance(&connection, None)?,
    };
    session.neighbours()
}
