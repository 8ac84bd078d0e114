//! Statements that are given to the clients of databases: where they stand among the arguments, and whether they only read.

use crate::lists::{List, list};
use crate::tools::clients::{Client, Means, client_of};
use crate::tools::words::name_of;
use crate::touching::model::Class;
use crate::touching::sql;
use crate::touching::sql::Effect;

static REDIS_READS: List = list!("redis_reads.txt");
static MONGODB_READS: List = list!("mongodb_reads.txt");

/// What a program reads besides its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stdin {
    /// What this program got itself: a terminal, or nothing.
    Inherited,
    /// Text that stands on the line: a here-document, or what `echo` is given.
    Text(String),
    /// A file.
    File(String),
    /// What another program prints.
    Pipe,
}

enum Language {
    Sql,
    Redis,
    Mongodb,
    Unknown,
}

/// Where a client is given statements.
struct Grammar {
    names: &'static [&'static str],
    language: Language,
    /// Options whose value is a text of statements.
    statements: &'static [&'static str],
    /// Options whose value is a file of them.
    files: &'static [&'static str],
    /// From which of its plain arguments on they are statements.
    plain: Option<usize>,
    /// Options with which it only lists or watches.
    reads: &'static [&'static str],
    /// Words that must come first: `cockroach sql`.
    subcommand: Option<&'static str>,
}

const SQL: Grammar = Grammar {
    names: &[],
    language: Language::Sql,
    statements: &[],
    files: &[],
    plain: None,
    reads: &[],
    subcommand: None,
};

const GRAMMARS: &[Grammar] = &[
    Grammar {
        names: &["psql"],
        statements: &["-c", "--command"],
        files: &["-f", "--file"],
        reads: &["-l", "--list", "-V", "-?"],
        ..SQL
    },
    Grammar { names: &["pgcli"], reads: &["-l", "--list", "-v"], ..SQL },
    Grammar { names: &["mysql", "mariadb"], statements: &["-e", "--execute"], reads: &["-V", "-?", "-I"], ..SQL },
    Grammar { names: &["mycli", "litecli"], statements: &["-e", "--execute"], ..SQL },
    Grammar { names: &["mysqlsh"], statements: &["-e", "--execute"], files: &["-f", "--file"], ..SQL },
    Grammar {
        names: &["sqlite3", "sqlite", "sqlcipher"],
        statements: &["-cmd", "--cmd"],
        files: &["-init", "--init"],
        plain: Some(1),
        reads: &["-version", "-help"],
        ..SQL
    },
    Grammar { names: &["duckdb"], statements: &["-c", "-s", "-cmd"], files: &["-f", "-init"], plain: Some(1), ..SQL },
    Grammar { names: &["usql"], statements: &["-c", "--command"], files: &["-f", "--file"], ..SQL },
    Grammar {
        names: &["sqlcmd"],
        statements: &["-Q", "-q", "--query"],
        files: &["-i", "--input-file"],
        reads: &["-L", "-?"],
        ..SQL
    },
    Grammar {
        names: &["cockroach"],
        statements: &["-e", "--execute"],
        files: &["-f", "--file"],
        subcommand: Some("sql"),
        ..SQL
    },
    Grammar {
        names: &["clickhouse-client"],
        statements: &["-q", "--query"],
        files: &["--queries-file"],
        reads: &["-V"],
        ..SQL
    },
    Grammar { names: &["cqlsh"], statements: &["-e", "--execute"], files: &["-f", "--file"], ..SQL },
    Grammar { names: &["influx"], statements: &["-execute", "--execute"], ..SQL },
    Grammar {
        names: &["mongosh", "mongo"],
        language: Language::Mongodb,
        statements: &["--eval"],
        files: &["-f", "--file"],
        ..SQL
    },
    Grammar {
        names: &["redis-cli", "valkey-cli", "keydb-cli"],
        language: Language::Redis,
        plain: Some(0),
        reads: &[
            "--scan",
            "--bigkeys",
            "--memkeys",
            "--hotkeys",
            "--stat",
            "--latency",
            "--latency-history",
            "--rdb",
            "-v",
        ],
        ..SQL
    },
    Grammar { names: &["cypher-shell"], language: Language::Unknown, files: &["-f", "--file"], ..SQL },
];

