//! The pre-push hook: real pushes to a real bare repository, and how the hook gets into a repository and out of it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Outcome, Sandbox, write_program};
use crate::terminal::Terminal;

/// A version of git, fetched by `tests/servers`.
#[derive(Clone, Copy)]
pub(crate) enum Git {
    /// From before its settings could hold hooks.
    Old,
    /// From after it.
    New,
}

impl Git {
    pub(crate) fn folder(self) -> PathBuf {
        let name = match self {
            Git::Old => "git-old",
            Git::New => "git-new",
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/servers").join(name).join("bin");
        assert!(folder.join("git").exists(), "tests/run --prepare fetches {}", folder.display());
        folder
    }
}

/// A project with a database, a commit, a remote, and the hook in place.
pub(crate) struct Project {
    pub(crate) sandbox: Sandbox,
}

impl Project {
    fn new() -> Self {
        let project = Project::without_hook(Git::Old);
        project.sandbox.run(&["hooks", "install"]).expect_code(0);
        project
    }

    pub(crate) fn without_hook(git: Git) -> Self {
        let mut sandbox = Sandbox::with_sqlite();
        sandbox.put_on_path(&git.folder());
        sandbox.git_init();
        symlink(env!("CARGO_BIN_EXE_safe-test"), sandbox.tools().join("safe-test")).unwrap();
        let project = Project { sandbox };
        let remote = project.remote();
        project.git(&["init", "--quiet", "--bare", remote.to_str().unwrap()]);
        project.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
        // Writes down its arguments, where git sends it, and what it is handed.
        project.sandbox.recording_tool("tests", "env | grep ^GIT_DIR=; cat >refs; exit \"${STATUS:-0}\"");
        project
    }

    /// A name that a careless hook would take apart.
    pub(crate) fn remote(&self) -> PathBuf {
        self.sandbox.project().parent().unwrap().join("the remote's.git")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut git = self.sandbox.program("git");
        git.args(arguments).env("GIT_CONFIG_NOSYSTEM", "1");
        git
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        Outcome::of(&mut self.command(arguments)).expect_code(0).stdout.trim_end().to_owned()
    }

    /// Commits all that is in the project.
    pub(crate) fn commit(&self, message: &str) {
        let mut git = self.command(&["-c", "user.name=tester", "-c", "user.email=tester@example.com", "commit"]);
        self.git(&["add", "--all"]);
        Outcome::of(git.args(["--quiet", "--allow-empty", "--no-verify", "--message", message])).expect_code(0);
    }

    /// Puts a hook there that is somebody else's: it writes down its arguments and what it is handed.
    fn foreign_hook(&self, ending: &str) -> String {
        let theirs = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >theirs\ncat >>theirs\n{ending}\n");
        write_program(&self.hook(), &theirs, 0o750);
        theirs
    }

    fn settings(&self) -> Vec<u8> {
        fs::read(self.sandbox.project().join(".git/config")).unwrap()
    }

    /// Sets the command that the hook runs.
    pub(crate) fn tested_by(self, command: &str) -> Self {
        self.git(&["config", "safe-test.command", command]);
        self
    }

    pub(crate) fn push(&self) -> Outcome {
        Outcome::of(&mut self.command(&["push", "origin", "main"]))
    }

    pub(crate) fn has_arrived(&self) -> bool {
        let remote = self.remote();
        let there = Outcome::of(&mut self.command(&["--git-dir", remote.to_str().unwrap(), "rev-parse", "main"]));
        there.code() == Some(0) && there.stdout.trim() == self.git(&["rev-parse", "main"])
    }

    #[track_caller]
    pub(crate) fn expect_stopped(&self, outcome: &Outcome, says: &[&str]) {
        assert_eq!(outcome.code(), Some(1), "{}", outcome.stderr);
        for part in says {
            assert!(outcome.stderr.contains(part), "{part}\n{}", outcome.stderr);
        }
        assert!(!self.has_arrived());
    }

