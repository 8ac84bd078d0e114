//! What the policy says of the guard, in a run.

use super::world::World;

/// Attempts to reach the other machine's database and web server, and this machine's web server.
const TRIES: &str = "probe tcp 10.0.0.1 5432; probe tcp 10.0.0.1 8080; probe tcp 127.0.0.1 8080";

#[test]
fn the_policy_says_what_a_command_reaches() {
    // A policy, what becomes of the attempts, and something that is said.
    let cases = [
        ("", ["EACCES", "connected", "connected"], "a database's port on another machine (PostgreSQL"),
        ("[guard]\nmode = \"databases\"\n", ["EACCES", "connected", "connected"], "refused: "),
        ("[guard]\nmode = \"strict\"\n", ["EACCES", "EACCES", "connected"], ".safe-test.toml is strict"),
        (
            "[guard]\nmode = \"strict\"\nallow = [\"10.0.0.1:8080\"]\n",
            ["EACCES", "connected", "connected"],
            "to 10.0.0.1:5432: ",
        ),
        ("[guard]\nallow = [\"10.0.0.1:5432\"]\n", ["connected", "connected", "connected"], "safe-test: "),
        ("[guard]\nallow = [\"10.0.0.1:5433\"]\n", ["EACCES", "connected", "connected"], "to 10.0.0.1:5432: "),
        ("[guard]\nports = [8080]\n", ["EACCES", "EACCES", "EACCES"], "to 127.0.0.1:8080: "),
        ("[guard]\nmode = \"off\"\n", ["connected", "connected", "connected"], "is not watched"),
    ];
    for (policy, expected, said) in cases {
        let outcome = World::with_policy(policy).guarded(TRIES);
        let refused = expected.contains(&"EACCES");
        let outcome = outcome.expect_code(if refused { 120 } else { 0 });
        let became: Vec<&str> = outcome.stdout.lines().filter_map(|line| line.strip_prefix("tcp ")).collect();
        assert_eq!(became, expected, "{policy}{}", outcome.stderr);
        assert!(outcome.stderr.contains(said), "{policy}{}", outcome.stderr);
    }
}

#[test]
fn what_loosens_the_guard_is_not_in_force_before_a_person_approves_it() {
    for policy in ["[guard]\nallow = [\"10.0.0.1:5432\"]\n", "[guard]\nmode = \"off\"\n"] {
        let mut world = World::with_policy("");
        // What the commit does not hold nobody has reviewed; without it, the databases of this world are not skipped.
        world.sandbox.write(".safe-test.toml", policy);
        world.sandbox.write(".env", "DATABASE_URL=sqlite::memory:\n");
        world.sandbox.set("APP_ENV", "testing");
        let outcome = world.guarded("probe tcp 10.0.0.1 5432").expect_code(120);
        assert_eq!(outcome.stdout, "tcp EACCES\n", "{}", outcome.stderr);
        assert!(world.reached_outside().is_empty());
    }
}

#[test]
fn a_run_without_a_name_reaches_only_the_web_and_this_machine() {
    let mut world = World::with_policy("");
    world.sandbox.write(".safe-test.toml", "");
    world.sandbox.write(".env", "");
    world.sandbox.write("package.json", "{\"dependencies\": {\"pg\": \"8\"}}");
    world.sandbox.set("APP_ENV", "testing");
    let outcome = world.guarded(&format!("{TRIES}; probe tcp 10.0.0.1 443; probe tcp 127.0.0.1 5432")).expect_code(120);
    let became: Vec<&str> = outcome.stdout.lines().filter_map(|line| line.strip_prefix("tcp ")).collect();
    // Nobody listens at the other machine's 443.
    assert_eq!(became, ["EACCES", "EACCES", "connected", "ECONNREFUSED", "EACCES"], "{}", outcome.stderr);
    assert!(world.reached_outside().is_empty());
}

#[test]
fn a_run_without_a_name_reaches_the_ssh_of_the_project_s_own_remotes() {
    let mut world = World::with_policy("");
    world.sandbox.write(".safe-test.toml", "");
    world.sandbox.write(".env", "");
    world.sandbox.write("package.json", "{\"dependencies\": {\"pg\": \"8\"}}");
    world.sandbox.set("APP_ENV", "testing");
    // Stands for the ssh that git starts: its name, its words, and what becomes of its connection.
    world.sandbox.tool(
        "dial",
        r#"#!/usr/bin/env python3
import os, sys
dial = """
import errno, socket
try:
    socket.create_connection(('10.0.0.1', 22))
except OSError as error:
    print('tcp', errno.errorcode[error.errno])
"""
home = {**os.environ, 'PYTHONHOME': sys.prefix}
os.execve(sys.executable, ['ssh', '-c', dial, 'git@10.0.0.1', *sys.argv[1:]], home)
"#,
    );
    let tries = "dial \"git-upload-pack 'shop.git'\"; dial uptime; probe tcp 10.0.0.1 22; probe tcp 10.0.0.1 5432";
    let config = world.sandbox.read(".git/config");
    // Nobody listens at the other machine's 22. A submodule's host comes with the clone, and counts for nothing.
    for (file, added, ssh) in [
        (".gitmodules", "[submodule \"x\"]\n\turl = git@10.0.0.1:shop.git\n", "EACCES"),
        (".git/config", &format!("{config}[remote \"o\"]\n\turl = git@10.0.0.1:shop.git\n"), "ECONNREFUSED"),
    ] {
        world.sandbox.write(file, added);
        let outcome = world.guarded(tries).expect_code(120);
        let became: Vec<&str> = outcome.stdout.lines().filter_map(|line| line.strip_prefix("tcp ")).collect();
        assert_eq!(became, [ssh, "EACCES", "EACCES", "EACCES"], "{file}: {}", outcome.stderr);
    }
}
