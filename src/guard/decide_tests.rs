//! What becomes of attempts, as tables: the run, the attempt, what there is to find out, and the decision.

use std::path::PathBuf;

use crate::guard::decide::Decision;
use crate::guard::facts::{Aim, Traffic};
use crate::guard::listeners::Listening;
use crate::guard::owners::Owner;
use crate::guard::refusal::Note;
use crate::guard::rules::Point;
use crate::guard::testing::{Scene, at, host, owner, refused, saved_here, socket, unseen};
use crate::reach::{Engine, Place};

#[test]
fn what_a_receipt_names_is_cleared_by_its_listener() {
    let scene = saved_here();
    // The first that is dialled is known by itself, the other one by its owner; and so is any address that leads there.
    assert_eq!(scene.here("[::1]:5432", 11, &owner(0, "never looked at")), Decision::Cleared(0));
    assert_eq!(scene.here("127.0.0.1:5432", 10, &owner(7, "postgres")), Decision::Cleared(0));
    assert_eq!(scene.here("10.1.2.3:5432", 10, &owner(7, "postgres")), Decision::Cleared(0));
    // The same where nobody may look at the server's process.
    let server = unseen(113, "postgres");
    let scene = Scene::empty()
        .saved(Engine::Postgres, host("localhost", 5432))
        .listens("[::1]:5432", 11, server.clone())
        .listens("127.0.0.1:5432", 10, server.clone());
    assert_eq!(scene.here("127.0.0.1:5432", 10, &server), Decision::Cleared(0));
    // Another cluster of the same account is another server.
    assert!(refused(scene.here("127.0.0.1:5433", 12, &server)).contains("postgres server"));
}

#[test]
fn a_container_that_was_not_up_is_saved_first_unless_all_in_it_is_new() {
    let scene =
        Scene::empty().awaited(Engine::Postgres, host("localhost", 5432)).named(Engine::Mysql, host("shop", 3306));
    let proxy = docker_proxy(9, "0.0.0.0", "5432");
    for owner in [proxy, unseen(0, "root"), owner(9, "conmon")] {
        assert_eq!(scene.here("127.0.0.1:5432", 99, &owner), Decision::SaveFirst(vec![0]), "{owner:?}");
        let told = Scene { container_port: Some(5432), ..scene.clone().new_server() };
        assert_eq!(told.here("127.0.0.1:5432", 99, &owner), Decision::Cleared(0), "{owner:?}");
        refused(scene.here("127.0.0.1:3306", 98, &owner));
    }
    // The same at an address that is sent on to it, or is its own.
    assert_eq!(scene.container("127.0.0.1:5432"), Decision::SaveFirst(vec![0]));
    assert_eq!(scene.clone().new_server().container("127.0.0.1:5432"), Decision::Cleared(0));
    refused(scene.container("127.0.0.1:3306"));
}

#[test]
fn two_servers_under_one_name_are_two() {
    let scene = Scene::empty()
        .saved(Engine::Postgres, host("localhost", 5432))
        .listens("[::1]:5432", 11, owner(7, "postgres"))
        .listens("127.0.0.1:5432", 10, owner(8, "postgres"));
    assert_eq!(scene.here("[::1]:5432", 11, &owner(7, "postgres")), Decision::Cleared(0));
    assert!(
        refused(scene.here("127.0.0.1:5432", 10, &owner(8, "postgres")))
            .contains("another server (postgres) listens there")
    );
}

fn docker_proxy(process: i32, host: &str, inside: &str) -> Owner {
    let words =
        ["docker-proxy", "-proto", "tcp", "-host-ip", host, "-container-ip", "172.17.0.2", "-container-port", inside];
    Owner { words: words.map(str::to_owned).to_vec(), ..owner(process, "docker-proxy") }
}

