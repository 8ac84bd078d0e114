//! Whether SQL only reads, as far as its words tell; what is in doubt does not.

use crate::lists::{List, list};

/// What statements do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    Reads,
    Writes,
    /// They drop or empty something.
    Destroys,
}

/// Functions that change nothing, and may stand where nothing else tells what a query is for.
static READING_FUNCTIONS: List = list!("reading_functions.txt");

/// What follows a backslash or a dot in clients and only shows something.
const SHOWING: &[&str] = &[
    "?",
    "bail",
    "c",
    "changes",
    "conninfo",
    "connect",
    "databases",
    "dbinfo",
    "dump",
    "echo",
    "encoding",
    "eqp",
    "errverbose",
    "exit",
    "explain",
    "fullschema",
    "h",
    "headers",
    "header",
    "help",
    "indexes",
    "indices",
    "l",
    "lint",
    "mode",
    "nullvalue",
    "once",
    "output",
    "p",
    "parameter",
    "print",
    "prompt",
    "pset",
    "q",
    "quit",
    "qecho",
    "s",
    "schema",
    "separator",
    "sf",
    "sha3sum",
    "show",
    "stats",
    "status",
    "sv",
    "t",
    "tables",
    "timeout",
    "timer",
    "timing",
    "version",
    "width",
    "x",
    "z",
    "backup",
    "save",
];

/// Words that begin a statement which only reads, whatever follows.
const READING: &[&str] = &[
    "abort",
    "begin",
    "commit",
    "desc",
    "describe",
    "end",
    "exists",
    "fetch",
    "help",
    "list",
    "print",
    "rollback",
    "show",
    "start",
    "status",
    "use",
    "values",
    "go",
    "quit",
    "exit",
    "savepoint",
    "release",
];

/// Words anywhere in a query with which it writes.
const WRITING: &[&str] = &[
    "alter", "call", "copy", "create", "delete", "do", "drop", "exec", "execute", "grant", "import", "insert", "into",
    "load", "lock", "merge", "reindex", "replace", "revoke", "truncate", "update", "upsert", "vacuum",
];

/// A word or a sign of SQL.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// In small letters.
    Word(String),
    Sign(char),
    /// A name or a text in quotes.
    Quoted,
    /// A line that is no SQL: `\d users`, `.schema`.
    Command(String),
    /// Something that a client may run.
    Unknown,
}

/// Tells what the statements of a text do.
pub(super) fn effect(text: &str) -> Effect {
    let tokens = tokens(text);
    let destroys = |token: &Token| matches!(token, Token::Word(word) if matches!(word.as_str(), "drop" | "truncate"));
    let reads = tokens.split(|token| *token == Token::Sign(';')).all(reads);
    match reads {
        true => Effect::Reads,
        false if tokens.iter().any(destroys) => Effect::Destroys,
        false => Effect::Writes,
    }
}

/// Tells whether a text looks like SQL: it begins as a statement does.
pub(super) fn is_sql(text: &str) -> bool {
    match tokens(text).first() {
        Some(Token::Word(word)) => {
            ["select", "with", "explain", "show", "describe"].contains(&word.as_str())
                || WRITING.contains(&word.as_str())
        }
        _ => false,
    }
}

fn reads(statement: &[Token]) -> bool {
    if statement.contains(&Token::Unknown) {
        return false;
    }
    let first = match statement.first() {
        None => return true,
        Some(Token::Command(line)) => return shows(line) && reads(&statement[1..]),
        // `(SELECT 1) UNION (SELECT 2)`
        Some(Token::Sign('(')) => return reads(&statement[1..]),
        Some(Token::Word(word)) => word.as_str(),
        Some(_) => return false,
    };
    let has = |word: &str| statement.iter().any(|token| matches!(token, Token::Word(own) if own == word));
    match first {
        "explain" if has("analyze") || has("analyse") => query_reads(&statement[1..]),
        "explain" => true,
        "select" | "with" | "table" => query_reads(statement),
        "copy" => has("stdout") && !has("program") && !WRITING.iter().any(|word| *word != "copy" && has(word)),
        "pragma" => !statement.contains(&Token::Sign('=')) && !has("wal_checkpoint") && !has("optimize"),
        "set" | "reset" => !["global", "persist", "password", "role", "persist_only"].iter().any(|word| has(word)),
        first => READING.contains(&first),
    }
}

