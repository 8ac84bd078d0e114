//! Servers that the command starts itself.

use super::world::{World, fixture};
use crate::support::{OwnServer, Sandbox};

const OLDER: &str = "was there before the command was started";

/// Fewer tries to reach a server that may not be reached.
fn impatient(script: &str) -> String {
    script.replace("-gt 600", "-gt 40")
}

#[test]
fn a_server_with_data_of_the_commands_own_is_reached_and_one_with_older_data_is_not() {
    let (new, old) = (OwnServer::new(), OwnServer::with_data());
    let world = World::new();
    let made = new.during("make && say 'CREATE TABLE t (a int); INSERT INTO t VALUES (7)' && say 'SELECT a FROM t'");
    let outcome = world.guarded_unread(&format!("{}\n{made}", new.initialize("trust"))).expect_code(0);
    assert_eq!(outcome.stdout, "7\n", "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("refused"), "{}", outcome.stderr);

    let outcome = world.guarded_unread(&impatient(&old.during("say 'DELETE FROM t'; true"))).expect_code(120);
    let said = format!("{} {OLDER}", old.data().canonicalize().unwrap().display());
    assert!(outcome.stderr.contains(&said), "{}", outcome.stderr);
    assert_eq!(old.run(&old.during("say 'SELECT a FROM t'")), "1\n");
}

#[test]
fn older_data_in_a_new_folder_is_older_data() {
    let world = World::new();
    for change in
        ["mv DATA OLD && cp -al OLD DATA", "mv DATA OLD && cp -a OLD DATA && rm -r DATA/base && mv OLD/base DATA"]
    {
        let server = OwnServer::with_data();
        let data = server.data().display().to_string();
        let change = change.replace("DATA", &data).replace("OLD", &format!("{data}.old"));
        let script = format!("{change} || exit 91\n{}", server.during("say 'DELETE FROM t'; true"));
        let outcome = world.guarded_unread(&impatient(&script)).expect_code(120);
        assert!(outcome.stderr.contains(OLDER) && outcome.stderr.contains(&data), "{}", outcome.stderr);
        assert_eq!(server.run(&server.during("say 'SELECT a FROM t'")), "1\n");
    }
}

#[test]
fn a_named_server_whose_data_the_command_makes_is_not_saved() {
    let server = OwnServer::new();
    let sandbox = Sandbox::new();
    sandbox.write(".env", format!("APP_ENV=testing\nDATABASE_URL={}\n", server.url()));
    sandbox.suite(&format!("{}\n{}", server.initialize("trust"), server.during("make && say 'SELECT 7'")));
    let outcome = sandbox.guarded().expect_code(0);
    assert_eq!(outcome.stdout, "7\n", "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("at the first connection"), "{}", outcome.stderr);
    assert!(sandbox.stored().is_empty(), "{:?}", sandbox.stored());
}

#[test]
fn a_mock_is_reached_and_a_tunnel_is_not() {
    let world = World::new();
    let mock = world.sandbox.temporary().join("mock.log");
    let listen = |program: &str| {
        let mock = mock.display();
        format!(
            "rm -f '{mock}'; {program} '{mock}' 127.0.0.1 3307 </dev/null >/dev/null 2>&1 &\nserver=$!\n\
             until grep -qs ready '{mock}'; do sleep 0.01; done\nprobe tcp 127.0.0.1 3307\nkill $server\n"
        )
    };
    let script = fixture("listen.py").display().to_string();
    let outcome = world.guarded_unread(&listen(&format!("python3 '{script}'"))).expect_code(0);
    assert_eq!(outcome.stdout, "tcp connected\n", "{}", outcome.stderr);

    for (name, said) in [
        ("ssh", "holds this port, and what is behind it is not on this machine"),
        ("pgbouncer", "nobody sees what is behind it"),
    ] {
        // A program whose script has that name: it is read whose it is, not what it does.
        let tunnel = world.sandbox.temporary().join(name);
        std::fs::copy(&script, &tunnel).unwrap();
        let outcome = world.guarded_unread(&listen(&format!("python3 '{}'", tunnel.display()))).expect_code(120);
        assert_eq!(outcome.stdout, "tcp EACCES\n", "{}", outcome.stderr);
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    }
}

#[test]
fn a_mock_at_one_address_opens_no_other() {
    let world = World::new();
    let mock = world.sandbox.temporary().join("mock.log");
    let script = format!(
        "python3 '{0}' '{1}' ::1 3306 </dev/null >/dev/null 2>&1 &\nserver=$!\n\
         until grep -qs ready '{1}'; do sleep 0.01; done\nprobe tcp ::1 3306\nprobe tcp 127.0.0.1 3306\nkill $server\n",
        fixture("listen.py").display(),
        mock.display(),
    );
    let outcome = world.guarded_unread(&script).expect_code(120);
    assert_eq!(outcome.stdout, "tcp connected\ntcp EACCES\n", "{}", outcome.stderr);
    assert!(world.reached_inside().is_empty());
}

#[test]
fn a_server_of_another_engine_is_new_where_its_data_is() {
    let world = World::new();
    let data = world.sandbox.temporary().join("mariadb");
    let data = data.display();
    let install = format!(
        "mariadb-install-db --no-defaults --datadir='{data}' --user=$(id -un) --skip-test-db \
         --auth-root-authentication-method=normal >install.log 2>&1 || exit 90\n"
    );
    let serve = format!(
        "PATH=$PATH:/usr/sbin; rm -f server.pid\n\
         mariadbd --no-defaults --datadir='{data}' --user=$(id -un) --bind-address=127.0.0.1 --port=3307 \
         --socket=\"$PWD/server.sock\" --pid-file=\"$PWD/server.pid\" >server.log 2>&1 & server=$!\n\
         until [ -e server.pid ] || ! kill -0 $server; do sleep 0.05; done\nprobe tcp 127.0.0.1 3307\nkill $server; wait $server\n"
    );
    let outcome = world.guarded_unread(&format!("{install}{serve}")).expect_code(0);
    assert_eq!(outcome.stdout, "tcp connected\n", "{}{}", outcome.stderr, world.sandbox.read("server.log"));
    let outcome = world.guarded_unread(&serve).expect_code(120);
    assert_eq!(outcome.stdout, "tcp EACCES\n", "{}", outcome.stderr);
    assert!(outcome.stderr.contains("mariadb") && outcome.stderr.contains(OLDER), "{}", outcome.stderr);
}

#[test]
fn a_cache_with_files_from_before_is_told_of_and_a_new_one_is_not() {
    let world = World::new();
    let folder = world.sandbox.temporary().join("redis");
    let serve = format!(
        "mkdir -p '{0}'; rm -f server.pid\n\
         redis-server --port 6379 --bind 127.0.0.1 --dir '{0}' --appendonly yes --pidfile \"$PWD/server.pid\" --daemonize no \
         >server.log 2>&1 & server=$!\nuntil grep -qs Ready server.log || ! kill -0 $server; do sleep 0.05; done\n\
         probe tcp 127.0.0.1 6379\nkill $server; wait $server; rm server.log\n",
        folder.display()
    );
    let told = "connected to 127.0.0.1:6379: not saved";
    for is_old in [false, true] {
        let outcome = world.guarded_unread(&serve).expect_code(0);
        assert_eq!(outcome.stdout, "tcp connected\n", "{}", outcome.stderr);
        assert_eq!(outcome.stderr.contains(told), is_old, "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("nothing to lose"), "{}", outcome.stderr);
    }
}
