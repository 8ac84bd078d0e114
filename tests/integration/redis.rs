//! Redis from the outside: the built program against a real server.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Outcome, Redis, Sandbox, awaited, output};

/// A project that keeps nothing but what is in Redis, and a server with something in two databases.
fn project() -> (Sandbox, Redis) {
    let server = Redis::start();
    server.cli(&["SET", "order:1", "it's one"]);
    server.cli(&["RPUSH", "queue", "a", "b", "c"]);
    let sandbox = Sandbox::new();
    sandbox.write(".env", format!("APP_ENV=testing\nREDIS_URL={}\n", server.url(0)));
    sandbox.suite("");
    (sandbox, server)
}

/// All that a server holds, as it lists it.
fn content(server: &Redis) -> Vec<String> {
    let lua = "local out = {} for db = 0, 15 do redis.call('SELECT', db) for _, key in ipairs(redis.call('KEYS', '*')) do \
               local value = redis.call('DUMP', key) \
               table.insert(out, db .. ' ' .. key .. ' ' .. redis.sha1hex(value)) end end table.sort(out) return out";
    let listed = server.cli(&["EVAL", lua, "0"]);
    listed.lines().map(str::to_owned).collect()
}

#[test]
fn what_a_command_did_is_undone_and_that_can_be_undone() {
    let (sandbox, server) = project();
    let saved = content(&server);
    assert_eq!(saved.len(), 2, "{saved:?}");
    sandbox.suite(&[server.words("FLUSHALL"), server.words("-n 4 SET new 1")].join("\n"));
    let outcome = sandbox.guarded().expect_code(0);
    let id = sandbox.ids().remove(0);
    assert!(id.starts_with("redis_"), "{id}");
    let line = format!("safe-test: to undo: safe-test restore {id}\n");
    assert!(outcome.stderr.contains(&line) && outcome.stderr.contains("verified"), "{}", outcome.stderr);
    let wrecked = content(&server);
    assert_eq!(wrecked.len(), 1, "{wrecked:?}");
    // Nobody is there to be asked.
    let told = sandbox.run(&["restore", "latest"]).expect_code(0);
    assert_eq!(content(&server), saved);
    assert!(format!("{}{}", told.stdout, told.stderr).contains("whole server"), "{} {}", told.stdout, told.stderr);
    sandbox.run(&["verify", "--all", "--level", "restore"]).expect_code(0);
    // What was there is in a safety snapshot, which says that another database comes back with the one that is named.
    let manifests = sandbox.manifests();
    let other = manifests.iter().find(|one| one["id"] != id.as_str()).unwrap();
    let safety = other["id"].as_str().unwrap().to_owned();
    assert!(told.stdout.contains(&format!("to undo: safe-test restore {safety}")), "{}", told.stdout);
    assert!(other["obstacles"][0]["what"].as_str().unwrap().ends_with("also 4"), "{other}");
    sandbox.run(&["restore", &safety]).expect_code(0);
    assert_eq!(content(&server), wrecked);
    sandbox.run(&["restore", &id]).expect_code(0);
    assert_eq!(content(&server), saved);
    sandbox.run(&["log", "verify"]).expect_code(0);
    let manifest = sandbox.manifests().into_iter().find(|one| one["id"] == id.as_str()).unwrap();
    assert_eq!((&manifest["engine"], &manifest["tables"][0]["rows"]), (&Value::from("redis"), &Value::from(2)));
    let list = sandbox.run(&["list"]).expect_code(0).stdout;
    assert!(list.contains(&id), "{list}");
}

#[test]
fn a_server_to_which_nothing_was_written_is_not_saved_again() {
    let (sandbox, server) = project();
    sandbox.guarded().expect_code(0);
    let id = sandbox.ids().remove(0);
    let again = sandbox.guarded().expect_code(0);
    assert!(again.stderr.contains(&format!("unchanged since {id}")), "{}", again.stderr);
    server.cli(&["SET", "order:2", "two"]);
    let changed = sandbox.guarded().expect_code(0);
    assert!(changed.stderr.contains("saved ("), "{}", changed.stderr);
    assert_eq!(sandbox.ids().len(), 2);
}

