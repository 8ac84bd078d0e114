//! `scheme://login@hosts/database?options`: the grammar that most drivers share, with what each adds to it.

use std::borrow::Cow;

use crate::reach::grammars::ado_net;
use crate::reach::grammars::authority::split;
use crate::reach::grammars::go_mysql;
use crate::reach::grammars::host::{locate, place};
use crate::reach::grammars::placeholder::is_unexpanded;
use crate::reach::grammars::query;
use crate::reach::grammars::scheme::engine_of_scheme;
use crate::reach::grammars::sql_server;
use crate::reach::grammars::text::{mask_templates, percent_decode};
use crate::reach::grammars::whatwg;
use crate::reach::{Doubt, Draft, Engine, Place};
use crate::secret::{MASK, Secret};

/// Reads one URL of a database scheme as all drivers would; `None` where the scheme is another one. SQLite's are read
/// elsewhere.
pub(crate) fn parse_all(text: &str) -> Option<Vec<Draft>> {
    let draft = parse(text)?;
    let other = other_database(text, &draft);
    Some([draft].into_iter().chain(other).collect())
}

/// Finds the database in the path where an option names another one: Prisma and Node's drivers know no `?dbname=`.
fn other_database(text: &str, draft: &Draft) -> Option<Draft> {
    let own = draft.database.as_ref().filter(|_| !is_unexpanded(text))?;
    let (scheme, rest) = text.split_once("://")?;
    // Behind SQL Server's hosts stand properties, and no driver of it reads them as a URL.
    let path = whatwg::read(scheme, rest).filter(|_| draft.engine != Engine::SqlServer)?.path;
    if path.is_empty() || path == *own || draft.doubts.contains(&Doubt::Syntax) {
        return None;
    }
    let mut other = draft.clone();
    other.set_database(&path);
    Some(other)
}

/// Reads such a URL as the engine's own tools do.
pub(crate) fn parse(text: &str) -> Option<Draft> {
    let (scheme, rest) = text.split_once("://")?;
    let engine = engine_of_scheme(scheme).filter(|engine| !matches!(engine, Engine::Sqlite | Engine::Duckdb))?;
    let scheme = scheme.to_ascii_lowercase();
    if scheme == "prisma" || scheme == "accelerate" || scheme == "prisma+postgres" {
        return Some(prisma(&scheme, rest));
    }
    // golang-migrate puts the Go driver's own form behind a scheme: `mysql://u:p@tcp(h:3306)/db`.
    if matches!(engine, Engine::Mysql | Engine::Mariadb)
        && let Some(draft) = go_mysql::parse(rest, false)
    {
        return Some(draft);
    }
    Some(parse_rest(engine, &scheme, rest))
}

/// Reads what follows `scheme://` for an engine that is already known.
pub(crate) fn parse_rest(engine: Engine, scheme: &str, rest: &str) -> Draft {
    let (rest, properties) = if engine == Engine::SqlServer { sql_server::cut_properties(rest) } else { (rest, "") };
    let plain = if engine == Engine::SqlServer { sql_server::without_instance(rest) } else { Cow::Borrowed(rest) };
    let rest = plain.as_ref();
    let masked = mask_templates(rest);
    let parts = split(rest, &masked);
    let mut draft = Draft::new(engine);
    draft.socket_by_default = engine == Engine::Postgres;
    let (login, earlier_hosts) = repeated_login(engine, parts.login);
    add_login(&mut draft, scheme, login);
    add_hosts(&mut draft, earlier_hosts);
    add_hosts(&mut draft, parts.hosts);
    for host in other_hosts(scheme, &masked) {
        draft.doubt(Doubt::Syntax);
        if leaves_this_machine(&host) {
            // What some drivers dial may be a part of the password for others: it is judged and never shown.
            draft.add_place(Place::Host { name: MASK.to_owned(), port: None });
        }
    }
    add_path(&mut draft, scheme, parts.path);
    if scheme == "mongodb+srv" || scheme == "mysql+srv" {
        draft.parameters.push(("srv".to_owned(), "true".to_owned()));
    }
    if engine == Engine::Redis && scheme.split('+').any(|part| part == "valkeys" || part.starts_with("rediss")) {
        draft.parameters.push(("tls".to_owned(), "true".to_owned()));
    }
    let mut options = query::pairs(parts.query);
    options.extend(ado_net::pairs(properties));
    // `mssql+pyodbc:///?odbc_connect=…` hides the whole connection string in one option.
    if let Some((_, hidden)) = options.iter().find(|(key, _)| key.eq_ignore_ascii_case("odbc_connect"))
        && let Some(inner) = ado_net::parse(&hidden.replace('+', " "), Some(engine))
    {
        return inner;
    }
    query::apply(&mut draft, &options);
    draft
}

