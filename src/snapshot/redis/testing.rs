//! A real server for the tests: of its own folder, on a free port, gone afterwards whatever happens.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use chrono::Utc;
use tempfile::TempDir;

use crate::environment::Origin;
use crate::hash::Hash;
use crate::own_tools::ToolEnvironment;
use crate::reach::{Engine, Place, Target};
use crate::secret::Secret;
use crate::snapshot::engine::Restoration;
use crate::snapshot::redis::RedisError;
use crate::snapshot::redis::compare::look;
use crate::snapshot::redis::rdb::{Held, Keeping};
use crate::snapshot::redis::session::{open, open_server};
use crate::snapshot::redis::take::take;
pub(crate) use crate::snapshot::testing::Waiting;
use crate::snapshot::testing::{AllKnown, Unledgered, ending, manifest, wait_for};
use crate::snapshot::{Kind, Manifest, Stored, Taken, Watch};

/// A password with signs that mean something to a shell, in a URL, or in a server's settings.
pub(crate) const PASSWORD: &str = "p\"w\\ '#%=[x]@:/";

/// A server on loopback.
pub(crate) struct Server {
    folder: TempDir,
    pub(crate) port: u16,
    process: Child,
    program: PathBuf,
    settings: Vec<String>,
    password: Option<String>,
}

impl Server {
    /// A server of this machine's version, whose clients are sent the file at once.
    pub(crate) fn start() -> Server {
        Server::start_with(&["--repl-diskless-sync-delay", "0"])
    }

    /// One with these settings.
    pub(crate) fn start_with(settings: &[&str]) -> Server {
        Server::of(Path::new("redis-server"), settings)
    }

