//! Servers and dump tools that are missing, old, closed or gone.

use std::fs;

use crate::support::{Outcome, Postgres, Sandbox, copy_program, ended, wait_for};

#[test]
fn a_wrong_password_is_named_with_what_to_do() {
    let sandbox = Sandbox::with_postgres("wrong_password_test");
    let url = Postgres::server().url("wrong_password_test").replace(Postgres::server().password(), "quarz-secret");
    sandbox.write(".env", format!("DATABASE_URL={url}\n"));
    let outcome = sandbox.guarded();
    sandbox.expect_not_run(
        &outcome,
        121,
        &["cannot connect to", "password authentication failed", "hint: check the password", "DATABASE_URL (.env:1)"],
    );
    assert!(!outcome.stderr.contains("quarz"), "{}", outcome.stderr);
}

#[test]
fn a_server_that_does_not_run_is_named_with_what_to_do() {
    let sandbox = Sandbox::with_sqlite();
    // Nothing listens on the port of an echo server here.
    sandbox.write(".env", "DATABASE_URL=postgres://app:quarz-secret@127.0.0.1:7/shop_test\n");
    // A run would wait for it: `first_connection.rs`.
    let outcome = sandbox.run(&["snapshot"]).expect_code(121);
    for said in ["cannot connect to", "127.0.0.1", "refused", "hint: start the database", "DATABASE_URL (.env:1)"] {
        assert!(outcome.stderr.contains(said), "{said}: {}", outcome.stderr);
    }
    assert!(!outcome.stderr.contains("quarz"), "{}", outcome.stderr);
}

/// Tools that say which version they are, and do nothing else.
#[cfg(target_os = "linux")]
fn fake_tools(sandbox: &Sandbox, version: &str) {
    for tool in ["pg_dump", "pg_restore", "psql"] {
        sandbox.tool(tool, &format!("#!/bin/sh\necho '{tool} (PostgreSQL) {version}'\n"));
    }
}

/// A machine of its own, on which no PostgreSQL is installed.
#[cfg(target_os = "linux")]
fn without_installed_tools(sandbox: &Sandbox) -> Outcome {
    let empty = sandbox.temporary().join("empty");
    fs::create_dir(&empty).unwrap();
    let script = "mount --bind \"$1\" /usr/lib/postgresql || exit 99; exec \"$0\" ./suite";
    let mut command = sandbox.program("/usr/bin/unshare");
    command.args(["--user", "--map-root-user", "--mount", "/bin/sh", "-c", script, env!("CARGO_BIN_EXE_safe-test")]);
    Outcome::of(command.arg(&empty).env("PATH", format!("{}:/bin", sandbox.tools().display())))
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_dump_tool_the_run_is_stopped() {
    let sandbox = Sandbox::with_postgres("no_tool_test");
    let outcome = without_installed_tools(&sandbox);
    sandbox.expect_not_run(&outcome, 121, &["no PostgreSQL client tools", "hint: "]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_dump_tool_older_than_the_server_stops_the_run() {
    let sandbox = Sandbox::with_postgres("old_tool_test");
    fake_tools(&sandbox, "9.6.24");
    copy_program(&Postgres::server().program("psql"), &sandbox.tools().join("psql"));
    let outcome = without_installed_tools(&sandbox);
    sandbox.expect_not_run(&outcome, 121, &["older than the server", "9 in ", "hint: "]);
}

#[test]
fn a_server_that_goes_halfway_leaves_no_half_file() {
    let database = "gone_halfway_test";
    let sandbox = Sandbox::with_postgres(database);
    let server = Postgres::server();
    server
        .psql(database, "CREATE TABLE big AS SELECT g, repeat(md5(g::text), 20) AS x FROM generate_series(1, 60000) g");
    // The connection breaks while the tool writes: as much as a server that is shut down says.
    let real = server.program("pg_dump");
    let folder = server.programs().display();
    sandbox.tool(
        "pg_dump",
        &format!(
            "#!/bin/sh\ncase $1 in --version|-V) exec {} --version;; esac\n{} \"$@\" | head -c 100000\nexit 1\n",
            real.display(),
            real.display()
        ),
    );
    for tool in ["pg_restore", "psql"] {
        sandbox.tool(tool, &format!("#!/bin/sh\nexec {folder}/{tool} \"$@\"\n"));
    }
    let outcome = sandbox.guarded();
    sandbox.expect_not_run(&outcome, 121, &["pg_dump exited with status 1"]);
    assert_eq!(sandbox.stored().len(), 0, "{:?}", sandbox.stored());
}

#[test]
fn connections_that_the_server_ends_while_it_is_dumped_leave_no_half_file() {
    let database = "ended_test";
    let sandbox = Sandbox::with_postgres(database);
    let server = Postgres::server();
    // Reading this view ends every other connection to the database: ours, which holds the snapshot still.
    server.psql(
        database,
        "CREATE TABLE trap AS SELECT 1; CREATE MATERIALIZED VIEW slow AS SELECT g, repeat(md5(g::text), 20) AS x FROM generate_series(1, 200000) g",
    );
    server.psql(database, "CREATE TABLE big AS SELECT * FROM slow");
    let mut child = sandbox.command();
    child.arg("./suite").stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = child.spawn().unwrap();
    let dumping = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}' AND query LIKE 'COPY%big%'"
    );
    wait_for("a table is dumped", || {
        assert!(child.try_wait().unwrap().is_none(), "it ended before the dump was seen");
        server.psql("postgres", &dumping) != "0"
    });
    let outcome = Outcome::from(ended("safe-test", child));
    // The server's own words are lost where its socket was full: then the tool says what it saw.
    sandbox.expect_not_run(&outcome, 121, &["cannot snapshot", "connection"]);
    assert_eq!(sandbox.stored().len(), 0, "{:?}", sandbox.stored());
}
