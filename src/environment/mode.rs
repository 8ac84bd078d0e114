//! Which mode a command runs in: for tests, for development, or the one that its own options name.

use crate::environment::Invocation;
use crate::environment::invocation::option_of;
use crate::tools::programs;
use crate::tools::programs::{Task, program_of};

/// What a command is for, as far as its words tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Purpose {
    /// It may run in test mode.
    pub(crate) test: bool,
    /// It may run in development mode.
    pub(crate) development: bool,
    /// The mode that an option names: `--env=testing`, `--mode staging`, `-e test`.
    pub(crate) named: Option<String>,
}

impl Purpose {
    const BOTH: Purpose = Purpose { test: true, development: true, named: None };

    /// Infers the purpose of an invocation; with none given, tests and development are both plausible.
    pub(crate) fn of(invocation: Option<&Invocation>) -> Self {
        let Some(invocation) = invocation else { return Purpose::BOTH };
        let named = named_mode(invocation);
        let words: Vec<&str> = invocation.words.iter().skip(1).map(String::as_str).collect();
        match kind(program_of(&invocation.words), &words) {
            Kind::Test => Purpose { test: true, development: false, named },
            Kind::Development => Purpose { test: false, development: true, named },
            Kind::Unknown if is_of_development(invocation) => Purpose { test: false, development: true, named },
            Kind::Unknown => Purpose { named, ..Purpose::BOTH },
        }
    }
}

/// Names of scripts that start a server or build, whatever program they call.
const DEVELOPMENT_SCRIPTS: &[&str] = &["build", "dev", "develop", "preview", "serve", "start", "watch"];

/// Tells by the script that a command stands in whether it runs no tests.
fn is_of_development(invocation: &Invocation) -> bool {
    let origin = &invocation.origin;
    let is_script = origin.file.as_deref().and_then(|file| file.file_name()).is_some_and(|name| name == "package.json");
    let mut parts = origin.variable.split([':', '-', '.']);
    is_script
        && parts.clone().all(|part| !TEST_WORDS.contains(&part))
        && parts.any(|part| DEVELOPMENT_SCRIPTS.contains(&part))
}

enum Kind {
    Test,
    Development,
    Unknown,
}

/// Subcommands that run tests, of programs that do other things too.
///
/// Source: the command tables of the tools, as collected for the recognisers.
const TEST_WORDS: &[&str] = &[
    "test",
    "t",
    "tst",
    "spec",
    "tests",
    "nextest",
    "tarpaulin",
    "llvm-cov",
    "e2e",
    "verify",
    "check",
    "integrationTest",
];

fn kind(program: &str, words: &[&str]) -> Kind {
    match programs::task(program) {
        Task::Tests => Kind::Test,
        Task::Development => Kind::Development,
        // What a runner does without a task, it was told in its file.
        Task::ByWord if has_no_task(program, words) => Kind::Unknown,
        Task::ByWord => {
            let after_interpreter = words.iter().skip_while(|word| word.rsplit('/').next() != Some(program)).nth(1);
            let tasks = words.iter().chain(after_interpreter);
            let is_own = |word: &str| word.rsplit('/').next() == Some(program);
            let is_task = |word: &&str| !word.starts_with('-') && !word.contains('=') && !is_own(word);
            if programs::has_a_default_task(program) && !words.iter().any(is_task) {
                return Kind::Unknown;
            }
            let runs_tests = tasks.filter(|word| !word.starts_with('-')).any(|word| is_test_word(word));
            if runs_tests { Kind::Test } else { Kind::Development }
        }
        Task::ByScript => {
            let name = words.iter().find(|word| !word.starts_with('-') && !matches!(**word, "run" | "run-script"));
            match name {
                Some(name) if is_test_word(name) => Kind::Test,
                Some(&("install" | "ci" | "add" | "build" | "dev" | "start" | "serve")) => Kind::Development,
                _ => Kind::Unknown,
            }
        }
        Task::Unsaid if program == "node" && words.contains(&"--test") => Kind::Test,
        Task::Unsaid => Kind::Unknown,
    }
}

/// Tells whether a program is given no task, or the default one.
fn has_no_task(program: &str, words: &[&str]) -> bool {
    let at = words.iter().position(|word| word.rsplit('/').next() == Some(program));
    let own = at.map_or(words, |at| &words[at + 1..]);
    own.iter().filter(|word| !word.starts_with('-') && !word.contains('=')).all(|word| *word == "default")
}

/// `test`, `test:unit`, `spec:models`, `:app:integrationTest`: a task that runs tests.
fn is_test_word(word: &str) -> bool {
    word.split([':', '/']).any(|part| TEST_WORDS.contains(&part)) && !word.starts_with("db:")
}

