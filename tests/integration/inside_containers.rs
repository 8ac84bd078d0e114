//! Databases in containers: saved, put back and looked at by the tools inside, where none of this machine fits or reaches
//! them. The engine is a small server of ours with one container, whose program runs on this machine what it is to run
//! inside; real engines are tried by `tests/containers`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::{Mariadb, Outcome, Postgres, Programs, Sandbox, engine};
use crate::versions::with_tools_alone;

/// A password with whatever means something to shells and option files.
const PASSWORD: &str = r#"pa ss'w"o$r\d#;`"#;
const IN_A_URL: &str = "pa%20ss%27w%22o%24r%5Cd%23%3B%60";

/// Gives the project an engine with a container in which `inside` serves: published at a port of this machine, or not, and
/// the service `shop-database-inside` of the project's compose file. Programs inside are those of `folder`.
fn with_engine(sandbox: &mut Sandbox, inside: u16, published: Option<u16>, folder: &Path) {
    let socket = sandbox.temporary().join("engine.sock");
    let public = published.map(|port| format!(r#","PublicPort":{port},"IP":"127.0.0.1""#)).unwrap_or_default();
    let containers = format!(
        r#"[{{"Id":"{}","Names":["/shop-db-1"],"Ports":[{{"PrivatePort":{inside},"Type":"tcp"{public}}}],
        "Labels":{{"com.docker.compose.service":"shop-database-inside",
        "com.docker.compose.project.working_dir":"{}"}},"NetworkSettings":{{"Networks":{{"own":{{"Gateway":"127.0.0.1"}}}}}}}}]"#,
        engine::ID,
        sandbox.project().display()
    );
    sandbox.set("DOCKER_HOST", format!("unix://{}", socket.display()));
    let program = with_program(sandbox, "docker", "", folder);
    engine::listen(&socket, containers, &program);
    sandbox.write("compose.yml", "services:\n  shop-database-inside:\n    image: shop\n");
}

/// Puts an engine's program onto `PATH`, which does what is `first`: `docker -H unix://… exec -i 79dab3379acc …`.
fn with_program(sandbox: &Sandbox, name: &str, first: &str, folder: &Path) -> PathBuf {
    sandbox.recording_tool(
        name,
        &format!(
            "{first}\n[ \"$1\" = -H ] && shift 2; [ \"$1\" = exec ] || exit 98; shift; [ \"$1\" = -i ] && shift\n\
             own='PGUSER=nobody MYSQL_PWD=wrong'; while [ \"$1\" = -e ]; do own=; shift 2; done\n\
             [ \"$1\" = {} ] || [ \"$1\" = shop-db-1 ] || exit 97; shift\n\
             exec env $own PATH='{}':/usr/bin:/bin \"$@\"",
            engine::ID,
            folder.display()
        ),
    )
}

/// Makes a role of that password, which owns a new database with a table of three rows.
fn make_postgres(server: &Postgres, database: &str) {
    server.psql("postgres", &format!("DROP DATABASE IF EXISTS {database}"));
    server.psql("postgres", &format!("DROP ROLE IF EXISTS {database}"));
    let password = PASSWORD.replace('\'', "''");
    server.psql("postgres", &format!("CREATE ROLE {database} LOGIN CREATEDB PASSWORD '{password}'"));
    server.psql("postgres", &format!("CREATE DATABASE {database} OWNER {database} TEMPLATE template0"));
    server.psql(
        database,
        &format!("SET SESSION AUTHORIZATION {database}; CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2), (3)"),
    );
}

/// Gives the project the database at such a place, and a suite.
fn with_database(sandbox: &Sandbox, scheme: &str, user: &str, place: &str, database: &str) {
    let url = format!("{scheme}://{user}:{IN_A_URL}@{place}/{database}");
    sandbox.write(".env", format!("APP_ENV=testing\nDATABASE_URL={url}\n"));
    sandbox.suite("");
}