#[test]
fn a_container_shows_by_the_port_inside_it_what_it_is() {
    let scene = saved_here();
    assert_eq!(scene.here("127.0.0.1:5434", 99, &docker_proxy(9, "0.0.0.0", "8080")), Decision::Pass);
    refused(scene.here("127.0.0.1:35123", 99, &docker_proxy(9, "0.0.0.0", "5432")));
    assert_eq!(scene.here("127.0.0.1:35123", 99, &docker_proxy(9, "::", "6379")), Decision::PassNoted(Note::NotSaved));
    // Where the proxy may not be seen the engine is asked.
    for hidden in [unseen(0, "root"), owner(9, "conmon")] {
        assert_eq!(scene.here("127.0.0.1:35123", 99, &hidden), Decision::Pass);
        let told = Scene { container_port: Some(3306), ..scene.clone() };
        refused(told.here("127.0.0.1:35123", 99, &hidden));
        assert_eq!(told.new_server().here("127.0.0.1:35123", 99, &hidden), Decision::PassNoted(Note::New));
    }
}

#[test]
fn what_runs_in_a_container_shows_what_a_port_is_that_others_have_too() {
    let scene = saved_here();
    let proxy = docker_proxy(9, "0.0.0.0", "4000");
    for (serves, is_refused) in [(Some(false), false), (Some(true), true), (None, true)] {
        let scene = Scene { container_serves: serves, ..scene.clone() };
        for decision in [scene.here("127.0.0.1:4000", 99, &proxy), scene.container("172.17.0.3:1025")] {
            assert_eq!(matches!(decision, Decision::Refuse(_)), is_refused, "{serves:?} {decision:?}");
        }
        // Nothing takes a database's own port from it.
        refused(scene.container("172.17.0.3:5432"));
        // Where no engine says what is published, as for Podman without its service.
        let unknown = scene.here("127.0.0.1:35123", 99, &owner(9, "conmon"));
        assert_eq!(matches!(unknown, Decision::Refuse(_)), serves == Some(true), "{serves:?} {unknown:?}");
    }
}

#[test]
fn a_port_of_docker_on_both_families_is_one_server() {
    let proxy = |process, host| docker_proxy(process, host, "5432");
    let scene = Scene::empty()
        .saved(Engine::Postgres, host("localhost", 5432))
        .listens("[::1]:5432", 11, proxy(7, "::"))
        .listens("127.0.0.1:5432", 10, proxy(8, "0.0.0.0"));
    assert_eq!(scene.here("127.0.0.1:5432", 10, &proxy(8, "0.0.0.0")), Decision::Cleared(0));
}

#[test]
fn of_a_program_that_leads_to_several_servers_only_the_port_that_was_saved_is_cleared() {
    for program in ["rootlesskit", "com.docker.backend", "conmon", "haproxy", "pgbouncer"] {
        let carrier = owner(7, program);
        let scene = Scene::empty()
            .saved(Engine::Postgres, host("127.0.0.1", 5440))
            .listens("127.0.0.1:5440", 10, carrier.clone())
            .listens("127.0.0.1:5441", 11, carrier.clone());
        let scene = Scene { container_port: Some(5432), ..scene };
        assert_eq!(scene.here("127.0.0.1:5440", 10, &carrier), Decision::Cleared(0), "{program}");
        assert_eq!(scene.here("[::1]:5440", 12, &carrier), Decision::Cleared(0), "{program}");
        refused(scene.here("127.0.0.1:5432", 11, &carrier));
    }
    // What serves itself is one server at each of its ports.
    let server = owner(7, "postgres");
    let scene =
        Scene::empty().saved(Engine::Postgres, host("127.0.0.1", 5440)).listens("127.0.0.1:5440", 10, server.clone());
    assert_eq!(scene.here("127.0.0.1:5432", 11, &server), Decision::Cleared(0));
}

