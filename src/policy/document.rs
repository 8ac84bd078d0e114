//! Reading `.safe-test.toml`: every key is known, every value has its type, errors name the line.

use std::path::{Component, Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Explain;
use crate::exit::Exit;
use crate::policy::force::{Allowed, Loosening, Production, SnapshotRules};
use crate::policy::reader::Reader;

/// When a database is put back after the command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum RestoreWhen {
    /// Only by `safe-test restore`.
    #[default]
    Never,
    /// When the command did not succeed.
    Failure,
    /// After every run.
    Always,
}

/// A database that something else keeps: `[[snapshots.external]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExternalSnapshot {
    /// The database's address, as `check` shows it.
    pub(crate) target: String,
    /// How it is kept, for people and the record.
    pub(crate) how: String,
}

/// A policy as it is written, before anybody asks whether it is trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) files: Option<Vec<String>>,
    pub(crate) production: Production,
    pub(crate) allow: Allowed,
    pub(crate) snapshots: SnapshotRules,
    pub(crate) restore: RestoreWhen,
    /// Everything in it that loosens, in the order of the file.
    pub(crate) loosenings: Vec<Loosening>,
}

/// Why a policy cannot be used. With a broken policy nothing is run: it may have been meant to tighten.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PolicyError {
    /// The file is there and cannot be read.
    #[error("cannot read the policy {}", file.display())]
    Unreadable {
        /// The policy.
        file: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// It is no TOML.
    #[error("{}:{line}: {message}", file.display())]
    Syntax {
        /// The policy.
        file: PathBuf,
        /// The line, counted from 1.
        line: u32,
        /// What the parser says.
        message: String,
    },
    /// A key that no policy has.
    #[error("{}:{line}: unknown key `{key}`", file.display())]
    UnknownKey {
        /// The policy.
        file: PathBuf,
        /// The line, counted from 1.
        line: u32,
        /// The key, with its table.
        key: String,
        /// The known key that is nearest to it.
        nearest: String,
    },
    /// A value of the wrong type, or out of range.
    #[error("{}:{line}: `{key}` takes {expected}", file.display())]
    Value {
        /// The policy.
        file: PathBuf,
        /// The line, counted from 1.
        line: u32,
        /// The key, with its table.
        key: String,
        /// What it takes.
        expected: &'static str,
    },
}

impl Explain for PolicyError {
    fn hint(&self) -> Option<String> {
        match self {
            PolicyError::Unreadable { .. } => Some("make it a readable file, or remove it".to_owned()),
            PolicyError::Syntax { .. } => Some("correct the file; the README lists what it may hold".to_owned()),
            PolicyError::UnknownKey { nearest, .. } => Some(format!("did you mean `{nearest}`?")),
            PolicyError::Value { .. } => Some("correct the value; the README shows every key".to_owned()),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            PolicyError::Unreadable { .. }
            | PolicyError::Syntax { .. }
            | PolicyError::UnknownKey { .. }
            | PolicyError::Value { .. } => Exit::Failed,
        }
    }
}

const TABLES: [&str; 5] = ["environment", "production", "allow", "snapshots", "run"];
const KEYS: [(&str, &[&str]); 5] = [
    ("environment", &["files"]),
    ("production", &["words", "hosts", "databases"]),
    ("allow", &["hosts", "databases", "no_database", "environments", "platforms"]),
    ("snapshots", &["directory", "keep_last", "skip", "external"]),
    ("run", &["restore"]),
];

