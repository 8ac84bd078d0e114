//! The pre-push hook where a program keeps the hooks of a repository: real pushes with husky, lefthook, pre-commit and prek.

use std::fs;
use std::path::{Path, PathBuf};

use crate::hooks::{Git, Project};
use crate::support::Outcome;

/// A hook before a push in the words of pre-commit, which prek has taken over.
const THEIRS: &str = "repos:
  - repo: local
    hooks:
      - id: theirs
        name: theirs
        entry: theirs
        language: system
        pass_filenames: false
        always_run: true
        stages: [pre-push]
";

/// A project whose hooks one of these keeps, which are on `PATH`. Its hook before a push runs the program `theirs`.
fn kept_by(manager: &str, git: Git) -> Project {
    let mut project = Project::without_hook(git).tested_by("tests --all");
    let managers = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/hook_managers");
    assert!(managers.exists(), "tests/run --prepare fetches {}", managers.display());
    project.sandbox.put_on_path(&managers.join("node_modules/.bin"));
    project.sandbox.put_on_path(&managers.join("python/bin"));
    // Whatever is kept there, git comes first.
    project.sandbox.put_on_path(&git.folder());
    project.sandbox.set("PYTHONPATH", managers.join("python"));
    project.sandbox.recording_tool("theirs", "exit \"${THEIRS:-0}\"");
    let arguments: &[&str] = match manager {
        "husky" => {
            project.sandbox.write(".husky/pre-push", "theirs");
            &[]
        }
        "lefthook" => {
            project.sandbox.write("lefthook.yml", "pre-push:\n  commands:\n    theirs:\n      run: theirs\n");
            &["install"]
        }
        _ => {
            project.sandbox.write(".pre-commit-config.yaml", THEIRS);
            &["install", "--hook-type", "pre-push"]
        }
    };
    project.commit("hooks");
    Outcome::of(project.sandbox.program(manager).args(arguments).env("GIT_CONFIG_NOSYSTEM", "1")).expect_code(0);
    project
}

/// All of a project's files, but for what a push changes, with what is in them.
fn files(project: &Project) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![project.sandbox.project()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            let is_of_push = ["objects", "logs", "refs", "backups", "theirs"].iter().any(|of_push| name == *of_push);
            match entry.file_type().unwrap().is_dir() {
                _ if is_of_push || name == "refs" => {}
                true => folders.push(path),
                false => files.push((path.clone(), fs::read(path).unwrap())),
            }
        }
    }
    files.sort();
    files
}

/// Pushes with tests that fail, with a hook of theirs that fails, and with neither.
#[track_caller]
fn expect_both_to_count(project: &Project) {
    for failing in ["STATUS", "THEIRS"] {
        let stopped = Outcome::of(project.command(&["push", "origin", "main"]).env(failing, "3"));
        project.expect_stopped(&stopped, &[]);
    }
    let (tests, theirs) = (project.sandbox.calls("tests").len(), project.sandbox.calls("theirs").len());
    let outcome = project.push().expect_code(0);
    let (all, more) = (project.sandbox.calls("tests"), project.sandbox.calls("theirs").len() - theirs);
    assert_eq!((all.len() - tests, more), (1, 1), "{}\n{}", outcome.stdout, outcome.stderr);
    assert_eq!(all.last().unwrap(), "--all");
}

#[test]
fn a_new_git_runs_both_and_leaves_no_trace_afterwards() {
    for manager in ["husky", "lefthook", "pre-commit", "prek"] {
        let project = kept_by(manager, Git::New);
        let before = files(&project);
        project.sandbox.run(&["hooks", "install"]).expect_code(0);
        project.sandbox.run(&["hooks", "remove"]).expect_code(0);
        assert!(files(&project) == before, "{manager}");
        project.sandbox.run(&["hooks", "install"]).expect_code(0);
        expect_both_to_count(&project);
    }
}

