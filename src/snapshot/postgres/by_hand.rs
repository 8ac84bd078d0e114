//! Writes the commands that put a snapshot back by hand, without safe-test.

use crate::snapshot::beside_names::with_ending;
use crate::snapshot::postgres::Session;
use crate::snapshot::postgres::facts::Facts;
use crate::snapshot::postgres::psql::{identifier, literal};
use crate::text::shell_word;

/// What programs inside a container are given of the shell's variables.
const HANDED_ON: [&str; 5] = ["PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD"];

/// Writes them for one shell: where to connect, without the password; the present database gets another name; then the saved
/// one is made and filled from `FILE`.
pub(crate) fn by_hand(session: &Session, facts: &Facts) -> Vec<String> {
    let variables = session.connection.variables(&session.tools);
    let place = variables.iter().filter(|(name, _)| ["PGHOST", "PGPORT"].iter().any(|place| name == place));
    let settings: Vec<String> = place
        .map(|(name, value)| (name.to_string_lossy(), value.to_string_lossy().into_owned()))
        .chain([("PGUSER".into(), session.identity.user.clone())])
        .map(|(name, value)| format!("{name}={}", shell_word(&value)))
        .collect();
    // A program inside a container is given them, and its name, by the engine's.
    let inside = session.tools.inside.as_ref().map(|inside| inside.container.by_hand(&HANDED_ON));
    let within = inside.as_deref().unwrap_or_default();
    let database = &session.identity.database;
    let old = with_ending(database, "_before");
    let rename = format!("ALTER DATABASE {} RENAME TO {}", identifier(database), identifier(&old));
    let on_server = |statements: &[String]| format!("{within}{}", on_server(statements));
    let mut commands = vec![format!("export {}", settings.join(" "))];
    if inside.is_some() {
        // There, nobody can be asked for it.
        commands.push("read -rs PGPASSWORD && export PGPASSWORD".to_owned());
    }
    commands.push(on_server(&[rename]));
    let unpack = "zstd --decompress --stdout FILE";
    if session.tools.major == session.identity.major {
        commands.push(format!("{unpack} | {within}pg_restore --exit-on-error --create --dbname=postgres"));
        return commands;
    }
    // Newer tools set a parameter, and make a database with words, that the server may not know.
    let mut making = vec![facts.create(database, true, true)];
    making.extend(facts.settings(database));
    making.extend(facts.carry_over(database));
    let comment = facts.comment.iter();
    making.extend(comment.map(|text| format!("COMMENT ON DATABASE {} IS {}", identifier(database), literal(text))));
    commands.push(on_server(&making));
    commands.push(format!(
        "{unpack} | {within}pg_restore --single-transaction --file=- | LC_ALL=C sed '/^SET transaction_timeout = 0;$/d' | PGDATABASE={} {within}psql --no-psqlrc \
         --quiet --output=/dev/null --set=ON_ERROR_STOP=1",
        shell_word(database)
    ));
    commands
}

/// Gives statements to the server, each in a transaction of its own.
fn on_server(statements: &[String]) -> String {
    let statements = statements.iter().map(|statement| format!(" --command={}", shell_word(statement)));
    format!("psql --dbname=postgres{}", statements.collect::<String>())
}
