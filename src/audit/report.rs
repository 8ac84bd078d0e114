//! A judgement as programs get it and as the log keeps it: one set of types, written and read by serde.
//!
//! `check --format json` is a [`JudgementReport`] (version 1: fields are added, never renamed); an entry of the log holds
//! the [`JudgementRecord`] of it. Whatever is said of a judgement in words is made of these values, too. A password has
//! no place in them: what a target holds of one is left behind here.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::environment::Origin;
use crate::policy::trust::Trust;
use crate::policy::{GuardMode, Production};
use crate::verdict::{Level, Verdict};

/// A word of a set to which later versions may add.
pub(super) type Word = Cow<'static, str>;

/// A judgement with all that it was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct JudgementReport {
    pub(crate) schema: u32,
    pub(crate) verdict: Verdict,
    pub(crate) targets: Vec<TargetReport>,
    /// The weightiest first.
    pub(crate) findings: Vec<FindingReport>,
    /// The environment names that were seen.
    pub(crate) environment: Vec<EnvironmentReport>,
    pub(crate) caller: CallerReport,
    /// `None` where the project has no policy.
    pub(crate) policy: Option<PolicyReport>,
    /// The loaders that were taken for plausible.
    pub(crate) loaders: Vec<String>,
    /// The files that were read for values, absolute.
    pub(crate) files: Vec<String>,
    /// Why the guard cannot answer for a run without a name, a phrase; only where the run has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hindrance: Option<String>,
}

/// A database that could be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TargetReport {
    pub(crate) engine: Word,
    /// The first place that could be dialled: a host, a socket's path or a provider's name.
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) database: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) locality: Word,
    pub(crate) verdict: Verdict,
    pub(crate) origins: Vec<Origin>,
    /// The origins with the loaders that would take each.
    #[serde(default)]
    pub(crate) candidates: Vec<Candidate>,
    /// The database's file, where it is one.
    #[serde(default)]
    pub(crate) path: Option<String>,
    /// What shows where its places are.
    #[serde(default)]
    pub(crate) shown_by: Vec<String>,
    /// The target in words, as messages name it.
    #[serde(default)]
    pub(crate) label: String,
    /// Whose tests derive it from a configured database (`Django's tests`); only where nothing names it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) derived_by: Option<Word>,
}

/// An origin with the loaders that would take a value from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Candidate {
    #[serde(flatten)]
    pub(crate) origin: Origin,
    pub(crate) loaders: Vec<String>,
}

/// What one rule found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FindingReport {
    pub(crate) rule: Word,
    pub(crate) level: Level,
    /// The index of the target that it is about.
    pub(crate) target: Option<usize>,
    pub(crate) message: String,
    pub(crate) remedy: String,
    pub(crate) origin: Option<Origin>,
}

/// An environment name that was seen: `APP_ENV=testing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct EnvironmentReport {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) origin: Origin,
}

/// Who drives safe-test.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallerReport {
    /// `human`, `agent`, `ci` or `hook`.
    pub(crate) kind: Word,
    /// The agent's or provider's name, where it is known.
    pub(crate) name: Option<String>,
    /// The variable that gave it away, or the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<Word>,
}

/// The policy that was in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PolicyReport {
    pub(crate) file: Word,
    /// SHA-256 of its content, hexadecimal.
    pub(crate) sha256: String,
    pub(crate) trust: Trust,
    pub(crate) loosens: Vec<SettingReport>,
    /// What it asks for in vain, because nobody approved it.
    pub(crate) ignored: Vec<SettingReport>,
    pub(crate) tightens: Production,
    pub(crate) guard: GuardReport,
}

/// What a policy says of the guard, as far as it is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct GuardReport {
    pub(crate) mode: GuardMode,
    /// Ports of databases besides those that are known.
    pub(crate) ports: Vec<u16>,
}

/// A setting of a policy that loosens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct SettingReport {
    pub(crate) key: &'static str,
    /// Its value as written, redacted.
    pub(crate) value: String,
    pub(crate) line: u32,
}

/// What the log keeps of a judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JudgementRecord {
    pub(crate) verdict: Verdict,
    #[serde(default)]
    pub(crate) findings: Vec<FindingReport>,
    #[serde(default)]
    pub(crate) targets: Vec<TargetReport>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<PolicyRecord>,
}

#[cfg(test)]
impl JudgementRecord {
    pub(crate) fn of(verdict: Verdict) -> Self {
        JudgementRecord { verdict, findings: Vec::new(), targets: Vec::new(), policy: None }
    }
}

/// What the log keeps of a policy: enough to find its content in the project's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PolicyRecord {
    pub(crate) file: Word,
    pub(crate) sha256: String,
    /// Whether what loosens in it was in force.
    pub(crate) trusted: bool,
}

impl JudgementReport {
    /// Keeps what the log needs of it.
    pub(crate) fn record(&self) -> JudgementRecord {
        JudgementRecord {
            verdict: self.verdict,
            findings: self.findings.clone(),
            targets: self.targets.clone(),
            policy: self.policy.as_ref().map(|policy| PolicyRecord {
                file: policy.file.clone(),
                sha256: policy.sha256.clone(),
                trusted: policy.trust.is_trusted(),
            }),
        }
    }

    /// Lists the findings that keep the run from being safe.
    pub(crate) fn objections(&self) -> impl Iterator<Item = &FindingReport> {
        self.findings.iter().filter(|finding| finding.level > Level::Note)
    }
}

impl TargetReport {
    /// Describes the target in one line.
    pub(crate) fn line(&self) -> String {
        let origins: Vec<String> = self.origins.iter().map(Origin::to_string).collect();
        // Logs of the first versions have no labels.
        let label = match (self.label.as_str(), &self.host, &self.database) {
            ("", host, database) => {
                let part = |part: &Option<String>| part.clone().unwrap_or_default();
                format!("{} {} {}", self.engine, part(host), part(database))
            }
            (label, ..) => label.to_owned(),
        };
        format!("{label} ({}): {}, from {}", self.locality, self.verdict, origins.join(", "))
    }
}

impl FindingReport {
    /// Describes the finding in one line, without its level.
    pub(crate) fn line(&self) -> String {
        let origin = self.origin.as_ref().map(ToString::to_string).filter(|origin| !self.message.contains(origin));
        let origin = origin.map(|origin| format!(" [{origin}]")).unwrap_or_default();
        format!("{}: {}{origin}", self.rule, self.message)
    }
}
