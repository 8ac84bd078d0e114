//! Compose files: which of them count, and which names their services answer to.
//!
//! Source: the Compose specification ("services", "extends", "include", "networks.aliases") and Docker's
//! documentation of `COMPOSE_FILE`.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::Path;

use crate::environment::paths::normal;
use crate::environment::readers::dotenv::{self, Dialect};
use crate::environment::readers::formats::{FlatEntry, json, yaml};
use crate::environment::services::host_path::matches;
use crate::environment::services::search::Search;

/// Words in a file's name that say it is for development or tests.
const VARIANTS: [&str; 26] = [
    "base",
    "ci",
    "common",
    "database",
    "databases",
    "db",
    "deps",
    "dev",
    "devcontainer",
    "develop",
    "development",
    "e2e",
    "infra",
    "integration",
    "it",
    "local",
    "localhost",
    "override",
    "postgres",
    "mysql",
    "services",
    "spec",
    "test",
    "testing",
    "tests",
    "unit",
];

/// Folders that projects keep their compose file in, beside what it builds.
const FOLDERS: [&str; 9] =
    ["docker", ".docker", "docker-compose", "compose", "containers", "infra", "dev", "development", "local"];

/// Images that carry connections elsewhere: their services are no databases on this machine.
const TUNNELS: [&str; 15] = [
    "alloydb-auth-proxy",
    "autossh",
    "chisel",
    "cloud-sql-proxy",
    "cloud_sql_proxy",
    "cloudflared",
    "cloudsql",
    "gce-proxy",
    "openvpn",
    "socat",
    "ssh-tunnel",
    "sshtunnel",
    "tailscale",
    "teleport",
    "wireguard",
];

/// Looks through the compose files that count for this project and command.
pub(crate) fn search(search: &mut Search<'_>, command: &[OsString]) {
    for folder in search.folders() {
        compose_files(search, &folder);
        let names = search.files.list(&folder);
        for below in FOLDERS.iter().filter(|below| names.iter().any(|name| name == **below)) {
            compose_files(search, &folder.join(below));
        }
        let named = named_in_dotenv(search, &folder);
        for name in named {
            file(search, &normal(&folder.join(name)), 0);
        }
        devcontainer(search, &folder);
    }
    let folder = search.project.folder.clone();
    for name in named_by(command) {
        file(search, &normal(&folder.join(name)), 0);
    }
}

/// Notes what the compose files of one folder declare, those for production left out.
fn compose_files(search: &mut Search<'_>, folder: &Path) {
    for path in search.yaml_files(folder) {
        if path.file_name().is_some_and(|name| counts_by_name(&name.to_string_lossy())) {
            file(search, &path, 0);
        }
    }
}

/// Whether a file of this name is used, or is for development or tests, without being named.
fn counts_by_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split(['.', '-', '_']).collect();
    let [variant @ .., "yml" | "yaml"] = words.as_slice() else { return false };
    let says_nothing = |word: &str| matches!(word, "" | "docker" | "podman" | "compose");
    // `dev2`, `test1`: digits say nothing either.
    let is_known = |word: &str| VARIANTS.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit()));
    variant.contains(&"compose") && variant.iter().all(|word| says_nothing(word) || is_known(word))
}

/// The compose files that the command names: `-f x`, `--file=x`, `COMPOSE_FILE=x:y`.
fn named_by(command: &[OsString]) -> Vec<String> {
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    let mut named = Vec::new();
    // A command in quotes (`sh -c '…'`) is looked into as if it stood bare.
    let mut words = words.iter().flat_map(|word| word.split_whitespace()).peekable();
    while let Some(word) = words.next() {
        if let Some(list) = word.strip_prefix("COMPOSE_FILE=") {
            named.extend(list.split(':').map(str::to_owned));
        } else if let Some(file) = word.strip_prefix("--file=").or_else(|| word.strip_prefix("-f=")) {
            named.push(file.to_owned());
        } else if matches!(word, "-f" | "--file") {
            named.extend(words.peek().map(|file| (*file).to_owned()));
        }
    }
    named.retain(|file| file.ends_with(".yml") || file.ends_with(".yaml"));
    named
}

