//! Fills a new database from a dump: exactly as it was saved, and where the server does not take that, without what it
//! refused. Each attempt is one transaction, so that nothing of a failed one is left.
//!
//! A dump sets the search path to nothing. What a function calls by a bare name (in an index, a check, a generated
//! column, a materialised view) is then not found, though it is wherever the application works. So the last resort is
//! the dump's text with the database's own search path in it, through psql.
//!
//! Source: PostgreSQL 10.3 release notes (CVE-2018-1058), and "pg_dump", "Notes".

use std::ffi::OsString;
use std::io::{Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::thread;

use crate::regular;
use crate::snapshot::Watch;
use crate::snapshot::postgres::names::schema_of;
use crate::snapshot::postgres::process;
use crate::snapshot::postgres::psql::literal;
use crate::snapshot::postgres::readback::feed;
use crate::snapshot::postgres::whole::Whole;
use crate::snapshot::postgres::{PostgresError, Session};
use crate::snapshot::threads;
use crate::snapshot::tool_process::{Running, ToolError, attended};

/// How the dump is given to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Manner {
    /// With the owners and grants of the objects.
    owners: bool,
    /// With each table and index in the tablespace that it was in.
    tablespaces: bool,
    /// With the search path of the database.
    search_path: bool,
}

/// Fills the empty database `name` with the dump; gives what a person should know of how, a sentence each.
///
/// # Errors
///
/// Those of the last attempt; the database is then still empty.
pub(crate) fn load(
    server: &Session,
    whole: &Whole<'_>,
    name: &str,
    watch: &dyn Watch,
) -> Result<Vec<String>, PostgresError> {
    let mut manner = Manner { owners: true, tablespaces: true, search_path: false };
    let mut notes = Vec::new();
    loop {
        let Err(error) = attempt(server, whole, name, manner, watch) else { return Ok(notes) };
        if manner.tablespaces && about_tablespaces(&error) {
            manner.tablespaces = false;
            notes.push(format!("Tables and indexes are in the database's own tablespace now: {error}"));
        } else if !manner.search_path && about_names(&error) {
            manner.search_path = true;
            notes.push(format!("It was restored with the database's own search path, since with none: {error}"));
        } else if manner.owners && (about_roles(&error) || about_names(&error)) {
            // An owner finds no names in a schema that is granted only at a dump's end.
            manner.owners = false;
            notes.push(format!("Owners and grants of the objects were not restored: {error}"));
        } else {
            return Err(error);
        }
    }
}

/// Tells whether a failure may come from names without a schema. Messages in another language are taken for it: the
/// next attempt shows.
fn about_names(error: &PostgresError) -> bool {
    match error {
        PostgresError::Tool(ToolError::Failed { message, .. }) => {
            !message.contains("ERROR:") || (message.contains("does not exist") && !message.contains("role \""))
        }
        _ => false,
    }
}

/// Tells whether a failure comes from a tablespace that is gone, or that is not ours to use: the setting that a dump
/// makes for it has its name in every language.
fn about_tablespaces(error: &PostgresError) -> bool {
    matches!(error, PostgresError::Tool(ToolError::Failed { message, .. }) if message.contains("tablespace"))
}

/// Tells whether a failure may come from roles that are missing or not ours; as for messages in another language, see
/// above.
fn about_roles(error: &PostgresError) -> bool {
    match error {
        PostgresError::Tool(ToolError::Failed { message, .. }) => {
            !message.contains("ERROR:")
                || ["role", "owner", "permission", "member"].iter().any(|word| message.contains(word))
        }
        _ => false,
    }
}

fn attempt(
    server: &Session,
    whole: &Whole<'_>,
    name: &str,
    manner: Manner,
    watch: &dyn Watch,
) -> Result<(), PostgresError> {
    let program = whole.tools.program("pg_restore");
    let mut command = server.connection.command(&program);
    command.args(["--exit-on-error", "--single-transaction", "--no-password"]);
    if !manner.owners {
        command.args(["--no-owner", "--no-acl"]);
    }
    if !manner.tablespaces {
        command.arg("--no-tablespaces");
    }
    let mut client = None;
    if manner.search_path {
        // Without a database, pg_restore writes the text of what it would have done.
        command.arg("--file=-");
        client = Some(start_client(server, whole, name)?);
    } else {
        command.arg(dbname(name));
    }
    let dump = whole.dump;
    let file = regular::open_own(dump.path).map_err(PostgresError::file("read", dump.path))?;
    let mut restore = process::start("pg_restore", command, server.connection.secrets())?;
    let mut stoppers = vec![restore.stopper()];
    stoppers.extend(client.as_ref().map(Running::stopper));
    let path = search_path(whole);
    let (fed, ended, ran) = attended::<_, PostgresError>(watch, &stoppers, || {
        let (text, script) = (restore.stdout(), client.as_mut().and_then(Running::stdin));
        thread::scope(|scope| {
            let passing = script.map(|script| threads::start(scope, || pass_on(text, script, &path)));
            let passing = passing.transpose().map_err(ToolError::NoThread)?;
            let fed = feed(dump.path, file, dump.compressed, &mut restore, watch);
            if let Some(passing) = passing {
                // A client that has ended says itself why.
                let _ = threads::joined(passing);
            }
            Ok((fed, restore.finish(), client.as_mut().map_or(Ok(()), Running::finish)))
        })
    })?;
    let (fed, found) = fed?;
    dump.expect(&found)?;
    // What the server said comes first: the reader fails because nobody listens any more.
    ran?;
    ended?;
    fed.map_err(|error| PostgresError::Damaged { path: dump.path.to_owned(), reason: error.to_string() })
}