/// Does what the newest manifest says, by the shell of a person who types the password.
#[track_caller]
fn put_back_by_hand(sandbox: &Sandbox) {
    let manifest = sandbox.manifests().remove(0);
    let commands: Vec<&str> = manifest["by_hand"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert!(commands.iter().any(|command| command.contains(" exec -i -e ")), "{commands:#?}");
    let script = format!("set -e -o pipefail\n{}", commands.join("\n"));
    let mut shell = sandbox.program("bash");
    let mut child = shell
        .args(["-c", &script])
        .current_dir(sandbox.backups())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{script}\n{}", String::from_utf8_lossy(&done.stderr));
}

/// No argument of the engine's program may say the password.
#[track_caller]
fn expect_no_password(sandbox: &Sandbox, program: &str) {
    let calls = sandbox.calls(program).join("\n");
    assert!(calls.contains("exec -i 79dab3379acc"), "{calls}");
    assert!(!calls.contains("pa ss"), "{calls}");
}

#[test]
fn without_tools_on_this_machine_those_of_the_container_that_publishes_the_port_save_and_restore() {
    let server = Postgres::of_version(18);
    let database = "inside_published_test";
    make_postgres(server, database);
    let mut sandbox = Sandbox::new();
    with_engine(&mut sandbox, server.port(), Some(server.port()), &Programs::of_version(18).folder);
    with_database(&sandbox, "postgres", database, &format!("127.0.0.1:{}", server.port()), database);
    let tools = sandbox.tools();
    let run = |arguments: &[&str]| Outcome::of(&mut with_tools_alone(&sandbox, &[&tools], arguments));
    let said = run(&["doctor"]).expect_code(0).stdout;
    assert!(said.contains("(PostgreSQL 18) inside the container shop-db-1"), "{said}");
    let said = run(&["--dry-run", "./suite"]).expect_code(0).stderr;
    assert!(said.contains("runs docker -H unix:") && said.contains(" exec -i shop-db-1 "), "{said}");
    let said = run(&["./suite"]).expect_code(0).stderr;
    assert!(sandbox.has_run() && said.contains(" saved ("), "{said}");
    let said = run(&["./suite"]).expect_code(0).stderr;
    assert!(said.contains(" unchanged since "), "{said}");
    server.psql(database, "DELETE FROM t; CREATE TABLE u (a int)");
    run(&["verify", "--level", "restore"]).expect_code(0);
    run(&["restore", "latest"]).expect_code(0);
    assert_eq!(server.psql(database, "SELECT count(*), to_regclass('u') IS NULL FROM t"), "3|t");
    expect_no_password(&sandbox, "docker");
}

#[test]
fn a_service_that_publishes_no_port_is_reached_inside_its_container() {
    let server = Postgres::server();
    let database = "inside_service_test";
    make_postgres(server, database);
    let mut sandbox = Sandbox::new();
    with_engine(&mut sandbox, server.port(), None, &Programs::of_machine().clients());
    with_database(&sandbox, "postgres", database, &format!("shop-database-inside:{}", server.port()), database);
    let said = sandbox.guarded().expect_code(0).stderr;
    assert!(sandbox.has_run() && said.contains("on shop-database-inside:"), "{said}");
    server.psql(database, "DELETE FROM t");
    sandbox.run(&["restore", "latest"]).expect_code(0);
    assert_eq!(server.psql(database, "SELECT count(*) FROM t"), "3");
    expect_no_password(&sandbox, "docker");
    server.psql(database, "DELETE FROM t");
    put_back_by_hand(&sandbox);
    assert_eq!(server.psql(database, "SELECT count(*) FROM t"), "3");
    server.psql("postgres", &format!("DROP DATABASE {database}_before"));
}

#[test]
fn what_runs_in_a_service_of_the_compose_file_goes_once_the_database_that_it_names_is_saved() {
    let server = Postgres::server();
    let (database, port) = ("inside_composed_test", server.port());
    make_postgres(server, database);
    let mut sandbox = Sandbox::new();
    with_engine(&mut sandbox, port, None, &Programs::of_machine().clients());
    let url = format!("postgres://{database}:{IN_A_URL}@shop-database-inside:{port}/{database}");
    sandbox.write(
        "compose.yml",
        format!(
            "services:\n  app:\n    build: .\n    environment:\n      APP_ENV: testing\n      DATABASE_URL: {url}\n  \
             shop-database-inside:\n    image: postgres:16\n"
        ),
    );
    sandbox.write("package.json", r#"{"scripts": {"test": "jest"}, "dependencies": {"pg": "8"}}"#);
    let docker = sandbox.tools().join("docker");
    let works = std::fs::read_to_string(&docker).unwrap();
    sandbox.tool("docker", &works.replacen("\n[", "\n[ \"$1\" = compose ] && exit 7\n[", 1));
    for how in ["exec -T app npm test", "run --rm app npm test"] {
        let words: Vec<&str> = ["docker", "compose"].into_iter().chain(how.split(' ')).collect();
        let said = sandbox.run(&words).expect_code(7).stderr;
        // Others write to the server meanwhile.
        let is_cared_for = ["saved (", "unchanged since "].map(|done| format!("on shop-database-inside:{port} {done}"));
        assert!(is_cared_for.iter().any(|words| said.contains(words)), "{said}");
        assert!(sandbox.calls("docker").contains(&words[1..].join(" ")), "{how}");
    }
    server.psql(database, "DELETE FROM t");
    sandbox.run(&["restore", "latest"]).expect_code(0);
    assert_eq!(server.psql(database, "SELECT count(*) FROM t"), "3");
    for removing in [&["docker", "compose", "down", "-v"][..], &["docker", "volume", "rm", "shop_data"]] {
        let said = sandbox.run(removing).expect_code(120).stderr;
        assert!(said.contains("removes volumes, and all databases in them"), "{said}");
        assert!(!sandbox.calls("docker").contains(&removing[1..].join(" ")), "{removing:?}");
    }
}

#[test]
fn a_service_whose_port_is_published_is_reached_there_by_the_tools_of_this_machine() {
    let server = Postgres::server();
    let database = "inside_named_test";
    make_postgres(server, database);
    let mut sandbox = Sandbox::new();
    // Inside it is another.
    with_engine(&mut sandbox, 5432, Some(server.port()), Path::new("/nowhere"));
    with_database(&sandbox, "postgres", database, "shop-database-inside", database);
    sandbox.guarded().expect_code(0);
    assert_eq!(sandbox.manifests()[0]["tables"][0]["rows"], 3);
    assert_eq!(sandbox.calls("docker"), [""; 0]);
}

#[test]
fn a_mariadb_inside_is_saved_and_put_back() {
    let server = Mariadb::server();
    let database = "inside_maria_test";
    server.replace_database(database);
    let password = PASSWORD.replace('\\', r"\\").replace('\'', r"\'");
    server.sql(
        database,
        &format!(
            "CREATE OR REPLACE USER inside@'%' IDENTIFIED BY '{password}'; GRANT ALL ON *.* TO inside@'%' WITH GRANT OPTION; \
             CREATE TABLE t (a INT PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3); CREATE VIEW v AS SELECT * FROM t"
        ),
    );
    let mut sandbox = Sandbox::new();
    with_engine(&mut sandbox, server.port(), None, Path::new("/usr/bin"));
    with_database(&sandbox, "mysql", "inside", &format!("shop-database-inside:{}", server.port()), database);
    let said = sandbox.guarded().expect_code(0).stderr;
    assert!(sandbox.has_run() && said.contains(" saved ("), "{said}");
    sandbox.run(&["verify", "--level", "restore"]).expect_code(0);
    server.sql(database, "DROP VIEW v; DELETE FROM t");
    sandbox.run(&["restore", "latest"]).expect_code(0);
    assert_eq!(server.sql(database, "SELECT COUNT(*) FROM v"), "3");
    expect_no_password(&sandbox, "docker");
    server.sql(database, "DROP VIEW v; DELETE FROM t");
    put_back_by_hand(&sandbox);
    assert_eq!(server.sql(database, "SELECT COUNT(*) FROM v"), "3");
}

#[test]
fn what_the_engine_says_is_told_where_nothing_runs_inside() {
    let server = Postgres::server();
    let database = "inside_paused_test";
    make_postgres(server, database);
    let mut sandbox = Sandbox::new();
    with_engine(&mut sandbox, server.port(), None, &Programs::of_machine().clients());
    with_database(&sandbox, "postgres", database, &format!("shop-database-inside:{}", server.port()), database);
    let docker = sandbox.tools().join("docker");
    let works = std::fs::read_to_string(&docker).unwrap();
    let paused =
        "[ \"$1\" = exec ] && { echo 'Error response from daemon: Container shop-db-1 is paused' >&2; exit 1; }";
    sandbox.tool("docker", &works.replacen("#!/bin/sh\n", &format!("#!/bin/sh\n{paused}\n"), 1));
    let said = sandbox.guarded().expect_code(121).stderr;
    let expected =
        "nothing can be run inside the container shop-db-1: Error response from daemon: Container shop-db-1 is paused";
    assert!(!sandbox.has_run() && said.contains(expected), "{said}");
    assert!(said.trim_end().ends_with("the command was not run"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_engine_without_a_socket_is_asked_by_its_program() {
    let server = Postgres::server();
    let port = server.port();
    for (name, word) in [("podman", "--remote=false"), ("nerdctl", "")] {
        let database = format!("inside_{name}_test");
        make_postgres(server, &database);
        let sandbox = Sandbox::new();
        // The one that is asked first has none.
        sandbox.tool("podman", "#!/bin/sh\nexit 1\n");
        // What Podman runs without an engine is here, whatever its networks are.
        let networks = if name == "podman" { "{}" } else { r#"{"own":{"Gateway":"127.0.0.1"}}"# };
        let described = format!(
            r#"[{{"Id":"{}","Name":"shop-db-1","NetworkSettings":{{"Networks":{networks},
            "Ports":{{"{port}/tcp":[{{"HostIp":"127.0.0.1","HostPort":"{port}"}}]}}}}}}]"#,
            engine::ID
        );
        let first = format!(
            "[ -z '{word}' ] || [ \"$1\" = '{word}' ] || exit 96; [ -z '{word}' ] || shift\n\
             [ \"$1 $2\" = 'ps --quiet' ] && {{ echo {}; exit; }}\n[ \"$1\" = inspect ] && {{ echo '{described}'; exit; }}",
            engine::ID
        );
        with_program(&sandbox, name, &first, &Programs::of_version(18).folder);
        with_database(&sandbox, "postgres", &database, &format!("127.0.0.1:{port}"), &database);
        let tools = sandbox.tools();
        let run = |arguments: &[&str]| Outcome::of(&mut with_tools_alone(&sandbox, &[&tools], arguments));
        let said = run(&["doctor"]).expect_code(0).stdout;
        assert!(said.contains(" inside the container shop-db-1"), "{said}");
        run(&["./suite"]).expect_code(0);
        assert!(sandbox.has_run());
        server.psql(&database, "DELETE FROM t");
        run(&["restore", "latest"]).expect_code(0);
        assert_eq!(server.psql(&database, "SELECT count(*) FROM t"), "3");
        expect_no_password(&sandbox, name);
        // What it says is told where nothing runs inside.
        let program = sandbox.tools().join(name);
        let works = std::fs::read_to_string(&program).unwrap();
        let refusing = "case \"$*\" in *'exec -i'*) echo 'cannot exec in a stopped container' >&2; exit 255;; esac";
        sandbox.tool(name, &works.replacen("#!/bin/sh\n", &format!("#!/bin/sh\n{refusing}\n"), 1));
        server.psql(&database, "DELETE FROM t");
        let said = run(&["./suite"]).expect_code(121).stderr;
        assert!(said.contains("inside the container shop-db-1: cannot exec in a stopped container"), "{said}");
    }
}
