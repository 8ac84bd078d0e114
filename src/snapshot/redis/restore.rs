//! Puts a server back: loads a temporary one with the file, and has the server take over what that one holds.

use std::thread;
use std::time::{Duration, Instant};

use crate::secret::Secret;
use crate::snapshot::Watch;
use crate::snapshot::engine::{Restoration, Restored};
use crate::snapshot::redis::RedisError;
use crate::snapshot::redis::compare::compare;
use crate::snapshot::redis::connection::Connection;
use crate::snapshot::redis::error::Refusal;
use crate::snapshot::redis::installed::{Family, ServerProgram, Tools, Version, installed, servers, version_of};
use crate::snapshot::redis::rdb::Held;
use crate::snapshot::redis::session::{Session, ask, open_server};
use crate::snapshot::redis::temporary::{Login, Temporary};
use crate::snapshot::redis::whole;
use crate::snapshot::tool_process::ToolError;
use crate::snapshot::turn::Turn;

/// How the password begins with which a server logs in to a temporary one: by it a restore that was broken off is known.
const MARK: &str = "safe-test-restoring-";

/// The setting with the password with which a server logs in to the one that it copies.
const MASTER_PASSWORD: &str = "masterauth";

/// What stands for all databases of a server where one has a name.
const ALL: &str = "all databases";

/// For how long a server may make no step towards the temporary one.
const PATIENCE: Duration = Duration::from_secs(60);

/// Keys whose time is over within as many milliseconds from now are not compared: they may go meanwhile.
const GOING: u64 = 120_000;

/// A restore whose snapshot was verified, and whose target is the snapshot's own.
pub(crate) struct PreparedRestore<'r> {
    restoration: Restoration<'r>,
    program: ServerProgram,
}

/// Prepares to put a snapshot back. What a restore that was broken off has left of the server's state is mended: it takes
/// writes again, and can be saved.
///
/// # Errors
///
/// Those of [`whole::Whole::read`]; [`RedisError::OtherServer`], [`RedisError::NoServerProgram`]. No key was changed.
pub(crate) fn prepare_restore<'r>(
    restoration: &Restoration<'r>,
    watch: &dyn Watch,
) -> Result<PreparedRestore<'r>, RedisError> {
    let whole = whole::of(restoration)?;
    let session = own_server(restoration)?;
    let program = program_for(&session, restoration)?;
    whole.read(restoration.environment, watch)?;
    mend(restoration, session, watch)?;
    Ok(PreparedRestore { restoration: *restoration, program })
}

/// Puts a snapshot back at once: [`prepare_restore`], then [`PreparedRestore::carry_out`].
#[cfg(test)]
pub(crate) fn restore(restoration: &Restoration<'_>, watch: &dyn Watch) -> Result<Restored, RedisError> {
    prepare_restore(restoration, watch)?.carry_out(watch)
}

/// Connects to the target's server and makes sure that it is the one that the snapshot is of.
fn own_server(restoration: &Restoration<'_>) -> Result<Session, RedisError> {
    let session = open_server(restoration.target, restoration.environment)?;
    match restoration.other_server(&session.fingerprint, &session.info.named()) {
        None => Ok(session),
        Some((snapshot, here)) => Err(RedisError::OtherServer { snapshot, here }),
    }
}

/// Finds the server program that reads the file, and whose file the server reads.
fn program_for(session: &Session, restoration: &Restoration<'_>) -> Result<ServerProgram, RedisError> {
    let info = &session.info;
    if let Some(inside) = &session.inside {
        let what = format!("the server runs inside the container {}", inside.container.name());
        return Err(RedisError::NoServerProgram { what });
    }
    if session.connection.setting("tls-replication")?.is_some_and(|value| value == "yes") {
        let what = "the server copies others by TLS only (`tls-replication`)".to_owned();
        return Err(RedisError::NoServerProgram { what });
    }
    fitting(restoration, info.family(), info.version_numbers())
}

fn fitting(restoration: &Restoration<'_>, family: Family, version: Version) -> Result<ServerProgram, RedisError> {
    let found = servers(restoration.environment).into_iter().find(|one| one.fits(family, version));
    found.ok_or_else(|| RedisError::NoServerProgram {
        what: format!(
            "there is no {} here that reads what a server of version {}.{} writes",
            family.server(),
            version.0,
            version.1
        ),
    })
}

