//! What cannot come back is said beforehand, and nothing else is: each kind is tried with real roles, and its words are held
//! against what a restore then does.

mod cases;

use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::snapshot::engine::OpenDatabase;
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting, environment};
use crate::snapshot::postgres::tests::obstacles::cases::{CASES, Case};
use crate::snapshot::postgres::{Session, restore};
use crate::snapshot::testing::{ending, wait_for};
use crate::snapshot::{Effect, Obstacle, not_whole_in_full, worst};

fn server() -> Arc<Server> {
    static ROLES: Mutex<()> = Mutex::new(());
    let server = Server::shared();
    let making = ROLES.lock().unwrap_or_else(PoisonError::into_inner);
    // It is another one where the last test that used it has ended.
    if server.run("postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'obs_owner'") == "0" {
        make_roles(&server);
    }
    drop(making);
    server
}

fn make_roles(server: &Server) {
    server.run(
        "postgres",
        "CREATE ROLE obs_owner LOGIN PASSWORD 'obs_owner' CREATEDB; CREATE ROLE obs_member LOGIN PASSWORD 'obs_member' CREATEDB; \
         CREATE ROLE obs_stranger LOGIN PASSWORD 'obs_stranger' CREATEDB; CREATE ROLE obs_other LOGIN PASSWORD 'obs_other'; \
         CREATE ROLE obs_group; CREATE ROLE obs_crew; GRANT obs_owner TO obs_member; GRANT obs_crew TO obs_owner",
    );
}

/// Makes a database of the owner's, by a script that a superuser runs, who may change the catalogs.
fn make(server: &Server, name: &str, script: &str) -> String {
    let name = format!("obs_{name}");
    server.run("postgres", &format!("CREATE DATABASE {name} OWNER obs_owner TEMPLATE template0"));
    let mut psql = server.psql(&name);
    psql.env("PGOPTIONS", "-c allow_system_table_mods=on").args(["-c", script]);
    let output = ending(|| psql.output().unwrap());
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    name
}

fn found(server: &Server, database: &str, user: &str) -> Vec<Obstacle> {
    let target = if user == "postgres" { server.target(database) } else { server.target_as(database, user) };
    let mut session = Session::open(&target, &environment()).unwrap();
    session.obstacles().unwrap()
}

/// Tells where what is found is not what is expected of a case.
fn differences(server: &Server, case: &Case, script: &str, owner: &str) -> Vec<String> {
    let database = make(server, case.name, script);
    let mut wrong = Vec::new();
    for (user, expected) in [(owner, &case.owner), ("postgres", &case.superuser)] {
        let found = found(server, &database, user);
        let as_expected = match expected {
            None => found.is_empty(),
            Some((effect, words)) => {
                worst(&found) == Some(*effect)
                    && found.iter().any(|one| one.effect == *effect && one.what.contains(words))
            }
        };
        if !as_expected {
            wrong.push(format!("{} as {user}: {found:#?}", case.name));
        }
    }
    if !case.script.contains("SUBSCRIPTION") {
        server.run("postgres", &format!("DROP DATABASE {database}"));
    }
    wrong
}

fn is_long() -> bool {
    std::env::var_os("SAFE_TEST_LONG").is_some()
}

