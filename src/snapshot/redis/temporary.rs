//! A server of our own that is loaded with a snapshot: on loopback, with a password, its files in a private folder; gone when
//! dropped, and when we are killed.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::durable;
use crate::own_tools::{ToolCommand, ToolEnvironment};
use crate::random;
use crate::regular;
use crate::secret::{ForeignText, Secret};
use crate::snapshot::Watch;
use crate::snapshot::dump_stream::PIECE;
use crate::snapshot::redis::RedisError;
use crate::snapshot::redis::connection::{Connection, line};
use crate::snapshot::redis::error::Refusal;
use crate::snapshot::redis::installed::{ServerProgram, Tools};
use crate::snapshot::redis::session::ask;
use crate::snapshot::tool_process::{Running, ToolError};
use crate::state_directory::state_directory;

/// Starts the server, and ends it when nobody holds the other end of the input any more, with all that it wrote.
const KEEPER: &str = r#"folder=$1; shift
# Its number is known as soon as it is there: a signal may come before any other word of this is read.
trap 'kill -KILL "$!" 2>/dev/null; wait 2>/dev/null; rm -rf "$folder"' EXIT
trap 'exit 1' TERM INT HUP
"$@" </dev/null >/dev/null 2>&1 &
while read -r _; do :; done"#;

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often another port is tried, where somebody takes it first.
const ATTEMPTS: usize = 5;

/// The most of its words that are read.
const MOST_WORDS: u64 = 1 << 20;

/// Who may log in to it.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    /// The user; `None` for the one that has no name.
    pub(crate) user: Option<String>,
    pub(crate) password: Secret,
}

impl Login {
    /// Makes one that nobody knows. Its password begins with `beginning`.
    ///
    /// # Errors
    ///
    /// The system gives no random bits.
    pub(crate) fn new(beginning: &str, user: Option<String>) -> Result<Login, RedisError> {
        let chance = random::random_id().map_err(RedisError::file("read", Path::new(random::SOURCE)))?;
        Ok(Login { user, password: Secret::new(format!("{beginning}{chance}")) })
    }
}

/// The server.
#[derive(Debug)]
pub(crate) struct Temporary {
    /// The way to it.
    pub(crate) connection: Connection,
    pub(crate) port: u16,
    // Ends before the folder goes.
    _keeper: Running,
    folder: TempDir,
}

impl Temporary {
    /// Starts one that is loaded with a compressed file, and waits until it has read it.
    ///
    /// # Errors
    ///
    /// [`RedisError::Temporary`] where it does not start, or does not read the file; [`ToolError::Interrupted`]. Nothing is
    /// left.
    pub(crate) fn start(
        program: &ServerProgram,
        tools: &Tools,
        dump: &Path,
        login: &Login,
        databases: u64,
        environment: &ToolEnvironment,
        watch: &dyn Watch,
    ) -> Result<Temporary, RedisError> {
        let state = state_directory(|name| environment.get(name)).join("servers");
        durable::private_folder(&state).map_err(RedisError::file("make", &state))?;
        let folder = tempfile::Builder::new().prefix("redis-").tempdir_in(&state);
        let folder = folder.map_err(RedisError::file("make a folder in", &state))?;
        unpack(dump, &folder.path().join("dump.rdb"), watch)?;
        let mut attempts = 0;
        let mut folder = Some(folder);
        while let Some(own) = folder.take() {
            attempts += 1;
            let port = free_port().map_err(RedisError::file("find a free port for", &program.path))?;
            write_settings(own.path(), port, login, databases)?;
            let mut command = ToolCommand::of(Path::new("/bin/sh"), None, &[("PATH".into(), "/usr/bin:/bin".into())]);
            command.args(["-c", KEEPER, "sh"]).arg(own.path()).arg(&program.path).arg(own.path().join("settings"));
            let keeper = Running::start(program.family.server(), command, str::to_owned, &[])?;
            let connection = Connection::to_temporary(tools, port, login.user.as_deref(), &login.password);
            let temporary = Temporary { connection, port, _keeper: keeper, folder: own };
            match temporary.wait(watch) {
                Ok(()) => return Ok(temporary),
                // Somebody took the port first: who answers there does not know our password.
                Err(Wait::PortTaken) if attempts < ATTEMPTS => {
                    drop(temporary);
                    let again = tempfile::Builder::new().prefix("redis-").tempdir_in(&state);
                    let again = again.map_err(RedisError::file("make a folder in", &state))?;
                    unpack(dump, &again.path().join("dump.rdb"), watch)?;
                    folder = Some(again);
                }
                Err(Wait::PortTaken) => break,
                Err(Wait::Failed(error)) => return Err(error),
            }
        }
        Err(RedisError::Temporary { what: "finds no free port", said: ForeignText::of("") })
    }