/// Loads a snapshot into a temporary server, and finds out whether that holds the same.
///
/// # Errors
///
/// [`RedisError::NoServerProgram`], [`RedisError::Temporary`], `DumpError::NotWhole`.
pub(crate) fn rehearse(restoration: &Restoration<'_>, watch: &dyn Watch) -> Result<(), RedisError> {
    let saved = restoration.stored.manifest.server.as_ref().map_or("", |server| server.version.as_str());
    let (family, version) = saved_by(saved);
    let program = fitting(restoration, family, version)?;
    let tools = installed(restoration.environment).into_iter().next().ok_or(RedisError::NoTools)?;
    let login = Login::new("", None)?;
    let (temporary, _, _) = loaded(restoration, &program, &tools, &login, watch)?;
    drop(temporary);
    Ok(())
}

/// Reads [`Info::named`](crate::snapshot::redis::session::Info::named).
fn saved_by(saved: &str) -> (Family, Version) {
    let (name, version) = saved.split_once(' ').unwrap_or(("", saved));
    let family = Family::ALL.into_iter().find(|family| family.name() == name).unwrap_or(Family::Redis);
    (family, version_of(version).unwrap_or_default())
}

/// Starts a temporary server with the snapshot, and compares it with the file. Gives besides what it is to hold, and by which
/// time keys were left out.
fn loaded(
    restoration: &Restoration<'_>,
    program: &ServerProgram,
    tools: &Tools,
    login: &Login,
    watch: &dyn Watch,
) -> Result<(Temporary, Held, u64), RedisError> {
    let whole = whole::of(restoration)?;
    let over = u64::try_from(restoration.now.timestamp_millis()).unwrap_or(0) + GOING;
    let expected = whole.summed(over, watch)?;
    // It has to have each database that the file names.
    let databases = expected.databases.keys().max().map_or(16, |last| last + 1).max(16);
    let (dump, environment) = (&restoration.stored.dump, restoration.environment);
    let temporary = Temporary::start(program, tools, dump, login, databases, environment, watch)?;
    compare(&temporary.connection, "the temporary server", &expected, over, watch)?;
    Ok((temporary, expected, over))
}

/// What of a server's settings lets it log in to a temporary one.
struct Entrance {
    login: Login,
    /// Whether the password is set for it, and taken away afterwards.
    is_set: bool,
}

impl Entrance {
    /// Takes the password that the server would log in with anyway, or makes one for it.
    fn of(connection: &Connection) -> Result<Entrance, RedisError> {
        let user = connection.setting("masteruser")?.filter(|user| !user.is_empty());
        let own = connection.setting(MASTER_PASSWORD)?.filter(|own| !own.is_empty() && !own.starts_with(MARK));
        Ok(match own {
            Some(own) => Entrance { login: Login { user, password: Secret::new(own) }, is_set: false },
            None => Entrance { login: Login::new(MARK, user)?, is_set: true },
        })
    }

    fn open(&self, connection: &Connection) -> Result<(), RedisError> {
        if self.is_set { connection.set(MASTER_PASSWORD, &self.login.password) } else { Ok(()) }
    }

    fn close(&self, connection: &Connection) -> Result<(), RedisError> {
        if self.is_set { connection.set(MASTER_PASSWORD, &Secret::new("")) } else { Ok(()) }
    }
}

/// Lets a server that a restore was broken off on take writes again.
///
/// # Errors
///
/// [`RedisError::NotSavable`] for a replica of somebody else's; [`RedisError::InUse`].
fn mend(restoration: &Restoration<'_>, mut session: Session, watch: &dyn Watch) -> Result<(), RedisError> {
    let password = session.connection.setting(MASTER_PASSWORD)?.unwrap_or_default();
    let is_ours = password.starts_with(MARK);
    if !session.is_replica() && !is_ours {
        return Ok(());
    }
    let _turn = turn(restoration, &session)?;
    // The one who had the turn may have finished meanwhile.
    session.refresh()?;
    if session.is_replica() {
        if !is_ours {
            let info = &session.info;
            let what = format!("it is a replica, of {}:{}", info.text("master_host"), info.text("master_port"));
            let remedy = "name the server that it copies, or let this one copy none (REPLICAOF NO ONE)";
            return Err(RedisError::NotSavable { place: session.connection.place(), what, remedy });
        }
        watch.remark("a restore was broken off: the server takes writes again");
        session.connection.tell(&["REPLICAOF", "NO", "ONE"])?;
    }
    if session.connection.setting(MASTER_PASSWORD)?.is_some_and(|own| own.starts_with(MARK)) {
        session.connection.set(MASTER_PASSWORD, &Secret::new(""))?;
    }
    Ok(())
}

fn turn(restoration: &Restoration<'_>, session: &Session) -> Result<Turn, RedisError> {
    Turn::take(restoration.environment, &session.fingerprint, ALL).ok_or(RedisError::InUse)
}

