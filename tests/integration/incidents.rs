//! What has happened to others: each is refused here, or saved before the damage and put back after it; and the
//! set-ups that guards of this kind have stood in the way of are let through.

use std::path::{Path, PathBuf};

use crate::support::{Judged, Postgres, Sandbox, copy_program};

/// A project with files and a recording `tests`.
fn project(files: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.project().join(".git")).unwrap();
    for (path, text) in files {
        sandbox.write(path, text);
    }
    sandbox
}

/// The command is refused for this rule, and none of it ran.
#[track_caller]
fn refused(sandbox: &Sandbox, command: &[&str], rule: &str) {
    let program = command[0].rsplit('/').next().unwrap();
    let tool = sandbox.recording_tool(program, "exit 0");
    if command[0].contains('/') {
        let place = sandbox.project().join(command[0]);
        copy_program(&tool, &place);
    }
    let outcome = sandbox.run(command).expect_code(120);
    assert!(outcome.stderr.contains(rule), "{}", outcome.stderr);
    assert!(outcome.stderr.ends_with("the command was not run\n"), "{}", outcome.stderr);
    assert!(sandbox.calls(program).is_empty());
}

/// A SQLite database with three orders in it.
fn orders(path: &Path) -> PathBuf {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch("CREATE TABLE orders(id); INSERT INTO orders VALUES (1), (2), (3);").unwrap();
    path.to_owned()
}

fn count(path: &Path) -> Option<i64> {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.query_row("SELECT count(*) FROM orders", [], |row| row.get(0)).ok()
}

/// The command runs and destroys the database at `path`; what safe-test says undoes it.
#[track_caller]
fn undone(sandbox: &Sandbox, command: &[&str], path: &Path) {
    let program = command[0].rsplit('/').next().unwrap();
    let tool = sandbox.tool(program, &format!("#!/bin/sh\nexec sqlite3 '{}' 'DROP TABLE orders'\n", path.display()));
    if command[0].contains('/') {
        copy_program(&tool, &sandbox.project().join(command[0]));
    }
    let outcome = sandbox.run(command).expect_code(0);
    assert_eq!(count(path), None, "the damage was done");
    let undo = outcome.stderr.lines().find_map(|line| line.strip_prefix("safe-test: to undo: safe-test "));
    let undo: Vec<&str> = undo.unwrap_or_else(|| panic!("{}", outcome.stderr)).split(' ').collect();
    sandbox.run(&undo).expect_code(0);
    assert_eq!(count(path), Some(3));
}

#[test]
fn tests_in_an_old_terminal_with_the_url_of_production() {
    let mut sandbox = project(&[(".env.test", "DATABASE_URL=postgres://localhost/travis_test\n")]);
    sandbox.set("DATABASE_URL", "postgres://travis:redacted@ec2-203-0-113-4.compute-1.amazonaws.com:5432/d1u2c3k");
    refused(&sandbox, &["rspec"], "host-remote");
}

#[test]
fn variables_exported_for_a_tunnel_reach_an_ordinary_database() {
    let postgres = Postgres::server();
    postgres.replace_database("warehouse");
    postgres.psql("warehouse", "CREATE TABLE orders(id int); INSERT INTO orders VALUES (1), (2), (3);");
    let mut sandbox = project(&[("Makefile", "test:\n\t./drop\n")]);
    for (name, value) in [("PGHOST", "127.0.0.1"), ("PGUSER", "postgres"), ("PGDATABASE", "warehouse")] {
        sandbox.set(name, value);
    }
    let url = postgres.url("warehouse");
    let (user, rest) = url.strip_prefix("postgres://").unwrap().split_once(':').unwrap();
    let port = rest.rsplit_once(':').unwrap().1.split('/').next().unwrap();
    sandbox.set("PGUSER", user).set("PGPORT", port).set("PGPASSWORD", postgres.password());
    let psql = postgres.program("psql");
    let script = format!("'{}' -qX -c 'DROP TABLE orders'", psql.display());
    sandbox.run(&["sh", "-c", &script]).expect_code(0);
    assert_eq!(postgres.psql("warehouse", "SELECT to_regclass('orders') IS NULL"), "t");
    sandbox.run(&["restore", "latest"]).expect_code(0);
    assert_eq!(postgres.psql("warehouse", "SELECT count(*) FROM orders"), "3");
}

