//! Logical replication that is bound to a database by its number, and so would go away with one that is replaced.
//!
//! A slot stays with the replaced database: its consumer does not find it under the name any more, and it holds the server's
//! WAL back for as long as it is there. The worker of an enabled subscription goes on writing, into what is kept as it was.
//! Both are somebody's to end; a restore only says so, before it touches anything. A disabled subscription does nothing: what
//! comes back of the snapshot is a disabled one, too.

use crate::snapshot::postgres::psql::{Psql, identifier, literal, text};
use crate::snapshot::postgres::{PostgresError, Session};

/// Makes sure that nothing would go away with a database that is replaced.
///
/// # Errors
///
/// [`PostgresError::Replicates`], and those of the server.
pub(crate) fn expect_none(server: &mut Session, database: &str) -> Result<(), PostgresError> {
    let name = literal(database);
    let found = server.psql.ask(format!(
        "SELECT 'the slot ' || slot_name FROM pg_replication_slots WHERE database = {name} AND NOT temporary \
         UNION ALL SELECT 'the subscription ' || s.subname FROM pg_subscription s \
         JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = {name} AND s.subenabled"
    ))?;
    if found.is_empty() {
        return Ok(());
    }
    let what = found.iter().map(|one| text(one)).collect::<Vec<_>>().join(", ");
    Err(PostgresError::Replicates { database: database.to_owned(), what })
}

/// Lists what a copy of the database would not have, or would take part in: slots and subscriptions, in words.
pub(crate) fn bound_to(psql: &mut Psql, database: &str) -> Result<String, PostgresError> {
    let name = literal(database);
    let found = psql.ask(format!(
        "SELECT 'the slot ' || slot_name FROM pg_replication_slots WHERE database = {name} \
         UNION ALL SELECT 'the subscription ' || s.subname FROM pg_subscription s \
         JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = {name}"
    ))?;
    Ok(found.iter().map(|one| text(one)).collect::<Vec<_>>().join(", "))
}

/// Lists the subscriptions of a database.
pub(crate) fn subscriptions(psql: &mut Psql, database: &str) -> Result<Vec<String>, PostgresError> {
    let found = psql.ask(format!(
        "SELECT s.subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = {} ORDER BY 1",
        literal(database)
    ))?;
    Ok(found.iter().map(|name| text(name)).collect())
}

/// Drops the subscriptions of a database of ours, which could not be dropped itself otherwise. The publisher is not asked:
/// its slot belongs to the database in use, which has the same subscription.
pub(crate) fn forget_subscriptions(server: &mut Session, database: &str) -> Result<(), PostgresError> {
    let names = subscriptions(&mut server.psql, database)?;
    if names.is_empty() {
        return Ok(());
    }
    let mut inside = Session::connect(server.connection_to(database))?;
    for name in names.iter().map(|name| identifier(name)) {
        inside.psql.ask(format!("ALTER SUBSCRIPTION {name} DISABLE"))?;
        inside.psql.ask(format!("ALTER SUBSCRIPTION {name} SET (slot_name = NONE)"))?;
        inside.psql.ask(format!("DROP SUBSCRIPTION {name}"))?;
    }
    Ok(())
}
