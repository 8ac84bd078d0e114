//! Writes the commands that put a snapshot back by hand, without safe-test.

use crate::reach::Place;
use crate::snapshot::beside_names::with_ending;
use crate::snapshot::mysql::Session;
use crate::snapshot::mysql::client::identifier;
use crate::text::shell_word;

/// Writes them for one shell: what is there now is dumped beside, the database is made anew, and filled from `FILE`. The
/// programs ask for the password.
///
/// Under another name it could not be filled: triggers may name the database that they are in.
pub(crate) fn by_hand(session: &Session, options: &str) -> Vec<String> {
    let connection = &session.connection;
    let place = match connection.at() {
        Place::Host { name, port } => {
            format!("--protocol=TCP --host={} --port={}", shell_word(name), port.unwrap_or(3306))
        }
        Place::Socket { path, .. } => format!("--socket={}", shell_word(&path.to_string_lossy())),
        Place::File { .. } | Place::Memory | Place::Instance { .. } => String::new(),
    };
    let user = connection.user().map(|user| format!(" --user={}", shell_word(user))).unwrap_or_default();
    let client = format!("{} {place}{user} --password", connection.client_name());
    let database = session.identity.database.as_str();
    let name = identifier(database);
    let make = format!("DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name} {options}");
    vec![
        format!(
            "{} {place}{user} --password --single-transaction --routines --triggers --events --hex-blob -- {} > \
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
    ]
}
