//! `container-environment`: the command runs in a container or on another machine.

use crate::environment::Condition;
use crate::secret::redact_name;
use crate::verdict::subject::{Subject, about_the_run};
use crate::verdict::{Finding, Level, words};

/// The id of this rule.
pub(crate) const ID: &str = "container-environment";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let own_words = &subject.evidence.policy.production.words;
    let found = |condition: &Condition| {
        let Condition::ContainerEnvironment { program, place, is_declared } = condition else { return None };
        if *is_declared && subject.everything_is_local_and_test_shaped() {
            return None;
        }
        // A text in quotes is a command, and no name of a place.
        let names = place.iter().filter(|word| !word.contains(char::is_whitespace));
        let said = names.filter_map(|word| words::production_word(word, own_words)).next();
        let (level, message, remedy) = match said {
            Some(word) => (
                Level::Production,
                format!("`{program}` acts on another machine, and its words say {}", redact_name(word)),
                "name a machine for tests",
            ),
            None => (
                Level::Unverified,
                format!("`{program}` runs the command elsewhere: the environment here proves nothing"),
                "run safe-test inside the container, or the command outside of it",
            ),
        };
        Some(about_the_run(ID, level, message, remedy.to_owned(), None))
    };
    subject.evidence.conditions.iter().filter_map(found).collect()
}

#[cfg(test)]
mod tests {
    use crate::environment::Condition;
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    fn judged(program: &str, place: &str) -> (Verdict, Vec<&'static str>) {
        let mut bench = Bench::local();
        let place = place.split(' ').map(|word| word.replace('_', " ")).collect();
        bench.conditions.push(Condition::ContainerEnvironment { program: program.into(), place, is_declared: false });
        let judgement = bench.judge();
        (judgement.verdict, judgement.findings.iter().map(|finding| finding.rule).collect())
    }

    #[test]
    fn container_environment_weighs_as_it_should() {
        assert_eq!(judged("docker compose exec", ""), (Verdict::Unverified, vec![super::ID]));
        assert_eq!(judged("kubectl exec", "kubectl exec -n staging"), (Verdict::Unverified, vec![super::ID]));
    }

    #[test]
    fn another_machine_that_is_called_production_stops_the_run() {
        for place in
            ["heroku run -a shop-prod", "ssh deploy@live.northwind-shop.test", "gh workflow run x -f to=production"]
        {
            assert_eq!(judged("x", place), (Verdict::Production, vec![super::ID]), "{place}");
        }
        assert_eq!(judged("ssh", "ssh shop rm_log/production.log"), (Verdict::Unverified, vec![super::ID]));
    }
}
