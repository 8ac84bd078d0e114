//! The programs that are known by name: whose ways of loading files they have, and what they are for.

use crate::environment::Invocation;

/// The languages whose programs load files in ways of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Php,
    Ruby,
    Python,
    Node,
    Go,
    Rust,
    Jvm,
    Dotnet,
    Elixir,
}

impl Family {
    pub(crate) const ALL: [Family; 9] = [
        Family::Php,
        Family::Ruby,
        Family::Python,
        Family::Node,
        Family::Go,
        Family::Rust,
        Family::Jvm,
        Family::Dotnet,
        Family::Elixir,
    ];
}

/// What a program loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// Files, in the ways of its family.
    Of(Family),
    /// Nothing: a database client.
    LoadsNothing,
    /// Nothing beside others: the everyday work of a script.
    Plain,
    Unknown,
}

/// What a program is for, as far as its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// It does nothing but run tests.
    Tests,
    /// It does not run tests: migrations, seeds, servers, consoles.
    Development,
    /// Its subcommand or task says which.
    ByWord,
    /// The name of the script that it runs says which.
    ByScript,
    Unsaid,
}

const PROGRAMS: &[(Program, Task, &[&str])] = &[
    (
        Program::Of(Family::Php),
        Task::Tests,
        &["phpunit", "simple-phpunit", "pest", "paratest", "codecept", "behat", "phpspec"],
    ),
    (Program::Of(Family::Php), Task::Development, &["phinx", "doctrine"]),
    (Program::Of(Family::Php), Task::ByWord, &["artisan", "console"]),
    (Program::Of(Family::Php), Task::ByScript, &["composer"]),
    (Program::Of(Family::Php), Task::Unsaid, &["symfony", "wp", "drush", "craft", "spark"]),
    (
        Program::Of(Family::Ruby),
        Task::Tests,
        &["rspec", "cucumber", "minitest", "turbo_tests", "parallel_test", "parallel_rspec", "parallel_cucumber"],
    ),
    (Program::Of(Family::Ruby), Task::ByWord, &["rails", "rake"]),
    (Program::Of(Family::Ruby), Task::Unsaid, &["bundle", "hanami", "irb", "sidekiq", "puma"]),
    (
        Program::Of(Family::Python),
        Task::Tests,
        &["pytest", "py.test", "tox", "nox", "behave", "nose2", "nosetests", "robot"],
    ),
    (Program::Of(Family::Python), Task::Development, &["flask", "alembic", "aerich", "piccolo", "yoyo", "dbt"]),
    (Program::Of(Family::Python), Task::ByWord, &["manage.py", "django-admin", "hatch"]),
    (
        Program::Of(Family::Python),
        Task::Unsaid,
        &["uvicorn", "gunicorn", "celery", "coverage", "airflow", "poetry", "pdm", "pipenv", "uv"],
    ),
    (
        Program::Of(Family::Node),
        Task::Tests,
        &[
            "jest",
            "vitest",
            "mocha",
            "ava",
            "tap",
            "jasmine",
            "playwright",
            "cypress",
            "uvu",
            "karma",
            "cucumber-js",
            "wdio",
            "testcafe",
        ],
    ),
    (
        Program::Of(Family::Node),
        Task::Development,
        &[
            "prisma",
            "knex",
            "typeorm",
            "sequelize",
            "sequelize-cli",
            "drizzle-kit",
            "mikro-orm",
            "migrate-mongo",
            "node-pg-migrate",
            "db-migrate",
            "next",
            "nodemon",
            "ts-node-dev",
        ],
    ),
    (Program::Of(Family::Node), Task::ByWord, &["bun", "deno", "nx", "turbo", "ng", "ace"]),
    (Program::Of(Family::Node), Task::ByScript, &["npm", "pnpm", "yarn"]),
    (
        Program::Of(Family::Node),
        Task::Unsaid,
        &[
            "node",
            "vite",
            "nest",
            "tsx",
            "ts-node",
            "strapi",
            "medusa",
            "remix",
            "nuxt",
            "astro",
            "payload",
            "directus",
            "keystone",
            "zenstack",
            "graphile-migrate",
            "typeorm-ts-node-commonjs",
            "typeorm-ts-node-esm",
        ],
    ),
    (Program::Of(Family::Go), Task::Tests, &["gotestsum", "ginkgo", "richgo"]),
    (Program::Of(Family::Go), Task::Development, &["goose", "migrate", "sql-migrate", "dbmate", "tern", "atlas"]),
    (Program::Of(Family::Go), Task::ByWord, &["go"]),
    (Program::Of(Family::Go), Task::Unsaid, &["soda", "buffalo", "air"]),
    (Program::Of(Family::Rust), Task::Tests, &["cargo-nextest"]),
    (Program::Of(Family::Rust), Task::Development, &["diesel", "sqlx", "sea-orm-cli", "refinery"]),
    (Program::Of(Family::Rust), Task::ByWord, &["cargo"]),
    (Program::Of(Family::Rust), Task::Unsaid, &["loco", "bacon"]),
    (Program::Of(Family::Jvm), Task::Development, &["flyway", "liquibase"]),
    (Program::Of(Family::Jvm), Task::ByWord, &["gradle", "gradlew", "mvn", "mvnw", "sbt", "lein"]),
    (Program::Of(Family::Jvm), Task::Unsaid, &["java", "kotlin"]),
    (Program::Of(Family::Dotnet), Task::Tests, &["vstest.console"]),
    (Program::Of(Family::Dotnet), Task::ByWord, &["dotnet"]),
    (Program::Of(Family::Elixir), Task::ByWord, &["mix"]),
    (Program::Of(Family::Elixir), Task::Unsaid, &["iex", "elixir"]),
    (
        Program::LoadsNothing,
        Task::Unsaid,
        &[
            "psql",
            "pg_dump",
            "pg_dumpall",
            "pg_restore",
            "createdb",
            "dropdb",
            "createuser",
            "dropuser",
            "vacuumdb",
            "mysql",
            "mariadb",
            "mysqladmin",
            "mysqldump",
            "mariadb-dump",
            "mysqlimport",
            "sqlite3",
            "mongosh",
            "mongo",
            "mongodump",
            "mongorestore",
            "mongoimport",
            "mongoexport",
            "redis-cli",
            "valkey-cli",
            "sqlcmd",
            "bcp",
            "sqlplus",
            "clickhouse-client",
            "cqlsh",
            "duckdb",
            "usql",
            "pgcli",
            "mycli",
            "litecli",
            "influx",
            "pgbench",
            "cockroach",
            "tsql",
            "isql",
        ],
    ),
    (
        Program::Plain,
        Task::Unsaid,
        &[
            "true", "false", "echo", "printf", "cat", "ls", "rm", "mkdir", "cp", "mv", "sleep", "set", "exit", "test",
            "[", "trap", "wait", "touch", "chmod", "grep", "sed", "awk", "tee", "date", "pwd", "id", "git", "eslint",
            "prettier", "tsc", "rimraf", "env", "printenv", "whoami", "uname", "docker",
        ],
    ),
    (Program::Unknown, Task::Tests, &["unittest", "bats", "kahlan", "atoum", "dusk", "trial", "ward", "c8", "nyc"]),
    (Program::Unknown, Task::ByWord, &["supabase"]),
];

