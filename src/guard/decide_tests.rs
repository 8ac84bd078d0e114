//! What becomes of attempts, as tables: the run, the attempt, what there is to find out, and the decision.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use crate::environment::Origin;
use crate::guard::decide::Decision;
use crate::guard::facts::{Aim, Facts, Look, Newness, Traffic};
use crate::guard::listeners::Listening;
use crate::guard::names::Names;
use crate::guard::owners::Owner;
use crate::guard::refusal::Note;
use crate::guard::rules::{Grounds, Point, Rules};
use crate::policy::{GuardMode, GuardRules};
use crate::reach::{Engine, Place, Target};
use crate::snapshot::{Beside, Care, Receipt};

/// A run, and a machine to find things out about.
#[derive(Debug, Clone)]
struct Scene {
    targets: Vec<Target>,
    receipts: Vec<Receipt>,
    policy: GuardRules,
    is_unnamed: bool,
    is_person: bool,
    environment: Vec<(String, String)>,
    /// What listened at the start, with its owner.
    listening: Vec<(SocketAddr, u32, Owner)>,
    names: Vec<(&'static str, &'static str)>,
    /// What the resolver says the second time.
    later: Vec<(&'static str, &'static str)>,
    newness: Newness,
    traffic: Traffic,
    is_git_host: bool,
    /// The port inside the container that the engine says is published.
    container_port: Option<u16>,
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn owner(process: i32, program: &str) -> Owner {
    Owner { process: Some(process), program: Some(program.to_owned()), ..Owner::default() }
}

/// A server whose process may not be seen.
fn unseen(account: u32, name: &str) -> Owner {
    Owner { account, account_name: Some(name.to_owned()), ..Owner::default() }
}

fn target(engine: Engine, places: Vec<Place>) -> Target {
    Target {
        engine,
        places,
        database: Some("app_test".to_owned()),
        user: None,
        password: None,
        parameters: Vec::new(),
        origins: vec![Origin::file("DATABASE_URL", ".env", 1)],
        doubts: Vec::new(),
    }
}

fn host(name: &str, port: u16) -> Place {
    Place::Host { name: name.to_owned(), port: Some(port) }
}

fn socket(path: &str, port: u16) -> Place {
    Place::Socket { path: path.into(), port: Some(port) }
}

impl Scene {
    fn empty() -> Scene {
        Scene {
            targets: Vec::new(),
            receipts: Vec::new(),
            policy: GuardRules::default(),
            is_unnamed: false,
            is_person: false,
            environment: Vec::new(),
            listening: Vec::new(),
            names: Vec::new(),
            later: Vec::new(),
            newness: Newness::Old("it was there before the command".to_owned()),
            traffic: Traffic::Stream,
            is_git_host: false,
            container_port: None,
        }
    }

    fn unnamed() -> Scene {
        Scene { is_unnamed: true, ..Scene::empty() }
    }

    fn strict() -> Scene {
        Scene { policy: GuardRules { mode: GuardMode::Strict, ..GuardRules::default() }, ..Scene::empty() }
    }

    fn allows(mut self, pair: &str) -> Scene {
        self.policy.allow.push(pair.to_owned());
        self
    }

    fn named(mut self, engine: Engine, place: Place) -> Scene {
        self.targets.push(target(engine, vec![place]));
        self
    }

    fn saved(mut self, engine: Engine, place: Place) -> Scene {
        let care = Care::NothingToLose { reason: "it is empty".to_owned() };
        self.receipts.push(Receipt::new(self.targets.len(), care, Beside::default()));
        self.named(engine, place)
    }

    fn listens(mut self, address: &str, inode: u32, owner: Owner) -> Scene {
        self.listening.push((at(address), inode, owner));
        self
    }

    fn resolves(mut self, host: &'static str, address: &'static str) -> Scene {
        self.names.push((host, address));
        self
    }

    fn carries(self, traffic: Traffic) -> Scene {
        Scene { traffic, ..self }
    }

    fn new_server(self) -> Scene {
        Scene { newness: Newness::New, ..self }
    }

    fn rules(&self) -> Rules {
        let targets: Vec<&Target> = self.targets.iter().collect();
        let grounds = Grounds {
            targets: &targets,
            receipts: &self.receipts,
            policy: &self.policy,
            is_unnamed: self.is_unnamed,
            is_person: self.is_person,
            environment: &self.environment,
        };
        // `/var/run` leads to `/run`, as everywhere.
        let real =
            |path: &Path| path.strip_prefix("/var/run").map_or(path.to_owned(), |rest| Path::new("/run").join(rest));
        let mut rules = Rules::new(&grounds, real);
        rules.learn(Names::known(&self.names));
        rules.look_around(|address| {
            let found = self.listening.iter().find(|(known, ..)| *known == address)?;
            Some(Listening { inode: found.1, account: found.2.account })
        });
        rules
    }

