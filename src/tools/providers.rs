//! Command lines that act on a provider's database, by an account or a link, whatever the environment here says.
//!
//! Source: the providers' documentation of their command lines.

use crate::tools::words::called;

/// A command line that acts on a database, one row each; the first that fits counts.
pub(crate) struct ProviderCommand {
    program: &'static str,
    /// Words that must follow the program in this order; a word that ends in `*` stands for each that begins so.
    subcommand: &'static [&'static str],
    /// Where one of these options is given, it is not this.
    unless: &'static [&'static str],
    /// Only where one of these is given; empty where it always is.
    only_with: &'static [&'static str],
    pub(crate) reach: Reach,
}

/// Which database a command line acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// One of the account, which nothing here names.
    Account,
    /// One of the account: its engine by its name in JSON, and what it is.
    Named(&'static str, &'static str),
    /// One of which nothing is known here.
    Unknown,
}

const fn account(program: &'static str, subcommand: &'static [&'static str]) -> ProviderCommand {
    ProviderCommand { program, subcommand, unless: &[], only_with: &[], reach: Reach::Account }
}

const fn unknown(program: &'static str, subcommand: &'static [&'static str]) -> ProviderCommand {
    ProviderCommand { reach: Reach::Unknown, ..account(program, subcommand) }
}

const fn named(
    program: &'static str,
    subcommand: &'static [&'static str],
    engine: &'static str,
    what: &'static str,
) -> ProviderCommand {
    ProviderCommand { reach: Reach::Named(engine, what), ..account(program, subcommand) }
}

const HEROKU: &str = "heroku: the application's database";
const NEON: &str = "neonctl: the account's database";
const PLANETSCALE: &str = "pscale: the account's database";
const SUPABASE: &str = "supabase: the linked project";
const WRANGLER: &str = "wrangler: the remote D1 database";

const COMMANDS: &[ProviderCommand] = &[
    account("atlas", &["clusters"]),
    ProviderCommand { unless: &["--endpoint-url"], ..account("aws", &["dynamodb"]) },
    account("aws", &["rds"]),
    account("aws", &["rds-data"]),
    account("az", &["mysql"]),
    account("az", &["postgres"]),
    account("az", &["sql"]),
    unknown("firebase", &["database:*"]),
    unknown("firebase", &["firestore:*"]),
    account("fly", &["mpg"]),
    account("fly", &["pg"]),
    account("fly", &["postgres"]),
    account("flyctl", &["mpg"]),
    account("flyctl", &["pg"]),
    account("flyctl", &["postgres"]),
    account("flyctl", &["ssh"]),
    account("gcloud", &["sql"]),
    named("heroku", &["pg:*"], "postgres", HEROKU),
    account("heroku", &["psql"]),
    named("neon", &["branches"], "postgres", NEON),
    named("neon", &["databases"], "postgres", NEON),
    named("neon", &["projects"], "postgres", NEON),
    account("neon", &[]),
    named("neonctl", &["branches"], "postgres", NEON),
    named("neonctl", &["databases"], "postgres", NEON),
    named("neonctl", &["projects"], "postgres", NEON),
    account("neonctl", &[]),
    named("pscale", &["branch"], "mysql", PLANETSCALE),
    named("pscale", &["database"], "mysql", PLANETSCALE),
    named("pscale", &["deploy-request"], "mysql", PLANETSCALE),
    named("pscale", &["shell"], "mysql", PLANETSCALE),
    account("railway", &["connect"]),
    account("scalingo", &[]),
    ProviderCommand { only_with: &["--linked"], ..named("supabase", &[], "postgres", SUPABASE) },
    // `db push` goes to the linked project unless it is told otherwise; everything else stays here.
    ProviderCommand { unless: &["--local", "--db-url"], ..named("supabase", &["db", "push"], "postgres", SUPABASE) },
    ProviderCommand { unless: &["--local", "--db-url"], ..account("supabase", &["migration", "repair"]) },
    unknown("supabase", &["db"]),
    unknown("supabase", &["migration"]),
    account("turso", &["db"]),
    ProviderCommand { only_with: &["--remote"], ..named("wrangler", &["d1"], "sqlite", WRANGLER) },
    unknown("wrangler", &["d1"]),
];

/// How many of a program's words are looked at for a subcommand.
const MOST_WORDS: usize = 6;

/// Finds the provider's command line that the words are; runners such as `npx` are looked through.
pub(crate) fn command_of(words: &[String]) -> Option<&'static ProviderCommand> {
    let (program, arguments) =
        called(words, |name| COMMANDS.iter().find(|command| command.program == name).map(|command| command.program))?;
    COMMANDS.iter().filter(|command| command.program == program).find(|command| command.fits(arguments))
}

