//! Exchanges what a database holds for the tables of another one and their definitions, and keeps what was there: its tables
//! go to a third database in the very statement that brings the others in.
//!
//! A server of this kind has no name to change of a database, only of tables; `RENAME TABLE` takes them to another database
//! and is done for all of them or for none. Views, triggers, routines and events cannot go along. They are kept as text in
//! a table of the third database, which is written before anything is changed, so that whatever fails, and whenever we are
//! killed, nothing of the old is lost.
//!
//! Source: MySQL Reference Manual, "RENAME TABLE Statement"; a table with triggers cannot leave its database (1435).

use crate::snapshot::mysql::beside;
use crate::snapshot::mysql::catalog;
use crate::snapshot::mysql::catalog::Tables;
use crate::snapshot::mysql::client::{Client, identifier};
use crate::snapshot::mysql::definitions;
use crate::snapshot::mysql::definitions::Named;
use crate::snapshot::mysql::dump::{DumpReader, Handing, Held, differing_definitions, differing_tables, named};
use crate::snapshot::mysql::kept::{KEPT, Kept, TablesOf, keep};
use crate::snapshot::mysql::moved::moved;
use crate::snapshot::mysql::objects::Kind;
use crate::snapshot::mysql::take::look;
use crate::snapshot::mysql::{MysqlError, Session};
use crate::snapshot::tool_process::ToolError;
use crate::snapshot::{Unwatched, Watch};

/// Who takes whose place.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    /// The database in use.
    pub(crate) database: &'a str,
    /// The one whose tables are to come in.
    pub(crate) incoming: &'a str,
    /// [Whose](TablesOf) its tables are; `None` where they are new.
    pub(crate) incoming_tables: Option<&'a str>,
    /// The name that what is there is kept under; announced.
    pub(crate) replaced: &'a str,
    /// What follows the database's name where it is made.
    pub(crate) options: &'a str,
    /// What is to be carried out once the tables are there.
    pub(crate) definitions: &'a [u8],
    /// What the database is to hold then.
    pub(crate) expected: &'a Held,
    /// How the definitions were handed on.
    pub(crate) handing: &'a Handing,
}

/// What was in the database.
struct Old {
    tables: Tables,
    kept: Kept,
}

/// What came of an exchange.
#[derive(Debug, Default)]
pub(crate) struct Exchanged {
    /// Whether there was a database, which is kept now.
    pub(crate) is_kept: bool,
    /// What a person should know, a sentence each.
    pub(crate) notes: Vec<String>,
}

/// Exchanges them.
///
/// # Errors
///
/// [`MysqlError::InUse`] if a table stays in use, and those of the server: all is as it was. After
/// [`MysqlError::HalfRestored`] it may not be: the error says where what was there is.
pub(crate) fn exchange(
    server: &mut Session,
    exchange: &Exchange<'_>,
    watch: &dyn Watch,
) -> Result<Exchanged, MysqlError> {
    let _turn = beside::take_turn(server, exchange.database)?;
    let is_there = server.exists(exchange.database)?;
    if !is_there {
        beside::create(server, exchange.database, exchange.options)?;
    }
    let mut notes = Vec::new();
    notes.extend(definitions::told(exchange.handing, &server.identity, exchange.expected));
    let old = old(server, exchange, &mut notes, watch)?;
    let entangled = catalog::entangled(&mut server.client, exchange.database, &old.tables)?;
    if !entangled.is_empty() {
        let what = format!(
            "foreign keys lead into the database, out of it, or to a table that is gone ({})",
            named(&entangled)
        );
        return Err(MysqlError::NotRestorable { what });
    }
    beside::create(server, exchange.replaced, &old.kept.options)?;
    if let Err(error) = keep(&mut server.client, exchange.replaced, &old.kept) {
        forget(server, exchange, is_there);
        return Err(error);
    }
    let mut is_moved = false;
    let outcome = change(server, exchange, &old, &mut is_moved, watch);
    let Err(error) = outcome else {
        match different(server, exchange, watch) {
            Ok(differences) => notes.extend(differences),
            Err(error) => notes
                .push(format!("Whether views, triggers and routines are as saved could not be looked at: {error}.")),
        }
        if !is_there {
            forget_kept(server, exchange.replaced);
        }
        return Ok(Exchanged { is_kept: is_there, notes });
    };
    let error = explained(server, exchange.database, error);
    let remains = match undo(server, exchange, &old, is_moved) {
        Ok(but) => {
            // The only text of what is otherwise now stays.
            if but.differences.is_empty() {
                forget(server, exchange, is_there);
            }
            match but.told(exchange.replaced) {
                None => return Err(error),
                Some(but) => format!("all is as it was, but {but}"),
            }
        }
        Err(failed) => format!("what it held before is in `{}` as far as it was changed ({failed})", exchange.replaced),
    };
    Err(MysqlError::HalfRestored { step: "what the database held was exchanged", remains, source: Box::new(error) })
}

