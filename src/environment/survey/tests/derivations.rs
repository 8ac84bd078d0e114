//! Databases that tests derive, or that a command acts on besides those of its own environment.

use super::*;

const SETTINGS: &str = "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'shop', \
    'HOST': 'localhost', 'TEST': {'NAME': 'shop_ci'}}}\n";
const MANAGE: &str = "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n";
const DATABASE_YML: &str = "development:\n  adapter: postgresql\n  database: shop_dev\ntest:\n  adapter: postgresql\n  \
    database: shop_test<%= ENV['TEST_ENV_NUMBER'] %>\n";

/// Lists who derives databases for the command.
fn derived_by(case: &Case) -> Vec<&'static str> {
    case.survey().derivations.iter().map(|one| one.by).collect()
}

#[test]
fn tests_that_derive_databases_say_so() {
    let rails = [("config/application.rb", ""), ("config/database.yml", DATABASE_YML), ("Gemfile", "")];
    let django = [("manage.py", MANAGE), ("shop/settings.py", SETTINGS)];
    let laravel = [("artisan", ""), (".env", "DB_DATABASE=shop\n")];
    let doctrine = "doctrine:\n  dbal:\n    url: 'mysql://localhost/shop'\nwhen@test:\n  doctrine:\n    dbal:\n      \
        dbname_suffix: '_test%env(default::TEST_TOKEN)%'\n";
    let symfony = [
        ("symfony.lock", ""),
        ("config/packages/doctrine.yaml", doctrine),
        ("composer.json", "symfony/framework-bundle"),
    ];
    let hanami = [("Gemfile", "gem 'hanami-db'\n"), (".env", "DATABASE_URL=sqlite://db/shop.sqlite\n")];
    let ecto = [("mix.exs", ""), ("config/test.exs", PARTITIONED)];
    let plain_ecto = [("mix.exs", ""), ("config/test.exs", "config :shop, Shop.Repo, database: \"shop_test\"\n")];
    type Files<'f> = &'f [(&'f str, &'f str)];
    let table: &[(Files<'_>, &str, &[&str])] = &[
        (&django, "python manage.py test", &["Django's tests"]),
        (&django, "pytest -n auto", &["Django's tests"]),
        (&django, "python manage.py migrate", &[]),
        (&rails, "bin/rails test", &["Rails' parallel tests", "parallel tests"]),
        (&rails, "bin/rails db:migrate", &[]),
        (&laravel, "php artisan test --parallel", &["Laravel's parallel tests"]),
        (&laravel, "vendor/bin/paratest", &["Laravel's parallel tests"]),
        (&laravel, "php artisan test", &[]),
        (&laravel, "php artisan migrate", &[]),
        (&symfony, "php bin/phpunit", &["parallel tests"]),
        (&symfony, "php bin/console doctrine:migrations:migrate", &[]),
        (&hanami, "bundle exec rspec", &["Hanami's tests"]),
        (&hanami, "bundle exec hanami db migrate", &["Hanami's tests"]),
        (&ecto, "mix test --partitions 4", &["parallel tests"]),
        (&plain_ecto, "mix test", &[]),
    ];
    for (files, command, expected) in table {
        assert_eq!(derived_by(&project(files).run(command)), *expected, "{command}");
    }
    // Without a command, all that may be run counts.
    assert_eq!(derived_by(&project(&laravel)), ["Laravel's parallel tests"]);
}

const PARTITIONED: &str = "import Config\nconfig :shop, Shop.Repo,\n  \
    database: \"shop_test#{System.get_env(\"MIX_TEST_PARTITION\")}\"\n";

#[test]
fn a_partition_of_elixirs_tests_has_its_database() {
    let files = [("mix.exs", ""), ("config/test.exs", PARTITIONED)];
    assert_eq!(project(&files).run("mix test").seen("Shop.Repo.database"), ["shop_test"]);
    let third = project(&files).set("MIX_TEST_PARTITION", "3").run("mix test");
    assert_eq!(third.seen("Shop.Repo.database"), ["shop_test3"]);
}

#[test]
fn the_database_that_django_names_for_its_tests_is_read_for_them() {
    let files = [("manage.py", MANAGE), ("shop/settings.py", SETTINGS)];
    let seen = |command: &str, key: &str| project(&files).run(command).seen(&format!("DATABASES.default{key}"));
    assert_eq!(seen("python manage.py test", "_test.NAME"), ["shop_ci"]);
    assert_eq!(seen("python manage.py test", "_test.HOST"), ["localhost"]);
    assert_eq!(seen("python manage.py test", ".NAME"), ["shop"]);
    assert_eq!(seen("python manage.py migrate", "_test.NAME"), NONE);
}

#[test]
fn a_task_of_rails_that_makes_the_tests_database_reads_its_section() {
    let files = [("config/application.rb", ""), ("config/database.yml", DATABASE_YML), ("Gemfile", "")];
    let sections = |case: Case| {
        let both = ["development.database", "test.database"].map(|name| case.seen(name).len());
        (both[0] > 0, both[1] > 0)
    };
    for (command, expected) in [
        ("bin/rails db:reset", (true, true)),
        ("bundle exec rake db:drop db:create", (true, true)),
        ("bin/rails db:schema:load:primary", (true, true)),
        ("bin/rails db:test:prepare", (true, true)),
        ("bin/rails db:migrate", (true, false)),
        ("bin/rails db:seed", (true, false)),
        ("bin/rails test", (false, true)),
        // What the project's own Rakefile takes for the default, mostly the tests.
        ("rake", (true, true)),
        ("RAILS_ENV=development rake db:reset", (true, true)),
        ("RAILS_ENV=test rake db:reset", (false, true)),
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        let case = match words[0].split_once('=') {
            Some((name, value)) => project(&files).set(name, value).words(&words[1..]),
            None => project(&files).words(&words),
        };
        assert_eq!(sections(case), expected, "{command}");
    }
    let skipped = project(&files).set("SKIP_TEST_DATABASE", "1").run("bin/rails db:reset");
    assert_eq!(sections(skipped), (true, false));
}