#[test]
fn each_kind_is_found_with_the_owner_and_with_a_superuser_as_far_as_it_is_one() {
    let server = server();
    let owner = |at| if at % 8 == 0 { "obs_member" } else { "obs_owner" };
    let wrong: Vec<String> =
        CASES.iter().enumerate().flat_map(|(at, case)| differences(&server, case, case.script, owner(at))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_same_is_found_on_servers_of_later_versions() {
    for major in [17, 18] {
        let server = Server::start_version(major);
        make_roles(&server);
        // The first are harmless: none of the questions may be refused.
        let cases = CASES.iter().take(if is_long() { CASES.len() } else { 6 });
        // These servers come without what rests on OpenSSL.
        let script = |case: &Case| {
            let without = case.script.replace("CREATE EXTENSION pgcrypto; CREATE EXTENSION \"uuid-ossp\"; ", "");
            (!without.contains("pgcrypto")).then_some(without)
        };
        let with = |case| script(case).map(|script| differences(&server, case, &script, "obs_member"));
        let wrong: Vec<String> = cases.filter_map(with).flatten().collect();
        assert!(wrong.is_empty(), "{major}: {}", wrong.join("\n"));
    }
}

#[test]
fn a_restore_does_what_was_said_beforehand() {
    let server = server();
    let every = if is_long() { 1 } else { 6 };
    let mut wrong = Vec::new();
    // No script of a real extension makes the table of that one.
    for case in CASES.iter().filter(|case| case.name != "rows_of_an_extension").step_by(every) {
        for (user, expected) in [("obs_owner", &case.owner), ("postgres", &case.superuser)] {
            let name = format!("{user}_{}", case.name);
            let script = case.script.replace("DATABASE obs_", &format!("DATABASE obs_{user}_"));
            let database = make(&server, &name, &script);
            let target = if user == "postgres" { server.target(&database) } else { server.target_as(&database, user) };
            let snapshot = Snapshot::take(&target);
            let obstacles = &snapshot.manifest.obstacles;
            let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()));
            let comes_back = expected.is_none_or(|(effect, _)| effect == Effect::LeftOut);
            if worst(obstacles) != expected.map(|(effect, _)| effect) || restored.is_ok() != comes_back {
                wrong.push(format!("{name}: {obstacles:?}: {restored:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_role_that_is_let_into_some_databases_only_is_told_so() {
    let server = Server::start();
    make_roles(&server);
    server.run("postgres", "CREATE DATABASE obs_named OWNER obs_owner TEMPLATE template0");
    let file = server.run("postgres", "SHOW hba_file");
    let before = std::fs::read_to_string(&file).unwrap();
    for (names, is_closed) in
        [("obs_named", true), ("obs_named,postgres", true), ("obs_named,obs_named_restoring", true), ("all", false)]
    {
        let rules = format!("host {names} obs_owner all scram-sha-256\nhost all obs_owner all reject\n{before}");
        std::fs::write(&file, rules).unwrap();
        server.run("postgres", "SELECT pg_reload_conf()");
        wait_for("the rules are read", || {
            server.run("postgres", "SELECT 'obs_owner' = ANY (user_name) FROM pg_hba_file_rules LIMIT 1") == "t"
        });
        let is_told = || {
            let found = found(&server, "obs_named", "obs_owner");
            found.iter().any(|one| one.what.contains("`pg_hba.conf` does not let the role `obs_owner` into"))
        };
        wait_for(names, || is_told() == is_closed);
    }
}

#[test]
fn what_is_of_the_whole_server_is_found_too() {
    let server = Server::start();
    let owners = "CREATE ROLE obs_owner LOGIN PASSWORD 'obs_owner' CREATEDB; CREATE DATABASE obs_whole OWNER obs_owner TEMPLATE template0";
    owners.split("; ").for_each(|statement| drop(server.run("postgres", statement)));
    let all = || not_whole_in_full(&found(&server, "obs_whole", "obs_owner")).unwrap_or_default();
    assert_eq!(all(), "");

    let mut psql = server.psql("obs_whole");
    psql.env("PGOPTIONS", "-c allow_in_place_tablespaces=on").args(["-c", "CREATE TABLESPACE obs_space LOCATION ''"]);
    assert!(psql.status().unwrap().success());
    server.run("obs_whole", "CREATE TABLE t (a int) TABLESPACE obs_space; ALTER TABLE t OWNER TO obs_owner");
    assert!(
        all().contains("left out are tablespaces that the role `obs_owner` may not use (`obs_space`)"),
        "{}",
        all()
    );
    server.run("obs_whole", "GRANT CREATE ON TABLESPACE obs_space TO obs_owner");
    assert_eq!(all(), "");

    server.run("obs_whole", "BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'half'");
    let prepared = "nothing comes back, since a database with prepared transactions cannot be exchanged (`half`)";
    for user in ["obs_owner", "postgres"] {
        let found = not_whole_in_full(&found(&server, "obs_whole", user)).unwrap_or_default();
        assert!(found.ends_with(prepared), "{user}: {found}");
    }
    server.run("obs_whole", "ROLLBACK PREPARED 'half'");

    for database in ["postgres", "template1"] {
        assert_eq!(all(), "");
        server.run("postgres", &format!("REVOKE CONNECT ON DATABASE {database} FROM PUBLIC"));
    }
    assert!(all().contains("nothing comes back, since the role `obs_owner` may connect neither"), "{}", all());
    server.run("postgres", "GRANT CONNECT ON DATABASE postgres TO obs_owner; ALTER ROLE obs_owner NOCREATEDB");
    assert!(all().ends_with("since the role `obs_owner` may not create databases"), "{}", all());
}

#[test]
fn a_library_that_is_gone_is_found_by_a_superuser() {
    let server = server();
    let database = make(&server, "library", "CREATE EXTENSION pgcrypto");
    let folder = server.run(&database, "SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'");
    let copies = tempfile::tempdir().unwrap();
    std::fs::set_permissions(copies.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let copy = copies.path().join("copy.so");
    std::fs::copy(format!("{folder}/plpgsql.so"), &copy).unwrap();
    server.run(
        &database,
        &format!("CREATE FUNCTION f(internal) RETURNS void LANGUAGE c AS '{}', 'plpgsql_call_handler'", copy.display()),
    );
    assert_eq!(found(&server, &database, "postgres"), Vec::new());
    std::fs::remove_file(&copy).unwrap();
    let gone = found(&server, &database, "postgres");
    assert_eq!(gone[0].what, format!("the server no longer has the libraries `{}`", copy.display()));
    assert_eq!((gone.len(), gone[0].effect), (1, Effect::NothingComesBack));
}

#[test]
fn rows_that_can_be_written_on_another_server_are_not_promised() {
    let server = server();
    let script = "CREATE EXTENSION postgres_fdw; CREATE EXTENSION file_fdw; CREATE SERVER f FOREIGN DATA WRAPPER file_fdw; \
                  CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'x'); \
                  CREATE FOREIGN TABLE read_only (a text) SERVER f OPTIONS (filename '/x'); CREATE FOREIGN TABLE far (a int) SERVER s";
    let database = make(&server, "far", script);
    let found = not_whole_in_full(&found(&server, &database, "postgres")).unwrap();
    assert!(found.ends_with("left out are the rows of foreign tables, which lie on other servers (`far`)"), "{found}");
}

#[test]
fn what_cannot_be_looked_for_is_not_promised() {
    let server = server();
    let database = make(&server, "closed", "REVOKE SELECT ON pg_catalog.pg_cast FROM PUBLIC");
    let found = found(&server, &database, "obs_owner");
    assert!(found[0].what.starts_with("what could not be looked for (permission denied for"), "{found:?}");
    // The dump is not ended by it.
    assert!(Session::open(&server.target(&database), &environment()).is_ok());
}
