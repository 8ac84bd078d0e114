//! What proves that nothing was written, and what does not.

use crate::snapshot::mysql::Session;
use crate::snapshot::mysql::state::is_unchanged_since;
use crate::snapshot::mysql::testing::{Server, Snapshot, environment};
use crate::snapshot::testing::wait_for;

const SHOP: &str = "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a INT); INSERT INTO t (a) VALUES (1), (2);
    CREATE TABLE u (a INT); CREATE VIEW v AS SELECT a FROM t; CREATE FUNCTION f(x INT) RETURNS INT RETURN x;
    CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1; CREATE SEQUENCE s CACHE 2;
    CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01' DO SET @a = 1;";

fn is_unchanged(server: &Server, snapshot: &Snapshot) -> bool {
    let mut session = Session::open(&server.target("still"), &environment()).unwrap();
    is_unchanged_since(&mut session, &snapshot.manifest).unwrap()
}

#[test]
fn every_change_shows_and_nothing_that_changes_nothing_does_for_long() {
    // Its own: writes in other databases count, too.
    let server = Server::start();
    let target = server.database("still", SHOP);
    let take = || {
        let mut snapshot = Snapshot::take(&target);
        // InnoDB tidies up for a while after writes, and logs that.
        wait_for("the server comes to rest", || {
            let rests = is_unchanged(&server, &snapshot);
            if !rests {
                snapshot = Snapshot::take(&target);
            }
            rests
        });
        snapshot
    };
    for nothing in
        ["SELECT COUNT(*) FROM t", "SELECT f(1)", "BEGIN; SELECT * FROM t FOR UPDATE; ROLLBACK", "UPDATE t SET a = a"]
    {
        // Some seconds after writes InnoDB counts anew how its tables are, and logs that, too.
        wait_for(nothing, || {
            let snapshot = take();
            server.run("still", nothing);
            drop(Snapshot::take(&target));
            is_unchanged(&server, &snapshot)
        });
    }
    for change in [
        "INSERT INTO u VALUES (1)",
        "UPDATE t SET a = 3 WHERE id = 1",
        "DELETE FROM u",
        "TRUNCATE u",
        "BEGIN; INSERT INTO t (a) VALUES (9); ROLLBACK",
        "CREATE TABLE w (a INT)",
        "ALTER TABLE u ADD COLUMN b INT",
        "RENAME TABLE w TO x",
        "DROP TABLE x",
        "DO NEXTVAL(s); DO NEXTVAL(s); DO NEXTVAL(s)",
        "CREATE OR REPLACE VIEW v AS SELECT id FROM t",
        "DROP VIEW v",
        "CREATE OR REPLACE FUNCTION f(y INT) RETURNS INT RETURN y",
        "CREATE PROCEDURE p() SELECT 1",
        "DROP PROCEDURE p",
        "CREATE OR REPLACE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 2",
        "DROP TRIGGER g",
        "ALTER EVENT e DISABLE",
        "ALTER EVENT e COMMENT 'other'",
        "ALTER DATABASE still CHARACTER SET latin1 COLLATE latin1_bin",
        "CREATE TABLE m (a INT) ENGINE = MyISAM",
    ] {
        let snapshot = take();
        server.run("still", change);
        assert!(!is_unchanged(&server, &snapshot), "{change}");
        if change.contains("MyISAM") {
            // From now on nothing is proved at all.
            let snapshot = Snapshot::take(&target);
            assert!(!is_unchanged(&server, &snapshot));
        }
    }
}