    /// Waits until it has read its file.
    fn wait(&self, watch: &dyn Watch) -> Result<(), Wait> {
        let (begun, mut has_answered) = (Instant::now(), false);
        loop {
            if watch.interrupted() {
                return Err(Wait::Failed(ToolError::Interrupted.into()));
            }
            match ask(&self.connection) {
                Ok(info) if info.text("loading") == "0" => return Ok(()),
                Ok(_) | Err(RedisError::CannotConnect { why: Refusal::Loading, .. }) => has_answered = true,
                Err(RedisError::CannotConnect { why: Refusal::Denied, .. }) => return Err(Wait::PortTaken),
                Err(RedisError::CannotConnect { .. }) => {
                    let words = self.words();
                    if words.contains("Address already in use") {
                        return Err(Wait::PortTaken);
                    }
                    if has_answered || begun.elapsed() > PATIENCE || is_fatal(&words) {
                        let what =
                            if has_answered || is_fatal(&words) { "cannot read the file" } else { "does not start" };
                        return Err(Wait::Failed(RedisError::Temporary { what, said: complaint(&words) }));
                    }
                }
                Err(error) => return Err(Wait::Failed(error)),
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Reads what it has said until now.
    pub(crate) fn words(&self) -> String {
        let log = self.folder.path().join("log");
        regular::read_own(&log, MOST_WORDS)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }
}

/// Why it is not waited for any longer.
enum Wait {
    PortTaken,
    Failed(RedisError),
}

/// Tells whether it has ended by what it says.
fn is_fatal(words: &str) -> bool {
    ["Fatal error", "FATAL CONFIG FILE ERROR", "Can't handle RDB format", "Terminating server", "Exiting"]
        .iter()
        .any(|mark| words.contains(mark))
}

/// Gives what it says of its failure.
fn complaint(words: &str) -> ForeignText {
    let marks = ["Fatal error", "FATAL", "Can't handle", "Unexpected", "Short read", "Bad ", "rror"];
    let line = words.lines().find(|line| marks.iter().any(|mark| line.contains(mark))).unwrap_or_default();
    // Behind its number and the time.
    let said = line.split_once("# ").map_or(line, |(_, said)| said);
    ForeignText::of(said.chars().take(200).collect::<String>())
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Writes the file of a snapshot as a server reads it.
fn unpack(dump: &Path, to: &Path, watch: &dyn Watch) -> Result<(), RedisError> {
    let file = regular::open_own(dump).map_err(RedisError::file("read", dump))?;
    let mut decoder = zstd::Decoder::new(file).map_err(RedisError::file("read", dump))?;
    let mut out = regular::create(to).map_err(RedisError::file("write", to))?;
    let mut piece = vec![0; PIECE];
    while let read @ 1.. = decoder.read(&mut piece).map_err(RedisError::file("read", dump))? {
        if watch.interrupted() {
            return Err(ToolError::Interrupted.into());
        }
        watch.advance(read as u64);
        out.write_all(&piece[..read]).map_err(RedisError::file("write", to))?;
    }
    Ok(())
}

/// Writes what it is to do: nothing but to read the file and to hand it on.
fn write_settings(folder: &Path, port: u16, login: &Login, databases: u64) -> Result<(), RedisError> {
    let folder_text = folder.to_str().ok_or_else(|| RedisError::Temporary {
        what: "cannot be given its folder, whose name is not UTF-8",
        said: ForeignText::of(""),
    })?;
    let (port, databases) = (port.to_string(), databases.to_string());
    let log = format!("{folder_text}/log");
    let password = login.password.expose();
    let of_user = ["user", login.user.as_deref().unwrap_or_default(), "on", &format!(">{password}"), "~*", "+@all"];
    let logged_in: &[&str] = if login.user.is_some() { &of_user } else { &["requirepass", password] };
    let mut text = Vec::new();
    for words in [
        &["bind", "127.0.0.1"][..],
        &["port", &port],
        &["dir", folder_text],
        &["dbfilename", "dump.rdb"],
        &["logfile", &log],
        &["save", ""],
        &["appendonly", "no"],
        &["databases", &databases],
        &["repl-diskless-sync", "yes"],
        &["repl-diskless-sync-delay", "0"],
        logged_in,
    ] {
        text.extend(line(words));
    }
    let path = folder.join("settings");
    let mut file = regular::create(&path).map_err(RedisError::file("write", &path))?;
    file.write_all(&text).map_err(RedisError::file("write", &path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says_of_its_failure_is_found() {
        let words =
            "1:M 28 Nov 2026 06:12:32.882 * Ready\n1:M 28 Nov 2026 06:12:33.1 # Short read or OOM loading DB.\n";
        assert_eq!(&*complaint(words), "Short read or OOM loading DB.");
        assert!(!is_fatal(words) && is_fatal("1:M # Fatal error loading the DB, check server logs. Exiting."));
        assert_eq!(&*complaint(""), "");
    }
}
