//! Whether a person has approved the exact content of a policy.
//!
//! The approval is the SHA-256 of the file, kept in the user's state directory under the hash of the policy's path,
//! as direnv keeps its allowed files. In CI the file counts as reviewed where the provider's own variables are set,
//! no agent is detected, and its bytes are those of the commit.

use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::caller::{Caller, CallerKind};
use crate::text::hex;

/// Variables that only a CI provider's runner sets for a job; `CI` alone is none of them.
const CI_RUNS: [&str; 9] = [
    "GITHUB_RUN_ID",
    "CI_JOB_ID",
    "CIRCLE_WORKFLOW_ID",
    "BUILDKITE_BUILD_ID",
    "BITBUCKET_BUILD_NUMBER",
    "TRAVIS_BUILD_ID",
    "SYSTEM_JOBID",
    "CODEBUILD_BUILD_ID",
    "SEMAPHORE_JOB_ID",
];

/// How a policy came to be trusted, or why it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Trust {
    /// A person approved this exact content on this machine.
    Approved,
    /// A CI job runs on the commit that holds this exact content.
    Reviewed,
    /// Nobody approved it.
    Unapproved,
}

impl Trust {
    /// Tells whether what loosens is in force.
    #[must_use]
    pub(crate) fn is_trusted(self) -> bool {
        !matches!(self, Trust::Unapproved)
    }

    /// Gives the word for people and programs.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Trust::Approved => "approved",
            Trust::Reviewed => "reviewed",
            Trust::Unapproved => "unapproved",
        }
    }
}

/// Computes the SHA-256 of a policy's bytes, in hexadecimal.
#[must_use]
pub(crate) fn content_hash(content: &[u8]) -> String {
    hex(Sha256::digest(content))
}

/// Tells where the approval of the policy at `policy` (absolute, links resolved) is kept.
#[must_use]
pub(crate) fn approval_file(state_directory: &Path, policy: &Path) -> PathBuf {
    folder(state_directory).join(hex(Sha256::digest(policy.as_os_str().as_encoded_bytes())))
}

/// Tells where approvals are kept.
#[must_use]
pub(crate) fn folder(state_directory: &Path) -> PathBuf {
    state_directory.join("trust")
}

/// Tells whether the stored approval (`approval`, the bytes of [`approval_file`]) is of this content.
#[must_use]
pub(crate) fn is_approval_of(approval: &[u8], content: &[u8]) -> bool {
    String::from_utf8_lossy(approval).trim() == content_hash(content)
}

/// Tells whether this is a CI job whose provider marks itself, with no agent in it: then the committed policy counts as
/// reviewed.
#[must_use]
pub(crate) fn is_reviewing_ci(caller: &Caller, process: &[(String, String)]) -> bool {
    caller.kind != CallerKind::Agent
        && process.iter().any(|(name, value)| CI_RUNS.contains(&name.as_str()) && !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_is_of_one_exact_content() {
        let approval = content_hash(b"[allow]\nno_database = true\n");
        assert!(is_approval_of(format!("{approval}\n").as_bytes(), b"[allow]\nno_database = true\n"));
        assert!(!is_approval_of(approval.as_bytes(), b"[allow]\nno_database = true"));
        assert!(!is_approval_of(b"", b""));
    }

    #[test]
    fn bare_ci_reviews_nothing_and_an_agent_never_does() {
        let caller = |kind| Caller { kind, name: None, by: None, terminal: false };
        let set = |name: &str| vec![(name.to_owned(), "1".to_owned())];
        assert!(is_reviewing_ci(&caller(CallerKind::Ci), &set("GITHUB_RUN_ID")));
        assert!(!is_reviewing_ci(&caller(CallerKind::Ci), &set("CI")));
        assert!(!is_reviewing_ci(&caller(CallerKind::Agent), &set("GITHUB_RUN_ID")));
    }
}
