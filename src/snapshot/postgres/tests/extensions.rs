//! Extensions with tables of their own: which of their rows come back, and what is told of the others.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use crate::snapshot::not_whole_in_full;
use crate::snapshot::postgres::compare::Compared;
use crate::snapshot::postgres::extensions::{Lost, lost};
use crate::snapshot::postgres::restore;
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting, environment};
use crate::snapshot::postgres::{PostgresError, Session};
use crate::snapshot::testing::wait_for;

/// Tables of three kinds: some rows marked, all rows marked, none.
const FIRST: &str = "\
    CREATE TABLE part (id int PRIMARY KEY, v text); INSERT INTO part VALUES (1, 'stock'), (2, 'stock'); \
    SELECT pg_catalog.pg_extension_config_dump('part', 'WHERE id > 10 OR v IS NULL'); \
    CREATE TABLE whole_one (id serial PRIMARY KEY, v text); \
    SELECT pg_catalog.pg_extension_config_dump('whole_one', ''); SELECT pg_catalog.pg_extension_config_dump('whole_one_id_seq', ''); \
    CREATE TABLE plain (id int UNIQUE, v text CHECK (v <> '')); INSERT INTO plain VALUES (1, 'stock'); \
    CREATE VIEW seen AS SELECT * FROM plain;\n";
const UPDATE: &str =
    "CREATE TABLE later (a int); INSERT INTO later VALUES (1); INSERT INTO plain VALUES (2, 'stock');\n";

/// A server that finds the extension `stocked`, in versions 1.0 and 1.1, in a folder of ours.
fn server_with_extension() -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("extension");
    fs::create_dir(&files).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&files, fs::Permissions::from_mode(0o755)).unwrap();
    for (name, text) in [
        ("stocked.control", "default_version = '1.1'\nrelocatable = true\n"),
        ("stocked--1.0.sql", FIRST),
        ("stocked--1.0--1.1.sql", UPDATE),
    ] {
        fs::write(files.join(name), text).unwrap();
        fs::set_permissions(files.join(name), fs::Permissions::from_mode(0o644)).unwrap();
    }
    let server = Server::start_version(18);
    let path = folder.path().display();
    server.run("postgres", &format!("ALTER SYSTEM SET extension_control_path = '$system:{path}'"));
    server.run("postgres", "SELECT pg_reload_conf()");
    let is_found = "SELECT count(*) FROM pg_available_extensions WHERE name = 'stocked'";
    wait_for("the extension is found", || server.run("postgres", is_found) == "1");
    (server, folder)
}

