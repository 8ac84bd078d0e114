//! Databases embedded in the JVM: H2, HSQLDB and Derby, as a file, in memory, or as a server.

use crate::reach::grammars::ado_net;
use crate::reach::grammars::sqlite;
use crate::reach::grammars::text::strip_prefix_ignore_case;
use crate::reach::grammars::url;
use crate::reach::{Draft, Engine, Lookup, Place};

/// Reads what follows `jdbc:h2:`, `jdbc:hsqldb:` or `jdbc:derby:`.
pub(crate) fn parse(driver: &str, rest: &str, lookup: &Lookup<'_>) -> Vec<Draft> {
    let (body, options) = rest.split_once(';').unwrap_or((rest, ""));
    let body = body.split('?').next().unwrap_or(body);
    let kind = |prefix: &str| strip_prefix_ignore_case(body, prefix);
    let mut drafts = if let Some(name) = kind("mem:").or_else(|| kind("memory:")) {
        let mut draft = Draft::at(Engine::H2, Place::Memory);
        draft.set_database(name.trim_start_matches('/'));
        vec![draft]
    } else if let Some(server) = SERVERS.iter().find_map(|prefix| kind(prefix)) {
        let mut draft = url::parse_rest(Engine::H2, driver, server);
        draft.socket_by_default = false;
        vec![draft]
    } else if body.starts_with("//") {
        vec![url::parse_rest(Engine::H2, driver, body.trim_start_matches('/'))]
    } else {
        let path =
            ["file:", "split:", "directory:", "nio:", "nioMapped:", "res:"].iter().find_map(|prefix| kind(prefix));
        let path = path.unwrap_or(body);
        let path = path.strip_prefix("//").unwrap_or(path);
        files(driver, path, lookup)
    };
    for (key, value) in ado_net::pairs(options) {
        for draft in &mut drafts {
            match key.as_str() {
                "user" => draft.set_user(&value),
                "password" => draft.set_password(&value),
                _ => draft.add_parameter(&key, &value),
            }
        }
    }
    drafts
}

const SERVERS: [&str; 6] = ["tcp://", "ssl://", "hsql://", "hsqls://", "http://", "https://"];

fn files(driver: &str, path: &str, lookup: &Lookup<'_>) -> Vec<Draft> {
    let mut drafts = sqlite::plain_path(path, Engine::H2, lookup);
    // H2 adds `.mv.db` to the path it is given.
    if driver == "h2" {
        for place in drafts.iter_mut().flat_map(|draft| &mut draft.places) {
            if let Place::File { path } = place
                && !path.to_string_lossy().ends_with(".db")
            {
                path.as_mut_os_string().push(".mv.db");
            }
        }
    }
    drafts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Project;
    use crate::reach::testing::{Folder, line};

    #[test]
    fn embedded_databases_are_files_memory_or_servers() {
        let cases = [
            ("h2", "file:./build/test-db", "h2 file:/p/build/test-db.mv.db ./build/test-db"),
            ("h2", "mem:testdb;DB_CLOSE_DELAY=-1", "h2 memory testdb"),
            ("h2", "~/test", "h2 file:/home/tester/test.mv.db ~/test"),
            ("h2", "tcp://db.example.net:9092/~/shop", "h2 db.example.net:9092 ~/shop"),
            ("hsqldb", "hsql://db.example.net/shop", "h2 db.example.net shop"),
            ("hsqldb", "mem:.", "h2 memory ."),
            ("derby", "memory:x;create=true", "h2 memory x"),
            ("derby", "//db.example.net:1527/shop;user=a", "h2 db.example.net:1527 shop u=a"),
            ("derby", "shopdb;create=true", "h2 file:/p/shopdb shopdb"),
        ];
        let project = Project { root: "/p".into(), folder: "/p".into(), home: Some("/home/tester".into()) };
        let lookup = Lookup { project: &project, files: &Folder::default(), base_folders: &[] };
        for (driver, rest, expected) in cases {
            let drafts = parse(driver, rest, &lookup);
            assert_eq!(line(&drafts[0]), expected, "{driver}:{rest}");
        }
    }
}
