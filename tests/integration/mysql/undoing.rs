//! A run saves a database of MariaDB, and what the command did to it is undone.

use crate::support::{Mariadb, Sandbox, output};

/// Something of every kind that comes back in its own way.
const SHOP: &str = "CREATE TABLE customers (id INT PRIMARY KEY AUTO_INCREMENT, mail VARCHAR(50) UNIQUE);
    INSERT INTO customers (mail) VALUES ('a@b.test'), ('it''s');
    CREATE TABLE orders (id INT PRIMARY KEY, customer INT, FOREIGN KEY (customer) REFERENCES customers (id));
    INSERT INTO orders VALUES (1, 1), (2, 2); CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN x * 2;
    CREATE VIEW seen AS SELECT id, twice(customer) AS customer FROM orders;
    CREATE TRIGGER counted BEFORE INSERT ON orders FOR EACH ROW SET NEW.id = NEW.id + 1;";

const WRECK: &str =
    "SET foreign_key_checks = 0; DELETE FROM customers; ALTER TABLE orders ADD COLUMN b INT; DELETE FROM orders; DROP VIEW seen; DROP FUNCTION twice;
    CREATE TABLE left_by_the_suite (a INT);";

/// Lets a suite run these statements, as its own client would.
fn suite_runs(sandbox: &Sandbox, url_user: &str, database: &str, sql: &str) {
    let port = Mariadb::server().port();
    sandbox.write("wreck.sql", sql);
    sandbox.suite(&format!(
        "mariadb --no-defaults -h 127.0.0.1 -P {port} -u {url_user} -ponly-for-tests {database} <wreck.sql || exit 9"
    ));
}

#[test]
fn what_a_command_did_is_undone_and_that_can_be_undone() {
    let (server, database) = (Mariadb::server(), "undone_test");
    let sandbox = Sandbox::with_mariadb(database);
    server.sql(database, SHOP);
    let saved = server.content(database);
    suite_runs(&sandbox, "tester", database, WRECK);
    let outcome = sandbox.guarded().expect_code(0);
    let id = sandbox.ids().remove(0);
    let line = format!("safe-test: to undo: safe-test restore {id}\n");
    assert!(outcome.stderr.contains(&line) && outcome.stderr.contains("verified"), "{}", outcome.stderr);
    let wrecked = server.content(database);
    assert_ne!(wrecked, saved);

    let told = sandbox.run(&["restore", "latest"]).expect_code(0).stdout;
    assert_eq!(server.content(database), saved);
    let [replaced] = server.beside(database).try_into().unwrap();
    assert!(told.contains(&format!("to undo: safe-test restore {replaced}")), "{told}");
    let list = sandbox.run(&["list"]).expect_code(0).stdout;
    assert!(list.contains(&id) && list.contains(&replaced), "{list}");
    sandbox.run(&["verify", "--all", "--level", "restore"]).expect_code(0);
    sandbox.run(&["restore", &replaced]).expect_code(0);
    assert_eq!(server.content(database), wrecked);
    sandbox.run(&["restore", &id]).expect_code(0);
    assert_eq!(server.content(database), saved);
    sandbox.run(&["log", "verify"]).expect_code(0);
    assert!(server.beside(database).iter().all(|name| name.contains("_replaced_")), "{:?}", server.beside(database));
}

#[test]
fn a_user_of_one_database_is_told_beforehand_and_gets_it_back_in_place() {
    let (server, database) = (Mariadb::server(), "only_one_test");
    let sandbox = Sandbox::with_mariadb(database);
    let url = server.url_of_its_own_user(database);
    sandbox.write(".env", format!("APP_ENV=testing\nDATABASE_URL={url}\n"));
    // Made by this user, as by a migration.
    let shop = SHOP
        .replace("CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN x * 2;", "")
        .replace("twice(customer)", "customer");
    let own = "SET ROLE NONE;";
    suite_runs(&sandbox, "only_one_test_user", database, &format!("{own}{shop}"));
    sandbox.guarded().expect_code(0);
    let saved = server.content(database);
    suite_runs(&sandbox, "only_one_test_user", database, &WRECK.replace("DROP FUNCTION twice;", ""));
    let outcome = sandbox.guarded().expect_code(0);
    assert!(outcome.stderr.contains("can be restored in place only"), "{}", outcome.stderr);
    let told = sandbox.run(&["restore", "latest"]).expect_code(0).stdout;
    assert_eq!(server.content(database), saved);
    assert!(server.beside(database).is_empty());
    // What was there is in a safety snapshot.
    let safety = told.split("safe-test restore ").nth(1).unwrap().trim();
    sandbox.run(&["restore", safety]).expect_code(0);
    assert!(server.content(database).contains("left_by_the_suite"));
}

#[test]
fn the_command_that_a_dry_run_shows_has_no_password_and_doctor_names_the_tool() {
    let sandbox = Sandbox::with_mariadb("dry_test");
    let outcome = sandbox.run(&["--dry-run", "--format", "json", "./suite"]).expect_code(0);
    assert!(!sandbox.has_run() && !outcome.stderr.contains("only-for-tests"), "{}", outcome.stderr);
    for part in ["--defaults-file=", "--single-transaction", "--routines", "--triggers", "--events", "--hex-blob"] {
        assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
    }
    let doctor = sandbox.run(&["doctor"]).stdout;
    assert!(doctor.contains("reachable; server 1") && doctor.contains("-dump (MariaDB "), "{doctor}");
}

#[test]
fn what_the_manifest_says_to_do_by_hand_brings_the_database_back() {
    let (server, database) = (Mariadb::server(), "by_hand_test");
    let sandbox = Sandbox::with_mariadb(database);
    server.sql(database, SHOP);
    let saved = server.content(database);
    sandbox.run(&["snapshot"]).expect_code(0);
    server.sql(database, WRECK);
    let manifest = sandbox.manifests().remove(0);
    let commands: Vec<&str> = manifest["by_hand"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    let script = commands.join(" && ").replace("--password", "--password=only-for-tests");
    let mut shell = std::process::Command::new("/bin/sh");
    let done = output(shell.args(["-c", &script]).current_dir(sandbox.backups()));
    assert!(done.status.success(), "{script}\n{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(server.content(database), saved);
    assert!(sandbox.backups().join("by_hand_test_before.sql").exists());
}
