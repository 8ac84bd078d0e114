//! Hostile projects: files of every kind that is read, spoiled in every way.

use std::fs;
use std::path::{Path, PathBuf};

use super::bounded::{changes, look, run};
use super::damage::{CONTROLS, replace_by_something_else, spoiled};
use super::files::{File, files};
use crate::support::{Random, Sandbox, seeds, try_all};

/// A production database, on a line of its own at the head of `.env`, under a name of its own.
const PLANTED: &str = "PLANTED_DATABASE_URL=postgres://shop@shop.c1example.eu-central-1.rds.amazonaws.com/shop\n";

/// Commands that lead to runners, scripts and loaders.
const COMMANDS: [&str; 16] = [
    "npm test",
    "pnpm -r test",
    "make test",
    "just test",
    "task test",
    "mise run test",
    "./suite",
    "sh -c ./suite",
    "php artisan test",
    "vendor/bin/phpunit",
    "pytest",
    "python manage.py test",
    "bundle exec rspec",
    "mix test",
    "go test ./...",
    "docker compose run app test",
];

/// The project of one seed.
struct Project {
    sandbox: Sandbox,
    valid: Vec<File>,
}

impl Project {
    fn new() -> Self {
        Project { sandbox: Sandbox::new(), valid: files() }
    }

    /// Lays the project of a seed out; tells whether [`PLANTED`] stands in its `.env`.
    fn lay_out(&self, random: &mut Random) -> bool {
        let sandbox = &self.sandbox;
        for folder in [sandbox.project(), sandbox.state(), sandbox.temporary()] {
            fs::remove_dir_all(&folder).unwrap();
            fs::create_dir(&folder).unwrap();
        }
        fs::write(self.outside(), "DATABASE_URL=sqlite:./outside_test.db\n").unwrap();
        if random.once_in(2) {
            sandbox.sqlite("app_test.db", "CREATE TABLE t(a); INSERT INTO t VALUES (1);");
        }
        for _ in 0..1 + random.below(25) {
            let file = random.pick(&self.valid);
            let mut path = sandbox.project().join(&file.path);
            if random.once_in(12) {
                let control = random.pick(&CONTROLS).replace('/', "");
                path.set_file_name(format!("{}{control}", file.path.file_name().unwrap().display()));
            }
            // Something else may stand where a folder is needed.
            if fs::create_dir_all(path.parent().unwrap()).is_err() || path.symlink_metadata().is_ok() {
                continue;
            }
            match random.below(8) {
                0 => replace_by_something_else(&path, &self.outside(), random),
                1 | 2 => fs::write(&path, &file.content).unwrap(),
                _ => fs::write(&path, spoiled(&file.content, random)).unwrap(),
            }
        }
        let env = sandbox.project().join(".env");
        let is_planted = random.once_in(3) && (fs::remove_file(&env).is_ok() || !env.is_dir());
        if is_planted {
            let rest = self.valid.iter().find(|file| file.path == Path::new(".env")).unwrap();
            fs::write(env, [PLANTED.as_bytes(), &spoiled(&rest.content, random)].concat()).unwrap();
            // A loader that reads it, whatever else lies there.
            let manifest = sandbox.project().join("package.json");
            let _ = fs::remove_dir_all(&manifest).or_else(|_| fs::remove_file(&manifest));
            fs::write(manifest, r#"{"dependencies": {"dotenv": "16", "pg": "8"}}"#).unwrap();
        }
        is_planted
    }

    fn outside(&self) -> PathBuf {
        self.sandbox.home().join("outside.env")
    }

    /// Makes every call and lists what went wrong.
    fn faults(&mut self, mut random: Random) -> Vec<String> {
        let is_planted = self.lay_out(&mut random);
        let sandbox = &self.sandbox;
        let said = sandbox.tools();
        let kept = [sandbox.project().join("backups"), sandbox.state(), sandbox.tools()];
        let root = sandbox.project().parent().unwrap().to_owned();
        let before = look(&root, &kept);
        let for_command = format!("check -v -- {}", random.pick(&COMMANDS));
        let mut faults = Vec::new();
        for (line, not_done) in [
            ("check --format json", "nothing was judged"),
            (&for_command, "nothing was judged"),
            ("true", "the command was not run"),
            ("--dry-run true", "the command was not run"),
            ("list -v", "nothing was changed"),
            ("verify --all --format json", "nothing was changed"),
            ("prune --dry-run", "nothing was changed"),
            ("log verify", ""),
            ("log -v", "nothing was changed"),
            ("doctor", ""),
        ] {
            let ended = run(sandbox.command().args(line.split(' ')), &said);
            let is_guarded = line.ends_with("true");
            let mut found = ended.faults(not_done, is_guarded, line.ends_with("json"));
            if is_planted && (ended.json()["verdict"] == "safe" || line == "true" && ended.status.success()) {
                found.push("safe, although `.env` names a production database".to_owned());
            }
            faults.extend(found.into_iter().map(|fault| format!("{line}: {fault}")));
        }
        faults.extend(changes(&before, &look(&root, &kept)));
        faults
    }
}

#[test]
fn no_project_hangs_crashes_or_passes_for_safe() {
    try_all(seeds(120, 10_000), Project::new, Project::faults);
}
