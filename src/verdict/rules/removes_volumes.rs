//! `removes-volumes`: the command removes volumes of containers, with the databases in them.

use crate::environment::Condition;
use crate::verdict::subject::{Subject, about_the_run};
use crate::verdict::{Finding, Level};

/// The id of this rule.
pub(crate) const ID: &str = "removes-volumes";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let found = |condition: &Condition| {
        let Condition::RemovesVolumes { command } = condition else { return None };
        let message =
            format!("`{command}` removes volumes, and all databases in them, of which a snapshot may hold none");
        // Both ways leave a snapshot behind, or the data.
        let remedy = "leave the volumes where they are, or drop the database by its name, which is saved before";
        Some(about_the_run(ID, Level::Unverified, message, remedy.to_owned(), None))
    };
    subject.evidence.conditions.iter().filter_map(found).collect()
}

#[cfg(test)]
mod tests {
    use crate::environment::Condition;
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn removes_volumes_is_no_matter_of_the_databases_that_are_saved() {
        let mut bench = Bench::local();
        assert_eq!(bench.judge().verdict, Verdict::Safe);
        bench.conditions.push(Condition::RemovesVolumes { command: "docker compose down --volumes".to_owned() });
        let judgement = bench.judge();
        let rules: Vec<_> = judgement.findings.iter().map(|finding| finding.rule).collect();
        assert_eq!((judgement.verdict, rules, judgement.is_unnamed()), (Verdict::Unverified, vec![super::ID], false));
    }
}
