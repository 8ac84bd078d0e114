//! What each framework makes of its own files.

use super::*;

type Files<'a> = &'a [(&'a str, &'a str)];

#[test]
fn laravel_takes_one_file() {
    let both = [
        ("artisan", ""),
        (".env", "H=main\nK=k\n"),
        (".env.testing", "H=tests\n"),
        ("phpunit.xml", "<phpunit><php><env name=\"APP_ENV\" value=\"testing\"/></php></phpunit>"),
    ];
    let table: &[(Files, &str, &[&str])] = &[
        (&both, "php artisan test", &["tests"]),
        (&both, "vendor/bin/phpunit", &["tests"]),
        (&both, "php artisan migrate", &["main"]),
        (&both, "php artisan migrate:fresh --env=testing", &["tests"]),
        (&both[..2], "php artisan test", &["main"]),
        (&both[..3], "vendor/bin/pest", &["main", "tests"]),
    ];
    for (files, command, expected) in table {
        assert_eq!(project(files).run(command).seen("H"), *expected, "{command}");
    }
    assert_eq!(project(&both).run("php artisan test").seen("K"), NONE, "files are not layered");
    assert_eq!(project(&both).seen("H"), ["main", "tests"]);
    assert_eq!(project(&both).set("APP_ENV", "local").run("php artisan test").seen("H"), ["main"]);
}

#[test]
fn missing_testing_file_falls_back_and_is_said() {
    let case =
        project(&[("artisan", ""), (".env", "DB_DATABASE=shop\n")]).run("php artisan migrate:fresh --env=testing");
    assert_eq!(case.seen("DB_DATABASE"), ["shop"]);
    let expected = Condition::MissingEnvironmentFile { wanted: ".env.testing".into(), fallback: ".env".into() };
    assert_eq!(case.conditions(), [expected]);
}

#[test]
fn cached_laravel_configuration_is_a_condition() {
    let case = project(&[("artisan", ""), ("bootstrap/cache/config.php", "<?php")]).run("php artisan test");
    assert_eq!(case.conditions(), [Condition::CachedLaravelConfig { file: "bootstrap/cache/config.php".into() }]);
}

#[test]
fn exported_variable_beats_a_forced_env_of_phpunit_but_not_a_server() {
    let xml = "<phpunit><php><env name=\"DB_HOST\" value=\"xml\" force=\"true\"/><server name=\"DB_NAME\" value=\"xml\"/><env name=\"DB_PORT\" value=\"1\"/></php></phpunit>";
    let case = project(&[("artisan", ""), ("phpunit.xml", xml), (".env", "DB_HOST=f\nDB_NAME=f\nDB_PORT=2\n")])
        .run("php artisan test");
    assert_eq!(case.seen("DB_HOST"), ["xml"]);
    assert_eq!(case.seen("DB_PORT"), ["1"]);
    let case = case.set("DB_HOST", "shell").set("DB_NAME", "shell");
    assert_eq!(case.values("DB_HOST"), ["shell"]);
    assert!(case.seen("DB_NAME").contains(&"xml".to_owned()));
}

#[test]
fn commented_out_lines_of_phpunit_do_not_count() {
    let xml = "<phpunit><php><env name=\"APP_ENV\" value=\"testing\"/><!-- <env name=\"DB_CONNECTION\" value=\"sqlite\"/> --></php></phpunit>";
    let case = project(&[("phpunit.xml", xml), (".env", "DB_CONNECTION=mysql\n")]).run("php artisan test");
    assert_eq!(case.seen("DB_CONNECTION"), ["mysql"]);
}

#[test]
fn symfony_layers_its_files_and_skips_the_local_one_in_tests() {
    let files = [
        ("composer.json", "{\"require\": {\"symfony/framework-bundle\": \"*\"}}"),
        (".env", "A=main\nB=main\nC=main\n"),
        (".env.local", "A=local\nB=local\n"),
        (".env.test", "A=test\n"),
    ];
    let case = project(&files).run("bin/phpunit");
    assert_eq!(
        (case.seen("A"), case.seen("B"), case.seen("C")),
        (vec!["test".to_owned()], vec!["main".to_owned()], vec!["main".to_owned()])
    );
    let case = project(&files).run("bin/console doctrine:migrations:migrate");
    assert_eq!(case.seen("A"), ["local"]);
    let dumped = [
        files[0],
        files[1],
        (".env.local.php", "<?php\nreturn array (\n  'APP_ENV' => 'prod',\n  'A' => 'dumped',\n);\n"),
    ];
    assert_eq!(project(&dumped).run("bin/console cache:clear").seen("A"), ["dumped", "main"]);
    assert_eq!(project(&dumped).set("APP_ENV", "test").run("bin/phpunit").seen("A"), ["main"]);
}

