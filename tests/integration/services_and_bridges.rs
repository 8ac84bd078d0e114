//! Hosts that the project or this machine shows to be near: services of compose and CI files, addresses of this
//! machine, and the networks of container bridges on it.

use crate::support::{Judged, Sandbox};

fn project(host: &str, database: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.project().join(".git")).unwrap();
    sandbox.write(".env", format!("DATABASE_URL=postgres://app@{host}/{database}\n"));
    sandbox
}

#[test]
fn a_host_that_the_projects_files_declare_is_local_with_the_line_as_evidence() {
    let cases = [
        ("warehouse", "compose.yaml", "services:\n  warehouse:\n    image: postgres:16\n", "compose.yaml:2"),
        (
            "warehouse",
            "docker-compose.yml",
            "version: '3'\nservices:\n  web:\n    image: x\n  warehouse:\n    image: postgres\n",
            "docker-compose.yml:5",
        ),
        (
            "stock",
            "compose.yaml",
            "services:\n  db:\n    image: postgres\n    container_name: stock\n",
            "compose.yaml:4",
        ),
        (
            "store",
            "compose.yaml",
            "services:\n  db:\n    image: postgres\n    networks:\n      default:\n        aliases:\n          - store\n",
            "compose.yaml:7",
        ),
        (
            "warehouse",
            ".github/workflows/test.yml",
            "jobs:\n  test:\n    services:\n      warehouse:\n        image: postgres:16\n",
            ".github/workflows/test.yml:4",
        ),
        (
            "pgvector-pgvector",
            ".gitlab-ci.yml",
            "test:\n  services:\n    - pgvector/pgvector:pg16\n",
            ".gitlab-ci.yml:3",
        ),
        (
            "warehouse",
            ".gitlab-ci.yml",
            "test:\n  services:\n    - name: postgres:16\n      alias: warehouse\n",
            ".gitlab-ci.yml:4",
        ),
        ("primary", "compose.yaml", "services:\n  primary:\n    image: postgres:16\n", "compose.yaml:2"),
    ];
    for (host, file, text, evidence) in cases {
        let sandbox = project(host, "shop");
        assert_ne!(Judged::of(&sandbox, &[]).verdict(), "safe", "{host} {file}");
        sandbox.write(file, text);
        let judged = Judged::of(&sandbox, &[]);
        assert_eq!(judged.verdict(), "safe", "{file} {:#}", judged.json);
        let target = &judged.json["targets"][0];
        assert_eq!(target["locality"], "service", "{file}");
        assert!(target["shown_by"].to_string().contains(evidence), "{file} {target:#}");
    }
}

#[test]
fn services_of_extended_and_overriding_files_count() {
    let sandbox = project("stock", "shop");
    sandbox.write("compose.yaml", "services:\n  stock:\n    extends:\n      file: base.yaml\n      service: db\n");
    sandbox.write("base.yaml", "services:\n  db:\n    image: postgres\n");
    assert_eq!(Judged::of(&sandbox, &[]).verdict(), "safe");
    let sandbox = project("extra", "shop");
    sandbox.write("compose.yaml", "services:\n  db:\n    image: postgres\n");
    sandbox.write("compose.override.yaml", "services:\n  extra:\n    image: postgres\n");
    assert_eq!(Judged::of(&sandbox, &[]).verdict(), "safe");
}

#[test]
fn declaring_proves_nothing_of_a_domain_a_production_word_or_another_host() {
    let services = "services:\n  warehouse:\n    image: postgres:16\n  shop-prod:\n    image: postgres\n";
    let cases = [
        ("warehouse.northwind-shop.net", "shop", "production"),
        ("shop-prod", "shop", "production"),
        ("stock", "shop", "unverified"),
        ("warehouse", "shop_production", "production"),
        ("warehouse", "shop", "safe"),
    ];
    for (host, database, verdict) in cases {
        let sandbox = project(host, database);
        sandbox.write("compose.yaml", services);
        assert_eq!(Judged::of(&sandbox, &[]).verdict(), verdict, "{host}/{database}");
    }
}