#[test]
fn huskys_script_gets_some_lines_and_loses_them_again() {
    let project = kept_by("husky", Git::Old);
    let before = files(&project);
    let outcome = project.sandbox.run(&["hooks", "install"]).expect_code(0);
    assert!(outcome.stdout.contains(".husky/pre-push; it runs `tests --all`\n"), "{}", outcome.stdout);
    assert!(project.sandbox.read(".husky/pre-push").contains("\nsafe-test tests --all\n"));
    project.sandbox.run(&["hooks", "status"]).expect_code(0);
    expect_both_to_count(&project);
    project.git(&["config", "safe-test.command", "tests 'two words' && true"]);
    project.sandbox.run(&["hooks", "install"]).expect_code(0);
    let there = project.sandbox.read(".husky/pre-push");
    assert_eq!(there.matches("safe-test sh -c").count(), 1, "{there}");
    project.git(&["config", "safe-test.command", "tests --all"]);
    project.sandbox.run(&["hooks", "remove"]).expect_code(0);
    let after: Vec<_> =
        files(&project).into_iter().filter(|(path, _)| before.iter().any(|(known, _)| known == path)).collect();
    let changed: Vec<_> =
        before.iter().zip(&after).filter(|(one, other)| one != other).map(|(one, _)| &one.0).collect();
    assert!(changed.iter().all(|path| path.starts_with(project.sandbox.project().join(".git"))), "{changed:?}");
    assert_eq!(project.sandbox.read(".husky/pre-push"), "theirs");
    project.git(&["config", "--unset", "safe-test.command"]);
    let outcome = project.sandbox.run(&["hooks", "install"]).expect_code(125);
    assert!(outcome.stderr.contains("has to stand in"), "{}", outcome.stderr);
}

#[test]
fn what_a_person_has_to_add_is_said_and_then_counts() {
    for (manager, file) in
        [("lefthook", "lefthook.yml"), ("pre-commit", ".pre-commit-config.yaml"), ("prek", ".pre-commit-config.yaml")]
    {
        let project = kept_by(manager, Git::Old);
        let before = files(&project);
        let outcome = project.sandbox.run(&["hooks", "install"]).expect_code(125);
        assert!(outcome.stdout.starts_with("git: is left to you: "), "{}", outcome.stdout);
        assert!(
            outcome.stderr.contains(&format!("{manager} keeps the hooks of this repository")),
            "{}",
            outcome.stderr
        );
        assert!(files(&project) == before, "{manager}");
        // The first lines are there already.
        let snippet: Vec<&str> = outcome.stderr.lines().filter_map(|line| line.strip_prefix("safe-test: ")).collect();
        let known = if manager == "lefthook" { 2 } else { 1 };
        let there = project.sandbox.read(file);
        let lines: Vec<&str> = there.lines().collect();
        assert_eq!(snippet[1..=known], lines[..known], "{manager}");
        project.sandbox.write(file, [&there, &snippet[1 + known..].join("\n"), "\n"].concat());
        project.commit("safe-test");
        expect_both_to_count(&project);
        let said = project.sandbox.run(&["hooks", "install"]).expect_code(0);
        assert!(said.stdout.starts_with("git: unchanged: "), "{}", said.stdout);
        project.sandbox.run(&["hooks", "status"]).expect_code(0);
        project.sandbox.run(&["hooks", "remove"]).expect_code(125);
    }
}

#[test]
fn a_program_that_comes_later_and_calls_the_hook_it_found_is_known() {
    for manager in ["pre-commit", "prek"] {
        let project = kept_by(manager, Git::Old);
        fs::remove_file(project.hook()).unwrap();
        project.sandbox.run(&["hooks", "install"]).expect_code(0);
        let install = ["install", "--hook-type", "pre-push"];
        Outcome::of(project.sandbox.program(manager).args(install).env("GIT_CONFIG_NOSYSTEM", "1")).expect_code(0);
        project.sandbox.run(&["hooks", "status"]).expect_code(0);
        expect_both_to_count(&project);
        project.sandbox.run(&["hooks", "remove"]).expect_code(0);
        assert!(!project.hook().with_extension("legacy").exists());
        assert!(fs::read_to_string(project.hook()).unwrap().contains("File generated by"));
    }
}

#[test]
fn the_repository_of_safe_test_is_one_of_pre_commits() {
    for manager in ["pre-commit", "prek"] {
        let project = kept_by(manager, Git::Old);
        let hooks = project.sandbox.project().with_file_name("safe-test of hooks");
        fs::create_dir(&hooks).unwrap();
        fs::copy(
            Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml"),
            hooks.join(".pre-commit-hooks.yaml"),
        )
        .unwrap();
        let within =
            |arguments: &[&str]| Outcome::of(project.command(arguments).current_dir(&hooks)).expect_code(0).stdout;
        within(&["init", "--quiet"]);
        within(&["add", "--all"]);
        within(&["-c", "user.name=tester", "-c", "user.email=tester@example.com", "commit", "--quiet", "--message=x"]);
        let commit = within(&["rev-parse", "HEAD"]);
        let ours = format!(
            "  - repo: {}\n    rev: {commit}    hooks:\n      - id: safe-test\n        args: [tests, --all]\n",
            hooks.display()
        );
        project.sandbox.write(".pre-commit-config.yaml", [THEIRS, &ours].concat());
        project.commit("safe-test");
        expect_both_to_count(&project);
    }
}
