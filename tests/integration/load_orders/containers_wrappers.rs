//! Commands that run elsewhere, or with variables that a wrapper adds.

use super::{case, check, filled};
use crate::support::{Judged, Sandbox};

#[test]
fn a_command_in_a_container_has_the_environment_of_its_service() {
    let compose = "services:\n  app:\n    image: shop\n    environment:\n      DATABASE_URL: @REMOTE\n  db:\n    image: postgres\n";
    let substituted = "services:\n  app:\n    image: shop\n    environment:\n      - DATABASE_URL=postgres://app@${DB_HOST:-localhost}/shop_test\n";
    check(&[
        case(
            "the container's environment counts, not the host's",
            &[("compose.yaml", compose), (".env", "DATABASE_URL=@LOCAL\n")],
            &[("DATABASE_URL", "@LOCAL")],
            &["docker", "compose", "exec", "app", "npm", "test"],
            "production",
            "host-remote",
        ),
        case(
            "`run -e` sets it",
            &[("compose.yaml", substituted)],
            &[],
            &[
                "docker",
                "compose",
                "run",
                "-e",
                "DATABASE_URL=postgres://db.northwind-shop.net/shop",
                "app",
                "npm",
                "test",
            ],
            "production",
            "host-remote",
        ),
        case(
            "`.env` feeds the file",
            &[("compose.yaml", substituted), (".env", "DB_HOST=db.northwind-shop.net\n")],
            &[],
            &["docker", "compose", "run", "app", "npm", "test"],
            "production",
            "host-remote",
        ),
        case(
            "another container proves nothing",
            &[(".env", "DATABASE_URL=@LOCAL\n")],
            &[],
            &["docker", "exec", "shop-app-1", "npm", "test"],
            "unverified",
            "container-environment",
        ),
    ]);
}

#[test]
fn a_compose_file_is_filled_in_by_composes_own_rules() {
    let named = "services:\n  app:\n    build: .\n    environment:\n      DATABASE_URL: postgres://app@localhost/${NAME:-shop_prod}\n";
    let placed = "services:\n  app:\n    build: .\n    environment:\n      - DATABASE_URL=postgres://app@${DB_HOST:-localhost}/shop_test\n";
    let handed_on = "services:\n  app:\n    build: .\n    environment:\n      DATABASE_URL:\n";
    let nested = "services:\n  app:\n    build: .\n    environment:\n      DATABASE_URL: postgres://app@localhost/${NONE:-${ALSO_NONE:-shop_prod}}\n";
    let run = &["docker", "compose", "run", "app", "npm", "test"][..];
    check(&[
        case(
            "an empty variable is none for `:-`",
            &[("compose.yaml", named)],
            &[("NAME", "")],
            run,
            "production",
            "database-name-production",
        ),
        case(
            "an empty variable of `.env` neither",
            &[("compose.yaml", named), (".env", "NAME=\n")],
            &[],
            run,
            "production",
            "database-name-production",
        ),
        case("a default in a default", &[("compose.yaml", nested)], &[], run, "production", "database-name-production"),
        case("a variable that is set", &[("compose.yaml", named)], &[("NAME", "shop_test")], run, "safe", ""),
        case(
            "another file instead of `.env`",
            &[
                ("compose.yaml", placed),
                (".env", "DB_HOST=localhost\n"),
                ("live.env", "DB_HOST=db.northwind-shop.net\n"),
            ],
            &[],
            &["docker", "compose", "--env-file", "live.env", "run", "app", "npm", "test"],
            "production",
            "host-remote",
        ),
        case(
            "a name without a value is handed on",
            &[("compose.yaml", handed_on)],
            &[("DATABASE_URL", "@REMOTE")],
            run,
            "production",
            "host-remote",
        ),
    ]);
}

#[test]
fn a_wrapper_that_adds_variables_is_told_of() {
    check(&[
        case(
            "a wrapper adds what is on no disk",
            &[(".env", "DATABASE_URL=@LOCAL\n")],
            &[],
            &["railway", "run", "npm", "test"],
            "unverified",
            "injected-environment",
        ),
        case(
            "another one",
            &[(".env", "DATABASE_URL=@LOCAL\n")],
            &[],
            &["doppler", "run", "--", "npm", "test"],
            "unverified",
            "injected-environment",
        ),
    ]);
    let sandbox = Sandbox::new();
    sandbox.write(".env", filled("DATABASE_URL=@LOCAL\n"));
    let judged = Judged::of(&sandbox, &["railway", "run", "npm", "test"]);
    let remedy = judged.finding("injected-environment")["remedy"].as_str().unwrap();
    assert!(remedy.contains("safe-test inside"), "{remedy}");
}
