//! Reads the arguments of a database's own programs.

use std::path::Path;

use crate::environment::Origin;
use crate::reach::arguments::clients::{Grammar, Part};
use crate::reach::assemble::Variables;
use crate::reach::grammars::host::{locate, number};
use crate::reach::{Draft, Engine, Place};

/// What the arguments name, with places that files added.
pub(crate) fn read(
    grammar: Grammar,
    program: &str,
    arguments: &[String],
    variables: &Variables<'_>,
) -> Vec<(Draft, Vec<Origin>)> {
    let arguments: Vec<String> = arguments.iter().map(|word| filled_in(word, variables)).collect();
    let parts = parts(grammar, &arguments);
    let last = |wanted: Part| parts.iter().rev().find(|(part, _)| *part == wanted).map(|(_, text)| text.as_str());
    if let Some((_, file)) = parts.iter().find(|(part, _)| *part == Part::File) {
        return crate::reach::grammars::sqlite::plain_path(file, grammar.engine, variables.lookup)
            .into_iter()
            .map(|draft| (draft, Vec::new()))
            .collect();
    }
    if grammar.positional == Some(Part::File) {
        // Without a file the shell opens a database in memory.
        return vec![(Draft::at(grammar.engine, Place::Memory), Vec::new())];
    }
    let mut draft = Draft::new(grammar.engine);
    draft.socket_by_default = grammar.engine == Engine::Postgres;
    let mut origins = Vec::new();
    if let Some(text) = last(Part::Socket) {
        draft.add_place(Place::Socket { path: text.into(), port: None });
    }
    for (_, text) in parts.iter().filter(|(part, _)| *part == Part::Host) {
        add_host(&mut draft, text);
    }
    if let Some(server) = last(Part::Server)
        && let Some(named) =
            crate::reach::grammars::ado_net::parse(&format!("Server={server}"), Some(Engine::SqlServer))
    {
        draft.places.extend(named.places);
    }
    if let Some(port) = last(Part::Port) {
        add_port(&mut draft, port);
    }
    if let Some(user) = last(Part::User) {
        draft.set_user(user);
    }
    if let Some(password) = last(Part::Password) {
        draft.set_password(password);
    }
    // A URL or DSN in the place of the database overrides the options before it.
    let urls = [last(Part::Database), last(Part::Url)].into_iter().flatten();
    for text in urls {
        match whole(text, grammar.engine) {
            Some(mut named) => {
                named.places = if named.places.is_empty() { draft.places } else { named.places };
                named.user = named.user.or(draft.user);
                named.password = named.password.or(draft.password);
                named.service = named.service.or(draft.service);
                draft = named;
            }
            None if grammar.engine == Engine::Mongodb => mongo_address(&mut draft, text),
            None => draft.set_database(text),
        }
    }
    if grammar.engine == Engine::Mysql {
        // What these name lies in a file that is scrambled (`.mylogin.cnf`), or in a group of it that is not read here.
        let hidden =
            |word: &String| ["--login-path", "--defaults-group-suffix"].iter().any(|own| word.starts_with(own));
        if arguments.iter().any(hidden) && !parts.iter().any(|(part, _)| *part == Part::Host) {
            draft.doubt(crate::reach::Doubt::Unresolved);
        }
        option_file(&mut draft, last(Part::Options).map(Path::new), &mut origins, variables);
    }
    let others = crate::reach::arguments::statements::databases(grammar.engine, program, &arguments);
    let others = others.into_iter().filter(|name| draft.database.as_ref() != Some(name));
    let mut named: Vec<Draft> = others.map(|name| Draft { database: Some(name), ..draft.clone() }).collect();
    named.push(draft);
    named.into_iter().map(|draft| (draft, origins.clone())).collect()
}

/// `$NAME` and `${NAME}` as a shell would give them, where the variable is known and nothing else is in the word.
fn filled_in(word: &str, variables: &Variables<'_>) -> String {
    let name = word
        .strip_prefix('$')
        .map(|name| name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name));
    let is_name =
        |name: &&str| !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    let value = name.filter(is_name).and_then(|name| variables.get(name));
    value.map_or_else(|| word.to_owned(), |entry| entry.value().to_owned())
}

fn whole(text: &str, engine: Engine) -> Option<Draft> {
    crate::reach::grammars::url::parse(text)
        .or_else(|| (engine == Engine::Postgres).then(|| crate::reach::grammars::libpq::parse(text, true)).flatten())
}

/// mongosh takes `app`, `host/app` and `host:27017/app`.
fn mongo_address(draft: &mut Draft, text: &str) {
    if !text.contains(['/', ':', '.']) {
        draft.set_database(text);
        return;
    }
    let named = crate::reach::grammars::url::parse_rest(Engine::Mongodb, "mongodb", text);
    named.places.into_iter().for_each(|place| draft.add_place(place));
    draft.database = named.database.or(draft.database.take());
}

