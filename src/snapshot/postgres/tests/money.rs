//! Amounts of money: their text has another currency, and another number of decimals, in each locale.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::snapshot::postgres::restore;
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting};

/// Makes locales in a folder that the server looks into. Other systems than Linux have them.
fn make_locales(folder: &Path) {
    fs::create_dir(folder).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["ja_JP", "de_DE", "sq_AL"] {
        let mut make = Command::new("localedef");
        make.args(["-i", name, "-f", "UTF-8"]).arg(folder.join(format!("{name}.UTF-8")));
        // Its warnings are about its own sources.
        assert!(make.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success(), "{name}");
    }
}

/// Amounts with a default, a check and a view of them, of which each has an amount in its definition.
const TABLE: &str = "SET lc_monetary = 'C'; CREATE TABLE t (id int, a money DEFAULT '0.05' CHECK (a < '99999999999.99')); \
    INSERT INTO t VALUES (1, '12.34'), (2, '-1234567.89'), (3, '0.01'), (4, NULL), (5, '99999999.99'); \
    CREATE VIEW v AS SELECT a + '7.77'::money AS a FROM t";
const LOOK: &str = "SET lc_monetary = 'C'; INSERT INTO t VALUES (6); \
    SELECT string_agg(t.a::text, ' ' ORDER BY id), (SELECT max(a) FROM v), \
    (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 't'::regclass) FROM t; DELETE FROM t WHERE id = 6";
const AMOUNTS: &str =
    "$12.34 -$1,234,567.89 $0.01 $99,999,999.99 $0.05|$100,000,007.76|CHECK ((a < '$99,999,999,999.99'::money))";

#[test]
fn amounts_of_money_come_back_whatever_the_currency_is() {
    let mut server = Server::start();
    if cfg!(target_os = "linux") {
        server.restart(Signal::INT, |data| make_locales(&data.with_file_name("locales")));
    }
    for (role, locale) in [("yen", "ja_JP"), ("euro", "de_DE"), ("plain", "C")] {
        let encoding = if locale == "C" { "" } else { ".UTF-8" };
        let role = format!(
            "CREATE ROLE {role} LOGIN SUPERUSER PASSWORD '{role}'; ALTER ROLE {role} SET lc_monetary = '{locale}{encoding}'"
        );
        server.run("postgres", &role);
    }
    // The database's setting, and who saves it.
    let cases = [
        ("by_database", "ja_JP.UTF-8", "postgres"),
        ("with_decimals", "de_DE.UTF-8", "postgres"),
        ("three_decimals", "sq_AL.UTF-8", "postgres"),
        ("by_role", "C", "yen"),
        ("by_both", "de_DE.UTF-8", "yen"),
        ("by_another", "ja_JP.UTF-8", "plain"),
    ];
    for (name, locale, saver) in cases {
        server.database(name, &format!("ALTER DATABASE {name} SET lc_monetary = '{locale}'; {TABLE}"));
        assert_eq!(server.run(name, LOOK), AMOUNTS, "{name}");
        let target_of =
            |user: &str| if user == "postgres" { server.target(name) } else { server.target_as(name, user) };
        let snapshot = Snapshot::take(&target_of(saver));
        for user in ["postgres", "yen", "euro"] {
            server.run(name, "DROP VIEW v; UPDATE t SET a = 1; ALTER TABLE t ALTER a DROP DEFAULT");
            let target = target_of(user);
            let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()));
            assert_eq!(restored.unwrap().notes, Vec::<String>::new(), "{name} by {user}");
            assert_eq!(server.run(name, LOOK), AMOUNTS, "{name} by {user}");
        }
    }
}
