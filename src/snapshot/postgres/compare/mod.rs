//! Compares a restored database with the snapshot that it was made of, by content: every row, the values of the sequences,
//! the large objects; and by what it [defines](definitions).
//!
//! The dump's text was digested when it was read; here the restored database is asked for the same text, with the
//! settings that the dump was written with, and that is digested likewise. What a restore computes anew by design
//! (materialised views, stored generated columns) is in no dump's data: it is named.

mod computed;
pub(crate) mod definitions;
mod sequences;
mod tables;
mod versions;

use crate::snapshot::Watch;
use crate::snapshot::engine::Computed;
use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::catalog;
use crate::snapshot::postgres::catalog::Counted;
use crate::snapshot::postgres::contents::{compare_restored, not_whole};
use crate::snapshot::postgres::data::{Data, large_objects};
use crate::snapshot::postgres::psql::{Psql, literal};
use crate::snapshot::postgres::whole::Whole;
use crate::snapshot::tool_process::attended;

/// What a comparison found besides that all is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Compared {
    pub(crate) computed: Computed,
    /// What a person should know besides, a sentence each.
    pub(crate) notes: Vec<String>,
}

/// Compares the database `name`, in which the session is, with the snapshot, whose dump holds `data`. `major` is the server's
/// version. The session's settings are others afterwards.
///
/// # Errors
///
/// `DumpError::NotWhole` names what differs first. Nothing was written.
pub(crate) fn data(
    psql: &mut Psql,
    major: u32,
    whole: &Whole<'_>,
    data: &Data,
    name: &str,
    watch: &dyn Watch,
) -> Result<Compared, PostgresError> {
    let stopper = psql.stopper();
    attended(watch, &[stopper], || within(psql, major, whole, data, name))
}

/// [`data`], where it is attended to already, perhaps in the transaction that loaded it.
///
/// # Errors
///
/// Those of [`data`].
pub(crate) fn within(
    psql: &mut Psql,
    major: u32,
    whole: &Whole<'_>,
    data: &Data,
    name: &str,
) -> Result<Compared, PostgresError> {
    let found = catalog::contents(psql, Counted::MaterialisedViews)?;
    compare_restored(name, &whole.promised, &found)?;
    let computed = computed::computed(psql, major, &whole.promised, &found)?;
    write_as_dumped(psql, whole, data)?;
    let mut found_other = tables::compare(psql, data)?;
    found_other.missing.extend(sequences::differences(psql, &data.sequences)?);
    if found.large_objects > 0 && tables::digests(psql, &[large_objects().into_bytes()])? != [data.large_objects] {
        found_other.missing.push("the large objects have another content".to_owned());
    }
    let mut notes = Vec::new();
    if whole.facts.written_with.is_empty() && !found_other.changed.is_empty() {
        let changed = std::mem::take(&mut found_other.changed);
        let read = changed.join(", ");
        notes.push(format!(
            "The snapshot does not say under which settings (time zone, currency) its values were written; under today's, {read}."
        ));
    }
    not_whole(name, &[found_other.missing, found_other.changed].concat())?;
    notes.extend(versions::notes(psql, &whole.facts)?);
    Ok(Compared { computed, notes })
}

/// Makes the server write values as it did for `pg_dump`.
///
/// Source: the settings that `pg_dump` makes for its own session (`setup_connection` in `pg_dump.c`).
fn write_as_dumped(psql: &mut Psql, whole: &Whole<'_>, data: &Data) -> Result<(), PostgresError> {
    for setting in ["DateStyle = ISO", "IntervalStyle = postgres", "extra_float_digits = 3"] {
        psql.ask(format!("SET {setting}"))?;
    }
    for (name, value) in &whole.facts.written_with {
        // One that this server no longer takes shows in the values that it changes, if there are any.
        let _ = psql.ask(format!("SELECT pg_catalog.set_config({}, {}, false)", literal(name), literal(value)));
    }
    let encoding = [b"SET client_encoding = '", data.encoding.as_slice(), b"'"].concat();
    psql.ask(encoding).map(drop)
}