#[test]
fn rows_and_additions_that_a_dump_leaves_out_are_found() {
    let (server, _folder) = server_with_extension();
    let target = server.database(
        "stocked",
        "CREATE EXTENSION stocked VERSION '1.0'; ALTER EXTENSION stocked UPDATE; CREATE EXTENSION hstore; \
         CREATE TABLE mine AS SELECT 1 AS a; CREATE INDEX ON mine (a)",
    );
    let lost_now = || lost(&mut Session::open(&target, &environment()).unwrap().psql).unwrap();
    assert_eq!(lost_now(), Lost::default());
    // What a dump has: rows that are marked, what only refers to the extension's tables, rights.
    server.run(
        "stocked",
        "INSERT INTO part VALUES (20, 'own'), (3, NULL); INSERT INTO whole_one (v) VALUES ('own'); CREATE ROLE reader; \
         GRANT SELECT ON plain, part TO reader; GRANT SELECT (v) ON whole_one TO reader; CREATE VIEW of_mine AS SELECT * FROM plain; \
         CREATE TABLE refers (a int REFERENCES part (id)); ANALYZE",
    );
    assert_eq!(lost_now(), Lost::default());
    let snapshot = Snapshot::take(&target);
    assert_eq!(snapshot.manifest.obstacles, []);
    server.run("stocked", "DROP EXTENSION stocked CASCADE");
    snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())).unwrap();
    assert_eq!(server.run("stocked", "SELECT count(*), count(v) FROM part"), "4|3");
    assert_eq!(lost_now(), Lost::default());
    server.run(
        "stocked",
        "UPDATE part SET v = 'changed' WHERE id = 1; INSERT INTO plain VALUES (7, 'own'), (8, 'own'); \
         CREATE INDEX own ON plain (v); COMMENT ON TABLE plain IS 'x'; ALTER TABLE whole_one ADD extra int; \
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
         CREATE TRIGGER own BEFORE INSERT ON part FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE part ADD CONSTRAINT own CHECK (id > 0); \
         CREATE POLICY own ON whole_one USING (true); CREATE RULE own AS ON DELETE TO later DO INSTEAD NOTHING; \
         CREATE STATISTICS own ON id, v FROM plain; CREATE OR REPLACE VIEW seen AS SELECT id, v || '' AS v FROM plain",
    );
    let Lost { rows, additions } = lost_now();
    assert_eq!(rows, ["public.part (1 rows)", "public.plain (2 rows)"]);
    assert_eq!(
        additions,
        [
            "public.later: rule own",
            "public.part: constraint own",
            "public.part: trigger own",
            "public.plain: a comment",
            "public.plain: index own",
            "public.plain: statistics own",
            "public.seen: rule _RETURN",
            "public.whole_one: column extra",
            "public.whole_one: policy own",
        ]
    );
    let said = not_whole_in_full(&Snapshot::take(&target).manifest.obstacles).unwrap();
    assert!(said.contains("not mark to be saved (`public.part (1 rows)`, `public.plain (2 rows)`)"), "{said}");
    assert!(said.contains("added to tables of extensions (`public.later: rule own`, "), "{said}");
    // What is promised by a dump is what is compared: the marked rows, not the others.
    server.run("stocked", "TRUNCATE plain; DROP TRIGGER own ON part; UPDATE part SET v = 'stock'");
    let change = |statement: &str| {
        server.run("stocked", statement);
        super::comparing::compared(&snapshot, &target)
    };
    let differs = |found: Result<Compared, PostgresError>| found.unwrap_err().to_string();
    assert!(differs(change("SELECT")).ends_with("public.part has 1 rows of 2"));
    change("UPDATE part SET v = 'own' WHERE id = 20; UPDATE part SET v = NULL WHERE id = 3").unwrap();
    assert!(differs(change("UPDATE whole_one SET v = 'x'")).contains("public.whole_one has 1 rows as it should"));
}

#[test]
fn an_extension_keeps_its_version_or_it_is_told() {
    let (server, folder) = server_with_extension();
    let target = server.database("kept", "CREATE SCHEMA s; CREATE EXTENSION stocked SCHEMA s VERSION '1.0'");
    let snapshot = Snapshot::take(&target);
    server.run("kept", "ALTER EXTENSION stocked UPDATE; ALTER EXTENSION stocked SET SCHEMA public");
    let back = || {
        let notes = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())).unwrap().notes;
        (
            server.run("kept", "SELECT extversion, extnamespace::regnamespace FROM pg_extension WHERE oid >= 16384"),
            notes,
        )
    };
    assert_eq!(back(), ("1.0|s".to_owned(), Vec::new()));
    let files = folder.path().join("extension");
    fs::remove_file(files.join("stocked--1.0--1.1.sql")).unwrap();
    fs::rename(files.join("stocked--1.0.sql"), files.join("stocked--1.1.sql")).unwrap();
    let told = "The extension `stocked` is in version 1.1 now: the server no longer has 1.0, which was saved.";
    assert_eq!(back(), ("1.1|s".to_owned(), vec![told.to_owned()]));
}

