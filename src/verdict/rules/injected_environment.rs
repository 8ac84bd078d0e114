//! `injected-environment`: a wrapper adds variables that are on no disk.

use crate::environment::Condition;
use crate::verdict::subject::{Subject, about_the_run};
use crate::verdict::{Finding, Level};

/// The id of this rule.
pub(crate) const ID: &str = "injected-environment";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let finding = |message, remedy, origin| about_the_run(ID, Level::Unverified, message, remedy, origin);
    let found = |condition: &Condition| {
        let Condition::InjectedEnvironment { wrapper, advice } = condition else { return None };
        Some(finding(format!("`{wrapper}` adds variables that are on no disk"), advice.clone(), None))
    };
    subject.evidence.conditions.iter().filter_map(found).collect()
}

#[cfg(test)]
mod tests {
    use crate::environment::Condition;
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn injected_environment_weighs_as_it_should() {
        let mut bench = Bench::local();
        bench.conditions.push(Condition::InjectedEnvironment {
            wrapper: "railway run".into(),
            advice: "railway run -- safe-test …".into(),
        });
        let judgement = bench.judge();
        assert_eq!(judgement.verdict, Verdict::Unverified);
        assert_eq!(judgement.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [super::ID]);
    }
}
