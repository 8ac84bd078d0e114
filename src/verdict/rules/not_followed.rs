//! `not-followed`: something was cut off or given up on that could name a database or run a command. One finding a
//! file, with the first place in it.

use std::collections::HashMap;

use crate::environment::not_followed::{GivenUp, NotFollowed};
use crate::environment::{Condition, Origin};
use crate::secret::shown_path;
use crate::verdict::subject::{Subject, about_the_run};
use crate::verdict::{Finding, Level};

/// The id of this rule.
pub(crate) const ID: &str = "not-followed";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    one_a_file(subject.evidence.conditions).into_iter().map(finding).collect()
}

/// Gathers what was not followed by its file, or by its variable where it is in none; the first place and reason stand
/// for all of them.
fn one_a_file(conditions: &[Condition]) -> Vec<NotFollowed> {
    let mut all: Vec<NotFollowed> = Vec::new();
    let mut by_place = HashMap::new();
    for condition in conditions {
        let Condition::NotFollowed(new) = condition else { continue };
        let Origin { variable, file, .. } = &new.place;
        let key = (file.as_deref(), file.is_none().then_some(variable));
        match by_place.get(&key) {
            Some(&at) => {
                let first: &mut NotFollowed = &mut all[at];
                first.count += new.count;
            }
            None => {
                by_place.insert(key, all.len());
                all.push(new.clone());
            }
        }
    }
    all
}

fn finding(NotFollowed { place, count, why }: NotFollowed) -> Finding {
    let at = match (&place.file, place.line) {
        (Some(file), Some(line)) => format!("{}:{line}", shown_path(file)),
        (Some(file), None) => shown_path(file),
        (None, _) if place == Origin::command_line() => "the command".to_owned(),
        (None, _) => place.variable.clone(),
    };
    let others = match count.saturating_sub(1) {
        0 => String::new(),
        1 => " (and one more place in it)".to_owned(),
        others => format!(" (and {others} more places in it)"),
    };
    let (message, remedy) = match why {
        GivenUp::TooMuch(why) => (
            format!("{at} was not followed to its end: {why}{others}"),
            format!("write out or shorten {at}, or run the part of it that matters with safe-test in front"),
        ),
        GivenUp::Form(why) => (format!("{at} was not read to its end: {why}{others}"), format!("correct {at}")),
        GivenUp::Code(why) => (
            format!("{at} was not read to its end: {why}{others}"),
            format!("write the value out at {at}, or have it taken from a variable that .env or the environment sets"),
        ),
        GivenUp::Unreadable(why) => (
            format!("{at} was not read: {why}{others}"),
            format!(
                "make {at} a regular file or a folder that this account can read; variables that come by a pipe are read with `--env-file`"
            ),
        ),
    };
    about_the_run(ID, Level::Unverified, message, remedy, Some(place))
}

#[cfg(test)]
mod tests {
    use crate::environment::not_followed::{GivenUp, NotFollowed};
    use crate::environment::{Condition, Origin};
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn not_followed_is_one_finding_a_file_and_keeps_the_run_from_being_safe() {
        let mut bench = Bench::local();
        let cut =
            |place| Condition::NotFollowed(NotFollowed::at(place, GivenUp::TooMuch("it is nested too deeply".into())));
        let script = |line| Origin::file("test", "package.json", line);
        bench.conditions.extend([script(4), script(7), script(9), Origin::command_line()].map(cut));
        let broken = Origin::whole_file("app.yml", Some(2));
        bench.conditions.push(Condition::NotFollowed(NotFollowed::at(broken, GivenUp::Form("expected a key".into()))));
        let judgement = bench.judge();
        assert_eq!(judgement.verdict, Verdict::Unverified);
        let found: Vec<(&str, &str)> =
            judgement.findings.iter().map(|finding| (finding.rule, finding.message.as_str())).collect();
        assert_eq!(
            found,
            [
                (
                    super::ID,
                    "package.json:4 was not followed to its end: it is nested too deeply (and 2 more places in it)"
                ),
                (super::ID, "the command was not followed to its end: it is nested too deeply"),
                (super::ID, "app.yml:2 was not read to its end: expected a key"),
            ]
        );
    }

    #[test]
    fn what_only_the_program_knows_is_not_to_be_corrected() {
        let mut bench = Bench::local();
        let place = Origin::file("HOST", "settings.py", 7);
        bench.conditions.push(Condition::NotFollowed(NotFollowed::at(place, GivenUp::Code("code says it".into()))));
        let remedy = bench.judge().findings[0].remedy.told(false);
        assert!(remedy.contains("write the value out at settings.py:7"), "{remedy}");
    }

    #[test]
    fn variables_are_told_apart() {
        let mut bench = Bench::local();
        let why = GivenUp::TooMuch("it is too long".into());
        let cut = |name| Condition::NotFollowed(NotFollowed::at(Origin::process(name), why.clone()));
        bench.conditions.extend(["A", "B", "A"].map(cut));
        let messages: Vec<String> = bench.judge().findings.into_iter().map(|finding| finding.message).collect();
        assert_eq!(
            messages,
            [
                "A was not followed to its end: it is too long (and one more place in it)",
                "B was not followed to its end: it is too long"
            ]
        );
    }
}