/// Tells whether a query only reads: none of its words writes, and it calls nothing that may.
fn query_reads(tokens: &[Token]) -> bool {
    let word = |at: usize| match tokens.get(at) {
        Some(Token::Word(word)) => Some(word.as_str()),
        _ => None,
    };
    let words = || (0..tokens.len()).filter_map(|at| Some((at, word(at)?)));
    // `FOR UPDATE` locks rows; `REPLACE(…)` and `INSERT(…)` are functions of texts.
    let is_call = |at: usize| tokens.get(at + 1) == Some(&Token::Sign('('));
    let writes = |(at, own): (usize, &str)| {
        let locks = own == "update" && at > 0 && matches!(word(at - 1), Some("for" | "key"));
        let is_text = matches!(own, "replace" | "insert") && is_call(at);
        WRITING.contains(&own) && !locks && !is_text
    };
    if words().any(writes) {
        return false;
    }
    // Without tables, a query is asked for what its functions do; those in the place of a table are looked at alike.
    let has_tables = words().any(|(_, own)| own == "from");
    words().filter(|(at, _)| is_call(*at)).all(|(at, own)| {
        let is_table = at > 0 && matches!(word(at - 1), Some("from" | "join" | "lateral"));
        let is_harmless = READING_FUNCTIONS.contains(own);
        let changes = CHANGING.iter().any(|begin| own.starts_with(begin));
        is_harmless || has_tables && !is_table && !changes
    })
}

/// How the names of functions begin that change something, whatever they are asked about.
const CHANGING: &[&str] = &[
    "dblink",
    "lo_",
    "load_",
    "nextval",
    "pg_advisory",
    "pg_cancel",
    "pg_create",
    "pg_drop",
    "pg_logical",
    "pg_promote",
    "pg_read",
    "pg_reload",
    "pg_replication",
    "pg_rotate",
    "pg_stat_reset",
    "pg_switch",
    "pg_terminate",
    "pg_try_advisory",
    "set_config",
    "setval",
    "sys_e",
    "xp_",
];

/// Tells whether a command of a client only shows something: `\d users`, `.schema`.
fn shows(line: &str) -> bool {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let Some((first, rest)) = words.split_first() else { return true };
    let is_psql = first.starts_with('\\');
    let name = first.trim_start_matches(['\\', '.']).trim_end_matches('+').to_ascii_lowercase();
    let feeds_a_program = rest.iter().any(|word| word.starts_with('|'));
    if name == "copy" {
        return rest.contains(&"to") || rest.contains(&"TO");
    }
    // `\dt`, `\du+`, `\df`
    let describes = is_psql && (name.starts_with('d') || name.starts_with('l'));
    (describes || SHOWING.contains(&name.as_str())) && !feeds_a_program
}

