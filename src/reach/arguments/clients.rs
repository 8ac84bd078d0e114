//! The programs that talk to a database, and what their arguments mean.

use crate::reach::Engine;

/// A program that talks to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    /// It dials by itself, with a default of its own.
    Terminal(Grammar),
    /// It does what a project's settings or a URL among its arguments say.
    Tool,
}

/// How a database's own programs take their arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grammar {
    pub(crate) engine: Engine,
    /// Options with a value that names a part of the connection: spelling and meaning.
    pub(crate) parts: &'static [(&'static str, Part)],
    /// Other short options that take a value, which is then no positional argument.
    pub(crate) skipped: &'static str,
    /// What the first positional argument is.
    pub(crate) positional: Option<Part>,
}

/// What an argument names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Host,
    Port,
    User,
    Password,
    Socket,
    /// A database's name, or a whole URL or DSN.
    Database,
    /// A URL.
    Url,
    /// A database file.
    File,
    /// A file of options.
    Options,
    /// `tcp:host,port`.
    Server,
}

/// The client that the words call, with the arguments that follow; runners such as `npx` are looked through.
pub(crate) fn client_of(words: &[String]) -> Option<(Client, &[String])> {
    for (index, word) in words.iter().enumerate().take(6) {
        let name = word.rsplit('/').next().unwrap_or(word);
        let name = name.strip_suffix(".exe").unwrap_or(name);
        if let Some(client) = named(name) {
            return Some((client, &words[index + 1..]));
        }
        let runs_others = RUNNERS.contains(&name) || (index > 0 && word.starts_with('-'));
        if !runs_others {
            return None;
        }
    }
    None
}

/// Whether a program of that name dials by itself.
pub(crate) fn is_terminal(name: &str) -> bool {
    matches!(named(name), Some(Client::Terminal(_)))
}

const RUNNERS: [&str; 19] = [
    "npx", "bunx", "bun", "yarn", "pnpm", "npm", "exec", "dlx", "run", "poetry", "uv", "pipenv", "bundle", "python",
    "python3", "x", "pdm", "rye", "cargo",
];

fn named(name: &str) -> Option<Client> {
    // Debian installs `psql-16`, Homebrew `psql-16` and `mysql@8`.
    let plain = name.split(['@']).next().unwrap_or(name);
    let plain = plain.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').trim_end_matches('-');
    let plain = if plain == "sqlite" { "sqlite3" } else { plain };
    if let Some((_, grammar)) = TERMINALS.iter().find(|(names, _)| names.contains(&name) || names.contains(&plain)) {
        return Some(Client::Terminal(*grammar));
    }
    TOOLS.contains(&name).then_some(Client::Tool)
}

const POSTGRES: &[(&str, Part)] = &[
    ("-h", Part::Host),
    ("--host", Part::Host),
    ("-p", Part::Port),
    ("--port", Part::Port),
    ("-U", Part::User),
    ("--username", Part::User),
    ("-d", Part::Database),
    ("--dbname", Part::Database),
    ("--maintenance-db", Part::Database),
];

const MYSQL: &[(&str, Part)] = &[
    ("-h", Part::Host),
    ("--host", Part::Host),
    ("-P", Part::Port),
    ("--port", Part::Port),
    ("-u", Part::User),
    ("--user", Part::User),
    ("--password", Part::Password),
    ("-S", Part::Socket),
    ("--socket", Part::Socket),
    ("-D", Part::Database),
    ("--database", Part::Database),
    ("--defaults-file", Part::Options),
    ("--defaults-extra-file", Part::Options),
];

const MONGODB: &[(&str, Part)] = &[
    ("--host", Part::Host),
    ("-h", Part::Host),
    ("--port", Part::Port),
    ("-u", Part::User),
    ("--username", Part::User),
    ("-p", Part::Password),
    ("--password", Part::Password),
    ("--uri", Part::Url),
    ("-d", Part::Database),
    ("--db", Part::Database),
];

const REDIS: &[(&str, Part)] = &[
    ("-h", Part::Host),
    ("-p", Part::Port),
    ("-u", Part::Url),
    ("-s", Part::Socket),
    ("-a", Part::Password),
    ("--user", Part::User),
    ("--pass", Part::Password),
    ("-n", Part::Database),
];

const SQL_SERVER: &[(&str, Part)] = &[
    ("-S", Part::Server),
    ("--server", Part::Server),
    ("-d", Part::Database),
    ("--database-name", Part::Database),
    ("-U", Part::User),
    ("-P", Part::Password),
];

