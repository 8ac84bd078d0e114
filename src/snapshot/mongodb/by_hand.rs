//! Writes the commands that put a snapshot back by hand, without safe-test.

use crate::reach::Place;
use crate::snapshot::containers::Inside;
use crate::snapshot::mongodb::connection::{Connection, described};
use crate::text::shell_word;

/// Writes them for one shell: what is there now is dumped beside, the database is dropped, since what came later would stay,
/// and made again from `FILE`. The programs ask for the password.
pub(crate) fn by_hand(connection: &Connection, database: &str) -> Vec<String> {
    let inside = connection.tools.inside.as_ref();
    let seen_inside = |inside: &Inside| Place::Host { name: "127.0.0.1".to_owned(), port: Some(inside.port) };
    let at = described(&inside.map_or_else(|| connection.at().clone(), seen_inside));
    let at = at.replace('/', "%2F");
    let account = connection.account();
    let source = account.map(|own| format!("&authSource={}", own.source)).unwrap_or_default();
    let url = format!("mongodb://{at}/?directConnection=true{source}");
    // Inside a container nobody can be asked for it.
    let (first, password) = match (account, inside) {
        (Some(_), Some(_)) => (Some("read -rs MONGO_PASSWORD".to_owned()), " --password \"$MONGO_PASSWORD\""),
        _ => (None, ""),
    };
    let user = account.map(|own| format!(" --username {}{password}", shell_word(&own.user))).unwrap_or_default();
    let within = inside.map(|inside| inside.container.by_hand(&[])).unwrap_or_default();
    let tool = |name: &str| format!("{within}{name} --uri {}{user}", shell_word(&url));
    let own_shell = url.replacen("/?", &format!("/{database}?"), 1);
    let name = shell_word(database);
    let archive = shell_word(&format!("{database}.archive")).into_owned();
    first
        .into_iter()
        .chain([
            format!(
                "{} --db {name} --archive > {}",
                tool("mongodump"),
                shell_word(&format!("{database}_before.archive"))
            ),
            format!("{within}mongosh {}{user} --eval 'db.dropDatabase()'", shell_word(&own_shell)),
            format!("zstd --decompress FILE -o {archive}"),
            format!(
                "{} --nsInclude {} --stopOnError --maintainInsertionOrder --bypassDocumentValidation {}",
                tool("mongorestore"),
                shell_word(&format!("{database}.*")),
                match inside {
                    Some(_) => format!("--archive < {archive}"),
                    None => format!("--archive={archive}"),
                }
            ),
        ])
        .collect()
}
