//! Databases that tests derive from those that are configured are saved where they exist, and not spoken of where not.

use super::support::{OwnServer, Postgres, Sandbox};

/// A project of Django's whose tests do what `sql` says in the server's database `postgres`.
fn django(database: &str, test: &str, sql: &str) -> Sandbox {
    let server = Postgres::server();
    let mut sandbox = Sandbox::with_postgres(database);
    sandbox.write(".env", "");
    sandbox.put_on_path(server.program("psql").parent().unwrap());
    let (user, password, port) = (server.user(), server.password(), server.port());
    sandbox.write(
        "shop/settings.py",
        format!(
            "DATABASES = {{'default': {{'ENGINE': 'django.db.backends.postgresql', 'NAME': '{database}', 'USER': '{user}', \
             'PASSWORD': '{password}', 'HOST': '127.0.0.1', 'PORT': '{port}'{test}}}}}\n"
        ),
    );
    let url = server.url("postgres");
    // In another file: a program that is named is looked into for databases of its own.
    sandbox.tool("tests-of-django", &format!("#!/bin/sh\nexec psql -X -q -c '{sql}' '{url}'\n"));
    sandbox.write(
        "manage.py",
        "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\nos.execvp('tests-of-django', ['x'])\n",
    );
    sandbox
}

/// Makes a database with a row.
fn make(database: &str) {
    Postgres::server().replace_database(database);
    Postgres::server().psql(database, "CREATE TABLE t AS SELECT 1 AS a");
}

fn exists(database: &str) -> bool {
    let asked = format!("SELECT 1 FROM pg_database WHERE datname = '{database}'");
    Postgres::server().psql("postgres", &asked) == "1"
}

/// Lists what runs have saved, sorted.
fn saved(sandbox: &Sandbox) -> Vec<String> {
    let of_runs = sandbox.manifests().into_iter().filter(|one| one["kind"] == "run");
    let mut saved: Vec<String> = of_runs.map(|one| one["database"].as_str().unwrap().to_owned()).collect();
    saved.sort();
    saved
}

#[test]
fn the_test_databases_of_django_are_saved_where_they_exist() {
    let (name, test, first) = ("derived_shop", "test_derived_shop", "test_derived_shop_1");
    for database in [test, first, "test_derived_shop_old"] {
        make(database);
    }
    let sandbox = django(name, "", &format!("DROP DATABASE \"{test}\""));
    let checked = sandbox.run(&["check", "--", "python3", "manage.py", "test"]).expect_code(0).stdout;
    assert!(!checked.contains(test), "nobody was asked: {checked}");
    let planned = sandbox.run(&["--dry-run", "python3", "manage.py", "test"]).expect_code(0).stderr;
    assert!(planned.contains(&format!("`{first}`")), "{planned}");
    assert!(sandbox.stored().is_empty());

    let outcome = sandbox.run(&["python3", "manage.py", "test"]).expect_code(0);
    assert_eq!(saved(&sandbox), [name, test, first]);
    assert!(outcome.stderr.contains(&format!("postgres database `{test}` on 127.0.0.1")), "{}", outcome.stderr);
    assert!(outcome.stderr.contains(", of Django's tests, saved ("), "{}", outcome.stderr);
    let log = sandbox.log();
    let targets = log.iter().find(|entry| entry["event"] == "run-started").unwrap()["targets"].clone();
    let by: Vec<_> = targets.as_array().unwrap().iter().map(|one| one["derived_by"].as_str()).collect();
    assert_eq!(by, [None, Some("Django's tests"), Some("Django's tests")], "{targets:#}");

    let server = Postgres::server();
    assert!(!exists(test), "its tests have dropped it");
    sandbox.run(&["restore", "latest"]).expect_code(0);
    assert_eq!(server.psql(test, "SELECT a FROM t").trim(), "1");

    // Migrations touch the database itself and no other.
    let outcome = sandbox.run(&["--dry-run", "python3", "manage.py", "migrate"]).expect_code(0);
    assert!(!outcome.stderr.contains(test), "{}", outcome.stderr);
}

#[test]
fn a_test_database_that_is_not_there_is_not_spoken_of() {
    let sandbox = django("derived_alone", "", "SELECT 1");
    let outcome = sandbox.run(&["python3", "manage.py", "test"]).expect_code(0);
    assert_eq!(saved(&sandbox), ["derived_alone"]);
    assert!(!outcome.stderr.contains("test_derived_alone"), "{}", outcome.stderr);
}

