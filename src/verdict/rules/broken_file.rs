//! `broken-file`: a file that a loader would read has a line, or bytes, that do not belong there. The lines after it are
//! judged all the same.

use crate::environment::{Condition, FileProblem, Origin, ProblemKind};
use crate::secret::shown_path;
use crate::verdict::subject::{Subject, about_the_run};
use crate::verdict::{Finding, Level};

/// The id of this rule.
pub(crate) const ID: &str = "broken-file";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for problem in subject.evidence.problems.iter().filter(|problem| !is_said_elsewhere(subject, problem)) {
        let level = match problem.kind {
            ProblemKind::NotUtf8 | ProblemKind::BrokenLine => Level::Note,
            // What could not be looked at at all cannot be shown to be safe.
            ProblemKind::Unreadable | ProblemKind::Folder | ProblemKind::TooLarge | ProblemKind::Missing => {
                Level::Unverified
            }
        };
        let origin = Origin::whole_file(problem.file.clone(), problem.line);
        let place = problem.line.map_or_else(String::new, |line| format!(":{line}"));
        let message = format!("{}{place}: {}", shown_path(&problem.file), problem.message);
        // One line can be wrong in the words of several readers: the first says enough.
        if findings.iter().any(|said| said.level == level && said.origin.as_ref() == Some(&origin)) {
            continue;
        }
        let remedy = match problem.kind {
            ProblemKind::Missing => "correct the path behind `--env-file`, or leave it out".to_owned(),
            ProblemKind::NotUtf8
            | ProblemKind::BrokenLine
            | ProblemKind::Unreadable
            | ProblemKind::Folder
            | ProblemKind::TooLarge => format!("correct {}{place}", shown_path(&problem.file)),
        };
        findings.push(about_the_run(ID, level, message, remedy, Some(origin)));
    }
    findings
}

/// Tells whether `file-unreadable` tells of it: a file that cannot be read at all.
fn is_said_elsewhere(subject: &Subject<'_>, problem: &FileProblem) -> bool {
    subject.evidence.conditions.iter().any(
        |condition| matches!(condition, Condition::UnreadableFile { file, .. } if problem.line.is_none() && *file == problem.file),
    )
}

#[cfg(test)]
mod tests {
    use crate::environment::{FileProblem, ProblemKind};
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn broken_file_names_the_line_and_weighs_what_could_not_be_read() {
        let cases = [
            (ProblemKind::BrokenLine, Verdict::Safe),
            (ProblemKind::NotUtf8, Verdict::Safe),
            (ProblemKind::Folder, Verdict::Unverified),
            (ProblemKind::TooLarge, Verdict::Unverified),
            (ProblemKind::Missing, Verdict::Unverified),
        ];
        for (kind, verdict) in cases {
            let mut bench = Bench::local();
            bench.problems.push(FileProblem { file: ".env".into(), line: Some(3), message: "no `=`".into(), kind });
            let judgement = bench.judge();
            assert_eq!(judgement.verdict, verdict, "{kind:?}");
            assert!(judgement.findings[0].message.contains(".env:3"), "{kind:?}");
        }
    }
}
