//! What of a policy is in force: everything that tightens, and what loosens only where it is trusted.
//!
//! Whether a setting tightens or loosens stands in [`Policy::in_force`], and nowhere else.

use std::path::{Component, Path};
use std::sync::Arc;

use serde::Serialize;

use crate::policy::document::{
    CommandSnapshot, Document, ExternalSnapshot, FolderSnapshot, GuardMode, RestoreWhen, SnapshotsTable,
};
use crate::policy::pattern::{HostPattern, folded};
use crate::policy::values::Written;
use crate::secret::redact_name;
use crate::text::shown;

/// How many snapshots of each database are kept where the policy does not say.
const KEEP_LAST: usize = 10;

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
    /// `[guard]`.
    pub(crate) guard: GuardRules,
    /// `[run] restore`.
    pub(crate) restore: RestoreWhen,
    /// `[run] fast_undo`: keep a copy in the server beside each dump. It saves more and executes nothing; what it costs is
    /// room on the disk of a server that was judged safe.
    pub(crate) fast_undo: bool,
    /// `[commands]`.
    pub(crate) commands: CommandRules,
    /// `[run] anchor`: nothing is run whose log cannot be anchored on this machine.
    pub(crate) anchor: bool,
    /// What the file asks for and does not get, because nobody approved it.
    pub(crate) ignored: Vec<Loosening>,
    /// What the file loosens with approval.
    pub(crate) loosened: Vec<Loosening>,
}

/// Names that are production besides those that the rules know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Production {
    /// Words, in any case.
    pub(crate) words: Vec<String>,
    pub(crate) hosts: Vec<HostPattern>,
    /// Exact database names, in any case.
    pub(crate) databases: Vec<String>,
}

impl Production {
    /// Gives them as they may be shown: somebody may have pasted more than a name.
    pub(crate) fn shown(&self) -> Production {
        let shown = |names: &[String]| names.iter().map(|name| redact_name(name).into_owned()).collect();
        Production { words: shown(&self.words), hosts: self.hosts.clone(), databases: shown(&self.databases) }
    }

    /// Tells whether a pattern covers `host`.
    #[must_use]
    pub(crate) fn names_host(&self, host: &str) -> bool {
        let host = folded(host);
        self.hosts.iter().any(|own| own.matches(&host))
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
    /// How many of each database are kept; [`KEEP_LAST`] where `None`.
    pub(crate) keep_last: Option<usize>,
    /// Whether Redis is saved even where other databases keep the project's data.
    pub(crate) redis: bool,
    /// Addresses of databases on this machine that are not saved.
    pub(crate) skip: Vec<String>,
    /// Databases that something else keeps.
    pub(crate) external: Vec<ExternalSnapshot>,
    /// Databases that programs of the project's own save and put back.
    pub(crate) command: Vec<Arc<CommandSnapshot>>,
    /// Folders of files that are saved beside the databases, as paths from the root.
    pub(crate) folders: Vec<String>,
    /// Addresses of the databases that `external` or `command` of the file are of, where nobody approved it.
    pub(crate) waiting: Vec<String>,
}

impl SnapshotRules {
    /// Finds how programs of the project's own save the database at that address.
    #[must_use]
    pub(crate) fn command_for(&self, address: &str) -> Option<&Arc<CommandSnapshot>> {
        self.command.iter().find(|own| own.target == address)
    }

    /// Leaves only what says how a database is saved, and nothing that says that it need not be.
    #[must_use]
    pub(crate) fn saving_all(&self) -> SnapshotRules {
        SnapshotRules { command: self.command.clone(), ..SnapshotRules::default() }
    }
}

/// What the command may connect to while it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GuardRules {
    pub(crate) mode: GuardMode,
    /// `host:port` pairs that may be reached, exactly as written.
    pub(crate) allow: Vec<String>,
    /// Ports of databases besides those that are known.
    pub(crate) ports: Vec<u16>,
}

/// What the table of commands that agents are kept from is corrected by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CommandRules {
    /// Commands that touch no database, whatever the table says.
    pub(crate) plain: Vec<String>,
    /// Commands that touch one.
    pub(crate) guard: Vec<String>,
}

/// One setting that loosens, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loosening {
    /// The setting: `allow.hosts`.
    pub(crate) key: &'static str,
    /// Its value as written.
    pub(crate) value: String,
    /// The line in the policy, counted from 1.
    pub(crate) line: u32,
}