#[test]
fn it_is_found_where_the_configured_database_is_not_there() {
    make("test_derived_gone");
    let sandbox = django("derived_gone", "", "SELECT 1");
    Postgres::server().psql("postgres", "DROP DATABASE derived_gone");
    let outcome = sandbox.run(&["python3", "manage.py", "test"]).expect_code(0);
    assert_eq!(saved(&sandbox), ["test_derived_gone"]);
    assert!(!outcome.stderr.contains("`derived_gone`"), "what is not there is not told: {}", outcome.stderr);
}

#[test]
fn the_name_that_django_is_told_is_judged_before_anything_is_asked() {
    let sandbox = django("derived_named", ", 'TEST': {'NAME': 'shop_production'}", "SELECT 1");
    let outcome = sandbox.run(&["python3", "manage.py", "test"]).expect_code(120);
    assert!(outcome.stderr.contains("`shop_production`"), "{}", outcome.stderr);
    assert!(sandbox.stored().is_empty());
    sandbox.run(&["check", "--", "python3", "manage.py", "migrate"]).expect_code(0);
}

#[test]
fn what_is_derived_is_judged_by_the_same_rules() {
    let test = "test_derived_ledger";
    make(test);
    let sandbox = django("derived_ledger", "", &format!("DROP DATABASE {test}"));
    sandbox.write(".safe-test.toml", format!("[production]\ndatabases = [\"{test}\"]\n"));
    sandbox.run(&["check", "--", "python3", "manage.py", "test"]).expect_code(0);
    let outcome = sandbox.run(&["python3", "manage.py", "test"]).expect_code(120);
    let said = &outcome.stderr;
    assert!(said.contains(&format!("`{test}`")) && said.contains("may be production"), "{said}");
    assert!(said.ends_with("the command was not run\n"), "{said}");
    assert!(exists(test));
    let log = sandbox.log();
    let refused = log.last().unwrap();
    assert_eq!((&refused["event"], &refused["exit"]), (&"refused".into(), &120.into()), "{refused:#}");
    sandbox.run(&["snapshot"]).expect_code(120);
}

#[test]
fn one_that_cannot_be_saved_keeps_the_command_from_running() {
    let test = "test_derived_closed";
    make(test);
    Postgres::server().psql("postgres", &format!("ALTER DATABASE {test} ALLOW_CONNECTIONS false"));
    let sandbox = django("derived_closed", "", &format!("DROP DATABASE {test}"));
    let outcome = sandbox.run(&["python3", "manage.py", "test"]).expect_code(121);
    assert!(outcome.stderr.contains(&format!("`{test}`")), "{}", outcome.stderr);
    assert!(exists(test), "{}", outcome.stderr);
}

#[test]
fn the_files_of_parallel_tests_are_saved() {
    let sandbox = Sandbox::new();
    sandbox.write("config/application.rb", "");
    sandbox.write("Gemfile", "gem 'sqlite3'\n");
    sandbox.write("config/database.yml", "test:\n  adapter: sqlite3\n  database: storage/test.sqlite3\n");
    sandbox.write("storage/.keep", "");
    for name in ["test.sqlite3", "test.sqlite3-0", "test.sqlite3_1", "other.sqlite3"] {
        sandbox.sqlite(&format!("storage/{name}"), "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    }
    sandbox.tool("rails", "#!/bin/sh\nrm storage/test.sqlite3-0\n");
    let outcome = sandbox.run(&["--restore", "always", "rails", "test"]).expect_code(0);
    let names: Vec<String> =
        saved(&sandbox).iter().filter_map(|path| Some(path.rsplit_once('/')?.1.to_owned())).collect();
    assert_eq!(names, ["test.sqlite3", "test.sqlite3-0", "test.sqlite3_1"], "{}", outcome.stderr);
    assert_eq!(sandbox.sqlite("storage/test.sqlite3-0", "SELECT a FROM t"), "1");
}

#[test]
fn what_a_server_that_comes_later_has_beside_is_saved_with_the_first_connection() {
    let server = OwnServer::with_data();
    server.run(&server.during("say 'CREATE DATABASE shop_test_test_1' && say 'CREATE DATABASE shop_test_test_old'"));
    let sandbox = Sandbox::new();
    sandbox.write("artisan", "");
    sandbox.write("composer.json", "{\"require\": {\"laravel/framework\": \"^11\"}}");
    sandbox.write(".env", format!("APP_ENV=testing\nDATABASE_URL={}\n", server.url()));
    sandbox.suite(&server.during("say 'DROP DATABASE shop_test_test_1' && say 'SELECT a FROM t'"));
    let outcome = sandbox.guarded().expect_code(0);
    assert_eq!(outcome.stdout, "1\n", "{}", outcome.stderr);
    assert_eq!(saved(&sandbox), ["shop_test", "shop_test_test_1"], "{}", outcome.stderr);
    assert!(outcome.stderr.contains("`shop_test_test_1`"), "{}", outcome.stderr);
}
