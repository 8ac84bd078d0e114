//! `no-database`: nothing names a database. Safe only where the project cannot have one.

use crate::environment::{Condition, DriverEvidence};
use crate::text::shown;
use crate::verdict::subject::Subject;
use crate::verdict::{Finding, Level, Remedy};

/// The id of this rule.
pub(crate) const ID: &str = "no-database";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let evidence = subject.evidence;
    if evidence.names_a_database() {
        return Vec::new();
    }
    let finding = |level, message: String, remedy: Remedy| {
        vec![Finding { rule: ID, level, target: None, message, remedy, origin: None }]
    };
    let ask = || {
        Remedy::from("name the database of the tests in .env or the environment").or_loosen(
            "if there is none, put `no_database = true` below [allow] in .safe-test.toml and run `safe-test trust`",
        )
    };
    if let Some(client) = evidence.client {
        return finding(Level::Unverified, format!("{client} talks to a database, and nothing says to which"), ask());
    }
    if evidence.conditions.contains(&Condition::OnlyServers) {
        let message = "no database is named, and nothing but published servers is started".to_owned();
        return finding(Level::Note, message, Remedy::default());
    }
    if evidence.policy.allow.no_database {
        return finding(
            Level::Note,
            "no database is named, and the policy says that the project has none".to_owned(),
            Remedy::default(),
        );
    }
    let nothing_read = DriverEvidence::default();
    let drivers = evidence.drivers.unwrap_or(&nothing_read);
    if let Some(driver) = drivers.drivers.first() {
        let message = format!(
            "no database is named, although {}:{} depends on `{}`",
            shown(&driver.file),
            driver.line,
            driver.name
        );
        return finding(Level::Unverified, message, ask());
    }
    if drivers.manifests.is_empty() {
        return finding(
            Level::Unverified,
            "no database is named, and no manifest shows that the project has none".to_owned(),
            ask(),
        );
    }
    if !drivers.complete {
        return finding(
            Level::Unverified,
            "no database is named, and not every manifest could be read".to_owned(),
            ask(),
        );
    }
    let manifests: Vec<String> = drivers.manifests.iter().map(|path| shown(path).to_string()).collect();
    finding(
        Level::Note,
        format!("no database: no variable names one and {} names no driver", manifests.join(", ")),
        Remedy::default(),
    )
}

/// Tells whether the project's manifests show that it has none, and nothing names one.
pub(crate) fn is_shown(subject: &Subject<'_>) -> bool {
    let findings = check(subject);
    !findings.is_empty()
        && findings.iter().all(|finding| finding.level == Level::Note)
        && !subject.evidence.policy.allow.no_database
}

#[cfg(test)]
mod tests {
    use crate::environment::{Condition, DataPath};
    use crate::verdict::Verdict;
    use crate::verdict::testing::{Bench, driver};

    #[test]
    fn no_database_is_safe_only_where_manifests_show_it() {
        assert_eq!(Bench::empty().judge().verdict, Verdict::Unverified);
        assert_eq!(Bench::empty().manifest("Cargo.toml").judge().verdict, Verdict::Safe);
        assert_eq!(Bench::empty().manifest("Cargo.toml").client("psql").judge().verdict, Verdict::Unverified);
        assert_eq!(Bench::empty().policy(|policy| policy.allow.no_database = true).judge().verdict, Verdict::Safe);
        let mut with_driver = Bench::empty().manifest("package.json");
        with_driver.drivers.drivers.push(driver("pg", 4, DataPath::Known));
        assert_eq!(with_driver.judge().verdict, Verdict::Unverified);
    }

    #[test]
    fn whoever_only_starts_servers_reaches_no_database() {
        let mut bench = Bench::empty().manifest("package.json");
        bench.drivers.drivers.push(driver("pg", 4, DataPath::Known));
        assert_eq!(bench.judge().verdict, Verdict::Unverified);
        bench.conditions.push(Condition::OnlyServers);
        assert_eq!(bench.judge().verdict, Verdict::Safe);
    }

    #[test]
    fn no_database_is_named_by_a_file_that_lies_there() {
        assert_eq!(Bench::sqlite("/project/app.db").judge().verdict, Verdict::Safe);
        assert_eq!(Bench::sqlite("/project/app.db").lying(1).judge().verdict, Verdict::Unverified);
    }
}
