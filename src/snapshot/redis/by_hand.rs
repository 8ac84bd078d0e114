//! Writes the commands that put a snapshot back by hand, without safe-test.

use crate::snapshot::redis::session::Session;
use crate::text::{shell_word, shown};

/// The port at which the second server is reached meanwhile.
const OTHER: u16 = 6399;

/// Writes them for one shell: a second server is loaded with `FILE`, and the first takes over what it holds. Inside a
/// container the second has to be inside as well.
pub(crate) fn by_hand(session: &Session) -> Vec<String> {
    let (connection, family) = (&session.connection, session.info.family());
    let within = session.inside.as_ref().map(|inside| inside.container.by_hand(&[])).unwrap_or_default();
    let words = connection.arguments();
    let words: Vec<String> = words.iter().map(|word| shell_word(&shown(word)).into_owned()).collect();
    // The port inside may be another than the one that is published.
    let arguments = session.inside.as_ref().map_or(words.join(" "), |inside| format!("-p {}", inside.port));
    let client = format!("{within}{}", family.client());
    let server = family.server();
    let (fetch, folder) = match &session.inside {
        Some(_) => (format!("{within}sh -c 'cat > /tmp/back.rdb' < back.rdb"), "/tmp"),
        None => ("export REDISCLI_AUTH=PASSWORD    # where there is one".to_owned(), "\"$PWD\""),
    };
    vec![
        "zstd --decompress FILE -o back.rdb".to_owned(),
        fetch,
        format!(
            "{within}{server} --port {OTHER} --bind 127.0.0.1 --dir {folder} --dbfilename back.rdb --save '' --appendonly no &"
        ),
        format!("{client} {arguments} REPLICAOF 127.0.0.1 {OTHER}"),
        format!("{client} {arguments} INFO replication    # until it says master_link_status:up"),
        format!("{client} {arguments} REPLICAOF NO ONE"),
        format!("{client} -p {OTHER} SHUTDOWN NOSAVE"),
    ]
}
