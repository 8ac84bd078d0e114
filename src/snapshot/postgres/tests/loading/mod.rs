//! What a dump's own text cannot bring back as it stands: each kind saved, wrecked, and restored.

/// Rows that no foreign key looks at.
macro_rules! orphans {
    ($tables:literal, $rows:literal) => {
        concat!($tables, "; SET session_replication_role = replica; ", $rows)
    };
}

mod constraints;
mod elsewhere;
mod roles;
mod settings;

use std::sync::Arc;

use crate::snapshot::postgres::restore;
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting};
use crate::snapshot::postgres::tests::rich::text_of;

/// A kind of database.
struct Case {
    /// Also the database's name.
    name: &'static str,
    setup: &'static str,
    /// What the notes say, one of them each; notes of what a restore computes anew aside.
    notes: &'static [&'static str],
    /// Lines of the database's text that are gone, and that are new; with neither, it is the same in the same order.
    less: &'static [&'static str],
    more: &'static [&'static str],
}

const fn same(name: &'static str, setup: &'static str) -> Case {
    Case { name, setup, notes: &[], less: &[], more: &[] }
}

/// What of the lines of one text is not in another, as often.
fn lines_besides(one: &str, other: &str) -> Vec<String> {
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.trim().trim_end_matches(',').to_owned());
        lines.filter(|line| !line.is_empty() && !line.starts_with("--")).collect()
    };
    let mut others = lines(other);
    let is_more = |line: &String| match others.iter().position(|other| other == line) {
        Some(at) => {
            others.swap_remove(at);
            false
        }
        None => true,
    };
    lines(one).into_iter().filter(is_more).collect()
}

fn saved(server: &Server, case: &Case) -> (Snapshot, String) {
    let target = server.database(case.name, case.setup);
    let before = text_of(server, case.name);
    let snapshot = Snapshot::try_take(&target).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let mut wreck = server.psql(case.name);
    wreck.env("PGOPTIONS", "-c role=none -c default_transaction_read_only=off -c client_min_messages=warning");
    assert!(wreck.args(["-c", "DROP SCHEMA public CASCADE"]).status().unwrap().success(), "{}", case.name);
    (snapshot, before)
}

fn all_come_back(server: &Arc<Server>, cases: &[Case]) {
    for case in cases {
        let (snapshot, expected) = saved(server, case);
        let target = server.target(case.name);
        let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()));
        let restored = restored.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let computed = |note: &&String| note.starts_with("Refreshed") || note.starts_with("Recomputed");
        let notes: Vec<&String> = restored.notes.iter().filter(|note| !computed(note)).collect();
        assert_eq!(notes.len(), case.notes.len(), "{}: {notes:?}", case.name);
        for (note, expected) in notes.iter().zip(case.notes) {
            assert!(note.contains(expected), "{}: {note}", case.name);
        }
        let found = text_of(server, case.name);
        let (less, more) = (lines_besides(&expected, &found), lines_besides(&found, &expected));
        assert_eq!((&less[..], &more[..]), (&owned(case.less)[..], &owned(case.more)[..]), "{}", case.name);
        assert!(!less.is_empty() || found == expected, "{}: another order: {found}", case.name);
        server.run("postgres", &format!("DROP DATABASE {} WITH (FORCE)", restored.replaced.unwrap()));
    }
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}
