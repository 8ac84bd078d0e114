//! What `check` tells: fields for programs, lines for people, and never a password.

use serde_json::Value;

use crate::support::{Judged, Outcome, Sandbox};

const PASSWORD: &str = "tr0ub4dor-stapler";

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// A project in which much is wrong.
fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.project().join(".git")).unwrap();
    sandbox.write(
        "package.json",
        "{\"scripts\": {\"test\": \"jest\"}, \"dependencies\": {\"dotenv\": \"16\", \"pg\": \"8\"}}",
    );
    sandbox.write(
        ".env",
        format!("# the shop\nAPP_ENV=staging\nDATABASE_URL=postgres://app:{PASSWORD}@db.northwind-shop.net:5433/shop_live2\n"),
    );
    sandbox.write(".env.test", "DB_HOST=localhost\nDB_NAME=shop_test\n");
    sandbox
}

#[test]
fn json_has_the_fields_that_programs_read() {
    let sandbox = project();
    let json = Judged::of(&sandbox, &["npm", "test"]).json;
    for field in ["schema", "verdict", "targets", "findings", "environment", "caller"] {
        assert!(keys(&json).contains(&field), "{field}");
    }
    assert_eq!((&json["schema"], &json["verdict"]), (&Value::from(1), &Value::from("production")));
    let remote =
        json["targets"].as_array().unwrap().iter().find(|target| target["host"] == "db.northwind-shop.net").unwrap();
    let expected = [
        ("engine", "postgres"),
        ("database", "shop_live2"),
        ("user", "app"),
        ("locality", "remote"),
        ("verdict", "production"),
    ];
    for (field, value) in expected {
        assert_eq!(remote[field], value, "{field}");
    }
    assert_eq!(remote["port"], 5433);
    assert_eq!(keys(&remote["origins"][0]), ["file", "line", "variable"]);
    let origin = &remote["origins"][0];
    assert_eq!(
        (&origin["variable"], &origin["file"], &origin["line"]),
        (&"DATABASE_URL".into(), &".env".into(), &3.into())
    );
    for target in json["targets"].as_array().unwrap() {
        for field in ["engine", "host", "port", "database", "user", "locality", "verdict", "origins"] {
            assert!(keys(target).contains(&field), "{field}");
        }
    }
    for finding in json["findings"].as_array().unwrap() {
        assert_eq!(keys(finding), ["level", "message", "origin", "remedy", "rule", "target"]);
        if finding["level"] != "note" {
            assert!(!finding["remedy"].as_str().unwrap().is_empty(), "{finding:#}");
        }
        assert!(
            finding["target"].is_null()
                || finding["target"].as_u64().unwrap() < json["targets"].as_array().unwrap().len() as u64
        );
    }
    let name = &json["environment"][0];
    assert_eq!(keys(name), ["name", "origin", "value"]);
    assert_eq!((&name["name"], &name["value"]), (&"APP_ENV".into(), &"staging".into()));
    assert_eq!((&name["origin"]["file"], &name["origin"]["line"]), (&".env".into(), &2.into()));
    assert_eq!(json["caller"], serde_json::json!({ "kind": "human", "name": null }));
}

#[test]
fn the_process_environment_is_a_null_file_and_callers_are_named() {
    let mut sandbox = Sandbox::new();
    sandbox.set("DATABASE_URL", "postgres://localhost/shop_test").set("CLAUDECODE", "1");
    let json = Judged::of(&sandbox, &[]).json;
    let origin = &json["targets"][0]["origins"][0];
    assert_eq!((&origin["file"], &origin["line"]), (&Value::Null, &Value::Null));
    assert_eq!(json["caller"], serde_json::json!({ "kind": "agent", "name": "claude-code", "by": "CLAUDECODE" }));
}