impl ProviderCommand {
    /// Names the program and its subcommand.
    pub(crate) fn name(&self) -> String {
        let words = std::iter::once(&self.program).chain(self.subcommand);
        words.map(|word| word.trim_end_matches('*')).collect::<Vec<_>>().join(" ")
    }

    fn fits(&self, arguments: &[String]) -> bool {
        let has =
            |options: &[&str]| arguments.iter().any(|word| options.contains(&word.split('=').next().unwrap_or(word)));
        let mut plain = arguments.iter().filter(|word| !word.starts_with('-')).take(MOST_WORDS);
        let stands = |wanted: &&str| match wanted.strip_suffix('*') {
            Some(beginning) => plain.any(|word| word.starts_with(beginning)),
            None => plain.any(|word| word == wanted),
        };
        self.subcommand.iter().all(stands) && !has(self.unless) && (self.only_with.is_empty() || has(self.only_with))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_to_a_provider_is_known_from_what_stays_here() {
        let table = [
            ("heroku pg:psql", Some(Reach::Named("postgres", HEROKU))),
            ("heroku --app shop pg:psql", Some(Reach::Named("postgres", HEROKU))),
            ("heroku pg:reset DATABASE --confirm shop", Some(Reach::Named("postgres", HEROKU))),
            ("heroku psql", Some(Reach::Account)),
            ("fly postgres connect -a shop-db", Some(Reach::Account)),
            ("gcloud sql connect shop", Some(Reach::Account)),
            ("aws dynamodb scan", Some(Reach::Account)),
            ("aws dynamodb scan --endpoint-url http://localhost:8000", None),
            ("turso db shell shop", Some(Reach::Account)),
            ("wrangler d1 execute shop --remote --command x", Some(Reach::Named("sqlite", WRANGLER))),
            ("wrangler d1 execute shop --local --command x", Some(Reach::Unknown)),
            ("npx wrangler d1 migrations apply shop", Some(Reach::Unknown)),
            ("npx wrangler dev", None),
            ("supabase db push", Some(Reach::Named("postgres", SUPABASE))),
            ("npx supabase db push", Some(Reach::Named("postgres", SUPABASE))),
            ("supabase --workdir x db --debug push", Some(Reach::Named("postgres", SUPABASE))),
            ("supabase db push --db-url=postgres://localhost/x", Some(Reach::Unknown)),
            ("supabase db push --local", Some(Reach::Unknown)),
            ("supabase db reset", Some(Reach::Unknown)),
            ("supabase db reset --linked", Some(Reach::Named("postgres", SUPABASE))),
            ("npx --yes supabase migration repair --linked", Some(Reach::Named("postgres", SUPABASE))),
            ("supabase functions serve", None),
            ("supabase start", None),
            ("pscale shell shop main", Some(Reach::Named("mysql", PLANETSCALE))),
            ("neonctl branches delete main", Some(Reach::Named("postgres", NEON))),
            ("neonctl me", Some(Reach::Account)),
            ("firebase firestore:delete --all-collections", Some(Reach::Unknown)),
            ("firebase deploy", None),
            ("heroku logs", None),
            ("npm run heroku", None),
            ("echo supabase db reset --linked", None),
            ("psql shop", None),
        ];
        for (command, expected) in table {
            let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            assert_eq!(command_of(&words).map(|command| command.reach), expected, "{command}");
        }
    }
}