    pub(crate) fn hook(&self) -> PathBuf {
        self.sandbox.project().join(".git/hooks/pre-push")
    }
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).unwrap().permissions().mode() & 0o100 != 0
}

#[test]
fn a_push_whose_tests_pass_goes_through_with_a_snapshot() {
    let project = Project::new().tested_by("tests --all");
    let outcome = project.push().expect_code(0);
    assert!(project.has_arrived(), "{}", outcome.stderr);
    assert_eq!(project.sandbox.calls("tests"), ["--all"]);
    assert_eq!(project.sandbox.ids().len(), 1);
    let started = project.sandbox.log().into_iter().find(|entry| entry["event"] == "run-started").unwrap();
    assert_eq!(started["who"]["caller"], serde_json::json!({"kind": "hook", "name": "git", "by": "GIT_EXEC_PATH"}));
}

#[test]
fn the_command_gets_the_hooks_arguments_and_input() {
    let project = Project::new().tested_by("tests \"two words\" \"$1\" \"$2\"");
    project.push().expect_code(0);
    assert_eq!(project.sandbox.calls("tests"), [format!("two words origin {}", project.remote().display())]);
    let commit = project.git(&["rev-parse", "main"]);
    let zero = "0".repeat(commit.len());
    assert_eq!(project.sandbox.read("refs"), format!("refs/heads/main {commit} refs/heads/main {zero}\n"));
}

#[test]
fn tests_that_fail_stop_the_push() {
    let project = Project::new().tested_by("STATUS=3 tests");
    let says = [
        "safe-test: the tests of this pre-push hook ended with status 3\n",
        "  nothing was pushed\n",
        "failed to push",
    ];
    project.expect_stopped(&project.push(), &says);
    assert_eq!(project.sandbox.calls("tests").len(), 1);
}

#[test]
fn a_refusal_stops_the_push() {
    let project = Project::new().tested_by("tests");
    project.sandbox.write(".env", "DATABASE_URL=postgres://app@db.northwind-shop.net/shop\n");
    // Said once, whole, and with the way in which a person can answer.
    let says = [
        "host-remote",
        "the command was not run",
        "ended with status 120\n  hint: a question is answered at a terminal alone: safe-test sh -c \"$(git config safe-test.command)\"\n",
    ];
    project.expect_stopped(&project.push(), &says);
    assert!(project.sandbox.calls("tests").is_empty());
}

#[test]
fn without_safe_test_nothing_is_pushed() {
    let project = Project::new().tested_by("tests");
    fs::remove_file(project.sandbox.tools().join("safe-test")).unwrap();
    let tools = project.sandbox.tools();
    let outcome = Outcome::of(
        project
            .command(&["push", "origin", "main"])
            .env("PATH", format!("{}:{}:/usr/bin:/bin", tools.display(), Git::Old.folder().display())),
    );
    let says = ["does not find safe-test on PATH", "hint: install it: cargo install", "  nothing was pushed"];
    project.expect_stopped(&outcome, &says);
    assert!(project.sandbox.calls("tests").is_empty());
}

#[test]
fn without_a_command_nothing_is_pushed() {
    for setting in [None, Some("")] {
        let project = Project::new();
        if let Some(setting) = setting {
            project.git(&["config", "safe-test.command", setting]);
        }
        let says = ["does not know how the project is tested", "hint: git config safe-test.command 'npm test'"];
        project.expect_stopped(&project.push(), &says);
    }
}

#[test]
fn tests_that_use_git_do_not_act_on_the_repository_that_is_pushed() {
    let project = Project::new().tested_by("tests; git init --quiet inner && git -C inner rev-parse --git-dir");
    project.git(&["worktree", "add", "--quiet", "../tree"]);
    let tree = project.sandbox.project().parent().unwrap().join("tree");
    // In a linked worktree git tells its hooks the repository.
    let outcome = Outcome::of(project.command(&["push", "origin", "HEAD:main"]).current_dir(&tree)).expect_code(0);
    assert!(!outcome.stdout.contains("GIT_DIR="), "{}", outcome.stdout);
    assert!(outcome.stdout.lines().any(|line| line == ".git"), "{}", outcome.stdout);
    assert!(tree.join("inner/.git").is_dir());
}

