//! Manifests made of a few words, for tests.

use super::{Kind, Level, Manifest, Tool};

pub(super) fn manifest(id: &str, database: &str, kind: Kind, taken_at: &str) -> Manifest {
    Manifest {
        schema: 1,
        id: id.to_owned(),
        kind,
        engine: "postgres".to_owned(),
        database: database.to_owned(),
        target: format!("postgres://localhost:5432/{database}"),
        taken_at: taken_at.parse().unwrap(),
        project: None,
        run: None,
        used_by: Vec::new(),
        file: format!("{id}.dump"),
        size: 4,
        sha256: String::new(),
        verified: Level::Read,
        compression: None,
        tool: Tool { program: "pg_dump".to_owned(), version: "17".to_owned(), arguments: Vec::new() },
        server: None,
        tables: Vec::new(),
        state: None,
        file_state: None,
        notes: Vec::new(),
        by_hand: Vec::new(),
    }
}
