//! A real server for the tests: of its own data folder, on a free port, gone afterwards whatever happens. It is the `mongod`
//! of `PATH` where there is one, else FerretDB, which `tests/servers` builds, as it does the tools.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use chrono::DateTime;
use tempfile::TempDir;

use crate::environment::Origin;
use crate::hash::Hash;
use crate::own_tools::ToolEnvironment;
use crate::reach::{Engine, Place, Target};
use crate::secret::Secret;
use crate::snapshot::engine::Restoration;
use crate::snapshot::mongodb::MongoError;
use crate::snapshot::mongodb::archive::Held;
use crate::snapshot::mongodb::bson::Writing;
use crate::snapshot::mongodb::client::Client;
use crate::snapshot::mongodb::process::look;
use crate::snapshot::mongodb::session::{open, open_server};
use crate::snapshot::mongodb::take::take;
pub(crate) use crate::snapshot::testing::Waiting;
use crate::snapshot::testing::{AllKnown, Unledgered, ending, manifest, wait_for};
use crate::snapshot::{Kind, Manifest, Stored, Taken, Watch};

/// The password of the account that the tests use; its signs are those that mean something in a URL, or in YAML.
pub(crate) const PASSWORD: &str = "p\"w\\ '#%=[x]@:/";

/// A server on loopback.
pub(crate) struct Server {
    folder: TempDir,
    pub(crate) port: u16,
    process: Child,
    asks_for_password: bool,
}

static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// Where `tests/servers` puts the tools and FerretDB.
fn fetched() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/servers/mongo/bin")
}

/// Finds a real server.
fn mongod() -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join("mongod"))
        .find(|program| program.exists())
}

/// Tells whether the server is a real one: FerretDB has no views, validators, time series and other indexes.
pub(crate) fn is_real() -> bool {
    mongod().is_some()
}

impl Server {
    /// The server that the tests share as long as one of them uses it.
    pub(crate) fn shared() -> Arc<Server> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Server::start(false));
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// A server of the test's own; with one account, `tester`, which the database `admin` knows, where it asks for that.
    pub(crate) fn start(asks_for_password: bool) -> Server {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        let (port, process) = Server::spawn(folder.path(), asks_for_password);
        let mut server = Server { folder, port, process, asks_for_password };
        wait_for("the server answers", || {
            // Another program may have taken the port between our closing and the server's opening it.
            if server.process.try_wait().unwrap().is_some() {
                (server.port, server.process) = Server::spawn(server.folder.path(), asks_for_password);
            }
            server.connected().is_ok()
        });
        if asks_for_password && is_real() {
            let role = Writing::new().text("role", "root").text("db", "admin");
            let user = Writing::new().text("createUser", "tester").text("pwd", PASSWORD).array("roles", [role]);
            server.connected().unwrap().ask("admin", user).unwrap();
        }
        server
    }

    fn spawn(folder: &Path, asks_for_password: bool) -> (u16, Child) {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let data = folder.join("data");
        let mut server = match mongod() {
            Some(program) => {
                let mut server = Command::new(program);
                server.arg(format!("--port={port}")).arg("--bind_ip=127.0.0.1").arg("--nounixsocket");
                server.arg(format!("--dbpath={}", data.display())).args(asks_for_password.then_some("--auth"));
                server
            }
            None => {
                let program = fetched().join("ferretdb");
                assert!(program.exists(), "{} is missing: `tests/run --prepare` builds it", program.display());
                let mut server = Command::new(program);
                server.args(["--handler=sqlite", "--debug-addr=-", "--telemetry=disable", "--log-level=error"]);
                server.arg(format!("--sqlite-url=file:{}/", data.display()));
                server.arg(format!("--state-dir={}", folder.display()));
                server.arg(format!("--listen-addr=127.0.0.1:{port}"));
                if asks_for_password {
                    server.args(["--test-enable-new-auth", "--setup-database=admin", "--setup-username=tester"]);
                    server.arg(format!("--setup-password={PASSWORD}"));
                }
                server
            }
        };
        let log = fs::File::create(folder.join("log")).unwrap();
        let server = server.env_clear().stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        (port, server.spawn().unwrap())
    }

    fn connected(&self) -> Result<Client, MongoError> {
        let target = self.target("admin");
        Client::connect(&target.places[0], "the server", &[]).map(|(client, _)| client)
    }

    /// A client that may do everything.
    pub(crate) fn client(&self) -> Client {
        let mut client = self.connected().unwrap();
        if self.asks_for_password {
            client.log_in("admin", "tester", &Secret::new(PASSWORD)).unwrap();
        }
        client
    }

    /// A database of this server.
    pub(crate) fn target(&self, database: &str) -> Target {
        Target {
            engine: Engine::Mongodb,
            places: vec![Place::Host { name: "127.0.0.1".into(), port: Some(self.port) }],
            database: Some(database.to_owned()),
            user: self.asks_for_password.then(|| "tester".into()),
            password: self.asks_for_password.then(|| Secret::new(PASSWORD)),
            parameters: Vec::new(),
            origins: vec![Origin::process("MONGODB_URI")],
            doubts: Vec::new(),
        }
    }

    /// Puts documents into a collection.
    pub(crate) fn insert(&self, database: &str, collection: &str, documents: impl IntoIterator<Item = Writing>) {
        let command = Writing::new().text("insert", collection).array("documents", documents);
        self.client().ask(database, command).unwrap();
    }

    /// A new database with something of every kind that the server has.
    pub(crate) fn rich(&self, database: &str) -> Target {
        let mut client = self.client();
        client.drop_database(database).unwrap();
        let numbered = |numbers: std::ops::Range<i32>| {
            numbers.map(|number| Writing::new().integer("_id", number).text("name", &format!("it's; {number} ü\n")))
        };
        self.insert(database, "orders", numbered(0..200));
        self.insert(database, "odd name.with-dots", numbered(0..3));
        let key = |name: &str| Writing::new().integer(name, 1);
        let by_name = Writing::new().document("key", key("name").integer("_id", -1)).text("name", "by name");
        let unique = Writing::new().document("key", key("name")).text("name", "once").bool("unique", true);
        let indexes = Writing::new().text("createIndexes", "orders").array("indexes", [by_name, unique]);
        client.ask(database, indexes).unwrap();
        client.ask(database, Writing::new().text("create", "empty")).unwrap();
        let capped =
            Writing::new().text("create", "capped").bool("capped", true).integer("size", 8192).integer("max", 5);
        client.ask(database, capped).unwrap();
        self.insert(database, "capped", numbered(0..4));
        // GridFS is two collections as others are.
        self.insert(
            database,
            "fs.files",
            [Writing::new().integer("_id", 1).text("filename", "a.png").long("length", 5)],
        );
        self.insert(
            database,
            "fs.chunks",
            [Writing::new().integer("files_id", 1).integer("n", 0).bytes("data", &[0, 255, 7])],
        );
        if is_real() {
            let view = Writing::new().text("create", "open").text("viewOn", "orders").array("pipeline", []);
            client.ask(database, view).unwrap();
            let validator = Writing::new().document("name", Writing::new().text("$type", "string"));
            client.ask(database, Writing::new().text("create", "strict").document("validator", validator)).unwrap();
            self.insert(database, "strict", numbered(0..2));
            let series = Writing::new().text("timeField", "at");
            client.ask(database, Writing::new().text("create", "weather").document("timeseries", series)).unwrap();
        }
        self.target(database)
    }

    /// What a command may do to it.
    pub(crate) fn wreck(&self, database: &str) {
        let mut client = self.client();
        let all = Writing::new().document("q", Writing::new().integer("_id", 7)).integer("limit", 1);
        client.ask(database, Writing::new().text("delete", "orders").array("deletes", [all])).unwrap();
        client.ask(database, Writing::new().text("dropIndexes", "orders").text("index", "once")).unwrap();
        client.drop_collection(database, "odd name.with-dots").unwrap();
        client.drop_collection(database, "capped").unwrap();
        self.insert(database, "capped", [Writing::new().integer("_id", 99)]);
        self.insert(database, "empty", [Writing::new().integer("_id", 1)]);
        self.insert(database, "later", [Writing::new().integer("_id", 1)]);
        client.ask(database, Writing::new().text("create", "later.still")).unwrap();
    }

    /// All that a database holds, as another dump of it says it.
    pub(crate) fn content(&self, database: &str) -> Held {
        let session = open_server(&self.target(database), &environment()).unwrap();
        ending(|| look(&session, database, &Waiting::default()).unwrap())
    }

    /// The databases of the server whose names begin so.
    pub(crate) fn databases(&self, beginning: &str) -> Vec<String> {
        let names = self.client().databases().unwrap().into_iter().map(|(name, _)| name);
        names.filter(|name| name.starts_with(beginning)).collect()
    }

    /// Ends the server at once, as a crash would.
    pub(crate) fn crash(&self) {
        let _ = rustix::process::kill_process(
            rustix::process::Pid::from_child(&self.process),
            rustix::process::Signal::KILL,
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.crash();
        let _ = self.process.wait();
    }
}

