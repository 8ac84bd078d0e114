//! Every way that leads to a connection.

use super::world::World;

/// Those that name an address in a system call.
const WAYS: [&str; 12] = [
    "tcp",
    "mptcp",
    "nonblocking",
    "fastopen",
    "sendto",
    "sendmsg",
    "sendmmsg",
    "long",
    "thread",
    "leaderless",
    "vfork",
    "daemon",
];

/// The ways of 32-bit x86, which 64-bit programs have as well; they know IPv4 addresses as all others.
#[cfg(target_arch = "x86_64")]
const NARROW: [&str; 2] = ["narrow", "socketcall"];
#[cfg(not(target_arch = "x86_64"))]
const NARROW: [&str; 0] = [];

fn ways() -> impl Iterator<Item = &'static str> {
    WAYS.into_iter().chain(NARROW)
}

/// A script that tries each way to each address, and the lines that it prints where each comes to `expected`.
fn tries(addresses: &[&str], port: u16, expected: &str) -> (String, Vec<String>) {
    let (mut script, mut lines) = (String::new(), Vec::new());
    for address in addresses {
        for way in ways() {
            script += &format!("probe {way} {address} {port}\n");
            // The program that is started by vfork says its own way.
            lines.push(format!("{} {expected}", if way == "vfork" { "tcp" } else { way }));
        }
        script += &format!("static-probe tcp {address} {port}\n");
        lines.push(format!("tcp {expected}"));
    }
    (script, lines)
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn no_way_leads_to_a_database_that_nobody_judged() {
    let world = World::new();
    let (script, expected) = tries(&["10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1"], 5432, "EACCES");
    let outcome = world.guarded(&script).expect_code(120);
    assert_eq!(lines(&outcome.stdout), expected, "{}", outcome.stderr);
    assert!(world.reached_outside().is_empty(), "{:?}", world.reached_outside());
    assert!(outcome.stderr.contains("10.0.0.1:5432"), "{}", outcome.stderr);

    let (script, expected) = tries(&["10.0.0.1"], 5432, "connected");
    let outcome = world.bare(&script).expect_code(0);
    assert_eq!(lines(&outcome.stdout), expected, "without the guard");
    assert_eq!(world.reached_outside().len(), 1);
}

#[test]
fn no_way_leads_there_where_nobody_has_privileges() {
    let world = World::new();
    let (script, expected) = tries(&["10.0.0.1", "2001:db8::1"], 5432, "EACCES");
    let outcome = world.guarded_unprivileged(&script).expect_code(120);
    assert_eq!(lines(&outcome.stdout), expected, "{}", outcome.stderr);
    assert!(world.reached_outside().is_empty(), "{:?}", world.reached_outside());
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_32_bit_program_reaches_what_is_cleared_and_no_other_database() {
    let tries =
        |address: &str| ["connect", "socketcall"].map(|way| format!("narrow-probe {way} {address} 5432\n")).concat();
    let world = World::new();
    let outcome = world.guarded(&tries("10.0.0.1")).expect_code(120);
    // EACCES, by its number.
    assert_eq!(lines(&outcome.stdout), ["connect 013", "socketcall 013"], "{}", outcome.stderr);
    assert!(world.reached_outside().is_empty(), "{:?}", world.reached_outside());
    let connected = ["connect connected", "socketcall connected"];
    let outcome = world.guarded(&tries("127.0.0.1")).expect_code(0);
    assert_eq!(lines(&outcome.stdout), connected, "{}", outcome.stderr);
    let outcome = world.bare(&tries("10.0.0.1")).expect_code(0);
    assert_eq!(lines(&outcome.stdout), connected, "without the guard");
}

#[test]
fn every_way_leads_to_what_is_cleared() {
    let world = World::new();
    let (script, expected) = tries(&["127.0.0.1", "::1", "::ffff:127.0.0.1"], 5432, "connected");
    let outcome = world.guarded(&script).expect_code(0);
    assert_eq!(lines(&outcome.stdout), expected, "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("refused"), "{}", outcome.stderr);
    let outcome = world.guarded_unprivileged(&script).expect_code(0);
    assert_eq!(lines(&outcome.stdout), expected, "{}", outcome.stderr);
}

#[test]
fn what_is_no_database_passes_and_so_does_a_port_without_a_listener() {
    let world = World::new();
    let script = "probe tcp 10.0.0.1 8080\nprobe tcp 127.0.0.1 8080\nprobe tcp 127.0.0.1 5433\nprobe tcp ::1 3306\n\
        probe udp 10.0.0.1 5432\nprobe nofamily 127.0.0.1 5433\n";
    let outcome = world.guarded(script).expect_code(0);
    let expected = [
        "tcp connected",
        "tcp connected",
        "tcp ECONNREFUSED",
        "tcp ECONNREFUSED",
        "udp connected",
        "nofamily connected",
    ];
    assert_eq!(lines(&outcome.stdout), expected, "{}", outcome.stderr);
}

#[test]
fn another_database_of_this_machine_is_no_way_either() {
    let world = World::new();
    let outcome = world.guarded("probe tcp 127.0.0.1 3306; probe tcp 10.0.0.2 5432").expect_code(120);
    assert_eq!(lines(&outcome.stdout), ["tcp EACCES", "tcp EACCES"], "{}", outcome.stderr);
    assert!(world.reached_inside().is_empty(), "{:?}", world.reached_inside());
}

#[test]
fn ways_that_cannot_be_watched_are_closed() {
    let world = World::new();
    let mut script = "probe io_uring 10.0.0.1 5432\n".to_owned();
    let mut expected = vec!["io_uring ENOSYS"];
    if cfg!(target_arch = "x86_64") {
        script += "probe x32 10.0.0.1 5432\n";
        expected.push("x32 ENOSYS");
    }
    let outcome = world.guarded(&script).expect_code(0);
    assert_eq!(lines(&outcome.stdout), expected, "{}", outcome.stderr);
    assert!(world.reached_outside().is_empty());
}

#[test]
fn a_program_that_hides_its_memory_connects_to_what_is_surely_no_database() {
    let world = World::new();
    let socket = world.sandbox.temporary().join("plain.sock");
    let script = format!(
        "probe hidden 10.0.0.1 5432\nprobe hidden 2001:db8::1 5432\nprobe hidden 10.0.0.1 8080\nprobe hidden {} 0\n",
        socket.display()
    );
    let outcome = world.guarded_unprivileged(&script).expect_code(120);
    let expected = ["hidden EACCES", "hidden EACCES", "hidden EACCES", "hidden connected"];
    assert_eq!(lines(&outcome.stdout), expected, "{}", outcome.stderr);
    assert!(world.reached_outside().is_empty());
    assert!(outcome.stderr.contains("an address that cannot be seen"), "{}", outcome.stderr);
}

#[test]
fn a_unix_socket_is_meant_from_the_callers_folder() {
    let world = World::new();
    let outcome = world.guarded("probe tcp ../tmp/plain.sock 0").expect_code(0);
    assert_eq!(lines(&outcome.stdout), ["tcp connected"], "{}", outcome.stderr);
}