#[test]
fn a_servers_socket_and_its_port_are_one() {
    let scene = saved_here();
    assert_eq!(scene.socket("/run/postgresql/.s.PGSQL.5432", &owner(7, "postgres")), Decision::Cleared(0));
    let other = scene.socket("/run/postgresql/.s.PGSQL.5433", &owner(9, "postgres"));
    assert!(refused(other).contains("a postgres server (postgres) on this machine"));

    // Named by its socket, in another spelling, as a folder or as a file.
    for place in [socket("/var/run/postgresql", 5432), socket("/run/postgresql/.s.PGSQL.5432", 5432)] {
        let scene = Scene::empty().saved(Engine::Postgres, place);
        assert_eq!(scene.socket("/run/postgresql/.s.PGSQL.5432", &Owner::default()), Decision::Cleared(0));
        let mut rules = scene.rules();
        rules.learn_owner(Point::Socket("/run/postgresql/.s.PGSQL.5432".into()), owner(7, "postgres"));
        let listening = Listening { inode: 10, account: 0 };
        let aim = Aim::Here { address: at("127.0.0.1:5432"), listening };
        assert_eq!(scene.settle(&mut rules, aim, &owner(7, "postgres")), Decision::Cleared(0));
    }
    // By an account alone, the port in the socket's name tells servers apart.
    let server = unseen(113, "postgres");
    let scene =
        Scene::empty().saved(Engine::Postgres, host("127.0.0.1", 5432)).listens("127.0.0.1:5432", 10, server.clone());
    assert_eq!(scene.socket("/run/postgresql/.s.PGSQL.5432", &server), Decision::Cleared(0));
    assert!(refused(scene.socket("/run/postgresql/.s.PGSQL.5433", &server)).contains("postgres server"));
}

#[test]
fn databases_of_this_machine_that_nobody_saved_are_refused() {
    let scene = saved_here();
    let cases = [
        // Any port of a server, and known ports whoever has them.
        ("127.0.0.1:5433", owner(9, "postgres"), "a postgres server (postgres) on this machine"),
        ("127.0.0.1:8000", owner(9, "mysqld"), "a mysql server (mysqld)"),
        ("127.0.0.1:3306", owner(9, "python3"), "a program (python3) at the port of a mysql server"),
        ("127.0.0.1:3306", unseen(0, "root"), "a mysql server on this machine"),
        ("127.0.0.1:7777", unseen(114, "mysql"), "a mysql server on this machine"),
        ("127.0.0.1:6000", owner(9, "pgbouncer"), "a postgres server (pgbouncer)"),
        ("127.0.0.1:15432", owner(9, "haproxy"), "a program (haproxy) at the port of a postgres server"),
        // The cache behind a proxy may be anywhere.
        ("127.0.0.1:6379", owner(9, "stunnel4"), "a program (stunnel4) at the port of a redis server"),
        ("127.0.0.1:6379", owner(9, "pgbouncer"), "a postgres server (pgbouncer)"),
        // A tunnel at any port.
        ("127.0.0.1:15432", owner(9, "ssh"), "ssh holds this port"),
        ("127.0.0.1:8080", owner(9, "kubectl"), "kubectl holds this port"),
    ];
    for (address, owner, why) in cases {
        let said = refused(scene.here(address, 99, &owner));
        assert!(said.contains(why), "{address}: {said}");
    }
}

#[test]
fn what_is_no_database_passes() {
    let scene = saved_here();
    for (address, owner) in [
        ("127.0.0.1:3000", owner(9, "node")),
        ("127.0.0.1:4000", owner(9, "node")),
        ("127.0.0.1:9000", owner(9, "php-fpm8.2")),
        ("127.0.0.1:80", owner(9, "haproxy")),
        ("127.0.0.1:6010", owner(9, "sshd")),
        ("127.0.0.1:35123", owner(9, "docker-proxy")),
        ("127.0.0.1:8080", unseen(0, "root")),
    ] {
        assert_eq!(scene.here(address, 99, &owner), Decision::Pass, "{address} {owner:?}");
    }
    for path in ["/run/docker.sock", "/run/user/1000/bus", "/tmp/.X11-unix/X0"] {
        assert_eq!(scene.socket(path, &owner(9, "dockerd")), Decision::Pass, "{path}");
    }
    for address in ["93.184.215.14:443", "10.0.0.1:8080", "10.0.0.1:22", "10.0.0.1:9000"] {
        assert_eq!(scene.away(address), Decision::Pass, "{address}");
    }
}

