//! A Redis server of a test's own, since a file of it holds all that it has: on loopback, and gone when the test is, or when
//! the test process is, however that ends.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::time::Instant;

use super::patience::{PATIENCE, output};
use super::server_guard::guard;

/// A running server.
pub(crate) struct Redis {
    pub(crate) port: u16,
    pub(crate) folder: PathBuf,
    id: u32,
    /// While this pipe is open the guard waits; it closes with the process.
    _guard: ChildStdin,
}

impl Redis {
    /// Starts one that sends files at once.
    ///
    /// # Panics
    ///
    /// If it is missing or does not start.
    pub(crate) fn start() -> Redis {
        Redis::of("redis-server", &["--repl-diskless-sync-delay", "0"])
    }

    /// Starts one by this program and with these settings.
    ///
    /// # Panics
    ///
    /// If it is missing or does not start.
    pub(crate) fn of(program: &str, settings: &[&str]) -> Redis {
        let folder = tempfile::Builder::new().prefix("safe-test-redis-").tempdir().unwrap().keep();
        let own = guard(&folder, "pid");
        // Another program may take the port between our closing and the server's opening it.
        for _ in 0..5 {
            let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
            let log = fs::File::create(folder.join("log")).unwrap();
            let mut server = Command::new(program);
            server.args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string(), "--dir"]).arg(&folder);
            server.args(settings).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).process_group(0);
            let mut server = server.spawn().unwrap();
            fs::write(folder.join("pid"), server.id().to_string()).unwrap();
            let begun = Instant::now();
            while begun.elapsed() < PATIENCE && server.try_wait().unwrap().is_none() {
                let asked =
                    output(Command::new("redis-cli").args(["-p", &port.to_string(), "PING"]).stdout(Stdio::piped()));
                if asked.stdout.starts_with(b"PONG") {
                    return Redis { port, folder, id: server.id(), _guard: own };
                }
            }
        }
        panic!("{program} did not start: {}", fs::read_to_string(folder.join("log")).unwrap_or_default());
    }

    /// The URL of a database over loopback.
    pub(crate) fn url(&self, database: u32) -> String {
        format!("redis://127.0.0.1:{}/{database}", self.port)
    }

    /// The words of a shell that give a command.
    pub(crate) fn words(&self, command: &str) -> String {
        format!("redis-cli -p {} {command} >/dev/null || exit 9", self.port)
    }

    /// Gives a command, and what is answered.
    pub(crate) fn cli(&self, words: &[&str]) -> String {
        let done =
            output(Command::new("redis-cli").args(["-p", &self.port.to_string()]).args(words).stdout(Stdio::piped()));
        String::from_utf8_lossy(&done.stdout).trim_end().to_owned()
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// A file of its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        Path::new(&self.folder).join(name)
    }
}
