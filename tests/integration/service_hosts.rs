//! A database whose host only containers know: what to set is told, with the port that the service publishes.

use super::support::Sandbox;

fn project(env: &str, ports: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("compose.yaml", format!("services:\n  shopdb:\n    image: postgres:16\n{ports}"));
    sandbox.write(".env", env);
    sandbox.suite("");
    sandbox
}

#[test]
fn the_service_its_port_and_the_line_to_set_are_named() {
    let url = "DATABASE_URL=postgres://app:hunter22@shopdb:5432/shop_test\n";
    let parts = "DB_CONNECTION=pgsql\nDB_HOST=shopdb\nDB_PORT=5432\nDB_DATABASE=shop_test\n";
    let short = "    ports:\n      - \"5433:5432\"\n";
    let same = "    ports:\n      - \"127.0.0.1:5432:5432\"\n";
    for (env, ports, said) in [
        (
            url,
            short,
            "compose.yaml:5 publishes it: start it, and write localhost:5433 for shopdb:5432 in DATABASE_URL (.env:1)",
        ),
        (parts, short, "set DB_HOST=localhost and DB_PORT=5433 in the place of DB_HOST (.env:2)"),
        (parts, same, "start it, and set DB_HOST=localhost in the place of DB_HOST (.env:2)"),
        (
            url,
            "",
            "start it (`docker compose up -d shopdb`), and it is saved inside its container; for a command of this machine \
             give it the line `ports: [\"5432:5432\"]`, and write localhost:5432",
        ),
        (url, "    ports: [\"5432\"]\n", "compose.yaml:4 publishes its port 5432: start it, and use localhost"),
    ] {
        let sandbox = project(env, ports);
        let named = "hint: `shopdb` is the service `shopdb` of compose.yaml:2, a name that only containers know; ";
        sandbox.expect_not_run(&sandbox.guarded(), 121, &[named, said]);
        let planned = sandbox.run(&["--dry-run", "./suite"]).expect_code(121).stderr;
        assert!(planned.contains(said) && !planned.contains("hunter22"), "{planned}");
        let looked = sandbox.run(&["doctor"]).expect_code(125).stdout;
        assert!(looked.contains(said) && !looked.contains("hunter22"), "{looked}");
    }
}

#[test]
fn a_host_that_no_service_has_keeps_the_usual_hint() {
    let sandbox = project("DATABASE_URL=postgres://app@other/shop_test\n", "");
    let outcome = sandbox.guarded().expect_code(121);
    assert!(!outcome.stderr.contains("only containers know"), "{}", outcome.stderr);
}
