//! The names that the services of a compose file answer to.
//!
//! Source: the Compose specification ("services", "extends", "include", "networks.aliases").

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::environment::paths::{normal, parent};
use crate::environment::readers::encoding::decoded;
use crate::environment::readers::expansion::Budget;
use crate::environment::readers::formats::{FlatEntry, yaml};
use crate::environment::services::further::{filled, includes};
use crate::environment::services::host_path::matches;
use crate::environment::services::search::{Search, Variables};
use crate::lists::{List, list};

/// Images that carry connections elsewhere: their services are no databases on this machine.
static TUNNELS: List = list!("tunnels.txt");

/// How deep compose files that include each other are followed.
const DEEPEST: usize = 16;

/// Notes what one compose file declares, and what the files it includes do.
pub(crate) fn declare(search: &mut Search<'_>, path: &Path) {
    declare_within(search, path, &Surroundings { home: parent(path), named: Vec::new(), outside: None }, 0);
}

/// Where the paths of a compose file begin, and what its values are filled in from.
struct Surroundings<'o> {
    home: PathBuf,
    /// The files of variables that are named instead of the folder's own.
    named: Vec<PathBuf>,
    /// Those of the file that includes it.
    outside: Option<&'o Surroundings<'o>>,
}

impl Surroundings<'_> {
    fn variables(&self, search: &mut Search<'_>) -> Variables {
        let outside = self.outside.map(|outside| outside.variables(search));
        search.variables(&self.home, &self.named, outside)
    }
}

fn declare_within(search: &mut Search<'_>, path: &Path, surroundings: &Surroundings<'_>, depth: usize) {
    if depth > DEEPEST {
        search.is_cut = true;
        return;
    }
    let entries = search.outline(path, &[]);
    let named = |entry: &&FlatEntry| {
        entry.path.first().is_some_and(|key| key == "include")
            || matches(&entry.path, &["services", "*", "extends", "file"])
    };
    // Most files name no others, or do so without variables.
    let needs_variables = entries.iter().filter(named).any(|entry| entry.value.contains('$'));
    let variables = if needs_variables { surroundings.variables(search) } else { Variables::default() };
    let home = &surroundings.home;
    let (look, mut budget) = (|name: &str| variables.get(name).cloned(), Budget::new());
    let told = |search: &mut Search<'_>, there: PathBuf| {
        // What is named so could say that a name is another machine's.
        let is_told = !there.to_string_lossy().contains('$');
        search.is_cut |= !is_told;
        is_told.then_some(there)
    };
    for include in includes(&entries, home, &look, &mut budget) {
        let Some(home) = include.home() else { continue };
        let inner = Surroundings { home, named: include.variables, outside: Some(surroundings) };
        for path in include.paths {
            if let Some(path) = told(search, path) {
                declare_within(search, &path, &inner, depth + 1);
            }
        }
    }
    let tunnels: HashSet<&str> = entries
        .iter()
        .filter(|entry| matches(&entry.path, &["services", "*", "image"]))
        .filter(|entry| TUNNELS.iter().any(|(tunnel, _)| entry.value.contains(tunnel)))
        .map(|entry| entry.path[1].as_str())
        .collect();
    // An outline has each key ahead of what it holds.
    let mut top_level_line = 1;
    for entry in &entries {
        let keys = &entry.path;
        if keys.len() == 1 {
            top_level_line = entry.line;
        }
        if keys.get(1).is_some_and(|service| keys[0] == "services" && tunnels.contains(service.as_str())) {
            continue;
        }
        if matches(keys, &["services", "*"]) {
            search.declare(&keys[1], path, entry.line);
        } else if keys.len() == 2 && is_bare_service(keys) {
            search.declare(&keys[0], path, top_level_line);
        } else if matches(keys, &["services", "*", "extends", "file"]) {
            let Some(left) = search.extensions_left.checked_sub(1) else {
                search.is_cut = true;
                return;
            };
            search.extensions_left = left;
            let service = entries.iter().find(|other| {
                matches(&other.path, &["services", "*", "extends", "service"]) && other.path[1] == keys[1]
            });
            let there = normal(&home.join(filled(&entry.value, &look, &mut budget).0));
            if let (Some(service), Some(there)) = (service, told(search, there)) {
                extended(search, &there, &service.value);
            }
        } else {
            other_names(search, entry, path);
        }
    }
}

/// Knows a service at the top level: the first version of the format, or an excerpt.
fn is_bare_service(keys: &[String]) -> bool {
    matches!(keys[1].as_str(), "image" | "build" | "extends")
        && !matches!(keys[0].as_str(), "services" | "networks" | "volumes" | "secrets" | "configs" | "include")
        && !keys[0].starts_with("x-")
}

/// Notes the names besides its own that a service answers to, and those that it is told to look for elsewhere.
fn other_names(search: &mut Search<'_>, entry: &FlatEntry, path: &Path) {
    let keys = &entry.path;
    if matches(keys, &["services", "*", "container_name"])
        || matches(keys, &["services", "*", "hostname"])
        || matches(keys, &["services", "*", "networks", "*", "aliases", "*"])
    {
        search.declare(&entry.value, path, entry.line);
    } else if matches(keys, &["services", "*", "links", "*"]) {
        if let Some((_, alias)) = entry.value.split_once(':') {
            search.declare(alias, path, entry.line);
        }
    } else if matches(keys, &["services", "*", "extra_hosts", "*"]) {
        // Either `- "db:203.0.113.7"`, `- "db=203.0.113.7"`, or `db: 203.0.113.7`.
        let (host, address) = entry.value.split_once(['=', ':']).unwrap_or((&keys[3], &entry.value));
        if address != "host-gateway" && !address.starts_with("127.") {
            search.diverted.insert(host.to_ascii_lowercase());
        }
    }
}

