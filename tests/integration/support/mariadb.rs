//! A MariaDB server of the tests' own: started at the first use, on loopback and a private socket, and gone when the test
//! process is, however that ends.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::patience::{PATIENCE, ended, output};
use super::server_guard::guard;

/// A running server. All tests of the process share it: each makes databases of names of its own.
pub(crate) struct Mariadb {
    folder: PathBuf,
    port: u16,
    /// While this pipe is open the guard waits; it closes with the process.
    _guard: ChildStdin,
}

/// The name and password of a user who may do everything.
const USER: &str = "tester";
const PASSWORD: &str = "only-for-tests";

/// Debian keeps the server where only root's `PATH` leads.
fn server_program() -> &'static str {
    if std::path::Path::new("/usr/sbin/mariadbd").exists() { "/usr/sbin/mariadbd" } else { "mariadbd" }
}

/// What root has to say to run a server as itself.
fn as_root() -> &'static [&'static str] {
    if rustix::process::geteuid().is_root() { &["--user=root"] } else { &[] }
}

/// A session that keeps a table in use.
pub(crate) struct Holding {
    client: Child,
}

impl Drop for Holding {
    fn drop(&mut self) {
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}

impl Mariadb {
    /// The server, started if it is not running yet.
    ///
    /// # Panics
    ///
    /// If MariaDB is not installed or does not start, saying what to install or what the server said.
    pub(crate) fn server() -> &'static Mariadb {
        static SERVER: OnceLock<Mariadb> = OnceLock::new();
        SERVER.get_or_init(Mariadb::start)
    }

    fn start() -> Mariadb {
        let folder = tempfile::Builder::new().prefix("safe-test-mariadb-").tempdir().unwrap().keep();
        let guard = guard(&folder, "pid");
        let data = format!("--datadir={}", folder.join("data").display());
        let mut install = Command::new("mariadb-install-db");
        install
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", &data])
            .args(as_root());
        // A server that starts removes what it takes for its own temporary tables.
        install.env("TMPDIR", &folder);
        install.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let made = output(&mut install);
        assert!(made.status.success(), "mariadb-install-db: {}", String::from_utf8_lossy(&made.stderr));
        let mut mariadb = Mariadb { folder: folder.clone(), port: 0, _guard: guard };
        // Another program may take the port between our closing and the server's opening it.
        for _ in 0..5 {
            let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
            let log = fs::File::create(folder.join("log")).unwrap();
            let mut server = Command::new(server_program());
            server.args(["--no-defaults", &data]).args(as_root()).env("TMPDIR", &folder);
            server.arg(format!("--socket={}", folder.join("socket").display()));
            server.arg(format!("--pid-file={}", folder.join("pid").display()));
            server.args([&format!("--port={port}"), "--bind-address=127.0.0.1", "--max-connections=200"]);
            server.args(["--innodb-flush-log-at-trx-commit=0", "--innodb-use-native-aio=0"]);
            server.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).process_group(0);
            let mut server = server.spawn().unwrap();
            let deadline = Instant::now() + PATIENCE;
            mariadb.port = port;
            while Instant::now() < deadline && server.try_wait().unwrap().is_none() {
                if output(mariadb.client("").args(["-e", "SELECT 1"])).status.success() {
                    mariadb.sql(
                        "",
                        &format!("CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON *.* TO {USER}@'%'"),
                    );
                    return mariadb;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        panic!("MariaDB did not start: {}", fs::read_to_string(folder.join("log")).unwrap_or_default());
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    fn client(&self, database: &str) -> Command {
        let mut client = Command::new("mariadb");
        client.args([
            "--no-defaults",
            "--batch",
            "--skip-column-names",
            "--user=root",
            "--default-character-set=utf8mb4",
        ]);
        client.arg(format!("--socket={}", self.folder.join("socket").display()));
        client.arg(format!("--database={database}"));
        client.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        client
    }

    /// Runs statements as root and gives what they print, without the last newline.
    #[track_caller]
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let mut client = self.client(database).stdin(Stdio::piped()).spawn().unwrap();
        // Written beside the reading, so that neither pipe can fill up and stop the other.
        let (mut stdin, text) = (client.stdin.take().unwrap(), sql.to_owned());
        let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
        let output = ended(sql, client);
        let _ = writer.join().unwrap();
        assert!(output.status.success(), "{sql}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end_matches('\n').to_owned()
    }

    /// Opens a session that keeps what `question` reads in use, until what is given is dropped.
    #[track_caller]
    pub(crate) fn holding(&self, database: &str, question: &str) -> Holding {
        let mut client = self.client(database).arg("--unbuffered").stdin(Stdio::piped()).spawn().unwrap();
        let stdin = client.stdin.as_mut().unwrap();
        writeln!(stdin, "BEGIN; {question}; SELECT 'held';").unwrap();
        stdin.flush().unwrap();
        let mut answers = BufReader::new(client.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(answers.any(|line| line == "held"), "{question}");
        Holding { client }
    }

    /// Makes an empty database in place of what had its name.
    pub(crate) fn replace_database(&self, name: &str) {
        self.sql("", &format!("DROP DATABASE IF EXISTS `{name}`; CREATE DATABASE `{name}`"));
    }

    /// Lists the databases whose names begin as this one's, but for itself.
    pub(crate) fn beside(&self, database: &str) -> Vec<String> {
        let like = database.replace('_', "\\_");
        self.sql("", &format!("SHOW DATABASES LIKE '{like}\\_%'")).lines().map(str::to_owned).collect()
    }

    /// All that a database holds, as a dump of it says it.
    pub(crate) fn content(&self, database: &str) -> String {
        let mut dump = Command::new("mariadb-dump");
        dump.args(["--no-defaults", "--user=root", "--skip-dump-date", "--routines", "--events", "--hex-blob"]);
        dump.args(["--order-by-primary", "--databases", database]);
        dump.arg(format!("--socket={}", self.folder.join("socket").display()));
        let dumped = output(dump.stdout(Stdio::piped()).stderr(Stdio::piped()));
        assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
        String::from_utf8_lossy(&dumped.stdout).into_owned()
    }

    /// The database's URL over loopback, with the password.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("mysql://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// The name and the password of a user who may do everything.
    pub(crate) fn login(&self) -> (&'static str, &'static str) {
        (USER, PASSWORD)
    }

    /// The same for a user who has all rights on this database and no other.
    pub(crate) fn url_of_its_own_user(&self, database: &str) -> String {
        let user = format!("{database}_user");
        self.sql("", &format!("CREATE OR REPLACE USER `{user}`@'%' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON `{database}`.* TO `{user}`@'%'"));
        self.url(database).replace(USER, &user)
    }
}
