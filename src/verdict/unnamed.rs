//! Runs without a name: unverified only because nothing names a database, or because something was not read that could.
//!
//! Where a guard of connections holds, such a run can go on: whatever it connects to is refused unless it was saved. What
//! the guard does not see keeps it refused: files of other engines than SQLite, HTTPS, what is done by others for the
//! command.

use crate::environment::{DataPath, Driver};
use crate::text::shown;
use crate::verdict::rules::{file_unreadable, no_database, not_followed};
use crate::verdict::{Evidence, Judgement, Verdict};

/// The rules that find nothing but that something is not known.
const UNKNOWN: [&str; 3] = [file_unreadable::ID, not_followed::ID, no_database::ID];

impl Judgement {
    /// Tells whether the run is unverified only because no database is named, or because something was not read.
    #[must_use]
    pub(crate) fn is_unnamed(&self) -> bool {
        self.verdict == Verdict::Unverified && self.objections().all(|finding| UNKNOWN.contains(&finding.rule))
    }

    /// Tells whether the run may go on where a guard of connections holds.
    #[must_use]
    pub(crate) fn can_be_guarded(&self) -> bool {
        self.is_unnamed() && self.hindrance.is_none()
    }
}

/// Finds why a guard of connections could not answer for what nothing names, as a phrase.
pub(crate) fn hindrance(evidence: &Evidence<'_>) -> Option<String> {
    if let Some(unseen) = evidence.unseen {
        return Some(unseen.to_owned());
    }
    let drivers = evidence.drivers;
    if let Some(Driver { name, file, line, data }) = drivers.and_then(|drivers| drivers.unseen.as_ref()) {
        let how = match data {
            DataPath::OtherFiles => "keeps data in files that are not saved",
            DataPath::Web | DataPath::Known => "reaches data by HTTPS, like any other traffic",
        };
        return Some(format!("`{name}` ({}:{line}) {how}", shown(file)));
    }
    if !drivers.is_some_and(|drivers| drivers.complete) {
        return Some("not every manifest could be read, so not every driver is known".to_owned());
    }
    match evidence.lying {
        None => Some("nobody has looked for database files in the project".to_owned()),
        Some(lying) => lying.cut.map(|cut| format!("not every database file of the project is known: {cut}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::not_followed::{GivenUp, NotFollowed};
    use crate::environment::{Condition, Origin};
    use crate::verdict::testing::{Bench, driver};

    /// A run that nothing names a database for, in a project that was looked through.
    fn unnamed() -> Bench {
        let mut bench = Bench::empty().manifest("package.json").lying(0);
        bench.drivers.drivers.push(driver("pg", 4, DataPath::Known));
        bench
    }

    fn not_followed() -> Condition {
        let why = GivenUp::TooMuch("it is nested too deeply".into());
        Condition::NotFollowed(NotFollowed::at(Origin::command_line(), why))
    }

    #[test]
    fn a_run_that_lacks_only_a_name_can_be_guarded() {
        assert!(unnamed().judge().can_be_guarded());
        assert!(Bench::empty().lying(0).judge().can_be_guarded());
        let mut cut_off = Bench::local().lying(0);
        cut_off.conditions.push(not_followed());
        assert!(cut_off.judge().can_be_guarded());
        let with_file = Bench::sqlite("/project/app.db").lying(1);
        assert!(with_file.judge().can_be_guarded());
    }

    #[test]
    fn a_run_with_any_other_objection_cannot() {
        let mut elsewhere = unnamed();
        elsewhere.conditions.push(Condition::ContainerEnvironment {
            program: "docker exec".to_owned(),
            place: Vec::new(),
            is_declared: false,
        });
        let with_production_file = Bench::sqlite("/project/production.db").lying(1);
        let mut unclear = Bench::postgres("db.internal", "app").lying(0);
        unclear.conditions.push(not_followed());
        for bench in [elsewhere, with_production_file, unclear, unnamed().process("DYNO", "web.1")] {
            assert!(!bench.judge().is_unnamed());
        }
        assert!(!Bench::local().judge().is_unnamed(), "it is safe");
    }

    #[test]
    fn what_the_guard_would_not_see_keeps_it_from_going_on() {
        type Change = fn(&mut Bench);
        let table: [(Change, &str); 6] = [
            (
                |bench| bench.drivers.unseen = Some(driver("duckdb", 5, DataPath::OtherFiles)),
                "`duckdb` (package.json:5) keeps data in files that are not saved",
            ),
            (
                |bench| bench.drivers.unseen = Some(driver("@neondatabase/serverless", 5, DataPath::Web)),
                "`@neondatabase/serverless` (package.json:5) reaches data by HTTPS, like any other traffic",
            ),
            (|bench| bench.drivers.complete = false, "not every manifest could be read, so not every driver is known"),
            (|bench| bench.lying = None, "nobody has looked for database files in the project"),
            (
                |bench| bench.lying = Some((0, Some("it is too large"))),
                "not every database file of the project is known: it is too large",
            ),
            (|bench| bench.unseen = Some("`x` acts elsewhere"), "`x` acts elsewhere"),
        ];
        for (change, expected) in table {
            let mut bench = unnamed();
            change(&mut bench);
            let judgement = bench.judge();
            assert!(judgement.is_unnamed() && !judgement.can_be_guarded(), "{expected}");
            assert_eq!(judgement.hindrance.as_deref(), Some(expected));
        }
    }
}
