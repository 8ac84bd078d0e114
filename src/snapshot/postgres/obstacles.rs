//! Finds what will keep a role from putting back what it has saved: known beforehand, and said before the command is run.

use crate::snapshot::engine::Obstacle;
use crate::snapshot::postgres::psql::{literal, text};
use crate::snapshot::postgres::{PostgresError, Session};

/// Tells whether the role is, or can act as, the owner of the database; and the extensions that only a superuser
/// creates.
///
/// The list of available extensions is a file each on the server's disk, so it is read only where an extension was added.
///
/// Source: `superuser` and `trusted` in `pg_available_extension_versions`; before version 13 none was trusted.
fn question(session: &Session) -> String {
    let trusted = if session.identity.major < 13 { "false" } else { "v.trusted" };
    format!(
        "SELECT pg_catalog.pg_has_role(d.datdba, 'MEMBER'), \
         CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_extension WHERE oid >= 16384) THEN \
         (SELECT pg_catalog.string_agg(e.extname, ', ' ORDER BY e.extname) FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_available_extension_versions v \
         ON v.name = e.extname AND v.version = e.extversion WHERE e.oid >= 16384 AND v.superuser AND NOT {trusted}) END \
         FROM pg_catalog.pg_database d WHERE d.datname = {}",
        literal(&session.identity.database)
    )
}

/// Finds the obstacle, if there is one.
///
/// # Errors
///
/// Those of the session.
pub(crate) fn obstacle(session: &mut Session) -> Result<Option<Obstacle>, PostgresError> {
    if session.identity.superuser {
        return Ok(None);
    }
    let question = question(session);
    let fields = session.psql.ask(question)?;
    let [owner, extensions] = fields.as_slice() else { return Ok(None) };
    let (mut reasons, mut remedies) = (Vec::new(), Vec::new());
    if !session.identity.may_create {
        reasons.push("it may not create databases (ALTER ROLE … CREATEDB)".to_owned());
        remedies.push("give the role the right: `ALTER ROLE … CREATEDB`");
    }
    if owner != b"t" {
        reasons.push("the database is not its own".to_owned());
        remedies.push("connect as the database's owner");
    }
    if !extensions.is_empty() {
        reasons.push(format!("only a superuser creates the extensions {}", text(extensions)));
        remedies.push("have a superuser restore it");
    }
    let user = &session.identity.user;
    Ok((!reasons.is_empty()).then(|| Obstacle {
        what: format!("The role `{user}` can save this database, but not put it back: {}.", reasons.join("; ")),
        remedy: remedies.join("; "),
    }))
}