#[test]
fn text_says_which_database_which_rule_which_line_and_what_to_do() {
    let sandbox = project();
    let text = sandbox.run(&["check", "-v", "--", "npm", "test"]).expect_code(120).stdout;
    for part in [
        "production: 2 databases could be reached",
        "postgres database `shop_live2` on db.northwind-shop.net:5433 (remote): production",
        "postgres database `shop_test` on localhost:5432 (loopback): safe",
        "from DATABASE_URL (.env:3), read by dotenv (Node.js)",
        "production host-remote: the host `db.northwind-shop.net` is not this machine [DATABASE_URL (.env:3)]",
        "database-name-production",
        "what to do: stop and tell the person who asked for this run, or point DATABASE_URL at",
        "APP_ENV=staging from APP_ENV (.env:2)",
        "files read: ",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains(PASSWORD), "{text}");
}

#[test]
fn verdicts_agree_between_text_json_and_a_run() {
    let sandbox = project();
    let json = Judged::of(&sandbox, &["npm", "test"]);
    let text = sandbox.run(&["check", "--", "npm", "test"]).expect_code(120).stdout;
    sandbox.recording_tool("npm", "exit 0");
    let refusal = sandbox.run(&["npm", "test"]).expect_code(120).stderr;
    let refusal_json = sandbox.run(&["--format", "json", "npm", "test"]).expect_code(120);
    assert!(refusal_json.stdout.is_empty());
    let first = refusal_json.stderr.lines().next().unwrap();
    assert_eq!(serde_json::from_str::<Value>(first).unwrap()["verdict"], json.verdict());
    for rule in json.rules() {
        assert!(text.contains(rule) && refusal.contains(rule), "{rule}\n{text}\n{refusal}");
    }
}

#[test]
fn no_password_is_shown_in_any_form() {
    let forms = [
        format!("DATABASE_URL=postgres://app:{PASSWORD}@db.shop.net/shop\n"),
        format!("DATABASE_URL=postgres://app:{PASSWORD}%2F@db.shop.net/shop\n"),
        format!("DATABASE_URL=postgres://app:x/{PASSWORD}@db.shop.net/shop\n"),
        format!("DATABASE_URL=postgres://app:x@{PASSWORD}@db.shop.net/shop\n"),
        format!("DATABASE_URL=postgres://db.shop.net/shop?user=app&password={PASSWORD}\n"),
        format!("DB_HOST=db.shop.net\nDB_PASSWORD={PASSWORD}\nDB_NAME=shop\n"),
        format!("DB_HOST=db.shop.net\nDB_PASSWORD=\"{PASSWORD} x\nDB_NAME=shop\n"),
        format!("DSN=host=db.shop.net user=app password={PASSWORD} dbname=shop\n"),
        format!("SHOP=Server=db.shop.net;Database=shop;User Id=app;Password={PASSWORD}\n"),
        format!("SHOP=jdbc:mysql://db.shop.net/shop?user=app&password={PASSWORD}\n"),
        format!("SHOP=app:{PASSWORD}@tcp(db.shop.net:3306)/shop\n"),
        format!("REDIS_URL=redis://:{PASSWORD}@cache.shop.net:6379\n"),
        format!("MONGO_URL=mongodb+srv://app:{PASSWORD}@c0.abcde.mongodb.net/shop\n"),
    ];
    for form in forms {
        let sandbox = Sandbox::new();
        sandbox.write(".env", &form);
        for arguments in [
            &["check"][..],
            &["check", "-v"],
            &["check", "--format", "json"],
            &["true"],
            &["-v", "true"],
            &["--format", "json", "true"],
        ] {
            let Outcome { stdout, stderr, .. } = sandbox.run(arguments);
            assert!(!format!("{stdout}{stderr}").contains("stapler"), "{form}{stdout}{stderr}");
        }
        let log = sandbox.read("backups/audit.log");
        assert!(!log.contains("stapler"), "{form}{log}");
    }
    let sandbox = Sandbox::new();
    sandbox.tool("psql", "#!/bin/sh\nexit 0\n");
    let url = format!("postgres://app:{PASSWORD}@db.shop.net/shop");
    let text = format!("psql {url}");
    for words in [
        vec!["psql", &url],
        vec!["sh", "-c", &text],
        vec!["env", "PGPASSWORD=stapler-xyz", "PGHOST=db.shop.net", "psql"],
    ] {
        let arguments: Vec<&str> = ["-v"].into_iter().chain(words).collect();
        let Outcome { stdout, stderr, .. } = sandbox.run(&arguments);
        let log = std::fs::read_to_string(sandbox.project().join("backups/audit.log")).unwrap_or_default();
        assert!(!format!("{stdout}{stderr}{log}").contains("stapler"), "{arguments:?}\n{stdout}{stderr}{log}");
    }
}

