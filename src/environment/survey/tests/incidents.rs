//! Incidents that happened, as far as the environment shows them.

use super::*;

const REMOTE: &str = "postgres://app@db.northwind-shop.test/owletto";

#[test]
fn tests_in_an_old_terminal_with_an_exported_url() {
    let case = project(&[("Gemfile", ""), (".env.test", "DATABASE_URL=postgres://localhost/app_test\n")]);
    assert_eq!(case.set("DATABASE_URL", REMOTE).run("bundle exec rspec").values("DATABASE_URL"), [REMOTE]);
}

#[test]
fn make_test_after_a_tool_exported_libpq_variables() {
    let case = project(&[("Makefile", "test:\n\tpytest\n")]).set("PGHOST", "localhost").set("PGPORT", "6543");
    assert_eq!(case.run("make test").values("PGPORT"), ["6543"]);
}

#[test]
fn prisma_db_push_with_the_url_of_a_provider_in_env() {
    let case = project(&[
        ("package.json", "{\"devDependencies\": {\"prisma\": \"5\"}}"),
        (".env", "DATABASE_URL=postgres://x.example.test/railway\n"),
    ]);
    assert_eq!(
        case.run("npx prisma db push --force-reset").seen("DATABASE_URL"),
        ["postgres://x.example.test/railway"]
    );
}

#[test]
fn migrate_fresh_for_testing_without_its_file() {
    let case = project(&[("artisan", ""), (".env", "DB_DATABASE=shop\n")]);
    let conditions = case.run("php artisan migrate:fresh --env=testing --seed").conditions();
    assert!(matches!(&conditions[..], [Condition::MissingEnvironmentFile { .. }]));
}

#[test]
fn test_file_that_points_at_production() {
    let case = project(&[
        (".env.test", "DATABASE_URL=postgres://localhost/protocol_prod\nTEST_DATABASE_SAFE=1\n"),
        ("package.json", "{}"),
    ]);
    assert!(case.run("bun test").seen("DATABASE_URL").contains(&"postgres://localhost/protocol_prod".to_owned()));
}

#[test]
fn test_variable_that_takes_the_value_of_the_real_one() {
    let package = "{\"scripts\": {\"test\": \"TEST_POSTGRES_URL=$CONTENT_DATABASE_URL jest\"}}";
    let case = project(&[("package.json", package)]).set("CONTENT_DATABASE_URL", REMOTE);
    assert!(case.run("npm test").seen("TEST_POSTGRES_URL").contains(&REMOTE.to_owned()));
}

#[test]
fn tests_in_a_deployment_folder_with_its_env_file() {
    let case =
        project(&[(".env", "APP_ENV=production\nDATABASE_URL=postgres://localhost/live\n"), ("pyproject.toml", "")]);
    assert_eq!(case.run(".venv/bin/python -m pytest").seen("APP_ENV"), ["production"]);
}

#[test]
fn module_run_through_a_path_of_an_interpreter() {
    let case =
        project(&[(".env", "DATABASE_URL=x\n"), ("alembic.ini", "[alembic]\nsqlalchemy.url = postgres://h/d\n")]);
    let case = case.run(".venv/bin/python -m alembic downgrade base");
    assert_eq!(case.seen("DATABASE_URL"), ["x"]);
    assert_eq!(case.seen("alembic.sqlalchemy.url"), ["postgres://h/d"]);
}

#[test]
fn fixtures_loaded_inside_a_container() {
    let case = project(&[(
        "docker-compose.yml",
        "services:\n  php:\n    build: .\n    environment: {DATABASE_URL: mysql://db/app}\n",
    )]);
    let case = case.run("docker compose exec php bin/console doctrine:fixtures:load");
    assert!(case.seen("DATABASE_URL").contains(&"mysql://db/app".to_owned()));
    assert!(matches!(&case.conditions()[..], [Condition::ContainerEnvironment { .. }]));
}

#[test]
fn rails_protection_switched_off_in_front_of_the_command() {
    let conditions = project(&[]).run("env DISABLE_DATABASE_ENVIRONMENT_CHECK=1 rails db:reset").conditions();
    assert!(matches!(&conditions[..], [Condition::ProtectionDisabled { .. }]));
}

#[test]
fn rails_protection_switched_off_in_the_environment_or_a_file() {
    let exported = project(&[]).set("DISABLE_DATABASE_ENVIRONMENT_CHECK", "1").run("rails db:reset").conditions();
    assert!(matches!(&exported[..], [Condition::ProtectionDisabled { origin }] if origin.file.is_none()));
    let files =
        [("Gemfile", "gem \"rails\"\ngem \"dotenv-rails\"\n"), (".env", "DISABLE_DATABASE_ENVIRONMENT_CHECK=1\n")];
    let written = project(&files).run("rails db:reset").conditions();
    assert!(
        matches!(&written[..], [Condition::ProtectionDisabled { origin }] if origin.line == Some(1)),
        "{written:?}"
    );
}