#[test]
fn a_compose_file_for_production_declares_nothing_unless_the_command_names_it() {
    let sandbox = project("warehouse", "shop");
    sandbox.write("compose.prod.yml", "services:\n  warehouse:\n    image: postgres:16\n");
    assert_eq!(Judged::of(&sandbox, &[]).verdict(), "unverified");
}

#[test]
fn a_service_that_points_elsewhere_is_no_container() {
    let sandbox = project("warehouse", "shop");
    sandbox.write(
        "compose.yaml",
        "services:\n  warehouse:\n    image: postgres\n  web:\n    image: x\n    extra_hosts:\n      - \"warehouse:203.0.113.7\"\n",
    );
    assert_eq!(Judged::of(&sandbox, &[]).verdict(), "unverified");
}

#[test]
fn an_address_of_this_machine_is_local() {
    let own: Vec<String> = if_addrs::get_if_addrs()
        .unwrap()
        .into_iter()
        .filter(|interface| !interface.is_loopback() && interface.ip().is_ipv4())
        .map(|interface| interface.ip().to_string())
        .collect();
    for address in &own {
        let judged = Judged::of(&project(address, "shop"), &[]);
        assert_eq!(judged.verdict(), "safe", "{:#}", judged.json);
        assert!(judged.json["targets"][0]["shown_by"].to_string().contains("own address"));
    }
    for address in ["127.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "ip6-localhost"] {
        assert_eq!(Judged::of(&project(address, "shop"), &[]).verdict(), "safe", "{address}");
    }
    for address in ["203.0.113.9", "10.255.254.253", "[2001:db8::7]"] {
        assert_eq!(Judged::of(&project(address, "shop"), &[]).rules(), ["host-remote"], "{address}");
    }
}

/// Judges in a network namespace with interfaces of its own, which the script makes.
#[cfg(target_os = "linux")]
fn judged_in_a_namespace(host: &str, interfaces: &str) -> String {
    use crate::support::Outcome;

    let sandbox = project(host, "shop");
    let script = format!(
        "set -e; ip link set lo up; {interfaces}; exec '{}' check --format json",
        env!("CARGO_BIN_EXE_safe-test")
    );
    let outcome =
        Outcome::of(sandbox.program("unshare").args(["--user", "--map-root-user", "--net", "sh", "-c", &script]));
    let json: serde_json::Value = serde_json::from_str(&outcome.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}\n{}", outcome.stdout, outcome.stderr));
    format!("{} {}", json["verdict"].as_str().unwrap(), json["targets"][0]["shown_by"])
}

#[test]
#[cfg(target_os = "linux")]
fn the_network_of_a_container_bridge_is_local_and_no_other_is() {
    let bridge = |name: &str, address: &str| {
        format!("ip link add {name} type bridge; ip address add {address} dev {name}; ip link set {name} up")
    };
    let cases = [
        ("172.17.0.2", bridge("docker0", "172.17.0.1/16"), "safe", "container bridge docker0"),
        ("172.17.0.1", bridge("docker0", "172.17.0.1/16"), "safe", "own address on docker0"),
        ("172.19.3.7", bridge("br-test", "172.19.0.1/16"), "safe", "container bridge br-test"),
        ("172.20.0.2", bridge("br-test", "172.19.0.1/16"), "production", "[]"),
        ("10.88.0.4", bridge("podman0", "10.88.0.1/16"), "safe", "container bridge podman0"),
        ("192.168.7.9", bridge("office0", "192.168.7.1/24"), "production", "[]"),
        (
            "10.3.0.9",
            "ip link add eth7 type veth peer name eth8; ip address add 10.3.0.1/24 dev eth7; ip link set eth7 up"
                .to_owned(),
            "production",
            "[]",
        ),
    ];
    for (host, interfaces, verdict, evidence) in cases {
        let said = judged_in_a_namespace(host, &interfaces);
        assert!(said.starts_with(verdict) && said.contains(evidence), "{host}, {interfaces}: {said}");
    }
}
