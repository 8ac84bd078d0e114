//! What lies within, or around: networks, privileges, another safe-test.

use std::os::unix::fs::PermissionsExt;

use super::world::{World, fixture};
use crate::support::{Outcome, Sandbox};

#[test]
fn another_networks_loopback_is_not_ours() {
    let world = World::new();
    let listen = fixture("listen.py");
    let script = format!(
        "unshare --map-root-user --net sh -c 'ip link set lo up; python3 {} other.log 127.0.0.1 5432 127.0.0.1 8080 & \
         until grep -qs ready other.log; do sleep 0.01; done; probe tcp 127.0.0.1 5432; probe tcp 127.0.0.1 8080; \
         until grep -q 8080 other.log; do sleep 0.01; done; kill $!; cat other.log'",
        listen.display()
    );
    let outcome = world.guarded(&script).expect_code(120);
    assert_eq!(outcome.stdout, "tcp EACCES\ntcp connected\nready\n127.0.0.1 8080\n", "{}", outcome.stderr);
}

/// As Podman's of a user without rights, where the command makes a container: what arrives at its port was decided about.
#[test]
fn what_publishes_a_containers_port_reaches_it_in_its_network_and_no_other() {
    let world = World::new();
    let listen = fixture("listen.py");
    let script = format!(
        "cp \"$(sed -n \"s/^exec '\\(.*\\)' .*/\\1/p\" \"$(command -v probe)\")\" rootlessport
        unshare --map-root-user --net sh -c 'ip link set lo up; ip address add 10.9.9.9/32 dev lo
         python3 {} other.log 127.0.0.1 5432 10.9.9.9 5432 & until grep -qs ready other.log; do sleep 0.01; done
         ./rootlessport tcp 127.0.0.1 5432; ./rootlessport tcp 10.9.9.9 5432; probe tcp 10.9.9.9 5432
         until grep -q 10.9.9.9 other.log; do sleep 0.01; done; kill $!; cat other.log'
        ./rootlessport tcp 10.0.0.1 5432",
        listen.display()
    );
    let outcome = world.guarded(&script).expect_code(120);
    let expected = "tcp connected\ntcp connected\ntcp EACCES\nready\n127.0.0.1 5432\n10.9.9.9 5432\ntcp EACCES\n";
    assert_eq!(outcome.stdout, expected, "{}", outcome.stderr);
    assert!(world.reached_outside().is_empty());
}

#[test]
fn within_another_safe_test_the_outer_one_watches() {
    let world = World::new();
    let script =
        format!("{} sh -c 'probe tcp 10.0.0.1 5432; probe tcp 127.0.0.1 5432'", env!("CARGO_BIN_EXE_safe-test"));
    let outcome = world.guarded(&script).expect_code(120);
    assert_eq!(outcome.stdout, "tcp EACCES\ntcp connected\n", "{}", outcome.stderr);
    let said = outcome.stderr.lines().any(|line| line.contains("the safe-test around this one (process "));
    assert!(said, "{}", outcome.stderr);
    assert!(world.reached_outside().is_empty());
}

#[test]
fn a_program_that_gains_privileges_runs_without_the_guard_and_that_is_said() {
    let sandbox = Sandbox::with_sqlite();
    // For root, every program of the system's is one of its own.
    let mut program = "su".to_owned();
    if rustix::process::geteuid().is_root() {
        program = "gains".to_owned();
        let path = sandbox.tool(&program, "#!/bin/sh\n");
        std::os::unix::fs::chown(&path, Some(12345), None).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o4755)).unwrap();
    }
    let run = |words: &[&str]| {
        let mut command = sandbox.program("unshare");
        command.args(["--user", "--map-user=1000", env!("CARGO_BIN_EXE_safe-test")]).args(words);
        Outcome::of(&mut command).expect_code(0).stderr
    };
    let said = run(&[&program, "--help"]);
    let expected = format!("`{program}` needs privileges that nothing under a filter gains (set-user-id)");
    assert!(said.contains(&expected), "{said}");
    let said = run(&["true"]);
    assert!(!said.contains("not watched"), "{said}");
}
