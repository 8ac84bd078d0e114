//! `cached-configuration`: Laravel would read a cached configuration and no environment file.

use crate::environment::{Condition, Origin};
use crate::secret::shown_path;
use crate::verdict::subject::{Subject, about_the_run};
use crate::verdict::{Finding, Level};

/// The id of this rule.
pub(crate) const ID: &str = "cached-configuration";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let finding = |message, remedy, origin| about_the_run(ID, Level::Unverified, message, remedy, origin);
    let found = |condition: &Condition| {
        let Condition::CachedLaravelConfig { file } = condition else { return None };
        Some(finding(
            format!("Laravel would read {} and no environment file", shown_path(file)),
            "run `php artisan config:clear` first".to_owned(),
            Some(Origin { variable: "config".to_owned(), file: Some(file.clone()), line: None }),
        ))
    };
    subject.evidence.conditions.iter().filter_map(found).collect()
}

#[cfg(test)]
mod tests {
    use crate::environment::Condition;
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn cached_configuration_weighs_as_it_should() {
        let mut bench = Bench::local();
        bench.conditions.push(Condition::CachedLaravelConfig { file: "bootstrap/cache/config.php".into() });
        let judgement = bench.judge();
        assert_eq!(judgement.verdict, Verdict::Unverified);
        assert_eq!(judgement.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [super::ID]);
    }
}
