//! A copy of a saved database that stays in the server beside its dump, so that to put it back takes no time, whatever the
//! size: `[run] fast_undo`.
//!
//! The dump is the promise, and the copy comes besides: where it cannot be made without harm, or cannot be proved to be of the
//! very state that was dumped, there is none, and why is said. It is made by `CREATE DATABASE … TEMPLATE`, for which nobody
//! else may be connected: nobody is sent away for it. The server itself lets nobody in while it copies. What was written between
//! the dump and the copy shows by the same means as what was written since a snapshot ([`state`](super::state)): each
//! statement of ours takes at least one number, so where the numbers have gone on by exactly as many as there were
//! statements, nobody else has written.
//!
//! A copy is closed to everybody from its first moment. Whoever opens it writes its row in `pg_database` anew; so where that
//! row is still the one that was written down, and the server has lived on, nobody was in it.
//!
//! Source: `createdb` in the server: it locks the template against new sessions, then counts those that are there.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use crate::snapshot::beside_names::{Purpose, endings, parts_of};
use crate::snapshot::engine::{Copying, Restoration};
use crate::snapshot::postgres::beside::{
    Marker, announce_at, create_marked, drop_database, marking, sessions_in, try_lock,
};
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::facts::Facts;
use crate::snapshot::postgres::psql::{identifier, literal, number, text};
use crate::snapshot::postgres::recorded::{Proof, RecordedCopy, ServerCopy, Since};
use crate::snapshot::postgres::replication;
use crate::snapshot::postgres::{PostgresError, Session, recorded};
use crate::snapshot::tool_process::{ToolError, attended};
use crate::snapshot::{AT_WORK, Copied, Ledger, Manifest, Restated, Watch};

/// How long the server may take to end the sessions of our own tools, which have ended.
const TOOLS_LEAVE_WITHIN: Duration = Duration::from_secs(2);

/// What stays free on the server's disk.
const MARGIN: u64 = 64 * 1024 * 1024;

/// From which size on the server copies files instead of writing each page to its log: that costs two checkpoints and a sync
/// of each file, and spares writing everything twice. Measured with 300 tables and with 300 MB.
const FILES_FROM: u64 = 128 * 1024 * 1024;

/// What came of a copy that was asked for.
pub(crate) struct Outcome {
    /// The copy, or why there is none, a phrase.
    pub(crate) copy: Result<ServerCopy, String>,
    /// What proves from now on that nothing was written since the dump.
    pub(crate) proof: Option<Proof>,
}

impl Outcome {
    /// Says what became of it, for those who wait for the snapshot.
    pub(crate) fn told(&self) -> Copied {
        match &self.copy {
            Ok(copy) => Copied::Kept { name: copy.name.clone() },
            Err(why) => Copied::NotKept { why: why.clone() },
        }
    }
}

/// Why there is no copy.
enum Hindrance {
    Reason(String),
    Error(PostgresError),
}

impl From<PostgresError> for Hindrance {
    fn from(error: PostgresError) -> Self {
        Hindrance::Error(error)
    }
}

const NO_PROOF: &str = "the server cannot prove that nothing is written meanwhile";

const WRITTEN: &str = "something was written on the server meanwhile";

/// Keeps a copy of the session's database, which was dumped when `proof` held; drops those that were kept before.
///
/// The session must be in no transaction.
///
/// # Errors
///
/// [`ToolError::Interrupted`] only: the copy is then dropped, or goes as what a killed call left. All else is a reason for
/// which there is no copy.
pub(crate) fn keep(
    session: &mut Session,
    facts: Option<&Facts>,
    proof: Option<Proof>,
    copying: &Copying<'_>,
    watch: &dyn Watch,
) -> Result<Outcome, PostgresError> {
    let made = match (&proof, facts) {
        (Some(before), Some(facts)) => make(session, facts, before, copying, watch),
        _ => Err(Hindrance::Reason(NO_PROOF.to_owned())),
    };
    match made {
        Ok((copy, proof)) => Ok(Outcome { copy: Ok(copy), proof: Some(proof) }),
        Err(Hindrance::Error(error @ PostgresError::Tool(ToolError::Interrupted))) => Err(error),
        Err(Hindrance::Error(error)) => Ok(Outcome { copy: Err(error.to_string()), proof }),
        Err(Hindrance::Reason(why)) => Ok(Outcome { copy: Err(why), proof }),
    }
}