#[test]
fn the_only_copy_in_a_local_stack_is_dropped() {
    let postgres = Postgres::server();
    postgres.replace_database("postgres_stack");
    postgres.psql("postgres_stack", "CREATE TABLE orders(id int); INSERT INTO orders VALUES (1), (2), (3);");
    let sandbox = project(&[(".env", &format!("DATABASE_URL={}\n", postgres.url("postgres_stack")))]);
    let script = format!(
        "'{}' -qX '{}' -c 'DROP SCHEMA public CASCADE; CREATE SCHEMA public'",
        postgres.program("psql").display(),
        postgres.url("postgres_stack")
    );
    sandbox.run(&["--restore", "always", "sh", "-c", &script]).expect_code(0);
    assert_eq!(postgres.psql("postgres_stack", "SELECT count(*) FROM orders"), "3");
}

#[test]
fn ordinary_names_on_this_machine_are_saved_and_put_back() {
    // A forwarded port, a literal localhost, one database for development and use: nothing in a name told.
    let cases: [(&str, &str, &[&str]); 5] = [
        ("DATABASE_URL=sqlite:shop.db\n", "shop.db", &["tests"]),
        ("DB_CONNECTION=sqlite\nDB_DATABASE=keepscore.sqlite3\n", "keepscore.sqlite3", &["npm", "test"]),
        ("DATABASE_URL=\"file:./dev.db\"\n", "prisma/dev.db", &["npx", "prisma", "db", "push", "--accept-data-loss"]),
        ("SQLITE_PATH=data/memory.db\n", "data/memory.db", &["pytest"]),
        ("DB_URL=sqlite:///freeze.db\n", "freeze.db", &["python", "manage.py", "test", "--noinput"]),
    ];
    for (environment, file, command) in cases {
        let sandbox = project(&[(".env", environment), ("prisma/schema.prisma", ""), ("package.json", "{}")]);
        let path = orders(&sandbox.project().join(file));
        undone(&sandbox, command, &path);
    }
}

#[test]
fn tests_delete_rows_of_a_database_outside_the_project() {
    let mut sandbox = project(&[("pyproject.toml", "[project]\nname = \"memory\"\n")]);
    let path = orders(&sandbox.home().join(".local/share/memory/sqlite_vec.db"));
    sandbox.set("MCP_MEMORY_SQLITE_PATH", &path);
    undone(&sandbox, &["pytest"], &path);
}

#[test]
fn a_missing_file_for_tests_means_the_ordinary_database() {
    let sandbox = project(&[("artisan", ""), (".env", "DB_CONNECTION=sqlite\nDB_DATABASE=database/shop.sqlite\n")]);
    let path = orders(&sandbox.project().join("database/shop.sqlite"));
    let judged = Judged::of(&sandbox, &["php", "artisan", "migrate:fresh", "--env=testing"]);
    assert!(judged.finding("environment-file-missing")["message"].as_str().unwrap().contains(".env.testing"));
    undone(&sandbox, &["php", "artisan", "migrate:fresh", "--env=testing"], &path);
}

#[test]
fn a_providers_url_in_the_environment_file() {
    for host in ["shuttle.proxy.rlwy.net:31337", "containers-us-west-7.railway.app", "db.abcdefgh.supabase.co"] {
        let sandbox = project(&[
            (".env", &format!("DATABASE_URL=postgresql://postgres:redacted@{host}/railway\n")),
            ("package.json", "{\"devDependencies\": {\"prisma\": \"6\"}}"),
        ]);
        refused(&sandbox, &["npx", "prisma", "db", "push", "--force-reset"], "host-managed");
    }
}

#[test]
fn a_reset_of_the_linked_project() {
    let sandbox = project(&[
        ("supabase/config.toml", "project_id = \"shop\"\n"),
        ("supabase/.temp/project-ref", "abcdefghijklmnopqrst"),
        ("package.json", "{\"devDependencies\": {\"supabase\": \"2\"}}"),
    ]);
    refused(&sandbox, &["supabase", "db", "reset", "--linked"], "the linked project");
    sandbox.write(".env", "DATABASE_URL=postgres://localhost/shop_test\n");
    refused(&sandbox, &["npx", "supabase", "db", "reset", "--linked"], "the linked project");
    std::fs::remove_file(sandbox.project().join(".env")).unwrap();
    refused(&sandbox, &["supabase", "db", "reset"], "no-database");
}

