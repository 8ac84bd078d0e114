//! Compares where the sequences stand.

use std::collections::BTreeMap;

use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::data::SequenceValue;
use crate::snapshot::postgres::names::canonical;
use crate::snapshot::postgres::psql::{Psql, text};

/// How many sequences are asked for by one statement.
const AT_ONCE: usize = 40;

/// Lists the sequences that stand elsewhere than in the snapshot.
pub(crate) fn differences(
    psql: &mut Psql,
    expected: &BTreeMap<Vec<u8>, SequenceValue>,
) -> Result<Vec<String>, PostgresError> {
    let mut differences = Vec::new();
    let expected: Vec<(&Vec<u8>, &SequenceValue)> = expected.iter().collect();
    for chunk in expected.chunks(AT_ONCE) {
        let ask = |(at, (name, _)): (usize, &(&Vec<u8>, &SequenceValue))| {
            [format!("SELECT {at}, last_value, is_called FROM ").as_bytes(), name].concat()
        };
        let statement = chunk.iter().enumerate().map(ask).collect::<Vec<_>>().join(b" UNION ALL ".as_slice());
        let fields = psql.ask([&statement, b" ORDER BY 1".as_slice()].concat())?;
        for ((name, value), row) in chunk.iter().zip(fields.chunks(3)) {
            let found = SequenceValue { last: row[1].clone(), is_called: row[2] == b"t" };
            if found != **value {
                let place = |value: &SequenceValue| {
                    format!("{}{}", text(&value.last), if value.is_called { "" } else { " (not given out)" })
                };
                differences.push(format!(
                    "{} stands at {} instead of {}",
                    canonical(name),
                    place(&found),
                    place(value)
                ));
            }
        }
    }
    Ok(differences)
}
