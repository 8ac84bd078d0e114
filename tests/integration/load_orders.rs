//! Which file counts: for each framework, the traps of its load order, seen from outside by what is judged.

use crate::support::{Judged, Sandbox};

/// A URL that nothing lets through, and one that everything does.
const REMOTE: &str = "postgres://app@db.northwind-shop.net/shop";
const LOCAL: &str = "postgres://app@localhost/shop_test";

/// Files, the process environment, the command, and what has to come of it.
struct Case<'a> {
    trap: &'a str,
    files: &'a [(&'a str, &'a str)],
    environment: &'a [(&'a str, &'a str)],
    command: &'a [&'a str],
    verdict: &'a str,
    /// A rule that has to be among the findings; empty where none is wanted.
    rule: &'a str,
}

/// A case in one line.
const fn case<'a>(
    trap: &'a str,
    files: &'a [(&'a str, &'a str)],
    environment: &'a [(&'a str, &'a str)],
    command: &'a [&'a str],
    verdict: &'a str,
    rule: &'a str,
) -> Case<'a> {
    Case { trap, files, environment, command, verdict, rule }
}

#[track_caller]
fn check(cases: &[Case<'_>]) {
    for Case { trap, files, environment, command, verdict, rule } in cases {
        let mut sandbox = Sandbox::new();
        std::fs::create_dir(sandbox.project().join(".git")).unwrap();
        for (path, text) in *files {
            sandbox.write(path, filled(text));
        }
        for (name, value) in *environment {
            sandbox.set(name, filled(value));
        }
        let judged = Judged::of(&sandbox, command);
        assert_eq!(judged.verdict(), *verdict, "{trap}: {:#}", judged.json);
        assert!(rule.is_empty() || judged.rules().contains(rule), "{trap}: {:#}", judged.json);
    }
}

fn filled(text: &str) -> String {
    text.replace("@REMOTE", REMOTE).replace("@LOCAL", LOCAL)
}

const ARTISAN: (&str, &str) = ("artisan", "#!/usr/bin/env php\n");
const LARAVEL: (&str, &str) = ("composer.json", "{\"require\": {\"laravel/framework\": \"^11\"}}");

#[test]
fn laravel() {
    let test = &["php", "artisan", "test"];
    check(&[
        case(
            "`.env.testing` replaces `.env`",
            &[ARTISAN, LARAVEL, (".env", "DB_URL=@REMOTE\n"), (".env.testing", "DB_URL=@LOCAL\n")],
            &[],
            &["php", "artisan", "migrate:fresh", "--env=testing"],
            "safe",
            "",
        ),
        case(
            "a missing `.env.testing` means `.env`",
            &[ARTISAN, LARAVEL, (".env", "DB_CONNECTION=mysql\nDB_HOST=127.0.0.1\nDB_DATABASE=shop\n")],
            &[],
            &["php", "artisan", "migrate:fresh", "--env=testing"],
            "safe",
            "",
        ),
        case(
            "the same with a remote `.env`",
            &[ARTISAN, LARAVEL, (".env", "DB_URL=@REMOTE\n")],
            &[("APP_ENV", "testing")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "a cached configuration beats everything",
            &[
                ARTISAN,
                LARAVEL,
                (".env", "DB_URL=@LOCAL\n"),
                (".env.testing", "DB_URL=@LOCAL\n"),
                ("bootstrap/cache/config.php", "<?php return [];\n"),
            ],
            &[],
            test,
            "unverified",
            "cached-configuration",
        ),
        case(
            "phpunit's <env force> does not beat the shell",
            &[
                ARTISAN,
                LARAVEL,
                (".env", ""),
                (
                    "phpunit.xml",
                    "<phpunit><php><env name=\"DB_CONNECTION\" value=\"sqlite\" force=\"true\"/><env name=\"DB_DATABASE\" value=\":memory:\" force=\"true\"/><env name=\"DB_HOST\" value=\"localhost\" force=\"true\"/></php></phpunit>",
                ),
            ],
            &[("DB_URL", "@REMOTE")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "phpunit's <server> and <env> name the database",
            &[
                ARTISAN,
                LARAVEL,
                (".env", "DB_URL=\n"),
                (
                    "phpunit.xml",
                    "<phpunit><php><server name=\"APP_ENV\" value=\"testing\"/><env name=\"DB_CONNECTION\" value=\"sqlite\"/><env name=\"DB_DATABASE\" value=\":memory:\"/></php></phpunit>",
                ),
            ],
            &[],
            &["vendor/bin/phpunit"],
            "safe",
            "",
        ),
        case(
            "DB_URL beats DB_CONNECTION",
            &[ARTISAN, LARAVEL, (".env", "DB_CONNECTION=sqlite\nDB_DATABASE=:memory:\nDB_URL=@REMOTE\n")],
            &[],
            test,
            "production",
            "host-remote",
        ),
        case(
            "`.env.production` does not count",
            &[
                ARTISAN,
                LARAVEL,
                (".env", "DB_URL=@LOCAL\n"),
                (".env.testing", "DB_URL=@LOCAL\n"),
                (".env.production", "DB_URL=@REMOTE\nAPP_ENV=production\n"),
                (".env.example", "DB_URL=@REMOTE\n"),
            ],
            &[],
            test,
            "safe",
            "",
        ),
        case(
            "until the mode selects it",
            &[ARTISAN, LARAVEL, (".env", "DB_URL=@LOCAL\n"), (".env.production", "DB_URL=@REMOTE\n")],
            &[],
            &["php", "artisan", "migrate", "--env=production"],
            "production",
            "",
        ),
    ]);
}

#[test]
fn symfony() {
    let manifest = ("composer.json", "{\"require\": {\"symfony/framework-bundle\": \"7\"}}");
    let files = |more: &'static [(&'static str, &'static str)]| {
        [&[manifest, ("bin/console", "#!/usr/bin/env php\n")], more].concat()
    };
    check(&[
        case(
            "tests ignore `.env.local`",
            &files(&[
                (".env", "DATABASE_URL=@LOCAL\n"),
                (".env.test", "APP_ENV=test\n"),
                (".env.local", "DATABASE_URL=@REMOTE\n"),
            ]),
            &[("APP_ENV", "test")],
            &["bin/phpunit"],
            "safe",
            "",
        ),
        case(
            "other commands do not",
            &files(&[(".env", "DATABASE_URL=@LOCAL\n"), (".env.local", "DATABASE_URL=@REMOTE\n")]),
            &[],
            &["bin/console", "doctrine:fixtures:load", "-n"],
            "production",
            "host-remote",
        ),
        case(
            "`.env.test.local` is the strongest file",
            &files(&[(".env", "DATABASE_URL=@LOCAL\n"), (".env.test.local", "DATABASE_URL=@REMOTE\n")]),
            &[("APP_ENV", "test")],
            &["bin/phpunit"],
            "production",
            "host-remote",
        ),
        case(
            "the shell beats all files",
            &files(&[(".env", "DATABASE_URL=@LOCAL\n"), (".env.test", "DATABASE_URL=@LOCAL\n")]),
            &[("DATABASE_URL", "@REMOTE")],
            &["bin/phpunit"],
            "production",
            "host-remote",
        ),
        case(
            "--env=prod takes the files of production",
            &files(&[(".env", "DATABASE_URL=@LOCAL\n"), (".env.prod", "DATABASE_URL=@REMOTE\n")]),
            &[],
            &["bin/console", "doctrine:schema:drop", "--force", "--env=prod"],
            "production",
            "",
        ),
    ]);
}

#[test]
fn rails() {
    let yaml = "default: &default\n  adapter: postgresql\n  host: localhost\ndevelopment:\n  <<: *default\n  database: shop_development\ntest:\n  <<: *default\n  database: shop_test\nproduction:\n  adapter: postgresql\n  host: db.northwind-shop.net\n  database: shop_production\n";
    let erb = "test:\n  adapter: postgresql\n  host: <%= ENV.fetch('DB_HOST', 'localhost') %>\n  database: shop_test\n";
    let command_substitution = "test:\n  url: <%= `cat /etc/shop/url` %>\n";
    let mark = ("config/application.rb", "");
    let test = &["bin/rails", "test"];
    check(&[
        case("the section of the environment counts", &[mark, ("config/database.yml", yaml)], &[], test, "safe", ""),
        case(
            "also when it is production",
            &[mark, ("config/database.yml", yaml)],
            &[("RAILS_ENV", "production")],
            &["bin/rails", "db:migrate"],
            "production",
            "host-remote",
        ),
        case(
            "DATABASE_URL counts in tests",
            &[mark, ("config/database.yml", yaml)],
            &[("DATABASE_URL", "@REMOTE")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "from a file too",
            &[mark, ("config/database.yml", yaml), (".env", "DATABASE_URL=@REMOTE\n")],
            &[],
            test,
            "production",
            "host-remote",
        ),
        case("ERB with a default", &[mark, ("config/database.yml", erb)], &[], test, "safe", ""),
        case(
            "ERB with a variable",
            &[mark, ("config/database.yml", erb)],
            &[("DB_HOST", "db.northwind-shop.net")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "ERB that would have to run",
            &[mark, ("config/database.yml", command_substitution)],
            &[],
            test,
            "unverified",
            "",
        ),
        case(
            "`.env.local` is not for tests",
            &[mark, ("config/database.yml", yaml), (".env.local", "DATABASE_URL=@REMOTE\n")],
            &[("RAILS_ENV", "test")],
            test,
            "safe",
            "",
        ),
        case(
            "a query names another host",
            &[
                mark,
                ("config/database.yml", "test:\n  url: postgres://localhost/shop_test?host=db.northwind-shop.net\n"),
            ],
            &[],
            test,
            "production",
            "host-remote",
        ),
        case(
            "the protection is switched off",
            &[mark, ("config/database.yml", yaml)],
            &[],
            &["env", "DISABLE_DATABASE_ENVIRONMENT_CHECK=1", "bin/rails", "db:drop"],
            "unverified",
            "protection-disabled",
        ),
    ]);
}

#[test]
fn django_and_python() {
    let manage = ("manage.py", "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n");
    let settings = "import environ\nenv = environ.Env()\nDATABASES = {'default': env.db('DATABASE_URL')}\n";
    check(&[
        case(
            "a file beside manage.py",
            &[manage, ("shop/settings.py", settings), (".env", "DATABASE_URL=@REMOTE\n")],
            &[],
            &["python", "manage.py", "test", "--noinput"],
            "production",
            "host-remote",
        ),
        case(
            "the settings module of production",
            &[manage, (".env", "DATABASE_URL=@LOCAL\n")],
            &[("DJANGO_SETTINGS_MODULE", "shop.settings.production")],
            &["pytest"],
            "production",
            "environment-production",
        ),
        case(
            "--ds beats pytest.ini",
            &[
                ("pytest.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = shop.settings.test\n"),
                (".env", "DATABASE_URL=@LOCAL\n"),
            ],
            &[],
            &["pytest", "--ds=shop.settings.prod"],
            "production",
            "environment-production",
        ),
        case(
            "python-dotenv climbs",
            &[("requirements.txt", "python-dotenv\npsycopg\n"), (".env", "DATABASE_URL=@REMOTE\n")],
            &[],
            &["pytest", "tests"],
            "production",
            "host-remote",
        ),
        case(
            "pydantic reads any case",
            &[("requirements.txt", "pydantic-settings\n")],
            &[("database_url", "@REMOTE")],
            &["pytest"],
            "production",
            "host-remote",
        ),
        case(
            "pytest-env sets it",
            &[("pytest.ini", "[pytest]\nenv =\n    DATABASE_URL=@LOCAL\n"), ("requirements.txt", "pytest-env\n")],
            &[],
            &["pytest"],
            "safe",
            "",
        ),
        case(
            "a test name on the main server",
            &[manage, (".env", "DATABASE_URL=postgres://localhost/shop_test?dbname=shop_prod\n")],
            &[],
            &["python", "manage.py", "test"],
            "production",
            "database-name-production",
        ),
    ]);
}

#[test]
fn node() {
    let manifest =
        |dependencies: &str| format!("{{\"scripts\": {{\"test\": \"jest\"}}, \"dependencies\": {{{dependencies}}}}}");
    let (dotenv, flow, next, vite) = (
        manifest("\"dotenv\": \"16\""),
        manifest("\"dotenv-flow\": \"4\""),
        manifest("\"next\": \"15\""),
        manifest("\"vitest\": \"3\", \"dotenv\": \"16\""),
    );
    let (dotenv, flow, next, vite) =
        (("package.json", &*dotenv), ("package.json", &*flow), ("package.json", &*next), ("package.json", &*vite));
    let test = &["npm", "test"];
    check(&[
        case(
            "dotenv reads `.env`",
            &[dotenv, (".env", "DATABASE_URL=@REMOTE\n")],
            &[],
            test,
            "production",
            "host-remote",
        ),
        case(
            "the shell beats it",
            &[dotenv, (".env", "DATABASE_URL=@LOCAL\n")],
            &[("DATABASE_URL", "@REMOTE")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "a variable names another file",
            &[dotenv, (".env", "DATABASE_URL=@LOCAL\n"), ("other.env", "DATABASE_URL=@REMOTE\n")],
            &[("DOTENV_CONFIG_PATH", "other.env")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "dotenv-flow: tests skip `.env.local`",
            &[flow, (".env", "DATABASE_URL=@LOCAL\n"), (".env.local", "DATABASE_URL=@REMOTE\n")],
            &[("NODE_ENV", "test")],
            test,
            "safe",
            "",
        ),
        case(
            "dotenv-flow: `.env.test.local` wins",
            &[flow, (".env", "DATABASE_URL=@LOCAL\n"), (".env.test.local", "DATABASE_URL=@REMOTE\n")],
            &[("NODE_ENV", "test")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "node --env-file",
            &[(".env.other", "DATABASE_URL=@REMOTE\n")],
            &[],
            &["node", "--env-file=.env.other", "--test"],
            "production",
            "host-remote",
        ),
        case(
            "Next without NODE_ENV reads production's files",
            &[next, (".env", "DATABASE_URL=@LOCAL\n"), (".env.production", "DATABASE_URL=@REMOTE\n")],
            &[],
            &["next", "build"],
            "production",
            "",
        ),
        case(
            "a script's own assignment",
            &[("package.json", "{\"scripts\": {\"test\": \"cross-env DATABASE_URL=@REMOTE jest\"}}")],
            &[],
            test,
            "production",
            "host-remote",
        ),
        case(
            "a script's own file",
            &[
                ("package.json", "{\"scripts\": {\"test\": \"dotenv -e .env.ci -- jest\"}}"),
                (".env", "DATABASE_URL=@LOCAL\n"),
                (".env.ci", "DATABASE_URL=@REMOTE\n"),
            ],
            &[],
            test,
            "production",
            "host-remote",
        ),
        case(
            "a script behind a script",
            &[
                (
                    "package.json",
                    "{\"scripts\": {\"test\": \"npm run reset && jest\", \"reset\": \"psql @REMOTE -f reset.sql\"}}",
                ),
                (".env", "DATABASE_URL=@LOCAL\n"),
            ],
            &[],
            test,
            "production",
            "host-remote",
        ),
        case(
            "`.env.example` never counts",
            &[vite, (".env", "DATABASE_URL=@LOCAL\n"), (".env.example", "DATABASE_URL=@REMOTE\n")],
            &[],
            &["npx", "vitest"],
            "safe",
            "",
        ),
        case(
            "Vite reads `.env.local` in tests too",
            &[vite, (".env", "DATABASE_URL=@LOCAL\n"), (".env.local", "DATABASE_URL=@REMOTE\n")],
            &[],
            &["npx", "vitest"],
            "production",
            "host-remote",
        ),
    ]);
}

#[test]
fn prisma() {
    let manifest =
        ("package.json", "{\"dependencies\": {\"@prisma/client\": \"6\"}, \"devDependencies\": {\"prisma\": \"6\"}}");
    let schema = (
        "prisma/schema.prisma",
        "datasource db {\n  provider = \"postgresql\"\n  url = env(\"SHOP_DB\")\n  directUrl = env(\"SHOP_DIRECT\")\n}\n",
    );
    let reset = &["npx", "prisma", "migrate", "reset", "--force"];
    check(&[
        case(
            "the variable of the schema",
            &[manifest, schema, (".env", "SHOP_DB=@REMOTE\n")],
            &[],
            reset,
            "production",
            "host-remote",
        ),
        case(
            "its direct URL",
            &[manifest, schema, (".env", "SHOP_DB=@LOCAL\nSHOP_DIRECT=@REMOTE\n")],
            &[],
            reset,
            "production",
            "host-remote",
        ),
        case(
            "prisma/.env",
            &[manifest, schema, ("prisma/.env", "SHOP_DB=@REMOTE\n")],
            &[],
            reset,
            "production",
            "host-remote",
        ),
        case(
            "one key in two files",
            &[manifest, schema, (".env", "SHOP_DB=@LOCAL\n"), ("prisma/.env", "SHOP_DB=@LOCAL\n")],
            &[],
            reset,
            "safe",
            "",
        ),
        case(
            "a shadow database that is the main one",
            &[manifest, schema, (".env", "SHOP_DB=@LOCAL\nSHADOW_DATABASE_URL=@LOCAL\n")],
            &[],
            reset,
            "unverified",
            "shadow-database",
        ),
        case("all local", &[manifest, schema, (".env", "SHOP_DB=@LOCAL\n")], &[], reset, "safe", ""),
    ]);
}

#[test]
fn spring() {
    let base = "src/main/resources";
    let files = |plain: &'static str, test: &'static str| {
        [
            ("pom.xml", "<project/>"),
            ("src/main/resources/application.properties", plain),
            ("src/main/resources/application-test.properties", test),
            (
                "src/main/resources/application-prod.properties",
                "spring.datasource.url=jdbc:postgresql://db.northwind-shop.net/shop\n",
            ),
        ]
    };
    assert!(files("", "")[1].0.starts_with(base));
    let (local, remote) = (
        "spring.datasource.url=jdbc:postgresql://localhost/shop_test\n",
        "spring.datasource.url=jdbc:postgresql://db.northwind-shop.net/shop\n",
    );
    let test = &["mvn", "test"];
    check(&[
        case("the plain file", &files(remote, ""), &[], test, "production", "host-remote"),
        case("a profile that nobody selects", &files(local, ""), &[], test, "safe", ""),
        case(
            "the profile of production",
            &files(local, ""),
            &[("SPRING_PROFILES_ACTIVE", "cloud,prod")],
            test,
            "production",
            "environment-production",
        ),
        case(
            "a profile on the command line",
            &files(local, ""),
            &[],
            &["mvn", "test", "-Dspring.profiles.active=prod"],
            "production",
            "host-remote",
        ),
        case(
            "the environment beats the files",
            &files(local, local),
            &[("SPRING_DATASOURCE_URL", "jdbc:postgresql://db.northwind-shop.net/shop")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "a file of the tests' own",
            &[
                ("pom.xml", ""),
                (
                    "src/main/resources/application.yml",
                    "spring:\n  datasource:\n    url: jdbc:postgresql://localhost/shop_test\n",
                ),
                ("src/test/resources/application.yml", "spring:\n  datasource:\n    url: jdbc:h2:mem:test\n"),
            ],
            &[],
            &["./mvnw", "verify"],
            "safe",
            "",
        ),
        case(
            "a default in a placeholder",
            &files("spring.datasource.url=${DB:jdbc:postgresql://db.northwind-shop.net/shop}\n", ""),
            &[],
            test,
            "production",
            "host-remote",
        ),
    ]);
}

/// A project file with an id of user secrets, and where they lie, seen from the project.
const SECRETS_ID: &str = "<Project><PropertyGroup><UserSecretsId>shop-5d2c</UserSecretsId></PropertyGroup></Project>";
const USER_SECRETS: &str = "../home/.microsoft/usersecrets/shop-5d2c/secrets.json";

#[test]
fn dotnet() {
    let settings = |host: &str| format!("{{\"ConnectionStrings\": {{\"Shop\": \"Host={host};Database=shop_test\"}}}}");
    let (local, remote) = (settings("localhost"), settings("db.northwind-shop.net"));
    let secrets = "{\"ConnectionStrings:Shop\": \"Host=db.northwind-shop.net;Database=shop_test\"}";
    let test = &["dotnet", "test"];
    check(&[
        case(
            "the plain file",
            &[("Shop.csproj", ""), ("appsettings.json", &*remote)],
            &[("DOTNET_ENVIRONMENT", "Development")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "the environment's file beats it",
            &[("Shop.csproj", ""), ("appsettings.json", &*local), ("appsettings.Development.json", &*remote)],
            &[("ASPNETCORE_ENVIRONMENT", "Development")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "a variable beats both",
            &[("Shop.csproj", ""), ("appsettings.json", &*local)],
            &[
                ("DOTNET_ENVIRONMENT", "Development"),
                ("ConnectionStrings__Shop", "Host=db.northwind-shop.net;Database=shop"),
            ],
            test,
            "production",
            "host-remote",
        ),
        case(
            "user secrets beat the files in Development",
            &[("Shop.csproj", SECRETS_ID), ("appsettings.json", &*local), (USER_SECRETS, secrets)],
            &[("DOTNET_ENVIRONMENT", "Development")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "and are not read elsewhere",
            &[("Shop.csproj", SECRETS_ID), ("appsettings.json", &*local), (USER_SECRETS, secrets)],
            &[("DOTNET_ENVIRONMENT", "Testing")],
            test,
            "safe",
            "",
        ),
        case(
            "no name means production's file",
            &[("Shop.csproj", ""), ("appsettings.json", &*local), ("appsettings.Production.json", &*remote)],
            &[],
            &["dotnet", "run"],
            "production",
            "",
        ),
    ]);
}

#[test]
fn elixir_go_and_rust() {
    let repo = |host: &str| {
        format!("import Config\nconfig :shop, Shop.Repo,\n  hostname: \"{host}\",\n  database: \"shop_test\"\n")
    };
    let (local, remote) = (repo("localhost"), repo("db.northwind-shop.net"));
    check(&[
        case(
            "Elixir: the file of the tests",
            &[
                ("mix.exs", ""),
                ("config/config.exs", "import Config\n"),
                ("config/test.exs", &*remote),
                ("config/dev.exs", &*local),
            ],
            &[],
            &["mix", "test"],
            "production",
            "host-remote",
        ),
        case(
            "Elixir: not that of production",
            &[
                ("mix.exs", ""),
                ("config/config.exs", "import Config\n"),
                ("config/test.exs", &*local),
                ("config/prod.exs", &*remote),
            ],
            &[],
            &["mix", "test"],
            "safe",
            "",
        ),
        case(
            "Elixir: MIX_ENV=prod",
            &[("mix.exs", ""), ("config/test.exs", &*local), ("config/prod.exs", &*local)],
            &[("MIX_ENV", "prod")],
            &["mix", "ecto.drop"],
            "production",
            "environment-production",
        ),
        case(
            "Go: `.env` of the folder",
            &[("go.mod", "module shop\n"), (".env", "DATABASE_URL=@REMOTE\n")],
            &[],
            &["go", "test", "./..."],
            "production",
            "host-remote",
        ),
        case(
            "Go: the DSN of its MySQL driver",
            &[("go.mod", "module shop\n"), (".env", "MYSQL_DSN=app:redacted@tcp(db.northwind-shop.net:3306)/shop\n")],
            &[],
            &["go", "test"],
            "production",
            "host-remote",
        ),
        case(
            "Rust: `.env` is searched upwards",
            &[("Cargo.toml", ""), (".env", "DATABASE_URL=@REMOTE\n")],
            &[],
            &["cargo", "test"],
            "production",
            "host-remote",
        ),
        case(
            "Diesel: the option beats the file",
            &[("Cargo.toml", ""), (".env", "DATABASE_URL=@LOCAL\n")],
            &[],
            &["diesel", "migration", "redo", "--database-url", REMOTE],
            "production",
            "host-remote",
        ),
        case(
            "sqlx: a variable of its own",
            &[("Cargo.toml", ""), (".env", "DATABASE_URL=@LOCAL\n")],
            &[],
            &["sqlx", "database", "reset", "-D", REMOTE],
            "production",
            "host-remote",
        ),
    ]);
}

#[test]
fn what_is_odd_about_the_files_is_noted() {
    let cases = [
        (
            "environment-file-missing",
            "artisan",
            ".env",
            &["php", "artisan", "migrate:fresh", "--env=testing"][..],
            ".env.testing",
        ),
        (
            "duplicate-key",
            "prisma/schema.prisma",
            "prisma/.env",
            &["npx", "prisma", "migrate", "reset"],
            "DATABASE_URL",
        ),
    ];
    for (rule, mark, file, command, told) in cases {
        let sandbox = Sandbox::new();
        sandbox.write(mark, "");
        sandbox.write(".env", filled("DATABASE_URL=@LOCAL\n"));
        sandbox.write(
            file,
            if file == ".env" { filled("DATABASE_URL=@LOCAL\n") } else { filled("DATABASE_URL=@LOCAL2\n") },
        );
        let judged = Judged::of(&sandbox, command);
        assert!(judged.finding(rule)["message"].as_str().unwrap().contains(told), "{:#}", judged.json);
    }
}

#[test]
fn files_above_the_folder_count_for_loaders_that_climb() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.project().join(".git")).unwrap();
    sandbox.write(".env", filled("DATABASE_URL=@REMOTE\n"));
    sandbox.write("crates/store/Cargo.toml", "[package]\nname = \"store\"\n");
    let judged = Judged::with(&sandbox, &["-C", "crates/store", "check", "--format", "json", "--", "cargo", "test"]);
    assert_eq!((judged.verdict(), judged.origins()), ("production", vec![".env:1".to_owned()]));
}

#[test]
fn compose_and_wrappers() {
    let compose = "services:\n  app:\n    image: shop\n    environment:\n      DATABASE_URL: @REMOTE\n  db:\n    image: postgres\n";
    let substituted = "services:\n  app:\n    image: shop\n    environment:\n      - DATABASE_URL=postgres://app@${DB_HOST:-localhost}/shop_test\n";
    check(&[
        case(
            "the container's environment counts, not the host's",
            &[("compose.yaml", compose), (".env", "DATABASE_URL=@LOCAL\n")],
            &[("DATABASE_URL", "@LOCAL")],
            &["docker", "compose", "exec", "app", "npm", "test"],
            "production",
            "host-remote",
        ),
        case(
            "`run -e` sets it",
            &[("compose.yaml", substituted)],
            &[],
            &[
                "docker",
                "compose",
                "run",
                "-e",
                "DATABASE_URL=postgres://db.northwind-shop.net/shop",
                "app",
                "npm",
                "test",
            ],
            "production",
            "host-remote",
        ),
        case(
            "`.env` feeds the file",
            &[("compose.yaml", substituted), (".env", "DB_HOST=db.northwind-shop.net\n")],
            &[],
            &["docker", "compose", "run", "app", "npm", "test"],
            "production",
            "host-remote",
        ),
        case(
            "another container proves nothing",
            &[(".env", "DATABASE_URL=@LOCAL\n")],
            &[],
            &["docker", "exec", "shop-app-1", "npm", "test"],
            "unverified",
            "container-environment",
        ),
        case(
            "a wrapper adds what is on no disk",
            &[(".env", "DATABASE_URL=@LOCAL\n")],
            &[],
            &["railway", "run", "npm", "test"],
            "unverified",
            "injected-environment",
        ),
        case(
            "another one",
            &[(".env", "DATABASE_URL=@LOCAL\n")],
            &[],
            &["doppler", "run", "--", "npm", "test"],
            "unverified",
            "injected-environment",
        ),
    ]);
    let sandbox = Sandbox::new();
    sandbox.write(".env", filled("DATABASE_URL=@LOCAL\n"));
    let judged = Judged::of(&sandbox, &["railway", "run", "npm", "test"]);
    let remedy = judged.finding("injected-environment")["remedy"].as_str().unwrap();
    assert!(remedy.contains("safe-test inside"), "{remedy}");
}