#[test]
fn caches_of_this_machine_pass_with_a_note_and_those_elsewhere_do_not() {
    let scene = saved_here();
    for (address, owner) in [
        ("127.0.0.1:6379", owner(9, "redis-server")),
        ("127.0.0.1:6390", owner(9, "valkey-server")),
        ("127.0.0.1:9200", unseen(120, "elasticsearch")),
        ("127.0.0.1:6379", owner(9, "docker-proxy")),
    ] {
        assert_eq!(scene.here(address, 99, &owner), Decision::PassNoted(Note::NotSaved), "{address} {owner:?}");
    }
    assert_eq!(scene.container("172.17.0.3:6379"), Decision::PassNoted(Note::NotSaved));
    assert_eq!(scene.socket("/run/redis/redis.sock", &owner(9, "redis-server")), Decision::PassNoted(Note::NotSaved));
    assert!(refused(scene.away("10.0.0.1:6379")).contains("Redis"));
    assert!(refused(scene.here("127.0.0.1:6379", 99, &owner(9, "ssh"))).contains("ssh holds this port"));
}

#[test]
fn a_new_server_passes_and_a_new_tunnel_does_not() {
    let scene = saved_here().new_server();
    assert_eq!(scene.here("127.0.0.1:5433", 99, &owner(9, "postgres")), Decision::PassNoted(Note::New));
    assert_eq!(scene.here("127.0.0.1:5433", 99, &owner(9, "pgbouncer")), Decision::PassNoted(Note::New));
    assert_eq!(scene.container("172.17.0.3:5432"), Decision::PassNoted(Note::New));
    assert_eq!(scene.socket("/tmp/x/.s.PGSQL.5433", &owner(9, "postgres")), Decision::PassNoted(Note::New));
    assert!(refused(scene.here("127.0.0.1:5433", 99, &owner(9, "ssh"))).contains("ssh holds this port"));
    // Nobody takes another machine for new.
    assert!(refused(scene.away("10.0.0.1:5432")).contains("another machine"));
}

#[test]
fn another_listener_in_the_place_of_one_that_was_saved_is_another_server() {
    let scene = saved_here();
    assert_eq!(scene.here("127.0.0.1:5432", 99, &owner(9, "postgres")), Decision::SaveFirst(vec![0]));
    assert!(refused(scene.here("127.0.0.1:5432", 99, &owner(9, "ssh"))).contains("ssh holds this port"));
    assert_eq!(scene.new_server().here("127.0.0.1:5432", 99, &owner(9, "postgres")), Decision::Cleared(0));
}

#[test]
fn other_machines_databases_are_refused_unless_a_receipt_or_the_policy_names_them() {
    let scene = Scene::empty().saved(Engine::Postgres, host("db", 5432)).resolves("db", "172.18.0.2");
    assert_eq!(scene.away("172.18.0.2:5432"), Decision::Cleared(0));
    let said = refused(scene.away("10.0.0.1:5432"));
    assert!(said.contains("a database's port on another machine (PostgreSQL"), "{said}");
    assert!(said.contains("; stop and tell the person who asked for this run, or name the database"), "{said}");
    for port in [3306, 6543, 25060, 4000, 27017, 1433, 26257] {
        refused(scene.away(&format!("[2001:db8::1]:{port}")));
    }
    // A port that a target names, saved or not, and one that the policy names, are databases' everywhere.
    let mut scene = scene.named(Engine::Postgres, host("shop.test", 7001));
    scene.policy.ports.push(5555);
    for address in ["10.0.0.1:7001", "10.0.0.1:5555"] {
        refused(scene.away(address));
        refused(scene.here(&address.replace("10.0.0.1", "127.0.0.1"), 99, &owner(9, "postgres")));
    }
    let scene = scene.allows("10.0.0.1:5432").allows("far.shop.net:3306").resolves("far.shop.net", "10.0.0.9");
    assert_eq!(scene.away("10.0.0.1:5432"), Decision::PassNoted(Note::Allowed));
    assert_eq!(scene.away("10.0.0.9:3306"), Decision::PassNoted(Note::Allowed));
    refused(scene.away("10.0.0.1:3306"));
}

