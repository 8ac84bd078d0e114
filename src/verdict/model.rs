//! What a judgement is made of.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::environment::{Origin, Setting};
use crate::reach::Target;
use crate::verdict::{Locality, Remedy};

/// Whether a command may run, per target and, as the worst of them, for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// The place is positively local and nothing speaks against it.
    Safe,
    /// Not shown to be safe.
    Unverified,
    /// At least one production indicator. Nothing overrides it.
    Production,
}

impl Verdict {
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Verdict::Safe => "safe",
            Verdict::Unverified => "unverified",
            Verdict::Production => "production",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Worth knowing; weighs nothing.
    Note,
    /// Keeps the target from being shown safe.
    Unverified,
    /// A production indicator.
    Production,
}

impl Level {
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Unverified => "unverified",
            Level::Production => "production",
        }
    }

    fn verdict(self) -> Verdict {
        match self {
            Level::Note => Verdict::Safe,
            Level::Unverified => Verdict::Unverified,
            Level::Production => Verdict::Production,
        }
    }
}

/// What one rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The rule's id, as the README lists it.
    pub(crate) rule: &'static str,
    /// How much it weighs.
    pub(crate) level: Level,
    /// The index of the target it is about; `None` where it is about the run.
    pub(crate) target: Option<usize>,
    /// What was found, a phrase.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) remedy: Remedy,
    /// The value that the rule looked at.
    pub(crate) origin: Option<Origin>,
}

/// A target with its place and verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JudgedTarget {
    /// The target.
    pub(crate) target: Target,
    /// The farthest of its places.
    pub(crate) locality: Locality,
    /// What shows where its places are, for people; one entry a place that needed showing.
    pub(crate) shown_by: Vec<String>,
    /// The worst of the findings about it.
    pub(crate) verdict: Verdict,
}

/// The judgement of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub(crate) struct Judgement {
    /// The worst of all.
    pub(crate) verdict: Verdict,
    /// Every target, judged.
    pub(crate) targets: Vec<JudgedTarget>,
    /// Every finding, the weightiest first.
    pub(crate) findings: Vec<Finding>,
    /// The environment names that were seen (`APP_ENV=testing`), with their origins.
    pub(crate) environment: Vec<Setting>,
    /// Why a guard of connections could not answer for what nothing names, a phrase; `None` where it could.
    pub(crate) hindrance: Option<String>,
}

impl Judgement {
    /// Puts targets and findings together; the verdicts follow from the levels.
    pub(crate) fn new(
        located: Vec<(Target, Locality, Vec<String>)>,
        mut findings: Vec<Finding>,
        environment: Vec<Setting>,
        hindrance: Option<String>,
    ) -> Self {
        let worst = |of: &dyn Fn(&Finding) -> bool| {
            findings
                .iter()
                .filter(|finding| of(finding))
                .map(|finding| finding.level.verdict())
                .max()
                .unwrap_or(Verdict::Safe)
        };
        let targets = located
            .into_iter()
            .enumerate()
            .map(|(at, (target, locality, shown_by))| JudgedTarget {
                target,
                locality,
                shown_by,
                verdict: worst(&|finding| finding.target == Some(at)),
            })
            .collect();
        let verdict = worst(&|_| true);
        findings.sort_by_key(|finding| (std::cmp::Reverse(finding.level), finding.target));
        Judgement { verdict, targets, findings, environment, hindrance }
    }

    /// Lists the findings that keep the run from being safe.
    pub(crate) fn objections(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.level > Level::Note)
    }
}