/// [`keep`], for a snapshot since which nothing was written; writes the copy down. `None` where that nothing was written does
/// not hold to the end: then the snapshot does not serve, whether there is a copy or not.
///
/// # Errors
///
/// As [`keep`], and [`PostgresError::ConnectionLost`].
pub(crate) fn keep_for(
    session: &mut Session,
    manifest: &Manifest,
    copying: &Copying<'_>,
    watch: &dyn Watch,
) -> Result<Option<Copied>, PostgresError> {
    let facts = recorded::database(manifest);
    let outcome = keep(session, facts.as_ref(), recorded::proof(manifest), copying, watch)?;
    let told = outcome.told();
    let Outcome { copy, proof: Some(proof) } = outcome else { return Ok(None) };
    if session.state()?.as_ref() != Some(&proof) {
        return Ok(None);
    }
    // Of one that there is not, nothing is to be written down: the next run tries anew.
    let Ok(copy) = copy else { return Ok(Some(told)) };
    let name = copy.name.clone();
    let since = Since { proof: Some(proof.clone()), copy: RecordedCopy::Kept(copy) };
    let Err(error) = restate(&manifest.id, since, copying.ledger) else { return Ok(Some(told)) };
    // Nothing would ever use it.
    let dropped = drop_database(session, &name).is_ok();
    let is_unchanged = session.state()?.is_some_and(|now| has_gone_on_by(&proof, &now, u64::from(dropped)));
    Ok(is_unchanged.then(|| Copied::NotKept { why: format!("it could not be written down ({error})") }))
}

fn restate(snapshot: &str, since: Since, ledger: &dyn Ledger) -> Result<(), Box<dyn Error + Send + Sync>> {
    ledger.restate(&Restated { snapshot: snapshot.to_owned(), state: serde_json::to_value(since)? })
}

fn make(
    session: &mut Session,
    facts: &Facts,
    before: &Proof,
    copying: &Copying<'_>,
    watch: &dyn Watch,
) -> Result<(ServerCopy, Proof), Hindrance> {
    let database = session.identity.database.clone();
    let refuse = |why: String| Err(Hindrance::Reason(why));
    if !session.identity.may_exchange() {
        let user = &session.identity.user;
        return refuse(format!("the role `{user}` may not create databases, or does not own this one"));
    }
    let bound = replication::bound_to(&mut session.psql, &database)?;
    if !bound.is_empty() {
        return refuse(format!("logical replication is bound to the database: {bound}"));
    }
    let others = others_in(session, &database)?;
    if !others.is_empty() {
        return refuse(format!("others are connected to the database: {}", others.join(", ")));
    }
    if session.state()?.as_ref() != Some(before) {
        return refuse(WRITTEN.to_owned());
    }
    let size = expect_room(session)?;
    let [name] = announce_at(session, (copying.target, &database), copying.now, copying.ledger, [Purpose::Undo])?;
    let marker = Marker {
        purpose: Purpose::Undo,
        of: database,
        at: copying.now,
        comment: None,
        snapshot: Some(copying.snapshot.to_owned()),
    };
    let stoppers = [session.psql.stopper()];
    let made =
        attended(watch, &stoppers, || Ok::<_, PostgresError>(fill(session, facts, before, &name, &marker, size)));
    let made = made.map_err(Hindrance::from).flatten();
    if made.is_err() {
        // Its mark, or the log, lets the next run drop it otherwise.
        let _ = drop_database(session, &name);
    }
    made
}