/// What a call of a client is given.
#[derive(Default)]
struct Given<'w> {
    statements: Vec<&'w str>,
    plain: Vec<&'w str>,
    has_files: bool,
    only_reads: bool,
}

impl Given<'_> {
    /// Notes a file of statements; what the program reads anyway is none.
    fn file(&mut self, path: Option<&str>) {
        self.has_files |= !matches!(path, Some("-" | "/dev/stdin"));
    }
}

/// Tells what a call of a client does to the database; the outer `None` where the words are no call of one, the inner where
/// it only reads.
pub(super) fn of_client(words: &[String], stdin: &Stdin) -> Option<Option<Class>> {
    let (client, arguments) = client_of(words)?;
    let Some(grammar) = GRAMMARS.iter().find(|grammar| grammar.names.contains(&client.names[0])) else {
        return Some(Some(Class::Client));
    };
    if client.names[0] == "clickhouse" && name_of(&words[0]) == "clickhouse" {
        return None;
    }
    let given = given(grammar, client, arguments);
    let skipped = usize::from(grammar.subcommand.is_some());
    if grammar.subcommand.is_some_and(|wanted| given.plain.first() != Some(&wanted)) {
        return Some(None);
    }
    let plain = &given.plain[skipped.min(given.plain.len())..];
    let opens_nothing = client.opens_a_file() && plain.first() == Some(&":memory:");
    let mut effects: Vec<Effect> = given.statements.iter().map(|text| grammar.effect(text)).collect();
    let own = grammar.plain.and_then(|from| plain.get(from..)).unwrap_or_default();
    match grammar.language {
        Language::Redis if !own.is_empty() => effects.push(redis_effect(own)),
        _ => effects.extend(own.iter().map(|text| grammar.effect(text))),
    }
    let is_script = |word: &&&str| word.ends_with(".js") || word.starts_with('@') || word.ends_with(".sql");
    if given.has_files || plain.iter().any(|word| is_script(&word)) {
        return Some(Some(Class::Import));
    }
    if effects.is_empty() && given.only_reads {
        return Some(None);
    }
    if effects.is_empty() {
        match stdin {
            Stdin::Text(text) if matches!(grammar.language, Language::Redis) => {
                effects
                    .extend(text.lines().map(|line| redis_effect(&line.split_ascii_whitespace().collect::<Vec<_>>())));
            }
            Stdin::Text(text) => effects.push(grammar.effect(text)),
            Stdin::File(_) => return Some(Some(Class::Import)),
            Stdin::Inherited | Stdin::Pipe => {}
        }
    }
    Some(match effects.into_iter().max() {
        Some(Effect::Reads) => None,
        // Nothing is written where there is no file.
        Some(_) if opens_nothing => None,
        Some(Effect::Destroys) => Some(Class::Reset),
        Some(Effect::Writes) | None => Some(Class::Client),
    })
}

/// Tells whether a command that takes statements of SQL among its words was given some, all of which only read.
pub(super) fn reads_sql(words: &[String]) -> bool {
    let text = |word: &'_ String| -> Option<String> {
        let value = if word.starts_with('-') { word.split_once('=')?.1 } else { word.as_str() };
        (value.contains(char::is_whitespace) && sql::is_sql(value)).then(|| value.to_owned())
    };
    let mut texts = words.iter().filter_map(text).peekable();
    texts.peek().is_some() && texts.all(|text| sql::effect(&text) == Effect::Reads)
}

fn given<'w>(grammar: &Grammar, client: &Client, arguments: &'w [String]) -> Given<'w> {
    let mut given = Given::default();
    let mut rest = arguments.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        if !word.starts_with('-') || word.len() < 2 {
            given.plain.push(word);
            continue;
        }
        let is_long = word.starts_with("--") || client.one_dash;
        let (option, attached) = match word.split_once('=') {
            Some((option, value)) if is_long => (option, Some(value)),
            _ => (word, None),
        };
        given.only_reads |= grammar.reads.contains(&option);
        if !is_long {
            cluster(grammar, client, word, &mut rest, &mut given);
        } else if is_one_of(grammar.statements, option) {
            given.statements.extend(attached.or_else(|| rest.next()));
        } else if is_one_of(grammar.files, option) {
            given.file(attached.or_else(|| rest.next()));
        } else if attached.is_none() {
            let values = client.means(option).map_or(0, |means| means.words());
            (0..values).for_each(|_| {
                rest.next();
            });
        }
    }
    given
}

