//! What holds of decisions whatever the run, the machine and the attempt are.

use proptest::prelude::*;

use crate::guard::decide::Decision;
use crate::guard::facts::{Newness, Traffic};
use crate::guard::owners::Owner;
use crate::guard::testing::{Scene, at, host};
use crate::policy::GuardRules;
use crate::reach::Engine;

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
