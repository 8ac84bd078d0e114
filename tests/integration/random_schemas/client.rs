//! The plain programs of PostgreSQL, against the tests' server.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::thread;

use crate::support::{Postgres, ended};

/// A database's own settings would decide how its values are shown, and whether they can be looked at.
const UNDISTURBED: &str = "-c role=none -c default_transaction_read_only=off -c statement_timeout=0 \
    -c session_replication_role=origin -c datestyle=ISO,YMD -c intervalstyle=postgres -c timezone=UTC -c lc_monetary=C \
    -c bytea_output=hex -c extra_float_digits=1 -c array_nulls=on -c search_path= -c standard_conforming_strings=on \
    -c client_encoding=UTF8 -c xmloption=content";

/// Runs a script in a database, under the database's settings; goes on after what fails.
pub(crate) fn psql(database: &str, user: &str, script: &str) -> Output {
    let mut psql = program("psql", database, user);
    fed(psql.args(["-X", "-q", "-A", "-t"]), script)
}

/// Runs a script as the superuser, whatever the database's settings are; goes on after what fails.
pub(crate) fn psql_undisturbed(database: &str, script: &str) -> Output {
    let mut psql = program("psql", database, Postgres::server().user());
    fed(psql.args(["-X", "-q", "-A", "-t"]).env("PGOPTIONS", UNDISTURBED), script)
}

/// The text of the database's definitions, its own among them.
pub(crate) fn definitions(database: &str) -> Output {
    let mut dump = program("pg_dump", database, Postgres::server().user());
    fed(dump.args(["--schema-only", "--create"]).env("PGOPTIONS", UNDISTURBED), "")
}

fn program(name: &str, database: &str, user: &str) -> Command {
    let server = Postgres::server();
    let mut command = Command::new(server.program(name));
    command.env_clear().env("LC_ALL", "C.UTF-8").env("PGCLIENTENCODING", "UTF8");
    // Every role of these tests has it.
    command.env("PGPASSWORD", server.password());
    command.args(["-h", "127.0.0.1", "-p", &server.port().to_string(), "-U", user, "-d", database]);
    command
}

fn fed(command: &mut Command, script: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stdin, text) = (child.stdin.take().unwrap(), script.to_owned());
    // Written beside the reading, so that neither pipe can fill up and stop the other.
    let writer = thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = ended(script, child);
    // A program that reads no further says why.
    let _ = writer.join().unwrap();
    output
}
