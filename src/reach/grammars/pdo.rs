//! PDO's data source names: `mysql:host=db.test;dbname=app`.

use crate::reach::grammars::ado_net;
use crate::reach::grammars::libpq;
use crate::reach::grammars::oracle;
use crate::reach::grammars::query;
use crate::reach::grammars::sqlite;
use crate::reach::{Draft, Engine, Lookup};

/// Reads such a name; `None` where the prefix is no PDO driver or no `key=value` follows.
pub(crate) fn parse(text: &str, lookup: &Lookup<'_>) -> Option<Vec<Draft>> {
    let (prefix, rest) = text.split_once(':')?;
    let engine = match prefix.to_ascii_lowercase().as_str() {
        "mysql" => Engine::Mysql,
        "pgsql" => Engine::Postgres,
        "sqlsrv" | "dblib" | "mssql" | "sybase" => Engine::SqlServer,
        "oci" => Engine::Oracle,
        "odbc" | "firebird" | "ibm" | "informix" | "cubrid" => Engine::Unknown,
        "sqlite2" => return Some(sqlite::plain_path(rest, Engine::Sqlite, lookup)),
        _ => return None,
    };
    if rest.starts_with("//") || !rest.contains('=') {
        return None;
    }
    if engine == Engine::Oracle {
        let name = ado_net::pairs(rest).into_iter().find(|(key, _)| key == "dbname")?.1;
        return Some(vec![oracle::connect_name(&name)]);
    }
    if engine == Engine::SqlServer || engine == Engine::Unknown {
        return ado_net::parse(rest, Some(engine)).map(|draft| vec![draft]);
    }
    // PostgreSQL's driver takes blanks as well as semicolons.
    let pairs = match engine {
        Engine::Postgres => libpq::pairs(&rest.replace(';', " ")).unwrap_or_else(|| ado_net::pairs(rest)),
        _ => ado_net::pairs(rest),
    };
    let mut draft = Draft::new(engine);
    query::apply(&mut draft, &pairs);
    Some(vec![draft])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Project;
    use crate::reach::testing::{Folder, line};

    #[test]
    fn data_source_names_are_read() {
        let cases = [
            ("mysql:host=127.0.0.1;port=3306;dbname=app_test", "mysql 127.0.0.1:3306 app_test"),
            ("mysql:unix_socket=/tmp/mysql.sock;dbname=x", "mysql unix:/tmp/mysql.sock x"),
            ("pgsql:host=db.example.net port=5432 dbname=app user=u", "postgres db.example.net:5432 app u=u"),
            ("pgsql:dbname=app;host=db", "postgres db app"),
            ("sqlsrv:Server=db.example.net,1433;Database=shop", "sqlserver db.example.net:1433 shop"),
            ("oci:dbname=//ora.example.net:1521/XE", "oracle ora.example.net:1521 XE"),
        ];
        let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
        let lookup = Lookup { project: &project, files: &Folder::default(), base_folders: &[] };
        for (text, expected) in cases {
            let shown = parse(text, &lookup).map(|drafts| line(&drafts[0]));
            assert_eq!(shown.as_deref(), Some(expected), "{text}");
        }
        for text in ["mysql://h/db", "mysql", "http:host=x", "pgsql:x"] {
            assert_eq!(parse(text, &lookup), None, "{text}");
        }
    }
}
