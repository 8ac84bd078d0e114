//! What the command's own arguments name: `psql -h db`, `mysql -D app`, `--database-url …`.

mod dialled;
mod parts;
mod statements;

use std::path::Path;

use crate::environment::{Invocation, Origin, Setting};
use crate::lists::{List, list};
use crate::reach::assemble::{Found, Variables, ambient, value};
use crate::reach::grammars::scheme::engine_of_driver;
use crate::reach::names::Name;
use crate::reach::{Draft, Engine, Place};
use crate::tools::clients;
use crate::tools::clients::client_of;
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

/// Reads the arguments of a program that does what a project's settings or a URL among its arguments say.
fn tool_arguments(words: &[String]) -> Option<&[String]> {
    let (program, arguments) = called(words, |name| is_database_tool(name).then(|| name.to_owned()))?;
    (!works_on_files(&program, arguments)).then_some(arguments)
}

/// Tells whether a program only reads and writes files of the project: by its subcommand it does not connect.
///
/// Source: the command-line help of the programs.
fn works_on_files(program: &str, arguments: &[String]) -> bool {
    static FILES_ONLY: List = list!("files_only.txt");
    let mut plain = arguments.iter().filter(|word| !word.starts_with('-'));
    let (first, second) = (plain.next(), plain.next());
    let listed = |word: &String| FILES_ONLY.contains(&format!("{program}:{word}"));
    let both =
        || first.zip(second).is_some_and(|(one, other)| FILES_ONLY.contains(&format!("{program}:{one}:{other}")));
    first.is_some_and(listed) || both()
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

/// Finds everything that the arguments of one invocation name, completed from the environment it would see.
pub(crate) fn find(invocation: &Invocation, variables: &Variables<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    let program = invocation.program();
    let typed = |word: &str| match invocation.origin.file {
        // A client is told as one; of other programs only an option says more than that it was typed.
        None if word == program && clients::named(word).is_none() => Origin::command_line(),
        _ => ambient::typed(&invocation.origin, word),
    };
    if let Some((client, arguments)) = client_of(&invocation.words) {
        // A script of one line sets what it sets in front of its commands.
        let file = invocation.origin.file.as_deref().and_then(Path::file_name);
        let is_one_line = file.is_some_and(|name| name == "package.json" || name == "composer.json");
        let takes_defaults = is_one_line && invocation.unknown.is_empty();
        for (draft, origins) in dialled::read(program, client, arguments, variables, takes_defaults) {
            let mut one = Found::new(draft, typed(program), "");
            origins.iter().for_each(|origin| one.add_origin(origin));
            found.push(one);
        }
    } else if let Some(arguments) = tool_arguments(&invocation.words) {
        found.extend(driver_and_source(arguments, invocation, variables));
    }
    found.extend(at_a_provider(&invocation.words).map(|draft| Found::new(draft, typed(program), "")));
    for (at, word) in invocation.words.iter().enumerate().skip(1) {
        let filled = is_filled_in(word).then(|| variables.filled_in(word, false));
        let word = filled.as_ref().unwrap_or(word);
        if let Some(why) = cut_in(word, variables) {
            variables.cut_off(&typed(program), why);
        }
        let known = |draft: &Draft, found: &[Found]| {
            found.iter().any(|one| one.draft.places == draft.places && one.draft.database == draft.database)
        };
        for draft in value_in(word, variables) {
            if draft.cut.is_some() || !known(&draft, &found) {
                let before = &invocation.words[at - 1];
                let option = Some(before.as_str()).filter(|before| before.starts_with('-') && !before.contains('='));
                let name = word.split_once('=').map(|(name, _)| name);
                let name = name.filter(|name| !name.contains("://") && !name.contains('@'));
                let label = option.or(name).unwrap_or(program);
                found.push(Found::new(draft, typed(label), ""));
            }
        }
    }
    for one in &mut found {
        ambient::complete_one(variables, one);
    }
    found
}

/// Tells whether all variables are known that the words of a client refer to; those of other programs are settings.
pub(crate) fn are_known(invocation: &Invocation, variables: &Variables<'_>) -> bool {
    let is_open = |word: &String| word.contains('$') && variables.filled_in(word, false) == *word;
    !of_a_client(invocation).iter().any(is_open)
}

/// Lists the words of an invocation that variables are filled in: the arguments of a database client, and addresses.
pub(crate) fn filled_in(invocation: &Invocation) -> impl Iterator<Item = &String> {
    let addresses = invocation.words.iter().skip(1).filter(|word| is_filled_in(word));
    of_a_client(invocation).iter().chain(addresses)
}

fn of_a_client(invocation: &Invocation) -> &[String] {
    client_of(&invocation.words).map_or(&[], |(_, arguments)| arguments)
}

/// Tells whether variables are filled in a word of any program: in an address, and in what is nothing but a variable.
fn is_filled_in(word: &str) -> bool {
    let value = word.split_once('=').map_or(word, |(_, value)| value);
    word.contains('$') && (word.contains("://") || value.starts_with('$') && !value.contains(['/', '(']))
}

/// Finds the database of a provider's account that the words act on.
fn at_a_provider(words: &[String]) -> Option<Draft> {
    match providers::command_of(words)?.reach {
        Reach::Named(engine, what) => {
            let engine = Engine::named(engine).unwrap_or(Engine::Unknown);
            Some(Draft::at(engine, Place::Instance { name: what.to_owned() }))
        }
        Reach::Account | Reach::Elsewhere | Reach::Unknown => None,
    }
}

/// A URL or DSN in one argument: the whole of it, or what follows its first `=`.
fn value_in(word: &str, variables: &Variables<'_>) -> Vec<Draft> {
    let nameless = Name::read("");
    // Sqitch writes its URLs as `db:pg://host/app`.
    let word = word.strip_prefix("db:").unwrap_or(word);
    let whole = value::parse(&nameless, word, variables.lookup);
    let text_of_options = word.starts_with('-') || !word.contains("://") || word.find('=') < word.find("://");
    if !whole.is_empty() && !word.starts_with('-') {
        return whole;
    }
    match word.split_once('=') {
        // What has a name is one of the settings of the environment already.
        Some((name, _)) if setting_name(name).is_some_and(|name| Name::read(&name).says_database) => Vec::new(),
        Some((_, value)) if text_of_options => value::parse(&nameless, value, variables.lookup),
        _ => Vec::new(),
    }
}

/// Says that a word, or what follows its first `=`, is too long to be read.
fn cut_in(word: &str, variables: &Variables<'_>) -> Option<&'static str> {
    let attached = word.split_once('=').map(|(_, value)| value);
    [Some(word), attached].into_iter().flatten().find_map(|text| value::cut(&Name::read(""), text, variables.lookup))
}

/// `--db-host=x`, `-Ddb.host=x`, `DB_HOST=x`: arguments that are settings by their names.
pub(crate) fn settings(invocation: &Invocation) -> Vec<Setting> {
    if client_of(&invocation.words).is_some() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut words = invocation.words.iter().skip(1).peekable();
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None if word.starts_with("--") => match words.peek() {
                Some(next) if !next.starts_with('-') => (word.as_str(), (*next).clone()),
                _ => continue,
            },
            None => continue,
        };
        let spelled = name;
        let Some(name) = setting_name(name) else { continue };
        let read = Name::read(&name);
        if read.says_database && read.role.is_some() && !read.stopped {
            let origin = ambient::typed(&invocation.origin, spelled);
            found.push(Setting::known(name, value, origin));
        }
    }
    found
}

