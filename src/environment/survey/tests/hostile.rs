//! Whatever the files hold, a survey ends and does not panic.

use proptest::prelude::*;

use super::*;

/// Every file that some load order reads, and commands that lead to them.
const FILES: &[&str] = &[
    ".env",
    ".env.test",
    ".env.local",
    "package.json",
    "composer.json",
    "Makefile",
    "justfile",
    "phpunit.xml",
    "pytest.ini",
    "config/database.yml",
    "config/config.json",
    "config/test.exs",
    "mix.exs",
    "manage.py",
    "app/settings.py",
    "docker-compose.yml",
    "prisma/schema.prisma",
    "src/main/resources/application.yml",
    "src/main/resources/application.properties",
    "pom.xml",
    "appsettings.json",
    "Cargo.toml",
    "go.mod",
    "artisan",
    "run.sh",
    "Gemfile",
    ".env.local.php",
    "alembic.ini",
    "pyproject.toml",
];

const COMMANDS: &[&str] = &[
    "npm test",
    "make",
    "just x",
    "composer test",
    "php artisan test",
    "bin/console x",
    "rails test",
    "python manage.py test",
    "mvn test",
    "dotnet test",
    "mix test",
    "cargo test",
    "go test",
    "docker compose exec app npm test",
    "./run.sh",
    "npx prisma x",
];

fn everywhere(text: &str) -> Case {
    let files: Vec<(&str, &str)> = FILES.iter().map(|path| (*path, text)).collect();
    project(&files).set("DJANGO_SETTINGS_MODULE", "app.settings").env_file(".env")
}

#[test]
fn long_texts_of_what_means_something_end() {
    for piece in [
        "A=${A}${B}\n",
        "test: test\n\t$(A)\n",
        "{\"a\":",
        "<env name=\"a\" value=\"b\"/>",
        "export A=$(b);",
        "a:\n  b: &x\n",
        "DATABASES = {",
        "'",
        "A=\"",
        "\n",
        "from .a import *\n",
        "\u{feff}",
    ] {
        let case = everywhere(&piece.repeat(3_000 / piece.len()));
        assert!(!case.survey().readings.is_empty());
        for command in COMMANDS {
            let words = command.split(' ').map(OsString::from).collect();
            let case = Case { command: Some(words), ..everywhere(&piece.repeat(600 / piece.len())) };
            assert!(!case.survey().readings.is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(4), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_a_survey_panic(text in "[A-Ca-c=:;${}()\\[\\]\"'`#<>/@.,|&\\\\ \t\r\n é-]{0,80}", command in "[a-c=\"'$()\\- ]{1,40}") {
        prop_assert!(!everywhere(&text).survey().readings.is_empty());
        let words: Vec<&str> = command.split(' ').collect();
        prop_assert!(!everywhere(&text).words(&words).survey().readings.is_empty());
        let in_shell = everywhere(&text).words(&["sh", "-c", &text]);
        prop_assert!(!in_shell.survey().readings.is_empty());
    }
}
