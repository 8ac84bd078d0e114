//! A real server for the tests: of its own data folder, on a free port, gone afterwards whatever happens.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use chrono::DateTime;
use tempfile::TempDir;

use crate::environment::Origin;
use crate::hash::Hash;
use crate::own_tools::ToolEnvironment;
use crate::reach::{Engine, Place, Target};
use crate::secret::Secret;
use crate::snapshot::engine::Restoration;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::obstacles::obstacle;
use crate::snapshot::postgres::take::{Limits, prepare, take};
use crate::snapshot::postgres::tools::{Tools, find};
use crate::snapshot::postgres::{PostgresError, Session};
use crate::snapshot::testing::{ending, wait_for};
use crate::snapshot::{Kind, Manifest, Stored, TableRows, Taken, Tool, Watch};

/// The superuser's password; its signs are those that a password file escapes.
pub(crate) const PASSWORD: &str = r"p:w\ 'ü#";

/// A server with scram authentication over TCP.
pub(crate) struct Server {
    folder: TempDir,
    pub(crate) port: u16,
    process: Child,
    tools: Tools,
}

/// The server that tests share as long as one of them uses it.
static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());

impl Server {
    pub(crate) fn shared() -> Arc<Server> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Server::start());
            *shared = Arc::downgrade(&server);
            server
        })
    }

    pub(crate) fn start() -> Server {
        let tools = find(None, &[]).expect("the tests need PostgreSQL's server and client");
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("password"), format!("{PASSWORD}\n")).unwrap();
        let user = unprivileged();
        if let Some((uid, gid)) = user {
            for path in [folder.path().to_owned(), folder.path().join("password")] {
                chown(path, Some(uid), Some(gid)).unwrap();
            }
        }
        let mut initdb = as_user(&tools.program("initdb"), user);
        initdb.args(["-A", "scram-sha-256", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
        initdb
            .arg("--pwfile")
            .arg(folder.path().join("password"))
            .arg("-D")
            .arg(folder.path().join("data"))
            .stdout(Stdio::null());
        assert!(initdb.status().unwrap().success(), "initdb");
        let (port, process) = Server::spawn(&tools, folder.path(), user);
        let mut server = Server { folder, port, process, tools };
        wait_for("the server answers", || {
            // Another program may have taken the port between our closing and the server's opening it.
            if server.process.try_wait().unwrap().is_some() {
                (server.port, server.process) = Server::spawn(&server.tools, server.folder.path(), user);
            }
            Session::connect(Connection::new(&server.target("postgres"), &environment()).unwrap()).is_ok()
        });
        server
    }

    /// Starts the program on a port that is free.
    fn spawn(tools: &Tools, folder: &Path, user: Option<(u32, u32)>) -> (u16, Child) {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut postgres = as_user(&tools.program("postgres"), user);
        postgres.arg("-D").arg(folder.join("data")).arg("-k").arg(folder).args(["-p", &port.to_string()]);
        postgres.args(["-c", "fsync=off", "-c", "max_prepared_transactions=5", "-c", "autovacuum=off"]);
        postgres.args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"]);
        let log = fs::File::create(folder.join("log")).unwrap();
        (port, postgres.stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    /// A database of this server, as its superuser.
    pub(crate) fn target(&self, database: &str) -> Target {
        Target {
            engine: Engine::Postgres,
            places: vec![Place::Host { name: "127.0.0.1".into(), port: Some(self.port) }],
            database: Some(database.to_owned()),
            user: Some("postgres".into()),
            password: Some(Secret::new(PASSWORD)),
            parameters: vec![("schema".into(), "public".into())],
            origins: vec![Origin::process("DATABASE_URL")],
            doubts: Vec::new(),
        }
    }

    /// The same as another role, whose password is its name.
    pub(crate) fn target_as(&self, database: &str, user: &str) -> Target {
        Target { user: Some(user.into()), password: Some(Secret::new(user)), ..self.target(database) }
    }

    /// A new database, filled by a script.
    pub(crate) fn database(&self, name: &str, script: &str) -> Target {
        self.run(
            "postgres",
            &format!("CREATE DATABASE {} TEMPLATE template0", crate::snapshot::postgres::psql::identifier(name)),
        );
        self.run(name, script);
        self.target(name)
    }

    /// Runs a script and gives what its queries print.
    pub(crate) fn run(&self, database: &str, script: &str) -> String {
        let output = ending(|| self.psql(database).arg("-c").arg(script).output().unwrap());
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// A psql to be used freely.
    pub(crate) fn psql(&self, database: &str) -> Command {
        let mut command = Command::new(self.tools.program("psql"));
        command.env_clear().env("PGPASSWORD", PASSWORD).env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string());
        command.env("PGUSER", "postgres").env("PGDATABASE", database).env("PGCLIENTENCODING", "UTF8").args([
            "-X",
            "-A",
            "-t",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
        ]);
        command.stdin(Stdio::null());
        command
    }

    /// Ends the server at once, as a crash would.
    pub(crate) fn crash(&self) {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::QUIT).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.crash();
        let _ = self.process.wait();
    }
}

fn as_user(program: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C.UTF-8").current_dir("/");
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// A user to run the server as: it refuses root.
fn unprivileged() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line =
        ["postgres:", "nobody:"].iter().find_map(|name| users.lines().find(|line| line.starts_with(name))).unwrap();
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().unwrap(), fields.next()?.parse().unwrap()))
}