#[test]
fn the_policy_lets_a_tunnel_through_only_where_no_database_is_to_be_expected() {
    let scene = Scene::empty().allows("127.0.0.1:8080").allows("127.0.0.1:15432").allows("127.0.0.1:3306");
    assert_eq!(scene.here("127.0.0.1:8080", 9, &owner(9, "kubectl")), Decision::PassNoted(Note::Allowed));
    assert_eq!(scene.here("127.0.0.1:3306", 9, &owner(9, "mysqld")), Decision::PassNoted(Note::Allowed));
    refused(scene.here("127.0.0.1:15432", 9, &owner(9, "ssh")));
}

#[test]
fn names_are_looked_up_once_more_before_a_refusal() {
    let scene = Scene::empty().saved(Engine::Postgres, host("db", 5432));
    let later = Scene { later: vec![("db", "172.18.0.2")], ..scene.clone() };
    refused(scene.away("172.18.0.2:5432"));
    assert_eq!(later.away("172.18.0.2:5432"), Decision::Cleared(0));
    assert_eq!(later.container("172.18.0.2:5432"), Decision::Cleared(0));
    refused(later.away("172.18.0.3:5432"));
}

#[test]
fn an_address_is_told_with_its_name_and_a_loosening_to_a_person_only() {
    let scene = Scene::empty().saved(Engine::Mysql, host("db.shop.net", 3307)).resolves("db.shop.net", "10.0.0.1");
    let said = refused(scene.away("10.0.0.1:3306"));
    assert!(!said.contains("trust"), "{said}");
    let scene = Scene { is_person: true, ..scene };
    let decision = scene.away("10.0.0.1:3306");
    let Decision::Refuse(refusal) = &decision else { panic!("{decision:?}") };
    assert_eq!(refusal.name.as_deref(), Some("db.shop.net"));
    assert!(refusal.remedy.contains("allow = [\"db.shop.net:3306\"] below [guard]"), "{}", refusal.remedy);
    let unknown = refused(scene.away("[2001:db8::1]:3306"));
    assert!(unknown.contains("allow = [\"[2001:db8::1]:3306\"]"), "{unknown}");
}

