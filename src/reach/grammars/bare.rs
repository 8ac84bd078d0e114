//! Values without a scheme under a name that promises a URL: `DATABASE_URL=localhost:5432/app`.

use crate::reach::grammars::host::locate_list;
use crate::reach::grammars::oracle;
use crate::reach::grammars::placeholder::{host_doubt, means_nothing};
use crate::reach::grammars::sqlite;
use crate::reach::grammars::sqlite::looks_like_file;
use crate::reach::grammars::url;
use crate::reach::{Doubt, Draft, Engine, Lookup, Place};
use crate::secret::MASK;

/// Tells whether a text is the name of a file of settings (`jcache.xml`): no top-level domain is called so.
fn names_configuration(text: &str) -> bool {
    const ENDINGS: [&str; 6] = [".json", ".properties", ".toml", ".xml", ".yaml", ".yml"];
    !text.contains(['@', ':']) && ENDINGS.iter().any(|ending| text.to_ascii_lowercase().ends_with(ending))
}

/// Reads `[login@]host[:port][/database]`, a file's name, or text that stands for a URL.
pub(crate) fn parse(engine: Option<Engine>, text: &str, lookup: &Lookup<'_>) -> Vec<Draft> {
    let engine = engine.unwrap_or(Engine::Unknown);
    if means_nothing(text) || text.bytes().all(|byte| byte.is_ascii_digit()) || names_configuration(text) {
        return Vec::new();
    }
    if engine == Engine::Sqlite || looks_like_file(text) && !text.contains('@') {
        let engine = if engine == Engine::Duckdb { engine } else { Engine::Sqlite };
        return sqlite::plain_path(text, engine, lookup);
    }
    if engine == Engine::Oracle && !text.contains("://") {
        let login = oracle::login(text, true);
        return vec![login.unwrap_or_else(|| oracle::connect_name(text.rsplit('@').next().unwrap_or(text)))];
    }
    let rest = text.trim_start_matches("//");
    let whole_is_template = host_doubt(text).is_some() && !text.contains(['/', '@', ' ']);
    if whole_is_template {
        let mut draft = Draft::at(engine, Place::Host { name: text.to_lowercase(), port: None });
        host_doubt(text).into_iter().for_each(|doubt| draft.doubt(doubt));
        return vec![draft];
    }
    if rest.starts_with('/') {
        // A path alone is a socket or its folder.
        return vec![Draft::at(engine, Place::Socket { path: rest.into(), port: None })];
    }
    if rest.contains(',') && !rest.contains('@') {
        let (places, doubts) = locate_list(rest);
        let mut draft = Draft { places, ..Draft::new(engine) };
        doubts.into_iter().for_each(|doubt| draft.doubt(doubt));
        return if draft.places.is_empty() { Vec::new() } else { vec![draft] };
    }
    let mut draft = url::parse_rest(engine, "", rest);
    draft.socket_by_default = false;
    if draft.engine == Engine::Unknown
        && let [Place::Host { port: Some(port), .. }] = draft.places[..]
    {
        draft.engine = Engine::of_port(port).unwrap_or(Engine::Unknown);
    }
    // A single word without a port or a path is no address that anything would dial as it stands.
    let word_alone = !rest.contains(['/', ':', '@', '.']) && rest != "localhost";
    if word_alone {
        draft.doubt(Doubt::Syntax);
    }
    if draft.doubts.contains(&Doubt::Syntax) && rest.contains(char::is_whitespace) {
        // Prose, or a secret: nothing of it is shown.
        draft = Draft::at(engine, Place::Host { name: MASK.to_owned(), port: None });
        draft.doubt(Doubt::Syntax);
    }
    if draft.places.is_empty() { Vec::new() } else { vec![draft] }
}
