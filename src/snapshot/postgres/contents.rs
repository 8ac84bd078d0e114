//! Compares what a database held with what a dump or a restored database holds.

use crate::snapshot::dump_error::DumpError;
use crate::snapshot::postgres::catalog::Contents;
use crate::snapshot::postgres::script::Script;
use crate::snapshot::postgres::{PostgresError, recorded};
use crate::snapshot::{Manifest, TableRows};
use crate::text::and_more;

/// How many differences a message names.
const NAMED: usize = 3;

/// Lists the tables as the manifest does.
pub(crate) fn table_rows(contents: &Contents) -> Vec<TableRows> {
    contents.tables.iter().map(|table| TableRows { name: table.name.clone(), rows: table.rows }).collect()
}

/// Reads the contents that a manifest promises.
///
/// # Errors
///
/// [`PostgresError::Manifest`] if it does not say.
pub(crate) fn promised(manifest: &Manifest) -> Result<Contents, PostgresError> {
    recorded::contents(manifest).ok_or_else(|| PostgresError::Manifest {
        id: manifest.id.clone(),
        reason: "it does not say what the dump holds".to_owned(),
    })
}

/// Compares a dump, as its reader gave it, with what the database held at the dump's own snapshot.
///
/// # Errors
///
/// [`DumpError::NotWhole`] with the first differences.
pub(crate) fn compare_dump(what: &str, held: &Contents, script: &Script) -> Result<(), PostgresError> {
    let mut differences = Vec::new();
    for table in &held.tables {
        if table.materialised {
            if !script.materialised.contains(&table.name) {
                differences.push(format!("{} is missing", table.name));
            }
            continue;
        }
        let expected = table.rows.unwrap_or_default();
        match script.rows.get(&table.name).or_else(|| script.rows_by_way.get(&table.name)) {
            None => differences.push(format!("{} is missing", table.name)),
            Some(found) if *found != expected => {
                differences.push(format!("{} has {found} rows of {expected}", table.name));
            }
            Some(_) => {}
        }
    }
    let counts = [
        ("extensions", held.extensions, script.extensions.len() as u64),
        ("large objects", held.large_objects, script.large_objects),
    ];
    for (name, expected, found) in counts {
        if expected != found {
            differences.push(format!("{found} of {expected} {name}"));
        }
    }
    // An extension may have its own sequences' values dumped besides.
    if script.sequences < held.sequences {
        differences.push(format!("{} of {} sequences", script.sequences, held.sequences));
    }
    not_whole(what, &differences)
}

/// Compares which tables a restored database has, and how much else, with what the snapshot promises.
///
/// # Errors
///
/// [`DumpError::NotWhole`] with the first differences.
pub(crate) fn compare_restored(what: &str, promised: &Contents, found: &Contents) -> Result<(), PostgresError> {
    let mut differences = Vec::new();
    for table in &promised.tables {
        if !found.tables.iter().any(|other| other.name == table.name) {
            differences.push(format!("{} is missing", table.name));
        }
    }
    for other in &found.tables {
        if !promised.tables.iter().any(|table| table.name == other.name) {
            differences.push(format!("{} was not in the snapshot", other.name));
        }
    }
    let counts = [
        ("extensions", promised.extensions, found.extensions),
        ("large objects", promised.large_objects, found.large_objects),
        ("sequences", promised.sequences, found.sequences),
        ("foreign tables", promised.foreign_tables, found.foreign_tables),
    ];
    for (name, expected, found) in counts {
        if expected != found {
            differences.push(format!("{found} of {expected} {name}"));
        }
    }
    not_whole(what, &differences)
}

/// Says that something is not whole, where there are differences.
///
/// # Errors
///
/// [`DumpError::NotWhole`] with the first differences.
pub(crate) fn not_whole(what: &str, differences: &[String]) -> Result<(), PostgresError> {
    if differences.is_empty() {
        return Ok(());
    }
    let named = &differences[..differences.len().min(NAMED)];
    Err(PostgresError::Dump(DumpError::NotWhole {
        what: what.to_owned(),
        differences: and_more(named, differences.len()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::postgres::catalog::Table;

    fn held() -> Contents {
        let table = |name: &str, rows, materialised| Table { name: name.to_owned(), rows: Some(rows), materialised };
        Contents {
            tables: vec![table("public.a", 3, false), table("public.v", 3, true)],
            extensions: 1,
            large_objects: 2,
            sequences: 1,
            foreign_tables: 0,
        }
    }

    fn script() -> Script {
        Script {
            rows: [("public.a".to_owned(), 3)].into(),
            materialised: ["public.v".to_owned()].into(),
            extensions: vec!["hstore".to_owned()],
            large_objects: 2,
            sequences: 1,
            ..Script::default()
        }
    }

    #[test]
    fn every_loss_in_a_dump_is_named() {
        type Loss = fn(&mut Script);
        let cases: [(Loss, &str); 6] = [
            (|script| *script.rows.get_mut("public.a").unwrap() = 2, "public.a has 2 rows of 3"),
            (|script| script.rows.clear(), "public.a is missing"),
            (|script| script.materialised.clear(), "public.v is missing"),
            (|script| script.extensions.clear(), "0 of 1 extensions"),
            (|script| script.large_objects = 1, "1 of 2 large objects"),
            (|script| script.sequences = 0, "0 of 1 sequences"),
        ];
        compare_dump("dump", &held(), &script()).unwrap();
        for (lose, expected) in cases {
            let mut script = script();
            lose(&mut script);
            let error = compare_dump("dump", &held(), &script).unwrap_err();
            assert_eq!(error.to_string(), format!("dump is not whole: {expected}"));
        }
    }

    #[test]
    fn a_restored_database_has_neither_less_nor_more() {
        let mut found = held();
        compare_restored("shop", &held(), &found).unwrap();
        found.tables.remove(0);
        found.tables.push(Table { name: "public.b".into(), rows: Some(0), materialised: false });
        let error = compare_restored("shop", &held(), &found).unwrap_err().to_string();
        assert_eq!(error, "shop is not whole: public.a is missing, public.b was not in the snapshot");
    }
}