/// The program that decides, behind an interpreter: `pytest` of `python -m pytest`, `artisan` of `php artisan`.
pub(crate) fn program_of(invocation: &Invocation) -> &str {
    let outer = invocation.program();
    let mut words = invocation.words.iter().skip(1);
    let inner = match outer {
        "php" | "ruby" => words.find(|word| !word.starts_with('-')),
        _ if is_python(outer) => match words.find(|word| !word.starts_with('-') || *word == "-m") {
            Some(word) if word == "-m" => words.next(),
            word => word,
        },
        "coverage" | "spring" => words.find(|word| !word.starts_with('-') && *word != "run"),
        _ => None,
    };
    inner.map_or(outer, |word| word.rsplit('/').next().unwrap_or(word))
}

/// What the program of an invocation loads: by its interpreter, its name, or its file's extension.
pub(crate) fn loading(invocation: &Invocation) -> Program {
    match invocation.program() {
        outer if is_python(outer) => return Program::Of(Family::Python),
        "php" => return Program::Of(Family::Php),
        "ruby" => return Program::Of(Family::Ruby),
        _ => {}
    }
    let program = program_of(invocation);
    let extension = program.rsplit_once('.').map_or("", |(_, extension)| extension);
    match (known(program), extension) {
        (Some((program, _)), _) if program != Program::Unknown => program,
        (_, "js" | "mjs" | "cjs" | "ts" | "mts") => Program::Of(Family::Node),
        (_, "py") => Program::Of(Family::Python),
        (_, "rb") => Program::Of(Family::Ruby),
        (_, "php") => Program::Of(Family::Php),
        (_, "exs") => Program::Of(Family::Elixir),
        _ => Program::Unknown,
    }
}

/// What the program of that name is for.
pub(crate) fn task(program: &str) -> Task {
    known(program).map_or(Task::Unsaid, |(_, task)| task)
}

fn known(program: &str) -> Option<(Program, Task)> {
    let known = PROGRAMS.iter().find(|(_, _, names)| names.contains(&program));
    known.map(|(program, task, _)| (*program, *task))
}

fn is_python(program: &str) -> bool {
    program
        .strip_prefix("python")
        .or(program.strip_prefix("pypy"))
        .is_some_and(|version| version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_program_stands_in_one_row() {
        let mut seen = HashSet::new();
        for name in PROGRAMS.iter().flat_map(|(_, _, names)| *names) {
            assert!(seen.insert(name), "{name}");
        }
    }

    #[test]
    fn the_interpreter_the_name_and_the_extension_tell_what_is_loaded() {
        let table = [
            ("python3.12 -m jest", Program::Of(Family::Python)),
            ("php vendor/bin/pest", Program::Of(Family::Php)),
            ("./node_modules/.bin/jest", Program::Of(Family::Node)),
            ("bin/seed.rb", Program::Of(Family::Ruby)),
            ("psql shop", Program::LoadsNothing),
            ("git status", Program::Plain),
            ("./run", Program::Unknown),
        ];
        for (command, expected) in table {
            let words = command.split(' ').map(str::to_owned).collect();
            let origin = crate::environment::Origin::process("x");
            assert_eq!(loading(&Invocation { assignments: Vec::new(), words, origin }), expected, "{command}");
        }
    }
}
