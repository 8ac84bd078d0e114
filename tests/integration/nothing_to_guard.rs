//! Projects without a database are safe without a word from anybody; the same projects with a driver are not.

use crate::support::{Judged, Sandbox, copy_program};

/// Files of a project: their paths and texts.
type Files<'a> = &'a [(&'a str, &'a str)];

/// A project, what makes it one with a driver, the manifest that then names it, and its test command.
struct Project<'a> {
    plain: Files<'a>,
    with_driver: Files<'a>,
    evidence: &'a str,
    command: &'a [&'a str],
}

const PROJECTS: [Project<'_>; 6] = [
    Project {
        plain: &[
            (
                "Cargo.toml",
                "[package]\nname = \"words\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nserde = \"1\"\n",
            ),
            (
                "Cargo.lock",
                "version = 4\n\n[[package]]\nname = \"serde\"\nversion = \"1.0.200\"\n\n[[package]]\nname = \"words\"\nversion = \"0.1.0\"\n",
            ),
            ("src/lib.rs", "pub fn one() -> u8 { 1 }\n"),
        ],
        with_driver: &[("Cargo.lock", "version = 4\n\n[[package]]\nname = \"libsqlite3-sys\"\nversion = \"0.30.0\"\n")],
        evidence: "Cargo.lock:4 depends on `libsqlite3-sys`",
        command: &["cargo", "test"],
    },
    Project {
        plain: &[
            ("go.mod", "module shop.example/words\n\ngo 1.22\n\nrequire github.com/spf13/cobra v1.8.0\n"),
            ("go.sum", "github.com/spf13/cobra v1.8.0 h1:x=\n"),
            ("main.go", "package main\n\nimport \"database/sql\"\n\nfunc main() { _ = sql.Drivers }\n"),
        ],
        with_driver: &[(
            "go.mod",
            "module shop.example/words\n\ngo 1.22\n\nrequire (\n\tgithub.com/jackc/pgx/v5 v5.5.0\n)\n",
        )],
        evidence: "go.mod:6 depends on `github.com/jackc/pgx/v5`",
        command: &["go", "test", "./..."],
    },
    Project {
        plain: &[
            (
                "package.json",
                "{\"name\": \"words\", \"scripts\": {\"test\": \"jest\"}, \"devDependencies\": {\"jest\": \"29\"}}\n",
            ),
            (
                "package-lock.json",
                "{\n \"packages\": {\n  \"node_modules/jest\": {\n   \"version\": \"29.0.0\"\n  }\n }\n}\n",
            ),
        ],
        with_driver: &[(
            "package.json",
            "{\"scripts\": {\"test\": \"jest\"},\n \"devDependencies\": {\"jest\": \"29\",\n \"mysql2\": \"3\"}}\n",
        )],
        evidence: "package.json:3 depends on `mysql2`",
        command: &["npm", "test"],
    },
    Project {
        plain: &[
            ("pyproject.toml", "[project]\nname = \"words\"\ndependencies = [\"httpx\"]\n"),
            ("requirements-dev.txt", "pytest\n"),
            ("tests/test_words.py", "def test_one(): pass\n"),
        ],
        with_driver: &[("requirements-dev.txt", "pytest\npsycopg[binary]>=3\n")],
        evidence: "requirements-dev.txt:2 depends on `psycopg`",
        command: &["pytest", "-q"],
    },
    Project {
        plain: &[
            ("Gemfile", "source \"https://rubygems.org\"\ngem \"rspec\"\n"),
            ("Gemfile.lock", "GEM\n  specs:\n    rspec (3.13.0)\n"),
        ],
        with_driver: &[("Gemfile", "source \"https://rubygems.org\"\ngem \"rspec\"\ngem \"sequel\"\n")],
        evidence: "Gemfile:3 depends on `sequel`",
        command: &["bundle", "exec", "rspec"],
    },
    Project {
        plain: &[("composer.json", "{\"require-dev\": {\"phpunit/phpunit\": \"^11\"}}\n")],
        with_driver: &[(
            "composer.json",
            "{\"require-dev\": {\"phpunit/phpunit\": \"^11\"},\n \"require\": {\"ext-pdo_pgsql\": \"*\"}}\n",
        )],
        evidence: "composer.json:2 depends on `ext-pdo_pgsql`",
        command: &["vendor/bin/phpunit"],
    },
];

