//! Where a database can listen on this machine besides its usual places.

use super::world::{World, fixture};
use crate::support::Outcome;

/// Runs safe-test with a shell script in a world in which somebody else listens at these places, each given with its port,
/// after `prepare`. Returns how it went, and whom was connected to.
fn beside(world: &World, prepare: &str, places: &str, script: &str) -> (Outcome, Vec<String>) {
    let all = format!(
        "{prepare}\npython3 {listen} beside.log {places} & until grep -qs ready beside.log || ! kill -0 $!; do sleep 0.01; done\n\
         \"$1\" sh -c \"$2\"; status=$?; kill $!; exit $status",
        listen = fixture("listen.py").display()
    );
    let outcome = world.run(&[], &["sh", "-c", &all, "sh", env!("CARGO_BIN_EXE_safe-test"), script]);
    let reached = world.sandbox.read("beside.log").lines().skip(1).map(str::to_owned).collect();
    (outcome, reached)
}

#[test]
fn no_unusual_place_hides_a_database() {
    // What is done first; where it listens; how it is tried.
    let cases = [
        ("", "@shop/.s.PGSQL.5432 0", "probe tcp @shop/.s.PGSQL.5432 0"),
        ("", "@mysql.sock 0", "probe tcp @mysql.sock 0"),
        ("", "127.0.0.3%lo 5432", "probe tcp 127.0.0.3 5432"),
        ("ip address add fe80::77/64 dev inside nodad", "fe80::77%inside 5432", "probe tcp fe80::77%inside 5432"),
        (
            "mkdir own other",
            "other/.s.PGSQL.5432 0",
            "unshare --map-root-user --mount sh -c 'mount --bind other own && probe tcp ./own/.s.PGSQL.5432 0'",
        ),
    ];
    for (prepare, places, script) in cases {
        let world = World::new();
        let (outcome, reached) = beside(&world, prepare, places, script);
        let outcome = outcome.expect_code(120);
        assert_eq!(outcome.stdout, "tcp EACCES\n", "{places}{}", outcome.stderr);
        assert!(reached.is_empty(), "{reached:?}");
    }
}

#[test]
fn an_address_of_a_link_is_that_links() {
    // This machine has the address itself, on another link than the one that is dialled: there the other machine has it.
    let world = World::new();
    let script = "ip link add second type veth peer name third; ip link set second up; ip link set third up; ip address add fe80::99/64 dev second nodad\n\
        \"$1\" sh -c 'probe tcp fe80::99%inside 5432; probe tcp fe80::99%second 5432'";
    let outcome = world.run(&[], &["sh", "-c", script, "sh", env!("CARGO_BIN_EXE_safe-test")]).expect_code(120);
    assert_eq!(outcome.stdout, "tcp EACCES\ntcp ECONNREFUSED\n", "{}", outcome.stderr);
}

#[test]
fn what_is_no_database_passes_at_unusual_places_too() {
    let world = World::new();
    let places = "@tmp/.X11-unix/X0 0 127.0.0.3%lo 8080 ./own.sock 0";
    let script = "probe tcp @tmp/.X11-unix/X0 0; probe tcp @tmp/none 0; probe tcp 127.0.0.3 8080; \
        for i in 1 2 3; do probe tcp ./own.sock 0; done";
    let (outcome, reached) = beside(&world, "", places, script);
    let outcome = outcome.expect_code(0);
    let connected = "tcp connected\n";
    let expected = format!("{connected}tcp ECONNREFUSED\n{}", connected.repeat(4));
    assert_eq!(outcome.stdout, expected, "{}", outcome.stderr);
    assert_eq!(reached.len(), 5);
}

#[test]
fn a_search_engine_on_this_machine_is_reached_with_a_note_and_one_elsewhere_is_not() {
    let world = World::new();
    let (outcome, reached) = beside(&world, "", "127.0.0.1 9200", "probe tcp 127.0.0.1 9200; probe tcp 10.0.0.1 9200");
    let outcome = outcome.expect_code(120);
    assert_eq!(outcome.stdout, "tcp connected\ntcp EACCES\n", "{}", outcome.stderr);
    assert!(outcome.stderr.contains("connected to 127.0.0.1:9200: not saved"), "{}", outcome.stderr);
    assert_eq!(reached, ["127.0.0.1 9200"]);
}

