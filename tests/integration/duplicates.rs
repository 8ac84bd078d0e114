//! A variable that stands twice in the environment: programs differ in which value they take, so each is judged.

use std::ffi::OsString;

use serde_json::Value;

use crate::support::{Outcome, Sandbox, execute_with};

const LOCAL: &str = "DATABASE_URL=postgres://app@localhost/shop_test";
const REMOTE: &str = "DATABASE_URL=postgres://app@db.northwind-shop.net/shop";

fn with_entries(sandbox: &Sandbox, words: &[&str], entries: &[&[u8]]) -> Outcome {
    let path = format!("PATH={}", std::env::var("PATH").unwrap());
    let home = format!("HOME={}", sandbox.home().display());
    let mut all = vec![path.as_bytes(), home.as_bytes()];
    all.extend(entries);
    let program = env!("CARGO_BIN_EXE_safe-test");
    let words: Vec<OsString> = std::iter::once(program).chain(words.iter().copied()).map(OsString::from).collect();
    let mut command = sandbox.command();
    execute_with(&mut command, &words, &all);
    Outcome::of(&mut command)
}

fn verdict(entries: &[&[u8]]) -> String {
    let outcome = with_entries(&Sandbox::new(), &["check", "--format", "json"], entries);
    let told: Value =
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error} {}", outcome.stderr));
    told["verdict"].as_str().unwrap().to_owned()
}

#[test]
fn every_value_of_a_name_that_stands_twice_is_judged() {
    let (local, remote) = (LOCAL.as_bytes(), REMOTE.as_bytes());
    for (entries, expected) in [
        (&[local][..], "safe"),
        (&[local, local], "safe"),
        (&[local, remote], "production"),
        (&[remote, local], "production"),
        (&[local, remote, local], "production"),
        (&[local, b"APP_ENV=testing", b"APP_ENV=production"], "production"),
        (&[local, b"APP_ENV=production", b"APP_ENV=testing"], "production"),
        (&[local, b"DYNO=", b"DYNO=web.1"], "production"),
        (&[local, b"DYNO=web.1", b"DYNO="], "production"),
        (&[b"DB_CONNECTION=pgsql", b"DB_DATABASE=a_test", b"DB_HOST=localhost", b"DB_HOST=10.1.2.3"], "production"),
        (&[b"DB_CONNECTION=pgsql", b"DB_DATABASE=a_test", b"DB_HOST=10.1.2.3", b"DB_HOST=localhost"], "production"),
        (&[b"DB_CONNECTION=pgsql", b"DB_HOST=localhost", b"DB_DATABASE=a_test", b"DB_DATABASE=a_live"], "production"),
        // What is no assignment, has no name or is not UTF-8 hides nothing.
        (&[b"nothing", b"=", b"=x", local, remote], "production"),
        (&[b"nothing", b"=", b"=x", b"\xff=\xfe", local], "safe"),
        (&[b"DATABASE_URL=postgres://app@db.northwind-shop.net/\xff", local], "production"),
    ] {
        let shown: Vec<_> = entries.iter().map(|entry| String::from_utf8_lossy(entry)).collect();
        assert_eq!(verdict(entries), expected, "{shown:?}");
    }
}

#[test]
fn the_command_gets_the_entries_that_were_judged() {
    let sandbox = Sandbox::with_sqlite();
    let entries: [&[u8]; 4] = [b"TWICE=1", b"APP_ENV=testing", b"no assignment", b"TWICE=2"];
    let outcome = with_entries(&sandbox, &["cat", "/proc/self/environ"], &entries).expect_code(0);
    let rest = entries.iter().map(|entry| String::from_utf8_lossy(entry) + "\0").collect::<String>();
    assert!(outcome.stdout.ends_with(&rest), "{:?}", outcome.stdout);

    let refused = with_entries(&sandbox, &["./suite"], &[LOCAL.as_bytes(), REMOTE.as_bytes()]);
    sandbox.expect_not_run(&refused, 120, &["db.northwind-shop.net"]);
}

#[test]
fn an_agent_that_one_of_the_values_names_is_an_agent() {
    for entries in [[&b"CLAUDECODE="[..], b"CLAUDECODE=1"], [b"CLAUDECODE=1", b"CLAUDECODE="]] {
        let outcome = with_entries(&Sandbox::new(), &["check", "--format", "json"], &entries);
        let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!(told["caller"]["kind"], "agent");
    }
}
