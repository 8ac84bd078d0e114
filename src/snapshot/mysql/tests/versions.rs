//! Servers of other origins and series than the machine's own: saved, wrecked, put back, compared by another dump than ours.

use std::path::Path;

use crate::reach::Place;
use crate::snapshot::VerificationLevel;
use crate::snapshot::mysql::MysqlError;
use crate::snapshot::mysql::restore::restore;
use crate::snapshot::mysql::testing::{
    MARIADB_11, MYSQL_5_6, MYSQL_9, OWN, RICH, Server, Snapshot, WRECK, Waiting, assert_same, bring_back, environment,
    environment_of,
};
use crate::snapshot::mysql::tests::restoring::waits_before_it_drops;
use crate::snapshot::mysql::verify::verify;

/// What MySQL has and MariaDB has not, besides what both have.
const OF_MYSQL: &str = r#"
SET sql_mode = '', foreign_key_checks = 0;
CREATE TABLE customers (id INT PRIMARY KEY AUTO_INCREMENT, mail VARCHAR(100) COMMENT 'it''s; (x)', data JSON DEFAULT (JSON_OBJECT('a', 1)),
  bits BIT(5), bin VARBINARY(9), picture BLOB, born DATE, place POINT SRID 4326, secret INT INVISIBLE DEFAULT 4,
  KEY folded ((LOWER(mail))), KEY backwards (id DESC), CHECK (mail <> '') NOT ENFORCED) AUTO_INCREMENT = 100;
INSERT INTO customers (id, mail, data, bits, bin, picture, born, place, secret) VALUES
  (1, 'a@b.test', '{"a": [1, "\\\\"]}', b'101', x'00FF', x'00FF27', '0000-00-00', ST_SRID(POINT(1, 2), 4326), 7),
  (2, 'it''s; \n\r\0 \\ "x" 😀 -- y', NULL, NULL, NULL, NULL, '2024-00-10', NULL, NULL);
CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, customer INT, total DECIMAL(10,2), vat DECIMAL(10,2) AS (total * 0.2) STORED,
  next INT AS (customer + 1) VIRTUAL, at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), FOREIGN KEY (customer) REFERENCES customers (id));
INSERT INTO orders (customer, total) VALUES (1, 10), (99, 30);
CREATE TABLE counted (a INT) ENGINE = MyISAM; INSERT INTO counted VALUES (1), (2), (2);
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
CREATE TRIGGER first_one BEFORE INSERT ON orders FOR EACH ROW BEGIN SET NEW.total = plus_one(NEW.total); END//
CREATE TRIGGER second_one BEFORE INSERT ON orders FOR EACH ROW FOLLOWS first_one SET NEW.total = NEW.total * 2//
DELIMITER ;
SET sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES';
CREATE PROCEDURE slashes() SELECT 'C:\', '$$;' AS "x\";
SET sql_mode = '';
CREATE VIEW totals AS SELECT id, plus_one(total) AS more FROM orders;
CREATE VIEW a_view_of_views AS SELECT * FROM totals;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO INSERT INTO emptied VALUES (3);
ANALYZE TABLE customers UPDATE HISTOGRAM ON mail;
"#;

const WRECK_OF_MYSQL: &str = "
SET foreign_key_checks = 0;
DELETE FROM customers WHERE id = 1; UPDATE orders SET total = 0; TRUNCATE counted; DROP VIEW totals; DROP VIEW a_view_of_views;
DROP TRIGGER second_one; DROP FUNCTION plus_one; DROP EVENT nightly; ALTER TABLE parts ADD COLUMN c INT DEFAULT 7;
CREATE TABLE added (a INT); INSERT INTO added VALUES (1); CREATE VIEW added_view AS SELECT 1;
CREATE PROCEDURE added_procedure() SELECT 2; CREATE TRIGGER added_trigger BEFORE INSERT ON added FOR EACH ROW SET NEW.a = 5;
ALTER TABLE latin CONVERT TO CHARACTER SET utf8mb4; INSERT INTO emptied VALUES (1);";

