//! Development tools that bring their own database container: DDEV and Lando.
//!
//! Source: DDEV's documentation, "Database Service" (the host is `db`); Lando's, "Recipes" (the host is `database`).
//! Laravel Sail needs nothing here: it writes an ordinary compose file.

use std::path::Path;

use crate::environment::services::host_path::{HostPath, matches};
use crate::environment::services::search::Search;

const SERVICES: &[HostPath] = &[HostPath::Key(&["services", "*"])];
const LANDO: &[HostPath] = &[HostPath::Brings(&["recipe"], "database"), HostPath::Key(&["services", "*"])];

/// Looks for DDEV and Lando at the project's root and in the folders below it that lead to the current one.
pub(crate) fn search(search: &mut Search<'_>) {
    for folder in search.folders() {
        ddev(search, &folder.join(".ddev"));
        for name in [".lando.yml", ".lando.base.yml", ".lando.local.yml"] {
            search.declare_all(&folder.join(name), &[], LANDO);
        }
    }
}

fn ddev(search: &mut Search<'_>, folder: &Path) {
    let path = folder.join("config.yaml");
    let entries = search.outline(&path, &[]);
    let line_of = |key: &str| entries.iter().find(|entry| entry.path == [key]).map(|entry| entry.line);
    if let Some(line) = line_of("database").or_else(|| line_of("type")).or_else(|| line_of("name")) {
        let omits_database =
            entries.iter().any(|entry| matches(&entry.path, &["omit_containers", "*"]) && entry.value == "db");
        if !omits_database {
            search.declare("db", &path, line);
            if let Some(name) = entries.iter().find(|entry| entry.path == ["name"]) {
                search.declare(&format!("ddev-{}-db", name.value), &path, name.line);
            }
        }
    }
    for path in search.yaml_files(folder) {
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("docker-compose.")) {
            search.declare_all(&path, &["services"], SERVICES);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::environment::services::testing::declared;

    #[test]
    fn ddev_and_lando_databases_are_declared() {
        let cases: [(&str, &str, &[&str]); 4] = [
            (
                ".ddev/config.yaml",
                "name: shop\ntype: php\ndatabase:\n  type: mariadb\n",
                &["db .ddev/config.yaml:3", "ddev-shop-db .ddev/config.yaml:1"],
            ),
            (".ddev/config.yaml", "name: shop\nomit_containers: [db]\n", &[]),
            (
                ".ddev/docker-compose.redis.yaml",
                "services:\n  redis:\n    image: redis\n",
                &["redis .ddev/docker-compose.redis.yaml:2"],
            ),
            (
                ".lando.yml",
                "name: shop\nrecipe: laravel\nservices:\n  search:\n    type: solr\n",
                &["database .lando.yml:2", "search .lando.yml:4"],
            ),
        ];
        for (file, text, expected) in cases {
            assert_eq!(declared(&[(file, text)]), expected, "{file}: {text:?}");
        }
    }
}