/// What the answer for programs says of the only one that it tells of.
fn told(outcome: &Outcome) -> Value {
    let json: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(json["schema"], 1, "{json}");
    assert_eq!(json["hooks"].as_array().unwrap().len(), 1, "{json}");
    json["hooks"][0].clone()
}

#[test]
fn the_hook_is_installed_once_updated_and_removed() {
    let project = Project::without_hook(Git::Old);
    let outcome = project.sandbox.run(&["hooks", "install"]).expect_code(0);
    assert!(outcome.stdout.starts_with("git: installed: "), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("git config safe-test.command"), "{}", outcome.stderr);
    assert!(is_executable(&project.hook()));
    let shown = project.sandbox.run(&["hooks", "show"]).expect_code(0).stdout;
    assert_eq!(fs::read_to_string(project.hook()).unwrap(), shown);
    let for_programs = project.sandbox.run(&["hooks", "show", "--format", "json"]).expect_code(0).stdout;
    assert_eq!(serde_json::from_str::<Value>(&for_programs).unwrap()["text"], shown);
    project.git(&["config", "safe-test.command", "mysql -phunter2 && tests"]);
    let said = project.sandbox.run(&["hooks", "install", "git"]).expect_code(0).stdout;
    assert!(said.ends_with("; it runs `mysql -p*** && tests`\n"), "{said}");
    project.git(&["config", "safe-test.command", "tests"]);
    let done = |arguments: &[&str]| -> (String, Value) {
        let outcome = project.sandbox.run(&[arguments, &["--format", "json"]].concat()).expect_code(0);
        let told = told(&outcome);
        (told["done"].as_str().unwrap().to_owned(), told["command"].clone())
    };
    assert_eq!(done(&["hooks", "install"]), ("unchanged".to_owned(), "tests".into()));
    let older = shown.replace("set -u\n", "");
    fs::write(project.hook(), older).unwrap();
    assert_eq!(done(&["hooks", "install"]).0, "updated");
    assert_eq!(fs::read_to_string(project.hook()).unwrap(), shown);
    assert_eq!(done(&["hooks", "remove"]).0, "removed");
    assert!(!project.hook().exists());
    assert_eq!(done(&["hooks", "remove", "all"]).0, "absent");
}

#[test]
fn a_dry_run_shows_the_change_and_makes_none() {
    let project = Project::without_hook(Git::Old).tested_by("tests");
    for arguments in [&["hooks", "install", "--dry-run"][..], &["--dry-run", "hooks", "install", "git"]] {
        let outcome = project.sandbox.run(arguments).expect_code(0);
        assert!(outcome.stdout.starts_with("git: would be installed: "), "{}", outcome.stdout);
        assert!(outcome.stdout.contains("; it runs `tests`\n"), "{}", outcome.stdout);
        assert!(outcome.stdout.contains("pre-push\n  @@ -0,0 +1,"), "{}", outcome.stdout);
        assert!(!project.hook().exists());
    }
    project.sandbox.run(&["hooks", "install"]).expect_code(0);
    let before = fs::read(project.hook()).unwrap();
    let outcome = project.sandbox.run(&["hooks", "remove", "--dry-run"]).expect_code(0);
    assert!(outcome.stdout.contains("\n  -#!/bin/sh\n"), "{}", outcome.stdout);
    assert_eq!(fs::read(project.hook()).unwrap(), before);
}

