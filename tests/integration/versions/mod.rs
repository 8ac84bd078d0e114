//! Servers and client tools of several versions side by side: what they save comes back, or it was refused before.

mod objects;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Outcome, Postgres, Programs, Sandbox, copy_program, write_program};

/// The pairs that the program takes for proven, as they stand in its own list.
fn proven() -> Vec<(u32, u32)> {
    let list = include_str!("../../../src/snapshot/postgres/proven.txt");
    let mut pairs = Vec::new();
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut versions = line.split_whitespace().map(|version| version.parse::<u32>().unwrap());
        let tools = versions.next().unwrap();
        pairs.extend(versions.map(|server| (tools, server)));
    }
    pairs
}

/// The folder with the client tools of a version, where nothing tells it but `PATH`.
fn tools(sandbox: &Sandbox, major: u32) -> PathBuf {
    let programs = Programs::of_version(major);
    let own = sandbox.home().join(format!("tools-{major}"));
    if !programs.folder.starts_with("/usr/lib/postgresql") {
        return programs.folder;
    }
    for name in ["pg_dump", "pg_restore", "psql"] {
        copy_program(&programs.folder.join(name), &own.join(name));
    }
    own
}

/// safe-test where only these client tools are to be found: the machine's own are hidden, in a mount namespace.
pub(crate) fn with_tools_alone(sandbox: &Sandbox, tools: &[&Path], arguments: &[&str]) -> Command {
    let script = "mount -t tmpfs tmpfs /usr/lib/postgresql || exit 99; exec \"$0\" \"$@\"";
    let path = tools.iter().copied().chain([Path::new("/usr/bin"), Path::new("/bin")]);
    let mut command = sandbox.program("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_safe-test")]);
    command.args(arguments).env("PATH", std::env::join_paths(path).unwrap());
    command
}

/// A project of a database with all usual kinds of objects.
fn project(server: &Postgres, database: &str) -> Sandbox {
    objects::make(server, database);
    let sandbox = Sandbox::new();
    sandbox.write(".env", format!("APP_ENV=testing\nDATABASE_URL={}\n", server.url(database)));
    sandbox.suite("");
    sandbox
}

/// All of a database as text, but for the random key of each text.
fn text_of(server: &Postgres, database: &str) -> String {
    let mut dump = Command::new(server.program("pg_dump"));
    dump.args(["--create", "--dbname", &server.url(database)]);
    let outcome = Outcome::of(&mut dump).expect_code(0);
    outcome.stdout.lines().filter(|line| !line.contains("restrict ")).map(|line| format!("{line}\n")).collect()
}