#[test]
fn a_proxy_whose_words_lead_to_a_database_is_one() {
    let world = World::new();
    world.sandbox.write(
        "socat",
        "import socket\nlistener = socket.create_server(('127.0.0.1', 7777))\nopen('up', 'w').close()\n\
         while True:\n    listener.accept()[0].close()\n",
    );
    for (words, expected, code) in [
        ("TCP-LISTEN:7777,fork TCP:db.shop.net:5432", "tcp EACCES\n", 120),
        ("TCP-LISTEN:7777,fork TCP:web.shop.net:8080", "tcp connected\n", 0),
    ] {
        let all = format!(
            "rm -f up; python3 socat {words} & until [ -e up ]; do sleep 0.01; done\n\
             \"$1\" sh -c 'probe tcp 127.0.0.1 7777'; status=$?; kill $!; exit $status"
        );
        let outcome = world.run(&[], &["sh", "-c", &all, "sh", env!("CARGO_BIN_EXE_safe-test")]).expect_code(code);
        assert_eq!(outcome.stdout, expected, "{words}{}", outcome.stderr);
    }
}

#[test]
fn a_listener_that_was_refused_at_one_address_is_reached_at_the_one_that_is_allowed() {
    let world = World::with_policy("[guard]\nallow = [\"10.0.0.2:3307\"]\n");
    let (outcome, reached) = beside(
        &world,
        "",
        "0.0.0.0 3307",
        "probe tcp 127.0.0.9 3307; probe tcp 10.0.0.2 3307; probe tcp 127.0.0.9 3307",
    );
    let outcome = outcome.expect_code(120);
    assert_eq!(outcome.stdout, "tcp EACCES\ntcp connected\ntcp EACCES\n", "{}", outcome.stderr);
    assert_eq!(reached.len(), 1);
}

#[test]
fn an_address_that_is_sent_on_is_what_it_is_sent_on_to() {
    // Nobody listens at these ports of this machine: the kernel sends what comes there to the other machine.
    let send_on = |from: u32, to: u32| {
        format!(
            "iptables -w -t nat -A OUTPUT -d 10.0.0.2 -p tcp --dport {from} -j DNAT --to-destination 10.0.0.1:{to}\n"
        )
    };
    let script = format!(
        "PATH=$PATH:/usr/sbin\n{}{}\"$1\" sh -c 'probe tcp 10.0.0.2 5433; probe tcp 10.0.0.2 8081; probe tcp 10.0.0.2 3307'",
        send_on(5433, 5432),
        send_on(8081, 8080),
    );
    let words = ["sh", "-c", &script, "sh", env!("CARGO_BIN_EXE_safe-test")];
    for policy in ["", "[guard]\nallow = [\"10.0.0.2:5433\"]\n"] {
        let world = World::with_policy(policy);
        let outcome = world.run(&[], &words).expect_code(if policy.is_empty() { 120 } else { 0 });
        let first = if policy.is_empty() { "EACCES" } else { "connected" };
        let expected = format!("tcp {first}\ntcp connected\ntcp ECONNREFUSED\n");
        assert_eq!(outcome.stdout, expected, "{}", outcome.stderr);
        let refused = outcome.stderr.contains("refused: probe") || outcome.stderr.contains("to 10.0.0.2:5433: ");
        assert_eq!(refused, policy.is_empty(), "{}", outcome.stderr);
    }
}

#[test]
fn a_socket_in_a_file_system_that_never_answers_holds_no_other_connection() {
    let world = World::new();
    let dead = world.sandbox.temporary().join("dead");
    std::fs::create_dir(&dead).unwrap();
    let script = format!(
        "for n in 1 2 3; do python3 -c \"import socket; socket.socket(socket.AF_UNIX).connect('{}/s')\" & waits=\"$waits $!\"; done\n\
         sleep 0.5; probe tcp 127.0.0.1 5432; probe tcp 10.0.0.1 5432; kill -9 $waits; wait; true",
        dead.display()
    );
    let (fixture, dead) = (super::world::fixture("dead_mount.py"), dead.display().to_string());
    let mount = ["unshare", "--mount", "python3", fixture.to_str().unwrap(), dead.as_str()];
    let outcome = world.run(&mount, &[env!("CARGO_BIN_EXE_safe-test"), "sh", "-c", &script]).expect_code(120);
    assert_eq!(outcome.stdout, "tcp connected\ntcp EACCES\n", "{}", outcome.stderr);
}
