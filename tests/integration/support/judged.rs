//! `check --format json`, to be asked about.

use serde_json::Value;

use super::Sandbox;

/// The answer of one `check`.
pub(crate) struct Judged {
    pub(crate) json: Value,
}

impl Judged {
    /// Judges a command line in a sandbox; no words mean no command. The exit status has to go with the verdict.
    #[track_caller]
    pub(crate) fn of(sandbox: &Sandbox, command: &[&str]) -> Self {
        let mut arguments = vec!["check", "--format", "json"];
        if !command.is_empty() {
            arguments.push("--");
            arguments.extend(command);
        }
        Self::with(sandbox, &arguments)
    }

    /// As [`Judged::of`], with all arguments of safe-test.
    #[track_caller]
    pub(crate) fn with(sandbox: &Sandbox, arguments: &[&str]) -> Self {
        let outcome = sandbox.run(arguments);
        let json: Value = serde_json::from_str(&outcome.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}\n{}", outcome.stdout, outcome.stderr));
        let status = if json["verdict"] == "safe" { 0 } else { 120 };
        assert_eq!(outcome.code(), Some(status), "{json:#}");
        Judged { json }
    }

    pub(crate) fn verdict(&self) -> &str {
        self.json["verdict"].as_str().unwrap()
    }

    /// The rules that weigh, sorted, each once.
    pub(crate) fn rules(&self) -> Vec<&str> {
        let findings = self.json["findings"].as_array().unwrap();
        let mut rules: Vec<&str> = findings
            .iter()
            .filter(|finding| finding["level"] != "note")
            .map(|finding| finding["rule"].as_str().unwrap())
            .collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    /// The finding of a rule.
    #[track_caller]
    pub(crate) fn finding(&self, rule: &str) -> &Value {
        let mut findings = self.json["findings"].as_array().unwrap().iter();
        findings.find(|finding| finding["rule"] == rule).unwrap_or_else(|| panic!("no {rule} in {:#}", self.json))
    }

    /// The databases, as `host/database`, sorted: of a file its path.
    pub(crate) fn places(&self) -> Vec<String> {
        let targets = self.json["targets"].as_array().unwrap();
        let mut places: Vec<String> = targets
            .iter()
            .map(|target| {
                let part = |key: &str| target[key].as_str().unwrap_or("-").to_owned();
                format!("{}/{}", part("host"), part("database"))
            })
            .collect();
        places.sort();
        places
    }

    /// `file:line` of everything that targets were read from, sorted, each once; `-` is the process environment.
    pub(crate) fn origins(&self) -> Vec<String> {
        let targets = self.json["targets"].as_array().unwrap();
        let mut origins: Vec<String> = targets
            .iter()
            .flat_map(|target| target["origins"].as_array().unwrap())
            .map(|origin| match origin["file"].as_str() {
                Some(file) => format!("{file}:{}", origin["line"]),
                None => "-".to_owned(),
            })
            .collect();
        origins.sort();
        origins.dedup();
        origins
    }
}
