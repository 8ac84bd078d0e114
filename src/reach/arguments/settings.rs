//! Arguments that are settings by their names: `--db-host=x`, `-Ddb.host=x`, `DB_HOST=x`.

use crate::environment::{Invocation, Setting};
use crate::reach::assemble::ambient;
use crate::reach::grammars::text::mask_templates;
use crate::reach::names::{Name, Role};
use crate::tools::programs::takes_addresses;

/// Options by which migration tools are told a URL, where their names do not speak of a database.
///
/// Source: the command-line help of the programs.
const OF_A_URL: &[&str] =
    &["--connection", "--dsn", "--from-url", "--to-url", "--uri", "--url", "-D", "-d", "-database", "-u", "-url"];

/// Lists the settings that the words of a program are, unless it is a database's own; `is_tool` where it is one that migrates
/// databases.
pub(crate) fn settings(invocation: &Invocation, is_tool: bool) -> Vec<Setting> {
    let is_of_a_url = |word: &str| is_tool && OF_A_URL.contains(&word);
    let mut found = Vec::new();
    let mut words = invocation.words.iter().skip(1).peekable();
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, value),
            None if word.starts_with("--") || is_of_a_url(word) => match words.peek() {
                Some(next) if !next.starts_with('-') => (word.as_str(), next.as_str()),
                _ => continue,
            },
            None => continue,
        };
        let spelled = name;
        // `-d` is a folder, too.
        let name = match is_of_a_url(name) && (value.contains(['$', '`']) || value.contains("://")) {
            true => format!("{}-database-url", name.trim_start_matches('-')),
            false => match setting_name(name) {
                Some(name) => name.to_owned(),
                None => continue,
            },
        };
        let read = Name::read(&name);
        if read.says_database && read.role.is_some() && !read.stopped {
            let origin = ambient::typed(&invocation.origin, spelled);
            found.push(Setting::known(name, value, origin));
        }
    }
    found
}

/// Lists the arguments of a tool that are nothing but variables or what a command prints, where they may be addresses: by
/// themselves (`sqitch deploy $TARGET`), or behind a name that says so (`-x url=$X`, `--conn-string $X`).
pub(crate) fn may_be_addresses<'a>(program: &str, arguments: &'a [String]) -> impl Iterator<Item = &'a str> {
    let by_itself = takes_addresses(program);
    let says_url =
        |name: &str| OF_A_URL.contains(&name) || Name::read(name.trim_start_matches('-')).role == Some(Role::Url);
    let before = std::iter::once(None).chain(arguments.iter().map(Some));
    arguments.iter().zip(before).filter_map(move |(word, before)| {
        let option = before.filter(|before| before.starts_with('-') && !before.contains('='));
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if !name.contains('$') => (Some(name), value),
            _ => (option.map(String::as_str), word.as_str()),
        };
        let value = value.strip_prefix("db:").unwrap_or(value);
        let fits = |byte: u8| byte == b'_' || byte == b'$' || byte.is_ascii_alphanumeric();
        let is_filled_in = value.starts_with(['$', '`']) && mask_templates(value).bytes().all(fits);
        (is_filled_in && name.map_or(by_itself, says_url)).then_some(value)
    })
}

/// Finds the name in `--spring.datasource.url`, `-Ddb.host`, `-Pdb.host` or `DB_HOST`.
pub(crate) fn setting_name(word: &str) -> Option<&str> {
    let name = ["--", "-D", "-P"].iter().find_map(|before| word.strip_prefix(before)).unwrap_or(word);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
    (!name.is_empty() && !name.starts_with('-') && name.chars().all(fits)).then_some(name)
}