/// Finds the hosts of drivers for which the authority ends at the first delimiter, where that one is in our login.
fn other_hosts(scheme: &str, masked: &str) -> Vec<String> {
    let login = split(masked, masked).login.unwrap_or_default();
    whatwg::hosts_of_shorter_authority(scheme, masked, login)
}

/// Tells whether a driver that dialled this would leave the machine: a name with a dot, or an address that is not its
/// own.
fn leaves_this_machine(host: &str) -> bool {
    let name = percent_decode(host);
    let name = name.trim_end_matches('.');
    match ::url::Host::parse(name) {
        Ok(::url::Host::Ipv4(address)) => name.contains('.') && !address.is_loopback() && !address.is_unspecified(),
        Ok(::url::Host::Ipv6(address)) => !address.is_loopback() && !address.is_unspecified(),
        Ok(::url::Host::Domain(_)) | Err(_) => {
            let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
            name.contains('.') && name.chars().all(fits) && name.split('.').all(|label| !label.is_empty())
        }
    }
}

/// Takes the hosts out of a login that RabbitMQ's drivers repeat: `u:p@a,u:p@b` is, up to its last `@`, `u:p@a,u:p`.
fn repeated_login(engine: Engine, login: Option<&str>) -> (Option<&str>, &str) {
    let earlier = login.and_then(|login| login.rsplit_once(',')).map(|(earlier, _)| earlier);
    match earlier.filter(|earlier| engine == Engine::Broker && earlier.split(',').all(|item| item.contains('@'))) {
        Some(earlier) => (earlier.split('@').next(), earlier),
        None => (login, ""),
    }
}

fn add_login(draft: &mut Draft, scheme: &str, login: Option<&str>) {
    let Some(login) = login else { return };
    match login.split_once(':') {
        Some((user, password)) => {
            draft.set_user(&percent_decode(user));
            draft.set_password(&percent_decode(password));
        }
        // A lone word before the `@` is a user, except where servers have only passwords or tokens.
        None if matches!(draft.engine, Engine::Redis | Engine::Libsql | Engine::Search)
            || matches!(scheme, "http" | "https" | "ws" | "wss")
            || login.contains(['@', '/', ' ']) =>
        {
            draft.password = Some(Secret::new(percent_decode(login)));
        }
        None => draft.set_user(&percent_decode(login)),
    }
}

fn add_hosts(draft: &mut Draft, hosts: &str) {
    let masked = mask_templates(hosts);
    let mut start = 0;
    for end in masked.match_indices(',').map(|(at, _)| at).chain([hosts.len()]) {
        let host = &hosts[start..end];
        start = end + 1;
        // RabbitMQ's drivers repeat the login for each host.
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        if draft.engine == Engine::SqlServer && sql_server::is_this_machine(host) {
            draft.add_place(Place::Host { name: "localhost".to_owned(), port: None });
            continue;
        }
        let located = locate(host);
        located.doubts.into_iter().for_each(|doubt| draft.doubt(doubt));
        if let Some(place) = located.place {
            draft.add_place(place);
        }
    }
}