fn laid_out(files: &[Files<'_>], program: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.project().join(".git")).unwrap();
    for (path, text) in files.iter().copied().flatten() {
        sandbox.write(path, text);
    }
    let name = program.rsplit('/').next().unwrap();
    let tool = sandbox.recording_tool(name, "exit 4");
    if program.contains('/') {
        let place = sandbox.project().join(program);
        copy_program(&tool, &place);
    }
    sandbox
}

#[test]
fn a_project_without_a_driver_runs_without_a_word_from_its_user() {
    for project in PROJECTS {
        let sandbox = laid_out(&[project.plain], project.command[0]);
        let judged = Judged::of(&sandbox, project.command);
        assert_eq!(judged.verdict(), "safe", "{:#}", judged.json);
        assert_eq!(judged.finding("no-database")["level"], "note");
        let outcome = sandbox.run(project.command).expect_code(4);
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
        assert!(outcome.stderr.starts_with("safe-test: safe: no database"), "{}", outcome.stderr);
        let quiet: Vec<&str> = ["-q"].iter().chain(project.command).copied().collect();
        assert_eq!(sandbox.run(&quiet).expect_code(4).stderr, "");
        assert_eq!(Judged::of(&sandbox, &[]).verdict(), "safe", "without a command too");
    }
}

#[test]
fn a_project_with_a_driver_has_to_say_where_its_database_is() {
    for project in PROJECTS {
        let sandbox = laid_out(&[project.plain, project.with_driver], project.command[0]);
        let judged = Judged::of(&sandbox, project.command);
        assert_eq!((judged.verdict(), judged.rules()), ("unverified", vec!["no-database"]), "{:#}", judged.json);
        let message = judged.finding("no-database")["message"].as_str().unwrap();
        assert!(message.contains(project.evidence), "{message}");
        assert_eq!(judged.json["run"], "goes", "under the guard: {:#}", judged.json);
        sandbox.run(project.command).expect_code(4);
        sandbox.write(".env", "DATABASE_URL=sqlite::memory:\n");
        sandbox.write(".env.test", "DATABASE_URL=sqlite::memory:\n");
        sandbox.run(project.command).expect_code(4);
    }
}

#[test]
fn a_client_or_a_folder_without_any_manifest_proves_nothing() {
    let crate_files = PROJECTS[0].plain;
    for command in [&["psql", "-c", "DROP TABLE orders"][..], &["mysql"], &["mongosh"]] {
        let sandbox = laid_out(&[crate_files], command[0]);
        // Its own default may be shown to be local; then there is no server here, and one that comes up is saved first.
        let outcome = sandbox.run(command);
        let is_awaited = outcome.stderr.contains("not up yet: saved at its first connection");
        let expected: &[i32] = if is_awaited { &[4] } else { &[120, 121] };
        assert!(outcome.code().is_some_and(|code| expected.contains(&code)), "{command:?} {}", outcome.stderr);
        assert_eq!(sandbox.calls(command[0]).is_empty(), !is_awaited);
    }
    let sandbox = laid_out(&[], "tests");
    assert_eq!(Judged::of(&sandbox, &["tests"]).rules(), ["no-database"]);
}

#[test]
fn drivers_of_a_workspaces_members_count() {
    let sandbox = laid_out(&[PROJECTS[0].plain], "cargo");
    sandbox.write("Cargo.toml", "[workspace]\nmembers = [\"crates/a/b/c/*\"]\n");
    sandbox.write("crates/a/b/c/store/Cargo.toml", "[dependencies]\ntokio-postgres = \"0.7\"\n");
    assert_eq!(Judged::of(&sandbox, &["cargo", "test"]).rules(), ["no-database"]);
}
