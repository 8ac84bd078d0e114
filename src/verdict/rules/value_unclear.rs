//! `value-unclear`: a value that names a database cannot be dialled or known as it stands.

use crate::reach::Doubt;
use crate::verdict::Finding;
use crate::verdict::subject::{Subject, unverified};

/// The id of this rule.
pub(crate) const ID: &str = "value-unclear";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, target, _) in subject.targets() {
        for doubt in &target.doubts {
            let origin = target.origin_of_doubt(*doubt);
            let variable = origin.map_or("the value", |origin| origin.variable.as_str());
            let (message, remedy) = match doubt {
                Doubt::Unexpanded => (
                    format!("{variable} holds something that was to be filled in"),
                    format!("give {variable} its final value"),
                ),
                Doubt::Unresolved => (
                    format!("{variable} needs a command or a template to be evaluated, which is never done here"),
                    format!("write the value of {variable} out, or export it before safe-test"),
                ),
                Doubt::Variable => (
                    format!("{variable} is made of a variable that a script sets to what is not known here"),
                    format!("write the value of {variable} out, or run the part that matters with safe-test in front"),
                ),
                Doubt::Port => {
                    (format!("the port in {variable} is no number"), format!("correct the port in {variable}"))
                }
                Doubt::Syntax => (
                    format!("{variable} does not follow the form of a database's address"),
                    format!("correct {variable}"),
                ),
                Doubt::Placeholder => {
                    (format!("{variable} holds a placeholder"), format!("replace the placeholder in {variable}"))
                }
            };
            findings.push(unverified(ID, at, origin, message, remedy));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::reach::Doubt;
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn value_unclear_keeps_even_a_local_target_from_being_safe() {
        for doubt in
            [Doubt::Unexpanded, Doubt::Unresolved, Doubt::Variable, Doubt::Port, Doubt::Syntax, Doubt::Placeholder]
        {
            let mut bench = Bench::local();
            bench.targets[0].doubts.push(doubt);
            assert_eq!(bench.judge().verdict, Verdict::Unverified, "{doubt:?}");
        }
    }
}
