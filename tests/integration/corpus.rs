//! Labelled environment files, each judged in a project of its own: nothing that is production gets through, and
//! what is local is not in anybody's way. The cases are in `fixtures/corpus/cases.jsonl`, one a line.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Outcome, Sandbox, write_program};

struct Case(Value);

impl Case {
    fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap_or_default()
    }

    /// Whether the label is certain and the file is a dotenv file.
    fn is_certain(&self) -> bool {
        self.text("confidence") == "high" && self.text("syntax") == "dotenv"
    }

    /// The verdict, the rules behind it, and whether the exit status goes with it.
    fn judge(&self) -> (String, Vec<String>) {
        let mut sandbox = Sandbox::new();
        fs::create_dir(sandbox.project().join(".git")).unwrap();
        sandbox.write(self.text("path"), lines(&self.0["raw_lines"]));
        let more = self.0["extra_files"].as_object();
        for (name, content) in more.into_iter().flatten() {
            sandbox.write(name, lines(content));
        }
        for (name, value) in self.0["process_env"].as_object().into_iter().flatten() {
            sandbox.set(name, value.as_str().unwrap());
        }
        for pair in self.text("context").split_whitespace() {
            if let Some((name, value)) = pair.split_once('=').filter(|(_, value)| !value.is_empty()) {
                sandbox.set(name, value);
            }
        }
        let command: Vec<&str> = self.text("command").split_whitespace().collect();
        let is_made = self.text("source") == "made";
        let mut arguments = vec!["check", "--format", "json"];
        if let Some(program) = command.first().filter(|_| is_made) {
            if program.contains('/') {
                write_program(&sandbox.project().join(program), "#!/bin/sh\n", 0o755);
            }
            arguments.push("--");
            arguments.extend(command);
        } else if !is_made || more.is_none_or(serde_json::Map::is_empty) {
            arguments.splice(0..0, ["--env-file", self.text("path")]);
        }
        let outcome = sandbox.run(&arguments);
        answer(&outcome)
    }
}

fn answer(outcome: &Outcome) -> (String, Vec<String>) {
    let Ok(answer) = serde_json::from_str::<Value>(&outcome.stdout) else {
        return ("no answer".to_owned(), vec![outcome.stderr.clone()]);
    };
    let verdict = answer["verdict"].as_str().unwrap_or_default().to_owned();
    let wanted = if verdict == "safe" { 0 } else { 120 };
    if outcome.code() != Some(wanted) {
        return ("no answer".to_owned(), vec![format!("{verdict} with {}", outcome.status)]);
    }
    let weighty = answer["findings"].as_array().unwrap().iter().filter(|finding| finding["level"] != "note");
    (verdict, weighty.map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect())
}

fn lines(value: &Value) -> String {
    value.as_array().unwrap().iter().map(|line| format!("{}\n", line.as_str().unwrap())).collect()
}

fn cases() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus/cases.jsonl");
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| Case(serde_json::from_str(line).unwrap())).collect()
}

/// Judges cases side by side; gives for each its id, label, verdict and rules.
fn judged(cases: Vec<Case>) -> Vec<(String, String, String, Vec<String>)> {
    let parts: Vec<&[Case]> = cases.chunks(cases.len().div_ceil(4)).collect();
    std::thread::scope(|scope| {
        let judge = |case: &Case| {
            let (verdict, rules) = case.judge();
            (case.text("id").to_owned(), case.text("label").to_owned(), verdict, rules)
        };
        let threads: Vec<_> =
            parts.into_iter().map(|part| scope.spawn(move || part.iter().map(judge).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn production_is_stopped_and_local_files_are_let_through() {
    let results = judged(cases().into_iter().filter(Case::is_certain).collect());
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (_, label, verdict, _) in &results {
        *counts.entry((label, verdict)).or_default() += 1;
    }
    let wrong: Vec<_> = results
        .iter()
        .filter(|(_, label, verdict, _)| {
            matches!(
                (label.as_str(), verdict.as_str()),
                ("production" | "remote_nonprod", "safe") | ("local", "production") | (_, "no answer")
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let count = |label, verdict| counts.get(&(label, verdict)).copied().unwrap_or(0);
    let (straight, asked) = (count("local", "safe"), count("local", "unverified"));
    assert!(straight * 10 >= (straight + asked) * 9, "{counts:?}");
    assert!(straight > 50 && count("production", "production") > 50, "{counts:?}");
}

/// Cases whose label is a guess, or that need what is not in any file: judged otherwise than they are labelled, with
/// the reason. Everything else has to come out as labelled, or be asked about.
const OTHERWISE: [(&str, &str); 9] = [
    ("real-0019", "neither host nor environment: a folder's name, which the case does not have, was all that told"),
    ("real-0042", "the name says live, which is the rule's own example of a change of case"),
    ("real-0047", "a container's address, on a machine without that bridge"),
    ("made-0117", "a table that is named for production, at a local endpoint"),
    ("made-0128", "a tunnel of which only a comment tells; its rule looks at the running machine"),
    ("made-0189", "the bridge's own address, on a machine without that bridge"),
    ("made-0245", "the name of an application to deploy, beside a database on this machine"),
    ("made-0300", "a second host in a value of several lines: loaders disagree where the value ends"),
    ("made-0309", "a host with a character that cannot be seen is no local name"),
];

#[test]
fn uncertain_cases_differ_from_their_label_only_where_it_is_known_why() {
    let results = judged(cases().into_iter().filter(|case| !case.is_certain()).collect());
    let is_wrong = |label: &str, verdict: &str| {
        matches!(
            (label, verdict),
            ("production" | "remote_nonprod", "safe") | ("local", "production") | (_, "no answer")
        )
    };
    let unexplained: Vec<_> = results
        .iter()
        .filter(|(id, label, verdict, _)| {
            is_wrong(label, verdict) && !OTHERWISE.iter().any(|(known, reason)| id == known && !reason.is_empty())
        })
        .collect();
    assert!(unexplained.is_empty(), "{unexplained:#?}");
}
