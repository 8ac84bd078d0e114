//! Notes what the server makes in another form than it was saved in: extensions, the collation.

use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::facts::Facts;
use crate::snapshot::postgres::psql::{Psql, literal, text};

/// Asks the restored database; a sentence for each that is another.
pub(crate) fn notes(psql: &mut Psql, facts: &Facts) -> Result<Vec<String>, PostgresError> {
    let mut notes = Vec::new();
    if !facts.extensions.is_empty() {
        let fields = psql.ask("SELECT extname, extversion FROM pg_catalog.pg_extension ORDER BY 1")?;
        for row in fields.chunks_exact(2) {
            let (name, now) = (text(&row[0]), text(&row[1]));
            if let Some(before) = facts.extensions.get(&name).filter(|before| **before != now) {
                notes.push(format!(
                    "The extension `{name}` is in version {now} now: the server no longer has {before}, which was saved."
                ));
            }
        }
    }
    if !facts.extension_relations.is_empty() {
        let names = facts.extension_relations.iter().map(|name| format!("({})", literal(name)));
        let fields = psql.ask(format!(
            "SELECT name FROM (VALUES {}) v(name) WHERE pg_catalog.to_regclass(name) IS NULL ORDER BY 1",
            names.collect::<Vec<_>>().join(", ")
        ))?;
        if !fields.is_empty() {
            let names: Vec<String> = fields.iter().map(|name| text(name)).collect();
            notes.push(format!(
                "Left out, since a dump has nothing of them, and the extensions that they belonged to do not make them: {}.",
                names.join(", ")
            ));
        }
    }
    if let Some(before) = &facts.collation_version {
        let now = psql.ask(
            "SELECT pg_catalog.to_json(d)->>'datcollversion' FROM pg_catalog.pg_database d \
             WHERE d.datname = pg_catalog.current_database()",
        )?;
        let now = now.first().map(|field| text(field)).unwrap_or_default();
        if now != *before {
            notes.push(format!(
                "The server sorts texts by version {now} of the collation now, and did by {before} when the database was made; \
                 the indexes were made anew."
            ));
        }
    }
    Ok(notes)
}
