//! Drops and makes what is no table: views, triggers, routines, events.

use std::collections::BTreeSet;

use crate::snapshot::Watch;
use crate::snapshot::dump_reading::DumpText;
use crate::snapshot::mysql::beside;
use crate::snapshot::mysql::catalog;
use crate::snapshot::mysql::catalog::Tables;
use crate::snapshot::mysql::client::{Client, identifier};
use crate::snapshot::mysql::dump::{COMPLETED, Definers, DumpReader, Handing, Held, differing_definitions, named};
use crate::snapshot::mysql::objects::Kind;
use crate::snapshot::mysql::obstacles::foreign_definers;
use crate::snapshot::mysql::session::Identity;
use crate::snapshot::mysql::take::look;
use crate::snapshot::mysql::{MysqlError, Session};

/// Objects by kind and name.
pub(crate) type Named = BTreeSet<(Kind, String)>;

/// Lists what a database has of them, views that do not work among them.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn present(client: &mut Client, database: &str) -> Result<Named, MysqlError> {
    let tables = catalog::tables(client, database)?;
    let mut found: Named = catalog::definitions(client, database)?.into_keys().collect();
    found.extend(tables.views.into_iter().chain(tables.broken_views).map(|name| (Kind::View, name)));
    Ok(found)
}

/// Decides how definitions are handed on to `database`, by what the user may do and may read.
///
/// Routines stay as they are that could not be made again: all of them where the user may not read the text of each, since no
/// dump of this user's holds any then; and functions where the server wants more rights of who makes one.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn handing(server: &mut Session, database: &str) -> Result<Handing, MysqlError> {
    let routines_are_unread = !catalog::unreadable_routines(&mut server.client, database)?.is_empty();
    let present = catalog::definitions(&mut server.client, database)?.into_keys();
    let identity = &server.identity;
    let stays =
        |kind: Kind| routines_are_unread && kind.is_routine() || identity.distrusts_routines && kind == Kind::Function;
    Ok(Handing {
        definers: if identity.rights.may_set_definers() { Definers::Kept } else { Definers::Dropped },
        without_triggers_and_functions: identity.distrusts_routines,
        staying: present.filter(|(kind, _)| stays(*kind)).collect(),
        routines_are_unread,
    })
}

/// Says what became of definitions that were handed on so, a sentence each; `held` are those that were to be made.
#[must_use]
pub(crate) fn told(handing: &Handing, identity: &Identity, held: &Held) -> Vec<String> {
    let mut notes = Vec::new();
    let account = &identity.account;
    if !handing.staying.is_empty() {
        let listed: Vec<String> =
            handing.staying.iter().map(|(kind, name)| format!("{} `{name}`", kind.word())).collect();
        let why = match handing.routines_are_unread {
            true => format!("`{account}` may not read the text of all routines"),
            false => format!("`{account}` may not make functions while the server logs changes"),
        };
        notes.push(format!("These stay as they are, since {why}: {}.", named(&listed)));
    }
    let foreign = foreign_definers(identity, held);
    if handing.definers == Definers::Dropped && !foreign.is_empty() {
        notes.push(format!("These work for `{account}` now, who may not set another: {}.", foreign.join(", ")));
    }
    notes
}

/// Lists the options of a dump that holds all that the user may read of a database but for its rows. With a routine that may
/// not be read the dump program fails.
pub(crate) fn options(server: &Session, database: &str, handing: &Handing) -> Vec<String> {
    let mut options = vec!["--no-data".to_owned(), "--triggers".to_owned()];
    if !handing.routines_are_unread {
        options.push("--routines".to_owned());
    }
    if server.identity.rights.has("EVENT", database) {
        options.push("--events".to_owned());
    }
    options
}

/// Compares what a database has of them with what it is to have, and whom they work for: what differs, or may not be read, a
/// phrase each.
///
/// # Errors
///
/// Those of the server and of the dump program.
pub(crate) fn differing(
    server: &mut Session,
    database: &str,
    expected: &Held,
    watch: &dyn Watch,
) -> Result<Vec<String>, MysqlError> {
    let handing = handing(server, database)?;
    let broken = catalog::tables(&mut server.client, database)?.broken_views;
    let mut options = options(server, database, &handing);
    options.extend(broken.iter().map(|name| format!("--ignore-table={database}.{name}")));
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let (found, _) = look(server, database, &options, &[], DumpReader::reading(), watch)?;
    let is_read = |kind: Kind| !handing.routines_are_unread || !kind.is_routine();
    let mut differences = differing_definitions(expected, &found, Definers::Kept, &is_read);
    let unread = expected.definitions.keys().filter(|(kind, _)| !is_read(*kind));
    differences.extend(unread.map(|(kind, name)| format!("the {} `{name}` may not be read", kind.word())));
    Ok(differences)
}

/// Drops those that are not in `spared`.
///
/// # Errors
///
/// Those of the server: some may be dropped.
pub(crate) fn drop_all_but(client: &mut Client, database: &str, spared: &Named) -> Result<(), MysqlError> {
    let present = present(client, database)?;
    drop_each(client, database, present.iter().filter(|one| !spared.contains(one)))
}

/// Drops what keeps tables from being moved: triggers, with which a table cannot leave its database, and views that have
/// the name of a table of `incoming`.
///
/// # Errors
///
/// Those of the server: some may be dropped.
pub(crate) fn clear_the_way(client: &mut Client, database: &str, incoming: &Tables) -> Result<(), MysqlError> {
    let present = present(client, database)?;
    let is_in_the_way = |(kind, name): &&(Kind, String)| match kind {
        Kind::Trigger => true,
        Kind::View => incoming.data.contains_key(name),
        _ => false,
    };
    drop_each(client, database, present.iter().filter(is_in_the_way))
}

fn drop_each<'n>(
    client: &mut Client,
    database: &str,
    listed: impl Iterator<Item = &'n (Kind, String)>,
) -> Result<(), MysqlError> {
    // Bodies before their packages, which take them along.
    let mut all: Vec<_> = listed.collect();
    all.sort_by_key(|(kind, _)| *kind == Kind::Package);
    for (kind, name) in all {
        let word = kind.word().to_ascii_uppercase();
        client.ask(format!("DROP {word} IF EXISTS {}.{}", identifier(database), identifier(name)))?;
    }
    Ok(())
}

/// Makes those of `text`, which was collected, that the database has not, and gives what the text holds and which were made.
///
/// # Errors
///
/// [`MysqlError::NotKept`] where the text is not whole, and those of the client: some may be made.
pub(crate) fn make_missing(
    server: &mut Session,
    database: &str,
    text: &[u8],
    watch: &dyn Watch,
) -> Result<(Held, Named), MysqlError> {
    let mut handing = handing(server, database)?;
    handing.staying.extend(present(&mut server.client, database)?);
    let mut reader = DumpReader::collecting(&handing);
    reader.feed(text);
    reader.feed(COMPLETED);
    let not_whole = |reason| MysqlError::NotKept { database: database.to_owned(), reason };
    let (held, missing) = reader.finish().map_err(not_whole)?;
    let made: Named =
        held.definitions.keys().filter(|(kind, name)| !handing.leaves_out(*kind, name)).cloned().collect();
    if !made.is_empty() {
        beside::carry_out(server, database, &missing, watch)?;
    }
    Ok((held, made))
}
