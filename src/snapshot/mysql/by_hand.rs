//! Writes the commands that put a snapshot back by hand, without safe-test.

use crate::reach::Place;
use crate::snapshot::beside_names::with_ending;
use crate::snapshot::containers::Inside;
use crate::snapshot::mysql::Session;
use crate::snapshot::mysql::client::identifier;
use crate::text::shell_word;

/// Writes them for one shell: what is there now is dumped beside, the database is made anew, and filled from `FILE`. The
/// programs ask for the password.
///
/// Under another name it could not be filled: triggers may name the database that they are in.
pub(crate) fn by_hand(session: &Session, options: &str) -> Vec<String> {
    let connection = &session.connection;
    let seen_inside = |inside: &Inside| Place::Host { name: "127.0.0.1".to_owned(), port: Some(inside.port) };
    let inside = connection.tools.inside.as_ref();
    let place = match &inside.map_or_else(|| connection.at().clone(), seen_inside) {
        Place::Host { name, port } => {
            format!("--protocol=TCP --host={} --port={}", shell_word(name), port.unwrap_or(3306))
        }
        Place::Socket { path, .. } => format!("--socket={}", shell_word(&path.to_string_lossy())),
        Place::File { .. } | Place::Memory | Place::Instance { .. } => String::new(),
    };
    let user = connection.user().map(|user| format!(" --user={}", shell_word(user))).unwrap_or_default();
    let within = inside.map(|inside| inside.container.by_hand(&["MYSQL_PWD"])).unwrap_or_default();
    // Inside a container nobody can be asked for it.
    let (first, password) = match inside {
        Some(_) => (Some("read -rs MYSQL_PWD && export MYSQL_PWD".to_owned()), ""),
        None => (None, " --password"),
    };
    let client = format!("{within}{} {place}{user}{password}", connection.client_name());
    let database = session.identity.database.as_str();
    let name = identifier(database);
    let make = format!("DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name} {options}");
    first.into_iter().chain([
        format!(
            "{within}{} {place}{user}{password} --single-transaction --routines --triggers --events --hex-blob -- {} > \
             {}",
            connection.dump_name(),
            shell_word(database),
            shell_word(&with_ending(database, "_before.sql"))
        ),
        format!("{client} --execute={}", shell_word(&make)),
        // Comments in routines, and line ends in texts, are to come back as they were.
        format!(
            "zstd --decompress --stdout FILE | {client} --binary-mode --comments --default-character-set=utf8mb4 \
             --max-allowed-packet=1G --database={}",
            shell_word(database)
        ),
    ])
    .collect()
}