#[test]
fn two_databases_of_a_server_are_saved_once() {
    let (sandbox, server) = project();
    sandbox.write(".env", format!("APP_ENV=testing\nREDIS_URL={}\nCACHE_URL={}\n", server.url(0), server.url(1)));
    let outcome = sandbox.guarded().expect_code(0);
    assert!(outcome.stderr.contains("the same as on"), "{}", outcome.stderr);
    assert_eq!(sandbox.ids().len(), 1);
}

/// Whether a project's cache is saved, and what is said of it.
#[test]
fn beside_a_database_a_cache_is_saved_only_where_the_policy_says_so() {
    let (sandbox, server) = project();
    let sqlite = sandbox.project().join("app_test.db");
    let made = output(std::process::Command::new("sqlite3").arg(&sqlite).arg("CREATE TABLE t (a)"));
    assert!(made.status.success());
    sandbox.write(".env", format!("APP_ENV=testing\nREDIS_URL={}\nDATABASE_URL=sqlite:app_test.db\n", server.url(0)));
    let engines = |sandbox: &Sandbox| {
        let mut engines: Vec<String> =
            sandbox.manifests().iter().map(|one| one["engine"].as_str().unwrap().to_owned()).collect();
        engines.sort();
        engines
    };
    let told = sandbox.guarded().expect_code(0).stderr;
    assert!(told.contains("not saved: redis holds no data of record"), "{told}");
    assert_eq!(engines(&sandbox), ["sqlite"]);
    let entries = sandbox.read("backups/audit.log");
    assert!(entries.contains("not saved: redis holds no data of record"), "{entries}");
    // It tightens: nobody has to approve it.
    sandbox.write(".safe-test.toml", "[snapshots]\nredis = true\n");
    let told = sandbox.guarded().expect_code(0).stderr;
    assert!(!told.contains("not saved") && !told.contains("trust"), "{told}");
    assert_eq!(engines(&sandbox), ["redis", "sqlite"]);
    let last = sandbox.read("backups/audit.log").lines().last().unwrap().to_owned();
    assert!(!last.contains("not saved"), "{last}");
    sandbox.write(".safe-test.toml", "[snapshots]\nredis = \"yes\"\n");
    let outcome = sandbox.guarded().expect_code(125);
    assert!(outcome.stderr.contains("`snapshots.redis` takes true or false"), "{}", outcome.stderr);
}

#[test]
fn doctor_and_a_dry_run_name_the_tool_and_what_is_missing() {
    let (sandbox, server) = project();
    let doctor = sandbox.run(&["doctor"]).stdout;
    assert!(doctor.contains("reachable; server redis 7") && doctor.contains("redis-cli ("), "{doctor}");
    let outcome = sandbox.run(&["--dry-run", "--format", "json", "./suite"]).expect_code(0);
    assert!(!sandbox.has_run(), "{}", outcome.stderr);
    for part in ["--rdb", "redis-cli", &server.port.to_string()] {
        assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
    }
    // Without the client nothing is run.
    let mut bare = Sandbox::new();
    bare.write(".env", format!("APP_ENV=testing\nREDIS_URL={}\n", server.url(0)));
    bare.suite("");
    let bin = bare.temporary().join("bin");
    fs::create_dir_all(&bin).unwrap();
    for name in ["sh", "cat", "env"] {
        std::os::unix::fs::symlink(format!("/bin/{name}"), bin.join(name)).unwrap();
    }
    bare.set("PATH", &bin);
    bare.expect_not_run(&bare.guarded(), 121, &["neither redis-cli nor valkey-cli found", "hint: install"]);
}

