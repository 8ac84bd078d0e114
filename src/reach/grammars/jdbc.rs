//! `jdbc:` and `r2dbc:` URLs: each driver has a grammar of its own behind the prefix.

use crate::reach::grammars::embedded;
use crate::reach::grammars::host::locate;
use crate::reach::grammars::oracle;
use crate::reach::grammars::query;
use crate::reach::grammars::scheme::engine_of_scheme;
use crate::reach::grammars::sqlite;
use crate::reach::grammars::text::{key_value, mask_templates, strip_prefix_ignore_case};
use crate::reach::grammars::url;
use crate::reach::{Doubt, Draft, Engine, Lookup, Place};

/// Reads a JDBC or R2DBC URL; `None` for other text.
pub(crate) fn parse(text: &str, lookup: &Lookup<'_>) -> Option<Vec<Draft>> {
    const PREFIXES: [&str; 4] = ["jdbc:", "r2dbcs:", "r2dbc:", "jdbc-secretsmanager:"];
    // Folded over lines, it has blanks between its parts, which MySQL's driver takes.
    let joined: String;
    let text = match text.contains(['?', '&']) && text.contains(char::is_whitespace) {
        true => {
            joined = text.split_whitespace().collect();
            joined.as_str()
        }
        false => text,
    };
    let mut rest = PREFIXES.iter().find_map(|prefix| strip_prefix_ignore_case(text, prefix))?;
    const WRAPPERS: [&str; 9] =
        ["aws-wrapper:", "tracing:", "p6spy:", "otel:", "datadog:", "log4jdbc:", "pool:", "proxy:", "jdbc:"];
    while let Some(inner) = WRAPPERS.iter().find_map(|wrapper| strip_prefix_ignore_case(rest, wrapper)) {
        rest = inner;
    }
    let (driver, rest) = rest.split_once(':')?;
    let driver = driver.to_ascii_lowercase();
    let one = |draft: Draft| Some(vec![draft]);
    match driver.as_str() {
        "tc" => one(testcontainers(rest)),
        "sqlite" => sqlite::parse(&format!("sqlite:{rest}"), lookup),
        "duckdb" => sqlite::parse(&format!("duckdb:{rest}"), lookup),
        "h2" | "hsqldb" | "derby" => Some(embedded::parse(&driver, rest, lookup)),
        "oracle" => one(oracle(rest)),
        "jtds" => one(network(Engine::SqlServer, "jtds", rest)),
        "mysql" | "mariadb" => one(mysql(&driver, rest)),
        _ => {
            let engine = engine_of_scheme(&driver).unwrap_or(Engine::Unknown);
            if engine == Engine::Unknown && !rest.contains("//") {
                return None;
            }
            one(network(engine, &driver, rest))
        }
    }
}

