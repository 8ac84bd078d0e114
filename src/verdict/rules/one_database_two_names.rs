//! `one-database-two-names`: a variable for tests and a variable for production name the same database.

use crate::verdict::subject::{Subject, unverified};
use crate::verdict::{Finding, words};

/// The id of this rule.
pub(crate) const ID: &str = "one-database-two-names";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, target, _) in subject.targets() {
        let is_of_tests = |variable: &str| words::has_word(variable, &["test", "testing", "ci", "dev", "development"]);
        let test = target.origins.iter().find(|origin| is_of_tests(&origin.variable));
        let all = test.map_or_else(Vec::new, |_| subject.origins_of_one_database(at));
        let production = all.into_iter().find(|origin| words::production_word(&origin.variable, &[]).is_some());
        if let (Some(test), Some(production)) = (test, production)
            && test != production
        {
            findings.push(unverified(
                ID,
                at,
                Some(test),
                format!("{test} and {production} name the same database"),
                format!("give {} a database of its own", test.variable),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::environment::Origin;
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn one_database_two_names_is_found() {
        let judge = |first: &str, second: &str| {
            let mut bench = Bench::local();
            bench.targets[0].origins = vec![Origin::process(first), Origin::process(second)];
            bench.judge().verdict
        };
        assert_eq!(judge("TEST_DATABASE_URL", "PROD_DATABASE_URL"), Verdict::Unverified);
        assert_eq!(judge("TEST_DATABASE_URL", "DATABASE_URL"), Verdict::Safe);
    }
}
