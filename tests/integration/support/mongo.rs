//! A server that speaks MongoDB's protocol, of the tests' own: started at the first use, on loopback, and gone when the test
//! process is, however that ends. It is FerretDB, which `tests/servers` builds with MongoDB's tools.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::patience::{PATIENCE, ended, output};
use super::server_guard::guard;

/// A running server. All tests of the process share it: each makes databases of names of its own.
pub(crate) struct Mongo {
    port: u16,
    /// While this pipe is open the guard waits; it closes with the process.
    _guard: ChildStdin,
}

impl Mongo {
    /// Where MongoDB's tools are.
    pub(crate) fn programs() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("target/servers/mongo/bin")
    }

    /// The server, started if it is not running yet.
    ///
    /// # Panics
    ///
    /// If it was not built or does not start.
    pub(crate) fn server() -> &'static Mongo {
        static SERVER: OnceLock<Mongo> = OnceLock::new();
        SERVER.get_or_init(Mongo::start)
    }

    fn start() -> Mongo {
        let program = Mongo::programs().join("ferretdb");
        assert!(program.exists(), "{} is missing: `tests/run --prepare` builds it", program.display());
        let folder = tempfile::Builder::new().prefix("safe-test-mongo-").tempdir().unwrap().keep();
        fs::create_dir(folder.join("data")).unwrap();
        let own = guard(&folder, "pid");
        // Another program may take the port between our closing and the server's opening it.
        for _ in 0..5 {
            let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
            let log = fs::File::create(folder.join("log")).unwrap();
            let mut server = Command::new(&program);
            server.args(["--handler=sqlite", "--debug-addr=-", "--telemetry=disable", "--log-level=error"]);
            server.arg(format!("--sqlite-url=file:{}/data/", folder.display()));
            server.arg(format!("--state-dir={}", folder.display())).arg(format!("--listen-addr=127.0.0.1:{port}"));
            server.env_clear().stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).process_group(0);
            let mut server = server.spawn().unwrap();
            fs::write(folder.join("pid"), server.id().to_string()).unwrap();
            let deadline = Instant::now() + PATIENCE;
            while Instant::now() < deadline && server.try_wait().unwrap().is_none() {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Mongo { port, _guard: own };
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        panic!("FerretDB did not start: {}", fs::read_to_string(folder.join("log")).unwrap_or_default());
    }

    /// The database's URL over loopback.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("mongodb://127.0.0.1:{}/{database}", self.port)
    }

    fn tool(&self, name: &str, database: &str, collection: &str) -> Command {
        let mut tool = Command::new(Mongo::programs().join(name));
        tool.arg(format!("--uri={}", self.url("?directConnection=true")));
        tool.arg(format!("--db={database}"))
            .args((!collection.is_empty()).then(|| format!("--collection={collection}")));
        tool.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        tool
    }

    /// The words of a shell that put a collection with these documents, by number, in place of what has its name; `file` is
    /// written in `folder` for it.
    pub(crate) fn replacing(
        &self,
        folder: &Path,
        database: &str,
        collection: &str,
        numbers: std::ops::Range<i32>,
    ) -> String {
        let file = folder.join(format!("{collection}.bson"));
        fs::write(&file, documents(numbers)).unwrap();
        format!(
            "'{}' --uri='{}?directConnection=true' --collection={collection} --drop '{}' || exit 9",
            Mongo::programs().join("mongorestore").display(),
            self.url(database),
            file.display()
        )
    }

    /// Puts a collection with these documents in place of what has its name.
    #[track_caller]
    pub(crate) fn fill(&self, database: &str, collection: &str, numbers: std::ops::Range<i32>) {
        let mut restore = self.tool("mongorestore", database, collection);
        let mut restore = restore.args(["--drop", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = restore.stdin.take().unwrap();
        let bytes = documents(numbers);
        let writer = std::thread::spawn(move || stdin.write_all(&bytes));
        let done = ended("mongorestore", restore);
        let _ = writer.join().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// The documents of a collection as they are stored; none where there is no such collection.
    #[track_caller]
    pub(crate) fn content(&self, database: &str, collection: &str) -> Vec<u8> {
        let done = output(self.tool("mongodump", database, collection).arg("--out=-"));
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    }

    /// The names of the collections of a database, sorted.
    #[track_caller]
    pub(crate) fn collections(&self, database: &str) -> Vec<String> {
        let done = output(self.tool("mongodump", database, "").arg("--archive"));
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let mut names: Vec<String> = said
            .split("\"collectionName\":\"")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
            .collect();
        names.sort();
        names
    }
}

/// Documents with a number and a text.
pub(crate) fn documents(numbers: std::ops::Range<i32>) -> Vec<u8> {
    numbers.flat_map(document).collect()
}

fn document(number: i32) -> Vec<u8> {
    let text = format!("number {number}; a@b.test\0");
    let mut bytes = vec![0; 4];
    bytes.extend_from_slice(b"\x10_id\0");
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(b"\x02text\0");
    bytes.extend_from_slice(&i32::try_from(text.len()).unwrap().to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(0);
    let length = i32::try_from(bytes.len()).unwrap().to_le_bytes();
    bytes[..4].copy_from_slice(&length);
    bytes
}
