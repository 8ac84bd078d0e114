//! What a program dials: the calls that connect to what they are given.

use crate::environment::ecosystems::python::program::block::Block;
use crate::environment::readers::code::python::{Statement, closing};
use crate::environment::readers::code::{Computed, Entry};

/// Calls that dial what they are given. Sources: the manuals of SQLAlchemy, psycopg, PyMySQL, asyncpg, PyMongo, redis-py,
/// peewee, databases, Tortoise, Alembic and Django.
const DIALS: &[&str] = &[
    "create_engine",
    "create_async_engine",
    "create_pool",
    "connect",
    "MongoClient",
    "AsyncIOMotorClient",
    "Redis",
    "StrictRedis",
    "from_url",
    "Database",
    "PostgresqlDatabase",
    "MySQLDatabase",
    "PostgresqlExtDatabase",
    "SqliteDatabase",
    "ConnectionPool",
    "AsyncConnectionPool",
    "set_main_option",
];

/// Parts of [`DIALS`]: where none of them stands, none of those does.
const MARKS_OF_DIALS: &[&str] =
    &["onnect", "reate_", "lient(", "Redis(", "from_url", "Database(", "Pool(", "set_main_option"];

impl Block<'_, '_> {
    /// Notes the places that a statement dials.
    pub(crate) fn note_connections(&self, statement: &Statement) {
        let text = statement.text.as_str();
        if !text.contains('(') || !MARKS_OF_DIALS.iter().any(|mark| text.contains(mark)) {
            return;
        }
        for name in DIALS {
            for (at, _) in text.match_indices(name) {
                let before = text[..at].chars().next_back();
                if before.is_some_and(|c| c == '_' || c.is_alphanumeric()) {
                    continue;
                }
                let Some(rest) = text[at + name.len()..].strip_prefix('(') else { continue };
                let Some(end) = closing(rest) else { continue };
                let Some(arguments) = self.with_names(statement.line, |scope| scope.arguments(&rest[..end])) else {
                    continue;
                };
                let place = self.at(statement.line);
                let entry = |key: &str, value: &Computed| Entry {
                    key: key.to_owned(),
                    value: value.clone(),
                    expression: rest[..end].to_owned(),
                    place,
                };
                let address = arguments
                    .positional
                    .iter()
                    .find(|value| matches!(value, Computed::Text(text) if text.contains("://")));
                let mut entries: Vec<Entry> = address.map(|address| entry("url", address)).into_iter().collect();
                entries.extend(arguments.keywords.iter().map(|(key, value)| entry(key, value)));
                if !entries.is_empty() {
                    self.run.found.borrow_mut().connections.push(entry(name, &Computed::Map(entries)));
                }
            }
        }
    }
}