fn add_path(draft: &mut Draft, scheme: &str, path: &str) {
    let decoded = percent_decode(path);
    if scheme.contains("unix") || scheme.contains("socket") {
        let mut doubts = Vec::new();
        let socket = if decoded.starts_with('/') { decoded } else { format!("/{decoded}") };
        draft.places.extend(place(&socket, None, &mut doubts));
        draft.doubts.extend(doubts);
        return;
    }
    let name = decoded.trim_end_matches('/');
    match draft.engine {
        // These name an index, a queue's virtual host or a path of the proxy, no database.
        Engine::Search | Engine::Broker | Engine::Memcached => {}
        _ => draft.set_database(name),
    }
}

/// Prisma's proxies: the server behind them is known to the key's owner only.
fn prisma(scheme: &str, rest: &str) -> Draft {
    let engine = if scheme == "prisma+postgres" { Engine::Postgres } else { Engine::Unknown };
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    let located = locate(host.rsplit('@').next().unwrap_or(host));
    let name = match located.place {
        // `prisma dev` serves a database on this machine under the same scheme.
        Some(Place::Host { ref name, .. }) if name == "localhost" || name.starts_with("127.") || name == "::1" => {
            return Draft { doubts: located.doubts, places: located.place.into_iter().collect(), ..Draft::new(engine) };
        }
        Some(Place::Host { name, .. }) => format!("{scheme}://{name}"),
        _ => format!("{scheme}://"),
    };
    Draft { doubts: located.doubts, ..Draft::at(engine, Place::Instance { name }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::testing::line;

    #[test]
    fn urls_name_what_drivers_would_dial() {
        let cases = [
            ("postgres://app:x@db%2Eprod%2Eexample.net/app", "postgres db.prod.example.net app u=app"),
            ("postgres://app:x@localhost/shop%5Fproduction", "postgres localhost shop_production u=app"),
            ("postgres://app@%2Fvar%2Frun%2Fpostgresql/app_test", "postgres unix:/var/run/postgresql app_test u=app"),
            ("postgres:///app_test", "postgres - app_test"),
            (
                "postgresql:///app?host=/cloudsql/a-b:europe-west1:main",
                "postgres unix:/cloudsql/a-b:europe-west1:main app",
            ),
            ("postgres://localhost/t?host=db.example.net", "postgres db.example.net,localhost t"),
            ("postgres://localhost/t?hostaddr=10.0.0.1&port=5433", "postgres 10.0.0.1:5433,localhost:5433 t"),
            ("postgres://localhost/t?dbname=other", "postgres localhost other"),
            ("postgres://a:1,b:2/t", "postgres a:1,b:2 t"),
            ("postgres://h/t?service=reporting", "postgres h t service=reporting"),
            ("postgres://u:p@localhost@db.example.net/app", "postgres db.example.net app u=u"),
            ("postgres://u:p@db.example.net\\@localhost/app", "postgres localhost,*** app u=u [Syntax]"),
            ("postgres://u:p@ss/word@db.example.net/app", "postgres db.example.net app u=u [Syntax]"),
            ("postgres://u:p@x@db.example.net/y@localhost/app", "postgres localhost,*** app u=u [Syntax]"),
            ("postgres://u:p@db.example.net:x/y@localhost/app", "postgres localhost,*** app u=u [Syntax]"),
            ("postgres://u:p@[2001:db8::1]/y@localhost/app", "postgres localhost,*** app u=u [Syntax]"),
            ("postgres://user:p@ss@host.example.net/db", "postgres host.example.net db u=user"),
            ("postgres://USER:x@HOST:PORT/DATABASE", "postgres host DATABASE u=USER [Port, Placeholder]"),
            ("postgres://${U}:${P}@${H}:${PORT}/${DB}", "postgres ${h} ${DB} u=${U} [Unexpanded]"),
            (
                "mysql2://root:x@127.0.0.1:3306/products_test?charset=utf8mb4",
                "mysql 127.0.0.1:3306 products_test u=root {charset=utf8mb4}",
            ),
            ("mysql://u:p@tcp(db.example.net:3306)/x", "mysql db.example.net:3306 x u=u"),
            ("db+postgresql://db/x", "postgres db x"),
            ("sqlserver://sa:p@sql01\\SQLEXPRESS?database=x", "sqlserver sql01 x u=sa"),
            ("sqlserver://sql01\\SQLEXPRESS:1434", "sqlserver sql01:1434 -"),
            ("mysql://h/db?socketPath=/tmp/mysql.sock", "mysql unix:/tmp/mysql.sock,h db"),
            (
                "mongodb+srv://u:p@c0.ab1cd.mongodb.net/shop?retryWrites=true",
                "mongodb c0.ab1cd.mongodb.net shop u=u {srv=true,retryWrites=true}",
            ),
            ("mongodb://m1,m2,m3/shop_test?replicaSet=rs0", "mongodb m1,m2,m3 shop_test {replicaSet=rs0}"),
            (
                "sqlserver://localhost:1433;database=shop_test;user=sa;password=a@b",
                "sqlserver localhost:1433 shop_test u=sa",
            ),
            ("sqlserver://;serverName=sql01.example.net;databaseName=Shop", "sqlserver sql01.example.net Shop"),
            (
                "mssql+pyodbc:///?odbc_connect=Driver%3D%7BODBC%7D%3BServer%3Ddb.example.net%3BDatabase%3Dshop",
                "sqlserver db.example.net shop",
            ),
            ("redis://:secret@cache:6379/0", "redis cache:6379 0"),
            ("redis+unix:///run/redis.sock", "redis unix:/run/redis.sock -"),
            ("rediss://secret@h:6379", "redis h:6379 - {tls=true}"),
            ("amqp://guest:guest@h:5672/vhost", "broker h:5672 - u=guest"),
            ("amqp://u:p@a.example.net:5672,u:p@b/vhost", "broker a.example.net:5672,b - u=u"),
            ("amqp://u:p,w@b", "broker b - u=u"),
            ("prisma://accelerate.prisma-data.net/?api_key=x", "unknown <prisma://accelerate.prisma-data.net> -"),
            ("prisma+postgres://localhost:51213/?api_key=x", "postgres localhost:51213 -"),
            (
                "postgres://app@myserver:pw@myserver.postgres.example.net/app",
                "postgres myserver.postgres.example.net app u=app@myserver",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).map(|draft| line(&draft)), Some(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_database_in_the_path_stays_one_beside_an_option_that_names_another() {
        let cases: [(&str, &[&str]); 6] = [
            ("postgres://localhost/shop?dbname=app", &["postgres localhost app", "postgres localhost shop"]),
            ("postgres://localhost/shop?sslmode=require", &["postgres localhost shop {sslmode=require}"]),
            ("postgres://localhost?dbname=app", &["postgres localhost app"]),
            ("postgres://localhost/a/../shop", &["postgres localhost a/../shop", "postgres localhost shop"]),
            ("sqlserver://localhost:1433;database=shop;user=sa", &["sqlserver localhost:1433 shop u=sa"]),
            ("postgres://u:12/x@localhost/app", &["postgres localhost app u=u [Syntax]"]),
        ];
        for (text, expected) in cases {
            let shown: Vec<String> = parse_all(text).unwrap().iter().map(line).collect();
            assert_eq!(shown, expected, "{text}");
        }
    }

    #[test]
    fn a_host_off_this_machine_is_told_from_its_own_spellings() {
        for host in
            ["db.example.net", "10.0.0.1", "[2001:db8::1]", "b\u{fc}cher.example", "db%2Eshop.net", "s.5", "127.x.net"]
        {
            assert!(leaves_this_machine(host), "{host}");
        }
        for host in
            ["localhost", "127.0.0.1", "127.1", "0x7f.1", "0.0.0.0", "[::1]", "db", "5", "", "a b.c", "p@ss.x", "a..b"]
        {
            assert!(!leaves_this_machine(host), "{host}");
        }
    }

    #[test]
    fn other_schemes_are_left_alone() {
        for text in ["https://example.net/x", "smtp://u:p@mail.example.net", "s3://bucket/key", "postgres", "file://x"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
