//! `file-unreadable`: a file that a loader would read cannot be read here.

use crate::environment::{Condition, Origin};
use crate::secret::shown_path;
use crate::verdict::subject::{Subject, about_the_run};
use crate::verdict::{Finding, Level};

/// The id of this rule.
pub(crate) const ID: &str = "file-unreadable";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let finding = |message, remedy, origin| about_the_run(ID, Level::Unverified, message, remedy, origin);
    let found = |condition: &Condition| {
        let Condition::UnreadableFile { file, why } = condition else { return None };
        Some(finding(
            format!("{} cannot be read: {why}", shown_path(file)),
            format!("make {} a readable text file, or remove it", shown_path(file)),
            Some(Origin::whole_file(file.clone(), None)),
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
    fn file_unreadable_weighs_as_it_should() {
        let mut bench = Bench::local();
        bench.conditions.push(Condition::UnreadableFile { file: ".env".into(), why: "it is a folder".into() });
        let judgement = bench.judge();
        assert_eq!(judgement.verdict, Verdict::Unverified);
        assert_eq!(judgement.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [super::ID]);
    }
}
