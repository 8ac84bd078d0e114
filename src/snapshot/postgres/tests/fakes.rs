//! A `pg_dump` that loses something and says that all is well: found out each time.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::own_tools::ToolEnvironment;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::postgres::installed::installed;
use crate::snapshot::postgres::take::{Limits, prepare, take};
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting};
use crate::snapshot::postgres::{PostgresError, Session};
use crate::snapshot::testing::write_program;

/// An environment whose `PATH` begins with a `pg_dump` that runs this shell code; `REAL` is the real one.
fn with_fake(folder: &Path, code: &str) -> ToolEnvironment {
    let real = &installed(&ToolEnvironment::default())[0];
    for name in ["psql", "pg_restore"] {
        symlink(real.program(name), folder.join(name)).unwrap();
    }
    let code = code.replace("REAL", real.program("pg_dump").to_str().unwrap());
    let version = format!("case $1 in --version) echo 'pg_dump (PostgreSQL) {}.0'; exit;; esac", real.major);
    write_program(&folder.join("pg_dump"), &format!("#!/bin/sh\n{version}\n{code}\n"));
    let path = format!("{}:/usr/bin:/bin", folder.display());
    ToolEnvironment::new(&[("PATH".into(), path.into())], Path::new("/nonexistent"), Path::new("/nonexistent"))
}

#[test]
fn a_dump_that_lacks_something_is_found_out() {
    let server = Server::shared();
    let target = server.database(
        "fooled",
        "CREATE EXTENSION hstore; CREATE SCHEMA other; CREATE TABLE other.t (a int); SELECT lo_create(0); CREATE SEQUENCE s; \
         CREATE TABLE rows AS SELECT generate_series(1, 20000) AS a; CREATE MATERIALIZED VIEW mv AS SELECT 1 AS a",
    );
    let cases = [
        ("exec REAL --schema=public \"$@\"", "other.t is missing"),
        ("exec REAL --no-blobs \"$@\"", "0 of 1 large objects"),
        ("exec REAL --schema-only \"$@\"", "rows"),
        ("exec REAL --exclude-table=mv \"$@\"", "public.mv is missing"),
        ("exec REAL --extension=plpgsql --schema=* \"$@\"", "0 of 1 extensions"),
        ("exec REAL --exclude-table-data=rows \"$@\"", "public.rows"),
        ("REAL \"$@\" | head -c 60000", "cannot be read back"),
        ("REAL \"$@\" | head -c 100", "cannot be read back"),
        ("exit 0", "cannot be read back"),
        ("REAL \"$@\" | head -c 60000; kill -TERM $$", "pg_dump was ended by signal 15"),
        (
            "REAL \"$@\"; echo 'pg_dump: error: out of luck' >&2; exit 1",
            "pg_dump exited with status 1: pg_dump: error: out of luck",
        ),
    ];
    for (code, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let error = Snapshot::take_with(&target, &with_fake(folder.path(), code)).map(drop).unwrap_err();
        assert!(error.to_string().contains(expected), "{code}: {error}");
    }
}

#[test]
fn a_dump_of_another_moment_is_found_out() {
    let server = Server::shared();
    let target = server.database("moving", "CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
    let folder = tempfile::tempdir().unwrap();
    // Without the exported snapshot, and after another row.
    let code = "for a in \"$@\"; do case $a in --snapshot=*) ;; *) set -- \"$@\" \"$a\";; esac; shift; done\n\
                psql -Xqc 'INSERT INTO t VALUES (2)' && exec REAL \"$@\"";
    let error = Snapshot::take_with(&target, &with_fake(folder.path(), code)).map(drop).unwrap_err();
    assert!(
        matches!(&error, PostgresError::Dump(DumpError::NotWhole { differences, .. }) if differences.contains("2 rows of 1")),
        "{error}"
    );
}

#[test]
fn the_tools_see_no_password() {
    let server = Server::shared();
    let target = server.database("watched", "CREATE TABLE t (a int)");
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let code = format!("{{ env; echo \"$@\"; cat /proc/$$/cmdline; }} > '{}'; exec REAL \"$@\"", seen.display());
    Snapshot::take_with(&target, &with_fake(folder.path(), &code)).unwrap();
    let seen = String::from_utf8_lossy(&fs::read(seen).unwrap()).into_owned();
    assert!(seen.contains("PGPASSFILE=") && seen.contains("--format=custom"), "{seen}");
    assert!(!seen.contains("p:w") && !seen.contains("PGPASSWORD"), "{seen}");
}

#[test]
fn what_is_planned_is_what_is_run() {
    let server = Server::shared();
    let target = server.database("planned_by_fakes", "CREATE TABLE t (a int)");
    let folder = tempfile::tempdir().unwrap();
    let (seen, output) = (folder.path().join("seen"), folder.path().join("dump"));
    let code = format!("{{ printf '%s\\n' \"$0\" \"$@\"; env; }} >'{}'; exec REAL \"$@\"", seen.display());
    let mut session = Session::open(&target, &with_fake(folder.path(), &code)).unwrap();
    let prepared = prepare(&mut session, &output, Limits::default()).unwrap();
    assert!(!output.exists() && !seen.exists(), "a plan writes nothing");
    let planned = prepared.command.clone();
    take(&mut session, &prepared.command, prepared.proof, None, &Waiting::default()).unwrap();
    assert!(planned.output == output && output.exists());
    let shell_s_own = ["PWD=", "OLDPWD=", "SHLVL=", "_="];
    let seen = fs::read_to_string(seen).unwrap();
    let mut seen: Vec<&str> =
        seen.lines().filter(|line| !shell_s_own.iter().any(|own| line.starts_with(own))).collect();
    let mut expected = vec![planned.program.display().to_string()];
    expected.extend(planned.arguments.iter().map(|word| word.display().to_string()));
    let words = expected.len();
    expected.extend(planned.environment.iter().map(|(name, value)| format!("{}={}", name.display(), value.display())));
    // The order of an environment says nothing.
    seen[words..].sort_unstable();
    expected[words..].sort_unstable();
    assert_eq!(seen, expected);
    assert!(!format!("{planned:?}").contains("p:w"), "no secret is in a plan");
}
