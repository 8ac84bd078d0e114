//! Every reader against what the real loaders made of the files in `fixtures/dotenv`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::environment::Unresolved;
use crate::environment::readers::dotenv::{Dialect, Document, read};

/// Where the loader executed a command (Symfony: would have, had symfony/process been installed), and the reader
/// gives the text as written, marked as unresolved.
const EXECUTED: [(&str, &str); 4] =
    [("expand1000", "37_cmdsub"), ("expand1000", "70_x"), ("symfony", "37_cmdsub"), ("ruby", "37_cmdsub")];

/// Answers from the process environment of the measurement, as far as the files ask for it.
fn environment(name: &str) -> Option<String> {
    (name == "HOSTVAR").then(|| "fromenv".to_owned())
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/dotenv")
}

fn given(document: &Document) -> BTreeMap<String, Option<String>> {
    document.effective().map(|entry| (entry.name.clone(), entry.value.clone())).collect()
}

fn is_left_alone(document: &Document, raw: &str) -> bool {
    document.get("A").is_some_and(|entry| {
        entry.unresolved == Some(Unresolved::CommandSubstitution) && raw.contains(entry.value.as_deref().unwrap())
    })
}

#[test]
fn every_loader_is_matched_on_every_file() {
    let results = fs::read(fixtures().join("results.json")).unwrap();
    let results: BTreeMap<String, BTreeMap<String, BTreeMap<String, Value>>> =
        serde_json::from_slice(&results).unwrap();
    assert_eq!(results.len(), 71);
    let mut failures = Vec::new();
    let columns = Dialect::ALL.iter().flat_map(|dialect| dialect.columns().iter().map(|column| (*column, *dialect)));
    let columns: Vec<(&str, Dialect)> = columns.collect();
    let measured: BTreeSet<&str> = results.values().flat_map(|loaders| loaders.keys().map(String::as_str)).collect();
    assert_eq!(columns.iter().map(|(column, _)| *column).collect::<BTreeSet<_>>(), measured);
    for (column, dialect) in columns {
        let mut matched = 0;
        for (case, loaders) in &results {
            let bytes = fs::read(fixtures().join("cases").join(case)).unwrap();
            let document = read(dialect, &bytes, &environment);
            let expected: BTreeMap<String, Option<String>> = loaders[column]
                .iter()
                .filter(|(name, _)| !name.starts_with('!'))
                .map(|(name, value)| (name.clone(), value.as_str().map(str::to_owned)))
                .collect();
            let failed = loaders[column].keys().any(|name| name.starts_with('!'));
            let same = if EXECUTED.contains(&(column, case.as_str())) {
                is_left_alone(&document, &String::from_utf8_lossy(&bytes))
            } else {
                given(&document) == expected && (!failed || !document.problems.is_empty())
            };
            if same {
                matched += 1;
            } else {
                failures.push(format!("{column} {case}: expected {expected:?}, got {document:?}"));
            }
        }
        println!("{column}: {matched}/{}", results.len());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_broken_line_never_hides_the_lines_after_it() {
    let broken = ["A=\"b", "A='b", "A=b c", "A b", "A-B=`c", "=b", "A=${B", "export", "\"A\" b", "A=$(b", "A=\"\\q\""];
    for dialect in Dialect::ALL.iter().copied() {
        for line in broken {
            let text = format!("FIRST=1\n{line}\nLAST_ONE=2\n");
            let document = read(dialect, text.as_bytes(), &environment);
            for (name, value, line) in [("FIRST", "1", 1), ("LAST_ONE", "2", 3)] {
                let found = document.entries.iter().find(|entry| entry.name == name || entry.name.ends_with(name));
                let found = found.unwrap_or_else(|| panic!("{dialect:?} hides {name} in {text:?}: {document:?}"));
                assert_eq!(found.value.as_deref(), Some(value), "{dialect:?} {text:?}");
                assert!(found.line == line || found.name != name, "{dialect:?} {text:?}: {document:?}");
            }
        }
    }
}
