//! `container-environment`: the command runs in a container or on another machine.

use crate::environment::Condition;
use crate::verdict::subject::{Subject, about_the_run};
use crate::verdict::{Finding, Level};

/// The id of this rule.
pub(crate) const ID: &str = "container-environment";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let finding = |message, remedy, origin| about_the_run(ID, Level::Unverified, message, remedy, origin);
    let found = |condition: &Condition| {
        let Condition::ContainerEnvironment { program } = condition else { return None };
        let message = format!("`{program}` runs the command elsewhere: the environment here proves nothing");
        let remedy = "run safe-test inside the container, or the command outside of it";
        Some(finding(message, remedy.to_owned(), None))
    };
    subject.evidence.conditions.iter().filter_map(found).collect()
}

#[cfg(test)]
mod tests {
    use crate::environment::Condition;
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn container_environment_weighs_as_it_should() {
        let mut bench = Bench::local();
        bench.conditions.push(Condition::ContainerEnvironment { program: "docker compose exec".into() });
        let judgement = bench.judge();
        assert_eq!(judgement.verdict, Verdict::Unverified);
        assert_eq!(judgement.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [super::ID]);
    }
}
