//! A password appears nowhere. One is planted in every place where one can stand, and looked for everywhere.

use std::fmt::{self, Display};
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::support::{Outcome, Postgres, Sandbox, ended, wait_for};

/// The password, as it is typed or as an address writes it. The server knows it, so that runs with it succeed. Each run of
/// the tests has another: on its machine others may be at work, who show theirs.
enum Password {
    Typed,
    Encoded,
}

const SECRET: Password = Password::Typed;
const ENCODED: Password = Password::Encoded;

impl Display for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, last] = &*PARTS;
        match self {
            Password::Typed => write!(formatter, "{first}/7@{last}"),
            Password::Encoded => write!(formatter, "{first}%2F7%40{last}"),
        }
    }
}

/// What any spelling of it holds, also one that was cut at a separator.
static PARTS: LazyLock<[String; 2]> = LazyLock::new(|| {
    let run = RandomState::new().hash_one("run") % 1_000_000;
    [format!("Quarz{run:06}"), format!("Beryll{run:06}")]
});

const DATABASE: &str = "secrets_test";
const ROLE: &str = "planted";

/// A server that lets the role in with the planted password, and no other.
fn server() -> &'static Postgres {
    static ONCE: std::sync::Once = std::sync::Once::new();
    let server = Postgres::server();
    ONCE.call_once(|| {
        server.psql(
            "postgres",
            &format!("DROP ROLE IF EXISTS {ROLE}; CREATE ROLE {ROLE} SUPERUSER LOGIN PASSWORD '{SECRET}'"),
        );
        server.replace_database(DATABASE);
        server.psql(DATABASE, "CREATE TABLE t(a int); INSERT INTO t VALUES (1);");
    });
    server
}

/// Held by a test while it uses the database: a restore ends whoever else is connected to it.
fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn url() -> String {
    format!("postgres://{ROLE}:{ENCODED}@127.0.0.1:{}/{DATABASE}", server().port())
}

fn bare_url() -> String {
    format!("postgres://{ROLE}@127.0.0.1:{}/{DATABASE}", server().port())
}

#[track_caller]
fn expect_none(what: &str, bytes: &[u8]) {
    for part in &*PARTS {
        let found = bytes.windows(part.len()).position(|window| window.eq_ignore_ascii_case(part.as_bytes()));
        if let Some(at) = found {
            let near = &bytes[at.saturating_sub(200)..(at + 100).min(bytes.len())];
            panic!("{what} holds the password: …{}…", String::from_utf8_lossy(near));
        }
    }
}

/// Fails if a file holds the password, except those that it was planted in.
#[track_caller]
fn expect_none_below(folder: &Path, planted: &[PathBuf]) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if planted.contains(&path) {
            continue;
        }
        expect_none("a name", path.as_os_str().as_encoded_bytes());
        let kind = fs::symlink_metadata(&path).unwrap();
        if kind.is_dir() {
            expect_none_below(&path, planted);
        } else if kind.is_file() {
            expect_none(&path.display().to_string(), &fs::read(&path).unwrap());
        }
    }
}

/// Runs one call and looks at all it said; gives its exit status.
#[track_caller]
fn quiet_about_it(sandbox: &Sandbox, arguments: &[&str]) -> Option<i32> {
    let outcome = sandbox.run(arguments);
    expect_none(&format!("stdout of {:?}", &arguments[..1]), outcome.stdout.as_bytes());
    expect_none(&format!("stderr of {:?}", &arguments[..1]), outcome.stderr.as_bytes());
    outcome.code()
}

/// Guards a command in a project with planted passwords by every subcommand, in words and in JSON; then looks at all
/// that was said and written. Gives the exit status of the guarded command.
#[track_caller]
fn expect_secrecy(sandbox: &Sandbox, command: &[&str], planted: &[PathBuf]) -> Option<i32> {
    let mut status = None;
    for format in ["text", "json"] {
        let options = ["-v", "--format", format];
        status = quiet_about_it(sandbox, &[&options[..], command].concat());
        quiet_about_it(sandbox, &[&options[..], &["--dry-run"], command].concat());
        quiet_about_it(sandbox, &[&options[..], &["check", "--"], command].concat());
        for subcommand in [
            &["check"][..],
            &["doctor"],
            &["snapshot"],
            &["list"],
            &["restore"],
            &["restore", "nope"],
            &["verify", "--all"],
            &["verify", "--level", "restore"],
            &["prune"],
            &["log"],
            &["log", "verify"],
        ] {
            quiet_about_it(sandbox, &[&options[..], subcommand].concat());
        }
    }
    expect_none_below(sandbox.project().parent().unwrap(), planted);
    status
}

