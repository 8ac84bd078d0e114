//! `database-name-production`: the database's name contains prd, prod, production or live as a word.

use std::path::Path;

use crate::environment::Project;
use crate::reach::{Place, Target};
use crate::verdict::subject::{Subject, production};
use crate::verdict::{Finding, Level, words};

/// The id of this rule.
pub(crate) const ID: &str = "database-name-production";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let policy = subject.evidence.policy;
    let mut findings = Vec::new();
    for (at, target, _) in subject.targets() {
        for name in names_of(target, subject.evidence.project) {
            let is_listed = policy.production.databases.iter().any(|own| own.eq_ignore_ascii_case(&name));
            let word = words::production_word(&name, &policy.production.words);
            if !is_listed && word.is_none() {
                continue;
            }
            let Some(origin) = target.origin_of_name() else { continue };
            let remedy = || format!("name a database in {} that is made for tests", origin.variable);
            if is_listed {
                findings.push(production(
                    ID,
                    at,
                    origin,
                    format!("the policy says that the database `{name}` is production"),
                    remedy(),
                ));
                continue;
            }
            let Some(word) = word else { continue };
            let message = format!("the database's name `{name}` says production (`{word}`)");
            if policy.allow.databases.contains(&name) {
                let message = format!("{message}; the policy allows this name");
                findings.push(Finding { level: Level::Note, ..production(ID, at, origin, message, String::new()) });
            } else {
                findings.push(production(ID, at, origin, message, remedy()));
            }
        }
    }
    findings
}

/// Lists the names that a database goes by: its own, the user's database to log in against, a file's name and the folders
/// that are called production as a whole.
fn names_of(target: &Target, project: &Project) -> Vec<String> {
    let mut names = Vec::new();
    // A folder of the project's own, whatever it is called.
    if !target.engine.is_database() {
        return names;
    }
    for place in &target.places {
        match place {
            Place::File { path } => names.extend(names_of_file(path, project)),
            Place::Instance { name } => names.push(name.clone()),
            Place::Socket { path, .. } => {
                names.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()))
            }
            Place::Host { .. } | Place::Memory => {}
        }
    }
    let is_file = target.places.iter().all(|place| matches!(place, Place::File { .. } | Place::Memory));
    if !is_file {
        names.extend(target.database.clone());
    }
    let other = |(key, _): &&(String, String)| {
        ["authsource", "schema", "currentschema", "search_path"].contains(&key.to_lowercase().as_str())
    };
    names.extend(target.parameters.iter().filter(other).map(|(_, value)| value.clone()));
    names.dedup();
    names
}

/// Lists the names in a path. A file counts by its name, a folder only where the whole of it is a production word (`/var/www/live/app.db`), and
/// only below the project's root for a file of the project: a project may be kept in any folder.
fn names_of_file(path: &Path, project: &Project) -> Vec<String> {
    let shown = project.shown(path);
    let mut names: Vec<String> = shown
        .parent()
        .into_iter()
        .flat_map(Path::components)
        .map(|folder| folder.as_os_str().to_string_lossy().into_owned())
        .filter(|folder| words::is_production_word(folder))
        .collect();
    names.extend(shown.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    names
}

#[cfg(test)]
mod tests {
    use crate::reach::Engine;
    use crate::verdict::testing::Bench;
    use crate::verdict::{Level, Verdict};

    #[test]
    fn a_folder_of_files_may_be_called_anything() {
        let mut bench = Bench::sqlite("/project/storage/live");
        assert_eq!(bench.judge().verdict, Verdict::Production);
        bench.targets[0].engine = Engine::Folder;
        bench.targets[0].database = Some("storage/live".to_owned());
        assert_eq!(bench.judge().verdict, Verdict::Safe);
    }

    #[test]
    fn database_name_production_is_found_by_word() {
        let cases = [
            ("shop_live", Verdict::Production),
            ("shopPROD", Verdict::Production),
            ("products_test", Verdict::Safe),
            ("olive_test", Verdict::Safe),
            ("app", Verdict::Safe),
        ];
        for (name, verdict) in cases {
            assert_eq!(Bench::postgres("localhost", name).judge().verdict, verdict, "{name}");
        }
    }

    #[test]
    fn database_name_production_looks_at_files_and_whole_folders() {
        let cases = [
            ("/srv/shop/production.sqlite3", Verdict::Production),
            ("/var/www/live/database.sqlite", Verdict::Production),
            ("/home/tester/video-production/app_test.db", Verdict::Safe),
            ("/project/db/development.sqlite3", Verdict::Safe),
        ];
        for (path, verdict) in cases {
            assert_eq!(Bench::sqlite(path).judge().verdict, verdict, "{path}");
        }
    }

    #[test]
    fn a_policy_silences_one_exact_name_and_adds_others() {
        let allowed = Bench::postgres("localhost", "live_lessons")
            .policy(|policy| policy.allow.databases.push("live_lessons".into()))
            .judge();
        assert_eq!(allowed.verdict, Verdict::Safe);
        assert!(allowed.findings.iter().any(|finding| finding.rule == super::ID && finding.level == Level::Note));
        let named = Bench::postgres("localhost", "ledger")
            .policy(|policy| policy.production.databases.push("ledger".into()))
            .judge();
        assert_eq!(named.verdict, Verdict::Production);
    }
}