const DATABASE_YML: &str = "default: &default\n  adapter: postgresql\n  host: <%= ENV[\"DB_HOST\"] || \"localhost\" %>\n  password: <%= Rails.application.credentials.db %>\n\ndevelopment:\n  <<: *default\n  database: app_development\n\ntest:\n  <<: *default\n  database: app_test<%= ENV['TEST_ENV_NUMBER'] %>\n\nproduction:\n  <<: *default\n  host: db.prod\n  url: <%= ENV['PROD_URL'] %>\n";

#[test]
fn rails_reads_the_section_of_its_environment() {
    let files = [("config/application.rb", ""), ("config/database.yml", DATABASE_YML), ("Gemfile", "")];
    let case = project(&files).run("bin/rails test");
    assert_eq!(case.seen("test.host"), ["localhost"]);
    assert_eq!(case.seen("test.database"), ["app_test"]);
    assert_eq!(case.seen("development.host"), NONE);
    assert_eq!(case.seen("production.host"), NONE);
    assert_eq!(project(&files).set("DB_HOST", "db").run("rake spec").seen("test.host"), ["db"]);
    assert_eq!(project(&files).run("rails db:migrate RAILS_ENV=production").seen("production.host"), ["db.prod"]);
    let survey = project(&files).run("bin/rails test").survey();
    let password = survey.readings.iter().find_map(|reading| reading.get("test.password")).unwrap();
    assert_eq!(password.unresolved, Some(crate::environment::Unresolved::Template));
    let database = survey.readings.iter().find_map(|reading| reading.get("test.database")).unwrap();
    assert_eq!(database.origin, crate::environment::Origin::file("database", "config/database.yml", 12));
}

#[test]
fn database_url_counts_for_rails_tests_too() {
    let files = [("config/database.yml", DATABASE_YML), (".env", "DATABASE_URL=postgres://remote/shop\n")];
    let case = project(&files).run("rspec");
    assert_eq!(case.seen("DATABASE_URL"), ["postgres://remote/shop"]);
    assert_eq!(case.seen("test.database"), NONE);
}

#[test]
fn django_settings_are_read_for_their_literals() {
    let settings = "import environ\nDATABASES = {\n    'default': {\n        'ENGINE': 'django.db.backends.postgresql',\n        'HOST': os.environ.get('DB_HOST', 'db.remote'),\n        'NAME': 'shop',\n    },\n    'other': env.db('OTHER_URL', default='sqlite:///x'),\n}\n";
    let files = [
        ("manage.py", "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'app.settings')\n"),
        ("app/settings.py", settings),
        ("app/.env", "DB_HOST=inner\n"),
    ];
    let case = project(&files).run("python manage.py test");
    assert_eq!(case.seen("DATABASES.default.HOST"), ["db.remote", "inner"]);
    assert_eq!(case.seen("DATABASES.default.NAME"), ["shop"]);
    assert_eq!(case.seen("DATABASES.other"), ["sqlite:///x"]);
}

#[test]
fn pytest_configuration_counts() {
    let files = [
        ("manage.py", ""),
        (
            "pytest.ini",
            "[pytest]\nDJANGO_SETTINGS_MODULE = app.test_settings\nenv =\n    DB_HOST=forced\n    D:DB_NAME=default\n",
        ),
        ("app/test_settings.py", "DATABASES = {'default': {'HOST': 'h'}}\n"),
    ];
    let case = project(&files).set("DB_HOST", "shell").set("DB_NAME", "shell").run("pytest -q");
    assert_eq!(case.seen("DATABASES.default.HOST"), ["h"]);
    assert_eq!(case.seen("DB_HOST"), ["forced", "shell"]);
    assert_eq!(case.seen("DB_NAME"), ["shell"]);
}

#[test]
fn python_dotenv_climbs_and_node_does_not() {
    let files = [(".env", "A=up\n"), ("sub/x.py", ""), ("package.json", "{\"dependencies\": {\"dotenv\": \"1\"}}")];
    assert_eq!(project(&files).in_folder("/p/sub").run("pytest").seen("A"), ["up"]);
    assert_eq!(project(&files).in_folder("/p/sub").run("node x.js").seen("A"), NONE);
}