    /// Answers what the rules want to know until they decide; they want nothing twice.
    fn settle(&self, rules: &mut Rules, aim: Aim<'_>, owner: &Owner) -> Decision {
        let mut facts = Facts::default();
        let mut wanted = Vec::new();
        loop {
            let decision = rules.decide(aim, &facts);
            let Decision::Look(look) = decision else { return decision };
            assert!(!wanted.contains(&look), "{look:?} is wanted twice");
            wanted.push(look);
            match look {
                Look::Traffic => facts.traffic = Some(self.traffic),
                Look::Owner => facts.owner = Some(owner.clone()),
                Look::Newness => facts.newness = Some(self.newness.clone()),
                Look::ContainerPort => facts.container_port = Some(self.container_port),
                Look::GitHost => facts.is_git_host = Some(self.is_git_host),
                Look::Names => {
                    rules.learn(Names::known(&self.later));
                    facts.names_are_fresh = true;
                }
                Look::ClearedOwners => {
                    for point in rules.cleared_points() {
                        let known = self.listening.iter().find(|(_, inode, owner)| {
                            point == Point::Tcp(Listening { inode: *inode, account: owner.account })
                        });
                        if let Some((.., owner)) = known {
                            rules.learn_owner(point, owner.clone());
                        }
                    }
                    facts.owners_are_known = true;
                }
            }
        }
    }

    /// Decides about a connection to an address of this machine, with this listener.
    fn here(&self, address: &str, inode: u32, owner: &Owner) -> Decision {
        let listening = Listening { inode, account: owner.account };
        self.settle(&mut self.rules(), Aim::Here { address: at(address), listening }, owner)
    }

    fn away(&self, address: &str) -> Decision {
        self.settle(&mut self.rules(), Aim::Away { address: at(address) }, &Owner::default())
    }

    fn container(&self, address: &str) -> Decision {
        self.settle(&mut self.rules(), Aim::Container { address: at(address) }, &Owner::default())
    }

