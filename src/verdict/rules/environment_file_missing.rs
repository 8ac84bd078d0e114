//! `environment-file-missing`: the file that the asked mode would load is not there, and another one is used.

use crate::environment::Condition;
use crate::secret::shown_path;
use crate::verdict::subject::{Subject, about_the_run};
use crate::verdict::{Finding, Level};

/// The id of this rule.
pub(crate) const ID: &str = "environment-file-missing";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let finding = |message, remedy, origin| about_the_run(ID, Level::Note, message, remedy, origin);
    let found = |condition: &Condition| {
        let Condition::MissingEnvironmentFile { wanted, fallback } = condition else { return None };
        let message = format!("{} is not there, so {} is used", shown_path(wanted), shown_path(fallback));
        Some(finding(message, format!("make {}", shown_path(wanted)), None))
    };
    subject.evidence.conditions.iter().filter_map(found).collect()
}

#[cfg(test)]
mod tests {
    use crate::environment::Condition;
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn environment_file_missing_weighs_as_it_should() {
        let mut bench = Bench::local();
        bench
            .conditions
            .push(Condition::MissingEnvironmentFile { wanted: ".env.testing".into(), fallback: ".env".into() });
        let judgement = bench.judge();
        assert_eq!(judgement.verdict, Verdict::Safe);
        assert_eq!(judgement.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [super::ID]);
    }
}