/// Reads letters that stand together behind one dash: `-tAc SELECT`, `-Upostgres`, `-e'SELECT 1'`.
fn cluster<'w>(
    grammar: &Grammar,
    client: &Client,
    word: &'w str,
    rest: &mut impl Iterator<Item = &'w str>,
    given: &mut Given<'w>,
) {
    for (at, letter) in word.char_indices().skip(1) {
        let option = format!("-{letter}");
        let behind = &word[at + letter.len_utf8()..];
        let behind = Some(behind).filter(|behind| !behind.is_empty());
        given.only_reads |= grammar.reads.contains(&option.as_str());
        if grammar.statements.contains(&option.as_str()) {
            given.statements.extend(behind.or_else(|| rest.next()));
            return;
        }
        if grammar.files.contains(&option.as_str()) {
            given.file(behind.or_else(|| rest.next()));
            return;
        }
        if client.means(&option) == Some(Means::JoinedPassword) {
            return;
        }
        let values = client.means(&option).map_or(0, |means| means.words());
        if values > 0 {
            (usize::from(behind.is_some())..values).for_each(|_| {
                rest.next();
            });
            return;
        }
    }
}

/// Tells whether an option is one of these; long ones may be shortened.
fn is_one_of(options: &[&str], option: &str) -> bool {
    let is_shortened = option.starts_with("--") && option.len() > 4;
    options.iter().any(|own| *own == option || is_shortened && own.starts_with(option))
}

impl Grammar {
    fn effect(&self, text: &str) -> Effect {
        match self.language {
            Language::Sql => sql::effect(text),
            Language::Redis => redis_effect(&text.split_ascii_whitespace().collect::<Vec<_>>()),
            Language::Mongodb => mongodb_effect(text),
            Language::Unknown => Effect::Writes,
        }
    }
}

fn redis_effect(words: &[&str]) -> Effect {
    let Some((first, rest)) = words.split_first() else { return Effect::Reads };
    let name = first.to_ascii_lowercase();
    let second = rest.first().map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    let reads = match REDIS_READS.find(&name) {
        Some("") => true,
        Some(subcommands) => subcommands.split_ascii_whitespace().any(|own| own == second),
        None => false,
    };
    match name.as_str() {
        _ if reads => Effect::Reads,
        "flushall" | "flushdb" => Effect::Destroys,
        _ => Effect::Writes,
    }
}

