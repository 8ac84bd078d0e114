//! Fills a database from a dump, in one transaction: the dump's text goes statement by statement through [`rewrite`] to psql.
//!
//! What of it this server cannot take is found out by asking the server, not by trying again: parameters of another
//! version, roles, tablespaces, foreign keys that do not hold. Nothing of a load that fails is left.

mod batch;
mod checks;
mod client;
mod foreign_keys;
mod known;
mod rewrite;
mod rights;
mod routes;
mod search_path;
mod told;

use std::io::Read;
use std::process::ChildStdout;
use std::thread;

use crate::regular;
use crate::snapshot::Watch;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::postgres::load::client::Client;
use crate::snapshot::postgres::load::rewrite::Rewriter;
pub(crate) use crate::snapshot::postgres::load::told::Told;
use crate::snapshot::postgres::process;
use crate::snapshot::postgres::psql::Psql;
use crate::snapshot::postgres::readback::{PIECE, feed};
use crate::snapshot::postgres::script::{Script, ScriptReader};
use crate::snapshot::postgres::whole::Whole;
use crate::snapshot::postgres::{PostgresError, Session};
use crate::snapshot::threads;
use crate::snapshot::tool_process::{ToolError, attended};

/// Where a dump is loaded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Destination<'a> {
    pub(crate) database: &'a str,
    /// Statements that empty the database, each without its semicolon: carried out first in the same transaction.
    pub(crate) before: &'a [String],
}

/// A dump that was loaded.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The session that loaded it, with the settings of the dump: what it made, it finds again soonest.
    pub(crate) session: Psql,
    /// What it holds.
    pub(crate) script: Script,
    /// What a person should know of how, a sentence each.
    pub(crate) notes: Vec<String>,
    /// What of it the notes tell.
    pub(crate) told: Told,
}

/// Fills the empty database `name` with the dump.
///
/// # Errors
///
/// Those of [`load_into`]; the database is then still empty.
pub(crate) fn load(
    server: &Session,
    whole: &Whole<'_>,
    name: &str,
    watch: &dyn Watch,
) -> Result<Loaded, PostgresError> {
    load_into(server, whole, Destination { database: name, before: &[] }, watch, |_, _| Ok(()))
}

/// Fills a database with the dump, which is read once: its bytes are hashed, its rows counted and digested, as they pass,
/// and the transaction is committed only if they are what the manifest says. `check` may look at the database before that,
/// and refuse it. Sessions of ours in it, and the checks, see the settings that the database itself has.
///
/// # Errors
///
/// [`ToolError::Failed`] of psql with what the server said and of which statement; [`PostgresError::NotRestorable`],
/// [`DumpError::HashMismatch`], [`DumpError::Damaged`], [`DumpError::NotWhole`], those of `check`,
/// [`ToolError::Interrupted`]. The database is then as it was before. Only where the connection is lost while the transaction is committed
/// ([`PostgresError::ConnectionLost`]) this is not known.
pub(crate) fn load_into(
    server: &Session,
    whole: &Whole<'_>,
    destination: Destination<'_>,
    watch: &dyn Watch,
    check: impl FnOnce(&mut Psql, &Script) -> Result<(), PostgresError> + Send,
) -> Result<Loaded, PostgresError> {
    let dump = whole.dump;
    server.expect_reached_by(&whole.tools)?;
    let file = regular::open_own(dump.path).map_err(PostgresError::file("read", dump.path))?;
    let mut command = server.connection.command(&whole.tools, "pg_restore");
    // Without a database it writes the text of what it would do, and so without a transaction for each large object.
    command.args(["--single-transaction", "--file=-"]);
    let mut reader = process::start("pg_restore", command, server.connection.secrets())?;
    let client = Client::start(server, whole, destination.database)?;
    let stoppers = [reader.stopper(), client.stopper()];
    let mut rewriter = Rewriter::new(client, &whole.facts);
    let (rewriter, script, notes, told) = attended::<_, PostgresError>(watch, &stoppers, || {
        for statement in destination.before {
            rewriter.client.ask(statement)?;
        }
        rewriter.system_functions(&whole.facts.system_functions)?;
        let text = reader.stdout();
        let (fed, carried_out) = thread::scope(|scope| {
            let feeding = threads::start(scope, || feed(dump.path, file, dump.compressed, &mut reader, watch));
            let feeding = feeding.map_err(ToolError::NoThread)?;
            let carried_out = carry_out(text, &mut rewriter);
            Ok::<_, PostgresError>((threads::joined(feeding), carried_out))
        })?;
        let (fed, found) = fed?;
        dump.expect(&found)?;
        // What the server said comes first: the reader fails because nobody listens any more.
        let script = carried_out?;
        let damaged = |reason: String| PostgresError::Dump(DumpError::Damaged { path: dump.path.to_owned(), reason });
        fed.map_err(|error| damaged(error.to_string()))?;
        let ended = reader.finish();
        ended.map_err(|error| if reader.was_cut_off() { error.into() } else { damaged(error.to_string()) })?;
        if !script.complete {
            return Err(damaged("the dump breaks off".to_owned()));
        }
        whole.expect(&script)?;
        let (notes, told) = rewriter.finish(&server.identity.user)?;
        rewriter.client.asked_by(|psql| check(psql, &script))?;
        Ok((rewriter, script, notes, told))
    })?;
    Ok(Loaded { session: rewriter.client.commit()?, script, notes, told })
}

/// Carries out the text that the reader makes, to its end; gives what it holds.
fn carry_out(mut text: Option<ChildStdout>, rewriter: &mut Rewriter) -> Result<Script, PostgresError> {
    let (mut script, mut piece) = (ScriptReader::digesting(), vec![0; PIECE]);
    while let Some(read @ 1..) = text.as_mut().and_then(|text| text.read(&mut piece).ok()) {
        script.pass(&piece[..read], &mut |part| rewriter.take(part))?;
    }
    Ok(script.finish())
}
