//! Small made-up projects, each judged from its own folder: an accident is stopped by its cause, and what is innocent is
//! let through. The cases are in `fixtures/projects/`, a file an ecosystem, one a line: `files`, `env`, `command`, `cwd`,
//! and what is wanted. `stop` is production, `ask` anything but safe, `safe` safe; `cause` is a rule that must be among
//! the findings, with the place that it names behind it (`host-remote pom.xml:7`, `-` for no file).

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Judged, Sandbox};

/// A made-up project, laid out in a sandbox of its own, with the command that is judged in it.
pub(crate) struct Project {
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: PathBuf,
    pub(crate) command: Vec<String>,
}

impl Project {
    /// Lays a case out.
    pub(crate) fn of(case: &Value) -> Self {
        let mut sandbox = Sandbox::new();
        fs::create_dir(sandbox.project().join(".git")).unwrap();
        for (name, content) in case["files"].as_object().unwrap() {
            sandbox.write(name, content.as_str().unwrap());
        }
        for (name, value) in case["env"].as_object().into_iter().flatten() {
            sandbox.set(name, value.as_str().unwrap());
        }
        let folder = sandbox.project().join(case["cwd"].as_str().unwrap_or_default());
        let words = case["command"].as_array().unwrap().iter();
        let command = words.map(|word| word.as_str().unwrap().to_owned()).collect();
        Project { sandbox, folder, command }
    }

    pub(crate) fn judged(&self) -> Judged {
        let before = ["-C", self.folder.to_str().unwrap(), "check", "--format", "json", "--"];
        let words = before.into_iter().chain(self.command.iter().map(String::as_str));
        Judged::with(&self.sandbox, &words.collect::<Vec<_>>())
    }
}

/// Judges a case; gives what is wrong with the answer.
fn judge(case: &Value) -> Option<String> {
    let text = |key: &str| case[key].as_str().unwrap_or_default();
    let judged = Project::of(case).judged();
    let is_as_wanted = match text("want") {
        "stop" => judged.verdict() == "production",
        "ask" => judged.verdict() != "safe",
        "safe" => judged.verdict() == "safe",
        other => panic!("{other}"),
    };
    let causes = causes(&judged);
    let has_cause = text("cause").is_empty() || causes.iter().any(|cause| cause == text("cause"));
    let wrong =
        || format!("{}: wanted {} {}, got {} {causes:?}", text("name"), text("want"), text("cause"), judged.verdict());
    (!is_as_wanted || !has_cause).then(wrong)
}

/// Lists the findings that weigh, as `rule file:line`.
fn causes(judged: &Judged) -> Vec<String> {
    let findings = judged.json["findings"].as_array().unwrap().iter();
    let weighty = findings.filter(|finding| finding["level"] != "note");
    weighty
        .map(|finding| {
            let rule = finding["rule"].as_str().unwrap();
            match finding["origin"]["file"].as_str() {
                Some(file) => format!("{rule} {file}:{}", finding["origin"]["line"]),
                None => format!("{rule} -"),
            }
        })
        .collect()
}

/// The cases of one file.
fn cases(file: &Path) -> Vec<Value> {
    fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/projects")
}

/// All cases of all files.
pub(crate) fn all_cases() -> Vec<Value> {
    let files = fs::read_dir(folder()).unwrap();
    files.flat_map(|entry| cases(&entry.unwrap().path())).collect()
}

/// Judges the cases of one file, side by side.
#[track_caller]
fn all_are_judged_as_wanted(file: &str) {
    let cases = cases(&folder().join(file));
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let parts = cases.chunks(cases.len().div_ceil(4));
        let threads: Vec<_> =
            parts.map(|part| scope.spawn(|| part.iter().filter_map(judge).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn projects_of_the_jvm_are_judged_as_wanted() {
    all_are_judged_as_wanted("jvm.jsonl");
}

#[test]
fn packages_of_workspaces_are_judged_as_wanted() {
    all_are_judged_as_wanted("workspaces.jsonl");
}

#[test]
fn task_runners_and_wrappers_are_judged_as_wanted() {
    all_are_judged_as_wanted("runners.jsonl");
}

#[test]
fn commands_that_act_elsewhere_are_judged_as_wanted() {
    all_are_judged_as_wanted("elsewhere.jsonl");
}

#[test]
fn services_of_compose_are_judged_as_wanted() {
    all_are_judged_as_wanted("compose.jsonl");
}

#[test]
fn projects_of_node_are_judged_as_wanted() {
    all_are_judged_as_wanted("node.jsonl");
}

#[test]
fn projects_of_dotnet_are_judged_as_wanted() {
    all_are_judged_as_wanted("dotnet.jsonl");
}

#[test]
fn projects_of_php_are_judged_as_wanted() {
    all_are_judged_as_wanted("php.jsonl");
}

#[test]
fn projects_of_python_are_judged_as_wanted() {
    all_are_judged_as_wanted("python.jsonl");
}

#[test]
fn projects_of_ruby_are_judged_as_wanted() {
    all_are_judged_as_wanted("ruby.jsonl");
}

#[test]
fn projects_of_elixir_are_judged_as_wanted() {
    all_are_judged_as_wanted("elixir.jsonl");
}

#[test]
fn projects_of_go_are_judged_as_wanted() {
    all_are_judged_as_wanted("go.jsonl");
}

#[test]
fn projects_of_rust_are_judged_as_wanted() {
    all_are_judged_as_wanted("rust.jsonl");
}