#[test]
fn a_run_without_a_name_reaches_name_servers_the_web_and_git_hosts() {
    let mut scene = Scene::unnamed();
    scene.environment = [
        ("DOCKER_HOST", "tcp://10.9.9.9:2376"),
        ("https_proxy", "http://proxy.shop.net:3128/"),
        ("NO_PROXY", "localhost"),
        ("HTTP_PROXY", ""),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    let scene = scene.resolves("proxy.shop.net", "10.9.9.8");
    for address in ["10.0.0.53:53", "[2001:db8::53]:853", "93.184.215.14:80", "93.184.215.14:443"] {
        assert_eq!(scene.away(address), Decision::Pass, "{address}");
    }
    for address in ["10.9.9.9:2376", "10.9.9.8:3128"] {
        assert_eq!(scene.away(address), Decision::Pass, "{address}");
    }
    for address in ["10.0.0.1:8080", "10.0.0.1:22", "10.9.9.9:2375", "10.9.9.8:3129"] {
        let said = refused(scene.away(address));
        assert!(said.contains("nothing names the databases of this run"), "{address}: {said}");
    }
    assert_eq!(Scene { is_git_host: true, ..scene.clone() }.away("140.82.121.3:22"), Decision::Pass);
    refused(Scene { is_git_host: true, ..scene.clone() }.away("140.82.121.3:2222"));
    assert_eq!(scene.clone().allows("10.0.0.1:8080").away("10.0.0.1:8080"), Decision::PassNoted(Note::Allowed));
    // What is sent by datagrams is no database.
    for traffic in [Traffic::DatagramsLater, Traffic::Datagram] {
        assert_eq!(scene.clone().carries(traffic).away("10.0.0.1:123"), Decision::Pass);
    }
    // On this machine it is a run as any other.
    assert_eq!(scene.here("127.0.0.1:3000", 9, &owner(9, "node")), Decision::Pass);
    assert_eq!(scene.container("172.17.0.3:8080"), Decision::Pass);
    refused(scene.here("127.0.0.1:5432", 9, &owner(9, "postgres")));
}

#[test]
fn a_strict_policy_lets_name_servers_and_what_it_allows_through() {
    let scene = Scene::strict().allows("93.184.215.14:443");
    assert_eq!(scene.away("10.0.0.53:53"), Decision::Pass);
    assert_eq!(scene.away("93.184.215.14:443"), Decision::PassNoted(Note::Allowed));
    for address in ["93.184.215.14:80", "10.0.0.1:22", "10.0.0.1:5432"] {
        refused(scene.away(address));
    }
    assert!(refused(scene.away("10.0.0.1:80")).contains(".safe-test.toml is strict"));
    assert!(refused(scene.away("10.0.0.1:80")).ends_with("; stop and tell the person who asked for this run"));
    refused(scene.clone().carries(Traffic::Datagram).away("10.0.0.1:8125"));
    // A resolver that sorts addresses sends nothing, and is not told of.
    assert_eq!(scene.carries(Traffic::DatagramsLater).away("10.0.0.1:443"), Decision::Deny);
}

#[test]
fn datagrams_to_databases_are_nobodys_business() {
    for traffic in [Traffic::DatagramsLater, Traffic::Datagram] {
        let scene = saved_here().carries(traffic);
        assert_eq!(scene.away("10.0.0.1:5432"), Decision::Pass);
        assert_eq!(scene.container("172.17.0.3:5432"), Decision::Pass);
        assert_eq!(scene.here("127.0.0.1:5433", 99, &owner(9, "postgres")), Decision::Pass);
    }
}

#[test]
fn sockets_that_lead_to_a_provider_are_refused() {
    let said = refused(Scene::empty().socket("/cloudsql/shop:europe-west1:main/.s.PGSQL.5432", &Owner::default()));
    assert!(said.contains("leads to Google Cloud SQL") && said.contains("on this machine"), "{said}");
}

#[test]
fn several_databases_of_one_server_are_cleared_together() {
    let server = owner(7, "postgres");
    let scene = Scene::empty()
        .saved(Engine::Postgres, host("127.0.0.1", 5432))
        .saved(Engine::Postgres, host("127.0.0.1", 5432))
        .listens("127.0.0.1:5432", 10, server.clone());
    assert_eq!(scene.here("127.0.0.1:5432", 10, &server), Decision::Cleared(0));
}

#[test]
fn a_path_that_leads_nowhere_yet_is_named_all_the_same() {
    let scene =
        Scene::empty().saved(Engine::Mysql, Place::Socket { path: "/run/mysqld/mysqld.sock".into(), port: None });
    assert_eq!(scene.socket("/run/mysqld/mysqld.sock", &Owner::default()), Decision::Cleared(0));
    assert_eq!(scene.rules().cleared_points(), [Point::Socket(PathBuf::from("/run/mysqld/mysqld.sock"))]);
}