    /// One of another program.
    pub(crate) fn of(program: &Path, settings: &[&str]) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let settings: Vec<String> = settings.iter().map(|one| (*one).to_owned()).collect();
        let (port, process) = Server::spawn(program, folder.path(), &settings);
        let mut server = Server { folder, port, process, program: program.to_owned(), settings, password: None };
        server.await_answer();
        server
    }

    /// One that reads its data yet, and will for long.
    pub(crate) fn start_loading(settings: &[&str]) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let settings: Vec<String> = settings.iter().map(|one| (*one).to_owned()).collect();
        let program = PathBuf::from("redis-server");
        let (port, process) = Server::spawn(&program, folder.path(), &settings);
        let server = Server { folder, port, process, program, settings, password: None };
        wait_for("it reads", || server.cli(&["PING"]).starts_with("LOADING"));
        server
    }

    /// Ends it in an orderly way, and starts it again.
    pub(crate) fn restart(&mut self) {
        self.signal(rustix::process::Signal::TERM);
        self.process.wait().unwrap();
        let mut settings = self.settings.clone();
        settings.extend(["--port".to_owned(), self.port.to_string()]);
        self.process = Server::spawn(&self.program, self.folder.path(), &settings).1;
        self.await_answer();
    }

    fn await_answer(&mut self) {
        wait_for("the server answers", || {
            // Another program may have taken the port between our closing and the server's opening it.
            if self.process.try_wait().unwrap().is_some() {
                (self.port, self.process) = Server::spawn(&self.program, self.folder.path(), &self.settings);
            }
            let answer = self.cli(&["PING"]);
            answer == "PONG" || answer.starts_with("NOAUTH")
        });
    }

    fn spawn(program: &Path, folder: &Path, settings: &[String]) -> (u16, Child) {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = fs::File::create(folder.join("log")).unwrap();
        let mut server = Command::new(program);
        server.args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string(), "--dir"]).arg(folder);
        server.arg("--unixsocket").arg(folder.join("redis.sock"));
        let server = server.args(settings).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        (port, server.spawn().unwrap())
    }

    /// Gives a command, and what the client says.
    pub(crate) fn cli(&self, words: &[&str]) -> String {
        let mut client = Command::new("redis-cli");
        client.args(["-p", &self.port.to_string()]).args(words);
        if let Some(password) = &self.password {
            client.env("REDISCLI_AUTH", password);
        }
        let output = client.output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Gives commands, each a line, in database 0 at first.
    pub(crate) fn run(&self, lines: &str) {
        use std::io::Write;
        let mut client = Command::new("redis-cli");
        client.args(["-p", &self.port.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut client = client.spawn().unwrap();
        client.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let said = client.wait_with_output().unwrap().stdout;
        let said = String::from_utf8_lossy(&said);
        assert!(!said.contains("ERR") && !said.contains("WRONGTYPE"), "{said}");
    }

    /// Has it ask everybody for a password.
    pub(crate) fn lock(&mut self) {
        assert_eq!(self.cli(&["CONFIG", "SET", "requirepass", PASSWORD]), "OK");
        self.password = Some(PASSWORD.to_owned());
    }

    /// Something of every kind, in small and in large forms, in three databases.
    pub(crate) fn fill(&self) {
        let many = |command: &str, one: &dyn Fn(u32) -> String| {
            let entries: Vec<String> = (0..700).map(one).collect();
            format!("{command} {}\n", entries.join(" "))
        };
        let mut lines = String::from(
            "SET text \"it's \\x00\\xff\"\nSET number 12345\nSET negative -7\nSET long 123456789012345\nSETRANGE zeros 3000 x\n\
             RPUSH list a b 1 -5 200 70000 -9000000 5000000000 \"\"\nSADD ints 1 -2 70000\nSADD bigints 9000000000 1\n\
             SADD words a b 1\nZADD scores 1 a 2.5 b -inf c 3e40 d\nHSET hash f v g 1 h \"\"\n\
             XADD stream 1-1 a 1\nXADD stream 2-1 b 2 c 3\nXDEL stream 1-1\nXGROUP CREATE stream g 0\n\
             XREADGROUP GROUP g me COUNT 1 STREAMS stream >\nPFADD log a b c\nSETBIT bits 100 1\nGEOADD geo 1 2 here\n\
             SET going 1 EX 86400\nSET gone 1 PX 1\nHSET later a b\nEXPIRE later 90000\n",
        );
        lines += &many("RPUSH longlist", &|at| format!("entry-{at}"));
        lines += &many("SADD manywords", &|at| format!("word-{at}"));
        lines += &many("SADD manyints", &|at| format!("{at}"));
        lines += &many("ZADD manyscores", &|at| format!("{}.5 m{at}", at * 3));
        lines += &many("HSET manyfields", &|at| format!("f{at} v{at}"));
        lines += &format!("RPUSH plain {}\nHSET wide f {}\n", "x".repeat(9000), "abc".repeat(300));
        lines += "SELECT 3\nSET other 1\nSELECT 15\nSET last 1\n";
        self.run(&lines);
        // Asked for, it goes at once.
        wait_for("its time is over", || self.cli(&["EXISTS", "gone"]) == "0");
        if !self.info().starts_with("redis_version:6") {
            self.run("FUNCTION LOAD \"#!lua name=shop\\nredis.register_function('f', function() return 1 end)\"\n");
        }
    }

    fn info(&self) -> String {
        let info = self.cli(&["INFO", "server"]);
        info.lines().find(|line| line.starts_with("redis_version")).unwrap_or_default().to_owned()
    }

    /// What a command may do to it.
    pub(crate) fn wreck(&self) {
        self.run("SET text other\nDEL ints\nRPUSH list z\nSET later-made 1\nSELECT 3\nFLUSHDB\nSELECT 5\nSET new 1\n");
    }

    /// A target of this server.
    pub(crate) fn target(&self) -> Target {
        Target {
            engine: Engine::Redis,
            places: vec![Place::Host { name: "127.0.0.1".into(), port: Some(self.port) }],
            database: Some("0".to_owned()),
            user: None,
            password: self.password.clone().map(Secret::new),
            parameters: Vec::new(),
            origins: vec![Origin::process("REDIS_URL")],
            doubts: Vec::new(),
        }
    }

    /// All that it holds, as another file says it.
    pub(crate) fn content(&self) -> Held {
        let session = open_server(&self.target(), &environment()).unwrap();
        let held = ending(|| look(&session.connection, Keeping::Sum { over: 0 }, &Waiting::default()).unwrap());
        Held { offset: None, ..held }
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the server at once, as a crash would.
    pub(crate) fn crash(&self) {
        let process = rustix::process::Pid::from_child(&self.process);
        let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
    }

    /// Stops it, or lets it go on.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.process), signal).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.crash();
        let _ = self.process.wait();
    }
}

/// The environment of a user with variables that must not reach the programs, and a state directory of this test's own.
pub(crate) fn environment() -> ToolEnvironment {
    environment_of(&folders(), &Path::new(env!("CARGO_MANIFEST_DIR")).join("target/redis-state"))
}

/// The folders of `PATH`.
fn folders() -> Vec<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect()
}

pub(crate) fn environment_of(folders: &[PathBuf], state: &Path) -> ToolEnvironment {
    let set = [
        ("PATH".into(), std::env::join_paths(folders).unwrap()),
        ("HOME".into(), "/nonexistent".into()),
        ("XDG_STATE_HOME".into(), state.into()),
        ("REDISCLI_AUTH".into(), "somebody's".into()),
        ("REDIS_URL".into(), "redis://db.invalid/0".into()),
    ];
    ToolEnvironment::new(&set, Path::new("/nonexistent"), Path::new("/nonexistent"))
}

/// A snapshot with its manifest, as the store keeps it.
pub(crate) struct Snapshot {
    folder: TempDir,
    pub(crate) manifest: Manifest,
    pub(crate) environment: ToolEnvironment,
}

impl Snapshot {
    pub(crate) fn take(target: &Target) -> Snapshot {
        Snapshot::try_take(target, &Waiting::default()).unwrap()
    }

    pub(crate) fn try_take(target: &Target, watch: &dyn Watch) -> Result<Snapshot, RedisError> {
        Snapshot::take_by(target, &folders(), watch)
    }

    /// Takes one by the programs of these folders, and puts it back by them.
    pub(crate) fn take_by(target: &Target, folders: &[PathBuf], watch: &dyn Watch) -> Result<Snapshot, RedisError> {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment_of(folders, &folder.path().join("state"));
        let taken = save(target, &environment, &folder.path().join("dump"), watch)?;
        Ok(Snapshot { folder, manifest: manifest_of(taken), environment })
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("dump")
    }

    /// Calls `with` with what a restore to `target` needs.
    pub(crate) fn restoring<T>(&self, target: &Target, with: impl FnOnce(&Restoration<'_>) -> T) -> T {
        let restoration = Restoration {
            stored: &Stored { manifest: self.manifest.clone(), hash: Hash::of(b""), dump: self.file() },
            target,
            environment: &self.environment,
            now: Utc::now(),
            ledger: &Unledgered,
            past: &AllKnown,
        };
        ending(|| with(&restoration))
    }

    /// What temporary servers have left.
    pub(crate) fn left(&self) -> Vec<PathBuf> {
        let folder = self.folder.path().join("state/safe-test/servers");
        fs::read_dir(folder).map(|all| all.map(|one| one.unwrap().path()).collect()).unwrap_or_default()
    }
}

/// Plans and takes a dump, as a run does.
pub(crate) fn save(
    target: &Target,
    environment: &ToolEnvironment,
    output: &Path,
    watch: &dyn Watch,
) -> Result<Taken, RedisError> {
    let session = open(target, environment)?;
    let command = session.connection.dump(output);
    ending(|| take(&session, "0", environment, &command, watch))
}

pub(crate) fn manifest_of(taken: Taken) -> Manifest {
    Manifest {
        engine: "redis".to_owned(),
        size: taken.size,
        sha256: taken.sha256,
        compression: taken.compression,
        tool: taken.tool,
        server: taken.server,
        tables: taken.tables,
        state: taken.state,
        obstacles: taken.obstacles,
        notes: taken.notes,
        by_hand: taken.by_hand,
        ..manifest("redis_20261121_143022", "0", Kind::Run, "2026-11-21T14:30:22Z")
    }
}