#[test]
fn in_variables_of_files_and_of_the_process() {
    let _alone = alone();
    let port = server().port();
    let files: [(&str, String); 9] = [
        (".env", format!("APP_ENV=testing\nDATABASE_URL={}\n", url())),
        (".env", format!("# DATABASE_URL={}\nDATABASE_URL={}\n", url(), url())),
        (".env", format!("this is no line: {SECRET}\n={SECRET}\nDATABASE_URL={}\n", url())),
        (".env", format!("DATABASE_URL={}?password={ENCODED}\n", bare_url())),
        (".env", format!("DATABASE_URL={}?application_name=x&sslmode=prefer&password={ENCODED}\n", bare_url())),
        (".env", format!("DSN=\"host=127.0.0.1 port={port} user={ROLE} password='{SECRET}' dbname={DATABASE}\"\n")),
        (
            ".env",
            format!(
                "DB_CONNECTION=pgsql\nDB_HOST=127.0.0.1\nDB_PORT={port}\nDB_DATABASE={DATABASE}\nDB_USERNAME={ROLE}\nDB_PASSWORD={SECRET}\n"
            ),
        ),
        (
            ".env",
            format!("PGHOST=127.0.0.1\nPGPORT={port}\nPGDATABASE={DATABASE}\nPGUSER={ROLE}\nPGPASSWORD={SECRET}\n"),
        ),
        (
            "config/database.yml",
            format!(
                "test:\n  adapter: postgresql\n  host: 127.0.0.1\n  port: {port}\n  database: {DATABASE}\n  username: {ROLE}\n  password: {SECRET}\n"
            ),
        ),
    ];
    for (file, content) in files {
        let sandbox = Sandbox::new();
        sandbox.suite("");
        let planted = sandbox.write(file, &content);
        if file.ends_with(".yml") {
            sandbox.write("Gemfile", "gem 'rails'\ngem 'pg'\n");
            sandbox.write("config/application.rb", "");
        }
        let status = expect_secrecy(&sandbox, &["./suite"], &[planted]);
        assert_eq!(status, Some(0), "{content}: {:?}", sandbox.guarded());
        assert!(sandbox.has_run());
        assert!(!sandbox.ids().is_empty(), "{content}");
    }

    let mut sandbox = Sandbox::new();
    sandbox.suite("");
    sandbox.set("DATABASE_URL", bare_url()).set("PGPASSWORD", SECRET.to_string());
    assert_eq!(expect_secrecy(&sandbox, &["./suite"], &[]), Some(0));
    assert!(!sandbox.ids().is_empty());
}

#[test]
fn in_arguments_of_the_command() {
    let _alone = alone();
    let port = server().port().to_string();
    let pair = format!("PGPASSWORD={SECRET}");
    let (url, secret, password) = (url(), SECRET.to_string(), format!("--password={SECRET}"));
    let option = format!("--database-url={url}");
    let line = format!("{pair} ./suite --pass {SECRET}");
    let commands: [&[&str]; 7] = [
        &["./suite", &url],
        &["./suite", &option],
        &["./suite", "--database-url", &url],
        &["env", &pair, "./suite", &url],
        &["./suite", "-h", "127.0.0.1", "-p", &port, "-U", ROLE, "-d", DATABASE, &password],
        &["./suite", "--password", &secret],
        &["sh", "-c", &line],
    ];
    for command in commands {
        let sandbox = Sandbox::with_sqlite();
        expect_secrecy(&sandbox, command, &[]);
        assert!(sandbox.has_run(), "{command:?}: {:?}", sandbox.run(command));
    }
}

#[test]
fn in_messages_of_failures() {
    let _alone = alone();
    let (port, url) = (server().port(), url());
    let cases = [
        // The wrong password, a server that is not there, a name that is not known, a database that is none.
        format!("DATABASE_URL={}", bare_url().replace(&format!("{ROLE}@"), &format!("{ROLE}:not{ENCODED}@"))),
        format!("DATABASE_URL={}", url.replace(&format!(":{port}/"), ":7/")),
        format!("DATABASE_URL={}", url.replace("127.0.0.1", "no-such-host.localhost")),
        format!("DATABASE_URL={url}_prod"),
        format!("DATABASE_URL={}", url.replace("127.0.0.1", "db.shop.example.org")),
        // Addresses that do not parse, or that parse as something else than was meant.
        format!("DATABASE_URL={}", url.replace(&ENCODED.to_string(), &SECRET.to_string())),
        format!("DATABASE_URL={}", url.replace(&port.to_string(), "port")),
        format!("DATABASE_URL={}", url.replace("127.0.0.1", "[::1")),
        format!("DATABASE_URL=postgres:/{ROLE}:{ENCODED}@127.0.0.1/{DATABASE}"),
        format!("DATABASE_URL=\"{url}"),
        format!("DATABASE_URL=mysql://{ROLE}:{ENCODED}@127.0.0.1/{DATABASE}"),
        format!("DATABASE_URL=sqlserver://127.0.0.1;user=sa;password={SECRET};database={DATABASE}"),
        format!("DATABASE_URL=jdbc:postgresql://127.0.0.1:7/{DATABASE}?user={ROLE}&password={ENCODED}"),
        format!("REDIS_URL=redis://:{ENCODED}@127.0.0.1:6379/0"),
        format!("MONGO_URL=mongodb://{ROLE}:{ENCODED}@127.0.0.1/{DATABASE}?authSource=admin"),
    ];
    for case in cases {
        let sandbox = Sandbox::new();
        sandbox.suite("");
        let planted = sandbox.write(".env", format!("{case}\n"));
        expect_secrecy(&sandbox, &["./suite"], &[planted]);
    }
}