/// Tells what an expression for MongoDB's shell does, by the names of what it calls.
fn mongodb_effect(text: &str) -> Effect {
    let text = text.trim().trim_end_matches(';');
    if text.contains("drop") || text.contains("deleteMany({})") {
        return Effect::Destroys;
    }
    if let Some(shown) = text.strip_prefix("show ") {
        return if shown.chars().all(|c| c.is_ascii_alphanumeric()) { Effect::Reads } else { Effect::Writes };
    }
    if ["$out", "$merge", "$where", "$function", "eval"].iter().any(|word| text.contains(word)) {
        return Effect::Writes;
    }
    // A command is named by the first key of its document.
    let name_before = |at: usize| {
        let name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
        let before = text[..at].trim_end();
        &before[before.rfind(|c| !name(c)).map_or(0, |start| start + 1)..]
    };
    let calls = text.match_indices('(').map(|(at, _)| (name_before(at), &text[at + 1..]));
    let reads = |(name, inside): (&str, &str)| match name {
        "" | "function" | "if" | "for" | "while" => true,
        "runCommand" | "adminCommand" => {
            let key = inside.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
            let key = &key[..key.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(key.len())];
            MONGODB_READS.find(&key.to_ascii_lowercase()) == Some("command")
        }
        name => MONGODB_READS.contains(&name.to_ascii_lowercase()),
    };
    if calls.into_iter().all(reads) { Effect::Reads } else { Effect::Writes }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(line: &str, stdin: &Stdin) -> Option<Option<Class>> {
        // `_` is a blank in a word.
        let words: Vec<String> = line.split(' ').map(|word| word.replace('_', " ")).collect();
        of_client(&words, stdin)
    }

    #[test]
    fn statements_are_found_among_the_arguments_of_clients() {
        let reads = [
            "psql -c SELECT_1",
            "psql -h db -U postgres -tAc SELECT_1 shop",
            "psql shop -AtqcSELECT_1",
            "psql --command=SELECT_1",
            "psql -l",
            "psql -U postgres -c \\dt -c \\du",
            "mysql -uroot -psecret -e SHOW_TABLES shop",
            "mysql --execute=SELECT_1",
            "sqlite3 dev.db .schema",
            "sqlite3 -header -column dev.db select_*_from_users",
            "sqlite3 :memory: create_table_x(y)",
            "redis-cli PING",
            "redis-cli -n 2 get x",
            "redis-cli --scan",
            "redis-cli config get maxmemory",
            "mongosh shop --eval db.users.find().limit(3)",
            "mongosh --eval show_dbs",
            "mongosh --quiet --eval db.adminCommand({ping:1})",
            "sqlcmd -S db -Q SELECT_1",
            "cockroach version",
            "cockroach sql -e SELECT_1",
        ];
        for line in reads {
            assert_eq!(class(line, &Stdin::Inherited), Some(None), "{line}");
        }
        let table = [
            ("psql", Class::Client),
            ("psql shop", Class::Client),
            ("psql -f x.sql", Class::Import),
            ("psql -c DROP_TABLE_x", Class::Reset),
            ("psql -U c postgres", Class::Client),
            ("psql -Uselect -d x", Class::Client),
            ("psql -c SELECT_1 -c DELETE_FROM_x", Class::Client),
            ("mysql -uroot shop", Class::Client),
            ("mysql -e truncate_x", Class::Reset),
            ("sqlite3 dev.db", Class::Client),
            ("sqlite3 dev.db .restore_x.db", Class::Client),
            ("redis-cli", Class::Client),
            ("redis-cli FLUSHALL", Class::Reset),
            ("redis-cli del x", Class::Client),
            ("redis-cli config set x y", Class::Client),
            ("mongosh shop", Class::Client),
            ("mongosh shop --eval db.dropDatabase()", Class::Reset),
            ("mongosh shop --eval db.users.deleteOne({a:1})", Class::Client),
            ("mongosh reset.js", Class::Import),
            ("cockroach sql", Class::Client),
            ("pgbench -i shop", Class::Client),
        ];
        for (line, expected) in table {
            assert_eq!(class(line, &Stdin::Inherited), Some(Some(expected)), "{line}");
        }
        assert_eq!(class("psqlx -c SELECT_1", &Stdin::Inherited), None);
    }

    #[test]
    fn what_a_client_reads_counts_where_it_is_given_no_statements() {
        let text = |text: &str| Stdin::Text(text.to_owned());
        let table = [
            ("psql shop", text("select 1;\n"), None),
            ("psql shop", text("drop table x"), Some(Class::Reset)),
            ("psql shop", Stdin::File("x.sql".into()), Some(Class::Import)),
            ("psql shop", Stdin::Pipe, Some(Class::Client)),
            ("psql -c SELECT_1", text("drop table x"), None),
            ("psql shop -f -", text("select 1"), None),
            ("psql shop -1f-", text("drop table x"), Some(Class::Reset)),
            ("psql --file=/dev/stdin", Stdin::Pipe, Some(Class::Client)),
            ("redis-cli", text("PING\nGET x\n"), None),
            ("redis-cli", text("SET x y"), Some(Class::Client)),
            ("mysql shop", text("SHOW TABLES"), None),
        ];
        for (line, stdin, expected) in table {
            assert_eq!(class(line, &stdin), Some(expected), "{line} {stdin:?}");
        }
    }

    #[test]
    fn commands_with_sql_among_their_words_read_where_it_does() {
        let reads = |words: &[&str]| reads_sql(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert!(reads(&["wp", "db", "query", "SELECT 1 FROM x"]));
        assert!(reads(&["wrangler", "d1", "execute", "x", "--command=SELECT 1 FROM x"]));
        assert!(!reads(&["wp", "db", "query", "DELETE FROM x"]));
        assert!(!reads(&["rails", "runner", "User.delete_all if x"]));
        assert!(!reads(&["x", "SELECT 1 FROM x", "DROP TABLE x"]));
    }
}