impl Policy {
    /// Puts a policy in force: what tightens at once, and what loosens only where it is trusted.
    #[must_use]
    pub(crate) fn in_force(document: &Document, is_trusted: bool) -> Self {
        let Document { environment, production, allow, snapshots, guard, run, commands, .. } = document;
        let mut scales = Scales { document, is_trusted, loosenings: Vec::new() };
        let mut policy = Policy {
            files: scales.loosens("environment.files", &environment.files),
            production: Production {
                words: tightens(&production.words).unwrap_or_default(),
                hosts: tightens(&production.hosts).into_iter().flatten().map(|own| own.as_str().into()).collect(),
                databases: tightens(&production.databases).unwrap_or_default(),
            },
            allow: Allowed {
                hosts: scales.loosens("allow.hosts", &allow.hosts).unwrap_or_default(),
                databases: scales.loosens("allow.databases", &allow.databases).unwrap_or_default(),
                no_database: scales.loosens_if("allow.no_database", &allow.no_database, |on| *on).unwrap_or_default(),
                environments: scales.loosens("allow.environments", &allow.environments).unwrap_or_default(),
                platforms: scales.loosens("allow.platforms", &allow.platforms).unwrap_or_default(),
            },
            snapshots: SnapshotRules {
                directory: scales
                    .loosens_if("snapshots.directory", &snapshots.directory, |path| leaves_the_project(path)),
                keep_last: scales.loosens_if("snapshots.keep_last", &snapshots.keep_last, |keep| *keep < KEEP_LAST),
                redis: tightens(&snapshots.redis).unwrap_or_default(),
                skip: scales.loosens("snapshots.skip", &snapshots.skip).unwrap_or_default(),
                external: scales
                    .loosens_shown("snapshots.external", &snapshots.external, |tables| {
                        let one =
                            |one: &ExternalSnapshot| format!("{{ target = {:?}, how = {:?} }}", one.target, one.how);
                        format!("[{}]", tables.iter().map(one).collect::<Vec<_>>().join(", "))
                    })
                    .unwrap_or_default(),
                command: scales
                    .loosens_shown("snapshots.command", &snapshots.command, |tables| {
                        let one = |one: &CommandSnapshot| {
                            let CommandSnapshot { target, save, check, restore } = one;
                            format!(
                                "{{ target = {target:?}, save = {save:?}, check = {check:?}, restore = {restore:?} }}"
                            )
                        };
                        format!("[{}]", tables.iter().map(one).collect::<Vec<_>>().join(", "))
                    })
                    .unwrap_or_default()
                    .into_iter()
                    .map(Arc::new)
                    .collect(),
                folders: scales
                    .loosens_shown("snapshots.folders", &snapshots.folders, |tables| {
                        let one = |one: &FolderSnapshot| format!("{{ path = {:?} }}", one.path);
                        format!("[{}]", tables.iter().map(one).collect::<Vec<_>>().join(", "))
                    })
                    .unwrap_or_default()
                    .into_iter()
                    .map(|one| one.path)
                    .collect(),
                waiting: if is_trusted { Vec::new() } else { named_targets(snapshots) },
            },
            guard: GuardRules {
                mode: scales.loosens_if("guard.mode", &guard.mode, |mode| *mode == GuardMode::Off).unwrap_or_default(),
                allow: scales.loosens("guard.allow", &guard.allow).unwrap_or_default(),
                ports: tightens(&guard.ports).unwrap_or_default(),
            },
            restore: tightens(&run.restore).unwrap_or_default(),
            fast_undo: tightens(&run.fast_undo).unwrap_or_default(),
            commands: CommandRules {
                plain: scales.loosens("commands.plain", &commands.plain).unwrap_or_default(),
                guard: tightens(&commands.guard).unwrap_or_default(),
            },
            anchor: tightens(&run.anchor).unwrap_or_default(),
            ignored: Vec::new(),
            loosened: Vec::new(),
        };
        scales.loosenings.sort_by_key(|loosening| loosening.line);
        match is_trusted {
            true => policy.loosened = scales.loosenings,
            false => policy.ignored = scales.loosenings,
        }
        policy
    }

    /// Reads the addresses of database files from the project's root, so that a policy fits every clone of its project.
    #[must_use]
    pub(crate) fn placed(mut self, root: &Path) -> Self {
        let placed = |address: &String| match address.split_once(':') {
            Some((engine, path)) if !path.is_empty() && !path.starts_with([':', '/']) => {
                format!("{engine}:{}", shown(&root.join(path.trim_start_matches("./"))))
            }
            _ => address.clone(),
        };
        let rules = &mut self.snapshots;
        rules.skip = rules.skip.iter().map(placed).collect();
        rules.waiting = rules.waiting.iter().map(placed).collect();
        rules.external.iter_mut().for_each(|one| one.target = placed(&one.target));
        for one in &mut rules.command {
            let target = placed(&one.target);
            Arc::make_mut(one).target = target;
        }
        self
    }

