//! What a manifest's `state` holds for PostgreSQL: the proof of no change, the contents, the database as a whole.

use serde::{Deserialize, Serialize};

use crate::snapshot::Manifest;
use crate::snapshot::postgres::catalog::{Contents, Table};
use crate::snapshot::postgres::facts::Facts;

/// All of it, as it is written.
#[derive(Debug, Serialize)]
pub(crate) struct Recorded {
    pub(crate) proof: Option<Proof>,
    pub(crate) contents: RecordedContents,
    pub(crate) database: Option<Facts>,
    /// What became of the copy in the server; `None` where none was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) copy: Option<RecordedCopy>,
}

/// What holds of a snapshot since its manifest was written: the fields of [`Recorded`] that may become others.
#[derive(Debug, Serialize)]
pub(crate) struct Since {
    pub(crate) proof: Option<Proof>,
    pub(crate) copy: RecordedCopy,
}

/// What became of the copy that was to be kept in the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RecordedCopy {
    Kept(ServerCopy),
    /// Why there is none, a phrase.
    NotKept(String),
    /// A restore has put it in its database's place: the name that it had until then.
    UsedUp(String),
}

impl From<Result<ServerCopy, String>> for RecordedCopy {
    fn from(made: Result<ServerCopy, String>) -> Self {
        made.map_or_else(RecordedCopy::NotKept, RecordedCopy::Kept)
    }
}

/// A copy of a database, as it was when it was made: one that is not so any more is another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServerCopy {
    pub(crate) name: String,
    /// Its number in the server.
    pub(crate) oid: String,
    /// The number of the transaction that wrote its row of `pg_database`, so of the last change to the database as a whole:
    /// whoever lets somebody in changes it.
    pub(crate) written_by: String,
    /// The life of the server in which it was made, as [`Session::life`](super::Session) tells it.
    pub(crate) life: String,
}

/// Where the server stood when a database was saved: see [`super::state`]. One with less in it, of an earlier version, or
/// with more, of a later one, is none here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proof {
    pub(crate) system: String,
    pub(crate) started: String,
    pub(crate) timeline: String,
    /// Since when the server has lived without a crash.
    pub(crate) recovered: String,
    /// The numbers of the server's own processes.
    pub(crate) processes: String,
    pub(crate) finished: String,
    pub(crate) database: String,
    pub(crate) sequences: String,
}

/// What the manifest's list of tables leaves out of the contents.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RecordedContents {
    extensions: u64,
    large_objects: u64,
    sequences: u64,
    foreign_tables: u64,
    #[serde(default)]
    materialised_views: Vec<String>,
}

impl From<&Contents> for RecordedContents {
    fn from(contents: &Contents) -> Self {
        let materialised = contents.tables.iter().filter(|table| table.materialised);
        RecordedContents {
            extensions: contents.extensions,
            large_objects: contents.large_objects,
            sequences: contents.sequences,
            foreign_tables: contents.foreign_tables,
            materialised_views: materialised.map(|table| table.name.clone()).collect(),
        }
    }
}

/// Reads the proof that a manifest holds.
pub(crate) fn proof(manifest: &Manifest) -> Option<Proof> {
    #[derive(Deserialize)]
    struct State {
        proof: Option<Proof>,
    }
    State::deserialize(manifest.state.as_ref()?).ok()?.proof
}

/// Reads the contents that a manifest promises.
pub(crate) fn contents(manifest: &Manifest) -> Option<Contents> {
    #[derive(Deserialize)]
    struct State {
        contents: RecordedContents,
    }
    let State { contents } = State::deserialize(manifest.state.as_ref()?).ok()?;
    let tables = manifest.tables.iter().map(|table| Table {
        name: table.name.clone(),
        rows: table.rows,
        materialised: contents.materialised_views.contains(&table.name),
    });
    Some(Contents {
        tables: tables.collect(),
        extensions: contents.extensions,
        large_objects: contents.large_objects,
        sequences: contents.sequences,
        foreign_tables: contents.foreign_tables,
    })
}

/// Reads what became of the copy in the server, where one was asked for.
pub(crate) fn copy(manifest: &Manifest) -> Option<RecordedCopy> {
    #[derive(Deserialize)]
    struct State {
        copy: Option<RecordedCopy>,
    }
    State::deserialize(manifest.state.as_ref()?).ok()?.copy
}

/// Reads how the database as a whole is to be made.
pub(crate) fn database(manifest: &Manifest) -> Option<Facts> {
    #[derive(Deserialize)]
    struct State {
        database: Facts,
    }
    Some(State::deserialize(manifest.state.as_ref()?).ok()?.database)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::snapshot::postgres::contents::table_rows;
    use crate::snapshot::postgres::testing::manifest;

    #[test]
    fn what_is_recorded_reads_back() {
        let table = |name: &str, materialised| Table { name: name.to_owned(), rows: Some(3), materialised };
        let held = Contents {
            tables: vec![table("public.a", false), table("public.v", true)],
            extensions: 1,
            large_objects: 2,
            sequences: 3,
            foreign_tables: 4,
        };
        let facts = Facts { owner: "ann".to_owned(), ..Facts::default() };
        let copy =
            ServerCopy { name: "c".to_owned(), oid: "1".to_owned(), written_by: "2".to_owned(), life: "3".to_owned() };
        let copy = Some(RecordedCopy::Kept(copy));
        let recorded =
            Recorded { proof: None, contents: (&held).into(), database: Some(facts.clone()), copy: copy.clone() };
        let manifest = manifest(table_rows(&held), Some(serde_json::to_value(&recorded).unwrap()));
        assert_eq!((contents(&manifest), database(&manifest), proof(&manifest)), (Some(held), Some(facts), None));
        assert_eq!(super::copy(&manifest), copy);
    }

    #[test]
    fn a_proof_is_read_whole_or_not_at_all() {
        let whole = json!({
            "system": "1", "started": "2", "timeline": "3", "recovered": "4", "processes": "5", "finished": "6",
            "database": "7", "sequences": "8"
        });
        let found = |proof: Value| proof_of(json!({ "proof": proof }));
        let mut with_more = whole.clone();
        with_more["later"] = "7".into();
        let mut with_less = whole.clone();
        with_less.as_object_mut().unwrap().remove("recovered");
        assert_eq!(found(whole).unwrap().sequences, "8");
        // As versions before wrote it.
        let earlier = json!({
            "system": "1", "started": "2", "finished": "3", "database": "4", "sequences": "5", "unlogged": "6"
        });
        for proof in [with_more, with_less, earlier, Value::Null, json!({}), json!("x")] {
            assert_eq!(found(proof.clone()), None, "{proof}");
        }
    }

    fn proof_of(state: Value) -> Option<Proof> {
        proof(&manifest(Vec::new(), Some(state)))
    }
}
