//! A MariaDB server that the suite starts itself: what it holds from before is saved at the first connection.

use std::net::TcpListener;
use std::process::Command;

use crate::support::{Outcome, Sandbox};

/// Words of a shell that start the server on a folder of data, do something once it answers, and stop it.
fn during(folder: &str, port: u16, script: &str) -> String {
    format!(
        "PATH=$PATH:/usr/sbin; export PATH\n\
         TMPDIR='{folder}' mariadbd --no-defaults --user=$(id -un) --datadir='{folder}/data' --socket='{folder}/socket' --pid-file='{folder}/pid' \
         --port={port} --bind-address=127.0.0.1 --innodb-use-native-aio=0 >'{folder}/log' 2>&1 &\nserver=$!\n\
         say() {{ mariadb --no-defaults -N -h 127.0.0.1 -P {port} -u tester shop_test -e \"$1\"; }}\n\
         tries=0\nuntil [ -S '{folder}/socket' ] || [ $tries -gt 600 ]; do tries=$((tries + 1)); sleep 0.05; done\n\
         ( {script} )\nstatus=$?\nkill $server\nwait $server\n( exit $status )"
    )
}

#[test]
fn what_a_server_holds_from_before_is_saved_at_its_first_connection() {
    let place = tempfile::Builder::new().prefix("safe-test-own-").tempdir().unwrap();
    let folder = place.path().to_str().unwrap();
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let run = |words: &str| {
        let outcome = Outcome::of(Command::new("/bin/sh").args(["-c", words]));
        assert_eq!(outcome.code(), Some(0), "{words}\n{}\n{}", outcome.stdout, outcome.stderr);
        outcome.stdout
    };
    run(&format!(
        "TMPDIR='{folder}' mariadb-install-db --no-defaults --datadir='{folder}/data' --user=$(id -un) --skip-test-db \
         --auth-root-authentication-method=normal >/dev/null 2>&1"
    ));
    let setup = format!(
        "mariadb --no-defaults -S '{folder}/socket' -u root -e \"CREATE DATABASE shop_test; CREATE TABLE shop_test.t (a INT); \
         INSERT INTO shop_test.t VALUES (1); CREATE USER tester@'%'; GRANT ALL ON *.* TO tester@'%'\""
    );
    run(&during(folder, port, &setup));

    let sandbox = Sandbox::new();
    sandbox.write(".env", format!("APP_ENV=testing\nDATABASE_URL=mysql://tester@127.0.0.1:{port}/shop_test\n"));
    sandbox.suite(&during(
        folder,
        port,
        "say 'DELETE FROM t' && say 'INSERT INTO t VALUES (2)' && say 'SELECT a FROM t'",
    ));
    let outcome = sandbox.guarded().expect_code(0);
    assert_eq!(outcome.stdout, "2\n", "{}", outcome.stderr);
    let said = &outcome.stderr;
    let is_saved = said.matches("safe-test: at the first connection: ").count() == 1;
    assert!(said.contains("not up yet: saved at its first connection") && is_saved, "{said}");
    let restore = format!(
        "cd '{}' && XDG_STATE_HOME='{}' '{}' restore latest >&2 && say 'SELECT a FROM t'",
        sandbox.project().display(),
        sandbox.state().display(),
        env!("CARGO_BIN_EXE_safe-test")
    );
    assert_eq!(run(&during(folder, port, &restore)), "1\n");
}