/// Reads the common shape: `[variant:]//hosts/database?options`, or `database` alone for a server on this machine.
fn network(engine: Engine, driver: &str, rest: &str) -> Draft {
    let mut draft = match rest.find("//") {
        Some(at) => url::parse_rest(engine, driver, &rest[at + 2..]),
        None => url::parse_rest(engine, driver, &format!("/{}", rest.trim_start_matches('/'))),
    };
    // JDBC drivers dial the loopback address where no host is named, not a socket.
    draft.socket_by_default = false;
    // Db2 and others put options behind the database: `/db:user=a;password=b;`.
    if let Some(name) = draft.database.take() {
        // Teradata has nothing but options there: `/DATABASE=db,USER=a,PASSWORD=b`.
        if name
            .split_once('=')
            .is_some_and(|(key, _)| key.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_'))
        {
            let options: Vec<_> =
                name.split(',').filter_map(key_value).map(|(key, value)| (key, value.to_owned())).collect();
            query::apply(&mut draft, &options);
        } else {
            draft.set_database(name.split([';', ':']).next().unwrap_or(&name));
        }
    }
    draft
}

/// Reads MySQL's, which also list hosts as `address=(host=a)(port=1)` and `(host=a,port=1)`.
fn mysql(driver: &str, rest: &str) -> Draft {
    let engine = if driver == "mariadb" { Engine::Mariadb } else { Engine::Mysql };
    let Some(start) = rest.find("//").map(|at| at + 2) else { return network(engine, driver, rest) };
    let masked = mask_templates(rest);
    let hosts = &rest[start..];
    if !hosts.contains('(') {
        return network(engine, driver, rest);
    }
    let end = masked[start..].find(['/', '?']).unwrap_or(hosts.len());
    let mut draft = network(engine, driver, &format!("//{}", &hosts[end..]));
    let (mut host, mut port) = (None::<&str>, None::<&str>);
    let mut add = |host: &mut Option<&str>, port: &mut Option<&str>| {
        let Some(name) = host.take() else { return };
        let located = locate(&port.take().map_or(name.to_owned(), |port| format!("{name}:{port}")));
        located.doubts.into_iter().for_each(|doubt| draft.doubt(doubt));
        located.place.into_iter().for_each(|place| draft.add_place(place));
    };
    for part in hosts[..end].split(['(', ')', ',']) {
        match part.split_once('=') {
            Some((key, value)) if key.trim().eq_ignore_ascii_case("host") => {
                add(&mut host, &mut port);
                host = Some(value.trim());
            }
            Some((key, value)) if key.trim().eq_ignore_ascii_case("port") => port = Some(value.trim()),
            Some(_) => {}
            // A plain `host:port` between the others.
            None => {
                let plain = part.rsplit('@').next().unwrap_or(part).trim_matches(['[', ']', ' ']);
                if !plain.is_empty() && !plain.eq_ignore_ascii_case("address") {
                    add(&mut host, &mut port);
                    host = Some(plain);
                }
            }
        }
    }
    add(&mut host, &mut port);
    draft
}

fn oracle(rest: &str) -> Draft {
    let Some((login, name)) = rest.split_once('@') else {
        let bare = rest.find("//").map_or("", |at| &rest[at..]);
        let mut draft = oracle::connect_name(bare);
        if draft.places.is_empty() {
            draft.doubt(Doubt::Syntax);
        }
        return draft;
    };
    // `thin:scott/tiger@…`; a raw `@` in the password moves the name to the last one.
    let name = name.rsplit_once('@').map_or(name, |(_, name)| name);
    let mut draft = oracle::connect_name(name);
    let login = login.rsplit(':').next().unwrap_or("");
    if let Some((user, password)) = login.split_once('/') {
        draft.set_user(user);
        draft.set_password(password);
    }
    draft
}

/// Reads `jdbc:tc:postgresql:15:///db`: Testcontainers starts a server for the test and throws it away.
fn testcontainers(rest: &str) -> Draft {
    let engine = engine_of_scheme(rest.split(':').next().unwrap_or("")).unwrap_or(Engine::Unknown);
    let mut draft = Draft::at(engine, Place::Memory);
    let path = rest.split_once("://").map_or("", |(_, path)| path);
    let name = path.split('?').next().unwrap_or("").rsplit('/').next().unwrap_or("");
    draft.set_database(name);
    draft.parameters.push(("testcontainers".to_owned(), "true".to_owned()));
    draft
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Project;
    use crate::reach::testing::{Folder, line};

    #[test]
    fn jdbc_urls_name_what_their_drivers_would_dial() {
        let cases = [
            ("jdbc:postgresql://localhost:5432/app_test", "postgres localhost:5432 app_test"),
            ("jdbc:postgresql:app_test", "postgres - app_test"),
            ("jdbc:mysql://db.example.net:3306/app ?useSSL=false &x=y", "mysql db.example.net:3306 app {useSSL=false}"),
            (
                "jdbc:postgresql://db1.example.net:5432,db2.example.net:5432/app?targetServerType=primary",
                "postgres db1.example.net:5432,db2.example.net:5432 app {targetServerType=primary}",
            ),
            (
                "jdbc:postgresql:///db?cloudSqlInstance=a:b:c&socketFactory=com.google.cloud.sql.postgres.SocketFactory",
                "postgres <a:b:c> db {socketFactory=com.google.cloud.sql.postgres.SocketFactory}",
            ),
            ("jdbc:aws-wrapper:postgresql://db.example.net/app", "postgres db.example.net app"),
            (
                "jdbc:mysql:replication://localhost:3306,ro1.example.net:3306/app_test",
                "mysql localhost:3306,ro1.example.net:3306 app_test",
            ),
            (
                "jdbc:mysql://address=(host=a.example.net)(port=1),(host=b,port=2),c:3/app",
                "mysql a.example.net:1,b:2,c:3 app",
            ),
            ("jdbc:mariadb:sequential:loadbalance://a,b/app", "mariadb a,b app"),
            (
                "jdbc:sqlserver://localhost:1433;databaseName=Shop_Test;encrypt=false",
                "sqlserver localhost:1433 Shop_Test {encrypt=false}",
            ),
            (
                "jdbc:sqlserver://;serverName=sql01.example.net;databaseName=Shop_Test",
                "sqlserver sql01.example.net Shop_Test",
            ),
            ("jdbc:sqlserver://sql01\\inst;databaseName=x", "sqlserver sql01 x"),
            ("jdbc:teradata://h/DATABASE=db,USER=u,PASSWORD=p", "unknown h db u=u"),
            ("jdbc:jtds:sqlserver://db:1433/shop;instance=x", "sqlserver db:1433 shop"),
            ("jdbc:oracle:thin:@//localhost:1521/XEPDB1", "oracle localhost:1521 XEPDB1"),
            ("jdbc:oracle:thin:scott/tiger@ora.example.net:1521:ORCL", "oracle ora.example.net:1521 ORCL u=scott"),
            (
                "jdbc:oracle:thin:@shop_prod_high?TNS_ADMIN=/opt/wallet",
                "oracle <shop_prod_high> - {wallet=/opt/wallet}",
            ),
            ("jdbc:sqlite::memory:", "sqlite memory :memory:"),
            ("jdbc:tc:postgresql:15:///app", "postgres memory app {testcontainers=true}"),
            ("r2dbc:pool:postgresql://u:p@db.example.net:5432/app", "postgres db.example.net:5432 app u=u"),
            ("jdbc:clickhouse://ch.example.net:8123/x", "clickhouse ch.example.net:8123 x"),
            ("jdbc:db2://db2.example.net:50000/SHOP:user=a;password=b;", "unknown db2.example.net:50000 SHOP"),
            ("jdbc:redshift:iam://c.example.net:5439/dev", "postgres c.example.net:5439 dev"),
            (
                "jdbc:postgresql://${DB_HOST}:${DB_PORT}/${DB_NAME}?sslmode=require",
                "postgres ${db_host} ${DB_NAME} {sslmode=require} [Unexpanded]",
            ),
        ];
        let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
        let lookup = Lookup { project: &project, files: &Folder::default(), base_folders: &[] };
        for (text, expected) in cases {
            let shown = parse(text, &lookup).map(|drafts| line(&drafts[0]));
            assert_eq!(shown.as_deref(), Some(expected), "{text}");
        }
    }
}
