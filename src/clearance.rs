//! The proof that a command may run: a verdict that permits it, and one receipt for each target.
//!
//! `exec` accepts nothing else, so running without a judgement and a snapshot does not compile.
#![forbid(unsafe_code)]

use crate::error::Explain;
use crate::exit::Exit;
use crate::guard::Line;
use crate::snapshot::Receipt;
use crate::verdict::{Judgement, Verdict};

/// Permission to run one command. Only [`Clearance::grant`] makes one.
#[derive(Debug)]
#[must_use]
pub(crate) struct Clearance {
    receipts: Vec<Receipt>,
    rests_on_the_guard: bool,
}

/// A person's word, typed at a terminal, that an unverified target may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Consent {
    answers: Vec<String>,
}

impl Consent {
    /// Lists what a person has to type for `judgement`: the name of each database that is not shown to be safe, or the
    /// project folder's where the doubt is about the run itself or a database has no name.
    #[must_use]
    pub(crate) fn questions(judgement: &Judgement, project_folder: &str) -> Vec<String> {
        let mut names: Vec<String> = judgement
            .targets
            .iter()
            .filter(|judged| judged.verdict == Verdict::Unverified)
            .map(|judged| judged.target.database.clone().filter(|name| !name.trim().is_empty()))
            .map(|name| name.unwrap_or_else(|| project_folder.to_owned()))
            .collect();
        if names.is_empty() {
            names.push(project_folder.to_owned());
        }
        names.sort();
        names.dedup();
        names
    }

    /// Takes the answers for consent if each is exactly the name that was asked for.
    #[must_use]
    pub(crate) fn from_answers(questions: &[String], answers: Vec<String>) -> Option<Self> {
        let typed = |(question, answer): (&String, &String)| question.trim() == answer.trim();
        (!questions.is_empty() && questions.len() == answers.len() && questions.iter().zip(&answers).all(typed))
            .then_some(Consent { answers })
    }

    /// Gives what was typed, for the log.
    #[must_use]
    pub(crate) fn answers(&self) -> &[String] {
        &self.answers
    }
}

/// Why a command may not run.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum ClearanceError {
    /// A target is, or may be, production, or was not shown to be safe and nobody vouched for it.
    #[error("the verdict is {0}")]
    Verdict(Verdict),
    /// A target was not saved.
    #[error("there is no receipt for target {0}")]
    NoReceipt(usize),
}

impl Explain for ClearanceError {
    fn hint(&self) -> Option<String> {
        match self {
            ClearanceError::Verdict(_) => Some("`safe-test check -v` shows why".to_owned()),
            ClearanceError::NoReceipt(_) => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            ClearanceError::Verdict(_) => Exit::Refused,
            ClearanceError::NoReceipt(_) => Exit::NoSnapshot,
        }
    }
}

impl Clearance {
    /// Grants permission where the judgement is safe, or unverified with a person's consent, or unverified for want of a
    /// name under a guard that `line` proves, and every target has its receipt.
    ///
    /// # Errors
    ///
    /// What is missing. Nothing overrides a production verdict.
    pub(crate) fn grant(
        judgement: &Judgement,
        consent: Option<&Consent>,
        line: Option<&Line>,
        receipts: Vec<Receipt>,
    ) -> Result<Self, ClearanceError> {
        let rests_on_the_guard = match judgement.verdict {
            Verdict::Safe => false,
            Verdict::Unverified if consent.is_some() => false,
            Verdict::Unverified if line.is_some() && judgement.can_be_guarded() => true,
            refused @ (Verdict::Unverified | Verdict::Production) => return Err(ClearanceError::Verdict(refused)),
        };
        match (0..judgement.targets.len()).find(|at| !receipts.iter().any(|receipt| receipt.target() == *at)) {
            Some(missing) => Err(ClearanceError::NoReceipt(missing)),
            None => Ok(Clearance { receipts, rests_on_the_guard }),
        }
    }

    /// Tells whether the run goes on for nothing but the guard: it has no name, and nobody vouched for it.
    #[must_use]
    pub(crate) fn rests_on_the_guard(&self) -> bool {
        self.rests_on_the_guard
    }

    /// Lists what was saved, one receipt for each target.
    #[must_use]
    pub(crate) fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }
}
