//! What the survey of the environment met besides values: caches, wrappers, containers, files it could not read.

use super::Subject;
use crate::environment::{Condition, Origin};
use crate::verdict::{Finding, Level};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    subject.evidence.conditions.iter().map(finding).collect()
}

fn finding(condition: &Condition) -> Finding {
    let about = |rule, level, message: String, remedy: String, origin: Option<Origin>| Finding {
        rule,
        level,
        target: None,
        message,
        remedy,
        origin,
    };
    match condition {
        Condition::CachedLaravelConfig { file } => about(
            "cached-configuration",
            Level::Unverified,
            format!("Laravel would read {} and no environment file", file.display()),
            "run `php artisan config:clear` first".to_owned(),
            Some(Origin { variable: "config".to_owned(), file: Some(file.clone()), line: None }),
        ),
        Condition::MissingEnvironmentFile { wanted, fallback } => about(
            "environment-file-missing",
            Level::Note,
            format!("{} is not there, so {} is used", wanted.display(), fallback.display()),
            format!("make {}", wanted.display()),
            None,
        ),
        Condition::InjectedEnvironment { wrapper, advice } => about(
            "injected-environment",
            Level::Unverified,
            format!("`{wrapper}` adds variables that are on no disk"),
            advice.clone(),
            None,
        ),
        Condition::ContainerEnvironment { program } => about(
            "container-environment",
            Level::Unverified,
            format!("`{program}` runs the command elsewhere: the environment here proves nothing"),
            "run safe-test inside the container, or the command outside of it".to_owned(),
            None,
        ),
        Condition::UnreadableFile { file, why } => about(
            "file-unreadable",
            Level::Unverified,
            format!("{} cannot be read: {why}", file.display()),
            format!("make {} a readable text file, or remove it", file.display()),
            Some(Origin { variable: String::new(), file: Some(file.clone()), line: None }),
        ),
        Condition::DuplicatePrismaKey { key, files } => about(
            "duplicate-key",
            Level::Note,
            format!(
                "{key} stands in {}; Prisma refuses to start",
                files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" and ")
            ),
            format!("remove {key} from one of them"),
            None,
        ),
        Condition::ProtectionDisabled { variable } => about(
            "protection-disabled",
            Level::Unverified,
            format!("{variable} switches off Rails' own protection of production databases"),
            format!("unset {variable}"),
            Some(Origin::process(variable.clone())),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn conditions_weigh_as_they_should() {
        let cases = [
            (Condition::CachedLaravelConfig { file: "bootstrap/cache/config.php".into() }, Verdict::Unverified),
            (
                Condition::MissingEnvironmentFile { wanted: ".env.testing".into(), fallback: ".env".into() },
                Verdict::Safe,
            ),
            (
                Condition::InjectedEnvironment { wrapper: "railway run".into(), advice: String::new() },
                Verdict::Unverified,
            ),
            (Condition::ContainerEnvironment { program: "docker compose exec".into() }, Verdict::Unverified),
            (Condition::UnreadableFile { file: ".env".into(), why: "it is a folder".into() }, Verdict::Unverified),
            (Condition::DuplicatePrismaKey { key: "DATABASE_URL".into(), files: vec![] }, Verdict::Safe),
            (
                Condition::ProtectionDisabled { variable: "DISABLE_DATABASE_ENVIRONMENT_CHECK".into() },
                Verdict::Unverified,
            ),
        ];
        for (condition, verdict) in cases {
            let mut bench = Bench::local();
            bench.conditions.push(condition.clone());
            let judgement = bench.judge();
            assert_eq!(judgement.verdict, verdict, "{condition:?}");
            assert_eq!(judgement.findings.len(), 1);
        }
    }
}
