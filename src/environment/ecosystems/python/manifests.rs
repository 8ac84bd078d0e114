//! Python: pip, Poetry, uv, Pipenv, PDM, setuptools and conda.

use crate::environment::ecosystems::manifest::{Members, Scan, entries, items_of, quoted, toml_lock, trimmed_lines};
use crate::environment::readers::formats::{toml, yaml};

/// The manifests that people write.
pub(crate) const MANIFESTS: &[&str] = &["pyproject.toml", "requirements.txt", "Pipfile", "setup.cfg"];

pub(crate) const MEMBERS: &[(&str, Members)] = &[("pyproject.toml", uv_members)];

/// Tells how to read the manifest of that name.
pub(crate) fn scan(file: &str) -> Option<Scan> {
    match file {
        "pyproject.toml" => Some(pyproject),
        "Pipfile" => Some(pipfile),
        "Pipfile.lock" => Some(pipfile_lock),
        "poetry.lock" | "uv.lock" | "pdm.lock" | "pylock.toml" => Some(toml_lock),
        "setup.py" => Some(setup_py),
        "setup.cfg" => Some(requirements),
        "environment.yml" | "environment.yaml" | "conda.yml" | "conda.yaml" | "conda-lock.yml" => Some(conda),
        _ => {
            let is_list = file.contains("requirements") || file.contains("constraints");
            let is_text = file.ends_with(".txt") || file.ends_with(".in");
            (is_list && is_text).then_some(requirements as Scan)
        }
    }
}

/// Reads requirements in any table whose name speaks of dependencies, and the keys below Poetry's.
fn pyproject(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for entry in entries(text, toml::flatten, note) {
        let table = entry.path.iter().position(|key| key.contains("dependenc") || key == "requires");
        if let Some(table) = table {
            note(&spelled(name_of(&entry.value)), entry.line);
            entry.path[table + 1..].iter().for_each(|key| note(&spelled(key), entry.line));
        }
    }
}

fn pipfile(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for entry in entries(text, toml::flatten, note) {
        if let [table, name, ..] = entry.path.as_slice()
            && !matches!(table.as_str(), "source" | "requires" | "scripts" | "pipenv")
        {
            note(&spelled(name), entry.line);
        }
    }
}

fn pipfile_lock(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for (line, number) in trimmed_lines(text) {
        if let Some(name) = line.strip_prefix('"').and_then(|rest| rest.strip_suffix("\": {")) {
            note(&spelled(name), number);
        }
    }
}

/// Takes any string for a requirement.
fn setup_py(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for (line, number) in trimmed_lines(text) {
        if !line.starts_with('#') {
            quoted(line).for_each(|text| note(&spelled(name_of(text)), number));
        }
    }
}

/// Reads one requirement a line, perhaps behind a key (`install_requires = x`).
fn requirements(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for (line, number) in trimmed_lines(text) {
        let line = line.strip_prefix("- ").unwrap_or(line).trim_matches(['"', '\'']);
        note(&spelled(name_of(line)), number);
        if let Some((_, value)) = line.split_once(" = ") {
            note(&spelled(name_of(value)), number);
        }
    }
}

/// Reads the lists of a conda environment in either of YAML's forms, and the packages of its lock file.
fn conda(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for entry in entries(text, yaml::flatten, note) {
        let is_name = entry.path.last().is_some_and(|key| key == "name");
        if is_name || entry.path.iter().any(|key| matches!(key.as_str(), "dependencies" | "pip")) {
            // A requirement may name its channel: `conda-forge::psycopg2`.
            let requirement = entry.value.rsplit_once("::").map_or(entry.value.as_str(), |(_, name)| name);
            note(&spelled(name_of(requirement)), entry.line);
        }
    }
}