const NETWORK: &[(&str, Part)] = &[
    ("-h", Part::Host),
    ("--host", Part::Host),
    ("--port", Part::Port),
    ("-u", Part::User),
    ("--user", Part::User),
    ("-p", Part::Password),
    ("--password", Part::Password),
    ("-d", Part::Database),
    ("--database", Part::Database),
];

const fn terminal(
    engine: Engine,
    parts: &'static [(&'static str, Part)],
    skipped: &'static str,
    positional: Option<Part>,
) -> Grammar {
    Grammar { engine, parts, skipped, positional }
}

const TERMINALS: &[(&[&str], Grammar)] = &[
    (&["psql", "pgcli"], terminal(Engine::Postgres, POSTGRES, "cfFLoPRTv", Some(Part::Database))),
    (&["pg_dump", "pg_dumpall"], terminal(Engine::Postgres, POSTGRES, "bEfFjnNStTZlgrx", Some(Part::Database))),
    // The positional argument of pg_restore is the archive.
    (&["pg_restore"], terminal(Engine::Postgres, POSTGRES, "fFIjLnNPStT", None)),
    (&["createdb"], terminal(Engine::Postgres, POSTGRES, "DElOST", Some(Part::Database))),
    (
        &["dropdb", "vacuumdb", "reindexdb", "clusterdb", "pgbench", "pg_isready", "pg_amcheck"],
        terminal(Engine::Postgres, POSTGRES, "cfjnNPstT", Some(Part::Database)),
    ),
    (&["createuser", "dropuser"], terminal(Engine::Postgres, POSTGRES, "cgm", None)),
    (
        &[
            "mysql",
            "mariadb",
            "mycli",
            "mysqldump",
            "mariadb-dump",
            "mysqlimport",
            "mariadb-import",
            "mysqlcheck",
            "mysqlpump",
        ],
        terminal(Engine::Mysql, MYSQL, "eroTw", Some(Part::Database)),
    ),
    (&["mysqladmin", "mariadb-admin"], terminal(Engine::Mysql, MYSQL, "cirO", None)),
    (&["mysqlsh"], terminal(Engine::Mysql, MYSQL, "ef", Some(Part::Url))),
    (&["mongosh", "mongo"], terminal(Engine::Mongodb, MONGODB, "f", Some(Part::Database))),
    (
        &["mongodump", "mongorestore", "mongoimport", "mongoexport", "mongostat", "mongofiles"],
        terminal(Engine::Mongodb, MONGODB, "coqfj", None),
    ),
    (&["redis-cli", "valkey-cli", "keydb-cli"], terminal(Engine::Redis, REDIS, "rixdD", None)),
    (&["sqlcmd", "bcp"], terminal(Engine::SqlServer, SQL_SERVER, "QqiovltwhsycmaLH", None)),
    (&["sqlite3", "litecli", "sqlcipher"], terminal(Engine::Sqlite, &[], "", Some(Part::File))),
    (&["duckdb"], terminal(Engine::Duckdb, &[], "cf", Some(Part::File))),
    (&["clickhouse-client"], terminal(Engine::Clickhouse, NETWORK, "qf", None)),
    (&["cqlsh"], terminal(Engine::Cassandra, &[("-u", Part::User), ("-p", Part::Password)], "efk", Some(Part::Host))),
    (
        &["cypher-shell"],
        terminal(Engine::Neo4j, &[("-a", Part::Url), ("--address", Part::Url), ("-d", Part::Database)], "upf", None),
    ),
    (
        &["cockroach"],
        terminal(
            Engine::Cockroach,
            &[
                ("--url", Part::Url),
                ("--host", Part::Host),
                ("--port", Part::Port),
                ("-d", Part::Database),
                ("--database", Part::Database),
            ],
            "eu",
            None,
        ),
    ),
];

const TOOLS: [&str; 28] = [
    "prisma",
    "diesel",
    "sqlx",
    "sea-orm-cli",
    "knex",
    "typeorm",
    "sequelize",
    "sequelize-cli",
    "drizzle-kit",
    "mikro-orm",
    "flyway",
    "liquibase",
    "dbmate",
    "goose",
    "migrate",
    "atlas",
    "alembic",
    "sqlplus",
    "sqlldr",
    "phinx",
    "sqitch",
    "db-migrate",
    "node-pg-migrate",
    "pgloader",
    "refinery",
    "turso",
    "yoyo",
    "tern",
];