fn add_host(draft: &mut Draft, text: &str) {
    // `mongodump --host rs0/a:1,b:2`
    let text = if draft.engine == Engine::Mongodb { text.rsplit('/').next().unwrap_or(text) } else { text };
    for host in text.split(',') {
        let located = locate(host);
        located.doubts.into_iter().for_each(|doubt| draft.doubt(doubt));
        if let Some(place) = located.place {
            draft.add_place(place);
        }
    }
}

fn add_port(draft: &mut Draft, text: &str) {
    let mut doubts = Vec::new();
    let Some(port) = number(text, &mut doubts) else {
        doubts.into_iter().for_each(|doubt| draft.doubt(doubt));
        return;
    };
    if draft.places.is_empty() {
        draft.places.push(Place::Host { name: String::new(), port: Some(port) });
    }
    crate::reach::grammars::query::set_ports(&mut draft.places, &[port]);
}

/// What is not given comes from `~/.my.cnf`, or `MYSQL_HOST`.
fn option_file(draft: &mut Draft, path: Option<&Path>, origins: &mut Vec<Origin>, variables: &Variables<'_>) {
    let unnamed =
        |draft: &Draft| draft.places.iter().all(|place| matches!(place, Place::Host { name, .. } if name.is_empty()));
    if let Some(entry) = crate::reach::grammars::services::mysql_client(path, variables.lookup) {
        if unnamed(draft) && !entry.draft.places.is_empty() {
            let port = draft.places.iter().find_map(|place| match place {
                Place::Host { port, .. } => *port,
                _ => None,
            });
            draft.places = entry.draft.places;
            if let Some(port) = port {
                crate::reach::grammars::query::set_ports(&mut draft.places, &[port]);
            }
            origins.push(entry.origin);
        }
        draft.user = draft.user.take().or(entry.draft.user);
        draft.password = draft.password.take().or(entry.draft.password);
        draft.database = draft.database.take().or(entry.draft.database);
        entry.draft.parameters.iter().for_each(|(key, value)| draft.add_parameter(key, value));
    }
    if unnamed(draft)
        && let Some(entry) = variables.get("MYSQL_HOST")
    {
        draft.places.clear();
        add_host(draft, entry.value());
        origins.push(entry.origin().clone());
    }
}

/// The arguments that name a part of the connection, in their order.
fn parts(grammar: Grammar, arguments: &[String]) -> Vec<(Part, String)> {
    let mut found = Vec::new();
    let mut positional = grammar.positional;
    let mut words = arguments.iter();
    let mut options_end = false;
    while let Some(word) = words.next() {
        if options_end || !word.starts_with('-') || word == "-" {
            if let Some(part) = positional.take() {
                found.push((part, word.clone()));
            }
            continue;
        }
        if word == "--" {
            options_end = true;
            continue;
        }
        // SQLite's shell and DuckDB's take long options with one dash, too.
        let is_long = word.starts_with("--") || grammar.positional == Some(Part::File);
        if is_long {
            let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
            if let Some(part) = meaning(grammar, name) {
                // MySQL's `--password` takes its value behind an equals sign only.
                let joined_only = grammar.engine == Engine::Mysql && part == Part::Password;
                let value =
                    value.map(ToOwned::to_owned).or_else(|| (!joined_only).then(|| words.next().cloned()).flatten());
                found.extend(value.map(|value| (part, value)));
            } else if value.is_none() {
                let values = values_of(grammar, name);
                if values > 0 {
                    words.nth(values - 1);
                }
            }
            continue;
        }
        short_options(grammar, word, &mut words, &mut found);
    }
    found
}

/// `-hdb`, `-h db`, `-qh db`: letters without a value may stand before one with.
fn short_options<'w>(
    grammar: Grammar,
    word: &str,
    words: &mut impl Iterator<Item = &'w String>,
    found: &mut Vec<(Part, String)>,
) {
    let letters = &word[1..];
    for (at, letter) in letters.char_indices() {
        let rest = &letters[at + letter.len_utf8()..];
        if grammar.engine == Engine::Mysql && letter == 'p' {
            if !rest.is_empty() {
                found.push((Part::Password, rest.to_owned()));
            }
            return;
        }
        let mut spelling = String::from("-");
        spelling.push(letter);
        let part = meaning(grammar, &spelling);
        if part.is_none() && !grammar.skipped.contains(letter) {
            continue;
        }
        let value = if rest.is_empty() { words.next().cloned() } else { Some(rest.trim_start_matches('=').to_owned()) };
        if let (Some(part), Some(value)) = (part, value) {
            found.push((part, value));
        }
        return;
    }
}

/// What an option names; the beginning of a long one will do, as the programs themselves have it.
fn meaning(grammar: Grammar, spelling: &str) -> Option<Part> {
    let exact = grammar.parts.iter().find(|(own, _)| *own == spelling);
    let is_shortened = spelling.starts_with("--") && spelling.len() > 4;
    let shortened = || grammar.parts.iter().find(|(own, _)| is_shortened && own.starts_with(spelling));
    exact.or_else(shortened).map(|(_, part)| *part)
}

