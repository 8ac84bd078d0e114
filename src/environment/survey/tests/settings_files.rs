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
    let cargo = [("Cargo.toml", ""), (".cargo/config.toml", "[env]\nDATABASE_URL = 'postgres://h/d'\n")];
    assert_eq!(project(&cargo).run("cargo test").seen("DATABASE_URL"), ["postgres://h/d"]);
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
        (&[(".env.x", "A=b\n")], "pytest --envfile=.env.x", "A", "b"),
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