#[test]
fn node_loaders_follow_their_own_orders() {
    let env = [
        (".env", "A=main\n"),
        (".env.local", "A=local\n"),
        (".env.test", "A=test\n"),
        (".env.production", "A=production\n"),
    ];
    let with = |dependencies: &str| {
        let mut files = env.to_vec();
        let text = format!("{{\"dependencies\": {dependencies}}}");
        let text: &'static str = text.leak();
        files.push(("package.json", text));
        project(&files)
    };
    let table: &[(&str, &str, &[&str])] = &[
        ("{\"dotenv-flow\": \"4\"}", "jest", &["test"]),
        ("{\"dotenv-flow\": \"4\"}", "knex migrate:latest", &["local"]),
        ("{\"next\": \"16\"}", "jest", &["test"]),
        ("{\"next\": \"16\"}", "next dev", &["local"]),
        ("{\"next\": \"16\"}", "next build", &["local"]),
        ("{\"dotenv\": \"16\"}", "jest", &["main", "test"]),
        ("{\"dotenv\": \"16\"}", "node --env-file=.env.production x.js", &["local", "main", "production", "test"]),
    ];
    for (dependencies, command, expected) in table {
        assert_eq!(with(dependencies).run(command).seen("A"), *expected, "{dependencies} {command}");
    }
    let case = with("{\"next\": \"16\"}").set("NODE_ENV", "production");
    assert_eq!(case.run("node seed.js").seen("A"), ["local"]);
    let without_local = [env[0], env[3], ("package.json", "{\"dependencies\": {\"next\": \"16\"}}")];
    assert_eq!(project(&without_local).run("next start").seen("A"), ["production"]);
    assert_eq!(with("{\"vitest\": \"3\"}").run("vitest run").seen("A"), ["main", "test"]);
}

#[test]
fn file_that_nothing_would_load_does_not_count() {
    let files = [
        (".env", "A=main\n"),
        (".env.production", "A=production\n"),
        (".env.example", "A=example\n"),
        ("compose.prod.yml", "services: {a: {build: ., environment: {A: compose}}}\n"),
        ("package.json", "{}"),
    ];
    assert_eq!(project(&files).run("npx jest").seen("A"), ["main"]);
    assert_eq!(project(&files).seen("A"), ["main"]);
    assert!(project(&files).run("cross-env NODE_ENV=production jest").seen("A").contains(&"production".to_owned()));
    assert!(project(&files).env_file(".env.production").run("npx jest").seen("A").contains(&"production".to_owned()));
}

#[test]
fn scripts_and_wrappers_choose_files() {
    let package = "{\"scripts\": {\"test\": \"dotenv -e .env.ci -- jest\", \"pretest\": \"prisma migrate deploy\"}}";
    let files = [
        ("package.json", package),
        (".env", "A=main\n"),
        (".env.ci", "A=ci\n"),
        ("prisma/schema.prisma", "datasource db {\n  url = env(\"A\")\n}\n"),
    ];
    assert_eq!(project(&files).run("npm test").seen("A"), ["ci", "main"]);
    let case = project(&files).words(&["sh", "-c", ". ./.env.ci && psql \"$A\""]);
    assert_eq!(case.seen("A"), ["ci"]);
    assert_eq!(project(&files).run("psql app").seen("A"), NONE);
}

#[test]
fn prisma_reads_the_schema_and_its_folder() {
    let schema = "datasource db {\n  provider = \"postgresql\"\n  url = \"postgres://remote/app\"\n  shadowDatabaseUrl = env(\"SHADOW\")\n}\n";
    let files =
        [("prisma/schema.prisma", schema), ("prisma/.env", "SHADOW=s\nDATABASE_URL=a\n"), (".env", "DATABASE_URL=b\n")];
    let case = project(&files).run("npx prisma migrate reset");
    assert_eq!(case.seen("datasource.db.url"), ["postgres://remote/app"]);
    assert_eq!(case.seen("SHADOW"), ["s"]);
    assert!(case.survey().bases.contains(&PathBuf::from("/p/prisma")));
    assert!(matches!(&case.conditions()[..], [Condition::DuplicatePrismaKey { key, .. }] if key == "DATABASE_URL"));
}

#[test]
fn rust_and_go_read_their_files() {
    let files = [("Cargo.toml", ""), (".env", "A=root\n"), ("crates/x/Cargo.toml", ""), ("go.mod", "")];
    assert_eq!(project(&files).in_folder("/p/crates/x").run("cargo test").seen("A"), ["root"]);
    assert_eq!(project(&files).run("diesel migration run").seen("A"), ["root"]);
    assert_eq!(project(&files).run("go test ./...").seen("A"), ["root"]);
}

