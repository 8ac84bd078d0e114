//! `machine-production`: this machine is one that serves production. Nothing silences it.

use crate::verdict::subject::Subject;
use crate::verdict::{Finding, Level, words};

/// The id of this rule.
pub(crate) const ID: &str = "machine-production";

/// The file by which an administrator marks a machine.
pub(crate) const MARK: &str = "/etc/safe-test/production";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let machine = subject.evidence.machine;
    let own_words = &subject.evidence.policy.production.words;
    let finding = |message: String, remedy: &str| Finding {
        rule: ID,
        level: Level::Production,
        target: None,
        message,
        remedy: remedy.into(),
        origin: None,
    };
    let mut findings = Vec::new();
    if machine.marked_production {
        findings.push(finding(format!("{MARK} marks this machine as production"), "run this on another machine"));
    }
    if let Some(word) = words::production_word(&machine.name, own_words) {
        findings.push(finding(
            format!("this machine is called `{}`, which says production (`{word}`)", machine.name),
            "run this on another machine",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn machine_production_goes_by_the_name_and_the_mark() {
        let cases = [
            ("shop-prod-1", false, Verdict::Production),
            ("laptop", true, Verdict::Production),
            ("products-laptop", false, Verdict::Safe),
        ];
        for (name, marked, verdict) in cases {
            let judgement = Bench::local()
                .machine(|machine| {
                    machine.name = name.to_owned();
                    machine.marked_production = marked;
                })
                .judge();
            assert_eq!(judgement.verdict, verdict, "{name} {marked}");
        }
    }
}
