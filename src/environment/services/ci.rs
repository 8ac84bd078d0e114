//! CI definitions: the service containers that a job runs beside it.
//!
//! Source: the documentation of each system. GitHub Actions: `jobs.<job>.services.<name>`, the name is the host.
//! GitLab: "Accessing the services" (host from the image's name). CircleCI: `docker` with `name`. Woodpecker and
//! Drone: `services`, as a map or as a list with `name`. Bitbucket: `definitions.services`. Azure: `services`.

use std::path::Path;

use crate::environment::paths::normal;
use crate::environment::readers::formats::FlatEntry;
use crate::environment::services::host_path::HostPath::{self, Key, Value};
use crate::environment::services::search::Search;

/// A definition at the project's root, or a folder of them, and where they name hosts.
struct Definition {
    /// A folder ends in a slash.
    place: &'static str,
    /// A file without this word declares nothing.
    word: &'static str,
    hosts: &'static [HostPath],
}

const fn definition(place: &'static str, word: &'static str, hosts: &'static [HostPath]) -> Definition {
    Definition { place, word, hosts }
}

const GITHUB: &[HostPath] = &[Key(&["jobs", "*", "services", "*"])];
const AZURE: &[HostPath] = &[Key(&["**", "services", "*"])];
/// Containers behind the first one of a job; those without a name are reached as localhost.
const CIRCLECI: &[HostPath] = &[Value(&["*", "*", "docker", "*", "name"])];
const WOODPECKER: &[HostPath] = &[Key(&["services", "*"]), Value(&["services", "*", "name"])];

const DEFINITIONS: [Definition; 13] = [
    definition(".github/workflows/", "services", GITHUB),
    definition(".gitea/workflows/", "services", GITHUB),
    definition(".forgejo/workflows/", "services", GITHUB),
    definition("bitbucket-pipelines.yml", "services", &[Key(&["definitions", "services", "*"])]),
    definition("azure-pipelines.yml", "services", AZURE),
    definition("azure-pipelines.yaml", "services", AZURE),
    definition(".circleci/config.yml", "docker", CIRCLECI),
    definition(".circleci/config.yaml", "docker", CIRCLECI),
    definition(".woodpecker/", "services", WOODPECKER),
    definition(".woodpecker.yml", "services", WOODPECKER),
    definition(".woodpecker.yaml", "services", WOODPECKER),
    definition(".drone.yml", "services", WOODPECKER),
    definition(".drone.yaml", "services", WOODPECKER),
];

/// Looks through the CI definitions at the project's root.
pub(crate) fn search(search: &mut Search<'_>) {
    let root = search.project.root.clone();
    for definition in &DEFINITIONS {
        let place = root.join(definition.place);
        let files = if definition.place.ends_with('/') { search.yaml_files(&place) } else { vec![place] };
        for path in files {
            search.declare_all(&path, &[definition.word], definition.hosts);
        }
    }
    for name in [".gitlab-ci.yml", ".gitlab-ci.yaml"] {
        gitlab(search, &root, &root.join(name), 0);
    }
    for folder in [".gitlab/ci", ".gitlab-ci"] {
        for path in search.yaml_files(&root.join(folder)) {
            gitlab(search, &root, &path, 0);
        }
    }
}

/// How deep GitLab's files that include each other are followed.
const DEEPEST: usize = 16;

fn gitlab(search: &mut Search<'_>, root: &Path, path: &Path, depth: usize) {
    if depth > DEEPEST {
        search.is_cut = true;
        return;
    }
    for entry in search.outline(path, &["services", "include"]) {
        match entry.path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["services", _] | [_, "services", _] | ["services", _, "name"] | [_, "services", _, "name"] => {
                gitlab_image(search, path, &entry);
            }
            ["services", _, "alias"] | [_, "services", _, "alias"] => {
                for alias in entry.value.split([',', ' ']) {
                    search.declare(alias, path, entry.line);
                }
            }
            ["include", key] if *key != "local" && key.parse::<usize>().is_err() => {}
            ["include"] | ["include", _] | ["include", _, "local"] => {
                let local = entry.value.trim_start_matches('/');
                if local.ends_with(".yml") || local.ends_with(".yaml") {
                    gitlab(search, root, &normal(&root.join(local)), depth + 1);
                }
            }
            _ => {}
        }
    }
}

