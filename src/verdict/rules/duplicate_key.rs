//! `duplicate-key`: two of Prisma's environment files set the same key, and Prisma refuses to start.

use crate::environment::Condition;
use crate::text::shown;
use crate::verdict::subject::{Subject, about_the_run};
use crate::verdict::{Finding, Level};

/// The id of this rule.
pub(crate) const ID: &str = "duplicate-key";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let finding = |message, remedy, origin| about_the_run(ID, Level::Note, message, remedy, origin);
    let found = |condition: &Condition| {
        let Condition::DuplicatePrismaKey { key, files } = condition else { return None };
        let files: Vec<String> = files.iter().map(|file| shown(file).to_string()).collect();
        let message = format!("{key} stands in {}; Prisma refuses to start", files.join(" and "));
        Some(finding(message, format!("remove {key} from one of them"), None))
    };
    subject.evidence.conditions.iter().filter_map(found).collect()
}

#[cfg(test)]
mod tests {
    use crate::environment::Condition;
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn duplicate_key_weighs_as_it_should() {
        let mut bench = Bench::local();
        bench.conditions.push(Condition::DuplicatePrismaKey {
            key: "DATABASE_URL".into(),
            files: vec![".env".into(), "prisma/.env".into()],
        });
        let judgement = bench.judge();
        assert_eq!(judgement.verdict, Verdict::Safe);
        assert_eq!(judgement.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [super::ID]);
    }
}
