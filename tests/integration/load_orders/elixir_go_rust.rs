//! Elixir's literals by environment, and the `.env` of Go and Rust.

use super::{REMOTE, case, check};

#[test]
fn elixir_takes_the_literals_of_its_environment() {
    let repo = |host: &str| {
        format!("import Config\nconfig :shop, Shop.Repo,\n  hostname: \"{host}\",\n  database: \"shop_test\"\n")
    };
    let (local, remote) = (repo("localhost"), repo("db.northwind-shop.net"));
    check(&[
        case(
            "the file of the tests",
            &[
                ("mix.exs", ""),
                ("config/config.exs", "import Config\n"),
                ("config/test.exs", &*remote),
                ("config/dev.exs", &*local),
            ],
            &[],
            &["mix", "test"],
            "production",
            "host-remote",
        ),
        case(
            "not that of production",
            &[
                ("mix.exs", ""),
                ("config/config.exs", "import Config\n"),
                ("config/test.exs", &*local),
                ("config/prod.exs", &*remote),
            ],
            &[],
            &["mix", "test"],
            "safe",
            "",
        ),
        case(
            "MIX_ENV=prod",
            &[("mix.exs", ""), ("config/test.exs", &*local), ("config/prod.exs", &*local)],
            &[("MIX_ENV", "prod")],
            &["mix", "ecto.drop"],
            "production",
            "environment-production",
        ),
    ]);
}

#[test]
fn go_takes_the_file_of_the_folder() {
    check(&[
        case(
            "`.env` of the folder",
            &[("go.mod", "module shop\n"), (".env", "DATABASE_URL=@REMOTE\n")],
            &[],
            &["go", "test", "./..."],
            "production",
            "host-remote",
        ),
        case(
            "the DSN of its MySQL driver",
            &[("go.mod", "module shop\n"), (".env", "MYSQL_DSN=app:redacted@tcp(db.northwind-shop.net:3306)/shop\n")],
            &[],
            &["go", "test"],
            "production",
            "host-remote",
        ),
    ]);
}

#[test]
fn rust_takes_the_nearest_file_and_the_options_of_its_tools() {
    check(&[
        case(
            "`.env` is searched upwards",
            &[("Cargo.toml", ""), (".env", "DATABASE_URL=@REMOTE\n")],
            &[],
            &["cargo", "test"],
            "production",
            "host-remote",
        ),
        case(
            "Diesel: the option beats the file",
            &[("Cargo.toml", ""), (".env", "DATABASE_URL=@LOCAL\n")],
            &[],
            &["diesel", "migration", "redo", "--database-url", REMOTE],
            "production",
            "host-remote",
        ),
        case(
            "sqlx: a variable of its own",
            &[("Cargo.toml", ""), (".env", "DATABASE_URL=@LOCAL\n")],
            &[],
            &["sqlx", "database", "reset", "-D", REMOTE],
            "production",
            "host-remote",
        ),
    ]);
}
