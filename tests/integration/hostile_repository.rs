//! A clone that tries to make our own tools run something: repositories with settings, planted programs.

use std::fs;
use std::path::PathBuf;

use crate::support::{Outcome, Sandbox, write_program};

/// A policy that loosens, so that git is asked whether it is the commit's.
const POLICY: &str = "[allow]\nno_database = true\n";

/// A project that leaves a mark where something of it was run.
struct Trap {
    sandbox: Sandbox,
}

impl Trap {
    fn new() -> Self {
        let mut sandbox = Sandbox::new();
        sandbox.set("GITHUB_RUN_ID", "1");
        sandbox.write(".safe-test.toml", POLICY);
        Trap { sandbox }
    }

    fn mark(&self) -> PathBuf {
        self.sandbox.temporary().join("it-ran")
    }

    /// A command that leaves the mark with nothing on `PATH`, and one to be called with words behind it.
    fn command(&self) -> String {
        format!("echo >{}; exit 1 #", self.mark().display())
    }

    /// Makes `place` a repository whose commit is not there, and where git fetches what is not there.
    fn repository(&self, place: &str, config: &str) {
        let config = config.replace("COMMAND", &self.command());
        for (name, text) in [
            ("HEAD", "ref: refs/heads/main\n"),
            ("refs/heads/main", "1111111111111111111111111111111111111111\n"),
            ("objects/info/packs", ""),
            ("config", &config),
        ] {
            self.sandbox.write(format!("{place}/{name}"), text);
        }
        for hook in ["post-checkout", "pre-push", "reference-transaction", "fsmonitor-watchman", "post-index-change"] {
            let path = self.sandbox.write(format!("{place}/hooks/{hook}"), "");
            write_program(&path, &format!("#!/bin/sh\n{}\n", self.command()), 0o755);
        }
    }

    #[track_caller]
    fn expect_unsprung(&self, about: &str) {
        for arguments in [
            &["check"][..],
            &["hooks", "install"],
            &["hooks", "status"],
            &["hooks", "remove"],
            &["--dry-run", "true"],
            &["true"],
            &["log"],
        ] {
            let outcome = self.sandbox.run(arguments);
            assert!(!self.mark().exists(), "{about}\n{arguments:?} ran it\n{}", outcome.stderr);
        }
    }
}

/// Repositories whose objects are to be fetched by what `core.sshCommand` and its like say.
const PROMISOR: &str = "[core]\n repositoryformatversion = 1\n worktree = PLACE\n sshCommand = \"COMMAND\"\n gitProxy = \"COMMAND\"\n\
    [extensions]\n partialClone = origin\n[remote \"origin\"]\n promisor = true\n url = URL\n uploadpack = \"COMMAND\"\n";

const ELSEWHERE: &str = "[core]\n repositoryformatversion = 1\n[extensions]\n partialClone = origin\n \
    worktreeConfig = true\n[include]\n path = more\n";

fn promisor(place: &str, url: &str) -> String {
    PROMISOR.replace("PLACE", place).replace("URL", url)
}

#[test]
fn a_repository_that_is_committed_or_shipped_runs_nothing() {
    let urls =
        ["ssh://x/y", "x:y", "git://127.0.0.1:1/x", "\"ext::sh -c COMMAND\"", "file:///nonexistent", "helper::x"];
    for url in urls {
        for (place, worktree) in [(".", "."), (".git", "..")] {
            let trap = Trap::new();
            trap.repository(place, &promisor(worktree, url));
            trap.expect_unsprung(&format!("{place} {url}"));
        }
        // Where `.git` is a file, a setting is in another file, or a worktree has settings of its own.
        let trap = Trap::new();
        trap.repository("evil", &promisor("..", url));
        trap.sandbox.write(".git", "gitdir: ./evil\n");
        trap.expect_unsprung(&format!("gitdir {url}"));

        let trap = Trap::new();
        trap.repository(".git", ELSEWHERE);
        for name in ["more", "config.worktree"] {
            trap.sandbox.write(format!(".git/{name}"), promisor("..", url).replace("COMMAND", &trap.command()));
        }
        trap.expect_unsprung(&format!("include {url}"));
    }
}

#[test]
fn the_trap_works_on_a_git_that_is_called_without_care() {
    let trap = Trap::new();
    trap.repository(".", &promisor(".", "ssh://x/y"));
    Outcome::of(trap.sandbox.program("git").args(["cat-file", "blob", "HEAD:./.safe-test.toml"]));
    assert!(trap.mark().exists());
}