/// Takes a text apart. A comment that MySQL runs counts as what is in it.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let at_start = matches!(tokens.last(), None | Some(Token::Sign(';') | Token::Command(_)));
        let length = match first {
            '-' if rest.starts_with("--") => line_length(rest),
            '#' => line_length(rest),
            '/' if rest.starts_with("/*!") => {
                tokens.push(Token::Unknown);
                3
            }
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '\\' | '.' if at_start => {
                let length = line_length(rest);
                tokens.push(Token::Command(rest[..length].to_owned()));
                length
            }
            // `SELECT 1 \gexec`, `SELECT 1\G`
            '\\' => {
                let word = &rest[..word_length(&rest[1..]) + 1];
                if !matches!(word, "\\g" | "\\G" | "\\gx" | "\\x") {
                    tokens.push(Token::Unknown);
                }
                tokens.push(Token::Sign(';'));
                word.len().max(1)
            }
            '\'' | '"' | '`' => {
                tokens.push(Token::Quoted);
                quoted_length(rest, first)
            }
            '$' => match dollar_length(rest) {
                Some(length) => {
                    tokens.push(Token::Quoted);
                    length
                }
                None => 1,
            },
            _ if first.is_whitespace() => first.len_utf8(),
            _ if first.is_alphanumeric() || first == '_' => {
                let length = word_length(rest);
                tokens.push(Token::Word(rest[..length].to_lowercase()));
                length
            }
            _ => {
                tokens.push(Token::Sign(first));
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    tokens
}

fn line_length(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

fn word_length(text: &str) -> usize {
    text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len())
}

/// Measures a text in quotes; a quote that stands twice does not end it.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(end) = text[at..].find(quote) {
        at += end + 1;
        if !text[at..].starts_with(quote) {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// Measures `$tag$…$tag$`; `None` where none begins.
fn dollar_length(text: &str) -> Option<usize> {
    let tag = 2 + word_length(&text[1..]);
    let opening = text.get(..tag).filter(|opening| opening.ends_with('$'))?;
    Some(text[tag..].find(opening).map_or(text.len(), |end| tag + end + tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_reads_is_told_from_the_rest() {
        let reading = [
            "SELECT 1",
            "select count(*) from users where name = 'drop table'; -- delete from x",
            "SELECT version();",
            "SHOW TABLES",
            "EXPLAIN UPDATE x SET y = 1",
            "EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM x",
            "\\d users",
            "\\dt+",
            "\\l\n\\conninfo",
            ".tables",
            ".schema users\nselect * from users;",
            "with a as (select 1) select * from a",
            "COPY (SELECT * FROM x) TO STDOUT WITH CSV",
            "\\copy x to 'x.csv' csv",
            "PRAGMA table_info(users)",
            "select replace(name, 'a', 'b') from x",
            "select * from x for update",
            "select pg_size_pretty(pg_database_size('shop'))",
            "select my_total(id) from orders",
            "select * from generate_series(1, 3)",
            "set search_path = shop; select 1",
            "BEGIN; SELECT 1; ROLLBACK",
            "DESCRIBE users",
            "select \"delete\" from x",
            "select 'it''s; drop' from x",
            "",
            " ; ",
        ];
        for text in reading {
            assert_eq!(effect(text), Effect::Reads, "{text}");
        }
        let writing = [
            "DELETE FROM users",
            "select 1; delete from users",
            "SELECT * INTO copy FROM users",
            "EXPLAIN ANALYZE DELETE FROM x",
            "with a as (delete from x returning *) select * from a",
            "select reset_everything()",
            "select * from wipe('x')",
            "select setval('x', 1) from y",
            "select pg_terminate_backend(pid) from pg_stat_activity",
            "COPY x FROM STDIN",
            "copy x to program 'sh'",
            "\\copy x from 'x.csv'",
            "\\i reset.sql",
            "\\! sh",
            "select 'drop table x' \\gexec",
            ".import a.csv x",
            ".read x.sql",
            ".shell sh",
            "PRAGMA user_version = 3",
            "set global read_only = 1",
            "UPDATE x SET y = 1 WHERE id = 2",
            "insert into x values (1)",
            "vacuum full",
            "/*!50000 DELETE FROM x */",
            "DO $$ begin delete from x; end $$",
            "grant all on x to y",
            "\\o | sh",
            "call cleanup()",
            "'x",
        ];
        for text in writing {
            assert_ne!(effect(text), Effect::Reads, "{text}");
        }
        for text in ["drop table x", "TRUNCATE users;", "alter table x drop column y"] {
            assert_eq!(effect(text), Effect::Destroys, "{text}");
        }
    }
}
