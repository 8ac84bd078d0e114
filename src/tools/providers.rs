//! Command lines that act on a provider's database or on other machines, by an account, a link or a list of their own,
//! whatever the environment here says.
//!
//! Source: the documentation of the command lines.

use crate::tools::words::called;

/// A command line that acts elsewhere, one row each; the first that fits counts.
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
    /// Whatever is on other machines, which its own words or lists name.
    Elsewhere,
    /// One of which nothing is known here.
    Unknown,
}

const fn account(program: &'static str, subcommand: &'static [&'static str]) -> ProviderCommand {
    ProviderCommand { program, subcommand, unless: &[], only_with: &[], reach: Reach::Account }
}

const fn unknown(program: &'static str, subcommand: &'static [&'static str]) -> ProviderCommand {
    ProviderCommand { reach: Reach::Unknown, ..account(program, subcommand) }
}

const fn elsewhere(program: &'static str, subcommand: &'static [&'static str]) -> ProviderCommand {
    ProviderCommand { reach: Reach::Elsewhere, ..account(program, subcommand) }
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
    elsewhere("acli", &["remote:*"]),
    elsewhere("ansible", &[]),
    elsewhere("ansible-playbook", &[]),
    elsewhere("appwrite", &[]),
    account("atlas", &["clusters"]),
    ProviderCommand { unless: &["--endpoint-url"], ..account("aws", &["dynamodb"]) },
    account("aws", &["rds"]),
    account("aws", &["rds-data"]),
    ProviderCommand { unless: &["--endpoint-url"], ..elsewhere("aws", &["ecs"]) },
    ProviderCommand { unless: &["--endpoint-url"], ..elsewhere("aws", &["lambda"]) },
    ProviderCommand { unless: &["--endpoint-url"], ..elsewhere("aws", &["ssm"]) },
    account("az", &["mysql"]),
    account("az", &["postgres"]),
    account("az", &["sql"]),
    elsewhere("az", &["cosmosdb"]),
    elsewhere("az", &["webapp"]),
    elsewhere("bq", &[]),
    elsewhere("cap", &[]),
    elsewhere("cdk", &["deploy"]),
    elsewhere("cdk", &["destroy"]),
    elsewhere("cf", &["run-task"]),
    elsewhere("cf", &["ssh"]),
    elsewhere("convex", &["data"]),
    elsewhere("convex", &["deploy"]),
    elsewhere("convex", &["env"]),
    elsewhere("convex", &["export"]),
    elsewhere("convex", &["import"]),
    elsewhere("convex", &["run"]),
    elsewhere("convox", &["exec"]),
    elsewhere("convox", &["run"]),
    elsewhere("dep", &["deploy"]),
    elsewhere("dep", &["run"]),
    elsewhere("dokku", &[]),
    // An alias may be of another machine.
    ProviderCommand { unless: &["@self", "@none"], ..elsewhere("drush", &["@*"]) },
    elsewhere("eb", &["deploy"]),
    elsewhere("eb", &["ssh"]),
    elsewhere("envoy", &["run"]),
    ProviderCommand { only_with: &["-H", "--hosts"], ..elsewhere("fab", &[]) },
    elsewhere("firebase", &["database:*"]),
    elsewhere("firebase", &["firestore:*"]),
    account("fly", &["mpg"]),
    account("fly", &["pg"]),
    account("fly", &["postgres"]),
    elsewhere("fly", &["deploy"]),
    elsewhere("fly", &["machine"]),
    account("flyctl", &["mpg"]),
    account("flyctl", &["pg"]),
    account("flyctl", &["postgres"]),
    account("flyctl", &["ssh"]),
    elsewhere("flyctl", &["deploy"]),
    elsewhere("flyctl", &["machine"]),
    account("gcloud", &["sql"]),
    elsewhere("gcloud", &["alloydb"]),
    elsewhere("gcloud", &["compute", "ssh"]),
    elsewhere("gcloud", &["firestore"]),
    elsewhere("gcloud", &["run"]),
    elsewhere("gcloud", &["spanner"]),
    elsewhere("gh", &["run", "rerun"]),
    elsewhere("gh", &["workflow", "run"]),
    elsewhere("gigalixir", &["ps:*"]),
    elsewhere("gigalixir", &["run"]),
    elsewhere("glab", &["ci", "run"]),
    elsewhere("glab", &["ci", "trigger"]),
    elsewhere("helm", &["install"]),
    elsewhere("helm", &["rollback"]),
    elsewhere("helm", &["test"]),
    elsewhere("helm", &["uninstall"]),
    elsewhere("helm", &["upgrade"]),
    named("heroku", &["pg:*"], "postgres", HEROKU),
    account("heroku", &["psql"]),
    elsewhere("heroku", &["run:*"]),
    elsewhere("kamal", &[]),
    elsewhere("kubectl", &["apply"]),
    elsewhere("kubectl", &["create"]),
    elsewhere("kubectl", &["delete"]),
    elsewhere("kubectl", &["patch"]),
    elsewhere("kubectl", &["replace"]),
    elsewhere("kubectl", &["rollout"]),
    elsewhere("kubectl", &["run"]),
    elsewhere("kubectl", &["scale"]),
    elsewhere("kubectl", &["set"]),
    elsewhere("lagoon", &["ssh"]),
    elsewhere("magento-cloud", &["db:*"]),
    elsewhere("magento-cloud", &["sql"]),
    elsewhere("magento-cloud", &["ssh"]),
    elsewhere("mina", &[]),
    named("neon", &["branches"], "postgres", NEON),
    named("neon", &["databases"], "postgres", NEON),
    named("neon", &["projects"], "postgres", NEON),
    account("neon", &[]),
    named("neonctl", &["branches"], "postgres", NEON),
    named("neonctl", &["databases"], "postgres", NEON),
    named("neonctl", &["projects"], "postgres", NEON),
    account("neonctl", &[]),
    elsewhere("nomad", &["alloc", "exec"]),
    elsewhere("nomad", &["job"]),
    elsewhere("platform", &["db:*"]),
    elsewhere("platform", &["sql"]),
    elsewhere("platform", &["ssh"]),
    named("pscale", &["branch"], "mysql", PLANETSCALE),
    named("pscale", &["database"], "mysql", PLANETSCALE),
    named("pscale", &["deploy-request"], "mysql", PLANETSCALE),
    named("pscale", &["shell"], "mysql", PLANETSCALE),
    elsewhere("pulumi", &["destroy"]),
    elsewhere("pulumi", &["import"]),
    elsewhere("pulumi", &["refresh"]),
    elsewhere("pulumi", &["up"]),
    account("railway", &["connect"]),
    elsewhere("railway", &["ssh"]),
    elsewhere("railway", &["up"]),
    elsewhere("render", &["jobs"]),
    elsewhere("render", &["psql"]),
    elsewhere("render", &["ssh"]),
    account("scalingo", &[]),
    elsewhere("serverless", &["deploy"]),
    elsewhere("serverless", &["remove"]),
    elsewhere("sls", &["deploy"]),
    elsewhere("sls", &["remove"]),
    elsewhere("sst", &["deploy"]),
    elsewhere("sst", &["remove"]),
    ProviderCommand { only_with: &["--linked"], ..named("supabase", &[], "postgres", SUPABASE) },
    // `db push` goes to the linked project unless it is told otherwise; everything else stays here.
    ProviderCommand { unless: &["--local", "--db-url"], ..named("supabase", &["db", "push"], "postgres", SUPABASE) },
    ProviderCommand { unless: &["--local", "--db-url"], ..account("supabase", &["migration", "repair"]) },
    unknown("supabase", &["db"]),
    unknown("supabase", &["migration"]),
    elsewhere("terminus", &["drush"]),
    elsewhere("terminus", &["remote:*"]),
    elsewhere("terminus", &["wp"]),
    elsewhere("terraform", &["apply"]),
    elsewhere("terraform", &["destroy"]),
    elsewhere("terraform", &["import"]),
    elsewhere("terraform", &["state"]),
    elsewhere("terraform", &["taint"]),
    elsewhere("terragrunt", &["apply"]),
    elsewhere("terragrunt", &["destroy"]),
    elsewhere("terragrunt", &["import"]),
    elsewhere("terragrunt", &["state"]),
    elsewhere("terragrunt", &["taint"]),
    elsewhere("tofu", &["apply"]),
    elsewhere("tofu", &["destroy"]),
    elsewhere("tofu", &["import"]),
    elsewhere("tofu", &["state"]),
    elsewhere("tofu", &["taint"]),
    account("turso", &["db"]),
    elsewhere("upsun", &["sql"]),
    elsewhere("upsun", &["ssh"]),
    elsewhere("vapor", &["command"]),
    elsewhere("vapor", &["database:*"]),
    elsewhere("vapor", &["tinker"]),
    elsewhere("wp", &["@*"]),
    ProviderCommand { only_with: &["--ssh"], ..elsewhere("wp", &[]) },
    ProviderCommand { only_with: &["--remote"], ..named("wrangler", &["d1"], "sqlite", WRANGLER) },
    unknown("wrangler", &["d1"]),
    ProviderCommand { only_with: &["--remote"], ..elsewhere("wrangler", &[]) },
    elsewhere("xata", &[]),
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
            ("firebase firestore:delete --all-collections", Some(Reach::Elsewhere)),
            ("firebase emulators:exec 'npm test'", None),
            ("bundle exec cap production deploy", Some(Reach::Elsewhere)),
            ("npx convex import --replace data.zip", Some(Reach::Elsewhere)),
            ("npx convex dev", None),
            ("terraform plan", None),
            ("terraform -chdir=infra destroy", Some(Reach::Elsewhere)),
            ("gh workflow run reset.yml -f environment=staging", Some(Reach::Elsewhere)),
            ("gh pr create", None),
            ("wrangler kv key delete --remote x", Some(Reach::Elsewhere)),
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