/// Notes the names that a service takes over from the one it extends; the other file's services are not declared by that.
fn extended(search: &mut Search<'_>, path: &Path, service: &str) {
    // The file may also count by itself, so it is not marked as read.
    let Some(bytes) = search.bytes(path) else { return };
    let entries = yaml::outline(&decoded(&bytes)).entries(|stop| search.note(&stop));
    for entry in entries.iter().filter(|entry| entry.path.get(1).is_some_and(|name| name == service)) {
        other_names(search, entry, path);
    }
}

#[cfg(test)]
mod tests {
    use crate::environment::services::testing::declared;

    #[test]
    fn every_name_of_a_service_is_declared_with_its_line() {
        let text = "\
name: shop
services:
  db: &db
    image: postgres:16
    container_name: shop_db
    hostname: pg
    networks:
      default:
        aliases:
          - database
          - ${ALIAS}
          - db.northwind-shop.test
  web:
    build: .
    environment: {APP_ENV: production}
    links:
      - cache:redis
      - db
  Replica-2:
    <<: *db
";
        let expected = ["db", "shop_db", "pg", "database", "web", "redis", "replica-2"];
        let lines = [3, 5, 6, 10, 13, 17, 19];
        let expected: Vec<_> =
            expected.iter().zip(lines).map(|(host, line)| format!("{host} compose.yml:{line}")).collect();
        assert_eq!(declared(&[("compose.yml", text)]), expected);
    }

    #[test]
    fn includes_and_extended_services_are_followed() {
        let files = [
            (
                "compose.yml",
                "include:\n  - parts/db.yml\n  - path: [parts/cache.yml, compose.yml]\nservices:\n  web:\n    extends:\n      file: parts/base.yml\n      service: app\n",
            ),
            ("parts/db.yml", "services:\n  db:\n    image: x\n"),
            ("parts/cache.yml", "services:\n  cache:\n    image: x\n"),
            ("parts/base.yml", "services:\n  app:\n    hostname: app-host\n  unused:\n    hostname: unused-host\n"),
        ];
        let expected =
            ["db parts/db.yml:2", "cache parts/cache.yml:2", "web compose.yml:5", "app-host parts/base.yml:3"];
        assert_eq!(declared(&files), expected);
    }

    #[test]
    fn names_of_further_files_are_filled_in() {
        let service = |name: &str| format!("services:\n  {name}:\n    image: x\n    hostname: {name}-host\n");
        let files = [
            (
                "compose.yml",
                "include: ['${PARTS}/db.yml', '${MORE:-more}/cache.yml', '$OWN.yml']\nservices:\n  web:\n    extends: {file: '${PARTS}/db.yml', service: db}\n".to_owned(),
            ),
            (".env", "OWN=own\nPARTS=not-this\n".to_owned()),
            ("parts/db.yml", service("db")),
            ("more/cache.yml", service("cache")),
            ("own.yml", service("own")),
        ];
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        let names = ["web compose.yml:3", "db-host parts/db.yml:4", "db parts/db.yml:2"];
        let others = ["cache more/cache.yml:2", "cache-host more/cache.yml:4", "own own.yml:2", "own-host own.yml:4"];
        let mut expected: Vec<&str> = names.iter().chain(&others).copied().collect();
        expected.sort_unstable();
        let mut found = declared(&files);
        found.sort_unstable();
        assert_eq!(found, expected);
        let unknown = [("compose.yml", "include: ['${UNKNOWN}/db.yml']\nservices:\n  web: {image: x}\n")];
        assert!(declared(&unknown).is_empty(), "what was not read could divert a name");
    }

    #[test]
    fn services_at_the_top_level_and_in_excerpts_are_seen() {
        let old = "db:\n  image: postgres:9.3\nweb:\n  build: .\nx-base:\n  image: y\nvolumes:\n  data: {}\n";
        assert_eq!(declared(&[("docker-compose.yml", old)]), ["db docker-compose.yml:1", "web docker-compose.yml:3"]);
        let excerpt = "    environment:\n      HOST: db\n  db:\n    image: postgres\n";
        assert_eq!(declared(&[("docker-compose.test.yml", excerpt)]), ["db docker-compose.test.yml:3"]);
    }

    #[test]
    fn many_services_and_circles_come_to_an_end() {
        let many: String =
            (0..20_000).map(|n| format!("  s{n}: {{image: socat, extends: {{file: x.yml, service: s1}}}}\n")).collect();
        let circle = "include: [x.yml, compose.yml]\nservices:\n  db: {extends: {file: compose.yml, service: db}}\n";
        let files = [
            ("compose.yml", format!("{circle}{many}")),
            ("x.yml", format!("include: [compose.yml]\nservices:\n{many}")),
        ];
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        assert_eq!(declared(&files), ["db compose.yml:3"]);
        let extending: String =
            (0..300).map(|n| format!("  s{n}: {{extends: {{file: x.yml, service: s1}}}}\n")).collect();
        let cut = format!("services:\n  db: {{image: x}}\n{extending}");
        assert!(declared(&[("compose.yml", &cut)]).is_empty(), "what was not read could divert a name");
    }

    #[test]
    fn tunnels_and_diverted_names_prove_nothing() {
        let text = "\
services:
  db:
    image: gcr.io/cloud-sql-connectors/cloud-sql-proxy:2
    container_name: proxy
  pg:
    image: postgres
  web:
    image: x
    extra_hosts:
      - \"pg:203.0.113.7\"
      - \"host.docker.internal:host-gateway\"
";
        assert_eq!(declared(&[("compose.yml", text)]), ["web compose.yml:7"]);
    }
}