/// The environment of a user with variables that must not reach the programs, and a state directory of all tests.
pub(crate) fn environment() -> ToolEnvironment {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([fetched()]);
    let state = fetched().parent().unwrap().join("state");
    let set: [(OsString, OsString); 4] = [
        ("PATH".into(), std::env::join_paths(folders).unwrap()),
        ("HOME".into(), "/nonexistent".into()),
        ("XDG_STATE_HOME".into(), state.into()),
        ("MONGODB_URI".into(), "mongodb://db.invalid/shop".into()),
    ];
    ToolEnvironment::new(&set, Path::new("/nonexistent"), Path::new("/nonexistent"))
}

/// A snapshot with its manifest, as the store keeps it.
pub(crate) struct Snapshot {
    folder: TempDir,
    pub(crate) manifest: Manifest,
}

impl Snapshot {
    pub(crate) fn take(target: &Target) -> Snapshot {
        Snapshot::try_take(target, &Waiting::default()).unwrap()
    }

    pub(crate) fn try_take(target: &Target, watch: &dyn Watch) -> Result<Snapshot, MongoError> {
        let folder = tempfile::tempdir().unwrap();
        let taken = save(target, &folder.path().join("dump"), watch)?;
        let manifest = manifest_of(taken, target.database.as_deref().unwrap());
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
            ledger: &Unledgered,
            past: &AllKnown,
        };
        ending(|| with(&restoration))
    }
}

/// Plans and takes a dump, as a run does.
pub(crate) fn save(target: &Target, output: &Path, watch: &dyn Watch) -> Result<Taken, MongoError> {
    let found = open(target, &environment())?;
    let command = found.session.connection.dump(&found.database, output);
    ending(|| take(&found, &command, watch))
}

fn manifest_of(taken: Taken, database: &str) -> Manifest {
    Manifest {
        engine: "mongodb".to_owned(),
        size: taken.size,
        sha256: taken.sha256,
        compression: taken.compression,
        tool: taken.tool,
        server: taken.server,
        tables: taken.tables,
        notes: taken.notes,
        by_hand: taken.by_hand,
        ..manifest("shop_20261121_143022", database, Kind::Run, "2026-11-21T14:30:22Z")
    }
}