#[test]
fn the_status_says_what_is_there_and_whether_it_works() {
    let project = Project::without_hook(Git::Old);
    let said = |code: i32| project.sandbox.run(&["hooks", "status"]).expect_code(code).stdout;
    assert_eq!(said(0), "git: not installed\n");
    project.sandbox.run(&["hooks", "install"]).expect_code(0);
    // Every push is refused.
    assert!(said(125).contains("\n  bad: every push is refused until it knows your tests"), "{}", said(125));
    project.git(&["config", "safe-test.command", "tests"]);
    assert!(said(0).starts_with("git: installed: ") && said(0).ends_with("; it runs `tests`\n"), "{}", said(0));
    let outcome = project.sandbox.run(&["hooks", "status", "git", "--format", "json"]).expect_code(0);
    assert_eq!(told(&outcome)["installed"], true);
    fs::rename(project.hook(), project.hook().with_extension("old")).unwrap();
    assert!(said(125).contains("\n  bad: the program that keeps the hooks has put it aside"), "{}", said(125));
    fs::rename(project.hook().with_extension("old"), project.hook()).unwrap();
    fs::write(project.hook(), "#!/bin/sh\n# safe-test's pre-push hook, an older one\n").unwrap();
    assert!(said(125).contains("it is of another version"), "{}", said(125));
}

#[test]
fn a_hook_that_cannot_be_executed_is_told_and_made_a_program_again() {
    for (git, script) in [(Git::Old, ".git/hooks/pre-push"), (Git::New, ".git/safe-test/pre-push")] {
        let project = Project::without_hook(git).tested_by("tests");
        project.sandbox.run(&["hooks", "install"]).expect_code(0);
        let script = project.sandbox.project().join(script);
        fs::set_permissions(&script, fs::Permissions::from_mode(0o644)).unwrap();
        let outcome = project.sandbox.run(&["hooks", "status", "git"]).expect_code(125);
        assert!(outcome.stdout.contains("bad: "), "{}", outcome.stdout);
        project.sandbox.run(&["hooks", "install"]).expect_code(0);
        assert!(is_executable(&script));
        project.sandbox.run(&["hooks", "status", "git"]).expect_code(0);
    }
}

