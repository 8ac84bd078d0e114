//! What a database's own programs dial, by their arguments.

use std::path::Path;

use crate::environment::Origin;
use crate::reach::arguments::parts::parts;
use crate::reach::arguments::statements;
use crate::reach::assemble::{Variables, by_name};
use crate::reach::grammars::host::{locate, number};
use crate::reach::grammars::{ado_net, libpq, oracle, query, services, sqlite, url};
use crate::reach::{Doubt, Draft, Engine, Place};
use crate::tools::clients::{Client, Means};

/// Reads what the arguments name, their variables filled in, with places that files added.
pub(crate) fn read(
    program: &str,
    client: &Client,
    arguments: &[String],
    variables: &Variables<'_>,
) -> Vec<(Draft, Vec<Origin>)> {
    let engine = Engine::named(client.engine).unwrap_or(Engine::Unknown);
    let parts = parts(client, arguments);
    let all = |wanted: Means| parts.iter().filter(move |(part, _)| *part == wanted).map(|(_, text)| text.as_str());
    let last = |wanted: Means| all(wanted).next_back();
    if client.opens_a_file() {
        let drafts = match all(Means::File).next() {
            Some(file) => sqlite::plain_path(file, engine, variables.lookup),
            // Without a file the shell opens a database in memory.
            None => vec![Draft::at(engine, Place::Memory)],
        };
        return drafts.into_iter().map(|draft| (draft, Vec::new())).collect();
    }
    let mut draft = Draft::new(engine);
    draft.socket_by_default = engine == Engine::Postgres;
    let mut origins = Vec::new();
    if let Some(text) = last(Means::Socket) {
        draft.add_place(Place::Socket { path: text.into(), port: None });
    }
    all(Means::Host).chain(all(Means::Hosts)).for_each(|text| add_host(&mut draft, text));
    if let Some(server) = last(Means::Server)
        && let Some(named) = ado_net::parse(&format!("Server={server}"), Some(Engine::SqlServer))
    {
        draft.places.extend(named.places);
    }
    if let Some(login) = last(Means::SlashLogin) {
        add_slash_login(&mut draft, login);
    }
    if let Some(port) = last(Means::Port) {
        add_port(&mut draft, port);
    }
    if let Some(user) = last(Means::User) {
        draft.set_user(user);
    }
    if let Some(password) = last(Means::Password).or(last(Means::JoinedPassword)) {
        draft.set_password(password);
    }
    // A URL or DSN in the place of the database overrides the options before it.
    for (means, text) in [(Means::Database, last(Means::Database)), (Means::Url, last(Means::Url))] {
        let Some(text) = text else { continue };
        match whole(text, engine) {
            Some(named) => draft = over(named, draft),
            None if means == Means::Url => draft = over(behind_a_scheme(text, engine), draft),
            None if engine == Engine::Mongodb => mongo_address(&mut draft, text),
            None => draft.set_database(text),
        }
    }
    let names_a_place = draft.places.iter().any(|place| !is_nameless(place));
    let elsewhere = parts.iter().any(|(part, _)| *part == Means::Elsewhere) || client.has_hidden_default;
    if elsewhere && !names_a_place {
        draft.doubt(Doubt::Unresolved);
    }
    if engine == Engine::Mysql {
        let entry = services::mysql_client(program, last(Means::OptionFile).map(Path::new), variables.lookup);
        fill_from_options(&mut draft, entry, &mut origins, variables);
    }
    let listed: Vec<String> = all(Means::Databases).map(str::to_owned).collect();
    // Where an option lists databases, the connection needs none of its own.
    let counts_itself = draft.database.is_some() || listed.is_empty();
    let statements::Named { databases, is_cut } = statements::databases(engine, client.takes_commands, arguments);
    if is_cut {
        draft.cut = Some("its statements name more databases than are looked at");
    }
    let mut others = [listed, databases].concat();
    others.retain(|name| draft.database.as_ref() != Some(name));
    let mut named: Vec<Draft> =
        others.into_iter().map(|name| Draft { database: Some(name), ..draft.clone() }).collect();
    if counts_itself {
        named.push(draft);
    }
    named.into_iter().map(|draft| (draft, origins.clone())).collect()
}

/// Tells what a URL names, over what the options before it do.
fn over(mut named: Draft, options: Draft) -> Draft {
    named.places = if named.places.is_empty() { options.places } else { named.places };
    named.user = named.user.or(options.user);
    named.password = named.password.or(options.password);
    named.service = named.service.or(options.service);
    named.cut = named.cut.or(options.cut);
    named
}

