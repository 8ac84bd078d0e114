//! What of a policy is in force: everything that tightens, and what loosens only where it is trusted.

use super::document::{Document, ExternalSnapshot, RestoreWhen};
use super::pattern;

/// The policy that a run is judged and saved by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// `[environment] files`: replaces the discovery of environment files.
    pub files: Option<Vec<String>>,
    /// `[production]`: what tightens.
    pub production: Production,
    /// `[allow]`: what loosens.
    pub allow: Allowed,
    /// `[snapshots]`.
    pub snapshots: SnapshotRules,
    /// `[run] restore`.
    pub restore: RestoreWhen,
    /// What the file asks for and does not get, because nobody approved it.
    pub ignored: Vec<Loosening>,
    /// What the file loosens with approval.
    pub loosened: Vec<Loosening>,
}

/// Names that are production besides those that the rules know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Production {
    /// Words, in any case.
    pub words: Vec<String>,
    /// Host patterns, `*` for any run of characters.
    pub hosts: Vec<String>,
    /// Exact database names, in any case.
    pub databases: Vec<String>,
}

impl Production {
    /// Whether a pattern covers `host`.
    #[must_use]
    pub fn names_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|own| pattern::matches(own, host))
    }
}

/// What a person has approved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// `host:port` pairs that count as local, exactly as written.
    pub hosts: Vec<String>,
    /// Database names for which `database-name-production` is silent.
    pub databases: Vec<String>,
    /// The project has no database.
    pub no_database: bool,
    /// `NAME=value` pairs that are tolerated while every target is local and test-shaped.
    pub environments: Vec<String>,
    /// Platform variables that are tolerated while every target is local and test-shaped.
    pub platforms: Vec<String>,
}

/// How snapshots are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SnapshotRules {
    /// The folder, relative to the root; `backups` where `None`.
    pub directory: Option<String>,
    /// How many of each database are kept; [`super::KEEP_LAST`] where `None`.
    pub keep_last: Option<usize>,
    /// Addresses of databases on this machine that are not saved.
    pub skip: Vec<String>,
    /// Databases that something else keeps.
    pub external: Vec<ExternalSnapshot>,
}

/// One setting that loosens, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loosening {
    /// The setting: `allow.hosts`.
    pub key: String,
    /// Its value as written.
    pub value: String,
    /// The line in the policy, counted from 1.
    pub line: u32,
}

impl Policy {
    /// What of `document` is in force. Without approval nothing that loosens is.
    #[must_use]
    pub fn in_force(document: &Document, is_trusted: bool) -> Self {
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
            policy.snapshots.keep_last = document.snapshots.keep_last.filter(|keep| *keep >= super::KEEP_LAST);
            policy.ignored.clone_from(&document.loosenings);
        }
        policy
    }

    /// Whether `host:port` is allowed, exactly as written.
    #[must_use]
    pub fn allows_host(&self, host: &str, port: Option<u16>) -> bool {
        port.is_some_and(|port| {
            let pair = format!("{host}:{port}");
            self.allow.hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(&pair))
        })
    }

    /// How many snapshots of each database are kept.
    #[must_use]
    pub fn keep_last(&self) -> usize {
        self.snapshots.keep_last.unwrap_or(super::KEEP_LAST)
    }
}