/// Finds the name in `--spring.datasource.url`, `-Ddb.host`, `-Pdb.host` or `DB_HOST`.
fn setting_name(word: &str) -> Option<String> {
    let name = word.strip_prefix("--").or_else(|| word.strip_prefix("-D")).or_else(|| word.strip_prefix("-P"));
    let name = name.unwrap_or(word);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
    (!name.is_empty() && !name.starts_with('-') && name.chars().all(fits)).then(|| name.to_owned())
}

/// `goose postgres "user=x dbname=y" up`: a driver's name, then its source.
fn driver_and_source(arguments: &[String], invocation: &Invocation, variables: &Variables<'_>) -> Vec<Found> {
    let plain: Vec<&String> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    let Some((driver, source)) = plain.windows(2).find_map(|pair| Some((engine_of_driver(pair[0])?, pair[1]))) else {
        return Vec::new();
    };
    if invocation.words.iter().all(|word| !word.ends_with("goose")) {
        return Vec::new();
    }
    let mut name = Name::read("DATABASE_URL");
    name.engine = Some(driver);
    let drafts = value::parse(&name, source, variables.lookup);
    let origin = ambient::typed(&invocation.origin, invocation.program());
    drafts.into_iter().map(|draft| Found::new(draft, origin.clone(), "")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::testing::{found, reading, target_line, typed};
    use crate::tools::clients;
    use crate::tools::clients::Means;

    #[test]
    fn arguments_of_clients_name_their_targets() {
        let cases: [(&str, &[&str]); 40] = [
            ("psql", &["postgres unix:/var/run/postgresql:5432 -"]),
            ("psql -h db.example.net -p 5433 -U ann shop", &["postgres db.example.net:5433 shop u=ann"]),
            ("psql --host=db.example.net --dbname shop", &["postgres db.example.net:5432 shop"]),
            ("psql -qAt -hdb shop -c 'drop table x'", &["postgres db:5432 shop"]),
            ("psql -h localhost postgres://db.example.net/shop", &["postgres db.example.net:5432 shop"]),
            ("psql 'host=db.example.net dbname=shop'", &["postgres db.example.net:5432 shop"]),
            ("psql -f schema.sql app_test", &["postgres unix:/var/run/postgresql:5432 app_test"]),
            (
                "/usr/lib/postgresql/16/bin/pg_dump -d shop -f out.dump",
                &["postgres unix:/var/run/postgresql:5432 shop"],
            ),
            ("pg_restore -d shop -h db out.dump", &["postgres db:5432 shop"]),
            ("createdb -p 5433 shop", &["postgres unix:/var/run/postgresql:5433 shop"]),
            ("dropdb --if-exists shop", &["postgres unix:/var/run/postgresql:5432 shop"]),
            ("mysql", &["mysql localhost:3306 -"]),
            ("mysql -h db.example.net -psecret -P 3307 -u root shop", &["mysql db.example.net:3307 shop u=root"]),
            ("mysql -hdb -D shop -p", &["mysql db:3306 shop"]),
            ("mysqldump -S /tmp/m.sock shop", &["mysql unix:/tmp/m.sock shop"]),
            ("mysql --defaults-file=/p/x.cnf", &["mysql cnf.example.net:3306 -"]),
            ("mongosh", &["mongodb localhost:27017 -"]),
            ("mongosh mongodb://m.example.net/shop", &["mongodb m.example.net:27017 shop"]),
            ("mongosh m.example.net:27018/shop", &["mongodb m.example.net:27018 shop"]),
            ("mongosh --host m --port 27018 shop", &["mongodb m:27018 shop"]),
            ("redis-cli -h r.example.net -p 6380 FLUSHALL", &["redis r.example.net:6380 -"]),
            ("redis-cli -u redis://r.example.net", &["redis r.example.net:6379 -"]),
            ("sqlcmd -S tcp:s.example.net,1434 -d Shop -Q 'select 1'", &["sqlserver s.example.net:1434 Shop"]),
            ("sqlite3 db/x.sqlite3 .tables", &["sqlite file:/p/db/x.sqlite3 db/x.sqlite3"]),
            ("sqlite3", &["sqlite memory -"]),
            ("npx prisma migrate reset --url postgres://db.example.net/x", &["postgres db.example.net:5432 x"]),
            ("diesel migration run --database-url=postgres://db/x", &["postgres db:5432 x"]),
            ("sqlx database drop -D postgres://db/x", &["postgres db:5432 x"]),
            ("dbmate -u mysql://db/x up", &["mysql db:3306 x"]),
            ("migrate -database postgres://db/x -path m up", &["postgres db:5432 x"]),
            ("goose postgres 'user=u dbname=x host=db' up", &["postgres db:5432 x u=u"]),
            ("goose mysql u:p@/x up", &["mysql localhost:3306 x u=u"]),
            ("goose sqlite3 ./x.db up", &["sqlite file:/p/x.db ./x.db"]),
            ("flyway -url=jdbc:mysql://db/x clean", &["mysql db:3306 x"]),
            ("java -Dspring.datasource.url=jdbc:mysql://db/x -jar a.jar", &["mysql db:3306 x"]),
            ("./mvnw test --spring.datasource.url=jdbc:mysql://db/x", &["mysql db:3306 x"]),
            ("run-tests --db-host db.example.net --db-name x", &["unknown db.example.net x"]),
            ("make test DATABASE_URL=postgres://db/x", &["postgres db:5432 x"]),
            ("alembic -x url=postgresql://db/x upgrade head", &["postgres db:5432 x"]),
            ("vite --host 0.0.0.0 --port 3000", &[]),
        ];
        let option_file = ("/p/x.cnf", "[client]\nhost=cnf.example.net\n");
        for (command, expected) in cases {
            let targets = found(&[], &[typed(command)], &[option_file]);
            let shown: Vec<String> = targets.iter().map(target_line).collect();
            assert_eq!(shown, expected, "{command}");
        }
    }

    #[test]
    fn a_client_without_arguments_follows_its_environment() {
        let env = reading(&[("PGHOST", "db.example.net"), ("PGDATABASE", "shop")]);
        let shown: Vec<String> = found(&[env], &[typed("psql -c x")], &[]).iter().map(target_line).collect();
        assert_eq!(shown, ["postgres db.example.net:5432 shop"]);
        let shown: Vec<String> =
            found(&[], &[typed("PGHOST=other.example.net psql")], &[]).iter().map(target_line).collect();
        assert_eq!(shown, ["postgres other.example.net:5432 -"]);
    }

    #[test]
    fn variables_in_the_words_of_any_program_are_filled_in_where_they_are_known() {
        let env = reading(&[("APP", "postgres://db.example.net/shop"), ("H", "db.example.net")]);
        for (command, expected) in [
            ("sqlx migrate run --database-url $APP", "postgres db.example.net:5432 shop"),
            ("sqlx migrate run --database-url=${APP:-postgres://localhost/x}", "postgres db.example.net:5432 shop"),
            ("run-tests --db-host $H --db-name x", "postgres db.example.net:5432 x"),
            ("run-tests --db-host ${NONE} --db-name x", "postgres ${none}:5432 x [Unexpanded]"),
        ] {
            let empty = reading(&[]);
            let targets = found(&[empty, env.clone()], &[typed(command)], &[]);
            let shown: Vec<String> = targets.iter().map(target_line).collect();
            assert!(shown.iter().any(|line| line == expected), "{command}: {shown:?}");
        }
    }

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
    fn each_client_names_a_remote_host_by_its_usual_option() {
        for client in clients::all() {
            let name = client.names[0];
            assert!(Engine::named(client.engine).is_some() || client.has_hidden_default, "{name}");
            let of_option = [Means::Host, Means::Server, Means::Url].into_iter().find_map(|wanted| {
                let spelled = client.options.iter().copied().flatten().find(|(_, means)| *means == wanted)?;
                Some(format!("{name} {} db.example.net", spelled.0.split(' ').next()?))
            });
            let of_argument = client.positionals.first().and_then(|means| match means {
                Means::Host | Means::Url => Some(format!("{name} db.example.net")),
                Means::SlashLogin => Some(format!("{name} app/x@db.example.net:1521/shop")),
                _ => None,
            });
            let Some(command) = of_option.or(of_argument) else {
                assert!(client.opens_a_file(), "{name}: nothing names a host");
                continue;
            };
            let targets = found(&[], &[typed(&command)], &[]);
            assert!(
                targets.iter().any(|target| target_line(target).contains("db.example.net")),
                "{command}: {targets:?}"
            );
        }
    }

    #[test]
    fn an_option_without_a_value_hides_no_host() {
        let table = [
            "isql -h db.example.net",
            "isql -S db.example.net -U sa",
            "bcp shop.dbo.orders out f -c -S db.example.net",
            "bcp shop.dbo.orders in f -n -w -T -S db.example.net",
            "redis-cli -x -h db.example.net set key",
            "redis-cli --cluster call db.example.net:6379 FLUSHALL",
            "redis-benchmark -n 10 -h db.example.net",
            "pg_dump -b -x -h db.example.net shop",
            "pgbench -d -h db.example.net -c 10 shop",
            "mysql -r -o -h db.example.net shop",
            "mysqlcheck --repair -h db.example.net shop",
            "mariadb-check -A -h db.example.net",
            "mysqlsh app@db.example.net:3306/shop",
            "mysqlsh --sql --uri=app@db.example.net",
            "myloader -d dump -h db.example.net -p x",
            "usql pg://db.example.net/shop",
            "usql my://app@db.example.net/shop",
            "clickhouse-client --max_threads 4 --host db.example.net",
            "cqlsh --debug db.example.net 9042",
            "cqlsh -u app db.example.net",
            "tsql -H db.example.net -p 1433",
            "sqlcmd -E -S tcp:db.example.net,1433",
            "influx -host db.example.net -execute x",
            "influx query --host http://db.example.net:8086 x",
            "cypher-shell -a neo4j://db.example.net:7687",
            "sqlplus -S app/x@//db.example.net/shop",
            "mongoimport --jsonArray -h db.example.net -d shop",
        ];
        for command in table {
            let targets = found(&[], &[typed(command)], &[]);
            assert!(
                targets.iter().any(|target| target_line(target).contains("db.example.net")),
                "{command}: {targets:?}"
            );
        }
    }

    #[test]
    fn a_place_that_a_file_elsewhere_names_leaves_a_doubt() {
        for command in [
            "isql shop sa x",
            "isql",
            "influx -execute x",
            "usql",
            "sqlplus app/x@live",
            "sqlplus / as",
            "cqlsh -b a.zip",
        ] {
            let targets = found(&[], &[typed(command)], &[]);
            assert!(
                !targets.is_empty() && targets.iter().all(|target| !target.doubts.is_empty()),
                "{command}: {targets:?}"
            );
        }
    }

    #[test]
    fn each_database_that_an_option_lists_counts() {
        let targets = found(&[], &[typed("mysqlcheck -h localhost --databases shop orders")], &[]);
        let names: Vec<_> = targets.iter().map(|target| target.database.as_deref()).collect();
        assert_eq!(names, [Some("shop"), Some("orders")]);
    }
}