#[test]
fn a_wrong_password_refuses_the_run_and_shows_nowhere() {
    let (sandbox, server) = project();
    server.cli(&["CONFIG", "SET", "requirepass", "hunter2-right"]);
    let with = |password: &str| {
        let url = format!("redis://:{password}@127.0.0.1:{}/0", server.port);
        sandbox.write(".env", format!("APP_ENV=testing\nREDIS_URL={url}\n"));
    };
    with("hunter2-wrong");
    let outcome = sandbox.guarded();
    sandbox.expect_not_run(&outcome, 121, &["WRONGPASS", "hint: give a password"]);
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    with("hunter2-right");
    sandbox.guarded().expect_code(0);
    let written = format!("{}{:?}", sandbox.read("backups/audit.log"), sandbox.manifests());
    assert!(!written.contains("hunter2"), "{written}");
}

#[test]
fn what_the_manifest_says_to_do_by_hand_brings_the_keys_back() {
    let (sandbox, server) = project();
    let saved = content(&server);
    sandbox.run(&["snapshot"]).expect_code(0);
    server.cli(&["FLUSHALL"]);
    let manifest = sandbox.manifests().remove(0);
    let commands: Vec<&str> = manifest["by_hand"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    // A person reads what the server says, and looks again; a free port is taken in place of the one that is named.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let waiting = |line: &str| match line.contains("INFO replication") {
        true => format!(
            "until {line} | grep -q master_link_status:up; do sleep 0.1; done",
            line = line.split("   #").next().unwrap()
        ),
        false => line.replace("export REDISCLI_AUTH=PASSWORD", "true").replace("> /dev/null", ""),
    };
    let lines: Vec<String> = commands.iter().map(|line| waiting(line).replace("6399", &port)).collect();
    let mut shell = std::process::Command::new("/bin/sh");
    let script = lines.join("\n");
    let shell =
        shell.args(["-ec", &script]).current_dir(sandbox.backups()).stdout(Stdio::null()).stderr(Stdio::piped());
    let done = output(shell);
    assert!(done.status.success(), "{script}\n{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(content(&server), saved);
    assert!(server.cli(&["ROLE"]).starts_with("master"));
}

/// How many are killed.
fn kills() -> u64 {
    if std::env::var_os("SAFE_TEST_LONG").is_some() { 50 } else { 6 }
}

/// Starts safe-test and kills it after a while.
fn killed(sandbox: &Sandbox, arguments: &[&str], after: Duration) {
    let mut command = sandbox.command();
    let mut child = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(after);
    let _ = child.kill();
    awaited("safe-test", &mut child);
}

#[test]
fn a_run_that_is_killed_leaves_a_snapshot_or_none_and_the_server_alone() {
    let (sandbox, server) = project();
    for step in 0..kills() {
        server.cli(&["SET", "step", &step.to_string()]);
        let saved = content(&server);
        killed(&sandbox, &["true"], Duration::from_millis(step * 37 % 400));
        assert_eq!(content(&server), saved, "{step}");
        assert!(server.cli(&["ROLE"]).starts_with("master"));
    }
    sandbox.run(&["true"]).expect_code(0);
    sandbox.run(&["verify", "--all"]).expect_code(0);
}

#[test]
fn a_restore_that_is_killed_can_be_done_again_and_leaves_nothing() {
    let (sandbox, server) = project();
    let saved = content(&server);
    sandbox.run(&["snapshot"]).expect_code(0);
    let id = sandbox.ids().remove(0);
    for step in 0..kills() {
        server.cli(&["FLUSHALL"]);
        server.cli(&["SET", "later", "1"]);
        killed(&sandbox, &["restore", &id], Duration::from_millis(60 + step * 113 % 900));
        sandbox.run(&["restore", &id]).expect_code(0);
        assert_eq!(content(&server), saved, "{step}");
        assert_eq!(server.cli(&["CONFIG", "GET", "masterauth"]), "masterauth", "{step}");
    }
    sandbox.run(&["true"]).expect_code(0);
    // The temporary servers are gone with those who started them.
    let servers = sandbox.state().join("safe-test/servers");
    crate::support::wait_for("nothing is left", || fs::read_dir(&servers).map_or(0, Iterator::count) == 0);
}

#[test]
fn runs_at_once_each_have_a_snapshot() {
    let (sandbox, server) = project();
    thread::scope(|scope| {
        let run = || sandbox.run(&["true"]).expect_code(0);
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        let outcomes: Vec<Outcome> = runs.into_iter().map(|run| run.join().unwrap()).collect();
        let has_one =
            |outcome: &Outcome| outcome.stderr.contains("verified") || outcome.stderr.contains("unchanged since");
        assert!(outcomes.iter().all(has_one));
    });
    sandbox.run(&["verify", "--all"]).expect_code(0);
    sandbox.run(&["log", "verify"]).expect_code(0);
    drop(server);
}

/// A folder of the project on a disk of its own, so small that it is full at ten points.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_a_run_and_a_restore() {
    let (sandbox, server) = project();
    let chance = "for at = 1, 3000 do local text = '' for part = 1, 25 do text = text .. redis.sha1hex(at .. ' ' .. part) end \
                  redis.call('SET', 'large:' .. at, text) end";
    server.cli(&["EVAL", chance, "0"]);
    sandbox.run(&["snapshot"]).expect_code(0);
    let id = sandbox.ids().remove(0);
    let on_a_disk = |folder: &str, kilobytes: u32, arguments: &str| {
        let script = format!(
            "mount -t tmpfs -o size={kilobytes}k,mode=700 tmpfs '{folder}' || exit 99; exec \"$0\" {arguments}"
        );
        let mut command = sandbox.program("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script, env!("CARGO_BIN_EXE_safe-test")]);
        Outcome::of(&mut command)
    };
    let saved = content(&server);
    server.cli(&["SET", "order:1", "two"]);
    let changed = content(&server);
    let servers = sandbox.state().join("safe-test/servers");
    fs::create_dir_all(&servers).unwrap();
    for part in 1..=10 {
        let outcome = on_a_disk(servers.to_str().unwrap(), part * 200, &format!("restore {id}")).expect_code(125);
        assert!(outcome.stderr.contains("No space left on device"), "{part}: {}", outcome.stderr);
        assert_eq!(content(&server), changed, "{part}");
    }
    sandbox.run(&["restore", &id]).expect_code(0);
    assert_eq!(content(&server), saved);
    for part in 1..=10 {
        let outcome = on_a_disk("backups", part * 100, "./suite");
        sandbox.expect_not_run(&outcome, 121, &["No space left on device", "hint: free "]);
    }
}

/// A server that is not up yet is saved at its first connection, which waits for it.
#[cfg(target_os = "linux")]
#[test]
fn a_server_that_the_command_starts_from_older_data_is_saved_at_its_first_connection() {
    let (sandbox, server) = project();
    server.cli(&["SAVE"]);
    let older = sandbox.temporary().join("older");
    fs::create_dir_all(&older).unwrap();
    fs::copy(server.file("dump.rdb"), older.join("dump.rdb")).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    sandbox.write(".env", format!("APP_ENV=testing\nREDIS_URL=redis://127.0.0.1:{port}/0\n"));
    sandbox.suite(&format!(
        "redis-server --port {port} --bind 127.0.0.1 --dir '{}' --save '' --repl-diskless-sync-delay 0 >/dev/null & own=$!
         sleep 1; redis-cli -p {port} FLUSHALL >/dev/null; status=$?; kill $own; wait $own; [ $status = 0 ] || exit 9",
        older.display()
    ));
    let outcome = sandbox.guarded().expect_code(0);
    assert!(outcome.stderr.contains("not up yet"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("at the first connection"), "{}", outcome.stderr);
    let manifest = sandbox.manifests().remove(0);
    assert_eq!(manifest["tables"][0]["rows"], 2);
}