/// `user@host:3306/app` and `http://host:8086`: what some clients take for a URL.
fn behind_a_scheme(text: &str, engine: Engine) -> Draft {
    let (scheme, rest) = text.split_once("://").unwrap_or((engine.name(), text));
    url::parse_rest(engine, scheme, rest)
}

/// Tells what stands behind the `@` of `user/password@place`; an alias of tnsnames.ora, or nothing, leaves the place
/// open.
fn add_slash_login(draft: &mut Draft, text: &str) {
    let Some((login, place)) = text.rsplit_once('@') else { return };
    draft.set_user(login.split(['/', ':']).next().unwrap_or(login));
    let named = oracle::connect_name(place);
    let is_alias = named.places.iter().all(|place| matches!(place, Place::Instance { .. }));
    if !is_alias {
        draft.places = named.places;
        draft.database = named.database;
        named.doubts.into_iter().for_each(|doubt| draft.doubt(doubt));
    }
}

fn is_nameless(place: &Place) -> bool {
    matches!(place, Place::Host { name, .. } if name.is_empty())
}

fn whole(text: &str, engine: Engine) -> Option<Draft> {
    url::parse(text).or_else(|| (engine == Engine::Postgres).then(|| libpq::parse(text, true)).flatten())
}

/// mongosh takes `app`, `host/app` and `host:27017/app`.
fn mongo_address(draft: &mut Draft, text: &str) {
    if !text.contains(['/', ':', '.']) {
        draft.set_database(text);
        return;
    }
    let named = url::parse_rest(Engine::Mongodb, "mongodb", text);
    named.places.into_iter().for_each(|place| draft.add_place(place));
    draft.database = named.database.or(draft.database.take());
    draft.cut = draft.cut.or(named.cut);
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
    query::set_ports(&mut draft.places, &[port]);
}

/// Fills in what is not given: from `~/.my.cnf`, or `MYSQL_HOST`.
fn fill_from_options(
    draft: &mut Draft,
    entry: Option<services::ServiceEntry>,
    origins: &mut Vec<Origin>,
    variables: &Variables<'_>,
) {
    let unnamed = |draft: &Draft| draft.places.iter().all(is_nameless);
    if let Some(entry) = entry {
        if unnamed(draft) {
            entry.draft.doubts.iter().for_each(|doubt| draft.doubt(*doubt));
            draft.cut = draft.cut.or(entry.draft.cut);
        }
        if unnamed(draft) && !entry.draft.places.is_empty() {
            let port = draft.places.iter().find_map(|place| match place {
                Place::Host { port, .. } => *port,
                _ => None,
            });
            draft.places = entry.draft.places;
            if let Some(port) = port {
                query::set_ports(&mut draft.places, &[port]);
            }
            origins.push(entry.origin);
        }
        draft.user = draft.user.take().or(entry.draft.user);
        draft.password = draft.password.take().or(entry.draft.password);
        draft.database = draft.database.take().or(entry.draft.database);
        entry.draft.parameters.iter().for_each(|(key, value)| draft.add_parameter(key, value));
    }
    if unnamed(draft)
        && let Some(entry) = variables.get(by_name::MYSQL_HOST)
    {
        draft.places.clear();
        add_host(draft, entry.value());
        origins.push(entry.origin().clone());
    }
}

#[cfg(test)]
mod tests {
    use crate::reach::Place;
    use crate::reach::testing::{found, reading, typed};

    #[test]
    fn a_url_in_the_place_of_a_user_is_not_shown() {
        let targets = found(&[], &[typed("psql -h localhost shop_test postgres://a:s3cret@db.test/x")], &[]);
        assert!(!format!("{targets:?}").contains("s3cret"), "{targets:?}");
    }

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
    fn the_default_of_a_variable_that_is_not_known_proves_nothing() {
        let readings = [reading(&[("H", "db.shop.test")])];
        for (command, expected) in [
            ("psql -h ${UNKNOWN:-localhost} x", "${unknown:-localhost}"),
            ("psql -h ${UNKNOWN-localhost} x", "${unknown-localhost}"),
            ("mysql -h${UNKNOWN:-localhost} x", "${unknown:-localhost}"),
            ("psql -h ${H:-localhost} x", "db.shop.test"),
        ] {
            let targets = found(&readings, &[typed(command)], &[]);
            let is_it = |place: &Place| matches!(place, Place::Host { name, .. } if name == expected);
            assert!(targets.iter().any(|target| target.places.iter().any(is_it)), "{command}: {targets:?}");
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
