//! `platform-production`: the process runs on a hosting platform that marks itself.
//!
//! Only the process environment counts: the same name in a file marks nothing.

use crate::environment::Origin;
use crate::lists::{List, list};
use crate::verdict::subject::Subject;
use crate::verdict::{Finding, Level};

/// The id of this rule.
pub(crate) const ID: &str = "platform-production";

static PLATFORMS: List = list!("platforms.txt");

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let allowed = &subject.evidence.policy.allow.platforms;
    let mut findings: Vec<Finding> = Vec::new();
    for (name, platform) in PLATFORMS.iter() {
        let is_set = subject.evidence.process.iter().any(|(set, value)| set == name && !is_off(value));
        let told = findings.iter().any(|finding| finding.message.contains(platform));
        if !is_set || told {
            continue;
        }
        let silenced = allowed.iter().any(|own| own == name) && subject.everything_is_local_and_test_shaped();
        let suffix = if silenced { "; the policy allows it while every target is local and test-shaped" } else { "" };
        findings.push(Finding {
            rule: ID,
            level: if silenced { Level::Note } else { Level::Production },
            target: None,
            message: format!("this process runs on {platform}, which sets {name}{suffix}"),
            remedy: "run tests on a development machine or in CI, not where the application is served".into(),
            origin: Some(Origin::process(name)),
        });
    }
    findings
}

fn is_off(value: &str) -> bool {
    ["", "0", "false"].iter().any(|off| value.trim().eq_ignore_ascii_case(off))
}

#[cfg(test)]
mod tests {
    use crate::verdict::testing::Bench;
    use crate::verdict::{Level, Verdict};

    #[test]
    fn platform_production_is_found_once_a_platform() {
        let judgement = Bench::local().process("DYNO", "web.1").process("HEROKU_DYNO_ID", "x").judge();
        let found: Vec<_> = judgement.findings.iter().filter(|finding| finding.rule == super::ID).collect();
        assert_eq!((found.len(), found[0].level, judgement.verdict), (1, Level::Production, Verdict::Production));
    }

    #[test]
    fn platform_production_wants_the_mark_to_be_on() {
        assert_eq!(Bench::local().process("RENDER", "false").process("VERCEL", "").judge().verdict, Verdict::Safe);
    }

    #[test]
    fn a_policy_allows_a_platform_only_while_all_is_test_shaped() {
        let allowed = |database: &str| {
            Bench::postgres("localhost", database)
                .process("DYNO", "web.1")
                .policy(|policy| policy.allow.platforms.push("DYNO".into()))
                .judge()
                .verdict
        };
        assert_eq!(allowed("app_test"), Verdict::Safe);
        assert_eq!(allowed("app"), Verdict::Production);
    }
}
