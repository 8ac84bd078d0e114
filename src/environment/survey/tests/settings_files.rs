//! Settings files of libraries and tools, and those that a command names.

use super::*;

type Files<'a> = &'a [(&'a str, &'a str)];

#[test]
fn node_config_lays_its_folder_over_the_defaults() {
    let manifest = ("package.json", r#"{"dependencies": {"config": "3"}}"#);
    let files = [
        manifest,
        ("config/default.json", r#"{"db": {"host": "base", "name": "shop", "port": 1}}"#),
        ("config/test.yaml", "db:\n  host: tests\n"),
        ("config/production.json", r#"{"db": {"host": "far"}}"#),
        ("config/custom-environment-variables.json", r#"{"db": {"name": "THE_NAME"}}"#),
    ];
    let case = project(&files).run("jest");
    assert_eq!(case.seen("db.host"), ["tests"]);
    assert_eq!(case.seen("db.port"), ["1"]);
    assert_eq!(project(&files).run("mocha").seen("db.host"), ["base", "tests"], "mocha sets no NODE_ENV");
    assert_eq!(project(&files).set("NODE_CONFIG_ENV", "production").run("jest").seen("db.host"), ["far"]);
    assert_eq!(project(&files).set("THE_NAME", "other").run("jest").seen("db.name"), ["other"]);
    assert_eq!(project(&files).set("NODE_CONFIG", r#"{"db":{"host":"x"}}"#).run("jest").seen("db.host"), ["x"]);
    let code = [manifest, ("config/default.js", "module.exports = { db: { host: 'coded' } };")];
    assert_eq!(project(&code).run("jest").seen("db.host"), ["coded"]);
    let five = [manifest, ("config/local.json5", "{ // here\n db: { host: 'five', }, }")];
    assert_eq!(project(&five).run("jest").seen("db.host"), ["five"]);
    assert_eq!(project(&files[1..]).run("jest").seen("db.host"), NONE, "without the library nothing reads them");
}

#[test]
fn settings_files_count_by_their_conventional_names() {
    let go = ("go.mod", "require github.com/spf13/viper v1.18.2");
    let rust = ("Cargo.toml", "[dependencies]\nconfig = \"0.14\"\n");
    let table: &[(Files, &str, &[&str])] = &[
        (&[go, ("config.yaml", "db:\n  host: h\n")], "go test ./...", &["h"]),
        (&[go, ("config/config.toml", "[db]\nhost = 'h'\n")], "go test ./...", &["h"]),
        (&[go, ("configs/test.yml", "db: {host: h}\n"), ("configs/prod.yml", "db: {host: x}\n")], "go test", &["h"]),
        (&[("go.mod", "module x"), ("config.yaml", "db:\n  host: h\n")], "go test ./...", &[]),
        (&[rust, ("config/default.toml", "[db]\nhost = 'h'\n")], "cargo test", &["h"]),
        (&[rust, ("configuration/production.yaml", "db:\n  host: h\n")], "cargo test", &[]),
        (&[rust, ("Settings.toml", "[production.db]\nhost = 'x'\n[db]\nhost = 'h'\n")], "cargo test", &["h"]),
    ];
    for (files, command, expected) in table {
        assert_eq!(project(files).run(command).seen("db.host"), *expected, "{files:?}");
    }
    let loco = [
        ("Cargo.toml", "loco-rs = \"0.8\""),
        ("config/test.yaml", "db:\n  uri: {{ get_env(name=\"X\", default=\"postgres://h/d\") }}\n"),
    ];
    assert_eq!(project(&loco).run("cargo test").seen("db.uri"), ["postgres://h/d"]);
    assert_eq!(project(&loco).set("X", "y").run("cargo test").seen("db.uri"), ["y"]);
    // Both names hold TOML.
    for name in [".cargo/config.toml", ".cargo/config"] {
        let cargo = [("Cargo.toml", ""), (name, "[env]\nDATABASE_URL = 'postgres://h/d'\n")];
        assert_eq!(project(&cargo).run("cargo test").seen("DATABASE_URL"), ["postgres://h/d"], "{name}");
    }
}

#[test]
fn migration_tools_read_their_own_files() {
    let sections = ("dbconfig.yml", "development:\n  datasource: here\nproduction:\n  datasource: there\n");
    let atlas =
        ("atlas.hcl", "env \"local\" {\n  url = \"a\"\n  dev = \"d\"\n}\nenv \"prod\" {\n  url = getenv(\"U\")\n}\n");
    let toml = ("flyway.toml", "[environments.default]\nurl = 'a'\n[environments.prod]\nurl = '${env.U}'\n");
    let table: &[(Files, &str, &str, &[&str])] = &[
        (&[("flyway.conf", "flyway.url=jdbc:x\n")], "flyway migrate", "flyway.url", &["jdbc:x"]),
        (&[("conf/flyway.conf", "flyway.url=jdbc:x\n")], "mvn flyway:clean", "flyway.url", &["jdbc:x"]),
        (&[toml], "flyway migrate", "database.environments.default.url", &["a"]),
        (&[toml], "flyway migrate", "database.environments.prod.url", &[]),
        (&[toml], "flyway -environment=prod clean", "database.environments.prod.url", &["u"]),
        (&[("x/f.conf", "flyway.url=jdbc:x\n")], "flyway -configFiles=x/f.conf info", "flyway.url", &["jdbc:x"]),
        (&[("liquibase.properties", "url: jdbc:x\n")], "liquibase update", "url", &["jdbc:x"]),
        (&[("p.properties", "url=jdbc:x\n")], "liquibase --defaultsFile=p.properties update", "url", &["jdbc:x"]),
        (&[sections], "sql-migrate up", "development.datasource", &["here"]),
        (&[sections], "sql-migrate up", "production.datasource", &[]),
        (&[sections], "sql-migrate up -env=production", "production.datasource", &["there"]),
        (&[atlas], "atlas schema apply --env local", "env.local.url", &["a"]),
        (&[atlas], "atlas schema apply --env local", "env.local.dev", &[]),
        (&[atlas], "atlas schema apply --env prod", "env.prod.url", &["u"]),
    ];
    for (files, command, name, expected) in table {
        assert_eq!(project(files).set("U", "u").run(command).seen(name), *expected, "{command}: {name}");
    }
}

#[test]
fn a_settings_file_that_the_command_names_counts() {
    let ini = ("prod.ini", "[alembic]\nsqlalchemy.url = there\n");
    let table: &[(Files, &str, &str, &str)] = &[
        (&[ini], "alembic -c prod.ini upgrade head", "alembic.sqlalchemy.url", "there"),
        (&[ini], "alembic --config=prod.ini upgrade head", "alembic.sqlalchemy.url", "there"),
        (&[(".env.x", "A=b\n"), (".env", "B=c\n")], "pytest --envfile=.env.x", "A", "b"),
        (&[(".env.x", "A=b\n")], "dbmate --env-file .env.x up", "A", "b"),
        (&[(".env.x", "A=b\n")], "goose -env .env.x up", "A", "b"),
        (&[(".env.x", "A=b\n")], "flask --env-file .env.x db upgrade", "A", "b"),
        (
            &[("db/kf.js", "module.exports = { development: { client: 'pg', connection: { host: 'h' } } };")],
            "knex --knexfile db/kf.js migrate:latest",
            "database.connection.host",
            "h",
        ),
        (
            &[("db/source.ts", "export default new DataSource({ type: 'postgres', host: 'h', database: 'd' })")],
            "typeorm migration:run -d db/source.ts",
            "database.host",
            "h",
        ),
    ];
    for (files, command, name, expected) in table {
        assert_eq!(project(files).run(command).seen(name), [*expected], "{command}");
    }
}

#[test]
fn hocon_of_the_program_is_read_with_its_overrides() {
    let files = [
        ("build.gradle.kts", ""),
        ("src/main/resources/application.conf", "db {\n  url = \"jdbc:x\"\n  url = ${?DB_URL}\n}\n"),
    ];
    assert_eq!(project(&files).run("./gradlew test").seen("db.url"), ["jdbc:x"]);
    assert_eq!(project(&files).set("DB_URL", "jdbc:y").run("./gradlew test").seen("db.url"), ["jdbc:y"]);
}

#[test]
fn a_named_file_beats_the_one_that_is_always_loaded() {
    let files = [(".env.x", "A=named\n"), (".env", "A=plain\n"), ("requirements.txt", "")];
    assert!(project(&files).run("pytest --envfile=.env.x").seen("A").contains(&"named".to_owned()));
}

#[test]
fn laravel_falls_back_to_its_own_configuration() {
    let php = "<?php\n/* it's said */\nreturn [ 'default' => env('DB_CONNECTION', 'mysql'),\n 'connections' => [\n \
               'sqlite' => [ 'driver' => 'sqlite', 'database' => env('DB_DATABASE', database_path('x.sqlite')) ],\n \
               'mysql' => [ 'driver' => 'mysql', 'host' => env('DB_HOST', 'h'), 'database' => env('DB_DATABASE', 'd') ],\n \
               'pgsql' => [ 'driver' => 'pgsql', 'host' => env('PG_HOST', 'p') ],\n \
               'old' => [ 'driver' => 'mysql', 'host' => 'far', 'database' => 'erp' ],\n ] ];";
    let files = [("artisan", ""), ("config/database.php", php), (".env", "APP_ENV=local\n")];
    let case = project(&files).run("php artisan migrate");
    assert_eq!(case.seen("DB_HOST"), ["h"]);
    assert_eq!(case.seen("DB_CONNECTION"), ["mysql"]);
    assert_eq!(case.seen("database.old.host"), ["far"], "a host of its own, whatever the variables say");
    assert_eq!(case.seen("PG_HOST"), NONE, "a connection that nothing asks for");
    let case = project(&files).set("DB_CONNECTION", "sqlite").set("DB_HOST", "mine").run("php artisan migrate");
    assert_eq!(case.seen("DB_HOST"), ["mine"]);
    assert_eq!(case.seen("DB_DATABASE"), ["x.sqlite"]);
}

#[test]
fn php_settings_in_code_and_yaml_are_read() {
    let wordpress =
        [("wp-config.php", "<?php\ndefine( 'DB_HOST', 'h' );\ndefine('DB_NAME','n');\ndefine('X', 'y');\n")];
    let case = project(&wordpress).run("wp db reset");
    assert_eq!((case.seen("DB_HOST"), case.seen("DB_NAME")), (vec!["h".to_owned()], vec!["n".to_owned()]));
    assert_eq!(case.seen("X"), NONE);
    let yaml = "doctrine:\n  dbal:\n    host: h\n    url: '%env(DATABASE_URL)%'\nwhen@test:\n  doctrine:\n    dbal:\n      dbname: t\n";
    let doctrine = [("symfony.lock", ""), ("config/packages/doctrine.yaml", yaml)];
    let case = project(&doctrine).run("php bin/phpunit");
    assert_eq!(
        (case.seen("database.host"), case.seen("database.dbname")),
        (vec!["h".to_owned()], vec!["t".to_owned()])
    );
    assert_eq!(case.seen("database.url"), NONE);
}

#[test]
fn quarkus_takes_the_keys_of_its_profile() {
    let text = "db.url=plain\n%prod.db.url=far\n%test.db.url=tests\n%dev.db.name=d\n";
    let files = [("pom.xml", ""), ("src/main/resources/application.properties", text)];
    assert_eq!(project(&files).run("mvn test").seen("db.url"), ["tests"]);
    assert_eq!(project(&files).run("mvn quarkus:dev").seen("db.url"), ["plain"]);
    assert_eq!(project(&files).run("mvn quarkus:dev").seen("db.name"), ["d"]);
    assert_eq!(project(&files).run("mvn test -Dquarkus.test.profile=prod").seen("db.url"), ["far"]);
    assert_eq!(project(&files).set("QUARKUS_PROFILE", "prod").run("mvn quarkus:dev").seen("db.url"), ["far"]);
}

#[test]
fn options_in_pytests_configuration_count_like_typed_ones() {
    let settings = "DATABASES = {'default': {'HOST': 'far'}}";
    let table: &[(Files, &str, &str)] = &[
        (&[("pytest.ini", "[pytest]\naddopts = -q --ds=shop.far\n")], "", "pytest"),
        (&[("far.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = shop.far\n")], "", "pytest -c far.ini"),
        (&[("pytest.ini", "[pytest]\n")], "--ds=shop.far", "pytest"),
    ];
    for (files, options, command) in table {
        let files: Vec<_> =
            files.iter().copied().chain([("manage.py", ""), ("shop/far.py", settings), ("shop/near.py", "")]).collect();
        let case = project(&files).set("PYTEST_ADDOPTS", options).run(command);
        assert_eq!(case.seen("DATABASES.default.HOST"), ["far"], "{command}");
    }
}

#[test]
fn files_and_variables_of_a_test_runners_configuration_count() {
    let manifest = ("package.json", "{}");
    let table: &[(Files, &str)] = &[
        (&[manifest, ("jest.config.js", "require('dotenv').config({ path: '.env.x' });"), (".env.x", "A=b\n")], "jest"),
        (
            &[
                manifest,
                ("test/setup.ts", "config({ path: path.resolve(__dirname, '../.env.x') })"),
                (".env.x", "A=b\n"),
            ],
            "jest",
        ),
        (&[manifest, ("vitest.config.ts", "export default defineConfig({ test: { env: { A: 'b' } } })")], "vitest"),
        (
            &[manifest, ("drizzle.config.ts", "config({ path: '.env.x' }); export default {}"), (".env.x", "A=b\n")],
            "drizzle-kit push",
        ),
    ];
    for (files, command) in table {
        assert_eq!(project(files).run(command).seen("A"), ["b"], "{files:?}");
    }
}

#[test]
fn more_places_of_settings_are_found() {
    let section = r#"{"development": {"host": "h"}, "production": {"host": "far"}}"#;
    let named = [
        ("package.json", "{}"),
        (".sequelizerc", "module.exports = { 'config': path.resolve('src', 'config.json') };"),
        ("src/config.json", section),
    ];
    assert_eq!(project(&named).run("sequelize db:migrate").seen("development.host"), ["h"]);
    let ini = [("manage.py", ""), ("settings.ini", "[settings]\nDB_HOST=h\n"), (".env", "DB_HOST=e\n")];
    assert_eq!(project(&ini).run("python manage.py test").seen("DB_HOST"), ["e", "h"]);
    let solution = [("Shop.sln", ""), ("src/Api/appsettings.json", r#"{"ConnectionStrings": {"Default": "Host=h"}}"#)];
    assert_eq!(project(&solution).run("dotnet test").seen("ConnectionStrings.Default"), ["Host=h"]);
}

#[test]
fn builds_tell_flyway_and_liquibase_their_database() {
    let pom = |artifact: &str, inside: &str| {
        format!(
            "<project><properties><db.host>far</db.host></properties><build><plugins><plugin><artifactId>{artifact}\
             </artifactId>{inside}</plugin></plugins></build></project>"
        )
    };
    let url = "<configuration><url>jdbc:postgresql://${db.host}/shop</url></configuration>";
    let flyway = pom("flyway-maven-plugin", url);
    let bound = format!("{url}<executions><execution><goals><goal>migrate</goal></goals></execution></executions>");
    let bound = pom("flyway-maven-plugin", &bound);
    let liquibase = pom("liquibase-maven-plugin", url);
    let other = pom("site-maven-plugin", url);
    let profiles = "<project><profiles><profile><id>live</id><properties><flyway.url>jdbc:x://live/x</flyway.url>\
                    </properties></profile></profiles></project>";
    let far: &[&str] = &["jdbc:postgresql://far/shop"];
    let table: &[(&str, &str, &str, &[&str])] = &[
        (&flyway, "mvn flyway:migrate", "flyway.url", far),
        (&flyway, "mvn -Ddb.host=h flyway:migrate", "flyway.url", &["jdbc:postgresql://h/shop"]),
        (&flyway, "mvn test", "flyway.url", &[]),
        (&bound, "./mvnw verify", "flyway.url", far),
        (&liquibase, "mvn liquibase:update", "liquibase.url", far),
        (&other, "mvn flyway:migrate", "flyway.url", &[]),
        (profiles, "mvn flyway:clean", "flyway.url", &[]),
        (profiles, "mvn -Plive flyway:clean", "flyway.url", &["jdbc:x://live/x"]),
        (profiles, "mvn -P dev,live flyway:clean", "flyway.url", &["jdbc:x://live/x"]),
    ];
    for (text, command, name, expected) in table {
        assert_eq!(project(&[("pom.xml", text)]).run(command).seen(name), *expected, "{command} {text}");
    }
    let groovy = "flyway {\n  url = System.getenv('DB_URL') ?: 'jdbc:x://a/b'\n}\ntest {\n  environment 'DATABASE_URL', 'jdbc:x://t/t'\n}\n";
    let activities = "liquibase {\n activities {\n  main {\n   // url 'jdbc:x://c/c'\n   url 'jdbc:x://a/b'\n  }\n }\n}\nother {\n url 'http://x'\n}\n";
    let kotlin = "flyway { url = \"jdbc:x://a/b\" }\ntasks.withType<Test> {\n systemProperty(\"spring.datasource.url\", \"jdbc:x://t/t\")\n}\n";
    let table: &[(&str, &str, &str, &str, &[&str])] = &[
        ("build.gradle", groovy, "gradle flywayMigrate", "flyway.url", &["jdbc:x://a/b"]),
        ("build.gradle", groovy, "./gradlew test", "flyway.url", &[]),
        ("build.gradle", groovy, "./gradlew test", "DATABASE_URL", &["jdbc:x://t/t"]),
        ("build.gradle", activities, "./gradlew :app:update", "liquibase.url", &["jdbc:x://a/b"]),
        ("build.gradle.kts", kotlin, "./gradlew flywayInfo", "flyway.url", &["jdbc:x://a/b"]),
        ("build.gradle.kts", kotlin, "./gradlew test", "spring.datasource.url", &["jdbc:x://t/t"]),
    ];
    for (file, text, command, name, expected) in table {
        assert_eq!(project(&[(file, text)]).run(command).seen(name), *expected, "{command} {text}");
    }
    let set = project(&[("build.gradle", groovy)]).set("DB_URL", "jdbc:x://set/b").run("gradle flywayClean");
    assert_eq!(set.seen("flyway.url"), ["jdbc:x://set/b"]);
}

#[test]
fn typeorm_s_settings_are_read_in_each_of_their_formats() {
    let manifest = ("package.json", r#"{"dependencies": {"typeorm": "0.2"}}"#);
    let table: &[((&str, &str), &str)] = &[
        (("ormconfig.json", r#"{"host": "h"}"#), "ormconfig.host"),
        (("ormconfig.yml", "default:\n  host: h\n"), "ormconfig.default.host"),
        (("ormconfig.yaml", "- host: h\n"), "ormconfig.0.host"),
        (("ormconfig.xml", "<typeorm><connection host=\"h\"/></typeorm>"), "ormconfig.typeorm.connection.host"),
        (("ormconfig.env", "TYPEORM_HOST=h\n"), "TYPEORM_HOST"),
    ];
    for (file, name) in table {
        assert_eq!(project(&[manifest, *file]).run("npx jest").seen(name), ["h"], "{file:?}");
    }
}

#[test]
fn addresses_in_the_code_that_sets_tests_up_stand_under_the_environment() {
    let files = [
        ("requirements.txt", "pydantic-settings\n"),
        ("tests/conftest.py", "os.environ.setdefault('DB', 'postgres://far/d')\n"),
        ("app/config.py", "class Settings(BaseSettings):\n    store_url: str = 'postgres://store/d'\n"),
        ("noxfile.py", "session.run('pytest', env={'NOX_URL': 'postgres://nox/d'})\n"),
    ];
    let case = project(&files).run("pytest");
    assert_eq!(case.seen("DB"), ["postgres://far/d"]);
    assert_eq!(case.seen("STORE_URL"), ["postgres://store/d"]);
    assert_eq!(case.seen("NOX_URL"), NONE);
    assert_eq!(project(&files).set("DB", "postgres://near/d").run("pytest").seen("DB"), ["postgres://near/d"]);
    assert_eq!(project(&files).run("nox -s tests").seen("NOX_URL"), ["postgres://nox/d"]);
}
