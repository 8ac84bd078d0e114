//! Foreign keys, which need not hold in a database that lives: what holds is added as it was, the rest `NOT VALID`.

use std::collections::BTreeSet;

use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::load::client::Client;
use crate::snapshot::postgres::names::{canonical, shown};
use crate::snapshot::postgres::words::{after, name, words};

/// Those that do not hold.
#[derive(Debug, Default)]
pub(crate) struct ForeignKeys {
    pub(crate) not_valid: Vec<String>,
    /// Their tables, named as the catalog names them.
    pub(crate) changed: BTreeSet<String>,
}

const FOREIGN_KEY_VIOLATION: &str = "23503";

impl ForeignKeys {
    /// Adds a foreign key; where its rows do not hold, without looking at them.
    ///
    /// # Errors
    ///
    /// [`PostgresError::NotRestorable`] where the server does not add it unchecked.
    pub(crate) fn add(&mut self, client: &mut Client, statement: &[u8]) -> Result<(), PostgresError> {
        let message = match client.try_all(&[statement]) {
            Err(PostgresError::Query { sqlstate, message }) if sqlstate == FOREIGN_KEY_VIOLATION => message,
            // As it stands: psql ends, and says what it was about.
            Err(PostgresError::Query { .. }) => return client.write(statement),
            other => return other,
        };
        let words = words(statement);
        let key = after(&words, &["CONSTRAINT"]).and_then(|at| words.get(at)?.1.name()).unwrap_or_default();
        let table = after(&words, &["TABLE", "ONLY"]).or_else(|| after(&words, &["TABLE"]));
        let table = table.and_then(|at| words.get(at)).map_or(b"".as_slice(), |(at, _)| name(&statement[*at..]));
        let of = format!("`{}` of `{}`", shown(key), canonical(table));
        let end = statement.iter().rposition(|byte| *byte == b';').unwrap_or(statement.len());
        match client.try_all(&[&[&statement[..end], b" NOT VALID;\n"].concat()]) {
            Err(PostgresError::Query { message: refusal, .. }) => Err(PostgresError::NotRestorable {
                what: format!("the foreign key {of} does not hold ({message}), and is not added unchecked: {refusal}"),
            }),
            other => {
                self.not_valid.push(of);
                self.changed.insert(canonical(table));
                other
            }
        }
    }
}
