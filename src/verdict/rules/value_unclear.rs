//! `value-unclear`: a value that names a database or an environment cannot be dialled or known as it stands.

use crate::environment::Origin;
use crate::reach::Doubt;
use crate::verdict::environment_names::{NameKind, kind_of};
use crate::verdict::subject::{Subject, about_the_run, unverified};
use crate::verdict::{Finding, Level};

/// The id of this rule.
pub(crate) const ID: &str = "value-unclear";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, target, _) in subject.targets() {
        for doubt in &target.doubts {
            let origin = target.origin_of_doubt(*doubt);
            let variable = origin.map_or("the value".into(), Origin::named);
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
    for name in subject.evidence.environment {
        if kind_of(&name.name) == Some(NameKind::Named) && name.unresolved.is_some() {
            let message = format!("{} says which environment is used, and its value is not known here", name.name);
            let remedy = format!("write the value of {} out, or export it before safe-test", name.name);
            findings.push(about_the_run(ID, Level::Unverified, message, remedy, Some(name.origin.clone())));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::environment::{Origin, Setting, Unresolved};
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

    #[test]
    fn value_unclear_tells_of_an_environment_that_is_not_known() {
        for (name, unresolved, expected) in [
            ("RAILS_ENV", Some(Unresolved::Variable), Verdict::Unverified),
            ("RAILS_ENV", None, Verdict::Safe),
            ("CAPTION", Some(Unresolved::Variable), Verdict::Safe),
        ] {
            let mut bench = Bench::local();
            let setting = Setting::known(name, "$e", Origin::process(name));
            bench.environment.push(Setting { unresolved, ..setting });
            assert_eq!(bench.judge().verdict, expected, "{name}");
        }
    }
}