/// What `COMPOSE_FILE` says in the `.env` beside a compose file.
fn named_in_dotenv(search: &Search<'_>, folder: &Path) -> Vec<String> {
    let Ok(Some(bytes)) = search.files.read(&folder.join(".env")) else { return Vec::new() };
    let document = dotenv::read(Dialect::Compose, &bytes, &|_| None);
    let list = document.get("COMPOSE_FILE").and_then(|entry| entry.value.as_deref()).unwrap_or_default();
    list.split([':', ';']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// `.devcontainer/` with the compose files that its `devcontainer.json` names.
fn devcontainer(search: &mut Search<'_>, folder: &Path) {
    let container = folder.join(".devcontainer");
    compose_files(search, &container);
    for path in [container.join("devcontainer.json"), folder.join(".devcontainer.json")] {
        let Some(text) = search.text(&path) else { continue };
        let beside = path.parent().unwrap_or(folder).to_owned();
        for entry in json::flatten(&text).unwrap_or_default() {
            if entry.path.first().is_some_and(|key| key == "dockerComposeFile") {
                file(search, &normal(&beside.join(&entry.value)), 0);
            }
        }
    }
}

/// Notes what one compose file declares, and what the files it includes do.
fn file(search: &mut Search<'_>, path: &Path, depth: usize) {
    if depth > 4 {
        return;
    }
    let entries = search.outline(path, &[]);
    let tunnels: HashSet<&str> = entries
        .iter()
        .filter(|entry| matches(&entry.path, &["services", "*", "image"]))
        .filter(|entry| TUNNELS.iter().any(|tunnel| entry.value.contains(tunnel)))
        .map(|entry| entry.path[1].as_str())
        .collect();
    let beside = path.parent().unwrap_or(Path::new("/")).to_owned();
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
        } else if matches(keys, &["include", "*"])
            || matches(keys, &["include", "*", "path"])
            || matches(keys, &["include", "*", "path", "*"])
        {
            if !entry.value.is_empty() {
                file(search, &normal(&beside.join(&entry.value)), depth + 1);
            }
        } else if matches(keys, &["services", "*", "extends", "file"]) && search.extensions_left > 0 {
            search.extensions_left -= 1;
            let service = entries.iter().find(|other| {
                matches(&other.path, &["services", "*", "extends", "service"]) && other.path[1] == keys[1]
            });
            if let Some(service) = service {
                extended(search, &normal(&beside.join(&entry.value)), &service.value);
            }
        } else {
            other_names(search, entry, path);
        }
    }
}

/// A service at the top level: the first version of the format, or an excerpt.
fn is_bare_service(keys: &[String]) -> bool {
    matches!(keys[1].as_str(), "image" | "build" | "extends")
        && !matches!(keys[0].as_str(), "services" | "networks" | "volumes" | "secrets" | "configs" | "include")
        && !keys[0].starts_with("x-")
}

/// The names besides its own that a service answers to, and those that it is told to look for elsewhere.
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

/// The names that a service takes over from the one it extends; the other file's services are not declared by that.
fn extended(search: &mut Search<'_>, path: &Path, service: &str) {
    // The file may also count by itself, so it is not marked as read.
    let Ok(Some(bytes)) = search.files.read(path) else { return };
    let text = String::from_utf8_lossy(&bytes);
    let entries = yaml::outline(&text).unwrap_or_else(|error| error.entries);
    for entry in entries.iter().filter(|entry| entry.path.get(1).is_some_and(|name| name == service)) {
        other_names(search, entry, path);
    }
}

#[cfg(test)]
mod tests {
    use crate::environment::services::compose::counts_by_name;
    use crate::environment::services::testing::{declared, declared_from};

    #[test]
    fn files_for_tests_and_development_count_by_name() {
        let cases = [
            ("compose.yaml", true),
            ("compose.yml", true),
            ("docker-compose.yml", true),
            ("docker-compose.override.yaml", true),
            ("compose.test.yml", true),
            ("docker-compose-dev2.yml", true),
            ("test.docker-compose.yml", true),
            ("podman-compose.local.yml", true),
            ("compose.prod.yml", false),
            ("docker-compose.production.yml", false),
            ("docker-compose.local-prod.yml", false),
            ("docker-compose.staging.yml", false),
            ("docker-stack.yml", false),
            ("compose.json", false),
            ("test.yml", false),
        ];
        for (name, expected) in cases {
            assert_eq!(counts_by_name(name), expected, "{name}");
        }
    }

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
    fn files_are_found_from_the_current_folder_up_to_the_root() {
        let service = |name: &str| format!("services:\n  {name}:\n    image: x\n");
        let files = [
            ("docker-compose.yml", service("top")),
            ("api/compose.yaml", service("inner")),
            ("api/.devcontainer/docker-compose.yml", service("container")),
            (
                ".devcontainer/devcontainer.json",
                "{ // said\n \"dockerComposeFile\": [\"../docker/x.yml\"] }".to_owned(),
            ),
            ("docker/x.yml", service("named")),
            ("other/compose.yml", service("aside")),
            ("infra/compose.dev.yaml", service("below")),
            ("infra/compose.prod.yaml", service("away")),
            ("compose.prod.yml", service("prod")),
        ];
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        let expected = [
            "inner api/compose.yaml:2",
            "container api/.devcontainer/docker-compose.yml:2",
            "top docker-compose.yml:2",
            "below infra/compose.dev.yaml:2",
            "named docker/x.yml:2",
        ];
        assert_eq!(declared_from("/p/api", &files, &[]), expected);
    }

    #[test]
    fn file_that_is_named_counts_whatever_its_name() {
        let text = "services:\n  db:\n    image: x\n";
        let expected = ["db deploy/stack.yml:2"];
        let commands: [&[&str]; 4] = [
            &["docker", "compose", "-f", "deploy/stack.yml", "run", "web"],
            &["docker-compose", "--file=./deploy/stack.yml", "up"],
            &["env", "COMPOSE_FILE=deploy/stack.yml:missing.yml", "make", "test"],
            &["sh", "-c", "docker compose -f deploy/stack.yml up && npm test"],
        ];
        for command in commands {
            assert_eq!(declared_from("/p", &[("deploy/stack.yml", text)], command), expected, "{command:?}");
        }
        let files = [("deploy/stack.yml", text), (".env", "A=b\nCOMPOSE_FILE=\"deploy/stack.yml\"\n")];
        assert_eq!(declared(&files), expected);
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