#[test]
fn in_a_policy_that_is_broken() {
    let _alone = alone();
    let sandbox = Sandbox::with_sqlite();
    for policy in [
        format!("[snapshots]\nskip = [\"{}\"]\n", url()),
        format!("[snapshots]\nskip = \"{}\"\n", url()),
        format!("[snapshots]\nskip = [\"{}\n", url()),
        format!("[snapshots]\nkeep_last = \"{}\"\n", url()),
        format!("[allow]\nhosts = [\"{}\"]\n", url()),
        format!("[[snapshots.external]]\ntarget = \"{}\"\nhow = \"kept\"\n", url()),
    ] {
        let planted = sandbox.write(".safe-test.toml", policy);
        expect_secrecy(&sandbox, &["./suite"], &[planted]);
    }
}

/// What every process shows of itself while a dump runs: its arguments, and its environment.
#[cfg(target_os = "linux")]
#[test]
fn in_processes_while_a_dump_runs() {
    use std::os::unix::process::CommandExt as _;
    use std::process::Stdio;

    let _alone = alone();
    let sandbox = Sandbox::new();
    sandbox.suite("");
    let planted = sandbox.write(".env", format!("DATABASE_URL={}\n", url()));
    let (dumping, go_on) = (sandbox.project().join("dumping"), sandbox.project().join("go-on"));
    let folder = server().programs().display();
    sandbox.tool(
        "pg_dump",
        &format!(
            "#!/bin/sh\ncase $1 in --version|-V) exec {folder}/pg_dump --version;; esac
             : >'{0}'; while [ -e '{0}' ] && [ ! -e '{1}' ]; do sleep 0.05; done; exec {folder}/pg_dump \"$@\"\n",
            dumping.display(),
            go_on.display()
        ),
    );
    for tool in ["pg_restore", "psql"] {
        sandbox.tool(tool, &format!("#!/bin/sh\nexec {folder}/{tool} \"$@\"\n"));
    }
    let mut command = sandbox.command();
    let mut child = command.arg("./suite").process_group(0).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("a dump begins", || {
        assert!(child.try_wait().unwrap().is_none(), "no dump began");
        dumping.exists()
    });
    let mut looked_at = 0;
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let process = entry.path();
        // A process may end while it is looked at.
        if let Ok(arguments) = fs::read(process.join("cmdline")) {
            expect_none(&format!("the command line of {}", String::from_utf8_lossy(&arguments)), &arguments);
            looked_at += usize::from(String::from_utf8_lossy(&arguments).contains("pg_dump"));
        }
        if let Ok(environment) = fs::read(process.join("environ")) {
            expect_none(&format!("the environment of {}", process.display()), &environment);
        }
    }
    assert!(looked_at > 0, "pg_dump was not among them");
    expect_none_below(sandbox.project().parent().unwrap(), std::slice::from_ref(&planted));
    fs::write(go_on, "").unwrap();
    let output = ended("safe-test", child);
    expect_none("stderr", &output.stderr);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    expect_none_below(sandbox.project().parent().unwrap(), &[planted]);
}

/// A dump holds what the database holds; the manifest does not.
#[test]
fn in_a_database_that_carries_it_as_data_it_is_not_ours_to_hide() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.sqlite("app_test.db", &format!("INSERT INTO t VALUES ('{SECRET}')"));
    Outcome::of(sandbox.command().arg("./suite")).expect_code(0);
    let dump = sandbox.backups().join(sandbox.manifests()[0]["file"].as_str().unwrap());
    let secret = SECRET.to_string();
    let holds = fs::read(dump).unwrap().windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(holds, "the dump is the whole database");
    expect_none("the manifest", sandbox.manifests()[0].to_string().as_bytes());
}

/// A password may be a number, a key or a word that JSON holds anyway: what programs read stays JSON with its keys.
#[test]
fn however_a_password_reads_the_answer_for_programs_stays_whole() {
    for (password, user) in [("5432", "app"), ("host", "app"), ("null", "app"), ("postgres", "postgres")] {
        let sandbox = Sandbox::new();
        sandbox.write(".env", format!("DATABASE_URL=postgres://{user}:{password}@localhost:5432/app_test\n"));
        let outcome = Outcome::of(sandbox.command().args(["check", "--format", "json"]));
        let answer: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        let target = &answer["targets"][0];
        assert_eq!(target["engine"], "postgres", "{password}");
        assert_eq!(target["port"], 5432, "{password}");
        assert_eq!(target["database"], "app_test", "{password}");
        assert_eq!(target["user"], user, "{password}");
        assert!(target["host"].is_string(), "{password}");
    }
}