#[test]
fn spring_lays_profiles_over_the_plain_file() {
    let files = [
        ("pom.xml", ""),
        (
            "src/main/resources/application.yml",
            "spring:\n  datasource:\n    url: jdbc:postgresql://${DB_HOST:localhost}/app\n---\nspring:\n  config.activate.on-profile: prod\n  datasource:\n    url: jdbc:postgresql://prod/app\n",
        ),
        ("src/main/resources/application-dev.properties", "spring.datasource.url=jdbc:h2:mem:x\n"),
    ];
    let name = "spring.datasource.url";
    assert_eq!(project(&files).run("mvn test").seen(name), ["jdbc:postgresql://localhost/app"]);
    assert_eq!(
        project(&files).set("DB_HOST", "remote").run("./mvnw test").seen(name),
        ["jdbc:postgresql://remote/app"]
    );
    assert_eq!(project(&files).set("SPRING_PROFILES_ACTIVE", "dev").run("mvn test").seen(name), ["jdbc:h2:mem:x"]);
    assert_eq!(
        project(&files).run("mvn test -Dspring.profiles.active=prod").seen(name),
        ["jdbc:postgresql://prod/app"]
    );
    assert_eq!(project(&files).set("SPRING_DATASOURCE_URL", "x").run("mvn test").seen(name), NONE);
}

#[test]
fn dotnet_takes_production_where_nothing_is_said() {
    let files = [
        ("app.csproj", ""),
        ("appsettings.json", "{\"ConnectionStrings\": {\"Default\": \"Host=base\"}}"),
        ("appsettings.Production.json", "{\"ConnectionStrings\": {\"Default\": \"Host=prod\"}}"),
        ("appsettings.Development.json", "{\"ConnectionStrings\": {\"Default\": \"Host=dev\"}}"),
    ];
    let name = "ConnectionStrings.Default";
    assert_eq!(project(&files).run("dotnet run").seen(name), ["Host=prod"]);
    let launch = (
        "Properties/launchSettings.json",
        "{\"profiles\": {\"x\": {\"environmentVariables\": {\"ASPNETCORE_ENVIRONMENT\": \"Development\"}}}}",
    );
    assert_eq!(project(&[files[0], files[1], files[2], files[3], launch]).run("dotnet run").seen(name), ["Host=dev"]);
    assert_eq!(project(&files).run("dotnet test").seen(name), ["Host=dev", "Host=prod"]);
    let with_host = "<PackageReference Include=\"Microsoft.AspNetCore.Mvc.Testing\" />";
    let hosted = [("app.csproj", with_host), files[1], files[2], files[3]];
    assert_eq!(project(&hosted).run("dotnet test").seen(name), ["Host=dev"]);
    assert_eq!(project(&hosted[..3]).run("dotnet test").seen(name), ["Host=base"]);
    assert_eq!(project(&hosted).run("dotnet run").seen(name), ["Host=prod"]);
    let named = project(&hosted).set("DOTNET_ENVIRONMENT", "Production");
    assert_eq!(named.run("dotnet test").seen(name), ["Host=prod"]);
    assert_eq!(project(&files).set("DOTNET_ENVIRONMENT", "Production").run("dotnet test").seen(name), ["Host=prod"]);
}

#[test]
fn elixir_reads_the_literals_of_its_environment() {
    let test = "import Config\nconfig :app, App.Repo,\n  username: \"postgres\",\n  hostname: System.get_env(\"DB_HOST\") || \"localhost\",\n  database: \"app_test#{System.get_env(\"MIX_TEST_PARTITION\")}\"\n";
    let runtime =
        "if config_env() == :prod do\n  config :app, App.Repo, url: System.fetch_env!(\"DATABASE_URL\")\nend\n";
    let files = [("mix.exs", ""), ("config/test.exs", test), ("config/runtime.exs", runtime)];
    let case = project(&files).run("mix test");
    assert_eq!(case.seen("App.Repo.hostname"), ["localhost"]);
    assert_eq!(case.seen("App.Repo.database"), ["app_test"]);
    assert_eq!(case.seen("App.Repo.url"), NONE);
    let case = project(&files).set("MIX_ENV", "prod").set("DATABASE_URL", "u").run("mix ecto.migrate");
    assert_eq!(case.seen("App.Repo.url"), ["u"]);
}