/// Makes the copy, and makes sure of it.
fn fill(
    session: &mut Session,
    facts: &Facts,
    before: &Proof,
    name: &str,
    marker: &Marker,
    size: u64,
) -> Result<(ServerCopy, Proof), Hindrance> {
    let create = create(name, &marker.of, &facts.owner, strategy(&session.identity.version, size));
    create_marked(&mut session.psql, &create, &marking(name, marker))?;
    let mut statements = 2;
    let carried: Vec<String> = facts.settings(name).into_iter().chain(facts.grants(name)).collect();
    if !carried.is_empty() {
        session.psql.ask("BEGIN")?;
        if let Err(error) = carried.iter().try_for_each(|statement| session.psql.ask(statement).map(drop)) {
            session.psql.ask("ROLLBACK")?;
            return Err(Hindrance::Reason(format!("its settings and rights cannot be carried over ({error})")));
        }
        session.psql.ask("COMMIT")?;
        statements += 1;
    }
    let found = session.psql.ask(row_of(name))?;
    let [oid, written_by, ..] = found.as_slice() else { return Err(Hindrance::Reason("it is gone again".to_owned())) };
    let (oid, written_by) = (text(oid), text(written_by));
    let Some(after) = session.state()?.filter(|after| has_gone_on_by(before, after, statements)) else {
        return Err(Hindrance::Reason(WRITTEN.to_owned()));
    };
    let Some(life) = session.life()? else { return Err(Hindrance::Reason(NO_PROOF.to_owned())) };
    let dropped = drop_earlier(session, &marker.of, name)?;
    // Whoever writes from here on only makes the next run save anew.
    let proof = session.state()?.filter(|now| has_gone_on_by(&after, now, dropped)).unwrap_or(after);
    Ok((ServerCopy { name: name.to_owned(), oid, written_by, life }, proof))
}

/// Tells whether the server has gone on from `before` to `after` by exactly so many transactions, and nothing else is other.
fn has_gone_on_by(before: &Proof, after: &Proof, transactions: u64) -> bool {
    let finished = before.finished.parse::<u64>().map(|number| number + transactions);
    finished.is_ok_and(|finished| Proof { finished: finished.to_string(), ..before.clone() } == *after)
}

/// Writes the statement that makes a copy which nobody may enter.
fn create(name: &str, database: &str, owner: &str, strategy: &str) -> String {
    let (name, database, owner) = (identifier(name), identifier(database), identifier(owner));
    format!("CREATE DATABASE {name} TEMPLATE {database} OWNER {owner}{strategy} ALLOW_CONNECTIONS false")
}

/// Chooses how a server of that version copies so many bytes. Before 15 there is one way.
///
/// Source: PostgreSQL documentation, "CREATE DATABASE"; release notes of 15.3: before, `WAL_LOG` could lose later changes to
/// the database that was copied.
fn strategy(version: &str, size: u64) -> &'static str {
    let mut parts = version.split(|sign: char| !sign.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    match (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) {
        (..=14, _) => "",
        (15, ..=2) => " STRATEGY FILE_COPY",
        _ if size >= FILES_FROM => " STRATEGY FILE_COPY",
        _ => " STRATEGY WAL_LOG",
    }
}

