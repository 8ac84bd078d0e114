//! Finds out whether the role is let in where a restore goes: `pg_hba.conf` may name databases one by one.
//!
//! Who may not read its rules can only try. The server decides by the name whether it lets us in before it looks whether there
//! is such a database: so a name that no database has does.
//!
//! Source: PostgreSQL documentation, "The pg_hba.conf File".

use crate::snapshot::beside_names::with_ending;
use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::psql::Psql;
use crate::snapshot::postgres::session::{Identity, MAINTENANCE};
use crate::snapshot::postgres::tools::Tools;
use crate::snapshot::tool_process::ToolError;
use crate::snapshot::{Effect, Obstacle};

/// Tries it. A database that is not there lets nobody in either, but for another reason.
///
/// # Errors
///
/// Only where psql cannot be started.
pub(super) fn find(
    identity: &Identity,
    tools: &Tools,
    connection: &Connection,
) -> Result<Option<Obstacle>, PostgresError> {
    let start = |database: &str| Psql::start(tools, &connection.with("PGDATABASE", database), "");
    let is_let_in = |mut tried: Psql| !matches!(tried.finish(), Err(ToolError::Failed { message, .. }) if message.contains("pg_hba.conf"));
    let mut maintenance = MAINTENANCE.into_iter().filter(|name| *name != identity.database);
    // Both at once.
    let new_one = start(&with_ending(&identity.database, "_restoring"))?;
    let first = maintenance.next().map(start).transpose()?;
    let lets_the_new_one_in = is_let_in(new_one);
    let mut is_made_from_one = first.is_some_and(is_let_in);
    for other in maintenance {
        is_made_from_one = is_made_from_one || is_let_in(start(other)?);
    }
    Ok((!is_made_from_one || !lets_the_new_one_in).then(|| Obstacle {
        effect: Effect::NothingComesBack,
        what: format!("`pg_hba.conf` does not let the role `{}` into databases of other names", identity.user),
        remedy: "add a line for `postgres` and for databases of all names to the server's `pg_hba.conf`".to_owned(),
    }))
}