#[test]
fn no_setting_of_a_repository_runs_anything() {
    let settings = [
        "[core]\n fsmonitor = \"COMMAND\"\n",
        "[core]\n pager = \"COMMAND\"\n[pager]\n config = true\n cat-file = true\n rev-parse = true\n",
        "[core]\n editor = \"COMMAND\"\n askPass = \"COMMAND\"\n",
        "[core]\n hooksPath = hooks\n",
        "[core]\n alternateRefsCommand = \"COMMAND\"\n",
        "[credential]\n helper = \"!COMMAND\"\n",
        "[alias]\n cat-file = \"!COMMAND\"\n rev-parse = \"!COMMAND\"\n config = \"!COMMAND\"\n",
        "[diff]\n external = \"COMMAND\"\n[diff \"x\"]\n textconv = \"COMMAND\"\n command = \"COMMAND\"\n",
        "[filter \"x\"]\n smudge = \"COMMAND\"\n clean = \"COMMAND\"\n process = \"COMMAND\"\n required = true\n",
        "[merge \"x\"]\n driver = \"COMMAND\"\n",
        "[uploadpack]\n packObjectsHook = \"COMMAND\"\n",
        "[gpg]\n program = \"COMMAND\"\n[commit]\n gpgSign = true\n[log]\n showSignature = true\n",
        "[submodule]\n recurse = true\n[submodule \"x\"]\n update = \"!COMMAND\"\n active = true\n",
        "[trace2]\n eventTarget = /dev/full\n[safe]\n bareRepository = all\n directory = *\n",
    ];
    for setting in settings {
        let trap = Trap::new();
        trap.sandbox.write(".gitattributes", "* filter=x diff=x merge=x\n");
        trap.sandbox.git_init();
        let config = trap.sandbox.read(".git/config") + &setting.replace("COMMAND", &trap.command());
        trap.sandbox.write(".git/config", config);
        // The committed policy is in force all the same.
        let checked = trap.sandbox.run(&["check"]);
        assert!(checked.code() == Some(0), "{setting}\n{}{}", checked.stdout, checked.stderr);
        trap.expect_unsprung(setting);
    }
}

#[test]
fn settings_that_never_end_are_not_waited_for() {
    for path in ["/dev/zero", "pipe"] {
        let trap = Trap::new();
        trap.sandbox.git_init();
        let config = trap.sandbox.read(".git/config") + &format!("[include]\n path = {path}\n");
        trap.sandbox.write(".git/config", config);
        Outcome::of(trap.sandbox.program("mkfifo").arg(".git/pipe")).expect_code(0);
        // The policy does not count as reviewed, and nothing else shows that there is no database.
        trap.sandbox.run(&["check"]).expect_code(120);
    }
}

/// The programs that safe-test itself starts.
const OURS: [&str; 4] = ["git", "psql", "pg_dump", "pg_restore"];

#[test]
fn no_program_of_ours_comes_out_of_the_project() {
    for first in ["", ".", "bin", "./bin", "../project/bin", "PROJECT/bin", "PROJECT", "PROJECT/linked"] {
        let mut trap = Trap::new();
        trap.sandbox.write(".env", "DATABASE_URL=postgres://app@127.0.0.1:1/shop_test\n");
        for folder in ["", "bin/"] {
            for name in OURS {
                let path = trap.sandbox.write(format!("{folder}{name}"), "");
                write_program(&path, &format!("#!/bin/sh\n{}\n", trap.command()), 0o755);
            }
        }
        std::os::unix::fs::symlink("bin", trap.sandbox.project().join("linked")).unwrap();
        trap.sandbox.git_init();
        let first = first.replace("PROJECT", trap.sandbox.project().to_str().unwrap());
        let path = std::env::var("PATH").unwrap();
        trap.sandbox.set("PATH", format!("{first}:{path}"));
        trap.expect_unsprung(&first);
        let outcome = trap.sandbox.run(&["./bin/none-such"]);
        assert!(outcome.code() == Some(127), "{}", outcome.stderr);
        trap.sandbox.write("suite", "");
        write_program(&trap.sandbox.project().join("suite"), "#!/bin/sh\n", 0o755);
        for arguments in [&["./suite"][..], &["doctor"], &["snapshot"], &["prune"]] {
            let outcome = trap.sandbox.run(arguments);
            assert!(!trap.mark().exists(), "{first} {arguments:?}\n{}", outcome.stderr);
        }
        // What is guarded is found where `env` would find it.
        if !first.is_empty() {
            continue;
        }
        fs::rename(trap.sandbox.project().join("suite"), trap.sandbox.project().join("own-suite")).unwrap();
        fs::remove_file(trap.sandbox.project().join(".env")).unwrap();
        trap.sandbox.run(&["own-suite"]).expect_code(0);
    }
}

#[test]
fn start_up_files_of_postgresqls_tools_are_not_read() {
    let mut sandbox = Sandbox::with_postgres("start_up_files_test");
    let mark = sandbox.temporary().join("it-ran");
    let script = format!("\\! echo >{}\n", mark.display());
    for name in [".psqlrc", "psqlrc"] {
        sandbox.write(name, &script);
    }
    sandbox.write(".pg_service.conf", "[x]\nhost=192.0.2.1\n");
    let project = sandbox.project();
    for (name, value) in [
        ("HOME", project.clone()),
        ("PSQLRC", project.join(".psqlrc")),
        ("PGSYSCONFDIR", project.clone()),
        ("PGSERVICEFILE", project.join(".pg_service.conf")),
        ("PSQL_PAGER", "echo >it-ran".into()),
        ("PAGER", "echo >it-ran".into()),
    ] {
        sandbox.set(name, value);
    }
    sandbox.guarded().expect_code(0);
    assert!(!mark.exists() && !project.join("it-ran").exists());
    assert_eq!(sandbox.ids().len(), 1);
}