#[test]
fn an_agent_that_weakens_the_guard_gains_nothing() {
    let mut sandbox = project(&[(
        ".safe-test.toml",
        "[allow]\nhosts = [\"db.northwind-shop.net:5432\"]\ndatabases = [\"shop_prod\"]\nno_database = true\n",
    )]);
    sandbox.set("DATABASE_URL", "postgres://app@db.northwind-shop.net/shop_prod").set("CLAUDECODE", "1");
    sandbox.run(&["trust"]).expect_code(125);
    refused(&sandbox, &["npm", "test"], "host-remote");
    for name in ["SAFE_TEST_FORCE", "SAFE_TEST_ALLOW", "SAFE_TEST_SKIP", "SAFE_TEST_DISABLE"] {
        sandbox.set(name, "1");
    }
    refused(&sandbox, &["npm", "test"], "host-remote");
    sandbox.run(&["--force", "npm", "test"]).expect_code(125);
}

#[test]
fn a_remote_database_without_any_word_of_production_is_refused_each_time() {
    let sandbox = project(&[(".env", "DATABASE_URL=postgres://owletto:redacted@203.0.113.20:5432/owletto\n")]);
    for _ in 0..3 {
        refused(&sandbox, &["bun", "test"], "host-remote");
    }
    let log = sandbox.read("backups/audit.log");
    assert_eq!(log.matches("\"event\":\"refused\"").count(), 3, "{log}");
}

#[test]
fn the_file_for_tests_names_production() {
    let sandbox = project(&[
        (".env.test", "DATABASE_URL=postgres://localhost:5432/protocol_prod\nTEST_DATABASE_SAFE=1\n"),
        ("package.json", "{\"scripts\": {\"test\": \"vitest\"}, \"devDependencies\": {\"vitest\": \"3\"}}"),
    ]);
    refused(&sandbox, &["npm", "test"], "database-name-production");
}

#[test]
fn a_variable_named_for_tests_holds_the_url_of_content() {
    let sandbox = project(&[(
        ".env",
        "CONTENT_DATABASE_URL=postgres://app:redacted@content.northwind-shop.net/content\nTEST_POSTGRES_URL=$CONTENT_DATABASE_URL\n",
    )]);
    refused(&sandbox, &["pytest"], "host-remote");
    let mut sandbox = project(&[]);
    sandbox.set("TEST_POSTGRES_URL", "postgres://app:redacted@content.northwind-shop.net/content");
    refused(&sandbox, &["pytest"], "TEST_POSTGRES_URL");
}

#[test]
fn tests_in_a_folder_that_is_served_from() {
    for environment in
        ["ENVIRONMENT=production\nDATABASE_URL=postgres://localhost/shop\n", "DATABASE_URL=postgres://10.0.0.5/shop\n"]
    {
        let sandbox = project(&[(".env", environment), ("requirements.txt", "sqlalchemy\npython-dotenv\n")]);
        refused(&sandbox, &["pytest"], "production");
    }
}

#[test]
fn set_ups_that_guards_have_stood_in_the_way_of_are_let_through() {
    let compose = "services:\n  db:\n    image: postgres:16\n  postgres-9.6:\n    image: postgres:9.6\n";
    let cases = [
        "DATABASE_URL=postgres://u:redacted@postgres:5432/test\n",
        "DATABASE_URL=postgres://postgres@postgres-9.6/content-publisher-test\n",
        "DATABASE_URL=postgres://postgres@postgres-9.6/content-publisher\n",
        "DATABASE_URL=postgres://postgres@db/shop\n",
        "DATABASE_URL=sqlite::memory:\n",
        "DATABASE_URL=sqlite3::memory:\n",
        "DATABASE_URL=postgres:///app_test\n",
        "DATABASE_URL=postgres://app@[::1]/app\n",
        "DATABASE_URL=postgres://localhost/reproduction_fixtures\n",
        "DATABASE_URL=postgres://localhost/latest_dev\n",
        "DATABASE_URL=postgres://localhost/productivity_test\n",
        "DATABASE_URL=postgres://localhost/lobu_ci\n",
        "DATABASE_URL=postgres://pg/lobu_ci\n",
        "DATABASE_URL=mysql://localhost/main\n",
        "DATABASE_URL=mysql://localhost/mysql\n",
    ];
    for environment in cases {
        let mut sandbox = project(&[(".env", environment), ("compose.yaml", compose)]);
        sandbox.set("CI", "true").set("GITHUB_ACTIONS", "true");
        let judged = Judged::of(&sandbox, &[]);
        assert_eq!(judged.verdict(), "safe", "{environment}{:#}", judged.json);
    }
}