/// Lists what requirements include (`-r base.txt`), and what a pyproject.toml takes its dependencies from.
///
/// Sources: pip's "Requirements File Format"; setuptools' "Dynamic Metadata".
pub(crate) fn included(file: &str, text: &str) -> Vec<(String, Scan)> {
    let read = requirements as Scan;
    if file == "pyproject.toml" {
        if !text.contains("dynamic") {
            return Vec::new();
        }
        let entries = toml::flatten(text).whole().unwrap_or_default();
        let is_file = |path: &[String]| path.iter().any(|key| key == "dynamic") && path.iter().any(|key| key == "file");
        return entries.into_iter().filter(|entry| is_file(&entry.path)).map(|entry| (entry.value, read)).collect();
    }
    let lines = text.lines().map(|line| line.trim().trim_start_matches("- ").trim_matches(['"', '\'']));
    let named = lines.filter_map(|line| {
        let rest = ["-r", "--requirement", "-c", "--constraint"].iter().find_map(|option| line.strip_prefix(option))?;
        rest.trim_start_matches(['=', ' ']).split_whitespace().next()
    });
    let is_list = scan(file).is_some() || file.ends_with(".txt") || file.ends_with(".in") || file.ends_with(".pip");
    named.filter(|name| is_list && !name.contains("://")).map(|name| (name.to_owned(), read)).collect()
}

/// Finds the package of a requirement: `psycopg` for `psycopg[binary]>=3; python_version > "3"`.
fn name_of(requirement: &str) -> &str {
    let end = requirement.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
    &requirement[..end.unwrap_or(requirement.len())]
}

/// Spells a name with hyphens for dots (PEP 503).
fn spelled(name: &str) -> String {
    name.replace('.', "-")
}

fn uv_members(text: &str) -> Option<Vec<String>> {
    // Reading it is slow, and most manifests have none.
    if !text.contains("members") {
        return Some(Vec::new());
    }
    items_of(toml::flatten(text), &[&["tool", "uv", "workspace", "members"]])
}

#[cfg(test)]
mod tests {
    use crate::environment::ecosystems::manifest::testing::drivers_of;
    use crate::environment::ecosystems::python::PYTHON;

    #[test]
    fn drivers_are_found_in_each_kind_of_manifest() {
        let cases: &[(&str, &str, &[&str])] = &[
            (
                "requirements.txt",
                "# x\nrequests==2\npsycopg[binary]>=3 ; python_version > '3'\nDjango\n-r other.txt\n",
                &["3 psycopg", "4 Django"],
            ),
            ("requirements-dev.in", "Flask_SQLAlchemy~=3.0\n", &["1 Flask_SQLAlchemy"]),
            (
                "pyproject.toml",
                "[project]\nname = \"redis\"\ndependencies = [\n  \"httpx\",\n  \"asyncpg>=0.29\",\n]\n[project.optional-dependencies]\nx = [\"pymongo\"]\n",
                &["5 asyncpg", "8 pymongo"],
            ),
            (
                "pyproject.toml",
                "[tool.poetry.dependencies]\npython = \"^3.12\"\nSQLAlchemy = {version = \"2\"}\n[dependency-groups]\ndev = [\"alembic\"]\n",
                &["3 SQLAlchemy", "5 alembic"],
            ),
            ("Pipfile", "[[source]]\nname = \"pypi\"\n[packages]\nmysqlclient = \"*\"\n", &["4 mysqlclient"]),
            ("Pipfile.lock", "{\n \"default\": {\n  \"psycopg2-binary\": {\n", &["3 psycopg2-binary"]),
            ("uv.lock", "[[package]]\nname = \"redis\"\n", &["2 redis"]),
            ("setup.py", "setup(\n  install_requires=['requests', \"peewee>=3\"],\n)\n", &["2 peewee"]),
            ("setup.cfg", "[options]\ninstall_requires =\n    pymysql\n    click\n", &["3 pymysql"]),
            ("environment.yml", "dependencies:\n  - python=3.12\n  - conda-forge::psycopg2=2.9\n", &["3 psycopg2"]),
            ("environment.yml", "dependencies: [python, psycopg2]\n", &["1 psycopg2"]),
            ("environment.yml", "dependencies:\n  - pip\n  - pip:\n    - asyncpg>=1\n", &["4 asyncpg"]),
            ("pylock.toml", "[[packages]]\nname = \"psycopg\"\n", &["2 psycopg"]),
            ("requirements.txt", "django-upgrade\n", &[]),
        ];
        for (file, text, expected) in cases {
            assert_eq!(drivers_of(&PYTHON, file, text), *expected, "{file}");
        }
    }
}