    /// Tells whether `host:port` is allowed, exactly as written.
    #[must_use]
    pub(crate) fn allows_host(&self, host: &str, port: Option<u16>) -> bool {
        port.is_some_and(|port| {
            let pair = format!("{host}:{port}");
            self.allow.hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(&pair))
        })
    }

    #[must_use]
    pub(crate) fn keep_last(&self) -> usize {
        self.snapshots.keep_last.unwrap_or(KEEP_LAST)
    }
}

impl Production {
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.hosts.is_empty() && self.databases.is_empty()
    }
}

/// Lists the databases for which the file says how they are kept.
fn named_targets(snapshots: &SnapshotsTable) -> Vec<String> {
    let external = snapshots.external.iter().flat_map(|tables| tables.get_ref()).map(|one| one.target.clone());
    let command = snapshots.command.iter().flat_map(|tables| tables.get_ref()).map(|one| one.target.clone());
    external.chain(command).collect()
}

/// Takes the value of a setting that never loosens.
fn tightens<T: Clone>(written: &Written<T>) -> Option<T> {
    written.as_ref().map(|value| value.get_ref().clone())
}

/// Lets settings that loosen pass where the policy is trusted, and notes each.
struct Scales<'d> {
    document: &'d Document,
    is_trusted: bool,
    loosenings: Vec<Loosening>,
}

impl Scales<'_> {
    /// Takes the value of a setting that loosens, whatever it is.
    fn loosens<T: Clone>(&mut self, key: &'static str, written: &Written<T>) -> Option<T> {
        self.loosens_if(key, written, |_| true)
    }

    /// Takes the value of a setting that loosens where `is_loose` says so of it.
    fn loosens_if<T: Clone>(
        &mut self,
        key: &'static str,
        written: &Written<T>,
        is_loose: impl FnOnce(&T) -> bool,
    ) -> Option<T> {
        let setting = written.as_ref()?;
        if !is_loose(setting.get_ref()) {
            return Some(setting.get_ref().clone());
        }
        let document = self.document;
        self.loosens_shown(key, written, |_| document.quote(setting.span()).to_owned())
    }

    /// Takes the value of a setting that loosens and is not written in one piece; `shown` is what a person approves.
    fn loosens_shown<T: Clone>(
        &mut self,
        key: &'static str,
        written: &Written<T>,
        shown: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        let setting = written.as_ref()?;
        let line = self.document.line_of(setting.span());
        self.loosenings.push(Loosening { key, value: shown(setting.get_ref()), line });
        self.is_trusted.then(|| setting.get_ref().clone())
    }
}

/// Tells whether snapshots would go to a folder outside the project, where others may read them. It goes by what is
/// written: where links lead is seen when the folder is looked up.
pub(crate) fn leaves_the_project(directory: &str) -> bool {
    let path = Path::new(directory);
    path.is_absolute() || path.components().any(|part| part == Component::ParentDir)
}

#[cfg(test)]
mod tests {
    use super::*;

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
directory = "../backups"
keep_last = 3
skip = ["mongodb://localhost/shop"]

[[snapshots.external]]
target = "oracle://db1/shop"
how = "nightly"

[[snapshots.external]]
target = "h2:x"
how = "daily"

[[snapshots.command]]
target = "duckdb:shop.duckdb"
save = ["./save", "{file}"]
check = ["check", "{file}"]
restore = ["./back", "--from={file}"]

[[snapshots.folders]]
path = "./storage/app"

[guard]
mode = "strict"
allow = ["10.1.2.3:5432"]
ports = [5555]

[run]
restore = "failure"
fast_undo = true
anchor = true

[commands]
plain = ["npm run test:unit"]
guard = ["./reset.sh"]
"#;

    fn document(text: &str) -> Document {
        Document::parse(text, Path::new(".safe-test.toml")).unwrap()
    }

    #[test]
    fn what_loosens_is_in_force_only_with_trust() {
        let document = document(WHOLE);
        let untrusted = Policy::in_force(&document, false);
        let tightening = Policy {
            production: Production {
                words: vec!["shopmain".to_owned()],
                hosts: vec!["*.northwind-shop.test".into()],
                databases: vec!["ledger".to_owned()],
            },
            guard: GuardRules { mode: GuardMode::Strict, ports: vec![5555], ..GuardRules::default() },
            restore: RestoreWhen::Failure,
            fast_undo: true,
            commands: CommandRules { plain: Vec::new(), guard: vec!["./reset.sh".to_owned()] },
            anchor: true,
            snapshots: SnapshotRules {
                waiting: ["oracle://db1/shop", "h2:x", "duckdb:shop.duckdb"].map(str::to_owned).to_vec(),
                ..SnapshotRules::default()
            },
            ignored: untrusted.ignored.clone(),
            ..Policy::default()
        };
        assert_eq!(untrusted, tightening);
        let trusted = Policy::in_force(&document, true);
        assert!(
            trusted.allows_host("ci-db.internal", Some(5432)) && !trusted.allows_host("ci-db.internal", Some(5433))
        );
        assert_eq!(trusted.guard.allow, ["10.1.2.3:5432"]);
        assert_eq!(trusted.snapshots.command_for("duckdb:shop.duckdb").unwrap().save, ["./save", "{file}"]);
        assert!(
            trusted.snapshots.command_for("duckdb:///other.duckdb").is_none() && trusted.snapshots.waiting.is_empty()
        );
        assert_eq!(trusted.commands.plain, ["npm run test:unit"]);
        assert!(trusted.allow.no_database && trusted.snapshots.external[0].how == "nightly");
        assert_eq!((trusted.keep_last(), trusted.files.map(|files| files.len())), (3, Some(2)));
        assert_eq!((&trusted.loosened, trusted.ignored.len()), (&untrusted.ignored, 0));
    }