/// Looks at what is in the database.
fn old(
    server: &mut Session,
    exchange: &Exchange<'_>,
    notes: &mut Vec<String>,
    watch: &dyn Watch,
) -> Result<Old, MysqlError> {
    let database = exchange.database;
    let options = catalog::options(&mut server.client, database)?;
    let tables = catalog::tables(&mut server.client, database)?;
    let others = catalog::definitions(&mut server.client, database)?;
    if !tables.broken_views.is_empty() {
        let names: Vec<&str> = tables.broken_views.iter().map(String::as_str).collect();
        notes.push(format!("What was there had views that did not work, which are not kept: {}.", names.join(", ")));
    }
    let newest = moved(server, database)?.pop().map(|moved| moved.tables_of.incoming);
    let incoming = match exchange.incoming_tables {
        Some(known) => known.to_owned(),
        None => server.client.ask("SELECT UUID()")?.concat().concat(),
    };
    let tables_of = TablesOf { kept: newest.unwrap_or_default(), incoming };
    let mut kept = Kept { tables: tables.data.len() as u64, options, definitions: Vec::new(), tables_of };
    if !tables.views.is_empty() || !others.is_empty() {
        let mut more = definitions::options(server, database, exchange.handing);
        more.extend(tables.broken_views.iter().map(|name| format!("--ignore-table={database}.{name}")));
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        (_, kept.definitions) = look(server, database, &more, &[], DumpReader::collecting(&Handing::WHOLE), watch)?;
    }
    Ok(Old { tables, kept })
}