/// Lists the sessions of others in the database, in words. Those of our own tools, which have ended, are waited for.
fn others_in(session: &mut Session, database: &str) -> Result<Vec<String>, PostgresError> {
    let since = Instant::now();
    loop {
        let all = sessions_in(&mut session.psql, database)?;
        // The server ends its own tidying by itself where somebody copies.
        let ends_soon = |one: &String| one.contains(" (safe-test, ") || one.contains(" (autovacuum worker, ");
        if all.is_empty() || !all.iter().all(ends_soon) || since.elapsed() > TOOLS_LEAVE_WITHIN {
            return Ok(all);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Makes sure that the server's disk holds a copy, where it is this machine's and can be asked; gives the database's size.
fn expect_room(session: &mut Session) -> Result<u64, Hindrance> {
    let fields = session.psql.ask(
        "SELECT pg_database_size(d.oid), pg_tablespace_location(d.dattablespace) FROM pg_database d \
         WHERE d.datname = current_database()",
    )?;
    let size: u64 = fields.first().and_then(|field| number(field)).unwrap_or(0);
    let folder = fields.get(1).map(|field| text(field)).filter(|folder| !folder.is_empty());
    let folder = folder.or_else(|| session.identity.data_directory.clone());
    let Some(found) = folder.and_then(|folder| rustix::fs::statvfs(folder).ok()) else { return Ok(size) };
    match lacks_room(found.f_bavail * found.f_frsize, size) {
        Some(why) => Err(Hindrance::Reason(why)),
        None => Ok(size),
    }
}

/// Says why a disk with so many bytes `free` does not hold a copy of so many; `None` where it does.
fn lacks_room(free: u64, size: u64) -> Option<String> {
    // Its pages go to the log as well, where that is the way.
    let written = if size >= FILES_FROM { size } else { size * 2 };
    let needed = written + MARGIN;
    let megabytes = |bytes: u64| bytes / 1_000_000;
    (free < needed).then(|| {
        format!("the server's disk has {} MB left, and a copy needs {} MB", megabytes(free), megabytes(needed))
    })
}

/// Drops the copies of the database that are ours, but for `new`: one is enough. Gives how many are gone.
fn drop_earlier(session: &mut Session, database: &str, new: &str) -> Result<u64, PostgresError> {
    let fields = session.psql.ask(format!(
        "SELECT d.datname, shobj_description(d.oid, 'pg_database') FROM pg_database d WHERE d.datname ~ {}",
        literal(&endings())
    ))?;
    let mut gone = 0;
    for row in fields.chunks_exact(2) {
        let name = text(&row[0]);
        let is_a_copy = parts_of(&name, database).is_some_and(|(purpose, _)| purpose == Purpose::Undo);
        let is_ours = Marker::read(&text(&row[1])).is_some_and(|marker| marker.is_on(&name) && marker.of == database);
        // One that stays is told, and dropped when it can be.
        if is_a_copy && is_ours && name != new && try_lock(session, &name)? && drop_database(session, &name).is_ok() {
            gone += 1;
        }
    }
    Ok(gone)
}

/// Writes the question for the row that a database has, its mark, and whether it is closed.
fn row_of(name: &str) -> String {
    format!(
        "SELECT d.oid, d.xmin, d.datallowconn, shobj_description(d.oid, 'pg_database') FROM pg_database d \
         WHERE d.datname = {}",
        literal(name)
    )
}

/// What is known before a copy is put in its database's place, to [prove](put_in_place) afterwards that nobody has written.
pub(crate) fn before(server: &mut Session, manifest: &Manifest) -> Result<Option<Proof>, PostgresError> {
    let Some(saved) = recorded::proof(manifest) else { return Ok(None) };
    // A copy has the sequences of the database that it was made of, under their own numbers.
    Ok(server.state()?.map(|now| Proof { sequences: saved.sequences, ..now }))
}

/// Writes down that a database is again what its snapshot holds, where `before` proves it: its copy has just been put in its
/// place, in one transaction, and nobody has written since. So the next run need not dump it anew.
///
/// Where that cannot be proved, or not be written down, it is not: then the next run saves anew.
pub(crate) fn put_in_place(copy: &str, before: Option<Proof>, restoration: &Restoration<'_>, database: Connection) {
    let Some(before) = before else { return };
    let Ok(Some(after)) = Session::connect(database).and_then(|mut database| database.state()) else { return };
    let before = Proof { database: after.database.clone(), ..before };
    if has_gone_on_by(&before, &after, 1) {
        let since = Since { proof: Some(after), copy: RecordedCopy::UsedUp(copy.to_owned()) };
        let _ = restate(&restoration.stored.manifest.id, since, restoration.ledger);
    }
}

/// What a snapshot's copy is good for.
pub(crate) enum Standing {
    /// None was kept, or asked for.
    None,
    /// It holds what was dumped.
    Good(ServerCopy),
    /// It does not, or that cannot be known: why, a phrase.
    Bad(String),
}

/// Tells whether the copy that was kept for a snapshot still holds what was dumped. `server` is a session in any database of
/// the snapshot's own server.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn standing(server: &mut Session, manifest: &Manifest) -> Result<Standing, PostgresError> {
    let copy = match recorded::copy(manifest) {
        Some(RecordedCopy::Kept(copy)) => copy,
        Some(RecordedCopy::UsedUp(name)) => {
            return Ok(Standing::Bad(format!("`{name}`, which was kept for it, is gone: a restore has used it up")));
        }
        Some(RecordedCopy::NotKept(_)) | None => return Ok(Standing::None),
    };
    let bad = |why: &str| Ok(Standing::Bad(format!("`{}`, {why}", copy.name)));
    let found = server.psql.ask(row_of(&copy.name))?;
    let [oid, written_by, is_open, comment] = found.as_slice() else { return bad("which was kept for it, is gone") };
    let is_its_own = |marker: Marker| {
        let is_for_it = marker.snapshot.as_deref() == Some(&*manifest.id) && marker.of == manifest.database;
        is_for_it && marker.purpose == Purpose::Undo && marker.is_on(&copy.name)
    };
    if !Marker::read(&text(comment)).is_some_and(is_its_own) {
        return bad("which was kept for it, does not bear its mark any more");
    }
    if text(oid) != copy.oid || text(written_by) != copy.written_by || is_open != b"f" {
        return bad("which was kept for it, was changed since");
    }
    if server.life()?.as_ref() != Some(&copy.life) {
        return bad("which was kept for it, is not relied on: the server was started anew since");
    }
    Ok(Standing::Good(copy))
}

/// [`standing`], for who is about to use the copy up: nobody else does so as long as the session lives.
pub(crate) fn for_restore(server: &mut Session, manifest: &Manifest) -> Result<Standing, PostgresError> {
    if let Some(RecordedCopy::Kept(copy)) = recorded::copy(manifest)
        && !try_lock(server, &copy.name)?
    {
        return Ok(Standing::Bad(format!("`{}`, which was kept for it, cannot be had: {AT_WORK}", copy.name)));
    }
    standing(server, manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_copies_in_a_way_that_is_safe_and_fast() {
        let (small, large) = (FILES_FROM - 1, FILES_FROM);
        for (version, size, expected) in [
            ("14.9", large, ""),
            ("15.0 (Debian 15.0-1)", small, " STRATEGY FILE_COPY"),
            ("15.2", small, " STRATEGY FILE_COPY"),
            ("15.18 (Debian 15.18-0+deb12u1)", small, " STRATEGY WAL_LOG"),
            ("16devel", small, " STRATEGY WAL_LOG"),
            ("18.1", large, " STRATEGY FILE_COPY"),
        ] {
            assert_eq!(strategy(version, size), expected, "{version}");
        }
    }

    #[test]
    fn a_copy_that_the_disk_would_not_hold_is_not_begun() {
        let (small, large) = (FILES_FROM - 1, FILES_FROM);
        for (free, size, is_enough) in [
            (small * 2 + MARGIN, small, true),
            (small * 2 + MARGIN - 1, small, false),
            (large + MARGIN, large, true),
            (large + MARGIN - 1, large, false),
            (0, 0, false),
        ] {
            assert_eq!(lacks_room(free, size).is_none(), is_enough, "{free} {size}");
        }
        let why = "the server's disk has 5 MB left, and a copy needs 1067 MB";
        assert_eq!(lacks_room(5_000_000, 1_000_000_000).as_deref(), Some(why));
    }

    #[test]
    fn what_others_write_shows_in_the_number_of_transactions() {
        let proof = |finished: &str, sequences: &str| Proof {
            system: "1".to_owned(),
            started: "2".to_owned(),
            timeline: "3".to_owned(),
            recovered: "4".to_owned(),
            processes: "5".to_owned(),
            finished: finished.to_owned(),
            database: "7".to_owned(),
            sequences: sequences.to_owned(),
        };
        let before = proof("100", "a");
        for (after, expected) in [
            (proof("102", "a"), true),
            (proof("103", "a"), false),
            (proof("101", "a"), false),
            (proof("102", "b"), false),
        ] {
            assert_eq!(has_gone_on_by(&before, &after, 2), expected, "{after:?}");
        }
    }
}