    #[test]
    fn each_loosening_is_quoted_with_its_line() {
        let loosened = Policy::in_force(&document(WHOLE), true).loosened;
        let shown: Vec<String> = loosened.iter().map(|one| format!("{} {}", one.line, one.key)).collect();
        let expected = [
            "3 environment.files",
            "11 allow.hosts",
            "12 allow.databases",
            "13 allow.no_database",
            "14 allow.environments",
            "15 allow.platforms",
            "18 snapshots.directory",
            "19 snapshots.keep_last",
            "20 snapshots.skip",
            "22 snapshots.external",
            "30 snapshots.command",
            "36 snapshots.folders",
            "41 guard.allow",
            "50 commands.plain",
        ];
        assert_eq!(shown, expected);
        assert_eq!((loosened[1].value.as_str(), loosened[7].value.as_str()), ("[\"ci-db.internal:5432\"]", "3"));
        let external =
            "[{ target = \"oracle://db1/shop\", how = \"nightly\" }, { target = \"h2:x\", how = \"daily\" }]";
        assert_eq!(loosened[9].value, external);
        let command = "[{ target = \"duckdb:shop.duckdb\", save = [\"./save\", \"{file}\"], check = [\"check\", \"{file}\"], \
                       restore = [\"./back\", \"--from={file}\"] }]";
        assert_eq!(loosened[10].value, command);
        assert_eq!(loosened[11].value, "[{ path = \"storage/app\" }]");
    }

    #[test]
    fn files_are_named_from_the_root() {
        let policy = Policy::in_force(&document(WHOLE), true).placed(Path::new("/p"));
        let SnapshotRules { skip, external, command, .. } = &policy.snapshots;
        assert_eq!(skip, &["mongodb://localhost/shop"]);
        assert_eq!((&*external[0].target, &*external[1].target), ("oracle://db1/shop", "h2:/p/x"));
        assert_eq!(command[0].target, "duckdb:/p/shop.duckdb");
        let untrusted = Policy::in_force(&document(WHOLE), false).placed(Path::new("/p"));
        assert_eq!(untrusted.snapshots.waiting, ["oracle://db1/shop", "h2:/p/x", "duckdb:/p/shop.duckdb"]);
        let absolute = document("[snapshots]\nskip = [\"sqlite:/x/a.db\", \"sqlite::memory:\", \"sqlite:./a.db\"]");
        let placed = Policy::in_force(&absolute, true).placed(Path::new("/p"));
        assert_eq!(placed.snapshots.skip, ["sqlite:/x/a.db", "sqlite::memory:", "sqlite:/p/a.db"]);
    }

    #[test]
    fn some_settings_loosen_by_their_value() {
        let cases = [
            ("[snapshots]\ndirectory = \"../elsewhere\"", true),
            ("[snapshots]\ndirectory = \"/srv/share\"", true),
            ("[snapshots]\ndirectory = \"var/../../backups\"", true),
            ("[snapshots]\ndirectory = \"var/backups\"", false),
            ("[snapshots]\nkeep_last = 9", true),
            ("[snapshots]\nkeep_last = 10", false),
            ("[guard]\nmode = \"off\"", true),
            ("[guard]\nmode = \"databases\"", false),
            ("[allow]\nno_database = true", true),
            ("[allow]\nno_database = false", false),
        ];
        for (text, loosens) in cases {
            let document = document(text);
            let untrusted = Policy::in_force(&document, false);
            assert_eq!(untrusted.ignored.len(), usize::from(loosens), "{text}");
            let without = Policy { ignored: untrusted.ignored.clone(), ..Policy::default() };
            assert_eq!(
                untrusted == without,
                loosens || text.ends_with("false") || text.ends_with("\"databases\""),
                "{text}"
            );
        }
    }
}
