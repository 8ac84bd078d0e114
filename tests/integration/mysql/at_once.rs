//! Several calls at once on one database of MariaDB.

use std::process::{Child, Stdio};

use crate::support::{Mariadb, Outcome, Sandbox, ended};

fn start(sandbox: &Sandbox, arguments: &[&str]) -> Child {
    sandbox.command().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn sixteen_runs_at_once_each_have_a_snapshot() {
    let sandbox = Sandbox::with_mariadb("sixteen_test");
    let runs: Vec<Child> = (0..16).map(|_| start(&sandbox, &["./suite"])).collect();
    for run in runs {
        Outcome::from(ended("a run", run)).expect_code(0);
    }
    sandbox.expect_no_half_file();
    sandbox.run(&["verify", "--all"]).expect_code(0);
    sandbox.run(&["log", "verify"]).expect_code(0);
}

#[test]
fn several_restores_and_prunes_at_once_get_along() {
    let (server, database) = (Mariadb::server(), "crowded_mariadb_test");
    for name in server.beside(database) {
        server.sql("", &format!("DROP DATABASE `{name}`"));
    }
    let sandbox = Sandbox::with_mariadb(database);
    sandbox.run(&["snapshot"]).expect_code(0);
    let id = sandbox.ids().remove(0);
    for round in 0..3 {
        server.sql(database, "UPDATE t SET a = 2");
        let restores = [start(&sandbox, &["restore", &id]), start(&sandbox, &["restore", &id])];
        let others = [start(&sandbox, &["prune"]), start(&sandbox, &["list"])];
        let [one, other] = restores.map(|child| Outcome::from(ended("a restore", child)));
        others.into_iter().for_each(|child| drop(Outcome::from(ended("a prune", child)).expect_code(0)));
        let done = [&one, &other].iter().filter(|outcome| outcome.code() == Some(0)).count();
        assert!(done >= 1, "{one:?}\n{other:?}");
        assert_eq!(server.sql(database, "SELECT SUM(a) FROM t"), "1", "round {round}");
        assert!(
            !server.beside(database).iter().any(|name| name.contains("_restoring_")),
            "{:?}",
            server.beside(database)
        );
    }
    sandbox.run(&["log", "verify"]).expect_code(0);
}
