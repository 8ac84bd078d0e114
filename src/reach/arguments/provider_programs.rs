//! Programs of providers that act on a database of the account they are logged in to, whatever the environment says.
//!
//! Source: the providers' documentation of their command lines.

use crate::reach::{Draft, Engine, Place};

/// The provider's database that the words act on: `supabase db reset --linked`, `heroku pg:reset`,
/// `wrangler d1 execute --remote`.
pub(crate) fn database_of(words: &[String]) -> Option<Draft> {
    let (program, arguments) = called(words)?;
    let has = |wanted: &str| arguments.iter().any(|word| word == wanted);
    let begins =
        |start: &str| arguments.iter().find(|word| !word.starts_with('-')).is_some_and(|word| word.starts_with(start));
    let (engine, name) = match program {
        // `db push` goes to the linked project unless it is told otherwise; everything else stays here.
        "supabase" if has("--linked") || (has("db") && has("push") && !has("--local") && !has("--db-url")) => {
            (Engine::Postgres, "supabase: the linked project")
        }
        "heroku" if begins("pg:") => (Engine::Postgres, "heroku: the application's database"),
        "wrangler" if has("d1") && has("--remote") => (Engine::Sqlite, "wrangler: the remote D1 database"),
        "pscale" if begins("shell") || begins("branch") || begins("database") || begins("deploy-request") => {
            (Engine::Mysql, "pscale: the account's database")
        }
        "neonctl" | "neon" if begins("branches") || begins("databases") || begins("projects") => {
            (Engine::Postgres, "neonctl: the account's database")
        }
        _ => return None,
    };
    Some(Draft::at(engine, Place::Instance { name: name.to_owned() }))
}

/// Whether the words call such a program for a database of which nothing is known here.
pub(crate) fn is_database_program(words: &[String]) -> bool {
    let about_databases = |(program, arguments): (&str, &[String])| {
        let has = |wanted: &str| arguments.iter().any(|word| word == wanted);
        program == "supabase" && (has("db") || has("migration"))
            || program == "wrangler" && has("d1")
            || program == "firebase"
                && arguments.iter().any(|word| word.starts_with("firestore:") || word.starts_with("database:"))
    };
    called(words).is_some_and(about_databases)
}

/// The program behind `npx` and its like, and its arguments.
fn called(words: &[String]) -> Option<(&str, &[String])> {
    const PROGRAMS: [&str; 7] = ["supabase", "heroku", "wrangler", "pscale", "neonctl", "neon", "firebase"];
    let name = |word: &String| PROGRAMS.iter().find(|known| word.rsplit('/').next() == Some(**known)).copied();
    let at = words.iter().take(4).position(|word| name(word).is_some())?;
    let runs_others = |word: &String| {
        ["npx", "bunx", "pnpm", "yarn", "npm", "bun", "exec", "dlx", "run", "x"].contains(&word.as_str())
            || word.starts_with('-')
    };
    let is_called = words[..at].iter().all(runs_others);
    name(&words[at]).filter(|_| is_called).map(|program| (program, &words[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &str) -> Vec<String> {
        command.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn commands_that_act_on_a_providers_database_are_known() {
        for command in [
            "supabase db reset --linked",
            "npx supabase db push",
            "npx --yes supabase migration repair --linked",
            "heroku pg:reset DATABASE --confirm shop",
            "npx wrangler d1 execute shop --remote --file reset.sql",
            "pscale shell shop main",
            "neonctl branches delete main",
        ] {
            assert!(database_of(&words(command)).is_some(), "{command}");
        }
        for command in [
            "supabase db reset",
            "supabase db push --local",
            "supabase start",
            "heroku logs",
            "wrangler d1 execute shop --local",
            "npm run heroku",
            "echo supabase db reset --linked",
            "npx wrangler dev",
        ] {
            assert!(database_of(&words(command)).is_none(), "{command}");
        }
    }

    #[test]
    fn commands_about_a_database_that_nothing_names_are_known() {
        for (command, expected) in [
            ("supabase db reset", true),
            ("npx wrangler d1 migrations apply shop", true),
            ("firebase firestore:delete --all-collections", true),
            ("supabase functions serve", false),
            ("firebase deploy", false),
        ] {
            assert_eq!(is_database_program(&words(command)), expected, "{command}");
        }
    }
}