/// Starts a psql that carries out what comes on its stdin, and ends at the first error.
fn start_client(server: &Session, whole: &Whole<'_>, name: &str) -> Result<Running, PostgresError> {
    let mut command = server.connection.with("PGDATABASE", name).command(&whole.tools.program("psql"));
    command.args(["-X", "-w", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=terse"]);
    command.args(["--output=/dev/null", "--file=-"]);
    Ok(process::start("psql", command, server.connection.secrets())?)
}

/// How a dump's text sets the search path, before anything else that it does.
const NO_SEARCH_PATH: &[u8] = b"SELECT pg_catalog.set_config('search_path', '', false);\n";
/// Where in the text that is at the latest.
const SETTINGS_AT_MOST: usize = 64 * 1024;

/// Passes the text of a dump on, with another search path. It ends with `COMMIT`: a text that breaks off changes nothing.
fn pass_on(text: Option<ChildStdout>, mut client: ChildStdin, search_path: &str) -> std::io::Result<()> {
    let Some(mut text) = text else { return Ok(()) };
    let (mut beginning, mut piece) = (Vec::new(), vec![0; 64 * 1024]);
    while beginning.len() < SETTINGS_AT_MOST {
        if let Some(at) = memchr::memmem::find(&beginning, NO_SEARCH_PATH) {
            let setting = format!("SELECT pg_catalog.set_config('search_path', {}, false);\n", literal(search_path));
            beginning.splice(at..at + NO_SEARCH_PATH.len(), setting.into_bytes());
            break;
        }
        let read = text.read(&mut piece)?;
        if read == 0 {
            break;
        }
        beginning.extend_from_slice(&piece[..read]);
    }
    client.write_all(&beginning)?;
    std::io::copy(&mut text, &mut client).map(drop)
}

/// Returns the search path of the saved database, followed by its other schemas.
fn search_path(whole: &Whole<'_>) -> String {
    let setting = whole.facts.settings.iter().find(|setting| setting.role.is_none() && setting.name == "search_path");
    let own = setting.map_or("\"$user\", public", |setting| &setting.value);
    // The tables are sorted by name, so that those of a schema stand together.
    let mut schemas: Vec<&str> = whole.promised.tables.iter().map(|table| schema_of(&table.name)).collect();
    schemas.dedup();
    std::iter::once(own).chain(schemas).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// `pg_restore` takes the database as an argument only, and reads it as a connection string where it looks like one: so
/// it is given as one.
///
/// Source: PostgreSQL documentation, "Keyword/Value Connection Strings": `\` and `'` are escaped with `\`.
fn dbname(name: &str) -> OsString {
    let escaped = name.replace('\\', r"\\").replace('\'', r"\'");
    format!("--dbname=dbname='{escaped}'").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::ForeignText;

    #[test]
    fn a_name_cannot_be_read_as_a_connection_string() {
        assert_eq!(dbname(r"host=x d'b\"), OsString::from(r"--dbname=dbname='host=x d\'b\\'"));
    }

    #[test]
    fn what_a_failure_may_come_from_is_told_apart() {
        let failed = |message: &str| {
            let status = "exited with status 1".to_owned();
            PostgresError::Tool(ToolError::Failed { tool: "pg_restore", status, message: ForeignText::of(message) })
        };
        for (message, names, roles) in [
            ("ERROR:  function unaccent(text) does not exist", true, false),
            ("ERROR:  relation \"owners\" does not exist", true, true),
            ("ERROR:  role \"gone\" does not exist", false, true),
            ("ERROR:  permission denied to create extension \"x\"", false, true),
            ("ERROR:  duplicate key value", false, false),
            ("FEHLER:  Rolle »x« existiert nicht", true, true),
        ] {
            assert_eq!((about_names(&failed(message)), about_roles(&failed(message))), (names, roles), "{message}");
        }
        let interrupted = PostgresError::Tool(ToolError::Interrupted);
        assert!(!about_names(&interrupted) && !about_roles(&interrupted));
    }
}
