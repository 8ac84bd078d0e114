//! The compose files that count for a project and a command.
//!
//! Source: Docker's documentation of `COMPOSE_FILE` and of `docker compose --file`.

use std::ffi::OsString;
use std::path::Path;

use crate::environment::paths::normal;
use crate::environment::readers::dotenv::{self, Dialect};
use crate::environment::readers::formats::json;
use crate::environment::services::compose;
use crate::environment::services::search::Search;
use crate::lists::{List, list};

/// Words in a file's name that say it is for development or tests.
static VARIANTS: List = list!("variants.txt");

/// Folders that projects keep their compose file in, beside what it builds.
const FOLDERS: [&str; 9] =
    ["docker", ".docker", "docker-compose", "compose", "containers", "infra", "dev", "development", "local"];

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
            compose::declare(search, &normal(&folder.join(name)));
        }
        devcontainer(search, &folder);
    }
    let folder = search.project.folder.clone();
    for name in project_folders(command) {
        compose_files(search, &normal(&folder.join(name)));
    }
    for name in named_by(command) {
        compose::declare(search, &normal(&folder.join(name)));
    }
}

/// Notes what the compose files of one folder declare, those for production left out.
fn compose_files(search: &mut Search<'_>, folder: &Path) {
    for path in search.yaml_files(folder) {
        if path.file_name().is_some_and(|name| counts_by_name(&name.to_string_lossy())) {
            compose::declare(search, &path);
        }
    }
}

/// Says whether a file of this name is used, or is for development or tests, without being named.
fn counts_by_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split(['.', '-', '_']).collect();
    let [variant @ .., "yml" | "yaml"] = words.as_slice() else { return false };
    let says_nothing = |word: &str| matches!(word, "" | "docker" | "podman" | "compose");
    // `dev2`, `test1`: digits say nothing either.
    let is_known = |word: &str| VARIANTS.contains(word.trim_end_matches(|c: char| c.is_ascii_digit()));
    variant.contains(&"compose") && variant.iter().all(|word| says_nothing(word) || is_known(word))
}

/// Lists the compose files that the command names: `-f x`, `--file=x`, `COMPOSE_FILE=x:y`.
fn named_by(command: &[OsString]) -> Vec<String> {
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    // A command in quotes (`sh -c '…'`) is looked into as if it stood bare.
    let words: Vec<&str> = words.iter().flat_map(|word| word.split_whitespace()).collect();
    let listed = words.iter().filter_map(|word| word.strip_prefix("COMPOSE_FILE=")).flat_map(|list| list.split(':'));
    let named = option_values(&words, &["--file", "-f"]).into_iter().chain(listed);
    named.filter(|file| file.ends_with(".yml") || file.ends_with(".yaml")).map(str::to_owned).collect()
}

/// Lists the folders that the command names for compose to look in.
fn project_folders(command: &[OsString]) -> Vec<String> {
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    let words: Vec<&str> = words.iter().flat_map(|word| word.split_whitespace()).collect();
    option_values(&words, &["--project-directory"]).into_iter().map(str::to_owned).collect()
}

/// Lists the values of an option of `docker compose`: `-f x`, `-fx`, `--file x`, `--file=x`.
pub(crate) fn option_values<'w>(words: &[&'w str], spellings: &[&str]) -> Vec<&'w str> {
    let mut values = Vec::new();
    for (at, word) in words.iter().enumerate() {
        match spellings.iter().find_map(|spelling| word.strip_prefix(spelling)) {
            Some("") => values.extend(words.get(at + 1).copied()),
            Some(rest) => values.push(rest.trim_start_matches('=')),
            None => {}
        }
    }
    values
}

/// Lists what `COMPOSE_FILE` says in the `.env` beside a compose file.
fn named_in_dotenv(search: &mut Search<'_>, folder: &Path) -> Vec<String> {
    let Some(bytes) = search.bytes(&folder.join(".env")) else { return Vec::new() };
    let document = dotenv::read(Dialect::Compose, &bytes, &|_| None);
    let list = document.get("COMPOSE_FILE").and_then(|entry| entry.value.as_deref()).unwrap_or_default();
    list.split([':', ';']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Looks into `.devcontainer/` and the compose files that its `devcontainer.json` names.
fn devcontainer(search: &mut Search<'_>, folder: &Path) {
    let container = folder.join(".devcontainer");
    compose_files(search, &container);
    for path in [container.join("devcontainer.json"), folder.join(".devcontainer.json")] {
        let Some(text) = search.text(&path) else { continue };
        let beside = path.parent().unwrap_or(folder).to_owned();
        for entry in json::flatten(&text).entries(|stop| search.note(&stop)) {
            if entry.path.first().is_some_and(|key| key == "dockerComposeFile") {
                compose::declare(search, &normal(&beside.join(&entry.value)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::environment::services::compose_files::counts_by_name;
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
}