/// Declares what GitLab calls a service: its image's name without tag, each `/` as `__` or as `-`.
fn gitlab_image(search: &mut Search<'_>, path: &Path, entry: &FlatEntry) {
    let image = entry.value.split('@').next().unwrap_or_default();
    let last = image.rfind('/').map_or(0, |slash| slash + 1);
    let image = image[last..].find(':').map_or(image, |colon| &image[..last + colon]);
    // A variable may be any image; with a registry's port no host name comes of it.
    if image.is_empty() || image.contains(['$', ' ', ':']) {
        return;
    }
    if image.contains('/') {
        search.declare_unchecked(&image.replace('/', "__"), path, entry.line);
        search.declare_unchecked(&image.replace('/', "-"), path, entry.line);
    } else {
        search.declare(image, path, entry.line);
    }
}

#[cfg(test)]
mod tests {
    use crate::environment::services::testing::declared;

    #[test]
    fn github_job_services_are_declared_by_their_key() {
        let text = "\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    services:
      # the database
      postgres:
        image: postgres:16
        env: {POSTGRES_PASSWORD: redacted}
      redis:
        image: redis
    steps:
      - run: npm test
";
        let files =
            [(".github/workflows/ci.yml", text), (".github/workflows/lint.yaml", "jobs: {lint: {steps: []}}\n")];
        let expected = ["postgres .github/workflows/ci.yml:7", "redis .github/workflows/ci.yml:10"];
        assert_eq!(declared(&files), expected);
    }

    #[test]
    fn gitlab_services_are_declared_by_image_and_alias() {
        let text = "\
include:
  - local: /ci/more.yml
  - project: group/other
    file: ci/not.yml
services:
  - postgres:15
test:
  services:
    - name: registry.example.com/group/mysql:8
      alias: mysql, db
    - library/redis@sha256:00
    - $IMAGE
    - mongo:$VERSION
";
        let files = [
            (".gitlab-ci.yml", text),
            ("ci/more.yml", "default:\n  services: [mariadb]\n"),
            ("ci/not.yml", "services: [not]\n"),
        ];
        let expected = [
            "mariadb ci/more.yml:2",
            "postgres .gitlab-ci.yml:6",
            "registry.example.com__group__mysql .gitlab-ci.yml:9",
            "registry.example.com-group-mysql .gitlab-ci.yml:9",
            "mysql .gitlab-ci.yml:10",
            "db .gitlab-ci.yml:10",
            "library__redis .gitlab-ci.yml:11",
            "library-redis .gitlab-ci.yml:11",
            "mongo .gitlab-ci.yml:13",
        ];
        assert_eq!(declared(&files), expected);
    }

    #[test]
    fn other_systems_are_understood() {
        let cases = [
            ("bitbucket-pipelines.yml", "definitions:\n  services:\n    mysql:\n      image: mysql\n", "mysql", 3),
            (
                ".circleci/config.yml",
                "jobs:\n  test:\n    docker:\n      - image: cimg/node:20\n      - image: cimg/postgres:16\n        name: db\n",
                "db",
                6,
            ),
            (".woodpecker.yml", "services:\n  database:\n    image: postgres\n", "database", 2),
            (".woodpecker/test.yaml", "services:\n  - name: cache\n    image: redis\n", "cache", 2),
            (".drone.yml", "kind: pipeline\nservices:\n- name: pg\n  image: postgres\n", "pg", 3),
            ("azure-pipelines.yml", "jobs:\n- job: t\n  services:\n    sql: mssql\n", "sql", 4),
            (".forgejo/workflows/t.yml", "jobs:\n  t:\n    services:\n      db: {image: x}\n", "db", 4),
        ];
        for (file, text, host, line) in cases {
            assert_eq!(declared(&[(file, text)]), [format!("{host} {file}:{line}")], "{file}");
        }
    }
}
