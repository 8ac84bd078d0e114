//! A restore needs a password that only the command's own text held, or that has changed since.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Outcome, Postgres, Sandbox};
use crate::terminal::Terminal;

const RIGHT: &str = "Quite-Right7";
const WRONG: &str = "Quite-Wrong8";

/// A project whose database belongs to a role of the same name; nothing in the project holds its password, which the
/// command that was guarded said itself.
fn saved_by_a_command_that_said_the_password(database: &str) -> Sandbox {
    let server = Postgres::server();
    let sandbox = Sandbox::with_postgres(database);
    server.psql(
        "postgres",
        &format!(
            "DROP ROLE IF EXISTS {database}; CREATE ROLE {database} LOGIN CREATEDB PASSWORD '{RIGHT}'; \
             ALTER DATABASE {database} OWNER TO {database}"
        ),
    );
    server.psql(database, &format!("ALTER TABLE t OWNER TO {database}; ALTER SCHEMA public OWNER TO {database}"));
    sandbox.write(".env", "APP_ENV=testing\n");
    let url = format!("DATABASE_URL={}", url(database, RIGHT));
    sandbox.run(&["env", &url, "./suite"]).expect_code(0);
    assert_eq!(sandbox.ids().len(), 1);
    sandbox
}

fn url(database: &str, password: &str) -> String {
    format!("postgres://{database}:{password}@127.0.0.1:{}/{database}", Postgres::server().port())
}

fn change(database: &str) {
    Postgres::server().psql(database, "UPDATE t SET a = 2");
}

#[track_caller]
fn expect_restored(database: &str) {
    assert_eq!(Postgres::server().psql(database, "SELECT a FROM t"), "1");
}

#[track_caller]
fn expect_refused(outcome: &Outcome, database: &str) {
    let said = &outcome.stderr;
    assert!(said.contains("hint: ") && said.contains("PGPASSWORD"), "{said}");
    assert_eq!(said.lines().last(), Some("  nothing was changed"), "{said}");
    assert!(!said.contains(RIGHT) && !said.contains(WRONG), "{said}");
    assert_eq!(Postgres::server().psql(database, "SELECT a FROM t"), "2");
}

#[test]
fn a_password_of_the_commands_own_text_is_taken_from_the_environment() {
    let database = "told_test";
    let mut sandbox = saved_by_a_command_that_said_the_password(database);
    change(database);
    expect_refused(&sandbox.run(&["restore", "latest"]).expect_code(121), database);
    sandbox.set("PGPASSWORD", WRONG);
    expect_refused(&sandbox.run(&["restore", "latest"]).expect_code(121), database);
    sandbox.run(&["verify", "--level", "restore"]).expect_code(121);
    sandbox.set("PGPASSWORD", RIGHT);
    sandbox.run(&["verify", "--level", "restore"]).expect_code(0);
    sandbox.run(&["restore", "latest"]).expect_code(0);
    expect_restored(database);
    // PostgreSQL's own file of passwords does as well.
    change(database);
    sandbox.set("PGPASSWORD", "");
    let file = sandbox.home().join(".pgpass");
    fs::write(&file, format!("*:*:*:{database}:{RIGHT}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    sandbox.run(&["restore", "latest"]).expect_code(0);
    expect_restored(database);
}

#[test]
fn a_person_is_asked_and_nothing_shows() {
    let database = "asked_test";
    let sandbox = saved_by_a_command_that_said_the_password(database);
    change(database);
    // None; what is not right; what is right at last.
    for (typed, ended) in [(&[""][..], 125), (&[WRONG, WRONG, WRONG], 125), (&[WRONG, RIGHT], 0)] {
        let mut terminal = Terminal::start(sandbox.command().args(["restore", "latest", "--yes"]));
        let mut said = String::new();
        for line in typed {
            said.push_str(&terminal.read_until(&format!("Password of {database} for postgres database `{database}`")));
            terminal.type_in(&format!("{line}\n"));
        }
        let (rest, how) = terminal.end();
        said.push_str(&rest);
        assert_eq!(how, (ended, -1), "{typed:?} {said}");
        assert!(!said.contains(WRONG) && !said.contains(RIGHT), "{said}");
        assert!(ended == 0 || said.trim_end().ends_with("nothing was changed"), "{said}");
        assert_eq!(said.matches("does not take it").count(), typed.iter().filter(|line| **line == WRONG).count());
    }
    expect_restored(database);
    for file in fs::read_dir(sandbox.backups()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(memchr::memmem::find(&bytes, RIGHT.as_bytes()).is_none());
    }
    // A program that reads JSON is not asked.
    let (said, how) = Terminal::start(sandbox.command().args(["--format=json", "restore", "latest", "--yes"])).end();
    assert!(how == (121, -1) && !said.contains("Password of"), "{said}");
}

#[test]
fn a_signal_at_the_question_leaves_the_terminal_as_it_was() {
    let database = "signalled_test";
    let sandbox = saved_by_a_command_that_said_the_password(database);
    let untouched = Terminal::start(&mut sandbox.program("true"));
    let modes = untouched.modes();
    untouched.end();
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let mut terminal = Terminal::start(sandbox.command().args(["restore", "latest", "--yes"]));
        terminal.read_until("Password of");
        if signal == libc::SIGINT {
            terminal.type_in("\x03");
        } else {
            terminal.kill(signal);
        }
        let said = terminal.read_until("nothing was changed");
        assert_eq!(terminal.modes(), modes, "{signal}");
        assert_eq!(terminal.end().1, (-1, signal), "{said}");
    }
}

#[test]
fn a_password_that_has_changed_since_is_not_the_end() {
    let database = "changed_test";
    let mut sandbox = saved_by_a_command_that_said_the_password(database);
    change(database);
    sandbox.write(".env", format!("APP_ENV=testing\nDATABASE_URL={}\n", url(database, WRONG)));
    expect_refused(&sandbox.run(&["restore", "latest"]).expect_code(121), database);
    sandbox.set("PGPASSWORD", RIGHT);
    sandbox.run(&["restore", "latest"]).expect_code(0);
    expect_restored(database);
    // What the project holds comes first where it is right.
    change(database);
    sandbox.write(".env", format!("APP_ENV=testing\nDATABASE_URL={}\n", url(database, RIGHT)));
    sandbox.set("PGPASSWORD", WRONG);
    sandbox.run(&["restore", "latest"]).expect_code(0);
    expect_restored(database);
}
