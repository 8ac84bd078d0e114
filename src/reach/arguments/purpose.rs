//! What an invocation is for: whether it talks to a database though nothing names one, and whether a guard would see it.

use crate::environment::Invocation;
use crate::lists::{List, list};
use crate::tools::clients;
use crate::tools::containers;
use crate::tools::programs::is_database_tool;
use crate::tools::providers;
use crate::tools::providers::Reach;
use crate::tools::words::called;

/// Names the program that talks to a database even where nothing names one: `psql`, `mysqldump`, `prisma`, …; `None` where
/// the invocation calls none, or one that only works on files. A runner (`poetry run`) is looked through.
#[must_use]
pub(crate) fn database_client(invocation: &Invocation) -> Option<String> {
    let at_a_provider = || {
        let command = providers::command_of(&invocation.words)?;
        (command.reach == Reach::Unknown).then(|| invocation.program().to_owned())
    };
    let called = called(&invocation.words, |name| {
        (clients::named(name).is_some() || is_database_tool(name)).then_some(name.to_owned())
    });
    called
        .filter(|(name, arguments)| !works_on_files(name, arguments))
        .map(|(name, _)| name)
        .or_else(at_a_provider)
        .or_else(|| is_migration_of_a_build(invocation).then(|| invocation.program().to_owned()))
}

/// Tells why a guard of connections would not see what an invocation does to a database, as a phrase: it acts through a
/// provider's web interface, or through a container engine. `None` for whatever connects by itself.
#[must_use]
pub(crate) fn acts_unseen(invocation: &Invocation) -> Option<String> {
    let removal = || {
        let removal = containers::removal(&invocation.words)?;
        Some(format!("`{removal}` removes containers or volumes, and the databases in them"))
    };
    match providers::command_of(&invocation.words) {
        Some(command) if command.reach == Reach::Elsewhere => {
            Some(format!("`{}` acts on other machines", command.name()))
        }
        Some(command) => Some(format!("`{}` acts on data through a provider's web interface", command.name())),
        None => removal(),
    }
}

/// Finds a program that does what a project's settings or a URL among its arguments say, with these.
pub(crate) fn tool(words: &[String]) -> Option<(String, &[String])> {
    called(words, |name| is_database_tool(name).then(|| name.to_owned()))
        .filter(|(program, arguments)| !works_on_files(program, arguments))
}

/// Tells whether a program only reads and writes files of the project: by its subcommand it does not connect, and by no
/// option of it.
///
/// The subcommand stands first: behind an option it could be that option's value (`alembic -n history upgrade head`).
///
/// Source: the command-line help of the programs.
fn works_on_files(program: &str, arguments: &[String]) -> bool {
    /// What stands behind a name are the options with which it connects.
    static FILES_ONLY: List = list!("files_only.txt");
    let listed = |count: usize| {
        let subcommand = arguments.get(..count).filter(|words| words.iter().all(|word| !word.starts_with('-')))?;
        FILES_ONLY.find(&format!("{program}:{}", subcommand.join(":")))
    };
    let connecting = listed(1).or_else(|| listed(2));
    connecting.is_some_and(|options| {
        let mut options = options.split_ascii_whitespace();
        !options.any(|option| arguments.iter().any(|word| gives(word, option)))
    })
}

/// Tells whether a word gives an option: joined to its value, among other letters, or shortened.
fn gives(word: &str, option: &str) -> bool {
    let name = word.split('=').next().unwrap_or(word);
    match option.strip_prefix("--") {
        Some(_) => name.len() > 2 && option.starts_with(name),
        None => word.starts_with('-') && !word.starts_with("--") && word.contains(option.trim_start_matches('-')),
    }
}

/// `mvn flyway:clean`, `./gradlew :app:flywayMigrate`.
fn is_migration_of_a_build(invocation: &Invocation) -> bool {
    let own = |word: &String| {
        let task = word.strip_prefix("org.flywaydb:").or_else(|| word.strip_prefix("org.liquibase:")).unwrap_or(word);
        task.split(':').any(|part| part.starts_with("flyway") || part.starts_with("liquibase"))
    };
    matches!(invocation.program(), "mvn" | "mvnw" | "gradle" | "gradlew")
        && invocation.words[1..].iter().any(|word| !word.starts_with('-') && own(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::testing::typed;

    #[test]
    fn programs_that_talk_to_databases_are_known() {
        let cases = [
            ("psql", Some("psql")),
            ("/usr/bin/psql-16 x", Some("psql-16")),
            ("npx prisma db push", Some("prisma")),
            ("python -m alembic upgrade head", Some("alembic")),
            ("poetry run alembic upgrade head", Some("alembic")),
            ("./gradlew flywayMigrate", Some("gradlew")),
            ("npm test", None),
            ("npm run psql-free", None),
            ("cargo test", None),
            ("echo psql", None),
        ];
        for (command, expected) in cases {
            assert_eq!(database_client(&typed(command)).as_deref(), expected, "{command}");
        }
    }

    #[test]
    fn what_acts_on_databases_without_connecting_is_known() {
        let cases = [
            ("npx firebase firestore:delete --all-collections", Some("acts on other machines")),
            ("wrangler d1 execute shop --file x.sql", Some("acts on data through a provider's web interface")),
            ("docker compose down -v", Some("removes containers or volumes, and the databases in them")),
            ("docker compose up -d db", None),
            ("alembic upgrade head", None),
            ("psql shop", None),
        ];
        for (command, expected) in cases {
            let why = acts_unseen(&typed(command));
            assert_eq!(why.as_deref().and_then(|why| why.split_once("` ")).map(|(_, why)| why), expected, "{command}");
        }
    }

    #[test]
    fn a_subcommand_for_files_connects_with_some_options_and_is_none_behind_one() {
        for (command, connects) in [
            ("alembic history", false),
            ("alembic history -v", false),
            ("alembic history -i", true),
            ("alembic history -vi", true),
            ("alembic history --indicate-current", true),
            ("alembic history --indicate", true),
            ("alembic history -r current:", true),
            ("alembic history --rev-range=current:", true),
            ("alembic show current", true),
            ("alembic -n history upgrade head", true),
            ("alembic upgrade history", true),
            ("diesel migration generate create_shops", false),
            ("diesel migration generate --diff-schema create_shops", true),
            ("diesel migration generate --diff-schema=src/schema.rs x", true),
            ("diesel migration --migration-dir generate run", true),
            ("npx prisma init", false),
            ("npx prisma init --db", true),
            ("npx prisma platform workspace show", true),
            ("npx prisma generate --schema x", false),
            ("npx prisma generate --sql", true),
            ("sqlx migrate add x", false),
            ("typeorm migration:create x", false),
        ] {
            assert_eq!(database_client(&typed(command)).is_some(), connects, "{command}");
        }
    }
}
