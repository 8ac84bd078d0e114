//! PostgreSQL servers of the tests' own, one a version: started at the first use, on loopback and a private socket, and
//! gone when the test process is, however that ends.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::patience::{PATIENCE, ended, output};
use super::postgres_programs::Programs;
use super::server_guard::guard;

/// A running server. All tests of the process share it: each makes databases of names of its own.
pub(crate) struct Postgres {
    programs: Programs,
    folder: PathBuf,
    port: u16,
    /// While this pipe is open the guard waits; it closes with the process.
    _guard: ChildStdin,
}

/// The superuser's name and password.
const USER: &str = "tester";
const PASSWORD: &str = "only-for-tests";

impl Postgres {
    /// The server of the machine's own version, started if it is not running yet.
    ///
    /// # Panics
    ///
    /// If PostgreSQL is not installed or does not start, saying what to install or what the server said.
    pub(crate) fn server() -> &'static Postgres {
        static SERVER: OnceLock<Postgres> = OnceLock::new();
        SERVER.get_or_init(|| Postgres::start(Programs::of_machine()))
    }

    /// The server of that major version, started if it is not running yet.
    ///
    /// # Panics
    ///
    /// As [`Postgres::server`].
    pub(crate) fn of_version(major: u32) -> &'static Postgres {
        static SERVERS: Mutex<BTreeMap<u32, &'static OnceLock<Postgres>>> = Mutex::new(BTreeMap::new());
        if Programs::of_machine().major == major {
            return Postgres::server();
        }
        let mut servers = SERVERS.lock().unwrap();
        let server: &OnceLock<Postgres> = servers.entry(major).or_insert_with(|| Box::leak(Box::default()));
        drop(servers);
        server.get_or_init(|| Postgres::start(Programs::of_version(major)))
    }

    /// A server of the machine's own version that is nobody else's: what is written to any of its databases can be told.
    pub(crate) fn alone() -> Postgres {
        Postgres::start(Programs::of_machine())
    }

    fn start(programs: Programs) -> Postgres {
        let folder = tempfile::Builder::new().prefix("safe-test-pg-").tempdir().unwrap().keep();
        let guard = guard(&folder, "data/postmaster.pid");
        let user = Unprivileged::needed();
        let password_file = folder.join("password");
        fs::write(&password_file, PASSWORD).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        if let Some(user) = &user {
            for path in [&folder, &password_file] {
                chown(path, Some(user.uid), Some(user.gid)).unwrap();
            }
        }
        let server_programs = match &user {
            Some(_) => programs.for_another_user(&folder),
            None => programs.folder.clone(),
        };
        let prepared = |program: &str| {
            let mut command = Command::new(server_programs.join(program));
            command.current_dir(&folder).stdin(Stdio::null()).env_clear().env("LC_ALL", "C").env("TZ", "UTC");
            command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
            if let Some(user) = &user {
                command.uid(user.uid).gid(user.gid);
            }
            command
        };
        let mut initdb = prepared("initdb");
        initdb.args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata=data"]);
        initdb.arg(format!("--username={USER}")).arg(format!("--pwfile={}", password_file.display()));
        let made = output(initdb.stdout(Stdio::piped()).stderr(Stdio::piped()));
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));

        // Another program may take the port between our closing and the server's opening it.
        for _ in 0..5 {
            let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
            let log = fs::File::create(folder.join("log")).unwrap();
            let mut server = prepared("postgres");
            server.args(["-D", "data", "-h", "127.0.0.1", "-c", "fsync=off", "-c", "max_connections=200"]);
            // It writes by itself, at times that no test knows.
            server.args(["-c", "autovacuum=off"]);
            server.arg("-p").arg(port.to_string()).arg("-k").arg(&folder);
            // Ctrl-C at the tests is not for the server: the guard ends it.
            let mut server = server.stdout(log.try_clone().unwrap()).stderr(log).process_group(0).spawn().unwrap();
            let postgres = |guard| Postgres { programs: programs.clone(), folder: folder.clone(), port, _guard: guard };
            let deadline = Instant::now() + PATIENCE;
            while Instant::now() < deadline && server.try_wait().unwrap().is_none() {
                let mut ready = Command::new(programs.clients().join("pg_isready"));
                // By its socket, which it opens last, in a folder that is its own: another server may have the port.
                ready.arg("-q").arg("-h").arg(&folder).arg("-p").arg(port.to_string());
                if output(&mut ready).status.success() {
                    return postgres(guard);
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        panic!("PostgreSQL did not start: {}", fs::read_to_string(folder.join("log")).unwrap_or_default());
    }

    /// A client program that fits the server: `psql`, `pg_dump`, …
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.clients().join(name)
    }

    /// The folder with the server's programs.
    pub(crate) fn programs(&self) -> &Path {
        &self.programs.folder
    }

    /// The server's major version.
    pub(crate) fn major(&self) -> u32 {
        self.programs.major
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn user(&self) -> &'static str {
        USER
    }

    pub(crate) fn password(&self) -> &'static str {
        PASSWORD
    }

    /// The folder of the server's unix socket.
    pub(crate) fn socket_folder(&self) -> &Path {
        &self.folder
    }

    /// Makes an empty database; its name may need quoting.
    pub(crate) fn create_database(&self, name: &str) {
        self.psql("postgres", &format!("CREATE DATABASE {} TEMPLATE template0", quoted(name)));
    }

    /// Makes a database, ends its connections and drops what had its name before.
    pub(crate) fn replace_database(&self, name: &str) {
        self.psql("postgres", &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(name)));
        self.create_database(name);
    }

    /// Runs SQL (or psql's own commands) and gives what it printed: unaligned, rows only, without the last newline.
    #[track_caller]
    pub(crate) fn psql(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(self.program("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", USER, "-p"]);
        psql.arg(self.port.to_string()).arg("-d").arg(format!("dbname='{}'", escaped(database)));
        psql.env_clear().env("PGPASSWORD", PASSWORD).env("PGCLIENTENCODING", "UTF8").env("LC_ALL", "C.UTF-8");
        let mut psql = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Written beside the reading, so that neither pipe can fill up and stop the other.
        let (mut stdin, sql_text) = (psql.stdin.take().unwrap(), sql.to_owned());
        let writer = std::thread::spawn(move || stdin.write_all(sql_text.as_bytes()));
        let output = ended(sql, psql);
        // psql stops reading at the first error, which its status tells better than a broken pipe does.
        let _ = writer.join().unwrap();
        assert!(output.status.success(), "{sql}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end_matches('\n').to_owned()
    }

    /// The database's URL over loopback, with the password.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{}", self.port, percent_encoded(database))
    }

    /// The database's URL over the unix socket.
    pub(crate) fn socket_url(&self, database: &str) -> String {
        let folder = percent_encoded(&self.folder.display().to_string());
        format!("postgres://{USER}:{PASSWORD}@{folder}:{}/{}", self.port, percent_encoded(database))
    }
}