/// Saves it, and puts it back beside, then what was there before, then in place.
fn comes_back(server: &Server, (rich, wreck): (&str, &str), tool: &str, rights: &[&str]) {
    let target = server.database("shop", &rich.replace("DATABASE", "shop"));
    let saved = server.content("shop");
    let snapshot = Snapshot::take(&target);
    assert_eq!(snapshot.manifest.obstacles, []);
    assert!(snapshot.manifest.tool.version.starts_with(tool), "{:?}", snapshot.manifest.tool);
    server.run("shop", wreck);
    let wrecked = server.content("shop");
    let put_back = |target| snapshot.restoring(target, |one| restore(one, &Waiting::default()).unwrap());
    let restored = put_back(&target);
    assert_eq!(restored.notes, [""; 0]);
    assert_same(&server.content("shop"), &saved);
    snapshot.restoring(&target, |one| verify(one, VerificationLevel::Restore, &Waiting::default()).unwrap());
    let replaced = restored.replaced.unwrap();
    let back = bring_back(&target, &replaced).unwrap();
    assert_eq!(back.notes, [""; 0]);
    assert_same(&server.content("shop"), &wrecked);
    // A user of this database alone, as the images of both make them.
    let lonely = server.target_as("shop", "lonely", rights);
    let restored = put_back(&lonely);
    assert_eq!(restored.replaced, None);
    let tables = |content: String| content.split("\n-- Dumping events").next().unwrap_or_default().to_owned();
    let as_root = |content: String| {
        tables(content)
            .replace("`lonely`@`%`", "`root`@`localhost`")
            .replace("\"lonely\"@\"%\"", "\"root\"@\"localhost\"")
    };
    assert_same(&as_root(server.content("shop")), &as_root(saved));
    waits_before_it_drops(server, &rights[1..]);
}

#[test]
fn databases_of_mysql_9_come_back() {
    let server = Server::of(MYSQL_9);
    // Root's objects are kept from all who may not do as much.
    let rights = ["ALL ON shop.*", "SYSTEM_USER, SHOW_ROUTINE, SUPER ON *.*"];
    comes_back(&server, (OF_MYSQL, WRECK_OF_MYSQL), "MySQL 9.", &rights);
    // MariaDB's programs come first on `PATH`; where nobody listens says nothing of the place that is tried next.
    let mut target = server.target("shop");
    target.places.insert(0, Place::Host { name: "127.0.0.1".to_owned(), port: Some(1) });
    assert!(Snapshot::try_take(&target, &environment()).is_ok());
}

#[test]
fn databases_of_mariadb_11_come_back() {
    let server = Server::of(MARIADB_11);
    comes_back(&server, (RICH, WRECK), "MariaDB 11.", &["ALL ON shop.*"]);
    // By the machine's own programs, which may be older than the server.
    let target = server.rich("older");
    let saved = server.content("older");
    let own = environment_of(OWN, Path::new("/nonexistent"));
    let snapshot = Snapshot::try_take(&target, &own).unwrap();
    server.run("older", WRECK);
    let restored = snapshot.restoring_in(&own, &target, |one| restore(one, &Waiting::default()).unwrap());
    assert_eq!((restored.notes.as_slice(), restored.replaced.is_some()), (&[][..], true));
    assert_same(&server.content("older"), &saved);
}

/// What the oldest servers have.
const OLD: &str = r#"
SET sql_mode = '', foreign_key_checks = 0;
CREATE TABLE customers (id INT PRIMARY KEY AUTO_INCREMENT, mail VARCHAR(100) COMMENT 'it''s; (x)', bits BIT(5), bin VARBINARY(9),
  picture BLOB, born DATE, place POINT) AUTO_INCREMENT = 100;
INSERT INTO customers VALUES (1, 'a@b.test', b'101', x'00FF', x'00FF27', '0000-00-00', POINT(1, 2)),
  (2, 'it''s; \n\r\0 \\ "x" -- y', NULL, NULL, NULL, '2024-00-10', NULL);
CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, customer INT, total DECIMAL(10,2),
  at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), FOREIGN KEY (customer) REFERENCES customers (id));
