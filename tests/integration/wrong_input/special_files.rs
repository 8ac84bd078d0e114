//! What is no regular file in place of every file that is opened in a project, its store and the state directory: nothing
//! hangs, fills memory, eats the command's input or writes elsewhere.
//!
//! The paths are those that `strace` showed for these commands.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::{Outcome, Sandbox, make_pipe};

/// Far above what a call takes, and far below for ever.
const BOUND: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Planted {
    Pipe,
    Link(&'static str),
    Socket,
    Folder,
    /// Ten gigabytes that take no room on the disk.
    Sparse,
}

const EVERYTHING: [Planted; 8] = [
    Planted::Pipe,
    Planted::Link("/dev/zero"),
    Planted::Link("/dev/stdin"),
    Planted::Link("/dev/tty"),
    Planted::Link("nowhere"),
    Planted::Socket,
    Planted::Folder,
    Planted::Sparse,
];

impl Planted {
    /// Puts it in the place of what is at `path`.
    fn put(self, path: &Path) {
        let _ = fs::remove_file(path).or_else(|_| fs::remove_dir_all(path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match self {
            Planted::Pipe => make_pipe(path),
            Planted::Link(to) => symlink(to, path).unwrap(),
            // Under a short name first: the name of a socket has few characters.
            Planted::Socket => {
                let folder = tempfile::tempdir().unwrap();
                drop(UnixListener::bind(folder.path().join("s")).unwrap());
                fs::rename(folder.path().join("s"), path).unwrap();
            }
            Planted::Folder => fs::create_dir(path).unwrap(),
            Planted::Sparse => fs::File::create(path).unwrap().set_len(10 << 30).unwrap(),
        }
    }
}

/// Runs the program with little memory and an input that does not end, and looks at how it ended.
#[track_caller]
fn bounded(sandbox: &Sandbox, arguments: &[&str], about: &str) -> Outcome {
    let (mut reader, mut writer) = io::pipe().unwrap();
    writer.write_all(b"input").unwrap();
    let mut command = sandbox.program("sh");
    command.args(["-c", "ulimit -v 1500000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_safe-test")]).args(arguments);
    let started = Instant::now();
    let outcome = Outcome::of(command.stdin(reader.try_clone().unwrap()));
    let about = format!("{about}: {arguments:?}: {outcome:?}");
    assert!(started.elapsed() < BOUND, "{about}");
    assert!(matches!(outcome.code(), Some(0 | 120 | 121 | 125)), "{about}");
    assert!(!outcome.stderr.contains("panicked"), "{about}");
    drop(writer);
    let mut left = String::new();
    reader.read_to_string(&mut left).unwrap();
    assert_eq!(left, "input", "{about}");
    outcome
}

/// Files of a project that a loader or a reader of commands opens.
const OF_PROJECTS: &str = "
    .cargo/config.toml .circleci/config.yml .ddev/config.yaml .devcontainer.json .devcontainer/devcontainer.json .drone.yml
    .env .env.defaults .env.dev .env.development .env.local .env.local.php .env.test .env.test.local .env.testing .flaskenv
    .git/HEAD .github/workflows/ci.yml .gitlab-ci.yml .lando.yml .safe-test.toml .sequelizerc .woodpecker.yml Cargo.toml
    GNUmakefile Gemfile Makefile Pipfile Taskfile.yml alembic.ini app.env application.properties application.yml
    appsettings.Test.json appsettings.json artisan azure-pipelines.yml bin/console bin/rails bitbucket-pipelines.yml
    bootstrap/cache/config.php build.gradle bun.lock compose.override.yaml compose.yaml composer.json conf/flyway.conf
    config/application.rb config/config.exs config/config.json config/database.json config/database.php config/database.yml
    config/mongoid.yml config/packages/doctrine.yaml config/runtime.exs config/test.exs conftest.py database.json dev.env
    flyway.conf flyway.toml go.mod justfile manage.py mix.exs ormconfig.json ormconfig.yml package.json pg_service.conf
    phpunit.xml phpunit.xml.dist pom.xml prisma/.env prisma/schema.prisma pyproject.toml pytest.ini requirements.txt run.sh
    schema.prisma settings.ini setup.cfg src/main/resources/application.yml symfony.lock test.env tests/conftest.py tox.ini";

/// A command for each sort of loader.
const COMMANDS: &str = "npm test|npx prisma migrate dev|npx sequelize db:migrate|npx typeorm migration:run|pytest|\
    python manage.py test|alembic upgrade head|flask db upgrade|php artisan migrate|bin/console doctrine:schema:drop|\
    vendor/bin/phpunit|bin/rails db:reset|go test ./...|cargo test|mix test|mvn test|gradle test|dotnet test|\
    docker compose run web test|make test|just test|task test|psql service=x|sh ./run.sh|flyway clean";

#[test]
fn in_place_of_files_of_the_project_alone_nothing_hangs_and_nothing_is_safe_that_was_not_read() {
    let every_loader: BTreeSet<&str> = [".env", ".safe-test.toml", "package.json", "compose.yaml"].into();
    for path in OF_PROJECTS.split_whitespace() {
        for planted in [Planted::Pipe, Planted::Link("/dev/zero")] {
            let sandbox = Sandbox::with_sqlite();
            planted.put(&sandbox.project().join(path));
            let outcome = bounded(&sandbox, &["check"], &format!("{planted:?} as {path}"));
            if every_loader.contains(path) && path != "compose.yaml" && path != "package.json" {
                assert_ne!(outcome.code(), Some(0), "{planted:?} as {path}: {}", outcome.stdout);
            }
        }
    }
}

#[test]
fn in_place_of_all_files_of_a_project_at_once_no_command_hangs() {
    for planted in EVERYTHING {
        let sandbox = Sandbox::new();
        for path in OF_PROJECTS.split_whitespace().filter(|path| *path != ".safe-test.toml") {
            planted.put(&sandbox.project().join(path));
        }
        for command in COMMANDS.split('|') {
            let words: Vec<&str> = ["check", "--"].into_iter().chain(command.split(' ')).collect();
            let outcome = bounded(&sandbox, &words, &format!("{planted:?} everywhere"));
            if !matches!(planted, Planted::Folder | Planted::Link("nowhere")) {
                assert_eq!(outcome.code(), Some(120), "{planted:?}: {command}: {}", outcome.stdout);
            }
        }
    }
}

/// Lists the files of the store and of the state directory after a run, and those of the database.
fn own_files(sandbox: &Sandbox) -> Vec<PathBuf> {
    fn all(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { all(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    all(&sandbox.backups(), &mut found);
    all(&sandbox.state(), &mut found);
    let database = ["", "-wal", "-shm", "-journal"].map(|side| sandbox.project().join(format!("app_test.db{side}")));
    found.into_iter().chain(database).chain([sandbox.project().join(".git")]).collect()
}

#[test]
fn in_place_of_files_of_the_store_the_state_and_the_database_nothing_hangs() {
    let count = {
        let sandbox = Sandbox::with_sqlite();
        sandbox.guarded().expect_code(0);
        own_files(&sandbox).len()
    };
    assert!(count >= 11, "{count}");
    for planted in EVERYTHING {
        for at in 0..count {
            let sandbox = Sandbox::with_sqlite();
            sandbox.guarded().expect_code(0);
            sandbox.has_run();
            let id = sandbox.ids().remove(0);
            let path = own_files(&sandbox).remove(at);
            planted.put(&path);
            let about = format!("{planted:?} as {}", path.display());
            for arguments in [
                &["check"][..],
                &["./suite"],
                &["list"],
                &["snapshot"],
                &["verify", "--all"],
                &["verify", "--level", "restore", &id],
                &["prune"],
                &["restore", &id],
                &["log"],
                &["log", "verify"],
                &["doctor"],
            ] {
                let outcome = bounded(&sandbox, arguments, &about);
                if arguments == ["./suite"] {
                    assert_eq!(sandbox.has_run(), outcome.code() == Some(0), "{about}: {outcome:?}");
                    let last = outcome.stderr.lines().last();
                    assert!(
                        outcome.code() == Some(0) || last == Some("  the command was not run"),
                        "{about}: {outcome:?}"
                    );
                }
            }
            // A link of the project's in place of its database says where that is.
            let is_database = path.ends_with("app_test.db");
            assert!(is_database || !path.with_file_name("nowhere").exists(), "{about}: written through a link");
        }
    }
}