/// Finds the environment that a command names by an option or an argument of its own: the variable that would say the
/// same, and its value. `pytest --ds=shop.settings.prod` is `DJANGO_SETTINGS_MODULE`, `rake RAILS_ENV=production` is
/// `RAILS_ENV`, and `--env`, `-e` and `--mode` are `ENVIRONMENT`.
#[must_use]
pub(crate) fn named_environment(invocation: &Invocation) -> Option<(String, String)> {
    let is_django = programs::mode_options(program_of(&invocation.words)).django_settings;
    let module = ["--ds", "--settings"].iter().find_map(|option| invocation.option(option)).filter(|_| is_django);
    if let Some(module) = module {
        return Some(("DJANGO_SETTINGS_MODULE".to_owned(), module.to_owned()));
    }
    let (option, value) = mode_option(invocation)?;
    let variable = if option.starts_with('-') { "ENVIRONMENT" } else { option };
    Some((variable.to_owned(), value))
}

/// Finds the mode that an option names.
fn named_mode(invocation: &Invocation) -> Option<String> {
    mode_option(invocation).map(|(_, mode)| mode)
}

/// Finds the option or variable among the words that names a mode, and the mode.
fn mode_option(invocation: &Invocation) -> Option<(&str, String)> {
    let known = programs::mode_options(program_of(&invocation.words));
    let mut words = invocation.words.iter().skip(1);
    while let Some(word) = words.next() {
        let (option, attached) = option_of(word);
        let names_mode = match option {
            "--env" | "--environment" => known.env,
            "--mode" | "--spring.profiles.active" | "-Dspring.profiles.active" | "-Dspring-boot.run.profiles" => true,
            "-e" => known.e,
            _ => false,
        };
        if names_mode {
            let value = attached.or_else(|| words.next().map(String::as_str))?;
            return Some((option, value.to_owned())).filter(|(_, value)| !value.is_empty());
        }
        // `rake db:migrate RAILS_ENV=test`: a variable given to the task.
        let is_environment = matches!(option, "RAILS_ENV" | "RACK_ENV" | "NODE_ENV" | "APP_ENV" | "MIX_ENV");
        if let (true, Some(value)) = (is_environment, attached) {
            return Some((option, value.to_owned()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Origin;

    fn purpose(command: &str) -> (bool, bool, Option<String>) {
        let words = command.split(' ').map(str::to_owned).collect();
        let invocation = Invocation {
            assignments: Vec::new(),
            unknown: Vec::new(),
            words,
            origin: Origin::process("x"),
            places: std::rc::Rc::default(),
        };
        let purpose = Purpose::of(Some(&invocation));
        (purpose.test, purpose.development, purpose.named)
    }

    #[test]
    fn mode_follows_from_the_command() {
        let test = [
            "jest",
            "vendor/bin/phpunit",
            "php artisan test",
            "python -m pytest",
            "python3.12 manage.py test",
            "bin/rails test",
            "rake spec",
            "cargo nextest run",
            "go test ./...",
            "mix test",
            "dotnet test",
            "./gradlew :app:integrationTest",
            "mvn -q verify",
            "node --test",
            "bun test",
            "npm run test:unit",
            "rails test:system",
            "php bin/phpunit",
        ];
        for command in test {
            assert_eq!(purpose(command), (true, false, None), "{command}");
        }
        let development = [
            "prisma migrate dev",
            "php artisan migrate",
            "rails db:migrate",
            "rails db:test:prepare",
            "python manage.py migrate",
            "cargo run",
            "mix ecto.migrate",
            "go run .",
            "alembic upgrade head",
            "npm run dev",
        ];
        for command in development {
            assert_eq!(purpose(command), (false, true, None), "{command}");
        }
        for command in [
            "./run.sh",
            "make test-all",
            "node seed.js",
            "npm run db:reset",
            "ruby x.rb",
            "rake",
            "bin/rake --trace A=1",
        ] {
            assert_eq!(purpose(command), (true, true, None), "{command}");
        }
        let named = [
            ("php artisan migrate:fresh --env=testing", "testing"),
            ("rails db:migrate -e test", "test"),
            ("vite build --mode staging", "staging"),
            ("rake db:drop RAILS_ENV=production", "production"),
            ("java -Dspring.profiles.active=prod -jar x", "prod"),
            ("knex migrate:latest --env ci", "ci"),
        ];
        for (command, name) in named {
            assert_eq!(purpose(command).2.as_deref(), Some(name), "{command}");
        }
    }

    #[test]
    fn an_environment_that_the_command_names_is_told_as_the_variable_that_would_say_it() {
        let cases = [
            ("pytest --ds=shop.settings.prod", "DJANGO_SETTINGS_MODULE=shop.settings.prod"),
            ("python manage.py test --settings shop.settings.ci", "DJANGO_SETTINGS_MODULE=shop.settings.ci"),
            ("rake db:drop RAILS_ENV=production", "RAILS_ENV=production"),
            ("php artisan migrate --env=production", "ENVIRONMENT=production"),
        ];
        for (command, expected) in cases {
            let words = command.split(' ').map(str::to_owned).collect();
            let invocation = Invocation {
                assignments: Vec::new(),
                unknown: Vec::new(),
                words,
                origin: Origin::process("x"),
                places: std::rc::Rc::default(),
            };
            let (variable, value) = named_environment(&invocation).unwrap();
            assert_eq!(format!("{variable}={value}"), expected);
        }
    }
}
