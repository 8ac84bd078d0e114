//! What of a policy is in force: everything that tightens, and what loosens only where it is trusted.

use crate::policy::document::{Document, ExternalSnapshot, RestoreWhen};
use crate::policy::pattern;

/// The policy that a run is judged and saved by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// `[environment] files`: replaces the discovery of environment files.
    pub(crate) files: Option<Vec<String>>,
    /// `[production]`: what tightens.
    pub(crate) production: Production,
    /// `[allow]`: what loosens.
    pub(crate) allow: Allowed,
    /// `[snapshots]`.
    pub(crate) snapshots: SnapshotRules,
    /// `[run] restore`.
    pub(crate) restore: RestoreWhen,
    /// What the file asks for and does not get, because nobody approved it.
    pub(crate) ignored: Vec<Loosening>,
    /// What the file loosens with approval.
    pub(crate) loosened: Vec<Loosening>,
}

/// Names that are production besides those that the rules know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Production {
    /// Words, in any case.
    pub(crate) words: Vec<String>,
    /// Host patterns, `*` for any run of characters.
    pub(crate) hosts: Vec<String>,
    /// Exact database names, in any case.
    pub(crate) databases: Vec<String>,
}

impl Production {
    /// Whether a pattern covers `host`.
    #[must_use]
    pub(crate) fn names_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|own| pattern::matches(own, host))
    }
}

/// What a person has approved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// `host:port` pairs that count as local, exactly as written.
    pub(crate) hosts: Vec<String>,
    /// Database names for which `database-name-production` is silent.
    pub(crate) databases: Vec<String>,
    /// The project has no database.
    pub(crate) no_database: bool,
    /// `NAME=value` pairs that are tolerated while every target is local and test-shaped.
    pub(crate) environments: Vec<String>,
    /// Platform variables that are tolerated while every target is local and test-shaped.
    pub(crate) platforms: Vec<String>,
}

/// How snapshots are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SnapshotRules {
    /// The folder, relative to the root; `backups` where `None`.
    pub(crate) directory: Option<String>,
    /// How many of each database are kept; [`crate::policy::KEEP_LAST`] where `None`.
    pub(crate) keep_last: Option<usize>,
    /// Addresses of databases on this machine that are not saved.
    pub(crate) skip: Vec<String>,
    /// Databases that something else keeps.
    pub(crate) external: Vec<ExternalSnapshot>,
}

/// One setting that loosens, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loosening {
    /// The setting: `allow.hosts`.
    pub(crate) key: String,
    /// Its value as written.
    pub(crate) value: String,
    /// The line in the policy, counted from 1.
    pub(crate) line: u32,
}

impl Policy {
    /// What of `document` is in force. Without approval nothing that loosens is.
    #[must_use]
    pub(crate) fn in_force(document: &Document, is_trusted: bool) -> Self {
        let mut policy = Policy {
            production: document.production.clone(),
            restore: document.restore,
            snapshots: SnapshotRules {
                directory: document.snapshots.directory.clone(),
                keep_last: document.snapshots.keep_last,
                ..SnapshotRules::default()
            },
            ..Policy::default()
        };
        if is_trusted {
            policy.files.clone_from(&document.files);
            policy.allow = document.allow.clone();
            policy.snapshots = document.snapshots.clone();
            policy.loosened.clone_from(&document.loosenings);
        } else {
            if document.moves_snapshots_away() {
                policy.snapshots.directory = None;
            }
            policy.snapshots.keep_last = document.snapshots.keep_last.filter(|keep| *keep >= crate::policy::KEEP_LAST);
            policy.ignored.clone_from(&document.loosenings);
        }
        policy
    }

    /// Whether `host:port` is allowed, exactly as written.
    #[must_use]
    pub(crate) fn allows_host(&self, host: &str, port: Option<u16>) -> bool {
        port.is_some_and(|port| {
            let pair = format!("{host}:{port}");
            self.allow.hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(&pair))
        })
    }

    /// How many snapshots of each database are kept.
    #[must_use]
    pub(crate) fn keep_last(&self) -> usize {
        self.snapshots.keep_last.unwrap_or(crate::policy::KEEP_LAST)
    }
}