/// How many of the words after a long option are its values, where it names no part of the connection: what they are
/// must not be taken for the database.
fn values_of(grammar: Grammar, option: &str) -> usize {
    let name = option.trim_start_matches('-');
    let lists = |list: &str| list.split_ascii_whitespace().any(|listed| listed == name);
    match grammar.engine {
        Engine::Sqlite | Engine::Duckdb if lists("lookaside pagecache") => 2,
        Engine::Sqlite | Engine::Duckdb => usize::from(lists(
            "cmd init separator newline nullvalue vfs maxsize mmap heap escape c s f storage-version key textkey hexkey",
        )),
        Engine::Postgres => usize::from(lists(
            "command file set variable output log-file field-separator record-separator pset table-attr format jobs \
             schema table exclude-schema exclude-table exclude-table-data encoding role superuser compress section \
             snapshot extension lock-wait-timeout locale lc-collate lc-ctype owner tablespace template client time scale \
             transactions protocol index parallel timeout connection-limit",
        )),
        Engine::Mysql => usize::from(lists(
            "execute delimiter protocol default-character-set init-command max-allowed-packet where result-file tab \
             ignore-table ssl-ca ssl-mode ssl-cipher tls-version plugin-dir default-auth login-path prompt pager tee \
             character-sets-dir defaults-group-suffix connect-timeout",
        )),
        Engine::Mongodb => usize::from(lists(
            "eval file authenticationDatabase authenticationMechanism tlsCAFile tlsCertificateKeyFile collection out \
             query archive type fields apiVersion",
        )),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use crate::reach::Place;
    use crate::reach::testing::{found, reading, typed};

    #[test]
    fn the_value_of_an_option_is_not_taken_for_the_database() {
        let table = [
            ("psql --file seed.sql shop_live", "shop_live"),
            ("psql --command=x --set A=1 shop", "shop"),
            ("pg_dump --format c --jobs 4 shop", "shop"),
            ("mysql --execute x shop", "shop"),
            ("mysqldump --where a=1 shop", "shop"),
            ("mongosh --eval x shop", "shop"),
        ];
        for (command, database) in table {
            let targets = found(&[], &[typed(command)], &[]);
            let names: Vec<_> = targets.iter().map(|target| target.database.as_deref()).collect();
            assert_eq!(names, [Some(database)], "{command}");
        }
    }

    #[test]
    fn the_file_of_sqlite_s_shell_is_found_behind_its_options() {
        for command in
            ["sqlite3 -cmd .timeout app.db", "sqlite3 --init x -lookaside 1 2 -batch app.db", "duckdb -c x app.db"]
        {
            let targets = found(&[], &[typed(command)], &[]);
            let is_it = |place: &Place| matches!(place, Place::File { path } if path.ends_with("app.db"));
            assert!(targets.len() == 1 && is_it(&targets[0].places[0]), "{command}: {targets:?}");
        }
    }

    #[test]
    fn a_variable_that_is_known_is_filled_in() {
        let readings = [reading(&[("APP_URL", "postgres://localhost/app_test"), ("H", "db.shop.test")])];
        let targets = found(&readings, &[typed("psql ${APP_URL}"), typed("psql -h $H x"), typed("psql $UNKNOWN")], &[]);
        let shown: Vec<String> = targets.iter().map(crate::reach::Target::address).collect();
        for expected in ["postgres://localhost:5432/app_test", "postgres://db.shop.test:5432/x", "/$UNKNOWN"] {
            assert!(shown.iter().any(|address| address.contains(expected)), "{expected}: {shown:?}");
        }
    }

    #[test]
    fn a_database_that_a_statement_destroys_is_reached_too() {
        for (command, expected) in [
            ("psql -d postgres -cdrop;drop", &["postgres"][..]),
            ("mysqladmin -h localhost drop shop", &["shop"]),
            ("cockroach sql -d shop", &["shop"]),
        ] {
            let targets = found(&[], &[typed(command)], &[]);
            let names: Vec<_> = targets.iter().filter_map(|target| target.database.as_deref()).collect();
            assert_eq!(names, expected, "{command}");
        }
    }

    #[test]
    fn a_login_path_hides_the_server() {
        let hidden = |command| !found(&[], &[typed(command)], &[])[0].doubts.is_empty();
        assert!(hidden("mysql --login-path=live shop"));
        assert!(hidden("mysqldump --defaults-group-suffix _x shop"));
        assert!(!hidden("mysql --login-path=x -h localhost shop"));
    }

    #[test]
    fn a_long_option_may_be_shortened() {
        let targets = found(&[], &[typed("psql --hos db.shop.test --dbn shop")], &[]);
        assert!(matches!(&targets[0].places[0], Place::Host { name, .. } if name == "db.shop.test"));
    }
}
