//! Databases that the words of a terminal client name beside the one it connects to: `psql -c 'DROP DATABASE shop'`,
//! `mysqladmin drop shop`.
//!
//! This is no SQL parser: it knows the few statements that destroy a whole database or change to another one. What a
//! script on standard input or in a file does stays unknown.

use std::collections::HashSet;

use crate::reach::Engine;

/// How many are taken from one command.
const MOST: usize = 500;

/// What the statements of a command name.
#[derive(Default)]
pub(crate) struct Named {
    pub(crate) databases: Vec<String>,
    /// There are more.
    pub(crate) is_cut: bool,
}

/// Finds the databases that the arguments of a client of `engine` name, each once.
pub(crate) fn databases(engine: Engine, takes_commands: bool, arguments: &[String]) -> Named {
    let mut found = Named::default();
    let mut known = HashSet::new();
    let mut add = |name: &str| {
        let name = name.trim_matches(['"', '`', '\'', '[', ']']);
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '.');
        if name.is_empty() || !name.chars().all(fits) || !known.insert(name.to_owned()) {
            return;
        }
        if found.databases.len() < MOST {
            found.databases.push(name.to_owned());
        } else {
            found.is_cut = true;
        }
    };
    if takes_commands {
        // `mysqladmin -f drop shop`, the options in any place.
        let mut words = arguments.iter().filter(|word| !word.starts_with('-'));
        while let Some(word) = words.next() {
            if word == "drop" || word == "create" {
                words.next().into_iter().for_each(|name| add(name));
            }
        }
        return found;
    }
    if !matches!(engine, Engine::Postgres | Engine::Mysql | Engine::SqlServer | Engine::Cockroach) {
        return found;
    }
    for text in arguments {
        for statement in text.split(';') {
            let words: Vec<&str> = statement.split_ascii_whitespace().collect();
            let words: Vec<&str> = words.iter().map(|word| word.trim_end_matches(',')).collect();
            in_statement(engine, &words).into_iter().for_each(&mut add);
        }
    }
    found
}

fn in_statement<'w>(engine: Engine, words: &[&'w str]) -> Option<&'w str> {
    let is = |at: usize, expected: &str| words.get(at).is_some_and(|word| word.eq_ignore_ascii_case(expected));
    // An option's letter may be glued to the statement: `-cDROP DATABASE shop`, `--command=DROP …`.
    let first = words.first().map(|word| word.rsplit('=').next().unwrap_or(word).to_ascii_lowercase())?;
    let begins = |verb: &str| first.trim_start_matches('-').ends_with(verb);
    let kind = is(1, "database") || engine == Engine::Mysql && is(1, "schema");
    if (begins("drop") || begins("alter")) && kind {
        return words.get(if is(2, "if") && is(3, "exists") { 4 } else { 2 }).copied();
    }
    if first == "use" && engine != Engine::Postgres
        || engine == Engine::Postgres && ["\\c", "\\connect"].contains(&&*first)
    {
        return words.get(1).copied().filter(|name| *name != "-");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_about_whole_databases_name_them() {
        let table: [(Engine, &str, &[&str], &[&str]); 14] = [
            (Engine::Postgres, "psql", &["-c", "DROP DATABASE shop"], &["shop"]),
            (Engine::Postgres, "psql", &["-c", "select 1; drop database if exists \"shop\" with (force);"], &["shop"]),
            (Engine::Postgres, "psql", &["-cdrop database shop"], &["shop"]),
            (Engine::Postgres, "psql", &["--command=DROP DATABASE shop"], &["shop"]),
            (Engine::Postgres, "psql", &["-c", "\\c shop"], &["shop"]),
            (Engine::Postgres, "psql", &["-c", "drop schema public cascade"], &[]),
            (Engine::Postgres, "psql", &["-c", "drop table database"], &[]),
            (Engine::Mysql, "mysql", &["-e", "drop schema shop; use other"], &["shop", "other"]),
            (Engine::Mysql, "mysql", &["-e", "DROP DATABASE `shop`"], &["shop"]),
            (Engine::Mysql, "mysqladmin", &["-f", "drop", "shop"], &["shop"]),
            (Engine::Mysql, "mysqladmin", &["ping"], &[]),
            (Engine::SqlServer, "sqlcmd", &["-Q", "ALTER DATABASE [shop] SET SINGLE_USER"], &["shop"]),
            (Engine::Mongodb, "mongosh", &["--eval", "use shop"], &[]),
            (Engine::Mysql, "mysql", &["-e", "drop database ${NAME}"], &[]),
        ];
        for (engine, program, arguments, expected) in table {
            let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
            let named = databases(engine, program == "mysqladmin", &arguments);
            assert!(!named.is_cut);
            assert_eq!(named.databases, expected, "{program} {arguments:?}");
        }
    }
}