/// The environment of a user, with variables that must not reach the tools.
pub(crate) fn environment() -> ToolEnvironment {
    let set: [(OsString, OsString); 5] = [
        ("PATH", "/usr/bin:/bin"),
        ("HOME", "/nonexistent"),
        ("PGHOST", "db.invalid"),
        ("PGOPTIONS", "-c no_such=1"),
        ("PGSERVICE", "x"),
    ]
    .map(|(name, value)| (name.into(), value.into()));
    ToolEnvironment::new(&set, Path::new("/nonexistent"), Path::new("/nonexistent"))
}

/// Somebody who waits to the end, or asks to stop after some bytes.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    pub(crate) stop_after: Option<u64>,
    pub(crate) seen: AtomicU64,
}

impl Watch for Waiting {
    fn advance(&self, bytes: u64) {
        self.seen.fetch_add(bytes, Ordering::Relaxed);
    }

    fn interrupted(&self) -> bool {
        self.stop_after.is_some_and(|bytes| self.seen.load(Ordering::Relaxed) >= bytes)
    }
}

/// A snapshot with its manifest, as the store keeps it.
pub(crate) struct Snapshot {
    pub(crate) folder: TempDir,
    pub(crate) manifest: Manifest,
}

impl Snapshot {
    pub(crate) fn take(target: &Target) -> Snapshot {
        Snapshot::try_take(target).unwrap()
    }

    pub(crate) fn try_take(target: &Target) -> Result<Snapshot, PostgresError> {
        Snapshot::take_with(target, &environment())
    }

    pub(crate) fn take_with(target: &Target, environment: &ToolEnvironment) -> Result<Snapshot, PostgresError> {
        let folder = tempfile::tempdir().unwrap();
        let mut session = Session::open(target, environment)?;
        let limits = Limits { lock_wait: Duration::from_millis(300) };
        let taken = ending(|| save(&mut session, &folder.path().join("dump"), limits, &Waiting::default()))?;
        let obstacle = obstacle(&mut session)?;
        let mut manifest = manifest_of(taken, &session.identity.database);
        manifest.notes.extend(obstacle.map(|obstacle| obstacle.what));
        Ok(Snapshot { folder, manifest })
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("dump")
    }

    /// Calls `with` with what a restore to `target` needs.
    pub(crate) fn restoring<T>(&self, target: &Target, with: impl FnOnce(&Restoration<'_>) -> T) -> T {
        let restoration = Restoration {
            stored: &Stored { manifest: self.manifest.clone(), hash: Hash::of(b""), dump: self.file() },
            target,
            environment: &environment(),
            now: DateTime::from_timestamp(1_795_271_422, 0).unwrap(),
            damaged: false,
        };
        ending(|| with(&restoration))
    }
}

/// Prepares and takes a dump, as a run does.
pub(crate) fn save(
    session: &mut Session,
    output: &Path,
    limits: Limits,
    watch: &dyn Watch,
) -> Result<Taken, PostgresError> {
    let prepared = prepare(session, output, limits)?;
    take(session, &prepared.command, prepared.proof, watch)
}

fn manifest_of(taken: Taken, database: &str) -> Manifest {
    let mut manifest = manifest(taken.tables, taken.state);
    manifest.database = database.to_owned();
    manifest.size = taken.size;
    manifest.sha256 = taken.sha256;
    manifest.compression = taken.compression;
    manifest.tool = taken.tool;
    manifest.server = taken.server;
    manifest.notes = taken.notes;
    manifest.by_hand = taken.by_hand;
    manifest
}

pub(crate) fn manifest(tables: Vec<TableRows>, state: Option<serde_json::Value>) -> Manifest {
    Manifest {
        schema: 1,
        id: "shop_20261121_143022".into(),
        kind: Kind::Run,
        engine: "postgres".into(),
        database: "shop".into(),
        target: "postgres://127.0.0.1/shop".into(),
        taken_at: DateTime::UNIX_EPOCH,
        project: None,
        run: None,
        used_by: Vec::new(),
        file: "shop_20261121_143022.dump".into(),
        size: 0,
        sha256: String::new(),
        verified: crate::snapshot::VerificationLevel::Read,
        compression: None,
        tool: Tool { program: "pg_dump".into(), version: "15.18".into(), arguments: Vec::new() },
        server: None,
        tables,
        state,
        file_state: None,
        notes: Vec::new(),
        by_hand: Vec::new(),
    }
}
