//! A call of compose: which files it reads, what fills their values in, and whose container engine it talks to.

use std::path::{Path, PathBuf};

use crate::environment::Project;
use crate::environment::ecosystems::compose::variables::Variables;
use crate::environment::layering::{Library, StartEnvironment};
use crate::environment::paths::{nearest, normal};
use crate::environment::services::compose_files::option_values;

const NAMES: &[&str] = &["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// Finds the file that compose takes by itself, and its override.
pub(crate) fn default_files(folder: &Path, library: &Library<'_>) -> Vec<PathBuf> {
    let Some(name) = NAMES.iter().find(|name| library.exists(&folder.join(name))) else { return Vec::new() };
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "yml"));
    let overriding = folder.join(format!("{stem}.override.{extension}"));
    let mut files = vec![folder.join(name)];
    files.extend(Some(overriding).filter(|path| library.exists(path)));
    files
}

/// Tells whether compose talks to a container engine that may be another machine's.
pub(crate) fn is_at_another_engine(words: &[&str], host: &StartEnvironment) -> bool {
    let at = words.iter().position(|word| word.contains("compose") || ["run", "exec", "up"].contains(word));
    let of_engine = &words[..at.unwrap_or(words.len())];
    let names_one = of_engine
        .iter()
        .any(|word| ["-H", "-c", "--host", "--context"].contains(&word.split('=').next().unwrap_or(word)));
    let variables = [host.get("DOCKER_HOST").filter(|url| !url.starts_with("unix:")), host.get("DOCKER_CONTEXT")];
    names_one || variables.into_iter().flatten().any(|value| !matches!(value, "" | "default"))
}

pub(crate) fn home(folder: &Path, project: &Project, library: &Library<'_>) -> Option<PathBuf> {
    let found = nearest(library.files, folder, &project.root, NAMES)?;
    found.parent().map(Path::to_owned)
}

/// Finds compose's own options among the words: those between its name and its subcommand.
pub(crate) fn own_words<'w>(words: &'w [&'w str]) -> &'w [&'w str] {
    let start = words.iter().position(|word| word.contains("compose")).map_or(words.len(), |at| at + 1);
    let end = words[start..].iter().position(|word| ["run", "exec", "up"].contains(word));
    &words[start..end.map_or(words.len(), |length| start + length)]
}

/// Lists the files that `-f` or COMPOSE_FILE name instead of the usual ones, later ones over earlier ones.
pub(crate) fn named_files(own: &[&str], variables: &Variables<'_>, folder: &Path) -> Vec<PathBuf> {
    let named = option_values(own, &["--file", "-f"]);
    if !named.is_empty() {
        return named.into_iter().map(|name| named_file(name, variables, folder)).collect();
    }
    let separator = variables.get("COMPOSE_PATH_SEPARATOR").filter(|text| !text.is_empty());
    let listed = variables.get("COMPOSE_FILE").unwrap_or_default();
    let names = listed.split(separator.as_deref().unwrap_or(":")).filter(|name| !name.is_empty());
    names.map(|name| folder.join(name)).collect()
}

/// Finds the file that a word names. Where the word begins with what a script computes (`"$ROOT/compose.yml"`), its plain
/// end is looked for in the folder.
pub(crate) fn named_file(word: &str, variables: &Variables<'_>, folder: &Path) -> PathBuf {
    let name = word.trim_matches('"').strip_prefix('$').map(|name| name.trim_matches(['{', '}']));
    let value = name.and_then(|name| variables.get(name));
    let word = value.as_deref().unwrap_or(word).trim_matches('"');
    let computed = word.rfind(['$', '`', ')', '}']);
    let plain = match computed.and_then(|at| word[at..].split_once('/')) {
        Some((_, plain)) => plain,
        None => word,
    };
    normal(&folder.join(plain))
}

/// Lists the files that `--env-file` or COMPOSE_ENV_FILES name instead of `.env`, later ones over earlier ones.
pub(crate) fn env_files(own: &[&str], host: &StartEnvironment, folder: &Path) -> Vec<PathBuf> {
    let mut named = option_values(own, &["--env-file"]);
    if named.is_empty() {
        named.extend(host.get("COMPOSE_ENV_FILES").unwrap_or_default().split(',').filter(|name| !name.is_empty()));
    }
    named.into_iter().map(|name| folder.join(name)).collect()
}