INSERT INTO orders (customer, total) VALUES (1, 10), (99, 30);
CREATE TABLE counted (a INT) ENGINE = MyISAM; INSERT INTO counted VALUES (1), (2), (2);
CREATE TABLE parts (a INT, b INT) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO parts VALUES (1, 1), (100, 2);
CREATE TABLE latin (t VARCHAR(20)) CHARACTER SET latin1; INSERT INTO latin VALUES ('café');
CREATE TABLE wide (t VARCHAR(20)) CHARACTER SET utf8mb4; INSERT INTO wide VALUES ('😀');
CREATE TABLE `odd``name; -- x'"` (`select` INT, `a b` INT); INSERT INTO `odd``name; -- x'"` VALUES (1, 2);
CREATE TABLE emptied (a INT);
CREATE FUNCTION plus_one(x INT) RETURNS INT DETERMINISTIC RETURN x + 1;
CREATE TRIGGER first_one BEFORE INSERT ON orders FOR EACH ROW SET NEW.total = plus_one(NEW.total);
CREATE TRIGGER second_one AFTER INSERT ON orders FOR EACH ROW INSERT INTO emptied VALUES (5);
SET sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES';
CREATE PROCEDURE slashes() SELECT 'C:\', '$$;' AS "x\";
SET sql_mode = '';
CREATE VIEW totals AS SELECT id, plus_one(total) AS more FROM orders;
CREATE VIEW a_view_of_views AS SELECT * FROM totals;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO INSERT INTO emptied VALUES (3);
"#;

#[test]
fn databases_of_mysql_5_6_come_back_by_later_programs() {
    // Fetched for the long forms only.
    if std::env::var_os("SAFE_TEST_LONG").is_some() {
        let rights = ["ALL ON shop.*", "SUPER ON *.*", "SELECT ON mysql.proc"];
        comes_back(&Server::of(MYSQL_5_6), (OLD, WRECK_OF_MYSQL), "MySQL 9.", &rights);
    }
}

/// What all of them have.
const PLAIN: &str = r#"
SET NAMES utf8mb4;
CREATE TABLE customers (id INT PRIMARY KEY AUTO_INCREMENT, mail VARCHAR(100) CHARACTER SET utf8mb4, bin VARBINARY(9)) AUTO_INCREMENT = 100;
INSERT INTO customers VALUES (1, 'it''s; \n\0 \\ "x" 😀 -- y', x'00FF27'), (2, NULL, NULL);
CREATE TABLE orders (id INT PRIMARY KEY, customer INT, FOREIGN KEY (customer) REFERENCES customers (id)); INSERT INTO orders VALUES (1, 2);
CREATE FUNCTION plus_one(x INT) RETURNS INT DETERMINISTIC RETURN x + 1;
CREATE TRIGGER first_one BEFORE INSERT ON orders FOR EACH ROW SET NEW.id = plus_one(NEW.id);
CREATE VIEW totals AS SELECT id, plus_one(customer) AS more FROM orders;
"#;

#[test]
fn each_server_is_saved_by_each_of_the_tools_that_bring_its_databases_back_and_by_no_other() {
    let mut servers =
        vec![(Server::of(OWN), "MariaDB"), (Server::of(MARIADB_11), "MariaDB"), (Server::of(MYSQL_9), "MySQL")];
    if std::env::var_os("SAFE_TEST_LONG").is_some() {
        servers.push((Server::of(MYSQL_5_6), "MySQL"));
    }
    let links = tempfile::tempdir().unwrap();
    for (server, flavor) in &servers {
        for (tools, theirs) in [(OWN, "MariaDB"), (MARIADB_11, "MariaDB"), (MYSQL_9, "MySQL")] {
            let told = format!("{tools:?} for {}", server.run("", "SELECT VERSION()"));
            let target = server.database("each", PLAIN);
            let (saved, at_hand) = (server.content("each"), environment_of(tools, links.path()));
            match Snapshot::try_take(&target, &at_hand) {
                Ok(snapshot) => {
                    assert_eq!(*flavor, theirs, "{told}");
                    server.run("each", "SET foreign_key_checks = 0; DROP TABLE customers; DROP VIEW totals; CREATE TABLE added (a INT)");
                    let restored = snapshot.restoring_in(&at_hand, &target, |one| restore(one, &Waiting::default()));
                    assert_eq!(restored.expect(&told).notes, [""; 0], "{told}");
                    assert_same(&server.content("each"), &saved);
                }
                Err(error) => {
                    assert!(*flavor != theirs && matches!(error, MysqlError::NoneFits { .. }), "{told}: {error}");
                    assert_same(&server.content("each"), &saved);
                }
            }
        }
    }
}
