//! What holds for any text: readers of commands, manifests, definitions of services and code come to an end without
//! a panic, whatever they are given. `PROPTEST_CASES` says how many texts are tried.

use std::ffi::OsString;

use proptest::prelude::*;

use crate::environment::memory::MemoryFiles;
use crate::environment::readers::code;
use crate::environment::{Project, SurveyInput, database_drivers, services, survey};

fn project() -> Project {
    Project { root: "/p".into(), folder: "/p/a".into(), home: Some("/home".into()) }
}

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// Texts made of what shells, scripts and manifests give a meaning to.
fn pieces(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![4 => prop::sample::select(words).prop_map(str::to_owned), 1 => "\\PC{0,3}"];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

const SHELL: &[&str] = &[
    "sh",
    "-c",
    "'",
    "\"",
    "\\",
    " ",
    "  ",
    "\n",
    ";",
    "&&",
    "||",
    "|",
    "$(",
    ")",
    "`",
    "${",
    "}",
    "A=",
    "env",
    "-u",
    "--",
    "npm",
    "run",
    "test",
    "npx",
    "exec",
    "make",
    "-C",
    "cd ",
    "..",
    "/",
    "<<E\n",
    ">",
    "#",
    "*",
    "psql",
    "docker compose exec",
    "cross-env",
    "dotenv -e",
    "x",
    "(",
    "{",
    "}",
    "if",
    "then",
    "fi",
    "$0",
    "$@",
    "~",
];

const CODE: &[&str] = &[
    "os.environ",
    "[",
    "]",
    "(",
    ")",
    "'",
    "\"",
    ",",
    "get",
    ".",
    "env",
    "ENV.fetch",
    "process.env",
    "||",
    "??",
    "or",
    " ",
    "A",
    "System.get_env",
    "{",
    "}",
    "#{",
    "%",
    "+",
    "f'",
    ":",
    "default",
    "\\",
    "nil",
    "`x`",
    "env(\"A\")",
    "ENV['A']",
    "=>",
];

const MANIFEST: &[&str] = &[
    "\n",
    " ",
    "  ",
    "- ",
    ":",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    ",",
    "=",
    "#",
    "services",
    "image",
    "extends",
    "file",
    "compose.yaml",
    "members",
    "workspaces",
    "packages",
    "*",
    "a/*",
    "pg",
    "dependencies",
    "[dependencies]",
    "jobs",
    "alias",
    "name",
    "&a",
    "*a",
    "<<",
    "node_modules/",
    "<module>",
    "</module>",
    "require",
    "gem ",
    "include ':a'",
    "${A:-",
    "env_file",
    "environment",
    "extra_hosts",
];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_command_line_is_looked_through(words in prop::collection::vec(pieces(SHELL), 1..5), script in pieces(SHELL), recipe in pieces(SHELL)) {
        let manifest = serde_json::json!({ "scripts": { "test": script } }).to_string();
        let files = MemoryFiles::new(&[]).with("/p/package.json", manifest).with("/p/Makefile", format!("test:\n\t{recipe}\n"));
        let command: Vec<OsString> = words.into_iter().map(OsString::from).collect();
        for command in [command, vec!["npm".into(), "test".into()], vec!["make".into(), "test".into()]] {
            let (process, project) = ([("DB_HOST".into(), "db".into())], project());
            let input = SurveyInput { process: &process, project: &project, files: &files, command: Some(&command), extra_files: &[], only_files: None };
            let _ = survey(&input);
        }
    }

    #[test]
    fn any_expression_is_evaluated(text in pieces(CODE)) {
        let _ = code::evaluate(&text, &|name| (name == "A").then(|| "x".to_owned()));
    }

    #[test]
    fn any_settings_file_is_read(text in pieces(CODE)) {
        let names = [
            "manage.py", "a/settings.py", "config/test.exs", "prisma/schema.prisma", "config/database.yml", "phpunit.xml",
            "config/database.php", "wp-config.php", "config/default.json5", "config/test.yaml", "pom.xml", "build.gradle", "application.conf",
            "atlas.hcl", "flyway.toml", "conf/flyway.conf", "alembic.ini", "ormconfig.yml", "conftest.py", "noxfile.py", "pytest.ini", "knexfile.js",
            "vitest.config.ts", "a.csproj", "appsettings.json", "mise.toml", "Taskfile.yml", ".envrc", "Justfile",
        ];
        let files = names.iter().fold(MemoryFiles::new(&[]), |files, name| files.with(&format!("/p/{name}"), text.clone()));
        let project = project();
        for command in [None, Some(vec!["mvn".into(), "flyway:clean".into()]), Some(vec!["atlas".into(), "schema".into(), "--env".into(), "a".into()])] {
            let _ = survey(&SurveyInput { process: &[], project: &project, files: &files, command: command.as_deref(), extra_files: &[], only_files: None });
        }
    }

    #[test]
    fn any_manifest_and_any_definition_of_services_is_read(text in pieces(MANIFEST)) {
        let names = [
            "package.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "Cargo.toml", "Cargo.lock", "go.mod", "go.work",
            "pyproject.toml", "requirements.txt", "Gemfile", "composer.json", "pom.xml", "build.gradle", "settings.gradle", "mix.exs",
            "x.csproj", "pubspec.yaml", "Package.swift", "deno.json", "compose.yaml", "docker-compose.override.yml",
            ".github/workflows/x.yml", ".gitlab-ci.yml", "bitbucket-pipelines.yml", ".circleci/config.yml", ".devcontainer/devcontainer.json",
        ];
        let files = names.iter().fold(MemoryFiles::new(&[]), |files, name| files.with(&format!("/p/{name}"), text.clone()));
        let _ = database_drivers(&project(), None, &files);
        let _ = services(&project(), &files, &[], Some(&["docker".into(), "compose".into(), "-f".into(), "compose.yaml".into()]));
    }
}