/// Moves the tables, drops what cannot be moved, and makes the new definitions.
///
/// Before the tables are moved nothing is dropped but what keeps them from it, and that not before they were seen to be
/// free: moving them may have to wait, and we may be killed meanwhile.
fn change(
    server: &mut Session,
    exchange: &Exchange<'_>,
    old: &Old,
    is_moved: &mut bool,
    watch: &dyn Watch,
) -> Result<(), MysqlError> {
    let incoming = catalog::tables(&mut server.client, exchange.incoming)?;
    server.client.ask("SET SESSION foreign_key_checks = 0")?;
    wait_until_free(server, exchange.database, &old.tables)?;
    if watch.interrupted() {
        return Err(ToolError::Interrupted.into());
    }
    definitions::clear_the_way(&mut server.client, exchange.database, &incoming)?;
    let out = old.tables.data.keys().map(|name| (exchange.database, exchange.replaced, name));
    let r#in = incoming.data.keys().filter(|name| *name != KEPT);
    let moves: Vec<_> = out.chain(r#in.map(|name| (exchange.incoming, exchange.database, name))).collect();
    rename(&mut server.client, &moves)?;
    *is_moved = true;
    // A view that does not work cannot be made again: it goes last.
    let broken = old.tables.broken_views.iter().map(|name| (Kind::View, name.clone()));
    let spared: Named = broken.chain(exchange.handing.staying.iter().cloned()).collect();
    definitions::drop_all_but(&mut server.client, exchange.database, &spared)?;
    set_options(&mut server.client, exchange.database, &old.kept.options, exchange.options)?;
    beside::carry_out(server, exchange.database, exchange.definitions, watch)?;
    for name in &old.tables.broken_views {
        let is_expected = exchange.expected.definitions.contains_key(&(Kind::View, name.clone()))
            || exchange.expected.tables.contains_key(name);
        if !is_expected {
            server.client.ask(format!("DROP VIEW IF EXISTS {}.{}", identifier(exchange.database), identifier(name)))?;
        }
    }
    Ok(())
}

/// Waits until nobody has a table of the database in use, by a session of its own, which keeps nothing from anybody: that
/// each is to take its own name fails once all of them are free. `LOCK TABLES` would want a right that moving them does not.
///
/// # Errors
///
/// That of a lock that was waited for in vain. Whatever else fails does not show here: moving the tables shows it.
///
/// Source: `mysql_rename_tables` in both servers locks all names, old and new, before it looks for tables of the new ones.
fn wait_until_free(server: &Session, database: &str, tables: &Tables) -> Result<(), MysqlError> {
    if tables.data.is_empty() {
        return Ok(());
    }
    let stays: Vec<_> = tables.data.keys().map(|name| (database, database, name)).collect();
    match rename(&mut server.again(None)?.client, &stays) {
        Err(error) if error.is_of_a_lock() => Err(error),
        _ => Ok(()),
    }
}

/// Moves tables to other databases, all or none.
fn rename(client: &mut Client, moves: &[(&str, &str, &String)]) -> Result<(), MysqlError> {
    if moves.is_empty() {
        return Ok(());
    }
    let renamed = |(from, to, name): &(&str, &str, &String)| {
        format!("{}.{} TO {}.{}", identifier(from), identifier(name), identifier(to), identifier(name))
    };
    let moves: Vec<String> = moves.iter().map(renamed).collect();
    // In such a comment: where we are killed while the client is still told, what it was told is no statement, and none of
    // the tables is moved.
    client.ask(format!("/*!50000 RENAME TABLE {} */", moves.join(", "))).map(drop)
}

fn set_options(client: &mut Client, database: &str, are: &str, wanted: &str) -> Result<(), MysqlError> {
    if are == wanted {
        return Ok(());
    }
    client.ask(format!("ALTER DATABASE {} {wanted}", identifier(database))).map(drop)
}

/// What is not as it was though it was put back.
struct But {
    /// Views that did not work, and cannot be made.
    gone: Vec<String>,
    /// What became otherwise as it was made again, a phrase each.
    differences: Vec<String>,
}

impl But {
    /// Says it, with where the text is of what is otherwise; `None` where there is nothing to say.
    fn told(&self, replaced: &str) -> Option<String> {
        let gone =
            (!self.gone.is_empty()).then(|| format!("views that did not work are gone: {}", self.gone.join(", ")));
        let differences = (!self.differences.is_empty()).then(|| {
            format!("not what was made again, of which the text stays in `{replaced}`: {}", named(&self.differences))
        });
        let told: Vec<String> = gone.into_iter().chain(differences).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }
}

/// Puts back what was there, by a session of its own.
fn undo(server: &mut Session, exchange: &Exchange<'_>, old: &Old, is_moved: bool) -> Result<But, MysqlError> {
    *server = server.again(None)?;
    // Nobody takes what is unfinished for a leftover meanwhile.
    beside::try_lock(server, exchange.database, exchange.replaced)?;
    let client = &mut server.client;
    client.ask("SET SESSION foreign_key_checks = 0")?;
    let here = catalog::tables(client, exchange.database)?;
    let there = catalog::tables(client, exchange.replaced)?;
    // Where the answer was lost, what is there tells whether the tables were moved.
    let is_moved = is_moved || there.data.keys().any(|name| name != KEPT);
    if is_moved {
        let broken = old.tables.broken_views.iter().map(|name| (Kind::View, name.clone()));
        let spared: Named = broken.chain(exchange.handing.staying.iter().cloned()).collect();
        definitions::drop_all_but(client, exchange.database, &spared)?;
        let back = here.data.keys().map(|name| (exchange.database, exchange.incoming, name));
        let again = old.tables.data.keys().map(|name| (exchange.replaced, exchange.database, name));
        rename(client, &back.chain(again).collect::<Vec<_>>())?;
    }
    let options = catalog::options(client, exchange.database)?;
    set_options(client, exchange.database, &options, &old.kept.options)?;
    // Nobody may stop what puts back what was there.
    let (expected, made) = definitions::make_missing(server, exchange.database, &old.kept.definitions, &Unwatched)?;
    let differences = match made.is_empty() {
        true => Vec::new(),
        false => definitions::differing(server, exchange.database, &expected, &Unwatched)?,
    };
    let now = catalog::tables(&mut server.client, exchange.database)?;
    let is_gone = |name: &&String| !now.broken_views.contains(*name) && !now.views.contains(*name);
    Ok(But { gone: old.tables.broken_views.iter().filter(is_gone).cloned().collect(), differences })
}

/// Says who keeps a table in use, where that is what went wrong.
fn explained(server: &Session, database: &str, error: MysqlError) -> MysqlError {
    if !error.is_of_a_lock() {
        return error;
    }
    let users = server.again(None).and_then(|mut again| catalog::users_of(&mut again.client, database));
    let users = users.ok().filter(|users| !users.is_empty());
    let users = users.unwrap_or_else(|| "by a session that has ended, or that the user is not told of".to_owned());
    MysqlError::InUse { database: database.to_owned(), users }
}

/// Drops what was made for an exchange that did not take place.
fn forget(server: &Session, exchange: &Exchange<'_>, was_there: bool) {
    // What stays is ours by the log, and goes with the next run.
    if let Ok(mut again) = server.again(None) {
        let _ = beside::drop_database(&mut again.client, exchange.replaced);
        if !was_there {
            let _ = beside::drop_database(&mut again.client, exchange.database);
        }
    }
}

/// Drops a database that keeps nothing but the table of definitions.
pub(crate) fn forget_kept(server: &Session, name: &str) {
    if let Ok(mut again) = server.again(None) {
        let is_empty =
            catalog::tables(&mut again.client, name).is_ok_and(|tables| tables.data.keys().all(|table| table == KEPT));
        if is_empty {
            let _ = beside::drop_database(&mut again.client, name);
        }
    }
}

/// Compares what the server makes of the definitions now with what was saved, where there are any.
fn different(server: &Session, exchange: &Exchange<'_>, watch: &dyn Watch) -> Result<Vec<String>, MysqlError> {
    let expected = exchange.expected;
    if expected.definitions.is_empty() && !expected.tables.values().any(|table| table.has_foreign_keys) {
        return Ok(Vec::new());
    }
    let more = definitions::options(server, exchange.database, exchange.handing);
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    let (found, _) = look(server, exchange.database, &more, &[], DumpReader::reading(), watch)?;
    let is_read = |kind: Kind| !exchange.handing.routines_are_unread || !kind.is_routine();
    let mut differences = differing_definitions(expected, &found, exchange.handing.definers, &is_read);
    // Of what is brought back the tables are known to be those that were taken away.
    if !expected.tables.is_empty() {
        differences.extend(differing_tables(&expected.without_rows(), &found.without_rows()));
    }
    Ok(match differences.as_slice() {
        [] => Vec::new(),
        _ => vec![format!("Not as it was saved: {}.", named(&differences))],
    })
}
