//! One database by several names: saved once, told once, put back by either.

use super::support::{Mariadb, Postgres, Sandbox};

#[test]
fn a_database_that_several_names_lead_to_is_saved_once() {
    let database = "spelled_test";
    let sandbox = Sandbox::with_postgres(database);
    let server = Postgres::server();
    let url = server.url(database);
    let by_name = url.replace("127.0.0.1", "localhost");
    let socket = server.socket_folder().display();
    let by_socket =
        format!("postgres://{}:{}@/{database}?host={socket}&port={}", server.user(), server.password(), server.port());
    sandbox.write(".env", format!("DATABASE_URL={url}\nDIRECT_URL={by_name}\nREPORTS_URL={by_socket}\n"));
    sandbox.suite(&format!("psql -X -q -c 'UPDATE t SET a = 2' '{by_name}'"));
    let planned = sandbox.run(&["--dry-run", "./suite"]).expect_code(0).stderr;
    assert_eq!(planned.matches("would be saved as").count(), 1, "{planned}");
    assert_eq!(planned.matches("the same database as").count(), 2, "{planned}");

    let outcome = sandbox.run(&["--restore", "always", "./suite"]).expect_code(0);
    assert_eq!(sandbox.ids().len(), 1, "{}", outcome.stderr);
    let said = outcome.stderr.lines().find(|line| line.contains(" saved (")).unwrap();
    assert_eq!(said.matches(" saved (").count(), 1, "{said}");
    assert!(said.contains(" (the same as on ") && said.contains(&socket.to_string()), "{said}");
    assert!(said.contains("localhost:") && said.contains("127.0.0.1:"), "{said}");
    assert_eq!(server.psql(database, "SELECT a FROM t").trim(), "1");
    let log = sandbox.log();
    let started = log.iter().find(|entry| entry["event"] == "run-started").unwrap();
    assert_eq!(started["snapshots"].as_array().unwrap().len(), 1, "{started:#}");

    // The project calls it by another name since: the snapshot's own still leads there.
    sandbox.write(".env", format!("DATABASE_URL={by_name}\n"));
    server.psql(database, "UPDATE t SET a = 3");
    sandbox.run(&["restore", "latest"]).expect_code(0);
    assert_eq!(server.psql(database, "SELECT a FROM t").trim(), "1");
}

#[test]
fn a_database_of_mariadb_that_several_names_lead_to_is_saved_once() {
    let database = "spelled_mariadb_test";
    let sandbox = Sandbox::with_mariadb(database);
    let server = Mariadb::server();
    let url = server.url(database);
    let socket = server.socket().display().to_string();
    let by_socket = format!("{}?socket={socket}", url.replace(&format!("127.0.0.1:{}", server.port()), "localhost"));
    let by_name = url.replace("127.0.0.1", "localhost");
    let own = server.url_of_its_own_user(database).replace("127.0.0.1", "localhost");
    sandbox.write(".env", format!("DATABASE_URL={url}\nDIRECT_URL={by_name}\nREPORTS_URL={by_socket}\n"));
    let outcome = sandbox.run(&["./suite"]).expect_code(0);
    assert_eq!(sandbox.ids().len(), 1, "{}", outcome.stderr);
    assert!(outcome.stderr.contains(" (the same as on ") && outcome.stderr.contains(&socket), "{}", outcome.stderr);
    // Another user may not bring back what this one does.
    sandbox.write(".env", format!("DATABASE_URL={url}\nREPORTS_URL={own}\n"));
    server.sql(database, "UPDATE t SET a = 3");
    let outcome = sandbox.run(&["./suite"]).expect_code(0);
    assert_eq!(sandbox.ids().len(), 3, "{}", outcome.stderr);
}

#[test]
fn a_database_is_saved_by_each_role_that_it_is_named_with() {
    let database = "spelled_roles_test";
    let sandbox = Sandbox::with_postgres(database);
    let server = Postgres::server();
    server.psql("postgres", "DROP ROLE IF EXISTS spelled_role");
    server.psql("postgres", "CREATE ROLE spelled_role SUPERUSER LOGIN PASSWORD 'of-a-test'");
    let url = server.url(database);
    let own = format!("{}:{}@127.0.0.1", server.user(), server.password());
    let other = url.replace(&own, "spelled_role:of-a-test@localhost");
    sandbox.write(".env", format!("DATABASE_URL={url}\nMIGRATIONS_URL={other}\n"));
    let outcome = sandbox.run(&["./suite"]).expect_code(0);
    assert_eq!(sandbox.ids().len(), 2, "{}", outcome.stderr);
    server.psql("postgres", "DROP ROLE spelled_role");
}

#[test]
fn two_databases_of_one_server_are_two() {
    let names = ["spelled_one_test", "spelled_other_test"];
    let sandbox = Sandbox::with_postgres(names[0]);
    let server = Postgres::server();
    server.replace_database(names[1]);
    let other = server.url(names[1]).replace("127.0.0.1", "localhost");
    sandbox.write(".env", format!("DATABASE_URL={}\nREPORTS_URL={other}\n", server.url(names[0])));
    let outcome = sandbox.run(&["./suite"]).expect_code(0);
    assert_eq!(sandbox.ids().len(), 2, "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("the same as"), "{}", outcome.stderr);
}

#[test]
fn each_name_of_a_file_is_saved() {
    let sandbox = Sandbox::with_sqlite();
    std::fs::hard_link(sandbox.project().join("app_test.db"), sandbox.project().join("other_test.db")).unwrap();
    sandbox.write(".env", "DATABASE_URL=sqlite:./app_test.db\nOTHER_URL=sqlite:./other_test.db\n");
    sandbox.suite("rm other_test.db");
    sandbox.run(&["--restore", "always", "./suite"]).expect_code(0);
    assert_eq!(sandbox.sqlite("other_test.db", "SELECT a FROM t"), "1");
}

#[test]
fn a_shadow_database_that_turns_out_to_be_the_main_one_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.sqlite("dev.db", "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    std::os::unix::fs::symlink("dev.db", sandbox.project().join("shadow.db")).unwrap();
    sandbox.write(".env", "DATABASE_URL=sqlite:dev.db\nSHADOW_DATABASE_URL=sqlite:shadow.db\n");
    sandbox.suite("rm dev.db");
    sandbox.run(&["check", "--", "./suite"]).expect_code(0);
    let outcome = sandbox.run(&["./suite"]);
    sandbox.expect_not_run(&outcome, 120, &["shadow-database", "names the same database as DATABASE_URL"]);
    assert_eq!(sandbox.sqlite("dev.db", "SELECT a FROM t"), "1");
}
