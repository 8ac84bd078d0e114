//! Rails: the section of `config/database.yml`, `DATABASE_URL` over it, ERB in it.

use super::{case, check};

#[test]
fn rails_takes_the_section_of_its_environment() {
    let yaml = "default: &default\n  adapter: postgresql\n  host: localhost\ndevelopment:\n  <<: *default\n  database: shop_development\ntest:\n  <<: *default\n  database: shop_test\nproduction:\n  adapter: postgresql\n  host: db.northwind-shop.net\n  database: shop_production\n";
    let erb = "test:\n  adapter: postgresql\n  host: <%= ENV.fetch('DB_HOST', 'localhost') %>\n  database: shop_test\n";
    let command_substitution = "test:\n  url: <%= `cat /etc/shop/url` %>\n";
    let mark = ("config/application.rb", "");
    let test = &["bin/rails", "test"];
    check(&[
        case("the section of the environment counts", &[mark, ("config/database.yml", yaml)], &[], test, "safe", ""),
        case(
            "also when it is production",
            &[mark, ("config/database.yml", yaml)],
            &[("RAILS_ENV", "production")],
            &["bin/rails", "db:migrate"],
            "production",
            "host-remote",
        ),
        case(
            "DATABASE_URL counts in tests",
            &[mark, ("config/database.yml", yaml)],
            &[("DATABASE_URL", "@REMOTE")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "from a file too",
            &[mark, ("config/database.yml", yaml), (".env", "DATABASE_URL=@REMOTE\n")],
            &[],
            test,
            "production",
            "host-remote",
        ),
        case("ERB with a default", &[mark, ("config/database.yml", erb)], &[], test, "safe", ""),
        case(
            "ERB with a variable",
            &[mark, ("config/database.yml", erb)],
            &[("DB_HOST", "db.northwind-shop.net")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "ERB that would have to run",
            &[mark, ("config/database.yml", command_substitution)],
            &[],
            test,
            "unverified",
            "",
        ),
        case(
            "`.env.local` is not for tests",
            &[mark, ("config/database.yml", yaml), (".env.local", "DATABASE_URL=@REMOTE\n")],
            &[("RAILS_ENV", "test")],
            test,
            "safe",
            "",
        ),
        case(
            "a query names another host",
            &[
                mark,
                ("config/database.yml", "test:\n  url: postgres://localhost/shop_test?host=db.northwind-shop.net\n"),
            ],
            &[],
            test,
            "production",
            "host-remote",
        ),
        case(
            "the protection is switched off",
            &[mark, ("config/database.yml", yaml)],
            &[],
            &["env", "DISABLE_DATABASE_ENVIRONMENT_CHECK=1", "bin/rails", "db:drop"],
            "unverified",
            "protection-disabled",
        ),
    ]);
}