impl Document {
    /// Reads a policy; `file` is how errors name it.
    ///
    /// # Errors
    ///
    /// The first thing in it that is not understood.
    pub(crate) fn parse(text: &str, file: &Path) -> Result<Self, PolicyError> {
        let reader = Reader { text, file };
        let table = DeTable::parse(text).map_err(|error| PolicyError::Syntax {
            file: file.to_owned(),
            line: reader.line(error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        let mut document = Document::default();
        for (name, value) in table.get_ref() {
            let known = KEYS.iter().find(|(table, _)| *table == name.get_ref().as_ref());
            let Some((table, keys)) = known else {
                // A key without its table's header is told where it belongs.
                let home = KEYS.iter().find(|(_, keys)| keys.contains(&name.get_ref().as_ref()));
                let full = home.map(|(table, _)| format!("{table}.{}", name.get_ref()));
                let known: Vec<&str> = full.as_deref().map_or(TABLES.to_vec(), |full| vec![full]);
                return Err(reader.unknown(name, name.get_ref(), &known));
            };
            let DeValue::Table(entries) = value.get_ref() else { return Err(reader.wrong(name, table, "a table")) };
            for (key, value) in entries {
                if !keys.contains(&key.get_ref().as_ref()) {
                    return Err(reader.unknown(key, &format!("{table}.{}", key.get_ref()), keys));
                }
                document.take(&reader, &format!("{table}.{}", key.get_ref()), key, value)?;
            }
        }
        document.loosenings.sort_by_key(|loosening| loosening.line);
        Ok(document)
    }

    fn take(
        &mut self,
        reader: &Reader<'_>,
        name: &str,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), PolicyError> {
        let mut loosens = false;
        match name {
            "environment.files" => {
                self.files = Some(reader.strings(name, value)?);
                loosens = true;
            }
            "production.words" => self.production.words = reader.strings(name, value)?,
            "production.hosts" => self.production.hosts = reader.strings(name, value)?,
            "production.databases" => self.production.databases = reader.strings(name, value)?,
            "allow.hosts" => {
                self.allow.hosts = reader.strings(name, value)?;
                if self.allow.hosts.iter().any(|host| !is_exact_host(host)) {
                    return Err(reader.wrong(value, name, "exact `host:port` pairs, without wildcards"));
                }
                loosens = true;
            }
            "allow.databases" => {
                self.allow.databases = reader.strings(name, value)?;
                loosens = true;
            }
            "allow.no_database" => {
                self.allow.no_database = reader.boolean(name, value)?;
                loosens = self.allow.no_database;
            }
            "allow.environments" => {
                self.allow.environments = reader.strings(name, value)?;
                if self.allow.environments.iter().any(|pair| !pair.contains('=')) {
                    return Err(reader.wrong(value, name, "`NAME=value` pairs"));
                }
                loosens = true;
            }
            "allow.platforms" => {
                self.allow.platforms = reader.strings(name, value)?;
                loosens = true;
            }
            "snapshots.directory" => {
                self.snapshots.directory = Some(reader.string(name, value)?);
                loosens = self.moves_snapshots_away();
            }
            "snapshots.keep_last" => {
                let keep = reader.positive(name, value)?;
                self.snapshots.keep_last = Some(keep);
                loosens = keep < crate::policy::KEEP_LAST;
            }
            "snapshots.skip" => {
                self.snapshots.skip = reader.strings(name, value)?;
                loosens = true;
            }
            "snapshots.external" => {
                self.snapshots.external = reader.externals(name, value)?;
                loosens = true;
            }
            _ => self.restore = reader.restore(name, value)?,
        }
        if loosens {
            let written = &reader.text[value.span()];
            self.loosenings.push(Loosening {
                key: name.to_owned(),
                value: written.to_owned(),
                line: reader.line(key.span().start),
            });
        }
        Ok(())
    }

    /// Whether the snapshots would go to a folder outside the project, where others may read them.
    pub(crate) fn moves_snapshots_away(&self) -> bool {
        self.snapshots.directory.as_deref().is_some_and(|directory| {
            let path = Path::new(directory);
            path.is_absolute() || path.components().any(|part| part == Component::ParentDir)
        })
    }
}

fn is_exact_host(pair: &str) -> bool {
    !pair.contains('*')
        && pair
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    const WHOLE: &str = r#"
[environment]
files = [".env", ".env.testing"]

[production]
words = ["shopmain"]
hosts = ["*.northwind-shop.test"]
databases = ["ledger"]

[allow]
hosts = ["ci-db.internal:5432"]
databases = ["live_lessons"]
no_database = true
environments = ["NODE_ENV=production"]
platforms = ["DYNO"]

[snapshots]
directory = "backups"
keep_last = 3
skip = ["mongodb://localhost/shop"]

[run]
restore = "failure"
"#;

    fn parse(text: &str) -> Result<Document, PolicyError> {
        Document::parse(text, Path::new(".safe-test.toml"))
    }

    #[test]
    fn what_loosens_is_in_force_only_with_trust() {
        let document = parse(WHOLE).unwrap();
        let untrusted = Policy::in_force(&document, false);
        assert_eq!(untrusted.production.words, ["shopmain"]);
        assert_eq!(untrusted.restore, RestoreWhen::Failure);
        assert_eq!(
            (untrusted.files.clone(), untrusted.allow.clone(), untrusted.keep_last()),
            (None, Allowed::default(), 10)
        );
        assert_eq!(untrusted.ignored.len(), 8);
        let trusted = Policy::in_force(&document, true);
        assert!(
            trusted.allows_host("ci-db.internal", Some(5432)) && !trusted.allows_host("ci-db.internal", Some(5433))
        );
        assert_eq!((trusted.keep_last(), trusted.ignored.len(), trusted.loosened.len()), (3, 0, 8));
    }

    #[test]
    fn errors_name_the_line_and_the_nearest_key() {
        let cases = [
            ("[allow]\nhost = [\"a:1\"]", ".safe-test.toml:2: unknown key `allow.host`", "`hosts`"),
            ("[produktion]\n", ".safe-test.toml:1: unknown key `produktion`", "`production`"),
            (
                "\n[snapshots]\nkeep_last = 0",
                ".safe-test.toml:3: `snapshots.keep_last` takes a whole number of at least 1",
                "",
            ),
            (
                "[allow]\nhosts = [\"*.internal:5432\"]",
                ".safe-test.toml:2: `allow.hosts` takes exact `host:port` pairs, without wildcards",
                "",
            ),
            (
                "[run]\nrestore = \"sometimes\"",
                ".safe-test.toml:2: `run.restore` takes \"never\", \"failure\" or \"always\"",
                "",
            ),
            (
                "[allow]\nhosts = \"a:1\"",
                ".safe-test.toml:2: `allow.hosts` takes a list of strings, none of them empty",
                "",
            ),
        ];
        for (text, message, hint) in cases {
            let error = parse(text).unwrap_err();
            assert_eq!(error.to_string(), message);
            assert!(error.hint().unwrap_or_default().contains(hint), "{text}");
        }
        assert!(parse("[allow\n").unwrap_err().to_string().starts_with(".safe-test.toml:1: "));
    }

    #[test]
    fn snapshots_outside_the_project_loosen() {
        for (directory, ignored) in [("../elsewhere", 1), ("/srv/share", 1), ("var/backups", 0)] {
            let document = parse(&format!("[snapshots]\ndirectory = \"{directory}\"")).unwrap();
            let policy = Policy::in_force(&document, false);
            assert_eq!(policy.ignored.len(), ignored, "{directory}");
            assert_eq!(policy.snapshots.directory.is_none(), ignored == 1, "{directory}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_text_is_a_policy_or_an_error_with_a_line(
            text in r#"(\[|\]|=|"|'|\n| |,|allow|hosts|snapshots|external|run|restore|x|ä|\{|\}|true|[0-9]|\.){0,40}"#,
        ) {
            let lines = u32::try_from(text.split('\n').count()).unwrap();
            match parse(&text) {
                Ok(_) | Err(PolicyError::Unreadable { .. }) => {}
                Err(PolicyError::Syntax { line, .. } | PolicyError::UnknownKey { line, .. } | PolicyError::Value { line, .. }) => {
                    proptest::prop_assert!((1..=lines).contains(&line), "{line} of {lines}");
                }
            }
        }
    }
}
