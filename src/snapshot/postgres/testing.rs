//! A real server for the tests: of its own data folder, on a free port, gone afterwards whatever happens.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::environment::Origin;
use crate::hash::Hash;
use crate::own_tools::ToolEnvironment;
use crate::reach::{Engine, Place, Target};
use crate::secret::Secret;
use crate::snapshot::engine::{Copying, Restoration};
use crate::snapshot::postgres::programs_for_tests::{Programs, fetched};
use crate::snapshot::postgres::take::{Limits, prepare, take};
use crate::snapshot::postgres::{PostgresError, Session};
pub(crate) use crate::snapshot::testing::Waiting;
use crate::snapshot::testing::{AllKnown, Unledgered, ending, wait_for};
use crate::snapshot::{Kind, Ledger, Manifest, Stored, TableRows, Taken, Tool, Watch};

/// The superuser's password; its signs are those that a password file escapes.
pub(crate) const PASSWORD: &str = r"p:w\ 'ü#";

/// A server with scram authentication over TCP.
pub(crate) struct Server {
    folder: TempDir,
    pub(crate) port: u16,
    process: Child,
    programs: Programs,
    /// The programs' folder, as the user that runs the server can reach it.
    server_programs: PathBuf,
}

/// The servers that tests share as long as one of them uses them, by version.
static SHARED: Mutex<BTreeMap<u32, Weak<Server>>> = Mutex::new(BTreeMap::new());

impl Server {
    /// The shared server of the machine's own version.
    pub(crate) fn shared() -> Arc<Server> {
        Server::shared_with(Programs::of_machine())
    }

    /// The shared server of that major version. Tools that fit it are on the `PATH` of [`environment`].
    pub(crate) fn shared_version(major: u32) -> Arc<Server> {
        Server::shared_with(Programs::of_version(major))
    }

    fn shared_with(programs: Programs) -> Arc<Server> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = shared.entry(programs.major).or_default();
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Server::start_with(programs));
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// A server of the machine's own version.
    pub(crate) fn start() -> Server {
        Server::start_with(Programs::of_machine())
    }

    /// A server of that major version, of the test's own.
    pub(crate) fn start_version(major: u32) -> Server {
        Server::start_with(Programs::of_version(major))
    }

    fn start_with(programs: Programs) -> Server {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("password"), format!("{PASSWORD}\n")).unwrap();
        let user = unprivileged();
        if let Some((uid, gid)) = user {
            for path in [folder.path().to_owned(), folder.path().join("password")] {
                chown(path, Some(uid), Some(gid)).unwrap();
            }
        }
        let server_programs = match user {
            Some(_) => {
                fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
                programs.for_another_user(folder.path())
            }
            None => programs.folder.clone(),
        };
        let mut initdb = as_user(&server_programs.join("initdb"), user);
        initdb.args(["-A", "scram-sha-256", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
        initdb
            .arg("--pwfile")
            .arg(folder.path().join("password"))
            .arg("-D")
            .arg(folder.path().join("data"))
            .stdout(Stdio::null());
        assert!(initdb.status().unwrap().success(), "initdb");
        let (port, process) = Server::spawn(&server_programs, folder.path(), user);
        let mut server = Server { folder, port, process, programs, server_programs };
        server.wait_until_it_answers();
        server
    }

    fn wait_until_it_answers(&mut self) {
        wait_for("the server answers", || {
            // Another program may have taken the port between our closing and the server's opening it; or processes of
            // a server that was killed are not gone yet.
            if self.process.try_wait().unwrap().is_some() {
                (self.port, self.process) = Server::spawn(&self.server_programs, self.folder.path(), unprivileged());
            }
            self.psql("postgres").args(["-c", "SELECT 1"]).output().unwrap().status.success()
        });
    }

    /// Ends the server by a signal, lets `meanwhile` do something with its data folder, and starts it again.
    pub(crate) fn restart(&mut self, signal: Signal, meanwhile: impl FnOnce(&Path)) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
        self.process.wait().unwrap();
        meanwhile(&self.folder.path().join("data"));
        self.wait_until_it_answers();
    }

    /// Starts the program on a port that is free.
    fn spawn(programs: &Path, folder: &Path, user: Option<(u32, u32)>) -> (u16, Child) {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut postgres = as_user(&programs.join("postgres"), user);
        postgres.arg("-D").arg(folder.join("data")).arg("-k").arg(folder).args(["-p", &port.to_string()]);
        postgres.args(["-c", "fsync=off", "-c", "max_prepared_transactions=5", "-c", "autovacuum=off"]);
        postgres.args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200", "-c", "wal_level=logical"]);
        // Locales that a test has made.
        let locales = folder.join("locales");
        if locales.exists() {
            postgres.env("LOCPATH", locales);
        }
        let log = fs::File::create(folder.join("log")).unwrap();
        (port, postgres.stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    /// Its major version.
    pub(crate) fn major(&self) -> u32 {
        self.programs.major
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
        let mut command = Command::new(self.programs.clients().join("psql"));
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
        // One that is gone already is what was wanted.
        let _ = kill_process(Pid::from_child(&self.process), Signal::QUIT);
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
pub(crate) fn unprivileged() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line =
        ["postgres:", "nobody:"].iter().find_map(|name| users.lines().find(|line| line.starts_with(name))).unwrap();
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().unwrap(), fields.next()?.parse().unwrap()))
}

