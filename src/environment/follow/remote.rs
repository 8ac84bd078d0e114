//! Programs that reach a provider's database by an account or a link, whatever the environment here says.
//!
//! Facts: the tools' own manuals. What such a command touches is named in no file or variable that could be judged.

/// A subcommand that goes to a database elsewhere.
struct Remote {
    program: &'static str,
    /// The words that must follow the program, options between them skipped.
    subcommand: &'static [&'static str],
    /// Where one of these is given, it stays on this machine.
    unless: &'static [&'static str],
    /// Only with one of these does it go elsewhere; empty where it always does.
    only_with: &'static [&'static str],
}

const fn always(program: &'static str, subcommand: &'static [&'static str]) -> Remote {
    Remote { program, subcommand, unless: &[], only_with: &[] }
}

/// Supabase's options that name the database by a URL, which is judged by itself, or the local one.
const SUPABASE_HERE: &[&str] = &["--local", "--db-url"];

const REMOTES: &[Remote] = &[
    always("heroku", &["pg:psql"]),
    always("heroku", &["psql"]),
    always("heroku", &["pg:reset"]),
    always("heroku", &["pg:push"]),
    always("heroku", &["pg:copy"]),
    always("heroku", &["pg:backups:restore"]),
    always("fly", &["postgres"]),
    always("fly", &["pg"]),
    always("fly", &["mpg"]),
    always("flyctl", &["postgres"]),
    always("flyctl", &["pg"]),
    always("flyctl", &["mpg"]),
    always("flyctl", &["ssh"]),
    always("gcloud", &["sql"]),
    always("az", &["postgres"]),
    always("az", &["mysql"]),
    always("az", &["sql"]),
    always("aws", &["rds"]),
    always("aws", &["rds-data"]),
    Remote { program: "aws", subcommand: &["dynamodb"], unless: &["--endpoint-url"], only_with: &[] },
    always("pscale", &["shell"]),
    always("pscale", &["deploy-request"]),
    always("turso", &["db"]),
    always("neonctl", &[]),
    always("railway", &["connect"]),
    always("scalingo", &[]),
    always("atlas", &["clusters"]),
    Remote { program: "wrangler", subcommand: &["d1"], unless: &["--local"], only_with: &["--remote"] },
    Remote { program: "supabase", subcommand: &["db", "push"], unless: SUPABASE_HERE, only_with: &[] },
    Remote { program: "supabase", subcommand: &["db", "reset"], unless: SUPABASE_HERE, only_with: &["--linked"] },
    Remote { program: "supabase", subcommand: &["migration", "up"], unless: SUPABASE_HERE, only_with: &["--linked"] },
    Remote { program: "supabase", subcommand: &["migration", "repair"], unless: SUPABASE_HERE, only_with: &[] },
];

/// The program and its subcommand, where the command goes to a provider's database.
pub(crate) fn reaches_a_provider(words: &[String]) -> Option<String> {
    let program = words.first()?.rsplit('/').next()?;
    let has = |options: &[&str]| {
        let given = |word: &String| options.contains(&word.split('=').next().unwrap_or(word));
        words[1..].iter().any(given)
    };
    let remote = REMOTES.iter().filter(|remote| remote.program == program).find(|remote| {
        let plain: Vec<&str> =
            words[1..].iter().map(String::as_str).filter(|word| !word.starts_with('-')).take(4).collect();
        let is_it = plain.windows(remote.subcommand.len().max(1)).any(|window| window == remote.subcommand);
        (is_it || remote.subcommand.is_empty())
            && !has(remote.unless)
            && (remote.only_with.is_empty() || has(remote.only_with))
    })?;
    let words: Vec<&str> = std::iter::once(remote.program).chain(remote.subcommand.iter().copied()).collect();
    Some(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_to_a_provider_is_known_from_what_stays_here() {
        let table = [
            ("heroku pg:psql", true),
            ("heroku --app shop pg:psql", true),
            ("fly postgres connect -a shop-db", true),
            ("gcloud sql connect shop", true),
            ("turso db shell shop", true),
            ("wrangler d1 execute shop --remote --command x", true),
            ("wrangler d1 execute shop --local --command x", false),
            ("wrangler d1 execute shop --command x", false),
            ("supabase db push", true),
            ("supabase db push --db-url=postgres://localhost/x", false),
            ("supabase db reset", false),
            ("supabase db reset --linked", true),
            ("heroku logs", false),
            ("psql shop", false),
        ];
        for (command, expected) in table {
            let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            assert_eq!(reaches_a_provider(&words).is_some(), expected, "{command}");
        }
    }
}