/// Saves, wrecks, restores and compares; checks the snapshot by restoring it; the doctor says that all is well.
fn comes_back(server: &Postgres, major: u32) {
    let database = format!("comes_back_{}_{major}_test", server.major());
    let sandbox = project(server, &database);
    let tools = tools(&sandbox, major);
    let run = |arguments: &[&str]| Outcome::of(&mut with_tools_alone(&sandbox, &[&tools], arguments)).expect_code(0);
    let before = text_of(server, &database);
    let doctor: Value = serde_json::from_str(&run(&["doctor", "--format", "json"]).stdout).unwrap();
    assert!(doctor.to_string().contains(&format!("PostgreSQL {major}")), "{doctor:#}");
    run(&["./suite"]);
    let manifest = &sandbox.manifests()[0];
    assert!(manifest["tool"]["version"].as_str().unwrap().starts_with(&major.to_string()), "{manifest:#}");
    run(&["verify", "--all", "--level", "restore"]);
    let expect_whole = |how: &str| {
        let after = text_of(server, &database);
        if before != after {
            let [old, new] = [("before", &before), ("after", &after)].map(|(name, text)| sandbox.write(name, text));
            let difference = Outcome::of(sandbox.program("diff").arg(old).arg(new));
            panic!("server {}, tools {major}, {how}: a difference\n{}", server.major(), difference.stdout);
        }
    };
    objects::wreck(server, &database);
    run(&["restore", "latest", "--yes"]);
    expect_whole("restored");
    objects::wreck(server, &database);
    let by_hand: Vec<&str> =
        manifest["by_hand"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let mut shell = sandbox.program("sh");
    shell.args(["-ec", &by_hand.join("\n")]).current_dir(sandbox.backups()).env("PGPASSWORD", server.password());
    shell.env("PATH", std::env::join_paths([&*tools, Path::new("/usr/bin"), Path::new("/bin")]).unwrap());
    Outcome::of(&mut shell).expect_code(0);
    expect_whole("restored by hand");
}

/// It is refused before the run, and the doctor says why.
fn is_refused(server: &Postgres, major: u32) {
    let database = format!("is_refused_{}_{major}_test", server.major());
    let sandbox = project(server, &database);
    let tools = tools(&sandbox, major);
    let why = format!("({major} in {}) are older than the server (version {})", tools.display(), server.major());
    let hint = format!("install the client of version {}", server.major());
    expect_refusal(&sandbox, &[&tools], &[&why, &hint]);
}

#[track_caller]
fn expect_refusal(sandbox: &Sandbox, tools: &[&Path], says: &[&str]) {
    let run = |arguments: &[&str]| Outcome::of(&mut with_tools_alone(sandbox, tools, arguments));
    sandbox.expect_not_run(&run(&["./suite"]), 121, says);
    sandbox.expect_not_run(&run(&["--dry-run", "./suite"]), 121, says);
    let doctor = run(&["doctor"]).expect_code(125).stdout;
    assert!(says.iter().all(|said| doctor.contains(said)), "{doctor}");
}

/// The versions of client tools that tests have.
fn tools_at_hand() -> Vec<u32> {
    let own = Programs::of_machine().major;
    let fetched = if cfg!(target_arch = "x86_64") { &[16, 17, 18][..] } else { &[17, 18] };
    let mut all: Vec<u32> = fetched.iter().copied().chain([own]).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn matrix(servers: impl IntoIterator<Item = u32>) {
    for server in servers {
        let running = Postgres::of_version(server);
        for tools in tools_at_hand() {
            if tools < server {
                is_refused(running, tools);
            } else {
                assert!(tools == server || proven().contains(&(tools, server)), "tools {tools}, server {server}");
                comes_back(running, tools);
            }
        }
    }
}

/// Without the version that the test of the machine's own server has.
fn beside_the_own(servers: impl IntoIterator<Item = u32>) -> impl Iterator<Item = u32> {
    let own = Programs::of_machine().major;
    servers.into_iter().filter(move |server| *server != own)
}

#[cfg(target_os = "linux")]
#[test]
fn the_machines_own_server_is_saved_and_restored_by_tools_of_every_version() {
    matrix([Programs::of_machine().major]);
}

#[cfg(target_os = "linux")]
#[test]
fn server_17_is_saved_and_restored_by_tools_of_every_version() {
    matrix(beside_the_own([17]));
}

#[cfg(target_os = "linux")]
#[test]
fn server_18_is_saved_and_restored_by_tools_of_every_version() {
    matrix(beside_the_own([18]));
}

/// The long form, with the tests above: every pair that the program takes for proven.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn every_pair_that_is_taken_for_proven_is() {
    let at_hand = tools_at_hand();
    let mut servers: Vec<u32> = proven().into_iter().map(|(_, server)| server).collect();
    servers.sort_unstable();
    servers.dedup();
    servers.retain(|server| ![17, 18].contains(server));
    // Those of 15 come with the Debian that CI has, the others are fetched.
    let unproven: Vec<_> = proven().into_iter().filter(|(tools, _)| *tools != 15 && !at_hand.contains(tools)).collect();
    assert!(unproven.is_empty(), "no such tools are at hand: {unproven:?}");
    if std::env::var_os("SAFE_TEST_LONG").is_some() {
        matrix(beside_the_own(servers));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn of_several_tools_the_servers_own_version_is_taken_wherever_it_is() {
    let server = Postgres::of_version(17);
    let sandbox = Sandbox::with_postgres_on(server, "own_version_test");
    let [newer, own] = [18, 17].map(|major| tools(&sandbox, major));
    // Where the version manager of a user who does not have it on `PATH` keeps it.
    let kept = sandbox.home().join(".asdf/installs/postgres");
    std::fs::create_dir_all(&kept).unwrap();
    std::os::unix::fs::symlink(own.parent().unwrap(), kept.join("17.10")).unwrap();
    for folders in [&[&*newer, &*own][..], &[&*newer]] {
        let doctor = Outcome::of(&mut with_tools_alone(&sandbox, folders, &["doctor"])).expect_code(0).stdout;
        assert!(doctor.contains("pg_dump (PostgreSQL 17)"), "{doctor}");
    }
    std::fs::remove_dir_all(kept).unwrap();
    let doctor = Outcome::of(&mut with_tools_alone(&sandbox, &[&newer], &["doctor"])).expect_code(0).stdout;
    assert!(doctor.contains("pg_dump (PostgreSQL 18, known to restore into 17)"), "{doctor}");
}

#[cfg(target_os = "linux")]
#[test]
fn tools_that_nobody_has_tried_with_the_server_are_refused() {
    let server = Postgres::server();
    let sandbox = Sandbox::with_postgres("untried_test");
    let (real, untried) = (tools(&sandbox, 18), sandbox.home().join("untried"));
    std::fs::create_dir(&untried).unwrap();
    for name in ["pg_restore", "psql"] {
        write_program(&untried.join(name), &format!("#!/bin/sh\nexec '{}' \"$@\"\n", real.join(name).display()), 0o755);
    }
    write_program(&untried.join("pg_dump"), "#!/bin/sh\necho 'pg_dump (PostgreSQL) 29.1'\n", 0o755);
    let why = format!(
        "(29 in {}) are known to bring a database of this server (version {})",
        untried.display(),
        server.major()
    );
    let hint = format!("install the client of version {}", server.major());
    expect_refusal(&sandbox, &[&untried], &[&why, &hint]);
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn a_dump_that_the_tools_cannot_read_any_more_is_told_before_anything_is_touched() {
    let server = Postgres::of_version(16);
    let database = "too_new_test";
    let sandbox = Sandbox::with_postgres_on(server, database);
    let [own, newer, newest] = [16, 17, 18].map(|major| tools(&sandbox, major));
    let run = |tools: &Path, arguments: &[&str]| Outcome::of(&mut with_tools_alone(&sandbox, &[tools], arguments));
    run(&newer, &["./suite"]).expect_code(0);
    let id = sandbox.ids().remove(0);
    server.psql(database, "UPDATE t SET a = 2");
    let databases = || server.psql("postgres", "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database");
    let before = databases();
    let refused = run(&own, &["restore", &id, "--yes"]).expect_code(121);
    let why = format!("written by pg_dump 17, and the PostgreSQL tools found (16 in {}) cannot read it", own.display());
    for said in [&*why, "install the client of version 17"] {
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
    let looked = run(&own, &["verify", "--all"]).expect_code(121);
    assert!(looked.stdout.contains(&why), "{}", looked.stdout);
    assert_eq!((databases(), server.psql(database, "SELECT a FROM t"), sandbox.ids().len()), (before, "2".into(), 1));
    // Newer tools read what older ones wrote, and older ones a format that has not changed.
    run(&newest, &["restore", &id, "--yes"]).expect_code(0);
    assert_eq!(server.psql(database, "SELECT a FROM t"), "1");
    run(&newest, &["snapshot"]).expect_code(0);
    server.psql(database, "UPDATE t SET a = 3");
    run(&newer, &["restore", "latest", "--yes"]).expect_code(0);
    assert_eq!(server.psql(database, "SELECT a FROM t"), "1");
}
