//! A real server for the tests: of its own data folder, on a free port, gone afterwards whatever happens.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use chrono::DateTime;
use tempfile::TempDir;

use crate::environment::Origin;
use crate::hash::Hash;
use crate::own_tools::ToolEnvironment;
use crate::reach::{Engine, Place, Target};
use crate::secret::Secret;
use crate::snapshot::engine::{Kept, Restoration, Restored};
use crate::snapshot::mysql::client::{identifier, literal};
use crate::snapshot::mysql::exchange_back::exchange_back;
use crate::snapshot::mysql::take::{prepare, take};
use crate::snapshot::mysql::version::Flavor;
use crate::snapshot::mysql::{MysqlError, Session};
pub(crate) use crate::snapshot::testing::Waiting;
use crate::snapshot::testing::{AllKnown, Unledgered, ending, manifest, wait_for};
use crate::snapshot::{Kind, Making, Manifest, Stored, Taken, Watch};

/// The password of the account that the tests use; its signs are those that mean something in an option file.
pub(crate) const PASSWORD: &str = "p\"w\\ '#ü;=[x] \t";

/// Whose programs a server is run and asked with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Programs {
    flavor: Flavor,
    /// The name of those that were fetched; `None` for the machine's own.
    fetched: Option<&'static str>,
}

/// The machine's own.
pub(crate) const OWN: Programs = Programs { flavor: Flavor::Mariadb, fetched: None };

/// What `tests/servers` fetches.
pub(crate) const MARIADB_11: Programs = Programs { flavor: Flavor::Mariadb, fetched: Some("mariadb-11") };
pub(crate) const MYSQL_9: Programs = Programs { flavor: Flavor::Mysql, fetched: Some("mysql-9") };
/// For the long forms: a server alone, whose clients are the former's.
pub(crate) const MYSQL_5_6: Programs = Programs { flavor: Flavor::Mysql, fetched: Some("mysql-5.6") };

impl Programs {
    /// The folder that was fetched.
    fn folder(self) -> Option<PathBuf> {
        Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("target/servers").join(self.fetched?))
    }

    fn command(self, name: &str) -> Command {
        Command::new(self.folder().map_or(PathBuf::from(name), |folder| folder.join("bin").join(name)))
    }

    /// Whose clients it is asked with.
    fn clients(self) -> Programs {
        if self.is_old() { MYSQL_9 } else { self }
    }

    /// Tells whether its data folder is made by scripts, and options that others need are not known to it.
    fn is_old(self) -> bool {
        self.fetched == MYSQL_5_6.fetched
    }

    fn client(self) -> Command {
        let name = if self.flavor == Flavor::Mysql { "mysql" } else { "mariadb" };
        self.clients().command(name)
    }

    fn server(self) -> Command {
        match self {
            Programs { fetched: None, .. } => Command::new(server_program()),
            Programs { flavor: Flavor::Mysql, .. } => self.command("mysqld"),
            Programs { flavor: Flavor::Mariadb, .. } => self.command("mariadbd"),
        }
    }

    /// Says where what belongs to the programs is.
    fn basedir(self) -> Option<String> {
        self.folder().map(|folder| format!("--basedir={}", folder.join("root/usr").display()))
    }

    /// Makes a server's data folder.
    fn install(self, data: &Path) {
        let mut install = match (self.flavor, self.folder()) {
            (_, Some(folder)) if self.is_old() => {
                fs::create_dir_all(data.join("mysql")).unwrap();
                let scripts = folder.join("root/usr/share");
                let script = format!(
                    "(echo 'USE mysql;'; cat {0}/mysql_system_tables.sql {0}/mysql_system_tables_data.sql; \
                     echo \"DELETE FROM user WHERE User = '';\") | \"$0\" \"$@\"",
                    scripts.display()
                );
                let mut install = Command::new("/bin/sh");
                install.args(["-c", &script]).arg(folder.join("bin/mysqld")).args(["--no-defaults", "--bootstrap"]);
                install
            }
            (Flavor::Mysql, _) => {
                let mut install = self.server();
                install.args(["--no-defaults", "--initialize-insecure"]);
                install
            }
            (Flavor::Mariadb, folder) => {
                let program =
                    folder.map_or("mariadb-install-db".into(), |one| one.join("root/usr/bin/mariadb-install-db"));
                let mut install = Command::new(program);
                install.args(["--no-defaults", "--force", "--auth-root-authentication-method=normal"]);
                install.args(["--skip-test-db", "--skip-log-bin"]);
                install
            }
        };
        install.args(self.basedir()).arg(format!("--datadir={}", data.display())).args(as_root());
        install.env("TMPDIR", data.parent().unwrap());
        let made = install.stdin(Stdio::null()).output().expect("`tests/run --prepare` installs MariaDB");
        assert!(made.status.success(), "{install:?}: {}", String::from_utf8_lossy(&made.stderr));
    }
}