/// The environment of a user, with variables that must not reach the tools. The tools of all versions that were fetched for
/// the tests are on its `PATH`.
pub(crate) fn environment() -> ToolEnvironment {
    let usual = ["/usr/bin", "/bin"].map(PathBuf::from).into_iter();
    let path = std::env::join_paths(usual.chain(fetched().into_iter().map(|programs| programs.folder))).unwrap();
    let set: [(OsString, OsString); 7] = [
        ("PATH".into(), path),
        ("HOME".into(), "/nonexistent".into()),
        ("LC_ALL".into(), "de_DE.UTF-8".into()),
        ("LC_MONETARY".into(), "de_DE.UTF-8".into()),
        ("PGHOST".into(), "db.invalid".into()),
        ("PGOPTIONS".into(), "-c no_such=1".into()),
        ("PGSERVICE".into(), "x".into()),
    ];
    ToolEnvironment::new(&set, Path::new("/nonexistent"), Path::new("/nonexistent"))
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
        let manifest = manifest_of(taken, &session.identity.database);
        Ok(Snapshot { folder, manifest })
    }

    /// Takes one with a copy in the server, if that can be.
    pub(crate) fn take_with_copy(
        target: &Target,
        ledger: &dyn Ledger,
        watch: &dyn Watch,
    ) -> Result<Snapshot, PostgresError> {
        let folder = tempfile::tempdir().unwrap();
        let mut session = Session::open(target, &environment()).unwrap();
        let prepared = prepare(&mut session, &folder.path().join("dump"), Limits::default()).unwrap();
        let copying = Copying { snapshot: ID, target: &target.address(), now: now(), ledger };
        let taken = ending(|| take(&mut session, &prepared.command, prepared.proof, Some(&copying), watch))?;
        let manifest = manifest_of(taken, &session.identity.database);
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
            now: now(),
            ledger: &Unledgered,
            past: &AllKnown,
        };
        ending(|| with(&restoration))
    }
}

/// The name of every snapshot that is taken here.
pub(crate) const ID: &str = "shop_20261121_143022";

/// When all calls begin.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_271_422, 0).unwrap()
}

/// Prepares and takes a dump, as a run does.
pub(crate) fn save(
    session: &mut Session,
    output: &Path,
    limits: Limits,
    watch: &dyn Watch,
) -> Result<Taken, PostgresError> {
    let prepared = prepare(session, output, limits)?;
    take(session, &prepared.command, prepared.proof, None, watch)
}

fn manifest_of(taken: Taken, database: &str) -> Manifest {
    let mut manifest = manifest(taken.tables, taken.state);
    manifest.database = database.to_owned();
    manifest.size = taken.size;
    manifest.sha256 = taken.sha256;
    manifest.compression = taken.compression;
    manifest.tool = taken.tool;
    manifest.server = taken.server;
    manifest.obstacles = taken.obstacles;
    manifest.notes = taken.notes;
    manifest.by_hand = taken.by_hand;
    manifest
}

pub(crate) fn manifest(tables: Vec<TableRows>, state: Option<serde_json::Value>) -> Manifest {
    Manifest {
        schema: 1,
        id: ID.into(),
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
        whereabouts: None,
        file_state: None,
        obstacles: Vec::new(),
        notes: Vec::new(),
        by_hand: Vec::new(),
    }
}

#[test]
fn servers_of_other_versions_answer() {
    for major in [17, 18] {
        let server = if major == 17 { Server::shared_version(major) } else { Arc::new(Server::start_version(major)) };
        let number: u32 = server.run("postgres", "SHOW server_version_num").parse().unwrap();
        assert_eq!(number / 10_000, major);
        let target = server.database("shop", "CREATE TABLE t(a int); INSERT INTO t VALUES (1)");
        let session = Session::open(&target, &environment()).unwrap();
        assert_eq!((session.identity.major, session.tools.major), (major, major));
        drop(session);
        let snapshot = Snapshot::take(&target);
        assert_eq!(snapshot.manifest.tables[0].rows, Some(1));
    }
}