/// Somebody who is not root: initdb and the server refuse to run as root.
pub(super) struct Unprivileged {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Unprivileged {
    pub(super) fn needed() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let passwd = fs::read_to_string("/etc/passwd").unwrap();
        let find =
            |name: &str| passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|line| line[0] == name);
        let line = find("postgres").or_else(|| find("nobody")).expect("a user `postgres` or `nobody`");
        Some(Unprivileged { uid: line[2].parse().unwrap(), gid: line[3].parse().unwrap() })
    }
}

/// An SQL identifier.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A value in a libpq connection string's single quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\'', "\\'")
}

fn percent_encoded(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encoded).collect()
}

#[test]
fn server_answers_by_address_and_by_socket() {
    let postgres = Postgres::server();
    let name = "support one's \"name\" äß/%";
    postgres.replace_database(name);
    postgres.psql(name, "CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 1000);");
    assert_eq!(postgres.psql(name, "SELECT count(*), current_database() FROM t"), format!("1000|{name}"));
    for url in [postgres.url(name), postgres.socket_url(name)] {
        let output = Command::new(postgres.program("psql")).args(["-XAt", "-c", "SELECT max(a) FROM t", &url]).output();
        assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), "1000\n", "{url}");
    }
}

#[test]
fn server_is_closed_to_a_wrong_password() {
    let postgres = Postgres::server();
    let url = postgres.url("postgres").replace(PASSWORD, "wrong");
    let output = Command::new(postgres.program("psql")).args(["-XAt", "-c", "SELECT 1", &url]).output().unwrap();
    assert_eq!((output.status.success(), output.stdout.as_slice()), (false, &b""[..]));
}