#[test]
fn set_ups_that_guards_have_let_through_are_stopped() {
    let remote = "postgres://app@db.northwind-shop.net/shop_test";
    let cases = [
        ("DATABASE_URL=postgres://app@shop.c0ffee12.eu-west-1.rds.amazonaws.com/shop_test\n", "host-managed"),
        ("DATABASE_URL=postgres://app@monorail.proxy.rlwy.net:4242/railway\n", "host-managed"),
        ("DATABASE_URL=postgres://app@ep-cool-moon-123456.eu-central-1.aws.neon.tech/shop\n", "host-managed"),
        ("DATABASE_URL=postgres://app@pg.prod.svc.cluster.local/shop_test\n", "host-production-word"),
        ("DATABASE_URL=postgres://app@pg.svc.cluster.local/shop_test\n", "host-remote"),
        ("DATABASE_URL=postgresql:///app?host=prod.northwind-shop.net\n", "host-remote"),
        ("DATABASE_URL=postgresql://localhost/app?host=db.northwind-shop.net\n", "host-remote"),
        ("PGHOST=db.northwind-shop.net\n", "host-remote"),
        ("MONGODB_URI=mongodb://db.northwind-shop.net/shop\n", "host-remote"),
        ("RAILS_ENV=Production\nDATABASE_URL=postgres://localhost/shop_test\n", "environment-production"),
        ("APP_ENV=prod\nDATABASE_URL=postgres://localhost/shop_test\n", "environment-production"),
        (
            "MONGO_URL=mongodb://localhost:27017,db2.prod.northwind-shop.net:27017/shop_test?replicaSet=rs0\n",
            "replica-or-cluster",
        ),
        ("DATABASE_URL=postgres://warehouse/latest\n", "host-unknown"),
        ("DATABASE_URL=postgres://localhost/shop\nSHADOW_DATABASE_URL=postgres://localhost/shop\n", "shadow-database"),
    ];
    for (environment, rule) in cases {
        let sandbox = project(&[(".env", environment)]);
        let judged = Judged::of(&sandbox, &[]);
        assert!(judged.rules().contains(&rule), "{environment}{:#}", judged.json);
        assert_ne!(judged.verdict(), "safe");
    }
    let mut sandbox = project(&[]);
    sandbox.set("PGHOST", "db.northwind-shop.net");
    assert_eq!(Judged::of(&sandbox, &["pytest"]).rules(), ["host-remote"]);
    let sandbox = project(&[(".env", &format!("DATABASE_URL={remote}\nTEST_POSTGRES_URL={remote}\n"))]);
    assert_eq!(Judged::of(&sandbox, &[]).verdict(), "production");
}

#[test]
fn a_refusal_costs_no_snapshot_and_leaves_the_database_as_it_is() {
    let sandbox = project(&[(".env", "DATABASE_URL=sqlite:shop.db\nAPP_ENV=production\n")]);
    let path = orders(&sandbox.project().join("shop.db"));
    let before = std::fs::read(&path).unwrap();
    sandbox.tool("tests", "#!/bin/sh\nexec sqlite3 shop.db 'DROP TABLE orders'\n");
    sandbox.run(&["tests"]).expect_code(120);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let names: Vec<_> = std::fs::read_dir(sandbox.project().join("backups")).unwrap().flatten().collect();
    assert!(
        names.iter().all(|entry| entry.path().extension().is_none_or(|extension| extension != "dump")),
        "{names:?}"
    );
}