#[test]
fn a_bare_host_takes_its_engine_from_the_projects_drivers() {
    let cases = [
        ("package.json", "{\"dependencies\": {\"pg\": \"8\", \"redis\": \"4\"}}", "postgres", 5432),
        ("requirements.txt", "pymysql\nsqlalchemy\n", "mysql", 3306),
        ("go.mod", "module x\nrequire go.mongodb.org/mongo-driver v1\n", "mongodb", 27017),
    ];
    for (manifest, text, engine, port) in cases {
        let sandbox = Sandbox::new();
        sandbox.write(manifest, text);
        sandbox.write(".env", "DB_HOST=localhost\nDB_NAME=shop_test\n");
        let target = &Judged::of(&sandbox, &[]).json["targets"][0];
        assert_eq!((&target["engine"], &target["port"]), (&engine.into(), &port.into()), "{manifest}");
    }
}

#[test]
fn an_engine_that_nothing_tells_is_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.write("package.json", "{\"dependencies\": {\"pg\": \"8\", \"mysql2\": \"3\"}}");
    sandbox.write(".env", "DB_HOST=localhost\nDB_NAME=shop_test\n");
    let said = sandbox.run(&["true"]).expect_code(121).stderr;
    for part in
        ["shop_test", "DB_HOST (.env:1)", "nothing says which engine", "DB_CONNECTION=pgsql", "the command was not run"]
    {
        assert!(said.contains(part), "{part}\n{said}");
    }
    sandbox.write(".env", "DB_CONNECTION=pgsql\nDB_HOST=localhost\nDB_NAME=shop_test\n");
    assert_eq!(Judged::of(&sandbox, &[]).json["targets"][0]["engine"], "postgres");
}

#[test]
fn a_finding_about_the_name_points_at_the_variable_that_holds_the_name() {
    let cases = [
        (".env", "APP_ENV=local\nDB_CONNECTION=pgsql\nDB_HOST=127.0.0.1\nDB_DATABASE=shop_prod\n", "DB_DATABASE", 4),
        (".env", "PGHOST=localhost\nPGPORT=5432\nPGDATABASE=shop_prod\n", "PGDATABASE", 3),
        (".env", "DATABASE_URL=postgres://localhost/shop_prod\n", "DATABASE_URL", 1),
        (
            "config/database.yml",
            "test:\n  adapter: postgresql\n  host: localhost\n  database: shop_prod\n",
            "database",
            4,
        ),
    ];
    for (file, content, variable, line) in cases {
        let sandbox = Sandbox::new();
        sandbox.write(file, content);
        if file != ".env" {
            sandbox.write("Gemfile", "gem \"rails\"\ngem \"pg\"\n");
        }
        let judged = Judged::of(&sandbox, &[]);
        let finding = judged.finding("database-name-production");
        assert_eq!(finding["origin"], serde_json::json!({"variable": variable, "file": file, "line": line}));
        assert!(finding["remedy"].as_str().unwrap().contains(variable), "{finding}");
    }
}

#[test]
fn a_doubtful_name_points_at_the_variable_that_holds_the_name() {
    for value in ["your_db_name", "$(cat name)"] {
        let sandbox = Sandbox::new();
        sandbox.write(".env", format!("DB_CONNECTION=pgsql\nDB_HOST=localhost\nDB_DATABASE={value}\n"));
        let judged = Judged::of(&sandbox, &[]);
        assert_eq!(judged.finding("value-unclear")["origin"]["variable"], "DB_DATABASE", "{:#}", judged.json);
    }
}