#[test]
fn what_has_no_place_for_hooks_is_refused_with_what_has() {
    let project = Project::without_hook(Git::Old);
    let outcome = project.sandbox.run(&["hooks", "install", "gti"]).expect_code(125);
    assert!(outcome.stderr.contains("hooks cannot be put into `gti`"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("hint: one of: git, "), "{}", outcome.stderr);
    let outcome = project.sandbox.run(&["hooks", "install", "git", "--user"]).expect_code(125);
    assert!(outcome.stderr.contains("git has no place for hooks of one user"), "{}", outcome.stderr);
    assert!(!project.hook().exists());
}

#[test]
fn a_hook_of_somebody_else_is_run_first_with_the_same_arguments_and_input() {
    let project = Project::without_hook(Git::Old).tested_by("tests");
    let theirs = project.foreign_hook("exit 0");
    let outcome = project.sandbox.run(&["hooks", "install"]).expect_code(0);
    assert!(outcome.stderr.contains("the hook that was there is run first"), "{}", outcome.stderr);
    project.push().expect_code(0);
    let (commit, remote) = (project.git(&["rev-parse", "main"]), project.remote());
    let refs = format!("refs/heads/main {commit} refs/heads/main {}\n", "0".repeat(commit.len()));
    assert_eq!(project.sandbox.read("theirs"), format!("origin\n{}\n{refs}", remote.display()));
    assert_eq!(project.sandbox.read("refs"), refs);
    project.sandbox.run(&["hooks", "remove"]).expect_code(0);
    assert_eq!(fs::read_to_string(project.hook()).unwrap(), theirs);
    assert_eq!(fs::metadata(project.hook()).unwrap().permissions().mode() & 0o777, 0o750);
    let hooks = fs::read_dir(project.hook().parent().unwrap()).unwrap().flatten();
    assert_eq!(hooks.filter(|hook| hook.file_name().to_string_lossy().contains("safe-test")).count(), 0);
}

#[test]
fn a_hook_of_somebody_else_that_fails_stops_the_push_before_the_tests() {
    let project = Project::without_hook(Git::Old).tested_by("tests");
    project.foreign_hook("echo theirs says no >&2; exit 7");
    project.sandbox.run(&["hooks", "install"]).expect_code(0);
    project.expect_stopped(&project.push(), &["theirs says no"]);
    assert!(project.sandbox.calls("tests").is_empty());
}

#[test]
fn what_is_no_program_of_somebody_else_stays_whole_and_does_nothing() {
    let project = Project::without_hook(Git::Old).tested_by("tests");
    let elsewhere = project.sandbox.write("their-hook", "#!/bin/sh\nexit 1\n");
    // git does not run what may not be executed.
    symlink(&elsewhere, project.hook()).unwrap();
    project.sandbox.run(&["hooks", "install"]).expect_code(0);
    project.push().expect_code(0);
    project.sandbox.run(&["hooks", "remove"]).expect_code(0);
    assert_eq!(fs::read_link(project.hook()).unwrap(), elsewhere);
    for (what, path) in [("is in the way", "pre-push.before-safe-test"), ("is no file", "pre-push")] {
        let _ = fs::remove_file(project.hook());
        project.foreign_hook("exit 0");
        let at = project.hook().with_file_name(path);
        let _ = fs::remove_file(&at);
        fs::create_dir(&at).unwrap();
        let outcome = project.sandbox.run(&["hooks", "install"]).expect_code(125);
        assert!(outcome.stderr.contains(&format!("{path} {what}")), "{}", outcome.stderr);
        assert!(outcome.stderr.ends_with("  nothing was changed\n"), "{}", outcome.stderr);
        fs::remove_dir(at).unwrap();
    }
}

#[test]
fn a_new_git_keeps_the_hook_in_its_settings_and_nothing_else_is_touched() {
    let project = Project::without_hook(Git::New).tested_by("tests");
    let theirs = project.foreign_hook("exit \"${THEIRS:-0}\"");
    let before = project.settings();
    let planned = project.sandbox.run(&["hooks", "install", "--dry-run"]).expect_code(0).stdout;
    assert!(planned.contains("\n  git config hook.safe-test.event pre-push\n"), "{planned}");
    assert_eq!(project.settings(), before);
    project.sandbox.run(&["hooks", "install"]).expect_code(0);
    let outcome = project.sandbox.run(&["hooks", "install"]).expect_code(0);
    assert!(outcome.stdout.starts_with("git: unchanged: "), "{}", outcome.stdout);
    project.sandbox.run(&["hooks", "status"]).expect_code(0);
    assert_eq!(fs::read_to_string(project.hook()).unwrap(), theirs);

    let stopped = Outcome::of(project.command(&["push", "origin", "main"]).env("STATUS", "3"));
    project
        .expect_stopped(&stopped, &["the tests of this pre-push hook ended with status 3\n", "  nothing was pushed\n"]);
    let stopped = Outcome::of(project.command(&["push", "origin", "main"]).env("THEIRS", "3"));
    project.expect_stopped(&stopped, &[]);
    project.push().expect_code(0);
    let (commit, remote) = (project.git(&["rev-parse", "main"]), project.remote());
    let refs = format!("refs/heads/main {commit} refs/heads/main {}\n", "0".repeat(commit.len()));
    assert_eq!(project.sandbox.read("theirs"), format!("origin\n{}\n{refs}", remote.display()));
    assert_eq!(project.sandbox.read("refs"), refs);

    project.git(&["config", "hook.safe-test.enabled", "false"]);
    let said = project.sandbox.run(&["hooks", "status"]).expect_code(125).stdout;
    assert!(said.contains("bad: it is switched off; git config --unset hook.safe-test.enabled\n"), "{said}");
    project.git(&["config", "--unset", "hook.safe-test.enabled"]);
    let with_old = format!("{}:/usr/bin:/bin", Git::Old.folder().display());
    let said = Outcome::of(project.sandbox.command().args(["hooks", "status"]).env("PATH", with_old)).expect_code(125);
    assert!(said.stdout.contains("bad: this git does not run hooks from its settings"), "{}", said.stdout);

    project.sandbox.run(&["hooks", "remove"]).expect_code(0);
    assert_eq!(project.settings(), before);
    assert!(!project.sandbox.project().join(".git/safe-test").exists());
    assert_eq!(fs::read_to_string(project.hook()).unwrap(), theirs);
}

#[test]
fn an_older_git_takes_the_hook_over_from_the_settings() {
    let mut project = Project::without_hook(Git::New).tested_by("tests");
    let before = project.settings();
    project.sandbox.run(&["hooks", "install"]).expect_code(0);
    project.sandbox.put_on_path(&Git::Old.folder());
    project.sandbox.run(&["hooks", "install"]).expect_code(0);
    assert_eq!(project.settings(), before);
    assert!(project.hook().exists() && !project.sandbox.project().join(".git/safe-test").exists());
    project.sandbox.run(&["hooks", "status", "git"]).expect_code(0);
    project.push().expect_code(0);
    assert_eq!(project.sandbox.calls("tests").len(), 1);
    // The file does for the new one as well.
    project.sandbox.put_on_path(&Git::New.folder());
    let outcome = project.sandbox.run(&["hooks", "install"]).expect_code(0);
    assert!(outcome.stdout.starts_with("git: unchanged: "), "{}", outcome.stdout);
}

#[test]
fn a_new_git_needs_no_folder_that_others_share_and_finds_its_hook_where_the_repository_went() {
    let project = Project::without_hook(Git::New).tested_by("tests");
    let home = project.sandbox.home();
    project.git(&["config", "core.hooksPath", home.to_str().unwrap()]);
    project.sandbox.run(&["hooks", "install"]).expect_code(0);
    assert!(fs::read_dir(&home).unwrap().next().is_none());
    let moved = project.sandbox.project().with_file_name("moved to");
    fs::rename(project.sandbox.project(), &moved).unwrap();
    // Whoever started this in the old folder would not be there.
    fs::create_dir(project.sandbox.project()).unwrap();
    Outcome::of(project.command(&["push", "origin", "main"]).current_dir(&moved)).expect_code(0);
    assert_eq!(project.sandbox.calls("tests").len(), 1);
}

#[test]
fn several_refs_are_tested_once_and_no_tests_are_run_for_what_sends_nothing() {
    for git in [Git::Old, Git::New] {
        let project = Project::without_hook(git).tested_by("tests");
        project.sandbox.run(&["hooks", "install"]).expect_code(0);
        project.git(&["branch", "other"]);
        let push = |arguments: &[&str]| {
            let outcome = Outcome::of(&mut project.command(&[&["push", "origin"], arguments].concat())).expect_code(0);
            (project.sandbox.calls("tests").len(), outcome)
        };
        assert_eq!(push(&["main", "other", "main:third", "main:fourth"]).0, 1);
        assert_eq!(project.sandbox.read("refs").lines().count(), 4);
        assert_eq!(push(&["main", "other"]).0, 1);
        assert_eq!(push(&[":other", ":third"]).0, 1);
        let there = project.git(&["ls-remote", "--heads", "origin"]);
        assert!(!there.contains("refs/heads/other") && !there.contains("refs/heads/third"), "{there}");
        project.commit("second");
        assert_eq!(push(&["main", ":fourth"]).0, 2, "what is sent is tested, whatever is deleted besides");
        project.commit("third");
        assert_eq!(push(&["--no-verify", "main"]).0, 2);
    }
}

#[test]
fn an_editor_that_knows_few_folders_finds_safe_test_where_cargo_puts_it() {
    let project = Project::new().tested_by("\"$TOOLS/tests\"");
    let tools = project.sandbox.tools();
    let path = format!("{}:/usr/bin:/bin", Git::Old.folder().display());
    let cargo = project.sandbox.home().join(".cargo/bin");
    fs::create_dir_all(&cargo).unwrap();
    fs::rename(tools.join("safe-test"), cargo.join("safe-test")).unwrap();
    let mut push = project.command(&["push", "origin", "main"]);
    Outcome::of(push.env("PATH", path).env("TOOLS", tools)).expect_code(0);
    assert_eq!(project.sandbox.calls("tests").len(), 1);
}

#[test]
fn a_submodule_has_a_hook_of_its_own() {
    for git in [Git::Old, Git::New] {
        let project = Project::without_hook(git);
        let inner = project.sandbox.project().with_file_name("inner");
        let (outer, inner) = (project.sandbox.project(), inner.to_str().unwrap().to_owned());
        project.git(&["clone", "--quiet", "--bare", outer.to_str().unwrap(), &inner]);
        project.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &inner, "below it"]);
        let within = |command: &mut Command| Outcome::of(command.current_dir(outer.join("below it"))).expect_code(0);
        let said = within(project.sandbox.command().args(["hooks", "install"]));
        assert!(said.stdout.contains("/.git/modules/below it/"), "{}", said.stdout);
        within(&mut project.command(&["config", "safe-test.command", "tests"]));
        within(&mut project.command(&["push", project.remote().to_str().unwrap(), "main:below"]));
        assert_eq!(project.sandbox.calls("tests").len(), 1);
        let outside = project.sandbox.run(&["hooks", "status"]).expect_code(0).stdout;
        assert_eq!(outside, "git: not installed\n");
    }
}