    fn socket(&self, path: &str, owner: &Owner) -> Decision {
        self.settle(&mut self.rules(), Aim::Socket { path: Path::new(path) }, owner)
    }
}

#[track_caller]
fn refused(decision: Decision) -> String {
    match decision {
        Decision::Refuse(refusal) => format!("{}; {}", refusal.why, refusal.remedy),
        other => panic!("{other:?}"),
    }
}

fn saved_here() -> Scene {
    let server = owner(7, "postgres");
    Scene::empty().saved(Engine::Postgres, host("localhost", 5432)).listens("[::1]:5432", 11, server.clone()).listens(
        "127.0.0.1:5432",
        10,
        server,
    )
}

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
fn a_port_of_docker_on_both_families_is_one_server() {
    let proxy = |process, host| docker_proxy(process, host, "5432");
    let scene = Scene::empty()
        .saved(Engine::Postgres, host("localhost", 5432))
        .listens("[::1]:5432", 11, proxy(7, "::"))
        .listens("127.0.0.1:5432", 10, proxy(8, "0.0.0.0"));
    assert_eq!(scene.here("127.0.0.1:5432", 10, &proxy(8, "0.0.0.0")), Decision::Cleared(0));
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
        ("127.0.0.1:3306", owner(9, "python3"), "a mysql server (python3)"),
        ("127.0.0.1:3306", unseen(0, "root"), "a mysql server on this machine"),
        ("127.0.0.1:7777", unseen(114, "mysql"), "a mysql server on this machine"),
        ("127.0.0.1:6000", owner(9, "pgbouncer"), "a postgres server (pgbouncer)"),
        ("127.0.0.1:15432", owner(9, "haproxy"), "a postgres server (haproxy)"),
        // The cache behind a proxy may be anywhere.
        ("127.0.0.1:6379", owner(9, "stunnel4"), "a redis server (stunnel4)"),
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
    assert!(said.ends_with("or stop and tell the person who asked for this run"), "{said}");
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
        assert_eq!(scene.away(address), Decision::PassNoted(Note::NotSeen), "{address}");
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
    assert!(refused(scene.away("10.0.0.1:80")).ends_with("stop, and tell the person who asked for this run"));
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

fn any_owner() -> impl Strategy<Value = Owner> {
    let program = proptest::option::of(prop::sample::select(vec![
        "postgres",
        "mysqld",
        "redis-server",
        "ssh",
        "pgbouncer",
        "haproxy",
        "docker-proxy",
        "node",
        "java",
    ]));
    (proptest::option::of(1..4i32), program, 0..3u32).prop_map(|(process, program, account)| Owner {
        process,
        program: program.map(str::to_owned),
        account,
        ..Owner::default()
    })
}

fn any_port() -> impl Strategy<Value = u16> {
    prop_oneof![
        prop::sample::select(vec![22, 53, 80, 443, 3000, 4000, 5432, 5433, 6379, 7001, 9000, 15432]),
        1..=u16::MAX
    ]
}

fn any_scene() -> impl Strategy<Value = Scene> {
    let targets = prop::collection::vec((any_port(), any::<bool>(), any::<bool>()), 0..4);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let traffic = prop::sample::select(vec![Traffic::Stream, Traffic::Datagram, Traffic::DatagramsLater]);
    (targets, flags, traffic, proptest::option::of((1..5u32, any_owner()))).prop_map(
        |(targets, (is_unnamed, is_strict, is_new, is_person), traffic, listening)| {
            let mut scene = if is_strict { Scene::strict() } else { Scene::empty() };
            for (port, is_saved, is_name) in targets {
                let place = host(if is_name { "db" } else { "127.0.0.1" }, port);
                scene =
                    if is_saved { scene.saved(Engine::Postgres, place) } else { scene.named(Engine::Postgres, place) };
                if let Some((inode, owner)) = &listening {
                    scene.listening.push((at(&format!("127.0.0.1:{port}")), *inode, owner.clone()));
                }
            }
            let newness = if is_new { Newness::New } else { scene.newness.clone() };
            Scene { is_unnamed, is_person, newness, traffic, later: vec![("db", "10.0.0.1")], ..scene }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_is_found_out_the_rules_decide(scene in any_scene(), port in any_port(), inode in 1..6u32, owner in any_owner()) {
        // `settle` fails where something is wanted twice.
        scene.here(&format!("127.0.0.1:{port}"), inode, &owner);
        scene.container(&format!("172.17.0.2:{port}"));
        scene.away(&format!("10.0.0.1:{port}"));
        scene.socket(&format!("/run/postgresql/.s.PGSQL.{port}"), &owner);
    }

    #[test]
    fn no_stream_reaches_a_database_of_another_machine_that_no_receipt_names(scene in any_scene(), port in any_port()) {
        let is_named = scene.receipts.iter().any(|receipt| {
            scene.targets[receipt.target()].places.contains(&host("db", port))
        });
        let scene = scene.carries(Traffic::Stream);
        let decision = scene.away(&format!("10.0.0.1:{port}"));
        let is_a_databases = Engine::of_port(port).is_some();
        let passes = matches!(decision, Decision::Pass | Decision::PassNoted(_));
        prop_assert!(!(is_a_databases && passes), "{decision:?}");
        prop_assert!(!matches!(decision, Decision::Cleared(_)) || is_named, "{decision:?}");
        prop_assert!(!matches!(decision, Decision::Refuse(_)) || !is_named, "{decision:?}");
    }

    #[test]
    fn less_is_refused_only_where_the_policy_or_a_receipt_says_so(scene in any_scene(), port in any_port()) {
        let address = format!("10.0.0.1:{port}");
        let is_refused = |scene: &Scene| matches!(scene.away(&address), Decision::Refuse(_));
        let looser = Scene { is_unnamed: false, policy: GuardRules::default(), ..scene.clone() };
        prop_assert!(!is_refused(&looser) || is_refused(&scene));
        let without = Scene { receipts: Vec::new(), ..scene.clone() };
        prop_assert!(!is_refused(&scene) || is_refused(&without));
        prop_assert!(!is_refused(&scene.clone().allows(&address)));
    }

    #[test]
    fn no_server_of_this_machine_passes_unnamed_and_old(scene in any_scene(), port in any_port(), owner in any_owner()) {
        // Nothing is cleared, and nobody can call it new.
        let scene = Scene { receipts: Vec::new(), newness: Newness::Old("old".to_owned()), ..scene };
        let scene = scene.carries(Traffic::Stream);
        let decision = scene.here(&format!("127.0.0.1:{port}"), 99, &owner);
        let is_server = matches!(owner.program.as_deref(), Some("postgres" | "mysqld" | "ssh" | "pgbouncer"));
        prop_assert!(!is_server || matches!(decision, Decision::Refuse(_)), "{decision:?}");
    }
}

#[test]
fn a_path_that_leads_nowhere_yet_is_named_all_the_same() {
    let scene =
        Scene::empty().saved(Engine::Mysql, Place::Socket { path: "/run/mysqld/mysqld.sock".into(), port: None });
    assert_eq!(scene.socket("/run/mysqld/mysqld.sock", &Owner::default()), Decision::Cleared(0));
    assert_eq!(scene.rules().cleared_points(), [Point::Socket(PathBuf::from("/run/mysqld/mysqld.sock"))]);
}