impl PreparedRestore<'_> {
    /// Loads a temporary server with the snapshot and compares it; until then the server is as it was. Then has the server take
    /// over what that one holds, compares it, and lets it take writes again.
    ///
    /// # Errors
    ///
    /// [`RedisError::NotRestored`], with the server as it was; [`RedisError::HalfRestored`] where it was changed.
    pub(crate) fn carry_out(self, watch: &dyn Watch) -> Result<Restored, RedisError> {
        let PreparedRestore { restoration, program } = self;
        let session = own_server(&restoration)?;
        let _turn = turn(&restoration, &session)?;
        let connection = &session.connection;
        let as_it_was = |step: &'static str| {
            move |source| {
                let remains = "the server is as it was".to_owned();
                RedisError::NotRestored { step, remains, source: Box::new(source) }
            }
        };
        let entrance = Entrance::of(connection).map_err(as_it_was("the server was asked for its settings"))?;
        let (temporary, expected, over) = loaded(&restoration, &program, &connection.tools, &entrance.login, watch)
            .map_err(as_it_was("a temporary server was loaded with the snapshot"))?;
        watch.remark("the whole server is put back, all of its databases");
        entrance.open(connection).map_err(as_it_was("the server was given a password for the temporary one"))?;
        let port = temporary.port.to_string();
        if let Err(error) = connection.tell(&["REPLICAOF", "127.0.0.1", &port]) {
            // Its answer may have got lost.
            let closed = connection.tell(&["REPLICAOF", "NO", "ONE"]).and_then(|()| entrance.close(connection));
            return Err(match (&error, closed) {
                (RedisError::Command { .. } | RedisError::CannotConnect { .. }, _) if !has_begun(connection, &port) => {
                    let _ = entrance.close(connection);
                    as_it_was("the server was told to take over what the temporary one holds")(error)
                }
                (_, closed) => half("the server was told to take over what the temporary one holds", error, closed),
            });
        }
        let taken = take_over(connection, &temporary, watch)
            .and_then(|()| compare(connection, "the server", &expected, over, watch));
        let freed = connection.tell(&["REPLICAOF", "NO", "ONE"]).and_then(|()| entrance.close(connection));
        match (taken, freed) {
            (Ok(()), Ok(())) => {}
            (Ok(()), Err(error)) => {
                return Err(half("it was let take writes again", error, Ok(())));
            }
            (Err(error), freed) => return Err(half("it took over what the temporary one holds", error, freed)),
        }
        let notes = vec!["The whole server is as it was then, all of its databases.".to_owned()];
        Ok(Restored { notes, ..Restored::default() })
    }
}

/// Tells whether a server copies the temporary one; where it cannot be asked, that it may.
fn has_begun(connection: &Connection, port: &str) -> bool {
    ask(connection).map_or(true, |info| info.text("master_port") == port)
}

/// Says what remains where the server may have been changed.
fn half(step: &'static str, source: RedisError, freed: Result<(), RedisError>) -> RedisError {
    let writes = match freed {
        Ok(()) => "",
        Err(_) => "; it takes no writes until it is restored, or told REPLICAOF NO ONE",
    };
    let remains = format!(
        "the server may hold what it held, or what the snapshot holds; the former is in the safety snapshot{writes}"
    );
    RedisError::HalfRestored { step, remains, source: Box::new(source) }
}

/// Waits until the server holds what the temporary one does.
///
/// # Errors
///
/// [`RedisError::NotTakenOver`] where it makes no step for a minute; [`ToolError::Interrupted`].
fn take_over(connection: &Connection, temporary: &Temporary, watch: &dyn Watch) -> Result<(), RedisError> {
    let (mut moved, mut seen) = (Instant::now(), String::new());
    let mut pause = Duration::from_millis(5);
    loop {
        if watch.interrupted() {
            return Err(ToolError::Interrupted.into());
        }
        let info = match ask(connection) {
            Ok(info) => info,
            Err(RedisError::CannotConnect { why: Refusal::Loading, .. }) => continue,
            Err(error) => return Err(error),
        };
        if info.text("master_link_status") == "up" && info.text("master_sync_in_progress") == "0" {
            return Ok(());
        }
        let step = ["master_sync_in_progress", "master_sync_read_bytes", "loading", "loading_loaded_bytes"];
        let step = step.map(|name| info.text(name)).join(" ");
        if step != seen {
            (moved, seen) = (Instant::now(), step);
        }
        if moved.elapsed() > PATIENCE || ask(&temporary.connection).is_err() {
            let what = format!("its link is {}", info.text("master_link_status"));
            return Err(RedisError::NotTakenOver { what });
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}