#[test]
fn the_repositorys_own_folder_of_hooks_is_used_and_a_shared_one_is_not() {
    let project = Project::without_hook(Git::Old);
    project.git(&["config", "core.hooksPath", "tools/git hooks"]);
    project.sandbox.run(&["hooks", "install"]).expect_code(0);
    assert!(is_executable(&project.sandbox.project().join("tools/git hooks/pre-push")));
    let home = project.sandbox.home();
    symlink(&home, project.sandbox.project().join("linked")).unwrap();
    for shared in [home.to_str().unwrap(), "linked/hooks", "../elsewhere"] {
        project.git(&["config", "core.hooksPath", shared]);
        let outcome = project.sandbox.run(&["hooks", "install"]).expect_code(125);
        assert!(outcome.stderr.contains("other repositories may use them too"), "{shared}: {}", outcome.stderr);
    }
    assert!(fs::read_dir(&home).unwrap().next().is_none());
}

#[test]
fn outside_of_a_repository_there_is_nothing_to_install_into() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run(&["hooks", "install"]).expect_code(125);
    assert!(outcome.stderr.contains("is in no git repository"), "{}", outcome.stderr);
    let outcome = Outcome::of(sandbox.command().args(["hooks", "install"]).env("PATH", "relative:.")).expect_code(125);
    assert!(outcome.stderr.contains("git was not found on PATH"), "{}", outcome.stderr);
}

#[test]
fn a_person_is_asked_for_the_command() {
    for (typed, expected) in [("npm test\r", Some("npm test")), ("\r", None)] {
        let project = Project::without_hook(Git::Old);
        let mut terminal = Terminal::start(project.sandbox.command().args(["hooks", "install"]));
        terminal.read_until("a line for sh:");
        terminal.type_in(typed);
        let (said, ended) = terminal.end();
        assert_eq!(ended, (0, -1), "{said}");
        let setting = Outcome::of(&mut project.command(&["config", "--get", "safe-test.command"]));
        assert_eq!(setting.stdout.trim(), expected.unwrap_or_default(), "{said}");
        assert!(project.hook().exists());
    }
}
