//! Networks within the network.

use super::world::{World, fixture};

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