#[test]
fn what_was_added_to_an_extension_by_hand_is_missed() {
    let server = Server::shared();
    // All in one transaction: nothing shows beforehand.
    let target = server.database(
        "adopted",
        "CREATE EXTENSION hstore; CREATE TABLE t AS SELECT 1 AS a; CREATE SEQUENCE \"q s\"; CREATE TABLE own (a int); \
         ALTER EXTENSION hstore ADD TABLE t; ALTER EXTENSION hstore ADD SEQUENCE \"q s\"",
    );
    let snapshot = Snapshot::take(&target);
    let notes = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())).unwrap().notes;
    assert!(notes.len() == 1 && notes[0].ends_with("do not make them: public.\"q s\", public.t."), "{notes:?}");
    // What a dump has nothing of shows where it was there before.
    server.run("adopted", "CREATE TABLE u AS SELECT 1 AS a");
    server.run("adopted", "ALTER EXTENSION hstore ADD TABLE u");
    let said = not_whole_in_full(&Snapshot::take(&target).manifest.obstacles).unwrap();
    assert!(said.ends_with("left out are objects that were added to extensions by hand (`table public.u`)"), "{said}");
    server.run("adopted", "ALTER EXTENSION hstore DROP TABLE u");
    assert_eq!(Snapshot::take(&target).manifest.obstacles, []);
}

/// The locale of a database, in the words of each version.
const LOCALE: &str = "SELECT d.datlocprovider, d.datcollate, d.datctype, \
    coalesce(to_json(d)->>'datlocale', to_json(d)->>'daticulocale'), to_json(d)->>'daticurules' \
    FROM pg_database d WHERE datname = current_database()";

#[test]
fn the_locale_and_its_provider_are_those_that_were() {
    // The versions that were fetched have no ICU.
    const MADE: [(u32, &str, &str); 5] = [
        (15, "LOCALE 'C.UTF-8'", "c|C.UTF-8|C.UTF-8||"),
        (15, "LOCALE 'C'", "c|C|C||"),
        (15, "LOCALE_PROVIDER libc LOCALE 'C.UTF-8' LC_CTYPE 'C'", "c|C.UTF-8|C||"),
        (16, "LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' ICU_RULES '&a < g' LOCALE 'C'", "i|C|C|de-DE|&a < g"),
        (17, "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'", "b|C|C|C.UTF-8|"),
    ];
    for server in [Server::start(), Server::start_version(17), Server::start_version(18)] {
        let major: u32 =
            server.run("postgres", "SELECT current_setting('server_version_num')::int / 10000").parse().unwrap();
        let mut made = Vec::new();
        for (at, (since, options, expected)) in MADE.into_iter().enumerate() {
            if major >= since && (major < 17 || !options.contains("icu")) {
                let name = format!("made_{at}");
                server.run("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' {options}"));
                assert_eq!(server.run(&name, LOCALE), expected, "{major} {options}");
                made.push((name.clone(), expected, Snapshot::take(&server.target(&name))));
            }
        }
        let back = || {
            for (name, expected, snapshot) in &made {
                let target = server.target(name);
                let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()));
                assert_eq!(restored.unwrap().notes, Vec::<String>::new(), "{major} {expected}");
                assert_eq!(server.run(name, LOCALE), *expected, "{major}");
                server.run("postgres", &format!("DROP DATABASE {name}_replaced_20261121_143022"));
            }
        };
        back();
        // A cluster whose own provider is another.
        server.run(
            "postgres",
            if major < 17 {
                "UPDATE pg_database SET datlocprovider = 'i', daticulocale = 'en-US' WHERE datname = 'template0'"
            } else {
                "UPDATE pg_database SET datlocprovider = 'b', datlocale = 'C.UTF-8' WHERE datname = 'template0'"
            },
        );
        back();
    }
}

#[test]
fn another_version_of_the_collation_is_told() {
    let server = Server::shared();
    server.run(
        "postgres",
        "CREATE DATABASE sorted TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' LOCALE 'C.UTF-8'; ",
    );
    let target = server.target("sorted");
    let mut snapshot = Snapshot::take(&target);
    snapshot.manifest.state.as_mut().unwrap()["database"]["collation_version"] = "1.2".into();
    let notes = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())).unwrap().notes;
    assert!(notes.len() == 1 && notes[0].contains("did by 1.2"), "{notes:?}");
}
