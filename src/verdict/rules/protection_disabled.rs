//! `protection-disabled`: Rails' own protection of production databases is switched off.

use crate::environment::Condition;
use crate::verdict::subject::{Subject, about_the_run};
use crate::verdict::{Finding, Level};

/// The id of this rule.
pub(crate) const ID: &str = "protection-disabled";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let finding = |message, remedy, origin| about_the_run(ID, Level::Unverified, message, remedy, origin);
    let found = |condition: &Condition| {
        let Condition::ProtectionDisabled { origin } = condition else { return None };
        Some(finding(
            format!("{} switches off Rails' own protection of production databases", origin.variable),
            format!("unset {}", origin.variable),
            Some(origin.clone()),
        ))
    };
    subject.evidence.conditions.iter().filter_map(found).collect()
}

#[cfg(test)]
mod tests {
    use crate::environment::{Condition, Origin};
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn protection_disabled_weighs_as_it_should() {
        let mut bench = Bench::local();
        bench
            .conditions
            .push(Condition::ProtectionDisabled { origin: Origin::process("DISABLE_DATABASE_ENVIRONMENT_CHECK") });
        let judgement = bench.judge();
        assert_eq!(judgement.verdict, Verdict::Unverified);
        assert_eq!(judgement.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [super::ID]);
    }
}