/// A server on loopback.
pub(crate) struct Server {
    folder: TempDir,
    pub(crate) port: u16,
    process: Child,
    programs: Programs,
    options: &'static [&'static str],
}

static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());

impl Server {
    /// The server that the tests share as long as one of them uses it.
    pub(crate) fn shared() -> Arc<Server> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Server::start());
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// A server of the test's own.
    pub(crate) fn start() -> Server {
        Server::start_with(&[])
    }

    /// The same with more options.
    pub(crate) fn start_with(options: &'static [&'static str]) -> Server {
        Server::start_by(OWN, options)
    }

    /// The same of programs that were fetched.
    pub(crate) fn of(programs: Programs) -> Server {
        let options: &[&str] = match programs.flavor {
            _ if programs.is_old() => &[],
            Flavor::Mysql => &["--mysqlx=OFF", "--secure-file-priv="],
            Flavor::Mariadb => &[],
        };
        Server::start_by(programs, options)
    }

    fn start_by(programs: Programs, options: &'static [&'static str]) -> Server {
        if let Some(fetched) = programs.folder() {
            assert!(fetched.is_dir(), "{} is missing: `tests/run --prepare` fetches it", fetched.display());
        }
        let folder = tempfile::tempdir().unwrap();
        programs.install(&folder.path().join("data"));
        let (port, process) = Server::spawn(programs, folder.path(), options);
        let mut server = Server { folder, port, process, programs, options };
        server.wait_until_it_answers();
        server.run(
            "",
            &format!("CREATE USER tester@'%' IDENTIFIED BY {}; GRANT ALL ON *.* TO tester@'%'", literal(PASSWORD)),
        );
        server
    }

    fn wait_until_it_answers(&mut self) {
        wait_for("the server answers", || {
            // Another program may have taken the port between our closing and the server's opening it.
            if self.process.try_wait().unwrap().is_some() {
                (self.port, self.process) = Server::spawn(self.programs, self.folder.path(), self.options);
            }
            self.client().args(["-e", "SELECT 1"]).output().unwrap().status.success()
        });
    }

    /// Starts the server again after a crash, at the same port.
    pub(crate) fn restart(&mut self) {
        self.crash();
        self.process.wait().unwrap();
        self.process = Server::spawn_at(self.programs, self.folder.path(), self.port, self.options);
        wait_for("the server answers again", || {
            if self.process.try_wait().unwrap().is_some() {
                self.process = Server::spawn_at(self.programs, self.folder.path(), self.port, self.options);
            }
            self.client().args(["-e", "SELECT 1"]).output().unwrap().status.success()
        });
    }

    fn spawn(programs: Programs, folder: &Path, options: &[&str]) -> (u16, Child) {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        (port, Server::spawn_at(programs, folder, port, options))
    }

    fn spawn_at(programs: Programs, folder: &Path, port: u16, options: &[&str]) -> Child {
        let mut server = programs.server();
        server.arg("--no-defaults").args(programs.basedir()).args(as_root());
        server.arg(format!("--datadir={}", folder.join("data").display()));
        // A server that starts removes what it takes for its own temporary tables.
        server.env("TMPDIR", folder);
        server.arg(format!("--socket={}", folder.join("socket").display()));
        server.arg(format!("--pid-file={}", folder.join("pid").display()));
        server.args([&format!("--port={port}"), "--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=0"]);
        server.args(["--innodb-buffer-pool-size=64M", "--max-connections=200", "--innodb-use-native-aio=0"]);
        server.args(options);
        let log = fs::File::create(folder.join("log")).unwrap();
        server.stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    /// Its Unix socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// A database of this server, as a user who may do everything.
    pub(crate) fn target(&self, database: &str) -> Target {
        Target {
            engine: Engine::Mysql,
            places: vec![Place::Host { name: "127.0.0.1".into(), port: Some(self.port) }],
            database: Some(database.to_owned()),
            user: Some("tester".into()),
            password: Some(Secret::new(PASSWORD)),
            parameters: Vec::new(),
            origins: vec![Origin::process("DATABASE_URL")],
            doubts: Vec::new(),
        }
    }

    /// The same as another user, who is made with these rights, each `… ON …`; its password is its name.
    pub(crate) fn target_as(&self, database: &str, user: &str, rights: &[&str]) -> Target {
        self.run("", &format!("CREATE USER {user}@'%' IDENTIFIED BY {}", literal(user)));
        for right in rights {
            self.run("", &format!("GRANT {right} TO {user}@'%'"));
        }
        Target { user: Some(user.into()), password: Some(Secret::new(user)), ..self.target(database) }
    }

    /// A new database, filled by a script.
    pub(crate) fn database(&self, name: &str, script: &str) -> Target {
        self.run("", &format!("DROP DATABASE IF EXISTS {0}; CREATE DATABASE {0}", identifier(name)));
        self.run(name, script);
        self.target(name)
    }

    /// Runs a script as root and gives what its queries print.
    pub(crate) fn run(&self, database: &str, script: &str) -> String {
        let mut client = self.client();
        client
            .arg(format!("--database={database}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut client = client.spawn().unwrap();
        let mut stdin = client.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, script.as_bytes()).unwrap();
        drop(stdin);
        let output = ending(|| client.wait_with_output().unwrap());
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// A client of root's, to be used freely.
    pub(crate) fn client(&self) -> Command {
        let mut command = self.programs.client();
        command.args(["--no-defaults", "--batch", "--skip-column-names", "--user=root", "--comments"]);
        command.arg(format!("--socket={}", self.folder.path().join("socket").display())).stdin(Stdio::null());
        command
    }

    /// All that a database holds, as another dump of it says it: the rows of tables in the order of their keys.
    pub(crate) fn content(&self, database: &str) -> String {
        let (program, more) = match self.programs.flavor {
            Flavor::Mariadb => ("mariadb-dump", "--dump-history"),
            Flavor::Mysql => ("mysqldump", "--set-gtid-purged=OFF"),
        };
        let mut dump = self.programs.clients().command(program);
        dump.args(["--no-defaults", "--user=root", "--skip-dump-date", "--routines", "--events", "--hex-blob", more]);
        dump.args(["--order-by-primary", "--skip-extended-insert", "--force", "--databases", database]);
        dump.arg(format!("--socket={}", self.folder.path().join("socket").display()));
        let output = ending(|| dump.output().unwrap());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // Views that do not work are passed over, and nothing else.
        let said = String::from_utf8_lossy(&output.stderr);
        let is_broken_view = |line: &str| line.contains("references invalid table") || line.contains("(1356)");
        assert!(text.contains("-- Dump completed") && said.lines().all(is_broken_view), "{said}");
        text
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

/// Debian keeps the server where only root's `PATH` leads.
fn server_program() -> &'static str {
    if Path::new("/usr/sbin/mariadbd").exists() { "/usr/sbin/mariadbd" } else { "mariadbd" }
}

/// What root has to say to run a server as itself.
fn as_root() -> &'static [&'static str] {
    if rustix::process::geteuid().is_root() { &["--user=root"] } else { &[] }
}

/// The machine's own folders of programs, and those that were fetched.
fn path() -> OsString {
    let fetched = [MARIADB_11, MYSQL_9].into_iter().filter_map(Programs::folder).map(|folder| folder.join("bin"));
    std::env::join_paths(["/usr/bin", "/bin"].map(PathBuf::from).into_iter().chain(fetched)).unwrap()
}

/// The environment of a user who has these programs only. `links` becomes the folder of what those need that were fetched.
pub(crate) fn environment_of(programs: Programs, links: &Path) -> ToolEnvironment {
    let path = programs.folder().map_or("/usr/bin:/bin".into(), |folder| {
        let _ = std::os::unix::fs::symlink("/usr/bin/readlink", links.join("readlink"));
        std::env::join_paths([folder.join("bin").as_path(), links]).unwrap()
    });
    let set = [(OsString::from("PATH"), path)];
    ToolEnvironment::new(&set, Path::new("/nonexistent"), Path::new("/nonexistent"))
}

/// The environment of a user with this home, with variables that must not reach the programs.
pub(crate) fn environment_with_home(home: &Path) -> ToolEnvironment {
    let set: [(OsString, OsString); 5] = [
        ("PATH".into(), path()),
        ("HOME".into(), home.into()),
        ("MYSQL_PWD".into(), "wrong".into()),
        ("MYSQL_HOST".into(), "db.invalid".into()),
        ("MYSQL_TCP_PORT".into(), "1".into()),
    ];
    ToolEnvironment::new(&set, Path::new("/nonexistent"), Path::new("/nonexistent"))
}

pub(crate) fn environment() -> ToolEnvironment {
    environment_with_home(Path::new("/nonexistent"))
}

/// A snapshot with its manifest, as the store keeps it.
pub(crate) struct Snapshot {
    pub(crate) folder: TempDir,
    pub(crate) manifest: Manifest,
}

impl Snapshot {
    pub(crate) fn take(target: &Target) -> Snapshot {
        Snapshot::try_take(target, &environment()).unwrap()
    }

    pub(crate) fn try_take(target: &Target, environment: &ToolEnvironment) -> Result<Snapshot, MysqlError> {
        let folder = tempfile::tempdir().unwrap();
        let mut session = Session::open(target, environment)?;
        let taken = ending(|| save(&mut session, &folder.path().join("dump"), &Waiting::default()))?;
        let manifest = manifest_of(taken, &session.identity.database);
        Ok(Snapshot { folder, manifest })
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("dump")
    }

    /// Calls `with` with what a restore to `target` needs.
    pub(crate) fn restoring<T>(&self, target: &Target, with: impl FnOnce(&Restoration<'_>) -> T) -> T {
        self.restoring_in(&environment(), target, with)
    }

    /// The same with the programs of an environment.
    pub(crate) fn restoring_in<T>(
        &self,
        environment: &ToolEnvironment,
        target: &Target,
        with: impl FnOnce(&Restoration<'_>) -> T,
    ) -> T {
        let restoration = Restoration {
            stored: &Stored { manifest: self.manifest.clone(), hash: Hash::of(b""), dump: self.file() },
            target,
            environment,
            now: DateTime::from_timestamp(1_795_271_422, 0).unwrap(),
            ledger: &Unledgered,
            past: &AllKnown,
        };
        ending(|| with(&restoration))
    }
}

/// Exchanges what the target holds for what a restore has kept.
pub(crate) fn bring_back(target: &Target, replaced: &str) -> Result<Restored, MysqlError> {
    let database = target.database.clone().unwrap();
    let making = Making {
        server: Session::open(target, &environment()).unwrap().identity.fingerprint,
        target: format!("mysql://127.0.0.1/{database}"),
        database,
        making: vec![replaced.to_owned()],
    };
    let kept = Kept {
        name: replaced,
        making: &making,
        target,
        environment: &environment(),
        now: DateTime::from_timestamp(1_795_271_423, 0).unwrap(),
        ledger: &Unledgered,
    };
    ending(|| exchange_back(&kept))
}

/// Prepares and takes a dump, as a run does.
pub(crate) fn save(session: &mut Session, output: &Path, watch: &dyn Watch) -> Result<Taken, MysqlError> {
    let prepared = prepare(session, output)?;
    take(session, &prepared.command, (prepared.tables, prepared.proof), Duration::from_secs(1), watch)
}

fn manifest_of(taken: Taken, database: &str) -> Manifest {
    Manifest {
        engine: "mysql".to_owned(),
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
        ..manifest("shop_20261121_143022", database, Kind::Run, "2026-11-21T14:30:22Z")
    }
}

/// Fails where two contents differ, naming the lines.
#[track_caller]
pub(crate) fn assert_same(found: &str, expected: &str) {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (found, expected) = (lines(found), lines(expected));
    let without = |some: &[String], others: &[String]| -> Vec<String> {
        some.iter().filter(|line| !others.contains(line)).cloned().collect()
    };
    let (more, less) = (without(&found, &expected), without(&expected, &found));
    assert!(more.is_empty() && less.is_empty(), "besides: {more:#?}\nmissing: {less:#?}");
    assert!(found == expected, "in another order");
}

/// A database with something of every kind; `DATABASE` stands for its name.
pub(crate) const RICH: &str = r#"
SET sql_mode = '', foreign_key_checks = 0, check_constraint_checks = 0;
CREATE TABLE customers (id INT PRIMARY KEY AUTO_INCREMENT, mail VARCHAR(100) UNIQUE COMMENT 'it''s; (x)', data JSON,
  bits BIT(5), bin VARBINARY(9), picture BLOB, born DATE, place POINT, CHECK (mail <> '')) AUTO_INCREMENT = 100;
INSERT INTO customers VALUES (1, 'a@b.test', '{"a":1}', b'101', x'00FF', x'00FF27', '0000-00-00', POINT(1, 2)),
  (2, 'it''s; \n\r\0 \\ "x" 😀 -- y', NULL, NULL, NULL, NULL, '2024-00-10', NULL), (3, '', NULL, NULL, '', '', NULL, NULL),
  (4, 'NULL', NULL, b'0', 0x5c, NULL, NULL, NULL);
CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, customer INT, parent INT, total DECIMAL(10,2),
  vat DECIMAL(10,2) AS (total * 0.2) STORED, next INT AS (id + 1) VIRTUAL, at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE, CONSTRAINT own FOREIGN KEY (parent) REFERENCES orders (id));
INSERT INTO orders (customer, parent, total) VALUES (1, NULL, 10), (2, 1, 20), (99, 2, 30);
CREATE TABLE counted (a INT) ENGINE = MyISAM; INSERT INTO counted VALUES (1), (2), (2);
CREATE TABLE crashed (a INT, t TEXT, FULLTEXT (t)) ENGINE = Aria; INSERT INTO crashed VALUES (1, 'words of text');
CREATE SEQUENCE numbers START WITH 5 INCREMENT BY 3; SELECT NEXTVAL(numbers);
CREATE TABLE numbered (a INT DEFAULT NEXTVAL(numbers), b INT); INSERT INTO numbered (b) VALUES (1);
CREATE TABLE history (a INT) WITH SYSTEM VERSIONING; INSERT INTO history VALUES (1); UPDATE history SET a = 2;
CREATE TABLE parts (a INT, b INT) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO parts VALUES (1, 1), (100, 2);
CREATE TABLE latin (t VARCHAR(20)) CHARACTER SET latin1; INSERT INTO latin VALUES ('café');
CREATE TABLE `odd``name; -- x'"` (`select` INT, `a b` INT); INSERT INTO `odd``name; -- x'"` VALUES (1, 2);
CREATE TABLE emptied (a INT);
CREATE FUNCTION plus_one(x INT) RETURNS INT DETERMINISTIC RETURN x + 1;
DELIMITER //
CREATE PROCEDURE many() BEGIN
  -- a comment; it's one
  SELECT 'a;b', "c" /* d; */; END//
CREATE TRIGGER DATABASE.first_one BEFORE INSERT ON orders FOR EACH ROW BEGIN SET NEW.total = plus_one(NEW.total); END//
CREATE TRIGGER second_one BEFORE INSERT ON orders FOR EACH ROW FOLLOWS first_one SET NEW.total = NEW.total * 2//
DELIMITER ;
SET sql_mode = 'ANSI_QUOTES';
CREATE TRIGGER "third one" AFTER DELETE ON customers FOR EACH ROW DELETE FROM "emptied";
SET sql_mode = 'NO_BACKSLASH_ESCAPES';
CREATE PROCEDURE slashes() SELECT 'C:\', '$$;' AS "x\";
SET sql_mode = '';
CREATE VIEW totals AS SELECT id, plus_one(total) AS more FROM orders;
CREATE VIEW a_view_of_views AS SELECT * FROM totals;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO INSERT INTO emptied VALUES (3);
"#;

/// What a command may do to it.
pub(crate) const WRECK: &str = "
SET foreign_key_checks = 0;
DELETE FROM customers WHERE id = 1; UPDATE orders SET total = 0; TRUNCATE counted; DROP TABLE crashed; DROP VIEW totals; DROP VIEW a_view_of_views;
DROP TRIGGER second_one; DROP FUNCTION plus_one; DROP EVENT nightly; ALTER TABLE parts ADD COLUMN c INT DEFAULT 7;
CREATE TABLE added (a INT); INSERT INTO added VALUES (1); CREATE VIEW added_view AS SELECT 1; ALTER SEQUENCE numbers RESTART 500;
CREATE PROCEDURE added_procedure() SELECT 2; CREATE TRIGGER added_trigger BEFORE INSERT ON added FOR EACH ROW SET NEW.a = 5;
ALTER TABLE latin CONVERT TO CHARACTER SET utf8mb4; INSERT INTO emptied VALUES (1);";

impl Server {
    /// A database with something of every kind.
    pub(crate) fn rich(&self, name: &str) -> Target {
        let target = self.database(name, &RICH.replace("DATABASE", name));
        self.run(
            "",
            &format!("ALTER DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci COMMENT 'it''s'"),
        );
        target
    }
}
